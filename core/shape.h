/* shape.h - the size of what flows: of an image, or of a layer's activities. */
#ifndef FF_SHAPE_H
#define FF_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ff_shape {
    uint32_t channels, height, width; /* dense: units, 1, 1 */
};

/* How many numbers that is. */
static inline size_t ff_shape_size(struct ff_shape shape)
{
    return (size_t)shape.channels * shape.height * shape.width;
}

static inline bool ff_same_shape(struct ff_shape a, struct ff_shape b)
{
    return a.channels == b.channels && a.height == b.height && a.width == b.width;
}

#endif
