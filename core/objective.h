/* objective.h - from a pair's two goodnesses to its loss and the loss's derivatives: the local gradient of one
 * layer.
 *
 *   logistic  softplus((threshold - g+) / T) + softplus((g- - threshold) / T)      Hinton 2022, section 2.1: the
 *             probability that data are positive is sigmoid((g - threshold) / T)
 *   symba     softplus(-alpha (g+ - g-))                                            Lee and Song 2023, "SymBa"
 *   gap       g- - g+                                                                the numpy original: no bound
 *
 * With class groups a layer's units are divided among the classes, and an image has a goodness of every class:
 *
 *   cross entropy of softmax(g / T) with the label      the label's own group is positive, all others negative
 *
 * Pure functions; any thread may call. */
#ifndef FF_OBJECTIVE_H
#define FF_OBJECTIVE_H

#include "config.h"

struct ff_objective {
    enum ff_objective_id id;
    double threshold, temperature, alpha;
};

struct ff_pair_loss {
    double loss;
    double positive, negative; /* dloss / dg+, dloss / dg- */
};

/* Whether the threshold of a layer counts: where goodness is held against it. */
bool ff_objective_has_threshold(const struct ff_config *config);

/* The objective of a layer. */
struct ff_objective ff_objective_of(const struct ff_config *config, uint32_t layer);

struct ff_pair_loss ff_objective_pair(const struct ff_objective *objective, double positive, double negative);

/* The loss of one image with class groups; `derivative` [classes] becomes dloss / dg. `smoothing` is shared evenly
 * by all labels (Szegedy et al. 2016). */
double ff_objective_groups(const struct ff_objective *objective, const float *goodness, uint32_t classes,
                           uint32_t truth, double smoothing, double *derivative);

#endif
