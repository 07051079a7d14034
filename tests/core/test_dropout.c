/* What is left out at random: how much, and that it depends on its place alone; and a layer's step with it against
 * a plain loop in double. */
#include "cmocka_all.h"

#include <math.h>
#include <string.h>

#include "dropout.h"
#include "one_stage.h"

enum { MANY = 40000 };

static void so_many_are_left_out_and_the_rest_is_kept(void **state)
{
    static float mask[MANY];

    (void)state;
    for (int percent = 0; percent <= 90; percent += 15) {
        const struct ff_dropout_place place = {11, FF_RANDOM_DROP_UNITS, 3, (uint64_t)percent};
        double share = percent / 100.0;
        int out = 0;

        ff_dropout_mask(&place, share, 2.5f, 0, MANY, mask);
        for (int i = 0; i < MANY; i++) {
            assert_true(mask[i] == 0 || mask[i] == 2.5f);
            out += mask[i] == 0;
        }
        assert_true(fabs((double)out / MANY - share) < 4 * sqrt(0.25 / MANY) + 1e-9);
    }
}

static void a_number_depends_on_its_place_alone(void **state)
{
    const struct ff_dropout_place place = {11, FF_RANDOM_DROP_INPUTS, 3, 5},
                                  other_row = {11, FF_RANDOM_DROP_INPUTS, 3, 6},
                                  other_step = {11, FF_RANDOM_DROP_INPUTS, 4, 5};
    float whole[96], part[96], row[96], step[96];

    (void)state;
    ff_dropout_mask(&place, 0.5, 1, 0, 96, whole);
    for (uint32_t first = 0; first < 96; first += 8) {
        ff_dropout_mask(&place, 0.5, 1, first, 96 - first, part);
        assert_memory_equal(part, whole + first, (96 - first) * sizeof *part);
    }
    ff_dropout_mask(&other_row, 0.5, 1, 0, 96, row);
    ff_dropout_mask(&other_step, 0.5, 1, 0, 96, step);
    assert_memory_not_equal(whole, row, sizeof whole);
    assert_memory_not_equal(whole, step, sizeof whole);
}

/* One pair through one layer of relu units with sgd: goodness, and the bias's step, which is minus the rate times
 * the sum of the deltas. */
static void the_goodness_counts_the_units_that_are_kept(void **state)
{
    enum { UNITS = 40, SIDE = 4 };
    struct ff_dataset images = {
        .shape = {1, SIDE, SIDE}, .classes = 3, .train = {.count = 2}, .test = {.count = 1}};
    struct ff_config config;
    struct one_stage one;
    float activities[2][UNITS], mask[UNITS], plain[2];
    double goodness[2] = {0};

    (void)state;
    ff_config_defaults(&config);
    config.layer_count = 1;
    config.layers[0].units = UNITS;
    config.negatives = FF_NEGATIVES_RANDOM;
    config.batch_size = 2; /* so that it is not the way of one pair */
    config.optimizer = FF_SGD;
    for (int dropped = 0; dropped < 2; dropped++) {
        struct ff_message *message;

        config.dropout.units = dropped ? 0.4 : 0;
        one_stage_make(&one, &config, &images, 0, 1, 1);
        message = one_stage_start(&one, 9, 1);
        one_stage_put(&one, 0, 0, 2);
        for (int i = 0; i < SIDE * SIDE; i++)
            message->x[i] = (float)(i % 5) / 4;
        ff_stage_handle(one.stage, message);
        if (!dropped) {
            memcpy(plain, message->goodness, sizeof plain);
            memcpy(activities, message->x, sizeof activities);
        } else {
            for (int row = 0; row < 2; row++)
                assert_true(fabs((double)message->goodness[row] - goodness[row]) < 1e-5 * goodness[row]);
        }
        /* What the next one is to count: the top layer's activities are not normalized. */
        ff_dropout_mask(&(struct ff_dropout_place){config.seed, FF_RANDOM_DROP_UNITS, 9, 0}, 0.4, (float)(1 / 0.6),
                        0, UNITS, mask);
        for (int row = 0; row < 2 && !dropped; row++) {
            for (int unit = 0; unit < UNITS; unit++)
                goodness[row] +=
                    (double)mask[unit] * (double)activities[row][unit] * (double)activities[row][unit] / UNITS;
            assert_true(fabs(goodness[row] - (double)plain[row]) > 1e-4); /* else nothing is shown */
        }
        one_stage_destroy(&one);
    }
}

/* Two rows that are alike enter a second layer: where they lacked different inputs, their goodnesses would differ.
 */
static void the_rows_of_an_image_lack_the_same_inputs(void **state)
{
    enum { UNITS = 40 };
    struct ff_dataset images = {.shape = {1, 4, 4}, .classes = 3, .train = {.count = 2}, .test = {.count = 1}};
    struct ff_config config;
    struct one_stage one;
    struct ff_message *message;

    (void)state;
    ff_config_defaults(&config);
    config.layer_count = 2;
    config.layers[0].units = config.layers[1].units = UNITS;
    config.batch_size = 2;
    config.dropout.inputs = 0.5;
    one_stage_make(&one, &config, &images, 1, 1, 1);
    message = one_stage_start(&one, 9, 2);
    for (uint32_t image = 0; image < 2; image++)
        one_stage_put(&one, image, image, 2);
    message->width = UNITS;
    for (int i = 0; i < 4 * UNITS; i++)
        message->x[i] = (float)(i % UNITS % 7) / 4;
    ff_stage_handle(one.stage, message);

    const float *goodness = ff_message_goodness(message, &one.plan, 1, 0);

    assert_true(goodness[0] > 0);
    assert_true(goodness[0] == goodness[1]);
    assert_true(goodness[2] == goodness[3]);
    assert_true(goodness[0] != goodness[2]); /* another image lacks others */
    one_stage_destroy(&one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(so_many_are_left_out_and_the_rest_is_kept),
        cmocka_unit_test(a_number_depends_on_its_place_alone),
        cmocka_unit_test(the_goodness_counts_the_units_that_are_kept),
        cmocka_unit_test(the_rows_of_an_image_lack_the_same_inputs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
