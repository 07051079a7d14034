/* Strict JSON: what is refused, in which words and where; what passes is test_json_suite.c's. */
#include "../cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

static cJSON *parse(const char *text, struct ff_error *error)
{
    memset(error, 0, sizeof *error);
    return json_parse_strict(text, strlen(text), error);
}

struct fault {
    const char *text, *where; /* "line 1, column 1:" */
};

static void faults_are_told_with_line_and_column(void **state)
{
    static const struct fault faults[] = {
        {"", "line 1, column 1: expected a value, found the end"},
        {"  \n ", "line 2, column 2: expected a value, found the end"},
        {"\xEF\xBB\xBF{}", "line 1, column 1: the text begins with a byte order mark"},
        {"{} x", "line 1, column 4: expected the end of the text, found 'x'"},
        {"[1] [2]", "line 1, column 5: expected the end"},
        {"tru", "line 1, column 1: expected a value"},
        {"True", "line 1, column 1: expected a value, found 'T'"},
        {"nullx", "line 1, column 5:"},
        {"NaN", "line 1, column 1:"},
        {"Infinity", "line 1, column 1:"},
        {"+1", "line 1, column 1:"},
        {"01", "line 1, column 2: a number must not begin with a zero"},
        {"[-]", "line 1, column 3: expected a digit, found ']'"},
        {"-01", "line 1, column 3:"},
        {".5", "line 1, column 1:"},
        {"5.", "line 1, column 3: expected a digit, found the end"},
        {"5.e1", "line 1, column 3:"},
        {"5e", "line 1, column 3:"},
        {"5e+", "line 1, column 4:"},
        {"0x10", "line 1, column 2:"},
        {"1e999", "line 1, column 1: the number is too large"},
        {"[1,-1e400]", "line 1, column 4: the number is too large"},
        {"[1,]", "line 1, column 4: expected a value, found ']'"},
        {"[,1]", "line 1, column 2:"},
        {"[1 2]", "line 1, column 4: expected ',' or ']', found '2'"},
        {"[1", "line 1, column 3: expected ',' or ']', found the end"},
        {"[", "line 1, column 2:"},
        {"{", "line 1, column 2: expected a name in quotes, found the end"},
        {"{a:1}", "line 1, column 2: expected a name in quotes, found 'a'"},
        {"{'a':1}", "line 1, column 2:"},
        {"{\"a\" 1}", "line 1, column 6: expected ':' after the name, found '1'"},
        {"{\"a\":1,}", "line 1, column 8: expected a name in quotes, found '}'"},
        {"{\"a\":}", "line 1, column 6:"},
        {"{\"a\":1 \"b\":2}", "line 1, column 8: expected ',' or '}'"},
        {"{\"a\":1]", "line 1, column 7:"},
        {"{1:2}", "line 1, column 2:"},
        {"// c\n1", "line 1, column 1:"},
        {"{\"a\":1,\n \"b\":2,\n \"a\":3}", "line 3, column 2: the name \"a\" stands twice"},
        {"{\"a\":1,\"\\u0061\":2}", "line 1, column 8: the name \"a\" stands twice"},
        {"[{\"x\":{\"é\":1,\"é\":2}}]", "line 1, column 14: the name \"é\" stands twice"},
        {"\"a", "line 1, column 3: expected '\"' at the end of the string, found the end"},
        {"\"a\\\"", "line 1, column 5:"},
        {"\"\n\"", "line 1, column 2: expected a character of the string"},
        {"\"\t\"", "line 1, column 2: expected a character"},
        {"\"\\x\"", "line 1, column 3: expected one of"},
        {"\"\\", "line 1, column 3:"},
        {"\"\\u12G4\"", "line 1, column 6: expected four hexadecimal digits"},
        {"\"\\u12\"", "line 1, column 6:"},
        {"\"\\u0000\"", "line 1, column 2: a string must not have the character \\u0000"},
        {"\"\\uD800\"", "line 1, column 2: half of a surrogate pair"},
        {"\"\\uD800\\n\"", "line 1, column 2: half of a surrogate pair"},
        {"\"\\uD800\\u0041\"", "line 1, column 2: half of a surrogate pair"},
        {"\"\\uDC00\\uD800\"", "line 1, column 2: half of a surrogate pair"},
        {"\"\xFF\"", "line 1, column 2: expected UTF-8, found the byte 0xFF"},
        {"\"\xC0\x80\"", "line 1, column 2: expected UTF-8, found the byte 0xC0"},
        {"\"\xE0\x80\x80\"", "line 1, column 2: expected UTF-8"},
        {"\"\xED\xA0\x80\"", "line 1, column 2: expected UTF-8"},
        {"\"\xF4\x90\x80\x80\"", "line 1, column 2: expected UTF-8"},
        {"\"\xF5\x80\x80\x80\"", "line 1, column 2: expected UTF-8"},
        {"\"\xE2\x82\"", "line 1, column 2: expected UTF-8"},
        {"\"\x80\"", "line 1, column 2: expected UTF-8"},
        {"[\"äöü\" 1]", "line 1, column 8: expected ',' or ']'"},
        {"{\"a\\u0000\":1}", "line 1, column 4: a string must not have"},
        {"[1,9007199254740993]", "line 1, column 4: the whole number 9007199254740993 would be rounded to "
                                 "9007199254740992: they are exact up to 2^53"},
        {"-18446744073709551617", "line 1, column 1: the whole number -18446744073709551617 would be rounded"},
        {"\xC3\xA4", "line 1, column 1: expected a value, found 'ä'"},
        {"\x01", "line 1, column 1: expected a value, found the character U+0001"},
        {"[\f1]", "line 1, column 2:"},
        {"[\xC2\xA0\x31]", "line 1, column 2:"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct ff_error error;
        cJSON *json = parse(faults[i].text, &error);

        if (json != NULL)
            fail_msg("'%s' was taken", faults[i].text);
        assert_int_equal(error.status, FF_INVALID);
        if (strncmp(error.message, faults[i].where, strlen(faults[i].where)) != 0)
            fail_msg("'%s': '%s', expected '%s'", faults[i].text, error.message, faults[i].where);
    }
}

static void every_cut_of_a_text_is_refused(void **state)
{
    static const char text[] = "{\"a\":[1.5e3,true,null,\"\\u00e9\\uD83D\\uDE00\xC3\xA4\"],\"b\":{\"c\":-0}}";

    (void)state;
    for (size_t length = 0; length < sizeof text - 1; length++) {
        struct ff_error error;
        char *copy = malloc(length > 0 ? length : 1); /* exactly as long, so that reading over is noticed */

        memcpy(copy, text, length);
        assert_null(json_parse_strict(copy, length, &error));
        free(copy);
    }
}

static void a_nul_byte_is_refused_wherever_it_stands(void **state)
{
    static const char text[] = "{\"a\":[1]}";

    (void)state;
    for (size_t at = 0; at < sizeof text - 1; at++) {
        char copy[sizeof text];
        struct ff_error error;

        memcpy(copy, text, sizeof text);
        copy[at] = '\0';
        assert_null(json_parse_strict(copy, sizeof text - 1, &error));
    }
}

static void values_arrive_as_they_were_written(void **state)
{
    struct ff_error error;
    cJSON *json = parse("{\"s\":\"a\\u00e9\\uD83D\\uDE00\\n\",\"n\":-1.25e2,\"A\":1,\"a\":2,\"i\":9007199254740991,"
                        "\"l\":[true,false,null]}",
                        &error);
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, "l");

    (void)state;
    assert_non_null(json);
    assert_string_equal(cJSON_GetObjectItemCaseSensitive(json, "s")->valuestring, "a\xC3\xA9\xF0\x9F\x98\x80\n");
    assert_true(cJSON_GetObjectItemCaseSensitive(json, "n")->valuedouble == -125);
    assert_true(cJSON_GetObjectItemCaseSensitive(json, "A")->valuedouble == 1);
    assert_true(cJSON_GetObjectItemCaseSensitive(json, "a")->valuedouble == 2);
    assert_true(cJSON_GetObjectItemCaseSensitive(json, "i")->valuedouble == 9007199254740991.0);
    assert_int_equal(cJSON_GetArraySize(list), 3);
    assert_true(cJSON_IsTrue(cJSON_GetArrayItem(list, 0)));
    assert_true(cJSON_IsFalse(cJSON_GetArrayItem(list, 1)));
    assert_true(cJSON_IsNull(cJSON_GetArrayItem(list, 2)));
    cJSON_Delete(json);
}

static void nesting_has_a_limit(void **state)
{
    char text[2 * JSON_DEPTH_MAX + 4];
    struct ff_error error;
    cJSON *json;

    (void)state;
    memset(text, '[', JSON_DEPTH_MAX);
    memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
    json = json_parse_strict(text, (size_t)2 * JSON_DEPTH_MAX, &error);
    assert_non_null(json);
    cJSON_Delete(json);
    memset(text, '[', JSON_DEPTH_MAX + 1);
    memset(text + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
    assert_null(json_parse_strict(text, (size_t)2 * (JSON_DEPTH_MAX + 1), &error));
    assert_non_null(strstr(error.message, "column 65: arrays and objects are nested more than 64 deep"));
}

static void a_hundred_thousand_names_are_checked_for_duplicates(void **state)
{
    enum { NAMES = 100000 };
    char *text = malloc(NAMES * 16 + 32), *end = text;
    struct ff_error error;
    cJSON *json;

    (void)state;
    *end++ = '{';
    for (int i = 0; i < NAMES; i++)
        end += sprintf(end, "%s\"n%d\":0", i > 0 ? "," : "", i);
    end[0] = '}';
    json = json_parse_strict(text, (size_t)(end - text) + 1, &error);
    assert_non_null(json);
    cJSON_Delete(json);
    end += sprintf(end, ",\"n77\":0}");
    assert_null(json_parse_strict(text, (size_t)(end - text), &error));
    assert_non_null(strstr(error.message, "the name \"n77\" stands twice"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_are_told_with_line_and_column),
        cmocka_unit_test(every_cut_of_a_text_is_refused),
        cmocka_unit_test(a_nul_byte_is_refused_wherever_it_stands),
        cmocka_unit_test(values_arrive_as_they_were_written),
        cmocka_unit_test(nesting_has_a_limit),
        cmocka_unit_test(a_hundred_thousand_names_are_checked_for_duplicates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
