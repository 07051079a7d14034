/* Wrong labels: drawn as the reference draws them, and never the true one. */
#include "cmocka_all.h"

#include <cblas.h>
#include <math.h>

#include "golden.h"
#include "hybrid.h"
#include "negatives.h"
#include "one_stage.h"
#include "random_config.h"
#include "source.h"
#include "synthetic.h"

static void hard_negatives_are_drawn_as_the_reference_does(void **state)
{
    cJSON *golden = golden_load("hard_negatives");
    const cJSON *scores = golden_at(golden, "scores"), *labels = golden_at(golden, "labels"),
                *u = golden_at(golden, "u"), *negatives = golden_at(golden, "negatives");
    uint32_t classes = (uint32_t)golden_at(golden, "classes")->valueint;

    (void)state;
    for (int i = 0; i < cJSON_GetArraySize(labels); i++) {
        double row[16];

        assert_int_equal(golden_flatten(cJSON_GetArrayItem(scores, i), row, 16), classes);
        assert_int_equal(ff_hard_negative(row, classes, (uint32_t)cJSON_GetArrayItem(labels, i)->valueint,
                                          cJSON_GetArrayItem(u, i)->valuedouble),
                         cJSON_GetArrayItem(negatives, i)->valueint);
    }
    cJSON_Delete(golden);
}

static void a_sure_or_broken_network_still_gives_a_wrong_label(void **state)
{
    static const double sure[4] = {-1e308, 700, 5e5, -3}, broken[4] = {NAN, 1, NAN, INFINITY};

    (void)state;
    for (uint32_t truth = 0; truth < 4; truth++) {
        for (int i = 0; i < 100; i++) {
            uint32_t a = ff_hard_negative(sure, 4, truth, i / 100.0),
                     b = ff_hard_negative(broken, 4, truth, i / 100.0);

            assert_true(a < 4 && a != truth && b < 4 && b != truth);
        }
    }
}

static void a_hybrid_is_of_two_images_and_of_every_pair_of_them(void **state)
{
    enum { IMAGES = 5 };
    uint32_t seen[IMAGES][IMAGES] = {0};

    (void)state;
    for (uint32_t epoch = 1; epoch <= 200; epoch++) {
        for (uint32_t image = 0; image < IMAGES; image++) {
            uint32_t partner = ff_hybrid_partner(3, epoch, image, IMAGES);

            assert_true(partner < IMAGES && partner != image);
            seen[image][partner]++;
        }
    }
    for (uint32_t i = 0; i < IMAGES * IMAGES; i++)
        assert_true(seen[i / IMAGES][i % IMAGES] > 20 || i / IMAGES == i % IMAGES);
    assert_int_equal(ff_hybrid_partner(3, 1, 0, 2), 1);
    assert_int_equal(ff_hybrid_partner(3, 1, 1, 2), 0);
}

/* All pixels of a hybrid are those of one of its two images. */
static void hybrids_of_the_source_take_patches_of_both_images(void **state)
{
    struct ff_dataset *dataset = synthetic_dataset(40, 5, 12, 3);
    uint32_t from_image = 0, from_other = 0;
    struct ff_config config;
    struct ff_plan plan;
    struct ff_error error;

    (void)state;
    ff_config_defaults(&config);
    config.rule = FF_UNSUPERVISED;
    config.readout = FF_READOUT_SOFTMAX;
    config.predict = FF_PREDICT_READOUT;
    config.input_scale = 255;
    config.batch_size = 7;
    ff_plan_make(&plan, &config, dataset);
    struct ff_source *source = ff_source_create(&plan, dataset, &error);
    struct ff_pool *pool = ff_pool_create(&plan, 1, &error);
    struct ff_message *message = ff_pool_take(pool);

    assert_true(ff_source_next(source, message));
    for (uint32_t image = 0; image < message->images; image++) {
        const uint8_t *bytes = dataset->train.pixels + message->sample[image] * plan.pixels;
        const uint8_t *other =
            dataset->train.pixels +
            ff_hybrid_partner(config.seed, 1, message->sample[image], plan.train_images) * plan.pixels;

        ff_source_fill(source, message, image);
        for (uint32_t i = 0; i < plan.pixels; i++) {
            float x = message->x[2 * image * plan.pixels + i],
                  hybrid = message->x[(2 * image + 1) * plan.pixels + i];

            assert_true(fabsf(x - bytes[i]) < 0.01f);
            assert_true(fabsf(hybrid - bytes[i]) < 0.01f || fabsf(hybrid - other[i]) < 0.01f);
            from_image += bytes[i] != other[i] && fabsf(hybrid - bytes[i]) < 0.01f;
            from_other += bytes[i] != other[i] && fabsf(hybrid - other[i]) < 0.01f;
        }
    }
    assert_true(from_image > 100 && from_other > 100);
    ff_pool_return(pool, message);
    ff_pool_destroy(pool);
    ff_source_destroy(source);
    ff_dataset_destroy(dataset);
}

/* All TRAIN messages of an epoch, through the first stage of random networks. */
static void a_negative_never_carries_the_true_label(void **state)
{
    struct ff_dataset *dataset = synthetic_dataset(103, 31, 6, 5);

    (void)state;
    for (uint32_t trial = 0; trial < 24; trial++) {
        uint32_t pairs = 0, readout;
        struct ff_config config;
        struct one_stage one;
        struct ff_error error;

        random_config(&config, trial);
        readout = config.readout != FF_READOUT_NONE;
        one_stage_make(&one, &config, dataset, 0, config.layer_count + readout, 1);
        struct ff_source *source = ff_source_create(&one.plan, dataset, &error);
        struct ff_message *message = one.message;

        while (ff_source_next(source, message)) {
            for (uint32_t image = 0; image < message->images; image++)
                ff_source_fill(source, message, image);
            ff_stage_handle(one.stage, message);
            for (uint32_t row = 0; message->kind == FF_TRAIN && row < message->rows; row++) {
                uint32_t truth = dataset->train.labels[message->sample[ff_message_image(message, row)]];

                assert_true(message->role[row] == FF_POSITIVE   ? message->label[row] == truth
                            : message->role[row] == FF_NEGATIVE ? message->label[row] != truth
                                                                : message->label[row] == FF_EVERY_LABEL);
                assert_true(message->label[row] < dataset->classes || message->label[row] == FF_EVERY_LABEL);
                pairs += message->role[row] == FF_NEGATIVE;
            }
        }
        assert_int_equal(pairs, one.plan.rows_per_image == 2 ? 103 * config.epochs : 0);
        one_stage_destroy(&one);
        ff_source_destroy(source);
    }
    ff_dataset_destroy(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hard_negatives_are_drawn_as_the_reference_does),
        cmocka_unit_test(a_sure_or_broken_network_still_gives_a_wrong_label),
        cmocka_unit_test(a_hybrid_is_of_two_images_and_of_every_pair_of_them),
        cmocka_unit_test(hybrids_of_the_source_take_patches_of_both_images),
        cmocka_unit_test(a_negative_never_carries_the_true_label),
    };

    openblas_set_num_threads(1); /* as the program does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
