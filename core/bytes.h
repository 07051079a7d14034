/* bytes.h - reading a known number of bytes from a file whose header may lie about it.
 *
 * Memory grows with what has arrived, so a small file that claims gigabytes costs no more than it holds. */
#ifndef FF_BYTES_H
#define FF_BYTES_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

/* The most that one array of a file may hold. A data set beyond it does not belong in memory. */
#define FF_BYTES_MAX ((uint64_t)8 << 30)

/* Put up to `size` bytes into `buffer`. Returns how many; 0 at the end; -1 with `error` set. */
typedef ptrdiff_t ff_bytes_source(void *self, void *buffer, size_t size, struct ff_error *error);

/* Read `expected` bytes, and try for one more to see that the end is there. *arrived is how many came: fewer when
 * the source is too short, expected + 1 when it is too long. Returns the bytes, for the caller to free (never NULL
 * for an empty source), or NULL and `error` when reading failed or memory is short. */
uint8_t *ff_bytes_read(ff_bytes_source *source, void *self, size_t expected, size_t *arrived,
                       struct ff_error *error);

/* Fill `buffer` with exactly `size` bytes, or as many as there are: *arrived. */
ff_status ff_bytes_fill(ff_bytes_source *source, void *self, void *buffer, size_t size, size_t *arrived,
                        struct ff_error *error);

/* The product of the sizes, or 0 when one is 0 or the product is above FF_BYTES_MAX. */
size_t ff_bytes_product(const uint64_t *sizes, size_t count);

#endif
