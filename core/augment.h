/* augment.h - an image changed a little, afresh every epoch: shifted, turned, stretched, bent, mirrored, erased.
 *
 * A pure function of the settings, the seed, the epoch and the image's index, so that it is the same on every
 * placement and at every resume. In this order: mirrored; moved by whole pixels; turned by an angle, scaled in x
 * and y, sheared, moved and bent (cubic B-splines on a grid of control points nine pixels apart, Simard, Steinkraus
 * and Platt 2003 in spirit), interpolated bilinearly; a patch erased. Zero outside the image. Any thread may call.
 */
#ifndef FF_AUGMENT_H
#define FF_AUGMENT_H

#include <stdbool.h>

#include "config.h"
#include "shape.h"

/* Whether the settings change anything. */
bool ff_augments(const struct ff_augment *augment);

struct ff_augmenter;

/* For images of this shape. NULL when memory is short. Many threads may use one. */
struct ff_augmenter *ff_augmenter_create(const struct ff_augment *augment, struct ff_shape shape, uint64_t seed,
                                         struct ff_error *error);

/* bytes, values: [channels][height][width]; values from 0 to 255. */
void ff_augment_image(const struct ff_augmenter *augmenter, uint32_t epoch, uint32_t image, const uint8_t *bytes,
                      float *values);

void ff_augmenter_destroy(struct ff_augmenter *augmenter); /* NULL is fine */

#endif
