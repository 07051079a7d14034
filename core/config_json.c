/* The defaults of the table, and what is written from it: a configuration as JSON, and its JSON Schema. */
#include "config_table.h"

#include <stdio.h>
#include <string.h>

static const uint32_t default_layers[] = {500, 500};

cJSON *ff_number_json(double value)
{
    char text[32];

    ff_number_text(value, text, sizeof text);
    return cJSON_CreateRaw(text);
}

/* --- making JSON when memory is short --- */

bool ff_json_put(cJSON *object, const char *name, cJSON *item)
{
    if (object != NULL && item != NULL && cJSON_AddItemToObjectCS(object, name, item))
        return true;
    cJSON_Delete(item);
    return false;
}

bool ff_json_append(cJSON *array, cJSON *item)
{
    if (array != NULL && item != NULL && cJSON_AddItemToArray(array, item))
        return true;
    cJSON_Delete(item);
    return false;
}

cJSON *ff_json_whole(cJSON *json, bool whole)
{
    if (whole)
        return json;
    cJSON_Delete(json);
    return NULL;
}

/* --- defaults, and JSON out --- */

void ff_config_defaults(struct ff_config *config)
{
    memset(config, 0, sizeof *config);
    snprintf(config->dataset, sizeof config->dataset, "mnist");
    for (uint32_t i = 0; i < sizeof default_layers / sizeof default_layers[0]; i++)
        config->layers[config->layer_count++] =
            (struct ff_layer_config){.kind = FF_DENSE, .units = default_layers[i]};
    for (size_t i = 0; i < FF_SETTINGS; i++) {
        const struct setting *setting = &ff_settings[i];
        char *field = (char *)config + setting->offset;
        int choice = (int)setting->initial;

        if (setting->type == FLAG)
            *(bool *)field = setting->initial != 0;
        else if (setting->type == COUNT)
            *(uint32_t *)(void *)field = (uint32_t)setting->initial;
        else if (setting->type == SEED)
            *(uint64_t *)(void *)field = (uint64_t)setting->initial;
        else if (setting->type == REAL)
            *(double *)(void *)field = setting->initial;
        else if (setting->type == CHOICE)
            memcpy(field, &choice, sizeof choice);
        else if (setting->type == PER_LAYER)
            *(struct ff_per_layer *)(void *)field = (struct ff_per_layer){1, {setting->initial}};
    }
}

static cJSON *per_layer_json(const struct ff_per_layer *numbers)
{
    cJSON *array;
    bool whole;

    if (numbers->count == 1)
        return ff_number_json(numbers->value[0]);
    array = cJSON_CreateArray();
    whole = array != NULL;
    for (uint32_t i = 0; whole && i < numbers->count; i++)
        whole = ff_json_append(array, ff_number_json(numbers->value[i]));
    return ff_json_whole(array, whole);
}

static cJSON *parts_json(const struct part *part, const char *parts)
{
    cJSON *object = cJSON_CreateObject();
    bool whole = object != NULL;

    for (; whole && part->name != NULL; part++) {
        const char *field = parts + part->offset;

        whole = ff_json_put(object, part->name,
                            part->type == FLAG ? cJSON_CreateBool(*(const bool *)field)
                                               : ff_number_json(*(const double *)(const void *)field));
    }
    return ff_json_whole(object, whole);
}

static cJSON *setting_json(const struct setting *setting, const struct ff_config *config)
{
    const void *field = (const char *)config + setting->offset;
    int choice;

    switch (setting->type) {
    case NAME:
        return cJSON_CreateString(field);
    case FLAG:
        return cJSON_CreateBool(*(const bool *)field);
    case COUNT:
        return ff_number_json(*(const uint32_t *)field);
    case SEED:
        return ff_number_json((double)*(const uint64_t *)field);
    case REAL:
        return ff_number_json(*(const double *)field);
    case CHOICE:
        memcpy(&choice, field, sizeof choice);
        return cJSON_CreateString(setting->choices[choice]);
    case PER_LAYER:
        return per_layer_json(field);
    case LAYERS:
        return ff_layers_json(config);
    case PARTS:
        break;
    }
    return parts_json(setting->parts, field);
}

/* All settings, or the live ones. */
static cJSON *settings_json(const struct ff_config *config, bool live)
{
    cJSON *object = cJSON_CreateObject();
    bool whole = object != NULL;

    for (size_t i = 0; whole && i < FF_SETTINGS; i++) {
        if (!live || ff_settings[i].live)
            whole = ff_json_put(object, ff_settings[i].name, setting_json(&ff_settings[i], config));
    }
    return ff_json_whole(object, whole);
}

cJSON *ff_config_to_json(const struct ff_config *config)
{
    return settings_json(config, false);
}

cJSON *ff_config_live_to_json(const struct ff_config *config)
{
    return settings_json(config, true);
}

static cJSON *pair_json(cJSON *from, cJSON *to)
{
    cJSON *pair = cJSON_CreateArray();
    bool first = ff_json_append(pair, from), second = ff_json_append(pair, to);

    return ff_json_whole(pair, first && second);
}

/* Put what the setting was and what it became, if it differs. */
static bool put_difference(cJSON *object, const struct setting *setting, const struct ff_config *from,
                           const struct ff_config *to)
{
    cJSON *before = setting_json(setting, from), *after = setting_json(setting, to);

    if (before == NULL || after == NULL || !cJSON_Compare(before, after, true))
        return ff_json_put(object, setting->name, pair_json(before, after));
    cJSON_Delete(before);
    cJSON_Delete(after);
    return true;
}

cJSON *ff_config_difference(const struct ff_config *from, const struct ff_config *to)
{
    cJSON *object = cJSON_CreateObject();
    bool whole = object != NULL;

    for (size_t i = 0; whole && i < FF_SETTINGS; i++)
        whole = put_difference(object, &ff_settings[i], from, to);
    return ff_json_whole(object, whole);
}

bool ff_config_first_difference(const struct ff_config *from, const struct ff_config *to, const char **name)
{
    cJSON *differences = ff_config_difference(from, to);

    *name = NULL;
    if (differences == NULL)
        return false;
    if (differences->child != NULL)
        *name = ff_setting_find(differences->child->string)->name;
    cJSON_Delete(differences);
    return true;
}

/* --- JSON Schema --- */

cJSON *ff_number_schema(double low, double high, bool above_low, bool whole)
{
    cJSON *schema = cJSON_CreateObject();

    cJSON_AddStringToObject(schema, "type", whole ? "integer" : "number");
    cJSON_AddItemToObject(schema, above_low ? "exclusiveMinimum" : "minimum", ff_number_json(low));
    cJSON_AddItemToObject(schema, "maximum", ff_number_json(high));
    return schema;
}

cJSON *ff_array_schema(cJSON *items)
{
    cJSON *schema = cJSON_CreateObject();

    cJSON_AddStringToObject(schema, "type", "array");
    cJSON_AddNumberToObject(schema, "minItems", 1);
    cJSON_AddNumberToObject(schema, "maxItems", FF_LAYERS_MAX);
    cJSON_AddItemToObject(schema, "items", items);
    return schema;
}

static cJSON *parts_schema(const struct part *part)
{
    cJSON *schema = cJSON_CreateObject(), *properties;

    cJSON_AddStringToObject(schema, "type", "object");
    cJSON_AddFalseToObject(schema, "additionalProperties");
    properties = cJSON_AddObjectToObject(schema, "properties");
    for (; part->name != NULL; part++) {
        cJSON *property = part->type == FLAG ? cJSON_CreateObject() : ff_number_schema(0, part->high, false, false);

        if (part->type == FLAG)
            cJSON_AddStringToObject(property, "type", "boolean");
        cJSON_AddStringToObject(property, "description", part->help);
        cJSON_AddItemToObject(properties, part->name, property);
    }
    return schema;
}

static cJSON *choice_schema(const struct setting *setting)
{
    cJSON *schema = cJSON_CreateObject(), *names = cJSON_AddArrayToObject(schema, "enum");
    cJSON *available = cJSON_AddArrayToObject(schema, "x-available");

    for (unsigned i = 0; setting->choices[i] != NULL; i++) {
        cJSON_AddItemToArray(names, cJSON_CreateString(setting->choices[i]));
        if (!(setting->later >> i & 1))
            cJSON_AddItemToArray(available, cJSON_CreateString(setting->choices[i]));
    }
    return schema;
}

/* Type and range, without the annotations. */
static cJSON *type_schema(const struct setting *setting)
{
    cJSON *schema, *either;

    switch (setting->type) {
    case CHOICE:
        return choice_schema(setting);
    case NAME:
        schema = cJSON_CreateObject();
        cJSON_AddStringToObject(schema, "type", "string");
        cJSON_AddNumberToObject(schema, "minLength", 1);
        cJSON_AddNumberToObject(schema, "maxLength", FF_DATASET_NAME_MAX - 1);
        return schema;
    case FLAG:
        schema = cJSON_CreateObject();
        cJSON_AddStringToObject(schema, "type", "boolean");
        return schema;
    case LAYERS:
        return ff_layers_schema(setting);
    case PARTS:
        return parts_schema(setting->parts);
    case PER_LAYER:
        schema = cJSON_CreateObject();
        either = cJSON_AddArrayToObject(schema, "oneOf");
        cJSON_AddItemToArray(either, ff_number_schema(setting->low, setting->high, setting->above_low, false));
        cJSON_AddItemToArray(
            either, ff_array_schema(ff_number_schema(setting->low, setting->high, setting->above_low, false)));
        return schema;
    default:
        return ff_number_schema(setting->low, setting->high, setting->above_low, setting->type != REAL);
    }
}

static cJSON *setting_schema(const struct setting *setting, const struct ff_config *defaults)
{
    cJSON *schema = type_schema(setting);

    cJSON_AddStringToObject(schema, "description", setting->help);
    cJSON_AddItemToObject(schema, "default", setting_json(setting, defaults));
    cJSON_AddBoolToObject(schema, "x-live", setting->live);
    cJSON_AddStringToObject(schema, "x-group", setting->group);
    if (setting->unit != NULL)
        cJSON_AddStringToObject(schema, "x-unit", setting->unit);
    if (setting->type != CHOICE)
        cJSON_AddBoolToObject(schema, "x-available", !setting->later);
    return schema;
}

cJSON *ff_config_schema(void)
{
    cJSON *schema = cJSON_CreateObject(), *properties;
    struct ff_config defaults;

    ff_config_defaults(&defaults);
    cJSON_AddStringToObject(schema, "$schema", "https://json-schema.org/draft/2020-12/schema");
    cJSON_AddStringToObject(schema, "title", "Configuration of a run");
    cJSON_AddStringToObject(schema, "type", "object");
    cJSON_AddFalseToObject(schema, "additionalProperties");
    properties = cJSON_AddObjectToObject(schema, "properties");
    for (size_t i = 0; properties != NULL && i < FF_SETTINGS; i++) {
        if (!ff_json_put(properties, ff_settings[i].name, setting_schema(&ff_settings[i], &defaults)))
            properties = NULL;
    }
    if (properties == NULL) {
        cJSON_Delete(schema);
        return NULL;
    }
    return schema;
}
