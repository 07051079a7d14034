/* dataset.h - labelled images in memory, as bytes, the way they are stored.
 *
 * Read once, then never changed: any number of threads may read. Two layouts of files are known, idx.h's and
 * npz.h's; this module puts their parts together and refuses, in a sentence that names the file, whatever does not
 * fit. */
#ifndef FF_DATASET_H
#define FF_DATASET_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "shape.h"

enum { FF_CLASSES_MAX = 1000, FF_DATASET_NAME_MAX = 64 };

enum ff_split { FF_TRAIN_SPLIT, FF_TEST_SPLIT };

struct ff_images {
    uint32_t count;
    uint8_t *pixels;  /* [count][channels][height][width], 0 to 255 */
    uint16_t *labels; /* [count], 0 to classes - 1 */
};

struct ff_dataset {
    char name[FF_DATASET_NAME_MAX];
    struct ff_shape shape; /* of one image */
    uint32_t classes;      /* highest label of either split + 1, at least 2 */
    struct ff_images train, test;
};

/* Read the data set at `path`: a folder with the four IDX files under their usual names (train-images-idx3-ubyte,
 * train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte; "-idx3" may be ".idx3"; gzipped with .gz
 * or not; a gzipped file without the ending is recognized), or a folder that holds NAME.npz, or such a file itself
 * (x_train, y_train, x_test, y_test). NULL and `error` set: FF_NOT_FOUND when nothing is there, FF_DAMAGED when it
 * is not what it should be, FF_IO, FF_NO_MEMORY. Destroy what is returned. */
struct ff_dataset *ff_dataset_load(const char *name, const char *path, struct ff_error *error);

/* Whether `path` seems to hold the data set `name` (the files exist; nothing is read). */
bool ff_dataset_exists(const char *name, const char *path);

/* The images of a split. */
const struct ff_images *ff_dataset_split(const struct ff_dataset *dataset, enum ff_split split);

/* Bytes of memory held. */
size_t ff_dataset_bytes(const struct ff_dataset *dataset);

void ff_dataset_destroy(struct ff_dataset *dataset); /* NULL is fine */

#endif
