#include "idx.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

#include "bytes.h"

/* The magic number: two zeros, the type of the elements, how many dimensions. */
enum { UNSIGNED_BYTE = 8, IMAGE_DIMENSIONS = 3, LABEL_DIMENSIONS = 1, DIMENSIONS_MAX = 3 };

struct idx_file {
    const char *path;
    gzFile stream; /* zlib reads what is not gzipped as it is */
};

struct idx_array {
    uint64_t size[DIMENSIONS_MAX];
    uint8_t *bytes;
};

static ff_status open_file(struct idx_file *file, const char *path, struct ff_error *error)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe of that name must not hold us up */
    struct stat status;

    file->path = path;
    if (descriptor < 0)
        return ff_fail(error, errno == ENOENT ? FF_NOT_FOUND : FF_IO, "%s: cannot be opened: %s", path,
                       strerror(errno));
    if (fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
        close(descriptor);
        return ff_fail(error, FF_DAMAGED, "%s: is not a file", path);
    }
    file->stream = gzdopen(descriptor, "rb");
    if (file->stream == NULL) {
        close(descriptor);
        return ff_fail_memory(error, "reading a data set");
    }
    gzbuffer(file->stream, 1 << 17);
    return FF_OK;
}

static ff_status fail_reading(const struct idx_file *file, struct ff_error *error)
{
    int code;
    const char *text = gzerror(file->stream, &code);

    switch (code) {
    case Z_ERRNO:
        return ff_fail(error, FF_IO, "%s: cannot be read: %s", file->path, strerror(errno));
    case Z_MEM_ERROR:
        return ff_fail_memory(error, "reading a data set");
    case Z_BUF_ERROR:
        return ff_fail(error, FF_DAMAGED, "%s: is truncated: its gzip data ends in the middle; fetch it again",
                       file->path);
    default:
        return ff_fail(error, FF_DAMAGED, "%s: its gzip data is damaged (%s); fetch it again", file->path, text);
    }
}

static ptrdiff_t read_some(void *self, void *buffer, size_t size, struct ff_error *error)
{
    const struct idx_file *file = self;
    int count = gzread(file->stream, buffer, size > INT_MAX / 2 ? INT_MAX / 2 : (unsigned)size);
    int code = Z_OK;

    if (count == 0)
        gzerror(file->stream, &code); /* an end in the middle of gzip data is told only here */
    if (count < 0 || code < Z_OK) {
        fail_reading(file, error);
        return -1;
    }
    return count;
}

static uint32_t big_endian(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | (uint32_t)bytes[3];
}

static ff_status read_header(struct idx_file *file, struct idx_array *array, unsigned dimensions,
                             struct ff_error *error)
{
    const char *kind = dimensions == IMAGE_DIMENSIONS ? "images" : "labels";
    uint8_t header[4 + 4 * DIMENSIONS_MAX];
    size_t length = 4 + 4 * (size_t)dimensions, arrived;
    uint32_t magic, expected = UNSIGNED_BYTE << 8 | dimensions;

    if (ff_bytes_fill(read_some, file, header, length, &arrived, error) != FF_OK)
        return error->status;
    magic = arrived < 4 ? 0 : big_endian(header);
    if (arrived >= 4 && magic != expected)
        return ff_fail(error, FF_DAMAGED,
                       "%s: is not an IDX file of %s: it begins with 0x%08" PRIx32 " where 0x%08" PRIx32
                       " should be",
                       file->path, kind, magic, expected);
    if (arrived < length)
        return ff_fail(error, FF_DAMAGED,
                       "%s: is truncated: %zu bytes are too few for an IDX header; fetch it again", file->path,
                       arrived);
    for (unsigned i = 0; i < dimensions; i++)
        array->size[i] = big_endian(header + 4 + 4 * (size_t)i);
    return FF_OK;
}

/* "60000 images of 28x28" or "60000 labels", into `text`. */
static void describe(const struct idx_array *array, unsigned dimensions, char *text, size_t size)
{
    if (dimensions == IMAGE_DIMENSIONS)
        snprintf(text, size, "%" PRIu64 " images of %" PRIu64 "x%" PRIu64, array->size[0], array->size[1],
                 array->size[2]);
    else
        snprintf(text, size, "%" PRIu64 " labels", array->size[0]);
}

static ff_status read_elements(struct idx_file *file, struct idx_array *array, unsigned dimensions,
                               struct ff_error *error)
{
    size_t expected = ff_bytes_product(array->size, dimensions), arrived;
    char text[80];

    describe(array, dimensions, text, sizeof text);
    if (expected == 0)
        return ff_fail(error, FF_DAMAGED, "%s: its header says %s, which cannot be a data set", file->path, text);
    array->bytes = ff_bytes_read(read_some, file, expected, &arrived, error);
    if (array->bytes == NULL)
        return error->status;
    if (arrived == expected)
        return FF_OK;
    free(array->bytes);
    array->bytes = NULL;
    if (arrived < expected)
        return ff_fail(error, FF_DAMAGED,
                       "%s: is truncated: its header says %s, %zu bytes, but only %zu follow; fetch it again",
                       file->path, text, expected, arrived);
    return ff_fail(error, FF_DAMAGED,
                   "%s: is too long: its header says %s, %zu bytes, but more follow; fetch it again", file->path,
                   text, expected);
}

static ff_status read_array(const char *path, unsigned dimensions, struct idx_array *array, struct ff_error *error)
{
    struct idx_file file;

    array->bytes = NULL;
    if (open_file(&file, path, error) != FF_OK)
        return error->status;

    ff_status status = read_header(&file, array, dimensions, error);

    if (status == FF_OK)
        status = read_elements(&file, array, dimensions, error);
    gzclose(file.stream);
    return status;
}

static uint16_t *widen(const uint8_t *bytes, size_t count, struct ff_error *error)
{
    uint16_t *labels =
        malloc(count * sizeof *labels); /* NOLINT(clang-analyzer-optin.portability.UnixAPI): count > 0 */

    if (labels == NULL) {
        ff_fail_memory(error, "the labels of a data set");
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        labels[i] = bytes[i];
    return labels;
}

ff_status ff_idx_read(const char *images_path, const char *labels_path, struct ff_shape *shape,
                      struct ff_images *images, struct ff_error *error)
{
    struct idx_array pixels = {.bytes = NULL}, labels = {.bytes = NULL};
    ff_status status;

    memset(images, 0, sizeof *images);
    status = read_array(images_path, IMAGE_DIMENSIONS, &pixels, error);
    if (status != FF_OK)
        goto cleanup;
    status = read_array(labels_path, LABEL_DIMENSIONS, &labels, error);
    if (status != FF_OK)
        goto cleanup;
    if (labels.size[0] != pixels.size[0]) {
        status = ff_fail(error, FF_DAMAGED, "%s: has %" PRIu64 " labels, but %s has %" PRIu64 " images",
                         labels_path, labels.size[0], images_path, pixels.size[0]);
        goto cleanup;
    }
    images->labels = widen(labels.bytes, (size_t)labels.size[0], error);
    if (images->labels == NULL) {
        status = error->status;
        goto cleanup;
    }
    images->count = (uint32_t)pixels.size[0];
    images->pixels = pixels.bytes;
    pixels.bytes = NULL;
    *shape =
        (struct ff_shape){.channels = 1, .height = (uint32_t)pixels.size[1], .width = (uint32_t)pixels.size[2]};

cleanup:
    free(pixels.bytes);
    free(labels.bytes);
    return status;
}
