/* kernels.h - the passes over rows of floats that are not matrix products.
 *
 * Every kernel is plain C, compiled several times from kernels.c for different vector units; ff_kernels() gives the
 * widest that this processor has. All give the same bits: operations are element by element, sums run in sixteen
 * lanes that are added in one fixed order, and multiply-adds are never contracted. Pure functions; any thread may
 * call. */
#ifndef FF_KERNELS_H
#define FF_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "column_kernels.h"

/* An optimizer's step: what optimizer.h works out from settings and the step's number. */
struct ff_update {
    float rate;     /* learning rate, times the schedule's factor */
    float keep;     /* 1 - rate * weight decay: what is left of a weight before the step; of biases 1 */
    float momentum; /* also Adam's first beta */
    float beta2;
    float fresh, fresh2; /* Adam: 1 - momentum, 1 - beta2, subtracted in double */
    float correction;    /* Adam: rate / (1 - momentum^t) */
    float correction2;   /* Adam: 1 / (1 - beta2^t) */
    float epsilon;
};

/* Rows of weights that a pass goes over, in the order of their index: what they met in the step that is due, and
 * what they meet now; for both rows of a pair. */
struct ff_rows {
    size_t count;
    const uint32_t *index; /* [count] */
    const float *x0, *x1;  /* [count] of the step that is due */
    const float *y0, *y1;  /* [count] now */
};

/* A step of sgd with one pair: w = keep * w - (x0 d0 + x1 d1), the rate within d0 and d1. */
struct ff_due {
    float keep;
    const float *d0, *d1; /* [n]; d1 NULL: both rows show the same, and d0 is their sum */
};

struct ff_kernels {
    const char *name; /* "baseline", "avx2", "avx512" */

    /* out[i] = f(in[i] + bias[i] + scale * label[i]) with f = relu or tanh; returns the sum of out[i]^2. label
     * NULL: none. out may be in. NaN passes through both. */
    float (*relu)(float *out, const float *in, const float *bias, const float *label, float scale, size_t n);
    float (*tanh)(float *out, const float *in, const float *bias, const float *label, float scale, size_t n);

    /* delta[i] = coefficient * a[i] * f'(a[i]), f' as a function of the value a: the gradient of a square, passed
     * through the activation. */
    void (*relu_delta)(float *delta, const float *a, float coefficient, size_t n);
    void (*tanh_delta)(float *delta, const float *a, float coefficient, size_t n);

    void (*add)(float *sum, const float *x, size_t n);                      /* sum[i] += x[i] */
    void (*add_scaled)(float *sum, const float *x, float factor, size_t n); /* sum[i] += factor * x[i] */
    void (*scale)(float *x, float factor, size_t n);                        /* x[i] *= factor */
    void (*multiply)(float *x, const float *y, size_t n);                   /* x[i] *= y[i] */
    float (*dot)(const float *x, const float *y, size_t n);                 /* sum of x[i] * y[i] */

    void (*approach)(float *x, const float *goal, float share, size_t n); /* x[i] += share * (goal[i] - x[i]) */

    /* One step of n parameters w with gradient g; states start at 0 (formulas: optimizer.h). */
    void (*sgd)(const struct ff_update *update, float *w, const float *g, size_t n);
    void (*momentum)(const struct ff_update *update, float *w, float *v, const float *g, size_t n);
    void (*adam)(const struct ff_update *update, float *w, float *m, float *v, const float *g, size_t n);

    /* One pair a step, where passing over the weights is what costs: rows of n columns, `stride` floats apart, take
     * the step that is due (NULL: none), and then z0 += y0[i] * row i, z1 += y1[i] * row i (z1 NULL: both rows show
     * the same; z0 NULL too: no product). */
    void (*pass_rows)(const struct ff_rows *rows, float *w, size_t stride, const struct ff_due *due, float *z0,
                      float *z1, size_t n);

    /* out[i] = in[i] * scale + offset: pixels to floats. */
    void (*pixels)(float *out, const unsigned char *in, float scale, float offset, size_t n);

    const struct ff_column_kernels *columns; /* column_kernels.h: passes over matrices */
};

/* The widest that this processor runs. */
const struct ff_kernels *ff_kernels(void);

/* All that were built and that this processor runs, baseline first; for the tests. */
const struct ff_kernels *const *ff_kernels_all(size_t *count);

#endif
