/* api_histograms.c - GET /api/v1/runs/{id}/histograms?epoch=: how each layer's goodness is distributed over an
 * epoch's training images, the epoch under way so far, or one that is over. */
#include <stdlib.h>

#include "api.h"

static void add_epoch(void *self, uint64_t epoch)
{
    struct text *text = self;

    text_print(text, "%s%llu", text->length > 0 ? "," : "", (unsigned long long)epoch);
    fflush(text->stream); /* its length is wanted */
}

/* "1,2,3": the epochs that have some. NULL: answered already. */
static char *list_epochs(struct api *api, struct response *response, int64_t run)
{
    struct ff_error error;
    struct text text;
    size_t length;

    text_open(&text);
    ff_status status = store_read_histogram_epochs(api->store, run, add_epoch, &text, &error);
    char *list = text_close(&text, &length);
    if (status == FF_OK && list != NULL)
        return list;
    if (status == FF_OK)
        ff_fail_memory(&error, "the histograms");
    respond_error(response, &error);
    free(list);
    return NULL;
}

static void respond_histograms(struct response *response, const struct histograms *histograms, const char *epochs)
{
    struct text text;

    text_open(&text);
    text_print(&text, "{");
    if (histograms->about.epoch > 0)
        histograms_write(&text, &histograms->about);
    else
        text_print(&text, "\"epoch\":null,\"step\":0,\"images\":0,\"whole\":false,\"layers\":[]");
    text_print(&text, ",\"epochs\":[%s]}\n", epochs);
    api_respond_text(response, "application/json", &text);
}

/* Those of the epoch that is meant, 0: of the newest; false: answered already. */
static bool find_histograms(struct api *api, struct response *response, int64_t run, uint32_t epoch,
                            struct histograms *histograms)
{
    struct ff_error error;

    if (session_histograms(api->session, run, histograms) && (epoch == 0 || epoch == histograms->about.epoch))
        return true;
    if (store_read_histograms(api->store, run, epoch, histograms, &error) == FF_OK)
        return true;
    respond_error(response, &error);
    return false;
}

static void answer(struct api *api, struct response *response, int64_t run, uint32_t epoch)
{
    struct histograms *histograms = malloc(sizeof *histograms);
    char *epochs = NULL;

    if (histograms == NULL) {
        respond_json(response, 500, NULL);
        return;
    }
    if (find_histograms(api, response, run, epoch, histograms) &&
        (epochs = list_epochs(api, response, run)) != NULL) {
        if (epoch > 0 && histograms->about.epoch == 0)
            respond_problem(response, 404, "there is no histogram of epoch %u; %s%s", (unsigned)epoch,
                            epochs[0] != '\0' ? "there are those of epochs " : "there is none yet", epochs);
        else
            respond_histograms(response, histograms, epochs);
    }
    free(epochs);
    free(histograms);
}

void api_histograms(struct api *api, const struct request *request, struct response *response)
{
    static const char *const names[] = {"epoch", NULL};
    struct answers_key key;
    struct run run;
    uint64_t epoch;
    int64_t id;

    if (!request_check_query(request, response, names) ||
        !request_query_number(request, response, "epoch", 1, UINT32_MAX, 0, &epoch) ||
        !api_run_id(api, request, response, &id) || api_recall_rows(api, request, response, id, &key) ||
        !api_find_run(api, response, id, &run))
        return;
    api_catch_up(api, run.id);
    answer(api, response, run.id, (uint32_t)epoch);
    api_remember(api, response, &key);
}
