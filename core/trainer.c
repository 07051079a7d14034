#include "trainer.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "channel.h"
#include "placement.h"
#include "plan.h"
#include "sink.h"
#include "source.h"
#include "spin.h"
#include "stage.h"

struct ff_trainer;

/* A stage with its place in the line. The first works on the thread that runs the trainer, and fills messages from
 * the source there; the last hands them to the sink; each one between has a thread of its own, and so has the last
 * of several. */
struct station {
    struct ff_trainer *trainer;
    struct ff_stage *stage;
    struct ff_channel *in;  /* from the station before; NULL: the first */
    struct ff_channel *out; /* to the next; NULL: the last */
    pthread_t thread;
};

/* The bounded box of those who ask about an image. */
struct request {
    uint64_t ticket;
    float *pixels; /* [pixels] */
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
    uint32_t stage_of[FF_LAYERS_MAX];
    struct ff_channel **channels; /* [placement.stages - 1] between the stations */
    bool exhausted; /* the source has nothing more: only the first station's thread writes and reads it */

    pthread_mutex_t mutex; /* guards the requests and the failure */
    pthread_cond_t asked;
    bool pause, stop, ended;
    bool failed;
    struct ff_error error;
    uint64_t last_ticket;
    uint32_t first_request, request_count;
    struct request requests[FF_REQUESTS_MAX]; /* a ring */

    pthread_mutex_t spans_mutex; /* guards who worked when */
    uint64_t begun, span_count;  /* of all so far */
    struct ff_span *spans;       /* [FF_SPANS_KEPT], a ring */
};

/* --- making a line --- */

uint64_t ff_parameter_count(const struct ff_config *config, const struct ff_dataset *dataset)
{
    struct ff_plan plan;

    ff_plan_make(&plan, config, dataset);
    return plan.parameters;
}

static bool make_stations(struct ff_trainer *trainer, struct ff_error *error)
{
    uint32_t stages = trainer->placement.stages, first = 0;

    trainer->stations = calloc(stages, sizeof *trainer->stations);
    if (trainer->stations == NULL)
        return ff_fail_memory(error, "the stages") == FF_OK;
    for (; trainer->stations_made < stages; trainer->stations_made++) {
        struct station *station = &trainer->stations[trainer->stations_made];
        uint32_t count = ff_placement_layers(&trainer->plan, first, stages - trainer->stations_made);

        station->trainer = trainer;
        for (uint32_t i = 0; i < count; i++)
            trainer->stage_of[first + i] = trainer->stations_made;
        station->stage = ff_stage_create(&trainer->plan, first, count, trainer->placement.threads, error);
        if (station->stage == NULL)
            return false;
        first += count;
    }
    return true;
}

static bool make_channels(struct ff_trainer *trainer, uint32_t messages, struct ff_error *error)
{
    uint32_t count = trainer->placement.stages - 1;

    if (count == 0)
        return true;
    trainer->channels = calloc(count, sizeof(struct ff_channel *));
    for (uint32_t i = 0; trainer->channels != NULL && i < count; i++) {
        if ((trainer->channels[i] = ff_channel_create(messages, error)) == NULL)
            return false;
        trainer->stations[i].out = trainer->stations[i + 1].in = trainer->channels[i];
    }
    return trainer->channels != NULL || ff_fail_memory(error, "the channels") == FF_OK;
}

static bool make_requests(struct ff_trainer *trainer, struct ff_error *error)
{
    for (uint32_t i = 0; i < FF_REQUESTS_MAX; i++) {
        if ((trainer->requests[i].pixels = ff_floats(trainer->plan.pixels)) == NULL)
            return ff_fail_memory(error, "requests") == FF_OK;
    }
    trainer->spans = calloc(FF_SPANS_KEPT, sizeof *trainer->spans);
    return trainer->spans != NULL || ff_fail_memory(error, "the timeline") == FF_OK;
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
    uint32_t messages = ff_placement_messages(&trainer->plan, trainer->placement);

    if (check_memory(&trainer->plan, messages, error) != FF_OK || !make_stations(trainer, error) ||
        !make_channels(trainer, messages, error) || !make_requests(trainer, error))
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
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    if (trainer == NULL) {
        ff_fail_memory(error, "a run");
        return NULL;
    }
    pthread_mutex_init(&trainer->mutex, NULL);
    pthread_cond_init(&trainer->asked, NULL);
    pthread_mutex_init(&trainer->spans_mutex, NULL);
    ff_plan_make(&trainer->plan, config, dataset);
    trainer->observer = *observer;
    trainer->placement = ff_placement_choose(&trainer->plan, placement, processors > 0 ? (uint32_t)processors : 1);
    if (!make_line(trainer, dataset, error)) {
        ff_trainer_destroy(trainer);
        return NULL;
    }
    return trainer;
}

/* --- requests --- */

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

ff_status ff_trainer_ask(struct ff_trainer *trainer, const float *pixels, uint64_t *ticket, struct ff_error *error)
{
    ff_status status = FF_OK;

    pthread_mutex_lock(&trainer->mutex);
    if (trainer->ended || trainer->stop || trainer->failed) {
        status = ff_fail(error, FF_CONFLICT, "the run has ended");
    } else if (trainer->request_count == FF_REQUESTS_MAX) {
        status = ff_fail(error, FF_BUSY, "%d predictions wait already; try again", FF_REQUESTS_MAX);
    } else {
        struct request *request =
            &trainer->requests[(trainer->first_request + trainer->request_count++) % FF_REQUESTS_MAX];

        *ticket = request->ticket = ++trainer->last_ticket;
        memcpy(request->pixels, pixels, trainer->plan.pixels * sizeof *pixels);
        pthread_cond_broadcast(&trainer->asked);
    }
    pthread_mutex_unlock(&trainer->mutex);
    return status;
}

/* --- the line at work --- */

static void note_spans(struct ff_trainer *trainer, const struct ff_message *message)
{
    pthread_mutex_lock(&trainer->spans_mutex);
    for (uint32_t layer = 0; layer < trainer->plan.layers; layer++) {
        trainer->spans[trainer->span_count++ % FF_SPANS_KEPT] =
            (struct ff_span){.stage = trainer->stage_of[layer],
                             .layer = layer,
                             .kind = (uint8_t)message->kind,
                             .step = message->step,
                             .begin = message->busy[layer].begin - trainer->begun,
                             .end = message->busy[layer].end - trainer->begun};
    }
    pthread_mutex_unlock(&trainer->spans_mutex);
}

/* The sink takes a message and returns it to the pool. After a failure the rest only flows through. */
static void arrive(struct ff_trainer *trainer, struct ff_message *message)
{
    struct ff_error error;

    note_spans(trainer, message);
    if (!trainer->failed && ff_sink_handle(trainer->sink, message, &error) != FF_OK) {
        pthread_mutex_lock(&trainer->mutex);
        trainer->error = error;
        trainer->failed = true; /* only this thread writes it */
        pthread_mutex_unlock(&trainer->mutex);
    }
    ff_pool_return(trainer->pool, message);
}

/* What a station does with a message: its layers' work, then on to the next station or the sink. */
static void pass(struct station *station, struct ff_message *message)
{
    ff_stage_handle(station->stage, message);
    if (station->out == NULL)
        arrive(station->trainer, message);
    else
        ff_channel_send(station->out, message);
}

static void *run_station(void *self)
{
    struct station *station = self;
    struct ff_message *message;

    while ((message = ff_channel_receive(station->in)) != NULL)
        pass(station, message);
    if (station->out != NULL)
        ff_channel_close(station->out);
    return NULL;
}

/* Send the oldest request through the line; false when there is none. */
static bool serve_request(struct ff_trainer *trainer)
{
    struct ff_message *message;
    struct request *request;
    bool waiting;

    pthread_mutex_lock(&trainer->mutex);
    waiting = trainer->request_count > 0;
    pthread_mutex_unlock(&trainer->mutex);
    if (!waiting)
        return false;
    message = ff_pool_take(trainer->pool);
    pthread_mutex_lock(&trainer->mutex);
    request = &trainer->requests[trainer->first_request];
    ff_source_request(trainer->source, message, request->pixels, request->ticket);
    trainer->first_request = (trainer->first_request + 1) % FF_REQUESTS_MAX;
    trainer->request_count--;
    pthread_mutex_unlock(&trainer->mutex);
    pass(&trainer->stations[0], message);
    return true;
}

/* Stand still: what is under way arrives, the observer hears of it, and nothing but requests goes through the line
 * until the pause is over. */
static void stand_still(struct ff_trainer *trainer)
{
    ff_pool_wait_all(trainer->pool);
    ff_sink_stop_clock(trainer->sink);
    if (trainer->observer.paused != NULL)
        trainer->observer.paused(trainer->observer.self);
    pthread_mutex_lock(&trainer->mutex);
    while (trainer->pause && !trainer->stop) {
        if (trainer->request_count == 0) {
            pthread_cond_wait(&trainer->asked, &trainer->mutex);
            continue;
        }
        pthread_mutex_unlock(&trainer->mutex);
        serve_request(trainer);
        pthread_mutex_lock(&trainer->mutex);
    }
    pthread_mutex_unlock(&trainer->mutex);
    ff_pool_wait_all(trainer->pool);
    ff_sink_start_clock(trainer->sink);
}

/* Before every message: whether the line goes on. Requests go first; a pause is waited out here. */
static bool goes_on(struct ff_trainer *trainer)
{
    bool pause, stop, requests;

    for (;;) {
        pthread_mutex_lock(&trainer->mutex);
        pause = trainer->pause;
        stop = trainer->stop || trainer->failed;
        requests = trainer->request_count > 0;
        pthread_mutex_unlock(&trainer->mutex);
        if (stop || (!pause && !requests))
            return !stop;
        if (!pause) {
            serve_request(trainer);
            continue;
        }
        stand_still(trainer);
        pthread_mutex_lock(&trainer->mutex);
        stop = trainer->stop;
        pthread_mutex_unlock(&trainer->mutex);
        if (!stop && trainer->observer.resumed != NULL)
            trainer->observer.resumed(trainer->observer.self);
    }
}

/* The first station, on the thread that runs the trainer: from the source into the line. */
static void feed(struct ff_trainer *trainer)
{
    while (goes_on(trainer)) {
        struct ff_message *message = ff_pool_take(trainer->pool);

        trainer->exhausted = !ff_source_next(trainer->source, message);
        if (trainer->exhausted) {
            ff_pool_return(trainer->pool, message);
            return;
        }
        pass(&trainer->stations[0], message);
    }
}

/* Closing the first channel lets everything under way arrive, station after station. */
static ff_status run_line(struct ff_trainer *trainer, struct ff_error *error)
{
    uint32_t others = trainer->placement.stages - 1;

    for (; trainer->threads_started < others; trainer->threads_started++) {
        struct station *station = &trainer->stations[trainer->threads_started + 1];

        if (pthread_create(&station->thread, NULL, run_station, station) != 0)
            break;
    }
    if (trainer->threads_started == others)
        feed(trainer);
    if (others > 0)
        ff_channel_close(trainer->channels[0]);
    for (uint32_t i = 0; i < trainer->threads_started; i++)
        pthread_join(trainer->stations[i + 1].thread, NULL);
    if (trainer->threads_started == others)
        return FF_OK;
    return ff_fail(error, FF_BUSY, "could not start a thread for each of %u stages; ask for fewer", others + 1);
}

enum ff_outcome ff_trainer_run(struct ff_trainer *trainer, struct ff_error *error)
{
    ff_status status;

    trainer->begun = ff_clock();
    ff_sink_start_clock(trainer->sink);
    status = run_line(trainer, error);
    ask(trainer, &trainer->ended, true);
    if (status != FF_OK)
        return FF_FAILED;
    if (trainer->failed) {
        *error = trainer->error;
        return FF_FAILED;
    }
    ff_sink_finish(trainer->sink);
    return trainer->exhausted ? FF_FINISHED : FF_STOPPED;
}

/* --- what can be asked --- */

void ff_trainer_progress(struct ff_trainer *trainer, struct ff_progress *progress)
{
    ff_sink_progress(trainer->sink, progress);
}

size_t ff_trainer_timeline(struct ff_trainer *trainer, struct ff_span *spans, size_t most)
{
    uint64_t first;
    size_t count;

    pthread_mutex_lock(&trainer->spans_mutex);
    count = trainer->span_count < FF_SPANS_KEPT ? (size_t)trainer->span_count : FF_SPANS_KEPT;
    count = count < most ? count : most;
    first = trainer->span_count - count;
    for (size_t i = 0; i < count; i++)
        spans[i] = trainer->spans[(first + i) % FF_SPANS_KEPT];
    pthread_mutex_unlock(&trainer->spans_mutex);
    return count;
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
    for (uint32_t i = 0; trainer->channels != NULL && i + 1 < trainer->placement.stages; i++)
        ff_channel_destroy(trainer->channels[i]);
    for (uint32_t i = 0; i < FF_REQUESTS_MAX; i++)
        free(trainer->requests[i].pixels);
    free(trainer->spans);
    free(trainer->stations);
    free(trainer->channels);
    ff_pool_destroy(trainer->pool);
    ff_sink_destroy(trainer->sink);
    ff_source_destroy(trainer->source);
    pthread_mutex_destroy(&trainer->spans_mutex);
    pthread_cond_destroy(&trainer->asked);
    pthread_mutex_destroy(&trainer->mutex);
    free(trainer);
}
