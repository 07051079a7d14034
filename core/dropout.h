/* dropout.h - what is left out at random in training (Srivastava et al. 2014). Pure; any thread may call. */
#ifndef FF_DROPOUT_H
#define FF_DROPOUT_H

#include <stddef.h>
#include <stdint.h>

#include "random.h"

/* Numbers `first` to `first + n - 1` (first a multiple of 8) of a place's mask: 0 with probability `share`, to
 * 2^-16, else `kept`. A number depends on its place alone: (seed, purpose, stream, row, its index). */
struct ff_dropout_place {
    uint64_t seed;
    enum ff_purpose purpose;
    uint32_t stream; /* a step, or an epoch */
    uint64_t row;    /* below 2^40 */
};
void ff_dropout_mask(const struct ff_dropout_place *place, double share, float kept, uint32_t first, size_t n,
                     float *mask);

/* x times its mask: all n of a row. */
void ff_dropout(const struct ff_dropout_place *place, double share, float kept, size_t n, float *x);

#endif
