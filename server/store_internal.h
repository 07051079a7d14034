/* store_internal.h - what the store's own files share; nobody else includes it, but its tests.
 *
 *     store.c          the folder, its lock, open and close, and what is written at once
 *     store_schema.c   the database file: pragmas, tables, migrations, damage
 *     store_rows.c     a run, a point, an epoch as rows: binding and reading
 *     store_writer.c   the queue and the thread that writes
 *     store_reader.c   reading, each call with a connection of its own */
#ifndef STORE_INTERNAL_H
#define STORE_INTERNAL_H

#include <pthread.h>
#include <sqlite3.h>

#include "store.h"

enum { STORE_READERS_MAX = 8, STORE_PATH_MAX = 1100 };

/* Statements that the writer keeps prepared. */
enum store_statement {
    STORE_BEGIN,
    STORE_COMMIT,
    STORE_ROLLBACK,
    STORE_TRY,
    STORE_INSERT_RUN,
    STORE_UPDATE_RUN,
    STORE_DELETE_RUN,
    STORE_PUT_POINT,
    STORE_PUT_EPOCH,
    STORE_PUT_EPOCH_LAYER,
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
    struct ff_layer_figures figures;
};

/* Something that is done on the writer's connection within its transaction, while the caller waits. FF_OK, or
 * FF_NOT_FOUND, which harms nobody else; any other status takes the transaction back. */
typedef ff_status store_task(struct store_database *database, void *self, struct ff_error *error);

enum store_item_kind { STORE_POINTS, STORE_EPOCH, STORE_TASK };

struct store_item {
    struct store_item *next;
    enum store_item_kind kind;
    int64_t run;
    uint64_t event;
    struct ff_epoch *epoch; /* STORE_EPOCH: owned */
    store_task *task;       /* STORE_TASK: the item is the waiting caller's */
    void *self;
    ff_status status;
    struct ff_error *error;
    bool done;
    size_t points, row_count; /* STORE_POINTS */
    struct store_row row[];
};

struct store_list {
    struct store_item *first, **end;
};

struct store {
    char folder[1024];
    char path[STORE_PATH_MAX]; /* of goodness.db */
    int lock;                  /* descriptor of the lock file, held while open */
    uint64_t first_event;
    struct store_database database;
    pthread_t writer;

    pthread_mutex_t mutex; /* guards all below; never held during I/O */
    pthread_cond_t queued; /* for the writer: something came, or closing */
    pthread_cond_t done;   /* for callers: a task is done */
    struct store_list queue;
    size_t queued_rows, queued_epochs, queued_tasks;
    int64_t oldest; /* when the oldest of the queue came: monotonic milliseconds */
    bool closing;
    uint64_t lost_points, lost_epochs; /* given up since all was well */
    char failure[384];                 /* why the last attempt failed; "" when it did not */
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

/* store_rows.c */

extern const char store_run_columns[]; /* of a SELECT that store_read_run reads */
ff_status store_put_run(struct store_database *database, struct run *run, struct ff_error *error);
ff_status store_replace_run(struct store_database *database, const struct run *run, struct ff_error *error);
ff_status store_put_points(struct store_database *database, const struct store_item *item, struct ff_error *error);
ff_status store_put_epoch(struct store_database *database, const struct store_item *item, struct ff_error *error);
/* The row that `statement` stands on, with its newest and best epoch from `connection`. */
ff_status store_read_run(sqlite3 *connection, const char *path, sqlite3_stmt *statement, struct run *run,
                         struct ff_error *error);
/* A point's row: step, epoch, elapsed, event, layer, figures; returns the layer. */
uint32_t store_read_point_row(sqlite3_stmt *statement, struct ff_point *point, uint64_t *event);
/* An epoch's row: columns of store_epoch_columns. */
extern const char store_epoch_columns[];
void store_read_epoch_row(sqlite3_stmt *statement, struct ff_epoch *epoch, uint64_t *event);
/* Its layers, from the other table. */
ff_status store_read_epoch_layers(sqlite3 *connection, const char *path, int64_t run, struct ff_epoch *epoch,
                                  struct ff_error *error);

/* store_writer.c */

ff_status store_writer_start(struct store *store, struct ff_error *error);
void store_writer_stop(struct store *store);
/* Queue `task`, and wait until it is committed, or has failed. */
ff_status store_do(struct store *store, store_task *task, void *self, struct ff_error *error);
void store_list_init(struct store_list *list);

#endif
