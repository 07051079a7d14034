/* negatives.h - the wrong label of a pair. Pure functions; any thread may call. */
#ifndef FF_NEGATIVES_H
#define FF_NEGATIVES_H

#include <stdint.h>

/* A wrong label drawn from the softmax of `scores` [classes] over the labels other than `truth`, by inverse of the
 * cumulative sum, labels ascending, with u in [0, 1): the first whose sum is above u. */
uint32_t ff_hard_negative(const double *scores, uint32_t classes, uint32_t truth, double u);

#endif
