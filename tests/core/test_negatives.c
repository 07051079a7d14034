/* Wrong labels: drawn as the reference draws them, and never the true one. */
#include "cmocka_all.h"

#include <cblas.h>
#include <math.h>

#include "golden.h"
#include "negatives.h"
#include "random_config.h"
#include "source.h"
#include "stage.h"
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

/* All TRAIN messages of an epoch, through the first stage of random networks. */
static void a_negative_never_carries_the_true_label(void **state)
{
    struct ff_dataset *dataset = synthetic_dataset(103, 31, 6, 5);

    (void)state;
    for (uint32_t trial = 0; trial < 24; trial++) {
        struct ff_config config;
        struct ff_plan plan;
        struct ff_error error;
        uint32_t pairs = 0;

        random_config(&config, trial);
        ff_plan_make(&plan, &config, dataset);
        struct ff_source *source = ff_source_create(&plan, dataset, &error);
        struct ff_stage *stage = ff_stage_create(&plan, 0, plan.blocks, 1, &error);
        struct ff_pool *pool = ff_pool_create(&plan, 1, &error);
        struct ff_message *message = ff_pool_take(pool);

        while (ff_source_next(source, message)) {
            for (uint32_t image = 0; image < message->images; image++)
                ff_source_fill(source, message, image);
            ff_stage_handle(stage, message);
            for (uint32_t row = 0; message->kind == FF_TRAIN && row < message->rows; row++) {
                uint32_t truth = dataset->train.labels[message->sample[ff_message_image(message, row)]];

                assert_true(message->role[row] == FF_POSITIVE   ? message->label[row] == truth
                            : message->role[row] == FF_NEGATIVE ? message->label[row] != truth
                                                                : message->label[row] == FF_EVERY_LABEL);
                assert_true(message->label[row] < dataset->classes || message->label[row] == FF_EVERY_LABEL);
                pairs += message->role[row] == FF_NEGATIVE;
            }
        }
        assert_int_equal(pairs, plan.rows_per_image == 2 ? 103 * config.epochs : 0);
        ff_pool_return(pool, message);
        ff_pool_destroy(pool);
        ff_stage_destroy(stage);
        ff_source_destroy(source);
    }
    ff_dataset_destroy(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hard_negatives_are_drawn_as_the_reference_does),
        cmocka_unit_test(a_sure_or_broken_network_still_gives_a_wrong_label),
        cmocka_unit_test(a_negative_never_carries_the_true_label),
    };

    openblas_set_num_threads(1); /* as the program does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
