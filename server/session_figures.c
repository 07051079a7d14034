#include <stdlib.h>
#include <string.h>

#include "session_internal.h"
#include "timing.h"

enum { TELL_MILLISECONDS = 500 };

/* On the trainer's thread, which alone writes what it reads here. */
static void tell_histograms(struct session *session, int64_t run, const struct ff_histograms *histograms)
{
    struct text text;
    size_t length;

    text_open(&text);
    text_print(&text, "{\"run\":%lld,", (long long)run);
    histograms_write(&text, histograms);
    text_print(&text, "}");
    char *json = text_close(&text, &length);
    if (json != NULL)
        hub_append(session->hub, run, "histogram", json);
    free(json);
}

void session_see_histograms(void *self, const struct ff_histograms *histograms)
{
    struct session *session = self;
    struct session_figures *figures = &session->figures;
    int64_t now = timing_now();

    pthread_mutex_lock(&session->mutex);
    int64_t run = session->current->id;
    bool due = figures->run != run || now >= figures->told + TELL_MILLISECONDS;
    histograms_copy(&figures->histograms, histograms);
    figures->run = run;
    figures->told = due ? now : figures->told;
    figures->untold = !due;
    session_note_change(session);
    pthread_mutex_unlock(&session->mutex);
    if (histograms->whole)
        store_append_histograms(session->store, run, histograms);
    if (due)
        tell_histograms(session, run, histograms);
}

void session_see_evaluation(void *self, const struct ff_evaluation *evaluation)
{
    struct session *session = self;
    struct confusion confusion;
    struct ff_error ignored; /* the epoch's row has what matters more */

    pthread_mutex_lock(&session->mutex);
    int64_t run = session->current->id;
    pthread_mutex_unlock(&session->mutex);
    if (confusion_make(&confusion, evaluation, &ignored) == FF_OK)
        store_append_confusion(session->store, run, &confusion);
    confusion_free(&confusion);
}

void session_tell_histograms(struct session *session)
{
    struct session_figures *figures = &session->figures;

    pthread_mutex_lock(&session->mutex);
    bool untold = figures->untold;
    figures->untold = false;
    pthread_mutex_unlock(&session->mutex);
    if (untold)
        tell_histograms(session, figures->run, &figures->histograms.about);
}

void session_keep_histograms(struct session *session)
{
    const struct session_figures *figures = &session->figures;

    session_tell_histograms(session);
    if (figures->run != 0 && !figures->histograms.about.whole)
        store_append_histograms(session->store, figures->run, &figures->histograms.about);
}

void session_forget_figures(struct session *session)
{
    pthread_mutex_lock(&session->mutex);
    session->figures.run = 0;
    session->figures.untold = false;
    pthread_mutex_unlock(&session->mutex);
}

bool session_histograms(struct session *session, int64_t id, struct histograms *histograms)
{
    const struct session_figures *figures = &session->figures;

    pthread_mutex_lock(&session->mutex);
    bool any = id != 0 && figures->run == id;
    if (any)
        histograms_copy(histograms, &figures->histograms.about);
    pthread_mutex_unlock(&session->mutex);
    return any;
}
