#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "preset.h"

/* Apply a JSON text over the defaults; the problems found. */
static struct ff_problems apply(const char *text, struct ff_config *config)
{
    struct ff_problems problems = {0};
    cJSON *settings = cJSON_Parse(text);

    assert_non_null(settings);
    ff_config_defaults(config);
    ff_config_apply(config, settings, "/config", &problems);
    cJSON_Delete(settings);
    return problems;
}

static const struct {
    const char *settings, *pointer, *detail;
} bad[] = {
    {"{\"learning_rate\": -1}", "/config/learning_rate", "must be greater than 0 and at most 10, got -1"},
    {"{\"learning_rate\": 0}", "/config/learning_rate", "must be greater than 0 and at most 10, got 0"},
    {"{\"learning_rate\": [0.1, 11]}", "/config/learning_rate/1", "must be greater than 0 and at most 10, got 11"},
    {"{\"learning_rate\": \"fast\"}", "/config/learning_rate", "must be a number, got a string"},
    {"{\"learning_rate\": []}", "/config/learning_rate", "must be a number, or an array of one a layer"},
    {"{\"learning_rat\": 1}", "/config/learning_rat",
     "unknown setting; did you mean \"learning_rate\"?; GET /api/v1/config lists all"},
    {"{\"zzzzzzzzzz\": 1}", "/config/zzzzzzzzzz", "unknown setting; GET /api/v1/config lists all"},
    {"{\"a/b~\": 1}", "/config/a~1b~0", "unknown setting; GET /api/v1/config lists all"},
    {"{\"Epochs\": 1}", "/config/Epochs",
     "unknown setting; did you mean \"epochs\"?; GET /api/v1/config lists all"},
    {"{\"epochs\": 1.5}", "/config/epochs", "must be a whole number, got 1.5"},
    {"{\"epochs\": null}", "/config/epochs", "must be a whole number, got null"},
    {"{\"epochs\": -3}", "/config/epochs", "must be a whole number at least 0 and at most 1000000, got -3"},
    {"{\"seed\": 9007199254740992}", "/config/seed",
     "must be a whole number at least 0 and at most 9007199254740991, got 9007199254740992"},
    {"{\"shuffle\": 1}", "/config/shuffle", "must be true or false, got a number"},
    {"{\"activation\": \"rellu\"}", "/config/activation",
     "must be \"relu\" or \"tanh\", got \"rellu\"; did you mean \"relu\"?"},
    {"{\"activation\": 3}", "/config/activation", "must be \"relu\" or \"tanh\", got a number"},
    {"{\"layers\": []}", "/config/layers", "must be an array of 1 to 32 layers, bottom up, such as [500, 500]"},
    {"{\"layers\": 500}", "/config/layers", "must be an array of 1 to 32 layers, bottom up, such as [500, 500]"},
    {"{\"layers\": [500, 0]}", "/config/layers/1", "must be a whole number at least 1 and at most 65536, got 0"},
    {"{\"layers\": [{\"kind\": \"conv\", \"kernel\": 3}]}", "/config/layers/0/channels",
     "is missing: units that look everywhere"},
    {"{\"layers\": [{\"kind\": \"conv\", \"channels\": 8}]}", "/config/layers/0/kernel",
     "is missing: pixels a side that a unit sees"},
    {"{\"layers\": [{\"channels\": 8, \"kernel\": 3}]}", "/config/layers/0/kind",
     "is missing: a layer is a number of units, or an object of kind \"conv\""},
    {"{\"layers\": [5, {\"kind\": 3}]}", "/config/layers/1/kind",
     "must be \"conv\", got a number; a dense layer is a number of units"},
    {"{\"layers\": [{\"kind\": \"conv\", \"channels\": 8, \"kernel\": 0}]}", "/config/layers/0/kernel",
     "must be a whole number at least 1 and at most 64, got 0"},
    {"{\"layers\": [{\"kind\": \"conv\", \"channels\": 8, \"kernel\": 3, \"strid\": 2}]}", "/config/layers/0/strid",
     "unknown part of a convolution; did you mean \"stride\"?"},
    {"{\"layers\": [{\"kind\": \"conv\", \"channels\": 8, \"kernel\": 3, \"pool\": 2}]}", "/config/layers/0/pool",
     "must be true or false, got a number"},
    {"{\"layers\": [\"conv\"]}", "/config/layers/0", "must be a whole number, got a string"},
    {"{\"dataset\": \"\"}", "/config/dataset", "must be a name of 1 to 63 bytes"},
    {"{\"dataset\": 1}", "/config/dataset", "must be a string, got a number"},
    {"{\"dropout\": {\"pixels\": 2}}", "/config/dropout/pixels", "must be at least 0 and at most 0.95, got 2"},
    {"{\"dropout\": 0.2}", "/config/dropout", "must be an object, got a number"},
    {"{\"augment\": {\"rotat\": 1}}", "/config/augment/rotat", "unknown part of augment; did you mean \"rotate\"?"},
};

static void each_mistake_has_its_sentence(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct ff_config config, defaults;
        struct ff_problems problems = apply(bad[i].settings, &config);

        assert_int_equal(problems.count, 1);
        assert_string_equal(problems.problem[0].pointer, bad[i].pointer);
        assert_string_equal(problems.problem[0].detail, bad[i].detail);
        ff_config_defaults(&defaults);
        assert_memory_equal(&config, &defaults, sizeof config);
    }
}

static void all_mistakes_are_told_at_once(void **state)
{
    struct ff_config config;
    struct ff_problems problems = apply(
        "{\"epochs\": -1, \"batch_size\": 7, \"nonsense\": 1, \"rule\": \"pair\", \"layers\": [0, 0]}", &config);

    (void)state;
    assert_int_equal(problems.count, 5);
    assert_int_equal(config.batch_size, 7); /* what is right is taken */
}

static void more_mistakes_than_there_is_room_for_are_cut(void **state)
{
    char text[4000] = "{", *at = text + 1;
    struct ff_config config;

    (void)state;
    for (int i = 0; i < 100; i++)
        at += sprintf(at, "%s\"unknown%d\": 1", i ? ", " : "", i);
    strcpy(at, "}");
    assert_int_equal(apply(text, &config).count, FF_PROBLEMS_MAX);
}

static void what_is_written_reads_back_the_same(void **state)
{
    struct ff_config config, again;
    struct ff_problems problems =
        apply("{\"layers\": [{\"kind\": \"conv\", \"channels\": 7, \"kernel\": 4, \"stride\": 2,"
              "\"padding\": 1, \"pool\": true}, 9, 11], \"learning_rate\": [0.1, 0.2, 0.3], \"seed\": "
              "9007199254740991, \"activation\": \"tanh\", \"input_scale\": 0.1,"
              " \"temperature\": 0.30000000000000004, \"shuffle\": false}",
              &config);
    cJSON *json = ff_config_to_json(&config), *parsed;
    char *text = cJSON_PrintUnformatted(json);

    (void)state;
    assert_int_equal(problems.count, 0);
    parsed = cJSON_Parse(text);
    ff_config_defaults(&again);
    assert_true(ff_config_apply(&again, parsed, "", &problems));
    assert_memory_equal(&config, &again, sizeof config);
    free(text);
    cJSON_Delete(json);
    cJSON_Delete(parsed);
}

/* Every name of the contract, in its order of meaning. */
static const char *const names[] = {"dataset",
                                    "train_limit",
                                    "test_limit",
                                    "validation",
                                    "evaluate_on",
                                    "shuffle",
                                    "seed",
                                    "epochs",
                                    "batch_size",
                                    "input",
                                    "input_scale",
                                    "layers",
                                    "activation",
                                    "init",
                                    "init_gain",
                                    "bias",
                                    "rule",
                                    "objective",
                                    "goodness",
                                    "threshold",
                                    "temperature",
                                    "alpha",
                                    "normalize",
                                    "batch_normalization",
                                    "label",
                                    "label_scale",
                                    "negatives",
                                    "negative_hardness",
                                    "label_smoothing",
                                    "forward_after_update",
                                    "optimizer",
                                    "learning_rate",
                                    "momentum",
                                    "beta2",
                                    "weight_decay",
                                    "schedule",
                                    "warmup",
                                    "dropout",
                                    "augment",
                                    "peer_normalization",
                                    "average",
                                    "predict",
                                    "predict_from",
                                    "readout",
                                    "readout_from",
                                    "readout_learning_rate",
                                    "evaluate_every",
                                    "evaluate_samples",
                                    "train_error_samples"};

static void the_schema_tells_every_setting(void **state)
{
    cJSON *schema = ff_config_schema(), *properties = cJSON_GetObjectItemCaseSensitive(schema, "properties");

    (void)state;
    assert_int_equal(cJSON_GetArraySize(properties), sizeof names / sizeof names[0]);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const cJSON *property = cJSON_GetObjectItemCaseSensitive(properties, names[i]);

        if (property == NULL)
            fail_msg("%s is not in the schema", names[i]);
        assert_true(cJSON_IsString(cJSON_GetObjectItemCaseSensitive(property, "description")));
        assert_true(cJSON_IsString(cJSON_GetObjectItemCaseSensitive(property, "x-group")));
        assert_true(cJSON_IsBool(cJSON_GetObjectItemCaseSensitive(property, "x-live")));
        assert_non_null(cJSON_GetObjectItemCaseSensitive(property, "default"));
    }
    cJSON_Delete(schema);
}

static void check(const char *text, const struct ff_dataset *dataset, const char *pointer)
{
    struct ff_config config;
    struct ff_problems problems = apply(text, &config);

    assert_int_equal(problems.count, 0);
    ff_config_check(&config, dataset, "/config", &problems);
    if (pointer == NULL) {
        assert_int_equal(problems.count, 0);
        return;
    }
    assert_int_equal(problems.count, 1);
    assert_string_equal(problems.problem[0].pointer, pointer);
}

static void fields_that_do_not_fit_each_other_are_refused(void **state)
{
    struct ff_dataset dataset = {.shape = {1, 3, 3}, .classes = 4, .train = {.count = 20}, .test = {.count = 5}};

    (void)state;
    check("{}", &dataset, NULL);
    check("{\"layers\": [5, 5], \"learning_rate\": [1, 1, 1]}", NULL, "/config/learning_rate");
    check("{\"layers\": [5, 5, 5], \"learning_rate\": [1, 1, 1]}", NULL, NULL);
    check("{\"layers\": [5], \"predict_from\": 1}", NULL, "/config/predict_from");
    check("{\"evaluate_on\": \"validation\"}", NULL, "/config/evaluate_on");
    check("{\"evaluate_on\": \"validation\", \"validation\": 5}", &dataset, NULL);
    check("{\"validation\": 20}", &dataset, "/config/validation");
    check("{\"validation\": 10, \"train_limit\": 10}", &dataset, "/config/validation");
    check("{\"predict\": \"readout\"}", NULL, "/config/predict");
    check("{\"predict\": \"readout\", \"readout\": \"softmax\"}", NULL, NULL);
    check("{\"layers\": [5], \"readout\": \"softmax\"}", NULL, "/config/readout_from");
    check("{\"layers\": [5], \"readout\": \"softmax\", \"readout_from\": 0}", NULL, NULL);
    check("{\"rule\": \"unsupervised\", \"readout\": \"softmax\"}", NULL, "/config/predict");
    check("{\"rule\": \"unsupervised\", \"readout\": \"softmax\", \"predict\": \"readout\", \"validation\": 18}",
          &dataset, NULL);
    check("{\"rule\": \"unsupervised\", \"readout\": \"softmax\", \"predict\": \"readout\", \"validation\": 19}",
          &dataset, "/config/rule");
    check("{\"rule\": \"backprop\", \"normalize\": \"none\", \"layers\": [7, 4]}", &dataset, NULL);
    check("{\"rule\": \"backprop\", \"normalize\": \"none\", \"layers\": [7, 7]}", &dataset, "/config/layers/1");
    check("{\"rule\": \"backprop\"}", NULL, "/config/normalize");
    check("{\"rule\": \"backprop\", \"normalize\": \"none\", \"dropout\": {\"units\": 0.1}}", NULL,
          "/config/dropout/units");
    check("{\"label\": \"overlay\"}", &dataset, NULL);
    check("{\"batch_normalization\": true, \"negatives\": \"random\"}", &dataset, NULL);
    check("{\"batch_normalization\": true}", &dataset, "/config/negatives");
    check("{\"batch_normalization\": true, \"negatives\": \"random\", \"batch_size\": 1}", &dataset,
          "/config/batch_size");
    check("{\"batch_normalization\": true, \"negatives\": \"random\", \"forward_after_update\": true}", &dataset,
          "/config/forward_after_update");
    check("{\"batch_normalization\": true, \"negatives\": \"random\", \"peer_normalization\": 0.1}", &dataset,
          "/config/peer_normalization");
    dataset.classes = 9;
    check("{\"label\": \"overlay\"}", &dataset, "/config/label");
}

#define CONV "{\"kind\": \"conv\", \"channels\": 8, \"kernel\": 3"
#define GROUPS ", \"rule\": \"class_groups\""

static void convolutions_that_do_not_fit_are_refused(void **state)
{
    struct ff_dataset dataset = {.shape = {1, 9, 8}, .classes = 4, .train = {.count = 20}, .test = {.count = 5}};

    (void)state;
    check("{\"layers\": [" CONV ", \"padding\": 1, \"pool\": true}, " CONV "}, 8]" GROUPS "}", &dataset, NULL);
    check("{\"layers\": [" CONV ", \"pool\": true}, " CONV "}, " CONV "}]" GROUPS "}", &dataset,
          "/config/layers/2/kernel");
    check("{\"layers\": [" CONV "}, " CONV ", \"stride\": 4, \"pool\": true}]" GROUPS "}", &dataset,
          "/config/layers/1/pool");
    check("{\"layers\": [8, " CONV "}]" GROUPS "}", &dataset, "/config/layers/1");
    check("{\"layers\": [{\"kind\": \"conv\", \"channels\": 65536, \"kernel\": 2}," CONV "}]" GROUPS "}", &dataset,
          NULL);
    check("{\"layers\": [{\"kind\": \"conv\", \"channels\": 65536, \"kernel\": 64, \"padding\": 63}]" GROUPS "}",
          &dataset, "/config/layers/0");
    check("{\"layers\": [" CONV ", \"padding\": 2}]" GROUPS "}", &dataset, NULL);
    check("{\"layers\": [" CONV ", \"padding\": 3}]" GROUPS "}", &dataset, "/config/layers/0/padding");
    check("{\"layers\": [" CONV "}, 6]" GROUPS "}", &dataset, "/config/layers/1");
    check("{\"layers\": [{\"kind\": \"conv\", \"channels\": 6, \"kernel\": 3}]" GROUPS "}", &dataset,
          "/config/layers/0/channels");
    check("{\"layers\": [" CONV "}], \"label\": \"overlay\", \"negatives\": \"random\"}", &dataset, NULL);
    check("{\"layers\": [" CONV "}], \"negatives\": \"random\"}", &dataset, "/config/label");
    check("{\"layers\": [" CONV "}], \"label\": \"overlay\"}", &dataset, "/config/negatives");
}

static void a_kernel_that_does_not_fit_is_told_what_is_there(void **state)
{
    struct ff_dataset dataset = {.shape = {1, 9, 8}, .classes = 4, .train = {.count = 20}, .test = {.count = 5}};
    struct ff_config config;
    struct ff_problems problems = apply("{\"layers\": [" CONV ", \"stride\": 4}, " CONV "}]" GROUPS "}", &config);

    (void)state;
    assert_false(ff_config_check(&config, &dataset, "", &problems));
    assert_string_equal(problems.problem[0].pointer, "/layers/1/kernel");
    assert_string_equal(problems.problem[0].detail,
                        "must fit into what enters this layer, 2 x 2 with 0 of padding around it, got 3; pool or "
                        "stride less below it");
}

static void every_preset_is_good(void **state)
{
    size_t count;
    const struct ff_preset *presets = ff_presets(&count);
    struct ff_dataset mnist = {
        .shape = {1, 28, 28}, .classes = 10, .train = {.count = 60000}, .test = {.count = 10000}};

    (void)state;
    for (size_t i = 0; i < count; i++) {
        struct ff_config config, direct;
        struct ff_problems problems = apply(presets[i].settings, &config);

        ff_config_check(&config, &mnist, "", &problems);
        if (problems.count > 0)
            fail_msg("%s: %s %s", presets[i].name, problems.problem[0].pointer, problems.problem[0].detail);
        ff_preset_config(ff_preset_find(presets[i].name), &direct);
        assert_memory_equal(&config, &direct, sizeof config);
    }
    assert_null(ff_preset_find("nothing of that name"));
}

static void the_originals_presets_are_the_originals(void **state)
{
    static const uint32_t units[] = {500, 300, 10};
    struct ff_config config;

    (void)state;
    ff_preset_config(ff_preset_find("original-small"), &config);
    assert_int_equal(config.layer_count, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(config.layers[i].units, units[i]);
    assert_true(config.learning_rate.count == 1 && config.learning_rate.value[0] == 0.004);
    assert_int_equal(config.train_limit, 1000);
    assert_int_equal(config.test_limit, 1000);
    assert_int_equal(config.epochs, 10);
    assert_int_equal(config.batch_size, 1);
    assert_false(config.shuffle);
    assert_int_equal(config.activation, FF_TANH);
    assert_int_equal(config.objective, FF_GAP);
    assert_int_equal(config.goodness, FF_GOODNESS_SUM);
}

static void a_mistyped_name_finds_its_neighbour(void **state)
{
    static const char *const known[] = {"hinton", "original-small", "pairs-plain", NULL};

    (void)state;
    assert_string_equal(ff_nearest_name("hintn", known), "hinton");
    assert_string_equal(ff_nearest_name("original-smal", known), "original-small");
    assert_null(ff_nearest_name("something else entirely", known));
    assert_null(ff_nearest_name("", known));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_mistake_has_its_sentence),
        cmocka_unit_test(all_mistakes_are_told_at_once),
        cmocka_unit_test(more_mistakes_than_there_is_room_for_are_cut),
        cmocka_unit_test(what_is_written_reads_back_the_same),
        cmocka_unit_test(the_schema_tells_every_setting),
        cmocka_unit_test(fields_that_do_not_fit_each_other_are_refused),
        cmocka_unit_test(convolutions_that_do_not_fit_are_refused),
        cmocka_unit_test(a_kernel_that_does_not_fit_is_told_what_is_there),
        cmocka_unit_test(every_preset_is_good),
        cmocka_unit_test(the_originals_presets_are_the_originals),
        cmocka_unit_test(a_mistyped_name_finds_its_neighbour),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
