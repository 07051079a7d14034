/* api_log.c - GET /api/v1/runs/{id}/log: the run as plain text, in the layout of the original's logs. */
#include "api.h"
#include "textlog.h"

struct log {
    struct text text;
    const struct ff_config *config;
};

static bool take_epoch(void *self, const struct ff_epoch *epoch, uint64_t event)
{
    struct log *log = self;

    (void)event;
    if (log->text.stream != NULL)
        textlog_epoch(log->text.stream, log->config, epoch);
    return true;
}

/* The header tells the counts of images where the data set is still there. */
static void write_header(struct log *log, const struct run *run, const struct ff_dataset *dataset)
{
    if (log->text.stream != NULL)
        textlog_header(log->text.stream, run, dataset, NULL);
}

void api_log(struct api *api, const struct request *request, struct response *response)
{
    struct ff_error error;
    struct run run;
    struct log log = {.config = &run.config};
    const struct ff_dataset *dataset;
    ff_status status;

    if (!api_no_query(request, response) || !api_run(api, request, response, &run) ||
        !api_dataset(api, request, response, run.config.dataset, &dataset, &error))
        return;
    api_catch_up(api, run.id);
    text_open(&log.text);
    write_header(&log, &run, dataset);
    catalog_release(api->catalog, dataset);
    status = store_read_epochs(api->store, run.id, 0, 0, take_epoch, &log, &error);
    if (log.text.stream != NULL)
        textlog_end(log.text.stream, &run, NULL);
    api_respond_text(response, "text/plain; charset=utf-8", &log.text);
    if (status != FF_OK)
        respond_error(response, &error);
    else
        response_use_etag(response);
}
