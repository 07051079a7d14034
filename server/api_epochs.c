/* api_epochs.c - GET /api/v1/runs/{id}/epochs: a row per epoch. */
#include "api.h"

/* The rows as they are read, in either form. */
struct rows {
    cJSON *list;      /* JSON; NULL for CSV */
    struct text text; /* CSV */
    uint32_t layers;
    bool failed;
};

static bool take_json(void *self, const struct ff_epoch *epoch, uint64_t event)
{
    struct rows *rows = self;

    (void)event;
    rows->failed = !ff_json_append(rows->list, run_epoch_to_json(epoch));
    return !rows->failed;
}

static void write_head(struct rows *rows)
{
    text_print(&rows->text, "epoch,step,elapsed,evaluating,train_error,test_error,digest");
    for (uint32_t i = 0; i < rows->layers; i++)
        text_print(&rows->text, ",layer%u_positive,layer%u_negative,layer%u_gap,layer%u_loss,layer%u_accuracy", i,
                   i, i, i, i);
    text_print(&rows->text, "\n");
}

static void write_layer(struct text *text, const struct ff_layer_figures *figures)
{
    const float values[] = {figures->positive, figures->negative, figures->positive - figures->negative,
                            figures->loss, figures->accuracy};

    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        text_print(text, ",");
        text_figure(text, values[i], "");
    }
}

static bool take_csv(void *self, const struct ff_epoch *epoch, uint64_t event)
{
    const double values[] = {epoch->elapsed, epoch->evaluating, epoch->train_error, epoch->test_error};
    struct rows *rows = self;

    (void)event;
    text_print(&rows->text, "%u,%llu", (unsigned)epoch->epoch, (unsigned long long)epoch->step);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        text_print(&rows->text, ",");
        text_number(&rows->text, values[i], "");
    }
    text_print(&rows->text, ",%s", epoch->digest);
    for (uint32_t i = 0; i < rows->layers && i < epoch->layers; i++)
        write_layer(&rows->text, &epoch->layer[i]);
    text_print(&rows->text, "\n");
    return true;
}

static void respond_csv(struct api *api, const struct run *run, struct response *response)
{
    struct rows rows = {.layers = run->config.layer_count};
    struct ff_error error;
    ff_status status;

    text_open(&rows.text);
    write_head(&rows);
    status = store_read_epochs(api->store, run->id, 0, 0, take_csv, &rows, &error);
    api_respond_text(response, "text/csv; charset=utf-8", &rows.text);
    if (status != FF_OK)
        respond_error(response, &error);
}

static void respond_rows(struct api *api, const struct run *run, struct response *response)
{
    cJSON *json = cJSON_CreateObject();
    struct rows rows = {.list = cJSON_AddArrayToObject(json, "epochs")};
    struct ff_error error;

    if (rows.list != NULL && store_read_epochs(api->store, run->id, 0, 0, take_json, &rows, &error) != FF_OK) {
        respond_error(response, &error);
        cJSON_Delete(json);
        return;
    }
    respond_json(response, 200, ff_json_whole(json, rows.list != NULL && !rows.failed));
}

void api_epochs(struct api *api, const struct request *request, struct response *response)
{
    static const char *const names[] = {"format", NULL};
    struct answers_key key;
    struct run run;
    int64_t id;
    bool csv;

    if (!request_check_query(request, response, names) || !api_format(request, response, &csv) ||
        !api_run_id(api, request, response, &id) || api_recall_rows(api, request, response, id, &key) ||
        !api_find_run(api, response, id, &run))
        return;
    api_catch_up(api, run.id);
    if (csv)
        respond_csv(api, &run, response);
    else
        respond_rows(api, &run, response);
    api_remember(api, response, &key);
}
