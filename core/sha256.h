/* sha256.h - SHA-256 of bytes as they come, by libgcrypt. One thread at a time may use a sum. */
#ifndef FF_SHA256_H
#define FF_SHA256_H

#include <stddef.h>

#include "error.h"

enum { FF_SHA256_TEXT = 65 }; /* 64 hexadecimal digits, NUL */

struct ff_sha256;

struct ff_sha256 *ff_sha256_create(struct ff_error *error);
void ff_sha256_add(struct ff_sha256 *sum, const void *bytes, size_t count);
/* The sum of all that was added since the last call; it begins anew. */
void ff_sha256_take(struct ff_sha256 *sum, char text[FF_SHA256_TEXT]);
void ff_sha256_destroy(struct ff_sha256 *sum); /* NULL is fine */

#endif
