#include "text.h"

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

void text_open(struct text *text)
{
    text->bytes = NULL;
    text->length = 0;
    text->stream = open_memstream(&text->bytes, &text->length);
}

char *text_close(struct text *text, size_t *length)
{
    int failed;

    if (text->stream == NULL)
        return NULL;
    failed = ferror(text->stream);
    failed |= fclose(text->stream);
    text->stream = NULL;
    if (failed) {
        free(text->bytes);
        return NULL;
    }
    *length = text->length;
    return text->bytes;
}

/* A short text may lie so close to the middle of two floats that a double of it is that middle. */
static bool reads_back(const char *digits, float value)
{
    return strtof(digits, NULL) == value && (float)strtod(digits, NULL) == value;
}

void text_of_figure(float value, char digits[TEXT_FIGURE_MAX])
{
    for (int precision = 6; precision <= 9; precision++) {
        snprintf(digits, TEXT_FIGURE_MAX, "%.*g", precision, (double)value);
        if (reads_back(digits, value))
            return;
    }
}

void text_figure(struct text *text, float value, const char *missing)
{
    char digits[TEXT_FIGURE_MAX];

    if (isfinite(value))
        text_of_figure(value, digits);
    text_print(text, "%s", isfinite(value) ? digits : missing);
}

void text_of_number(double value, char digits[TEXT_FIGURE_MAX])
{
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(digits, TEXT_FIGURE_MAX, "%.*g", precision, value);
        if (strtod(digits, NULL) == value)
            return;
    }
}

void text_number(struct text *text, double value, const char *missing)
{
    char digits[TEXT_FIGURE_MAX];

    if (isfinite(value))
        text_of_number(value, digits);
    text_print(text, "%s", isfinite(value) ? digits : missing);
}

void text_mend_cut(char *text)
{
    size_t length = strlen(text);

    for (size_t cut = 0; cut < 4 && cut <= length; cut++)
        if (ff_utf8_valid(text, length - cut)) {
            text[length - cut] = '\0';
            return;
        }
}

const char *text_plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

void text_print(struct text *text, const char *format, ...)
{
    va_list arguments;

    if (text->stream == NULL)
        return;
    va_start(arguments, format);
    vfprintf(text->stream, format, arguments);
    va_end(arguments);
}
