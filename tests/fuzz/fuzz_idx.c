/* IDX files. The first four bytes say how many of the rest are the file of images, little-endian; then come labels.
 */
#include "fuzz.h"

#include <string.h>

#include "idx.h"

static void check_images(const struct ff_shape *shape, const struct ff_images *images)
{
    size_t size = ff_shape_size(*shape);
    unsigned sum = 0;

    FUZZ_CHECK(images->count > 0 && size > 0 && shape->channels == 1);
    for (size_t i = 0; i < images->count * size; i++) /* all of it is there */
        sum += images->pixels[i];
    for (size_t i = 0; i < images->count; i++)
        FUZZ_CHECK(images->labels[i] < FF_CLASSES_MAX);
    FUZZ_CHECK(sum <= images->count * size * 255);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ff_images images = {0};
    struct ff_shape shape;
    struct ff_error error = {.status = FF_OK};
    uint32_t first;

    if (size < sizeof first)
        return 0;
    memcpy(&first, data, sizeof first);
    data += sizeof first;
    size -= sizeof first;
    if (first > size)
        first = (uint32_t)size;
    if (ff_idx_read(fuzz_file(0, data, first), fuzz_file(1, data + first, size - first), &shape, &images, &error) ==
        FF_OK)
        check_images(&shape, &images);
    else
        FUZZ_CHECK(error.status != FF_OK && error.message[0] != '\0' && images.pixels == NULL &&
                   images.labels == NULL);
    free(images.pixels);
    free(images.labels);
    return 0;
}
