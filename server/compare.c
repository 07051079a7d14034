#include "compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "textlog.h"

/* What is told of a run. Columns have an entry an epoch. */
struct compared {
    struct run run;
    cJSON *config;     /* with the live settings as they are now */
    double test_error; /* of the newest epoch that was judged; NaN: none was */
    uint32_t epochs;   /* done */
    cJSON *series;
    bool short_of_memory;
};

struct comparison {
    size_t count;
    struct compared all[]; /* [count] */
};

/* --- gathering ------------------------------------------------------------------------------------------------ */

static bool append_gaps(const cJSON *gaps, const struct ff_epoch *epoch)
{
    uint32_t layer = 0;
    bool good = true;

    for (cJSON *column = gaps->child; good && column != NULL; column = column->next, layer++) {
        const struct ff_layer_figures *figures = &epoch->layer[layer];
        good = ff_json_append(
            column,
            run_figure(layer < epoch->layers ? (double)(figures->positive - figures->negative) : (double)NAN));
    }
    return good;
}

static bool append_epoch(const cJSON *series, const struct ff_epoch *epoch)
{
    const struct {
        const char *name;
        double value;
    } columns[] = {{"epochs", epoch->epoch},
                   {"elapsed", epoch->elapsed},
                   {"train_error", epoch->train_error},
                   {"test_error", epoch->test_error}};
    bool good = true;

    for (size_t i = 0; good && i < sizeof columns / sizeof columns[0]; i++)
        good =
            ff_json_append(cJSON_GetObjectItemCaseSensitive(series, columns[i].name), run_number(columns[i].value));
    return good && append_gaps(cJSON_GetObjectItemCaseSensitive(series, "gaps"), epoch);
}

static bool take_epoch(void *self, const struct ff_epoch *epoch, uint64_t event)
{
    struct compared *compared = self;

    (void)event;
    compared->epochs = epoch->epoch;
    if (!isnan(epoch->test_error))
        compared->test_error = epoch->test_error;
    compared->short_of_memory = !append_epoch(compared->series, epoch);
    return !compared->short_of_memory;
}

/* Empty columns. */
static cJSON *make_series(uint32_t layers)
{
    static const char *const names[] = {"epochs", "elapsed", "train_error", "test_error", "gaps"};
    cJSON *series = cJSON_CreateObject();
    bool good = series != NULL;

    for (size_t i = 0; good && i < sizeof names / sizeof names[0]; i++)
        good = ff_json_put(series, names[i], cJSON_CreateArray());
    for (uint32_t layer = 0; good && layer < layers; layer++)
        good = ff_json_append(cJSON_GetObjectItemCaseSensitive(series, "gaps"), cJSON_CreateArray());
    return ff_json_whole(series, good);
}

static ff_status gather(struct store *store, struct compared *compared, const struct run *run,
                        struct ff_error *error)
{
    compared->run = *run;
    compared->test_error = (double)NAN;
    compared->config = ff_config_to_json(run_config(run));
    compared->series = make_series(run->config.layer_count);
    if (compared->config == NULL || compared->series == NULL)
        return ff_fail_memory(error, "a comparison");
    if (store_read_epochs(store, run->id, 0, 0, take_epoch, compared, error) != FF_OK)
        return error->status;
    compared->run.last.test_error = compared->test_error; /* the table is to show the same */
    return compared->short_of_memory ? ff_fail_memory(error, "a comparison") : FF_OK;
}

struct comparison *comparison_create(struct store *store, const struct run *runs, size_t count,
                                     struct ff_error *error)
{
    struct comparison *comparison = calloc(1, sizeof *comparison + count * sizeof comparison->all[0]);

    if (comparison == NULL) {
        ff_fail_memory(error, "a comparison");
        return NULL;
    }
    for (; comparison->count < count; comparison->count++) {
        size_t i = comparison->count;
        if (gather(store, &comparison->all[i], &runs[i], error) != FF_OK) {
            comparison->count++; /* what it has so far goes too */
            comparison_destroy(comparison);
            return NULL;
        }
    }
    return comparison;
}

void comparison_destroy(struct comparison *comparison)
{
    if (comparison == NULL)
        return;
    for (size_t i = 0; i < comparison->count; i++) {
        cJSON_Delete(comparison->all[i].config);
        cJSON_Delete(comparison->all[i].series);
    }
    free(comparison);
}

/* --- settings ------------------------------------------------------------------------------------------------- */

static const cJSON *setting_of(const struct compared *compared, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(compared->config, name);
}

static bool differs(const struct comparison *comparison, const cJSON *setting)
{
    for (size_t i = 1; i < comparison->count; i++) {
        if (!cJSON_Compare(setting, setting_of(&comparison->all[i], setting->string), true))
            return true;
    }
    return false;
}

/* The first setting in which they differ, from `setting` on (all configurations have the same in one order); NULL
 * when there is none. */
static const cJSON *next_difference(const struct comparison *comparison, const cJSON *setting)
{
    while (setting != NULL && !differs(comparison, setting))
        setting = setting->next;
    return setting;
}

static const cJSON *first_difference(const struct comparison *comparison)
{
    return next_difference(comparison, comparison->count > 0 ? comparison->all[0].config->child : NULL);
}

/* --- JSON ----------------------------------------------------------------------------------------------------- */

static cJSON *setting_to_json(const struct comparison *comparison, const char *name)
{
    cJSON *json = cJSON_CreateObject(), *values = json != NULL ? cJSON_AddArrayToObject(json, "values") : NULL;
    bool good = values != NULL && ff_json_put(json, "name", cJSON_CreateString(name));

    for (size_t i = 0; good && i < comparison->count; i++)
        good = ff_json_append(values, cJSON_Duplicate(setting_of(&comparison->all[i], name), true));
    return ff_json_whole(json, good);
}

static cJSON *settings_to_json(const struct comparison *comparison)
{
    cJSON *json = cJSON_CreateArray();
    bool good = json != NULL;

    for (const cJSON *setting = first_difference(comparison); good && setting != NULL;
         setting = next_difference(comparison, setting->next))
        good = ff_json_append(json, setting_to_json(comparison, setting->string));
    return ff_json_whole(json, good);
}

static cJSON *compared_to_json(const struct compared *compared)
{
    const struct run *run = &compared->run;
    cJSON *json = cJSON_CreateObject();
    bool good = json != NULL && ff_json_put(json, "id", cJSON_CreateNumber((double)run->id)) &&
                ff_json_put(json, "name", cJSON_CreateString(run->name)) &&
                ff_json_put(json, "preset", run_text(run->preset)) &&
                ff_json_put(json, "state", cJSON_CreateString(run_state_name(run->state))) &&
                ff_json_put(json, "layers", cJSON_Duplicate(setting_of(compared, "layers"), true)) &&
                ff_json_put(json, "parameters", cJSON_CreateNumber((double)run->parameters)) &&
                ff_json_put(json, "epochs", cJSON_CreateNumber(compared->epochs)) &&
                ff_json_put(json, "test_error", run_number(compared->test_error)) &&
                ff_json_put(json, "accuracy", run_number(1 - compared->test_error)) &&
                ff_json_put(json, "best", run_best_to_json(run)) &&
                ff_json_put(json, "seconds", run_number(run->progress.elapsed)) &&
                ff_json_put(json, "evaluating", run_number(run->progress.evaluating)) &&
                ff_json_put(json, "series", cJSON_Duplicate(compared->series, true));
    return ff_json_whole(json, good);
}

cJSON *comparison_to_json(const struct comparison *comparison)
{
    cJSON *json = cJSON_CreateObject(), *runs = json != NULL ? cJSON_AddArrayToObject(json, "runs") : NULL;
    bool good = runs != NULL;

    for (size_t i = 0; good && i < comparison->count; i++)
        good = ff_json_append(runs, compared_to_json(&comparison->all[i]));
    return ff_json_whole(json, good && ff_json_put(json, "settings", settings_to_json(comparison)));
}

/* --- CSV ------------------------------------------------------------------------------------------------------ */

/* A field, in quotes where it needs them (RFC 4180). */
static void write_field(struct text *text, const char *field)
{
    if (strpbrk(field, ",\"\r\n") == NULL) {
        text_print(text, "%s", field);
        return;
    }
    text_print(text, "\"");
    for (; *field != '\0'; field++)
        text_print(text, *field == '"' ? "\"\"" : "%c", *field);
    text_print(text, "\"");
}

/* A text as it is, anything else as JSON. */
static void write_value(struct text *text, const cJSON *value)
{
    char *json = cJSON_IsString(value) ? NULL : cJSON_PrintUnformatted(value);

    write_field(text, cJSON_IsString(value) ? value->valuestring : json != NULL ? json : "");
    cJSON_free(json);
}

static void write_csv_row(const struct comparison *comparison, const struct compared *compared, struct text *text)
{
    const struct run *run = &compared->run;
    const double figures[] = {compared->test_error, 1 - compared->test_error,
                              run->best.epoch > 0 ? run->best.test_error : (double)NAN, run->progress.elapsed,
                              run->progress.evaluating};

    text_print(text, "%lld,", (long long)run->id);
    write_field(text, run->name);
    text_print(text, ",%s,%s,", run->preset, run_state_name(run->state));
    write_value(text, setting_of(compared, "layers"));
    text_print(text, ",%llu,%u", (unsigned long long)run->parameters, (unsigned)compared->epochs);
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
        text_print(text, ",");
        text_number(text, figures[i], "");
    }
    for (const cJSON *setting = first_difference(comparison); setting != NULL;
         setting = next_difference(comparison, setting->next)) {
        text_print(text, ",");
        write_value(text, setting_of(compared, setting->string));
    }
    text_print(text, "\n");
}

void comparison_write_csv(const struct comparison *comparison, struct text *text)
{
    text_print(text, "id,name,preset,state,layers,parameters,epochs,test_error,accuracy,best_test_error,seconds,"
                     "evaluating");
    for (const cJSON *setting = first_difference(comparison); setting != NULL;
         setting = next_difference(comparison, setting->next))
        text_print(text, ",config.%s", setting->string);
    text_print(text, "\n");
    for (size_t i = 0; i < comparison->count; i++)
        write_csv_row(comparison, &comparison->all[i], text);
}

/* --- text ----------------------------------------------------------------------------------------------------- */

void comparison_write_text(const struct comparison *comparison, struct text *text)
{
    const struct run *runs[COMPARED_MAX];

    for (size_t i = 0; i < comparison->count; i++)
        runs[i] = &comparison->all[i].run;
    if (text->stream != NULL)
        textlog_comparison(text->stream, runs, comparison->count);
}
