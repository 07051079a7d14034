/* Whole numbers: digits alone, up to 64 bits. */
#include "../cmocka_all.h"

#include <string.h>

#include "digits.h"

struct number_case {
    const char *text;
    bool good;
    uint64_t number;
    const char *rest;
};

static const struct number_case cases[] = {
    {"0", true, 0, ""},
    {"007", true, 7, ""},
    {"18446744073709551615", true, UINT64_MAX, ""},
    {"000000000000000000000000000001", true, 1, ""},
    {"12,3", true, 12, ",3"},
    {"5 ", true, 5, " "},
    {"0x10", true, 0, "x10"},
    {"1e3", true, 1, "e3"},
    {"18446744073709551616", false, 0, NULL},
    {"18446744073709551620", false, 0, NULL},
    {"99999999999999999999999", false, 0, NULL},
    {"", false, 0, NULL},
    {"-1", false, 0, NULL},
    {"+1", false, 0, NULL},
    {" 1", false, 0, NULL},
    {"\xd9\xa1", false, 0, NULL}, /* an Arabic one */
};

static void a_number_is_its_digits_up_to_what_follows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *text = cases[i].text;
        uint64_t number = 42;
        bool good = digits_first(&text, &number);

        if (good != cases[i].good || number != (good ? cases[i].number : 42) ||
            strcmp(text, good ? cases[i].rest : cases[i].text) != 0)
            fail_msg("\"%s\": %d, %llu, \"%s\"", cases[i].text, good, (unsigned long long)number, text);
    }
}

static void a_whole_text_is_a_number_where_nothing_follows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t number = 42;
        bool whole = cases[i].good && cases[i].rest[0] == '\0';

        if (digits_whole(cases[i].text, &number) != whole || number != (whole ? cases[i].number : 42))
            fail_msg("\"%s\": %llu", cases[i].text, (unsigned long long)number);
    }
}

static void a_run_is_above_0_and_fits_the_database(void **state)
{
    static const struct {
        const char *text;
        int64_t run; /* 0: it is none */
        const char *rest;
    } runs[] = {
        {"1", 1, ""},
        {"12.best.safetensors", 12, ".best.safetensors"},
        {"9223372036854775807,1", INT64_MAX, ",1"},
        {"9223372036854775808", 0, NULL},
        {"0", 0, NULL},
        {"01", 0, NULL},
        {"-1", 0, NULL},
        {".safetensors", 0, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        const char *text = runs[i].text;
        int64_t run = 0;
        bool good = digits_run(&text, &run);

        if (good != (runs[i].run != 0) || run != runs[i].run ||
            strcmp(text, good ? runs[i].rest : runs[i].text) != 0)
            fail_msg("\"%s\": %d, %lld, \"%s\"", runs[i].text, good, (long long)run, text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_is_its_digits_up_to_what_follows),
        cmocka_unit_test(a_whole_text_is_a_number_where_nothing_follows),
        cmocka_unit_test(a_run_is_above_0_and_fits_the_database),
    };

    return cmocka_run_group_tests_name("digits", tests, NULL, NULL);
}
