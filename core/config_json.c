/* The defaults of the table, and what is written from it: a configuration as JSON, and its JSON Schema. */
#include "config_table.h"

#include <stdio.h>
#include <string.h>

static const uint32_t default_layers[] = {500, 500};

cJSON *ff_number_json(double value)
{
    char text[FF_NUMBER_TEXT];

    ff_number_text(value, text);
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

bool ff_json_put_text(cJSON *object, const char *name, const char *text)
{
    return ff_json_put(object, name, cJSON_CreateString(text));
}

bool ff_json_put_flag(cJSON *object, const char *name, bool flag)
{
    return ff_json_put(object, name, cJSON_CreateBool(flag));
}

cJSON *ff_number_schema(double low, double high, bool above_low, bool whole)
{
    cJSON *schema = cJSON_CreateObject();
    bool good = ff_json_put_text(schema, "type", whole ? "integer" : "number") &&
                ff_json_put(schema, above_low ? "exclusiveMinimum" : "minimum", ff_number_json(low)) &&
                ff_json_put(schema, "maximum", ff_number_json(high));

    return ff_json_whole(schema, good);
}

cJSON *ff_array_schema(cJSON *items)
{
    cJSON *schema = cJSON_CreateObject();
    bool good = ff_json_put_text(schema, "type", "array") && ff_json_put(schema, "minItems", ff_number_json(1)) &&
                ff_json_put(schema, "maxItems", ff_number_json(FF_LAYERS_MAX));

    good = ff_json_put(good ? schema : NULL, "items", items);
    return ff_json_whole(schema, good);
}

cJSON *ff_type_schema(const char *type)
{
    cJSON *schema = cJSON_CreateObject();

    return ff_json_whole(schema, ff_json_put_text(schema, "type", type));
}

cJSON *ff_object_schema(cJSON *properties)
{
    cJSON *schema = ff_type_schema("object");
    bool good = ff_json_put_flag(schema, "additionalProperties", false);

    good = ff_json_put(good ? schema : NULL, "properties", properties);
    return ff_json_whole(schema, good);
}

cJSON *ff_either_schema(cJSON *one, cJSON *other)
{
    cJSON *schema = cJSON_CreateObject(), *either = cJSON_CreateArray();
    bool first = ff_json_append(either, one), second = ff_json_append(either, other);
    bool good = ff_json_put(schema, "oneOf", ff_json_whole(either, first && second));

    return ff_json_whole(schema, good);
}

static cJSON *part_schema(const struct part *part)
{
    cJSON *schema = part->type == FLAG ? ff_type_schema("boolean") : ff_number_schema(0, part->high, false, false);

    return ff_json_whole(schema, ff_json_put_text(schema, "description", part->help));
}

static cJSON *parts_schema(const struct part *part)
{
    cJSON *properties = cJSON_CreateObject();
    bool good = properties != NULL;

    for (; good && part->name != NULL; part++)
        good = ff_json_put(properties, part->name, part_schema(part));
    return ff_object_schema(ff_json_whole(properties, good));
}

static cJSON *choices_json(const struct setting *setting)
{
    cJSON *names = cJSON_CreateArray();
    bool good = names != NULL;

    for (size_t i = 0; good && setting->choices[i] != NULL; i++)
        good = ff_json_append(names, cJSON_CreateString(setting->choices[i]));
    return ff_json_whole(names, good);
}

static cJSON *choice_schema(const struct setting *setting)
{
    cJSON *schema = cJSON_CreateObject();

    return ff_json_whole(schema, ff_json_put(schema, "enum", choices_json(setting)));
}

static cJSON *name_schema(void)
{
    cJSON *schema = ff_type_schema("string");
    bool good = ff_json_put(schema, "minLength", ff_number_json(1)) &&
                ff_json_put(schema, "maxLength", ff_number_json(FF_DATASET_NAME_MAX - 1));

    return ff_json_whole(schema, good);
}

static cJSON *range_schema(const struct setting *setting, bool whole)
{
    return ff_number_schema(setting->low, setting->high, setting->above_low, whole);
}

/* Type and range, without the annotations. */
static cJSON *type_schema(const struct setting *setting)
{
    switch (setting->type) {
    case CHOICE:
        return choice_schema(setting);
    case NAME:
        return name_schema();
    case FLAG:
        return ff_type_schema("boolean");
    case LAYERS:
        return ff_layers_schema(setting);
    case PARTS:
        return parts_schema(setting->parts);
    case PER_LAYER:
        return ff_either_schema(range_schema(setting, false), ff_array_schema(range_schema(setting, false)));
    default:
        return range_schema(setting, setting->type != REAL);
    }
}

static cJSON *setting_schema(const struct setting *setting, const struct ff_config *defaults)
{
    cJSON *schema = type_schema(setting);
    bool good = ff_json_put_text(schema, "description", setting->help) &&
                ff_json_put(schema, "default", setting_json(setting, defaults)) &&
                ff_json_put_flag(schema, "x-live", setting->live) &&
                ff_json_put_text(schema, "x-group", setting->group);

    if (setting->unit != NULL)
        good = good && ff_json_put_text(schema, "x-unit", setting->unit);
    return ff_json_whole(schema, good);
}

static cJSON *settings_schema(void)
{
    cJSON *properties = cJSON_CreateObject();
    struct ff_config defaults;
    bool good = properties != NULL;

    ff_config_defaults(&defaults);
    for (size_t i = 0; good && i < FF_SETTINGS; i++)
        good = ff_json_put(properties, ff_settings[i].name, setting_schema(&ff_settings[i], &defaults));
    return ff_json_whole(properties, good);
}

cJSON *ff_config_schema(void)
{
    cJSON *schema = cJSON_CreateObject();
    bool good = ff_json_put_text(schema, "$schema", "https://json-schema.org/draft/2020-12/schema") &&
                ff_json_put_text(schema, "title", "Configuration of a run") &&
                ff_json_put_text(schema, "type", "object") &&
                ff_json_put_flag(schema, "additionalProperties", false) &&
                ff_json_put(schema, "properties", settings_schema());

    return ff_json_whole(schema, good);
}
