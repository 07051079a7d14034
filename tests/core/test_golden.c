/* The cases of the numpy reference, played through the program's own messages, stage and sink. */
#include "cmocka_all.h"

#include <cblas.h>

#include "golden_network.h"
#include "hybrid.h"
#include "optimizer.h"

static const struct {
    const char *name;
    double tolerance;
} cases[] = {
    {"original_per_sample", 1e-4},
    {"original_batched", 1e-5},
    {"logistic_relu_mean", 1e-5},
    {"logistic_relu_sum", 1e-5},
    {"symba_relu_mean", 1e-5},
    {"pairs_sgd_decay", 1e-5},
    {"pairs_momentum", 1e-5},
    {"pairs_adam", 1e-5},
    {"pairs_forward_after_update", 1e-5},
    {"class_groups_relu", 1e-4},
    {"groups_sgd_decay", 1e-5},
    {"groups_momentum", 1e-5},
    {"groups_adam", 1e-5},
    {"label_overlay", 1e-5},
    {"label_prepend_scaled", 1e-5},
    {"readout", 1e-5},
    {"unsupervised", 1e-5},
    {"peer_normalization", 1e-5},
    {"peer_normalization_strong", 1e-5},
    {"dropout_pairs", 1e-5},
    {"dropout_groups", 1e-5},
    {"all_together", 1e-4},
    {"conv_groups", 1e-5},
    {"conv_stride_momentum", 1e-5},
    {"conv_then_dense_adam", 1e-5},
    {"backprop_sgd", 1e-5},
    {"backprop_momentum", 1e-5},
    {"backprop_adam", 1e-5},
};

static void play_case(void **state)
{
    size_t index = (size_t)(uintptr_t)*state;

    golden_network_play(cases[index].name, cases[index].tolerance);
}

static void read_floats(const cJSON *list, float *values, size_t count)
{
    double wide[144];

    assert_int_equal(golden_flatten(list, wide, 144), count);
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

/* Bits, blurred, held against one half, and two images mixed by what comes out. */
static void play_hybrid(const cJSON *image)
{
    uint32_t height = (uint32_t)cJSON_GetArraySize(golden_at(image, "bits"));
    uint32_t width = (uint32_t)cJSON_GetArraySize(cJSON_GetArrayItem(golden_at(image, "bits"), 0));
    uint32_t times = (uint32_t)golden_number(image, "times");
    float bits[144], mask[144], one[144], other[144];
    size_t count = (size_t)height * width;

    read_floats(golden_at(image, "bits"), bits, count);
    read_floats(golden_at(image, "x1"), one, count);
    read_floats(golden_at(image, "x2"), other, count);
    memcpy(mask, bits, sizeof mask);
    ff_hybrid_blur(bits, height, width, times);
    golden_compare("blurred", bits, count, golden_at(image, "blurred"), 0);
    ff_hybrid_mask(mask, height, width, times);
    golden_compare("mask", mask, count, golden_at(image, "mask"), 0);
    ff_hybrid_mix((struct ff_shape){1, height, width}, mask, one, other);
    golden_compare("hybrid", other, count, golden_at(image, "hybrid"), 1e-6);
}

static void hybrid_images_are_mixed_as_the_reference_does(void **state)
{
    cJSON *golden = golden_load("hybrid_images");
    const cJSON *image;

    (void)state;
    cJSON_ArrayForEach(image, golden_at(golden, "images")) play_hybrid(image);
    cJSON_Delete(golden);
}

int main(void)
{
    enum { CASES = sizeof cases / sizeof cases[0] };
    struct CMUnitTest tests[CASES + 2] = {cmocka_unit_test(optimizers_take_the_reference_steps),
                                          cmocka_unit_test(hybrid_images_are_mixed_as_the_reference_does)};

    for (size_t i = 0; i < CASES; i++)
        tests[i + 2] = (struct CMUnitTest){cases[i].name, play_case, NULL, NULL, (void *)(uintptr_t)i};
    openblas_set_num_threads(1); /* as the program does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
