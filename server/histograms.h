/* histograms.h - an epoch's histograms as a value that lasts, and as JSON. */
#ifndef HISTOGRAMS_H
#define HISTOGRAMS_H

#include "observer.h"
#include "text.h"

struct histograms {
    struct ff_histograms about; /* its `layer` is the one below */
    struct ff_histogram layer[FF_LAYERS_MAX];
};

void histograms_copy(struct histograms *to, const struct ff_histograms *from);

/* The members of an object, without its braces: "epoch", "step", "images" (how many are counted), "whole" (the
 * epoch is over), "layers": each with "layer", "edges" (one more than bins; what was counted lies in them),
 * "positive" and "negative" (counts), "threshold" (null where the objective has none). */
void histograms_write(struct text *text, const struct ff_histograms *histograms);

#endif
