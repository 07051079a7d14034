/* column_kernels.h - passes over matrices whose columns are units and whose rows are places: positions of a
 * convolution's images, or the rows of a batch.
 *
 * Like kernels.h: plain C, compiled for several vector units, the same bits on all; sums run down the rows in
 * order. Matrices are [rows][n], their rows `stride` floats apart. Pure functions; any thread may call. */
#ifndef FF_COLUMN_KERNELS_H
#define FF_COLUMN_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/* A place's number before the activation becomes y = (z - shift) * scale; each [n]. */
struct ff_column_scale {
    const float *shift, *scale;
};

/* What activating adds up, each [n]: a^2; and, both or none (NULL), a f'(a) and a f'(a) y. */
struct ff_column_sums {
    float *squares, *slopes, *tilts;
};

/* dz = scale * (coefficient * a f'(a) - pull - tilt * y): the gradient of squares through an activation, and, where
 * shift and scale come from the batch itself, through those (Ioffe and Szegedy 2015). Each [n]. */
struct ff_column_gradient {
    const float *coefficient, *pull, *tilt;
};

struct ff_column_kernels {
    void (*sum)(float *sum, const float *x, size_t stride, size_t rows, size_t n); /* sum[c] += x[r][c] */
    /* sum[c] += (x[r][c] - mean[c])^2 */
    void (*spread)(float *sum, const float *x, size_t stride, const float *mean, size_t rows, size_t n);

    /* out = f(y), out_stride floats a row; f is relu or tanh. out may be z. NaN passes. */
    void (*relu)(float *out, size_t out_stride, const float *z, size_t stride, const struct ff_column_scale *scale,
                 const struct ff_column_sums *sums, size_t rows, size_t n);
    void (*tanh)(float *out, size_t out_stride, const float *z, size_t stride, const struct ff_column_scale *scale,
                 const struct ff_column_sums *sums, size_t rows, size_t n);
    void (*relu_gradient)(float *dz, size_t dz_stride, const float *z, size_t stride,
                          const struct ff_column_scale *scale, const struct ff_column_gradient *gradient,
                          size_t rows, size_t n);
    void (*tanh_gradient)(float *dz, size_t dz_stride, const float *z, size_t stride,
                          const struct ff_column_scale *scale, const struct ff_column_gradient *gradient,
                          size_t rows, size_t n);

    /* The largest of every two by two places of two rows of an image, [2 * count][n] each: out [count][n]; which of
     * the four it was, 0 to 3 (the first of equals), [count][n], NULL: nobody asks. NaN is the largest. */
    void (*pool)(float *out, uint8_t *which, const float *upper, const float *lower, size_t count, size_t n);
    /* Back: every number to its place of the four, 0 to the others. */
    void (*unpool)(float *upper, float *lower, const float *in, const uint8_t *which, size_t count, size_t n);
};

#endif
