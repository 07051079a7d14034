#include "safetensors_header.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "safetensors_scan.h"

const struct ff_dtype_about ff_dtypes[] = {[FF_F32] = {"F32", 4}, [FF_F64] = {"F64", 8}, [FF_U64] = {"U64", 8}};
const size_t ff_dtype_count = sizeof ff_dtypes / sizeof ff_dtypes[0];

bool ff_tensor_bytes(const struct ff_tensor_about *about, uint64_t *bytes)
{
    *bytes = ff_dtypes[about->dtype].size;
    for (uint32_t i = 0; i < about->rank; i++)
        if (about->shape[i] == 0) {
            *bytes = 0; /* whatever the other sizes would come to */
            return true;
        }
    for (uint32_t i = 0; i < about->rank; i++)
        if (__builtin_mul_overflow(*bytes, about->shape[i], bytes))
            return false;
    return true;
}

ff_status ff_safetensors_damaged(struct ff_error *error, const char *path, const char *format, ...)
{
    char what[384];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    return ff_fail(error, FF_DAMAGED, "%s: %s; copy the file again or take another one", path, what);
}

/* --- reading the text ----------------------------------------------------------------------------------------- */

/* Room for one more of `size` bytes in an array that doubles: at 0, 1, 2, 4, 8 … elements. */
static bool grow(struct ff_scan *scan, void *array, size_t count, size_t size)
{
    void *grown, *old;

    if ((count & (count - 1)) != 0)
        return true;
    memcpy(&old, array, sizeof old);
    grown = realloc(old, (count == 0 ? 1 : count * 2) * size);
    if (grown == NULL) {
        ff_fail_memory(scan->error, "the header of a safetensors file");
        return false;
    }
    memcpy(array, &grown, sizeof grown);
    /* cppcheck-suppress memleak ; it is the array's now */
    return true;
}

static bool scan_dtype(struct ff_scan *scan, enum ff_dtype *dtype)
{
    char *name;

    if (!ff_scan_text(scan, &name))
        return false;
    for (size_t i = 0; i < ff_dtype_count; i++)
        if (strcmp(name, ff_dtypes[i].name) == 0) {
            *dtype = (enum ff_dtype)i;
            return true;
        }
    return ff_scan_fault(scan, "the dtype %.20s is not one of F32, F64 and U64", name);
}

/* An array of up to `most` numbers. */
static bool scan_numbers(struct ff_scan *scan, uint64_t *numbers, uint32_t most, uint32_t *count)
{
    bool more;

    *count = 0;
    if (!ff_scan_expect(scan, '['))
        return false;
    for (more = !ff_scan_take(scan, ']'); more;) {
        if (*count == most)
            return ff_scan_fault(scan, "there are more than %" PRIu32 " numbers in brackets", most);
        if (!ff_scan_number(scan, &numbers[(*count)++]) || !ff_scan_next(scan, ']', &more))
            return false;
    }
    return true;
}

/* The value of one of the three fields that a tensor has. `seen`: a bit for each. */
static bool scan_field(struct ff_scan *scan, const char *field, struct ff_tensor_place *place, unsigned *seen)
{
    static const char *const fields[] = {"dtype", "shape", "data_offsets"};
    uint64_t offsets[2];
    uint32_t count;
    unsigned i = 0;

    while (i < 3 && strcmp(field, fields[i]) != 0)
        i++;
    if (i == 3)
        return ff_scan_fault(scan, "tensor %s has a field %.40s, which is not known", place->about.name, field);
    if (*seen >> i & 1)
        return ff_scan_fault(scan, "tensor %s has its %s twice", place->about.name, field);
    *seen |= 1u << i;
    if (i == 0)
        return scan_dtype(scan, &place->about.dtype);
    if (i == 1)
        return scan_numbers(scan, place->about.shape, FF_TENSOR_RANK_MAX, &place->about.rank);
    if (!scan_numbers(scan, offsets, 2, &count))
        return false;
    if (count != 2)
        return ff_scan_fault(scan, "the data_offsets of tensor %s are not two numbers", place->about.name);
    place->begin = offsets[0];
    place->end = offsets[1];
    return true;
}

static bool scan_tensor(struct ff_scan *scan, const char *name, struct ff_safetensors_header *header)
{
    struct ff_tensor_place place = {0};
    unsigned seen = 0;
    bool more;

    if (snprintf(place.about.name, sizeof place.about.name, "%s", name) >= (int)sizeof place.about.name)
        return ff_scan_fault(scan, "the name of tensor %.40s… is longer than %d bytes", name,
                             FF_TENSOR_NAME_MAX - 1);
    if (!ff_scan_expect(scan, '{'))
        return false;
    for (more = !ff_scan_take(scan, '}'); more;) {
        char *field;

        if (!ff_scan_text(scan, &field) || !ff_scan_expect(scan, ':') || !scan_field(scan, field, &place, &seen) ||
            !ff_scan_next(scan, '}', &more))
            return false;
    }
    if (seen != 7)
        return ff_scan_fault(scan, "tensor %s has not all of dtype, shape and data_offsets", place.about.name);
    if (!grow(scan, &header->tensors, header->count, sizeof place))
        return false;
    header->tensors[header->count++] = place;
    return true;
}

static bool scan_metadata(struct ff_scan *scan, struct ff_safetensors_header *header)
{
    bool more;

    if (!ff_scan_expect(scan, '{'))
        return false;
    for (more = !ff_scan_take(scan, '}'); more;) {
        char *name, *text;

        if (!ff_scan_text(scan, &name) || !ff_scan_expect(scan, ':') || !ff_scan_text(scan, &text) ||
            !grow(scan, &header->metadata, header->metadata_count, sizeof *header->metadata))
            return false;
        header->metadata[header->metadata_count++] = (struct ff_safetensors_text){name, text};
        if (!ff_scan_next(scan, '}', &more))
            return false;
    }
    return true;
}

static bool scan_header(struct ff_scan *scan, struct ff_safetensors_header *header)
{
    bool more, metadata_seen = false;

    if (!ff_scan_expect(scan, '{'))
        return false;
    for (more = !ff_scan_take(scan, '}'); more;) {
        char *name;
        bool is_metadata;

        if (!ff_scan_text(scan, &name) || !ff_scan_expect(scan, ':'))
            return false;
        is_metadata = strcmp(name, FF_SAFETENSORS_METADATA) == 0;
        if (is_metadata && metadata_seen)
            return ff_scan_fault(scan, "%s is there twice", name);
        metadata_seen |= is_metadata;
        if (is_metadata ? !scan_metadata(scan, header) : !scan_tensor(scan, name, header))
            return false;
        if (!ff_scan_next(scan, '}', &more))
            return false;
    }
    return ff_scan_end(scan);
}

/* --- checking what was read ----------------------------------------------------------------------------------- */

static int compare_places(const void *left, const void *right)
{
    const struct ff_tensor_place *a = left, *b = right;

    if (a->begin != b->begin)
        return a->begin < b->begin ? -1 : 1;
    return a->end < b->end ? -1 : a->end > b->end;
}

static int compare_names(const void *left, const void *right, void *tensors)
{
    const struct ff_tensor_place *places = tensors;

    return strcmp(places[*(const size_t *)left].about.name, places[*(const size_t *)right].about.name);
}

static int compare_texts(const void *left, const void *right)
{
    return strcmp(((const struct ff_safetensors_text *)left)->name,
                  ((const struct ff_safetensors_text *)right)->name);
}

/* Each tensor begins where the one before it ended, and the last one ends where the file does. */
static ff_status check_places(const struct ff_safetensors_header *header, const char *path, uint64_t data_bytes,
                              struct ff_error *error)
{
    uint64_t end = 0, bytes;

    for (size_t i = 0; i < header->count; end = header->tensors[i++].end) {
        const struct ff_tensor_place *place = &header->tensors[i];
        const char *name = place->about.name;

        if (place->begin != end)
            return ff_safetensors_damaged(
                error, path, "tensor %s begins at byte %" PRIu64 " of the data, but %s at %" PRIu64, name,
                place->begin, i == 0 ? "data begins" : "the one before it ends", end);
        if (place->end < place->begin)
            return ff_safetensors_damaged(error, path, "tensor %s ends before it begins", name);
        if (!ff_tensor_bytes(&place->about, &bytes))
            return ff_safetensors_damaged(error, path, "tensor %s has a shape that no file can hold", name);
        if (bytes != place->end - place->begin)
            return ff_safetensors_damaged(
                error, path, "tensor %s takes %" PRIu64 " bytes by its shape, but %" PRIu64 " by its data_offsets",
                name, bytes, place->end - place->begin);
    }
    if (end != data_bytes)
        return ff_safetensors_damaged(error, path,
                                      "it is %s: its tensors take %" PRIu64 " bytes, but %" PRIu64 " are there",
                                      end > data_bytes ? "cut short" : "too long", end, data_bytes);
    return FF_OK;
}

static ff_status check_names(const struct ff_safetensors_header *header, const char *path, struct ff_error *error)
{
    for (size_t i = 1; i < header->count; i++)
        if (compare_names(&header->by_name[i - 1], &header->by_name[i], header->tensors) == 0)
            return ff_safetensors_damaged(error, path, "its header is damaged: tensor %s is there twice",
                                          header->tensors[header->by_name[i]].about.name);
    for (size_t i = 1; i < header->metadata_count; i++)
        if (compare_texts(&header->metadata[i - 1], &header->metadata[i]) == 0)
            return ff_safetensors_damaged(error, path, "its header is damaged: metadata %.100s is there twice",
                                          header->metadata[i].name);
    return FF_OK;
}

ff_status ff_safetensors_header_read(struct ff_safetensors_header *header, const char *path, char *text,
                                     size_t length, uint64_t data_bytes, struct ff_error *error)
{
    struct ff_scan scan = {.text = text, .length = length, .path = path, .error = error};
    ff_status status;

    *header = (struct ff_safetensors_header){0};
    if (!scan_header(&scan, header))
        return error->status;
    header->by_name = malloc((header->count + 1) * sizeof *header->by_name);
    if (header->by_name == NULL)
        return ff_fail_memory(error, "the header of a safetensors file");
    if (header->count > 0)
        qsort(header->tensors, header->count, sizeof *header->tensors, compare_places);
    if (header->metadata_count > 0)
        qsort(header->metadata, header->metadata_count, sizeof *header->metadata, compare_texts);
    for (size_t i = 0; i < header->count; i++)
        header->by_name[i] = i;
    qsort_r(header->by_name, header->count, sizeof *header->by_name, compare_names, header->tensors);
    status = check_names(header, path, error);
    return status != FF_OK ? status : check_places(header, path, data_bytes, error);
}

void ff_safetensors_header_free(struct ff_safetensors_header *header)
{
    free(header->tensors);
    free(header->by_name);
    free(header->metadata);
}
