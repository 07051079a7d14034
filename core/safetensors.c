/* The reader; the writer is in safetensors_write.c. */
#include "safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "safetensors_header.h"
#include "sha256.h"

enum { LENGTH_BYTES = 8, VERIFIED_AT_ONCE = 1 << 20 };

struct ff_safetensors {
    int file;
    char *path, *text; /* text: the header, which names and texts point into */
    uint64_t data_start, data_bytes;
    struct ff_safetensors_header header;
};

/* --- opening -------------------------------------------------------------------------------------------------- */

static ff_status open_file(struct ff_safetensors *file, uint64_t *size, struct ff_error *error)
{
    struct stat status;

    file->file = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe of that name must not hold us up */
    if (file->file < 0)
        return ff_fail(error, errno == ENOENT ? FF_NOT_FOUND : FF_IO, "%s: cannot be opened: %s", file->path,
                       strerror(errno));
    if (fstat(file->file, &status) != 0)
        return ff_fail(error, FF_IO, "%s: cannot be read: %s", file->path, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return ff_safetensors_damaged(error, file->path, "it is not a file");
    *size = (uint64_t)status.st_size;
    return FF_OK;
}

/* pread and not a mapping: a file that is cut short while it is read must not end the process. */
static ff_status read_at(const struct ff_safetensors *file, uint64_t offset, void *to, size_t bytes,
                         struct ff_error *error)
{
    char *next = to;

    while (bytes > 0) {
        ssize_t count = pread(file->file, next, bytes, (off_t)offset);

        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return ff_fail(error, FF_IO, "%s: cannot be read: %s; check the disk", file->path, strerror(errno));
        if (count == 0)
            return ff_safetensors_damaged(error, file->path, "it has become shorter while it was read");
        next += count;
        offset += (uint64_t)count;
        bytes -= (size_t)count;
    }
    return FF_OK;
}

static ff_status read_header(struct ff_safetensors *file, uint64_t size, struct ff_error *error)
{
    uint64_t length;
    ff_status status;

    if (size < LENGTH_BYTES)
        return ff_safetensors_damaged(
            error, file->path, "it is cut short: it has %" PRIu64 " bytes, fewer than any safetensors file", size);
    status = read_at(file, 0, &length, sizeof length, error);
    if (status != FF_OK)
        return status;
    if (length > FF_SAFETENSORS_HEADER_MAX)
        return ff_safetensors_damaged(
            error, file->path,
            "it is no safetensors file, or one with a header of more than %d MiB (%" PRIu64 " bytes)",
            FF_SAFETENSORS_HEADER_MAX >> 20, length);
    if (length > size - LENGTH_BYTES)
        return ff_safetensors_damaged(
            error, file->path, "it is cut short: its header takes %" PRIu64 " bytes, but %" PRIu64 " are there",
            length, size - LENGTH_BYTES);
    file->data_start = LENGTH_BYTES + length;
    file->data_bytes = size - file->data_start;
    file->text = malloc((size_t)length + 1);
    if (file->text == NULL)
        return ff_fail_memory(error, "the header of a safetensors file");
    status = read_at(file, LENGTH_BYTES, file->text, (size_t)length, error);
    if (status != FF_OK)
        return status;
    return ff_safetensors_header_read(&file->header, file->path, file->text, (size_t)length, file->data_bytes,
                                      error);
}

struct ff_safetensors *ff_safetensors_open(const char *path, struct ff_error *error)
{
    struct ff_safetensors *file = calloc(1, sizeof *file);
    uint64_t size = 0;

    if (file == NULL) {
        ff_fail_memory(error, "a safetensors file");
        return NULL;
    }
    file->file = -1;
    file->path = strdup(path);
    if (file->path == NULL) {
        ff_fail_memory(error, "a safetensors file");
        ff_safetensors_close(file);
        return NULL;
    }
    if (open_file(file, &size, error) != FF_OK || read_header(file, size, error) != FF_OK) {
        ff_safetensors_close(file);
        return NULL;
    }
    return file;
}

void ff_safetensors_close(struct ff_safetensors *file)
{
    if (file == NULL)
        return;
    if (file->file >= 0)
        close(file->file);
    ff_safetensors_header_free(&file->header);
    free(file->text);
    free(file->path);
    free(file);
}

/* --- what is in it -------------------------------------------------------------------------------------------- */

const char *ff_safetensors_metadata(const struct ff_safetensors *file, const char *name)
{
    size_t low = 0, high = file->header.metadata_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, file->header.metadata[middle].name);

        if (order == 0)
            return file->header.metadata[middle].text;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

const struct ff_tensor_about *ff_safetensors_find(const struct ff_safetensors *file, const char *name,
                                                  size_t *index)
{
    size_t low = 0, high = file->header.count;

    while (low < high) {
        size_t middle = low + (high - low) / 2, at = file->header.by_name[middle];
        const struct ff_tensor_about *about = &file->header.tensors[at].about;
        int order = strcmp(name, about->name);

        if (order == 0) {
            if (index != NULL)
                *index = at;
            return about;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

size_t ff_safetensors_count(const struct ff_safetensors *file)
{
    return file->header.count;
}

const struct ff_tensor_about *ff_safetensors_tensor(const struct ff_safetensors *file, size_t index)
{
    return &file->header.tensors[index].about;
}

/* --- its data ------------------------------------------------------------------------------------------------- */

ff_status ff_safetensors_read(struct ff_safetensors *file, size_t index, uint64_t offset_bytes, void *to,
                              size_t bytes, struct ff_error *error)
{
    const struct ff_tensor_place *place;

    if (index >= file->header.count)
        return ff_fail(error, FF_INVALID, "%s: has %zu tensors, so there is none with index %zu", file->path,
                       file->header.count, index);
    place = &file->header.tensors[index];
    if (offset_bytes > place->end - place->begin || bytes > place->end - place->begin - offset_bytes)
        return ff_fail(error, FF_INVALID,
                       "%s: tensor %s has %" PRIu64 " bytes, so %zu from %" PRIu64 " on cannot be read", file->path,
                       place->about.name, place->end - place->begin, bytes, offset_bytes);
    return read_at(file, file->data_start + place->begin + offset_bytes, to, bytes, error);
}

static ff_status sum_data(const struct ff_safetensors *file, struct ff_sha256 *sum, struct ff_error *error)
{
    char *buffer = malloc(VERIFIED_AT_ONCE);
    ff_status status = FF_OK;

    if (buffer == NULL)
        return ff_fail_memory(error, "checking a safetensors file");
    for (uint64_t at = 0, step; at < file->data_bytes && status == FF_OK; at += step) {
        step = file->data_bytes - at < VERIFIED_AT_ONCE ? file->data_bytes - at : VERIFIED_AT_ONCE;
        status = read_at(file, file->data_start + at, buffer, (size_t)step, error);
        if (status == FF_OK)
            ff_sha256_add(sum, buffer, (size_t)step);
    }
    free(buffer);
    return status;
}

ff_status ff_safetensors_verify(struct ff_safetensors *file, struct ff_error *error)
{
    const char *promised = ff_safetensors_metadata(file, FF_SAFETENSORS_SUM);
    char text[FF_SHA256_TEXT];
    struct ff_sha256 *sum;
    ff_status status;

    if (promised == NULL)
        return FF_OK;
    sum = ff_sha256_create(error);
    if (sum == NULL)
        return error->status;
    status = sum_data(file, sum, error);
    ff_sha256_take(sum, text);
    ff_sha256_destroy(sum);
    if (status == FF_OK && strcmp(text, promised) != 0)
        return ff_safetensors_damaged(
            error, file->path, "its data is damaged: the SHA-256 is %s, not %.64s as written", text, promised);
    return status;
}
