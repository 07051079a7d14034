/* idx.h - the IDX format of MNIST's files: a magic number, sizes, unsigned bytes; gzipped or not.
 *
 * Nothing in a file is believed before it has been checked, and nothing is allocated that the file does not fill.
 * Pure but for reading files; any thread may call. */
#ifndef FF_IDX_H
#define FF_IDX_H

#include "dataset.h"
#include "error.h"
#include "shape.h"

/* Read the images of one split and their labels. On FF_OK `shape` is the images' (one channel), and `images` holds
 * pixels and labels for the caller to free. FF_NOT_FOUND, FF_DAMAGED, FF_IO, FF_NO_MEMORY: a sentence that names
 * the file; `images` is then empty. */
ff_status ff_idx_read(const char *images_path, const char *labels_path, struct ff_shape *shape,
                      struct ff_images *images, struct ff_error *error);

#endif
