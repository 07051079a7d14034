/* store_fixture.h - a folder of a test's own, and an open store in it. */
#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H

#include "../cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "count_points.h"
#include "store_internal.h"
#include "temporary.h"

struct fixture {
    char folder[64];
    struct store *store;
    struct ff_error error;
};

static inline void assert_good(ff_status status, const struct ff_error *error)
{
    if (status != FF_OK)
        fail_msg("%s", error->message);
}

static inline struct store *open_good(struct fixture *fixture)
{
    struct store *store = store_open(fixture->folder, &fixture->error);
    if (store == NULL)
        fail_msg("%s", fixture->error.message);
    return store;
}

static inline void reopen(struct fixture *fixture)
{
    store_close(fixture->store);
    fixture->store = open_good(fixture);
}

static inline int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    *state = fixture;
    if (fixture == NULL)
        return -1;
    strcpy(fixture->folder, "/tmp/goodness_store_XXXXXX"); /* short: tests put paths together */
    if (mkdtemp(fixture->folder) == NULL)
        return -1;
    fixture->store = store_open(fixture->folder, &fixture->error);
    return fixture->store != NULL ? 0 : -1;
}

static inline int tear_down(void **state)
{
    struct fixture *fixture = *state;

    store_close(fixture->store);
    temporary_remove(fixture->folder);
    free(fixture);
    return 0;
}

#endif
