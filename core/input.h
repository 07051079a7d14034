/* input.h - an image as the first layer gets it: bytes, or pixels from 0 to 1, to floats.
 *
 * Standardized over the images that are trained on, or divided by its own root mean square, and scaled, as the
 * configuration says. Any thread may call. */
#ifndef FF_INPUT_H
#define FF_INPUT_H

#include "plan.h"

struct ff_pixel_map {
    float scale, offset; /* a byte becomes byte * scale + offset */
};

struct ff_pixel_map ff_input_make(const struct ff_plan *plan, const struct ff_dataset *dataset);

/* [channels][height][width] to x, as many. */
void ff_input_bytes(struct ff_pixel_map input, const struct ff_plan *plan, const uint8_t *bytes, float *x);
/* In place, from values of 0 to 255 that are not whole. */
void ff_input_values(struct ff_pixel_map input, const struct ff_plan *plan, float *x);
void ff_input_pixels(struct ff_pixel_map input, const struct ff_plan *plan, const float *pixels, float *x);

#endif
