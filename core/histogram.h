/* histogram.h - how a layer's goodness is distributed, on positive and on negative data: counts over shared bins.
 *
 * Bins are of equal width, from 0 on. The width is a power of two, the smallest with which the highest goodness so
 * far has a bin: when one comes that has none, neighbours are joined in pairs. So what comes out depends on the
 * values alone, not on their order, and nothing has to be known of them before. Pure functions; any thread may
 * call. */
#ifndef FF_HISTOGRAM_H
#define FF_HISTOGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FF_BINS = 128 };

/* All whole numbers of 64 bits, so that a checkpoint holds it as it is. Zeros: an empty one. */
struct ff_histogram {
    uint64_t doublings; /* of the narrowest width */
    uint64_t positive[FF_BINS], negative[FF_BINS];
};

enum { FF_HISTOGRAM_NUMBERS = 1 + 2 * FF_BINS };

/* Width of a bin: bin b counts goodness from b widths on, up to b + 1. */
double ff_histogram_width(const struct ff_histogram *histogram);

/* Count `count` images' goodness. What is below 0 counts in the first bin; all are finite. */
void ff_histogram_add(struct ff_histogram *histogram, const float *positive, const float *negative, size_t count);

/* The bins from *first on, before *end, hold all that was counted; both 0 when that is nothing. */
void ff_histogram_range(const struct ff_histogram *histogram, size_t *first, size_t *end);

/* Whether it can be one: of a file, say. */
bool ff_histogram_sane(const struct ff_histogram *histogram);

#endif
