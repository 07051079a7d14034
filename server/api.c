#include "api.h"

#include <string.h>

#include "digits.h"

/* Of routes that need no token. */
static bool always(const char *path)
{
    (void)path;
    return true;
}

/* The one table of routes. */
static const struct http_route routes[] = {
    {.method = "POST",
     .path = "/api/v1/runs",
     .handler = api_post_run,
     .help = "make a run; it starts at once, or waits in the queue"},
    {.method = "GET", .path = "/api/v1/runs", .handler = api_list_runs, .help = "runs, newest first, paged"},
    {.method = "GET",
     .path = "/api/v1/runs/{id}",
     .handler = api_get_run,
     .help = "one run; with wait=SECONDS the answer comes when it has ended"},
    {.method = "PATCH",
     .path = "/api/v1/runs/{id}",
     .handler = api_patch_run,
     .help = "change a run's name, notes or tags, and its live settings while it trains"},
    {.method = "DELETE",
     .path = "/api/v1/runs/{id}",
     .handler = api_delete_run,
     .help = "forget a run and all that belongs to it"},
    {.method = "POST", .path = "/api/v1/runs/{id}/pause", .handler = api_pause_run, .help = "pause a run"},
    {.method = "POST",
     .path = "/api/v1/runs/{id}/resume",
     .handler = api_resume_run,
     .help = "resume a paused run, or go on with one that has ended, from its checkpoint"},
    {.method = "POST", .path = "/api/v1/runs/{id}/stop", .handler = api_stop_run, .help = "stop a run"},
    {.method = "GET",
     .path = "/api/v1/runs/{id}/metrics",
     .handler = api_metrics,
     .help = "the series of a run, or a stretch of it, downsampled to max_points"},
    {.method = "GET",
     .path = "/api/v1/runs/{id}/epochs",
     .handler = api_epochs,
     .help = "a row per epoch of a run"},
    {.method = "GET",
     .path = "/api/v1/runs/{id}/histograms",
     .handler = api_histograms,
     .help = "per layer, counts of positive and of negative goodness over shared bins, and the threshold: of an "
             "epoch's training images, the one under way so far where none is asked for"},
    {.method = "GET",
     .path = "/api/v1/runs/{id}/confusion",
     .handler = api_confusion,
     .help = "what the newest evaluation mistook for what, and its most confident mistakes"},
    {.method = "GET",
     .path = "/api/v1/runs/{id}/events",
     .handler = api_run_events,
     .help = "Server-Sent Events of one run"},
    {.method = "GET",
     .path = "/api/v1/events",
     .handler = api_all_events,
     .help = "Server-Sent Events of all runs"},
    {.method = "GET", .path = "/api/v1/runs/{id}/log", .handler = api_log, .help = "a run as plain text"},
    {.method = "POST",
     .path = "/api/v1/runs/{id}/predict",
     .handler = api_predict,
     .help = "what a run's network makes of an image, while it trains and after; ?which=best asks the weights of "
             "its best epoch"},
    {.method = "GET",
     .path = "/api/v1/runs/{id}/layers/{n}/weights",
     .handler = api_weights,
     .help = "incoming weights of a layer's units, as little-endian float32"},
    {.method = "GET",
     .path = "/api/v1/runs/{id}/checkpoint",
     .handler = api_checkpoint,
     .help = "the newest checkpoint of a run, in safetensors format; ?which=best is that of its best epoch"},
    {.method = "GET",
     .path = "/api/v1/runs/{id}/timeline",
     .handler = api_timeline,
     .help = "who worked when, of the last seconds, in Trace Event Format"},
    {.method = "GET",
     .path = "/api/v1/compare",
     .handler = api_compare,
     .help = "runs side by side: where their settings differ, what they reached, in what time"},
    {.method = "GET",
     .path = "/api/v1/datasets",
     .handler = api_datasets,
     .help = "what can be trained on, and how to get what is missing"},
    {.method = "GET",
     .path = "/api/v1/datasets/{name}/samples/{split}/{i}",
     .handler = api_sample,
     .help = "one image and its label"},
    {.method = "GET", .path = "/api/v1/presets", .handler = api_presets, .help = "named starting configurations"},
    {.method = "GET",
     .path = "/api/v1/config",
     .handler = api_config,
     .help = "JSON Schema of a run's configuration"},
    {.method = "GET",
     .path = "/api/v1/version",
     .handler = api_version,
     .help = "program, build, libraries, BLAS kernel, CPU"},
    {.method = "GET",
     .path = "/api/v1/openapi.json",
     .handler = api_openapi,
     .help = "OpenAPI 3.1 of this interface"},
    {.method = "GET",
     .path = "/api/v1/login",
     .handler = api_login_state,
     .help = "whether one has to sign in here, and has",
     .open = always},
    {.method = "POST",
     .path = "/api/v1/login",
     .handler = api_login,
     .help = "sign in with the token: a cookie, for the pages",
     .open = always},
    {.method = "POST", .path = "/api/v1/logout", .handler = api_logout, .help = "sign out", .open = always},
    {.method = "GET",
     .path = "/healthz",
     .handler = api_alive,
     .help = "whether the daemon is alive",
     .open = always},
    {.method = "GET", .path = "/readyz", .handler = api_ready, .help = "whether the daemon can take a run"},
    {.method = "GET",
     .path = "/metrics",
     .handler = api_prometheus,
     .help = "what Prometheus scrapes: requests, streams, runs, and the figures of the one that trains"},
    {.method = "GET",
     .path = "/{path*}",
     .handler = api_page,
     .access = HTTP_PAGE,
     .help = "the dashboard",
     .exists = api_page_exists,
     .open = api_page_is_open},
};

const struct http_route *api_routes(size_t *count)
{
    *count = sizeof routes / sizeof *routes;
    return routes;
}

bool api_run_id(struct api *api, const struct request *request, struct response *response, int64_t *id)
{
    const char *text = request_part(request, "id");

    if (strcmp(text, "latest") == 0) {
        *id = store_latest_run(api->store);
        if (*id == 0)
            respond_problem(response, 404, "there are no runs yet; POST /api/v1/runs makes one");
    } else if (strcmp(text, "current") == 0) {
        *id = session_current(api->session);
        if (*id == 0)
            respond_problem(response, 404, "no run holds the trainer now");
    } else {
        const char *rest = text;

        if (!digits_run(&rest, id) || *rest != '\0') {
            *id = 0;
            respond_problem(response, 404, "there is no run %s; a run is a number, \"latest\" or \"current\"",
                            text);
        }
    }
    return *id != 0;
}

bool api_find_run(struct api *api, struct response *response, int64_t id, struct run *run)
{
    struct ff_error error;

    if (session_get(api->session, id, run, &error) == FF_OK)
        return true;
    respond_error(response, &error);
    return false;
}

bool api_run(struct api *api, const struct request *request, struct response *response, struct run *run)
{
    int64_t id;

    return api_run_id(api, request, response, &id) && api_find_run(api, response, id, run);
}

bool api_no_query(const struct request *request, struct response *response)
{
    static const char *const none[] = {NULL};

    return request_check_query(request, response, none);
}

bool api_which(const struct request *request, struct response *response, bool *best)
{
    static const char *const names[] = {"which", NULL};
    const char *which = request_query(request, "which");

    if (!request_check_query(request, response, names))
        return false;
    *best = which != NULL && strcmp(which, "best") == 0;
    if (which == NULL || *best || strcmp(which, "newest") == 0)
        return true;
    respond_problem(response, 400, "the query parameter \"which\" must be newest or best, got \"%s\"", which);
    return false;
}

bool api_format(const struct request *request, struct response *response, bool *csv)
{
    const char *format = request_query(request, "format");

    *csv = format != NULL && strcmp(format, "csv") == 0;
    if (format == NULL || *csv || strcmp(format, "json") == 0)
        return true;
    respond_problem(response, 400, "the query parameter \"format\" must be json or csv, got \"%s\"", format);
    return false;
}

bool api_recall(struct api *api, const struct request *request, struct response *response, int64_t run,
                struct answers_key *key)
{
    *key = (struct answers_key){run, request_target(request), session_version(api->session, run)};
    return api->answers != NULL && answers_give(api->answers, key, response);
}

bool api_recall_rows(struct api *api, const struct request *request, struct response *response, int64_t run,
                     struct answers_key *key)
{
    if (api_recall(api, request, response, run, key))
        return true;
    if (key->version.live != 0)
        key->target = NULL;
    return false;
}

bool api_recall_constant(struct api *api, const struct request *request, struct response *response,
                         struct answers_key *key)
{
    *key = (struct answers_key){.target = request_target(request)};
    return api->answers != NULL && answers_give(api->answers, key, response);
}

void api_remember(struct api *api, struct response *response, const struct answers_key *key)
{
    if (api->answers != NULL && key->target != NULL)
        answers_keep(api->answers, key, response);
}

void api_ring(void *bell)
{
    http_bell_ring(bell);
    http_bell_release(bell);
}

bool api_dataset(struct api *api, const struct request *request, struct response *response, const char *name,
                 const struct ff_dataset **dataset, struct ff_error *error)
{
    struct bell *bell = response_bell(response);

    *dataset = NULL;
    if (bell == NULL) {
        ff_fail_memory(error, "a request");
        respond_error(response, error);
        return false;
    }
    error->status = FF_OK;
    *dataset = catalog_ask(api->catalog, name, api_ring, bell, error);
    if (*dataset != NULL || error->status != FF_BUSY)
        http_bell_release(bell);
    if (*dataset == NULL && error->status == FF_NO_MEMORY) {
        respond_error(response, error);
        return false;
    }
    if (*dataset != NULL || error->status != FF_BUSY)
        return true;
    if (request_is_last_try(request))
        respond_error(response, error);
    else
        respond_later(response, API_PATIENCE_SECONDS);
    return false;
}

void api_respond_text(struct response *response, const char *type, struct text *text)
{
    size_t length = 0;
    char *bytes = text_close(text, &length);

    respond_text(response, 200, type, bytes, length);
}

void api_respond_run(struct response *response, unsigned status, const struct run *run)
{
    respond_json(response, status, run_to_json(run));
}

void api_catch_up(struct api *api, int64_t id)
{
    if (session_current(api->session) == id)
        store_flush(api->store);
}
