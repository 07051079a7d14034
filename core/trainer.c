#include "trainer.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "channel.h"
#include "plan.h"
#include "sink.h"
#include "source.h"
#include "stage.h"

struct ff_trainer;

/* A stage with its place in the line. */
struct station {
    struct ff_trainer *trainer;
    struct ff_stage *stage;
    struct ff_channel *in;  /* from the source or the stage before; NULL in a line of one stage */
    struct ff_channel *out; /* to the next stage or the sink */
    pthread_t thread;
};

struct ff_trainer {
    struct ff_plan plan;
    struct ff_observer observer;
    struct ff_placement placement;
    struct ff_source *source;
    struct ff_sink *sink;
    struct ff_pool *pool;
    struct station *stations; /* [placement.stages] */
    uint32_t stations_made, threads_started;
    struct ff_channel *
        *channels; /* [placement.stages + 1]: into every stage, and into the sink; of a line of one: none */

    pthread_mutex_t mutex; /* guards the requests and the failure */
    pthread_cond_t asked;
    bool pause, stop;
    bool exhausted; /* the source has nothing more: only the feeding thread writes and reads it */
    bool failed;
    struct ff_error error;
};

/* --- making a line
 * ------------------------------------------------------------------------------------------------------- */

uint64_t ff_parameter_count(const struct ff_config *config, const struct ff_dataset *dataset)
{
    struct ff_plan plan;

    ff_plan_make(&plan, config, dataset);
    return plan.parameters;
}

/* Layers cost what their two products cost: rows x inputs x units, layer 0 per image. */
static double layer_cost(const struct ff_plan *plan, uint32_t layer)
{
    double rows = layer == 0 ? 1 : plan->rows_per_image;

    return rows * plan->layer[layer].inputs * plan->layer[layer].units;
}

/* How many layers, from `first` on, the next of `stages` stages takes: about its share of the cost that is left,
 * and at least one for each stage to come. */
static uint32_t share_of_layers(const struct ff_plan *plan, uint32_t first, uint32_t stages)
{
    double left = 0, taken = 0;
    uint32_t count = 0;

    for (uint32_t i = first; i < plan->layers; i++)
        left += layer_cost(plan, i);
    do {
        taken += layer_cost(plan, first + count++);
    } while (plan->layers - first - count > stages - 1 &&
             (stages == 1 || taken + layer_cost(plan, first + count) / 2 < left / stages));
    return count;
}

static bool make_stations(struct ff_trainer *trainer, struct ff_error *error)
{
    uint32_t stages = trainer->placement.stages, first = 0;

    trainer->stations = calloc(stages, sizeof *trainer->stations);
    if (trainer->stations == NULL)
        return ff_fail_memory(error, "the stages") == FF_OK;
    for (; trainer->stations_made < stages; trainer->stations_made++) {
        struct station *station = &trainer->stations[trainer->stations_made];
        uint32_t count = share_of_layers(&trainer->plan, first, stages - trainer->stations_made);

        station->trainer = trainer;
        station->stage = ff_stage_create(&trainer->plan, first, count, trainer->placement.threads, error);
        if (station->stage == NULL)
            return false;
        first += count;
    }
    return true;
}

static bool make_channels(struct ff_trainer *trainer, struct ff_error *error)
{
    uint32_t count = trainer->placement.stages + 1;

    if (trainer->placement.stages == 1)
        return true;
    trainer->channels = calloc(count, sizeof(struct ff_channel *));
    for (uint32_t i = 0; trainer->channels != NULL && i < count; i++) {
        if ((trainer->channels[i] = ff_channel_create(2, error)) == NULL)
            return false;
    }
    if (trainer->channels == NULL)
        return ff_fail_memory(error, "the channels") == FF_OK;
    for (uint32_t i = 0; i < trainer->placement.stages; i++) {
        trainer->stations[i].in = trainer->channels[i];
        trainer->stations[i].out = trainer->channels[i + 1];
    }
    return true;
}

/* One stage, with a thread for every processor, unless told otherwise; never more stages than layers. */
static struct ff_placement choose_placement(struct ff_placement placement, uint32_t layers)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    if (placement.stages == 0)
        placement.stages = 1;
    if (placement.stages > layers)
        placement.stages = layers;
    if (placement.threads == 0)
        placement.threads = (uint32_t)(processors > (long)placement.stages ? processors / placement.stages : 1);
    return placement;
}

/* Linux hands out memory that is not there and kills later; so what cannot fit is refused before. */
static ff_status check_memory(const struct ff_plan *plan, uint32_t messages, struct ff_error *error)
{
    double copies = plan->config.optimizer == FF_ADAM ? 3 : plan->config.optimizer == FF_MOMENTUM ? 2 : 1;
    double needed = 4 * ((double)plan->parameters * copies + (double)plan->capacity * (messages + 1));
    double there = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);

    if (needed < 0.9 * there)
        return FF_OK;
    return ff_fail(error, FF_NO_MEMORY,
                   "the run needs %.1f GB and this machine has %.1f GB; make layers or batch_size smaller",
                   needed / 1e9, there / 1e9);
}

static bool make_line(struct ff_trainer *trainer, const struct ff_dataset *dataset, struct ff_error *error)
{
    uint32_t stages = trainer->placement.stages, messages = stages == 1 ? 1 : 2 * stages + 1;

    if (check_memory(&trainer->plan, messages, error) != FF_OK || !make_stations(trainer, error) ||
        !make_channels(trainer, error))
        return false;
    trainer->source = ff_source_create(&trainer->plan, dataset, error);
    trainer->sink = trainer->source ? ff_sink_create(&trainer->plan, &trainer->observer, error) : NULL;
    trainer->pool = trainer->sink ? ff_pool_create(&trainer->plan, messages, error) : NULL;
    return trainer->pool != NULL;
}

struct ff_trainer *ff_trainer_create(const struct ff_config *config, const struct ff_dataset *dataset,
                                     struct ff_placement placement, const struct ff_observer *observer,
                                     struct ff_error *error)
{
    struct ff_trainer *trainer = calloc(1, sizeof *trainer);

    if (trainer == NULL) {
        ff_fail_memory(error, "a run");
        return NULL;
    }
    pthread_mutex_init(&trainer->mutex, NULL);
    pthread_cond_init(&trainer->asked, NULL);
    ff_plan_make(&trainer->plan, config, dataset);
    trainer->observer = *observer;
    trainer->placement = choose_placement(placement, config->layer_count);
    if (!make_line(trainer, dataset, error)) {
        ff_trainer_destroy(trainer);
        return NULL;
    }
    return trainer;
}

/* --- requests
 * ----------------------------------------------------------------------------------------------------------------
 */

static void ask(struct ff_trainer *trainer, bool *what, bool value)
{
    pthread_mutex_lock(&trainer->mutex);
    *what = value;
    pthread_cond_broadcast(&trainer->asked);
    pthread_mutex_unlock(&trainer->mutex);
}

void ff_trainer_pause(struct ff_trainer *trainer)
{
    ask(trainer, &trainer->pause, true);
}

void ff_trainer_resume(struct ff_trainer *trainer)
{
    ask(trainer, &trainer->pause, false);
}

void ff_trainer_stop(struct ff_trainer *trainer)
{
    ask(trainer, &trainer->stop, true);
}

/* Stand still: what is under way arrives, the observer hears of it, and nothing goes on until another request. */
static void stand_still(struct ff_trainer *trainer)
{
    ff_pool_wait_all(trainer->pool);
    ff_sink_stop_clock(trainer->sink);
    if (trainer->observer.paused != NULL)
        trainer->observer.paused(trainer->observer.self);
    pthread_mutex_lock(&trainer->mutex);
    while (trainer->pause && !trainer->stop)
        pthread_cond_wait(&trainer->asked, &trainer->mutex);
    pthread_mutex_unlock(&trainer->mutex);
    ff_sink_start_clock(trainer->sink);
}

/* Before every message: whether the line goes on. A pause is waited out here. */
static bool goes_on(struct ff_trainer *trainer)
{
    bool pause, stop, failed;

    for (;;) {
        pthread_mutex_lock(&trainer->mutex);
        pause = trainer->pause;
        stop = trainer->stop;
        failed = trainer->failed;
        pthread_mutex_unlock(&trainer->mutex);
        if (stop || failed || !pause)
            return !stop && !failed;
        stand_still(trainer);
        pthread_mutex_lock(&trainer->mutex);
        stop = trainer->stop;
        pthread_mutex_unlock(&trainer->mutex);
        if (!stop && trainer->observer.resumed != NULL)
            trainer->observer.resumed(trainer->observer.self);
    }
}

/* --- the line at work
 * ---------------------------------------------------------------------------------------------------------- */

/* The sink takes a message and returns it to the pool. After a failure the rest only flows through. */
static void arrive(struct ff_trainer *trainer, struct ff_message *message)
{
    struct ff_error error;

    if (!trainer->failed && ff_sink_handle(trainer->sink, message, &error) != FF_OK) {
        pthread_mutex_lock(&trainer->mutex);
        trainer->error = error;
        trainer->failed = true; /* only this thread writes it */
        pthread_mutex_unlock(&trainer->mutex);
    }
    ff_pool_return(trainer->pool, message);
}

/* One stage: source, stage and sink take turns on this thread. */
static void run_alone(struct ff_trainer *trainer)
{
    while (goes_on(trainer)) {
        struct ff_message *message = ff_pool_take(trainer->pool);

        trainer->exhausted = !ff_source_next(trainer->source, message);
        if (trainer->exhausted) {
            ff_pool_return(trainer->pool, message);
            return;
        }
        ff_stage_handle(trainer->stations[0].stage, message);
        arrive(trainer, message);
    }
}

static void *run_station(void *self)
{
    struct station *station = self;
    struct ff_message *message;

    while ((message = ff_channel_receive(station->in)) != NULL) {
        ff_stage_handle(station->stage, message);
        ff_channel_send(station->out, message);
    }
    ff_channel_close(station->out);
    return NULL;
}

static void *run_sink(void *self)
{
    struct ff_trainer *trainer = self;
    struct ff_message *message;

    while ((message = ff_channel_receive(trainer->channels[trainer->placement.stages])) != NULL)
        arrive(trainer, message);
    return NULL;
}

static void feed(struct ff_trainer *trainer)
{
    while (goes_on(trainer)) {
        struct ff_message *message = ff_pool_take(trainer->pool);

        trainer->exhausted = !ff_source_next(trainer->source, message);
        if (trainer->exhausted) {
            ff_pool_return(trainer->pool, message);
            return;
        }
        ff_channel_send(trainer->channels[0], message);
    }
}

/* Several stages: a thread for each, one for the sink, and the source on this one. Closing the first channel lets
 * everything under way arrive, stage after stage. */
static ff_status run_line(struct ff_trainer *trainer, struct ff_error *error)
{
    uint32_t stages = trainer->placement.stages;
    pthread_t sink;
    bool sink_started = pthread_create(&sink, NULL, run_sink, trainer) == 0;

    while (sink_started && trainer->threads_started < stages) {
        struct station *station = &trainer->stations[trainer->threads_started];

        if (pthread_create(&station->thread, NULL, run_station, station) != 0)
            break;
        trainer->threads_started++;
    }
    if (trainer->threads_started == stages)
        feed(trainer);
    ff_channel_close(trainer->channels[0]);
    for (uint32_t i = 0; i < trainer->threads_started; i++)
        pthread_join(trainer->stations[i].thread, NULL);
    ff_channel_close(trainer->channels[stages]);
    if (sink_started)
        pthread_join(sink, NULL);
    if (trainer->threads_started == stages)
        return FF_OK;
    return ff_fail(error, FF_BUSY, "could not start a thread for each of %u stages; ask for fewer", stages);
}

enum ff_outcome ff_trainer_run(struct ff_trainer *trainer, struct ff_error *error)
{
    ff_sink_start_clock(trainer->sink);
    if (trainer->placement.stages == 1)
        run_alone(trainer);
    else if (run_line(trainer, error) != FF_OK)
        return FF_FAILED;
    if (trainer->failed) {
        *error = trainer->error;
        return FF_FAILED;
    }
    ff_sink_finish(trainer->sink);
    return trainer->exhausted ? FF_FINISHED : FF_STOPPED;
}

/* --- what can be asked
 * ------------------------------------------------------------------------------------------------------------ */

void ff_trainer_progress(struct ff_trainer *trainer, struct ff_progress *progress)
{
    ff_sink_progress(trainer->sink, progress);
}

struct ff_placement ff_trainer_placement(const struct ff_trainer *trainer)
{
    return trainer->placement;
}

uint64_t ff_trainer_parameters(const struct ff_trainer *trainer)
{
    return trainer->plan.parameters;
}

size_t ff_trainer_bytes(const struct ff_trainer *trainer)
{
    size_t bytes = ff_source_bytes(trainer->source) + ff_sink_bytes(trainer->sink) + ff_pool_bytes(trainer->pool);

    for (uint32_t i = 0; i < trainer->stations_made; i++)
        bytes += ff_stage_bytes(trainer->stations[i].stage);
    return bytes;
}

void ff_trainer_destroy(struct ff_trainer *trainer)
{
    if (trainer == NULL)
        return;
    for (uint32_t i = 0; trainer->stations != NULL && i < trainer->stations_made; i++)
        ff_stage_destroy(trainer->stations[i].stage);
    for (uint32_t i = 0; trainer->channels != NULL && i <= trainer->placement.stages; i++)
        ff_channel_destroy(trainer->channels[i]);
    free(trainer->stations);
    free(trainer->channels);
    ff_pool_destroy(trainer->pool);
    ff_sink_destroy(trainer->sink);
    ff_source_destroy(trainer->source);
    pthread_cond_destroy(&trainer->asked);
    pthread_mutex_destroy(&trainer->mutex);
    free(trainer);
}
