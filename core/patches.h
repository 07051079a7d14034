/* patches.h - what a convolution's kernel sees of an image, place by place, laid out for one matrix product
 * ("im2col"). Zeros lie around the image. Pure functions; any thread may call. */
#ifndef FF_PATCHES_H
#define FF_PATCHES_H

#include <stddef.h>
#include <stdint.h>

#include "shape.h"

struct ff_patches {
    struct ff_shape in; /* of the image */
    uint32_t kernel, stride, padding;
    uint32_t rows, columns; /* places: down, and across */
};

/* (side + 2 padding - kernel) / stride + 1, rounded down; 0 where the kernel does not fit. */
uint32_t ff_patches_side(uint32_t side, uint32_t kernel, uint32_t stride, uint32_t padding);

/* An image [height][width][channels], as activities are kept, becomes out [places][kernel][kernel][channels]. */
void ff_patches_of_places(const struct ff_patches *patches, const float *x, float *out);

/* An image [channels][height][width], as data sets have them, becomes [channels][kernel][kernel][places], the lines
 * of places `stride` floats apart. */
void ff_patches_of_planes(const struct ff_patches *patches, const float *x, float *out, size_t stride);

#endif
