/* store_internal.h - what the store's own files share; nobody else includes it, but its tests.
 *
 *     store.c          the folder, its lock, open and close, and what is written at once
 *     store_schema.c   the database file: pragmas, tables, migrations, damage
 *     store_runs.c     a run as a row: binding and reading
 *     store_series.c   points and epochs as rows
 *     store_histograms.c  histograms as rows, and reading them
 *     store_confusion.c   what evaluations found, the same
 *     store_columns.h  what those who know the tables bind and read with
 *     store_queue.c    what waits to be written
 *     store_writer.c   the thread that writes it
 *     store_removal.c  deleting runs: marked first, then slice by slice; and the reserve that makes it possible on
 *                      a full disk
 *     store_checkpoints.c  the folder of checkpoints, and their rows
 *     store_again.c    going on with a run: live settings, and what is taken back
 *     store_reader.c   reading, each call with a connection of its own */
#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

#include "store.h"

enum { STORE_READERS_MAX = 8, STORE_PATH_MAX = 1100, STORE_VERSIONS = 257 };

/* Statements that the writer keeps prepared. */
enum store_statement {
    STORE_BEGIN,
    STORE_COMMIT,
    STORE_ROLLBACK,
    STORE_TRY,
    STORE_INSERT_RUN,
    STORE_UPDATE_RUN,
    STORE_PUT_POINT,
    STORE_PUT_EPOCH,
    STORE_PUT_EPOCH_LAYER,
    STORE_PUT_HISTOGRAM,
    STORE_PUT_EVALUATION,
    STORE_DROP_EVALUATIONS,
    STORE_PUT_CHECKPOINT,
    STORE_STATEMENTS
};

/* The write connection: of the writer thread alone, once it runs. */
struct store_database {
    sqlite3 *connection;
    const char *path;
    sqlite3_stmt *statement[STORE_STATEMENTS];
};

/* One row of the table of points. */
struct store_row {
    uint64_t step;
    double epoch, elapsed;
    uint32_t layer;
    uint32_t later; /* events after the item's */
    struct ff_layer_figures figures;
};

/* What an evaluation found, as it is written. */
struct store_confusion {
    struct confusion about; /* but for its cells and mistakes */
    char *cells, *mistakes;
    size_t bytes; /* of these */
};

/* Something that is done on the writer's connection within its transaction, while the caller waits. FF_OK, or
 * FF_NOT_FOUND, which harms nobody else; any other status takes the transaction back. */
typedef ff_status store_task(struct store_database *database, void *self, struct ff_error *error);

/* A removal is no part of the transaction of those queued with it: it makes its own. Nor is a checkpoint, which
 * comes after all that was queued before it. */
enum store_item_kind {
    STORE_POINTS,
    STORE_HISTOGRAMS,
    STORE_CONFUSION,
    STORE_EPOCH,
    STORE_TASK,
    STORE_REMOVAL,
    STORE_CHECKPOINT
};

struct store_item {
    struct store_item *next;
    enum store_item_kind kind;
    int64_t run;
    uint64_t event;
    struct ff_epoch *epoch;             /* STORE_EPOCH: owned */
    struct histograms *histograms;      /* STORE_HISTOGRAMS: owned, with as many layers as it has */
    struct store_confusion *confusion;  /* STORE_CONFUSION: owned */
    struct store_checkpoint checkpoint; /* STORE_CHECKPOINT: its file is owned */
    store_task *task;                   /* STORE_TASK; it and a removal are the waiting caller's */
    void *self;
    ff_status status;
    struct ff_error *error;
    bool done;
    size_t row_count; /* STORE_POINTS: of the rows that follow; of other figures, as many as they are worth */
    size_t room;      /* STORE_POINTS: for rows */
    struct store_row row[];
};

struct store_list {
    struct store_item *first, *last, **end;
};

struct store {
    char folder[1024];
    char path[STORE_PATH_MAX]; /* of goodness.db */
    int lock;                  /* descriptor of the lock file, held while open */
    uint64_t first_event;
    atomic_uint_fast64_t versions[STORE_VERSIONS]; /* 0: of all; then of the runs, by number, some sharing one */
    struct store_database database;
    pthread_t writer;
    bool reserve_held;     /* of whoever has the write connection, as the next */
    int64_t reserve_tried; /* when it was last tried to make it: timing_now; 0: not yet */

    pthread_mutex_t mutex; /* guards all below; never held during I/O */
    pthread_cond_t queued; /* for the writer: something came, or closing */
    pthread_cond_t done;   /* for callers: a task is done */
    struct store_list queue;
    size_t queued_rows, queued_epochs, queued_tasks;
    size_t held_rows, held_epochs; /* the same in memory, with what is just being written */
    size_t most_rows;              /* held since there were none */
    int64_t oldest;                /* when the oldest of the queue came: monotonic milliseconds */
    bool closing;
    bool removing;                             /* something of runs that were removed may be left */
    uint64_t lost_points, lost_epochs;         /* given up since all was well */
    char failure[384];                         /* why the last attempt failed; "" when it did not */
    uint64_t troubles;                         /* how often that began, or the giving up */
    uint64_t given_up_points, given_up_epochs; /* since the start */
    struct {
        bool failing, losing;
        uint64_t points, epochs;
    } told; /* what the log was told last */
    sqlite3 *readers[STORE_READERS_MAX];
    size_t idle_readers;
};

/* store_schema.c */

/* Open, check, migrate; runs that a former daemon left become interrupted; the start is counted. */
ff_status store_database_open(struct store_database *database, const char *path, uint64_t *starts,
                              struct ff_error *error);
void store_database_close(struct store_database *database);
/* The sentence for what SQLite just refused on `connection`. */
ff_status store_fail(struct ff_error *error, sqlite3 *connection, const char *path);
/* One of the kept statements, reset and ready to be bound. NULL and `error`. */
sqlite3_stmt *store_statement(struct store_database *database, enum store_statement which, struct ff_error *error);
/* Step a statement that gives no rows, and reset it. */
ff_status store_run_statement(struct store_database *database, sqlite3_stmt *statement, struct ff_error *error);
/* The same for one of the kept statements that has no parameters. */
ff_status store_run_kept(struct store_database *database, enum store_statement which, struct ff_error *error);
/* `task` in a transaction of its own; whatever it returns but FF_OK takes it back. */
ff_status store_transact(struct store_database *database, store_task *task, void *self, struct ff_error *error);
/* Prepare `sql` with these parameters, [count]; finalize it, whatever comes back. */
ff_status store_prepare(sqlite3 *connection, const char *path, const char *sql, const int64_t *numbers, int count,
                        sqlite3_stmt **statement, struct ff_error *error);
/* Do `sql`, which has one parameter and gives no rows. */
ff_status store_change_rows(struct store_database *database, const char *sql, int64_t number,
                            struct ff_error *error);
/* Whether `statement` has one row more. *status is left as it is then, and at the end; nothing is done where it is
 * not FF_OK, and it tells when the row could not be read. */
bool store_next_row(sqlite3_stmt *statement, const char *path, ff_status *status, struct ff_error *error);
/* A number without end (UINT64_MAX) is the largest that SQLite has. */
int64_t store_parameter(uint64_t value);

/* store_runs.c */

extern const char store_run_columns[]; /* of a SELECT that store_read_run reads */
ff_status store_put_run(struct store_database *database, struct run *run, struct ff_error *error);
ff_status store_replace_run(struct store_database *database, const struct run *run, struct ff_error *error);
/* The row that `statement` stands on, with its newest and best epoch from `connection`. */
ff_status store_read_run(sqlite3 *connection, const char *path, sqlite3_stmt *statement, struct run *run,
                         struct ff_error *error);

/* store_checkpoints.c */

/* Make the folder, if it is not there; sweep it: what was left over, what belongs to no run; and rows that are
 * older than their files become true. Before the writer runs. */
ff_status store_checkpoints_open(struct store *store, struct ff_error *error);
/* Bring the file to its place, then its row; tell. `before`: all that was queued before it is committed; else the
 * error that kept it. By the writer, outside of a transaction. */
void store_commit_checkpoint(struct store *store, struct store_item *item, const struct ff_error *before);
/* The files of a run that was deleted. */
void store_remove_checkpoint(struct store *store, int64_t run);

/* store_again.c */

/* The live settings that were turned, in their order, after those of `run->config`: `reader` gets each. `before`:
 * only those up to this step. */
typedef bool store_change_reader(void *self, uint64_t step, const struct ff_config *config);
ff_status store_walk_changes(sqlite3 *connection, const char *path, const struct run *run, uint64_t until,
                             store_change_reader *reader, void *self, struct ff_error *error);
/* What a run that waits is to begin with, over `config`; *any: whether there is anything. */
ff_status store_read_resumption(sqlite3 *connection, const char *path, int64_t run, struct ff_config *config,
                                bool *any, struct ff_error *error);

/* store_reader.c: a connection to read with, to be given back. NULL and `error`. */
sqlite3 *store_take_reader(struct store *store, struct ff_error *error);
void store_give_back_reader(struct store *store, sqlite3 *reader);

/* store_series.c */

ff_status store_put_points(struct store_database *database, const struct store_item *item, struct ff_error *error);
ff_status store_put_epoch(struct store_database *database, const struct store_item *item, struct ff_error *error);
/* A point's row: step, epoch, elapsed, event, layer, figures; returns the layer. */
uint32_t store_read_point_row(sqlite3_stmt *statement, struct ff_point *point, uint64_t *event);
/* An epoch's row: columns of store_epoch_columns. */
extern const char store_epoch_columns[];
void store_read_epoch_row(sqlite3_stmt *statement, struct ff_epoch *epoch, uint64_t *event);
/* Its layers, from the other table. */
ff_status store_read_epoch_layers(sqlite3 *connection, const char *path, int64_t run, struct ff_epoch *epoch,
                                  struct ff_error *error);

/* store_histograms.c */

ff_status store_put_histograms(struct store_database *database, const struct store_item *item,
                               struct ff_error *error);

/* store_confusion.c */

/* NULL when memory is short. */
struct store_confusion *store_keep_confusion(const struct confusion *confusion);
void store_free_confusion(struct store_confusion *kept); /* NULL is fine */
/* Write it, and drop those that nobody will see again: those older than the newest that the run's checkpoint
 * has, where the run may go back to. */
ff_status store_put_confusion(struct store_database *database, const struct store_item *item,
                              struct ff_error *error);

/* store_removal.c */

/* Set it aside, as much of it as there is room for; nothing when it is there, or was tried a moment ago. */
void store_reserve_make(struct store *store);
/* Give its room free; false when there was none. */
bool store_reserve_give_up(struct store *store);
/* The removals among these items: each run is marked, in a transaction of its own, and gone with that for whoever
 * reads. By the writer. */
void store_write_removals(struct store *store, struct store_item *items);
/* A small transaction of what is left of such runs, or (`all`) one after the other to the end. By the writer.
 * *left: there may be more. */
ff_status store_remove_rest(struct store *store, bool all, bool *left, struct ff_error *error);

/* store_queue.c; all with the mutex, but for the last three */

enum { STORE_SOON_ROWS = 8192 }; /* so many are written at once, fewer in a while */
/* Points, histograms, what an evaluation found: given up first where the disk is full. */
bool store_is_series(const struct store_item *item);
void store_free_item(struct store *store, struct store_item *item);
void store_list_init(struct store_list *list);
void store_list_push(struct store_list *list, struct store_item *item);
/* All of `more` behind `list`; `more` is empty then. */
void store_list_join(struct store_list *list, struct store_list *more);
/* It is in the queue (again). And all of the queue, which is empty then. */
void store_count_item(struct store *store, const struct store_item *item);
struct store_item *store_take_queue(struct store *store);
/* Before something is set that store_trouble tells. */
void store_note_trouble(struct store *store);
/* Mark a run as removed, and wait for that. */
ff_status store_remove(struct store *store, int64_t run, struct ff_error *error);
/* Queue `task`, and wait until it is committed, or has failed. */
ff_status store_do(struct store *store, store_task *task, void *self, struct ff_error *error);
/* For tests: wait until nothing is left of runs that were removed. */
void store_wait_for_removals(struct store *store);

/* store_writer.c */

ff_status store_writer_start(struct store *store, struct ff_error *error);
void store_writer_stop(struct store *store);
/* Something of the run is committed that was not before (store_version). */
void store_touch(struct store *store, int64_t run);

#endif
