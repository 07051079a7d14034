#include "safetensors.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../cmocka_all.h"
#include "../temporary_group.h"
#include "power_survey.h"

enum { TENSORS_MOST = 12, PIECES_MOST = 3000 };

static uint64_t random_state;

static uint64_t draw(uint64_t below)
{
    random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (random_state >> 33) % below;
}

/* --- writing with random tensors ------------------------------------------------------------------------------ */

struct contents {
    struct ff_tensor_about tensors[TENSORS_MOST];
    size_t begins[TENSORS_MOST + 1]; /* of their data */
    size_t count;
    uint8_t *data;
};

static struct contents make_contents(uint64_t seed)
{
    struct contents contents = {0};

    random_state = seed;
    contents.count = draw(TENSORS_MOST + 1);
    for (size_t i = 0; i < contents.count; i++) {
        struct ff_tensor_about *about = &contents.tensors[i];
        size_t bytes;

        snprintf(about->name, sizeof about->name, "%c/\u00e9 \"%zu\"", (int)('a' + draw(26)), i);
        about->dtype = (enum ff_dtype)draw(3);
        about->rank = (uint32_t)draw(FF_TENSOR_RANK_MAX + 1);
        bytes = about->dtype == FF_F32 ? 4 : 8;
        for (uint32_t k = 0; k < about->rank; k++)
            bytes *= about->shape[k] = draw(7); /* 0 as well */
        contents.begins[i + 1] = contents.begins[i] + bytes;
    }
    contents.data = malloc(contents.begins[contents.count] + 1);
    assert_non_null(contents.data);
    for (size_t i = 0; i < contents.begins[contents.count]; i++)
        contents.data[i] = (uint8_t)draw(256);
    return contents;
}

/* The data in pieces of any length, which know nothing of tensors. */
static ff_status append_pieces(struct ff_safetensors_writer *writer, const uint8_t *data, size_t size,
                               struct ff_error *error)
{
    ff_status status = FF_OK;

    for (size_t at = 0, step; at < size && status == FF_OK; at += step) {
        step = 1 + draw(PIECES_MOST);
        step = step < size - at ? step : size - at;
        status = ff_safetensors_append(writer, data + at, step, error);
    }
    return status;
}

static ff_status write_contents(const struct ff_files *files, const char *path, const struct contents *contents,
                                const char *const *metadata, struct ff_error *error)
{
    struct ff_durable *file = ff_durable_create(files, path, error);
    struct ff_safetensors_writer *writer;

    if (file == NULL)
        return error->status;
    writer = ff_safetensors_write(file, contents->tensors, contents->count, metadata, error);
    if (writer == NULL)
        return error->status;
    if (append_pieces(writer, contents->data, contents->begins[contents->count], error) != FF_OK) {
        ff_safetensors_discard(writer);
        return error->status;
    }
    if (ff_safetensors_finish(writer, &file, error) != FF_OK) {
        assert_null(file);
        return error->status;
    }
    return ff_durable_commit(file, error);
}

static void assert_tensor(struct ff_safetensors *file, const struct contents *contents, size_t i)
{
    const struct ff_tensor_about *expected = &contents->tensors[i];
    size_t index, bytes = contents->begins[i + 1] - contents->begins[i], from = draw(bytes + 1);
    size_t some = draw(bytes - from + 1);
    const struct ff_tensor_about *found = ff_safetensors_find(file, expected->name, &index);
    uint8_t *read = malloc(bytes + 1);
    struct ff_error error;

    assert_non_null(found);
    assert_non_null(read);
    assert_ptr_equal(found, ff_safetensors_tensor(file, index));
    assert_string_equal(found->name, expected->name);
    assert_int_equal(found->dtype, expected->dtype);
    assert_int_equal(found->rank, expected->rank);
    assert_memory_equal(found->shape, expected->shape, sizeof found->shape);
    assert_int_equal(ff_safetensors_read(file, index, 0, read, bytes, &error), FF_OK);
    assert_memory_equal(read, contents->data + contents->begins[i], bytes);
    assert_int_equal(ff_safetensors_read(file, index, from, read, some, &error), FF_OK);
    assert_memory_equal(read, contents->data + contents->begins[i] + from, some);
    assert_int_equal(ff_safetensors_read(file, index, from, read, bytes - from + 1, &error), FF_INVALID);
    assert_int_equal(ff_safetensors_read(file, index, UINT64_MAX, read, 1, &error), FF_INVALID);
    free(read);
}

static void random_tensors_come_back_as_they_were(void **state)
{
    (void)state;
    for (uint64_t round = 1; round <= 60; round++) {
        const char *path = temporary_path(folder, "random.safetensors");
        struct contents contents = make_contents(round);
        struct ff_safetensors *file;
        struct ff_error error;

        assert_int_equal(write_contents(&ff_files_system, path, &contents, NULL, &error), FF_OK);
        file = ff_safetensors_open(path, &error);
        if (file == NULL)
            fail_msg("round %d: %s", (int)round, error.message);
        assert_int_equal(ff_safetensors_count(file), contents.count);
        for (size_t i = 0; i < contents.count; i++)
            assert_tensor(file, &contents, i);
        assert_null(ff_safetensors_find(file, "absent", NULL));
        assert_int_equal(ff_safetensors_read(file, contents.count, 0, &error, 0, &error), FF_INVALID);
        assert_int_equal(ff_safetensors_verify(file, &error), FF_OK);
        ff_safetensors_close(file);
        free(contents.data);
    }
}

static void metadata_may_be_any_text(void **state)
{
    static char everything[0x20 + 0x60], zeros[65], huge[200001];
    const char *const metadata[] = {
        "controls", everything, "zeros",   zeros,           "empty", "",     "",
        "no name",  "emoji",    "😀\u00e9", "\"\\/\n\u00e9", "x",     "json", "{\"sha256\":\"\\u0041\"}",
        "huge",     huge,       NULL};
    const char *path = temporary_path(folder, "metadata.safetensors");
    struct contents none = {.data = NULL};
    struct ff_safetensors *file;
    struct ff_error error;

    (void)state;
    for (size_t i = 0; i + 1 < sizeof everything; i++)
        everything[i] = (char)(i + 1);
    memset(zeros, '0', sizeof zeros - 1);
    memset(huge, '\t', sizeof huge - 1);
    assert_int_equal(write_contents(&ff_files_system, path, &none, metadata, &error), FF_OK);
    file = ff_safetensors_open(path, &error);
    assert_non_null(file);
    for (size_t i = 0; metadata[i] != NULL; i += 2)
        assert_string_equal(ff_safetensors_metadata(file, metadata[i]), metadata[i + 1]);
    assert_null(ff_safetensors_metadata(file, "absent"));
    /* of no bytes at all */
    assert_string_equal(ff_safetensors_metadata(file, "sha256"),
                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_int_equal(ff_safetensors_verify(file, &error), FF_OK);
    ff_safetensors_close(file);
}

/* Values that a decimal text gives exactly, and the text that Python makes of them. */
static void numpy_reads_what_is_written(void **state)
{
    static const float singles[6] = {0.5f, -1.5f, 3, 1e20f, 0, -0.25f};
    static const double doubles[1] = {0x1p-40};
    static const uint64_t counts[3] = {UINT64_MAX, 0, UINT64_C(1) << 53 | 1};
    static const char expected[] =
        "0 True\n"
        "text 61220a5cf09f9880\n"
        "single/\u00e9 float32 [[0.5, -1.5, 3.0], [1.0000000200408773e+20, 0.0, -0.25]]\n"
        "one float64 9.094947017729282e-13\n"
        "none float32 [[], []]\n"
        "counts uint64 [18446744073709551615, 0, 9007199254740993]\n";
    const char *const metadata[] = {"text", "a\"\n\\😀", NULL};
    struct contents contents = {
        .tensors = {{"single/\u00e9", FF_F32, 2, {2, 3}},
                    {"one", FF_F64, 0, {0}},
                    {"none", FF_F32, 2, {2, 0}},
                    {"counts", FF_U64, 1, {3}}},
        .begins = {0, sizeof singles, sizeof singles + 8, sizeof singles + 8, sizeof singles + 8 + sizeof counts},
        .count = 4,
    };
    uint8_t data[sizeof singles + sizeof doubles + sizeof counts];
    const char *path = temporary_path(folder, "numpy.safetensors");
    char command[4096], found[4096] = "";
    struct ff_error error;
    FILE *reader;
    int code;

    (void)state;
    memcpy(data, singles, sizeof singles);
    memcpy(data + sizeof singles, doubles, sizeof doubles);
    memcpy(data + sizeof singles + sizeof doubles, counts, sizeof counts);
    contents.data = data;
    assert_int_equal(write_contents(&ff_files_system, path, &contents, metadata, &error), FF_OK);
    snprintf(command, sizeof command,
             "for python in python3 /usr/bin/python3; do if $python -c 'import numpy' 2>/dev/null; then "
             "PYTHONIOENCODING=utf-8 exec $python '%s' '%s'; fi; done; exit 77",
             SAFETENSORS_READER, path);
    reader = popen(command, "r");
    assert_non_null(reader);
    found[fread(found, 1, sizeof found - 1, reader)] = '\0';
    code = pclose(reader);
    if (WIFEXITED(code) && WEXITSTATUS(code) == 77)
        skip(); /* there is no python3 with numpy here */
    assert_int_equal(code, 0);
    assert_string_equal(found, expected);
}

/* A header of so many tensors that comparing each with each would take minutes. */
static void many_tensors_are_checked_quickly(void **state)
{
    const size_t count = 200000;
    const char *path = temporary_path(folder, "many.safetensors");
    struct ff_safetensors *file;
    struct ff_error error;
    uint64_t length;
    FILE *out = fopen(path, "wb");

    (void)state;
    assert_non_null(out);
    fseek(out, sizeof length, SEEK_SET);
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%c\"%zu\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}", i == 0 ? '{' : ',', i);
    fputc('}', out);
    length = (uint64_t)ftell(out) - sizeof length;
    rewind(out);
    fwrite(&length, sizeof length, 1, out);
    assert_int_equal(fclose(out), 0);
    file = ff_safetensors_open(path, &error);
    assert_non_null(file);
    assert_int_equal(ff_safetensors_count(file), count);
    assert_non_null(ff_safetensors_find(file, "199999", NULL));
    assert_null(ff_safetensors_find(file, "200000", NULL));
    ff_safetensors_close(file);
}

/* --- power cuts and failing calls ----------------------------------------------------------------------------- */

static ff_status checkpoint_writer(const struct ff_files *files, int which, struct ff_error *error)
{
    const char *const metadata[] = {"position", which == 0 ? "the first" : "the second, of another length", NULL};
    struct contents contents = {
        .tensors = {{"weights", FF_F32, 2, {30, (uint64_t)(31 + which)}}, {"bias", FF_F64, 1, {31}}},
        .begins = {0, (size_t)(30 * 4 * (31 + which)), (size_t)(30 * 4 * (31 + which) + 31 * 8)},
        .count = 2,
    };
    ff_status status;

    random_state = (uint64_t)which + 77; /* the same pieces, whenever it is called */
    contents.data = malloc(contents.begins[2]);
    assert_non_null(contents.data);
    for (size_t i = 0; i < contents.begins[2]; i++)
        contents.data[i] = (uint8_t)draw(256);
    status = write_contents(files, POWER_PATH, &contents, metadata, error);
    free(contents.data);
    return status;
}

static void a_power_cut_leaves_the_former_checkpoint_or_the_new_one(void **state)
{
    (void)state;
    power_check_cuts(checkpoint_writer);
}

static void each_call_that_fails_leaves_the_former_checkpoint(void **state)
{
    (void)state;
    power_check_failures(checkpoint_writer);
}

/* The survey compares bytes; here they are read as what they are. */
static void a_checkpoint_reads_back_after_a_power_cut(void **state)
{
    struct power *disk = power_create();
    const char *path = temporary_path(folder, "after.safetensors");
    struct ff_safetensors *file;
    struct ff_error error;
    const uint8_t *bytes;
    size_t size;

    (void)state;
    assert_int_equal(checkpoint_writer(power_files(disk), 0, &error), FF_OK);
    assert_int_equal(checkpoint_writer(power_files(disk), 1, &error), FF_OK);
    power_crash(disk, 1);
    bytes = power_read(disk, POWER_PATH, &size);
    assert_non_null(bytes);
    temporary_write(path, bytes, size);
    file = ff_safetensors_open(path, &error);
    assert_non_null(file);
    assert_int_equal(ff_safetensors_verify(file, &error), FF_OK);
    assert_string_equal(ff_safetensors_metadata(file, "position"), "the second, of another length");
    ff_safetensors_close(file);
    power_destroy(disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_tensors_come_back_as_they_were),
        cmocka_unit_test(metadata_may_be_any_text),
        cmocka_unit_test(numpy_reads_what_is_written),
        cmocka_unit_test(many_tensors_are_checked_quickly),
        cmocka_unit_test(a_power_cut_leaves_the_former_checkpoint_or_the_new_one),
        cmocka_unit_test(each_call_that_fails_leaves_the_former_checkpoint),
        cmocka_unit_test(a_checkpoint_reads_back_after_a_power_cut),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
