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

/* Inputs of one pair that are not both zero. */
struct ff_rows {
    size_t count;
    const uint32_t *index; /* [count] */
    const float *x0, *x1;  /* [count] */
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
    float (*sum_of_squares)(const float *x, size_t n);

    /* One step of n parameters w with gradient g; states start at 0 (formulas: optimizer.h). */
    void (*sgd)(const struct ff_update *update, float *w, const float *g, size_t n);
    void (*momentum)(const struct ff_update *update, float *w, float *v, const float *g, size_t n);
    void (*adam)(const struct ff_update *update, float *w, float *m, float *v, const float *g, size_t n);

    /* Batches of one image, where passing over the weights is what costs. Row index[i] of w (rows `stride` floats
     * apart) is met by the input x0[i] of one row and x1[i] of the other; inputs that are zero are not in the list.
     * All n columns.
     *
     * multiply_rows: z0 += sum over i of x0[i] * w[index[i]], z1 the same with x1 (z1 NULL: only z0). */
    void (*multiply_rows)(const struct ff_rows *rows, float *z0, float *z1, const float *w, size_t stride,
                          size_t n);
    /* update_rows: w[index[i]] = keep * w[index[i]] - (x0[i] * d0 + x1[i] * d1), sgd with the rate within d0 and
     * d1; then, where z0 is not NULL, what multiply_rows does with the new weights, while they are in registers. */
    void (*update_rows)(const struct ff_rows *rows, float *w, size_t stride, float keep, const float *d0,
                        const float *d1, float *z0, float *z1, size_t n);

    /* out[i] = in[i] * scale + offset: pixels to floats. */
    void (*pixels)(float *out, const unsigned char *in, float scale, float offset, size_t n);
};

/* The widest that this processor runs. */
const struct ff_kernels *ff_kernels(void);

/* All that were built and that this processor runs, baseline first; for the tests. */
const struct ff_kernels *const *ff_kernels_all(size_t *count);

#endif
