#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../temporary_group.h"
#include "idx.h"

enum { COUNT = 3, HEIGHT = 2, WIDTH = 4, IMAGES_SIZE = 16 + COUNT * HEIGHT * WIDTH, LABELS_SIZE = 8 + COUNT };

/* Two good files, byte by byte: pixel i of the images is i, labels are 7, 0, 255. */
static uint8_t good_images[IMAGES_SIZE] = {0, 0, 8, 3, 0, 0, 0, COUNT, 0, 0, 0, HEIGHT, 0, 0, 0, WIDTH};
static const uint8_t good_labels[LABELS_SIZE] = {0, 0, 8, 1, 0, 0, 0, COUNT, 7, 0, 255};

static ff_status read_both(const char *images_name, const char *labels_name, struct ff_shape *shape,
                           struct ff_images *images, struct ff_error *error)
{
    return ff_idx_read(temporary_path(folder, images_name), temporary_path(folder, labels_name), shape, images,
                       error);
}

static void plain_and_gzipped_files_are_read_alike(void **state)
{
    static const char *const names[][2] = {
        {"images", "labels"}, {"images.gz", "labels.gz"}, {"images", "labels.gz"}};

    (void)state;
    temporary_write(temporary_path(folder, "images"), good_images, IMAGES_SIZE);
    temporary_write(temporary_path(folder, "labels"), good_labels, LABELS_SIZE);
    temporary_write_gzipped(temporary_path(folder, "images.gz"), good_images, IMAGES_SIZE);
    temporary_write_gzipped(temporary_path(folder, "labels.gz"), good_labels, LABELS_SIZE);
    for (size_t i = 0; i < 3; i++) {
        struct ff_shape shape;
        struct ff_images images;
        struct ff_error error;

        assert_int_equal(read_both(names[i][0], names[i][1], &shape, &images, &error), FF_OK);
        assert_int_equal(images.count, COUNT);
        assert_int_equal(shape.channels, 1);
        assert_int_equal(shape.height, HEIGHT);
        assert_int_equal(shape.width, WIDTH);
        assert_memory_equal(images.pixels, good_images + 16, IMAGES_SIZE - 16);
        assert_int_equal(images.labels[0], 7);
        assert_int_equal(images.labels[1], 0);
        assert_int_equal(images.labels[2], 255);
        free(images.pixels);
        free(images.labels);
    }
}

/* What is done to a good file of images, and the words that the sentence must have. */
static const struct damage {
    const char *name;
    size_t size; /* bytes kept (or, where more than there are, zeros added) */
    int offset;  /* where bytes are replaced; -1: nowhere */
    uint8_t bytes[12];
    size_t replaced;
    const char *words;
} damages[] = {
    {"empty", 0, -1, {0}, 0, "is truncated: 0 bytes are too few"},
    {"header_cut", 9, -1, {0}, 0, "is truncated: 9 bytes are too few"},
    {"no_pixels", 16, -1, {0}, 0, "is truncated: its header says 3 images of 2x4, 24 bytes, but only 0 follow"},
    {"one_byte_short", IMAGES_SIZE - 1, -1, {0}, 0, "but only 23 follow"},
    {"one_byte_long", IMAGES_SIZE + 1, -1, {0}, 0, "is too long: its header says 3 images of 2x4"},
    {"labels_magic", IMAGES_SIZE, 3, {1}, 1, "is not an IDX file of images: it begins with 0x00000801"},
    {"floats", IMAGES_SIZE, 2, {0x0d}, 1, "it begins with 0x00000d03 where 0x00000803 should be"},
    {"text", IMAGES_SIZE, 0, "<!DOCTYPE h", 11, "it begins with 0x3c21444f"},
    {"no_images", IMAGES_SIZE, 7, {0}, 1, "0 images of 2x4, which cannot be a data set"},
    {"no_height", IMAGES_SIZE, 11, {0}, 1, "3 images of 0x4, which cannot be a data set"},
    {"billions",
     IMAGES_SIZE,
     4,
     {0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1, 0, 0, 0, 1},
     12,
     "4294967295 bytes, but only 24"},
    {"overflow",
     IMAGES_SIZE,
     4,
     {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
     12,
     "4294967295 images of 4294967295x4294967295, which cannot be"},
    {"wraps_to_zero", IMAGES_SIZE, 4, {0x80, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 4}, 12, "which cannot be a data set"},
};

static void damaged_images_are_refused_with_what_is_wrong(void **state)
{
    (void)state;
    temporary_write(temporary_path(folder, "labels"), good_labels, LABELS_SIZE);
    for (size_t i = 0; i < 2 * sizeof damages / sizeof damages[0]; i++) {
        const struct damage *damage = &damages[i / 2];
        uint8_t bytes[IMAGES_SIZE + 1] = {0};
        struct ff_shape shape;
        struct ff_images images = {.count = 77};
        struct ff_error error;

        memcpy(bytes, good_images, IMAGES_SIZE);
        if (damage->offset >= 0)
            memcpy(bytes + damage->offset, damage->bytes, damage->replaced);
        (i % 2 == 0 ? temporary_write : temporary_write_gzipped)(temporary_path(folder, damage->name), bytes,
                                                                 damage->size);
        assert_int_equal(read_both(damage->name, "labels", &shape, &images, &error), FF_DAMAGED);
        if (strstr(error.message, damage->words) == NULL || strstr(error.message, damage->name) == NULL)
            fail_msg("%s: the sentence is \"%s\"", damage->name, error.message);
        assert_int_equal(images.count, 0);
        assert_null(images.pixels);
        assert_null(images.labels);
    }
}

/* The good images gzipped, into `bytes`; returns how many. */
static size_t gzipped_images(uint8_t bytes[256])
{
    FILE *file;
    size_t size;

    temporary_write_gzipped(temporary_path(folder, "whole.gz"), good_images, IMAGES_SIZE);
    file = fopen(temporary_path(folder, "whole.gz"), "rb");
    assert_non_null(file);
    size = fread(bytes, 1, 256, file);
    fclose(file);
    assert_in_range(size, 20, 255);
    return size;
}

/* Every shorter beginning of a gzipped file. */
static void cut_gzip_data_is_refused_at_every_length(void **state)
{
    uint8_t bytes[256];
    size_t size = gzipped_images(bytes);

    (void)state;
    temporary_write(temporary_path(folder, "labels"), good_labels, LABELS_SIZE);
    for (size_t kept = 0; kept < size; kept++) {
        struct ff_shape shape;
        struct ff_images images;
        struct ff_error error;

        temporary_write(temporary_path(folder, "cut.gz"), bytes, kept);
        assert_int_equal(read_both("cut.gz", "labels", &shape, &images, &error), FF_DAMAGED);
        assert_non_null(strstr(error.message, "cut.gz"));
    }
}

static void a_wrong_checksum_is_refused(void **state)
{
    uint8_t bytes[256];
    struct ff_shape shape;
    struct ff_images images;
    struct ff_error error;
    size_t size = gzipped_images(bytes);

    (void)state;
    temporary_write(temporary_path(folder, "labels"), good_labels, LABELS_SIZE);
    bytes[size - 8] ^= 1;
    temporary_write(temporary_path(folder, "sum.gz"), bytes, size);
    assert_int_equal(read_both("sum.gz", "labels", &shape, &images, &error), FF_DAMAGED);
    assert_non_null(strstr(error.message, "sum.gz: its gzip data is damaged"));
}

static void counts_that_disagree_are_refused(void **state)
{
    uint8_t labels[LABELS_SIZE];
    struct ff_shape shape;
    struct ff_images images;
    struct ff_error error;

    (void)state;
    memcpy(labels, good_labels, LABELS_SIZE);
    labels[7] = COUNT - 1;
    temporary_write(temporary_path(folder, "images"), good_images, IMAGES_SIZE);
    temporary_write(temporary_path(folder, "fewer"), labels, LABELS_SIZE - 1);
    assert_int_equal(read_both("images", "fewer", &shape, &images, &error), FF_DAMAGED);
    assert_non_null(strstr(error.message, "fewer: has 2 labels, but "));
    assert_non_null(strstr(error.message, "images has 3 images"));
    assert_null(images.pixels);
}

static void a_missing_file_is_not_found(void **state)
{
    struct ff_shape shape;
    struct ff_images images;
    struct ff_error error;

    (void)state;
    temporary_write(temporary_path(folder, "images"), good_images, IMAGES_SIZE);
    assert_int_equal(read_both("images", "absent", &shape, &images, &error), FF_NOT_FOUND);
    assert_non_null(strstr(error.message, "absent: cannot be opened"));
}

static void a_folder_or_a_pipe_in_its_place_is_refused_without_waiting(void **state)
{
    struct ff_shape shape;
    struct ff_images images;
    struct ff_error error;

    (void)state;
    assert_int_equal(mkfifo(temporary_path(folder, "pipe"), 0600), 0);
    assert_int_equal(mkdir(temporary_path(folder, "folder"), 0700), 0);
    assert_int_equal(read_both("pipe", "pipe", &shape, &images, &error), FF_DAMAGED);
    assert_non_null(strstr(error.message, "pipe: is not a file"));
    assert_int_equal(read_both("folder", "folder", &shape, &images, &error), FF_DAMAGED);
    assert_non_null(strstr(error.message, "folder: is not a file"));
}

static int make_images(void **state)
{
    for (int i = 16; i < IMAGES_SIZE; i++)
        good_images[i] = (uint8_t)(i - 16);
    return make_folder(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_and_gzipped_files_are_read_alike),
        cmocka_unit_test(damaged_images_are_refused_with_what_is_wrong),
        cmocka_unit_test(cut_gzip_data_is_refused_at_every_length),
        cmocka_unit_test(a_wrong_checksum_is_refused),
        cmocka_unit_test(counts_that_disagree_are_refused),
        cmocka_unit_test(a_missing_file_is_not_found),
        cmocka_unit_test(a_folder_or_a_pipe_in_its_place_is_refused_without_waiting),
    };

    return cmocka_run_group_tests(tests, make_images, remove_folder);
}
