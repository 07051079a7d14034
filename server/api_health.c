/* api_health.c - GET /healthz, /readyz: alive; able to take a run. */
#include "api.h"

static void respond_status(struct response *response, const char *status)
{
    cJSON *json = cJSON_CreateObject();

    if (cJSON_AddStringToObject(json, "status", status) == NULL) {
        cJSON_Delete(json);
        json = NULL;
    }
    respond_json(response, 200, json);
}

void api_alive(struct api *api, const struct request *request, struct response *response)
{
    (void)api;
    (void)request;
    respond_status(response, "alive");
}

void api_ready(struct api *api, const struct request *request, struct response *response)
{
    char sentence[512];

    (void)request;
    if (api->closing)
        respond_problem(response, 503, "the daemon is ending");
    else if (store_trouble(api->store, sentence, sizeof sentence) ||
             !session_ready(api->session, sentence, sizeof sentence))
        respond_problem(response, 503, "%s", sentence);
    else
        respond_status(response, "ready");
}
