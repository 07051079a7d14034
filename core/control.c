#include "control.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct ff_control {
    size_t pixels;
    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t asked;
    bool pause, stop, ended;
    struct ff_error failure; /* its status is FF_OK while there is none */
    uint64_t last_ticket;
    uint32_t first, count, most;
    struct ff_request *requests; /* [most], a ring */
    bool change;
    struct ff_config wanted;
};

struct ff_control *ff_control_create(const struct ff_plan *plan, uint32_t most, struct ff_error *error)
{
    struct ff_control *control = calloc(1, sizeof *control);

    if (control == NULL || (control->requests = calloc(most, sizeof *control->requests)) == NULL) {
        free(control);
        ff_fail_memory(error, "requests");
        return NULL;
    }
    pthread_mutex_init(&control->mutex, NULL);
    pthread_cond_init(&control->asked, NULL);
    control->pixels = plan->pixels;
    for (; control->most < most; control->most++) {
        if ((control->requests[control->most].pixels = ff_floats(plan->pixels)) == NULL) {
            ff_control_destroy(control);
            ff_fail_memory(error, "requests");
            return NULL;
        }
    }
    return control;
}

/* --- asking --- */

static void set(struct ff_control *control, bool *what, bool value)
{
    pthread_mutex_lock(&control->mutex);
    *what = value;
    pthread_cond_broadcast(&control->asked);
    pthread_mutex_unlock(&control->mutex);
}

void ff_control_pause(struct ff_control *control, bool pause)
{
    set(control, &control->pause, pause);
}

void ff_control_stop(struct ff_control *control)
{
    set(control, &control->stop, true);
}

void ff_control_end(struct ff_control *control)
{
    set(control, &control->ended, true);
}

void ff_control_fail(struct ff_control *control, const struct ff_error *reason)
{
    pthread_mutex_lock(&control->mutex);
    if (control->failure.status == FF_OK)
        control->failure = *reason;
    pthread_cond_broadcast(&control->asked);
    pthread_mutex_unlock(&control->mutex);
}

ff_status ff_control_failure(struct ff_control *control, struct ff_error *reason)
{
    ff_status status;

    pthread_mutex_lock(&control->mutex);
    status = control->failure.status;
    if (status != FF_OK && reason != NULL)
        *reason = control->failure;
    pthread_mutex_unlock(&control->mutex);
    return status;
}

/* With the mutex held. */
static bool is_over(const struct ff_control *control)
{
    return control->ended || control->stop || control->failure.status != FF_OK;
}

/* With the mutex held: a place for one more; NULL and `error` where there is none. */
static struct ff_request *add_request(struct ff_control *control, uint64_t *ticket, struct ff_error *error)
{
    struct ff_request *request = &control->requests[(control->first + control->count) % control->most];

    if (is_over(control)) {
        ff_fail(error, FF_CONFLICT, "the run has ended");
        return NULL;
    }
    if (control->count == control->most) {
        ff_fail(error, FF_BUSY, "%u questions wait already; try again", control->most);
        return NULL;
    }
    control->count++;
    *ticket = request->ticket = ++control->last_ticket;
    pthread_cond_broadcast(&control->asked);
    return request;
}

ff_status ff_control_ask(struct ff_control *control, const float *pixels, uint64_t *ticket, struct ff_error *error)
{
    struct ff_request *request;

    pthread_mutex_lock(&control->mutex);
    if ((request = add_request(control, ticket, error)) != NULL) {
        request->weights = false;
        memcpy(request->pixels, pixels, control->pixels * sizeof *pixels);
    }
    pthread_mutex_unlock(&control->mutex);
    return request != NULL ? FF_OK : error->status;
}

ff_status ff_control_ask_weights(struct ff_control *control, const struct ff_range *range, uint64_t *ticket,
                                 struct ff_error *error)
{
    struct ff_request *request;

    pthread_mutex_lock(&control->mutex);
    if ((request = add_request(control, ticket, error)) != NULL) {
        request->weights = true;
        request->range = *range;
    }
    pthread_mutex_unlock(&control->mutex);
    return request != NULL ? FF_OK : error->status;
}

ff_status ff_control_change(struct ff_control *control, const struct ff_config *config, struct ff_error *error)
{
    ff_status status = FF_OK;

    pthread_mutex_lock(&control->mutex);
    if (is_over(control)) {
        status = ff_fail(error, FF_CONFLICT, "the run has ended");
    } else if (control->change) {
        status = ff_fail(error, FF_BUSY, "another change is just being made; try again");
    } else {
        control->change = true;
        control->wanted = *config;
        pthread_cond_broadcast(&control->asked);
    }
    pthread_mutex_unlock(&control->mutex);
    return status;
}

/* --- the feeder looks --- */

struct ff_wishes ff_control_wishes(struct ff_control *control)
{
    struct ff_wishes wishes;

    pthread_mutex_lock(&control->mutex);
    wishes = (struct ff_wishes){control->pause, control->stop, control->failure.status != FF_OK};
    pthread_mutex_unlock(&control->mutex);
    return wishes;
}

/* What is returned is the feeder's alone until it is served: others write only to places behind it. */
const struct ff_request *ff_control_request(struct ff_control *control)
{
    const struct ff_request *request;

    pthread_mutex_lock(&control->mutex);
    request = control->count > 0 ? &control->requests[control->first] : NULL;
    pthread_mutex_unlock(&control->mutex);
    return request;
}

void ff_control_served(struct ff_control *control)
{
    pthread_mutex_lock(&control->mutex);
    control->first = (control->first + 1) % control->most;
    control->count--;
    pthread_mutex_unlock(&control->mutex);
}

const struct ff_config *ff_control_wanted(struct ff_control *control)
{
    const struct ff_config *wanted;

    pthread_mutex_lock(&control->mutex);
    wanted = control->change ? &control->wanted : NULL;
    pthread_mutex_unlock(&control->mutex);
    return wanted;
}

void ff_control_turned(struct ff_control *control)
{
    set(control, &control->change, false);
}

bool ff_control_await(struct ff_control *control)
{
    bool asked;

    pthread_mutex_lock(&control->mutex);
    while (control->pause && !is_over(control) && control->count == 0 && !control->change)
        pthread_cond_wait(&control->asked, &control->mutex);
    asked = control->pause && !is_over(control);
    pthread_mutex_unlock(&control->mutex);
    return asked;
}

void ff_control_destroy(struct ff_control *control)
{
    if (control == NULL)
        return;
    for (uint32_t i = 0; i < control->most; i++)
        free(control->requests[i].pixels);
    free(control->requests);
    pthread_cond_destroy(&control->asked);
    pthread_mutex_destroy(&control->mutex);
    free(control);
}
