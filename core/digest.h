/* digest.h - the digest of a network's weights: SHA-256 over all parameters in order, as little-endian float32.
 *
 * The order is layer by layer, weights [inputs][units] before bias [units]: what a checkpoint holds, and what
 * anybody can compute again. One thread at a time may use a digest. */
#ifndef FF_DIGEST_H
#define FF_DIGEST_H

#include <stddef.h>

#include "error.h"

enum { FF_DIGEST_TEXT = 72 }; /* "sha256:", 64 hexadecimal digits, NUL */

struct ff_digest;

struct ff_digest *ff_digest_create(struct ff_error *error);
void ff_digest_add(struct ff_digest *digest, const float *values, size_t count);
/* The text of all that was added since the last call; the digest begins anew. */
void ff_digest_take(struct ff_digest *digest, char text[FF_DIGEST_TEXT]);
void ff_digest_destroy(struct ff_digest *digest); /* NULL is fine */

#endif
