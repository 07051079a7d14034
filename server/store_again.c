#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "store_columns.h"

/* --- live settings that were turned --------------------------------------------------------------------------- */

/* The settings of a text over the configuration. What another version of the program wrote may not all be known. */
static ff_status apply_text(struct ff_config *config, const char *text, struct ff_error *error)
{
    bool starved = false;
    struct ff_problems problems = {0};
    cJSON *json = json_parse_kept(text, &starved);

    if (starved)
        return ff_fail_memory(error, "the settings of a run");
    ff_config_apply_live(config, json, "", &problems);
    cJSON_Delete(json);
    return FF_OK;
}

ff_status store_walk_changes(sqlite3 *connection, const char *path, const struct run *run, uint64_t until,
                             store_change_reader *reader, void *self, struct ff_error *error)
{
    struct ff_config config = run->config;
    sqlite3_stmt *statement = NULL;
    ff_status status = store_prepare(connection, path,
                                     "SELECT step, config FROM changes WHERE run = ?1 AND step <= ?2"
                                     " ORDER BY step, event",
                                     (const int64_t[]){run->id, store_parameter(until)}, 2, &statement, error);

    while (store_next_row(statement, path, &status, error)) {
        struct columns columns = {statement, 0};
        uint64_t step = next_whole(&columns);
        status = apply_text(&config, next_text(&columns), error);
        if (status != FF_OK || !reader(self, step, &config))
            break;
    }
    sqlite3_finalize(statement);
    return status;
}

ff_status store_read_resumption(sqlite3 *connection, const char *path, int64_t run, struct ff_config *config,
                                bool *any, struct ff_error *error)
{
    sqlite3_stmt *statement = NULL;
    ff_status status =
        store_prepare(connection, path, "SELECT config FROM resumptions WHERE run = ?", &run, 1, &statement, error);

    *any = store_next_row(statement, path, &status, error);
    if (*any)
        status = apply_text(config, (const char *)sqlite3_column_text(statement, 0), error);
    sqlite3_finalize(statement);
    return status;
}

/* A growing array of changes. */
struct change_array {
    struct ff_change *changes;
    size_t count, room;
    bool full; /* memory is short */
};

static bool gather_change(void *self, uint64_t step, const struct ff_config *config)
{
    struct change_array *array = self;

    if (array->count == array->room) {
        size_t room = array->room > 0 ? array->room * 2 : 8;
        struct ff_change *changes = realloc(array->changes, room * sizeof *changes);
        if (changes == NULL) {
            array->full = true;
            return false;
        }
        array->changes = changes;
        array->room = room;
    }
    array->changes[array->count++] = (struct ff_change){step, *config};
    return true;
}

/* With settings to go on with, what was turned later than `step` does not count any more. */
static ff_status gather_changes(sqlite3 *reader, const char *path, const struct run *run, uint64_t step,
                                struct change_array *array, struct ff_error *error)
{
    struct ff_config config = run->config;
    bool any;
    ff_status status = store_read_resumption(reader, path, run->id, &config, &any, error);

    if (status == FF_OK)
        status = store_walk_changes(reader, path, run, any ? step : UINT64_MAX, gather_change, array, error);
    if (status != FF_OK || !any)
        return status;
    config = array->count > 0 ? array->changes[array->count - 1].config : run->config;
    status = store_read_resumption(reader, path, run->id, &config, &any, error);
    if (status == FF_OK)
        gather_change(array, step, &config);
    return status;
}

ff_status store_read_changes(struct store *store, const struct run *run, uint64_t step, struct ff_change **changes,
                             size_t *count, struct ff_error *error)
{
    struct change_array array = {0};
    sqlite3 *reader = store_take_reader(store, error);

    if (reader == NULL)
        return error->status;
    ff_status status = gather_changes(reader, store->path, run, step, &array, error);
    store_give_back_reader(store, reader);
    if (status == FF_OK && array.full)
        status = ff_fail_memory(error, "the settings of a run");
    if (status != FF_OK) {
        free(array.changes);
        return status;
    }
    *changes = array.changes;
    *count = array.count;
    return FF_OK;
}

/* --- writing -------------------------------------------------------------------------------------------------- */

/* A statement that is not kept: it has up to four parameters, the run first, the text last. */
static ff_status execute(struct store_database *database, const char *sql, int64_t run, const int64_t *numbers,
                         size_t count, const char *text, struct ff_error *error)
{
    sqlite3_stmt *statement = NULL;
    ff_status status = store_prepare(database->connection, database->path, sql, &run, 1, &statement, error);

    if (status == FF_OK) {
        struct binder binder = {statement, 2};
        for (size_t i = 0; i < count; i++)
            bind_whole(&binder, (uint64_t)numbers[i]);
        if (text != NULL)
            bind_text(&binder, text);
        status = store_run_statement(database, statement, error);
    }
    sqlite3_finalize(statement);
    return status;
}

struct addition {
    int64_t run;
    int64_t step_and_event[2];
    char *text;
};

static ff_status add_task(struct store_database *database, void *self, struct ff_error *error)
{
    const struct addition *addition = self;

    return execute(database, "INSERT INTO changes(run, step, event, config) VALUES(?, ?, ?, ?)", addition->run,
                   addition->step_and_event, 2, addition->text, error);
}

ff_status store_add_change(struct store *store, int64_t run, uint64_t event, const struct ff_change *change,
                           struct ff_error *error)
{
    cJSON *json = ff_config_live_to_json(&change->config);
    struct addition addition = {
        run, {(int64_t)change->step, (int64_t)event}, json != NULL ? cJSON_PrintUnformatted(json) : NULL};
    ff_status status;

    if (addition.text != NULL)
        status = store_do(store, add_task, &addition, error);
    else
        status = ff_fail_memory(error, "a change of settings");
    store_touch(store, run);
    cJSON_free(addition.text);
    cJSON_Delete(json);
    return status;
}

struct queueing {
    const struct run *run;
    char *text; /* NULL: none */
};

static ff_status queue_task(struct store_database *database, void *self, struct ff_error *error)
{
    const struct queueing *queueing = self;
    int64_t run = queueing->run->id;
    ff_status status = store_replace_run(database, queueing->run, error);

    if (status == FF_OK && queueing->text != NULL)
        status = execute(database, "INSERT OR REPLACE INTO resumptions(run, config) VALUES(?, ?)", run, NULL, 0,
                         queueing->text, error);
    return status;
}

ff_status store_queue_again(struct store *store, const struct run *run, const cJSON *live, struct ff_error *error)
{
    struct queueing queueing = {run, live != NULL ? cJSON_PrintUnformatted(live) : NULL};
    ff_status status;

    if (live != NULL && queueing.text == NULL)
        return ff_fail_memory(error, "the settings of a run");
    status = store_do(store, queue_task, &queueing, error);
    store_touch(store, run->id);
    cJSON_free(queueing.text);
    return status;
}

struct beginning {
    const struct run *run;
    int64_t step, epochs, event;
};

/* What lies beyond the step, of points, epochs, what was seen in them and, with settings to go on with, of earlier
 * ones. */
static ff_status delete_beyond(struct store_database *database, const struct beginning *beginning,
                               struct ff_error *error)
{
    static const char *const by_step[] = {
        "DELETE FROM points WHERE run = ?1 AND step > ?2",
        "DELETE FROM changes WHERE run = ?1 AND step > ?2 AND run IN (SELECT run FROM resumptions)"};
    static const char *const by_epoch[] = {"DELETE FROM epochs WHERE run = ?1 AND epoch > ?2",
                                           "DELETE FROM epoch_layers WHERE run = ?1 AND epoch > ?2",
                                           "DELETE FROM histograms WHERE run = ?1 AND epoch > ?2",
                                           "DELETE FROM evaluations WHERE run = ?1 AND epoch > ?2"};
    int64_t run = beginning->run->id;
    ff_status status = FF_OK;

    for (size_t i = 0; status == FF_OK && i < 2; i++)
        status = execute(database, by_step[i], run, &beginning->step, 1, NULL, error);
    for (size_t i = 0; status == FF_OK && i < 4; i++)
        status = execute(database, by_epoch[i], run, &beginning->epochs, 1, NULL, error);
    return status;
}

static ff_status begin_task(struct store_database *database, void *self, struct ff_error *error)
{
    const struct beginning *beginning = self;
    int64_t run = beginning->run->id, event_and_step[2] = {beginning->event, beginning->step};
    int64_t step_and_event[2] = {beginning->step, beginning->event + 1};
    ff_status status = delete_beyond(database, beginning, error);

    if (status == FF_OK)
        status = execute(database,
                         "INSERT INTO changes(run, step, event, config)"
                         " SELECT run, ?2, ?3, config FROM resumptions WHERE run = ?1",
                         run, step_and_event, 2, NULL, error);
    if (status == FF_OK)
        status = execute(database, "DELETE FROM resumptions WHERE run = ?", run, NULL, 0, NULL, error);
    if (status == FF_OK && beginning->event > 0)
        status = execute(database, "INSERT OR REPLACE INTO rewinds(run, event, step) VALUES(?, ?, ?)", run,
                         event_and_step, 2, NULL, error);
    return status == FF_OK ? store_replace_run(database, beginning->run, error) : status;
}

ff_status store_begin_again(struct store *store, const struct run *run, uint64_t step, uint32_t epochs,
                            uint64_t event, struct ff_error *error)
{
    struct beginning beginning = {run, (int64_t)step, epochs, (int64_t)event};
    ff_status status = store_do(store, begin_task, &beginning, error);

    store_touch(store, run->id);
    return status;
}

/* --- going back ----------------------------------------------------------------------------------------------- */

void store_read_rewinds(struct store *store, int64_t run, uint64_t from, uint64_t until,
                        store_rewind_reader *reader, void *self)
{
    static const char sql[] = "SELECT run, min(step) FROM rewinds WHERE (?1 = 0 OR run = ?1) AND event >= ?2"
                              " AND event < ?3 AND run NOT IN (SELECT run FROM removals) GROUP BY run";
    struct ff_error ignored; /* whoever cannot be told here reads the series again when a step is missing */
    sqlite3_stmt *statement = NULL;
    sqlite3 *connection = store_take_reader(store, &ignored);

    if (connection == NULL)
        return;
    const int64_t numbers[] = {run, store_parameter(from), store_parameter(until)};
    ff_status status = store_prepare(connection, store->path, sql, numbers, 3, &statement, &ignored);
    while (store_next_row(statement, store->path, &status, &ignored))
        reader(self, sqlite3_column_int64(statement, 0), (uint64_t)sqlite3_column_int64(statement, 1));
    sqlite3_finalize(statement);
    store_give_back_reader(store, connection);
}
