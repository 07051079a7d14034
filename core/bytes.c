#include "bytes.h"

#include <stdlib.h>

enum { FIRST_CHUNK = 1 << 20 };

ff_status ff_bytes_fill(ff_bytes_source *source, void *self, void *buffer, size_t size, size_t *arrived,
                        struct ff_error *error)
{
    *arrived = 0;
    while (*arrived < size) {
        ptrdiff_t count = source(self, (uint8_t *)buffer + *arrived, size - *arrived, error);

        if (count < 0)
            return error->status;
        if (count == 0)
            break;
        *arrived += (size_t)count;
    }
    return FF_OK;
}

/* Room for twice as much as has arrived, but never more than can be needed. */
static uint8_t *grow(uint8_t *bytes, size_t *room, size_t needed, struct ff_error *error)
{
    size_t larger = *room == 0 ? FIRST_CHUNK : *room * 2;
    uint8_t *grown;

    if (larger > needed)
        larger = needed;
    grown = realloc(bytes, larger);
    if (grown == NULL) {
        free(bytes);
        ff_fail_memory(error, "the images of a data set");
        return NULL;
    }
    *room = larger;
    return grown;
}

uint8_t *ff_bytes_read(ff_bytes_source *source, void *self, size_t expected, size_t *arrived,
                       struct ff_error *error)
{
    uint8_t *bytes = NULL;
    size_t room = 0;

    *arrived = 0;
    while (*arrived == room && room < expected + 1) {
        size_t count;

        bytes = grow(bytes, &room, expected + 1, error);
        if (bytes == NULL)
            return NULL;
        if (ff_bytes_fill(source, self, bytes + *arrived, room - *arrived, &count, error) != FF_OK) {
            free(bytes);
            return NULL;
        }
        *arrived += count;
    }
    return bytes;
}

size_t ff_bytes_product(const uint64_t *sizes, size_t count)
{
    uint64_t product = 1;

    for (size_t i = 0; i < count; i++)
        if (__builtin_mul_overflow(product, sizes[i], &product) || product > FF_BYTES_MAX)
            return 0;
    return (size_t)product;
}
