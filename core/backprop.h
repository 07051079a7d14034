/* backprop.h - the layers of the baseline: the same maps and activations, trained by one pass back.
 *
 * Forward-Forward's yardstick, and the one rule whose layers depend on those above: all of them live on one stage,
 * which calls ff_layer_back of every layer, top down, once a TRAIN message has gone through all of them. Every
 * gradient is taken at the weights that the forward pass had. No normalization and no label: the top layer is
 * linear, has a unit a class, and the cross entropy of its softmax is the loss of all. A layer's goodness is what
 * the configuration makes of its activities' squares; nothing is trained on it. */
#ifndef FF_BACKPROP_H
#define FF_BACKPROP_H

#include "layer.h"

extern const struct ff_layer_kind_methods ff_backprop_methods;

#endif
