#include <stdio.h>

#include "store_columns.h"

const char store_epoch_columns[] = "epoch, event, step, elapsed, evaluating, train_error, test_error, digest";

ff_status store_put_points(struct store_database *database, const struct store_item *item, struct ff_error *error)
{
    ff_status status = FF_OK;

    for (size_t i = 0; status == FF_OK && i < item->row_count; i++) {
        const struct store_row *row = &item->row[i];
        struct binder binder = {store_statement(database, STORE_PUT_POINT, error), 1};
        if (binder.statement == NULL)
            return error->status;
        bind_whole(&binder, (uint64_t)item->run);
        bind_whole(&binder, item->event + row->later);
        bind_whole(&binder, row->step);
        bind_real(&binder, row->epoch);
        bind_real(&binder, row->elapsed);
        bind_whole(&binder, row->layer);
        bind_figures(&binder, &row->figures);
        status = store_run_statement(database, binder.statement, error);
    }
    return status;
}

static ff_status put_epoch_layer(struct store_database *database, const struct store_item *item, uint32_t layer,
                                 struct ff_error *error)
{
    struct binder binder = {store_statement(database, STORE_PUT_EPOCH_LAYER, error), 1};

    if (binder.statement == NULL)
        return error->status;
    bind_whole(&binder, (uint64_t)item->run);
    bind_whole(&binder, item->epoch->epoch);
    bind_whole(&binder, layer);
    bind_figures(&binder, &item->epoch->layer[layer]);
    return store_run_statement(database, binder.statement, error);
}

ff_status store_put_epoch(struct store_database *database, const struct store_item *item, struct ff_error *error)
{
    const struct ff_epoch *epoch = item->epoch;
    struct binder binder = {store_statement(database, STORE_PUT_EPOCH, error), 1};

    if (binder.statement == NULL)
        return error->status;
    bind_whole(&binder, (uint64_t)item->run);
    bind_whole(&binder, item->event);
    bind_whole(&binder, epoch->epoch);
    bind_whole(&binder, epoch->step);
    bind_real(&binder, epoch->elapsed);
    bind_real(&binder, epoch->evaluating);
    bind_real(&binder, epoch->train_error);
    bind_real(&binder, epoch->test_error);
    bind_text(&binder, epoch->digest);
    ff_status status = store_run_statement(database, binder.statement, error);
    for (uint32_t layer = 0; status == FF_OK && layer < epoch->layers; layer++)
        status = put_epoch_layer(database, item, layer, error);
    return status;
}

uint32_t store_read_point_row(sqlite3_stmt *statement, struct ff_point *point, uint64_t *event)
{
    struct columns columns = {statement, 0};

    point->step = next_whole(&columns);
    point->epoch = next_real(&columns);
    point->elapsed = next_real(&columns);
    *event = next_whole(&columns);
    uint32_t layer = next_count(&columns);
    if (layer < FF_LAYERS_MAX) {
        next_figures(&columns, &point->layer[layer]);
        point->layers = layer + 1;
    }
    return layer;
}

void store_read_epoch_row(sqlite3_stmt *statement, struct ff_epoch *epoch, uint64_t *event)
{
    struct columns columns = {statement, 0};

    epoch->epoch = next_count(&columns);
    *event = next_whole(&columns);
    epoch->step = next_whole(&columns);
    epoch->elapsed = next_real(&columns);
    epoch->evaluating = next_real(&columns);
    epoch->train_error = next_real(&columns);
    epoch->test_error = next_real(&columns);
    snprintf(epoch->digest, sizeof epoch->digest, "%s", next_text(&columns));
    epoch->layers = 0;
}

ff_status store_read_epoch_layers(sqlite3 *connection, const char *path, int64_t run, struct ff_epoch *epoch,
                                  struct ff_error *error)
{
    static const char sql[] = "SELECT layer, positive, negative, positive_low, positive_high, negative_low,"
                              " negative_high, loss, accuracy FROM epoch_layers WHERE run = ? AND epoch = ?"
                              " ORDER BY layer";
    sqlite3_stmt *statement = NULL;

    ff_status status =
        store_prepare(connection, path, sql, (const int64_t[]){run, epoch->epoch}, 2, &statement, error);
    while (store_next_row(statement, path, &status, error)) {
        struct columns columns = {statement, 0};
        uint32_t layer = next_count(&columns);
        if (layer >= FF_LAYERS_MAX)
            continue;
        next_figures(&columns, &epoch->layer[layer]);
        epoch->layers = layer + 1;
    }
    sqlite3_finalize(statement);
    return status;
}
