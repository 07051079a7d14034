#include <stdlib.h>
#include <string.h>

#include "session_internal.h"

/* Two share it: the session, while it waits for the answer, and who asked, until the drop. */
struct session_prediction {
    struct session_prediction *next;
    uint64_t ticket;
    int64_t run;
    bool waits, wanted; /* the session's share; the asker's */
    bool answered;
    void (*tell)(void *self);
    void *self;
    float *probabilities;    /* in `figures` */
    struct ff_answer answer; /* its figures are in `figures` */
    float figures[];         /* [FF_LAYERS_MAX][classes] goodness, then [classes] probabilities */
};

/* --- asking --------------------------------------------------------------------------------------------------- */

ff_status session_check_asking(const struct run *run, struct ff_error *error)
{
    if (run_state_holds_trainer(run->state))
        return FF_OK;
    if (run->state == RUN_QUEUED)
        return ff_fail(error, FF_CONFLICT, "run %lld is queued: it can predict when it trains, not before",
                       (long long)run->id);
    return ff_fail(error, FF_CONFLICT,
                   "run %lld is %s: prediction from finished runs is not available in this build, since their "
                   "weights are not kept",
                   (long long)run->id, run_state_name(run->state));
}

/* Why the run is not the one on the line. */
static ff_status refuse(struct session *session, int64_t id, struct ff_error *error)
{
    struct run run;

    if (session_get(session, id, &run, error) != FF_OK || session_check_asking(&run, error) != FF_OK)
        return error->status;
    return ff_fail(error, FF_BUSY, "run %lld is just beginning or ending: ask again in a moment", (long long)id);
}

static struct session_prediction *create_prediction(const struct session_line *line,
                                                    const struct session_question *question)
{
    size_t goodness = (size_t)FF_LAYERS_MAX * line->classes;
    struct session_prediction *prediction =
        calloc(1, sizeof *prediction + (goodness + line->classes) * sizeof(float));

    if (prediction == NULL)
        return NULL;
    prediction->run = line->run;
    prediction->tell = question->tell;
    prediction->self = question->self;
    prediction->probabilities = prediction->figures + goodness;
    return prediction;
}

/* With `asking`, so that the answer does not come before its ticket is known. */
static ff_status ask(struct session_line *line, const struct session_question *question,
                     struct session_prediction **asked, struct ff_error *error)
{
    struct session_prediction *prediction = create_prediction(line, question);
    ff_status status;

    if (prediction == NULL)
        return ff_fail_memory(error, "a prediction");
    status = ff_trainer_ask(line->trainer, question->pixels, &prediction->ticket, error);
    if (status != FF_OK) {
        free(prediction);
        return status;
    }
    prediction->waits = prediction->wanted = true;
    prediction->next = line->first;
    line->first = prediction;
    *asked = prediction;
    return FF_OK;
}

ff_status session_ask(struct session *session, int64_t id, const struct session_question *question,
                      struct session_prediction **prediction, struct ff_error *error)
{
    ff_status status = FF_OK;

    pthread_mutex_lock(&session->asking);
    bool there = session->line.trainer != NULL && session->line.run == id;
    if (there)
        status = ask(&session->line, question, prediction, error);
    pthread_mutex_unlock(&session->asking);
    return there ? status : refuse(session, id, error);
}

/* --- the answer ----------------------------------------------------------------------------------------------- */

/* With `asking`: the one that waits with this ticket, taken off the line; NULL: none. */
static struct session_prediction *take_ticket(struct session_line *line, uint64_t ticket)
{
    for (struct session_prediction **at = &line->first; *at != NULL; at = &(*at)->next) {
        struct session_prediction *prediction = *at;
        if (prediction->ticket != ticket)
            continue;
        *at = prediction->next;
        return prediction;
    }
    return NULL;
}

/* With `asking`. The sizes are those that the line began with. */
static void keep_answer(struct session_prediction *prediction, const struct ff_answer *answer)
{
    memcpy(prediction->figures, answer->goodness, (size_t)answer->layers * answer->classes * sizeof(float));
    memcpy(prediction->probabilities, answer->probabilities, answer->classes * sizeof(float));
    prediction->answer = *answer;
    prediction->answer.goodness = prediction->figures;
    prediction->answer.probabilities = prediction->probabilities;
    prediction->answered = true;
}

/* Give up the session's share, and tell the asker. Without a lock; the prediction is off the line. */
static void settle(struct session *session, struct session_prediction *prediction)
{
    void (*tell)(void *) = prediction->tell;
    void *self = prediction->self;

    pthread_mutex_lock(&session->asking);
    prediction->waits = false;
    bool forgotten = !prediction->wanted;
    pthread_mutex_unlock(&session->asking);
    if (forgotten)
        free(prediction);
    tell(self);
}

void session_see_answer(void *self, const struct ff_answer *answer)
{
    struct session *session = self;

    pthread_mutex_lock(&session->asking);
    struct session_prediction *prediction = take_ticket(&session->line, answer->ticket);
    if (prediction != NULL)
        keep_answer(prediction, answer);
    pthread_mutex_unlock(&session->asking);
    if (prediction != NULL)
        settle(session, prediction);
}

ff_status session_answer(struct session *session, struct session_prediction *prediction,
                         const struct ff_answer **answer, struct ff_error *error)
{
    pthread_mutex_lock(&session->asking);
    bool waits = prediction->waits, answered = prediction->answered;
    pthread_mutex_unlock(&session->asking);
    if (waits)
        return ff_fail(error, FF_BUSY, "run %lld has not answered yet: ask again", (long long)prediction->run);
    if (!answered)
        return ff_fail(error, FF_CONFLICT,
                       "run %lld ended before it could answer, and prediction from finished runs is not available "
                       "in this build",
                       (long long)prediction->run);
    *answer = &prediction->answer;
    return FF_OK;
}

void session_drop(struct session *session, struct session_prediction *prediction)
{
    pthread_mutex_lock(&session->asking);
    prediction->wanted = false;
    bool last = !prediction->waits;
    pthread_mutex_unlock(&session->asking);
    if (last)
        free(prediction);
}

/* --- the line ------------------------------------------------------------------------------------------------- */

void session_begin_asking(struct session *session, int64_t id, struct ff_trainer *trainer, uint32_t classes)
{
    pthread_mutex_lock(&session->asking);
    session->line = (struct session_line){.trainer = trainer, .run = id, .classes = classes};
    pthread_mutex_unlock(&session->asking);
}

void session_end_asking(struct session *session)
{
    pthread_mutex_lock(&session->asking);
    struct session_prediction *prediction = session->line.first;
    session->line = (struct session_line){0};
    pthread_mutex_unlock(&session->asking);
    while (prediction != NULL) {
        struct session_prediction *next = prediction->next;
        settle(session, prediction);
        prediction = next;
    }
}

ff_status session_timeline(struct session *session, int64_t id, struct ff_span **spans, size_t *count,
                           struct ff_error *error)
{
    *count = 0;
    *spans = malloc(FF_SPANS_KEPT * sizeof **spans);
    if (*spans == NULL)
        return ff_fail_memory(error, "the timeline");
    pthread_mutex_lock(&session->asking);
    if (session->line.trainer != NULL && session->line.run == id)
        *count = ff_trainer_timeline(session->line.trainer, *spans, FF_SPANS_KEPT);
    pthread_mutex_unlock(&session->asking);
    return FF_OK;
}
