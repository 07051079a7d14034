#include "config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "config_table.h"

/* --- reading --- */

/* `"a", "b" or "c"` into text. */
static void list_choices(const char *const *choices, char *text, size_t size)
{
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; choices[i] != NULL && used < size; i++) {
        const char *between = i == 0 ? "" : choices[i + 1] == NULL ? " or " : ", ";

        used += (size_t)snprintf(text + used, size - used, "%s\"%s\"", between, choices[i]);
    }
}

static bool in_range(double value, double low, double high, bool above_low)
{
    return (above_low ? value > low : value >= low) && value <= high;
}

static void range_problem(struct reading *reading, const char *pointer, const char *what, double low, double high,
                          bool above_low, double got)
{
    char low_text[FF_NUMBER_TEXT], high_text[FF_NUMBER_TEXT], got_text[FF_NUMBER_TEXT];

    ff_number_text(low, low_text);
    ff_number_text(high, high_text);
    ff_number_text(got, got_text);
    ff_problem_add(reading->problems, pointer, "must be %s%s %s and at most %s, got %s", what,
                   above_low ? "greater than" : "at least", low_text, high_text, got_text);
}

bool ff_read_number(struct reading *reading, const cJSON *value, const char *pointer, double low, double high,
                    bool above_low, bool whole, double *number)
{
    if (!cJSON_IsNumber(value)) {
        ff_problem_add(reading->problems, pointer, "must be a %snumber, got %s", whole ? "whole " : "",
                       ff_json_kind(value));
        return false;
    }
    *number = value->valuedouble;
    if (whole && *number != floor(*number)) {
        ff_problem_add(reading->problems, pointer, "must be a whole number, got %g", *number);
        return false;
    }
    if (!in_range(*number, low, high, above_low)) {
        range_problem(reading, pointer, whole ? "a whole number " : "", low, high, above_low, *number);
        return false;
    }
    return true;
}

bool ff_read_flag(struct reading *reading, const cJSON *value, const char *pointer, bool *flag)
{
    if (!cJSON_IsBool(value)) {
        ff_problem_add(reading->problems, pointer, "must be true or false, got %s", ff_json_kind(value));
        return false;
    }
    *flag = cJSON_IsTrue(value);
    return true;
}

/* A string that is one of `choices`; its index, or -1 and a problem. */
static int read_choice(struct reading *reading, const cJSON *value, const char *pointer, const char *const *choices)
{
    char known[256], hint[FF_HINT_TEXT];

    list_choices(choices, known, sizeof known);
    if (!cJSON_IsString(value)) {
        ff_problem_add(reading->problems, pointer, "must be %s, got %s", known, ff_json_kind(value));
        return -1;
    }
    for (int i = 0; choices[i] != NULL; i++) {
        if (strcmp(choices[i], value->valuestring) == 0)
            return i;
    }
    ff_problem_add(reading->problems, pointer, "must be %s, got \"%.40s\"%s", known, value->valuestring,
                   ff_did_you_mean(value->valuestring, choices, hint));
    return -1;
}

static void read_name(struct reading *reading, const struct setting *setting, const cJSON *value,
                      const char *pointer)
{
    char *name = (char *)reading->config + setting->offset;

    if (!cJSON_IsString(value))
        ff_problem_add(reading->problems, pointer, "must be a string, got %s", ff_json_kind(value));
    else if (value->valuestring[0] == '\0' || strlen(value->valuestring) >= FF_DATASET_NAME_MAX)
        ff_problem_add(reading->problems, pointer, "must be a name of 1 to %d bytes", FF_DATASET_NAME_MAX - 1);
    else
        snprintf(name, FF_DATASET_NAME_MAX, "%s", value->valuestring);
}

static void read_per_layer(struct reading *reading, const struct setting *setting, const cJSON *value,
                           const char *pointer)
{
    struct ff_per_layer *numbers = (void *)((char *)reading->config + setting->offset), read = {0};
    const cJSON *item;
    bool good = true;

    if (!cJSON_IsArray(value)) {
        read.count = 1;
        if (ff_read_number(reading, value, pointer, setting->low, setting->high, setting->above_low, false,
                           &read.value[0]))
            *numbers = read;
        return;
    }
    if (cJSON_GetArraySize(value) < 1 || cJSON_GetArraySize(value) > FF_LAYERS_MAX) {
        ff_problem_add(reading->problems, pointer, "must be a number, or an array of one a layer");
        return;
    }
    cJSON_ArrayForEach(item, value)
    {
        char place[192];

        snprintf(place, sizeof place, "%s/%u", pointer, read.count);
        good &= ff_read_number(reading, item, place, setting->low, setting->high, setting->above_low, false,
                               &read.value[read.count]);
        read.count++;
    }
    if (good)
        *numbers = read;
}

static void read_part(struct reading *reading, const struct setting *setting, const cJSON *value,
                      const char *pointer)
{
    char *parts = (char *)reading->config + setting->offset;
    const struct part *part = setting->parts;
    double number = 0;

    while (part->name != NULL && strcmp(part->name, value->string) != 0)
        part++;
    if (part->name == NULL) {
        const char *names[16] = {NULL};
        char hint[FF_HINT_TEXT];

        for (size_t i = 0; setting->parts[i].name != NULL; i++)
            names[i] = setting->parts[i].name;
        ff_problem_add(reading->problems, pointer, "unknown part of %s%s", setting->name,
                       ff_did_you_mean(value->string, names, hint));
        return;
    }
    if (part->type == FLAG)
        ff_read_flag(reading, value, pointer, (bool *)(parts + part->offset));
    else if (ff_read_number(reading, value, pointer, 0, part->high, false, false, &number))
        *(double *)(void *)(parts + part->offset) = number;
}

static void read_parts(struct reading *reading, const struct setting *setting, const cJSON *value,
                       const char *pointer)
{
    const cJSON *item;

    if (!cJSON_IsObject(value)) {
        ff_problem_add(reading->problems, pointer, "must be an object, got %s", ff_json_kind(value));
        return;
    }
    cJSON_ArrayForEach(item, value)
    {
        char place[192];

        snprintf(place, sizeof place, "%.100s/%.60s", pointer, item->string);
        read_part(reading, setting, item, place);
    }
}

static void read_chosen(struct reading *reading, const struct setting *setting, const cJSON *value,
                        const char *pointer)
{
    int choice = read_choice(reading, value, pointer, setting->choices);

    if (choice >= 0)
        memcpy((char *)reading->config + setting->offset, &choice, sizeof choice);
}

static void read_one_number(struct reading *reading, const struct setting *setting, const cJSON *value,
                            const char *pointer)
{
    void *field = (char *)reading->config + setting->offset;
    double number;

    if (!ff_read_number(reading, value, pointer, setting->low, setting->high, setting->above_low,
                        setting->type != REAL, &number))
        return;
    if (setting->type == COUNT)
        *(uint32_t *)field = (uint32_t)number;
    else if (setting->type == SEED)
        *(uint64_t *)field = (uint64_t)number;
    else
        *(double *)field = number;
}

static void read_setting(struct reading *reading, const struct setting *setting, const cJSON *value,
                         const char *pointer)
{
    switch (setting->type) {
    case NAME:
        read_name(reading, setting, value, pointer);
        break;
    case FLAG:
        ff_read_flag(reading, value, pointer, (bool *)((char *)reading->config + setting->offset));
        break;
    case CHOICE:
        read_chosen(reading, setting, value, pointer);
        break;
    case PER_LAYER:
        read_per_layer(reading, setting, value, pointer);
        break;
    case LAYERS:
        ff_read_layers(reading, setting, value, pointer);
        break;
    case PARTS:
        read_parts(reading, setting, value, pointer);
        break;
    default:
        read_one_number(reading, setting, value, pointer);
    }
}

static void unknown_setting(struct reading *reading, const char *name, const char *pointer)
{
    const char *names[FF_SETTINGS + 1] = {NULL};
    char hint[FF_HINT_TEXT];

    for (size_t i = 0; i < FF_SETTINGS; i++)
        names[i] = ff_settings[i].name;
    ff_problem_add(reading->problems, pointer, "unknown setting%s; GET /api/v1/config lists all",
                   ff_did_you_mean(name, names, hint));
}

/* A name as part of a JSON pointer: ~ becomes ~0, / becomes ~1 (RFC 6901). */
static void escape_pointer(const char *name, char *escaped, size_t size)
{
    size_t used = 0;

    for (; *name != '\0' && used + 3 < size; name++) {
        if (*name == '~' || *name == '/') {
            escaped[used++] = '~';
            escaped[used++] = *name == '~' ? '0' : '1';
        } else {
            escaped[used++] = *name;
        }
    }
    escaped[used] = '\0';
}

static void refuse_while_training(struct ff_problems *problems, const char *place)
{
    char live[256] = "";
    size_t used = 0;

    for (size_t i = 0; i < FF_SETTINGS; i++) {
        if (ff_settings[i].live && used < sizeof live)
            used += (size_t)snprintf(live + used, sizeof live - used, "%s%s", used == 0 ? "" : ", ",
                                     ff_settings[i].name);
    }
    ff_problem_add(problems, place, "cannot change in a run that has begun; what can: %s", live);
}

/* `live`: refuse what is not live. */
static bool apply(struct ff_config *config, const cJSON *object, const char *pointer, struct ff_problems *problems,
                  bool live)
{
    struct reading reading = {config, problems};
    size_t before = problems->count;
    const cJSON *value;

    if (!cJSON_IsObject(object)) {
        ff_problem_add(problems, pointer, "must be an object, got %s", ff_json_kind(object));
        return false;
    }
    cJSON_ArrayForEach(value, object)
    {
        const struct setting *setting = ff_setting_find(value->string);
        char escaped[96], place[160];

        escape_pointer(value->string, escaped, sizeof escaped);
        snprintf(place, sizeof place, "%.60s/%s", pointer, escaped);
        if (setting == NULL)
            unknown_setting(&reading, value->string, place);
        else if (live && !setting->live)
            refuse_while_training(problems, place);
        else
            read_setting(&reading, setting, value, place);
    }
    return problems->count == before;
}

bool ff_config_apply(struct ff_config *config, const cJSON *settings, const char *pointer,
                     struct ff_problems *problems)
{
    return apply(config, settings, pointer, problems, false);
}

bool ff_config_apply_live(struct ff_config *config, const cJSON *settings, const char *pointer,
                          struct ff_problems *problems)
{
    return apply(config, settings, pointer, problems, true);
}

/* --- small questions --- */

double ff_per_layer_value(const struct ff_per_layer *setting, uint32_t layer)
{
    return setting->value[setting->count == 1 ? 0 : layer];
}

const char *ff_config_choice(const char *name, int value)
{
    const struct setting *setting = ff_setting_find(name);

    return setting != NULL && setting->type == CHOICE ? setting->choices[value] : "";
}
