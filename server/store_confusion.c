#include <stdlib.h>
#include <string.h>

#include "confusion.h"
#include "store_columns.h"

/* --- writing -------------------------------------------------------------------------------------------------- */

struct store_confusion *store_keep_confusion(const struct confusion *confusion)
{
    struct store_confusion *kept = calloc(1, sizeof *kept);
    struct text cells, mistakes;
    size_t cell_bytes, mistake_bytes;

    if (kept == NULL)
        return NULL;
    kept->about = *confusion;
    kept->about.cells = NULL;
    text_open(&cells);
    text_open(&mistakes);
    confusion_write_cells(&cells, confusion);
    confusion_write_mistakes(&mistakes, confusion);
    kept->cells = text_close(&cells, &cell_bytes);
    kept->mistakes = text_close(&mistakes, &mistake_bytes);
    if (kept->cells != NULL && kept->mistakes != NULL) {
        kept->bytes = cell_bytes + mistake_bytes;
        return kept;
    }
    store_free_confusion(kept);
    return NULL;
}

void store_free_confusion(struct store_confusion *kept)
{
    if (kept == NULL)
        return;
    free(kept->cells);
    free(kept->mistakes);
    free(kept);
}

static ff_status put_row(struct store_database *database, const struct store_item *item, struct ff_error *error)
{
    const struct store_confusion *kept = item->confusion;
    const struct confusion *about = &kept->about;
    struct binder binder = {store_statement(database, STORE_PUT_EVALUATION, error), 1};

    if (binder.statement == NULL)
        return error->status;
    bind_whole(&binder, (uint64_t)item->run);
    bind_whole(&binder, about->epoch);
    bind_whole(&binder, about->step);
    bind_text(&binder, about->split == FF_TRAIN_SPLIT ? "train" : "test");
    bind_whole(&binder, about->classes);
    bind_whole(&binder, about->images);
    bind_whole(&binder, about->wrong);
    bind_text(&binder, kept->cells);
    bind_text(&binder, kept->mistakes);
    return store_run_statement(database, binder.statement, error);
}

ff_status store_put_confusion(struct store_database *database, const struct store_item *item,
                              struct ff_error *error)
{
    ff_status status = put_row(database, item, error);
    struct binder binder = {NULL, 1};

    if (status != FF_OK)
        return status;
    binder.statement = store_statement(database, STORE_DROP_EVALUATIONS, error);
    if (binder.statement == NULL)
        return error->status;
    bind_whole(&binder, (uint64_t)item->run);
    return store_run_statement(database, binder.statement, error);
}

/* --- reading -------------------------------------------------------------------------------------------------- */

static ff_status read_row(sqlite3_stmt *statement, struct confusion *confusion, struct ff_error *error)
{
    struct columns columns = {statement, 0};

    confusion->epoch = next_count(&columns);
    confusion->step = next_whole(&columns);
    confusion->split = strcmp(next_text(&columns), "train") == 0 ? FF_TRAIN_SPLIT : FF_TEST_SPLIT;
    uint32_t classes = next_count(&columns);
    confusion->classes = classes <= FF_CLASSES_MAX ? classes : 0;
    confusion->images = next_count(&columns);
    confusion->wrong = next_count(&columns);
    const char *cells = next_text(&columns);
    return confusion_read(confusion, cells, next_text(&columns), error);
}

static ff_status read_newest(sqlite3 *connection, const char *path, int64_t run, struct confusion *confusion,
                             struct ff_error *error)
{
    sqlite3_stmt *statement = NULL;
    ff_status status = store_prepare(
        connection, path,
        "SELECT epoch, step, split, classes, images, wrong, cells, mistakes FROM evaluations WHERE run = ?1"
        " AND run NOT IN (SELECT run FROM removals)"
        " ORDER BY epoch DESC LIMIT 1",
        &run, 1, &statement, error);

    if (store_next_row(statement, path, &status, error))
        status = read_row(statement, confusion, error);
    sqlite3_finalize(statement);
    return status;
}

ff_status store_read_confusion(struct store *store, int64_t run, struct confusion *confusion,
                               struct ff_error *error)
{
    sqlite3 *reader = store_take_reader(store, error);

    *confusion = (struct confusion){.split = FF_TEST_SPLIT};
    if (reader == NULL)
        return error->status;
    ff_status status = read_newest(reader, store->path, run, confusion, error);
    store_give_back_reader(store, reader);
    return status;
}
