/* What the writer of safetensors files refuses. */
#include "safetensors.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../cmocka_all.h"
#include "../temporary_group.h"

static const char *const one_text[] = {"name", NULL};
static const char *const bad_text[] = {"name", "\xff", NULL};
static const char *const bad_name[] = {"\xc0\x80", "text", NULL};
static const char *const own_sum[] = {"sha256", "text", NULL};
static const char *const same_names[] = {"a", "1", "b", "2", "a", "3", NULL};

static const struct {
    struct ff_tensor_about tensors[2];
    const char *const *metadata;
    const char *words;
} refusals[] = {
    {{{"a", FF_F32, 1, {2}}, {"a", FF_F64, 0, {0}}}, NULL, "tensor a: is there twice"},
    {{{"__metadata__", FF_F32, 1, {2}}}, NULL, "tensor 0: its name must be UTF-8 of at most 79 bytes"},
    {{{"\xed\xa0\x80", FF_F32, 1, {2}}}, NULL, "tensor 0: its name must be UTF-8"},
    {{{"b", FF_F32, 0, {0}},
      {{"0123456789012345678901234567890123456789012345678901234567890123456789012345678"
        "9"},
       FF_F32,
       1,
       {2}}},
     NULL,
     "tensor 1: its name must be UTF-8 of at most 79 bytes"},
    {{{"a", FF_F32, 5, {2}}}, NULL, "tensor a: needs a known dtype, at most 4 dimensions"},
    {{{"a", (enum ff_dtype)3, 1, {2}}}, NULL, "tensor a: needs a known dtype"},
    {{{"a", FF_F32, 2, {UINT64_C(1) << 32, UINT64_C(1) << 32}}}, NULL, "a size that 64 bits can count"},
    {{{"a", FF_F32, 1, {UINT64_C(3) << 60}}, {"b", FF_F32, 1, {UINT64_C(3) << 60}}}, NULL, "tensor b: all tensors"},
    {{{"a", FF_F32, 0, {0}}}, one_text, "metadata name: has no text"},
    {{{"a", FF_F32, 0, {0}}}, bad_text, "metadata 0: its name and text must be UTF-8"},
    {{{"a", FF_F32, 0, {0}}}, bad_name, "metadata 0: its name and text must be UTF-8"},
    {{{"a", FF_F32, 0, {0}}}, own_sum, "metadata sha256: is the writer's own"},
    {{{"a", FF_F32, 0, {0}}}, same_names, "metadata a: is there twice"},
};

static void what_no_reader_would_take_is_not_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct ff_error error;
        struct ff_durable *file = ff_durable_create(&ff_files_system, temporary_path(folder, "refused"), &error);
        size_t count = refusals[i].tensors[1].name[0] == '\0' ? 1 : 2;

        assert_non_null(file);
        assert_null(ff_safetensors_write(file, refusals[i].tensors, count, refusals[i].metadata, &error));
        assert_int_equal(error.status, FF_INVALID);
        if (strstr(error.message, refusals[i].words) == NULL)
            fail_msg("case %zu: the sentence is \"%s\"", i, error.message);
        assert_int_not_equal(access(temporary_path(folder, "refused.tmp"), F_OK), 0);
    }
}

static void a_header_above_the_bound_is_not_written(void **state)
{
    char *text = calloc(1, FF_SAFETENSORS_HEADER_MAX + 1);
    const char *const metadata[] = {"name", text, NULL};
    struct ff_error error;
    struct ff_durable *file = ff_durable_create(&ff_files_system, temporary_path(folder, "long"), &error);

    (void)state;
    assert_non_null(text);
    memset(text, 'a', FF_SAFETENSORS_HEADER_MAX);
    assert_null(ff_safetensors_write(file, NULL, 0, metadata, &error));
    assert_int_equal(error.status, FF_INVALID);
    assert_non_null(strstr(error.message, "more than 16 MiB"));
    free(text);
}

static const struct ff_tensor_about small = {"small", FF_F32, 1, {4}};

static struct ff_safetensors_writer *begin_small(const struct ff_files *files, const char *path)
{
    struct ff_error error;
    struct ff_durable *file = ff_durable_create(files, path, &error);
    struct ff_safetensors_writer *writer;

    assert_non_null(file);
    writer = ff_safetensors_write(file, &small, 1, NULL, &error);
    assert_non_null(writer);
    return writer;
}

static void fewer_or_more_bytes_than_promised_make_no_file(void **state)
{
    const char *path = temporary_path(folder, "small");
    struct ff_safetensors_writer *writer = begin_small(&ff_files_system, path);
    struct ff_durable *file;
    struct ff_error error;

    (void)state;
    assert_int_equal(ff_safetensors_append(writer, "0123456789abcde", 15, &error), FF_OK);
    assert_int_equal(ff_safetensors_finish(writer, &file, &error), FF_INVALID);
    assert_string_equal(error.message, "the tensors take 16 bytes, but only 15 have come");
    assert_null(file);

    writer = begin_small(&ff_files_system, path);
    assert_int_equal(ff_safetensors_append(writer, "0123456789abcdef", 16, &error), FF_OK);
    assert_int_equal(ff_safetensors_append(writer, "", 1, &error), FF_INVALID);
    assert_int_equal(ff_safetensors_append(writer, "", 0, &error), FF_INVALID); /* remembered */
    assert_int_equal(ff_safetensors_finish(writer, &file, &error), FF_INVALID);
    assert_string_equal(error.message, "the tensors take 16 bytes, but more have come");
    assert_null(file);

    ff_safetensors_discard(begin_small(&ff_files_system, path));
    ff_safetensors_discard(NULL);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_not_equal(access(temporary_path(folder, "small.tmp"), F_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_no_reader_would_take_is_not_written),
        cmocka_unit_test(a_header_above_the_bound_is_not_written),
        cmocka_unit_test(fewer_or_more_bytes_than_promised_make_no_file),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
