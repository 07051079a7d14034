/* Seeds are fixed, so every figure below is the same at every run; the bounds are what chance would pass with
 * probability of about 0.999. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "random.h"

/* Random123's kat_vectors, philox4x32 10. */
static const struct {
    uint32_t counter[4], key[2], expected[4];
} known_answers[] = {
    {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
     {0xffffffff, 0xffffffff},
     {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     {0xa4093822, 0x299f31d0},
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

static void philox_gives_the_published_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof known_answers / sizeof known_answers[0]; i++) {
        uint32_t out[4];

        ff_philox(known_answers[i].counter, known_answers[i].key, out);
        assert_memory_equal(out, known_answers[i].expected, sizeof out);
    }
}

static void words_are_philox_of_index_stream_purpose_and_seed(void **state)
{
    const uint32_t key[2] = {0x89abcdef, 0x01234567};
    const uint32_t counter[4] = {0x55667788, 0x11223344, 9, FF_RANDOM_ORDER};
    uint32_t expected[4], out[4];

    (void)state;
    ff_philox(counter, key, expected);
    ff_random_words(0x0123456789abcdef, FF_RANDOM_ORDER, 9, 0x1122334455667788, out);
    assert_memory_equal(out, expected, sizeof out);
}

static void each_part_of_a_place_changes_the_words(void **state)
{
    uint32_t base[4], other[5][4];

    (void)state;
    ff_random_words(1, FF_RANDOM_WEIGHTS, 0, 0, base);
    ff_random_words(2, FF_RANDOM_WEIGHTS, 0, 0, other[0]);
    ff_random_words(1 + (1ull << 32), FF_RANDOM_WEIGHTS, 0, 0, other[1]);
    ff_random_words(1, FF_RANDOM_NEGATIVE, 0, 0, other[2]);
    ff_random_words(1, FF_RANDOM_WEIGHTS, 1, 0, other[3]);
    ff_random_words(1, FF_RANDOM_WEIGHTS, 0, 1ull << 32, other[4]);
    for (int i = 0; i < 5; i++)
        assert_memory_not_equal(base, other[i], sizeof base);
}

static void below_is_even_over_its_range(void **state)
{
    enum { BOUND = 9, DRAWS = 90000 };
    uint32_t counts[BOUND] = {0};
    double chi_square = 0;

    (void)state;
    for (uint32_t i = 0; i < DRAWS; i++) {
        uint32_t value = ff_random_below(7, FF_RANDOM_NEGATIVE, 3, i, BOUND);

        assert_true(value < BOUND);
        counts[value]++;
    }
    for (int k = 0; k < BOUND; k++) {
        double expected = (double)DRAWS / BOUND;

        chi_square += (counts[k] - expected) * (counts[k] - expected) / expected;
    }
    assert_true(chi_square < 26.1); /* 8 degrees of freedom */
    assert_true(chi_square > 0.8);  /* too even is not random either */
}

/* With bound 3 * 2^30 plain multiplication would give every third value twice as often, and a word is refused with
 * probability 1/4: all four now and then, so that the words after them are needed too. */
static void below_refuses_words_so_that_large_bounds_are_even(void **state)
{
    enum { DRAWS = 60000 };
    const uint32_t bound = 3u << 30;
    uint32_t remainders[3] = {0}, refused_all = 0;

    (void)state;
    for (uint32_t i = 0; i < DRAWS; i++) {
        uint32_t value = ff_random_below(11, FF_RANDOM_ORDER, 0, i, bound), words[4];
        int refused = 0;

        assert_true(value < bound);
        remainders[value % 3]++;
        ff_random_words(11, FF_RANDOM_ORDER, 0, i, words);
        for (int k = 0; k < 4; k++)
            refused += (uint32_t)((uint64_t)words[k] * bound) < (uint32_t)(-bound) % bound;
        refused_all += refused == 4;
    }
    assert_true(refused_all > 0);
    for (int k = 0; k < 3; k++)
        assert_true(abs((int)remainders[k] - DRAWS / 3) < 380); /* 3.3 standard deviations */
}

static void below_of_one_or_nothing_is_zero(void **state)
{
    (void)state;
    assert_int_equal(ff_random_below(1, FF_RANDOM_ORDER, 0, 0, 0), 0);
    assert_int_equal(ff_random_below(1, FF_RANDOM_ORDER, 0, 0, 1), 0);
}

static void uniform_fills_zero_to_one_evenly(void **state)
{
    enum { DRAWS = 100000, BINS = 20 };
    uint32_t counts[BINS] = {0};
    double sum = 0, chi_square = 0;

    (void)state;
    for (uint32_t i = 0; i < DRAWS; i++) {
        float value = ff_random_uniform(5, FF_RANDOM_NEGATIVE, 1, i);

        assert_true(value >= 0 && value < 1);
        assert_true((double)value * 0x1p24 == floor((double)value * 0x1p24));
        sum += (double)value;
        counts[(int)(value * BINS)]++;
    }
    for (int k = 0; k < BINS; k++) {
        double expected = (double)DRAWS / BINS;

        chi_square += (counts[k] - expected) * (counts[k] - expected) / expected;
    }
    assert_true(fabs(sum / DRAWS - 0.5) < 0.003);
    assert_true(chi_square < 43.8); /* 19 degrees of freedom */
}

static void normal_has_the_moments_of_a_normal(void **state)
{
    enum { DRAWS = 200000 };
    const double deviation = 0.05;
    float *values = malloc(DRAWS * sizeof *values);
    double moment[5] = {0};
    uint32_t within_one = 0;

    (void)state;
    assert_non_null(values);
    ff_random_normal(42, FF_RANDOM_WEIGHTS, 0, 0, DRAWS, deviation, values);
    for (int i = 0; i < DRAWS; i++) {
        double value = (double)values[i] / deviation, power = 1;

        within_one += fabs(value) < 1;
        for (int k = 1; k <= 4; k++) {
            power *= value;
            moment[k] += power / DRAWS;
        }
    }
    assert_true(fabs(moment[1]) < 0.0075);
    assert_true(fabs(moment[2] - 1) < 0.0105);
    assert_true(fabs(moment[3]) < 0.029);
    assert_true(fabs(moment[4] - 3) < 0.073);
    assert_true(fabs((double)within_one / DRAWS - 0.682689) < 0.0035);
    free(values);
}

static void neighbouring_normals_do_not_depend_on_each_other(void **state)
{
    enum { DRAWS = 200000, LAGS = 8 };
    float *values = malloc(DRAWS * sizeof *values);

    (void)state;
    assert_non_null(values);
    ff_random_normal(42, FF_RANDOM_WEIGHTS, 1, 0, DRAWS, 1, values);
    for (int lag = 1; lag <= LAGS; lag++) {
        double sum = 0;

        for (int i = 0; i + lag < DRAWS; i++)
            sum += (double)values[i] * (double)values[i + lag];
        assert_true(fabs(sum / DRAWS) < 0.0078);
    }
    free(values);
}

static void normal_at_an_index_does_not_depend_on_first_and_count(void **state)
{
    enum { COUNT = 37 };
    float whole[COUNT], part[COUNT];

    (void)state;
    ff_random_normal(3, FF_RANDOM_WEIGHTS, 2, 0, COUNT, 0.5, whole);
    for (uint64_t first = 0; first < COUNT; first++) {
        for (size_t count = 0; first + count <= COUNT; count++) {
            memset(part, 0, sizeof part);
            ff_random_normal(3, FF_RANDOM_WEIGHTS, 2, first, count, 0.5, part);
            assert_memory_equal(part, whole + first, count * sizeof *part);
            for (size_t i = count; i < COUNT; i++)
                assert_true(part[i] == 0.0f); /* nothing beyond count is written */
        }
    }
}

static void normal_scales_with_the_deviation(void **state)
{
    float one[9], half[9];

    (void)state;
    ff_random_normal(3, FF_RANDOM_WEIGHTS, 2, 1, 9, 1, one);
    ff_random_normal(3, FF_RANDOM_WEIGHTS, 2, 1, 9, 0.5, half);
    for (int i = 0; i < 9; i++)
        assert_true(half[i] == one[i] * 0.5f && one[i] != 0);
}

static void order_is_a_permutation(void **state)
{
    static const uint32_t counts[] = {0, 1, 2, 3, 10, 1000, 60000};

    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        uint32_t count = counts[i], *order = malloc((count + 1) * sizeof *order);
        uint8_t *seen = calloc(count + 1, 1);

        assert_non_null(order);
        assert_non_null(seen);
        ff_random_order(1, FF_RANDOM_ORDER, 4, count, order);
        for (uint32_t k = 0; k < count; k++) {
            assert_true(order[k] < count);
            assert_int_equal(seen[order[k]]++, 0);
        }
        free(order);
        free(seen);
    }
}

static void order_gives_each_of_the_permutations_equally_often(void **state)
{
    enum { PERMUTATIONS = 27, DRAWS = 12000 };
    uint32_t counts[PERMUTATIONS] = {0}, kinds = 0;
    double chi_square = 0;

    (void)state;
    for (uint32_t epoch = 0; epoch < DRAWS; epoch++) {
        uint32_t order[3];

        ff_random_order(9, FF_RANDOM_ORDER, epoch, 3, order);
        counts[order[0] * 9 + order[1] * 3 + order[2]]++;
    }
    for (int k = 0; k < PERMUTATIONS; k++) {
        double expected = DRAWS / 6.0;

        if (counts[k] == 0)
            continue;
        kinds++;
        chi_square += (counts[k] - expected) * (counts[k] - expected) / expected;
    }
    assert_int_equal(kinds, 6);
    assert_true(chi_square < 20.5); /* 5 degrees of freedom */
}

static void every_epoch_has_its_own_order(void **state)
{
    uint32_t first[100], second[100], again[100];

    (void)state;
    ff_random_order(1, FF_RANDOM_ORDER, 1, 100, first);
    ff_random_order(1, FF_RANDOM_ORDER, 2, 100, second);
    ff_random_order(1, FF_RANDOM_ORDER, 1, 100, again);
    assert_memory_not_equal(first, second, sizeof first);
    assert_memory_equal(first, again, sizeof first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_gives_the_published_answers),
        cmocka_unit_test(words_are_philox_of_index_stream_purpose_and_seed),
        cmocka_unit_test(each_part_of_a_place_changes_the_words),
        cmocka_unit_test(below_is_even_over_its_range),
        cmocka_unit_test(below_refuses_words_so_that_large_bounds_are_even),
        cmocka_unit_test(below_of_one_or_nothing_is_zero),
        cmocka_unit_test(uniform_fills_zero_to_one_evenly),
        cmocka_unit_test(normal_has_the_moments_of_a_normal),
        cmocka_unit_test(neighbouring_normals_do_not_depend_on_each_other),
        cmocka_unit_test(normal_at_an_index_does_not_depend_on_first_and_count),
        cmocka_unit_test(normal_scales_with_the_deviation),
        cmocka_unit_test(order_is_a_permutation),
        cmocka_unit_test(order_gives_each_of_the_permutations_equally_often),
        cmocka_unit_test(every_epoch_has_its_own_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
