/* catalog_internal.h - what the catalog's own files share.
 *
 *     catalog.c         the list, and sets in memory, read while the caller waits
 *     catalog_ask.c     those who do not wait, and the thread that reads for them
 *     catalog_places.c  where sets are looked for */
#ifndef CATALOG_INTERNAL_H
#define CATALOG_INTERNAL_H

#include <pthread.h>

#include "catalog_places.h"

enum { CATALOG_ITEMS_MAX = 64 };

/* What the last reading came to. */
struct catalog_reading {
    uint64_t stamp;        /* of the files that were read; 0: none yet */
    int64_t when;          /* timing_now */
    struct ff_error error; /* its status is FF_OK when all was well */
};

struct catalog_item {
    char name[FF_DATASET_NAME_MAX];
    char named_path[CATALOG_PATH_MAX]; /* what --data says, or "" */
    const struct catalog_known *known; /* or NULL */
    /* Guarded by the catalog's lock: */
    struct ff_dataset *dataset; /* in memory, or NULL */
    unsigned users;
    unsigned waiting;      /* threads that wait for it in catalog_acquire */
    bool asked, unchecked; /* to be read by the catalog's thread: for somebody; only to know whether it can be */
    bool loading;
    struct catalog_reading reading;
};

/* Somebody who asked and is to be told. */
struct catalog_asker {
    struct catalog_asker *next;
    struct catalog_item *item; /* NULL: of all that is to be read */
    catalog_tell *tell;
    void *self;
};

struct catalog {
    struct catalog_item items[CATALOG_ITEMS_MAX]; /* known ones first; not added to once threads use the catalog */
    size_t count;
    pthread_mutex_t lock;      /* guards the items' lower part, and the rest */
    pthread_cond_t changed;    /* a reading has ended, something is to be read, or it closes */
    struct catalog_item *last; /* the set that was acquired last: kept in memory when nobody uses it */
    struct catalog_asker *askers;
    pthread_t reader;
    bool reader_runs, closing;
};

struct catalog_item *catalog_find_item(struct catalog *catalog, const char *name); /* NULL: no such set */
bool catalog_locate_item(const struct catalog_item *item, char path[CATALOG_PATH_MAX]);
void catalog_fail_unknown(const struct catalog *catalog, const char *name, struct ff_error *error);
void catalog_fail_absent(const struct catalog_item *item, struct ff_error *error);

/* With the lock, which is let go of meanwhile: read the item, which nobody reads now, and tell those who asked for
 * it. It stays in memory when somebody wants it. */
void catalog_read_item(struct catalog *catalog, struct catalog_item *item);
/* With the lock: one user more. The sets that nobody uses any more into `unused`, to be destroyed without it;
 * returns how many. */
size_t catalog_use_item(struct catalog *catalog, struct catalog_item *item,
                        struct ff_dataset *unused[CATALOG_ITEMS_MAX]);
void catalog_destroy_all(struct ff_dataset *const *datasets, size_t count);

/* catalog_ask.c */

/* Tell these, and free them. Without the lock. */
void catalog_tell_askers(struct catalog_asker *askers);
/* End the thread, if it runs, after what it reads just now; whoever still waits is told. */
void catalog_stop_reader(struct catalog *catalog);

#endif
