/* The writer. Data goes into the file as it comes; the header, whose length is known from the start but whose sum
 * is not, goes in front of it at the end. */
#include "safetensors.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "safetensors_header.h"
#include "sha256.h"
#include "utf8.h"

enum { ALIGNMENT = 64, LENGTH_BYTES = 8 };

#define ZEROS_16 "0000000000000000"
#define NO_SUM_YET ZEROS_16 ZEROS_16 ZEROS_16 ZEROS_16

/* The sum stands first, so that its place is known whatever else the header holds. */
enum { BEGINNING_BYTES = sizeof("{\"" FF_SAFETENSORS_METADATA "\":{\"" FF_SAFETENSORS_SUM "\":\"") - 1 };

struct ff_safetensors_writer {
    struct ff_durable *file;
    struct ff_sha256 *sum;
    char *start;                   /* length and header, padded */
    uint64_t start_bytes;          /* where data begins */
    uint64_t data_bytes, appended; /* that will come, that have come */
    struct ff_error failure;       /* the first one; its status is FF_OK while there is none */
};

/* --- what may be written -------------------------------------------------------------------------------------- */

static ff_status check_tensor(const struct ff_tensor_about *tensors, size_t index, struct ff_error *error)
{
    const struct ff_tensor_about *about = &tensors[index];
    uint64_t bytes;

    if (memchr(about->name, '\0', sizeof about->name) == NULL || !ff_utf8_valid(about->name, strlen(about->name)) ||
        strcmp(about->name, FF_SAFETENSORS_METADATA) == 0)
        return ff_fail(error, FF_INVALID, "tensor %zu: its name must be UTF-8 of at most %d bytes, and not %s",
                       index, FF_TENSOR_NAME_MAX - 1, FF_SAFETENSORS_METADATA);
    if ((size_t)about->dtype >= ff_dtype_count || about->rank > FF_TENSOR_RANK_MAX ||
        !ff_tensor_bytes(about, &bytes))
        return ff_fail(error, FF_INVALID,
                       "tensor %s: needs a known dtype, at most %d dimensions and a size that 64 bits can count",
                       about->name, FF_TENSOR_RANK_MAX);
    for (size_t i = 0; i < index; i++)
        if (strcmp(tensors[i].name, about->name) == 0)
            return ff_fail(error, FF_INVALID, "tensor %s: is there twice; give every tensor a name of its own",
                           about->name);
    return FF_OK;
}

static ff_status check_metadata(const char *const *metadata, struct ff_error *error)
{
    for (size_t i = 0; metadata != NULL && metadata[i] != NULL; i += 2) {
        if (metadata[i + 1] == NULL)
            return ff_fail(error, FF_INVALID, "metadata %.100s: has no text; names and texts come in turn",
                           metadata[i]);
        if (!ff_utf8_valid(metadata[i], strlen(metadata[i])) ||
            !ff_utf8_valid(metadata[i + 1], strlen(metadata[i + 1])))
            return ff_fail(error, FF_INVALID, "metadata %zu: its name and text must be UTF-8", i / 2);
        if (strcmp(metadata[i], FF_SAFETENSORS_SUM) == 0)
            return ff_fail(error, FF_INVALID, "metadata %s: is the writer's own; choose another name", metadata[i]);
        for (size_t j = 0; j < i; j += 2)
            if (strcmp(metadata[j], metadata[i]) == 0)
                return ff_fail(error, FF_INVALID,
                               "metadata %.100s: is there twice; give every text a name of its own", metadata[i]);
    }
    return FF_OK;
}

/* --- the header ----------------------------------------------------------------------------------------------- */

/* "[1,2,3]"; as text, since cJSON's numbers are exact only up to 2^53. */
static bool add_numbers(cJSON *object, const char *name, const uint64_t *numbers, uint32_t count)
{
    char text[FF_TENSOR_RANK_MAX * 24] = "[";
    int used = 1;

    for (uint32_t i = 0; i < count; i++)
        used += snprintf(text + used, sizeof text - (size_t)used, "%s%" PRIu64, i == 0 ? "" : ",", numbers[i]);
    snprintf(text + used, sizeof text - (size_t)used, "]");
    return cJSON_AddRawToObject(object, name, text) != NULL;
}

static bool add_tensor(cJSON *header, const struct ff_tensor_about *about, const uint64_t offsets[2])
{
    cJSON *object = cJSON_AddObjectToObject(header, about->name);

    return object != NULL && cJSON_AddStringToObject(object, "dtype", ff_dtypes[about->dtype].name) != NULL &&
           add_numbers(object, "shape", about->shape, about->rank) &&
           add_numbers(object, "data_offsets", offsets, 2);
}

static bool add_metadata(cJSON *header, const char *const *metadata)
{
    cJSON *object = cJSON_AddObjectToObject(header, FF_SAFETENSORS_METADATA);

    if (object == NULL || cJSON_AddStringToObject(object, FF_SAFETENSORS_SUM, NO_SUM_YET) == NULL)
        return false;
    for (; metadata != NULL && *metadata != NULL; metadata += 2)
        if (cJSON_AddStringToObject(object, metadata[0], metadata[1]) == NULL)
            return false;
    return true;
}

/* The header's JSON, for cJSON_free; *data_bytes is what all tensors take. */
static char *print_header(const struct ff_tensor_about *tensors, size_t count, const char *const *metadata,
                          uint64_t *data_bytes, struct ff_error *error)
{
    cJSON *header = cJSON_CreateObject();
    bool good = header != NULL && add_metadata(header, metadata);
    uint64_t offsets[2] = {0, 0}, bytes;
    char *text = NULL;

    for (size_t i = 0; good && i < count; i++) {
        ff_tensor_bytes(&tensors[i], &bytes);
        offsets[0] = offsets[1];
        if (__builtin_add_overflow(offsets[0], bytes, &offsets[1])) {
            cJSON_Delete(header);
            ff_fail(error, FF_INVALID, "tensor %s: all tensors together take more bytes than 64 bits can count",
                    tensors[i].name);
            return NULL;
        }
        good = add_tensor(header, &tensors[i], offsets);
    }
    if (good)
        text = cJSON_PrintUnformatted(header);
    cJSON_Delete(header);
    if (text == NULL)
        ff_fail_memory(error, "the header of a safetensors file");
    *data_bytes = offsets[1];
    return text;
}

/* Length, JSON and spaces up to a multiple of ALIGNMENT. */
static ff_status lay_start(struct ff_safetensors_writer *writer, const char *json, struct ff_error *error)
{
    size_t used = LENGTH_BYTES + strlen(json), whole = (used + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    uint64_t length = whole - LENGTH_BYTES;

    if (length > FF_SAFETENSORS_HEADER_MAX)
        return ff_fail(error, FF_INVALID,
                       "the header would take %" PRIu64 " bytes, more than %d MiB; shorten the metadata", length,
                       FF_SAFETENSORS_HEADER_MAX >> 20);
    writer->start = malloc(whole);
    if (writer->start == NULL)
        return ff_fail_memory(error, "the header of a safetensors file");
    memset(writer->start, ' ', whole);
    memcpy(writer->start, &length, LENGTH_BYTES);
    memcpy(writer->start + LENGTH_BYTES, json, used - LENGTH_BYTES);
    writer->start_bytes = whole;
    return FF_OK;
}

/* --- a writer's life ------------------------------------------------------------------------------------------ */

static ff_status prepare(struct ff_safetensors_writer *writer, const struct ff_tensor_about *tensors, size_t count,
                         const char *const *metadata, struct ff_error *error)
{
    ff_status status = check_metadata(metadata, error);
    char *json;

    for (size_t i = 0; i < count && status == FF_OK; i++)
        status = check_tensor(tensors, i, error);
    if (status != FF_OK)
        return status;
    json = print_header(tensors, count, metadata, &writer->data_bytes, error);
    if (json == NULL)
        return error->status;
    status = lay_start(writer, json, error);
    cJSON_free(json);
    if (status != FF_OK)
        return status;
    writer->sum = ff_sha256_create(error);
    return writer->sum == NULL ? error->status : FF_OK;
}

struct ff_safetensors_writer *ff_safetensors_write(struct ff_durable *file, const struct ff_tensor_about *tensors,
                                                   size_t count, const char *const *metadata,
                                                   struct ff_error *error)
{
    struct ff_safetensors_writer *writer = calloc(1, sizeof *writer);

    if (writer == NULL) {
        ff_durable_discard(file);
        ff_fail_memory(error, "writing a safetensors file");
        return NULL;
    }
    writer->file = file;
    if (prepare(writer, tensors, count, metadata, error) != FF_OK) {
        ff_safetensors_discard(writer);
        return NULL;
    }
    return writer;
}

static ff_status append(struct ff_safetensors_writer *writer, const void *bytes, size_t count,
                        struct ff_error *error)
{
    ff_status status;

    if (count > writer->data_bytes - writer->appended)
        return ff_fail(error, FF_INVALID, "the tensors take %" PRIu64 " bytes, but more have come",
                       writer->data_bytes);
    status = ff_durable_write(writer->file, writer->start_bytes + writer->appended, bytes, count, error);
    if (status == FF_OK) {
        ff_sha256_add(writer->sum, bytes, count);
        writer->appended += count;
    }
    return status;
}

ff_status ff_safetensors_append(struct ff_safetensors_writer *writer, const void *bytes, size_t count,
                                struct ff_error *error)
{
    if (writer->failure.status == FF_OK && append(writer, bytes, count, &writer->failure) == FF_OK)
        return FF_OK;
    *error = writer->failure;
    return error->status;
}

static ff_status complete(struct ff_safetensors_writer *writer, struct ff_error *error)
{
    char text[FF_SHA256_TEXT];

    if (writer->failure.status != FF_OK) {
        *error = writer->failure;
        return error->status;
    }
    if (writer->appended != writer->data_bytes)
        return ff_fail(error, FF_INVALID, "the tensors take %" PRIu64 " bytes, but only %" PRIu64 " have come",
                       writer->data_bytes, writer->appended);
    ff_sha256_take(writer->sum, text);
    memcpy(writer->start + LENGTH_BYTES + BEGINNING_BYTES, text, strlen(text));
    return ff_durable_write(writer->file, 0, writer->start, (size_t)writer->start_bytes, error);
}

ff_status ff_safetensors_finish(struct ff_safetensors_writer *writer, struct ff_durable **file,
                                struct ff_error *error)
{
    ff_status status = complete(writer, error);

    *file = NULL;
    if (status == FF_OK) {
        *file = writer->file;
        writer->file = NULL;
    }
    ff_safetensors_discard(writer);
    return status;
}

void ff_safetensors_discard(struct ff_safetensors_writer *writer)
{
    if (writer == NULL)
        return;
    ff_durable_discard(writer->file);
    ff_sha256_destroy(writer->sum);
    free(writer->start);
    free(writer);
}
