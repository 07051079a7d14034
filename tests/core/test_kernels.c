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
    const struct ff_rows rows = {2, index, x0, x1, x1, x0};
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
    out[15][2] = k->dot(v.a, v.b, n);
    k->sgd(&u, out[5], v.a, n);
    k->sgd(&u, out[5], v.b, n);
    k->momentum(&u, out[6], out[7], v.a, n);
    k->momentum(&u, out[6], out[7], v.b, n);
    k->adam(&u, out[8], out[9], out[10], v.a, n);
    k->adam(&u, out[8], out[9], out[10], v.b, n);
    k->pass_rows(&rows, v.d, 0, NULL, out[11], out[12], n);
    k->pass_rows(&rows, out[11], 0, &(struct ff_due){0.99f, v.b, v.c}, NULL, NULL, n);
    k->pass_rows(&rows, out[14], 0, &(struct ff_due){1, v.b, NULL}, out[12], NULL, n);
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

/* A matrix of ROWS x MOST, of which some rows meet an input: enough for a group of rows and for single ones. */
enum { ROWS = 15, MET = 11 };

struct met {
    uint32_t index[MET];
    float x0[MET], x1[MET], y0[MET], y1[MET];
};

static void fill_met(struct met *met)
{
    for (uint32_t i = 0; i < MET; i++) {
        met->index[i] = i + i / 3; /* rows 3, 7 and 11 meet nothing */
        met->x0[i] = (float)i * 0.25f - 1;
        met->x1[i] = i % 3 == 0 ? 0 : 1.5f - (float)i * 0.5f;
        met->y0[i] = i % 4 == 1 ? 0 : (float)i * 0.125f;
        met->y1[i] = 1 - (float)i * 0.25f;
    }
}

/* One pass over n columns against a plain loop in double. */
static void check_pass(const struct ff_kernels *kernels, size_t n, bool both, bool update, float keep,
                       bool multiply)
{
    float w[ROWS * MOST], before[ROWS * MOST], z0[MOST], z1[MOST];
    bool is_met[ROWS] = {false};
    struct vectors v;
    struct met met;

    fill(&v, 50);
    fill_met(&met);
    ff_random_normal(3, FF_RANDOM_WEIGHTS, 9, 0, ROWS * MOST, 1, w);
    memcpy(before, w, sizeof w);
    memcpy(z0, v.c, sizeof z0);
    memcpy(z1, v.d, sizeof z1);
    kernels->pass_rows(&(struct ff_rows){MET, met.index, met.x0, met.x1, met.y0, met.y1}, w, MOST,
                       update ? &(struct ff_due){keep, v.a, both ? v.b : NULL} : NULL, multiply ? z0 : NULL,
                       multiply && both ? z1 : NULL, n);
    for (size_t i = 0; i < MET; i++)
        is_met[met.index[i]] = true;
    for (size_t j = 0; j < n; j++) {
        double sum0 = (double)v.c[j], sum1 = (double)v.d[j];

        for (size_t i = 0; i < MET; i++) {
            double weight = (double)before[met.index[i] * MOST + j];

            if (update)
                weight = (double)keep * weight - (double)met.x0[i] * (double)v.a[j] -
                         (both ? (double)met.x1[i] * (double)v.b[j] : 0);
            sum0 += (double)met.y0[i] * weight;
            sum1 += (double)met.y1[i] * weight;
            assert_near((double)w[met.index[i] * MOST + j], weight, 2e-6);
        }
        assert_near((double)z0[j], multiply ? sum0 : (double)v.c[j], 5e-6);
        assert_near((double)z1[j], multiply && both ? sum1 : (double)v.d[j], 5e-6);
    }
    for (size_t i = 0; i < ROWS * MOST; i++) { /* nothing beside the rows and columns meant */
        if (!update || !is_met[i / MOST] || i % MOST >= n)
            assert_true(w[i] == before[i]);
    }
}

static void a_pass_over_rows_agrees_with_a_plain_loop(void **state)
{
    size_t count;
    const struct ff_kernels *const *all = ff_kernels_all(&count);

    (void)state;
    for (size_t k = 0; k < count; k++) {
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
            for (int both = 0; both < 2; both++) {
                check_pass(all[k], sizes[s], both, false, 1, true);
                check_pass(all[k], sizes[s], both, true, 1, false);
                check_pass(all[k], sizes[s], both, true, 0.9f, false);
                check_pass(all[k], sizes[s], both, true, 1, true);
                check_pass(all[k], sizes[s], both, true, 0.9f, true);
            }
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
        cmocka_unit_test(a_pass_over_rows_agrees_with_a_plain_loop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
