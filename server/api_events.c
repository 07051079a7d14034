/* api_events.c - GET /api/v1/events, GET /api/v1/runs/{id}/events: Server-Sent Events. */
#include "api.h"
#include "event_stream.h"

static void respond_events(struct api *api, const struct request *request, struct response *response, int64_t run)
{
    struct http_stream stream;
    uint64_t number = 0;
    bool resumes = event_stream_number(request_header(request, "Last-Event-ID"), &number);

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
