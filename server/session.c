#include "session.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session_internal.h"
#include "thread.h"
#include "timing.h"

/* The session's own copies. All with `mutex`. */

static size_t find_waiting(const struct session *session, int64_t id)
{
    size_t i = 0;

    while (i < session->waiting && session->queue[i]->id != id)
        i++;
    return i;
}

static size_t find_unsaved(const struct session *session, int64_t id)
{
    size_t i = 0;

    while (i < session->unsaved_count && session->unsaved[i]->id != id)
        i++;
    return i;
}

struct run *session_find(struct session *session, int64_t id)
{
    size_t waiting = find_waiting(session, id), unsaved = find_unsaved(session, id);

    if (session->current != NULL && session->current->id == id)
        return session->current;
    if (waiting < session->waiting)
        return session->queue[waiting];
    return unsaved < session->unsaved_count ? session->unsaved[unsaved] : NULL;
}

void session_note_change(struct session *session)
{
    session->changes++;
}

void session_forget(struct session *session, int64_t id)
{
    size_t waiting = find_waiting(session, id), unsaved = find_unsaved(session, id);

    session_note_change(session);
    if (waiting < session->waiting) {
        free(session->queue[waiting]);
        session->waiting--;
        memmove(session->queue + waiting, session->queue + waiting + 1,
                (session->waiting - waiting) * sizeof session->queue[0]);
    }
    if (unsaved < session->unsaved_count) {
        free(session->unsaved[unsaved]);
        session->unsaved_count--;
        memmove(session->unsaved + unsaved, session->unsaved + unsaved + 1,
                (session->unsaved_count - unsaved) * sizeof session->unsaved[0]);
    }
}

static enum run_pending pending_of(enum session_wanted wanted, enum run_state state)
{
    if (wanted == SESSION_STOP)
        return RUN_PENDING_STOP;
    if (wanted == SESSION_PAUSE && state == RUN_RUNNING)
        return RUN_PENDING_PAUSE;
    if (wanted == SESSION_RUN && state == RUN_PAUSED)
        return RUN_PENDING_RESUME;
    return RUN_PENDING_NONE;
}

void session_show(struct session *session, const struct run *live, struct run *shown)
{
    const struct run *current = session->current;

    *shown = *live;
    if (live == current)
        shown->pending = pending_of(session->wanted, live->state);
    else if (live->state == RUN_QUEUED && live->started > 0)
        shown->pending = RUN_PENDING_RESUME;
    if (live->state == RUN_QUEUED && current != NULL && current->state == RUN_PAUSED)
        run_add_warning(shown, "waits for run %lld, which is paused", (long long)current->id);
}

bool session_show_live(struct session *session, int64_t id, struct run *shown)
{
    pthread_mutex_lock(&session->mutex);
    const struct run *live = session_find(session, id);
    if (live != NULL)
        session_show(session, live, shown);
    pthread_mutex_unlock(&session->mutex);
    return live != NULL;
}

/* Life */

static ff_status start_threads(struct session *session, struct ff_error *error)
{
    if (thread_start(&session->trainer_thread, session_train, session, "trains", error) != FF_OK)
        return error->status;
    if (thread_start(&session->reporter_thread, session_report, session, "reports progress", error) == FF_OK)
        return FF_OK;
    pthread_mutex_lock(&session->mutex);
    session->closing = true;
    pthread_cond_broadcast(&session->changed);
    pthread_mutex_unlock(&session->mutex);
    pthread_join(session->trainer_thread, NULL);
    return error->status;
}

static void free_session(struct session *session)
{
    for (size_t i = 0; i < session->unsaved_count; i++)
        free(session->unsaved[i]);
    for (size_t i = 0; i < session->waiting; i++)
        free(session->queue[i]);
    session_rest_stop(session->rest);
    pthread_cond_destroy(&session->changed);
    pthread_mutex_destroy(&session->mutex);
    pthread_mutex_destroy(&session->asking);
    pthread_mutex_destroy(&session->order);
    free(session);
}

/* What a former daemon left waiting. No other thread uses the session yet. */
static ff_status take_up_queue(struct session *session, struct ff_error *error)
{
    struct store_run_filter queued = {.state = RUN_QUEUED};
    struct run *runs = NULL;
    size_t count = 0;
    int64_t next;
    ff_status status = store_list_runs(session->store, &queued, &runs, &count, &next, error);

    while (status == FF_OK && count > 0 && session->waiting < SESSION_QUEUE_ROOM) {
        struct run *run = malloc(sizeof *run);
        if (run != NULL) {
            *run = runs[--count]; /* the oldest is the last */
            session->queue[session->waiting++] = run;
        } else {
            status = ff_fail_memory(error, "the runs that wait");
        }
    }
    free(runs);
    return status;
}

struct session *session_create(struct store *store, struct hub *hub, struct catalog *catalog,
                               struct ff_placement placement, struct ff_crew *crew, struct ff_error *error)
{
    struct session *session = calloc(1, sizeof *session);

    if (session == NULL) {
        ff_fail_memory(error, "the session");
        return NULL;
    }
    session->store = store;
    session->hub = hub;
    session->catalog = catalog;
    session->placement = placement;
    session->crew = crew;
    session->saving.pace = checkpoint_pace_start();
    session->changes = 1;
    pthread_mutex_init(&session->order, NULL);
    pthread_mutex_init(&session->asking, NULL);
    pthread_mutex_init(&session->mutex, NULL);
    timing_condition(&session->changed);
    if (take_up_queue(session, error) == FF_OK && (session->rest = session_rest_start(session, error)) != NULL &&
        start_threads(session, error) == FF_OK)
        return session;
    free_session(session);
    return NULL;
}

/* No more runs begin, and the one that trains is told to stop. */
static void close_session(struct session *session)
{
    pthread_mutex_lock(&session->order);
    pthread_mutex_lock(&session->mutex);
    session->closing = true;
    session_note_change(session);
    if (session->current != NULL && session->wanted != SESSION_STOP) {
        session->wanted = SESSION_STOP;
        session->interrupting = true;
    }
    pthread_cond_broadcast(&session->changed);
    pthread_mutex_unlock(&session->mutex);
    if (session->trainer != NULL)
        ff_trainer_stop(session->trainer);
    pthread_mutex_unlock(&session->order);
}

void session_destroy(struct session *session)
{
    if (session == NULL)
        return;
    close_session(session);
    pthread_join(session->trainer_thread, NULL);
    pthread_mutex_lock(&session->mutex);
    session->reporter_closing = true;
    pthread_cond_broadcast(&session->changed);
    pthread_mutex_unlock(&session->mutex);
    pthread_join(session->reporter_thread, NULL);
    free_session(session);
}

/* Submitting */

ff_status session_check_room(struct session *session, struct ff_error *error)
{
    pthread_mutex_lock(&session->mutex);
    bool closing = session->closing;
    size_t waiting = session->waiting;
    pthread_mutex_unlock(&session->mutex);
    if (closing)
        return ff_fail(error, FF_BUSY, "the program is ending: start the run again when it is back");
    if (waiting >= SESSION_QUEUE_MAX)
        return ff_fail(error, FF_BUSY, "%d runs wait already: try again when one of them has begun",
                       SESSION_QUEUE_MAX);
    return FF_OK;
}

static void prepare_run(struct run *run)
{
    run->state = RUN_QUEUED;
    run->pending = RUN_PENDING_NONE;
    run->reason[0] = '\0';
    run->created = timing_date();
    run->started = run->ended = 0;
    run->placement = (struct ff_placement){0};
    run->progress = (struct ff_progress){
        .epochs = run->config.epochs, .remaining = (double)NAN, .samples_per_second = (double)NAN};
    memset(&run->last, 0, sizeof run->last);
    memset(&run->best, 0, sizeof run->best);
}

/* With `order`. */
static ff_status submit(struct session *session, struct run *run, struct ff_error *error)
{
    ff_status status = session_check_room(session, error);
    if (status != FF_OK)
        return status;
    struct run *live = malloc(sizeof *live);
    if (live == NULL)
        return ff_fail_memory(error, "a run");
    prepare_run(run);
    if ((status = store_insert_run(session->store, run, error)) != FF_OK) {
        free(live);
        return status;
    }
    *live = *run;
    pthread_mutex_lock(&session->mutex);
    session->queue[session->waiting++] = live;
    session_note_change(session);
    session_show(session, live, run);
    pthread_cond_broadcast(&session->changed);
    pthread_mutex_unlock(&session->mutex);
    session_publish(session, run);
    return FF_OK;
}

ff_status session_submit(struct session *session, struct run *run, struct ff_error *error)
{
    pthread_mutex_lock(&session->order);
    ff_status status = submit(session, run, error);
    pthread_mutex_unlock(&session->order);
    return status;
}

/* Looking */

ff_status session_get(struct session *session, int64_t id, struct run *run, struct ff_error *error)
{
    if (session_show_live(session, id, run))
        return FF_OK;
    return store_get_run(session->store, id, run, error);
}

struct session_version session_version(struct session *session, int64_t id)
{
    pthread_mutex_lock(&session->mutex);
    bool live = id == 0 || session_find(session, id) != NULL;
    struct session_version version = {.live = live ? session->changes : 0};
    pthread_mutex_unlock(&session->mutex);
    if (id == 0 || !live)
        version.stored = store_version(session->store, id);
    return version;
}

int64_t session_current(struct session *session)
{
    pthread_mutex_lock(&session->mutex);
    int64_t id = session->current != NULL ? session->current->id : 0;
    pthread_mutex_unlock(&session->mutex);
    return id;
}

/* With `mutex`. */
static void add_live(const struct run *run, struct store_live_run *live, size_t *count)
{
    if (run != NULL)
        live[(*count)++] = (struct store_live_run){run->id, run->state};
}

size_t session_list_live(struct session *session, struct store_live_run live[SESSION_LIVE_MAX])
{
    size_t count = 0;

    pthread_mutex_lock(&session->mutex);
    add_live(session->current, live, &count);
    for (size_t i = 0; i < session->waiting; i++)
        add_live(session->queue[i], live, &count);
    for (size_t i = 0; i < session->unsaved_count; i++)
        add_live(session->unsaved[i], live, &count);
    pthread_mutex_unlock(&session->mutex);
    return count;
}

void session_refresh(struct session *session, struct run *run)
{
    struct ff_error ignored; /* deleted meanwhile: as it was */
    int64_t id = run->id;

    /* A row that is not final belongs to a live run, or to one that has ended since the row was read. */
    if (!session_show_live(session, id, run) && !run_state_is_final(run->state)) {
        struct run *newer = malloc(sizeof *newer);
        if (newer != NULL && store_get_run(session->store, id, newer, &ignored) == FF_OK)
            *run = *newer;
        free(newer);
    }
}

bool session_ready(struct session *session, char *sentence, size_t size)
{
    struct ff_error error;

    if (store_trouble(session->store, sentence, size))
        return false;
    if (session_check_room(session, &error) == FF_OK)
        return true;
    snprintf(sentence, size, "%s", error.message);
    return false;
}
