/* api_runs.c - runs: made, listed, looked at, steered, forgotten. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "run_request.h"

/* --- POST /api/v1/runs ---------------------------------------------------------------------------------------- */

static bool has_problem_at(const struct ff_problems *problems, const char *pointer)
{
    for (size_t i = 0; i < problems->count; i++)
        if (strcmp(problems->problem[i].pointer, pointer) == 0)
            return true;
    return false;
}

static bool has_problem_below(const struct ff_problems *problems, const char *pointer)
{
    for (size_t i = 0; i < problems->count; i++)
        if (strncmp(problems->problem[i].pointer, pointer, strlen(pointer)) == 0)
            return true;
    return false;
}

/* Whether the data set is there and the configuration fits it. How fields fit each other is looked at only where
 * each is right by itself: a wrong one keeps a value that nobody asked for. False: answered already. */
static bool check_with_dataset(struct api *api, const struct request *request, struct response *response,
                               const struct run *run, struct ff_problems *problems)
{
    bool fields_are_right = !has_problem_below(problems, "/config");
    const struct ff_dataset *dataset;
    struct ff_error error;

    if (has_problem_at(problems, "/config/dataset"))
        return true;
    if (!api_dataset(api, request, response, run->config.dataset, &dataset, &error))
        return false;
    if (dataset == NULL)
        ff_problem_add(problems, "/config/dataset", "%s", error.message);
    if (fields_are_right)
        ff_config_check(&run->config, dataset, "/config", problems);
    catalog_release(api->catalog, dataset);
    return true;
}

void api_post_run(struct api *api, const struct request *request, struct response *response)
{
    struct ff_problems problems = {.count = 0};
    struct ff_error error;
    struct run run;
    char location[64];

    if (!api_no_query(request, response))
        return;
    if (api->closing) {
        respond_problem(response, 503, "the daemon is ending");
        return;
    }
    run_request_parse(request_json(request), &run, &problems);
    if (!check_with_dataset(api, request, response, &run, &problems))
        return;
    if (problems.count > 0) {
        respond_problems(response, &problems);
        return;
    }
    if (session_submit(api->session, &run, &error) != FF_OK) {
        respond_error(response, &error);
        return;
    }
    api_respond_run(response, 201, &run);
    snprintf(location, sizeof location, "/api/v1/runs/%lld", (long long)run.id);
    response_header(response, "Location", location);
}

/* --- GET /api/v1/runs ----------------------------------------------------------------------------------------- */

static bool read_filter(const struct request *request, struct response *response, struct store_run_filter *filter)
{
    static const char *const names[] = {"state", "tag", "limit", "before", NULL};
    const char *state = request_query(request, "state");
    enum run_state wanted = RUN_QUEUED;
    uint64_t limit, before;

    if (!request_check_query(request, response, names) ||
        !request_query_number(request, response, "limit", 1, 500, 50, &limit) ||
        !request_query_number(request, response, "before", 1, INT64_MAX, 0, &before))
        return false;
    if (state != NULL && !run_state_from_name(state, &wanted)) {
        respond_problem(
            response, 400,
            "the query parameter \"state\" must be queued, running, paused, finished, stopped, failed or "
            "interrupted, got \"%s\"",
            state);
        return false;
    }
    *filter = (struct store_run_filter){.state = state != NULL ? (int)wanted : -1,
                                        .tag = request_query(request, "tag"),
                                        .before = (int64_t)before,
                                        .limit = (uint32_t)limit};
    return true;
}

/* {"runs": […], "next": …} of runs in this state (-1: any); NULL when memory is short. */
static cJSON *list_to_json(struct api *api, int state, struct run *runs, size_t count, int64_t next)
{
    cJSON *json = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(json, "runs");
    bool good = list != NULL;

    for (size_t i = 0; i < count && good; i++) {
        session_refresh(api->session, &runs[i]);
        if (state >= 0 && runs[i].state != (enum run_state)state)
            continue; /* it changed just now */
        good = ff_json_append(list, run_to_json(&runs[i]));
    }
    good = good && ff_json_put(json, "next", next != 0 ? cJSON_CreateNumber((double)next) : cJSON_CreateNull());
    return ff_json_whole(json, good);
}

void api_list_runs(struct api *api, const struct request *request, struct response *response)
{
    struct store_live_run live[SESSION_LIVE_MAX];
    struct store_run_filter filter;
    struct answers_key key;
    struct ff_error error;
    struct run *runs = NULL;
    size_t count = 0;
    int64_t next = 0;

    if (!read_filter(request, response, &filter) || api_recall(api, request, response, 0, &key))
        return;
    filter.live = live;
    filter.live_count = session_list_live(api->session, live);
    if (store_list_runs(api->store, &filter, &runs, &count, &next, &error) != FF_OK) {
        respond_error(response, &error);
        return;
    }
    respond_json(response, 200, list_to_json(api, filter.state, runs, count, next));
    api_remember(api, response, &key);
    free(runs);
}

/* --- one run -------------------------------------------------------------------------------------------------- */

/* GET /api/v1/runs/{id}?wait=SECONDS */
void api_get_run(struct api *api, const struct request *request, struct response *response)
{
    static const char *const names[] = {"wait", NULL};
    struct answers_key key;
    struct run run;
    uint64_t wait;
    int64_t id;

    if (!request_check_query(request, response, names) ||
        !request_query_number(request, response, "wait", 0, 300, 0, &wait) ||
        !api_run_id(api, request, response, &id))
        return;
    if ((wait == 0 && api_recall(api, request, response, id, &key)) || !api_find_run(api, response, id, &run))
        return;
    if (wait > 0 && !run_state_is_final(run.state) && !request_is_last_try(request)) {
        respond_later(response, (double)wait);
        return;
    }
    api_respond_run(response, 200, &run);
    if (wait == 0)
        api_remember(api, response, &key);
}

/* No query, {} or no body; false: answered already. */
static bool takes_nothing(const struct request *request, struct response *response)
{
    static const char *const none[] = {NULL};
    struct ff_problems problems = {.count = 0};

    if (!api_no_query(request, response))
        return false;
    if (run_request_names(request_json(request), "", none, &problems))
        return true;
    respond_problems(response, &problems);
    return false;
}

/* DELETE /api/v1/runs/{id} */
void api_delete_run(struct api *api, const struct request *request, struct response *response)
{
    struct ff_error error;
    int64_t id;

    if (!takes_nothing(request, response) || !api_run_id(api, request, response, &id))
        return;
    if (session_delete(api->session, id, &error) != FF_OK)
        respond_error(response, &error);
    else
        respond_empty(response, 204);
}

/* --- control -------------------------------------------------------------------------------------------------- */

typedef ff_status session_control(struct session *session, int64_t id, struct run *run, struct ff_error *error);

static void steer(struct api *api, const struct request *request, struct response *response,
                  session_control *control)
{
    struct ff_error error;
    struct run run;

    if (!api_run(api, request, response, &run))
        return;
    if (control(api->session, run.id, &run, &error) != FF_OK)
        respond_error(response, &error);
    else
        api_respond_run(response, 200, &run);
}

/* POST /api/v1/runs/{id}/pause */
void api_pause_run(struct api *api, const struct request *request, struct response *response)
{
    if (takes_nothing(request, response))
        steer(api, request, response, session_pause);
}

/* POST /api/v1/runs/{id}/stop */
void api_stop_run(struct api *api, const struct request *request, struct response *response)
{
    if (takes_nothing(request, response))
        steer(api, request, response, session_stop);
}

/* POST /api/v1/runs/{id}/resume: of a paused run, or of one that has ended. */
void api_resume_run(struct api *api, const struct request *request, struct response *response)
{
    struct session_resumption resumption;
    struct ff_problems problems = {.count = 0};
    struct ff_error error;
    struct run run;

    if (!api_no_query(request, response) || !api_run(api, request, response, &run))
        return;
    if (!run_request_resumption(request_json(request), &run, &resumption, &problems))
        respond_problems(response, &problems);
    else if (session_resume(api->session, run.id, &resumption, &run, &error) != FF_OK)
        respond_error(response, &error);
    else
        api_respond_run(response, 200, &run);
}
