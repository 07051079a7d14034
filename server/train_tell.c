#include "train_tell.h"

#include <stdio.h>

#include "blas.h"
#include "machine.h"
#include "train_input.h"

const struct ff_standing *train_standing(const struct training *training)
{
    return &ff_checkpoint_about(training->beginning)->standing;
}

/* Every print here is between train_watch_pause and train_watch_go_on, which keep the progress line out. */
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

void train_tell_points(void *self, const struct ff_point *points, size_t count)
{
    struct training *training = self;

    if (training->options->text)
        return;
    train_watch_pause(training->watch);
    print_event("points", training->run.id, run_points_to_json(points, count));
    train_watch_go_on(training->watch);
}

void train_tell_epoch(void *self, const struct ff_epoch *epoch)
{
    struct training *training = self;

    run_see_epoch(&training->run, epoch);
    train_watch_pause(training->watch);
    if (training->options->text) {
        textlog_epoch(stdout, &training->run.config, epoch);
        fflush(stdout);
    } else {
        print_event("epoch", training->run.id, run_epoch_to_json(epoch));
    }
    train_watch_go_on(training->watch);
}

/* The run, and where it goes on. */
static cJSON *start_json(const struct training *training)
{
    cJSON *json = run_to_json(&training->run), *resumed;
    bool whole;

    if (json == NULL || training->beginning == NULL)
        return json;
    resumed = cJSON_CreateObject();
    whole = ff_json_put(resumed, "checkpoint", cJSON_CreateString(training->options->resume)) &&
            ff_json_put(resumed, "step", run_number((double)train_standing(training)->step)) &&
            ff_json_put(resumed, "epoch", run_number(train_standing(training)->epochs));
    whole = ff_json_put(json, "resumed", resumed) && whole;
    return ff_json_whole(json, whole);
}

static void print_header(const struct training *training, const struct ff_dataset *dataset)
{
    char processor[128], machine[256];

    machine_processor(processor, sizeof processor);
    snprintf(machine, sizeof machine, "%s, processors %u, BLAS kernel %s, goodness %s", processor,
             machine_processors(), ff_blas_kernel(), GOODNESS_VERSION);
    textlog_header(stdout, &training->run, dataset, machine);
}

void train_tell_start(const struct training *training, const struct ff_dataset *dataset)
{
    train_watch_pause(training->watch);
    if (training->options->text) {
        if (training->run.id > 1)
            putchar('\n');
        print_header(training, dataset);
        if (training->beginning != NULL)
            textlog_resumed(stdout, training->options->resume, train_standing(training));
        fflush(stdout);
    } else {
        print_event("start", training->run.id, start_json(training));
    }
    train_watch_go_on(training->watch);
}

void train_tell_end(const struct training *training, const char *trouble)
{
    train_watch_pause(training->watch);
    if (training->options->text) {
        textlog_end(stdout, &training->run, &training->evaluation);
        fflush(stdout);
    } else {
        print_event("end", training->run.id, run_to_json(&training->run));
    }
    if (training->run.state == RUN_FAILED || training->run.state == RUN_INTERRUPTED)
        train_complain(training->run.name, training->run.reason);
    if (trouble != NULL)
        train_complain(training->run.name, trouble);
    train_watch_go_on(training->watch);
}
