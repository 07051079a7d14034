/* safetensors_header.h - the header of a safetensors file, as text and as a structure. Only for safetensors*.c.
 *
 * The grammar of a header is small, so that it is read here by the letter of RFC 8259 and nothing that a general
 * parser would let pass (a name twice, bad UTF-8, a rounded number) gets through. */
#ifndef FF_SAFETENSORS_HEADER_H
#define FF_SAFETENSORS_HEADER_H

#include <stdbool.h>

#include "safetensors.h"

#define FF_SAFETENSORS_METADATA "__metadata__"
#define FF_SAFETENSORS_SUM "sha256"

struct ff_tensor_place {
    struct ff_tensor_about about;
    uint64_t begin, end; /* bytes of the data section */
};

struct ff_safetensors_text {
    const char *name, *text;
};

struct ff_safetensors_header {
    struct ff_tensor_place *tensors; /* [count], in the order of their data */
    size_t *by_name;                 /* [count], indices of tensors in the order of their names */
    size_t count;
    struct ff_safetensors_text *metadata; /* [metadata_count], in the order of their names */
    size_t metadata_count;
};

struct ff_dtype_about {
    const char *name;
    uint64_t size; /* bytes of one element */
};

/* Indexed by enum ff_dtype. */
extern const struct ff_dtype_about ff_dtypes[];
extern const size_t ff_dtype_count;

/* How many bytes a tensor of rank at most FF_TENSOR_RANK_MAX takes; false: more than 64 bits can count. */
bool ff_tensor_bytes(const struct ff_tensor_about *about, uint64_t *bytes);

/* The sentence for a damaged file, printf's way: "PATH: WHAT; what to do". Returns FF_DAMAGED. */
ff_status ff_safetensors_damaged(struct ff_error *error, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Read and check `length` bytes of header before `data_bytes` bytes of data. Names and texts are decoded in place:
 * the result points into `text`, and is freed with ff_safetensors_header_free, on failure as well. FF_DAMAGED, with
 * `path` in the sentence, or FF_NO_MEMORY. */
ff_status ff_safetensors_header_read(struct ff_safetensors_header *header, const char *path, char *text,
                                     size_t length, uint64_t data_bytes, struct ff_error *error);
void ff_safetensors_header_free(struct ff_safetensors_header *header);

#endif
