/* Every build of the kernels against plain loops in double, and against each other bit for bit, at odd sizes. */
#include "cmocka_all.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "kernels.h"
#include "random.h"

enum { MOST = 131 };
static const size_t sizes[] = {1, 2, 15, 16, 17, 31, 64, 100, MOST};

struct vectors {
    float a[MOST], b[MOST], c[MOST], d[MOST];
};

static void fill(struct vectors *vectors, uint32_t stream)
{
    ff_random_normal(3, FF_RANDOM_WEIGHTS, stream, 0, MOST, 1.5, vectors->a);
    ff_random_normal(3, FF_RANDOM_WEIGHTS, stream + 1, 0, MOST, 0.5, vectors->b);
    ff_random_normal(3, FF_RANDOM_WEIGHTS, stream + 2, 0, MOST, 1, vectors->c);
    ff_random_normal(3, FF_RANDOM_WEIGHTS, stream + 3, 0, MOST, 1, vectors->d);
    for (int i = 0; i < MOST; i++)
        vectors->d[i] = fabsf(vectors->d[i]);
}

static void assert_near(double got, double wanted, double tolerance)
{
    if (!(fabs(got - wanted) <= tolerance * fmax(1, fabs(wanted))))
        fail_msg("got %.9g, wanted %.9g", got, wanted);
}

static double relu(double z)
{
    return z < 0 ? 0 : z;
}

static void activations_agree_with_a_plain_loop(void **state)
{
    size_t count;
    const struct ff_kernels *const *all = ff_kernels_all(&count);

    (void)state;
    for (size_t k = 0; k < count; k++) {
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
            struct vectors v;
            float out[MOST], squares;
            double wanted = 0;

            fill(&v, (uint32_t)s * 10);
            squares = all[k]->relu(out, v.a, v.b, v.c, 2.5f, sizes[s]);
            for (size_t i = 0; i < sizes[s]; i++) {
                double z = relu((double)v.a[i] + v.b[i] + 2.5 * v.c[i]);

                assert_near(out[i], z, 1e-6);
                wanted += z * z;
            }
            assert_near(squares, wanted, 1e-5);
            squares = all[k]->tanh(out, v.a, v.b, NULL, 0, sizes[s]);
            wanted = 0;
            for (size_t i = 0; i < sizes[s]; i++) {
                double z = tanh((double)v.a[i] + v.b[i]);

                assert_near(out[i], z, 3e-7);
                wanted += z * z;
            }
            assert_near(squares, wanted, 1e-5);
        }
    }
}

static void tanh_is_good_to_a_few_units_in_the_last_place_everywhere(void **state)
{
    const struct ff_kernels *kernels = ff_kernels();
    float zero = 0, out;

    (void)state;
    for (double x = 1e-30; x < 100; x *= 1.01) {
        for (int sign = -1; sign <= 1; sign += 2) {
            float in = (float)(sign * x);
            double wanted = tanh((double)in);

            kernels->tanh(&out, &in, &zero, NULL, 0, 1);
            if (fabs((double)out - wanted) > 4 * 6e-8 * fabs(wanted))
                fail_msg("tanh(%.9g): got %.9g, wanted %.9g", (double)in, (double)out, wanted);
        }
    }
}

static void not_a_number_passes_through_activations_and_sums(void **state)
{
    size_t count;
    const struct ff_kernels *const *all = ff_kernels_all(&count);

    (void)state;
    for (size_t k = 0; k < count; k++) {
        float in[40] = {0}, bias[40] = {0}, out[40];

        in[21] = NAN;
        assert_true(isnan(all[k]->relu(out, in, bias, NULL, 0, 40)) && isnan(out[21]));
        assert_true(isnan(all[k]->tanh(out, in, bias, NULL, 0, 40)) && isnan(out[21]));
        in[21] = INFINITY;
        assert_true(!isfinite(all[k]->relu(out, in, bias, NULL, 0, 40)));
    }
}

/* One of everything into `out`, which has room for 16 arrays. */
static void run_all(const struct ff_kernels *k, size_t n, float out[16][MOST])
{
    struct vectors v;
    struct ff_update u = {.rate = 0.01f,
                          .keep = 0.999f,
                          .momentum = 0.9f,
                          .beta2 = 0.98f,
                          .fresh = 0.1f,
                          .fresh2 = 0.02f,
                          .correction = 0.1f,
                          .correction2 = 50,
                          .epsilon = 1e-8f};
    static const uint32_t index[] = {0, 0};
    static const float x0[] = {0.4f, -0.3f}, x1[] = {-1.3f, 2};
    const struct ff_rows rows = {2, index, x0, x1};
    unsigned char bytes[MOST];

    fill(&v, 100);
    memset(out, 0, 16 * sizeof out[0]);
    for (int i = 0; i < MOST; i++)
        bytes[i] = (unsigned char)(i * 37);
    out[15][0] = k->relu(out[0], v.a, v.b, v.c, 1.25f, n);
    out[15][1] = k->tanh(out[1], v.a, v.b, NULL, 0, n);
    k->relu_delta(out[2], v.a, 0.3f, n);
    k->tanh_delta(out[3], out[1], 0.3f, n);
    k->add(out[4], v.a, n);
    k->add_scaled(out[4], v.b, 0.7f, n);
    k->scale(out[4], 1.1f, n);
    out[15][2] = k->sum_of_squares(v.a, n);
    k->sgd(&u, out[5], v.a, n);
    k->sgd(&u, out[5], v.b, n);
    k->momentum(&u, out[6], out[7], v.a, n);
    k->momentum(&u, out[6], out[7], v.b, n);
    k->adam(&u, out[8], out[9], out[10], v.a, n);
    k->adam(&u, out[8], out[9], out[10], v.b, n);
    k->multiply_rows(&rows, out[11], out[12], v.a, 0, n);
    k->update_rows(&(struct ff_rows){1, index, x0, x1}, out[11], 0, 0.99f, v.b, v.c, out[14], out[12], n);
    k->pixels(out[13], bytes, 3 / 255.0f, -0.25f, n);
}

static void all_builds_give_the_same_bits(void **state)
{
    size_t count;
    const struct ff_kernels *const *all = ff_kernels_all(&count);

    (void)state;
    if (count == 1)
        skip(); /* a processor with the baseline alone has nothing to compare */
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        float baseline[16][MOST], other[16][MOST];

        run_all(all[0], sizes[s], baseline);
        for (size_t k = 1; k < count; k++) {
            run_all(all[k], sizes[s], other);
            for (int i = 0; i < 16; i++) {
                if (memcmp(baseline[i], other[i], sizeof baseline[i]) != 0)
                    fail_msg("%s differs from the baseline in array %d at size %zu", all[k]->name, i, sizes[s]);
            }
        }
    }
}

/* A matrix of ROWS x MOST, of which some rows meet an input. */
enum { ROWS = 7, MET = 4 };

static void passes_over_rows_agree_with_a_plain_loop(void **state)
{
    static const uint32_t index[MET] = {0, 2, 3, 6};
    static const float x0[MET] = {0.5f, -2, 0, 1.5f}, x1[MET] = {1, 0.25f, -0.75f, 0};
    const struct ff_rows rows = {MET, index, x0, x1};
    const struct ff_kernels *kernels = ff_kernels();

    (void)state;
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        float w[ROWS * MOST], before[ROWS * MOST], z0[MOST] = {0}, z1[MOST] = {0}, again0[MOST] = {0},
                                                   again1[MOST] = {0};
        size_t n = sizes[s];
        struct vectors v;

        fill(&v, 50);
        ff_random_normal(3, FF_RANDOM_WEIGHTS, 9, 0, ROWS * MOST, 1, w);
        memcpy(before, w, sizeof w);
        kernels->multiply_rows(&rows, z0, z1, w, MOST, n);
        kernels->update_rows(&rows, w, MOST, 0.9f, v.a, v.b, again0, again1, n);
        for (size_t j = 0; j < n; j++) {
            double sum0 = 0, sum1 = 0, new0 = 0, new1 = 0;

            for (size_t i = 0; i < MET; i++) {
                double old = (double)before[index[i] * MOST + j];
                double new = (double)0.9f * old - ((double)x0[i] * (double)v.a[j] + (double)x1[i] * (double)v.b[j]);

                sum0 += (double)x0[i] * old;
                sum1 += (double)x1[i] * old;
                new0 += (double)x0[i] * new;
                new1 += (double)x1[i] * new;
                assert_near((double)w[index[i] * MOST + j], new, 1e-6);
            }
            assert_near((double)z0[j], sum0, 2e-6);
            assert_near((double)z1[j], sum1, 2e-6);
            assert_near((double)again0[j], new0, 2e-6);
            assert_near((double)again1[j], new1, 2e-6);
        }
        for (size_t i = 0; i < ROWS * MOST; i++) { /* nothing beside the rows and columns meant */
            bool met = i / MOST == 0 || i / MOST == 2 || i / MOST == 3 || i / MOST == 6;

            if (!met || i % MOST >= n)
                assert_true(w[i] == before[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(activations_agree_with_a_plain_loop),
        cmocka_unit_test(tanh_is_good_to_a_few_units_in_the_last_place_everywhere),
        cmocka_unit_test(not_a_number_passes_through_activations_and_sums),
        cmocka_unit_test(all_builds_give_the_same_bits),
        cmocka_unit_test(passes_over_rows_agree_with_a_plain_loop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
