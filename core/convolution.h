/* convolution.h - the convolutional layer, with pooling and batch normalization.
 *
 *     z = W * x + b, at every place of the image
 *     a = f(z), goodness from the squares of a at all places
 *     then the largest a of two by two places goes on
 *
 * and with batch normalization
 *
 *     z = W * x, at every place of the image, then the largest z of two by two places
 *     y = z normalized by channel
 *     a = f(y), goodness from the squares of those
 *
 * Activities lie place by place, [rows][height][width][channels]; an image as data sets have it, [channels][height]
 * [width]. W is [kernel][kernel][channels][units], to everybody else [channels][kernel][kernel][units]. The work is
 * cut into tiles of whole rows: what the kernel sees of them ("im2col") is laid out and multiplied while it is in
 * cache. The gradient comes in a few shares, of as many rows each, which are added in order. */
#ifndef FF_CONVOLUTION_H
#define FF_CONVOLUTION_H

#include "layer.h"

/* Its parameters: the weights, and the bias if there is one; its statistics: batch normalization's. */
extern const struct ff_layer_kind_methods ff_convolution_methods;

#endif
