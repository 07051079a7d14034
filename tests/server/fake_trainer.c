#include "fake_trainer.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layer.h"
#include "plan.h"

enum { STEPS_PER_EPOCH = 10, COMMANDS_MAX = 4096, WEIGHTS_MAX = 8 };

enum command_kind { POINTS, EPOCH, FINISH, FAIL };

struct command {
    enum command_kind kind;
    uint32_t count;
    double test_error;
    char sentence[256];
};

struct ff_trainer {
    struct ff_config config;
    struct ff_observer observer;
    struct ff_placement placement;
    bool pause, stop, paused;
    struct ff_progress progress;
    uint32_t classes;
    size_t pixels;
    uint64_t last_ticket; /* the questions not yet answered are the last ones asked */
    size_t questions;
    float question[FF_REQUESTS_MAX]; /* the last pixel of each, oldest first */
    struct ff_shape shape;
    uint64_t per_epoch;
    uint32_t closed; /* epochs */
    bool turning;
    struct ff_config wanted; /* where turning */
    uint64_t weight_tickets;
    size_t weights; /* asked and not told */
    struct ff_unit_weights weight[WEIGHTS_MAX];
};

/* All of it guarded by the mutex. */
static struct {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct command commands[COMMANDS_MAX];
    size_t first, end, alive, answers, questions;
    bool held;
    char refusal[256];
    struct ff_placement placement;
    uint64_t per_epoch;
    struct fake_beginning beginning;
} fake = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER, .per_epoch = STEPS_PER_EPOCH};

static void add_command(struct command command)
{
    pthread_mutex_lock(&fake.mutex);
    if (fake.end < COMMANDS_MAX)
        fake.commands[fake.end++] = command;
    pthread_cond_broadcast(&fake.changed);
    pthread_mutex_unlock(&fake.mutex);
}

void fake_trainer_reset(void)
{
    pthread_mutex_lock(&fake.mutex);
    fake.first = fake.end = fake.answers = fake.questions = 0;
    fake.held = false;
    fake.refusal[0] = '\0';
    fake.per_epoch = STEPS_PER_EPOCH;
    pthread_mutex_unlock(&fake.mutex);
}

void fake_trainer_steps(uint64_t steps)
{
    pthread_mutex_lock(&fake.mutex);
    fake.per_epoch = steps;
    pthread_mutex_unlock(&fake.mutex);
}

void fake_trainer_beginning(struct fake_beginning *beginning)
{
    pthread_mutex_lock(&fake.mutex);
    *beginning = fake.beginning;
    pthread_mutex_unlock(&fake.mutex);
}

void fake_trainer_points(uint32_t count)
{
    add_command((struct command){.kind = POINTS, .count = count});
}

void fake_trainer_epoch(double test_error)
{
    add_command((struct command){.kind = EPOCH, .test_error = test_error});
}

void fake_trainer_finish(void)
{
    add_command((struct command){.kind = FINISH});
}

void fake_trainer_fail(const char *sentence)
{
    struct command command = {.kind = FAIL};
    snprintf(command.sentence, sizeof command.sentence, "%s", sentence);
    add_command(command);
}

void fake_trainer_answer(void)
{
    pthread_mutex_lock(&fake.mutex);
    fake.answers++;
    pthread_cond_broadcast(&fake.changed);
    pthread_mutex_unlock(&fake.mutex);
}

size_t fake_trainer_questions(void)
{
    pthread_mutex_lock(&fake.mutex);
    size_t questions = fake.questions;
    pthread_mutex_unlock(&fake.mutex);
    return questions;
}

void fake_trainer_hold(bool held)
{
    pthread_mutex_lock(&fake.mutex);
    fake.held = held;
    pthread_cond_broadcast(&fake.changed);
    pthread_mutex_unlock(&fake.mutex);
}

void fake_trainer_refuse(const char *sentence)
{
    pthread_mutex_lock(&fake.mutex);
    snprintf(fake.refusal, sizeof fake.refusal, "%s", sentence);
    pthread_mutex_unlock(&fake.mutex);
}

size_t fake_trainer_alive(void)
{
    pthread_mutex_lock(&fake.mutex);
    size_t alive = fake.alive;
    pthread_mutex_unlock(&fake.mutex);
    return alive;
}

struct ff_placement fake_trainer_placement(void)
{
    pthread_mutex_lock(&fake.mutex);
    struct ff_placement placement = fake.placement;
    pthread_mutex_unlock(&fake.mutex);
    return placement;
}

/* trainer.h */

/* With the mutex. */
static void begin(struct ff_trainer *trainer, const struct ff_beginning *beginning)
{
    struct fake_beginning *told = &fake.beginning;

    *told = (struct fake_beginning){.epochs = trainer->config.epochs};
    if (beginning == NULL)
        return;
    told->change_count = beginning->change_count;
    for (size_t i = 0; i < beginning->change_count && i < 8; i++)
        told->changes[i] = beginning->changes[i];
    if (beginning->checkpoint == NULL)
        return;
    const struct ff_standing *standing = &ff_checkpoint_about(beginning->checkpoint)->standing;
    told->checkpoint = true;
    told->step = standing->step;
    told->closed = trainer->closed = standing->epochs;
}

struct ff_trainer *ff_trainer_create(const struct ff_config *config, const struct ff_dataset *dataset,
                                     struct ff_placement placement, const struct ff_observer *observer,
                                     const struct ff_beginning *beginning, struct ff_error *error)
{
    struct ff_trainer *trainer = calloc(1, sizeof *trainer);

    pthread_mutex_lock(&fake.mutex);
    if (trainer == NULL || fake.refusal[0] != '\0') {
        ff_fail(error, FF_NO_MEMORY, "%s", fake.refusal);
        free(trainer);
        trainer = NULL;
    } else {
        fake.alive++;
        fake.placement = placement;
        trainer->config = *config;
        trainer->observer = *observer;
        trainer->classes = dataset->classes;
        trainer->pixels = ff_shape_size(dataset->shape);
        trainer->shape = dataset->shape;
        trainer->per_epoch = fake.per_epoch;
        trainer->placement.stages = placement.stages > 0 ? placement.stages : 1;
        trainer->placement.threads = placement.threads > 0 ? placement.threads : 1;
        trainer->progress = (struct ff_progress){.epochs = config->epochs,
                                                 .steps = config->epochs * fake.per_epoch,
                                                 .remaining = (double)NAN,
                                                 .samples_per_second = (double)NAN};
        begin(trainer, beginning);
    }
    pthread_mutex_unlock(&fake.mutex);
    return trainer;
}

void ff_trainer_destroy(struct ff_trainer *trainer)
{
    if (trainer == NULL)
        return;
    pthread_mutex_lock(&fake.mutex);
    fake.alive--;
    fake.questions -= trainer->questions;
    pthread_mutex_unlock(&fake.mutex);
    free(trainer);
}

static void ask(bool *flag, bool value)
{
    pthread_mutex_lock(&fake.mutex);
    *flag = value;
    pthread_cond_broadcast(&fake.changed);
    pthread_mutex_unlock(&fake.mutex);
}

void ff_trainer_pause(struct ff_trainer *trainer)
{
    ask(&trainer->pause, true);
}

void ff_trainer_resume(struct ff_trainer *trainer)
{
    ask(&trainer->pause, false);
}

void ff_trainer_stop(struct ff_trainer *trainer)
{
    ask(&trainer->stop, true);
}

ff_status ff_trainer_ask(struct ff_trainer *trainer, const float *pixels, uint64_t *ticket, struct ff_error *error)
{
    ff_status status = FF_OK;

    pthread_mutex_lock(&fake.mutex);
    if (trainer->stop) {
        status = ff_fail(error, FF_CONFLICT, "the run has ended");
    } else if (trainer->questions == FF_REQUESTS_MAX) {
        status = ff_fail(error, FF_BUSY, "%d predictions wait already; try again", FF_REQUESTS_MAX);
    } else {
        *ticket = ++trainer->last_ticket;
        trainer->question[trainer->questions++] = pixels[trainer->pixels - 1];
        fake.questions++;
        pthread_cond_broadcast(&fake.changed);
    }
    pthread_mutex_unlock(&fake.mutex);
    return status;
}

ff_status ff_trainer_ask_weights(struct ff_trainer *trainer, uint32_t layer, uint32_t unit, uint32_t count,
                                 uint64_t *ticket, struct ff_error *error)
{
    ff_status status = FF_OK;

    pthread_mutex_lock(&fake.mutex);
    if (trainer->weights == WEIGHTS_MAX) {
        status = ff_fail(error, FF_BUSY, "%d questions wait already; try again", WEIGHTS_MAX);
    } else {
        *ticket = 1000000 + ++trainer->weight_tickets; /* apart from those of images, which are answered in order */
        trainer->weights++;
        trainer->weight[trainer->weights - 1] =
            (struct ff_unit_weights){.ticket = *ticket, .layer = layer, .unit = unit, .count = count, .inputs = 3};
        pthread_cond_broadcast(&fake.changed);
    }
    pthread_mutex_unlock(&fake.mutex);
    return status;
}

ff_status ff_trainer_change(struct ff_trainer *trainer, const struct ff_config *config, struct ff_error *error)
{
    ff_status status = FF_OK;

    pthread_mutex_lock(&fake.mutex);
    if (trainer->stop) {
        status = ff_fail(error, FF_CONFLICT, "the run has ended");
    } else if (trainer->turning) {
        status = ff_fail(error, FF_BUSY, "another change is just being made; try again");
    } else {
        trainer->turning = true;
        trainer->wanted = *config;
        pthread_cond_broadcast(&fake.changed);
    }
    pthread_mutex_unlock(&fake.mutex);
    return status;
}

/* A span a step: step n worked during the n-th millisecond. */
size_t ff_trainer_timeline(struct ff_trainer *trainer, struct ff_span *spans, size_t most)
{
    size_t count = 0;

    pthread_mutex_lock(&fake.mutex);
    for (uint64_t step = 1; step <= trainer->progress.step && count < most; step++)
        spans[count++] =
            (struct ff_span){.layer = 1, .step = step, .begin = step * 1000000, .end = (step + 1) * 1000000};
    pthread_mutex_unlock(&fake.mutex);
    return count;
}

void ff_trainer_progress(struct ff_trainer *trainer, struct ff_progress *progress)
{
    pthread_mutex_lock(&fake.mutex);
    *progress = trainer->progress;
    pthread_mutex_unlock(&fake.mutex);
}

struct ff_placement ff_trainer_placement(const struct ff_trainer *trainer)
{
    return trainer->placement;
}

uint64_t ff_trainer_parameters(const struct ff_trainer *trainer)
{
    (void)trainer;
    return 4242;
}

size_t ff_trainer_bytes(const struct ff_trainer *trainer)
{
    (void)trainer;
    return 1;
}

uint64_t ff_parameter_count(const struct ff_config *config, const struct ff_dataset *dataset)
{
    (void)config;
    (void)dataset;
    return 4242;
}

/* The work: with the mutex, which is given back around the observer. */

static void do_points(struct ff_trainer *trainer, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct ff_progress *progress = &trainer->progress;
        progress->step++;
        progress->elapsed = (double)progress->step / 8;
        progress->epoch = (uint32_t)((progress->step - 1) / trainer->per_epoch) + 1;
        struct ff_point point = {.step = progress->step,
                                 .epoch = (double)progress->step / (double)trainer->per_epoch,
                                 .elapsed = progress->elapsed,
                                 .layers = 2};
        point.layer[0] = point.layer[1] = (struct ff_layer_figures){.positive = 2, .negative = 1, .loss = 0.5f};
        pthread_mutex_unlock(&fake.mutex);
        trainer->observer.points(trainer->observer.self, &point, 1);
        pthread_mutex_lock(&fake.mutex);
    }
}

/* How many floats a snapshot has. */
static size_t count_floats(const struct ff_trainer *trainer)
{
    struct ff_plan plan;
    size_t count = 0;

    ff_plan_make_sizes(&plan, &trainer->config, trainer->shape, trainer->classes);
    for (uint32_t layer = 0; layer < plan.layers; layer++) {
        for (uint32_t tensor = 0; tensor < ff_layer_tensors(&plan, layer); tensor++) {
            struct ff_tensor_form form = ff_layer_tensor(&plan, layer, tensor);
            count += (size_t)form.rows * form.columns;
        }
    }
    return count;
}

/* Without the mutex, as all observers. In two pieces of values. */
static void tell_snapshot(struct ff_trainer *trainer)
{
    const struct ff_observer *observer = &trainer->observer;
    size_t count = count_floats(trainer);
    float *values = malloc(count * sizeof *values);
    struct ff_standing standing = {.step = trainer->progress.step,
                                   .epochs = trainer->closed,
                                   .window = 1,
                                   .training = trainer->progress.elapsed,
                                   .pixel_scale = 1,
                                   .layers = trainer->config.layer_count};

    if (observer->snapshot == NULL || values == NULL) {
        free(values);
        return;
    }
    for (size_t i = 0; i < count; i++)
        values[i] = (float)trainer->progress.step;
    observer->snapshot(observer->self, &(struct ff_snapshot_piece){.standing = &standing});
    observer->snapshot(observer->self, &(struct ff_snapshot_piece){.values = values, .count = count / 2});
    observer->snapshot(observer->self,
                       &(struct ff_snapshot_piece){.values = values, .count = count - count / 2, .last = true});
    free(values);
}

static void do_epoch(struct ff_trainer *trainer, double test_error)
{
    uint32_t number = (uint32_t)(trainer->progress.step / trainer->per_epoch);
    struct ff_epoch epoch = {.epoch = number > 0 ? number : 1,
                             .step = trainer->progress.step,
                             .elapsed = trainer->progress.elapsed,
                             .train_error = (double)NAN,
                             .test_error = test_error,
                             .digest = "sha256:fa4e",
                             .layers = 2};

    pthread_mutex_unlock(&fake.mutex);
    trainer->observer.epoch(trainer->observer.self, &epoch);
    trainer->closed = epoch.epoch;
    if (trainer->observer.wants_snapshot != NULL && trainer->observer.wants_snapshot(trainer->observer.self))
        tell_snapshot(trainer);
    pthread_mutex_lock(&fake.mutex);
}

static void do_weights(struct ff_trainer *trainer)
{
    struct ff_unit_weights weights = trainer->weight[--trainer->weights];
    float figures[3 * 64];

    for (uint32_t i = 0; i < 3 * weights.count && i < 3 * 64; i++)
        figures[i] = (float)(10 * (weights.unit + i / 3) + i % 3);
    weights.weights = figures;
    weights.step = trainer->progress.step;
    pthread_mutex_unlock(&fake.mutex);
    trainer->observer.weights(trainer->observer.self, &weights);
    pthread_mutex_lock(&fake.mutex);
}

/* As the real one: the next is let in only after the observer has returned. */
static void do_change(struct ff_trainer *trainer)
{
    struct ff_change change = {trainer->progress.step, trainer->wanted};

    pthread_mutex_unlock(&fake.mutex);
    trainer->observer.change(trainer->observer.self, &change);
    pthread_mutex_lock(&fake.mutex);
    trainer->turning = false;
}

/* The oldest question's: layer l gives label c the goodness pixel + l + 10 c. */
static void do_answer(struct ff_trainer *trainer)
{
    float goodness[2 * FF_CLASSES_MAX], probabilities[FF_CLASSES_MAX] = {0};
    uint64_t ticket = trainer->last_ticket - trainer->questions + 1;
    float pixel = trainer->question[0];

    trainer->questions--;
    fake.questions--;
    fake.answers--;
    memmove(trainer->question, trainer->question + 1, trainer->questions * sizeof pixel);
    for (uint32_t i = 0; i < 2 * trainer->classes; i++)
        goodness[i] = pixel + (float)(i / trainer->classes) + 10 * (float)(i % trainer->classes);
    probabilities[trainer->classes - 1] = 1;
    struct ff_answer answer = {.ticket = ticket,
                               .step = trainer->progress.step,
                               .layers = 2,
                               .classes = trainer->classes,
                               .goodness = goodness,
                               .probabilities = probabilities,
                               .label = trainer->classes - 1};
    pthread_mutex_unlock(&fake.mutex);
    trainer->observer.answer(trainer->observer.self, &answer);
    pthread_mutex_lock(&fake.mutex);
}

/* A change of pausing that is due is told; whether there was one. */
static bool follow_pause(struct ff_trainer *trainer)
{
    if (trainer->paused == trainer->pause)
        return false;
    trainer->paused = trainer->pause;
    void (*tell)(void *) = trainer->paused ? trainer->observer.paused : trainer->observer.resumed;
    pthread_mutex_unlock(&fake.mutex);
    if (trainer->paused)
        tell_snapshot(trainer);
    tell(trainer->observer.self);
    pthread_mutex_lock(&fake.mutex);
    return true;
}

/* Wait for the next command. False when it is time to stop. */
static bool next_command(struct ff_trainer *trainer, struct command *command)
{
    for (;;) {
        if (!fake.held && trainer->stop)
            return false;
        if (!fake.held && follow_pause(trainer))
            continue;
        if (!fake.held && trainer->turning) {
            do_change(trainer);
            continue;
        }
        if (!fake.held && trainer->weights > 0) {
            do_weights(trainer);
            continue;
        }
        if (!fake.held && fake.answers > 0 && trainer->questions > 0) {
            do_answer(trainer);
            continue;
        }
        if (!fake.held && !trainer->paused && fake.first < fake.end) {
            *command = fake.commands[fake.first++];
            return true;
        }
        pthread_cond_wait(&fake.changed, &fake.mutex);
    }
}

enum ff_outcome ff_trainer_run(struct ff_trainer *trainer, struct ff_error *error)
{
    struct command command;
    enum ff_outcome outcome = FF_STOPPED;

    pthread_mutex_lock(&fake.mutex);
    trainer->progress.step = fake.beginning.step; /* restored */
    while (next_command(trainer, &command)) {
        if (command.kind == POINTS) {
            do_points(trainer, command.count);
        } else if (command.kind == EPOCH) {
            do_epoch(trainer, command.test_error);
        } else {
            outcome = command.kind == FINISH ? FF_FINISHED : FF_FAILED;
            break;
        }
    }
    pthread_mutex_unlock(&fake.mutex);
    if (outcome != FF_FAILED)
        tell_snapshot(trainer);
    if (outcome == FF_FAILED)
        ff_fail(error, FF_DIVERGED, "%s", command.sentence);
    return outcome;
}
