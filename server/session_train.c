#include "session_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The observer: on the trainer's thread. It takes `mutex` for a moment, never `order`, and calls nothing that waits
 * for a disk. What has to be stored of the state is left to the reporter. */

static void see_points(void *self, const struct ff_point *points, size_t count)
{
    struct session *session = self;

    if (count == 0)
        return;
    pthread_mutex_lock(&session->mutex);
    int64_t id = session->current->id;
    session->current->progress.step = points[count - 1].step;
    session->current->progress.elapsed = points[count - 1].elapsed;
    pthread_mutex_unlock(&session->mutex);
    uint64_t event = hub_append_points(session->hub, id, points, count);
    store_append_points(session->store, id, event, points, count);
}

static void see_epoch(void *self, const struct ff_epoch *epoch)
{
    struct session *session = self;

    pthread_mutex_lock(&session->mutex);
    struct run *run = session->current;
    int64_t id = run->id;
    run->last = *epoch;
    if (!isnan(epoch->test_error) && (run->best.epoch == 0 || epoch->test_error < run->best.test_error)) {
        run->best.test_error = epoch->test_error;
        run->best.epoch = epoch->epoch;
    }
    pthread_mutex_unlock(&session->mutex);
    char *text = run_event_text(id, run_epoch_to_json(epoch));
    uint64_t event = text != NULL ? hub_append(session->hub, id, "epoch", text) : hub_newest(session->hub);
    store_append_epoch(session->store, id, event, epoch);
    free(text);
}

static void see_state(struct session *session, enum run_state state)
{
    pthread_mutex_lock(&session->mutex);
    session->current->state = state;
    session->dirty = true;
    pthread_cond_broadcast(&session->changed);
    pthread_mutex_unlock(&session->mutex);
}

static void see_paused(void *self)
{
    see_state(self, RUN_PAUSED);
}

static void see_resumed(void *self)
{
    see_state(self, RUN_RUNNING);
}

/* The first of the queue becomes the current one. False when there is none any more. */
static bool begin_run(struct session *session)
{
    pthread_mutex_lock(&session->order);
    pthread_mutex_lock(&session->mutex);
    bool any = session->waiting > 0 && !session->closing;
    if (any) {
        session->current = session->queue[0];
        session->waiting--;
        memmove(session->queue, session->queue + 1, session->waiting * sizeof session->queue[0]);
        session->current->state = RUN_RUNNING;
        session->current->started = session_now();
        session->wanted = SESSION_RUN;
        session->interrupting = false;
        pthread_cond_broadcast(&session->changed); /* the reporter's second begins */
    }
    pthread_mutex_unlock(&session->mutex);
    session_publish_current(session, true);
    pthread_mutex_unlock(&session->order);
    return any;
}

/* The trainer is there: what was asked of the run meanwhile is passed on to it. Returns whether to train at all. */
static bool begin_training(struct session *session, struct ff_trainer *trainer)
{
    pthread_mutex_lock(&session->order);
    session->trainer = trainer;
    pthread_mutex_lock(&session->mutex);
    session->current->placement = ff_trainer_placement(trainer);
    session->current->parameters = ff_trainer_parameters(trainer);
    enum session_wanted wanted = session->wanted;
    pthread_mutex_unlock(&session->mutex);
    if (wanted == SESSION_PAUSE)
        ff_trainer_pause(trainer);
    session_publish_current(session, true);
    pthread_mutex_unlock(&session->order);
    return wanted != SESSION_STOP;
}

static void set_end(struct run *run, enum ff_outcome outcome, bool interrupted, const char *sentence)
{
    static const enum run_state states[] = {
        [FF_FINISHED] = RUN_FINISHED, [FF_STOPPED] = RUN_STOPPED, [FF_FAILED] = RUN_FAILED};
    bool paused = run->state == RUN_PAUSED;

    run->state = states[outcome];
    run->pending = RUN_PENDING_NONE;
    run->ended = session_now();
    run->progress.remaining = outcome == FF_FINISHED ? 0 : (double)NAN;
    if (outcome == FF_FAILED) {
        snprintf(run->reason, sizeof run->reason, "%s", sentence);
    } else if (outcome == FF_STOPPED && interrupted) {
        run->state = RUN_INTERRUPTED;
        snprintf(run->reason, sizeof run->reason, "the program ended while this run was %s",
                 paused ? "paused" : "training");
    }
}

/* With `order`: the run does not hold the trainer any more. An end that could not be stored is kept, so that it is
 * what everybody is told, until it can be. */
static void let_go(struct session *session, const struct run *ended, bool saved)
{
    pthread_mutex_lock(&session->mutex);
    struct run *run = session->current;
    session->current = NULL;
    session->dirty = false;
    if (saved || session->unsaved_count == SESSION_UNSAVED_MAX) {
        free(run);
    } else {
        *run = *ended;
        session->unsaved[session->unsaved_count++] = run;
        pthread_cond_broadcast(&session->changed);
    }
    pthread_mutex_unlock(&session->mutex);
    session->trainer = NULL;
}

/* Stored first, with all that was queued before it, then told: who sees the end finds the whole series. */
static void end_run(struct session *session, enum ff_outcome outcome, const char *sentence)
{
    struct ff_progress progress;
    struct ff_error ignored;
    struct run *ended = &session->scratch;

    pthread_mutex_lock(&session->order);
    if (session->trainer != NULL)
        ff_trainer_progress(session->trainer, &progress);
    pthread_mutex_lock(&session->mutex);
    *ended = *session->current;
    bool interrupted = session->interrupting;
    pthread_mutex_unlock(&session->mutex);
    if (session->trainer != NULL)
        ended->progress = progress;
    set_end(ended, outcome, interrupted, sentence);
    ff_status status = store_update_run(session->store, ended, &ignored);
    let_go(session, ended, status == FF_OK);
    session_publish(session, ended);
    session_publish_queue(session);
    pthread_mutex_unlock(&session->order);
}

static bool check_config(const struct ff_config *config, const struct ff_dataset *dataset, struct ff_error *error)
{
    struct ff_problems problems = {0};

    if (ff_config_check(config, dataset, "", &problems))
        return true;
    ff_fail(error, FF_INVALID, "%s %s", problems.problem[0].pointer + 1, problems.problem[0].detail);
    return false;
}

static struct ff_trainer *make_trainer(struct session *session, const struct run *run,
                                       const struct ff_dataset *dataset, struct ff_error *error)
{
    struct ff_placement placement = {
        .stages = run->asked.stages > 0 ? run->asked.stages : session->placement.stages,
        .threads = run->asked.threads > 0 ? run->asked.threads : session->placement.threads};
    struct ff_observer observer = {.self = session,
                                   .points = see_points,
                                   .epoch = see_epoch,
                                   .answer = session_see_answer,
                                   .paused = see_paused,
                                   .resumed = see_resumed};

    if (!check_config(&run->config, dataset, error))
        return NULL;
    return ff_trainer_create(&run->config, dataset, placement, &observer, error);
}

/* The current run, from its data set to its end. Its configuration does not change: it may be read without lock. */
static void train_current(struct session *session)
{
    const struct run *run = session->current;
    struct ff_error error = {0};
    struct ff_trainer *trainer = NULL;
    enum ff_outcome outcome = FF_FAILED;

    const struct ff_dataset *dataset = catalog_acquire(session->catalog, run->config.dataset, &error);
    if (dataset != NULL)
        trainer = make_trainer(session, run, dataset, &error);
    if (trainer != NULL) {
        session_begin_asking(session, run->id, trainer, dataset->classes);
        outcome = begin_training(session, trainer) ? ff_trainer_run(trainer, &error) : FF_STOPPED;
        session_end_asking(session);
    }
    end_run(session, outcome, error.message);
    ff_trainer_destroy(trainer);
    if (dataset != NULL)
        catalog_release(session->catalog, dataset);
}

void *session_train(void *argument)
{
    struct session *session = argument;

    for (;;) {
        pthread_mutex_lock(&session->mutex);
        while (!session->closing && session->waiting == 0)
            pthread_cond_wait(&session->changed, &session->mutex);
        bool closing = session->closing;
        pthread_mutex_unlock(&session->mutex);
        if (closing)
            return NULL;
        if (begin_run(session))
            train_current(session);
    }
}
