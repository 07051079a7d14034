/* What the writer refuses to write, and the reader to believe. */
#include "safetensors.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../cmocka_all.h"
#include "../temporary_group.h"

enum { FILE_MOST = 4096, DATA = 24 };

/* --- what the reader refuses ---------------------------------------------------------------------------------- */

/* A file of any header, and `data` bytes after it. Returns its length. */
static size_t lay_file(uint8_t bytes[FILE_MOST], const char *json, size_t data)
{
    uint64_t length = strlen(json);

    assert_true(sizeof length + length + data <= FILE_MOST);
    memcpy(bytes, &length, sizeof length);
    memcpy(bytes + sizeof length, json, length);
    for (size_t i = 0; i < data; i++)
        bytes[sizeof length + length + i] = (uint8_t)(i + 1);
    return sizeof length + length + data;
}

/* A new file each time: cutting an old one to nothing and writing it again makes some disks wait. */
static struct ff_safetensors *open_written(const uint8_t *bytes, size_t size, struct ff_error *error)
{
    const char *path = temporary_path(folder, "given.safetensors");

    unlink(path);
    temporary_write(path, bytes, size);
    return ff_safetensors_open(path, error);
}

/* The status with which the bytes are opened, and the sum compared when that goes well. */
static ff_status open_bytes(const uint8_t *bytes, size_t size, struct ff_error *error)
{
    struct ff_safetensors *file = open_written(bytes, size, error);
    ff_status status;

    if (file == NULL)
        return error->status;
    status = ff_safetensors_verify(file, error);
    ff_safetensors_close(file);
    return status;
}

/* Twenty-four bytes of data: two float32, then one float64 and one uint64. */
#define A "\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}"
#define B "\"b\":{\"dtype\":\"F64\",\"shape\":[1,1],\"data_offsets\":[8,16]}"
#define C "\"c\":{\"dtype\":\"U64\",\"shape\":[],\"data_offsets\":[16,24]}"
#define SUM "\"__metadata__\":{\"sha256\":\"91a306446e73d07e7f3b5a28892b7617df94f886a16ee0d6e0aaf8df5980ae94\"}"
#define TENSOR(dtype, shape, offsets)                                                                              \
    "{" A "," B ",\"c\":{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" offsets "}}"
#define TEXT(text) "{" A "," B "," C ",\"__metadata__\":{\"x\":\"" text "\"}}"
#define LONG_NAME "a234567890b234567890c234567890d234567890e234567890f234567890g234567890h234567890"

/* Headers that are right, however they are laid out. */
static const char *const good[] = {
    "{" A "," B "," C "}",
    "{" SUM "," A "," B "," C "}",
    "{" C "," A "," B "," SUM "}  \n\t\r ",
    " { \"a\" : {\"shape\" : [ 2 ] , \"data_offsets\":[0 , 8],\"dtype\":\"F32\" } ,\n" B "," C "}",
    "{" A "," B "," C ",\"d\":{\"dtype\":\"F32\",\"shape\":[0,18446744073709551615,2],\"data_offsets\":[24,24]}}",
    "{" A ",\"d\":{\"dtype\":\"F32\",\"shape\":[3,0],\"data_offsets\":[8,8]}," B "," C ",\"__metadata__\":{}}",
    TEXT("\\ud83d\\ude00 \\u00e9\\/\\\"\\\\\\b\\f\\n\\r\\t \xf0\x9f\x98\x80 \x7f"),
};

/* Headers before twenty-four bytes of data, with what is wrong. */
static const struct {
    const char *json, *words;
} damages[] = {
    {"", "{ is missing at byte 0"},
    {"[]", "{ is missing"},
    {"\"a\"", "{ is missing"},
    {"nonsense", "{ is missing"},
    {"\xef\xbb\xbf{}", "{ is missing"},
    {"{", "\" is missing"},
    {"{}", "it is too long: its tensors take 0 bytes, but 24 are there"},
    {"{}}", "something follows the JSON at byte 2"},
    {"{" A "," B "," C "} x", "something follows the JSON"},
    {"{" A "," B "," C, "a comma or } is missing"},
    {"{" A "," B "," C ",}", "\" is missing"},
    {"{," A "," B "," C "}", "\" is missing"},
    {"{" A " " B "," C "}", "a comma or } is missing"},
    {"{" A "," B ",'c':1}", "\" is missing"},
    {"{" A "," B ",\"c\"}", ": is missing"},
    {"{" A "," B ",\"c\":5}", "{ is missing"},
    {"{" A "," B ",\"c\":null}", "{ is missing"},
    {"{" A "," B ",\"c\":{}}", "tensor c has not all of dtype, shape and data_offsets"},
    {"{" A "," B ",\"c\":{\"dtype\":\"F32\",\"shape\":[2]}}", "tensor c has not all of"},
    {"{" A "," B ",\"c\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[2]}}", "tensor c has its dtype twice"},
    {"{" A "," B ",\"c\":{\"dtype\":\"F32\",\"form\":[2]}}", "tensor c has a field form, which is not known"},
    {"{" A "," B "," C ",\"b\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[24,24]}}",
     "tensor b is there twice"},
    {"{" A "," B "," C ",\"\\u0061\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}",
     "tensor a is there twice"},
    {"{" A "," B "," C ",\"__metadata__\":{},\"__metadata__\":{}}", "__metadata__ is there twice"},
    {"{" A "," B "," C ",\"__metadata__\":{\"x\":\"1\",\"x\":\"2\"}}", "metadata x is there twice"},
    {"{" A "," B "," C ",\"__metadata__\":{\"x\":1}}", "\" is missing"},
    {"{" A "," B "," C ",\"__metadata__\":[]}", "{ is missing"},
    {"{" A "," B "," C ",\"__metadata__\":{\"x\":\"1\"", "a comma or } is missing"},
    {"{" A "," B ",\"" LONG_NAME "\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[16,24]}}",
     "the name of tensor a234567890b234567890c234567890d234567890… is longer than 79 bytes"},
    {TENSOR("\"F31\"", "[2]", "[16,24]"), "the dtype F31 is not one of F32, F64 and U64"},
    {TENSOR("\"f32\"", "[2]", "[16,24]"), "the dtype f32 is not one of"},
    {TENSOR("\"BF16\"", "[4]", "[16,24]"), "the dtype BF16 is not one of"},
    {TENSOR("1", "[2]", "[16,24]"), "\" is missing"},
    {TENSOR("\"F32\"", "2", "[16,24]"), "[ is missing"},
    {TENSOR("\"F32\"", "[2}", "[16,24]"), "a comma or ] is missing"},
    {TENSOR("\"F32\"", "[2,]", "[16,24]"), "a whole number from 0 is missing"},
    {TENSOR("\"F32\"", "[-2]", "[16,24]"), "a whole number from 0 is missing"},
    {TENSOR("\"F32\"", "[+2]", "[16,24]"), "a whole number from 0 is missing"},
    {TENSOR("\"F32\"", "[\"2\"]", "[16,24]"), "a whole number from 0 is missing"},
    {TENSOR("\"F32\"", "[2.0]", "[16,24]"), "a comma or ] is missing"},
    {TENSOR("\"F32\"", "[2e0]", "[16,24]"), "a comma or ] is missing"},
    {TENSOR("\"F32\"", "[02]", "[16,24]"), "a number begins with 0"},
    {TENSOR("\"F32\"", "[18446744073709551616]", "[16,24]"), "a number is above 2^64 - 1"},
    {TENSOR("\"F32\"", "[99999999999999999999999]", "[16,24]"), "a number is above 2^64 - 1"},
    {TENSOR("\"F32\"", "[1,1,1,1,2]", "[16,24]"), "there are more than 4 numbers in brackets"},
    {TENSOR("\"F32\"", "[4611686018427387906]", "[16,24]"), "tensor c has a shape that no file can hold"},
    {TENSOR("\"F64\"", "[4294967296,4294967296]", "[16,24]"), "tensor c has a shape that no file can hold"},
    {TENSOR("\"F32\"", "[3]", "[16,24]"), "tensor c takes 12 bytes by its shape, but 8 by its data_offsets"},
    {TENSOR("\"F32\"", "[]", "[16,24]"), "tensor c takes 4 bytes by its shape, but 8 by"},
    {TENSOR("\"F32\"", "[0]", "[16,24]"), "tensor c takes 0 bytes by its shape, but 8 by"},
    {TENSOR("\"F32\"", "[2]", "[16]"), "the data_offsets of tensor c are not two numbers"},
    {TENSOR("\"F32\"", "[2]", "[16,24,24]"), "there are more than 2 numbers in brackets"},
    {TENSOR("\"F32\"", "[2]", "[24,16]"),
     "tensor c begins at byte 24 of the data, but the one before it ends at 16"},
    {TENSOR("\"F32\"", "[2]", "[16,15]"), "tensor c ends before it begins"},
    {TENSOR("\"F32\"", "[2]", "[15,23]"),
     "tensor c begins at byte 15 of the data, but the one before it ends at 16"},
    {TENSOR("\"F32\"", "[2]", "[17,25]"),
     "tensor c begins at byte 17 of the data, but the one before it ends at 16"},
    {TENSOR("\"F32\"", "[2]", "[8,16]"), "begins at byte 8 of the data, but the one before it ends at 16"},
    {TENSOR("\"F32\"", "[2]", "[0,8]"), "begins at byte 0 of the data, but the one before it ends at 8"},
    {TENSOR("\"F32\"", "[1]", "[16,20]"), "it is too long: its tensors take 20 bytes, but 24 are there"},
    {TENSOR("\"F32\"", "[3]", "[16,28]"), "it is cut short: its tensors take 28 bytes, but 24 are there"},
    {TENSOR("\"F32\"", "[4611686018427387899]", "[16,18446744073709551612]"),
     "it is cut short: its tensors take 1844"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[5],\"data_offsets\":[4,24]}}",
     "begins at byte 4 of the data, but data begins at 0"},
    {TEXT("\xff"), "a text is not UTF-8"},
    {TEXT("\xc0\xaf"), "a text is not UTF-8"},
    {TEXT("\xc1\xbf"), "a text is not UTF-8"},
    {TEXT("\xe0\x9f\xbf"), "a text is not UTF-8"},
    {TEXT("\xed\xa0\x80"), "a text is not UTF-8"},
    {TEXT("\xf0\x8f\xbf\xbf"), "a text is not UTF-8"},
    {TEXT("\xf4\x90\x80\x80"), "a text is not UTF-8"},
    {TEXT("\xf5\x80\x80\x80"), "a text is not UTF-8"},
    {TEXT("\x80"), "a text is not UTF-8"},
    {TEXT("\xe2\x82"), "a text is not UTF-8"},
    {TEXT("\n"), "a text holds a control character"},
    {TEXT("\\x"), "a backslash is not followed by one of \"\\/bfnrtu"},
    {TEXT("\\u12"), "\\u is not followed by four hexadecimal digits"},
    {TEXT("\\u12G4"), "\\u is not followed by four hexadecimal digits"},
    {TEXT("\\u0000"), "a text holds \\u0000"},
    {TEXT("\\ud800"), "half of a surrogate pair stands alone"},
    {TEXT("\\ud800\\u0041"), "half of a surrogate pair stands alone"},
    {TEXT("\\udc00"), "half of a surrogate pair stands alone"},
    {"{" A "," B "," C ",\"__metadata__\":{\"x\":\"", "a text does not end"},
    {"{" A "," B "," C ",\"__metadata__\":{\"x\":\"\\", "a backslash is not followed"},
    {"{" A "," B "," C ",\"__metadata__\":{\"x\":\"\\u00", "\\u is not followed"},
    {"{" A "," B "," C ",\"__metadata__\":{\"sha256\":\"\"}}", "its data is damaged: the SHA-256 is 91a30644"},
    {"{" A "," B "," C ",\"__metadata__\":{\"sha256\":\"9606A0C9\"}}", "its data is damaged"},
};

static void headers_that_are_right_are_taken_however_they_are_laid_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        uint8_t bytes[FILE_MOST];
        size_t size = lay_file(bytes, good[i], DATA);
        struct ff_error error;

        if (open_bytes(bytes, size, &error) != FF_OK)
            fail_msg("case %zu: %s", i, error.message);
    }
}

static void damaged_headers_are_refused_with_what_is_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof damages / sizeof damages[0]; i++) {
        uint8_t bytes[FILE_MOST];
        size_t size = lay_file(bytes, damages[i].json, DATA);
        struct ff_error error;

        if (open_bytes(bytes, size, &error) != FF_DAMAGED)
            fail_msg("case %zu: %s is not refused as damaged", i, damages[i].json);
        if (strstr(error.message, damages[i].words) == NULL ||
            strstr(error.message, "/given.safetensors: ") == NULL ||
            strstr(error.message, "; copy the file again or take another one") == NULL)
            fail_msg("case %zu: the sentence is \"%s\", not \"%s\"", i, error.message, damages[i].words);
    }
}

static void a_text_with_a_nul_is_refused(void **state)
{
    uint8_t bytes[FILE_MOST];
    size_t size = lay_file(bytes, TEXT("#"), DATA);
    struct ff_error error;

    (void)state;
    *(uint8_t *)memchr(bytes, '#', size) = 0;
    assert_int_equal(open_bytes(bytes, size, &error), FF_DAMAGED);
    assert_non_null(strstr(error.message, "a text holds a control character"));
}

static void a_file_cut_at_any_byte_is_refused(void **state)
{
    uint8_t bytes[FILE_MOST];
    size_t size = lay_file(bytes, good[1], DATA);
    struct ff_error error;

    (void)state;
    for (size_t kept = 0; kept < size; kept++) {
        assert_int_equal(open_bytes(bytes, kept, &error), FF_DAMAGED);
        assert_non_null(strstr(error.message, "it is cut short: "));
    }
    assert_int_equal(open_bytes(bytes, size, &error), FF_OK);
    bytes[size] = 0;
    assert_int_equal(open_bytes(bytes, size + 1, &error), FF_DAMAGED);
    assert_non_null(strstr(error.message, "it is too long: "));
}

static void a_length_that_lies_is_refused(void **state)
{
    static const struct {
        uint64_t length;
        const char *words;
    } cases[] = {
        {0, "{ is missing"},
        {1, "\" is missing"},
        {FILE_MOST, "it is cut short: its header takes 4096 bytes, but "},
        {FF_SAFETENSORS_HEADER_MAX, "it is cut short: its header takes 16777216 bytes"},
        {FF_SAFETENSORS_HEADER_MAX + 1, "it is no safetensors file, or one with a header of more than 16 MiB"},
        {UINT64_MAX / 2 + 1, "it is no safetensors file"},
        {UINT64_MAX - 7, "it is no safetensors file"},
        {UINT64_MAX, "it is no safetensors file"},
    };
    uint8_t bytes[FILE_MOST];
    size_t size = lay_file(bytes, good[1], DATA);
    struct ff_error error;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        memcpy(bytes, &cases[i].length, sizeof cases[i].length);
        assert_int_equal(open_bytes(bytes, size, &error), FF_DAMAGED);
        if (strstr(error.message, cases[i].words) == NULL)
            fail_msg("case %zu: the sentence is \"%s\"", i, error.message);
    }
}

static void each_bit_of_the_data_is_under_the_sum(void **state)
{
    uint8_t bytes[FILE_MOST];
    size_t size = lay_file(bytes, good[1], DATA);
    struct ff_error error;

    (void)state;
    for (size_t at = size - DATA; at < size; at++)
        for (int bit = 0; bit < 8; bit++) {
            bytes[at] ^= (uint8_t)(1 << bit);
            assert_int_equal(open_bytes(bytes, size, &error), FF_DAMAGED);
            assert_non_null(strstr(error.message, "its data is damaged: the SHA-256 is "));
            bytes[at] ^= (uint8_t)(1 << bit);
        }
    size = lay_file(bytes, good[0], DATA);
    bytes[size - 1] ^= 1;
    assert_int_equal(open_bytes(bytes, size, &error), FF_OK); /* which has no sum */
}

static void assert_tensors_are_inside(struct ff_safetensors *file)
{
    uint8_t data[DATA];
    struct ff_error error;

    for (size_t i = 0; i < ff_safetensors_count(file); i++) {
        const struct ff_tensor_about *about = ff_safetensors_tensor(file, i);
        size_t bytes = about->dtype == FF_F32 ? 4 : 8;

        for (uint32_t k = 0; k < about->rank; k++)
            bytes *= about->shape[k];
        assert_true(bytes <= DATA);
        assert_int_equal(ff_safetensors_read(file, i, 0, data, bytes, &error), FF_OK);
    }
}

/* A changed header may still be one (another name, say); then every tensor lies inside the file all the same. */
static void any_changed_bit_of_the_header_is_refused_or_harmless(void **state)
{
    uint8_t bytes[FILE_MOST];
    size_t size = lay_file(bytes, good[1], DATA), refused = 0;

    (void)state;
    for (size_t bit = 0; bit < (size - DATA) * 8; bit++) {
        struct ff_safetensors *file;
        struct ff_error error;

        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        file = open_written(bytes, size, &error);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (file != NULL)
            assert_tensors_are_inside(file);
        else
            assert_int_equal(error.status, FF_DAMAGED);
        refused += file == NULL;
        ff_safetensors_close(file);
    }
    assert_true(refused > size); /* most of them */
}

static void a_file_that_shrinks_while_it_is_read_is_an_error(void **state)
{
    const char *path = temporary_path(folder, "shrinks.safetensors");
    uint8_t bytes[FILE_MOST], data[8];
    size_t size = lay_file(bytes, good[1], DATA), index;
    struct ff_safetensors *file;
    struct ff_error error;

    (void)state;
    temporary_write(path, bytes, size);
    file = ff_safetensors_open(path, &error);
    assert_non_null(file);
    assert_int_equal(truncate(path, (off_t)size - 4), 0);
    assert_non_null(ff_safetensors_find(file, "c", &index));
    assert_int_equal(ff_safetensors_read(file, index, 0, data, 4, &error), FF_OK);
    assert_int_equal(ff_safetensors_read(file, index, 0, data, 8, &error), FF_DAMAGED);
    assert_non_null(strstr(error.message, "shrinks.safetensors: it has become shorter while it was read"));
    assert_int_equal(ff_safetensors_verify(file, &error), FF_DAMAGED);
    ff_safetensors_close(file);
}

static void what_is_no_file_is_refused(void **state)
{
    const char *pipe = temporary_path(folder, "pipe");
    struct ff_error error;

    (void)state;
    assert_null(ff_safetensors_open(temporary_path(folder, "absent"), &error));
    assert_int_equal(error.status, FF_NOT_FOUND);
    assert_non_null(strstr(error.message, "absent: cannot be opened: No such file"));
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_null(ff_safetensors_open(pipe, &error));
    assert_int_equal(error.status, FF_DAMAGED);
    assert_non_null(strstr(error.message, "pipe: it is not a file"));
    assert_null(ff_safetensors_open(folder, &error));
    assert_int_equal(error.status, FF_DAMAGED);
    ff_safetensors_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_that_are_right_are_taken_however_they_are_laid_out),
        cmocka_unit_test(damaged_headers_are_refused_with_what_is_wrong),
        cmocka_unit_test(a_text_with_a_nul_is_refused),
        cmocka_unit_test(a_file_cut_at_any_byte_is_refused),
        cmocka_unit_test(a_length_that_lies_is_refused),
        cmocka_unit_test(each_bit_of_the_data_is_under_the_sum),
        cmocka_unit_test(any_changed_bit_of_the_header_is_refused_or_harmless),
        cmocka_unit_test(a_file_that_shrinks_while_it_is_read_is_an_error),
        cmocka_unit_test(what_is_no_file_is_refused),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
