/* api_weights.c - incoming weights of a layer's units, of a run that trains or of its checkpoint. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "digits.h"

enum { UNITS_MAX = 65536 /* that a layer can have */ };

/* What is kept of a request until its answer comes. */
struct waiting_weights {
    struct session *session;
    struct session_request *request;
    bool rests;      /* of a checkpoint: the same until there is another one */
    uint32_t kernel; /* of a convolution; 0: a dense layer */
};

static void release_waiting(void *kept)
{
    struct waiting_weights *waiting = kept;

    session_drop(waiting->session, waiting->request);
    free(waiting);
}

/* --- asking --------------------------------------------------------------------------------------------------- */

/* Whether the layer and the units are there; false: answered already. */
static bool find_units(const struct request *request, struct response *response, const struct run *run,
                       struct session_question *question)
{
    static const char *const names[] = {"unit", "count", NULL};
    const char *text = request_part(request, "n");
    uint64_t layer, unit, count;

    if (!request_check_query(request, response, names) ||
        !request_query_number(request, response, "unit", 0, UNITS_MAX - 1, 0, &unit) ||
        !request_query_number(request, response, "count", 1, UNITS_MAX, 1, &count))
        return false;
    question->unit = (uint32_t)unit;
    question->count = (uint32_t)count;
    if (!digits_whole(text, &layer) || layer >= run->config.layer_count) {
        respond_problem(response, 404, "there is no layer %.40s; run %lld has layers 0 to %u", text,
                        (long long)run->id, run->config.layer_count - 1);
        return false;
    }
    question->layer = (uint32_t)layer;
    uint32_t units = ff_layer_units(&run->config.layers[question->layer]);
    if (question->unit >= units) {
        respond_problem(response, 404, "there is no unit %u; layer %u of run %lld has units 0 to %u",
                        question->unit, question->layer, (long long)run->id, units - 1);
        return false;
    }
    if (question->count <= units - question->unit)
        return true;
    respond_problem(response, 400,
                    "the query parameter \"count\" must be at most %u, the units of layer %u from %u on, got %u",
                    units - question->unit, question->layer, question->unit, question->count);
    return false;
}

static uint32_t kernel_of(const struct ff_layer_config *layer)
{
    return layer->kind == FF_CONV ? layer->kernel : 0;
}

static void begin(struct api *api, const struct request *request, struct response *response)
{
    struct waiting_weights *waiting;
    struct session_question question = {.about = SESSION_WEIGHTS, .tell = api_ring};
    struct ff_error error;
    struct run run;

    if (!api_run(api, request, response, &run) || !find_units(request, response, &run, &question))
        return;
    if (session_check_asking(&run, &error) != FF_OK) {
        respond_error(response, &error);
        return;
    }
    waiting = calloc(1, sizeof *waiting);
    question.self = response_bell(response);
    if (waiting == NULL || question.self == NULL) {
        ff_fail_memory(&error, "a request");
    } else if (session_ask(api->session, run.id, &question, &waiting->request, &error) == FF_OK) {
        waiting->session = api->session;
        waiting->rests = !run_state_holds_trainer(run.state);
        waiting->kernel = kernel_of(&run.config.layers[question.layer]);
        response_keep(response, waiting, release_waiting);
        respond_later(response, API_PATIENCE_SECONDS);
        return;
    }
    http_bell_release(question.self);
    free(waiting);
    respond_error(response, &error);
}

/* --- answering ------------------------------------------------------------------------------------------------ */

/* The floats as they are in memory: little-endian, on every machine this builds for. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "weights are given as little-endian float32");

/* Units and inputs; of a convolution units, channels, and the kernel's rows and columns. */
static void put_shape(struct response *response, const struct ff_unit_weights *weights, uint32_t kernel)
{
    char shape[64];

    if (kernel > 0)
        snprintf(shape, sizeof shape, "%u,%u,%u,%u", weights->count, weights->inputs / (kernel * kernel), kernel,
                 kernel);
    else
        snprintf(shape, sizeof shape, "%u,%u", weights->count, weights->inputs);
    response_header(response, "X-Shape", shape);
}

static void respond_weights(struct response *response, const struct ff_unit_weights *weights,
                            const struct waiting_weights *waiting)
{
    size_t length = (size_t)weights->count * weights->inputs * sizeof(float);
    char *bytes = malloc(length);

    if (bytes != NULL)
        memcpy(bytes, weights->weights, length);
    respond_text(response, 200, "application/octet-stream", bytes, length);
    if (bytes == NULL)
        return;
    put_shape(response, weights, waiting->kernel);
    if (waiting->rests)
        response_use_etag(response);
}

/* GET /api/v1/runs/{id}/layers/{n}/weights?unit=&count=: called once to ask, and again when the answer is there. */
void api_weights(struct api *api, const struct request *request, struct response *response)
{
    struct waiting_weights *waiting = request_kept(request);
    const struct ff_unit_weights *weights;
    struct ff_error error;

    if (waiting == NULL) {
        begin(api, request, response);
        return;
    }
    ff_status status = session_weights(waiting->session, waiting->request, &weights, &error);
    if (status == FF_OK)
        respond_weights(response, weights, waiting);
    else if (status == FF_BUSY && !request_is_last_try(request))
        respond_later(response, API_PATIENCE_SECONDS);
    else
        respond_error(response, &error);
}
