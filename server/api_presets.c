/* api_presets.c - GET /api/v1/presets: named starting configurations. */
#include "api.h"
#include "preset.h"

static bool add_preset(cJSON *list, const struct ff_preset *preset)
{
    cJSON *item = cJSON_CreateObject(), *config, *settings;
    struct ff_config whole;

    if (item == NULL)
        return false;
    cJSON_AddItemToArray(list, item);
    if (!ff_preset_config(preset, &whole))
        return false;
    config = ff_config_to_json(&whole);
    settings = cJSON_Parse(preset->settings);
    return cJSON_AddStringToObject(item, "name", preset->name) != NULL &&
           cJSON_AddStringToObject(item, "title", preset->title) != NULL &&
           cJSON_AddStringToObject(item, "summary", preset->summary) != NULL &&
           (preset->reaches != NULL ? cJSON_AddStringToObject(item, "reaches", preset->reaches)
                                    : cJSON_AddNullToObject(item, "reaches")) != NULL &&
           cJSON_AddItemToObject(item, "settings", settings) && cJSON_AddItemToObject(item, "config", config);
}

void api_presets(struct api *api, const struct request *request, struct response *response)
{
    const struct ff_preset *presets;
    cJSON *json, *list;
    size_t count;
    bool good;

    (void)api;
    if (!api_no_query(request, response))
        return;
    presets = ff_presets(&count);
    json = cJSON_CreateObject();
    list = cJSON_AddArrayToObject(json, "presets");
    good = list != NULL;
    for (size_t i = 0; i < count && good; i++)
        good = add_preset(list, &presets[i]);
    if (!good) {
        cJSON_Delete(json);
        json = NULL;
    }
    respond_json(response, 200, json);
    response_use_etag(response);
}
