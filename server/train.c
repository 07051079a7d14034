#include "train.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "blas_check.h"
#include "catalog.h"
#include "json.h"
#include "plan.h"
#include "preset.h"
#include "run.h"
#include "run_request.h"
#include "signals.h"
#include "textlog.h"
#include "train_watch.h"

enum { FILE_MAX = 1 << 20, DONE = 0, TROUBLE = 1 };

/* A run, and what its observer keeps while it trains. */
struct training {
    struct run run;
    struct textlog_evaluation evaluation;
    bool text;
    struct train_watch *watch;
};

struct train {
    const struct options *options;
    struct catalog *catalog;
    struct train_watch *watch;
    struct training *trainings; /* [count] */
    size_t count, ended;
};

static void complain(const char *what, const char *sentence)
{
    fprintf(stderr, "goodness train: %s%s%s\n", what == NULL ? "" : what, what == NULL ? "" : ": ", sentence);
}

static int64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_REALTIME, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Reading what is to be trained */

/* All of a stream, at most FILE_MAX bytes, in new memory. NULL and `error`. */
static char *read_stream(FILE *file, const char *name, size_t *length, struct ff_error *error)
{
    char *text = malloc(FILE_MAX + 1);

    if (text == NULL) {
        ff_fail_memory(error, "reading a run");
        return NULL;
    }
    *length = fread(text, 1, FILE_MAX + 1, file);
    if (ferror(file))
        ff_fail(error, FF_IO, "%s cannot be read: %s", name, strerror(errno));
    else if (*length > FILE_MAX)
        ff_fail(error, FF_INVALID, "%s is longer than 1 MiB, which no run is", name);
    else
        return text;
    free(text);
    return NULL;
}

static cJSON *read_json(const char *operand, struct ff_error *error)
{
    bool standard = strcmp(operand, "-") == 0;
    const char *name = standard ? "standard input" : operand;
    FILE *file = standard ? stdin : fopen(operand, "rb");
    struct ff_error cause;
    size_t length;
    char *text;
    cJSON *json;

    if (file == NULL) {
        ff_fail(error, FF_IO, "%s cannot be opened: %s", name, strerror(errno));
        return NULL;
    }
    text = read_stream(file, name, &length, error);
    if (!standard)
        fclose(file);
    if (text == NULL)
        return NULL;
    json = json_parse_strict(text, length, &cause);
    if (json == NULL)
        ff_fail(error, cause.status, "%s: %s", name, cause.message);
    free(text);
    return json;
}

/* {"preset": operand}, or NULL when the operand is no preset's name. */
static cJSON *preset_request(const char *operand, struct ff_error *error)
{
    cJSON *json;

    if (ff_preset_find(operand) == NULL)
        return NULL;
    json = cJSON_CreateObject();
    if (json == NULL || cJSON_AddStringToObject(json, "preset", operand) == NULL) {
        cJSON_Delete(json);
        ff_fail_memory(error, "a run");
        return NULL;
    }
    return json;
}

static bool looks_like_a_file(const char *operand)
{
    FILE *file;

    if (strcmp(operand, "-") == 0 || strpbrk(operand, "/.") != NULL)
        return true;
    file = fopen(operand, "rb");
    if (file != NULL)
        fclose(file);
    return file != NULL;
}

static void fail_operand(const char *operand, struct ff_error *error)
{
    const char *names[OPTIONS_LIST_MAX + 1] = {NULL}, *nearest;
    size_t count;
    const struct ff_preset *presets = ff_presets(&count);

    for (size_t i = 0; i < count && i < OPTIONS_LIST_MAX; i++)
        names[i] = presets[i].name;
    nearest = ff_nearest_name(operand, names);
    ff_fail(error, FF_NOT_FOUND, "%s is neither a preset nor a file%s%s%s", operand,
            nearest == NULL ? "" : "; did you mean \"", nearest == NULL ? "" : nearest,
            nearest == NULL ? "" : "\"?");
}

static cJSON *request_of(const char *operand, struct ff_error *error)
{
    cJSON *json;

    error->status = FF_OK;
    json = preset_request(operand, error);
    if (json != NULL || error->status != FF_OK)
        return json;
    if (looks_like_a_file(operand))
        return read_json(operand, error);
    fail_operand(operand, error);
    return NULL;
}

static void complain_problems(const char *operand, const struct ff_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++)
        fprintf(stderr, "goodness train: %s: %s: %s\n", strcmp(operand, "-") == 0 ? "standard input" : operand,
                problems->problem[i].pointer, problems->problem[i].detail);
}

static void name_run(struct run *run)
{
    if (run->name[0] != '\0')
        return;
    snprintf(run->name, sizeof run->name, "%s%s%s", run->config.dataset, run->preset[0] == '\0' ? "" : " ",
             run->preset);
}

/* Read one operand into a run. The configuration is checked against itself here, against the data set later. */
static bool prepare(struct train *train, const char *operand, struct training *training)
{
    struct run *run = &training->run;
    struct ff_problems *problems;
    struct ff_error error;
    cJSON *json = request_of(operand, &error);
    bool good;

    if (json == NULL) {
        complain(NULL, error.message);
        return false;
    }
    problems = calloc(1, sizeof *problems);
    good = problems != NULL && run_request_parse(json, run, problems) &&
           ff_config_check(&run->config, NULL, "/config", problems);
    cJSON_Delete(json);
    if (problems == NULL)
        complain(operand, "not enough memory for a run");
    else
        complain_problems(operand, problems);
    free(problems);
    if (!good)
        return false;
    run->id = training - train->trainings + 1;
    if (run->asked.stages == 0)
        run->asked.stages = train->options->placement.stages;
    if (run->asked.threads == 0)
        run->asked.threads = train->options->placement.threads;
    name_run(run);
    training->text = train->options->text;
    training->watch = train->watch;
    return true;
}

/* Telling: every function here is between train_watch_pause and train_watch_go_on, which keep the progress line
 * out. */

static void print_event(const char *event, int64_t run, cJSON *json)
{
    char *text = json == NULL ? NULL : cJSON_PrintUnformatted(json);

    if (text == NULL)
        fprintf(stderr, "goodness train: an event was left out for lack of memory\n");
    else
        printf("{\"event\":\"%s\",\"run\":%lld,%s\n", event, (long long)run, text + 1);
    fflush(stdout);
    cJSON_free(text);
    cJSON_Delete(json);
}

static void tell_points(void *self, const struct ff_point *points, size_t count)
{
    struct training *training = self;

    if (training->text)
        return;
    train_watch_pause(training->watch);
    print_event("points", training->run.id, run_points_to_json(points, count));
    train_watch_go_on(training->watch);
}

static void keep_epoch(struct run *run, const struct ff_epoch *epoch)
{
    run->last = *epoch;
    if (!isnan(epoch->test_error) && (run->best.epoch == 0 || epoch->test_error < run->best.test_error)) {
        run->best.test_error = epoch->test_error;
        run->best.epoch = epoch->epoch;
    }
}

static void tell_epoch(void *self, const struct ff_epoch *epoch)
{
    struct training *training = self;

    keep_epoch(&training->run, epoch);
    train_watch_pause(training->watch);
    if (training->text) {
        textlog_epoch(stdout, &training->run.config, epoch);
        fflush(stdout);
    } else {
        print_event("epoch", training->run.id, run_epoch_to_json(epoch));
    }
    train_watch_go_on(training->watch);
}

static void keep_evaluation(void *self, const struct ff_evaluation *evaluation)
{
    struct training *training = self;

    textlog_keep_evaluation(&training->evaluation, evaluation);
}

/* Nothing here pauses a run. */
static void ignore_pause(void *self)
{
    (void)self;
}

static void tell_start(const struct training *training, const struct ff_dataset *dataset)
{
    train_watch_pause(training->watch);
    if (training->text) {
        if (training->run.id > 1)
            putchar('\n');
        textlog_header(stdout, &training->run, dataset);
        fflush(stdout);
    } else {
        print_event("start", training->run.id, run_to_json(&training->run));
    }
    train_watch_go_on(training->watch);
}

static void tell_end(const struct training *training)
{
    train_watch_pause(training->watch);
    if (training->text) {
        textlog_end(stdout, &training->run, &training->evaluation);
        fflush(stdout);
    } else {
        print_event("end", training->run.id, run_to_json(&training->run));
    }
    if (training->run.state == RUN_FAILED)
        complain(training->run.name, training->run.reason);
    train_watch_go_on(training->watch);
}

/* Training */

static void take_outcome(struct run *run, enum ff_outcome outcome, const struct ff_error *error)
{
    run->ended = now();
    switch (outcome) {
    case FF_FINISHED:
        run->state = RUN_FINISHED;
        break;
    case FF_STOPPED:
        run->state = RUN_STOPPED;
        break;
    case FF_FAILED:
        run->state = RUN_FAILED;
        snprintf(run->reason, sizeof run->reason, "%s", error->message);
        break;
    }
}

static bool train_on(struct training *training, const struct ff_dataset *dataset, struct ff_error *error)
{
    const struct ff_observer observer = {.self = training,
                                         .points = tell_points,
                                         .epoch = tell_epoch,
                                         .evaluation = keep_evaluation,
                                         .paused = ignore_pause,
                                         .resumed = ignore_pause};
    struct run *run = &training->run;
    struct ff_trainer *trainer = ff_trainer_create(&run->config, dataset, run->asked, &observer, error);

    if (trainer == NULL) {
        complain(run->name, error->message);
        return false;
    }
    run->created = run->started = now();
    run->state = RUN_RUNNING;
    run->placement = ff_trainer_placement(trainer);
    run->parameters = ff_trainer_parameters(trainer);
    ff_trainer_progress(trainer, &run->progress);
    tell_start(training, dataset);
    train_watch_begin(training->watch, trainer, run->name);
    take_outcome(run, ff_trainer_run(trainer, error), error);
    train_watch_end(training->watch);
    ff_trainer_progress(trainer, &run->progress);
    ff_trainer_destroy(trainer);
    tell_end(training);
    return run->state == RUN_FINISHED;
}

static bool fits(const struct training *training, const char *operand, const struct ff_dataset *dataset)
{
    struct ff_problems *problems = calloc(1, sizeof *problems);
    bool good = problems != NULL && ff_config_check(&training->run.config, dataset, "/config", problems);

    if (problems != NULL)
        complain_problems(operand, problems);
    free(problems);
    return good;
}

static bool train_one(struct train *train, size_t index)
{
    struct training *training = &train->trainings[index];
    struct ff_error error;
    const struct ff_dataset *dataset = catalog_acquire(train->catalog, training->run.config.dataset, &error);
    bool good;

    if (dataset == NULL) {
        complain(training->run.name, error.message);
        return false;
    }
    good = fits(training, train->options->runs.values[index], dataset) && train_on(training, dataset, &error);
    catalog_release(train->catalog, dataset);
    return good;
}

static int compare_and_close(struct train *train)
{
    const struct run *runs[OPTIONS_LIST_MAX];

    for (size_t i = 0; i < train->ended; i++)
        runs[i] = &train->trainings[i].run;
    if (train->options->text && train->ended > 1)
        textlog_comparison(stdout, runs, train->ended);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        complain(NULL, "standard output could not be written; the log is not whole");
        return TROUBLE;
    }
    return DONE;
}

static int train_all(struct train *train)
{
    int status = DONE;

    for (size_t i = 0; i < train->count; i++)
        if (!prepare(train, train->options->runs.values[i], &train->trainings[i]))
            return TROUBLE; /* before anything is trained: a mistake in the last file must not cost the hours of the
                               first */
    for (size_t i = 0; i < train->count && status == DONE; i++) {
        if (signals_came() || !train_one(train, i))
            status = TROUBLE;
        train->ended += train->trainings[i].run.ended > 0;
    }
    return compare_and_close(train) == DONE ? status : TROUBLE;
}

static ff_status open_all(struct train *train, struct ff_error *error)
{
    signals_take();
    if (blas_check(error) != FF_OK)
        return error->status;
    train->trainings = calloc(train->count, sizeof *train->trainings);
    if (train->trainings == NULL)
        return ff_fail_memory(error, "the runs");
    train->catalog = catalog_create(error);
    if (train->catalog == NULL)
        return error->status;
    for (size_t i = 0; i < train->options->data.count; i++)
        if (catalog_add(train->catalog, train->options->data.values[i], error) != FF_OK)
            return error->status;
    train->watch = train_watch_create(error);
    return train->watch == NULL ? error->status : FF_OK;
}

int train_command(const struct options *options)
{
    struct train train = {.options = options, .count = options->runs.count};
    struct ff_error error;
    int status = TROUBLE;

    if (open_all(&train, &error) == FF_OK)
        status = train_all(&train);
    else
        complain(NULL, error.message);
    train_watch_destroy(train.watch);
    catalog_destroy(train.catalog);
    free(train.trainings);
    return status;
}
