#include "digest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sha256.h"

static const char prefix[] = "sha256:";
_Static_assert(sizeof prefix - 1 + FF_SHA256_TEXT == FF_DIGEST_TEXT, "the text of a digest");

struct ff_digest {
    struct ff_sha256 *sum;
};

struct ff_digest *ff_digest_create(struct ff_error *error)
{
    struct ff_digest *digest = calloc(1, sizeof *digest);

    if (digest == NULL) {
        ff_fail_memory(error, "the digest of the weights");
        return NULL;
    }
    digest->sum = ff_sha256_create(error);
    if (digest->sum == NULL) {
        free(digest);
        return NULL;
    }
    return digest;
}

void ff_digest_add(struct ff_digest *digest, const float *values, size_t count)
{
    ff_sha256_add(digest->sum, values, count * sizeof *values);
}

void ff_digest_take(struct ff_digest *digest, char text[FF_DIGEST_TEXT])
{
    memcpy(text, prefix, sizeof prefix);
    ff_sha256_take(digest->sum, text + sizeof prefix - 1);
}

void ff_digest_destroy(struct ff_digest *digest)
{
    if (digest == NULL)
        return;
    ff_sha256_destroy(digest->sum);
    free(digest);
}
