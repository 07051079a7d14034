/* dense.h - the fully connected layer: z = x W + b, a = f(z), goodness from the squares of a.
 *
 * W is [inputs][units], row-major. An item of work is a panel of units: one matrix product and what belongs to it
 * while it is in cache. Layer 0 multiplies an *image* once for all its rows and adds each row's label as a row of
 * W; its gradient sums the rows' deltas per image first. With one image a step (the numpy original's way) the
 * weights are passed over row by row instead, inputs that are zero are skipped, and sgd's step and the second
 * forward pass share one pass. */
#ifndef FF_DENSE_H
#define FF_DENSE_H

#include "layer.h"

/* Its parameters: the weights, and the bias if there is one. */
extern const struct ff_layer_kind_methods ff_dense_methods;

#endif
