#include "negatives.h"

#include <math.h>

/* The highest score of the wrong labels alone, so that a sure network does not make 0 / 0. */
static double highest_wrong(const double *scores, uint32_t classes, uint32_t truth)
{
    double highest = -INFINITY;

    for (uint32_t label = 0; label < classes; label++)
        highest = label != truth && scores[label] > highest ? scores[label] : highest;
    return highest;
}

uint32_t ff_hard_negative(const double *scores, uint32_t classes, uint32_t truth, double u)
{
    double highest = highest_wrong(scores, classes, truth), total = 0, below = 0;
    uint32_t last = truth;

    for (uint32_t label = 0; label < classes; label++)
        total += label == truth ? 0 : exp(scores[label] - highest);
    for (uint32_t label = 0; label < classes; label++) {
        if (label == truth)
            continue;
        last = label; /* also where rounding leaves u above the last sum, or nothing is a number */
        below += exp(scores[label] - highest) / total;
        if (u < below)
            return label;
    }
    return last;
}
