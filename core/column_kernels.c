/* Compiled once for every vector unit, like kernels.c. */
#include "column_kernels.h"

#include <stdbool.h>

#include "activation.h"

/* Of the loop that follows: no pass writes what another one reads. */
#ifdef __clang__
#define INDEPENDENT_PLACES _Pragma("clang loop vectorize(assume_safety)")
#else
#define INDEPENDENT_PLACES _Pragma("GCC ivdep")
#endif

#ifndef FF_COLUMN_KERNELS
#define FF_COLUMN_KERNELS ff_column_kernels_baseline
#endif

/* Columns that go down the rows together, with their sums and factors in registers. */
enum { BLOCK = 16 };

/* Call `body(first, count)` for blocks of columns, the count being known when it is compiled where it is whole. */
#define BY_BLOCKS(n, body)                                                                                         \
    do {                                                                                                           \
        size_t first = 0;                                                                                          \
        for (; first + BLOCK <= (n); first += BLOCK)                                                               \
            body(first, BLOCK);                                                                                    \
        if (first + BLOCK / 2 <= (n)) {                                                                            \
            body(first, BLOCK / 2);                                                                                \
            first += BLOCK / 2;                                                                                    \
        }                                                                                                          \
        if (first < (n))                                                                                           \
            body(first, (n)-first);                                                                                \
    } while (false)

#define INLINE static inline __attribute__((always_inline))

/* --- sums --- */

INLINE void sum_block(float *sum, const float *x, size_t stride, size_t rows, const size_t count)
{
    float sums[BLOCK];

    memcpy(sums, sum, count * sizeof *sums);
    for (size_t row = 0; row < rows; row++) {
        for (size_t c = 0; c < count; c++)
            sums[c] += x[row * stride + c];
    }
    memcpy(sum, sums, count * sizeof *sums);
}

static void sum(float *sums, const float *x, size_t stride, size_t rows, size_t n)
{
#define BODY(first, count) sum_block(sums + (first), x + (first), stride, rows, count)
    BY_BLOCKS(n, BODY);
#undef BODY
}

INLINE void spread_block(float *sum, const float *x, size_t stride, const float *mean, size_t rows,
                         const size_t count)
{
    float sums[BLOCK];

    memcpy(sums, sum, count * sizeof *sums);
    for (size_t row = 0; row < rows; row++) {
        for (size_t c = 0; c < count; c++) {
            float difference = x[row * stride + c] - mean[c];

            sums[c] += difference * difference;
        }
    }
    memcpy(sum, sums, count * sizeof *sums);
}

static void spread(float *sums, const float *x, size_t stride, const float *mean, size_t rows, size_t n)
{
#define BODY(first, count) spread_block(sums + (first), x + (first), stride, mean + (first), rows, count)
    BY_BLOCKS(n, BODY);
#undef BODY
}

/* --- activations --- */

INLINE float value_of(const bool relu, float y)
{
    return relu ? relu_of(y) : tanh_of(y);
}

/* a f'(a) */
INLINE float slope_of(const bool relu, float a)
{
    return relu ? a : a * (1 - a * a);
}

struct block {
    const float *shift, *scale;
    float *squares, *slopes, *tilts;
};

INLINE void activate_block(const bool relu, const bool slopes, float *out, size_t out_stride, const float *z,
                           size_t stride, const struct block *block, size_t rows, const size_t count)
{
    float squares[BLOCK], slope_sums[BLOCK], tilts[BLOCK], shift[BLOCK], scale[BLOCK];

    memcpy(shift, block->shift, count * sizeof *shift);
    memcpy(scale, block->scale, count * sizeof *scale);
    memcpy(squares, block->squares, count * sizeof *squares);
    if (slopes) {
        memcpy(slope_sums, block->slopes, count * sizeof *slope_sums);
        memcpy(tilts, block->tilts, count * sizeof *tilts);
    }
    for (size_t row = 0; row < rows; row++) {
        INDEPENDENT_PLACES
        for (size_t c = 0; c < count; c++) {
            float y = (z[row * stride + c] - shift[c]) * scale[c], a = value_of(relu, y);

            out[row * out_stride + c] = a;
            squares[c] += a * a;
            if (slopes) {
                slope_sums[c] += slope_of(relu, a);
                tilts[c] += slope_of(relu, a) * y;
            }
        }
    }
    memcpy(block->squares, squares, count * sizeof *squares);
    if (slopes) {
        memcpy(block->slopes, slope_sums, count * sizeof *slope_sums);
        memcpy(block->tilts, tilts, count * sizeof *tilts);
    }
}

INLINE void activate(const bool relu, const bool slopes, float *out, size_t out_stride, const float *z,
                     size_t stride, const struct ff_column_scale *scale, const struct ff_column_sums *sums,
                     size_t rows, size_t n)
{
#define BODY(first, count)                                                                                         \
    activate_block(relu, slopes, out + (first), out_stride, z + (first), stride,                                   \
                   &(struct block){scale->shift + (first), scale->scale + (first), sums->squares + (first),        \
                                   slopes ? sums->slopes + (first) : NULL, slopes ? sums->tilts + (first) : NULL}, \
                   rows, count)
    BY_BLOCKS(n, BODY);
#undef BODY
}

#define ACTIVATE(name, is_relu)                                                                                    \
    static void name(float *out, size_t out_stride, const float *z, size_t stride,                                 \
                     const struct ff_column_scale *scale, const struct ff_column_sums *sums, size_t rows,          \
                     size_t n)                                                                                     \
    {                                                                                                              \
        if (sums->slopes != NULL)                                                                                  \
            activate(is_relu, true, out, out_stride, z, stride, scale, sums, rows, n);                             \
        else                                                                                                       \
            activate(is_relu, false, out, out_stride, z, stride, scale, sums, rows, n);                            \
    }

ACTIVATE(relu, true)
ACTIVATE(tanh_columns, false)

INLINE void gradient_block(const bool relu, float *dz, size_t dz_stride, const float *z, size_t stride,
                           const struct ff_column_scale *scales, const struct ff_column_gradient *gradient,
                           size_t first, size_t rows, const size_t count)
{
    float shift[BLOCK], scale[BLOCK], coefficient[BLOCK], pull[BLOCK], tilt[BLOCK];

    memcpy(shift, scales->shift + first, count * sizeof *shift);
    memcpy(scale, scales->scale + first, count * sizeof *scale);
    memcpy(coefficient, gradient->coefficient + first, count * sizeof *coefficient);
    memcpy(pull, gradient->pull + first, count * sizeof *pull);
    memcpy(tilt, gradient->tilt + first, count * sizeof *tilt);
    for (size_t row = 0; row < rows; row++) {
        INDEPENDENT_PLACES
        for (size_t c = 0; c < count; c++) {
            float y = (z[row * stride + c] - shift[c]) * scale[c], a = value_of(relu, y);

            dz[row * dz_stride + c] = scale[c] * (coefficient[c] * slope_of(relu, a) - pull[c] - tilt[c] * y);
        }
    }
}

#define GRADIENT(name, is_relu)                                                                                    \
    static void name(float *dz, size_t dz_stride, const float *z, size_t stride,                                   \
                     const struct ff_column_scale *scale, const struct ff_column_gradient *gradient, size_t rows,  \
                     size_t n)                                                                                     \
    {                                                                                                              \
        BY_BLOCKS(n, BODY);                                                                                        \
    }

#define BODY(first, count)                                                                                         \
    gradient_block(true, dz + (first), dz_stride, z + (first), stride, scale, gradient, first, rows, count)
GRADIENT(relu_gradient, true)
#undef BODY
#define BODY(first, count)                                                                                         \
    gradient_block(false, dz + (first), dz_stride, z + (first), stride, scale, gradient, first, rows, count)
GRADIENT(tanh_gradient, false)
#undef BODY

/* --- pooling --- */

/* Whether b comes before a as the largest: equals stay with the first, and NaN is the largest. */
INLINE bool above(float b, float a)
{
    return (b > a) | (b != b);
}

INLINE void pool_block(float *out, uint8_t *which, const float *upper, const float *lower, size_t n,
                       const size_t count)
{
    INDEPENDENT_PLACES
    for (size_t c = 0; c < count; c++) {
        float best = upper[c];
        uint32_t place = 0;

        place = above(upper[n + c], best) ? 1 : place;
        best = above(upper[n + c], best) ? upper[n + c] : best;
        place = above(lower[c], best) ? 2 : place;
        best = above(lower[c], best) ? lower[c] : best;
        place = above(lower[n + c], best) ? 3 : place;
        best = above(lower[n + c], best) ? lower[n + c] : best;
        out[c] = best;
        if (which != NULL)
            which[c] = (uint8_t)place;
    }
}

static void pool(float *out, uint8_t *which, const float *upper, const float *lower, size_t count, size_t n)
{
    for (size_t i = 0; i < count; i++, out += n, upper += 2 * n, lower += 2 * n) {
#define WITH(first, columns)                                                                                       \
    pool_block(out + (first), which + (first), upper + (first), lower + (first), n, columns)
#define WITHOUT(first, columns) pool_block(out + (first), NULL, upper + (first), lower + (first), n, columns)
        if (which != NULL) {
            BY_BLOCKS(n, WITH);
            which += n;
        } else {
            BY_BLOCKS(n, WITHOUT);
        }
#undef WITH
#undef WITHOUT
    }
}

/* Vectors in so many words: out of bytes and floats side by side the compiler makes none. */
#define UNPOOL(name, width)                                                                                        \
    INLINE void name(float *upper, float *lower, const float *in, const uint8_t *which, size_t n)                  \
    {                                                                                                              \
        typedef uint8_t bytes __attribute__((vector_size(width)));                                                 \
        typedef int32_t words __attribute__((vector_size((width) * sizeof(int32_t))));                             \
        float *const out[4] = {upper, upper + n, lower, lower + n};                                                \
        bytes narrow;                                                                                              \
        words values, places;                                                                                      \
                                                                                                                   \
        memcpy(&narrow, which, sizeof narrow);                                                                     \
        memcpy(&values, in, sizeof values);                                                                        \
        places = __builtin_convertvector(narrow, words);                                                           \
        for (int place = 0; place < 4; place++) {                                                                  \
            words kept = values & (places == place);                                                               \
                                                                                                                   \
            memcpy(out[place], &kept, sizeof kept);                                                                \
        }                                                                                                          \
    }

UNPOOL(unpool_wide, BLOCK)
UNPOOL(unpool_half, BLOCK / 2)

INLINE void unpool_block(float *upper, float *lower, const float *in, const uint8_t *which, size_t n,
                         const size_t count)
{
    float *const out[4] = {upper, upper + n, lower, lower + n};

    if (count == BLOCK)
        unpool_wide(upper, lower, in, which, n);
    else if (count == BLOCK / 2)
        unpool_half(upper, lower, in, which, n);
    else
        for (size_t c = 0; c < count; c++) {
            for (int place = 0; place < 4; place++)
                out[place][c] = which[c] == place ? in[c] : 0;
        }
}

static void unpool(float *upper, float *lower, const float *in, const uint8_t *which, size_t count, size_t n)
{
    for (size_t i = 0; i < count; i++, upper += 2 * n, lower += 2 * n, in += n, which += n) {
#define BODY(first, columns)                                                                                       \
    unpool_block(upper + (first), lower + (first), in + (first), which + (first), n, columns)
        BY_BLOCKS(n, BODY);
#undef BODY
    }
}

extern const struct ff_column_kernels FF_COLUMN_KERNELS;
const struct ff_column_kernels FF_COLUMN_KERNELS = {
    .sum = sum,
    .spread = spread,
    .relu = relu,
    .tanh = tanh_columns,
    .relu_gradient = relu_gradient,
    .tanh_gradient = tanh_gradient,
    .pool = pool,
    .unpool = unpool,
};
