#include "run_request.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "options.h"
#include "preset.h"
#include "text.h"

static const cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

/* "/config" and a member's name, escaped as RFC 6901 wants it. */
static void join_pointer(char *pointer, size_t size, const char *parent, const char *name)
{
    size_t used = (size_t)snprintf(pointer, size, "%s/", parent);

    for (; *name != '\0' && used + 3 < size; name++) {
        if (*name == '~' || *name == '/') {
            pointer[used++] = '~';
            pointer[used++] = *name == '~' ? '0' : '1';
        } else {
            pointer[used++] = *name;
        }
    }
    pointer[used] = '\0';
    text_mend_cut(pointer);
}

bool run_request_names(const cJSON *body, const char *pointer, const char *const *names,
                       struct ff_problems *problems)
{
    size_t before = problems->count;
    const cJSON *item;

    cJSON_ArrayForEach(item, body)
    {
        char where[160];
        char hint[FF_HINT_TEXT];
        size_t i = 0;

        while (names[i] != NULL && strcmp(names[i], item->string) != 0)
            i++;
        if (names[i] != NULL)
            continue;
        join_pointer(where, sizeof where, pointer, item->string);
        ff_problem_add(problems, where, "is not known here%s", ff_did_you_mean(item->string, names, hint));
    }
    return problems->count == before;
}

/* --- what is written about a run ------------------------------------------------------------------------------ */

/* A string of 1 (or 0) to `most` bytes; notes may have line breaks and tabs, nothing else may. */
static bool read_text(const cJSON *value, const char *pointer, bool may_be_empty, bool lines, size_t most,
                      char *text, struct ff_problems *problems)
{
    size_t length;

    if (!cJSON_IsString(value)) {
        ff_problem_add(problems, pointer, "must be a string, got %s", ff_json_kind(value));
        return false;
    }
    length = strlen(value->valuestring);
    if ((length == 0 && !may_be_empty) || length > most) {
        ff_problem_add(problems, pointer, "must have %d to %zu bytes of UTF-8, got %zu", may_be_empty ? 0 : 1, most,
                       length);
        return false;
    }
    for (const char *c = value->valuestring; *c != '\0'; c++) {
        bool line_break = *c == '\n' || *c == '\r' || *c == '\t';

        if (((unsigned char)*c < 0x20 && !(lines && line_break)) || *c == 0x7F) {
            ff_problem_add(problems, pointer, "must not have control characters, got U+%04X", (unsigned)*c);
            return false;
        }
    }
    memcpy(text, value->valuestring, length + 1);
    return true;
}

static bool has_tag(const struct run *run, const char *tag)
{
    for (uint32_t i = 0; i < run->tag_count; i++)
        if (strcmp(run->tags[i], tag) == 0)
            return true;
    return false;
}

static void read_tags(const cJSON *value, struct run *run, struct ff_problems *problems)
{
    struct run read = {.tag_count = 0};
    size_t before = problems->count;
    const cJSON *item;
    int index = 0;

    if (!cJSON_IsArray(value)) {
        ff_problem_add(problems, "/tags", "must be an array of strings, got %s", ff_json_kind(value));
        return;
    }
    if (cJSON_GetArraySize(value) > RUN_TAGS_MAX) {
        ff_problem_add(problems, "/tags", "must have at most %d tags, got %d", RUN_TAGS_MAX,
                       cJSON_GetArraySize(value));
        return;
    }
    cJSON_ArrayForEach(item, value)
    {
        char pointer[32], tag[RUN_TAG_MAX + 1];

        snprintf(pointer, sizeof pointer, "/tags/%d", index++);
        if (!read_text(item, pointer, false, false, RUN_TAG_MAX, tag, problems))
            continue;
        if (has_tag(&read, tag))
            ff_problem_add(problems, pointer, "is given twice");
        else
            memcpy(read.tags[read.tag_count++], tag, sizeof tag);
    }
    if (problems->count != before)
        return;
    run->tag_count = read.tag_count;
    memcpy(run->tags, read.tags, sizeof run->tags);
}

bool run_request_labels(const cJSON *body, struct run *run, struct ff_problems *problems)
{
    size_t before = problems->count;
    const cJSON *name = member(body, "name"), *notes = member(body, "notes"), *tags = member(body, "tags");

    if (name != NULL)
        read_text(name, "/name", false, false, RUN_NAME_MAX, run->name, problems);
    if (notes != NULL)
        read_text(notes, "/notes", true, true, RUN_NOTES_MAX, run->notes, problems);
    if (tags != NULL)
        read_tags(tags, run, problems);
    return problems->count == before;
}

/* --- what is to be trained ------------------------------------------------------------------------------------ */

static const struct ff_preset *read_preset(const cJSON *value, struct ff_problems *problems)
{
    size_t count;
    const struct ff_preset *usual = ff_presets(&count), *preset;
    const char *nearest;

    if (value == NULL)
        return usual;
    if (!cJSON_IsString(value)) {
        ff_problem_add(problems, "/preset", "must be a preset's name, got %s", ff_json_kind(value));
        return usual;
    }
    preset = ff_preset_find(value->valuestring);
    if (preset != NULL)
        return preset;
    nearest = ff_preset_nearest(value->valuestring);
    if (nearest != NULL)
        ff_problem_add(problems, "/preset", "there is no preset \"%s\"; did you mean \"%s\"?", value->valuestring,
                       nearest);
    else
        ff_problem_add(problems, "/preset", "there is no preset \"%s\"; GET /api/v1/presets lists them",
                       value->valuestring);
    return usual;
}

static void read_config(const cJSON *value, struct ff_config *config, struct ff_problems *problems)
{
    if (value == NULL)
        return;
    if (cJSON_IsObject(value))
        ff_config_apply(config, value, "/config", problems);
    else
        ff_problem_add(problems, "/config", "must be an object, got %s", ff_json_kind(value));
}

static void read_count(const cJSON *value, const char *pointer, uint32_t most, uint32_t *count,
                       struct ff_problems *problems)
{
    if (value == NULL)
        return;
    if (!cJSON_IsNumber(value))
        ff_problem_add(problems, pointer, "must be a whole number, got %s", ff_json_kind(value));
    else if (value->valuedouble < 1 || value->valuedouble > most || floor(value->valuedouble) != value->valuedouble)
        ff_problem_add(problems, pointer, "must be a whole number from 1 to %u, got %g", (unsigned)most,
                       value->valuedouble);
    else
        *count = (uint32_t)value->valuedouble;
}

static void read_placement(const cJSON *value, struct ff_placement *placement, struct ff_problems *problems)
{
    static const char *const names[] = {"stages", "threads", NULL};

    if (value == NULL || (cJSON_IsString(value) && strcmp(value->valuestring, "auto") == 0))
        return;
    if (!cJSON_IsObject(value)) {
        ff_problem_add(problems, "/placement", "must be \"auto\" or {\"stages\": n, \"threads\": n}, got %s",
                       cJSON_IsString(value) ? "another string" : ff_json_kind(value));
        return;
    }
    run_request_names(value, "/placement", names, problems);
    read_count(member(value, "stages"), "/placement/stages", FF_LAYERS_MAX, &placement->stages, problems);
    read_count(member(value, "threads"), "/placement/threads", OPTIONS_THREADS_MAX, &placement->threads, problems);
}

bool run_request_parse(const cJSON *body, struct run *run, struct ff_problems *problems)
{
    static const char *const names[] = {"name", "notes", "tags", "preset", "config", "placement", NULL};
    size_t before = problems->count;
    const struct ff_preset *preset;

    memset(run, 0, sizeof *run);
    if (!cJSON_IsObject(body)) {
        ff_problem_add(problems, "", "must be an object, got %s", ff_json_kind(body));
        return false;
    }
    run_request_names(body, "", names, problems);
    run_request_labels(body, run, problems);
    preset = read_preset(member(body, "preset"), problems);
    snprintf(run->preset, sizeof run->preset, "%s", preset->name);
    if (!ff_preset_config(preset, &run->config)) {
        problems->starved = true;
        ff_problem_add(problems, "/preset", "cannot be read for want of memory");
    }
    read_config(member(body, "config"), &run->config, problems);
    read_placement(member(body, "placement"), &run->asked, problems);
    return problems->count == before;
}

/* --- what a run goes on with ---------------------------------------------------------------------------------- */

bool run_request_settings(const cJSON *settings, struct ff_config *config, struct ff_problems *problems)
{
    size_t before = problems->count;

    if (!cJSON_IsObject(settings))
        ff_problem_add(problems, "/config", "must be an object, got %s", ff_json_kind(settings));
    else if (ff_config_apply_live(config, settings, "/config", problems))
        ff_config_check(config, NULL, "/config", problems);
    return problems->count == before;
}

/* So many more than the run has: within what a configuration may have. */
static void read_more_epochs(const cJSON *value, const struct run *run, uint32_t *epochs,
                             struct ff_problems *problems)
{
    struct ff_config config = run->config;
    struct ff_problems sum = {0};
    uint32_t more = 0;

    read_count(value, "/epochs", UINT32_MAX, &more, problems);
    if (more == 0)
        return;
    cJSON *settings = cJSON_CreateObject();
    if (!ff_json_put(settings, "epochs", cJSON_CreateNumber((double)run->config.epochs + more))) {
        problems->starved = true;
        ff_problem_add(problems, "/epochs", "cannot be added for want of memory");
    } else if (ff_config_apply(&config, settings, "", &sum))
        *epochs = more;
    else
        ff_problem_add(problems, "/epochs", "added to the run's %u epochs, the sum %s", run->config.epochs,
                       sum.problem[0].detail);
    cJSON_Delete(settings);
}

bool run_request_resumption(const cJSON *body, const struct run *run, struct session_resumption *resumption,
                            struct ff_problems *problems)
{
    static const char *const names[] = {"epochs", "config", "placement", NULL};
    size_t before = problems->count;
    struct ff_config config = *run_config(run);
    const cJSON *placement = member(body, "placement");

    *resumption = (struct session_resumption){.config = member(body, "config"), .placed = placement != NULL};
    run_request_names(body, "", names, problems);
    read_more_epochs(member(body, "epochs"), run, &resumption->epochs, problems);
    if (resumption->config != NULL)
        run_request_settings(resumption->config, &config, problems);
    read_placement(placement, &resumption->placement, problems);
    return problems->count == before;
}
