/* api_health.c - GET /healthz, /readyz: alive; able to take a run. */
#include "api.h"

/* Constants, since whoever watches over the daemon asks many times a minute. */
static const char alive[] = "{\"status\":\"alive\"}\n", ready[] = "{\"status\":\"ready\"}\n";

void api_alive(struct api *api, const struct request *request, struct response *response)
{
    (void)api;
    (void)request;
    respond_static(response, "application/json", alive, sizeof alive - 1, NULL);
}

void api_ready(struct api *api, const struct request *request, struct response *response)
{
    char sentence[512];

    (void)request;
    if (api->closing)
        respond_problem(response, 503, "the daemon is ending");
    else if (!session_ready(api->session, sentence, sizeof sentence))
        respond_problem(response, 503, "%s", sentence);
    else
        respond_static(response, "application/json", ready, sizeof ready - 1, NULL);
}
