/* api_presets.c - GET /api/v1/presets: named starting configurations. */
#include "api.h"
#include "preset.h"

static cJSON *preset_to_json(const struct ff_preset *preset)
{
    cJSON *item = cJSON_CreateObject();
    struct ff_config whole;
    bool good = item != NULL && ff_preset_config(preset, &whole);

    good = good && ff_json_put(item, "name", cJSON_CreateString(preset->name)) &&
           ff_json_put(item, "title", cJSON_CreateString(preset->title)) &&
           ff_json_put(item, "summary", cJSON_CreateString(preset->summary)) &&
           ff_json_put(item, "reaches",
                       preset->reaches != NULL ? cJSON_CreateString(preset->reaches) : cJSON_CreateNull()) &&
           ff_json_put(item, "settings", cJSON_Parse(preset->settings)) &&
           ff_json_put(item, "config", ff_config_to_json(&whole));
    return ff_json_whole(item, good);
}

void api_presets(struct api *api, const struct request *request, struct response *response)
{
    const struct ff_preset *presets;
    struct answers_key key;
    cJSON *json, *list;
    size_t count;
    bool good;

    if (!api_no_query(request, response) || api_recall_constant(api, request, response, &key))
        return;
    presets = ff_presets(&count);
    json = cJSON_CreateObject();
    list = cJSON_AddArrayToObject(json, "presets");
    good = list != NULL;
    for (size_t i = 0; i < count && good; i++)
        good = ff_json_append(list, preset_to_json(&presets[i]));
    respond_json(response, 200, ff_json_whole(json, good));
    response_use_etag(response);
    api_remember(api, response, &key);
}
