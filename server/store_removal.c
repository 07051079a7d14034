#include "store_internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "timing.h"

/* The reserve. A slice of a run that is being deleted needs some 1.5 MB of the log, twice that when it is not yet
 * emptied. Less is better than nothing: what a full disk still has is taken. */
enum { RESERVE_MOST = 4 << 20, RESERVE_LEAST = 256 << 10, AGAIN_MILLISECONDS = 1000 };

static void reserve_path(const struct store *store, char path[STORE_PATH_MAX])
{
    snprintf(path, STORE_PATH_MAX, "%s/goodness.reserve", store->folder);
}

/* A file of so many bytes that the disk has really set aside. */
static bool set_aside(const char *path, off_t bytes)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool good = file >= 0 && posix_fallocate(file, 0, bytes) == 0;

    if (file >= 0)
        close(file);
    if (!good)
        unlink(path);
    return good;
}

void store_reserve_make(struct store *store)
{
    char path[STORE_PATH_MAX];
    int64_t now = timing_now();

    if (store->reserve_held || (store->reserve_tried > 0 && now < store->reserve_tried + AGAIN_MILLISECONDS))
        return;
    store->reserve_tried = now;
    reserve_path(store, path);
    for (off_t bytes = RESERVE_MOST; !store->reserve_held && bytes >= RESERVE_LEAST; bytes /= 2)
        store->reserve_held = set_aside(path, bytes);
}

bool store_reserve_give_up(struct store *store)
{
    char path[STORE_PATH_MAX];

    reserve_path(store, path);
    store->reserve_held = false;
    store->reserve_tried = timing_now();
    return unlink(path) == 0;
}

/* Removals. SQLite writes every page that becomes free into its log first, which would take as much room as the
 * run has; so it is marked, which is little, and what belongs to it goes in slices, each committed, the log emptied
 * after each. */

static ff_status mark(struct store_database *database, void *self, struct ff_error *error)
{
    const int64_t *run = self;
    ff_status status = store_change_rows(
        database, "INSERT INTO removals(run) SELECT id FROM kept_runs WHERE id = ?1", *run, error);

    if (status == FF_OK && sqlite3_changes(database->connection) == 0)
        status = ff_fail(error, FF_NOT_FOUND, "there is no run %lld", (long long)*run);
    return status;
}

/* On a full disk the reserve makes room for it. */
static ff_status transact(struct store *store, store_task *task, int64_t *run, struct ff_error *error)
{
    ff_status status = store_transact(&store->database, task, run, error);

    if (status == FF_IO && store_reserve_give_up(store))
        status = store_transact(&store->database, task, run, error);
    return status;
}

void store_write_removals(struct store *store, struct store_item *items)
{
    for (struct store_item *item = items; item != NULL; item = item->next)
        if (item->kind == STORE_REMOVAL)
            item->status = transact(store, mark, &item->run, item->error);
}

/* Some rows of a table whose key goes on with `column`, in its order. */
#define SLICE(table, column, rows)                                                                                 \
    "DELETE FROM " table " WHERE run = ?1 AND " column " <= coalesce((SELECT " column " FROM " table               \
    " WHERE run = ?1 ORDER BY " column " LIMIT 1 OFFSET " rows "), 9223372036854775807)"

/* The first of the tables that has any left; then the run, with what is little. */
static ff_status delete_slice(struct store_database *database, void *self, struct ff_error *error)
{
    static const char *const slices[] = {
        SLICE("points", "step", "10000"),       SLICE("histograms", "epoch", "500"),
        SLICE("epoch_layers", "epoch", "5000"), SLICE("epochs", "epoch", "5000"),
        SLICE("evaluations", "epoch", "50"),    "DELETE FROM runs WHERE id = ?1"};
    const int64_t *run = self;
    ff_status status = FF_OK;
    int changes = 0;

    for (size_t i = 0; status == FF_OK && changes == 0 && i < sizeof slices / sizeof slices[0]; i++) {
        status = store_change_rows(database, slices[i], *run, error);
        changes = sqlite3_changes(database->connection);
    }
    return status;
}

/* *run: the oldest that is not gone yet; 0: none. */
static ff_status find_removal(struct store_database *database, int64_t *run, struct ff_error *error)
{
    sqlite3_stmt *statement = NULL;
    ff_status status = store_prepare(database->connection, database->path, "SELECT min(run) FROM removals", NULL, 0,
                                     &statement, error);

    *run = 0;
    if (store_next_row(statement, database->path, &status, error))
        *run = sqlite3_column_int64(statement, 0); /* NULL is 0 */
    sqlite3_finalize(statement);
    return status;
}

ff_status store_remove_rest(struct store *store, bool all, bool *left, struct ff_error *error)
{
    ff_status status;
    int64_t run;

    do {
        status = find_removal(&store->database, &run, error);
        if (status == FF_OK && run > 0)
            status = transact(store, delete_slice, &run, error);
        *left = run > 0;
        if (status != FF_OK || run == 0)
            return status;
        sqlite3_wal_checkpoint_v2(store->database.connection, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    } while (all);
    return FF_OK;
}
