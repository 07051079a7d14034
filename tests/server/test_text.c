/* Figures as text: whoever reads them, as a float or as a double, gets the same bits back. */
#include "../cmocka_all.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "run.h"
#include "text.h"

static uint32_t bits_of(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits)
{
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

/* SplitMix64. */
static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static char *figure(float value)
{
    struct text text;
    size_t length;

    text_open(&text);
    text_figure(&text, value, "null");
    return text_close(&text, &length);
}

static char *number(double value)
{
    struct text text;
    size_t length;

    text_open(&text);
    text_number(&text, value, "null");
    return text_close(&text, &length);
}

/* The text is JSON, and reads back; the tree's way of writing it gives the same text. */
static void check_figure(float value)
{
    struct ff_error error;
    char *text = figure(value);
    cJSON *read = json_parse_strict(text, strlen(text), &error), *item = run_figure((double)value);

    if (!isfinite(value)) {
        assert_string_equal(text, "null");
        assert_true(cJSON_IsNull(item));
    } else if (read == NULL || bits_of((float)read->valuedouble) != bits_of(value) ||
               bits_of(strtof(text, NULL)) != bits_of(value) || strcmp(text, item->valuestring) != 0) {
        fail_msg("%a is written as %s", (double)value, text);
    }
    cJSON_Delete(read);
    cJSON_Delete(item);
    free(text);
}

static void float32_of_every_exponent_reads_back_to_the_same_bits(void **state)
{
    uint64_t random = 20240;

    (void)state;
    for (uint32_t top = 0; top < 512; top++) { /* sign and exponent */
        static const uint32_t edges[] = {0, 1, 2, 0x3FFFFF, 0x400000, 0x400001, 0x7FFFFE, 0x7FFFFF};

        for (size_t i = 0; i < sizeof edges / sizeof *edges; i++)
            check_figure(float_of(top << 23 | edges[i]));
        for (int i = 0; i < 100; i++)
            check_figure(float_of(top << 23 | (uint32_t)(next(&random) & 0x7FFFFF)));
    }
}

/* The nearest floats of short decimals, and their neighbours: a text of a few digits lies close to them. */
static void floats_beside_short_decimals_read_back_to_the_same_bits(void **state)
{
    (void)state;
    for (int exponent = -45; exponent <= 38; exponent++) {
        for (int digits = 1; digits < 1000; digits += 7) {
            char decimal[32];

            snprintf(decimal, sizeof decimal, "%de%d", digits, exponent - 2);
            float value = strtof(decimal, NULL);
            check_figure(value);
            check_figure(nextafterf(value, INFINITY));
            check_figure(nextafterf(value, 0));
        }
    }
}

static void doubles_of_every_exponent_read_back_to_the_same_bits(void **state)
{
    uint64_t random = 20241;

    (void)state;
    for (uint64_t top = 0; top < 4096; top++) {
        for (int i = 0; i < 8; i++) {
            uint64_t bits = top << 52 | (i == 0 ? 0 : i == 1 ? 0xFFFFFFFFFFFFFu : next(&random) >> 12), again;
            double value, read;
            char *text;

            memcpy(&value, &bits, sizeof value);
            text = number(value);
            read = strtod(text, NULL);
            memcpy(&again, &read, sizeof again);
            if (!isfinite(value))
                assert_string_equal(text, "null");
            else if (again != bits)
                fail_msg("%a is written as %s", value, text);
            free(text);
        }
    }
}

static void figures_are_as_short_as_they_can_be(void **state)
{
    static const struct {
        float value;
        const char *text;
    } figures[] = {{0, "0"},
                   {1, "1"},
                   {0.1f, "0.1"},
                   {0.5f, "0.5"},
                   {1e20f, "1e+20"},
                   {100000, "100000"},
                   {16777216, "16777216"},
                   {0.33333334f, "0.33333334"},
                   {-2.5f, "-2.5"},
                   {1e-45f, "1.4013e-45"}};

    (void)state;
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++) {
        char *text = figure(figures[i].value);

        assert_string_equal(text, figures[i].text);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(float32_of_every_exponent_reads_back_to_the_same_bits),
        cmocka_unit_test(floats_beside_short_decimals_read_back_to_the_same_bits),
        cmocka_unit_test(doubles_of_every_exponent_read_back_to_the_same_bits),
        cmocka_unit_test(figures_are_as_short_as_they_can_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
