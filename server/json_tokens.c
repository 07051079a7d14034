/* json_tokens.c - what JSON text is made of: numbers, words, strings; and the sentence where one is wrong. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_parser.h"
#include "utf8.h"

enum { EXACT_MAX = 320 }; /* of the largest double's 309 digits */

/* --- saying what is wrong ------------------------------------------------------------------------------------- */

/* The sentence, with line and column of the byte at `at`. */
void json_fault(struct json_parser *parser, size_t at, const char *what)
{
    size_t line = 1, column = 1;

    for (size_t i = 0; i < at;) {
        size_t size = ff_utf8_sequence(parser->text + i, parser->length - i);

        if (parser->text[i] == '\n') {
            line++;
            column = 1;
        } else {
            column++;
        }
        i += size == 0 ? 1 : size;
    }
    ff_fail(parser->error, FF_INVALID, "line %zu, column %zu: %s", line, column, what);
}

/* "expected …, found …" at the place where the parser stands. */
void json_fault_expected(struct json_parser *parser, const char *expected)
{
    char found[24], what[160];
    const char *here = parser->text + parser->at;
    size_t size = ff_utf8_sequence(here, parser->length - parser->at);
    unsigned char first = parser->at < parser->length ? (unsigned char)*here : 0;

    if (parser->at == parser->length)
        snprintf(found, sizeof found, "the end");
    else if (size == 0)
        snprintf(found, sizeof found, "the byte 0x%02X", first);
    else if (first < 0x20 || first == 0x7F)
        snprintf(found, sizeof found, "the character U+%04X", first);
    else
        snprintf(found, sizeof found, "'%.*s'", (int)size, here);
    snprintf(what, sizeof what, "expected %s, found %s", expected, found);
    json_fault(parser, parser->at, what);
}

void *json_out_of_memory(struct json_parser *parser)
{
    ff_fail_memory(parser->error, "the JSON text");
    return NULL;
}

/* --- tokens --------------------------------------------------------------------------------------------------- */

int json_peek(const struct json_parser *parser)
{
    return parser->at < parser->length ? (unsigned char)parser->text[parser->at] : -1;
}

void json_skip_space(struct json_parser *parser)
{
    for (int c = json_peek(parser); c == ' ' || c == '\t' || c == '\n' || c == '\r'; c = json_peek(parser))
        parser->at++;
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

/* One or more digits. */
static bool skip_digits(struct json_parser *parser)
{
    if (!is_digit(json_peek(parser))) {
        json_fault_expected(parser, "a digit");
        return false;
    }
    while (is_digit(json_peek(parser)))
        parser->at++;
    return true;
}

/* The characters of a number, by the grammar. */
static bool skip_number(struct json_parser *parser)
{
    if (json_peek(parser) == '-')
        parser->at++;
    if (json_peek(parser) == '0') {
        parser->at++;
        if (is_digit(json_peek(parser))) {
            json_fault(parser, parser->at, "a number must not begin with a zero before other digits");
            return false;
        }
    } else if (!skip_digits(parser)) {
        return false;
    }
    if (json_peek(parser) == '.') {
        parser->at++;
        if (!skip_digits(parser))
            return false;
    }
    if (json_peek(parser) == 'e' || json_peek(parser) == 'E') {
        parser->at++;
        if (json_peek(parser) == '+' || json_peek(parser) == '-')
            parser->at++;
        return skip_digits(parser);
    }
    return true;
}

/* Whether a number's text is a whole number that a double, and so JSON's reader, would change. */
static bool is_rounded(const char *text, double value, char exact[EXACT_MAX])
{
    snprintf(exact, EXACT_MAX, "%.0f", value);
    return fabs(value) >= 9007199254740992.0 && text[strspn(text, "-0123456789")] == '\0' &&
           strcmp(text, exact) != 0;
}

static void fault_rounded(struct json_parser *parser, size_t at, const char *text, const char *exact)
{
    char what[200];

    snprintf(what, sizeof what, "the whole number %.40s%s would be rounded to %.40s%s: they are exact up to 2^53",
             text, strlen(text) > 40 ? "…" : "", exact, strlen(exact) > 40 ? "…" : "");
    json_fault(parser, at, what);
}

cJSON *json_parse_number(struct json_parser *parser)
{
    size_t start = parser->at;
    char short_text[64], exact[EXACT_MAX], *text = short_text;
    size_t length;
    double value;
    bool rounded;
    cJSON *number;

    if (!skip_number(parser))
        return NULL;
    length = parser->at - start;
    if (length >= sizeof short_text && (text = malloc(length + 1)) == NULL)
        return json_out_of_memory(parser);
    memcpy(text, parser->text + start, length);
    text[length] = '\0';
    value = strtod(text, NULL); /* the program keeps the C locale */
    rounded = !isinf(value) && is_rounded(text, value, exact);
    if (isinf(value))
        json_fault(parser, start, "the number is too large");
    else if (rounded)
        fault_rounded(parser, start, text, exact);
    if (text != short_text)
        free(text);
    if (isinf(value) || rounded)
        return NULL;
    number = cJSON_CreateNumber(value);
    return number != NULL ? number : json_out_of_memory(parser);
}

cJSON *json_parse_word(struct json_parser *parser)
{
    static const char *const words[] = {"true", "false", "null"};

    for (size_t i = 0; i < 3; i++) {
        size_t length = strlen(words[i]);
        cJSON *value;

        if (parser->length - parser->at < length || memcmp(parser->text + parser->at, words[i], length) != 0)
            continue;
        parser->at += length;
        value = i == 2 ? cJSON_CreateNull() : cJSON_CreateBool(i == 0);
        return value != NULL ? value : json_out_of_memory(parser);
    }
    json_fault_expected(parser, "a value");
    return NULL;
}

/* --- strings -------------------------------------------------------------------------------------------------- */

/* Four hexadecimal digits; -1 and a fault where they are not. */
static int32_t parse_hex(struct json_parser *parser)
{
    int32_t value = 0;

    for (int i = 0; i < 4; i++, parser->at++) {
        int c = json_peek(parser);

        if (is_digit(c)) {
            value = value * 16 + (c - '0');
        } else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) {
            value = value * 16 + ((c | 0x20) - 'a' + 10);
        } else {
            json_fault_expected(parser, "four hexadecimal digits after \\u");
            return -1;
        }
    }
    return value;
}

/* \uXXXX, the parser standing after the u; a pair of surrogates is one character. 0 bytes: a fault. */
static size_t parse_unicode(struct json_parser *parser, char out[4])
{
    size_t start = parser->at - 2;
    int32_t code = parse_hex(parser), low;

    if (code < 0)
        return 0;
    if (code == 0) {
        json_fault(parser, start, "a string must not have the character \\u0000");
        return 0;
    }
    if (code < 0xD800 || code > 0xDFFF)
        return ff_utf8_encode((uint32_t)code, out);
    if (code > 0xDBFF || parser->length - parser->at < 2 || memcmp(parser->text + parser->at, "\\u", 2) != 0) {
        json_fault(parser, start, "half of a surrogate pair stands alone");
        return 0;
    }
    parser->at += 2;
    low = parse_hex(parser);
    if (low < 0)
        return 0;
    if (low < 0xDC00 || low > 0xDFFF) {
        json_fault(parser, start, "half of a surrogate pair stands alone");
        return 0;
    }
    return ff_utf8_encode(0x10000 + ((uint32_t)(code - 0xD800) << 10) + (uint32_t)(low - 0xDC00), out);
}

/* What follows a backslash; the number of bytes written, 0: a fault. */
static size_t parse_escape(struct json_parser *parser, char out[4])
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    int c = json_peek(parser);
    const char *found = c > 0 ? strchr(from, c) : NULL;

    if (c == 'u') {
        parser->at++;
        return parse_unicode(parser, out);
    }
    if (found == NULL) {
        json_fault_expected(parser, "one of \"\\/bfnrtu after the backslash");
        return 0;
    }
    parser->at++;
    out[0] = to[found - from];
    return 1;
}

/* The bytes of one character of a string into `out`; 0: a fault. */
static size_t parse_character(struct json_parser *parser, char out[4])
{
    int c = json_peek(parser);
    size_t size;

    if (c == '\\') {
        parser->at++;
        return parse_escape(parser, out);
    }
    if (c >= 0 && c < 0x20) {
        json_fault_expected(parser, "a character of the string (control characters must be escaped)");
        return 0;
    }
    size = ff_utf8_sequence(parser->text + parser->at, parser->length - parser->at);
    if (c < 0)
        json_fault_expected(parser, "'\"' at the end of the string");
    else if (size == 0)
        json_fault_expected(parser, "UTF-8");
    memcpy(out, parser->text + parser->at, size);
    parser->at += size;
    return size;
}

/* Where the string's closing quote stands at the latest: an upper bound of its length. */
static size_t string_bound(const struct json_parser *parser)
{
    size_t at = parser->at;

    while (at < parser->length && parser->text[at] != '"')
        at += parser->text[at] == '\\' ? 2 : 1;
    return (at < parser->length ? at : parser->length) - parser->at;
}

/* The text between quotes, decoded; the caller frees it. No escape is shorter than what it stands for. */
char *json_parse_text(struct json_parser *parser)
{
    char *text, *end;

    parser->at++;
    text = end = malloc(string_bound(parser) + 4);
    if (text == NULL)
        return json_out_of_memory(parser);
    while (json_peek(parser) != '"') {
        char character[4];
        size_t size = parse_character(parser, character);

        if (size == 0) {
            free(text);
            return NULL;
        }
        memcpy(end, character, size);
        end += size;
    }
    parser->at++;
    *end = '\0';
    return text;
}

cJSON *json_parse_string(struct json_parser *parser)
{
    char *text = json_parse_text(parser);
    cJSON *string = text != NULL ? cJSON_CreateString(text) : NULL;

    if (text != NULL && string == NULL)
        json_out_of_memory(parser);
    free(text);
    return string;
}
