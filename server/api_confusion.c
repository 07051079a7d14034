/* api_confusion.c - GET /api/v1/runs/{id}/confusion: what the newest evaluation mistook for what. */
#include "api.h"

static void respond_confusion(struct response *response, const struct confusion *confusion)
{
    struct text text;

    text_open(&text);
    confusion_write(&text, confusion);
    text_print(&text, "\n");
    api_respond_text(response, "application/json", &text);
}

void api_confusion(struct api *api, const struct request *request, struct response *response)
{
    struct confusion confusion;
    struct answers_key key;
    struct ff_error error;
    struct run run;
    int64_t id;

    if (!api_no_query(request, response) || !api_run_id(api, request, response, &id) ||
        api_recall_rows(api, request, response, id, &key) || !api_find_run(api, response, id, &run))
        return;
    api_catch_up(api, run.id);
    if (store_read_confusion(api->store, run.id, &confusion, &error) == FF_OK)
        respond_confusion(response, &confusion);
    else
        respond_error(response, &error);
    api_remember(api, response, &key);
    confusion_free(&confusion);
}
