#include <stdlib.h>
#include <string.h>

#include "session_internal.h"

/* --- who may be asked ----------------------------------------------------------------------------------------- */

ff_status session_check_asking(const struct run *run, struct ff_error *error)
{
    if (run_state_holds_trainer(run->state) || run->checkpoint.written > 0)
        return FF_OK;
    if (run->state == RUN_QUEUED)
        return ff_fail(error, FF_CONFLICT, "run %lld is queued: it can predict when it trains, not before",
                       (long long)run->id);
    return ff_fail(error, FF_CONFLICT,
                   "run %lld is %s and has no checkpoint, so its weights are gone: resume it, or start a new run",
                   (long long)run->id, run_state_name(run->state));
}

ff_status session_check_turning(const struct run *run, struct ff_error *error)
{
    if (run_state_holds_trainer(run->state))
        return FF_OK;
    if (run->state == RUN_QUEUED)
        return ff_fail(error, FF_CONFLICT, "run %lld is queued: its settings can be changed when it trains",
                       (long long)run->id);
    return ff_fail(error, FF_CONFLICT,
                   "run %lld is %s: its settings change while it trains or is paused; resume it with other ones, "
                   "{\"config\": {…}}",
                   (long long)run->id, run_state_name(run->state));
}

/* The run is not the one on the line: its checkpoint answers, or the sentence says why nobody does. */
static ff_status ask_elsewhere(struct session *session, int64_t id, const struct session_question *question,
                               struct session_request **request, struct ff_error *error)
{
    bool settings = question->about == SESSION_SETTINGS;
    struct run run;

    if (session_get(session, id, &run, error) != FF_OK ||
        (settings ? session_check_turning(&run, error) : session_check_asking(&run, error)) != FF_OK)
        return error->status;
    if (!run_state_holds_trainer(run.state))
        return session_rest_ask(session, id, question, request, error);
    return ff_fail(error, FF_BUSY, "run %lld is just beginning or ending: ask again in a moment", (long long)id);
}

/* --- asking --------------------------------------------------------------------------------------------------- */

struct session_request *session_make_request(int64_t id, const struct session_question *question,
                                             struct ff_error *error)
{
    size_t kept = question->about == SESSION_IMAGE ? question->pixel_count : 0;
    struct session_request *request = calloc(1, sizeof *request + kept * sizeof request->pixels[0]);

    if (request == NULL) {
        ff_fail_memory(error, "a question");
        return NULL;
    }
    request->run = id;
    request->about = question->about;
    request->best = question->best;
    request->tell = question->tell;
    request->self = question->self;
    request->layer = question->layer;
    request->unit = question->unit;
    request->count = question->count;
    request->error.status = FF_BUSY;
    request->pixel_count = kept;
    if (kept > 0)
        memcpy(request->pixels, question->pixels, kept * sizeof request->pixels[0]);
    request->waits = request->wanted = true;
    return request;
}

static bool is_same(const struct ff_config *a, const struct ff_config *b)
{
    const char *other;

    return ff_config_first_difference(a, b, &other) && other == NULL;
}

/* With `asking`. The trainer makes one change after the other, and so knows what each is added to. What changes
 * nothing holds already: the request's error is FF_OK then. */
static ff_status ask_settings(struct session_line *line, const struct session_question *question, uint64_t step,
                              struct session_request *request, struct ff_error *error)
{
    struct ff_config config = line->config;
    struct ff_problems problems = {0};
    ff_status status;

    if (line->turning || step < line->replays_until)
        return ff_fail(error, FF_BUSY, "the settings of run %lld are just being changed: try again in a moment",
                       (long long)line->run);
    if (!ff_config_apply_live(&config, question->settings, "/config", &problems) ||
        !ff_config_check(&config, NULL, "/config", &problems))
        return ff_fail(error, FF_INVALID, "%s %s", problems.problem[0].pointer, problems.problem[0].detail);
    if (is_same(&config, &line->config)) {
        request->error.status = FF_OK;
        return FF_OK;
    }
    status = ff_trainer_change(line->trainer, &config, error);
    line->turning = status == FF_OK;
    request->ticket = 0; /* the trainer's begin with 1 */
    return status;
}

/* With `asking`, so that the answer does not come before its ticket is known. *asked is on the line, unless it is
 * answered already. */
static ff_status ask(struct session_line *line, const struct session_question *question, uint64_t step,
                     struct session_request **asked, bool *answered, struct ff_error *error)
{
    struct session_request *request = session_make_request(line->run, question, error);
    ff_status status = FF_OK;

    if (request == NULL)
        return error->status;
    if (question->about == SESSION_IMAGE)
        status = ff_trainer_ask(line->trainer, question->pixels, &request->ticket, error);
    else if (question->about == SESSION_WEIGHTS)
        status = ff_trainer_ask_weights(line->trainer, question->layer, question->unit, question->count,
                                        &request->ticket, error);
    else
        status = ask_settings(line, question, step, request, error);
    if (status != FF_OK) {
        free(request);
        return status;
    }
    *asked = request;
    *answered = request->error.status == FF_OK;
    if (!*answered) {
        request->next = line->first;
        line->first = request;
    }
    return FF_OK;
}

static uint64_t step_of(struct session *session)
{
    pthread_mutex_lock(&session->mutex);
    uint64_t step = session->current != NULL ? session->current->progress.step : 0;
    pthread_mutex_unlock(&session->mutex);
    return step;
}

ff_status session_ask(struct session *session, int64_t id, const struct session_question *question,
                      struct session_request **request, struct ff_error *error)
{
    uint64_t step = step_of(session);
    ff_status status = FF_OK;
    bool answered = false;

    if (question->best)
        return session_rest_ask(session, id, question, request, error);
    pthread_mutex_lock(&session->asking);
    bool there = session->line.trainer != NULL && session->line.run == id;
    if (there)
        status = ask(&session->line, question, step, request, &answered, error);
    pthread_mutex_unlock(&session->asking);
    if (answered)
        session_settle(session, *request);
    return there ? status : ask_elsewhere(session, id, question, request, error);
}

/* --- the answer ----------------------------------------------------------------------------------------------- */

/* With `asking`: the one that waits with this ticket, taken off the line; NULL: none. */
static struct session_request *take_ticket(struct session_line *line, uint64_t ticket)
{
    for (struct session_request **at = &line->first; *at != NULL; at = &(*at)->next) {
        struct session_request *request = *at;
        if (request->ticket != ticket)
            continue;
        *at = request->next;
        return request;
    }
    return NULL;
}

/* Room for the answer's figures; false, and the request's error, when there is none. */
static bool make_figures(struct session_request *request, size_t count)
{
    request->figures = malloc(count * sizeof request->figures[0]);
    if (request->figures == NULL)
        ff_fail_memory(&request->error, "an answer");
    else
        request->error.status = FF_OK;
    return request->figures != NULL;
}

void session_keep_answer(struct session_request *request, const struct ff_answer *answer)
{
    size_t goodness = (size_t)answer->layers * (answer->unlabelled ? 1 : answer->classes);

    if (!make_figures(request, goodness + answer->classes))
        return;
    request->answer = *answer;
    request->answer.goodness = memcpy(request->figures, answer->goodness, goodness * sizeof(float));
    request->answer.probabilities =
        memcpy(request->figures + goodness, answer->probabilities, answer->classes * sizeof(float));
}

void session_keep_weights(struct session_request *request, const struct ff_unit_weights *weights)
{
    size_t count = (size_t)weights->count * weights->inputs;

    if (!make_figures(request, count))
        return;
    request->weights = *weights;
    request->weights.weights = memcpy(request->figures, weights->weights, count * sizeof(float));
}

static void free_request(struct session_request *request)
{
    free(request->figures);
    free(request);
}

void session_settle(struct session *session, struct session_request *request)
{
    void (*tell)(void *) = request->tell;
    void *self = request->self;

    pthread_mutex_lock(&session->asking);
    request->waits = false;
    bool forgotten = !request->wanted;
    pthread_mutex_unlock(&session->asking);
    if (forgotten)
        free_request(request);
    tell(self);
}

/* The same, without `asking`. */
static struct session_request *take_waiting(struct session *session, uint64_t ticket)
{
    pthread_mutex_lock(&session->asking);
    struct session_request *request = take_ticket(&session->line, ticket);
    pthread_mutex_unlock(&session->asking);
    return request;
}

void session_see_answer(void *self, const struct ff_answer *answer)
{
    struct session *session = self;
    struct session_request *request = take_waiting(session, answer->ticket);

    if (request == NULL)
        return;
    session_keep_answer(request, answer);
    session_settle(session, request);
}

void session_see_weights(void *self, const struct ff_unit_weights *weights)
{
    struct session *session = self;
    struct session_request *request = take_waiting(session, weights->ticket);

    if (request == NULL)
        return;
    session_keep_weights(request, weights);
    session_settle(session, request);
}

void session_end_turning(struct session *session, const struct ff_config *config, const struct ff_error *error)
{
    pthread_mutex_lock(&session->asking);
    struct session_request *request = take_ticket(&session->line, 0);
    if (config != NULL)
        session->line.config = *config;
    session->line.turning = false;
    pthread_mutex_unlock(&session->asking);
    if (request == NULL)
        return;
    if (error != NULL)
        request->error = *error;
    else
        request->error.status = FF_OK;
    session_settle(session, request);
}

/* FF_OK when it is answered. */
static ff_status look(struct session *session, const struct session_request *request, struct ff_error *error)
{
    pthread_mutex_lock(&session->asking);
    bool waits = request->waits;
    pthread_mutex_unlock(&session->asking);
    if (waits)
        return ff_fail(error, FF_BUSY, "run %lld has not answered yet: ask again", (long long)request->run);
    if (request->error.status == FF_BUSY)
        return ff_fail(error, FF_CONFLICT, "run %lld ended before it could answer", (long long)request->run);
    if (request->error.status != FF_OK)
        *error = request->error;
    return request->error.status;
}

ff_status session_answer(struct session *session, struct session_request *request, const struct ff_answer **answer,
                         struct ff_error *error)
{
    *answer = &request->answer;
    return look(session, request, error);
}

ff_status session_weights(struct session *session, struct session_request *request,
                          const struct ff_unit_weights **weights, struct ff_error *error)
{
    *weights = &request->weights;
    return look(session, request, error);
}

ff_status session_turned(struct session *session, struct session_request *request, struct ff_error *error)
{
    return look(session, request, error);
}

void session_drop(struct session *session, struct session_request *request)
{
    pthread_mutex_lock(&session->asking);
    request->wanted = false;
    bool last = !request->waits;
    pthread_mutex_unlock(&session->asking);
    if (last)
        free_request(request);
}

/* --- the line ------------------------------------------------------------------------------------------------- */

void session_begin_asking(struct session *session, int64_t id, struct ff_trainer *trainer,
                          const struct ff_config *config, uint64_t until)
{
    pthread_mutex_lock(&session->asking);
    session->line = (struct session_line){.trainer = trainer, .run = id, .config = *config, .replays_until = until};
    pthread_mutex_unlock(&session->asking);
}

void session_end_asking(struct session *session)
{
    pthread_mutex_lock(&session->asking);
    struct session_request *request = session->line.first;
    session->line = (struct session_line){0};
    pthread_mutex_unlock(&session->asking);
    while (request != NULL) {
        struct session_request *next = request->next;
        if (request->about == SESSION_SETTINGS || !session_rest_take(session->rest, request))
            session_settle(session, request);
        request = next;
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
