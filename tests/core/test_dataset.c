#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../numpy.h"
#include "../temporary.h"
#include "dataset.h"

static char folder[256];

/* 2 training images and 1 test image of 2x2; the highest label is 4. */
static uint8_t train_images[16 + 8] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8};
static uint8_t train_labels[8 + 2] = {0, 0, 8, 1, 0, 0, 0, 2, 3, 0};
static uint8_t test_images[16 + 4] = {0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, 9, 9, 9, 9};
static uint8_t test_labels[8 + 1] = {0, 0, 8, 1, 0, 0, 0, 1, 4};

/* Train images and labels, test images and labels, under the names of a spelling. */
static const char *const spellings[][4] = {
    {"train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"},
    {"train-images.idx3-ubyte", "train-labels.idx1-ubyte", "t10k-images.idx3-ubyte", "t10k-labels.idx1-ubyte"},
    {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz",
     "t10k-labels-idx1-ubyte.gz"},
    {"train-images.idx3-ubyte.gz", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
     "t10k-labels.idx1-ubyte.gz"},
};

typedef void writer(const char *path, const void *bytes, size_t size);

static void write_parts(const char *const names[4], writer *write_one)
{
    write_one(temporary_path(folder, names[0]), train_images, sizeof train_images);
    write_one(temporary_path(folder, names[1]), train_labels, sizeof train_labels);
    write_one(temporary_path(folder, names[2]), test_images, sizeof test_images);
    write_one(temporary_path(folder, names[3]), test_labels, sizeof test_labels);
}

static void assert_is_the_small_set(const struct ff_dataset *dataset, const char *name)
{
    const struct ff_images *train, *test;

    assert_non_null(dataset);
    train = ff_dataset_split(dataset, FF_TRAIN_SPLIT);
    test = ff_dataset_split(dataset, FF_TEST_SPLIT);
    assert_string_equal(dataset->name, name);
    assert_int_equal(dataset->classes, 5);
    assert_int_equal(ff_shape_size(dataset->shape), 4);
    assert_int_equal(train->count, 2);
    assert_int_equal(test->count, 1);
    assert_memory_equal(train->pixels, train_images + 16, 8);
    assert_memory_equal(test->pixels, test_images + 16, 4);
    assert_int_equal(train->labels[0], 3);
    assert_int_equal(test->labels[0], 4);
    assert_in_range(ff_dataset_bytes(dataset), 12 + 3 * 2, 12 + 3 * 2 + 1000);
}

static void four_idx_files_are_found_under_all_their_names(void **state)
{
    static writer *const writers[] = {temporary_write, temporary_write_gzipped};

    (void)state;
    for (size_t i = 0; i < 8; i++) {
        struct ff_error error;
        struct ff_dataset *dataset;

        temporary_folder(folder);
        assert_false(ff_dataset_exists("small", folder));
        write_parts(spellings[i / 2], writers[i % 2]); /* the contents tell what is gzipped, not the name */
        assert_true(ff_dataset_exists("small", folder));
        dataset = ff_dataset_load("small", folder, &error);
        assert_is_the_small_set(dataset, "small");
        ff_dataset_destroy(dataset);
        temporary_remove(folder);
    }
}

static void write_npz(const char *path, const char *test_shape)
{
    const struct numpy_array arrays[] = {
        {.name = "x_train", .type = "'|u1'", .shape = "(2, 2, 2)", .elements = train_images + 16, .size = 8},
        {.name = "y_train", .type = "'|u1'", .shape = "(2,)", .elements = train_labels + 8, .size = 2},
        {.name = "x_test", .type = "'|u1'", .shape = test_shape, .elements = test_images + 16, .size = 4},
        {.name = "y_test", .type = "'|u1'", .shape = "(1,)", .elements = test_labels + 8, .size = 1},
    };

    numpy_write(path, arrays, 4);
}

static void an_npz_file_is_found_by_itself_and_in_a_folder(void **state)
{
    const char *file;
    struct ff_error error;
    struct ff_dataset *dataset;

    (void)state;
    temporary_folder(folder);
    file = temporary_path(folder, "small.npz");
    write_npz(file, "(1, 2, 2)");
    assert_true(ff_dataset_exists("anything", file));
    assert_true(ff_dataset_exists("small", folder));
    assert_false(ff_dataset_exists("other", folder));
    dataset = ff_dataset_load("anything", file, &error);
    assert_is_the_small_set(dataset, "anything");
    ff_dataset_destroy(dataset);
    dataset = ff_dataset_load("small", folder, &error);
    assert_is_the_small_set(dataset, "small");
    ff_dataset_destroy(dataset);
    temporary_remove(folder);
}

static void assert_refused(const char *path, ff_status status, const char *words)
{
    struct ff_error error;

    assert_null(ff_dataset_load("small", path, &error));
    if (error.status != status || strstr(error.message, words) == NULL)
        fail_msg("the sentence is %d \"%s\", not %d \"%s\"", error.status, error.message, status, words);
}

static void images_that_differ_between_the_splits_are_refused(void **state)
{
    const char *file;

    (void)state;
    temporary_folder(folder);
    file = temporary_path(folder, "small.npz");
    write_npz(file, "(1, 1, 4)");
    assert_refused(file, FF_DAMAGED, "training images are 2x2 with 1 channel(s), test images 1x4 with 1");
    write_npz(file, "(1, 1, 1, 4)");
    assert_refused(file, FF_DAMAGED, "test images 1x1 with 4");
    write_parts(spellings[0], temporary_write);
    test_images[11] = 1;
    test_images[15] = 4;
    temporary_write(temporary_path(folder, spellings[0][2]), test_images, sizeof test_images);
    test_images[11] = test_images[15] = 2;
    assert_refused(folder, FF_DAMAGED, "test images 1x4");
    temporary_remove(folder);
}

static void a_damaged_file_is_named(void **state)
{
    (void)state;
    for (int part = 0; part < 4; part++) {
        temporary_folder(folder);
        write_parts(spellings[0], temporary_write);
        temporary_write(temporary_path(folder, spellings[0][part]), "", 0);
        assert_refused(folder, FF_DAMAGED, spellings[0][part]);
        temporary_remove(folder);
    }
}

static void what_is_not_there_is_not_found(void **state)
{
    (void)state;
    temporary_folder(folder);
    assert_refused(folder, FF_NOT_FOUND, "data set small: ");
    assert_refused(temporary_path(folder, "absent"), FF_NOT_FOUND, "there is no ");
    write_parts(spellings[0], temporary_write);
    assert_int_equal(remove(temporary_path(folder, "t10k-images-idx3-ubyte")), 0);
    assert_false(ff_dataset_exists("small", folder));
    assert_refused(folder, FF_NOT_FOUND, "t10k-images-idx3-ubyte is missing");
    temporary_remove(folder);
}

static void one_class_counts_as_two(void **state)
{
    struct ff_error error;
    struct ff_dataset *dataset;

    (void)state;
    temporary_folder(folder);
    train_labels[8] = test_labels[8] = 0;
    write_parts(spellings[0], temporary_write);
    train_labels[8] = 3;
    test_labels[8] = 4;
    dataset = ff_dataset_load("small", folder, &error);
    assert_non_null(dataset);
    assert_int_equal(dataset->classes, 2);
    ff_dataset_destroy(dataset);
    temporary_remove(folder);
}

static void a_name_that_is_too_long_is_refused(void **state)
{
    char name[FF_DATASET_NAME_MAX + 1];
    struct ff_error error;

    (void)state;
    memset(name, 'n', FF_DATASET_NAME_MAX);
    name[FF_DATASET_NAME_MAX] = '\0';
    assert_null(ff_dataset_load(name, "/", &error));
    assert_int_equal(error.status, FF_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_idx_files_are_found_under_all_their_names),
        cmocka_unit_test(an_npz_file_is_found_by_itself_and_in_a_folder),
        cmocka_unit_test(images_that_differ_between_the_splits_are_refused),
        cmocka_unit_test(a_damaged_file_is_named),
        cmocka_unit_test(what_is_not_there_is_not_found),
        cmocka_unit_test(one_class_counts_as_two),
        cmocka_unit_test(a_name_that_is_too_long_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
