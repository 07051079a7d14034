#include "trainer.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "channel.h"
#include "layer.h"
#include "memory.h"
#include "optimizer.h"
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
    struct ff_pool *pool;
    struct station *stations; /* [placement.stages] */
    uint32_t stations_made, threads_started;
    uint32_t stage_of[FF_BLOCKS_MAX];
    struct ff_channel **channels; /* [placement.stages - 1] between the stations */

    /* Only the first station's thread, which runs the trainer, writes and reads these. */
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
        if (stages > 1 && ff_stage_allow_guest(station->stage, error) != FF_OK) {
            trainer->stations_made++; /* it is there, and goes with the others */
            return false;
        }
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
static ff_status check_memory(const struct ff_plan *plan, struct ff_placement placement, uint32_t messages,
                              struct ff_error *error)
{
    double copies = 1 + ff_optimizer_states(plan->config.optimizer) + (plan->config.average > 0),
           there = ff_memory_available();
    double kept = 0, needed;

    for (uint32_t layer = 0; layer < plan->blocks; layer++)
        kept += (double)ff_layer_kept(plan, layer);
    needed = sizeof(float) * ((double)plan->parameters * copies + (double)ff_message_floats(plan) * messages +
                              (double)plan->capacity * placement.stages + kept);

    if (needed < 0.95 * there)
        return FF_OK;
    return ff_fail(error, FF_NO_MEMORY,
                   "the run needs %.1f GB and %.1f GB are free; make layers or batch_size smaller, or end other "
                   "programs",
                   needed / 1e9, there / 1e9);
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
    cJSON *differs;
    bool same;

    config.epochs = plan->config.epochs;
    differs = ff_config_difference(&config, &plan->config);
    if (differs == NULL)
        return ff_fail_memory(error, "a run");
    same = differs->child == NULL;
    if (!same)
        ff_fail(error, FF_INVALID, "the checkpoint is of a run with another %s", differs->child->string);
    cJSON_Delete(differs);
    if (!same)
        return error->status;
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

static bool make_line(struct ff_trainer *trainer, const struct ff_dataset *dataset, struct ff_error *error)
{
    uint32_t messages = ff_placement_messages(&trainer->plan, trainer->placement);

    if (check_memory(&trainer->plan, trainer->placement, messages, error) != FF_OK ||
        !make_stations(trainer, error) || !make_channels(trainer, messages, error) ||
        !make_requests(trainer, error))
        return false;
    trainer->source = ff_source_create(&trainer->plan, dataset, error);
    trainer->sink = trainer->source ? ff_sink_create(&trainer->plan, &trainer->observer, error) : NULL;
    trainer->pool = trainer->sink ? ff_pool_create(&trainer->plan, messages, error) : NULL;
    return trainer->pool != NULL;
}

struct ff_trainer *ff_trainer_create(const struct ff_config *config, const struct ff_dataset *dataset,
                                     struct ff_placement placement, const struct ff_observer *observer,
                                     const struct ff_beginning *beginning, struct ff_error *error)
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
    trainer->turned_end = &trainer->turned;
    trainer->placement = ff_placement_choose(&trainer->plan, placement, processors > 0 ? (uint32_t)processors : 1);
    if (take_beginning(trainer, dataset, beginning, error) != FF_OK || !make_line(trainer, dataset, error)) {
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
        request->weights = pixels == NULL;
        if (pixels != NULL)
            memcpy(request->pixels, pixels, trainer->plan.pixels * sizeof *pixels);
        else
            request->range = *range;
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
    if (trainer->ended || trainer->stop || trainer->failed)
        status = ff_fail(error, FF_CONFLICT, "the run has ended");
    else if (trainer->wanted != NULL)
        status = ff_fail(error, FF_BUSY, "another change is just being made; try again");
    else
        trainer->wanted = wanted;
    pthread_cond_broadcast(&trainer->asked);
    pthread_mutex_unlock(&trainer->mutex);
    if (status != FF_OK)
        free(wanted);
    return status;
}

/* --- the line at work --- */

static void note_spans(struct ff_trainer *trainer, const struct ff_message *message)
{
    pthread_mutex_lock(&trainer->spans_mutex);
    for (uint32_t layer = 0; layer < trainer->plan.blocks; layer++) {
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

/* Help another stage; whether there was anything to do. */
static bool help_others(struct station *station)
{
    struct ff_trainer *trainer = station->trainer;

    for (uint32_t i = 0; i < trainer->stations_made; i++) {
        if (&trainer->stations[i] != station && ff_stage_help(trainer->stations[i].stage))
            return true;
    }
    return false;
}

/* Before sleeping, look for a while whether there is a message, and help where one can. */
static struct ff_message *await_message(struct station *station)
{
    struct ff_spin spin = {0};

    while (!ff_channel_ready(station->in) && ff_spin_again(&spin)) {
        if (help_others(station))
            spin = (struct ff_spin){0};
    }
    return ff_channel_receive(station->in);
}

/* The same for a message to fill, at the first station. */
static struct ff_message *await_free_message(struct ff_trainer *trainer)
{
    struct ff_spin spin = {0};

    while (!ff_pool_ready(trainer->pool) && ff_spin_again(&spin)) {
        if (help_others(&trainer->stations[0]))
            spin = (struct ff_spin){0};
    }
    return ff_pool_take(trainer->pool);
}

static void *run_station(void *self)
{
    struct station *station = self;
    struct ff_message *message;

    while ((message = await_message(station)) != NULL)
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
    message = await_free_message(trainer);
    pthread_mutex_lock(&trainer->mutex);
    request = &trainer->requests[trainer->first_request];
    if (request->weights)
        ff_source_get(trainer->source, message, &request->range, request->ticket);
    else
        ff_source_request(trainer->source, message, request->pixels, request->ticket);
    trainer->first_request = (trainer->first_request + 1) % FF_REQUESTS_MAX;
    trainer->request_count--;
    pthread_mutex_unlock(&trainer->mutex);
    pass(&trainer->stations[0], message);
    return true;
}

static void send_settings(struct ff_trainer *trainer, const struct turned *turned)
{
    struct ff_message *message = await_free_message(trainer);

    ff_source_settings(trainer->source, message, &turned->change.config);
    pass(&trainer->stations[0], message);
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
    ff_pool_wait_all(trainer->pool);
    if (trainer->failed)
        return;
    ff_sink_standing(trainer->sink, &standing);
    standing.step = ff_source_step(trainer->source);
    standing.pixel_scale = input.scale;
    standing.pixel_offset = input.offset;
    trainer->observer.snapshot(trainer->observer.self, &(struct ff_snapshot_piece){.standing = &standing});
    while (more) {
        struct ff_message *message = await_free_message(trainer);

        more = ff_source_tensors(trainer->source, message, FF_GET, &range);
        pass(&trainer->stations[0], message);
    }
    ff_pool_wait_all(trainer->pool);
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
        struct ff_message *message = await_free_message(trainer);

        more = ff_source_tensors(trainer->source, message, FF_SET, &range);
        status = ff_checkpoint_read(trainer->checkpoint, message->range.layer, message->range.tensor,
                                    message->range.offset, message->range.count, message->x, error);
        pass(&trainer->stations[0], message);
    }
    return status;
}

/* Stand still: what is under way arrives, the observer hears of it, and nothing but requests and changes goes
 * through the line until the pause is over. */
static void stand_still(struct ff_trainer *trainer)
{
    ff_pool_wait_all(trainer->pool);
    ff_sink_stop_clock(trainer->sink);
    take_snapshot(trainer);
    if (trainer->observer.paused != NULL)
        trainer->observer.paused(trainer->observer.self);
    pthread_mutex_lock(&trainer->mutex);
    while (trainer->pause && !trainer->stop) {
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
    ff_pool_wait_all(trainer->pool);
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
        stop = trainer->stop;
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
        ff_stage_share(trainer->stations[0].stage, message->images, fill_item, &filling);
    else
        for (uint32_t image = 0; image < message->images; image++)
            ff_source_fill(trainer->source, message, image);
}

/* At the end of an epoch, where the observer wants one. */
static void take_wanted_snapshot(struct ff_trainer *trainer)
{
    if (trainer->observer.wants_snapshot == NULL)
        return;
    ff_pool_wait_all(trainer->pool);
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
        message = await_free_message(trainer);
        trainer->exhausted = !ff_source_next(trainer->source, message);
        if (trainer->exhausted) {
            ff_pool_return(trainer->pool, message);
            break;
        }
        fill(trainer, message);
        closed = message->closes_epoch && message->epoch < trainer->plan.config.epochs;
        pass(&trainer->stations[0], message);
    }
    take_snapshot(trainer);
}

/* Closing the first channel lets everything under way arrive, station after station. */
static ff_status run_line(struct ff_trainer *trainer, struct ff_error *error)
{
    uint32_t others = trainer->placement.stages - 1;
    ff_status status = FF_OK;

    for (; trainer->threads_started < others; trainer->threads_started++) {
        struct station *station = &trainer->stations[trainer->threads_started + 1];

        if (pthread_create(&station->thread, NULL, run_station, station) != 0)
            break;
    }
    if (trainer->threads_started == others && (status = restore(trainer, error)) == FF_OK)
        feed(trainer);
    if (others > 0)
        ff_channel_close(trainer->channels[0]);
    for (uint32_t i = 0; i < trainer->threads_started; i++)
        pthread_join(trainer->stations[i + 1].thread, NULL);
    if (trainer->threads_started == others)
        return status;
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
    while (trainer->turned != NULL) {
        struct turned *next = trainer->turned->next;

        free(trainer->turned);
        trainer->turned = next;
    }
    free(trainer->wanted);
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
