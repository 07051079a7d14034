#include "histogram.h"

#include <math.h>

/* The narrowest bin is 2^-30 wide. At 2^121 the last one ends where float does. */
enum { NARROWEST = -30, DOUBLINGS_MAX = 121 - NARROWEST };

_Static_assert(sizeof(struct ff_histogram) == FF_HISTOGRAM_NUMBERS * sizeof(uint64_t), "numbers, and nothing else");

double ff_histogram_width(const struct ff_histogram *histogram)
{
    return ldexp(1, NARROWEST + (int)histogram->doublings);
}

static void join_pairs(uint64_t *counts)
{
    for (size_t bin = 0; bin < FF_BINS / 2; bin++)
        counts[bin] = counts[2 * bin] + counts[2 * bin + 1];
    for (size_t bin = FF_BINS / 2; bin < FF_BINS; bin++)
        counts[bin] = 0;
}

/* Wider bins, until `highest` has one. */
static void make_room(struct ff_histogram *histogram, float highest)
{
    while ((double)highest >= FF_BINS * ff_histogram_width(histogram) && histogram->doublings < DOUBLINGS_MAX) {
        join_pairs(histogram->positive);
        join_pairs(histogram->negative);
        histogram->doublings++;
    }
}

static float highest_of(const float *values, size_t count, float highest)
{
    for (size_t i = 0; i < count; i++)
        highest = values[i] > highest ? values[i] : highest;
    return highest;
}

/* `share`: of a unit of goodness that a bin is. Times a power of two is exact, so is its whole part. */
static void count_values(uint64_t *counts, const float *values, size_t count, double share)
{
    for (size_t i = 0; i < count; i++) {
        double place = (double)values[i] * share;

        counts[place < FF_BINS ? place > 0 ? (size_t)place : 0 : FF_BINS - 1]++;
    }
}

void ff_histogram_add(struct ff_histogram *histogram, const float *positive, const float *negative, size_t count)
{
    double share;

    make_room(histogram, highest_of(negative, count, highest_of(positive, count, 0)));
    share = 1 / ff_histogram_width(histogram);
    count_values(histogram->positive, positive, count, share);
    count_values(histogram->negative, negative, count, share);
}

void ff_histogram_range(const struct ff_histogram *histogram, size_t *first, size_t *end)
{
    *first = *end = 0;
    for (size_t bin = 0; bin < FF_BINS; bin++) {
        if (histogram->positive[bin] + histogram->negative[bin] == 0)
            continue;
        *first = *end == 0 ? bin : *first;
        *end = bin + 1;
    }
}

bool ff_histogram_sane(const struct ff_histogram *histogram)
{
    return histogram->doublings <= DOUBLINGS_MAX;
}
