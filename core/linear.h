/* linear.h - a linear map with a bias, z = x W + b, that learns from dloss / dz: what the read-out and the layers
 * of the backpropagation baseline have in common.
 *
 * W is [inputs][units], kept by panels (panels.h). An item of work is a panel, or, on the way back, a block of
 * inputs; both are cut by shape alone. One message is in it at a time. */
#ifndef FF_LINEAR_H
#define FF_LINEAR_H

#include "panels.h"

struct ff_linear {
    struct ff_layer layer;

    /* Of the message at hand. */
    uint32_t rows;
    const float *x; /* [rows][inputs] */
    float *z;       /* [rows][units] x W; the bias is added by whoever goes on with it */
    float *delta;   /* [rows][units] dloss / dz, over the number of images */
    float *dx;      /* [rows][inputs] */
};

/* The bias that the message at hand meets: the average where it does not train. */
const float *ff_linear_bias(const struct ff_linear *linear);

/* Items of work, by the stage's team: x W of all rows, with the averages where the message does not train; dx, from
 * the weights before their step; the step. */
void ff_linear_forward(struct ff_linear *linear);
void ff_linear_back(struct ff_linear *linear);
void ff_linear_step(struct ff_linear *linear);

/* Floats of scratch that a worker needs: for the table of a kind. */
size_t ff_linear_scratch(const struct ff_layer *layer);

#endif
