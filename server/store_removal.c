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
 * run has; so points and histograms go in slices, each committed, and the log is emptied after each. A run that is
 * killed in the middle of that has lost some points and is deleted by the next attempt. */

/* *changes: how many rows went. */
static ff_status delete_rows(struct store_database *database, enum store_statement which, int64_t run, int *changes,
                             struct ff_error *error)
{
    struct ff_error ignored;
    sqlite3_stmt *statement = NULL;
    ff_status status = store_run_kept(database, STORE_BEGIN, error);

    *changes = 0;
    if (status == FF_OK && (statement = store_statement(database, which, error)) == NULL)
        status = error->status;
    if (status == FF_OK) {
        sqlite3_bind_int64(statement, 1, run);
        status = store_run_statement(database, statement, error);
        *changes = sqlite3_changes(database->connection);
    }
    if (status == FF_OK)
        status = store_run_kept(database, STORE_COMMIT, error);
    if (status != FF_OK && !sqlite3_get_autocommit(database->connection))
        store_run_kept(database, STORE_ROLLBACK, &ignored);
    if (status == FF_OK)
        sqlite3_wal_checkpoint_v2(database->connection, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    return status;
}

static ff_status remove_run(struct store_database *database, int64_t run, struct ff_error *error)
{
    ff_status status;
    int changes;

    do
        status = delete_rows(database, STORE_DELETE_SLICE, run, &changes, error);
    while (status == FF_OK && changes > 0);
    do
        status = status == FF_OK ? delete_rows(database, STORE_DELETE_HISTOGRAMS, run, &changes, error) : status;
    while (status == FF_OK && changes > 0);
    if (status == FF_OK)
        status = delete_rows(database, STORE_DELETE_RUN, run, &changes, error);
    if (status == FF_OK && changes == 0)
        status = ff_fail(error, FF_NOT_FOUND, "there is no run %lld", (long long)run);
    return status;
}

void store_write_removals(struct store *store, struct store_item *items)
{
    for (struct store_item *item = items; item != NULL; item = item->next) {
        if (item->kind != STORE_REMOVAL)
            continue;
        item->status = remove_run(&store->database, item->run, item->error);
        if (item->status == FF_IO && store_reserve_give_up(store))
            item->status = remove_run(&store->database, item->run, item->error);
    }
}
