/* normalization.h - batch normalization (Ioffe and Szegedy 2015) of a layer's units, before the activation, without
 * scale and offset: y = (z - mean) / sqrt(variance + 1e-5), over all rows and places of the batch.
 *
 * Evaluation uses running figures, 0.95 of the old and 0.05 of the batch's a step, the variance the unbiased one.
 * Owned by a layer; different threads may work on different units. */
#ifndef FF_NORMALIZATION_H
#define FF_NORMALIZATION_H

#include <stdbool.h>

#include "column_kernels.h"
#include "layer.h"

struct ff_normalization {
    uint32_t units;
    float *running_mean, *running_variance; /* a layer's tensors; NULL: it is not normalized */
    float *batch_mean, *batch_variance;     /* of the TRAIN message at hand */
    float *shift, *scale;                   /* what the units go by at the message at hand */
    float *pull, *tilt;                     /* the gradient's way through the batch's own mean and variance */
};

/* The layer's two statistics, and their places: "normalization.mean" and "normalization.variance". */
enum { FF_NORMALIZATION_TENSORS = 2 };
struct ff_tensor_form ff_normalization_tensor(uint32_t statistic, uint32_t units);

/* All zeros but `scale`, which is 1, so that a layer without normalization need only set the shift. False: memory
 * is short. `mean`, `variance`: the tensors, or NULL; the variance starts at 1. */
bool ff_normalization_create(struct ff_normalization *normalization, uint32_t units, float *mean, float *variance);
void ff_normalization_destroy(struct ff_normalization *normalization);

/* Shift and scale of units [first, first + count): the running figures', or, with `batch`, the batch's. */
void ff_normalization_use(struct ff_normalization *normalization, bool batch, uint32_t first, uint32_t count);
/* The running figures learn of a batch of `places` numbers a unit. */
void ff_normalization_learn(struct ff_normalization *normalization, uint64_t places, uint32_t first,
                            uint32_t count);

#endif
