#include "checkpoint_text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "sha256.h"

static const char format[] = "goodness checkpoint 1";

/* The texts, in this order; the last is the sum over those before it, so that a bit that tipped is noticed. */
enum { FORMAT, NAME_TEXT, CONFIG, CHANGES, IMAGES, STANDING, SUM, TEXTS };

static const char *const names[TEXTS] = {
    [FORMAT] = "format", [NAME_TEXT] = "name",    [CONFIG] = "config",      [CHANGES] = "changes",
    [IMAGES] = "images", [STANDING] = "standing", [SUM] = "metadata.sha256"};

/* --- making --- */

/* The text of `json`, which it takes; NULL when that is NULL or memory is short. */
static char *print(cJSON *json)
{
    char *text = json == NULL ? NULL : cJSON_PrintUnformatted(json);

    cJSON_Delete(json);
    return text;
}

static cJSON *change_json(const struct ff_change *change)
{
    cJSON *object = cJSON_CreateObject();

    bool whole = ff_json_put(object, "step", cJSON_CreateNumber((double)change->step)) &&
                 ff_json_put(object, "config", ff_config_live_to_json(&change->config));

    return ff_json_whole(object, whole);
}

static char *changes_text(const struct ff_checkpoint_about *about)
{
    cJSON *array = cJSON_CreateArray();
    bool whole = array != NULL;

    for (size_t i = 0; whole && i < about->change_count; i++)
        whole = ff_json_append(array, change_json(&about->changes[i]));
    return print(ff_json_whole(array, whole));
}

static char *images_text(const struct ff_checkpoint_about *about)
{
    const int shape[3] = {(int)about->shape.channels, (int)about->shape.height, (int)about->shape.width};
    cJSON *object = cJSON_CreateObject();
    bool whole = ff_json_put(object, "shape", cJSON_CreateIntArray(shape, 3)) &&
                 ff_json_put(object, "classes", cJSON_CreateNumber(about->classes));

    return print(ff_json_whole(object, whole));
}

static const struct number {
    const char *name;
    size_t offset;
    enum { WHOLE32, WHOLE64, SINGLE, DOUBLE } type;
    bool later; /* files of earlier programs lack it */
} numbers[] = {
    {"step", offsetof(struct ff_standing, step), WHOLE64, false},
    {"epochs", offsetof(struct ff_standing, epochs), WHOLE32, false},
    {"window", offsetof(struct ff_standing, window), WHOLE64, false},
    {"train_images", offsetof(struct ff_standing, train_images), WHOLE32, false},
    {"epoch_images", offsetof(struct ff_standing, epoch_images), WHOLE64, false},
    {"pixel_scale", offsetof(struct ff_standing, pixel_scale), SINGLE, false},
    {"pixel_offset", offsetof(struct ff_standing, pixel_offset), SINGLE, false},
    {"training", offsetof(struct ff_standing, training), DOUBLE, false},
    {"evaluating", offsetof(struct ff_standing, evaluating), DOUBLE, false},
    {"saving", offsetof(struct ff_standing, saving), DOUBLE, false},
    {"evaluating_closed", offsetof(struct ff_standing, evaluating_closed), DOUBLE, false},
    {"best_epoch", offsetof(struct ff_standing, best_epoch), WHOLE32, true},
    {"best_error", offsetof(struct ff_standing, best_error), DOUBLE, true},
};

static double number_of(const struct ff_standing *standing, const struct number *number)
{
    const void *place = (const char *)standing + number->offset;

    switch (number->type) {
    case WHOLE32:
        return *(const uint32_t *)place;
    case WHOLE64:
        return (double)*(const uint64_t *)place;
    case SINGLE:
        return *(const float *)place;
    case DOUBLE:
        break;
    }
    return *(const double *)place;
}

static char *standing_text(const struct ff_standing *standing)
{
    cJSON *object = cJSON_CreateObject();
    bool whole = object != NULL;

    for (size_t i = 0; whole && i < sizeof numbers / sizeof numbers[0]; i++) {
        char text[32]; /* cJSON's own numbers do not all read back to the same bits */

        snprintf(text, sizeof text, "%.17g", number_of(standing, &numbers[i]));
        whole = ff_json_put(object, numbers[i].name, cJSON_CreateRaw(text));
    }
    return print(ff_json_whole(object, whole));
}

static ff_status sum_of(const char *const *texts, char text[FF_SHA256_TEXT], struct ff_error *error)
{
    struct ff_sha256 *sum = ff_sha256_create(error);

    if (sum == NULL)
        return error->status;
    for (int i = 0; i < SUM; i++)
        ff_sha256_add(sum, texts[i], strlen(texts[i]) + 1);
    ff_sha256_take(sum, text);
    ff_sha256_destroy(sum);
    return FF_OK;
}

ff_status ff_checkpoint_text_make(struct ff_checkpoint_text *text, const struct ff_checkpoint_about *about,
                                  struct ff_error *error)
{
    *text = (struct ff_checkpoint_text){.texts = {[FORMAT] = strdup(format),
                                                  [NAME_TEXT] = strdup(about->name),
                                                  [CONFIG] = print(ff_config_to_json(&about->config)),
                                                  [CHANGES] = changes_text(about),
                                                  [IMAGES] = images_text(about),
                                                  [STANDING] = standing_text(&about->standing),
                                                  [SUM] = malloc(FF_SHA256_TEXT)}};
    for (size_t i = 0; i < TEXTS; i++) {
        if (text->texts[i] == NULL) {
            ff_checkpoint_text_free(text);
            return ff_fail_memory(error, "a checkpoint");
        }
        text->names_and_texts[2 * i] = names[i];
        text->names_and_texts[2 * i + 1] = text->texts[i];
    }
    if (sum_of((const char *const *)text->texts, text->texts[SUM], error) == FF_OK)
        return FF_OK;
    ff_checkpoint_text_free(text);
    return error->status;
}

void ff_checkpoint_text_free(struct ff_checkpoint_text *text)
{
    for (int i = 0; i < TEXTS; i++)
        free(text->texts[i]);
}

/* --- reading --- */

static ff_status damaged(struct ff_error *error, const char *path, const char *name)
{
    return ff_fail(error, FF_DAMAGED, "%s is no whole checkpoint: what it says under \"%s\" makes no sense", path,
                   name);
}

/* A whole number of the object's, from `low` to `high`. */
static bool read_whole(const cJSON *object, const char *name, double low, double high, double *value)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

    if (!cJSON_IsNumber(item) || !(item->valuedouble >= low && item->valuedouble <= high) ||
        item->valuedouble != floor(item->valuedouble))
        return false;
    *value = item->valuedouble;
    return true;
}

static bool read_images(const cJSON *object, struct ff_checkpoint_about *about)
{
    uint32_t *const sizes[] = {&about->shape.channels, &about->shape.height, &about->shape.width};
    const cJSON *shape = cJSON_GetObjectItemCaseSensitive(object, "shape");
    double classes;

    if (cJSON_GetArraySize(shape) != 3 || !read_whole(object, "classes", 2, FF_CLASSES_MAX, &classes))
        return false;
    for (int i = 0; i < 3; i++) {
        const cJSON *size = cJSON_GetArrayItem(shape, i);

        if (!cJSON_IsNumber(size) || !(size->valuedouble >= 1 && size->valuedouble <= 65536))
            return false;
        *sizes[i] = (uint32_t)size->valuedouble;
    }
    about->classes = (uint32_t)classes;
    return (double)about->shape.channels * about->shape.height * about->shape.width <= 1 << 24;
}

static bool read_number(const cJSON *object, const struct number *number, struct ff_standing *standing)
{
    void *place = (char *)standing + number->offset;
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, number->name);
    double value;

    if (number->type == WHOLE32 || number->type == WHOLE64) {
        if (!read_whole(object, number->name, 0, number->type == WHOLE32 ? UINT32_MAX : 0x1p53, &value))
            return false;
        if (number->type == WHOLE32)
            *(uint32_t *)place = (uint32_t)value;
        else
            *(uint64_t *)place = (uint64_t)value;
        return true;
    }
    if (!cJSON_IsNumber(item) || !isfinite(item->valuedouble))
        return false;
    if (number->type == SINGLE)
        *(float *)place = (float)item->valuedouble;
    else
        *(double *)place = item->valuedouble;
    return true;
}

static bool read_standing(const cJSON *object, struct ff_standing *standing)
{
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        bool there = cJSON_GetObjectItemCaseSensitive(object, numbers[i].name) != NULL;

        if ((there || !numbers[i].later) && !read_number(object, &numbers[i], standing))
            return false;
    }
    return standing->window > 0;
}

/* What this build cannot do is said as such. */
static ff_status read_config(const cJSON *object, const char *path, struct ff_config *config,
                             struct ff_error *error)
{
    struct ff_problems problems = {0};

    ff_config_defaults(config);
    if (ff_config_apply(config, object, "", &problems) && ff_config_check(config, NULL, "", &problems))
        return FF_OK;
    return ff_fail(error, FF_INVALID, "%s holds a configuration that this build cannot train: %s %s", path,
                   problems.problem[0].pointer + (problems.problem[0].pointer[0] == '/'),
                   problems.problem[0].detail);
}

static ff_status read_changes(const cJSON *array, const char *path, struct ff_checkpoint_about *about,
                              struct ff_error *error)
{
    const cJSON *item;
    struct ff_config config = about->config;
    uint64_t before = 0;

    if (!cJSON_IsArray(array))
        return damaged(error, path, names[CHANGES]);
    about->changes = calloc((size_t)cJSON_GetArraySize(array) + 1, sizeof *about->changes);
    if (about->changes == NULL)
        return ff_fail_memory(error, "a checkpoint");
    cJSON_ArrayForEach(item, array)
    {
        struct ff_problems problems = {0};
        double step;

        if (!read_whole(item, "step", (double)before, (double)about->standing.step, &step) ||
            !ff_config_apply_live(&config, cJSON_GetObjectItemCaseSensitive(item, "config"), "", &problems))
            return damaged(error, path, names[CHANGES]);
        before = (uint64_t)step;
        about->changes[about->change_count++] = (struct ff_change){before, config};
    }
    return FF_OK;
}

static ff_status read_parts(cJSON *const *parts, const char *path, struct ff_checkpoint_about *about,
                            struct ff_error *error)
{
    if (!read_images(parts[IMAGES], about))
        return damaged(error, path, names[IMAGES]);
    if (!read_standing(parts[STANDING], &about->standing))
        return damaged(error, path, names[STANDING]);
    if (read_config(parts[CONFIG], path, &about->config, error) != FF_OK)
        return error->status;
    return read_changes(parts[CHANGES], path, about, error);
}

static ff_status check_texts(const char *const *texts, const char *path, struct ff_error *error)
{
    char sum[FF_SHA256_TEXT];

    if (texts[FORMAT] == NULL || strcmp(texts[FORMAT], format) != 0)
        return ff_fail(error, FF_DAMAGED, "%s is not a checkpoint of this program: its format is %.40s", path,
                       texts[FORMAT] != NULL ? texts[FORMAT] : "not said");
    for (int i = 0; i < TEXTS; i++) {
        if (texts[i] == NULL)
            return ff_fail(error, FF_DAMAGED, "%s is no whole checkpoint: \"%s\" is missing", path, names[i]);
    }
    if (sum_of(texts, sum, error) != FF_OK)
        return error->status;
    if (strcmp(sum, texts[SUM]) != 0)
        return ff_fail(error, FF_DAMAGED,
                       "%s is damaged: what it says of itself does not have the sum that it says", path);
    return FF_OK;
}

ff_status ff_checkpoint_text_read(const struct ff_safetensors *file, const char *path,
                                  struct ff_checkpoint_about *about, struct ff_error *error)
{
    const char *texts[TEXTS];
    cJSON *parts[TEXTS] = {NULL};
    ff_status status;
    bool parsed = true;

    for (int i = 0; i < TEXTS; i++)
        texts[i] = ff_safetensors_metadata(file, names[i]);
    if (check_texts(texts, path, error) != FF_OK)
        return error->status;
    snprintf(about->name, sizeof about->name, "%s", texts[NAME_TEXT]);
    for (int i = CONFIG; i < SUM; i++)
        parsed &= (parts[i] = cJSON_Parse(texts[i])) != NULL;
    /* Their sum is right, so that it is not the texts. */
    status = parsed ? read_parts(parts, path, about, error) : ff_fail_memory(error, "a checkpoint");
    for (int i = CONFIG; i < SUM; i++)
        cJSON_Delete(parts[i]);
    return status;
}
