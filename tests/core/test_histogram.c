/* Histograms: every value is counted once, in the bin it lies in, whatever came before it. */
#include "cmocka_all.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "histogram.h"
#include "random.h"

enum { VALUES = 5000, TRIALS = 12 };

static float positive[VALUES], negative[VALUES];

/* Goodness over more and more octaves, trial by trial; the highest anywhere. */
static void draw(uint32_t trial)
{
    for (uint32_t i = 0; i < VALUES; i++) {
        float octave = ff_random_uniform(trial, FF_RANDOM_ORDER, 0, i) - 0.5f;

        positive[i] = (float)exp2(3 * trial * (double)octave);
        negative[i] = ff_random_uniform(trial, FF_RANDOM_ORDER, 1, i) * positive[(7 * i) % VALUES];
    }
}

static float highest_value(void)
{
    float highest = 0;

    for (size_t i = 0; i < VALUES; i++)
        highest = fmaxf(highest, fmaxf(positive[i], negative[i]));
    return highest;
}

static uint64_t count_between(const float *values, double from, double to)
{
    uint64_t count = 0;

    for (size_t i = 0; i < VALUES; i++)
        count += values[i] >= from && values[i] < to;
    return count;
}

/* In parts of so many, forwards or backwards. */
static struct ff_histogram gather(size_t part, bool backwards)
{
    struct ff_histogram histogram = {0};

    for (size_t done = 0; done < VALUES; done += part) {
        size_t count = VALUES - done < part ? VALUES - done : part,
               first = backwards ? VALUES - done - count : done;

        ff_histogram_add(&histogram, positive + first, negative + first, count);
    }
    return histogram;
}

static void every_bin_counts_what_lies_in_it(void **state)
{
    (void)state;
    for (uint32_t trial = 0; trial < TRIALS; trial++) {
        struct ff_histogram histogram;
        double width;

        draw(trial);
        histogram = gather(37, false);
        width = ff_histogram_width(&histogram);
        for (size_t bin = 0; bin < FF_BINS; bin++) {
            double from = (double)bin * width, to = from + width;

            assert_int_equal(histogram.positive[bin], count_between(positive, from, to));
            assert_int_equal(histogram.negative[bin], count_between(negative, from, to));
        }
    }
}

static void bins_are_as_narrow_as_the_highest_goodness_lets_them(void **state)
{
    (void)state;
    for (uint32_t trial = 0; trial < TRIALS; trial++) {
        struct ff_histogram histogram;
        double width;
        int exponent;

        draw(trial);
        histogram = gather(VALUES, false);
        width = ff_histogram_width(&histogram);
        assert_true(frexp(width, &exponent) == 0.5);
        assert_true(highest_value() < FF_BINS * width && highest_value() >= FF_BINS * width / 2);
    }
}

static void the_order_and_the_parts_do_not_matter(void **state)
{
    (void)state;
    for (uint32_t trial = 0; trial < TRIALS; trial++) {
        static const size_t parts[] = {1, 37, 600, VALUES};
        struct ff_histogram first;

        draw(trial);
        first = gather(VALUES, false);
        for (size_t i = 0; i < 8; i++) {
            struct ff_histogram other = gather(parts[i / 2], i % 2);

            assert_memory_equal(&first, &other, sizeof first);
        }
    }
}

static void extremes_are_counted(void **state)
{
    static const float low[] = {0, FLT_TRUE_MIN, -3}, high[] = {FLT_MAX, 1, 0};
    struct ff_histogram histogram = {0};
    size_t first, end;

    (void)state;
    ff_histogram_add(&histogram, high, low, 3);
    assert_true(ff_histogram_sane(&histogram));
    assert_int_equal(histogram.positive[FF_BINS - 1], 1);
    assert_int_equal(histogram.positive[0], 2);
    assert_int_equal(histogram.negative[0], 3);
    ff_histogram_range(&histogram, &first, &end);
    assert_true(first == 0 && end == FF_BINS);
}

static void the_range_holds_all_that_was_counted(void **state)
{
    static const float up[] = {100, 101}, down[] = {75, 80};
    struct ff_histogram histogram = {0};
    size_t first, end;

    (void)state;
    ff_histogram_range(&histogram, &first, &end);
    assert_true(first == 0 && end == 0);
    ff_histogram_add(&histogram, up, down, 2);
    ff_histogram_range(&histogram, &first, &end);
    assert_true(ff_histogram_width(&histogram) == 1);
    assert_int_equal(first, 75);
    assert_int_equal(end, 102);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bin_counts_what_lies_in_it),
        cmocka_unit_test(bins_are_as_narrow_as_the_highest_goodness_lets_them),
        cmocka_unit_test(the_order_and_the_parts_do_not_matter),
        cmocka_unit_test(extremes_are_counted),
        cmocka_unit_test(the_range_holds_all_that_was_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
