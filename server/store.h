/* store.h - SQLite: runs, points, epochs, live settings that were turned; and the files of checkpoints. The only
 * source of history.
 *
 * One file, goodness.db, in the state folder. WAL, synchronous=FULL, schema version in user_version. A writer
 * thread owns the write connection and takes a bounded queue, many rows a transaction; readers (any thread) have
 * their own connections. A folder that another daemon holds (flock) is refused with who holds it. A full disk:
 * points are given up before epochs, a warning is kept (store_trouble), and writing is tried again; a run can
 * always be deleted, for which a file in the folder, goodness.reserve, keeps some megabytes. */
#ifndef STORE_H
#define STORE_H

#include "confusion.h"
#include "error.h"
#include "files.h"
#include "histograms.h"
#include "run.h"

struct store;

/* What its database is known by, in the file's own fields. */
enum { STORE_APPLICATION_ID = 0x476F6F64 /* "Good" */, STORE_SCHEMA_VERSION = 5 /* the newest */ };

/* Open or make the state folder's database (parents are made, mode 0700). NULL and `error` set: a sentence that
 * says what to do for a folder that cannot be written, one that another daemon holds, a damaged file, a newer
 * schema. Runs found running or paused become interrupted; those found queued had not begun, and stay so. */
struct store *store_open(const char *folder, struct ff_error *error);
void store_close(struct store *store); /* writes what is queued, then closes; NULL is fine */
/* The process that holds the folder, which has written its number into the file of the lock; 0: nobody knows. */
long store_holder(int lock);

/* How often since the start something began to stand in the way of writing: who looks now and then sees by it what
 * has been in between. It is said in the log, too, when that begins and ends. */
uint64_t store_troubles(struct store *store);
void store_tell_log(struct store *store); /* what began or ended since it was told last; whenever one likes */

/* What stands in the way of writing now ("disk is full: …"), copied into `sentence`; false when all is well. */
bool store_trouble(struct store *store, char *sentence, size_t size);

/* What waits to be written, and what was given up since all was well. */
struct store_backlog {
    size_t rows, epochs; /* a point has a row for each layer */
    uint64_t lost_points;
};
void store_look(struct store *store, struct store_backlog *backlog);

/* A count of what was committed of a run (0: of any): as long as it is the same, so is what is read of it. It rises
 * before the call that wrote returns. Takes no lock. */
uint64_t store_version(struct store *store, int64_t run);

/* Written and committed before they return. */
/* Gives run->id, and a name ("DATASET PRESET ID") to a run that has none. */
ff_status store_insert_run(struct store *store, struct run *run, struct ff_error *error);
ff_status store_update_run(struct store *store, const struct run *run, struct ff_error *error);
/* It is gone for everybody at once, with its checkpoint, on a full disk as well; its many rows go bit by bit after,
 * and, should the program end before, after the next start. */
ff_status store_delete_run(struct store *store, int64_t id, struct ff_error *error);

/* Queued; committed within a second. `event` is the number of the event that carried it (hub.h), kept for replay.
 * Neither waits. Points are dropped, and counted in store_trouble's sentence, when the queue is full (64 MB, a
 * million rows, one a layer); epochs are kept until they can be written (some 16,000 of them). */
void store_append_points(struct store *store, int64_t run, uint64_t event, const struct ff_point *points,
                         size_t count);
void store_append_epoch(struct store *store, int64_t run, uint64_t event, const struct ff_epoch *epoch);
/* The same for an epoch's histograms, so far or whole; on a full disk they are given up as points are. */
void store_append_histograms(struct store *store, int64_t run, const struct ff_histograms *histograms);
/* The same for what an evaluation found. */
void store_append_confusion(struct store *store, int64_t run, const struct confusion *confusion);
/* Returns when all that was queued before is committed, or could not be (store_trouble). */
void store_flush(struct store *store);

/* Checkpoints: STATE/checkpoints/RUN.safetensors, one a run. The file is the authority of where a run stands; its
 * row is what lists show. Beside it RUN.best.safetensors, the checkpoint that was the newest at the end of the
 * run's best epoch: another name of the same file, until a newer one takes the first name. It is never ahead of the
 * newest. */
enum { STORE_CHECKPOINT_PATH_MAX = 1200 };
void store_checkpoint_path(const struct store *store, int64_t run, char path[STORE_CHECKPOINT_PATH_MAX]);
void store_best_path(const struct store *store, int64_t run, char path[STORE_CHECKPOINT_PATH_MAX]);

struct store_checkpoint {
    int64_t run;
    uint64_t step;
    uint32_t epochs;         /* closed */
    bool best;               /* of the end of the best epoch so far */
    struct ff_durable *file; /* of the run's path */
    /* Called once, on the writer's thread, without a lock: `kept`, or NULL and the error; or `kept`, and an error
     * that is not FF_OK: it is the newest, but could not be kept as the best. */
    void (*tell)(void *self, int64_t run, const struct run_checkpoint *kept, const struct ff_error *error);
    void *self;
};
/* Queued, and committed at once after all that was queued before, so that below a checkpoint nothing is missing.
 * Where that could not be written, neither is the checkpoint. Takes the file over. Does not wait. */
void store_add_checkpoint(struct store *store, const struct store_checkpoint *checkpoint);
/* The run's checkpoint is damaged: kept aside as RUN.safetensors.damaged, and forgotten; the best one goes with the
 * history that goes. */
ff_status store_set_checkpoint_aside(struct store *store, int64_t run, struct ff_error *error);

/* Live settings. Written and committed before they return. */
ff_status store_add_change(struct store *store, int64_t run, uint64_t event, const struct ff_change *change,
                           struct ff_error *error);
/* Those with which a run that stands at `step` goes on, by step, settings included that store_queue_again was
 * given. *changes is the caller's to free. */
ff_status store_read_changes(struct store *store, const struct run *run, uint64_t step, struct ff_change **changes,
                             size_t *count, struct ff_error *error);
/* The run's row as it waits for its turn again; `live`, which may be NULL: the settings to go on with, which take
 * the place of all that were turned after the step where it will stand. */
ff_status store_queue_again(struct store *store, const struct run *run, const cJSON *live, struct ff_error *error);
/* The run's row as it begins, after so many steps and closed epochs: whatever is beyond them is deleted in the same
 * transaction, so that nothing appears twice. `event`: the number of the newest event; 0 when it begins for the
 * first time, else it is kept that the run went back (store_read_rewinds). */
ff_status store_begin_again(struct store *store, const struct run *run, uint64_t step, uint32_t epochs,
                            uint64_t event, struct ff_error *error);
/* For each run (0: all) that went back when `from` or a later event, but one below `until`, was the newest: the
 * lowest step it went back to. Who has seen nothing later has to forget what lies beyond. */
typedef void store_rewind_reader(void *self, int64_t run, uint64_t step);
void store_read_rewinds(struct store *store, int64_t run, uint64_t from, uint64_t until,
                        store_rewind_reader *reader, void *self);

/* Reading: what is committed. FF_NOT_FOUND where there is no such run. A run's `last` and `best` are its rows'. */
ff_status store_get_run(struct store *store, int64_t id, struct run *run, struct ff_error *error);
int64_t store_latest_run(struct store *store);                           /* 0 when there are none */
bool store_count_runs(struct store *store, uint64_t counts[RUN_STATES]); /* by state; false: cannot be read */

/* A run that is in another state than its row may say yet. */
struct store_live_run {
    int64_t id;
    enum run_state state;
};

struct store_run_filter {
    int state;                         /* enum run_state, or -1 */
    const struct store_live_run *live; /* [live_count] whose state counts, not their rows' */
    size_t live_count;
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
/* The histograms of an epoch, 0: of the newest that has any. Their `epoch` is 0 when there are none. */
ff_status store_read_histograms(struct store *store, int64_t run, uint32_t epoch, struct histograms *histograms,
                                struct ff_error *error);
/* What the newest evaluation found; its `epoch` is 0 when there was none. To be freed, whatever comes back. */
ff_status store_read_confusion(struct store *store, int64_t run, struct confusion *confusion,
                               struct ff_error *error);
/* Called for every epoch that has histograms, in order. */
typedef void store_number_reader(void *self, uint64_t number);
ff_status store_read_histogram_epochs(struct store *store, int64_t run, store_number_reader *reader, void *self,
                                      struct ff_error *error);
/* The newest of a run's points and epochs among those of events below `before`: what a former daemon is known to
 * have told, when that is store_first_event. Run 0: of the run that the end of a program cut off last. FF_NOT_FOUND
 * when there is no such run. */
struct store_newest {
    int64_t run;
    uint64_t event, step; /* 0: none */
};
ff_status store_find_newest(struct store *store, int64_t run, uint64_t before, struct store_newest *newest,
                            struct ff_error *error);
/* Those after the one step, and before the other. */
ff_status store_count_points_between(struct store *store, int64_t run, uint64_t after_step, uint64_t before_step,
                                     uint64_t *count, struct ff_error *error);

/* A number that was never returned before, over restarts too: the first of the event numbers of this daemon. It
 * leaves room for 2^32 events before the next start's. */
uint64_t store_first_event(const struct store *store);

#endif
