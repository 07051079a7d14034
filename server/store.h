/* store.h - SQLite: runs, points, epochs. The only source of history.
 *
 * One file, goodness.db, in the state folder. WAL, synchronous=FULL, schema version in user_version. A writer
 * thread owns the write connection and takes a bounded queue, many rows a transaction; readers (any thread) have
 * their own connections. A folder that another daemon holds (flock) is refused with who holds it. A full disk:
 * points are given up before epochs, a warning is kept (store_trouble), and writing is tried again. */
#ifndef STORE_H
#define STORE_H

#include "error.h"
#include "run.h"

struct store;

/* Open or make the state folder's database (parents are made, mode 0700). NULL and `error` set: a sentence that
 * says what to do for a folder that cannot be written, one that another daemon holds, a damaged file, a newer
 * schema. Runs found queued, running or paused become interrupted. */
struct store *store_open(const char *folder, struct ff_error *error);
void store_close(struct store *store); /* writes what is queued, then closes; NULL is fine */

/* What stands in the way of writing now ("disk is full: …"), copied into `sentence`; false when all is well. */
bool store_trouble(struct store *store, char *sentence, size_t size);

/* Written and committed before they return. */
/* Gives run->id, and a name ("DATASET PRESET ID") to a run that has none. */
ff_status store_insert_run(struct store *store, struct run *run, struct ff_error *error);
ff_status store_update_run(struct store *store, const struct run *run, struct ff_error *error);
ff_status store_delete_run(struct store *store, int64_t id, struct ff_error *error); /* points and epochs too */

/* Queued; committed within a second. `event` is the number of the event that carried it (hub.h), kept for replay.
 * Neither waits. Points are dropped, and counted in store_trouble's sentence, when the queue is full; epochs are
 * kept until they can be written (some 16,000 of them). */
void store_append_points(struct store *store, int64_t run, uint64_t event, const struct ff_point *points,
                         size_t count);
void store_append_epoch(struct store *store, int64_t run, uint64_t event, const struct ff_epoch *epoch);
/* Returns when all that was queued before is committed, or could not be (store_trouble). */
void store_flush(struct store *store);

/* Reading: what is committed. FF_NOT_FOUND where there is no such run. A run's `last` and `best` are its rows'. */
ff_status store_get_run(struct store *store, int64_t id, struct run *run, struct ff_error *error);
int64_t store_latest_run(struct store *store); /* 0 when there are none */

struct store_run_filter {
    int state;       /* enum run_state, or -1 */
    const char *tag; /* or NULL */
    int64_t before;  /* only ids below; 0: all */
    uint32_t limit;  /* 0: all */
};
/* Newest first. *runs is the caller's to free. *next: the id to give as `before` for the next page, 0 at the end.
 */
ff_status store_list_runs(struct store *store, const struct store_run_filter *filter, struct run **runs,
                          size_t *count, int64_t *next, struct ff_error *error);

/* Called for every point in order of step, after the step `after` / the event `after_event`; return false to stop.
 */
typedef bool store_point_reader(void *self, const struct ff_point *point, uint64_t event);
typedef bool store_epoch_reader(void *self, const struct ff_epoch *epoch, uint64_t event);
ff_status store_read_points(struct store *store, int64_t run, uint64_t after_step, uint64_t after_event,
                            store_point_reader *reader, void *self, struct ff_error *error);
ff_status store_read_epochs(struct store *store, int64_t run, uint32_t after_epoch, uint64_t after_event,
                            store_epoch_reader *reader, void *self, struct ff_error *error);
uint64_t store_count_points(struct store *store, int64_t run, uint64_t after_step);

/* A number that was never returned before, over restarts too: the first of the event numbers of this daemon. It
 * leaves room for 2^32 events before the next start's. */
uint64_t store_first_event(const struct store *store);

#endif
