#include "session_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "timing.h"

/* Control. `order` is held from the look at the state until everything is told, so a run neither begins nor ends
 * meanwhile; only pausing and resuming may come true in between. */

static bool holds_trainer(const struct session *session, int64_t id)
{
    return session->current != NULL && session->current->id == id;
}

/* With `order`: the current run is to do something else from now on. */
static void want(struct session *session, enum session_wanted wanted, struct run *run)
{
    static void (*const ask[])(struct ff_trainer *) = {
        [SESSION_RUN] = ff_trainer_resume, [SESSION_PAUSE] = ff_trainer_pause, [SESSION_STOP] = ff_trainer_stop};
    int64_t id = run->id;

    pthread_mutex_lock(&session->mutex);
    bool changes = session->wanted != wanted;
    session->wanted = wanted;
    session_note_change(session);
    pthread_mutex_unlock(&session->mutex);
    if (changes && session->trainer != NULL)
        ask[wanted](session->trainer);
    if (changes)
        session_publish_current(session, false);
    session_show_live(session, id, run);
}

/* With `order`: a run that has not begun is stopped at once. */
static ff_status stop_waiting(struct session *session, struct run *run, struct ff_error *error)
{
    struct run *stopped = &session->scratch;

    pthread_mutex_lock(&session->mutex);
    *stopped = *session_find(session, run->id);
    pthread_mutex_unlock(&session->mutex);
    stopped->state = RUN_STOPPED;
    stopped->ended = timing_date();
    ff_status status = store_update_run(session->store, stopped, error);
    if (status != FF_OK)
        return status;
    pthread_mutex_lock(&session->mutex);
    session_forget(session, stopped->id);
    pthread_mutex_unlock(&session->mutex);
    *run = *stopped;
    session_publish(session, run);
    return FF_OK;
}

static ff_status refuse_while_stopping(const struct run *run, struct ff_error *error)
{
    if (run->pending != RUN_PENDING_STOP)
        return FF_OK;
    return ff_fail(error, FF_CONFLICT, "run %lld is being stopped", (long long)run->id);
}

/* All of these with `order`, and with the run as it is shown now. */
typedef ff_status control(struct session *session, struct run *run, struct ff_error *error);

static ff_status pause_run(struct session *session, struct run *run, struct ff_error *error)
{
    if (!run_state_holds_trainer(run->state))
        return ff_fail(error, FF_CONFLICT, "run %lld is %s: only a run that trains can be paused",
                       (long long)run->id, run_state_name(run->state));
    if (refuse_while_stopping(run, error) != FF_OK)
        return error->status;
    want(session, SESSION_PAUSE, run);
    return FF_OK;
}

/* With `order`: the run as it is stored, in scratch; not as it is shown. */
static ff_status copy_run(struct session *session, int64_t id, struct ff_error *error)
{
    pthread_mutex_lock(&session->mutex);
    const struct run *live = session_find(session, id);
    if (live != NULL)
        session->scratch = *live;
    pthread_mutex_unlock(&session->mutex);
    return live != NULL ? FF_OK : store_get_run(session->store, id, &session->scratch, error);
}

/* Whether a run that has ended can go on like this. */
static ff_status check_resumption(struct session *session, const struct run *run,
                                  const struct session_resumption *resumption, struct ff_error *error)
{
    if (run->state == RUN_FINISHED && resumption->epochs == 0)
        return ff_fail(error, FF_CONFLICT,
                       "run %lld is finished, all its %u epochs are done: say how many more, {\"epochs\": N}",
                       (long long)run->id, run->config.epochs);
    return session_check_room(session, error);
}

/* The run in scratch as it waits to go on. */
static void prepare_again(struct run *run, const struct session_resumption *resumption)
{
    struct ff_problems none = {0};

    run->state = RUN_QUEUED;
    run->reason[0] = '\0';
    run->ended = 0;
    run->config.epochs += resumption->epochs;
    if (run->changed)
        run->now.epochs = run->config.epochs;
    run->progress.remaining = (double)NAN;
    if (resumption->placed)
        run->asked = resumption->placement;
    if (resumption->config == NULL)
        return;
    if (!run->changed)
        run->now = run->config;
    run->changed = true;
    ff_config_apply_live(&run->now, resumption->config, "", &none);
}

/* A run that has ended waits for its turn again. */
static ff_status queue_again(struct session *session, struct run *run, const struct session_resumption *resumption,
                             struct ff_error *error)
{
    ff_status status = check_resumption(session, run, resumption, error);

    if (status != FF_OK || (status = copy_run(session, run->id, error)) != FF_OK)
        return status;
    struct run *live = malloc(sizeof *live);
    if (live == NULL)
        return ff_fail_memory(error, "a run");
    prepare_again(&session->scratch, resumption);
    status = store_queue_again(session->store, &session->scratch, resumption->config, error);
    if (status != FF_OK) {
        free(live);
        return status;
    }
    *live = session->scratch;
    pthread_mutex_lock(&session->mutex);
    session_forget(session, live->id); /* its end, where that could not be stored */
    session->queue[session->waiting++] = live;
    session_show(session, live, run);
    pthread_cond_broadcast(&session->changed);
    pthread_mutex_unlock(&session->mutex);
    session_publish(session, run);
    return FF_OK;
}

/* Of a run that has not ended: only whether it trains can be said. */
static ff_status refuse_resumption(const struct run *run, const struct session_resumption *resumption,
                                   struct ff_error *error)
{
    if (resumption->config != NULL)
        return ff_fail(error, FF_CONFLICT, "run %lld is %s: PATCH /api/v1/runs/%lld changes its settings",
                       (long long)run->id, run_state_name(run->state), (long long)run->id);
    if (resumption->epochs > 0 || resumption->placed)
        return ff_fail(error, FF_CONFLICT, "run %lld is %s: stop it first, to go on with more epochs or elsewhere",
                       (long long)run->id, run_state_name(run->state));
    return FF_OK;
}

static ff_status resume_run(struct session *session, struct run *run, const struct session_resumption *resumption,
                            struct ff_error *error)
{
    if (run_state_is_final(run->state))
        return queue_again(session, run, resumption, error);
    if (refuse_resumption(run, resumption, error) != FF_OK)
        return error->status;
    if (run->state == RUN_QUEUED && run->pending == RUN_PENDING_RESUME)
        return FF_OK;
    if (run->state == RUN_QUEUED)
        return ff_fail(error, FF_CONFLICT, "run %lld is queued: it starts by itself when its turn comes",
                       (long long)run->id);
    if (refuse_while_stopping(run, error) != FF_OK)
        return error->status;
    want(session, SESSION_RUN, run);
    return FF_OK;
}

static ff_status stop_run(struct session *session, struct run *run, struct ff_error *error)
{
    if (run_state_is_final(run->state))
        return FF_OK;
    if (run->state == RUN_QUEUED)
        return stop_waiting(session, run, error);
    want(session, SESSION_STOP, run);
    return FF_OK;
}

static ff_status control_run(struct session *session, int64_t id, control *action, struct run *run,
                             struct ff_error *error)
{
    pthread_mutex_lock(&session->order);
    ff_status status = session_get(session, id, run, error);
    if (status == FF_OK)
        status = action(session, run, error);
    pthread_mutex_unlock(&session->order);
    return status;
}

ff_status session_pause(struct session *session, int64_t id, struct run *run, struct ff_error *error)
{
    return control_run(session, id, pause_run, run, error);
}

ff_status session_resume(struct session *session, int64_t id, const struct session_resumption *resumption,
                         struct run *run, struct ff_error *error)
{
    static const struct session_resumption as_it_was = {0};

    pthread_mutex_lock(&session->order);
    ff_status status = session_get(session, id, run, error);
    if (status == FF_OK)
        status = resume_run(session, run, resumption != NULL ? resumption : &as_it_was, error);
    pthread_mutex_unlock(&session->order);
    return status;
}

ff_status session_stop(struct session *session, int64_t id, struct run *run, struct ff_error *error)
{
    return control_run(session, id, stop_run, run, error);
}

/* Changing and deleting */

/* With `order`: what a user may change, from scratch into the session's own copy. */
static void keep_change(struct session *session, int64_t id)
{
    const struct run *changed = &session->scratch;

    pthread_mutex_lock(&session->mutex);
    struct run *live = session_find(session, id);
    if (live != NULL) {
        memcpy(live->name, changed->name, sizeof live->name);
        memcpy(live->notes, changed->notes, sizeof live->notes);
        memcpy(live->tags, changed->tags, sizeof live->tags);
        live->tag_count = changed->tag_count;
        session_note_change(session);
    }
    pthread_mutex_unlock(&session->mutex);
}

/* With `order`. */
static ff_status change(struct session *session, int64_t id, session_edit *edit, void *self, struct run *run,
                        struct ff_error *error)
{
    ff_status status = copy_run(session, id, error);

    if (status != FF_OK)
        return status;
    edit(self, &session->scratch);
    if ((status = store_update_run(session->store, &session->scratch, error)) != FF_OK)
        return status;
    keep_change(session, id);
    if ((status = session_get(session, id, run, error)) == FF_OK)
        session_publish(session, run);
    return status;
}

ff_status session_change(struct session *session, int64_t id, session_edit *edit, void *self, struct run *run,
                         struct ff_error *error)
{
    pthread_mutex_lock(&session->order);
    ff_status status = change(session, id, edit, self, run, error);
    pthread_mutex_unlock(&session->order);
    return status;
}

/* With `order`: told after all else that was told of the run. */
static void publish_deleted(struct session *session, int64_t id)
{
    char json[48];

    snprintf(json, sizeof json, "{\"run\":%lld}", (long long)id);
    hub_append(session->hub, id, "deleted", json);
}

/* With `order`. */
static ff_status delete_run(struct session *session, int64_t id, struct ff_error *error)
{
    pthread_mutex_lock(&session->mutex);
    bool holds = holds_trainer(session, id);
    bool paused = holds && session->current->state == RUN_PAUSED;
    pthread_mutex_unlock(&session->mutex);
    if (holds)
        return ff_fail(error, FF_CONFLICT, "run %lld is %s: stop it before it is deleted", (long long)id,
                       paused ? "paused" : "training");
    ff_status status = store_delete_run(session->store, id, error);
    if (status != FF_OK)
        return status;
    pthread_mutex_lock(&session->mutex);
    session_forget(session, id);
    pthread_mutex_unlock(&session->mutex);
    session_rest_forget(session->rest);
    publish_deleted(session, id);
    return FF_OK;
}

ff_status session_delete(struct session *session, int64_t id, struct ff_error *error)
{
    pthread_mutex_lock(&session->order);
    ff_status status = delete_run(session, id, error);
    pthread_mutex_unlock(&session->order);
    return status;
}
