/* linear.h - a linear map with a bias, z = x W + b, that learns from dloss / dz: what the read-out and the layers
 * of the backpropagation baseline have in common.
 *
 * W is [inputs][units]. An item of work is a panel of units, or, on the way back, a block of inputs; both are cut
 * by shape alone. One message is in it at a time. */
#ifndef FF_LINEAR_H
#define FF_LINEAR_H

#include "layer.h"

struct ff_linear {
    struct ff_layer layer;
    uint32_t panel, panels; /* units of a panel (the last may be narrower), and how many */
    float *weights, *bias, *weight_state[2], *bias_state[2];
    float *average_weights,
        *average_bias; /* what is evaluated with; the weights and bias themselves where none are kept */
    bool train_bias;   /* else the bias stays 0 and is no tensor */

    /* Of the message at hand. */
    uint32_t rows;
    const float *x; /* [rows][inputs] */
    float *z;       /* [rows][units] x W; the bias is added by whoever goes on with it */
    float *delta;   /* [rows][units] dloss / dz, over the number of images */
    float *dx;      /* [rows][inputs] */
};

/* Begin a layer of all zeros: its tensors, weights drawn with `deviation` (0: zeros). False: memory is short. */
bool ff_linear_start(struct ff_linear *linear, const struct ff_layer_kind_methods *kind, const struct ff_plan *plan,
                     uint32_t index, double deviation);
void ff_linear_end(struct ff_linear *linear); /* frees all but the struct */

/* The bias that the message at hand meets: the average where it does not train. */
const float *ff_linear_bias(const struct ff_linear *linear);

/* Items of work, by the stage's team: x W of all rows, with the averages where the message does not train; dx, from
 * the weights before their step; the step. */
void ff_linear_forward(struct ff_linear *linear);
void ff_linear_back(struct ff_linear *linear);
void ff_linear_step(struct ff_linear *linear);

/* For the table of a kind. */
uint32_t ff_linear_parameter_tensors(const struct ff_plan *plan, uint32_t layer);
struct ff_tensor_form ff_linear_tensor(const struct ff_plan *plan, uint32_t layer, uint32_t tensor);
size_t ff_linear_scratch(const struct ff_layer *layer);

#endif
