/* Safetensors files, and checkpoints, which are such files: what is opened has every tensor inside of it. */
#include "fuzz.h"

#include <string.h>

#include "checkpoint.h"
#include "safetensors.h"
#include "utf8.h"

static uint64_t bytes_of(const struct ff_tensor_about *tensor)
{
    uint64_t bytes = tensor->dtype == FF_F32 ? 4 : 8;

    for (uint32_t i = 0; i < tensor->rank; i++)
        bytes *= tensor->shape[i];
    return bytes;
}

static void check_tensor(struct ff_safetensors *file, size_t index, uint64_t *total, size_t size)
{
    const struct ff_tensor_about *tensor = ff_safetensors_tensor(file, index);
    uint64_t bytes = bytes_of(tensor);
    struct ff_error error;
    size_t found;
    uint8_t *data;

    FUZZ_CHECK(ff_utf8_valid(tensor->name, strlen(tensor->name)));
    FUZZ_CHECK(ff_safetensors_find(file, tensor->name, &found) == tensor && found == index);
    *total += bytes;
    FUZZ_CHECK(bytes <= size && *total <= size);
    data = malloc(bytes > 0 ? bytes : 1);
    FUZZ_CHECK(data != NULL);
    FUZZ_CHECK(ff_safetensors_read(file, index, 0, data, bytes, &error) == FF_OK);
    FUZZ_CHECK(ff_safetensors_read(file, index, 1, data, bytes, &error) == FF_INVALID);
    free(data);
}

static void check_file(struct ff_safetensors *file, size_t size)
{
    struct ff_error error;
    uint64_t total = 0;

    for (size_t i = 0; i < ff_safetensors_count(file); i++)
        check_tensor(file, i, &total, size);
    FUZZ_CHECK(ff_safetensors_find(file, "no such tensor, surely", NULL) == NULL);
    ff_safetensors_metadata(file, "sha256");
    ff_safetensors_verify(file, &error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = fuzz_file(0, data, size);
    struct ff_error error = {.status = FF_OK};
    struct ff_safetensors *file = ff_safetensors_open(path, &error);
    struct ff_checkpoint *checkpoint;

    if (file != NULL)
        check_file(file, size);
    else
        FUZZ_CHECK(error.status != FF_OK && error.message[0] != '\0');
    ff_safetensors_close(file);
    checkpoint = ff_checkpoint_open(path, &error);
    FUZZ_CHECK(checkpoint == NULL || file != NULL);
    ff_checkpoint_close(checkpoint);
    return 0;
}
