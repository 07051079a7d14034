#include "store_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

/* Reading: a connection for each call, taken from those that are idle */

sqlite3 *store_take_reader(struct store *store, struct ff_error *error)
{
    sqlite3 *reader = NULL;

    pthread_mutex_lock(&store->mutex);
    if (store->idle_readers > 0)
        reader = store->readers[--store->idle_readers];
    pthread_mutex_unlock(&store->mutex);
    if (reader != NULL)
        return reader;
    if (sqlite3_open_v2(store->path, &reader, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
        store_fail(error, reader, store->path);
        sqlite3_close(reader);
        return NULL;
    }
    sqlite3_busy_timeout(reader, 5000);
    return reader;
}

void store_give_back_reader(struct store *store, sqlite3 *reader)
{
    pthread_mutex_lock(&store->mutex);
    bool keep = store->idle_readers < STORE_READERS_MAX;
    if (keep)
        store->readers[store->idle_readers++] = reader;
    pthread_mutex_unlock(&store->mutex);
    if (!keep)
        sqlite3_close(reader);
}

/* One SELECT under way, in a transaction: all it and its followers read is of one moment. Its parameters are
 * numbers. */
struct query {
    struct store *store;
    sqlite3 *reader;
    sqlite3_stmt *statement;
};

static ff_status begin_query(struct query *query, struct store *store, const char *sql, const int64_t *numbers,
                             int count, struct ff_error *error)
{
    *query = (struct query){.store = store, .reader = store_take_reader(store, error)};
    if (query->reader == NULL)
        /* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.UndefReturn): an open database is not NULL */
        return error->status;
    if (sqlite3_exec(query->reader, "BEGIN", NULL, NULL, NULL) == SQLITE_OK)
        return store_prepare(query->reader, store->path, sql, numbers, count, &query->statement, error);
    return store_fail(error, query->reader, store->path);
}

/* As store_next_row. */
static bool next_row(struct query *query, ff_status *status, struct ff_error *error)
{
    return store_next_row(query->statement, query->store->path, status, error);
}

static void end_query(struct query *query)
{
    if (query->reader == NULL)
        return;
    sqlite3_finalize(query->statement);
    if (!sqlite3_get_autocommit(query->reader))
        sqlite3_exec(query->reader, "ROLLBACK", NULL, NULL, NULL);
    store_give_back_reader(query->store, query->reader);
}

ff_status store_get_run(struct store *store, int64_t id, struct run *run, struct ff_error *error)
{
    char sql[1024];
    struct query query;

    snprintf(sql, sizeof sql, "SELECT %s FROM kept_runs AS runs WHERE id = ?", store_run_columns);
    ff_status status = begin_query(&query, store, sql, &id, 1, error);
    if (next_row(&query, &status, error))
        status = store_read_run(query.reader, store->path, query.statement, run, error);
    else if (status == FF_OK)
        status = ff_fail(error, FF_NOT_FOUND, "there is no run %lld", (long long)id);
    end_query(&query);
    return status;
}

/* One whole number; NULL is 0. */
static ff_status read_number(struct store *store, const char *sql, const int64_t *numbers, int count,
                             int64_t *value, struct ff_error *error)
{
    struct query query;
    ff_status status = begin_query(&query, store, sql, numbers, count, error);

    *value = 0;
    if (next_row(&query, &status, error))
        *value = sqlite3_column_int64(query.statement, 0);
    end_query(&query);
    return status;
}

bool store_count_runs(struct store *store, uint64_t counts[RUN_STATES])
{
    struct ff_error error;
    struct query query;
    ff_status status =
        begin_query(&query, store, "SELECT state, count(*) FROM kept_runs GROUP BY state", NULL, 0, &error);

    memset(counts, 0, RUN_STATES * sizeof counts[0]);
    while (next_row(&query, &status, &error)) {
        enum run_state state;

        if (run_state_from_name((const char *)sqlite3_column_text(query.statement, 0), &state))
            counts[state] = (uint64_t)sqlite3_column_int64(query.statement, 1);
    }
    end_query(&query);
    return status == FF_OK;
}

int64_t store_latest_run(struct store *store)
{
    struct ff_error ignored;
    int64_t latest;

    read_number(store, "SELECT max(id) FROM kept_runs", NULL, 0, &latest, &ignored);
    return latest;
}

ff_status store_count_points_between(struct store *store, int64_t run, uint64_t after_step, uint64_t before_step,
                                     uint64_t *count, struct ff_error *error)
{
    static const char sql[] = "SELECT count(*) FROM points WHERE run = ? AND step > ? AND step < ? AND layer = 0"
                              " AND run NOT IN (SELECT run FROM removals)";
    const int64_t parameters[] = {run, store_parameter(after_step), store_parameter(before_step)};
    int64_t number;
    ff_status status = read_number(store, sql, parameters, 3, &number, error);

    *count = (uint64_t)number;
    return status;
}

/* A growing array of runs. */
struct run_array {
    struct run *runs;
    size_t count, room;
};

static struct run *grow(struct run_array *array)
{
    if (array->count == array->room) {
        size_t room = array->room > 0 ? array->room * 2 : 16;
        struct run *runs = realloc(array->runs, room * sizeof *runs);
        if (runs == NULL)
            return NULL;
        array->runs = runs;
        array->room = room;
    }
    return &array->runs[array->count++];
}

/* The rows of a list; beyond `limit` (0: none) only that there are more. */
static ff_status read_runs(struct query *query, uint32_t limit, struct run_array *array, bool *more,
                           struct ff_error *error)
{
    ff_status status = FF_OK;

    *more = false;
    while (next_row(query, &status, error)) {
        if (limit > 0 && array->count == limit) {
            *more = true;
            return FF_OK;
        }
        struct run *run = grow(array);
        if (run == NULL)
            return ff_fail_memory(error, "the list of runs");
        status = store_read_run(query->reader, query->store->path, query->statement, run, error);
    }
    return status;
}

/* {"3":"paused"}: the states of live runs. NULL when there are none, or memory is short. */
static char *live_text(const struct store_run_filter *filter)
{
    struct text text;
    size_t length;

    if (filter->live_count == 0)
        return NULL;
    text_open(&text);
    for (size_t i = 0; i < filter->live_count; i++)
        text_print(&text, "%c\"%lld\":\"%s\"", i > 0 ? ',' : '{', (long long)filter->live[i].id,
                   run_state_name(filter->live[i].state));
    text_print(&text, "}");
    return text_close(&text, &length);
}

ff_status store_list_runs(struct store *store, const struct store_run_filter *filter, struct run **runs,
                          size_t *count, int64_t *next, struct ff_error *error)
{
    char sql[1280];
    struct query query;
    struct run_array array = {0};
    bool more = false;

    snprintf(sql, sizeof sql,
             "SELECT %s FROM kept_runs AS runs WHERE (?1 IS NULL OR "
             "coalesce(json_extract(?4, '$.\"' || id || '\"'), state) = ?1) AND (?2 = 0 OR id < ?2)"
             " AND (?3 IS NULL OR EXISTS (SELECT 1 FROM json_each(runs.tags) AS tag WHERE tag.value = ?3))"
             " ORDER BY id DESC",
             store_run_columns);
    ff_status status = begin_query(&query, store, sql, NULL, 0, error);
    if (status == FF_OK) {
        if (filter->state >= 0)
            sqlite3_bind_text(query.statement, 1, run_state_name((enum run_state)filter->state), -1, SQLITE_STATIC);
        sqlite3_bind_int64(query.statement, 2, filter->before);
        sqlite3_bind_text(query.statement, 3, filter->tag, -1, SQLITE_STATIC);
        sqlite3_bind_text(query.statement, 4, live_text(filter), -1, free);
        status = read_runs(&query, filter->limit, &array, &more, error);
    }
    end_query(&query);
    if (status != FF_OK) {
        free(array.runs);
        return status;
    }
    *runs = array.runs;
    *count = array.count;
    *next = more ? array.runs[array.count - 1].id : 0;
    return FF_OK;
}

/* FF_NOT_FOUND unless there is the run. Within the query's transaction. */
static ff_status check_run(struct query *query, int64_t run, struct ff_error *error)
{
    sqlite3_stmt *statement = NULL;
    ff_status status = store_prepare(query->reader, query->store->path, "SELECT 1 FROM kept_runs WHERE id = ?",
                                     &run, 1, &statement, error);

    if (!store_next_row(statement, query->store->path, &status, error) && status == FF_OK)
        status = ff_fail(error, FF_NOT_FOUND, "there is no run %lld", (long long)run);
    sqlite3_finalize(statement);
    return status;
}

/* Begin a SELECT over a run's rows, whose parameters are the run, the last one not wanted, and the last event. */
static ff_status begin_series(struct query *query, struct store *store, const char *sql, int64_t run,
                              uint64_t after, uint64_t after_event, struct ff_error *error)
{
    const int64_t numbers[] = {run, store_parameter(after), store_parameter(after_event)};
    ff_status status = begin_query(query, store, sql, numbers, 3, error);

    return status == FF_OK ? check_run(query, run, error) : status;
}

/* The rows of a point follow one another, its layers in order: a row of layer 0 begins the next. */
static ff_status read_points(struct query *query, store_point_reader *reader, void *self, struct ff_error *error)
{
    struct ff_point point = {0}, next = {0};
    uint64_t event = 0, next_event;
    ff_status status = FF_OK;

    while (next_row(query, &status, error)) {
        uint32_t layer = store_read_point_row(query->statement, &next, &next_event);
        if (layer == 0 && point.layers > 0 && !reader(self, &point, event))
            return FF_OK;
        point = next;
        event = next_event;
    }
    if (status == FF_OK && point.layers > 0)
        reader(self, &point, event);
    return status;
}

ff_status store_read_points(struct store *store, int64_t run, uint64_t after_step, uint64_t after_event,
                            store_point_reader *reader, void *self, struct ff_error *error)
{
    static const char sql[] = "SELECT step, epoch, elapsed, event, layer, positive, negative, positive_low,"
                              " positive_high, negative_low, negative_high, loss, accuracy FROM points"
                              " WHERE run = ? AND step > ? AND event > ? ORDER BY step, layer";
    struct query query;

    ff_status status = begin_series(&query, store, sql, run, after_step, after_event, error);
    if (status == FF_OK)
        status = read_points(&query, reader, self, error);
    end_query(&query);
    return status;
}

static ff_status read_epochs(struct query *query, int64_t run, store_epoch_reader *reader, void *self,
                             struct ff_error *error)
{
    struct ff_epoch epoch;
    uint64_t event;
    ff_status status = FF_OK;

    while (next_row(query, &status, error)) {
        memset(&epoch, 0, sizeof epoch);
        store_read_epoch_row(query->statement, &epoch, &event);
        status = store_read_epoch_layers(query->reader, query->store->path, run, &epoch, error);
        if (status != FF_OK || !reader(self, &epoch, event))
            return status;
    }
    return status;
}

ff_status store_read_epochs(struct store *store, int64_t run, uint32_t after_epoch, uint64_t after_event,
                            store_epoch_reader *reader, void *self, struct ff_error *error)
{
    char sql[256];
    struct query query;

    snprintf(sql, sizeof sql, "SELECT %s FROM epochs WHERE run = ? AND epoch > ? AND event > ? ORDER BY epoch",
             store_epoch_columns);
    ff_status status = begin_series(&query, store, sql, run, after_epoch, after_event, error);
    if (status == FF_OK)
        status = read_epochs(&query, run, reader, self, error);
    end_query(&query);
    return status;
}

ff_status store_find_newest(struct store *store, int64_t run, uint64_t before, struct store_newest *newest,
                            struct ff_error *error)
{
    static const char sql[] =
        "SELECT id,"
        " (SELECT event FROM points WHERE run = id AND event < ?2 ORDER BY step DESC LIMIT 1),"
        " (SELECT event FROM epochs WHERE run = id AND event < ?2 ORDER BY epoch DESC LIMIT 1),"
        " (SELECT step FROM points WHERE run = id AND event < ?2 ORDER BY step DESC LIMIT 1)"
        " FROM kept_runs WHERE id = ?1 OR (?1 = 0 AND state = 'interrupted' AND started > 0)"
        " ORDER BY ended DESC, id DESC LIMIT 1";
    struct query query;

    ff_status status = begin_query(&query, store, sql, (const int64_t[]){run, store_parameter(before)}, 2, error);
    if (next_row(&query, &status, error)) { /* what is NULL is 0 */
        uint64_t point = (uint64_t)sqlite3_column_int64(query.statement, 1);
        uint64_t epoch = (uint64_t)sqlite3_column_int64(query.statement, 2);
        *newest = (struct store_newest){.run = sqlite3_column_int64(query.statement, 0),
                                        .event = point > epoch ? point : epoch,
                                        .step = (uint64_t)sqlite3_column_int64(query.statement, 3)};
    } else if (status == FF_OK) {
        status = ff_fail(error, FF_NOT_FOUND, "there is no such run");
    }
    end_query(&query);
    return status;
}
