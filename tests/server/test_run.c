/* A run as JSON, and what happens to it. */
#include "../cmocka_all.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"

/* The text of a JSON value that is used up by this; freed by the caller. */
static char *print_and_delete(cJSON *json)
{
    assert_non_null(json);
    char *text = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    assert_non_null(text);
    return text;
}

static void assert_prints(cJSON *json, const char *expected)
{
    char *text = print_and_delete(json);
    assert_string_equal(text, expected);
    free(text);
}

/* What a client sees: printed, then parsed again. */
static cJSON *reparse(cJSON *json)
{
    char *text = print_and_delete(json);
    cJSON *parsed = cJSON_Parse(text);
    assert_non_null(parsed);
    free(text);
    return parsed;
}

static const cJSON *member(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    if (item == NULL)
        fail_msg("there is no \"%s\"", name);
    return item;
}

static void assert_text(const cJSON *object, const char *name, const char *expected)
{
    const cJSON *item = member(object, name);
    assert_true(cJSON_IsString(item));
    assert_string_equal(item->valuestring, expected);
}

static void assert_number(const cJSON *object, const char *name, double expected)
{
    const cJSON *item = member(object, name);
    assert_true(cJSON_IsNumber(item));
    assert_true(item->valuedouble == expected);
}

static struct run *new_run(void)
{
    struct run *run = calloc(1, sizeof *run);
    assert_non_null(run);
    run->id = 3;
    ff_config_defaults(&run->config);
    run->progress.remaining = NAN;
    run->progress.samples_per_second = NAN;
    return run;
}

static void state_names_are_those_of_the_interface(void **state)
{
    (void)state;
    static const struct {
        enum run_state state;
        const char *name;
        int final, holds;
    } cases[] = {
        {RUN_QUEUED, "queued", 0, 0},           {RUN_RUNNING, "running", 0, 1}, {RUN_PAUSED, "paused", 0, 1},
        {RUN_FINISHED, "finished", 1, 0},       {RUN_STOPPED, "stopped", 1, 0}, {RUN_FAILED, "failed", 1, 0},
        {RUN_INTERRUPTED, "interrupted", 1, 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum run_state found = RUN_STATES;
        assert_string_equal(run_state_name(cases[i].state), cases[i].name);
        assert_true(run_state_from_name(cases[i].name, &found));
        assert_int_equal(found, cases[i].state);
        assert_int_equal(run_state_is_final(cases[i].state), cases[i].final);
        assert_int_equal(run_state_holds_trainer(cases[i].state), cases[i].holds);
    }
    enum run_state untouched = RUN_PAUSED;
    assert_false(run_state_from_name("Running", &untouched));
    assert_false(run_state_from_name("", &untouched));
    assert_int_equal(untouched, RUN_PAUSED);
}

/* Of the texts more in test_text.c. */
static void figures_and_numbers_are_short_and_null_where_they_are_not_finite(void **state)
{
    (void)state;
    static const double values[] = {NAN, INFINITY, -INFINITY};

    assert_prints(run_figure((double)0.59f), "0.59");
    assert_prints(run_number(0.1168), "0.1168");
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        assert_prints(run_figure(values[i]), "null");
        assert_prints(run_number(values[i]), "null");
    }
}

static void times_are_rfc_3339_in_utc(void **state)
{
    (void)state;
    assert_prints(run_time(0), "null");
    assert_prints(run_time(1700000000123), "\"2023-11-14T22:13:20.123Z\"");
    assert_prints(run_time(1709164800007), "\"2024-02-29T00:00:00.007Z\"");
}

static void a_new_run_has_no_results_yet(void **state)
{
    (void)state;
    static const char *const nulls[] = {"pending", "reason", "preset", "started",
                                        "ended",   "best",   "last",   "checkpoint"};
    struct run *run = new_run();
    run->created = 1700000000123;
    run->progress.epochs = 60;
    cJSON *json = reparse(run_to_json(run));

    assert_number(json, "id", 3);
    assert_text(json, "state", "queued");
    assert_text(json, "created", "2023-11-14T22:13:20.123Z");
    assert_text(json, "placement", "auto");
    for (size_t i = 0; i < sizeof nulls / sizeof nulls[0]; i++)
        assert_true(cJSON_IsNull(member(json, nulls[i])));
    assert_int_equal(cJSON_GetArraySize(member(json, "changes")), 0);
    assert_int_equal(cJSON_GetArraySize(member(json, "warnings")), 0);
    assert_number(member(json, "progress"), "epoch", 0);
    assert_number(member(json, "progress"), "epochs", 60);
    assert_true(cJSON_IsNull(member(member(json, "progress"), "remaining")));
    assert_true(cJSON_IsNull(member(member(json, "progress"), "samples_per_second")));
    cJSON_Delete(json);
    free(run);
}

/* The settings shown are those of now; what they were stands in the changes. */
static void what_was_turned_shows_old_and_new(void **state)
{
    (void)state;
    struct run *run = new_run();
    struct ff_config config = run->config;
    config.learning_rate.count = 1;
    config.learning_rate.value[0] = 0.25;
    run->config.learning_rate.count = 1;
    run->config.learning_rate.value[0] = 0.5;
    assert_ptr_equal(run_config(run), &run->config);
    assert_true(run_turn(run, 12, &config));
    config.weight_decay = 0.125;
    config.learning_rate.value[0] = 0.75;
    assert_true(run_turn(run, 40, &config));
    cJSON *json = reparse(run_to_json(run));
    assert_prints(cJSON_Duplicate(member(json, "changes"), true),
                  "[{\"step\":12,\"learning_rate\":[0.5,0.25]},"
                  "{\"step\":40,\"learning_rate\":[0.25,0.75],\"weight_decay\":[0,0.125]}]");
    assert_number(member(json, "config"), "learning_rate", 0.75);
    assert_true(run->config.learning_rate.value[0] == 0.5);
    cJSON_Delete(json);
    free(run);
}

static void changes_have_so_much_room_and_no_more(void **state)
{
    (void)state;
    struct run *run = new_run();
    struct ff_config config = run->config;
    bool told = true;
    config.learning_rate.count = 1;
    uint64_t step = 0;

    for (; told && step < 10000; step++) {
        config.learning_rate.value[0] = step % 2 ? 0.25 : 0.5;
        told = run_turn(run, step, &config);
    }
    assert_false(told);
    assert_true(step > 200);
    assert_true(strlen(run->changes) < sizeof run->changes);
    assert_true(run_config(run)->learning_rate.value[0] == config.learning_rate.value[0]);
    cJSON *json = reparse(run_to_json(run));
    assert_int_equal(cJSON_GetArraySize(member(json, "changes")), step - 1);
    cJSON_Delete(json);
    free(run);
}

static void a_checkpoint_shows_where_it_stands(void **state)
{
    (void)state;
    struct run *run = new_run();
    run->checkpoint =
        (struct run_checkpoint){.step = 800, .bytes = 5000000000, .epochs = 2, .written = 1700000000123};
    cJSON *json = reparse(run_to_json(run));
    assert_prints(cJSON_Duplicate(member(json, "checkpoint"), true),
                  "{\"step\":800,\"epoch\":2,\"bytes\":5000000000,\"written\":\"2023-11-14T22:13:20.123Z\"}");
    cJSON_Delete(json);
    free(run);
}

static struct ff_epoch third_epoch(void)
{
    struct ff_epoch epoch = {.epoch = 3,
                             .step = 1800,
                             .elapsed = 31.5,
                             .evaluating = 2.5,
                             .train_error = NAN,
                             .test_error = 0.1168,
                             .digest = "sha256:00",
                             .layers = 2};
    epoch.layer[0] =
        (struct ff_layer_figures){.positive = 1.5f, .negative = 0.25f, .loss = 0.5f, .accuracy = 0.75f};
    epoch.layer[1] = (struct ff_layer_figures){.positive = NAN, .negative = 0.25f, .loss = 0.5f, .accuracy = 0.5f};
    return epoch;
}

static void a_run_under_way_shows_its_results(void **state)
{
    (void)state;
    struct run *run = new_run();
    run->state = RUN_RUNNING;
    run->pending = RUN_PENDING_PAUSE;
    strcpy(run->name, "fashion \"hinton\" 3");
    strcpy(run->preset, "hinton");
    strcpy(run->tags[0], "first");
    run->tag_count = 1;
    run->parameters = 13594000;
    run->placement = (struct ff_placement){.stages = 2, .threads = 1};
    run->progress.step = 2391;
    run->best.test_error = 0.1168;
    run->best.epoch = 3;
    run->last = third_epoch();
    cJSON *json = reparse(run_to_json(run));
    const cJSON *layers = member(member(json, "last"), "layers");

    assert_text(json, "name", "fashion \"hinton\" 3");
    assert_text(json, "pending", "pause");
    assert_text(json, "preset", "hinton");
    assert_string_equal(cJSON_GetArrayItem(member(json, "tags"), 0)->valuestring, "first");
    assert_number(json, "parameters", 13594000);
    assert_number(member(json, "placement"), "stages", 2);
    assert_number(member(json, "placement"), "threads", 1);
    assert_number(member(json, "progress"), "step", 2391);
    assert_number(member(json, "best"), "test_error", 0.1168);
    assert_number(member(json, "best"), "epoch", 3);
    assert_number(member(json, "last"), "epoch", 3);
    assert_text(member(json, "last"), "digest", "sha256:00");
    assert_true(cJSON_IsNull(member(member(json, "last"), "train_error")));
    assert_int_equal(cJSON_GetArraySize(layers), 2);
    assert_number(cJSON_GetArrayItem(layers, 0), "gap", 1.25);
    assert_number(cJSON_GetArrayItem(layers, 0), "accuracy", 0.75);
    assert_true(cJSON_IsNull(member(cJSON_GetArrayItem(layers, 1), "gap")));
    cJSON_Delete(json);
    free(run);
}

static void placement_over_ranks_shows_them_and_what_they_send(void **state)
{
    (void)state;
    struct run *run = new_run();
    run->placement = (struct ff_placement){.stages = 4, .threads = 8};
    cJSON *json = reparse(run_to_json(run));

    assert_false(cJSON_HasObjectItem(member(json, "placement"), "ranks"));
    assert_false(cJSON_HasObjectItem(member(json, "placement"), "bytes_per_sample"));
    cJSON_Delete(json);
    run->progress.ranks = 4;
    run->progress.bytes_per_sample = 32480.4;
    json = reparse(run_to_json(run));
    assert_number(member(json, "placement"), "ranks", 4);
    assert_number(member(json, "placement"), "stages", 4);
    assert_number(member(json, "placement"), "bytes_per_sample", 32480);
    cJSON_Delete(json);
    free(run);
}

static void placement_shows_what_was_asked_until_one_is_chosen(void **state)
{
    (void)state;
    static const struct {
        struct ff_placement asked, chosen;
        const char *expected;
    } cases[] = {
        {{0, 0}, {0, 0}, "\"auto\""},
        {{2, 0}, {0, 0}, "{\"stages\":2}"},
        {{2, 3}, {0, 0}, "{\"stages\":2,\"threads\":3}"},
        {{2, 0}, {2, 1}, "{\"stages\":2,\"threads\":1}"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct run *run = new_run();
        run->asked = cases[i].asked;
        run->placement = cases[i].chosen;
        cJSON *json = run_to_json(run);
        assert_prints(cJSON_DetachItemFromObjectCaseSensitive(json, "placement"), cases[i].expected);
        cJSON_Delete(json);
        free(run);
    }
}

static void points_become_columns(void **state)
{
    (void)state;
    struct ff_point points[2] = {{.step = 25, .epoch = 0.04, .elapsed = 0.4, .layers = 1},
                                 {.step = 50, .epoch = 0.08, .elapsed = 0.8, .layers = 1}};
    points[0].layer[0] = (struct ff_layer_figures){1.1f, 0.9f, 0.5f, 1.5f, 0.4f, 1.4f, 0.7f, 0.6f};
    points[1].layer[0] = (struct ff_layer_figures){1.2f, 0.8f, 0.5f, NAN, 0.4f, 1.4f, 0.6f, 0.7f};

    assert_prints(run_points_to_json(points, 2),
                  "{\"steps\":[25,50],\"epochs\":[0.04,0.08],\"elapsed\":[0.4,0.8],\"layers\":[{\"layer\":0,"
                  "\"positive\":[1.1,1.2],\"negative\":[0.9,0.8],\"positive_low\":[0.5,0.5],"
                  "\"positive_high\":[1.5,null],\"negative_low\":[0.4,0.4],\"negative_high\":[1.4,1.4],"
                  "\"loss\":[0.7,0.6],\"accuracy\":[0.6,0.7]}]}");
    assert_prints(run_points_to_json(points, 0), "{\"steps\":[],\"epochs\":[],\"elapsed\":[],\"layers\":[]}");
}

static void an_end_sets_all_that_belongs_to_it(void **state)
{
    static const struct {
        enum ff_outcome outcome;
        enum run_state state;
        const char *reason;
        bool known; /* how long it will take */
    } cases[] = {{FF_FINISHED, RUN_FINISHED, "", true},
                 {FF_STOPPED, RUN_STOPPED, "", false},
                 {FF_FAILED, RUN_FAILED, "because", false}};
    struct run *run = calloc(1, sizeof *run);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        *run = (struct run){.state = RUN_RUNNING, .pending = RUN_PENDING_STOP, .progress.remaining = 5};
        run_end(run, cases[i].outcome, "because", 77);
        assert_int_equal(run->state, cases[i].state);
        assert_int_equal(run->pending, RUN_PENDING_NONE);
        assert_int_equal(run->ended, 77);
        assert_string_equal(run->reason, cases[i].reason);
        assert_true(cases[i].known ? run->progress.remaining == 0 : isnan(run->progress.remaining));
    }
    free(run);
}

static void a_warning_is_kept_once_and_cut_between_characters(void **state)
{
    (void)state;
    struct run *run = new_run();
    char text[400] = "a";
    for (int i = 0; i < 190; i++)
        strcat(text, "é");

    run_add_warning(run, "%s", text);
    run_add_warning(run, "%s", text);
    assert_int_equal(run->warning_count, 1);
    assert_int_equal(strlen(run->warnings[0]), 255);
    run_add_warning(run, "a%s", text);
    assert_int_equal(strlen(run->warnings[1]), 254);
    for (int i = 0; i < 20; i++)
        run_add_warning(run, "warning %d", i);
    assert_int_equal(run->warning_count, RUN_WARNINGS_MAX);
    free(run);
}

/* Counts down to the allocation that fails. */
static int allocations_left;

static void *failing_malloc(size_t size)
{
    return allocations_left-- > 0 ? malloc(size) : NULL;
}

static cJSON *one_epoch(void)
{
    struct ff_epoch epoch = third_epoch();
    return run_epoch_to_json(&epoch);
}

static cJSON *some_points(void)
{
    struct ff_point points[2] = {{.step = 25, .layers = 2}, {.step = 50, .layers = 2}};
    return run_points_to_json(points, 2);
}

static void short_memory_gives_null_and_loses_nothing(void **state)
{
    (void)state;
    static cJSON *(*const makers[])(void) = {one_epoch, some_points};
    cJSON_Hooks hooks = {.malloc_fn = failing_malloc, .free_fn = free};

    cJSON_InitHooks(&hooks);
    for (size_t i = 0; i < sizeof makers / sizeof makers[0]; i++) {
        cJSON *json = NULL;
        int failures = 0;
        for (; json == NULL; failures++) {
            allocations_left = failures;
            json = makers[i]();
        }
        cJSON_Delete(json);
        assert_true(allocations_left == 0);
        assert_true(failures > 20);
    }
    cJSON_InitHooks(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(state_names_are_those_of_the_interface),
        cmocka_unit_test(figures_and_numbers_are_short_and_null_where_they_are_not_finite),
        cmocka_unit_test(times_are_rfc_3339_in_utc),
        cmocka_unit_test(a_new_run_has_no_results_yet),
        cmocka_unit_test(a_run_under_way_shows_its_results),
        cmocka_unit_test(what_was_turned_shows_old_and_new),
        cmocka_unit_test(changes_have_so_much_room_and_no_more),
        cmocka_unit_test(a_checkpoint_shows_where_it_stands),
        cmocka_unit_test(placement_over_ranks_shows_them_and_what_they_send),
        cmocka_unit_test(placement_shows_what_was_asked_until_one_is_chosen),
        cmocka_unit_test(points_become_columns),
        cmocka_unit_test(an_end_sets_all_that_belongs_to_it),
        cmocka_unit_test(a_warning_is_kept_once_and_cut_between_characters),
        cmocka_unit_test(short_memory_gives_null_and_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
