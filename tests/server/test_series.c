/* Downsampling: nothing that was high or low is lost, means stay means. */
#include "../cmocka_all.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "series.h"

/* A point whose figures are told by its step. */
static struct ff_point point_at(uint64_t step, float value)
{
    struct ff_point point = {.step = step, .epoch = (double)step / 100, .elapsed = (double)step / 10, .layers = 2};

    for (uint32_t i = 0; i < 2; i++)
        point.layer[i] = (struct ff_layer_figures){.positive = value,
                                                   .negative = -value,
                                                   .positive_low = value - 1,
                                                   .positive_high = value + 1,
                                                   .negative_low = -value - 1,
                                                   .negative_high = -value + 1,
                                                   .loss = (float)i,
                                                   .accuracy = 0.5f};
    return point;
}

static cJSON *to_json(const struct series *series, const bool *chosen)
{
    struct text text;
    size_t length;
    char *bytes;
    cJSON *json;

    text_open(&text);
    series_write_json(series, chosen, &text);
    bytes = text_close(&text, &length);
    assert_non_null(bytes);
    assert_int_equal(bytes[length - 1], '\n');
    json = cJSON_Parse(bytes);
    assert_non_null(json);
    free(bytes);
    return json;
}

static double figure(const cJSON *json, int layer, const char *column, int row)
{
    const cJSON *object = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(json, "layers"), layer);

    return cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(object, column), row)->valuedouble;
}

static double axis(const cJSON *json, const char *name, int row)
{
    return cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(json, name), row)->valuedouble;
}

static void few_points_come_as_they_are(void **state)
{
    struct series *series = series_create(3, 3, 0, 2);
    cJSON *json;

    (void)state;
    for (uint64_t i = 1; i <= 3; i++) {
        struct ff_point point = point_at(i * 25, 0.1f * (float)i);

        assert_true(series_add(series, &point));
    }
    json = to_json(series, NULL);
    assert_false(series_is_downsampled(series));
    assert_true(cJSON_IsFalse(cJSON_GetObjectItemCaseSensitive(json, "downsampled")));
    assert_true(cJSON_GetObjectItemCaseSensitive(json, "next")->valuedouble == 75);
    assert_true(axis(json, "steps", 2) == 75 && axis(json, "epochs", 2) == 0.75 && axis(json, "elapsed", 2) == 7.5);
    assert_true((float)figure(json, 1, "positive", 1) == 0.1f * 2); /* the same bits */
    assert_true((float)figure(json, 1, "loss", 1) == 1);
    cJSON_Delete(json);
    series_destroy(series);
}

static void buckets_weigh_means_by_steps_and_keep_extremes(void **state)
{
    static const uint64_t steps[] = {10, 20, 40, 50};
    static const float values[] = {1, 4, 7, 2};
    struct series *series = series_create(4, 2, 0, 2);
    cJSON *json;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        struct ff_point point = point_at(steps[i], values[i]);

        assert_true(series_add(series, &point));
    }
    json = to_json(series, NULL);
    assert_int_equal(series_rows(series), 2);
    assert_true(series_is_downsampled(series));
    assert_true(axis(json, "steps", 0) == 20 && axis(json, "steps", 1) == 50);
    assert_true(axis(json, "elapsed", 1) == 5);
    assert_true(figure(json, 0, "positive", 0) == 2.5);
    assert_true((float)figure(json, 0, "positive", 1) == (float)((7.0 * 20 + 2.0 * 10) / 30));
    assert_true(figure(json, 0, "positive_low", 0) == 0 && figure(json, 0, "positive_high", 0) == 5);
    assert_true(figure(json, 0, "negative_low", 1) == -8 && figure(json, 0, "negative_high", 1) == -1);
    cJSON_Delete(json);
    series_destroy(series);
}

static void weights_begin_after_the_step_asked_for(void **state)
{
    struct series *series = series_create(2, 1, 100, 2);
    struct ff_point first = point_at(110, 1), second = point_at(140, 5);
    cJSON *json;

    (void)state;
    assert_int_equal(series_next(series), 100);
    series_add(series, &first);
    series_add(series, &second);
    json = to_json(series, NULL);
    assert_true(figure(json, 0, "positive", 0) == (1 * 10 + 5 * 30) / 40.0);
    cJSON_Delete(json);
    series_destroy(series);
}

static void there_are_never_more_rows_than_asked_for(void **state)
{
    (void)state;
    for (size_t points = 1; points <= 40; points++) {
        for (size_t most = 1; most <= 41; most++) {
            struct series *series = series_create(points, most, 0, 2);

            for (size_t i = 0; i < points; i++) {
                struct ff_point point = point_at(i + 1, 1);

                assert_true(series_add(series, &point));
                assert_true(series_rows(series) <= most);
            }
            assert_int_equal(series_next(series), points);
            assert_int_equal(series_is_downsampled(series), points > most);
            series_destroy(series);
        }
    }
}

static void points_beyond_those_expected_are_left_for_the_next_time(void **state)
{
    struct series *series = series_create(1, 10, 0, 2);
    struct ff_point first = point_at(10, 1), second = point_at(20, 2);

    (void)state;
    assert_true(series_add(series, &first));
    assert_false(series_add(series, &second));
    assert_int_equal(series_next(series), 10);
    series_destroy(series);
}

static void figures_that_are_not_finite_are_left_out_or_null(void **state)
{
    struct series *series = series_create(4, 2, 0, 2);
    cJSON *json;

    (void)state;
    for (uint64_t i = 1; i <= 4; i++) {
        struct ff_point point = point_at(i, 3);

        if (i != 1)
            point.layer[0].positive = point.layer[0].positive_low = NAN;
        if (i > 2)
            point.layer[0].positive_high = INFINITY;
        series_add(series, &point);
    }
    json = to_json(series, NULL);
    assert_true(figure(json, 0, "positive", 0) == 3 && figure(json, 0, "positive_low", 0) == 2);
    assert_true(cJSON_IsNull(
        cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(
                               cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(json, "layers"), 0), "positive"),
                           1)));
    assert_true(cJSON_IsNull(cJSON_GetArrayItem(
        cJSON_GetObjectItemCaseSensitive(cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(json, "layers"), 0),
                                         "positive_high"),
        1)));
    assert_true(figure(json, 1, "positive", 1) == 3);
    cJSON_Delete(json);
    series_destroy(series);
}

static void an_empty_series_has_its_columns(void **state)
{
    struct series *series = series_create(0, 1000, 50, 3);
    cJSON *json = to_json(series, NULL);

    (void)state;
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(json, "layers")), 3);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(json, "steps")), 0);
    assert_true(cJSON_GetObjectItemCaseSensitive(json, "next")->valuedouble == 50);
    cJSON_Delete(json);
    series_destroy(series);
}

static void csv_has_a_row_a_point_and_the_chosen_layers(void **state)
{
    static const bool chosen[FF_LAYERS_MAX] = {false, true};
    static const char expected[] =
        "step,epoch,elapsed,layer1_positive,layer1_negative,layer1_positive_low,layer1_positive_high,"
        "layer1_negative_low,layer1_negative_high,layer1_loss,layer1_accuracy\n"
        "10,0.1,1,2,-2,1,3,-3,-1,1,0.5\n"
        "20,0.2,2,,-4,3,5,-5,-3,1,0.5\n";
    struct series *series = series_create(2, 10, 0, 2);
    struct ff_point first = point_at(10, 2), second = point_at(20, 4);
    struct text text;
    size_t length;
    char *bytes;

    (void)state;
    second.layer[1].positive = NAN;
    series_add(series, &first);
    series_add(series, &second);
    text_open(&text);
    series_write_csv(series, chosen, &text);
    bytes = text_close(&text, &length);
    assert_string_equal(bytes, expected);
    assert_int_equal(length, strlen(expected));
    free(bytes);
    series_destroy(series);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_points_come_as_they_are),
        cmocka_unit_test(buckets_weigh_means_by_steps_and_keep_extremes),
        cmocka_unit_test(weights_begin_after_the_step_asked_for),
        cmocka_unit_test(there_are_never_more_rows_than_asked_for),
        cmocka_unit_test(points_beyond_those_expected_are_left_for_the_next_time),
        cmocka_unit_test(figures_that_are_not_finite_are_left_out_or_null),
        cmocka_unit_test(an_empty_series_has_its_columns),
        cmocka_unit_test(csv_has_a_row_a_point_and_the_chosen_layers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
