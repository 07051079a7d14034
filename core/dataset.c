#include "dataset.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "idx.h"
#include "npz.h"

enum { PATH_MAX_LENGTH = 4096 };

/* The four files of the IDX layout, up to the part in which they are spelt differently. */
enum part { TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS, PARTS };

static const struct {
    const char *stem;
    const char *kind;
} part_names[PARTS] = {
    [TRAIN_IMAGES] = {"train-images", "idx3-ubyte"},
    [TRAIN_LABELS] = {"train-labels", "idx1-ubyte"},
    [TEST_IMAGES] = {"t10k-images", "idx3-ubyte"},
    [TEST_LABELS] = {"t10k-labels", "idx1-ubyte"},
};

struct idx_paths {
    char path[PARTS][PATH_MAX_LENGTH];
};

static bool is_file(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

static bool is_folder(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* The file of one part under any of its names; plain before gzipped. On false, `path` holds the usual name. */
static bool find_part(const char *folder, enum part part, char path[PATH_MAX_LENGTH])
{
    static const char separators[] = {'-', '.'};
    static const char *const endings[] = {"", ".gz"};

    for (int ending = 0; ending < 2; ending++)
        for (int i = 0; i < 2; i++) {
            snprintf(path, PATH_MAX_LENGTH, "%s/%s%c%s%s", folder, part_names[part].stem, separators[i],
                     part_names[part].kind, endings[ending]);
            if (is_file(path))
                return true;
        }
    snprintf(path, PATH_MAX_LENGTH, "%s/%s-%s", folder, part_names[part].stem, part_names[part].kind);
    return false;
}

/* Returns how many of the four are there; *missing is the first that is not (PARTS when none is). */
static int find_parts(const char *folder, struct idx_paths *paths, enum part *missing)
{
    int found = 0;

    *missing = PARTS;
    for (enum part part = TRAIN_IMAGES; part < PARTS; part++) {
        /* cppcheck-suppress uninitvar ; find_part writes it */
        if (find_part(folder, part, paths->path[part]))
            found++;
        else if (*missing == PARTS)
            *missing = part;
    }
    return found;
}

static void npz_path(const char *name, const char *path, char file[PATH_MAX_LENGTH])
{
    if (is_folder(path))
        snprintf(file, PATH_MAX_LENGTH, "%s/%s.npz", path, name);
    else
        snprintf(file, PATH_MAX_LENGTH, "%s", path);
}

static ff_status load_idx(struct ff_dataset *dataset, const struct idx_paths *paths, struct ff_shape *test_shape,
                          struct ff_error *error)
{
    ff_status status =
        ff_idx_read(paths->path[TRAIN_IMAGES], paths->path[TRAIN_LABELS], &dataset->shape, &dataset->train, error);

    if (status != FF_OK)
        return status;
    return ff_idx_read(paths->path[TEST_IMAGES], paths->path[TEST_LABELS], test_shape, &dataset->test, error);
}

static ff_status load_npz(struct ff_dataset *dataset, const char *file, struct ff_shape *test_shape,
                          struct ff_error *error)
{
    ff_status status = ff_npz_read(file, FF_TRAIN_SPLIT, &dataset->shape, &dataset->train, error);

    if (status != FF_OK)
        return status;
    return ff_npz_read(file, FF_TEST_SPLIT, test_shape, &dataset->test, error);
}

static ff_status fail_absent(const char *name, const char *path, struct ff_error *error)
{
    struct stat status;

    if (stat(path, &status) == 0)
        return ff_fail(error, FF_NOT_FOUND, "data set %s: %s is neither a folder nor a file", name, path);
    if (errno == ENOENT || errno == ENOTDIR)
        return ff_fail(error, FF_NOT_FOUND, "data set %s: there is no %s", name, path);
    return ff_fail(error, FF_IO, "data set %s: %s cannot be opened: %s", name, path, strerror(errno));
}

static ff_status load_parts(struct ff_dataset *dataset, const char *path, struct ff_shape *test_shape,
                            struct ff_error *error)
{
    struct idx_paths paths;
    enum part missing;
    char file[PATH_MAX_LENGTH];
    int found = is_folder(path) ? find_parts(path, &paths, &missing) : 0;

    if (found == PARTS)
        return load_idx(dataset, &paths, test_shape, error);
    npz_path(dataset->name, path, file);
    if (is_file(file))
        return load_npz(dataset, file, test_shape, error);
    if (found > 0)
        return ff_fail(error, FF_NOT_FOUND, "data set %s: %s is missing (or with .gz)", dataset->name,
                       paths.path[missing]);
    if (is_folder(path))
        return ff_fail(error, FF_NOT_FOUND,
                       "data set %s: %s has neither %s-%s and the other three IDX files nor %s.npz", dataset->name,
                       path, part_names[0].stem, part_names[0].kind, dataset->name);
    return fail_absent(dataset->name, path, error);
}

static uint32_t highest_label(const struct ff_images *images)
{
    uint32_t highest = 0;

    for (uint32_t i = 0; i < images->count; i++)
        if (images->labels[i] > highest)
            highest = images->labels[i];
    return highest;
}

static ff_status check_whole(struct ff_dataset *dataset, const char *path, struct ff_shape test,
                             struct ff_error *error)
{
    struct ff_shape train = dataset->shape;
    uint32_t highest = highest_label(&dataset->train), highest_test = highest_label(&dataset->test);

    if (!ff_same_shape(train, test))
        return ff_fail(
            error, FF_DAMAGED,
            "%s: training images are %ux%u with %u channel(s), test images %ux%u with %u; they must agree", path,
            train.height, train.width, train.channels, test.height, test.width, test.channels);
    if (highest_test > highest)
        highest = highest_test;
    dataset->classes = highest < 1 ? 2 : highest + 1;
    return FF_OK;
}

struct ff_dataset *ff_dataset_load(const char *name, const char *path, struct ff_error *error)
{
    struct ff_dataset *dataset;
    struct ff_shape test_shape = {0};

    if (strlen(name) >= FF_DATASET_NAME_MAX) {
        ff_fail(error, FF_INVALID, "the name of a data set has at most %d bytes", FF_DATASET_NAME_MAX - 1);
        return NULL;
    }
    dataset = calloc(1, sizeof *dataset);
    if (dataset == NULL) {
        ff_fail_memory(error, "a data set");
        return NULL;
    }
    memcpy(dataset->name, name, strlen(name) + 1);
    if (load_parts(dataset, path, &test_shape, error) != FF_OK ||
        check_whole(dataset, path, test_shape, error) != FF_OK) {
        ff_dataset_destroy(dataset);
        return NULL;
    }
    return dataset;
}

bool ff_dataset_exists(const char *name, const char *path)
{
    struct idx_paths paths;
    enum part missing;
    char file[PATH_MAX_LENGTH];

    npz_path(name, path, file);
    return is_file(file) || (is_folder(path) && find_parts(path, &paths, &missing) == PARTS);
}

const struct ff_images *ff_dataset_split(const struct ff_dataset *dataset, enum ff_split split)
{
    return split == FF_TRAIN_SPLIT ? &dataset->train : &dataset->test;
}

size_t ff_dataset_bytes(const struct ff_dataset *dataset)
{
    size_t each = ff_shape_size(dataset->shape) + sizeof(uint16_t);

    return sizeof *dataset + each * ((size_t)dataset->train.count + dataset->test.count);
}

void ff_dataset_destroy(struct ff_dataset *dataset)
{
    if (dataset == NULL)
        return;
    free(dataset->train.pixels);
    free(dataset->train.labels);
    free(dataset->test.pixels);
    free(dataset->test.labels);
    free(dataset);
}
