/* random.h - counter-based random numbers: the same on every placement, at every resume.
 *
 * Philox 4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011). A value is a
 * pure function of (seed, purpose, stream, index): nothing is drawn "next", so no state is kept, saved or shared.
 * `purpose` keeps uses apart, `stream` is what the use counts in the large (an epoch, a layer, a step), `index`
 * what it counts in the small (an image, a weight). All functions are pure; any thread may call. */
#ifndef FF_RANDOM_H
#define FF_RANDOM_H

#include <stddef.h>
#include <stdint.h>

enum ff_purpose {
    FF_RANDOM_WEIGHTS = 1, /* stream: layer; index: weight */
    FF_RANDOM_ORDER,       /* stream: epoch; index: position */
    FF_RANDOM_NEGATIVE,    /* stream: epoch; index: image */
    FF_RANDOM_HARD,        /* stream: epoch; index: image */
    FF_RANDOM_AUGMENT,     /* stream: epoch; index: image and place (augment.c) */
    FF_RANDOM_BEND,        /* stream: epoch; index: image, direction and control point */
    FF_RANDOM_DROP_PIXELS, /* stream: epoch; index: image and pixel (dropout.c) */
    FF_RANDOM_DROP_INPUTS, /* stream: step; index: layer, row and input */
    FF_RANDOM_DROP_UNITS,  /* stream: step; index: layer, image and unit */
    FF_RANDOM_PARTNER,     /* stream: epoch; index: image (hybrid.c) */
    FF_RANDOM_HYBRID,      /* stream: epoch; index: image and bit */
};

/* Four words for a counter and a key: the published function, for the test vectors. */
void ff_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* The four random words at (seed, purpose, stream, index). The key is the seed (low word, high word); the counter
 * is index low, index high, stream, purpose. */
void ff_random_words(uint64_t seed, enum ff_purpose purpose, uint32_t stream, uint64_t index, uint32_t out[4]);

/* A whole number from 0 to bound - 1, exactly even (Lemire's method, with the other words where one is refused). */
uint32_t ff_random_below(uint64_t seed, enum ff_purpose purpose, uint32_t stream, uint64_t index, uint32_t bound);

/* A float in [0, 1), a multiple of 2^-24. */
float ff_random_uniform(uint64_t seed, enum ff_purpose purpose, uint32_t stream, uint64_t index);

/* values[i] = deviation * standard normal number `first + i` of the stream (Box-Muller, in double, then rounded).
 * The value at an index does not depend on `first` and `count`. */
void ff_random_normal(uint64_t seed, enum ff_purpose purpose, uint32_t stream, uint64_t first, size_t count,
                      double deviation, float *values);

/* order[0..count-1] becomes an even shuffle of 0..count-1 (Fisher-Yates). */
void ff_random_order(uint64_t seed, enum ff_purpose purpose, uint32_t stream, uint32_t count, uint32_t *order);

#endif
