#include "../cmocka_all.h"

#include "../numpy.h"
#include "../temporary_group.h"
#include "npz.h"

enum { COUNT = 3, PIXELS = COUNT * 2 * 4 };

static uint8_t pixels[PIXELS];

static const struct numpy_array good_images = {
    .name = "x_train", .type = "'|u1'", .shape = "(3, 2, 4)", .elements = pixels, .size = PIXELS};
static const struct numpy_array good_labels = {
    .name = "y_train", .type = "'|u1'", .shape = "(3,)", .elements = "\x05\x00\xff", .size = 3};

static ff_status read_train(const char *path, struct ff_shape *shape, struct ff_images *images,
                            struct ff_error *error)
{
    return ff_npz_read(path, FF_TRAIN_SPLIT, shape, images, error);
}

static void images_and_labels_are_read_stored_and_deflated(void **state)
{
    (void)state;
    for (int i = 0; i < 6; i++) {
        struct numpy_array arrays[2] = {good_images, good_labels};
        const char *path = temporary_path(folder, "good.npz");
        struct ff_shape shape;
        struct ff_images images;
        struct ff_error error;

        arrays[0].version = arrays[1].version = (uint8_t)(1 + i / 2);
        arrays[0].stored = arrays[1].stored = i % 2 == 0;
        numpy_write(path, arrays, 2);
        assert_int_equal(read_train(path, &shape, &images, &error), FF_OK);
        assert_int_equal(images.count, COUNT);
        assert_int_equal(shape.channels, 1);
        assert_int_equal(shape.height, 2);
        assert_int_equal(shape.width, 4);
        assert_memory_equal(images.pixels, pixels, PIXELS);
        assert_int_equal(images.labels[0], 5);
        assert_int_equal(images.labels[1], 0);
        assert_int_equal(images.labels[2], 255);
        free(images.pixels);
        free(images.labels);
    }
}

static void test_arrays_are_read_for_the_test_split(void **state)
{
    struct numpy_array arrays[2] = {good_images, good_labels};
    const char *path = temporary_path(folder, "test.npz");
    struct ff_shape shape;
    struct ff_images images;
    struct ff_error error;

    (void)state;
    arrays[0].name = "x_test";
    arrays[1].name = "y_test";
    numpy_write(path, arrays, 2);
    assert_int_equal(read_train(path, &shape, &images, &error), FF_DAMAGED);
    assert_non_null(strstr(error.message, "test.npz: has no array x_train; "));
    assert_int_equal(ff_npz_read(path, FF_TEST_SPLIT, &shape, &images, &error), FF_OK);
    assert_int_equal(images.count, COUNT);
    free(images.pixels);
    free(images.labels);
}

static void channels_become_planar(void **state)
{
    static const uint8_t interleaved[2 * 2 * 1 * 3] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    static const uint8_t planar[2 * 3 * 2] = {1, 4, 2, 5, 3, 6, 7, 10, 8, 11, 9, 12};
    const struct numpy_array arrays[2] = {
        {.name = "x_train", .type = "'|u1'", .shape = "(2, 2, 1, 3)", .elements = interleaved, .size = 12},
        {.name = "y_train", .type = "'|u1'", .shape = "(2, 1)", .elements = "\x01\x02", .size = 2}};
    const char *path = temporary_path(folder, "channels.npz");
    struct ff_shape shape;
    struct ff_images images;
    struct ff_error error;

    (void)state;
    numpy_write(path, arrays, 2);
    assert_int_equal(read_train(path, &shape, &images, &error), FF_OK);
    assert_int_equal(shape.channels, 3);
    assert_int_equal(shape.height, 2);
    assert_int_equal(shape.width, 1);
    assert_memory_equal(images.pixels, planar, sizeof planar);
    assert_int_equal(images.labels[1], 2);
    free(images.pixels);
    free(images.labels);
}

/* Three labels, 1, 0 and 999 (or 100), in each type that there is. */
static void labels_of_every_whole_type_are_read(void **state)
{
    static const uint16_t u2[] = {1, 0, 999};
    static const int32_t i4[] = {1, 0, 999};
    static const int64_t i8[] = {1, 0, 999};
    static const struct {
        const char *type;
        const void *elements;
        size_t size;
        uint16_t last;
    } cases[] = {
        {"'|u1'", "\1\0\x64", 3, 100},         {"'|i1'", "\1\0\x64", 3, 100},
        {"'<u2'", u2, sizeof u2, 999},         {"'<i2'", u2, sizeof u2, 999},
        {"'>u2'", "\0\1\0\0\x03\xe7", 6, 999}, {"'<u4'", i4, sizeof i4, 999},
        {"'<i4'", i4, sizeof i4, 999},         {"'>i4'", "\0\0\0\1\0\0\0\0\0\0\x03\xe7", 12, 999},
        {"'<u8'", i8, sizeof i8, 999},         {"'<i8'", i8, sizeof i8, 999},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct numpy_array arrays[2] = {good_images, good_labels};
        const char *path = temporary_path(folder, "labels.npz");
        struct ff_shape shape;
        struct ff_images images;
        struct ff_error error;

        arrays[1].type = cases[i].type;
        arrays[1].elements = cases[i].elements;
        arrays[1].size = cases[i].size;
        numpy_write(path, arrays, 2);
        assert_int_equal(read_train(path, &shape, &images, &error), FF_OK);
        assert_int_equal(images.labels[0], 1);
        assert_int_equal(images.labels[1], 0);
        assert_int_equal(images.labels[2], cases[i].last);
        free(images.pixels);
        free(images.labels);
    }
}

static const int16_t label_1000[] = {1, 0, 1000};
static const int8_t label_negative[] = {1, -1, 0};
static const uint64_t label_huge[] = {1, UINT64_MAX, 0};

/* One thing wrong with the images (array 0) or the labels (array 1), and the words the sentence must have. */
static const struct {
    int array;
    struct numpy_array change; /* fields that are set replace the good ones */
    const char *words;
} damages[] = {
    {0, {.type = "'<f4'"}, "array x_train is truncated"},
    {0, {.type = "'<u2'", .shape = "(3, 1, 4)", .size = PIXELS}, "array x_train must be uint8"},
    {0, {.type = "'|i1'"}, "array x_train must be uint8"},
    {0, {.type = "[('a', '|u1')]"}, "array x_train is of a type that is not taken"},
    {0, {.type = "'<U10'"}, "array x_train is of a type that is not taken"},
    {0, {.type = "'|O'"}, "array x_train is of a type that is not taken"},
    {0, {.type = "''"}, "array x_train is of a type that is not taken"},
    {0, {.type = "'<"}, "array x_train is of a type that is not taken"},
    {0, {.shape = "(3, 2, 5)"}, "x_train is truncated: its shape (3, 2, 5) takes 30 bytes, but fewer follow"},
    {0, {.shape = "(3, 2, 3)"}, "x_train is too long: its shape (3, 2, 3) takes 18 bytes, but more follow"},
    {0, {.shape = "(3, 8)"}, "x_train must be (count, height, width)"},
    {0, {.shape = "(3, 1, 2, 2, 2)"}, "x_train has a header that is not numpy's, or more than four dimensions"},
    {0, {.shape = "(0, 2, 4)"}, "x_train has shape (0, 2, 4), which cannot be a data set"},
    {0, {.shape = "(3, 0, 4)"}, "which cannot be a data set"},
    {0, {.shape = "(18446744073709551615, 2, 4)"}, "which cannot be a data set"},
    {0, {.shape = "(4611686018427387904, 2, 2)"}, "which cannot be a data set"},
    {0, {.shape = "(99999999999999999999, 2, 4)"}, "x_train has a header that is not numpy's"},
    {0, {.shape = "(4294967295, 1, 1)"}, "takes 4294967295 bytes, but fewer follow"},
    {0, {.shape = "(-3, 2, 4)"}, "x_train has a header that is not numpy's"},
    {0, {.shape = "(3, 2, 4"}, "x_train has a header that is not numpy's"},
    {0, {.shape = "3"}, "x_train has a header that is not numpy's"},
    {0, {.fortran = "True"}, "x_train is in Fortran order"},
    {0, {.version = 4}, "in a version of numpy's format that is not known"},
    {1, {.shape = "(2,)", .size = 2}, "array y_train has 2 labels for 3 images"},
    {1, {.shape = "(3, 2)", .elements = "\1\1\1\1\1\1", .size = 6}, "y_train must be (count)"},
    {1, {.shape = "()", .elements = "\1", .size = 1}, "y_train must be (count)"},
    {1, {.type = "'<f4'", .elements = "\0\0\0\0\0\0\0\0\0\0\0\0", .size = 12}, "y_train must be whole numbers"},
    {1, {.type = "'<i3'", .elements = "\0\0\0\0\0\0\0\0\0", .size = 9}, "y_train must be whole numbers"},
    {1, {.type = "'<i2'", .elements = label_1000, .size = 6}, "image 2: label 1000 is not from 0 to 999"},
    {1, {.type = "'|i1'", .elements = label_negative, .size = 3}, "image 1: label -1 is not from 0 to 999"},
    {1, {.type = "'<u8'", .elements = label_huge, .size = 24}, "image 1: label "},
};

static void damaged_arrays_are_refused_with_what_is_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        struct numpy_array arrays[2] = {good_images, good_labels}, *array = &arrays[damages[i].array];
        const struct numpy_array *change = &damages[i].change;
        const char *path = temporary_path(folder, "damaged.npz");
        struct ff_shape shape;
        struct ff_images images = {.count = 77};
        struct ff_error error;

        array->type = change->type != NULL ? change->type : array->type;
        array->shape = change->shape != NULL ? change->shape : array->shape;
        array->elements = change->elements != NULL ? change->elements : array->elements;
        array->size = change->size != 0 ? change->size : array->size;
        array->fortran = change->fortran;
        array->version = change->version;
        numpy_write(path, arrays, 2);
        assert_int_equal(read_train(path, &shape, &images, &error), FF_DAMAGED);
        if (strstr(error.message, damages[i].words) == NULL || strstr(error.message, "damaged.npz: ") == NULL)
            fail_msg("case %zu: the sentence is \"%s\", not \"%s\"", i, error.message, damages[i].words);
        assert_int_equal(images.count, 0);
        assert_null(images.pixels);
        assert_null(images.labels);
    }
}

/* An array's file cut at every length below its elements, put whole into a good archive. */
static void a_cut_array_is_refused_at_every_length(void **state)
{
    size_t size;
    uint8_t *bytes = numpy_bytes(&good_images, &size);

    (void)state;
    for (size_t kept = 1; kept < size; kept++) {
        const char *path = temporary_path(folder, "cut.npz");
        uint8_t *part = malloc(kept + 1);
        zip_t *archive;
        struct ff_shape shape;
        struct ff_images images;
        struct ff_error error;

        assert_non_null(part);
        memcpy(part, bytes, kept);
        numpy_write(path, &good_labels, 1);
        archive = zip_open(path, 0, NULL);
        assert_non_null(archive);
        numpy_add(archive, "x_train", part, kept, false);
        assert_int_equal(zip_close(archive), 0);
        assert_int_equal(read_train(path, &shape, &images, &error), FF_DAMAGED);
        assert_non_null(strstr(error.message, "array x_train "));
    }
    free(bytes);
}

static uint8_t *find_pixels(uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i + PIXELS <= size; i++)
        if (memcmp(bytes + i, pixels, PIXELS) == 0)
            return bytes + i;
    return NULL;
}

/* Every byte of a stored array's elements is under the archive's checksum. */
static void a_changed_byte_is_refused(void **state)
{
    struct numpy_array arrays[2] = {good_images, good_labels};
    const char *path = temporary_path(folder, "changed.npz");
    uint8_t bytes[2048], *place;
    struct ff_shape shape;
    struct ff_images images;
    struct ff_error error;
    FILE *file;
    size_t size;

    (void)state;
    arrays[0].stored = true;
    numpy_write(path, arrays, 2);
    file = fopen(path, "rb");
    assert_non_null(file);
    size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    place = find_pixels(bytes, size);
    assert_non_null(place);
    place[5] ^= 1;
    temporary_write(path, bytes, size);
    assert_int_equal(read_train(path, &shape, &images, &error), FF_DAMAGED);
    assert_non_null(strstr(error.message, "changed.npz: array x_train is damaged (CRC error)"));
}

static void what_is_no_archive_is_refused(void **state)
{
    const char *path = temporary_path(folder, "text.npz"), *pipe = temporary_path(folder, "pipe.npz");
    struct ff_shape shape;
    struct ff_images images;
    struct ff_error error;

    (void)state;
    temporary_write(path, "not an archive", 14);
    assert_int_equal(read_train(path, &shape, &images, &error), FF_DAMAGED);
    assert_non_null(strstr(error.message, "text.npz: is not a readable .npz file: Not a zip archive"));
    assert_int_equal(read_train(temporary_path(folder, "absent.npz"), &shape, &images, &error), FF_NOT_FOUND);
    assert_non_null(strstr(error.message, "absent.npz: cannot be opened"));
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_int_equal(read_train(pipe, &shape, &images, &error), FF_DAMAGED);
    assert_non_null(strstr(error.message, "pipe.npz: is not a file"));
}

static int make_pixels(void **state)
{
    for (int i = 0; i < PIXELS; i++)
        pixels[i] = (uint8_t)(i * 7 + 1);
    return make_folder(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_and_labels_are_read_stored_and_deflated),
        cmocka_unit_test(test_arrays_are_read_for_the_test_split),
        cmocka_unit_test(channels_become_planar),
        cmocka_unit_test(labels_of_every_whole_type_are_read),
        cmocka_unit_test(damaged_arrays_are_refused_with_what_is_wrong),
        cmocka_unit_test(a_cut_array_is_refused_at_every_length),
        cmocka_unit_test(a_changed_byte_is_refused),
        cmocka_unit_test(what_is_no_archive_is_refused),
    };

    return cmocka_run_group_tests(tests, make_pixels, remove_folder);
}
