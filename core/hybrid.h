/* hybrid.h - negatives without labels: an image of which patches are another's (Hinton 2022, section 3.2).
 *
 * The patches come from random bits that are blurred and then held against one half. Everything is a function of
 * (seed, epoch, image), so that it is the same on every placement. Pure; any thread may call. */
#ifndef FF_HYBRID_H
#define FF_HYBRID_H

#include <stddef.h>
#include <stdint.h>

#include "shape.h"

enum { FF_HYBRID_BLURS = 2 /* patches of some pixels; more of them changed nothing that could be measured */ };

/* Which other of `images` (at least 2) image `image` is mixed with in an epoch. */
uint32_t ff_hybrid_partner(uint64_t seed, uint32_t epoch, uint32_t image, uint32_t images);

/* `count` random bits, 0 or 1. */
void ff_hybrid_bits(uint64_t seed, uint32_t epoch, uint32_t image, size_t count, float *bits);

/* In place, [height][width]: 1/4 1/2 1/4 along each row, then along each column, edges replicated; `times` times.
 * Exact up to 6 times, so that ties at one half are. */
void ff_hybrid_blur(float *values, uint32_t height, uint32_t width, uint32_t times);

/* In place: blurred, and then 1 where above one half, else 0. */
void ff_hybrid_mask(float *bits, uint32_t height, uint32_t width, uint32_t times);

/* other = mask * image + (1 - mask) * other, in every channel. mask: [height][width]. */
void ff_hybrid_mix(struct ff_shape shape, const float *mask, const float *image, float *other);

#endif
