/* optimizer.h - from a mean gradient g to a step of the parameters w.
 *
 *     decay      w = w - rate * weight_decay * w
 *     sgd        w -= rate * g
 *     momentum   v = momentum * v + g
 *                w -= rate * v
 *     adam       m = beta1 m + (1 - beta1) g
 *                v = beta2 v + (1 - beta2) g^2
 *                w -= rate * (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon)
 *
 * Decay is decoupled (Loshchilov and Hutter 2019): before the step, and not of biases. Adam is Kingma and Ba's
 * (2015), with t = 1 at the first step.
 *
 * States start at 0. It works on any stretch of parameters, so that a layer updates a panel while it is in cache.
 */
#ifndef FF_OPTIMIZER_H
#define FF_OPTIMIZER_H

#include "config.h"
#include "kernels.h"

/* How many arrays of state an optimizer keeps for every array of parameters: 0, 1 or 2. */
unsigned ff_optimizer_states(enum ff_optimizer_id optimizer);

/* What a state is called in files and answers: "momentum", or "mean" and "square". */
const char *ff_optimizer_state_name(enum ff_optimizer_id optimizer, unsigned state);

/* The step of one layer: `factor` is the schedule's, `step` counts from 1. */
struct ff_update ff_optimizer_update(const struct ff_config *config, uint32_t layer, double factor, uint64_t step);

/* The same with a learning rate of its own, the schedule's factor within it. */
struct ff_update ff_optimizer_update_at(const struct ff_config *config, double rate, uint64_t step);

/* Update n parameters w from their gradient g. `state`: the arrays' stretches, as many as ff_optimizer_states says.
 */
void ff_optimizer_apply(enum ff_optimizer_id optimizer, const struct ff_kernels *kernels,
                        const struct ff_update *update, float *w, float *const state[2], const float *g, size_t n);

#endif
