/* catalog_places.h - the data sets that are known by name, and where sets are looked for (catalog.h says in which
 * order). Looks at the disk each time and keeps nothing; any thread may call. */
#ifndef CATALOG_PLACES_H
#define CATALOG_PLACES_H

#include <stdbool.h>
#include <stdint.h>

#include "catalog.h"

enum { CATALOG_PATH_MAX = sizeof(((struct catalog_entry *)0)->path) };

struct catalog_known {
    const char *name, *title;
    const char *how_to_get;  /* the command that brings it */
    const char *script;      /* one that is installed beside the program and brings it; NULL: none */
    const char *from_script; /* the command then */
    const char *keras;       /* below ~/.keras/datasets */
};

const struct catalog_known *catalog_known_sets(size_t *count);

/* The command that brings a set: with what is installed beside this program, or from a checkout. */
const char *catalog_how_to_get(const struct catalog_known *known);

/* A set that is to be found. */
struct catalog_sought {
    const char *name;
    const char *named_path;            /* what --data says, or "" */
    const struct catalog_known *known; /* or NULL */
};

/* Where it is, into `path`; false, and "", when it is nowhere. What --data names is taken or nothing is: another
 * copy would be a surprise. */
bool catalog_locate(const struct catalog_sought *sought, char path[CATALOG_PATH_MAX]);

/* A number that tells the files at `path` as they are now from what they were and will be: of their names, sizes
 * and times. 0: there is nothing. */
uint64_t catalog_stamp(const char *path);

#endif
