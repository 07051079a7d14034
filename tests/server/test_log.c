/* Messages as lines. */
#include "../cmocka_all.h"

#include <string.h>

#include "log.h"

enum { TIME = 1700000000 };

static const struct {
    const char *message, *text, *json;
} cases[] = {
    {"run 3 started", "run 3 started", "run 3 started"},
    {"", "", ""},
    {"a \"name\" and a \\", "a \"name\" and a \\", "a \\\"name\\\" and a \\\\"},
    {"one\ntwo\r\tthree\x7f", "one two  three ", "one\\u000atwo\\u000d\\u0009three "},
    {"gr\xc3\xbc\xc3\x9f \xe2\x82\xac", "gr\xc3\xbc\xc3\x9f \xe2\x82\xac", "gr\xc3\xbc\xc3\x9f \xe2\x82\xac"},
    {"bad \xff byte", "bad \xef\xbf\xbd byte", "bad \xef\xbf\xbd byte"},
    {"cut \xe2\x82", "cut \xef\xbf\xbd\xef\xbf\xbd", "cut \xef\xbf\xbd\xef\xbf\xbd"},
    {"\x1b[31mred", " [31mred", "\\u001b[31mred"},
};

static void a_message_is_one_line_of_valid_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char line[256], expected[256];
        size_t length =
            log_line(LOG_FORMAT_TEXT, LOG_LEVEL_WARNING, TIME * 1000LL + 7, cases[i].message, line, sizeof line);

        snprintf(expected, sizeof expected, "2023-11-14T22:13:20.007Z warning %s\n", cases[i].text);
        assert_string_equal(line, expected);
        assert_int_equal(length, strlen(expected));
    }
}

static void a_json_message_is_one_object_a_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char line[256], expected[256];
        size_t length =
            log_line(LOG_FORMAT_JSON, LOG_LEVEL_INFO, TIME * 1000LL + 123, cases[i].message, line, sizeof line);

        snprintf(expected, sizeof expected,
                 "{\"time\":\"2023-11-14T22:13:20.123Z\",\"level\":\"info\",\"message\":\"%s\"}\n", cases[i].json);
        assert_string_equal(line, expected);
        assert_int_equal(length, strlen(expected));
    }
}

static void a_line_that_does_not_fit_is_cut_and_still_whole(void **state)
{
    char message[400], line[128];
    size_t length;

    (void)state;
    memset(message, '"', sizeof message - 1);
    message[sizeof message - 1] = '\0';
    length = log_line(LOG_FORMAT_JSON, LOG_LEVEL_ERROR, TIME * 1000LL, message, line, sizeof line);
    assert_in_range(length, sizeof line - 16, sizeof line - 1);
    assert_int_equal(line[length], '\0');
    assert_string_equal(line + length - 5, "\\\"\"}\n");
}

static void levels_have_names(void **state)
{
    static const char *const names[] = {"debug", "info", "warning", "error"};

    (void)state;
    for (int i = 0; i < LOG_LEVELS; i++)
        assert_string_equal(log_level_name((enum log_level)i), names[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_one_line_of_valid_text),
        cmocka_unit_test(a_json_message_is_one_object_a_line),
        cmocka_unit_test(a_line_that_does_not_fit_is_cut_and_still_whole),
        cmocka_unit_test(levels_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
