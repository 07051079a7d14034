#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "store_columns.h"

const char store_run_columns[] =
    "id, name, notes, tags, preset, state, reason, created, started, ended, config, asked_stages, asked_threads,"
    " stages, threads, parameters, epoch, epochs, step, steps, elapsed, remaining, samples_per_second, evaluating,"
    " ranks, bytes_per_sample, warnings,"
    " (SELECT step FROM checkpoints WHERE run = runs.id), (SELECT epochs FROM checkpoints WHERE run = runs.id),"
    " (SELECT bytes FROM checkpoints WHERE run = runs.id), (SELECT written FROM checkpoints WHERE run = runs.id),"
    " EXISTS (SELECT 1 FROM changes WHERE run = runs.id) OR EXISTS (SELECT 1 FROM resumptions WHERE run = runs.id)";

/* Lists of short texts, kept as a JSON array. `texts` is [count][size]. */

static char *print_and_delete(cJSON *json)
{
    char *text = json != NULL ? cJSON_PrintUnformatted(json) : NULL;
    cJSON_Delete(json);
    return text;
}

static char *texts_to_json(const char *texts, size_t size, uint32_t count)
{
    return print_and_delete(run_texts(texts, size, count));
}

static uint32_t texts_from_json(const char *json, char *texts, size_t size, uint32_t most, bool *starved)
{
    cJSON *array = json_parse_kept(json, starved);
    const cJSON *item;
    uint32_t count = 0;

    cJSON_ArrayForEach(item, array)
    {
        if (count < most && cJSON_IsString(item))
            snprintf(texts + size * count++, size, "%s", item->valuestring);
    }
    cJSON_Delete(array);
    return count;
}

/* Runs */

/* The texts of a run that have to be made for its row. */
struct run_texts {
    char *tags, *config, *warnings;
};

static ff_status make_texts(struct run_texts *texts, const struct run *run, struct ff_error *error)
{
    texts->tags = texts_to_json(run->tags[0], sizeof run->tags[0], run->tag_count);
    texts->config = print_and_delete(ff_config_to_json(&run->config));
    texts->warnings = texts_to_json(run->warnings[0], sizeof run->warnings[0], run->warning_count);
    if (texts->tags == NULL || texts->config == NULL || texts->warnings == NULL)
        return ff_fail_memory(error, "a run's row");
    return FF_OK;
}

static void free_texts(struct run_texts *texts)
{
    cJSON_free(texts->tags);
    cJSON_free(texts->config);
    cJSON_free(texts->warnings);
}

static void bind_progress(struct binder *binder, const struct ff_progress *progress)
{
    bind_whole(binder, progress->epoch);
    bind_whole(binder, progress->epochs);
    bind_whole(binder, progress->step);
    bind_whole(binder, progress->steps);
    bind_real(binder, progress->elapsed);
    bind_real(binder, progress->remaining);
    bind_real(binder, progress->samples_per_second);
    bind_real(binder, progress->evaluating);
    bind_whole(binder, progress->ranks);
    bind_real(binder, progress->bytes_per_sample);
}

static void bind_run(struct binder *binder, const struct run *run, const struct run_texts *texts)
{
    bind_text(binder, run->name);
    bind_text(binder, run->notes);
    bind_text(binder, texts->tags);
    bind_text(binder, run->preset);
    bind_text(binder, run_state_name(run->state));
    bind_text(binder, run->reason);
    bind_whole(binder, (uint64_t)run->created);
    bind_whole(binder, (uint64_t)run->started);
    bind_whole(binder, (uint64_t)run->ended);
    bind_text(binder, texts->config);
    bind_whole(binder, run->asked.stages);
    bind_whole(binder, run->asked.threads);
    bind_whole(binder, run->placement.stages);
    bind_whole(binder, run->placement.threads);
    bind_whole(binder, run->parameters);
    bind_progress(binder, &run->progress);
    bind_text(binder, texts->warnings);
}

/* "DATASET PRESET ID", for a run that was given no name. */
static void name_run(struct run *run)
{
    snprintf(run->name, sizeof run->name, "%s%s%s %lld", run->config.dataset, run->preset[0] != '\0' ? " " : "",
             run->preset, (long long)run->id);
}

ff_status store_replace_run(struct store_database *database, const struct run *run, struct ff_error *error)
{
    struct run_texts texts;
    ff_status status = make_texts(&texts, run, error);

    if (status == FF_OK) {
        struct binder binder = {store_statement(database, STORE_UPDATE_RUN, error), 1};
        status = binder.statement == NULL ? error->status : FF_OK;
        if (status == FF_OK) {
            bind_run(&binder, run, &texts);
            bind_whole(&binder, (uint64_t)run->id);
            status = store_run_statement(database, binder.statement, error);
        }
        if (status == FF_OK && sqlite3_changes(database->connection) == 0)
            status = ff_fail(error, FF_NOT_FOUND, "there is no run %lld", (long long)run->id);
    }
    free_texts(&texts);
    return status;
}

ff_status store_put_run(struct store_database *database, struct run *run, struct ff_error *error)
{
    struct run_texts texts;
    ff_status status = make_texts(&texts, run, error);

    if (status == FF_OK) {
        struct binder binder = {store_statement(database, STORE_INSERT_RUN, error), 1};
        status = binder.statement == NULL ? error->status : FF_OK;
        if (status == FF_OK) {
            bind_run(&binder, run, &texts);
            status = store_run_statement(database, binder.statement, error);
        }
    }
    free_texts(&texts);
    if (status != FF_OK)
        return status;
    run->id = sqlite3_last_insert_rowid(database->connection);
    if (run->name[0] != '\0')
        return FF_OK;
    name_run(run);
    return store_replace_run(database, run, error);
}

static void read_config(struct run *run, const char *text, bool *starved)
{
    struct ff_problems problems = {0};
    cJSON *json = json_parse_kept(text, starved);

    ff_config_defaults(&run->config);
    ff_config_apply(&run->config, json, "/config", &problems);
    cJSON_Delete(json);
    if (problems.count > 0)
        run_add_warning(run, "its configuration was written by another version of the program: %s %s",
                        problems.problem[0].pointer, problems.problem[0].detail);
}

static void read_progress(struct columns *columns, struct ff_progress *progress)
{
    progress->epoch = next_count(columns);
    progress->epochs = next_count(columns);
    progress->step = next_whole(columns);
    progress->steps = next_whole(columns);
    progress->elapsed = next_real(columns);
    progress->remaining = next_real(columns);
    progress->samples_per_second = next_real(columns);
    progress->evaluating = next_real(columns);
    progress->ranks = next_count(columns);
    progress->bytes_per_sample = next_real(columns);
}

/* False: memory is short. */
static bool read_run_row(struct columns *columns, struct run *run)
{
    bool starved = false;

    run->id = (int64_t)next_whole(columns);
    snprintf(run->name, sizeof run->name, "%s", next_text(columns));
    snprintf(run->notes, sizeof run->notes, "%s", next_text(columns));
    run->tag_count = texts_from_json(next_text(columns), run->tags[0], sizeof run->tags[0], RUN_TAGS_MAX, &starved);
    snprintf(run->preset, sizeof run->preset, "%s", next_text(columns));
    if (!run_state_from_name(next_text(columns), &run->state))
        run->state = RUN_INTERRUPTED;
    snprintf(run->reason, sizeof run->reason, "%s", next_text(columns));
    run->created = (int64_t)next_whole(columns);
    run->started = (int64_t)next_whole(columns);
    run->ended = (int64_t)next_whole(columns);
    const char *config = next_text(columns); /* valid until the next step: read below, after the warnings */
    run->asked.stages = next_count(columns);
    run->asked.threads = next_count(columns);
    run->placement.stages = next_count(columns);
    run->placement.threads = next_count(columns);
    run->parameters = next_whole(columns);
    read_progress(columns, &run->progress);
    run->warning_count =
        texts_from_json(next_text(columns), run->warnings[0], sizeof run->warnings[0], RUN_WARNINGS_MAX, &starved);
    read_config(run, config, &starved);
    run->checkpoint.step = next_whole(columns);
    run->checkpoint.epochs = next_count(columns);
    run->checkpoint.bytes = next_whole(columns);
    run->checkpoint.written = (int64_t)next_whole(columns);
    return !starved;
}

static bool take_change(void *self, uint64_t step, const struct ff_config *config)
{
    run_turn(self, step, config);
    return true;
}

/* What was turned; and what a run that waits is to go on with, which counts from its turn on. */
static ff_status read_changes(sqlite3 *connection, const char *path, struct run *run, struct ff_error *error)
{
    bool any = false;
    ff_status status = store_walk_changes(connection, path, run, UINT64_MAX, take_change, run, error);

    if (!run->changed)
        run->now = run->config;
    if (status == FF_OK)
        status = store_read_resumption(connection, path, run->id, &run->now, &any, error);
    run->changed = run->changed || (status == FF_OK && any);
    return status;
}

static ff_status read_last(sqlite3 *connection, const char *path, struct run *run, struct ff_error *error)
{
    char sql[256];
    sqlite3_stmt *statement = NULL;
    uint64_t event;

    snprintf(sql, sizeof sql, "SELECT %s FROM epochs WHERE run = ? ORDER BY epoch DESC LIMIT 1",
             store_epoch_columns);
    ff_status status = store_prepare(connection, path, sql, &run->id, 1, &statement, error);
    if (store_next_row(statement, path, &status, error))
        store_read_epoch_row(statement, &run->last, &event);
    sqlite3_finalize(statement);
    if (status == FF_OK && run->last.epoch > 0)
        status = store_read_epoch_layers(connection, path, run->id, &run->last, error);
    return status;
}

static ff_status read_best(sqlite3 *connection, const char *path, struct run *run, struct ff_error *error)
{
    static const char sql[] = "SELECT epoch, test_error FROM epochs WHERE run = ? AND test_error IS NOT NULL"
                              " ORDER BY test_error, epoch LIMIT 1";
    sqlite3_stmt *statement = NULL;

    ff_status status = store_prepare(connection, path, sql, &run->id, 1, &statement, error);
    if (store_next_row(statement, path, &status, error)) {
        struct columns columns = {statement, 0};
        run->best.epoch = next_count(&columns);
        run->best.test_error = next_real(&columns);
    }
    sqlite3_finalize(statement);
    return status;
}

ff_status store_read_run(sqlite3 *connection, const char *path, sqlite3_stmt *statement, struct run *run,
                         struct ff_error *error)
{
    struct columns columns = {statement, 0};
    ff_status status;

    memset(run, 0, sizeof *run);
    if (!read_run_row(&columns, run))
        return ff_fail_memory(error, "a run's row");
    bool changed = next_whole(&columns) != 0;
    if (changed && (status = read_changes(connection, path, run, error)) != FF_OK)
        return status;
    if ((status = read_last(connection, path, run, error)) == FF_OK)
        status = read_best(connection, path, run, error);
    return status;
}
