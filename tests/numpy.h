/* numpy.h - writes .npz files as numpy does, and as it never would. */
#ifndef NUMPY_H
#define NUMPY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zip.h>

struct numpy_array {
    const char *name;  /* "x_train" */
    const char *type;  /* "'|u1'", quotes included */
    const char *shape; /* "(3, 2, 4)" */
    const void *elements;
    size_t size;         /* in bytes */
    const char *fortran; /* NULL: "False" */
    uint8_t version;     /* 0: 1 */
    bool stored;         /* without compression, as savez does */
};

/* The bytes of a .npy file in new memory; *size. */
static inline uint8_t *numpy_bytes(const struct numpy_array *array, size_t *size)
{
    uint8_t version = array->version == 0 ? 1 : array->version;
    size_t prefix = version == 1 ? 10 : 12, length;
    char header[512];
    uint8_t *bytes;

    length = (size_t)snprintf(header, sizeof header, "{'descr': %s, 'fortran_order': %s, 'shape': %s, }",
                              array->type, array->fortran == NULL ? "False" : array->fortran, array->shape);
    while ((prefix + length + 1) % 64 != 0)
        header[length++] = ' ';
    header[length++] = '\n';
    *size = prefix + length + array->size;
    bytes = calloc(1, *size + 1);
    if (bytes == NULL)
        exit(1);
    memcpy(bytes, "\x93NUMPY", 6);
    bytes[6] = version;
    bytes[8] = (uint8_t)length;
    bytes[9] = (uint8_t)(length >> 8);
    memcpy(bytes + prefix, header, length);
    if (array->size > 0)
        memcpy(bytes + prefix + length, array->elements, array->size);
    return bytes;
}

/* Add a file to the archive; the archive frees `bytes`. */
static inline void numpy_add(zip_t *archive, const char *name, uint8_t *bytes, size_t size, bool stored)
{
    char file[64];
    zip_source_t *source = zip_source_buffer(archive, bytes, size, 1);
    zip_int64_t place;

    snprintf(file, sizeof file, "%s.npy", name);
    place = zip_file_add(archive, file, source, ZIP_FL_OVERWRITE);
    if (place < 0 ||
        zip_set_file_compression(archive, (zip_uint64_t)place, stored ? ZIP_CM_STORE : ZIP_CM_DEFLATE, 0)) {
        fprintf(stderr, "%s: %s\n", name, zip_strerror(archive));
        exit(1);
    }
}

static inline void numpy_write(const char *path, const struct numpy_array *arrays, size_t count)
{
    zip_t *archive = zip_open(path, ZIP_CREATE | ZIP_TRUNCATE, NULL);

    if (archive == NULL) {
        perror(path);
        exit(1);
    }
    for (size_t i = 0; i < count; i++) {
        size_t size;
        uint8_t *bytes = numpy_bytes(&arrays[i], &size);

        numpy_add(archive, arrays[i].name, bytes, size, arrays[i].stored);
    }
    if (zip_close(archive) != 0) {
        fprintf(stderr, "%s: %s\n", path, zip_strerror(archive));
        exit(1);
    }
}

#endif
