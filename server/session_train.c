#include "session_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "timing.h"

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
    session->current->progress.epoch = (uint32_t)ceil(points[count - 1].epoch);
    session->current->progress.elapsed = points[count - 1].elapsed;
    session_note_change(session);
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
    run->progress.epoch = epoch->epoch;
    run->progress.evaluating = epoch->evaluating;
    if (run_see_epoch(run, epoch))
        session->saving.best_step = epoch->step;
    session_note_change(session);
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
    session_note_change(session);
    session->dirty = true;
    pthread_cond_broadcast(&session->changed);
    pthread_mutex_unlock(&session->mutex);
}

/* On the thread of ff_trainer_run, which may wait: a pause is told when its checkpoint is on the disk. */
static void see_paused(void *self)
{
    session_tell_histograms(self);
    store_flush(((struct session *)self)->store);
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
        session->again = session->current->started > 0;
        session->current->state = RUN_RUNNING;
        if (!session->again)
            session->current->started = timing_date();
        session->begin_step = session->current->progress.step;
        session->troubles = store_troubles(session->store);
        session->wanted = SESSION_RUN;
        session->interrupting = false;
        session_note_change(session);
        pthread_cond_broadcast(&session->changed); /* the reporter's second begins */
    }
    pthread_mutex_unlock(&session->mutex);
    session_publish_current(session, false);
    pthread_mutex_unlock(&session->order);
    return any;
}

/* The trainer is there: that the run begins is stored, and what was asked of it meanwhile is passed on. */
static bool begin_training(struct session *session, const struct session_start *start, struct ff_error *error)
{
    pthread_mutex_lock(&session->order);
    bool good = session_take_up(session, start, error);
    if (good) {
        session->trainer = start->trainer;
        pthread_mutex_lock(&session->mutex);
        enum session_wanted wanted = session->wanted;
        pthread_mutex_unlock(&session->mutex);
        if (wanted == SESSION_PAUSE)
            ff_trainer_pause(start->trainer);
        session_publish_current(session, false);
    }
    pthread_mutex_unlock(&session->order);
    return good;
}

static bool wants_stop(struct session *session)
{
    pthread_mutex_lock(&session->mutex);
    bool stop = session->wanted == SESSION_STOP;
    pthread_mutex_unlock(&session->mutex);
    return stop;
}

/* A stop that no user asked for: the program ends. */
static void set_interrupted(struct run *run, bool paused)
{
    run->state = RUN_INTERRUPTED;
    snprintf(run->reason, sizeof run->reason, "the program ended while this run was %s",
             paused ? "paused" : "training");
}

/* With `order`: the run does not hold the trainer any more. An end that could not be stored is kept, so that it is
 * what everybody is told, until it can be. */
static void let_go(struct session *session, const struct run *ended, bool saved)
{
    pthread_mutex_lock(&session->mutex);
    struct run *run = session->current;
    session->current = NULL;
    session_note_change(session);
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

/* Stored first, with all that was queued before it, its checkpoint too, then told: who sees the end finds the whole
 * series, and can go on from there. */
static void end_run(struct session *session, enum ff_outcome outcome, const char *sentence)
{
    struct ff_progress progress = {0};
    struct ff_error ignored;
    struct run *ended = &session->scratch;

    store_flush(session->store);
    pthread_mutex_lock(&session->order);
    session_note_trouble(session);
    if (session->trainer != NULL)
        ff_trainer_progress(session->trainer, &progress);
    pthread_mutex_lock(&session->mutex);
    *ended = *session->current;
    bool interrupted = session->interrupting;
    bool progressed = session->trainer != NULL && progress.step >= session->begin_step;
    pthread_mutex_unlock(&session->mutex);
    if (progressed)
        ended->progress = progress;
    bool paused = ended->state == RUN_PAUSED;
    run_end(ended, outcome, sentence, timing_date());
    if (outcome == FF_STOPPED && interrupted)
        set_interrupted(ended, paused);
    ff_status status = store_update_run(session->store, ended, &ignored);
    let_go(session, ended, status == FF_OK);
    session_publish(session, ended);
    session_publish_queue(session);
    pthread_mutex_unlock(&session->order);
}

/* With the trainer there, until it has ended. */
static enum ff_outcome train(struct session *session, struct session_start *start, struct ff_error *error)
{
    const struct run *run = session->current;
    const struct ff_config *config = &run->config;
    uint64_t until = 0;
    enum ff_outcome outcome = FF_STOPPED;

    if (!begin_training(session, start, error))
        return FF_FAILED;
    if (start->change_count > 0) {
        config = &start->changes[start->change_count - 1].config;
        until = start->changes[start->change_count - 1].step + 1;
    }
    session_begin_asking(session, run->id, start->trainer, config, until);
    session_begin_saving(session, run, start->dataset, start->changes, start->change_count);
    start->changes = NULL;
    if (!wants_stop(session))
        outcome = ff_trainer_run(start->trainer, error);
    session_keep_histograms(session);
    store_flush(session->store); /* the checkpoint, which who still waits is to be answered from */
    session_end_asking(session);
    session_end_saving(session);
    session_forget_figures(session);
    return outcome;
}

/* The current run, from its data set to its end. Its configuration does not change: it may be read without lock. */
static void train_current(struct session *session)
{
    static const struct ff_observer does = {.points = see_points,
                                            .epoch = see_epoch,
                                            .histograms = session_see_histograms,
                                            .evaluation = session_see_evaluation,
                                            .answer = session_see_answer,
                                            .weights = session_see_weights,
                                            .change = session_see_change,
                                            .wants_snapshot = session_wants_snapshot,
                                            .snapshot = session_see_snapshot,
                                            .paused = see_paused,
                                            .resumed = see_resumed};
    struct ff_observer observer = does;
    struct ff_error error = {0};
    struct session_start start = {.again = session->again};
    enum ff_outcome outcome = FF_FAILED;

    observer.self = session;
    if (session_prepare(session, &observer, &start, &error))
        outcome = train(session, &start, &error);
    end_run(session, outcome, error.message);
    session_leave(session, &start);
}

/* Threads that train have a lower priority, which those that they start inherit: an answer or a page that is drawn
 * beside does not wait for them. */
enum { NICENESS = 5 };

void *session_train(void *argument)
{
    struct session *session = argument;

    setpriority(PRIO_PROCESS, 0, NICENESS); /* of this thread alone, on Linux */
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
