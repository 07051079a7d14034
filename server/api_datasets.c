/* api_datasets.c - what can be trained on, and single images of it. */
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "digits.h"

/* --- GET /api/v1/datasets ------------------------------------------------------------------------------------- */

static cJSON *entry_to_json(const struct catalog_entry *entry)
{
    const char *problem = entry->unread ? "it is still being read: ask again in a moment" : entry->problem;
    bool gettable = !entry->present && entry->how_to_get != NULL;
    cJSON *json = cJSON_CreateObject();
    bool good =
        ff_json_put(json, "name", run_text(entry->name)) && ff_json_put(json, "title", run_text(entry->title)) &&
        ff_json_put(json, "present", cJSON_CreateBool(entry->present)) &&
        ff_json_put(json, "path", run_text(entry->path)) && ff_json_put(json, "problem", run_text(problem)) &&
        ff_json_put(json, "how_to_get", run_text(gettable ? entry->how_to_get : ""));
    return ff_json_whole(json, good);
}

/* Whether it is known of all sets that are here if they can be read; false: the handler is called again when it is.
 */
static bool all_are_read(struct api *api, const struct request *request, struct response *response)
{
    struct bell *bell = request_is_last_try(request) ? NULL : response_bell(response);
    struct ff_error error;

    if (bell == NULL)
        return true;
    if (catalog_check(api->catalog, api_ring, bell, &error) == FF_BUSY) {
        respond_later(response, API_PATIENCE_SECONDS);
        return false;
    }
    http_bell_release(bell);
    return true;
}

void api_datasets(struct api *api, const struct request *request, struct response *response)
{
    struct catalog_entry *entries = NULL;
    struct ff_error error;
    size_t count = 0;
    cJSON *json, *list;
    bool good;

    if (!api_no_query(request, response) || !all_are_read(api, request, response))
        return;
    if (catalog_list(api->catalog, &entries, &count, &error) != FF_OK) {
        respond_error(response, &error);
        return;
    }
    json = cJSON_CreateObject();
    list = cJSON_AddArrayToObject(json, "datasets");
    good = list != NULL;
    for (size_t i = 0; i < count && good; i++)
        good = ff_json_append(list, entry_to_json(&entries[i]));
    free(entries);
    respond_json(response, 200, ff_json_whole(json, good));
    response_use_etag(response);
}

/* --- GET /api/v1/datasets/{name}/samples/{split}/{i} ---------------------------------------------------------- */

static void respond_sample(struct response *response, const struct ff_dataset *dataset, enum ff_split split,
                           uint32_t index)
{
    const struct ff_images *images = ff_dataset_split(dataset, split);
    size_t size = ff_shape_size(dataset->shape);
    const uint8_t *pixels = images->pixels + index * size;
    struct text text;

    text_open(&text);
    text_print(&text, "{\"dataset\":\"%s\",\"split\":\"%s\",\"index\":%u,\"label\":%u,", dataset->name,
               split == FF_TRAIN_SPLIT ? "train" : "test", (unsigned)index, (unsigned)images->labels[index]);
    text_print(&text, "\"channels\":%u,\"height\":%u,\"width\":%u,\"image\":[", (unsigned)dataset->shape.channels,
               (unsigned)dataset->shape.height, (unsigned)dataset->shape.width);
    for (size_t i = 0; i < size; i++) {
        text_print(&text, i > 0 ? "," : "");
        text_figure(&text, (float)pixels[i] / 255, "null");
    }
    text_print(&text, "]}\n");
    api_respond_text(response, "application/json", &text);
    response_use_etag(response);
}

/* A number below `count`, in its one spelling; -1 when it is none. */
static int64_t parse_index(const char *text, uint32_t count)
{
    uint64_t index;

    if (!digits_whole(text, &index) || (text[0] == '0' && text[1] != '\0'))
        return -1;
    return index < count ? (int64_t)index : -1;
}

static void find_sample(const struct request *request, struct response *response, const struct ff_dataset *dataset)
{
    const char *split_name = request_part(request, "split"), *text = request_part(request, "i");
    enum ff_split split = strcmp(split_name, "train") == 0 ? FF_TRAIN_SPLIT : FF_TEST_SPLIT;
    uint32_t count = ff_dataset_split(dataset, split)->count;
    int64_t index = parse_index(text, count);

    if (split == FF_TEST_SPLIT && strcmp(split_name, "test") != 0)
        respond_problem(response, 404, "there is no split \"%s\"; it is train or test", split_name);
    else if (index < 0)
        respond_problem(response, 404, "there is no %s image %s of %s; they count from 0 to %u", split_name, text,
                        dataset->name, (unsigned)count - 1);
    else
        respond_sample(response, dataset, split, (uint32_t)index);
}

void api_sample(struct api *api, const struct request *request, struct response *response)
{
    const struct ff_dataset *dataset;
    struct ff_error error;

    if (!api_no_query(request, response))
        return;
    if (!api_dataset(api, request, response, request_part(request, "name"), &dataset, &error))
        return;
    if (dataset == NULL) {
        respond_error(response, &error);
        return;
    }
    find_sample(request, response, dataset);
    catalog_release(api->catalog, dataset);
}
