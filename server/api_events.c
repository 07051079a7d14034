/* api_events.c - GET /api/v1/events, GET /api/v1/runs/{id}/events: Server-Sent Events. */
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "event_stream.h"

/* The number in Last-Event-ID; false when there is none. What is no number of ours counts as none, as a browser may
 * send what another server gave it. */
static bool last_event(const struct request *request, uint64_t *number)
{
    const char *text = request_header(request, "Last-Event-ID");
    size_t length = text != NULL ? strlen(text) : 0;

    if (length == 0 || length > 19 || strspn(text, "0123456789") != length)
        return false;
    *number = strtoull(text, NULL, 10);
    return true;
}

static void respond_events(struct api *api, const struct request *request, struct response *response, int64_t run)
{
    struct http_stream stream;
    uint64_t number = 0;
    bool resumes = last_event(request, &number);

    if (event_stream_open(api, run, resumes, number, &stream))
        respond_stream(response, "text/event-stream", stream);
    else
        respond_json(response, 500, NULL);
}

void api_run_events(struct api *api, const struct request *request, struct response *response)
{
    struct run run;

    if (api_no_query(request, response) && api_run(api, request, response, &run))
        respond_events(api, request, response, run.id);
}

void api_all_events(struct api *api, const struct request *request, struct response *response)
{
    if (api_no_query(request, response))
        respond_events(api, request, response, 0);
}
