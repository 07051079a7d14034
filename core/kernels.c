/* Compiled once for every vector unit, with FF_KERNELS naming the table (CMakeLists.txt): ff_kernels_baseline,
 * ff_kernels_avx2, ff_kernels_avx512. No contraction of multiply-adds (-ffp-contract=off), no reordering. */
#include "kernels.h"

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

/* --- activations --------------------------------------------------------------------------------------------- */

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

/* --- sums ------------------------------------------------------------------------------------------------------
 */

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

static void add_pair(float *restrict z0, float *restrict z1, const float *restrict w, float x0, float x1, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        z0[i] += x0 * w[i];
        z1[i] += x1 * w[i];
    }
}

static void pixels(float *restrict out, const unsigned char *restrict in, float factor, float offset, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (float)in[i] * factor + offset;
}

/* --- optimizers -------------------------------------------------------------------------------------------------
 */

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

static void update_pair(float *restrict w, float keep, const float *restrict d0, const float *restrict d1, float x0,
                        float x1, size_t n)
{
    for (size_t i = 0; i < n; i++)
        w[i] = keep * w[i] - (x0 * d0[i] + x1 * d1[i]);
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
    .add_pair = add_pair,
    .update_pair = update_pair,
    .pixels = pixels,
};
