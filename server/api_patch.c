/* api_patch.c - what of a run can be changed: what is written about it, and its live settings while it trains. */
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "run_request.h"

/* What is kept of a request until its settings have taken effect. */
struct waiting_settings {
    struct session *session;
    struct session_request *request; /* NULL: others are just being changed */
    int64_t run;
};

static const cJSON *settings_of(const struct request *request)
{
    return cJSON_GetObjectItemCaseSensitive(request_json(request), "config");
}

/* --- settings ------------------------------------------------------------------------------------------------- */

static void release_waiting(void *kept)
{
    struct waiting_settings *waiting = kept;

    if (waiting->request != NULL)
        session_drop(waiting->session, waiting->request);
    free(waiting);
}

static ff_status ask(const struct request *request, struct response *response, struct waiting_settings *waiting,
                     struct ff_error *error)
{
    struct bell *bell = response_bell(response);
    struct session_question question = {
        .about = SESSION_SETTINGS, .settings = settings_of(request), .tell = api_ring, .self = bell};

    if (bell == NULL)
        return ff_fail_memory(error, "a request");
    ff_status status = session_ask(waiting->session, waiting->run, &question, &waiting->request, error);
    if (status == FF_OK)
        return ff_fail(error, FF_BUSY, "the settings are being changed");
    http_bell_release(bell);
    waiting->request = NULL;
    return status;
}

/* One look more: ask, where that could not be done yet, or see whether they hold. */
static void go_on(struct api *api, const struct request *request, struct response *response,
                  struct waiting_settings *waiting)
{
    struct ff_error error;
    struct run run;
    ff_status status = waiting->request == NULL ? ask(request, response, waiting, &error)
                                                : session_turned(waiting->session, waiting->request, &error);

    if (status == FF_BUSY && !request_is_last_try(request))
        respond_later(response, API_PATIENCE_SECONDS);
    else if (status != FF_OK)
        respond_error(response, &error);
    else if (api_find_run(api, response, waiting->run, &run))
        api_respond_run(response, 200, &run);
}

static void begin(struct api *api, const struct request *request, struct response *response, int64_t run)
{
    struct waiting_settings *waiting = malloc(sizeof *waiting);

    if (waiting == NULL) {
        respond_json(response, 500, NULL);
        return;
    }
    *waiting = (struct waiting_settings){.session = api->session, .run = run};
    response_keep(response, waiting, release_waiting);
    go_on(api, request, response, waiting);
}

/* --- labels --------------------------------------------------------------------------------------------------- */

static void apply_labels(void *body, struct run *run)
{
    struct ff_problems none = {.count = 0};

    run_request_labels(body, run, &none);
}

/* False: answered already. */
static bool change_labels(struct api *api, const struct request *request, struct response *response,
                          struct run *run)
{
    cJSON *copy = cJSON_Duplicate(request_json(request), true); /* the callback's argument is not const */
    struct ff_error error;
    bool good = false;

    if (copy == NULL)
        respond_json(response, 500, NULL);
    else if (session_change(api->session, run->id, apply_labels, copy, run, &error) != FF_OK)
        respond_error(response, &error);
    else
        good = true;
    cJSON_Delete(copy);
    return good;
}

/* Whether anything of it is not `config`. */
static bool has_labels(const cJSON *body)
{
    return cJSON_GetArraySize(body) > (cJSON_GetObjectItemCaseSensitive(body, "config") != NULL ? 1 : 0);
}

/* All that is wrong, at once; and whether the run is in a state for it. False: answered already. */
static bool check(const struct request *request, struct response *response, const struct run *run)
{
    static const char *const names[] = {"name", "notes", "tags", "config", NULL};
    struct ff_problems problems = {.count = 0};
    struct ff_config config = *run_config(run);
    const cJSON *settings = settings_of(request);
    struct run labelled = *run;
    struct ff_error error;

    run_request_names(request_json(request), "", names, &problems);
    run_request_labels(request_json(request), &labelled, &problems);
    if (settings != NULL)
        run_request_settings(settings, &config, &problems);
    if (problems.count > 0) {
        respond_problems(response, &problems);
        return false;
    }
    if (settings == NULL || session_check_turning(run, &error) == FF_OK)
        return true;
    respond_error(response, &error);
    return false;
}

/* PATCH /api/v1/runs/{id}: called once to ask for other settings, and again when they hold. */
void api_patch_run(struct api *api, const struct request *request, struct response *response)
{
    struct waiting_settings *waiting = request_kept(request);
    struct run run;

    if (waiting != NULL) {
        go_on(api, request, response, waiting);
        return;
    }
    if (!api_no_query(request, response) || !api_run(api, request, response, &run) ||
        !check(request, response, &run))
        return;
    if (has_labels(request_json(request)) && !change_labels(api, request, response, &run))
        return;
    if (settings_of(request) != NULL)
        begin(api, request, response, run.id);
    else
        api_respond_run(response, 200, &run);
}
