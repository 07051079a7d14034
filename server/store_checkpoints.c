#include "store_internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint.h"
#include "digits.h"
#include "second_name.h"
#include "store_columns.h"
#include "timing.h"

static const char ending[] = ".safetensors", temporary[] = ".safetensors.tmp", damaged[] = ".safetensors.damaged",
                  best[] = ".best.safetensors", best_temporary[] = ".best.safetensors.tmp";

static void folder_path(const struct store *store, char path[STORE_PATH_MAX])
{
    snprintf(path, STORE_PATH_MAX, "%s/checkpoints", store->folder);
}

/* A file of the run in the folder, by its ending. */
static void file_path(const struct store *store, int64_t run, const char *end, char path[STORE_CHECKPOINT_PATH_MAX])
{
    snprintf(path, STORE_CHECKPOINT_PATH_MAX, "%s/checkpoints/%lld%s", store->folder, (long long)run, end);
}

void store_checkpoint_path(const struct store *store, int64_t run, char path[STORE_CHECKPOINT_PATH_MAX])
{
    file_path(store, run, ending, path);
}

void store_best_path(const struct store *store, int64_t run, char path[STORE_CHECKPOINT_PATH_MAX])
{
    file_path(store, run, best, path);
}

void store_remove_checkpoint(struct store *store, int64_t run)
{
    static const char *const ends[] = {ending, temporary, damaged, best, best_temporary};
    char path[STORE_CHECKPOINT_PATH_MAX];

    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        file_path(store, run, ends[i], path);
        unlink(path);
    }
}

/* --- rows ----------------------------------------------------------------------------------------------------- */

struct checkpoint_row {
    int64_t run;
    struct run_checkpoint kept;
};

static ff_status put_row(struct store_database *database, void *self, struct ff_error *error)
{
    const struct checkpoint_row *row = self;
    struct binder binder = {store_statement(database, STORE_PUT_CHECKPOINT, error), 1};

    if (binder.statement == NULL)
        return error->status;
    bind_whole(&binder, (uint64_t)row->run);
    bind_whole(&binder, row->kept.step);
    bind_whole(&binder, row->kept.epochs);
    bind_whole(&binder, row->kept.bytes);
    bind_whole(&binder, (uint64_t)row->kept.written);
    ff_status status = store_run_statement(database, binder.statement, error);
    if (status == FF_OK && sqlite3_changes(database->connection) == 0)
        status = ff_fail(error, FF_NOT_FOUND, "there is no run %lld any more", (long long)row->run);
    return status;
}

static ff_status delete_row(struct store_database *database, void *self, struct ff_error *error)
{
    const int64_t *run = self;

    return store_change_rows(database, "DELETE FROM checkpoints WHERE run = ?", *run, error);
}

/* --- the best one --------------------------------------------------------------------------------------------- */

/* The newest is the best, too: its file gets a second name, in the place of the one that had it. */
static ff_status keep_best(const struct store *store, int64_t run, struct ff_error *error)
{
    char newest[STORE_CHECKPOINT_PATH_MAX], kept[STORE_CHECKPOINT_PATH_MAX];

    store_checkpoint_path(store, run, newest);
    store_best_path(store, run, kept);
    return second_name_give(newest, kept, error);
}

/* What the epochs' rows say of a run's best epoch: whether it ended at this step. */
static ff_status is_best(struct store_database *database, int64_t run, uint64_t step, bool *yes,
                         struct ff_error *error)
{
    static const char sql[] = "SELECT step FROM epochs WHERE run = ? AND test_error IS NOT NULL"
                              " ORDER BY test_error, epoch LIMIT 1";
    sqlite3_stmt *statement = NULL;
    ff_status status = store_prepare(database->connection, database->path, sql, &run, 1, &statement, error);

    *yes = store_next_row(statement, database->path, &status, error) &&
           (uint64_t)sqlite3_column_int64(statement, 0) == step;
    sqlite3_finalize(statement);
    return status;
}

/* --- a new one ------------------------------------------------------------------------------------------------ */

static uint64_t size_of(const char *path)
{
    struct stat information;
    return stat(path, &information) == 0 ? (uint64_t)information.st_size : 0;
}

/* The file, and then the row, which so is never newer than the file. */
static ff_status commit(struct store *store, struct store_checkpoint *checkpoint, struct checkpoint_row *row,
                        struct ff_error *trouble, struct ff_error *error)
{
    char path[STORE_CHECKPOINT_PATH_MAX];
    ff_status status = ff_durable_commit(checkpoint->file, error);

    checkpoint->file = NULL;
    if (status != FF_OK)
        return status;
    store_checkpoint_path(store, checkpoint->run, path);
    *row = (struct checkpoint_row){
        checkpoint->run,
        {.step = checkpoint->step, .epochs = checkpoint->epochs, .bytes = size_of(path), .written = timing_date()}};
    if (checkpoint->best)
        keep_best(store, checkpoint->run, trouble);
    status = store_transact(&store->database, put_row, row, error);
    if (status == FF_NOT_FOUND)
        store_remove_checkpoint(store, checkpoint->run);
    return status;
}

void store_commit_checkpoint(struct store *store, struct store_item *item, const struct ff_error *before)
{
    struct store_checkpoint *checkpoint = &item->checkpoint;
    struct checkpoint_row row;
    struct ff_error error, trouble = {.status = FF_OK};
    ff_status status;

    if (before != NULL) {
        error = *before;
        status = before->status;
    } else {
        status = commit(store, checkpoint, &row, &trouble, &error);
    }
    ff_durable_discard(checkpoint->file);
    checkpoint->file = NULL;
    store_touch(store, checkpoint->run);
    checkpoint->tell(checkpoint->self, checkpoint->run, status == FF_OK ? &row.kept : NULL,
                     status == FF_OK ? &trouble : &error);
}

/* --- a damaged one -------------------------------------------------------------------------------------------- */

ff_status store_set_checkpoint_aside(struct store *store, int64_t run, struct ff_error *error)
{
    char path[STORE_CHECKPOINT_PATH_MAX], aside[STORE_CHECKPOINT_PATH_MAX];

    store_checkpoint_path(store, run, path);
    file_path(store, run, damaged, aside);
    if (rename(path, aside) != 0 && errno != ENOENT)
        return ff_fail(error, FF_IO, "%s cannot be moved aside: %s; check who owns its folder", path,
                       strerror(errno));
    store_best_path(store, run, path);
    unlink(path);
    ff_status status = store_do(store, delete_row, &run, error);
    store_touch(store, run);
    return status;
}

/* --- the folder, at the start --------------------------------------------------------------------------------- */

static ff_status make_folder(const struct store *store, struct ff_error *error)
{
    char path[STORE_PATH_MAX];

    folder_path(store, path);
    if (mkdir(path, 0700) == 0) {
        int parent = open(store->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (parent >= 0) {
            fsync(parent); /* a checkpoint's own sync is of this folder only */
            close(parent);
        }
    } else if (errno != EEXIST) {
        return ff_fail(error, FF_IO, "the folder %s cannot be made: %s; free some space, or name another (--state)",
                       path, strerror(errno));
    }
    return FF_OK;
}

/* The row of a run as the start finds it. */
struct found {
    bool run, row; /* whether it is there */
    struct run_checkpoint kept;
};

static ff_status find_row(struct store_database *database, int64_t run, struct found *found, struct ff_error *error)
{
    static const char sql[] =
        "SELECT c.step, c.epochs, c.bytes, c.written FROM kept_runs AS runs LEFT JOIN checkpoints c"
        " ON c.run = runs.id WHERE runs.id = ?";
    sqlite3_stmt *statement = NULL;
    ff_status status = store_prepare(database->connection, database->path, sql, &run, 1, &statement, error);

    *found = (struct found){.run = store_next_row(statement, database->path, &status, error)};
    if (found->run) {
        struct columns columns = {statement, 0};
        found->row = sqlite3_column_type(statement, 0) != SQLITE_NULL;
        found->kept.step = next_whole(&columns);
        found->kept.epochs = next_count(&columns);
        found->kept.bytes = next_whole(&columns);
        found->kept.written = (int64_t)next_whole(&columns);
    }
    sqlite3_finalize(statement);
    return status;
}

/* A daemon that was killed after a file had come to its place has not written its row. */
static ff_status mend_row(struct store *store, int64_t run, const struct found *found, struct ff_error *error)
{
    char path[STORE_CHECKPOINT_PATH_MAX];
    struct stat information;
    struct ff_error damage; /* told when the run is to go on */

    store_checkpoint_path(store, run, path);
    if (stat(path, &information) != 0)
        return FF_OK;
    int64_t written = timing_of(information.st_mtim);
    if (found->row && written <= found->kept.written && (uint64_t)information.st_size == found->kept.bytes)
        return FF_OK;
    struct ff_checkpoint *checkpoint = ff_checkpoint_open(path, &damage);
    if (checkpoint == NULL)
        return FF_OK;
    const struct ff_standing *standing = &ff_checkpoint_about(checkpoint)->standing;
    struct checkpoint_row row = {run,
                                 {.step = standing->step,
                                  .epochs = standing->epochs,
                                  .bytes = (uint64_t)information.st_size,
                                  .written = written}};
    ff_checkpoint_close(checkpoint);
    bool at_best;
    ff_status status = is_best(&store->database, run, row.kept.step, &at_best, error);
    if (status == FF_OK && at_best)
        keep_best(store, run, &damage); /* where it cannot be, the run has said so, or will at its next one */
    return status == FF_OK ? store_transact(&store->database, put_row, &row, error) : status;
}

/* One name in the folder. Names that no program of ours gives are left alone. */
static ff_status sweep_file(struct store *store, const char *name, struct ff_error *error)
{
    const char *rest = name;
    int64_t run;
    struct found found;
    ff_status status;

    if (!digits_run(&rest, &run))
        return FF_OK;
    bool whole = strcmp(rest, ending) == 0;
    bool left_over = strcmp(rest, temporary) == 0 || strcmp(rest, best_temporary) == 0;
    if (!whole && !left_over && strcmp(rest, damaged) != 0 && strcmp(rest, best) != 0)
        return FF_OK;
    if ((status = find_row(&store->database, run, &found, error)) != FF_OK)
        return status;
    if (!found.run) {
        store_remove_checkpoint(store, run);
    } else if (left_over) {
        char path[STORE_CHECKPOINT_PATH_MAX];
        file_path(store, run, strcmp(rest, temporary) == 0 ? ending : best, path);
        ff_durable_sweep(&ff_files_system, path);
    } else if (whole) {
        return mend_row(store, run, &found, error);
    }
    return FF_OK;
}

/* Rows whose file is gone. */
static ff_status drop_rows(struct store *store, struct ff_error *error)
{
    struct store_database *database = &store->database;
    sqlite3_stmt *statement = NULL;
    ff_status status = store_prepare(database->connection, database->path, "SELECT run FROM checkpoints", NULL, 0,
                                     &statement, error);

    while (store_next_row(statement, database->path, &status, error)) {
        int64_t run = sqlite3_column_int64(statement, 0);
        char path[STORE_CHECKPOINT_PATH_MAX];
        store_checkpoint_path(store, run, path);
        if (access(path, F_OK) != 0 && errno == ENOENT)
            status = store_transact(database, delete_row, &run, error);
    }
    sqlite3_finalize(statement);
    return status;
}

ff_status store_checkpoints_open(struct store *store, struct ff_error *error)
{
    char path[STORE_PATH_MAX];
    ff_status status = make_folder(store, error);
    const struct dirent *entry;

    if (status != FF_OK)
        return status;
    folder_path(store, path);
    DIR *folder = opendir(path);
    if (folder == NULL)
        return ff_fail(error, FF_IO, "the folder %s cannot be read: %s; check who owns it", path, strerror(errno));
    while (status == FF_OK && (entry = readdir(folder)) != NULL)
        status = sweep_file(store, entry->d_name, error);
    closedir(folder);
    return status == FF_OK ? drop_rows(store, error) : status;
}
