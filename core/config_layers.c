/* The setting `layers`: reading it, writing it, its schema, and whether the layers fit. */
#include <stdio.h>
#include <string.h>

#include "config_table.h"
#include "patches.h"

static const char conv[] = "conv";

/* The numbers of a convolution, in the order in which they are shown. */
static const struct member {
    const char *name;
    size_t offset; /* in struct ff_layer_config */
    double low, high;
    bool needed;
    double initial;
    const char *help;
} members[] = {
    {"channels", offsetof(struct ff_layer_config, channels), 1, 65536, true, 0, "units that look everywhere"},
    {"kernel", offsetof(struct ff_layer_config, kernel), 1, 64, true, 0, "pixels a side that a unit sees"},
    {"stride", offsetof(struct ff_layer_config, stride), 1, 64, false, 1, "pixels from one place to the next"},
    {"padding", offsetof(struct ff_layer_config, padding), 0, 63, false, 0, "zeros around the image"},
};
enum { MEMBERS = sizeof members / sizeof members[0] };

/* Numbers that one image may come to in a convolution: a gigabyte. */
enum { LAID_OUT_MAX = 1 << 28 };

uint32_t ff_layer_units(const struct ff_layer_config *layer)
{
    return layer->kind == FF_CONV ? layer->channels : layer->units;
}

bool ff_layer_shape_of(const struct ff_layer_config *layer, struct ff_shape in, struct ff_layer_shape *shape)
{
    shape->in = in;
    shape->map = shape->out = (struct ff_shape){layer->units, 1, 1};
    if (layer->kind != FF_CONV)
        return true;
    shape->map.channels = shape->out.channels = layer->channels;
    shape->map.height = ff_patches_side(in.height, layer->kernel, layer->stride, layer->padding);
    shape->map.width = ff_patches_side(in.width, layer->kernel, layer->stride, layer->padding);
    shape->out.height = layer->pool ? shape->map.height / 2 : shape->map.height;
    shape->out.width = layer->pool ? shape->map.width / 2 : shape->map.width;
    return shape->out.height > 0 && shape->out.width > 0;
}

/* --- reading --- */

static bool is_conv(struct reading *reading, const cJSON *value, const char *pointer)
{
    const cJSON *kind = cJSON_GetObjectItemCaseSensitive(value, "kind");
    char place[192];

    if (cJSON_IsString(kind) && strcmp(kind->valuestring, conv) == 0)
        return true;
    snprintf(place, sizeof place, "%.150s/kind", pointer);
    if (kind == NULL)
        ff_problem_add(reading->problems, place,
                       "is missing: a layer is a number of units, or an object of kind \"%s\"", conv);
    else
        ff_problem_add(reading->problems, place, "must be \"%s\", got %s; a dense layer is a number of units", conv,
                       cJSON_IsString(kind) ? "another string" : ff_json_kind(kind));
    return false;
}

/* One member of a convolution's object, `kind` excepted. */
static bool read_member(struct reading *reading, const cJSON *value, const char *pointer,
                        struct ff_layer_config *layer)
{
    const char *names[MEMBERS + 3] = {"kind", "pool"};
    char place[192], hint[FF_HINT_TEXT];

    snprintf(place, sizeof place, "%.120s/%.60s", pointer, value->string);
    if (strcmp(value->string, "pool") == 0)
        return ff_read_flag(reading, value, place, &layer->pool);
    for (size_t i = 0; i < MEMBERS; i++) {
        double number;

        names[2 + i] = members[i].name;
        if (strcmp(value->string, members[i].name) != 0)
            continue;
        if (!ff_read_number(reading, value, place, members[i].low, members[i].high, false, true, &number))
            return false;
        *(uint32_t *)(void *)((char *)layer + members[i].offset) = (uint32_t)number;
        return true;
    }
    ff_problem_add(reading->problems, place, "unknown part of a convolution%s",
                   ff_did_you_mean(value->string, names, hint));
    return false;
}

static bool read_conv(struct reading *reading, const cJSON *value, const char *pointer,
                      struct ff_layer_config *layer)
{
    const cJSON *item;
    char place[192];
    bool good = is_conv(reading, value, pointer);

    if (!good)
        return false;
    *layer = (struct ff_layer_config){.kind = FF_CONV, .stride = 1};
    cJSON_ArrayForEach(item, value)
    {
        if (strcmp(item->string, "kind") != 0)
            good &= read_member(reading, item, pointer, layer);
    }
    for (size_t i = 0; i < MEMBERS; i++) {
        if (!members[i].needed || cJSON_HasObjectItem(value, members[i].name))
            continue;
        snprintf(place, sizeof place, "%.120s/%s", pointer, members[i].name);
        ff_problem_add(reading->problems, place, "is missing: %s", members[i].help);
        good = false;
    }
    return good;
}

static bool read_layer(struct reading *reading, const struct setting *setting, const cJSON *value,
                       const char *pointer, struct ff_layer_config *layer)
{
    double units;

    if (cJSON_IsObject(value))
        return read_conv(reading, value, pointer, layer);
    if (!ff_read_number(reading, value, pointer, setting->low, setting->high, false, true, &units))
        return false;
    *layer = (struct ff_layer_config){.kind = FF_DENSE, .units = (uint32_t)units};
    return true;
}

void ff_read_layers(struct reading *reading, const struct setting *setting, const cJSON *value, const char *pointer)
{
    struct ff_layer_config layers[FF_LAYERS_MAX];
    const cJSON *item;
    uint32_t count = 0;
    bool good = true;

    if (!cJSON_IsArray(value) || cJSON_GetArraySize(value) < 1 || cJSON_GetArraySize(value) > FF_LAYERS_MAX) {
        ff_problem_add(reading->problems, pointer,
                       "must be an array of 1 to %d layers, bottom up, such as [500, 500]", FF_LAYERS_MAX);
        return;
    }
    cJSON_ArrayForEach(item, value)
    {
        char place[192];

        snprintf(place, sizeof place, "%s/%u", pointer, count);
        good &= read_layer(reading, setting, item, place, &layers[count++]);
    }
    if (good) {
        reading->config->layer_count = count;
        memcpy(reading->config->layers, layers, count * sizeof layers[0]);
    }
}

/* --- writing --- */

static cJSON *conv_json(const struct ff_layer_config *layer)
{
    cJSON *object = cJSON_CreateObject();
    bool whole = ff_json_put(object, "kind", cJSON_CreateString(conv));

    for (size_t i = 0; whole && i < MEMBERS; i++)
        whole =
            ff_json_put(object, members[i].name,
                        ff_number_json(*(const uint32_t *)(const void *)((const char *)layer + members[i].offset)));
    whole = whole && ff_json_put(object, "pool", cJSON_CreateBool(layer->pool));
    return ff_json_whole(object, whole);
}

cJSON *ff_layers_json(const struct ff_config *config)
{
    cJSON *array = cJSON_CreateArray();
    bool whole = array != NULL;

    for (uint32_t i = 0; whole && i < config->layer_count; i++) {
        const struct ff_layer_config *layer = &config->layers[i];

        whole = ff_json_append(array, layer->kind == FF_CONV ? conv_json(layer) : ff_number_json(layer->units));
    }
    return ff_json_whole(array, whole);
}

static cJSON *kind_schema(void)
{
    cJSON *schema = cJSON_CreateObject();

    return ff_json_whole(schema, ff_json_put_text(schema, "const", conv));
}

static cJSON *pool_schema(void)
{
    cJSON *schema = ff_type_schema("boolean");
    bool good = ff_json_put_text(schema, "description", "the largest of every two by two places goes on") &&
                ff_json_put_flag(schema, "default", false);

    return ff_json_whole(schema, good);
}

static cJSON *member_schema(const struct member *member)
{
    cJSON *schema = ff_number_schema(member->low, member->high, false, true);
    bool good = ff_json_put_text(schema, "description", member->help);

    if (!member->needed)
        good = good && ff_json_put(schema, "default", ff_number_json(member->initial));
    return ff_json_whole(schema, good);
}

static cJSON *members_schema(void)
{
    cJSON *properties = cJSON_CreateObject();
    bool good = ff_json_put(properties, "kind", kind_schema());

    for (size_t i = 0; good && i < MEMBERS; i++)
        good = ff_json_put(properties, members[i].name, member_schema(&members[i]));
    good = good && ff_json_put(properties, "pool", pool_schema());
    return ff_json_whole(properties, good);
}

static cJSON *needed_json(void)
{
    cJSON *names = cJSON_CreateArray();
    bool good = ff_json_append(names, cJSON_CreateString("kind"));

    for (size_t i = 0; good && i < MEMBERS; i++) {
        if (members[i].needed)
            good = ff_json_append(names, cJSON_CreateString(members[i].name));
    }
    return ff_json_whole(names, good);
}

static cJSON *conv_schema(void)
{
    cJSON *schema = ff_object_schema(members_schema());
    bool good =
        ff_json_put_text(schema, "description", "a convolution") && ff_json_put(schema, "required", needed_json());

    return ff_json_whole(schema, good);
}

cJSON *ff_layers_schema(const struct setting *setting)
{
    cJSON *units = ff_number_schema(setting->low, setting->high, false, true);

    return ff_array_schema(ff_either_schema(units, conv_schema()));
}

/* --- whether the layers fit --- */

/* The place of a layer's problem, or, with `part`, of a part's. */
static const char *place_of(uint32_t layer, const char *part, char place[32])
{
    snprintf(place, 32, "layers/%u%s", layer, part);
    return place;
}

static void check_units(const struct checking *checking)
{
    uint32_t classes = checking->dataset->classes;
    char place[32];

    for (uint32_t i = 0; i < checking->config->layer_count; i++) {
        uint32_t units = ff_layer_units(&checking->config->layers[i]);
        bool is_conv = checking->config->layers[i].kind == FF_CONV;

        if (units % classes != 0)
            ff_check_fail(checking, place_of(i, is_conv ? "/channels" : "", place),
                          "class_groups gives every class as many %s: %u are not a multiple of %u classes",
                          is_conv ? "channels" : "units", units, classes);
    }
}

/* Numbers that a convolution sees and makes of one image. */
static double laid_out(const struct ff_layer_config *layer, const struct ff_layer_shape *shape)
{
    return (double)shape->map.height * shape->map.width *
           ((double)layer->kernel * layer->kernel * shape->in.channels + layer->channels);
}

/* Whether a layer fits on what is below it, and is not too large. */
static bool check_shape(const struct checking *checking, uint32_t index, const struct ff_layer_config *layer,
                        struct ff_layer_shape *shape)
{
    struct ff_shape in = shape->out;
    bool fits = ff_layer_shape_of(layer, in, shape);
    char place[32];

    if (fits && (layer->kind != FF_CONV || laid_out(layer, shape) <= LAID_OUT_MAX))
        return true;
    if (fits)
        ff_check_fail(checking, place_of(index, "", place),
                      "would see and make %.0f numbers of one image, more than %d; take fewer channels, a smaller "
                      "kernel or a larger stride",
                      laid_out(layer, shape), LAID_OUT_MAX);
    else if (shape->map.height == 0 || shape->map.width == 0)
        ff_check_fail(checking, place_of(index, "/kernel", place),
                      "must fit into what enters this layer, %u x %u with %u of padding around it, got %u; pool or "
                      "stride less below it",
                      in.height, in.width, layer->padding, layer->kernel);
    else
        ff_check_fail(checking, place_of(index, "/pool", place),
                      "needs two by two places, and this layer has %u x %u; leave it false", shape->map.height,
                      shape->map.width);
    return false;
}

/* From the image upwards, until something does not fit. */
static void check_shapes(const struct checking *checking)
{
    struct ff_layer_shape shape = {.out = checking->dataset->shape};
    bool fits = true;

    for (uint32_t i = 0; fits && i < checking->config->layer_count; i++)
        fits = check_shape(checking, i, &checking->config->layers[i], &shape);
}

/* A label is part of a dense layer's input; a convolution sees it as pixels of the image. */
static void check_labels(const struct checking *checking)
{
    if (checking->config->label == FF_LABEL_PREPEND)
        ff_check_fail(checking, "label",
                      "a convolution sees a label only as pixels; use \"overlay\", or the rule \"class_groups\"");
    if (checking->config->negatives == FF_NEGATIVES_HARD)
        ff_check_fail(checking, "negatives",
                      "\"hard\" ones are drawn by a dense first layer, and this one is a convolution; use "
                      "\"random\", or the rule \"class_groups\"");
}

/* A place at which a kernel sees nothing but padding would say nothing of the image. */
static void check_padding(const struct checking *checking)
{
    char place[32];

    for (uint32_t i = 0; i < checking->config->layer_count; i++) {
        const struct ff_layer_config *layer = &checking->config->layers[i];

        if (layer->kind == FF_CONV && layer->padding >= layer->kernel)
            ff_check_fail(checking, place_of(i, "/padding", place), "must be below the kernel, %u, got %u",
                          layer->kernel, layer->padding);
    }
}

void ff_check_layers(const struct checking *checking)
{
    const struct ff_config *config = checking->config;
    bool stacked = false;
    char place[32];

    for (uint32_t i = 1; i < config->layer_count; i++) {
        if (config->layers[i].kind != FF_CONV || config->layers[i - 1].kind == FF_CONV)
            continue;
        ff_check_fail(checking, place_of(i, "", place),
                      "a convolution needs an image below it, and what leaves a dense layer is none; put it below "
                      "all dense layers");
        stacked = true;
    }
    check_padding(checking);
    if (config->rule == FF_PAIRS && config->layers[0].kind == FF_CONV)
        check_labels(checking);
    if (checking->dataset != NULL && config->rule == FF_CLASS_GROUPS)
        check_units(checking);
    if (checking->dataset != NULL && !stacked)
        check_shapes(checking);
}
