#include "sha256.h"

#include <gcrypt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct ff_sha256 {
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

struct ff_sha256 *ff_sha256_create(struct ff_error *error)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct ff_sha256 *sum = calloc(1, sizeof *sum);

    pthread_once(&once, initialize_libgcrypt);
    if (sum == NULL || gcry_md_open(&sum->hash, GCRY_MD_SHA256, 0) != 0) {
        free(sum);
        ff_fail_memory(error, "a SHA-256");
        return NULL;
    }
    return sum;
}

void ff_sha256_add(struct ff_sha256 *sum, const void *bytes, size_t count)
{
    gcry_md_write(sum->hash, bytes, count);
}

void ff_sha256_take(struct ff_sha256 *sum, char text[FF_SHA256_TEXT])
{
    const unsigned char *bytes = gcry_md_read(sum->hash, GCRY_MD_SHA256);

    for (size_t i = 0; i < 32; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    gcry_md_reset(sum->hash);
}

void ff_sha256_destroy(struct ff_sha256 *sum)
{
    if (sum == NULL)
        return;
    gcry_md_close(sum->hash);
    free(sum);
}
