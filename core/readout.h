/* readout.h - a softmax on the activities of several layers, trained beside them: the last block of a line.
 *
 * It reads the message's history, where the layers that it reads have left what the next layer would see of them,
 * and writes logits into the message's scores. Nothing flows back from it. */
#ifndef FF_READOUT_H
#define FF_READOUT_H

#include "layer.h"

extern const struct ff_layer_kind_methods ff_readout_methods;

/* Cross entropy of softmax(scores) with each image's label, smoothed as the configuration says; delta
 * [images][classes] becomes its derivative, over the number of images. Returns the mean of the losses: not finite
 * where a score is not. */
double ff_softmax_loss(const struct ff_message *message, const struct ff_config *config, uint32_t classes,
                       float *delta);

#endif
