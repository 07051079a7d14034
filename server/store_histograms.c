#include <stdlib.h>
#include <string.h>

#include "histograms.h"
#include "store_columns.h"
#include "text.h"

/* A row a layer: its counts, from the first bin that has any, as JSON arrays. */

/* --- writing -------------------------------------------------------------------------------------------------- */

static char *counts_text(const uint64_t *counts, size_t first, size_t end)
{
    struct text text;
    size_t length;

    text_open(&text);
    for (size_t bin = first; bin < end; bin++)
        text_print(&text, "%c%llu", bin > first ? ',' : '[', (unsigned long long)counts[bin]);
    text_print(&text, first < end ? "]" : "[]");
    return text_close(&text, &length);
}

static ff_status put_layer(struct store_database *database, int64_t run, const struct ff_histograms *histograms,
                           uint32_t layer, struct ff_error *error)
{
    const struct ff_histogram *histogram = &histograms->layer[layer];
    struct binder binder = {store_statement(database, STORE_PUT_HISTOGRAM, error), 1};
    size_t first, end;

    if (binder.statement == NULL)
        return error->status;
    ff_histogram_range(histogram, &first, &end);
    char *positive = counts_text(histogram->positive, first, end);
    char *negative = counts_text(histogram->negative, first, end);
    bind_whole(&binder, (uint64_t)run);
    bind_whole(&binder, histograms->epoch);
    bind_whole(&binder, layer);
    bind_whole(&binder, histograms->step);
    bind_whole(&binder, histograms->images);
    bind_whole(&binder, histograms->whole);
    bind_real(&binder, histograms->threshold[layer]);
    bind_whole(&binder, histogram->doublings);
    bind_whole(&binder, first);
    bind_text(&binder, positive);
    bind_text(&binder, negative);
    ff_status status = positive == NULL || negative == NULL
                           ? ff_fail_memory(error, "a histogram")
                           : store_run_statement(database, binder.statement, error);
    free(positive);
    free(negative);
    return status;
}

ff_status store_put_histograms(struct store_database *database, const struct store_item *item,
                               struct ff_error *error)
{
    const struct histograms *histograms = item->histograms;
    ff_status status = FF_OK;

    for (uint32_t layer = 0; status == FF_OK && layer < histograms->about.layers; layer++)
        status = put_layer(database, item->run, &histograms->about, layer, error);
    return status;
}

/* --- reading -------------------------------------------------------------------------------------------------- */

static void read_counts(const char *text, size_t first, uint64_t *counts)
{
    for (size_t bin = first; bin < FF_BINS && *text != '\0' && *text != ']'; bin++) {
        char *end;

        counts[bin] = strtoull(text + 1, &end, 10);
        text = end;
    }
}

static void read_layer(sqlite3_stmt *statement, struct histograms *histograms)
{
    struct columns columns = {statement, 0};
    struct ff_histograms *about = &histograms->about;
    uint32_t layer = next_count(&columns);

    if (layer >= FF_LAYERS_MAX)
        return;
    struct ff_histogram *histogram = &histograms->layer[layer];
    about->layers = layer + 1;
    about->epoch = next_count(&columns);
    about->step = next_whole(&columns);
    about->images = next_whole(&columns);
    about->whole = next_whole(&columns) != 0;
    about->threshold[layer] = next_real(&columns);
    histogram->doublings = next_whole(&columns);
    size_t first = (size_t)next_whole(&columns);
    read_counts(next_text(&columns), first, histogram->positive);
    read_counts(next_text(&columns), first, histogram->negative);
}

static ff_status read_histograms(sqlite3 *connection, const char *path, int64_t run, uint32_t epoch,
                                 struct histograms *histograms, struct ff_error *error)
{
    static const char sql[] =
        "SELECT layer, epoch, step, images, whole, threshold, doublings, first, positive, negative FROM histograms"
        " WHERE run = ?1 AND run NOT IN (SELECT run FROM removals) AND epoch ="
        " coalesce(nullif(?2, 0), (SELECT max(epoch) FROM histograms WHERE run = ?1)) ORDER BY layer";
    sqlite3_stmt *statement = NULL;
    ff_status status = store_prepare(connection, path, sql, (const int64_t[]){run, epoch}, 2, &statement, error);

    while (store_next_row(statement, path, &status, error))
        read_layer(statement, histograms);
    sqlite3_finalize(statement);
    return status;
}

ff_status store_read_histograms(struct store *store, int64_t run, uint32_t epoch, struct histograms *histograms,
                                struct ff_error *error)
{
    sqlite3 *reader = store_take_reader(store, error);

    memset(histograms, 0, sizeof *histograms);
    histograms->about.layer = histograms->layer;
    if (reader == NULL)
        return error->status;
    ff_status status = read_histograms(reader, store->path, run, epoch, histograms, error);
    store_give_back_reader(store, reader);
    return status;
}

static ff_status walk_epochs(sqlite3 *connection, const char *path, int64_t run, store_number_reader *reader,
                             void *self, struct ff_error *error)
{
    sqlite3_stmt *statement = NULL;
    ff_status status = store_prepare(connection, path,
                                     "SELECT epoch FROM histograms WHERE run = ?1 AND layer = 0 AND run "
                                     "NOT IN (SELECT run FROM removals) ORDER BY epoch",
                                     &run, 1, &statement, error);

    while (store_next_row(statement, path, &status, error))
        reader(self, (uint64_t)sqlite3_column_int64(statement, 0));
    sqlite3_finalize(statement);
    return status;
}

ff_status store_read_histogram_epochs(struct store *store, int64_t run, store_number_reader *reader, void *self,
                                      struct ff_error *error)
{
    sqlite3 *connection = store_take_reader(store, error);

    if (connection == NULL)
        return error->status;
    ff_status status = walk_epochs(connection, store->path, run, reader, self, error);
    store_give_back_reader(store, connection);
    return status;
}
