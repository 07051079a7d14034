/* safetensors.h - the public file format for tensors, written and read: https://github.com/huggingface/safetensors
 *
 * Eight bytes: the header's length, little-endian. The header: a JSON object that gives every tensor's dtype, shape
 * and place in the data, and under "__metadata__" names with texts. Then the data, tensor after tensor, row-major
 * and little-endian, up to the end of the file. Nothing here knows what the tensors are for.
 *
 * The writer pads the header with spaces, so that data begins at a multiple of 64 bytes, and puts the SHA-256 of
 * the whole data section (64 hexadecimal digits) into the metadata as "sha256". The reader believes nothing:
 * whatever a file holds, it is refused with a sentence or every tensor lies inside of it.
 *
 * A writer has one user at a time. Any number of threads may use an open file that no one closes. */
#ifndef FF_SAFETENSORS_H
#define FF_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "files.h"

enum {
    FF_TENSOR_NAME_MAX = 80, /* bytes of UTF-8, with the NUL */
    FF_TENSOR_RANK_MAX = 4,
    FF_SAFETENSORS_HEADER_MAX = 16 << 20 /* bytes of JSON */
};

enum ff_dtype { FF_F32, FF_F64, FF_U64 };

struct ff_tensor_about {
    char name[FF_TENSOR_NAME_MAX];
    enum ff_dtype dtype;
    uint32_t rank; /* 0: a single number */
    uint64_t shape[FF_TENSOR_RANK_MAX];
};

/* --- writing --- */

struct ff_safetensors_writer;

/* Begin a file with these tensors, their data in this order. `metadata`: names and texts, in turn, NULL at the end;
 * NULL when there are none; "sha256" is the writer's own. Takes `file` over, and discards it when this fails.
 * NULL and `error`: FF_INVALID (names twice, no UTF-8, too long a header …) or FF_NO_MEMORY. */
struct ff_safetensors_writer *ff_safetensors_write(struct ff_durable *file, const struct ff_tensor_about *tensors,
                                                   size_t count, const char *const *metadata,
                                                   struct ff_error *error);

/* The next bytes of the data, which may end inside a tensor or go on into the next. FF_INVALID for more than the
 * tensors take, FF_IO; a failure is remembered and returned again by later calls. */
ff_status ff_safetensors_append(struct ff_safetensors_writer *writer, const void *bytes, size_t count,
                                struct ff_error *error);

/* Write the header with the sum, once all bytes have come, and give the file back for ff_durable_commit. Frees the
 * writer. On failure (an earlier one too; FF_INVALID when bytes are missing) the file is discarded, *file is NULL.
 */
ff_status ff_safetensors_finish(struct ff_safetensors_writer *writer, struct ff_durable **file,
                                struct ff_error *error);

/* Give up: the file is discarded too. NULL is fine. */
void ff_safetensors_discard(struct ff_safetensors_writer *writer);

/* --- reading --- */

struct ff_safetensors;

/* Open a file and check all but the data's sum. NULL and `error`: FF_NOT_FOUND, FF_DAMAGED, FF_IO, FF_NO_MEMORY. */
struct ff_safetensors *ff_safetensors_open(const char *path, struct ff_error *error);

/* The text under `name`, which lives as long as the file is open; NULL when there is none. */
const char *ff_safetensors_metadata(const struct ff_safetensors *file, const char *name);

/* The tensor called `name`, and its index when `index` is not NULL; NULL when there is none. */
const struct ff_tensor_about *ff_safetensors_find(const struct ff_safetensors *file, const char *name,
                                                  size_t *index);

/* Tensors by index, from 0, in the order of their data. */
size_t ff_safetensors_count(const struct ff_safetensors *file);
const struct ff_tensor_about *ff_safetensors_tensor(const struct ff_safetensors *file, size_t index);

/* Copy `bytes` bytes of a tensor, from `offset_bytes` on. FF_INVALID when they are not all inside the tensor;
 * FF_DAMAGED when the file has become shorter since it was opened; FF_IO. */
ff_status ff_safetensors_read(struct ff_safetensors *file, size_t index, uint64_t offset_bytes, void *to,
                              size_t bytes, struct ff_error *error);

/* Read all data and compare its SHA-256 with the metadata's: FF_DAMAGED when they differ. FF_OK without a sum. */
ff_status ff_safetensors_verify(struct ff_safetensors *file, struct ff_error *error);

void ff_safetensors_close(struct ff_safetensors *file); /* NULL is fine */

#endif
