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

struct ff_layer *ff_dense_create(const struct ff_plan *plan, uint32_t index, struct ff_error *error);
size_t ff_dense_scratch(const struct ff_layer *layer);

/* Its parameters: the weights, and the bias if there is one. */
uint32_t ff_dense_parameter_tensors(const struct ff_plan *plan, uint32_t layer);
struct ff_tensor_form ff_dense_tensor(const struct ff_plan *plan, uint32_t layer, uint32_t tensor);

#endif
