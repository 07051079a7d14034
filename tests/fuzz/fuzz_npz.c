/* Numpy's archives of arrays. */
#include "fuzz.h"

#include "npz.h"

static void check_images(const struct ff_shape *shape, const struct ff_images *images)
{
    size_t size = ff_shape_size(*shape);
    uint64_t sum = 0;

    FUZZ_CHECK(images->count > 0 && size > 0);
    for (size_t i = 0; i < images->count * size; i++) /* all of it is there */
        sum += images->pixels[i];
    for (size_t i = 0; i < images->count; i++)
        FUZZ_CHECK(images->labels[i] < FF_CLASSES_MAX);
    FUZZ_CHECK(sum <= images->count * size * 255);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *path = fuzz_file(0, data, size);

    for (int split = 0; split < 2; split++) {
        struct ff_images images = {0};
        struct ff_shape shape;
        struct ff_error error = {.status = FF_OK};

        if (ff_npz_read(path, split == 0 ? FF_TRAIN_SPLIT : FF_TEST_SPLIT, &shape, &images, &error) == FF_OK)
            check_images(&shape, &images);
        else
            FUZZ_CHECK(error.status != FF_OK && error.message[0] != '\0' && images.pixels == NULL &&
                       images.labels == NULL);
        free(images.pixels);
        free(images.labels);
    }
    return 0;
}
