#include "run.h"

#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "timing.h"

static const char *const state_names[RUN_STATES] = {
    "queued", "running", "paused", "finished", "stopped", "failed", "interrupted",
};

const char *run_state_name(enum run_state state)
{
    return (unsigned)state < RUN_STATES ? state_names[state] : "unknown";
}

bool run_state_from_name(const char *name, enum run_state *state)
{
    for (int i = 0; i < RUN_STATES; i++) {
        if (strcmp(name, state_names[i]) == 0) {
            *state = (enum run_state)i;
            return true;
        }
    }
    return false;
}

bool run_state_is_final(enum run_state state)
{
    return state == RUN_FINISHED || state == RUN_STOPPED || state == RUN_FAILED || state == RUN_INTERRUPTED;
}

bool run_state_holds_trainer(enum run_state state)
{
    return state == RUN_RUNNING || state == RUN_PAUSED;
}

void run_place(struct run *run, struct ff_placement placement)
{
    run->placement = placement;
    if (run->config.rule == FF_BACKPROP && run->asked.stages > 1)
        run_add_warning(
            run, "%u stages were asked for, but backpropagation trains on one: its layers wait for those above",
            (unsigned)run->asked.stages);
}

void run_add_warning(struct run *run, const char *format, ...)
{
    char text[sizeof run->warnings[0]];
    va_list arguments;

    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length < 0 || run->warning_count >= RUN_WARNINGS_MAX)
        return;
    text_mend_cut(text);
    for (uint32_t i = 0; i < run->warning_count; i++) {
        if (strcmp(run->warnings[i], text) == 0)
            return;
    }
    memcpy(run->warnings[run->warning_count++], text, sizeof text);
}

void run_end(struct run *run, enum ff_outcome outcome, const char *sentence, int64_t date)
{
    static const enum run_state states[] = {[FF_FINISHED] = RUN_FINISHED,
                                            [FF_STOPPED] = RUN_STOPPED,
                                            [FF_FAILED] = RUN_FAILED,
                                            [FF_INTERRUPTED] = RUN_INTERRUPTED};

    run->state = states[outcome];
    run->pending = RUN_PENDING_NONE;
    run->ended = date;
    run->progress.remaining = outcome == FF_FINISHED ? 0 : (double)NAN;
    if (outcome == FF_FAILED || outcome == FF_INTERRUPTED)
        snprintf(run->reason, sizeof run->reason, "%s", sentence);
}

bool run_see_epoch(struct run *run, const struct ff_epoch *epoch)
{
    run->last = *epoch;
    if (isnan(epoch->test_error) || (run->best.epoch > 0 && epoch->test_error >= run->best.test_error))
        return false;
    run->best = (struct run_best){.test_error = epoch->test_error, .epoch = epoch->epoch};
    return true;
}

void run_stand(struct run *run, const struct ff_standing *standing)
{
    struct ff_progress *progress = &run->progress;
    uint64_t epoch_steps = progress->epochs > 0 ? progress->steps / progress->epochs : 0;

    progress->step = standing->step;
    progress->epoch = standing->epochs + (standing->step > standing->epochs * epoch_steps); /* inside of one */
    progress->elapsed = standing->training + standing->evaluating + standing->saving;
    progress->evaluating = standing->evaluating;
}

ff_status run_fits(const struct ff_config *config, const struct ff_dataset *dataset, struct ff_error *error)
{
    struct ff_problems problems = {0};

    if (ff_config_check(config, dataset, "", &problems))
        return FF_OK;
    return ff_fail(error, FF_INVALID, "%s %s%s", problems.problem[0].pointer + 1, problems.problem[0].detail,
                   problems.count > 1 ? " (and more)" : "");
}

const struct ff_config *run_config(const struct run *run)
{
    return run->changed ? &run->now : &run->config;
}

/* Numbers */

cJSON *run_figure(double value)
{
    char text[TEXT_FIGURE_MAX];

    if (!isfinite((float)value))
        return cJSON_CreateNull();
    text_of_figure((float)value, text);
    return cJSON_CreateRaw(text);
}

cJSON *run_number(double value)
{
    char text[TEXT_FIGURE_MAX];

    if (!isfinite(value))
        return cJSON_CreateNull();
    text_of_number(value, text);
    return cJSON_CreateRaw(text);
}

static cJSON *whole_number(uint64_t value)
{
    char text[24];

    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    return cJSON_CreateRaw(text);
}

cJSON *run_time(int64_t milliseconds)
{
    char text[TIMING_TEXT_MAX];

    if (milliseconds <= 0)
        return cJSON_CreateNull();
    timing_text(milliseconds, text);
    return cJSON_CreateString(text);
}

cJSON *run_text(const char *text)
{
    return text[0] != '\0' ? cJSON_CreateString(text) : cJSON_CreateNull();
}

/* Epochs */

static cJSON *layer_to_json(const struct ff_layer_figures *figures)
{
    cJSON *json = cJSON_CreateObject();
    bool good = json != NULL && ff_json_put(json, "positive", run_figure(figures->positive)) &&
                ff_json_put(json, "negative", run_figure(figures->negative)) &&
                ff_json_put(json, "gap", run_figure(figures->positive - figures->negative)) &&
                ff_json_put(json, "loss", run_figure(figures->loss)) &&
                ff_json_put(json, "accuracy", run_figure(figures->accuracy));
    return ff_json_whole(json, good);
}

cJSON *run_epoch_to_json(const struct ff_epoch *epoch)
{
    cJSON *json = cJSON_CreateObject();
    bool good = json != NULL && ff_json_put(json, "epoch", whole_number(epoch->epoch)) &&
                ff_json_put(json, "step", whole_number(epoch->step)) &&
                ff_json_put(json, "elapsed", run_number(epoch->elapsed)) &&
                ff_json_put(json, "evaluating", run_number(epoch->evaluating)) &&
                ff_json_put(json, "train_error", run_number(epoch->train_error)) &&
                ff_json_put(json, "test_error", run_number(epoch->test_error)) &&
                ff_json_put(json, "digest", run_text(epoch->digest));
    cJSON *layers = good ? cJSON_AddArrayToObject(json, "layers") : NULL;
    good = layers != NULL;
    for (uint32_t layer = 0; good && layer < epoch->layers; layer++)
        good = ff_json_append(layers, layer_to_json(&epoch->layer[layer]));
    return ff_json_whole(json, good);
}

/* Points */

/* A column of a layer: one figure of every point. `offset` is where the figure stands in ff_layer_figures. */
static cJSON *figure_column(const struct ff_point *points, size_t count, uint32_t layer, size_t offset)
{
    cJSON *column = cJSON_CreateArray();
    bool good = column != NULL;

    for (size_t i = 0; good && i < count; i++) {
        float value = NAN;
        if (layer < points[i].layers)
            memcpy(&value, (const char *)&points[i].layer[layer] + offset, sizeof value);
        good = ff_json_append(column, run_figure(value));
    }
    return ff_json_whole(column, good);
}

static cJSON *layer_columns(const struct ff_point *points, size_t count, uint32_t layer)
{
    static const struct {
        const char *name;
        size_t offset;
    } columns[] = {
        {"positive", offsetof(struct ff_layer_figures, positive)},
        {"negative", offsetof(struct ff_layer_figures, negative)},
        {"positive_low", offsetof(struct ff_layer_figures, positive_low)},
        {"positive_high", offsetof(struct ff_layer_figures, positive_high)},
        {"negative_low", offsetof(struct ff_layer_figures, negative_low)},
        {"negative_high", offsetof(struct ff_layer_figures, negative_high)},
        {"loss", offsetof(struct ff_layer_figures, loss)},
        {"accuracy", offsetof(struct ff_layer_figures, accuracy)},
    };
    cJSON *json = cJSON_CreateObject();
    bool good = json != NULL && ff_json_put(json, "layer", whole_number(layer));

    for (size_t i = 0; good && i < sizeof columns / sizeof columns[0]; i++)
        good = ff_json_put(json, columns[i].name, figure_column(points, count, layer, columns[i].offset));
    return ff_json_whole(json, good);
}

static cJSON *layers_to_json(const struct ff_point *points, size_t count)
{
    cJSON *layers = cJSON_CreateArray();
    uint32_t layer_count = count > 0 ? points[0].layers : 0;
    bool good = layers != NULL;

    for (uint32_t layer = 0; good && layer < layer_count; layer++)
        good = ff_json_append(layers, layer_columns(points, count, layer));
    return ff_json_whole(layers, good);
}

size_t run_event_points(uint32_t layers)
{
    enum { LAYER_POINTS_MAX = 1024 };

    return layers * RUN_EVENT_POINTS_MAX > LAYER_POINTS_MAX ? LAYER_POINTS_MAX / layers : RUN_EVENT_POINTS_MAX;
}

cJSON *run_points_to_json(const struct ff_point *points, size_t count)
{
    cJSON *json = cJSON_CreateObject();
    cJSON *steps = json != NULL ? cJSON_AddArrayToObject(json, "steps") : NULL;
    cJSON *epochs = json != NULL ? cJSON_AddArrayToObject(json, "epochs") : NULL;
    cJSON *elapsed = json != NULL ? cJSON_AddArrayToObject(json, "elapsed") : NULL;
    bool good = steps != NULL && epochs != NULL && elapsed != NULL;

    for (size_t i = 0; good && i < count; i++) {
        good = ff_json_append(steps, whole_number(points[i].step)) &&
               ff_json_append(epochs, run_number(points[i].epoch)) &&
               ff_json_append(elapsed, run_number(points[i].elapsed));
    }
    good = good && ff_json_put(json, "layers", layers_to_json(points, count));
    return ff_json_whole(json, good);
}

char *run_event_text(int64_t run, cJSON *json)
{
    char *object = json != NULL ? cJSON_PrintUnformatted(json) : NULL;
    size_t size = object != NULL ? strlen(object) + 40 : 0;
    char *text = object != NULL ? malloc(size) : NULL;

    if (text != NULL)
        snprintf(text, size, "{\"run\":%lld%s%s", (long long)run, object[1] != '}' ? "," : "", object + 1);
    cJSON_free(object);
    cJSON_Delete(json);
    return text;
}

/* The run */

static cJSON *progress_to_json(const struct ff_progress *progress)
{
    cJSON *json = cJSON_CreateObject();
    bool good = json != NULL && ff_json_put(json, "epoch", whole_number(progress->epoch)) &&
                ff_json_put(json, "epochs", whole_number(progress->epochs)) &&
                ff_json_put(json, "step", whole_number(progress->step)) &&
                ff_json_put(json, "steps", whole_number(progress->steps)) &&
                ff_json_put(json, "elapsed", run_number(progress->elapsed)) &&
                ff_json_put(json, "remaining", run_number(progress->remaining)) &&
                ff_json_put(json, "samples_per_second", run_number(progress->samples_per_second)) &&
                ff_json_put(json, "evaluating", run_number(progress->evaluating));
    return ff_json_whole(json, good);
}

cJSON *run_best_to_json(const struct run *run)
{
    if (run->best.epoch == 0)
        return cJSON_CreateNull();
    cJSON *json = cJSON_CreateObject();
    bool good = json != NULL && ff_json_put(json, "test_error", run_number(run->best.test_error)) &&
                ff_json_put(json, "epoch", whole_number(run->best.epoch));
    return ff_json_whole(json, good);
}

/* Of a run whose stages are processes of their own. */
static bool put_ranks(cJSON *json, const struct ff_progress *progress)
{
    return ff_json_put(json, "ranks", whole_number(progress->ranks)) &&
           ff_json_put(json, "bytes_per_sample", run_number(round(progress->bytes_per_sample)));
}

/* What was chosen once it was, else what was asked for: a part that is left to choose is left out. */
static cJSON *placement_to_json(const struct run *run)
{
    struct ff_placement placement = run->placement.stages > 0 ? run->placement : run->asked;

    if (placement.stages == 0 && placement.threads == 0)
        return cJSON_CreateString("auto");
    cJSON *json = cJSON_CreateObject();
    bool good = json != NULL &&
                (placement.stages == 0 || ff_json_put(json, "stages", whole_number(placement.stages))) &&
                (placement.threads == 0 || ff_json_put(json, "threads", whole_number(placement.threads))) &&
                (run->progress.ranks == 0 || put_ranks(json, &run->progress));
    return ff_json_whole(json, good);
}

cJSON *run_texts(const char *texts, size_t size, uint32_t count)
{
    cJSON *json = cJSON_CreateArray();
    bool good = json != NULL;

    for (uint32_t i = 0; good && i < count; i++)
        good = ff_json_append(json, cJSON_CreateString(texts + i * size));
    return ff_json_whole(json, good);
}

static cJSON *pending_to_json(enum run_pending pending)
{
    switch (pending) {
    case RUN_PENDING_PAUSE:
        return cJSON_CreateString("pause");
    case RUN_PENDING_RESUME:
        return cJSON_CreateString("resume");
    case RUN_PENDING_STOP:
        return cJSON_CreateString("stop");
    case RUN_PENDING_NONE:
        break;
    }
    return cJSON_CreateNull();
}

static bool put_identity(cJSON *json, const struct run *run)
{
    return ff_json_put(json, "id", whole_number((uint64_t)run->id)) &&
           ff_json_put(json, "name", cJSON_CreateString(run->name)) &&
           ff_json_put(json, "notes", cJSON_CreateString(run->notes)) &&
           ff_json_put(json, "tags", run_texts(run->tags[0], sizeof run->tags[0], run->tag_count)) &&
           ff_json_put(json, "preset", run_text(run->preset));
}

static bool put_state(cJSON *json, const struct run *run)
{
    return ff_json_put(json, "state", cJSON_CreateString(run_state_name(run->state))) &&
           ff_json_put(json, "pending", pending_to_json(run->pending)) &&
           ff_json_put(json, "reason", run_text(run->reason)) &&
           ff_json_put(json, "created", run_time(run->created)) &&
           ff_json_put(json, "started", run_time(run->started)) &&
           ff_json_put(json, "ended", run_time(run->ended)) &&
           ff_json_put(json, "progress", progress_to_json(&run->progress));
}

static cJSON *last_to_json(const struct run *run)
{
    return run->last.epoch > 0 ? run_epoch_to_json(&run->last) : cJSON_CreateNull();
}

static bool put_results(cJSON *json, const struct run *run)
{
    return ff_json_put(json, "best", run_best_to_json(run)) && ff_json_put(json, "last", last_to_json(run));
}

/* Changes */

cJSON *run_change_to_json(uint64_t step, const struct ff_config *from, const struct ff_config *to)
{
    cJSON *json = cJSON_CreateObject(), *differences = ff_config_difference(from, to);
    bool good = json != NULL && differences != NULL && ff_json_put(json, "step", whole_number(step));

    while (good && differences->child != NULL) {
        char name[64];
        cJSON *pair = cJSON_DetachItemViaPointer(differences, differences->child);
        snprintf(name, sizeof name, "%s", pair->string);
        good = cJSON_AddItemToObject(json, name, pair);
    }
    cJSON_Delete(differences);
    return ff_json_whole(json, good);
}

/* "[…]", and one element more; false when it does not fit. */
static bool append_element(char *array, size_t size, const char *element)
{
    size_t length = strlen(array), added = strlen(element);

    if (length + added + 3 > size)
        return false;
    array[length > 0 ? length - 1 : 0] = length > 0 ? ',' : '[';
    length += length == 0;
    snprintf(array + length, size - length, "%s]", element);
    return true;
}

bool run_turn(struct run *run, uint64_t step, const struct ff_config *to)
{
    cJSON *json = run_change_to_json(step, run_config(run), to);
    char *text = json != NULL ? cJSON_PrintUnformatted(json) : NULL;
    bool good = text != NULL && append_element(run->changes, sizeof run->changes, text);

    cJSON_free(text);
    cJSON_Delete(json);
    run->now = *to;
    run->changed = true;
    return good;
}

static cJSON *changes_to_json(const struct run *run)
{
    return run->changes[0] != '\0' ? cJSON_CreateRaw(run->changes) : cJSON_CreateArray();
}

static cJSON *checkpoint_to_json(const struct run_checkpoint *checkpoint)
{
    if (checkpoint->written == 0)
        return cJSON_CreateNull();
    cJSON *json = cJSON_CreateObject();
    bool good = json != NULL && ff_json_put(json, "step", whole_number(checkpoint->step)) &&
                ff_json_put(json, "epoch", whole_number(checkpoint->epochs)) &&
                ff_json_put(json, "bytes", whole_number(checkpoint->bytes)) &&
                ff_json_put(json, "written", run_time(checkpoint->written));
    return ff_json_whole(json, good);
}

static bool put_setup(cJSON *json, const struct run *run)
{
    return ff_json_put(json, "config", ff_config_to_json(run_config(run))) &&
           ff_json_put(json, "changes", changes_to_json(run)) &&
           ff_json_put(json, "checkpoint", checkpoint_to_json(&run->checkpoint)) &&
           ff_json_put(json, "placement", placement_to_json(run)) &&
           ff_json_put(json, "parameters", whole_number(run->parameters)) &&
           ff_json_put(json, "warnings", run_texts(run->warnings[0], sizeof run->warnings[0], run->warning_count));
}

cJSON *run_to_json(const struct run *run)
{
    cJSON *json = cJSON_CreateObject();
    bool good = json != NULL && put_identity(json, run) && put_state(json, run) && put_results(json, run) &&
                put_setup(json, run);

    return ff_json_whole(json, good);
}
