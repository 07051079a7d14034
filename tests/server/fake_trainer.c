#include "fake_trainer.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS_PER_EPOCH = 10, COMMANDS_MAX = 4096 };

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
} fake = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

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

struct ff_trainer *ff_trainer_create(const struct ff_config *config, const struct ff_dataset *dataset,
                                     struct ff_placement placement, const struct ff_observer *observer,
                                     const struct ff_beginning *beginning, struct ff_error *error)
{
    (void)beginning;
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
        trainer->placement.stages = placement.stages > 0 ? placement.stages : 1;
        trainer->placement.threads = placement.threads > 0 ? placement.threads : 1;
        trainer->progress = (struct ff_progress){.epochs = config->epochs,
                                                 .steps = config->epochs * STEPS_PER_EPOCH,
                                                 .remaining = (double)NAN,
                                                 .samples_per_second = (double)NAN};
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

uint64_t ff_window_steps(uint64_t steps_per_epoch, uint64_t steps)
{
    (void)steps_per_epoch;
    (void)steps;
    return 1;
}

/* The work: with the mutex, which is given back around the observer. */

static void do_points(struct ff_trainer *trainer, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct ff_progress *progress = &trainer->progress;
        progress->step++;
        progress->elapsed = (double)progress->step / 8;
        progress->epoch = (uint32_t)((progress->step - 1) / STEPS_PER_EPOCH) + 1;
        struct ff_point point = {.step = progress->step,
                                 .epoch = (double)progress->step / STEPS_PER_EPOCH,
                                 .elapsed = progress->elapsed,
                                 .layers = 2};
        point.layer[0] = point.layer[1] = (struct ff_layer_figures){.positive = 2, .negative = 1, .loss = 0.5f};
        pthread_mutex_unlock(&fake.mutex);
        trainer->observer.points(trainer->observer.self, &point, 1);
        pthread_mutex_lock(&fake.mutex);
    }
}

static void do_epoch(struct ff_trainer *trainer, double test_error)
{
    uint32_t number = (uint32_t)(trainer->progress.step / STEPS_PER_EPOCH);
    struct ff_epoch epoch = {.epoch = number > 0 ? number : 1,
                             .step = trainer->progress.step,
                             .elapsed = trainer->progress.elapsed,
                             .train_error = (double)NAN,
                             .test_error = test_error,
                             .digest = "sha256:fa4e",
                             .layers = 2};

    pthread_mutex_unlock(&fake.mutex);
    trainer->observer.epoch(trainer->observer.self, &epoch);
    pthread_mutex_lock(&fake.mutex);
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
    if (outcome == FF_FAILED)
        ff_fail(error, FF_DIVERGED, "%s", command.sentence);
    return outcome;
}
