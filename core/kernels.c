/* Compiled once for every vector unit, with FF_KERNELS naming the table (CMakeLists.txt): ff_kernels_baseline,
 * ff_kernels_avx2, ff_kernels_avx512. No contraction of multiply-adds (-ffp-contract=off), no reordering. */
#include "kernels.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "activation.h"

#ifndef FF_KERNELS
#define FF_KERNELS ff_kernels_baseline
#define FF_COLUMN_KERNELS ff_column_kernels_baseline
#define FF_KERNELS_NAME "baseline"
#endif

extern const struct ff_column_kernels FF_COLUMN_KERNELS; /* column_kernels.c */

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

static float dot(const float *x, const float *y, size_t n)
{
    float lanes[LANES] = {0};
    size_t i = 0;

    for (; i + LANES <= n; i += LANES) {
        for (size_t lane = 0; lane < LANES; lane++)
            lanes[lane] += x[i + lane] * y[i + lane];
    }
    for (size_t lane = 0; i + lane < n; lane++)
        lanes[lane] += x[i + lane] * y[i + lane];
    return add_lanes(lanes);
}

/* --- activations --- */

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
        return dot(out, out, n);                                                                                   \
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

static void multiply(float *restrict x, const float *restrict y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] *= y[i];
}

static void approach(float *restrict x, const float *restrict goal, float share, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] += share * (goal[i] - x[i]);
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

/* --- one image: a pass over rows of weights --- */

/* A register of this vector unit, and rows that go by at once: sums and deltas are loaded once for them. */
#if defined(__AVX512F__)
enum { WIDTH = 16, GROUP = 8 };
#elif defined(__AVX__)
enum { WIDTH = 8, GROUP = 4 };
#else
enum { WIDTH = 4, GROUP = 4 };
#endif

typedef float vector __attribute__((vector_size(WIDTH * sizeof(float))));

static inline vector load(const float *from)
{
    vector value;

    /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): `doing` says which arrays there are */
    memcpy(&value, from, sizeof value);
    return value;
}

static inline void store(float *to, vector value)
{
    memcpy(to, &value, sizeof value);
}

/* What a pass does, known when it is compiled. */
struct doing {
    bool both;          /* two rows, or one */
    bool update, decay; /* the step that is due; with keep other than 1 */
    bool multiply;
};

static inline __attribute__((always_inline)) void pass_group(const struct doing doing, const size_t group,
                                                             const struct ff_rows *rows, size_t from, float *w,
                                                             size_t stride, const struct ff_due *due, float *z0,
                                                             float *z1, size_t n)
{
    const float *d0 = doing.update ? due->d0 : NULL, *d1 = doing.update ? due->d1 : NULL;
    const float keep = doing.decay ? due->keep : 1;
    float *row[GROUP], x0[GROUP], x1[GROUP], y0[GROUP], y1[GROUP];
    size_t j = 0;

    for (size_t g = 0; g < group; g++) {
        row[g] = w + rows->index[from + g] * stride;
        x0[g] = doing.update ? rows->x0[from + g] : 0;
        x1[g] = doing.update && doing.both ? rows->x1[from + g] : 0;
        y0[g] = doing.multiply ? rows->y0[from + g] : 0;
        y1[g] = doing.multiply && doing.both ? rows->y1[from + g] : 0;
    }
    for (; j + WIDTH <= n; j += WIDTH) {
        vector delta0 = {0}, delta1 = {0}, sum0 = {0}, sum1 = {0};

        if (doing.update)
            delta0 = load(d0 + j);
        if (doing.update && doing.both)
            delta1 = load(d1 + j);
        if (doing.multiply)
            sum0 = load(z0 + j);
        if (doing.multiply && doing.both)
            sum1 = load(z1 + j);
        for (size_t g = 0; g < group; g++) {
            vector weights = load(row[g] + j);

            if (doing.update) {
                vector gradient = x0[g] * delta0;

                if (doing.both)
                    gradient += x1[g] * delta1;
                if (doing.decay)
                    weights *= keep;
                weights -= gradient;
                store(row[g] + j, weights);
            }
            if (doing.multiply)
                sum0 += y0[g] * weights;
            if (doing.multiply && doing.both)
                sum1 += y1[g] * weights;
        }
        if (doing.multiply)
            store(z0 + j, sum0);
        if (doing.multiply && doing.both)
            store(z1 + j, sum1);
    }
    for (size_t g = 0; g < group; g++) {
        for (size_t k = j; k < n; k++) {
            if (doing.update)
                row[g][k] = keep * row[g][k] - (doing.both ? x0[g] * d0[k] + x1[g] * d1[k] : x0[g] * d0[k]);
            if (doing.multiply)
                z0[k] += y0[g] * row[g][k];
            if (doing.multiply && doing.both)
                /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): `doing` says that there is z1 */
                z1[k] += y1[g] * row[g][k];
        }
    }
}

static inline __attribute__((always_inline)) void pass(const struct doing doing, const struct ff_rows *rows,
                                                       float *w, size_t stride, const struct ff_due *due, float *z0,
                                                       float *z1, size_t n)
{
    size_t i = 0;

    for (; i + GROUP <= rows->count; i += GROUP)
        pass_group(doing, GROUP, rows, i, w, stride, due, z0, z1, n);
    for (; i < rows->count; i++)
        pass_group(doing, 1, rows, i, w, stride, due, z0, z1, n);
}

static inline __attribute__((always_inline)) void pass_rows_of(const bool both, const struct ff_rows *rows,
                                                               float *w, size_t stride, const struct ff_due *due,
                                                               float *z0, float *z1, size_t n)
{
    bool decay = due != NULL && due->keep != 1;

    if (due == NULL)
        pass((struct doing){both, false, false, true}, rows, w, stride, NULL, z0, z1, n);
    else if (z0 == NULL && !decay)
        pass((struct doing){both, true, false, false}, rows, w, stride, due, NULL, NULL, n);
    else if (z0 == NULL)
        pass((struct doing){both, true, true, false}, rows, w, stride, due, NULL, NULL, n);
    else if (!decay)
        pass((struct doing){both, true, false, true}, rows, w, stride, due, z0, z1, n);
    else
        pass((struct doing){both, true, true, true}, rows, w, stride, due, z0, z1, n);
}

static void pass_rows(const struct ff_rows *rows, float *w, size_t stride, const struct ff_due *due, float *z0,
                      float *z1, size_t n)
{
    if (z1 != NULL || (due != NULL && due->d1 != NULL))
        pass_rows_of(true, rows, w, stride, due, z0, z1, n);
    else
        pass_rows_of(false, rows, w, stride, due, z0, z1, n);
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
    .multiply = multiply,
    .dot = dot,
    .approach = approach,
    .sgd = sgd,
    .momentum = momentum,
    .adam = adam,
    .pass_rows = pass_rows,
    .pixels = pixels,
    .columns = &FF_COLUMN_KERNELS,
};
