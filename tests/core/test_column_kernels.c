/* Every build of the column kernels against plain loops in double, and against each other bit for bit, at odd
 * sizes. */
#include "cmocka_all.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "kernels.h"
#include "random.h"

enum { ROWS = 7, STRIDE = 50, MOST = 41 };
static const size_t sizes[] = {1, 3, 7, 8, 9, 15, 16, 17, 24, 31, 33, 40, MOST};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

/* What goes in, and all that comes out. */
struct work {
    float z[ROWS * STRIDE], shift[MOST], scale[MOST], coefficient[MOST], pull[MOST], tilt[MOST], mean[MOST];
    float out[ROWS * STRIDE], dz[ROWS * STRIDE], sum[MOST], spread[MOST], squares[MOST], slopes[MOST], tilts[MOST];
    float plain_squares[MOST];
};

static void fill(struct work *work)
{
    float *const small[] = {work->shift, work->scale, work->coefficient, work->pull, work->tilt, work->mean};

    memset(work, 0, sizeof *work);
    ff_random_normal(5, FF_RANDOM_WEIGHTS, 1, 0, ROWS * STRIDE, 1.5, work->z);
    for (uint32_t i = 0; i < 6; i++)
        ff_random_normal(5, FF_RANDOM_WEIGHTS, 2 + i, 0, MOST, 0.7, small[i]);
}

static void run(const struct ff_column_kernels *columns, bool relu, size_t n, struct work *w)
{
    const struct ff_column_scale scale = {w->shift, w->scale};
    const struct ff_column_gradient gradient = {w->coefficient, w->pull, w->tilt};

    fill(w);
    columns->sum(w->sum, w->z, STRIDE, ROWS, n);
    columns->spread(w->spread, w->z, STRIDE, w->mean, ROWS, n);
    (relu ? columns->relu : columns->tanh)(w->out, STRIDE, w->z, STRIDE, &scale,
                                           &(struct ff_column_sums){w->plain_squares, NULL, NULL}, ROWS, n);
    memset(w->out, 0, sizeof w->out);
    (relu ? columns->relu : columns->tanh)(w->out, STRIDE, w->z, STRIDE, &scale,
                                           &(struct ff_column_sums){w->squares, w->slopes, w->tilts}, ROWS, n);
    (relu ? columns->relu_gradient : columns->tanh_gradient)(w->dz, STRIDE, w->z, STRIDE, &scale, &gradient, ROWS,
                                                             n);
}

static void assert_near(float got, double wanted)
{
    if (!(fabs((double)got - wanted) <= 3e-6 * fmax(1, fabs(wanted))))
        fail_msg("got %.9g, wanted %.9g", (double)got, wanted);
}

static void check_column(const struct work *w, bool relu, size_t c)
{
    double sum = 0, spread = 0, squares = 0, slopes = 0, tilts = 0;

    for (size_t row = 0; row < ROWS; row++) {
        double z = (double)w->z[row * STRIDE + c], y = (z - (double)w->shift[c]) * (double)w->scale[c];
        double a = relu ? fmax(y, 0) : tanh(y), slope = relu ? a : a * (1 - a * a);

        sum += z;
        spread += pow(z - (double)w->mean[c], 2);
        squares += a * a;
        slopes += slope;
        tilts += slope * y;
        assert_near(w->out[row * STRIDE + c], a);
        assert_near(w->dz[row * STRIDE + c], (double)w->scale[c] * ((double)w->coefficient[c] * slope -
                                                                    (double)w->pull[c] - (double)w->tilt[c] * y));
    }
    assert_near(w->sum[c], sum);
    assert_near(w->spread[c], spread);
    assert_near(w->squares[c], squares);
    assert_true(w->plain_squares[c] == w->squares[c]);
    assert_near(w->slopes[c], slopes);
    assert_near(w->tilts[c], tilts);
}

static void columns_agree_with_plain_loops(void **state)
{
    size_t count;
    const struct ff_kernels *const *all = ff_kernels_all(&count);

    (void)state;
    for (size_t k = 0; k < count; k++) {
        for (size_t s = 0; s < 2 * SIZES; s++) {
            struct work work;
            bool relu = s % 2;

            run(all[k]->columns, relu, sizes[s / 2], &work);
            for (size_t c = 0; c < sizes[s / 2]; c++)
                check_column(&work, relu, c);
            for (size_t i = 0; i < ROWS * STRIDE; i++) /* nothing beside the columns meant */
                assert_true(i % STRIDE < sizes[s / 2] || (work.out[i] == 0 && work.dz[i] == 0));
        }
    }
}

static void all_builds_give_the_same_bits(void **state)
{
    size_t count;
    const struct ff_kernels *const *all = ff_kernels_all(&count);

    (void)state;
    if (count == 1)
        skip(); /* a processor with the baseline alone has nothing to compare */
    for (size_t s = 0; s < 2 * SIZES; s++) {
        struct work baseline, other;

        run(all[0]->columns, s % 2, sizes[s / 2], &baseline);
        for (size_t k = 1; k < count; k++) {
            run(all[k]->columns, s % 2, sizes[s / 2], &other);
            assert_memory_equal(&baseline, &other, sizeof other);
        }
    }
}

static void activities_may_lie_where_the_sums_were(void **state)
{
    struct work apart, together;

    (void)state;
    run(ff_kernels()->columns, true, MOST, &apart);
    fill(&together);
    ff_kernels()->columns->relu(together.z, STRIDE, together.z, STRIDE,
                                &(struct ff_column_scale){together.shift, together.scale},
                                &(struct ff_column_sums){together.squares, NULL, NULL}, ROWS, MOST);
    for (size_t row = 0; row < ROWS; row++)
        assert_memory_equal(apart.out + row * STRIDE, together.z + row * STRIDE, MOST * sizeof(float));
}

/* Two rows of an image of PLACES pairs of places. */
enum { PLACES = 3 };

static void the_largest_of_four_goes_on_and_back(void **state)
{
    size_t count;
    const struct ff_kernels *const *all = ff_kernels_all(&count);

    (void)state;
    for (size_t k = 0; k < count; k++) {
        for (size_t s = 0; s < SIZES; s++) {
            size_t n = sizes[s];
            float rows[2][2 * PLACES * MOST], out[PLACES * MOST], quiet[PLACES * MOST], back[2][2 * PLACES * MOST];
            uint8_t which[PLACES * MOST];

            ff_random_normal(6, FF_RANDOM_WEIGHTS, 1, 0, 2 * PLACES * MOST, 1, rows[0]);
            ff_random_normal(6, FF_RANDOM_WEIGHTS, 2, 0, 2 * PLACES * MOST, 1, rows[1]);
            rows[0][0] = rows[0][n] = rows[1][0] = rows[1][n] = 3; /* of equals the first */
            all[k]->columns->pool(out, which, rows[0], rows[1], PLACES, n);
            all[k]->columns->pool(quiet, NULL, rows[0], rows[1], PLACES, n);
            all[k]->columns->unpool(back[0], back[1], out, which, PLACES, n);
            assert_int_equal(which[0], 0);
            assert_memory_equal(out, quiet, PLACES * n * sizeof *out);
            for (size_t i = 0; i < PLACES * n; i++) {
                for (size_t four = 0; four < 4; four++) {
                    size_t at = (2 * (i / n) + four % 2) * n + i % n;

                    assert_true(rows[four / 2][at] <= out[i]);
                    assert_true(back[four / 2][at] == (four == which[i] ? rows[four / 2][at] : 0));
                }
            }
        }
    }
}

static void not_a_number_is_the_largest(void **state)
{
    size_t count;
    const struct ff_kernels *const *all = ff_kernels_all(&count);

    (void)state;
    for (size_t k = 0; k < count; k++) {
        for (size_t place = 0; place < 4; place++) {
            float rows[2][2 * MOST] = {{0}}, out[MOST];
            uint8_t which[MOST];

            rows[place / 2][place % 2 * MOST + 20] = NAN;
            rows[1][MOST + 20] = place == 3 ? NAN : INFINITY;
            all[k]->columns->pool(out, which, rows[0], rows[1], 1, MOST);
            assert_true(isnan(out[20]) && which[20] == place && out[19] == 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_agree_with_plain_loops),
        cmocka_unit_test(all_builds_give_the_same_bits),
        cmocka_unit_test(activities_may_lie_where_the_sums_were),
        cmocka_unit_test(the_largest_of_four_goes_on_and_back),
        cmocka_unit_test(not_a_number_is_the_largest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
