#include "npz.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <zip.h>

#include "bytes.h"

/* A .npy file: magic, version, the header's length, the header (a Python dictionary as text), the elements. */
enum { MAGIC_LENGTH = 6, PREFIX_LENGTH = 8, HEADER_MAX = 65536, DIMENSIONS_MAX = 4 };

/* One array of the archive, open for reading. */
struct member {
    const char *path;
    const char *name; /* "x_train" */
    zip_file_t *file;
};

struct npy {
    char kind;      /* 'u', 'i', 'f' … */
    unsigned width; /* bytes of one element */
    bool big_endian;
    uint32_t dimensions;
    uint64_t size[DIMENSIONS_MAX];
    uint8_t *bytes;
};

static ptrdiff_t read_some(void *self, void *buffer, size_t size, struct ff_error *error)
{
    struct member *member = self;
    zip_int64_t count = zip_fread(member->file, buffer, size);

    if (count < 0) {
        ff_fail(error, FF_DAMAGED, "%s: array %s is damaged (%s); fetch the file again", member->path, member->name,
                zip_error_strerror(zip_file_get_error(member->file)));
        return -1;
    }
    return (ptrdiff_t)count;
}

static ff_status fail_array(const struct member *member, struct ff_error *error, const char *sentence)
{
    return ff_fail(error, FF_DAMAGED, "%s: array %s %s", member->path, member->name, sentence);
}

/* Where the value of a key of the header begins, or NULL. */
static const char *header_value(const char *header, const char *key)
{
    char quoted[32];
    const char *place;

    snprintf(quoted, sizeof quoted, "'%s'", key);
    place = strstr(header, quoted);
    if (place == NULL)
        return NULL;
    place += strlen(quoted);
    place += strspn(place, " ");
    if (*place != ':')
        return NULL;
    return place + 1 + strspn(place + 1, " ");
}

/* '|u1', '<i8' …: byte order, kind, width. */
static bool parse_type(const char *header, struct npy *array)
{
    const char *value = header_value(header, "descr");

    if (value == NULL || value[0] != '\'' || value[1] == '\0' || strchr("<>|=", value[1]) == NULL)
        return false;
    if (!isalpha((unsigned char)value[2]) || !isdigit((unsigned char)value[3]) || value[4] != '\'')
        return false; /* no type of use here is wider than 9 bytes */
    array->big_endian = value[1] == '>';
    array->kind = value[2];
    array->width = (unsigned)(value[3] - '0');
    return array->width > 0;
}

/* (60000, 28, 28) */
static bool parse_shape(const char *header, struct npy *array)
{
    const char *place = header_value(header, "shape");

    array->dimensions = 0;
    if (place == NULL || *place++ != '(')
        return false;
    for (;;) {
        char *end;

        place += strspn(place, " ,");
        if (*place == ')')
            return true;
        if (!isdigit((unsigned char)*place) || array->dimensions == DIMENSIONS_MAX)
            return false;
        errno = 0;
        array->size[array->dimensions++] = strtoull(place, &end, 10);
        if (errno != 0)
            return false;
        place = end + (*end == 'L'); /* Python 2 wrote long numbers so */
    }
}

static ff_status parse_header(const struct member *member, const char *header, struct npy *array,
                              struct ff_error *error)
{
    const char *fortran = header_value(header, "fortran_order");

    if (!parse_type(header, array))
        return fail_array(member, error, "is of a type that is not taken; images are uint8, labels whole numbers");
    if (!parse_shape(header, array) || fortran == NULL)
        return fail_array(member, error, "has a header that is not numpy's, or more than four dimensions");
    if (strncmp(fortran, "True", 4) == 0 && array->dimensions > 1)
        return fail_array(member, error, "is in Fortran order; save it in C order (numpy.ascontiguousarray)");
    return FF_OK;
}

static ff_status read_header(struct member *member, struct npy *array, struct ff_error *error)
{
    uint8_t prefix[PREFIX_LENGTH], length_bytes[4] = {0};
    size_t arrived, width, length;
    char *header;
    ff_status status;

    if (ff_bytes_fill(read_some, member, prefix, sizeof prefix, &arrived, error) != FF_OK)
        return error->status;
    if (arrived < sizeof prefix || memcmp(prefix, "\x93NUMPY", MAGIC_LENGTH) != 0)
        return fail_array(member, error, "is not a numpy array");
    if (prefix[MAGIC_LENGTH] < 1 || prefix[MAGIC_LENGTH] > 3)
        return fail_array(member, error, "is in a version of numpy's format that is not known (1 to 3 are)");
    width = prefix[MAGIC_LENGTH] == 1 ? 2 : 4;
    if (ff_bytes_fill(read_some, member, length_bytes, width, &arrived, error) != FF_OK)
        return error->status;
    length = (size_t)length_bytes[0] | (size_t)length_bytes[1] << 8 | (size_t)length_bytes[2] << 16 |
             (size_t)length_bytes[3] << 24;
    if (arrived < width || length > HEADER_MAX)
        return fail_array(member, error, "has a header of an impossible length; fetch the file again");

    header = malloc(length + 1);
    if (header == NULL)
        return ff_fail_memory(error, "reading a data set");
    status = ff_bytes_fill(read_some, member, header, length, &arrived, error);
    header[arrived] = '\0';
    if (status == FF_OK)
        status = parse_header(member, header, array, error);
    free(header);
    return status;
}

/* "(60000, 28, 28)" */
static void describe_shape(const struct npy *array, char *text, size_t size)
{
    size_t used = (size_t)snprintf(text, size, "(");

    for (uint32_t i = 0; i < array->dimensions && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%" PRIu64, i == 0 ? "" : ", ", array->size[i]);
    if (used < size)
        snprintf(text + used, size - used, ")");
}

static ff_status read_elements(struct member *member, struct npy *array, struct ff_error *error)
{
    uint64_t sizes[DIMENSIONS_MAX + 1] = {array->width};
    size_t expected, arrived;
    char shape[120];

    memcpy(sizes + 1, array->size, sizeof array->size);
    expected = ff_bytes_product(sizes, array->dimensions + 1);
    describe_shape(array, shape, sizeof shape);
    if (expected == 0)
        return ff_fail(error, FF_DAMAGED, "%s: array %s has shape %s, which cannot be a data set", member->path,
                       member->name, shape);
    array->bytes = ff_bytes_read(read_some, member, expected, &arrived, error);
    if (array->bytes == NULL)
        return error->status;
    if (arrived == expected)
        return FF_OK;
    free(array->bytes);
    array->bytes = NULL;
    return ff_fail(error, FF_DAMAGED,
                   "%s: array %s is %s: its shape %s takes %zu bytes, but %s follow; fetch the file again",
                   member->path, member->name, arrived < expected ? "truncated" : "too long", shape, expected,
                   arrived < expected ? "fewer" : "more");
}

static ff_status read_member(zip_t *archive, const char *path, const char *name, struct npy *array,
                             struct ff_error *error)
{
    struct member member = {.path = path, .name = name};
    char file_name[32];
    ff_status status;

    snprintf(file_name, sizeof file_name, "%s.npy", name);
    member.file = zip_fopen(archive, file_name, 0);
    if (member.file == NULL && zip_error_code_zip(zip_get_error(archive)) == ZIP_ER_NOENT)
        return ff_fail(error, FF_DAMAGED, "%s: has no array %s; x_train, y_train, x_test and y_test are needed",
                       path, name);
    if (member.file == NULL)
        return ff_fail(error, FF_DAMAGED, "%s: array %s cannot be read: %s", path, name, zip_strerror(archive));
    status = read_header(&member, array, error);
    if (status == FF_OK)
        status = read_elements(&member, array, error);
    zip_fclose(member.file);
    return status;
}

/* (count, height, width, channels) as numpy has it becomes planar, in new memory. */
static uint8_t *make_planar(const uint8_t *interleaved, uint64_t count, struct ff_shape shape,
                            struct ff_error *error)
{
    size_t area = (size_t)shape.height * shape.width, size = area * shape.channels;
    uint8_t *planar = malloc(count * size);

    if (planar == NULL) {
        ff_fail_memory(error, "the images of a data set");
        return NULL;
    }
    for (size_t image = 0; image < count; image++) {
        const uint8_t *from = interleaved + image * size;

        for (size_t channel = 0; channel < shape.channels; channel++)
            for (size_t i = 0; i < area; i++)
                planar[image * size + channel * area + i] = from[i * shape.channels + channel];
    }
    return planar;
}

static ff_status take_images(const char *path, const char *name, struct npy *array, struct ff_shape *shape,
                             struct ff_images *images, struct ff_error *error)
{
    struct member member = {.path = path, .name = name};

    if (array->kind != 'u' || array->width != 1)
        return fail_array(&member, error, "must be uint8, 0 to 255");
    if (array->dimensions != 3 && array->dimensions != 4)
        return fail_array(&member, error, "must be (count, height, width) or (count, height, width, channels)");
    for (uint32_t i = 0; i < array->dimensions; i++)
        if (array->size[i] > UINT32_MAX)
            return fail_array(&member, error, "is larger than a data set can be");
    *shape = (struct ff_shape){.channels = array->dimensions == 4 ? (uint32_t)array->size[3] : 1,
                               .height = (uint32_t)array->size[1],
                               .width = (uint32_t)array->size[2]};
    if (shape->channels > 1) {
        images->pixels = make_planar(array->bytes, array->size[0], *shape, error);
        if (images->pixels == NULL)
            return error->status;
    } else {
        images->pixels = array->bytes;
        array->bytes = NULL;
    }
    images->count = (uint32_t)array->size[0];
    return FF_OK;
}

/* One element as a number; an unsigned one beyond int64_t comes out negative, which is out of range all the same.
 */
static int64_t element(const struct npy *array, size_t index)
{
    const uint8_t *bytes = array->bytes + index * array->width;
    uint64_t value = 0;

    for (unsigned i = 0; i < array->width; i++)
        value = value << 8 | bytes[array->big_endian ? i : array->width - 1 - i];
    if (array->kind == 'i' && array->width == 1)
        return (int8_t)value;
    if (array->kind == 'i' && array->width == 2)
        return (int16_t)value;
    if (array->kind == 'i' && array->width == 4)
        return (int32_t)value;
    return (int64_t)value;
}

static ff_status take_labels(const char *path, const char *name, const struct npy *array, struct ff_images *images,
                             struct ff_error *error)
{
    struct member member = {.path = path, .name = name};
    bool known_width = array->width == 1 || array->width == 2 || array->width == 4 || array->width == 8;

    if ((array->kind != 'u' && array->kind != 'i') || !known_width)
        return fail_array(&member, error, "must be whole numbers (uint8, int64 …)");
    if (array->dimensions == 0 || array->dimensions > 2 || (array->dimensions == 2 && array->size[1] != 1))
        return fail_array(&member, error, "must be (count): one label an image");
    if (array->size[0] != images->count)
        return ff_fail(error, FF_DAMAGED, "%s: array %s has %" PRIu64 " labels for %" PRIu32 " images", path, name,
                       array->size[0], images->count);
    images->labels = malloc(images->count * sizeof *images->labels);
    if (images->labels == NULL)
        return ff_fail_memory(error, "the labels of a data set");
    for (size_t i = 0; i < images->count; i++) {
        int64_t label = element(array, i);

        if (label < 0 || label >= FF_CLASSES_MAX)
            return ff_fail(error, FF_DAMAGED, "%s: array %s, image %zu: label %" PRId64 " is not from 0 to %d",
                           path, name, i, label, FF_CLASSES_MAX - 1);
        images->labels[i] = (uint16_t)label;
    }
    return FF_OK;
}

static ff_status read_split(zip_t *archive, const char *path, enum ff_split split, struct ff_shape *shape,
                            struct ff_images *images, struct ff_error *error)
{
    const char *images_name = split == FF_TRAIN_SPLIT ? "x_train" : "x_test";
    const char *labels_name = split == FF_TRAIN_SPLIT ? "y_train" : "y_test";
    struct npy pixels = {.bytes = NULL}, labels = {.bytes = NULL};
    ff_status status = read_member(archive, path, images_name, &pixels, error);

    if (status == FF_OK)
        status = take_images(path, images_name, &pixels, shape, images, error);
    if (status == FF_OK)
        status = read_member(archive, path, labels_name, &labels, error);
    if (status == FF_OK)
        status = take_labels(path, labels_name, &labels, images, error);
    free(pixels.bytes);
    free(labels.bytes);
    return status;
}

static zip_t *open_archive(const char *path, struct ff_error *error)
{
    struct stat status;
    int code;
    zip_t *archive;

    if (stat(path, &status) != 0) {
        ff_fail(error, errno == ENOENT ? FF_NOT_FOUND : FF_IO, "%s: cannot be opened: %s", path, strerror(errno));
        return NULL;
    }
    if (!S_ISREG(status.st_mode)) {
        ff_fail(error, FF_DAMAGED, "%s: is not a file", path);
        return NULL;
    }
    archive = zip_open(path, ZIP_RDONLY, &code);
    if (archive == NULL) {
        zip_error_t zip_error;

        zip_error_init_with_code(&zip_error, code);
        ff_fail(error, code == ZIP_ER_OPEN || code == ZIP_ER_READ ? FF_IO : FF_DAMAGED,
                "%s: is not a readable .npz file: %s", path, zip_error_strerror(&zip_error));
        zip_error_fini(&zip_error);
    }
    return archive;
}

ff_status ff_npz_read(const char *path, enum ff_split split, struct ff_shape *shape, struct ff_images *images,
                      struct ff_error *error)
{
    zip_t *archive = open_archive(path, error);
    ff_status status;

    memset(images, 0, sizeof *images);
    if (archive == NULL)
        return error->status;
    status = read_split(archive, path, split, shape, images, error);
    zip_discard(archive);
    if (status != FF_OK) {
        free(images->pixels);
        free(images->labels);
        memset(images, 0, sizeof *images);
    }
    return status;
}
