#include "trainer.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "layer.h"
#include "line.h"
#include "placement.h"
#include "plan.h"
#include "sink.h"
#include "source.h"
#include "spin.h"

struct ff_trainer;

/* The bounded box of those who ask about an image, or for weights. */
struct request {
    uint64_t ticket;
    bool weights;
    float *pixels;         /* [pixels] */
    struct ff_range range; /* of the weights */
};

/* Live settings that were turned; messages point into it while the run lasts. */
struct turned {
    struct turned *next;
    struct ff_change change;
};

struct ff_trainer {
    struct ff_plan plan;
    struct ff_observer observer;
    struct ff_placement placement;
    struct ff_source *source;
    struct ff_sink *sink;
    struct ff_line *line;

    /* Only the thread that runs the trainer, which feeds the line, writes and reads these. */
    bool exhausted; /* the source has nothing more */
    struct ff_checkpoint *checkpoint;
    struct turned *turned, **turned_end; /* by step: those that hold, then those that are still to happen again */
    struct turned *next_turned;

    pthread_mutex_t mutex; /* guards the requests and the failure */
    pthread_cond_t asked;
    bool pause, stop, ended;
    bool failed;
    struct ff_error error;
    uint64_t last_ticket;
    uint32_t first_request, request_count;
    struct request requests[FF_REQUESTS_MAX]; /* a ring */
    struct turned *wanted;                    /* NULL: no change is asked for */

    pthread_mutex_t spans_mutex; /* guards who worked when */
    uint64_t begun, span_count;  /* of all so far */
    struct ff_span *spans;       /* [FF_SPANS_KEPT], a ring */
};

/* --- what comes out of the line --- */

/* Nanoseconds; clocks of other ranks are known to some microseconds only. */
static uint64_t since_begun(const struct ff_trainer *trainer, uint64_t time)
{
    return time > trainer->begun ? time - trainer->begun : 0;
}

static void note_spans(struct ff_trainer *trainer, const struct ff_message *message)
{
    pthread_mutex_lock(&trainer->spans_mutex);
    for (uint32_t layer = 0; layer < trainer->plan.blocks; layer++) {
        trainer->spans[trainer->span_count++ % FF_SPANS_KEPT] =
            (struct ff_span){.stage = ff_line_stage_of(trainer->line, layer),
                             .layer = layer,
                             .kind = (uint8_t)message->kind,
                             .step = message->step,
                             .begin = since_begun(trainer, message->busy[layer].begin),
                             .end = since_begun(trainer, message->busy[layer].end)};
    }
    pthread_mutex_unlock(&trainer->spans_mutex);
}

/* The run ends: a layer diverged, or a rank is lost. Of two reasons the first counts. */
static void fail(struct ff_trainer *trainer, const struct ff_error *error)
{
    pthread_mutex_lock(&trainer->mutex);
    if (!trainer->failed)
        trainer->error = *error;
    trainer->failed = true;
    pthread_cond_broadcast(&trainer->asked);
    pthread_mutex_unlock(&trainer->mutex);
}

static bool has_failed(struct ff_trainer *trainer)
{
    bool failed;

    pthread_mutex_lock(&trainer->mutex);
    failed = trainer->failed;
    pthread_mutex_unlock(&trainer->mutex);
    return failed;
}

/* The sink takes a message. After a failure the rest only flows through. */
static void arrive(void *self, struct ff_message *message)
{
    struct ff_trainer *trainer = self;
    struct ff_error error;

    note_spans(trainer, message);
    if (!has_failed(trainer) && ff_sink_handle(trainer->sink, message, &error) != FF_OK)
        fail(trainer, &error);
}

static void break_off(void *self, const struct ff_error *error)
{
    fail(self, error);
}

/* --- making a run --- */

uint64_t ff_parameter_count(const struct ff_config *config, const struct ff_dataset *dataset)
{
    struct ff_plan plan;

    ff_plan_make(&plan, config, dataset);
    return plan.parameters;
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

/* A copy of the change, behind the others. */
static struct turned *keep_change(struct ff_trainer *trainer, const struct ff_change *change)
{
    struct turned *turned = malloc(sizeof *turned);

    if (turned == NULL)
        return NULL;
    *turned = (struct turned){NULL, *change};
    *trainer->turned_end = turned;
    trainer->turned_end = &turned->next;
    return turned;
}

static bool same_images(const struct ff_checkpoint_about *about, const struct ff_dataset *dataset)
{
    return about->shape.channels == dataset->shape.channels && about->shape.height == dataset->shape.height &&
           about->shape.width == dataset->shape.width && about->classes == dataset->classes;
}

/* Whether a run of this plan can go on from the checkpoint: the same settings, but for more epochs. */
static ff_status check_beginning(const struct ff_plan *plan, const struct ff_dataset *dataset,
                                 const struct ff_checkpoint *checkpoint, struct ff_error *error)
{
    const struct ff_checkpoint_about *about = ff_checkpoint_about(checkpoint);
    struct ff_config config = about->config;
    const char *other;

    config.epochs = plan->config.epochs;
    if (!ff_config_first_difference(&config, &plan->config, &other))
        return ff_fail_memory(error, "a run");
    if (other != NULL)
        return ff_fail(error, FF_INVALID, "the checkpoint is of a run with another %s", other);
    if (!same_images(about, dataset))
        return ff_fail(error, FF_INVALID,
                       "the checkpoint is of a run on images of another size or number of classes "
                       "than %s has now",
                       dataset->name);
    if (about->standing.train_images != plan->train_images)
        return ff_fail(error, FF_INVALID,
                       "the checkpoint is of a run on %u training images, and %s has %u to train on now",
                       about->standing.train_images, dataset->name, plan->train_images);
    if (about->standing.step > plan->steps || about->standing.epochs > plan->config.epochs)
        return ff_fail(error, FF_INVALID, "the checkpoint has %u epochs done, more than the %u asked for",
                       about->standing.epochs, plan->config.epochs);
    if (about->standing.step < about->standing.epochs * plan->steps_per_epoch ||
        about->standing.step > (about->standing.epochs + 1) * plan->steps_per_epoch)
        return ff_fail(error, FF_DAMAGED, "the checkpoint makes no sense: %llu steps are not in the epoch after %u",
                       (unsigned long long)about->standing.step, about->standing.epochs);
    return FF_OK;
}

static ff_status take_beginning(struct ff_trainer *trainer, const struct ff_dataset *dataset,
                                const struct ff_beginning *beginning, struct ff_error *error)
{
    struct ff_plan *plan = &trainer->plan;

    if (beginning == NULL)
        return FF_OK;
    for (size_t i = 0; i < beginning->change_count; i++) {
        if (keep_change(trainer, &beginning->changes[i]) == NULL)
            return ff_fail_memory(error, "a run");
    }
    trainer->next_turned = trainer->turned;
    trainer->checkpoint = beginning->checkpoint;
    if (trainer->checkpoint == NULL)
        return FF_OK;
    plan->blank = true;
    plan->window = ff_checkpoint_about(trainer->checkpoint)->standing.window;
    return check_beginning(plan, dataset, trainer->checkpoint, error);
}

/* On this process's threads, or on the crew's ranks. One that has left the crew unnoticed is noticed now, and the
 * others may do. */
static bool make_line(struct ff_trainer *trainer, struct ff_placement asked, struct ff_crew *crew,
                      struct ff_error *error)
{
    const struct ff_line_ends ends = {trainer, arrive, break_off};
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    struct ff_resources resources = {.processors = processors > 0 ? (uint32_t)processors : 1, .ranks = 1};
    uint32_t ranks;

    do {
        bool together = false;

        ranks = crew != NULL ? ff_crew_ranks(crew) : 1;
        if (ranks > 1) {
            resources.ranks = ranks;
            resources.rank_processors = ff_crew_threads(crew);
        }
        trainer->placement = ff_placement_choose_among(&trainer->plan, asked, resources, &together);
        trainer->line = ff_line_create(&trainer->plan, trainer->placement, together ? crew : NULL, &ends, error);
    } while (trainer->line == NULL && error->status == FF_LOST && ff_crew_ranks(crew) < ranks);
    return trainer->line != NULL;
}

static bool make_parts(struct ff_trainer *trainer, const struct ff_dataset *dataset, struct ff_placement asked,
                       struct ff_crew *crew, struct ff_error *error)
{
    if (!make_line(trainer, asked, crew, error) || !make_requests(trainer, error))
        return false;
    trainer->source = ff_source_create(&trainer->plan, dataset, error);
    trainer->sink = trainer->source ? ff_sink_create(&trainer->plan, &trainer->observer, error) : NULL;
    return trainer->sink != NULL;
}

struct ff_trainer *ff_trainer_create(const struct ff_config *config, const struct ff_dataset *dataset,
                                     struct ff_placement placement, const struct ff_observer *observer,
                                     const struct ff_beginning *beginning, struct ff_error *error)
{
    struct ff_trainer *trainer = calloc(1, sizeof *trainer);

    if (trainer == NULL) {
        ff_fail_memory(error, "a run");
        return NULL;
    }
    pthread_mutex_init(&trainer->mutex, NULL);
    pthread_cond_init(&trainer->asked, NULL);
    pthread_mutex_init(&trainer->spans_mutex, NULL);
    ff_plan_make(&trainer->plan, config, dataset);
    trainer->observer = *observer;
    trainer->turned_end = &trainer->turned;
    if (take_beginning(trainer, dataset, beginning, error) != FF_OK ||
        !make_parts(trainer, dataset, placement, beginning != NULL ? beginning->crew : NULL, error)) {
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

/* Put a request into the box; `pixels` NULL: for weights. */
static ff_status put_request(struct ff_trainer *trainer, const float *pixels, const struct ff_range *range,
                             uint64_t *ticket, struct ff_error *error)
{
    ff_status status = FF_OK;

    pthread_mutex_lock(&trainer->mutex);
    if (trainer->ended || trainer->stop || trainer->failed) {
        status = ff_fail(error, FF_CONFLICT, "the run has ended");
    } else if (trainer->request_count == FF_REQUESTS_MAX) {
        status = ff_fail(error, FF_BUSY, "%d questions wait already; try again", FF_REQUESTS_MAX);
    } else {
        struct request *request =
            &trainer->requests[(trainer->first_request + trainer->request_count++) % FF_REQUESTS_MAX];

        *ticket = request->ticket = ++trainer->last_ticket;
        request->weights = range != NULL;
        if (range != NULL)
            request->range = *range;
        else
            memcpy(request->pixels, pixels, trainer->plan.pixels * sizeof *pixels);
        pthread_cond_broadcast(&trainer->asked);
    }
    pthread_mutex_unlock(&trainer->mutex);
    return status;
}

ff_status ff_trainer_ask(struct ff_trainer *trainer, const float *pixels, uint64_t *ticket, struct ff_error *error)
{
    return put_request(trainer, pixels, NULL, ticket, error);
}

ff_status ff_trainer_ask_weights(struct ff_trainer *trainer, uint32_t layer, uint32_t unit, uint32_t count,
                                 uint64_t *ticket, struct ff_error *error)
{
    const struct ff_plan *plan = &trainer->plan;
    struct ff_range range = {.layer = layer, .offset = unit, .count = count, .by_columns = true};

    if (layer >= plan->blocks || count == 0 || unit >= plan->layer[layer].units ||
        count > plan->layer[layer].units - unit)
        return ff_fail(error, FF_INVALID, "there are no such units");
    if (count > plan->capacity / plan->layer[layer].inputs)
        return ff_fail(error, FF_INVALID, "ask for at most %zu units of this layer at once",
                       plan->capacity / plan->layer[layer].inputs);
    range.tensor = ff_layer_judging_tensor(plan, layer);
    return put_request(trainer, NULL, &range, ticket, error);
}

ff_status ff_trainer_change(struct ff_trainer *trainer, const struct ff_config *config, struct ff_error *error)
{
    struct turned *wanted = calloc(1, sizeof *wanted);
    ff_status status = FF_OK;

    if (wanted == NULL)
        return ff_fail_memory(error, "a change");
    wanted->change.config = *config;
    pthread_mutex_lock(&trainer->mutex);
    if (trainer->ended || trainer->stop || trainer->failed) {
        status = ff_fail(error, FF_CONFLICT, "the run has ended");
    } else if (trainer->wanted != NULL) {
        status = ff_fail(error, FF_BUSY, "another change is just being made; try again");
    } else {
        trainer->wanted = wanted;
        wanted = NULL; /* it is the trainer's now */
    }
    pthread_cond_broadcast(&trainer->asked);
    pthread_mutex_unlock(&trainer->mutex);
    free(wanted);
    return status;
}

/* --- the line at work --- */

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
    message = ff_line_take(trainer->line);
    pthread_mutex_lock(&trainer->mutex);
    request = &trainer->requests[trainer->first_request];
    if (request->weights)
        ff_source_get(trainer->source, message, &request->range, request->ticket);
    else
        ff_source_request(trainer->source, message, request->pixels, request->ticket);
    trainer->first_request = (trainer->first_request + 1) % FF_REQUESTS_MAX;
    trainer->request_count--;
    pthread_mutex_unlock(&trainer->mutex);
    ff_line_pass(trainer->line, message);
    return true;
}

static void send_settings(struct ff_trainer *trainer, const struct turned *turned)
{
    struct ff_message *message = ff_line_take(trainer->line);

    ff_source_settings(trainer->source, message, &turned->change.config);
    ff_line_pass(trainer->line, message);
}

/* A change that is asked for, recorded and then sent; false when there is none. */
static bool serve_change(struct ff_trainer *trainer)
{
    struct turned *wanted;

    pthread_mutex_lock(&trainer->mutex);
    wanted = trainer->wanted;
    pthread_mutex_unlock(&trainer->mutex);
    if (wanted == NULL)
        return false;
    wanted->change.step = ff_source_step(trainer->source);
    if (trainer->observer.change == NULL || trainer->observer.change(trainer->observer.self, &wanted->change)) {
        struct turned *kept = keep_change(trainer, &wanted->change);

        if (kept != NULL)
            send_settings(trainer, kept);
    }
    pthread_mutex_lock(&trainer->mutex);
    trainer->wanted = NULL;
    pthread_mutex_unlock(&trainer->mutex);
    free(wanted);
    return true;
}

/* Changes of the run's former life that come after the steps done so far. */
static void replay_changes(struct ff_trainer *trainer)
{
    while (trainer->next_turned != NULL && trainer->next_turned->change.step <= ff_source_step(trainer->source)) {
        send_settings(trainer, trainer->next_turned);
        trainer->next_turned = trainer->next_turned->next;
    }
}

/* All of the run between two steps, to the observer; nothing else is under way meanwhile. */
static void take_snapshot(struct ff_trainer *trainer)
{
    struct ff_standing standing;
    struct ff_range range = {0};
    struct ff_pixel_map input = ff_source_input(trainer->source);
    bool more = true;

    if (trainer->observer.snapshot == NULL)
        return;
    ff_line_wait_all(trainer->line);
    if (has_failed(trainer))
        return;
    ff_sink_standing(trainer->sink, &standing);
    standing.step = ff_source_step(trainer->source);
    standing.pixel_scale = input.scale;
    standing.pixel_offset = input.offset;
    trainer->observer.snapshot(trainer->observer.self, &(struct ff_snapshot_piece){.standing = &standing});
    while (more) {
        struct ff_message *message = ff_line_take(trainer->line);

        more = ff_source_tensors(trainer->source, message, FF_GET, &range);
        ff_line_pass(trainer->line, message);
    }
    ff_line_wait_all(trainer->line);
}

/* All tensors from the checkpoint, and everybody stands where the run stood. */
static ff_status restore(struct ff_trainer *trainer, struct ff_error *error)
{
    const struct ff_standing *standing;
    struct ff_range range = {0};
    ff_status status = FF_OK;
    bool more = true;

    if (trainer->checkpoint == NULL)
        return FF_OK;
    standing = &ff_checkpoint_about(trainer->checkpoint)->standing;
    ff_source_seek(trainer->source, standing->step, standing->epochs);
    ff_sink_restore(trainer->sink, standing);
    while (more && status == FF_OK) {
        struct ff_message *message = ff_line_take(trainer->line);

        more = ff_source_tensors(trainer->source, message, FF_SET, &range);
        status = ff_checkpoint_read(trainer->checkpoint, message->range.layer, message->range.tensor,
                                    message->range.offset, message->range.count, message->x, error);
        ff_line_pass(trainer->line, message);
    }
    return status;
}

/* Stand still: what is under way arrives, the observer hears of it, and nothing but requests and changes goes
 * through the line until the pause is over. */
static void stand_still(struct ff_trainer *trainer)
{
    ff_line_wait_all(trainer->line);
    ff_sink_stop_clock(trainer->sink);
    take_snapshot(trainer);
    if (trainer->observer.paused != NULL)
        trainer->observer.paused(trainer->observer.self);
    pthread_mutex_lock(&trainer->mutex);
    while (trainer->pause && !trainer->stop && !trainer->failed) {
        if (trainer->request_count == 0 && trainer->wanted == NULL) {
            pthread_cond_wait(&trainer->asked, &trainer->mutex);
            continue;
        }
        pthread_mutex_unlock(&trainer->mutex);
        serve_request(trainer);
        serve_change(trainer);
        pthread_mutex_lock(&trainer->mutex);
    }
    pthread_mutex_unlock(&trainer->mutex);
    ff_line_wait_all(trainer->line);
    ff_sink_start_clock(trainer->sink);
}

/* Before every message: whether the line goes on. Requests and changes go first; a pause is waited out here. Pause
 * and stop wait for the end of a window, where the run can be left. */
static bool goes_on(struct ff_trainer *trainer)
{
    bool between = ff_source_between_windows(trainer->source), pause, stop, failed;

    for (;;) {
        pthread_mutex_lock(&trainer->mutex);
        pause = trainer->pause && between;
        stop = trainer->stop && between;
        failed = trainer->failed;
        pthread_mutex_unlock(&trainer->mutex);
        if (failed || stop)
            return false;
        if (serve_request(trainer) || serve_change(trainer))
            continue;
        if (!pause)
            return true;
        stand_still(trainer);
        pthread_mutex_lock(&trainer->mutex);
        stop = trainer->stop || trainer->failed;
        pthread_mutex_unlock(&trainer->mutex);
        if (!stop && trainer->observer.resumed != NULL)
            trainer->observer.resumed(trainer->observer.self);
    }
}

/* A message whose images the first stage's team is filling. */
struct filling {
    const struct ff_source *source;
    struct ff_message *message;
};

static void fill_item(void *self, size_t image, unsigned worker)
{
    struct filling *filling = self;

    (void)worker;
    ff_source_fill(filling->source, filling->message, (uint32_t)image);
}

static void fill(struct ff_trainer *trainer, struct ff_message *message)
{
    struct filling filling = {trainer->source, message};

    if (message->kind == FF_TRAIN && ff_source_augments(trainer->source))
        ff_line_team(trainer->line, message->images, fill_item, &filling);
    else
        for (uint32_t image = 0; image < message->images; image++)
            ff_source_fill(trainer->source, message, image);
}

/* At the end of an epoch, where the observer wants one. */
static void take_wanted_snapshot(struct ff_trainer *trainer)
{
    if (trainer->observer.wants_snapshot == NULL)
        return;
    ff_line_wait_all(trainer->line);
    if (trainer->observer.wants_snapshot(trainer->observer.self))
        take_snapshot(trainer);
}

/* The first station, on the thread that runs the trainer: from the source into the line. */
static void feed(struct ff_trainer *trainer)
{
    bool closed = false;

    while (goes_on(trainer)) {
        struct ff_message *message;

        if (closed)
            take_wanted_snapshot(trainer);
        replay_changes(trainer);
        message = ff_line_take(trainer->line);
        trainer->exhausted = !ff_source_next(trainer->source, message);
        if (trainer->exhausted) {
            ff_line_give_back(trainer->line, message);
            break;
        }
        fill(trainer, message);
        closed = message->closes_epoch && message->epoch < trainer->plan.config.epochs;
        ff_line_pass(trainer->line, message);
    }
    take_snapshot(trainer);
}

static ff_status run_line(struct ff_trainer *trainer, struct ff_error *error)
{
    ff_status status = ff_line_start(trainer->line, error);

    if (status == FF_OK && (status = restore(trainer, error)) == FF_OK)
        feed(trainer);
    ff_line_end(trainer->line);
    return status;
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
        return error->status == FF_LOST ? FF_INTERRUPTED : FF_FAILED;
    }
    ff_sink_finish(trainer->sink);
    return trainer->exhausted ? FF_FINISHED : FF_STOPPED;
}

/* --- what can be asked --- */

void ff_trainer_progress(struct ff_trainer *trainer, struct ff_progress *progress)
{
    struct ff_wire wire;

    ff_sink_progress(trainer->sink, progress);
    if (!ff_trainer_wire(trainer, &wire))
        return;
    progress->ranks = trainer->placement.stages;
    progress->bytes_per_sample =
        wire.images > 0 ? (double)(wire.up + wire.back) / (double)wire.images : (double)NAN;
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

bool ff_trainer_wire(struct ff_trainer *trainer, struct ff_wire *wire)
{
    ff_line_wire(trainer->line, wire);
    return ff_line_on_ranks(trainer->line);
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
    return ff_source_bytes(trainer->source) + ff_sink_bytes(trainer->sink) + ff_line_bytes(trainer->line);
}

void ff_trainer_destroy(struct ff_trainer *trainer)
{
    if (trainer == NULL)
        return;
    for (uint32_t i = 0; i < FF_REQUESTS_MAX; i++)
        free(trainer->requests[i].pixels);
    while (trainer->turned != NULL) {
        struct turned *next = trainer->turned->next;

        free(trainer->turned);
        trainer->turned = next;
    }
    free(trainer->wanted);
    free(trainer->spans);
    ff_line_destroy(trainer->line);
    ff_sink_destroy(trainer->sink);
    ff_source_destroy(trainer->source);
    pthread_mutex_destroy(&trainer->spans_mutex);
    pthread_cond_destroy(&trainer->asked);
    pthread_mutex_destroy(&trainer->mutex);
    free(trainer);
}
