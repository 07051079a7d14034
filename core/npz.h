/* npz.h - numpy's archive of arrays, as Keras keeps mnist.npz: x_train, y_train, x_test, y_test.
 *
 * Images are unsigned bytes, (count, height, width) or (count, height, width, channels); labels any whole-number
 * type, (count) or (count, 1). Nothing in a file is believed before it has been checked, and nothing is allocated
 * that the file does not fill. Any thread may call. */
#ifndef FF_NPZ_H
#define FF_NPZ_H

#include "dataset.h"
#include "error.h"
#include "shape.h"

/* Read one split: x_train and y_train, or x_test and y_test. On FF_OK `shape` is the images', and `images` holds
 * pixels (planar: a channel after the other) and labels for the caller to free. FF_NOT_FOUND, FF_DAMAGED, FF_IO,
 * FF_NO_MEMORY: a sentence that names file and array; `images` is then empty. */
ff_status ff_npz_read(const char *path, enum ff_split split, struct ff_shape *shape, struct ff_images *images,
                      struct ff_error *error);

#endif
