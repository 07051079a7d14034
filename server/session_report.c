#include "session_internal.h"

#include <stdlib.h>

#include "timing.h"

enum { REPORT_MILLISECONDS = 1000 };

void session_publish(struct session *session, const struct run *shown)
{
    cJSON *json = run_to_json(shown);
    char *text = json != NULL ? cJSON_PrintUnformatted(json) : NULL;

    if (text != NULL)
        hub_append(session->hub, shown->id, "state", text);
    cJSON_free(text);
    cJSON_Delete(json);
}

void session_publish_current(struct session *session, bool save)
{
    struct ff_progress progress = {0};
    struct ff_error ignored; /* store_trouble tells; the end of a run is tried again */
    struct run *shown = &session->scratch;

    if (session->trainer != NULL)
        ff_trainer_progress(session->trainer, &progress);
    pthread_mutex_lock(&session->mutex);
    bool any = session->current != NULL;
    if (any) {
        if (session->trainer != NULL && progress.step >= session->begin_step)
            session->current->progress = progress;
        session_note_change(session);
        session_show(session, session->current, shown);
        save = save || session->dirty;
        session->dirty = false;
    }
    pthread_mutex_unlock(&session->mutex);
    if (!any)
        return;
    if (save)
        store_update_run(session->store, shown, &ignored);
    session_publish(session, shown);
    session_publish_queue(session);
}

/* Those that wait, as they are shown now: [waiting] on the heap. NULL when memory is short, or none wait. */
static struct run *copy_queue(struct session *session, size_t *count)
{
    struct run *shown = NULL;

    pthread_mutex_lock(&session->mutex);
    *count = session->waiting;
    if (*count > 0)
        shown = malloc(*count * sizeof *shown);
    for (size_t i = 0; shown != NULL && i < *count; i++)
        session_show(session, session->queue[i], &shown[i]);
    pthread_mutex_unlock(&session->mutex);
    return shown;
}

void session_publish_queue(struct session *session)
{
    size_t count;

    pthread_mutex_lock(&session->mutex);
    bool paused = session->current != NULL && session->current->state == RUN_PAUSED;
    pthread_mutex_unlock(&session->mutex);
    if (paused == session->told_paused)
        return;
    session->told_paused = paused;
    struct run *shown = copy_queue(session, &count);
    for (size_t i = 0; shown != NULL && i < count; i++)
        session_publish(session, &shown[i]);
    free(shown);
}

/* A run that trains while the database cannot be written may lose points for good: it keeps the remark. */
void session_note_trouble(struct session *session)
{
    char sentence[512];
    uint64_t troubles = store_troubles(session->store);

    store_tell_log(session->store);
    if (!store_trouble(session->store, sentence, sizeof sentence) && troubles == session->troubles)
        return;
    session->troubles = troubles;
    pthread_mutex_lock(&session->mutex);
    if (session->current != NULL)
        run_add_warning(session->current,
                        "the database could not be written for some time: points of the series may be missing");
    session_note_change(session);
    pthread_mutex_unlock(&session->mutex);
}

/* The ends of runs that the store could not take. */
static void save_again(struct session *session)
{
    struct ff_error error;

    for (;;) {
        pthread_mutex_lock(&session->mutex);
        bool any = session->unsaved_count > 0;
        if (any)
            session->scratch = *session->unsaved[0];
        pthread_mutex_unlock(&session->mutex);
        if (!any)
            return;
        ff_status status = store_update_run(session->store, &session->scratch, &error);
        if (status != FF_OK && status != FF_NOT_FOUND)
            return;
        pthread_mutex_lock(&session->mutex);
        session_forget(session, session->scratch.id);
        pthread_mutex_unlock(&session->mutex);
    }
}

static void report(struct session *session)
{
    pthread_mutex_lock(&session->order);
    session_note_trouble(session);
    session_publish_current(session, false);
    save_again(session);
    pthread_mutex_unlock(&session->order);
}

/* With `mutex`: wait until something changed on the trainer's thread, or a second is over in which something is
 * under way. */
static void wait_for_change(struct session *session, int64_t last)
{
    while (!session->reporter_closing && !session->dirty) {
        bool trains = session->current != NULL && session->current->state == RUN_RUNNING;
        int64_t when = last + REPORT_MILLISECONDS;
        struct timespec time = timing_until(when);
        if (!trains && session->unsaved_count == 0)
            pthread_cond_wait(&session->changed, &session->mutex);
        else if (timing_now() < when)
            pthread_cond_timedwait(&session->changed, &session->mutex, &time);
        else
            return;
    }
}

void *session_report(void *argument)
{
    struct session *session = argument;
    int64_t last = timing_now();

    for (;;) {
        pthread_mutex_lock(&session->mutex);
        wait_for_change(session, last);
        bool closing = session->reporter_closing;
        pthread_mutex_unlock(&session->mutex);
        if (closing)
            return NULL;
        last = timing_now();
        report(session);
    }
}
