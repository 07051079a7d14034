/* The cases of the numpy reference, played through the program's own messages, stage and sink. */
#include "cmocka_all.h"

#include <cblas.h>

#include "golden.h"
#include "layer.h"
#include "optimizer.h"
#include "sink.h"
#include "stage.h"

enum { FIGURES_MAX = 1 << 14 };

/* A case's network in the program's terms. */
struct network {
    struct ff_plan plan;
    struct ff_dataset dataset;
    struct ff_stage *stage;
    struct ff_pool *pool;
    struct ff_message *message;
    uint32_t batch;
};

static void put_number(cJSON *settings, const char *name, const cJSON *spec, const char *from, double otherwise)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(spec, from);

    cJSON_AddNumberToObject(settings, name, value ? value->valuedouble : otherwise);
}

static void put_string(cJSON *settings, const char *name, const cJSON *spec, const char *otherwise)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(spec, name);

    cJSON_AddStringToObject(settings, name, value ? value->valuestring : otherwise);
}

/* The reference's spec as settings of a run. */
static void config_of(const cJSON *golden, uint32_t batch, struct ff_config *config)
{
    const cJSON *spec = golden_at(golden, "spec"), *sizes = golden_at(golden, "sizes");
    cJSON *settings = cJSON_CreateObject(), *layers = cJSON_AddArrayToObject(settings, "layers");
    const cJSON *kind = cJSON_GetObjectItemCaseSensitive(spec, "optimizer");
    struct ff_problems problems = {0};
    bool groups = strcmp(golden_at(spec, "objective")->valuestring, "class_groups") == 0;
    bool adam = kind != NULL && strcmp(kind->valuestring, "adam") == 0;

    for (int i = 1; i < cJSON_GetArraySize(sizes); i++)
        cJSON_AddItemToArray(layers, cJSON_CreateNumber(cJSON_GetArrayItem(sizes, i)->valuedouble));
    put_string(settings, "activation", spec, "");
    if (groups)
        cJSON_AddStringToObject(settings, "rule", "class_groups");
    else
        put_string(settings, "objective", spec, "");
    put_string(settings, "goodness", spec, "");
    put_string(settings, "optimizer", spec, "sgd");
    put_string(settings, "label", spec, "prepend");
    put_number(settings, "label_scale", spec, "label_scale", 1);
    put_number(settings, "threshold", spec, "threshold", 0);
    put_number(settings, "temperature", spec, "temperature", 0);
    put_number(settings, "alpha", spec, "alpha", 0);
    put_number(settings, "learning_rate", spec, "learning_rate", 0);
    put_number(settings, "weight_decay", spec, "weight_decay", 0);
    put_number(settings, "momentum", spec, adam ? "beta1" : "momentum", 0);
    put_number(settings, "beta2", spec, "beta2", 0.9);
    put_number(settings, "predict_from", spec, "first_predicting_layer", 0);
    cJSON_AddStringToObject(settings, "normalize", cJSON_IsTrue(golden_at(spec, "normalize")) ? "rms" : "none");
    cJSON_AddBoolToObject(settings, "forward_after_update", cJSON_IsTrue(golden_at(spec, "forward_after_update")));
    cJSON_AddStringToObject(settings, "negatives", "random"); /* the case says which */
    cJSON_AddStringToObject(settings, "schedule", "constant");
    cJSON_AddNumberToObject(settings, "warmup", 0);
    cJSON_AddNumberToObject(settings, "batch_size", batch);
    ff_config_defaults(config);
    ff_config_apply(config, settings, "", &problems);
    if (problems.count > 0)
        fail_msg("%s %s", problems.problem[0].pointer, problems.problem[0].detail);
    cJSON_Delete(settings);
}

static uint64_t tensor_size(const struct network *network, uint32_t layer, uint32_t tensor)
{
    struct ff_tensor_form form = ff_layer_tensor(&network->plan, layer, tensor);

    return (uint64_t)form.rows * form.columns;
}

/* SET, or GET, all of a tensor through a message. */
static void move_tensor(struct network *network, enum ff_kind kind, uint32_t layer, uint32_t tensor, uint64_t count)
{
    struct ff_message *message = network->message;

    ff_message_start(message, &network->plan, kind, FF_FOR_REQUEST);
    message->range = (struct ff_range){.layer = layer, .tensor = tensor, .count = count};
    assert_true(count <= network->plan.capacity);
    ff_stage_handle(network->stage, message);
}

static void set_tensor(struct network *network, uint32_t layer, uint32_t tensor, const cJSON *list)
{
    static double values[FIGURES_MAX];
    size_t count = golden_flatten(list, values, FIGURES_MAX);

    for (size_t i = 0; i < count; i++)
        network->message->x[i] = (float)values[i];
    assert_int_equal(count, tensor_size(network, layer, tensor));
    move_tensor(network, FF_SET, layer, tensor, count);
}

static void compare_tensor(struct network *network, uint32_t layer, uint32_t tensor, const cJSON *list,
                           double tolerance)
{
    char what[64];
    uint64_t count = tensor_size(network, layer, tensor);

    snprintf(what, sizeof what, "layer %u, tensor %u", layer, tensor);
    move_tensor(network, FF_GET, layer, tensor, count);
    golden_compare(what, network->message->x, count, list, tolerance);
}

static void make_network(struct network *network, const cJSON *golden)
{
    const cJSON *step = cJSON_GetArrayItem(golden_at(golden, "steps"), 0), *initial = golden_at(golden, "initial");
    const cJSON *images = golden_at(step, "images");
    struct ff_config config;
    struct ff_error error;

    memset(network, 0, sizeof *network);
    network->batch = (uint32_t)cJSON_GetArraySize(images);
    config_of(golden, network->batch, &config);
    network->dataset.shape = (struct ff_shape){1, 1, (uint32_t)cJSON_GetArraySize(cJSON_GetArrayItem(images, 0))};
    network->dataset.classes = (uint32_t)golden_number(golden, "classes");
    network->dataset.train.count = network->dataset.test.count = network->batch;
    ff_plan_make(&network->plan, &config, &network->dataset);
    network->stage = ff_stage_create(&network->plan, 0, network->plan.layers, 1, &error);
    network->pool = ff_pool_create(&network->plan, 1, &error);
    assert_non_null(network->stage);
    network->message = ff_pool_take(network->pool);
    for (uint32_t layer = 0; layer < network->plan.layers; layer++) {
        const cJSON *tensors = cJSON_GetArrayItem(initial, (int)layer);

        set_tensor(network, layer, 0, golden_at(tensors, "W"));
        set_tensor(network, layer, 1, golden_at(tensors, "b"));
    }
}

static void destroy_network(struct network *network)
{
    ff_pool_return(network->pool, network->message);
    ff_pool_destroy(network->pool);
    ff_stage_destroy(network->stage);
}

/* Put images into the message, each with `rows_per_image` rows still to be labelled. */
static void put_images(struct network *network, enum ff_kind kind, const cJSON *images, uint32_t rows_per_image)
{
    static double pixels[FIGURES_MAX];
    struct ff_message *message = network->message;
    size_t count = golden_flatten(images, pixels, FIGURES_MAX);

    message->kind = kind;
    message->failed_layer = -1;
    message->images = (uint32_t)cJSON_GetArraySize(images);
    message->rows_per_image = rows_per_image;
    message->rows = message->images * rows_per_image;
    message->width = network->plan.pixels;
    for (size_t i = 0; i < count; i++)
        message->x[i] = (float)pixels[i];
}

static void train_step(struct network *network, const cJSON *step, uint64_t number)
{
    struct ff_message *message = network->message;

    put_images(network, FF_TRAIN, golden_at(step, "images"), network->plan.rows_per_image);
    message->step = number;
    message->rate = 1;
    for (uint32_t i = 0; i < message->images; i++) {
        message->truth[i] = (uint16_t)cJSON_GetArrayItem(golden_at(step, "labels"), (int)i)->valueint;
        if (network->plan.groups > 1)
            continue;
        message->label[2 * i] = (uint16_t)cJSON_GetArrayItem(golden_at(step, "labels"), (int)i)->valueint;
        message->label[2 * i + 1] = (uint16_t)cJSON_GetArrayItem(golden_at(step, "wrong_labels"), (int)i)->valueint;
        message->role[2 * i] = FF_POSITIVE;
        message->role[2 * i + 1] = FF_NEGATIVE;
    }
    ff_stage_handle(network->stage, message);
    assert_int_equal(message->failed_layer, -1);
}

/* Goodness of the image's own group and the mean of the others' as the reference has them. */
static void split_groups(const float *goodness, uint32_t groups, uint32_t truth, float *positive, float *negative)
{
    float others = 0;

    for (uint32_t group = 0; group < groups; group++)
        others += group == truth ? 0 : goodness[group];
    *positive = goodness[truth];
    *negative = others / (float)(groups - 1);
}

/* A step's goodness of both kinds, and the mean of its losses, for every layer. */
static void compare_step(struct network *network, const cJSON *step, double tolerance)
{
    const struct ff_message *message = network->message;

    for (uint32_t layer = 0; layer < network->plan.layers; layer++) {
        const cJSON *wanted = cJSON_GetArrayItem(golden_at(step, "layers"), (int)layer);
        uint32_t groups = network->plan.groups;
        const float *goodness = message->goodness + (size_t)layer * network->plan.max_rows * groups;
        const cJSON *by_class = cJSON_GetObjectItemCaseSensitive(wanted, "goodness");
        float positive[64], negative[64];
        double losses[64], mean = 0, largest = 0;

        for (uint32_t i = 0; i < message->images; i++) {
            positive[i] = goodness[2 * i];
            negative[i] = goodness[2 * i + 1];
            if (groups > 1)
                split_groups(goodness + i * groups, groups, message->truth[i], &positive[i], &negative[i]);
        }
        if (by_class != NULL)
            golden_compare("goodness", goodness, message->images * groups, by_class, tolerance);
        golden_compare("pos", positive, message->images, golden_at(wanted, "pos"), tolerance);
        golden_compare("neg", negative, message->images, golden_at(wanted, "neg"), tolerance);
        assert_int_equal(golden_flatten(golden_at(wanted, "loss"), losses, 64), message->images);
        for (uint32_t i = 0; i < message->images; i++) {
            mean += losses[i] / message->images;
            largest = fmax(largest, fabs(losses[i]));
        }
        if (fabs(message->loss[layer] - mean) > tolerance * largest)
            fail_msg("loss of layer %u: got %.9g, wanted %.9g", layer, message->loss[layer], mean);
    }
}

static void compare_final(struct network *network, const cJSON *golden, double tolerance)
{
    const enum ff_optimizer_id optimizer = network->plan.config.optimizer;

    for (uint32_t layer = 0; layer < network->plan.layers; layer++) {
        const cJSON *wanted = cJSON_GetArrayItem(golden_at(golden, "final"), (int)layer);

        compare_tensor(network, layer, 0, golden_at(wanted, "W"), tolerance);
        compare_tensor(network, layer, 1, golden_at(wanted, "b"), tolerance);
        for (unsigned s = 0; s < ff_optimizer_states(optimizer); s++) {
            const cJSON *state = golden_at(wanted, "optimizer");
            const char *name = optimizer == FF_ADAM && s == 0 ? "m" : "v";

            compare_tensor(network, layer, 2 + 2 * s, golden_at(golden_at(state, "W"), name), tolerance);
            compare_tensor(network, layer, 3 + 2 * s, golden_at(golden_at(state, "b"), name), tolerance);
        }
    }
}

static void keep_evaluation(void *self, const struct ff_evaluation *evaluation)
{
    memcpy(self, evaluation->predicted, evaluation->count * sizeof *evaluation->predicted);
}

/* After training: every label's goodness in every layer, and the sink's prediction. */
static void compare_probe(struct network *network, const cJSON *golden, double tolerance)
{
    const cJSON *probe = golden_at(golden, "probe"), *wanted = golden_at(probe, "label_goodness"), *predicted;
    uint32_t classes = network->plan.classes;
    struct ff_message *message = network->message;
    uint16_t got[64] = {0};
    struct ff_observer observer = {.self = got, .evaluation = keep_evaluation};
    struct ff_plan plan = network->plan;
    struct ff_error error;
    struct ff_sink *sink;

    put_images(network, FF_FORWARD, golden_at(probe, "images"), network->plan.forward_rows);
    for (uint32_t row = 0; row < message->rows; row++)
        message->label[row] = (uint16_t)(row % classes);
    memset(message->truth, 0, message->images * sizeof *message->truth);
    ff_stage_handle(network->stage, message);
    for (uint32_t layer = 0; layer < network->plan.layers; layer++)
        golden_compare("label_goodness",
                       message->goodness + (size_t)layer * network->plan.max_rows * network->plan.groups,
                       message->images * classes, cJSON_GetArrayItem(wanted, (int)layer), tolerance);

    plan.judged_images = message->images;
    sink = ff_sink_create(&plan, &observer, &error);
    assert_non_null(sink);
    message->ticket = FF_FOR_JUDGING;
    message->last = true;
    ff_sink_start_clock(sink);
    assert_int_equal(ff_sink_handle(sink, message, &error), FF_OK);
    ff_sink_destroy(sink);
    predicted = golden_at(probe, "predicted");
    for (uint32_t i = 0; i < message->images; i++)
        assert_int_equal(got[i], cJSON_GetArrayItem(predicted, (int)i)->valueint);
}

static void play(const char *name, double tolerance)
{
    cJSON *golden = golden_load(name);
    struct network network;
    const cJSON *step;
    uint64_t number = 0;

    make_network(&network, golden);
    cJSON_ArrayForEach(step, golden_at(golden, "steps"))
    {
        train_step(&network, step, ++number);
        compare_step(&network, step, tolerance);
    }
    compare_final(&network, golden, tolerance);
    compare_probe(&network, golden, tolerance);
    destroy_network(&network);
    cJSON_Delete(golden);
}

static const struct {
    const char *name;
    double tolerance;
} cases[] = {
    {"original_per_sample", 1e-4}, {"original_batched", 1e-5}, {"logistic_relu_mean", 1e-5},
    {"logistic_relu_sum", 1e-5},   {"symba_relu_mean", 1e-5},  {"pairs_sgd_decay", 1e-5},
    {"pairs_momentum", 1e-5},      {"pairs_adam", 1e-5},       {"pairs_forward_after_update", 1e-5},
    {"class_groups_relu", 1e-4},   {"groups_sgd_decay", 1e-5}, {"groups_momentum", 1e-5},
    {"groups_adam", 1e-5},         {"label_overlay", 1e-5},    {"label_prepend_scaled", 1e-5},
};

static void play_case(void **state)
{
    size_t index = (size_t)(uintptr_t)*state;

    play(cases[index].name, cases[index].tolerance);
}

static void read_floats(const cJSON *list, float *values, size_t count)
{
    double wide[64];

    assert_int_equal(golden_flatten(list, wide, 64), count);
    for (size_t i = 0; i < count; i++)
        values[i] = (float)wide[i];
}

/* One of the optimizers' runs: five gradients, one tensor, what it is after each. */
static void play_tensor(const cJSON *run, const char *tensor, size_t count)
{
    const cJSON *spec = golden_at(run, "spec"), *gradients = golden_at(run, "gradients"),
                *after = golden_at(run, "after");
    const char *kind = golden_at(spec, "optimizer")->valuestring;
    enum ff_optimizer_id optimizer = strcmp(kind, "sgd") == 0    ? FF_SGD
                                     : strcmp(kind, "adam") == 0 ? FF_ADAM
                                                                 : FF_MOMENTUM;
    float w[64], g[64], first[64] = {0}, second[64] = {0}, *states[2] = {first, second};
    struct ff_config config;

    ff_config_defaults(&config);
    config.learning_rate = (struct ff_per_layer){1, {golden_number(spec, "learning_rate")}};
    config.weight_decay = golden_number(spec, "weight_decay");
    config.momentum = golden_number(spec, optimizer == FF_ADAM ? "beta1" : "momentum");
    config.beta2 = golden_number(spec, "beta2");
    read_floats(golden_at(golden_at(run, "initial"), tensor), w, count);
    for (int step = 0; step < cJSON_GetArraySize(gradients); step++) {
        struct ff_update update = ff_optimizer_update(&config, 0, 1, (uint64_t)step + 1);

        update.epsilon = (float)golden_number(spec, "adam_epsilon");
        if (tensor[0] == 'b')
            update.keep = 1;
        read_floats(golden_at(cJSON_GetArrayItem(gradients, step), tensor), g, count);
        ff_optimizer_apply(optimizer, ff_kernels(), &update, w, states, g, count);
        golden_compare(kind, w, count, golden_at(cJSON_GetArrayItem(after, step), tensor), 1e-6);
    }
}

static void optimizers_take_the_reference_steps(void **state)
{
    cJSON *golden = golden_load("optimizers");
    const cJSON *run;

    (void)state;
    cJSON_ArrayForEach(run, golden_at(golden, "runs"))
    {
        play_tensor(run, "W", 24);
        play_tensor(run, "b", 3);
    }
    cJSON_Delete(golden);
}

int main(void)
{
    enum { CASES = sizeof cases / sizeof cases[0] };
    struct CMUnitTest tests[CASES + 1] = {cmocka_unit_test(optimizers_take_the_reference_steps)};

    for (size_t i = 0; i < CASES; i++)
        tests[i + 1] = (struct CMUnitTest){cases[i].name, play_case, NULL, NULL, (void *)(uintptr_t)i};
    openblas_set_num_threads(1); /* as the program does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
