/* Runs side by side, from a store: what is told of them, in each of the forms. */
#include "cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compare.h"

struct fixture {
    char folder[64];
    struct store *store;
    struct ff_error error;
    struct run runs[2];
    struct comparison *comparison;
};

static void assert_good(ff_status status, const struct ff_error *error)
{
    if (status != FF_OK)
        fail_msg("%s", error->message);
}

/* Epochs of one layer, with these errors. */
static void add_run(struct fixture *fixture, struct run *run, const double *errors, uint32_t count)
{
    assert_good(store_insert_run(fixture->store, run, &fixture->error), &fixture->error);
    for (uint32_t i = 0; i < count; i++) {
        struct ff_epoch epoch = {.epoch = i + 1,
                                 .step = 10 * (i + 1),
                                 .elapsed = 0.5 * (i + 1),
                                 .train_error = (double)NAN,
                                 .test_error = errors[i],
                                 .digest = "sha256:00",
                                 .layers = 1,
                                 .layer = {{.positive = 2.5f, .negative = 1.25f}}};

        store_append_epoch(fixture->store, run->id, 100 + i, &epoch);
    }
    store_flush(fixture->store);
    assert_good(store_get_run(fixture->store, run->id, run, &fixture->error), &fixture->error);
}

/* One whose newest epoch was not judged and is not the best, and one that has done nothing. */
static int set_up(void **state)
{
    static const double errors[] = {0.25, 0.5, NAN};
    struct fixture *fixture = calloc(1, sizeof *fixture);

    strcpy(fixture->folder, "/tmp/goodness_compare_XXXXXX");
    if (mkdtemp(fixture->folder) == NULL || (fixture->store = store_open(fixture->folder, &fixture->error)) == NULL)
        return -1;
    *state = fixture;
    for (size_t i = 0; i < 2; i++) {
        struct run *run = &fixture->runs[i];
        *run = (struct run){.state = RUN_STOPPED, .created = 1700000000123, .parameters = 100 + i};
        snprintf(run->name, sizeof run->name, i == 0 ? "plain" : "a \"comma\", and\na line");
        ff_config_defaults(&run->config);
        run->config.layer_count = 1;
        run->config.layers[0] = (struct ff_layer_config){.kind = FF_DENSE, .units = 20};
        run->config.dropout.units = i == 0 ? 0 : 0.5;
        run->config.seed = 7 + i;
        run->progress = (struct ff_progress){
            .elapsed = 1.5, .evaluating = 0.25, .remaining = (double)NAN, .samples_per_second = (double)NAN};
        add_run(fixture, run, errors, i == 0 ? 3 : 0);
    }
    fixture->comparison = comparison_create(fixture->store, fixture->runs, 2, &fixture->error);
    return fixture->comparison != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    char command[128];

    comparison_destroy(fixture->comparison);
    store_close(fixture->store);
    snprintf(command, sizeof command, "rm -rf %s", fixture->folder);
    int removed = system(command);
    free(fixture);
    return removed;
}

static char *written(const struct fixture *fixture, void (*write)(const struct comparison *, struct text *))
{
    struct text text;
    size_t length;

    text_open(&text);
    write(fixture->comparison, &text);
    return text_close(&text, &length);
}

static void assert_json(const cJSON *item, const char *expected)
{
    char *text = cJSON_PrintUnformatted(item);

    assert_string_equal(text, expected);
    cJSON_free(text);
}

static void errors_are_those_of_the_newest_epoch_that_was_judged(void **state)
{
    struct fixture *fixture = *state;
    cJSON *json = comparison_to_json(fixture->comparison);
    const cJSON *runs = cJSON_GetObjectItemCaseSensitive(json, "runs"), *first = cJSON_GetArrayItem(runs, 0);
    char *text = written(fixture, comparison_write_text);

    assert_json(cJSON_GetObjectItemCaseSensitive(first, "test_error"), "0.5");
    assert_json(cJSON_GetObjectItemCaseSensitive(first, "accuracy"), "0.5");
    assert_json(cJSON_GetObjectItemCaseSensitive(first, "epochs"), "3");
    assert_json(cJSON_GetObjectItemCaseSensitive(first, "best"), "{\"test_error\":0.25,\"epoch\":1}");
    assert_non_null(strstr(text, "  0.5000  "));
    assert_null(strstr(text, "0.7500"));
    free(text);
    cJSON_Delete(json);
}

static void what_was_not_judged_is_null_and_a_run_without_epochs_has_no_error(void **state)
{
    struct fixture *fixture = *state;
    cJSON *json = comparison_to_json(fixture->comparison);
    const cJSON *runs = cJSON_GetObjectItemCaseSensitive(json, "runs"), *second = cJSON_GetArrayItem(runs, 1);

    assert_json(cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(runs, 0), "series"),
                "{\"epochs\":[1,2,3],\"elapsed\":[0.5,1,1.5],\"train_error\":[null,null,null],"
                "\"test_error\":[0.25,0.5,null],\"gaps\":[[1.25,1.25,1.25]]}");
    assert_json(cJSON_GetObjectItemCaseSensitive(second, "series"),
                "{\"epochs\":[],\"elapsed\":[],\"train_error\":[],\"test_error\":[],\"gaps\":[[]]}");
    assert_json(cJSON_GetObjectItemCaseSensitive(second, "test_error"), "null");
    assert_json(cJSON_GetObjectItemCaseSensitive(second, "best"), "null");
    cJSON_Delete(json);
}

static void settings_are_those_that_differ(void **state)
{
    struct fixture *fixture = *state;
    cJSON *json = comparison_to_json(fixture->comparison), *settings;

    settings = cJSON_GetObjectItemCaseSensitive(json, "settings");
    assert_int_equal(cJSON_GetArraySize(settings), 2);
    for (int i = 0; i < 2; i++) {
        const cJSON *setting = cJSON_GetArrayItem(settings, i);
        const cJSON *values = cJSON_GetObjectItemCaseSensitive(setting, "values");

        if (strcmp(cJSON_GetObjectItemCaseSensitive(setting, "name")->valuestring, "seed") == 0)
            assert_json(values, "[7,8]");
        else
            assert_json(values,
                        "[{\"pixels\":0,\"inputs\":0,\"units\":0},{\"pixels\":0,\"inputs\":0,\"units\":0.5}]");
    }
    cJSON_Delete(json);
}

static void a_field_of_csv_is_quoted_where_it_must_be(void **state)
{
    struct fixture *fixture = *state;
    char *text = written(fixture, comparison_write_csv);

    assert_non_null(strstr(text, "1,plain,,stopped,[20],100,3,0.5,0.5,0.25,1.5,0.25,"));
    assert_non_null(strstr(text, "\n2,\"a \"\"comma\"\", and\na line\",,stopped,[20],101,0,,,,1.5,0.25,"));
    assert_non_null(strstr(text, ",\"{\"\"pixels\"\":0,"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(errors_are_those_of_the_newest_epoch_that_was_judged),
        FIXTURE_TEST(what_was_not_judged_is_null_and_a_run_without_epochs_has_no_error),
        FIXTURE_TEST(settings_are_those_that_differ),
        FIXTURE_TEST(a_field_of_csv_is_quoted_where_it_must_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
