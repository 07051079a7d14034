/* figures.h - from what layers found of images to figures: goodness on positive and on negative data, loss,
 * accuracy.
 *
 * Pure functions; any thread may call. */
#ifndef FF_FIGURES_H
#define FF_FIGURES_H

#include "message.h"
#include "observer.h"

/* An image's goodness on positive and on negative data, and whether the layer is right: 1, or half for a tie. */
struct ff_seen {
    float positive, negative;
    double right;
};

/* What a layer found of an image of a TRAIN message. `scores`: [classes], for its use. */
struct ff_seen ff_figures_see(const struct ff_plan *plan, const struct ff_message *message, uint32_t layer,
                              uint32_t image, double *scores);

void ff_figures_add(struct ff_sums *to, const struct ff_sums *from);

/* The means of so many images; the percentiles NaN. */
struct ff_layer_figures ff_figures_mean(const struct ff_sums *sums, uint64_t images);

/* The 10th and the 90th percentile of `count` values, linear between neighbours (as numpy's default); sorts them.
 */
void ff_figures_percentiles(float *values, size_t count, float *low, float *high);

#endif
