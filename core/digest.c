#include "digest.h"

#include <gcrypt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "weights are hashed and stored as little-endian float32; this machine is big-endian"
#endif

struct ff_digest {
    gcry_md_hd_t hash;
};

static void initialize_libgcrypt(void)
{
    gcry_check_version(NULL);
    if (!gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P)) {
        gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
        gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
    }
}

struct ff_digest *ff_digest_create(struct ff_error *error)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct ff_digest *digest = calloc(1, sizeof *digest);

    pthread_once(&once, initialize_libgcrypt);
    if (digest == NULL || gcry_md_open(&digest->hash, GCRY_MD_SHA256, 0) != 0) {
        free(digest);
        ff_fail_memory(error, "the digest of the weights");
        return NULL;
    }
    return digest;
}

void ff_digest_add(struct ff_digest *digest, const float *values, size_t count)
{
    gcry_md_write(digest->hash, values, count * sizeof *values);
}

void ff_digest_take(struct ff_digest *digest, char text[FF_DIGEST_TEXT])
{
    const unsigned char *bytes = gcry_md_read(digest->hash, GCRY_MD_SHA256);
    int used = snprintf(text, FF_DIGEST_TEXT, "sha256:");

    for (int i = 0; i < 32; i++)
        used += snprintf(text + used, (size_t)(FF_DIGEST_TEXT - used), "%02x", bytes[i]);
    gcry_md_reset(digest->hash);
}

void ff_digest_destroy(struct ff_digest *digest)
{
    if (digest == NULL)
        return;
    gcry_md_close(digest->hash);
    free(digest);
}
