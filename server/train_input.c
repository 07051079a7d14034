#include "train_input.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "preset.h"
#include "run_request.h"
#include "text.h"

enum { FILE_MAX = 1 << 20 };

void train_complain(const char *what, const char *sentence)
{
    fprintf(stderr, "goodness train: %s%s%s\n", what == NULL ? "" : what, what == NULL ? "" : ": ", sentence);
}

static void complain_problems(const char *operand, const struct ff_problems *problems)
{
    for (size_t i = 0; i < problems->count; i++)
        fprintf(stderr, "goodness train: %s: %s: %s\n", strcmp(operand, "-") == 0 ? "standard input" : operand,
                problems->problem[i].pointer, problems->problem[i].detail);
}

/* All of a stream, at most FILE_MAX bytes, in new memory. NULL and `error`. */
static char *read_stream(FILE *file, const char *name, size_t *length, struct ff_error *error)
{
    char *text = malloc(FILE_MAX + 1);

    if (text == NULL) {
        ff_fail_memory(error, "reading a run");
        return NULL;
    }
    *length = fread(text, 1, FILE_MAX + 1, file);
    if (ferror(file))
        ff_fail(error, FF_IO, "%s cannot be read: %s", name, strerror(errno));
    else if (*length > FILE_MAX)
        ff_fail(error, FF_INVALID, "%s is longer than 1 MiB, which no run is", name);
    else
        return text;
    free(text);
    return NULL;
}

static char *read_file(const char *name, size_t *length, struct ff_error *error)
{
    FILE *file = fopen(name, "rb");
    char *text;

    if (file == NULL) {
        ff_fail(error, FF_IO, "%s cannot be opened: %s", name, strerror(errno));
        return NULL;
    }
    text = read_stream(file, name, length, error);
    fclose(file);
    return text;
}

static cJSON *read_json(const char *operand, struct ff_error *error)
{
    bool standard = strcmp(operand, "-") == 0;
    const char *name = standard ? "standard input" : operand;
    struct ff_error cause;
    size_t length;
    char *text = standard ? read_stream(stdin, name, &length, error) : read_file(name, &length, error);
    cJSON *json;

    if (text == NULL)
        return NULL;
    json = json_parse_strict(text, length, &cause);
    if (json == NULL)
        ff_fail(error, cause.status, "%s: %s", name, cause.message);
    free(text);
    return json;
}

/* {"preset": operand}, or NULL when the operand is no preset's name. */
static cJSON *preset_request(const char *operand, struct ff_error *error)
{
    cJSON *json;

    if (ff_preset_find(operand) == NULL)
        return NULL;
    json = cJSON_CreateObject();
    if (json == NULL || cJSON_AddStringToObject(json, "preset", operand) == NULL) {
        cJSON_Delete(json);
        ff_fail_memory(error, "a run");
        return NULL;
    }
    return json;
}

static bool looks_like_a_file(const char *operand)
{
    FILE *file;

    if (strcmp(operand, "-") == 0 || strpbrk(operand, "/.") != NULL)
        return true;
    file = fopen(operand, "rb");
    if (file != NULL)
        fclose(file);
    return file != NULL;
}

static void fail_operand(const char *operand, struct ff_error *error)
{
    const char *nearest = ff_preset_nearest(operand);

    if (nearest != NULL)
        ff_fail(error, FF_NOT_FOUND, "%s is neither a preset nor a file; did you mean \"%s\"?", operand, nearest);
    else
        ff_fail(error, FF_NOT_FOUND, "%s is neither a preset nor a file; goodness train --help lists the presets",
                operand);
}

static cJSON *request_of(const char *operand, struct ff_error *error)
{
    cJSON *json;

    error->status = FF_OK;
    json = preset_request(operand, error);
    if (json != NULL || error->status != FF_OK)
        return json;
    if (looks_like_a_file(operand))
        return read_json(operand, error);
    fail_operand(operand, error);
    return NULL;
}

bool train_input_read(const char *operand, struct run *run)
{
    struct ff_problems *problems;
    struct ff_error error;
    cJSON *json = request_of(operand, &error);
    bool good;

    if (json == NULL) {
        train_complain(NULL, error.message);
        return false;
    }
    problems = calloc(1, sizeof *problems);
    good = problems != NULL && run_request_parse(json, run, problems) &&
           ff_config_check(&run->config, NULL, "/config", problems);
    cJSON_Delete(json);
    if (problems == NULL)
        train_complain(operand, "not enough memory for a run");
    else
        complain_problems(operand, problems);
    free(problems);
    return good;
}

/* --- a run that goes on --------------------------------------------------------------------------------------- */

/* Both values of the first setting that differs. */
static ff_status fail_setting(const char *operand, const char *file, const cJSON *differs, struct ff_error *error)
{
    char *kept = cJSON_PrintUnformatted(cJSON_GetArrayItem(differs, 0)),
         *asked = cJSON_PrintUnformatted(cJSON_GetArrayItem(differs, 1));

    ff_fail(error, FF_INVALID,
            "%s asks for %s %.80s, but the run in %s has %.80s: it goes on with its own settings, and only more "
            "epochs can be asked for",
            operand, differs->string, asked == NULL ? "(other)" : asked, file, kept == NULL ? "(another)" : kept);
    cJSON_free(kept);
    cJSON_free(asked);
    return error->status;
}

/* Whether `asked` is the configuration that the run began with, but for more epochs. */
static ff_status check_asked(const char *operand, const char *file, const struct ff_config *began,
                             const struct ff_config *asked, struct ff_error *error)
{
    struct ff_config longer = *began;
    cJSON *differences;
    ff_status status = FF_OK;

    if (asked->epochs < began->epochs)
        return ff_fail(error, FF_INVALID,
                       "%s asks for %u epochs, but the run in %s has %u already: only more can be asked for",
                       operand, asked->epochs, file, began->epochs);
    longer.epochs = asked->epochs;
    differences = ff_config_difference(&longer, asked);
    if (differences == NULL)
        return ff_fail_memory(error, "a run");
    if (differences->child != NULL)
        status = fail_setting(operand, file, differences->child, error);
    cJSON_Delete(differences);
    return status;
}

bool train_input_resume(const char *file, const char *operand, struct run *run, struct ff_checkpoint **checkpoint)
{
    const struct ff_checkpoint_about *about;
    struct ff_error error;
    uint32_t epochs;

    *checkpoint = ff_checkpoint_open(file, &error);
    if (*checkpoint == NULL) {
        train_complain(NULL, error.message);
        return false;
    }
    about = ff_checkpoint_about(*checkpoint);
    epochs = about->config.epochs;
    memset(run, 0, sizeof *run);
    if (operand != NULL) {
        if (!train_input_read(operand, run))
            return false;
        if (check_asked(operand, file, &about->config, &run->config, &error) != FF_OK) {
            train_complain(NULL, error.message);
            return false;
        }
        epochs = run->config.epochs;
    }
    run->config = about->config;
    run->config.epochs = epochs;
    run->best.epoch = about->standing.best_epoch;
    run->best.test_error = about->standing.best_error;
    if (run->name[0] == '\0') {
        snprintf(run->name, sizeof run->name, "%.*s", RUN_NAME_MAX, about->name);
        text_mend_cut(run->name);
    }
    return true;
}
