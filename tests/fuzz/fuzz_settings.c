/* The body that asks for a run: a configuration that is taken is written as JSON that is taken again and gives the
 * same; one that is not has a sentence for each of its problems. */
#include "fuzz.h"

#include <stdbool.h>
#include <string.h>

#include "json.h"
#include "run_request.h"

static void check_problems(const struct ff_problems *problems)
{
    FUZZ_CHECK(problems->count <= FF_PROBLEMS_MAX);
    for (size_t i = 0; i < problems->count; i++) {
        FUZZ_CHECK(problems->problem[i].pointer[0] == '\0' || problems->problem[i].pointer[0] == '/');
        FUZZ_CHECK(problems->problem[i].detail[0] != '\0');
    }
}

static void check_round_trip(const struct ff_config *config)
{
    struct ff_problems problems = {.count = 0};
    struct ff_config again;
    cJSON *json = ff_config_to_json(config), *back;
    char *text = cJSON_PrintUnformatted(json), *second;
    struct ff_error error;

    ff_config_defaults(&again);
    back = json_parse_strict(text, strlen(text), &error);
    FUZZ_CHECK(back != NULL);
    FUZZ_CHECK(ff_config_apply(&again, back, "/config", &problems));
    cJSON_Delete(json);
    json = ff_config_to_json(&again);
    second = cJSON_PrintUnformatted(json);
    FUZZ_CHECK(strcmp(text, second) == 0);
    cJSON_free(second);
    cJSON_free(text);
    cJSON_Delete(back);
    cJSON_Delete(json);
}

static void check_run(const struct run *run)
{
    struct ff_problems problems = {.count = 0};
    bool fits = ff_config_check(&run->config, NULL, "/config", &problems);

    check_problems(&problems);
    FUZZ_CHECK(fits == (problems.count == 0));
    check_round_trip(&run->config);
}

/* The same text as a change of a run that trains. */
static void check_live(const cJSON *body)
{
    struct ff_problems problems = {.count = 0};
    struct ff_config config, before;
    const cJSON *settings = cJSON_GetObjectItemCaseSensitive(body, "config");
    cJSON *difference;

    ff_config_defaults(&config);
    before = config;
    if (settings == NULL || !run_request_settings(settings, &config, &problems))
        return;
    difference = ff_config_difference(&before, &config);
    for (const cJSON *pair = difference->child; pair != NULL; pair = pair->next)
        FUZZ_CHECK(cJSON_GetObjectItemCaseSensitive(settings, pair->string) != NULL);
    cJSON_Delete(difference);
    check_round_trip(&config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct run run;
    struct ff_problems problems = {.count = 0};
    struct ff_error error;
    cJSON *body = json_parse_strict((const char *)data, size, &error);
    bool good;

    if (body == NULL)
        return 0;
    good = run_request_parse(body, &run, &problems);
    FUZZ_CHECK(good == (problems.count == 0));
    FUZZ_CHECK(!good || cJSON_IsObject(body));
    check_problems(&problems);
    if (cJSON_IsObject(body)) {
        check_run(&run); /* a wrong field leaves a good one, so that the rest can be looked at */
        check_live(body);
    }
    cJSON_Delete(body);
    return 0;
}
