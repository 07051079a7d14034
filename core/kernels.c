/* Compiled once for every vector unit, with FF_KERNELS naming the table (CMakeLists.txt): ff_kernels_baseline,
 * ff_kernels_avx2, ff_kernels_avx512. No contraction of multiply-adds (-ffp-contract=off), no reordering. */
#include "kernels.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#ifndef FF_KERNELS
#define FF_KERNELS ff_kernels_baseline
#define FF_KERNELS_NAME "baseline"
#endif

enum { LANES = 16 };

/* The sixteen lanes' sum, pairwise: one fixed order for every vector unit. */
static float add_lanes(const float *lanes)
{
    float sum[LANES];

    memcpy(sum, lanes, sizeof sum);
    for (size_t half = LANES / 2; half > 0; half /= 2) {
        for (size_t i = 0; i < half; i++)
            sum[i] += sum[i + half];
    }
    return sum[0];
}

static float sum_of_squares(const float *x, size_t n)
{
    float lanes[LANES] = {0};
    size_t i = 0;

    for (; i + LANES <= n; i += LANES) {
        for (size_t lane = 0; lane < LANES; lane++)
            lanes[lane] += x[i + lane] * x[i + lane];
    }
    for (size_t lane = 0; i + lane < n; lane++)
        lanes[lane] += x[i + lane] * x[i + lane];
    return add_lanes(lanes);
}

/* --- activations --- */

static inline float relu_of(float z)
{
    return z < 0 ? 0 : z; /* this way round, so that NaN passes */
}

/* exp(x) for 0 <= x <= 20, to about 1 ulp: x = k ln 2 + r, a polynomial for e^r, then k into the exponent. The
 * magic number rounds to the nearest whole number in float arithmetic. */
static inline float exp_of(float x)
{
    const float magic = 12582912.0f; /* 1.5 * 2^23 */
    float shifted = x * 1.44269504f + magic, k = shifted - magic;
    float r = (x - k * 0.693359375f) + k * 2.12194440e-4f; /* ln 2 in two parts */
    float p =
        1 +
        r * (1 + r * (0.5f + r * (0.166666667f + r * (0.0416666667f + r * (0.00833333333f + r * 0.00138888889f)))));
    int32_t bits;
    float power;

    memcpy(&bits, &shifted, sizeof bits);
    bits = (int32_t)((uint32_t)(bits + 127) << 23); /* the low bits of `shifted` are k */
    memcpy(&power, &bits, sizeof power);
    return p * power;
}

/* tanh to about 2 ulp: near 0 its Taylor-like odd polynomial would lose to 1 - 2 / (e^2x + 1), and the other way
 * round, so both are computed and one chosen; no branch, so that it vectorizes. */
static inline float tanh_of(float x)
{
    float a = x < 0 ? -x : x, clamped = a > 9 ? 9 : a, s = x * x, far, near;

    far = 1 - 2 / (exp_of(2 * clamped) + 1);
    far = x < 0 ? -far : far;
    near =
        x +
        x * s *
            (-0.333333333f +
             s * (0.133333333f +
                  s * (-0.0539682540f +
                       s * (0.0218694885f + s * (-0.00886323553f + s * (0.00359212803f + s * -0.00145583438f))))));
    return a < 0.4f ? near : far;
}

#define ACTIVATE(name, function)                                                                                   \
    static float name(float *out, const float *in, const float *bias, const float *label, float scale, size_t n)   \
    {                                                                                                              \
        if (label != NULL) {                                                                                       \
            for (size_t i = 0; i < n; i++)                                                                         \
                out[i] = function(in[i] + bias[i] + scale * label[i]);                                             \
        } else {                                                                                                   \
            for (size_t i = 0; i < n; i++)                                                                         \
                out[i] = function(in[i] + bias[i]);                                                                \
        }                                                                                                          \
        return sum_of_squares(out, n);                                                                             \
    }

ACTIVATE(relu, relu_of)
ACTIVATE(tanh_kernel, tanh_of)

static void relu_delta(float *restrict delta, const float *restrict a, float coefficient, size_t n)
{
    for (size_t i = 0; i < n; i++)
        delta[i] = coefficient * a[i]; /* a is 0 where the unit is off */
}

static void tanh_delta(float *restrict delta, const float *restrict a, float coefficient, size_t n)
{
    for (size_t i = 0; i < n; i++)
        delta[i] = coefficient * a[i] * (1 - a[i] * a[i]);
}

/* --- sums --- */

static void add(float *restrict sum, const float *restrict x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum[i] += x[i];
}

static void add_scaled(float *restrict sum, const float *restrict x, float factor, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum[i] += factor * x[i];
}

static void scale(float *x, float factor, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] *= factor;
}

static void pixels(float *restrict out, const unsigned char *restrict in, float factor, float offset, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (float)in[i] * factor + offset;
}

/* --- optimizers --- */

static void sgd(const struct ff_update *update, float *restrict w, const float *restrict g, size_t n)
{
    const float rate = update->rate, keep = update->keep;

    for (size_t i = 0; i < n; i++)
        w[i] = keep * w[i] - rate * g[i];
}

static void momentum(const struct ff_update *update, float *restrict w, float *restrict v, const float *restrict g,
                     size_t n)
{
    const float rate = update->rate, keep = update->keep, mu = update->momentum;

    for (size_t i = 0; i < n; i++) {
        v[i] = mu * v[i] + g[i];
        w[i] = keep * w[i] - rate * v[i];
    }
}

static void adam(const struct ff_update *update, float *restrict w, float *restrict m, float *restrict v,
                 const float *restrict g, size_t n)
{
    const float keep = update->keep, beta1 = update->momentum, beta2 = update->beta2;
    const float fresh1 = update->fresh, fresh2 = update->fresh2;
    const float correction = update->correction, correction2 = update->correction2, epsilon = update->epsilon;

    for (size_t i = 0; i < n; i++) {
        m[i] = beta1 * m[i] + fresh1 * g[i];
        v[i] = beta2 * v[i] + fresh2 * (g[i] * g[i]);
        w[i] = keep * w[i] - correction * m[i] / (__builtin_sqrtf(v[i] * correction2) + epsilon);
    }
}

/* --- one image: passes over rows of weights --- */

/* Sixteen floats: one register, or two, or four. */
typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));

static inline lanes load(const float *from)
{
    lanes value;

    memcpy(&value, from, sizeof value);
    return value;
}

static inline void store(float *to, lanes value)
{
    memcpy(to, &value, sizeof value);
}

enum { GROUP = 4 }; /* rows of weights that go by at once: sums are loaded and stored once for them */

/* Rows from `from` on, `group` of them: what an update or a product does with them. */
struct group {
    float *row[GROUP];
    float x0[GROUP], x1[GROUP];
};

static inline struct group group_of(const struct ff_rows *rows, size_t from, size_t group, float *w, size_t stride)
{
    struct group taken = {0};

    for (size_t g = 0; g < group; g++) {
        taken.row[g] = w + rows->index[from + g] * stride;
        taken.x0[g] = rows->x0[from + g];
        taken.x1[g] = rows->x1[from + g];
    }
    return taken;
}

static inline __attribute__((always_inline)) void
multiply_group(const size_t group, const bool both, const struct group *taken, float *z0, float *z1, size_t n)
{
    size_t j = 0;

    for (; j + LANES <= n; j += LANES) {
        lanes sum0 = load(z0 + j), sum1 = both ? load(z1 + j) : sum0;

        for (size_t g = 0; g < group; g++) {
            lanes weights = load(taken->row[g] + j);

            sum0 += taken->x0[g] * weights;
            if (both)
                sum1 += taken->x1[g] * weights;
        }
        store(z0 + j, sum0);
        if (both)
            store(z1 + j, sum1);
    }
    for (size_t g = 0; g < group && j < n; g++) {
        for (size_t k = j; k < n; k++) {
            z0[k] += taken->x0[g] * taken->row[g][k];
            if (both)
                z1[k] += taken->x1[g] * taken->row[g][k];
        }
    }
}

static inline __attribute__((always_inline)) void multiply_all(const bool both, const struct ff_rows *rows,
                                                               float *z0, float *z1, const float *w, size_t stride,
                                                               size_t n)
{
    size_t i = 0;

    for (; i + GROUP <= rows->count; i += GROUP) {
        struct group taken = group_of(rows, i, GROUP, (float *)(uintptr_t)w, stride);

        multiply_group(GROUP, both, &taken, z0, z1, n);
    }
    for (; i < rows->count; i++) {
        struct group taken = group_of(rows, i, 1, (float *)(uintptr_t)w, stride);

        multiply_group(1, both, &taken, z0, z1, n);
    }
}

static void multiply_rows(const struct ff_rows *rows, float *z0, float *z1, const float *w, size_t stride, size_t n)
{
    if (z1 != NULL)
        multiply_all(true, rows, z0, z1, w, stride, n);
    else
        multiply_all(false, rows, z0, NULL, w, stride, n);
}

/* What is made of the new weights: nothing, one row's product, or both rows'. */
enum again { NOTHING, ONE, BOTH };

/* The vectors that an update works with, besides the weights. */
struct step {
    float keep;
    const float *d0, *d1;
    float *z0, *z1;
};

static inline __attribute__((always_inline)) void update_group(const size_t group, const enum again again,
                                                               const struct group *taken, const struct step *step,
                                                               size_t n)
{
    const float *d0 = step->d0, *d1 = step->d1;
    const float keep = step->keep;
    float *z0 = step->z0, *z1 = step->z1;
    size_t j = 0;

    for (; j + LANES <= n; j += LANES) {
        lanes delta0 = load(d0 + j), delta1 = load(d1 + j);
        lanes sum0 = again != NOTHING ? load(z0 + j) : delta0, sum1 = again == BOTH ? load(z1 + j) : delta1;

        for (size_t g = 0; g < group; g++) {
            lanes weights = keep * load(taken->row[g] + j) - (taken->x0[g] * delta0 + taken->x1[g] * delta1);

            store(taken->row[g] + j, weights);
            if (again != NOTHING)
                sum0 += taken->x0[g] * weights;
            if (again == BOTH)
                sum1 += taken->x1[g] * weights;
        }
        if (again != NOTHING)
            store(z0 + j, sum0);
        if (again == BOTH)
            store(z1 + j, sum1);
    }
    for (size_t g = 0; g < group && j < n; g++) {
        float *restrict row = taken->row[g];

        for (size_t k = j; k < n; k++) {
            row[k] = keep * row[k] - (taken->x0[g] * d0[k] + taken->x1[g] * d1[k]);
            if (again != NOTHING)
                z0[k] += taken->x0[g] * row[k];
            if (again == BOTH)
                z1[k] += taken->x1[g] * row[k];
        }
    }
}

static inline __attribute__((always_inline)) void update_all(const enum again again, const struct ff_rows *rows,
                                                             float *w, size_t stride, const struct step *step,
                                                             size_t n)
{
    size_t i = 0;

    for (; i + GROUP <= rows->count; i += GROUP) {
        struct group taken = group_of(rows, i, GROUP, w, stride);

        update_group(GROUP, again, &taken, step, n);
    }
    for (; i < rows->count; i++) {
        struct group taken = group_of(rows, i, 1, w, stride);

        update_group(1, again, &taken, step, n);
    }
}

static void update_rows(const struct ff_rows *rows, float *w, size_t stride, float keep, const float *d0,
                        const float *d1, float *z0, float *z1, size_t n)
{
    const struct step step = {keep, d0, d1, z0, z1};

    if (z0 == NULL)
        update_all(NOTHING, rows, w, stride, &step, n);
    else if (z1 == NULL)
        update_all(ONE, rows, w, stride, &step, n);
    else
        update_all(BOTH, rows, w, stride, &step, n);
}

const struct ff_kernels FF_KERNELS = {
    .name = FF_KERNELS_NAME,
    .relu = relu,
    .tanh = tanh_kernel,
    .relu_delta = relu_delta,
    .tanh_delta = tanh_delta,
    .add = add,
    .add_scaled = add_scaled,
    .scale = scale,
    .sum_of_squares = sum_of_squares,
    .sgd = sgd,
    .momentum = momentum,
    .adam = adam,
    .multiply_rows = multiply_rows,
    .update_rows = update_rows,
    .pixels = pixels,
};
