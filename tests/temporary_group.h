/* temporary_group.h - a folder for a test program's whole group: given to cmocka_run_group_tests. */
#ifndef TEMPORARY_GROUP_H
#define TEMPORARY_GROUP_H

#include "temporary.h"

static char folder[256];

static inline int make_folder(void **state)
{
    (void)state;
    temporary_folder(folder);
    return 0;
}

static inline int remove_folder(void **state)
{
    (void)state;
    temporary_remove(folder);
    return 0;
}

#endif
