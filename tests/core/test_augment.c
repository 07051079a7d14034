/* Images changed afresh every epoch: what every change does, and that it depends on its place alone. */
#include "cmocka_all.h"

#include <math.h>
#include <string.h>

#include "augment.h"

enum { SIDE = 28, PIXELS = SIDE * SIDE };

/* One bright pixel in every third row and column. */
static void fill_image(uint8_t *bytes, uint32_t pixels)
{
    for (uint32_t i = 0; i < pixels; i++)
        bytes[i] = (uint8_t)(i % SIDE % 3 == 0 && i / SIDE % 3 == 0 ? 200 : i % 7);
}

static struct ff_augmenter *create(struct ff_augment settings, struct ff_shape shape)
{
    struct ff_error error;
    struct ff_augmenter *augmenter = ff_augmenter_create(&settings, shape, 7, &error);

    assert_non_null(augmenter);
    return augmenter;
}

static const struct ff_shape square = {1, SIDE, SIDE};

static void without_changes_nothing_changes(void **state)
{
    static const struct ff_augment none;
    struct ff_augmenter *augmenter = create((struct ff_augment){.flip = false}, square);
    uint8_t bytes[PIXELS];
    float values[PIXELS];

    (void)state;
    assert_false(ff_augments(&none));
    fill_image(bytes, PIXELS);
    ff_augment_image(augmenter, 3, 5, bytes, values);
    for (int i = 0; i < PIXELS; i++)
        assert_true(values[i] == bytes[i]);
    ff_augmenter_destroy(augmenter);
}

/* How far the image was moved, when it was moved by whole pixels alone. */
static bool is_moved(const uint8_t *bytes, const float *values, int dx, int dy)
{
    for (int y = 0; y < SIDE; y++) {
        for (int x = 0; x < SIDE; x++) {
            int from_x = x - dx, from_y = y - dy;
            bool inside = from_x >= 0 && from_x < SIDE && from_y >= 0 && from_y < SIDE;

            if (values[y * SIDE + x] != (inside ? bytes[from_y * SIDE + from_x] : 0))
                return false;
        }
    }
    return true;
}

static void a_shift_is_whole_and_every_shift_comes(void **state)
{
    struct ff_augmenter *augmenter = create((struct ff_augment){.shift = 2}, square);
    uint8_t bytes[PIXELS];
    float values[PIXELS];
    int seen[5][5] = {{0}}, all = 0;

    (void)state;
    fill_image(bytes, PIXELS);
    for (uint32_t image = 0; image < 1000; image++) {
        bool found = false;

        ff_augment_image(augmenter, 1, image, bytes, values);
        for (int i = 0; i < 25 && !found; i++) {
            found = is_moved(bytes, values, i % 5 - 2, i / 5 - 2);
            seen[i / 5][i % 5] += found;
        }
        assert_true(found);
    }
    for (int i = 0; i < 25; i++)
        all += seen[i / 5][i % 5] > 15; /* 40 are expected */
    assert_int_equal(all, 25);
    ff_augmenter_destroy(augmenter);
}

static void half_of_the_images_are_mirrored(void **state)
{
    struct ff_augmenter *augmenter = create((struct ff_augment){.flip = true}, square);
    uint8_t bytes[PIXELS];
    float values[PIXELS];
    int mirrored = 0;

    (void)state;
    fill_image(bytes, PIXELS);
    bytes[0] = 9;
    for (uint32_t image = 0; image < 1000; image++) {
        ff_augment_image(augmenter, 2, image, bytes, values);
        mirrored += values[SIDE - 1] == 9;
        for (int i = 0; i < PIXELS; i++)
            assert_true(values[i] ==
                        (values[SIDE - 1] == 9 ? bytes[i / SIDE * SIDE + SIDE - 1 - i % SIDE] : bytes[i]));
    }
    assert_in_range(mirrored, 440, 560);
    ff_augmenter_destroy(augmenter);
}

static void erasing_leaves_a_patch_of_zeros(void **state)
{
    struct ff_augmenter *augmenter = create((struct ff_augment){.erase = 6}, square);
    uint8_t bytes[PIXELS];
    float values[PIXELS];

    (void)state;
    memset(bytes, 100, sizeof bytes);
    for (uint32_t image = 0; image < 200; image++) {
        int zeros = 0;

        ff_augment_image(augmenter, 2, image, bytes, values);
        for (int i = 0; i < PIXELS; i++) {
            assert_true(values[i] == 0 || values[i] == 100);
            zeros += values[i] == 0;
        }
        assert_in_range(zeros, 9, 36); /* a corner at the least */
    }
    ff_augmenter_destroy(augmenter);
}

/* The centre of what is bright: where a warp took it. */
static void centre_of(const float *values, double *x, double *y)
{
    double sum = 0;

    *x = *y = 0;
    for (int i = 0; i < PIXELS; i++) {
        sum += (double)values[i];
        *x += (double)values[i] * (i % SIDE);
        *y += (double)values[i] * (i / SIDE);
    }
    *x /= sum;
    *y /= sum;
}

static void a_turned_point_stays_at_its_distance_and_a_moved_one_within_bounds(void **state)
{
    struct ff_augmenter *turning = create((struct ff_augment){.rotate = 30}, square);
    struct ff_augmenter *moving = create((struct ff_augment){.translate = 1.5}, square);
    uint8_t bytes[PIXELS] = {0};
    double widest = 0;

    (void)state;
    bytes[13 * SIDE + 21] = bytes[13 * SIDE + 22] = bytes[14 * SIDE + 21] = bytes[14 * SIDE + 22] = 255;
    for (uint32_t image = 0; image < 300; image++) { /* the blob's centre is 8 to the right of the image's */
        float values[PIXELS];
        double x, y;

        ff_augment_image(turning, 1, image, bytes, values);
        centre_of(values, &x, &y);
        assert_true(fabs(hypot(x - 13.5, y - 13.5) - 8) < 0.05);
        widest = fmax(widest, fabs(atan2(y - 13.5, x - 13.5)) * 180 / M_PI);
        ff_augment_image(moving, 1, image, bytes, values);
        centre_of(values, &x, &y);
        assert_true(fabs(x - 21.5) <= 1.51 && fabs(y - 13.5) <= 1.51);
    }
    assert_true(widest > 25 && widest < 30.5);
    ff_augmenter_destroy(turning);
    ff_augmenter_destroy(moving);
}

/* Bent images stay images: nothing brighter than before, and most of the light is still there. */
static void bending_moves_pixels_by_about_its_deviation(void **state)
{
    struct ff_augmenter *augmenter = create((struct ff_augment){.elastic = 1}, square);
    uint8_t bytes[PIXELS] = {0};
    double squares = 0;

    (void)state;
    bytes[13 * SIDE + 13] = bytes[13 * SIDE + 14] = bytes[14 * SIDE + 13] = bytes[14 * SIDE + 14] = 255;
    for (uint32_t image = 0; image < 400; image++) {
        float values[PIXELS];
        double x, y;

        ff_augment_image(augmenter, 1, image, bytes, values);
        for (int i = 0; i < PIXELS; i++)
            assert_true(values[i] >= 0 && values[i] <= 255);
        centre_of(values, &x, &y);
        squares += (x - 13.5) * (x - 13.5);
    }
    /* At the centre, between controls, the splines average four of N(0, 1) each way: about 0.5 in all. */
    assert_true(sqrt(squares / 400) > 0.3 && sqrt(squares / 400) < 0.8);
    ff_augmenter_destroy(augmenter);
}

static void a_change_depends_on_epoch_and_image_alone(void **state)
{
    static const struct ff_augment all = {.shift = 1,
                                          .rotate = 10,
                                          .scale = 0.1,
                                          .shear = 0.1,
                                          .translate = 1,
                                          .elastic = 1,
                                          .flip = true,
                                          .erase = 3};
    struct ff_augmenter *augmenter = create(all, square);
    uint8_t bytes[PIXELS];
    float first[PIXELS], again[PIXELS];
    int same = 0;

    (void)state;
    assert_true(ff_augments(&all));
    fill_image(bytes, PIXELS);
    ff_augment_image(augmenter, 4, 17, bytes, first);
    for (uint32_t image = 0; image < 40; image++) {
        ff_augment_image(augmenter, 4 + image / 20, image % 20, bytes, again);
        same += memcmp(first, again, sizeof first) == 0;
    }
    assert_int_equal(same, 1); /* epoch 4, image 17, whatever was asked before */
    ff_augmenter_destroy(augmenter);
}

static void images_need_not_be_square_nor_grey(void **state)
{
    struct ff_shape shape = {3, 11, 40};
    struct ff_augmenter *augmenter =
        create((struct ff_augment){.shift = 1, .elastic = 1, .rotate = 10, .flip = true}, shape);
    uint8_t bytes[3 * 11 * 40];
    float values[3 * 11 * 40];

    (void)state;
    for (int i = 0; i < 3 * 11 * 40; i++)
        bytes[i] = (uint8_t)(i / 440 * 100 + 20);
    for (uint32_t image = 0; image < 50; image++) {
        ff_augment_image(augmenter, 1, image, bytes, values);
        for (int i = 0; i < 3 * 11 * 40; i++) /* channels stay apart, and are changed alike */
            assert_true(values[i] >= 0 && values[i] <= (float)(i / 440 * 100 + 20) + 0.001f);
    }
    ff_augmenter_destroy(augmenter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_changes_nothing_changes),
        cmocka_unit_test(a_shift_is_whole_and_every_shift_comes),
        cmocka_unit_test(half_of_the_images_are_mirrored),
        cmocka_unit_test(erasing_leaves_a_patch_of_zeros),
        cmocka_unit_test(a_turned_point_stays_at_its_distance_and_a_moved_one_within_bounds),
        cmocka_unit_test(bending_moves_pixels_by_about_its_deviation),
        cmocka_unit_test(a_change_depends_on_epoch_and_image_alone),
        cmocka_unit_test(images_need_not_be_square_nor_grey),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
