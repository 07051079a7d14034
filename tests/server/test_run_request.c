/* What asks for a run: all problems at once, each at its place. */
#include "../cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "preset.h"
#include "run_request.h"

static cJSON *parse(const char *text)
{
    struct ff_error error;
    cJSON *json = json_parse_strict(text, strlen(text), &error);

    if (json == NULL)
        fail_msg("%s: %s", text, error.message);
    return json;
}

static bool read_request(const char *text, struct run *run, struct ff_problems *problems)
{
    cJSON *body = parse(text);
    bool good;

    problems->count = 0;
    good = run_request_parse(body, run, problems);
    assert_int_equal(good, problems->count == 0);
    cJSON_Delete(body);
    return good;
}

static void an_empty_object_is_the_default_preset(void **state)
{
    struct ff_problems problems;
    struct ff_config expected;
    struct run run;
    size_t count;
    const struct ff_preset *first = ff_presets(&count);

    (void)state;
    assert_true(read_request("{}", &run, &problems));
    ff_preset_config(first, &expected);
    assert_string_equal(run.preset, first->name);
    assert_memory_equal(&run.config, &expected, sizeof expected);
    assert_string_equal(run.name, "");
    assert_int_equal(run.tag_count, 0);
    assert_int_equal(run.asked.stages + run.asked.threads, 0);
}

static void all_fields_arrive(void **state)
{
    struct ff_problems problems;
    struct run run;

    (void)state;
    assert_true(read_request("{\"name\":\"fashion ä\",\"notes\":\"two\\nlines\\tand a tab\",\"tags\":[\"a\",\"b\"],"
                             "\"preset\":\"original-small\",\"config\":{\"seed\":7,\"epochs\":3},"
                             "\"placement\":{\"stages\":2,\"threads\":1}}",
                             &run, &problems));
    assert_string_equal(run.name, "fashion ä");
    assert_string_equal(run.notes, "two\nlines\tand a tab");
    assert_int_equal(run.tag_count, 2);
    assert_string_equal(run.tags[1], "b");
    assert_string_equal(run.preset, "original-small");
    assert_int_equal(run.config.seed, 7);
    assert_int_equal(run.config.epochs, 3);
    assert_int_equal(run.config.layer_count, 3); /* the preset's own */
    assert_int_equal(run.asked.stages, 2);
    assert_int_equal(run.asked.threads, 1);
    assert_true(read_request("{\"placement\":\"auto\"}", &run, &problems));
    assert_int_equal(run.asked.stages, 0);
    assert_true(read_request("{\"placement\":{\"threads\":2}}", &run, &problems));
    assert_int_equal(run.asked.stages, 0);
    assert_int_equal(run.asked.threads, 2);
}

struct wrong {
    const char *text, *pointer, *detail;
};

static void each_wrong_field_is_told_at_its_place(void **state)
{
    static const struct wrong cases[] = {
        {"[]", "", "must be an object, got an array"},
        {"{\"nmae\":\"x\"}", "/nmae", "did you mean \"name\"?"},
        {"{\"zzzzzzzzzzzz\":1}", "/zzzzzzzzzzzz", "is not known here"},
        {"{\"a/b~c\":1}", "/a~1b~0c", "is not known here"},
        {"{\"Name\":\"x\"}", "/Name", "did you mean \"name\"?"},
        {"{\"name\":7}", "/name", "must be a string, got a number"},
        {"{\"name\":\"\"}", "/name", "must have 1 to 200 bytes of UTF-8, got 0"},
        {"{\"name\":\"a\\nb\"}", "/name", "control characters, got U+000A"},
        {"{\"notes\":\"a\\u0007b\"}", "/notes", "control characters, got U+0007"},
        {"{\"notes\":null}", "/notes", "must be a string, got null"},
        {"{\"tags\":\"a\"}", "/tags", "must be an array of strings, got a string"},
        {"{\"tags\":[\"a\",1]}", "/tags/1", "must be a string, got a number"},
        {"{\"tags\":[\"a\",\"b\",\"a\"]}", "/tags/2", "is given twice"},
        {"{\"tags\":[\"\"]}", "/tags/0", "must have 1 to 40 bytes"},
        {"{\"tags\":[1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7]}", "/tags", "at most 16 tags, got 17"},
        {"{\"preset\":\"hintno\"}", "/preset", "there is no preset \"hintno\"; did you mean \"hinton\"?"},
        {"{\"preset\":[]}", "/preset", "must be a preset's name, got an array"},
        {"{\"config\":[]}", "/config", "must be an object, got an array"},
        {"{\"config\":{\"learning_rate\":-1}}", "/config/learning_rate", "got -1"},
        {"{\"config\":{\"learnig_rate\":1}}", "/config/learnig_rate", "learning_rate"},
        {"{\"placement\":3}", "/placement", "must be \"auto\" or"},
        {"{\"placement\":\"fast\"}", "/placement", "got another string"},
        {"{\"placement\":{\"stage\":1}}", "/placement/stage", "did you mean \"stages\"?"},
        {"{\"placement\":{\"stages\":0}}", "/placement/stages", "from 1 to 32, got 0"},
        {"{\"placement\":{\"stages\":1.5}}", "/placement/stages", "must be a whole number"},
        {"{\"placement\":{\"threads\":\"2\"}}", "/placement/threads", "got a string"},
        {"{\"placement\":{\"threads\":1e300}}", "/placement/threads", "from 1 to 256"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ff_problems problems;
        struct run run;

        assert_false(read_request(cases[i].text, &run, &problems));
        if (problems.count != 1 || strcmp(problems.problem[0].pointer, cases[i].pointer) != 0 ||
            strstr(problems.problem[0].detail, cases[i].detail) == NULL)
            fail_msg("%s: %zu problems, '%s' '%s', expected '%s' '%s'", cases[i].text, problems.count,
                     problems.problem[0].pointer, problems.problem[0].detail, cases[i].pointer, cases[i].detail);
    }
}

static void all_problems_are_told_at_once(void **state)
{
    static const char *const pointers[] = {"/nam",    "/notes",         "/tags/0",
                                           "/preset", "/config/epochs", "/placement/threads"};
    struct ff_problems problems;
    struct run run;

    (void)state;
    read_request("{\"nam\":1,\"notes\":1,\"tags\":[1],\"preset\":\"x\",\"config\":{\"epochs\":-1},"
                 "\"placement\":{\"threads\":0}}",
                 &run, &problems);
    assert_int_equal(problems.count, sizeof pointers / sizeof *pointers);
    for (size_t i = 0; i < problems.count; i++)
        assert_string_equal(problems.problem[i].pointer, pointers[i]);
}

static void texts_may_be_as_long_as_the_limit_and_no_longer(void **state)
{
    struct ff_problems problems;
    struct run run;
    char text[RUN_NAME_MAX + 32], name[RUN_NAME_MAX + 2];

    (void)state;
    memset(name, 'x', sizeof name);
    name[RUN_NAME_MAX] = '\0';
    snprintf(text, sizeof text, "{\"name\":\"%s\"}", name);
    assert_true(read_request(text, &run, &problems));
    assert_string_equal(run.name, name);
    name[RUN_NAME_MAX] = 'x';
    name[RUN_NAME_MAX + 1] = '\0';
    snprintf(text, sizeof text, "{\"name\":\"%s\"}", name);
    assert_false(read_request(text, &run, &problems));
}

static void labels_that_are_not_there_stay_as_they_are(void **state)
{
    struct run run = {.name = "old", .notes = "old", .tag_count = 1, .tags = {"old"}};
    struct ff_problems problems = {.count = 0};
    cJSON *body = parse("{\"notes\":\"\",\"other\":1}");

    (void)state;
    assert_true(run_request_labels(body, &run, &problems));
    assert_string_equal(run.name, "old");
    assert_string_equal(run.notes, "");
    assert_int_equal(run.tag_count, 1);
    cJSON_Delete(body);
    body = parse("{\"tags\":[]}");
    assert_true(run_request_labels(body, &run, &problems));
    assert_int_equal(run.tag_count, 0);
    cJSON_Delete(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_object_is_the_default_preset),
        cmocka_unit_test(all_fields_arrive),
        cmocka_unit_test(each_wrong_field_is_told_at_its_place),
        cmocka_unit_test(all_problems_are_told_at_once),
        cmocka_unit_test(texts_may_be_as_long_as_the_limit_and_no_longer),
        cmocka_unit_test(labels_that_are_not_there_stay_as_they_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
