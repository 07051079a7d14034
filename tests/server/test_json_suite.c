/* RFC 8259 rule by rule: what its grammar has is read, and nothing else. A name says what a text shows.
 *
 * Beyond the grammar, what the RFC leaves to a parser is fixed here too: names that stand twice, half surrogate
 * pairs, U+0000, whole numbers that a double would change, and a byte order mark are refused; depth has a limit. */
#include "../cmocka_all.h"

#include <float.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

struct example {
    const char *name, *text;
    size_t length; /* 0: of the string */
};

/* Texts with a NUL in them. */
#define BYTES(text) text, sizeof(text) - 1

static const struct example right[] = {
    /* section 2: any value, with white space around */
    {"a lone string", "\"a\"", 0},
    {"a lone number", "42", 0},
    {"a lone negative number", "-0.1", 0},
    {"a lone true", "true", 0},
    {"a lone false", "false", 0},
    {"a lone null", "null", 0},
    {"an empty array", "[]", 0},
    {"an empty object", "{}", 0},
    {"all four spaces", " \t\n\r[ \t\n\r] \t\n\r", 0},
    {"spaces around everything", " { \"a\" : [ 1 , 2 ] , \"b\" : { } } ", 0},
    {"a line break at the end", "[]\n", 0},
    /* section 4, 5: objects and arrays */
    {"an empty name", "{\"\":0}", 0},
    {"names that differ in case", "{\"a\":0,\"A\":0}", 0},
    {"names that differ in form", "{\"\xC3\xA9\":0,\"e\xCC\x81\":0}", 0},
    {"the same name at two depths", "{\"a\":{\"a\":{\"a\":0}}}", 0},
    {"the same name in two objects", "[{\"a\":0},{\"a\":0}]", 0},
    {"an escaped name", "{\"\\u0066oo\\n\":0}", 0},
    {"a name that prototypes have", "{\"__proto__\":1}", 0},
    {"values of every kind", "[null,true,false,0,\"\",[],{}]", 0},
    {"arrays in arrays", "[[],[[]],[[[]]]]", 0},
    /* section 6: numbers */
    {"zero", "0", 0},
    {"minus zero", "-0", 0},
    {"zero with a fraction", "0.0", 0},
    {"zero with an exponent", "0e1", 0},
    {"zero with a signed exponent", "0e+1", 0},
    {"one digit", "7", 0},
    {"a zero inside", "[101,10]", 0},
    {"a fraction", "123.456789", 0},
    {"zeros in front of a fraction's digits", "1.001", 0},
    {"an exponent", "1e2", 0},
    {"a capital exponent", "1E22", 0},
    {"a positive exponent", "1e+2", 0},
    {"a capital negative exponent", "1E-2", 0},
    {"zeros in front of an exponent", "1e0002", 0},
    {"a fraction and an exponent", "-123.456e78", 0},
    {"close to zero", "-0.000000000000000000000000000000000000000000000000000000000000000000001", 0},
    {"below the smallest double", "1e-400", 0},
    {"the smallest double", "4.9406564584124654e-324", 0},
    {"the largest whole number that is exact", "9007199254740992", 0},
    {"a power of two far beyond", "18446744073709551616", 0},
    {"many digits after the point",
     "0.1234567890123456789012345678901234567890123456789012345678901234567890123456789", 0},
    /* section 7: strings */
    {"every short escape", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", 0},
    {"an escaped letter", "\"\\u0061\\u30AF\\u30EA\\u30B9\"", 0},
    {"hexadecimal digits of both cases", "\"\\uABCD\\uabcd\\u00Ef\"", 0},
    {"an escaped control character", "\"\\u0012\\u001f\"", 0},
    {"an escaped quote", "\"\\u0022\"", 0},
    {"a surrogate pair", "\"\\uD801\\udc37\"", 0},
    {"the first surrogate pair", "\"\\ud800\\udc00\"", 0},
    {"the last surrogate pair", "\"\\udbff\\udfff\"", 0},
    {"two surrogate pairs", "\"\\ud83d\\ude39\\ud83d\\udc8d\"", 0},
    {"an escaped noncharacter", "\"\\uFFFF\"", 0},
    {"an escaped backslash before a u", "\"\\\\u0000\"", 0},
    {"an escaped backslash before the end", "\"\\\\\"", 0},
    {"DEL as it is", "\"a\x7F\"", 0},
    {"a slash as it is", "\"/*not a comment*/ // nor this\"", 0},
    {"what looks like structure", "\"[{,:}]\"", 0},
    {"two bytes", "\"\xC2\x80\xDF\xBF\"", 0},
    {"three bytes", "\"\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\"", 0},
    {"four bytes", "\"\xF0\x90\x80\x80\xF4\x8F\xBF\xBF\"", 0},
    {"noncharacters as they are", "\"\xEF\xB7\x90\xEF\xBF\xBF\xF4\x8F\xBF\xBE\"", 0},
    {"line separators as they are", "\"\xE2\x80\xA8\xE2\x80\xA9\"", 0},
    {"a byte order mark inside", "\"\xEF\xBB\xBF\"", 0},
    {"a space that is none of the four", "\"\xC2\xA0\xE2\x81\xA0\xE3\x80\x80\"", 0},
};

static const struct example wrong[] = {
    /* section 2 */
    {"nothing", "", 0},
    {"only spaces", " \n", 0},
    {"a byte order mark", "\xEF\xBB\xBF{}", 0},
    {"a byte order mark alone", "\xEF\xBB\xBF", 0},
    {"UTF-16", BYTES("[\0\"\0\xE9\0\"\0]\0")},
    {"two values", "1 2", 0},
    {"two arrays", "[][]", 0},
    {"an array and a comma", "[1],", 0},
    {"an array and a bracket", "[1]]", 0},
    {"an object and a brace", "{\"a\":true}}", 0},
    {"an object and a word", "{\"a\":\"b\"}#", 0},
    {"a string and a letter", "\"\"x", 0},
    {"a form feed", "[\f]", 0},
    {"a vertical tab", "[\v]", 0},
    {"a no-break space", "[\xC2\xA0]", 0},
    {"a word joiner", "[\xE2\x81\xA0]", 0},
    {"a NUL after the text", BYTES("[]\0")},
    {"a NUL between", BYTES("[1,\0 2]")},
    {"a comment", "[1/*2*/]", 0},
    {"a comment before", "/**/[]", 0},
    {"a comment after", "[]//", 0},
    {"a hash comment", "[] #", 0},
    {"a star", "*", 0},
    {"angle brackets", "<null>", 0},
    {"a letter", "a", 0},
    {"not UTF-8", "\xFF", 0},
    {"an escape outside a string", "\\u0031", 0},
    {"an escaped line break outside a string", "[\\n]", 0},
    /* section 3 */
    {"a capital true", "True", 0},
    {"all capitals", "NULL", 0},
    {"a cut word", "[nul]", 0},
    {"a long word", "[nulll]", 0},
    {"two words", "[truefalse]", 0},
    {"undefined", "undefined", 0},
    {"NaN", "[NaN]", 0},
    {"-NaN", "[-NaN]", 0},
    {"Infinity", "[Infinity]", 0},
    {"-Infinity", "[-Infinity]", 0},
    {"inf", "[inf]", 0},
    /* section 4 */
    {"an open object", "{", 0},
    {"an object of a name", "{\"a\"", 0},
    {"an object of a name, closed", "{\"a\"}", 0},
    {"an object of a name and a colon", "{\"a\":", 0},
    {"a missing value", "{\"a\":}", 0},
    {"a missing name", "{:\"b\"}", 0},
    {"a missing colon", "{\"a\" \"b\"}", 0},
    {"a comma for a colon", "{\"a\",\"b\"}", 0},
    {"two colons", "{\"a\"::1}", 0},
    {"an equals sign", "{\"a\"=1}", 0},
    {"a comma after the last member", "{\"a\":1,}", 0},
    {"two commas after the last member", "{\"a\":1,,}", 0},
    {"two commas", "{\"a\":1,,\"b\":2}", 0},
    {"a comma first", "{,\"a\":1}", 0},
    {"a comma alone", "{,}", 0},
    {"a semicolon", "{\"a\":1;\"b\":2}", 0},
    {"no comma", "{\"a\":1 \"b\":2}", 0},
    {"a name without quotes", "{a:1}", 0},
    {"a name in single quotes", "{'a':1}", 0},
    {"a number as a name", "{1:1}", 0},
    {"a word as a name", "{null:1}", 0},
    {"an array as a name", "{[]:1}", 0},
    {"an emoji as a name", "{\xF0\x9F\x87\xA8\xF0\x9F\x87\xAD}", 0},
    {"an object closed as an array", "{\"a\":1]", 0},
    {"an object that goes on", "{\"a\":{\"b\":1}", 0},
    {"a name twice", "{\"a\":1,\"a\":2}", 0},
    {"a name twice, the same value", "{\"a\":1,\"a\":1}", 0},
    {"a name twice, escaped once", "{\"a\":1,\"\\u0061\":2}", 0},
    {"an empty name twice", "{\"\":1,\"\":2}", 0},
    {"a name twice with others between", "{\"a\":1,\"b\":{\"a\":1},\"c\":[{}],\"a\":2}", 0},
    /* section 5 */
    {"an open array", "[", 0},
    {"a closed one", "]", 0},
    {"an open array of a value", "[1", 0},
    {"an open array of a comma", "[1,", 0},
    {"an open array of an open string", "[\"a", 0},
    {"a comma after the last value", "[1,]", 0},
    {"a comma first", "[,1]", 0},
    {"a comma alone", "[,]", 0},
    {"two commas", "[1,,2]", 0},
    {"no comma", "[1 true]", 0},
    {"no comma before an array", "[3[4]]", 0},
    {"a colon", "[\"\":1]", 0},
    {"a semicolon", "[1;2]", 0},
    {"an array closed as an object", "[1}", 0},
    {"an array in an object's place", "{[1]}", 0},
    {"inner arrays left open", "[[[]", 0},
    /* section 6 */
    {"a plus", "[+1]", 0},
    {"two pluses", "[++1234]", 0},
    {"a minus alone", "[-]", 0},
    {"two minuses", "[--1]", 0},
    {"a minus and a space", "[- 1]", 0},
    {"a minus and a letter", "[-a]", 0},
    {"a minus and a point", "[-.123]", 0},
    {"a zero in front", "[012]", 0},
    {"a zero in front of a negative", "[-012]", 0},
    {"two zeros", "[00]", 0},
    {"a point first", "[.2e-3]", 0},
    {"a point last", "[1.]", 0},
    {"a point before an exponent", "[2.e3]", 0},
    {"two points", "[0.1.2]", 0},
    {"an exponent without digits", "[1e]", 0},
    {"a signed exponent without digits", "[1e+]", 0},
    {"a capital exponent without digits", "[0E]", 0},
    {"two exponents", "[1eE2]", 0},
    {"an exponent with a fraction", "[1e2.5]", 0},
    {"an exponent first", "[e3]", 0},
    {"hexadecimal", "[0x42]", 0},
    {"octal", "[0o17]", 0},
    {"letters after digits", "[1.2a-3]", 0},
    {"a hexadecimal float", "[0x1p3]", 0},
    {"a binary exponent", "[1p3]", 0},
    {"a separator", "[1_000]", 0},
    {"a comma inside", "[1,000]", 0},
    {"a space inside", "[1 000.0]", 0},
    {"a suffix", "[1f]", 0},
    {"a full-width digit", "[\xEF\xBC\x91]", 0},
    {"a number with a bad byte", "[123\xE5]", 0},
    {"above the largest double", "[1e309]", 0},
    {"far below the lowest double", "[-123123e100000]", 0},
    {"an exponent that overflows a counter", "[0.4e006699999999999999999999999999999999999999999999999]", 0},
    {"a whole number that would be rounded", "[9007199254740993]", 0},
    {"a negative whole number that would be rounded", "[-9223372036854775809]", 0},
    /* section 7 */
    {"an open string", "\"", 0},
    {"an open string of a backslash", "\"\\", 0},
    {"a string that ends in an escape", "\"\\\"", 0},
    {"single quotes", "'a'", 0},
    {"no quotes", "[abc]", 0},
    {"a line break", "[\"new\nline\"]", 0},
    {"a tab", "[\"\t\"]", 0},
    {"a NUL", BYTES("[\"a\0a\"]")},
    {"a control character", "[\"\x1F\"]", 0},
    {"an unknown escape", "[\"\\a\"]", 0},
    {"a hexadecimal escape", "[\"\\x00\"]", 0},
    {"an octal escape", "[\"\\0\"]", 0},
    {"an escaped emoji", "[\"\\\xF0\x9F\x8C\x80\"]", 0},
    {"an escaped bad byte", "[\"\\\xE5\"]", 0},
    {"an escaped tab as it is", "[\"\\\t\"]", 0},
    {"a capital U", "[\"\\U0061\"]", 0},
    {"three hexadecimal digits", "[\"\\u006\"]", 0},
    {"a letter that is none", "[\"\\uqqqq\"]", 0},
    {"a sign among the digits", "[\"\\u+061\"]", 0},
    {"a space among the digits", "[\"\\u 061\"]", 0},
    {"braces around the digits", "[\"\\u{61}\"]", 0},
    {"no digits", "[\"\\u", 0},
    {"an escaped NUL", "[\"\\u0000\"]", 0},
    {"an escaped NUL in a name", "{\"\\u0000\":1}", 0},
    {"a first half alone", "[\"\\uDADA\"]", 0},
    {"a first half and a letter", "[\"\\uD888\\u1234\"]", 0},
    {"a first half and an escape", "[\"\\uD800\\n\"]", 0},
    {"a first half and an open escape", "[\"\\uD800\\", 0},
    {"a first half and a cut second", "[\"\\uD834\\uDd\"]", 0},
    {"two first halves", "[\"\\uD800\\uD800\\n\"]", 0},
    {"a second half alone", "[\"\\uDFAA\"]", 0},
    {"halves the wrong way round", "[\"\\uDd1e\\uD834\"]", 0},
    {"a lone continuation byte", "[\"\x81\"]", 0},
    {"a cut character", "[\"\xE0\xFF\"]", 0},
    {"a character cut by the end", "\"\xF0\x9F\x98", 0},
    {"an overlong NUL", "[\"\xC0\x80\"]", 0},
    {"an overlong slash", "[\"\xC0\xAF\"]", 0},
    {"overlong in three bytes", "[\"\xE0\x9F\xBF\"]", 0},
    {"overlong in four bytes", "[\"\xF0\x8F\xBF\xBF\"]", 0},
    {"overlong in five bytes", "[\"\xF8\x87\xBF\xBF\xBF\"]", 0},
    {"overlong in six bytes", "[\"\xFC\x83\xBF\xBF\xBF\xBF\"]", 0},
    {"a surrogate as it is", "[\"\xED\xA0\x80\"]", 0},
    {"a pair of surrogates as they are", "[\"\xED\xA0\x80\xED\xB0\x80\"]", 0},
    {"above U+10FFFF", "[\"\xF4\xBF\xBF\xBF\"]", 0},
    {"Latin-1", "[\"\xE9\"]", 0},
    {"a bad byte in a name", "{\"\xB9\":\"0\"}", 0},
};

static cJSON *parse(const struct example *example, struct ff_error *error)
{
    size_t length = example->length > 0 ? example->length : strlen(example->text);
    char *copy = malloc(length > 0 ? length : 1); /* exactly as long, so that reading over is noticed */
    cJSON *json;

    memcpy(copy, example->text, length);
    memset(error, 0, sizeof *error);
    json = json_parse_strict(copy, length, error);
    free(copy);
    return json;
}

static void what_the_grammar_has_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        struct ff_error error;
        cJSON *json = parse(&right[i], &error);

        if (json == NULL)
            fail_msg("%s: %s", right[i].name, error.message);
        cJSON_Delete(json);
    }
}

static void what_it_does_not_have_is_refused_with_the_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct ff_error error;
        cJSON *json = parse(&wrong[i], &error);
        size_t line, column;

        if (json != NULL)
            fail_msg("%s was taken", wrong[i].name);
        assert_int_equal(error.status, FF_INVALID);
        if (sscanf(error.message, "line %zu, column %zu: ", &line, &column) != 2)
            fail_msg("%s: no place: %s", wrong[i].name, error.message);
    }
}

/* What is read is printed by another hand, and read again: nothing of it is lost. */
static void what_is_read_is_the_same_when_it_is_read_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        struct ff_error error;
        cJSON *json = parse(&right[i], &error), *again;
        char *text = cJSON_Print(json);

        again = json_parse_strict(text, strlen(text), &error);
        if (again == NULL || !cJSON_Compare(json, again, true))
            fail_msg("%s: %s", right[i].name, text);
        cJSON_free(text);
        cJSON_Delete(again);
        cJSON_Delete(json);
    }
}

static void the_largest_double_is_read(void **state)
{
    static const char text[] = "1.7976931348623157e308"; /* cJSON would print fewer digits */
    struct ff_error error;
    cJSON *json = json_parse_strict(text, sizeof text - 1, &error);

    (void)state;
    assert_non_null(json);
    assert_true(json->valuedouble == DBL_MAX);
    cJSON_Delete(json);
}

static void a_hundred_thousand_open_brackets_are_refused_at_the_limit(void **state)
{
    enum { COUNT = 100000 };
    static const char *const opened[] = {"[", "{\"\":"};
    struct ff_error error;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        size_t size = strlen(opened[i]);
        char *text = malloc(size * COUNT), place[64];

        for (size_t at = 0; at < COUNT; at++)
            memcpy(text + at * size, opened[i], size);
        assert_null(json_parse_strict(text, size * COUNT, &error));
        snprintf(place, sizeof place, "line 1, column %zu: ", JSON_DEPTH_MAX * size + 1);
        assert_memory_equal(error.message, place, strlen(place));
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_grammar_has_is_read),
        cmocka_unit_test(what_it_does_not_have_is_refused_with_the_place),
        cmocka_unit_test(what_is_read_is_the_same_when_it_is_read_again),
        cmocka_unit_test(the_largest_double_is_read),
        cmocka_unit_test(a_hundred_thousand_open_brackets_are_refused_at_the_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
