#include "json.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

/* A name of an object that is being read, for finding duplicates when the object ends. */
struct name {
    const char *text; /* in the tree */
    size_t at;        /* where in the source it stands */
};

struct parser {
    const char *text;
    size_t length, at;
    unsigned depth;
    struct ff_error *error;
    struct name *names; /* of all objects that are open, innermost last */
    size_t name_count, name_capacity;
};

static cJSON *parse_value(struct parser *parser);

/* --- saying what is wrong ------------------------------------------------------------------------------------- */

/* The sentence, with line and column of the byte at `at`. */
static void fault(struct parser *parser, size_t at, const char *what)
{
    size_t line = 1, column = 1;

    for (size_t i = 0; i < at;) {
        size_t size = utf8_sequence(parser->text + i, parser->length - i);

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
static void fault_expected(struct parser *parser, const char *expected)
{
    char found[24], what[160];
    const char *here = parser->text + parser->at;
    size_t size = utf8_sequence(here, parser->length - parser->at);
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
    fault(parser, parser->at, what);
}

static void *out_of_memory(struct parser *parser)
{
    ff_fail_memory(parser->error, "the JSON text");
    return NULL;
}

/* --- tokens --------------------------------------------------------------------------------------------------- */

static int peek(const struct parser *parser)
{
    return parser->at < parser->length ? (unsigned char)parser->text[parser->at] : -1;
}

static void skip_space(struct parser *parser)
{
    for (int c = peek(parser); c == ' ' || c == '\t' || c == '\n' || c == '\r'; c = peek(parser))
        parser->at++;
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

/* One or more digits. */
static bool skip_digits(struct parser *parser)
{
    if (!is_digit(peek(parser))) {
        fault_expected(parser, "a digit");
        return false;
    }
    while (is_digit(peek(parser)))
        parser->at++;
    return true;
}

/* The characters of a number, by the grammar. */
static bool skip_number(struct parser *parser)
{
    if (peek(parser) == '-')
        parser->at++;
    if (peek(parser) == '0') {
        parser->at++;
        if (is_digit(peek(parser))) {
            fault(parser, parser->at, "a number must not begin with a zero before other digits");
            return false;
        }
    } else if (!skip_digits(parser)) {
        return false;
    }
    if (peek(parser) == '.') {
        parser->at++;
        if (!skip_digits(parser))
            return false;
    }
    if (peek(parser) == 'e' || peek(parser) == 'E') {
        parser->at++;
        if (peek(parser) == '+' || peek(parser) == '-')
            parser->at++;
        return skip_digits(parser);
    }
    return true;
}

static cJSON *parse_number(struct parser *parser)
{
    size_t start = parser->at;
    char short_text[64], *text = short_text;
    size_t length;
    double value;
    cJSON *number;

    if (!skip_number(parser))
        return NULL;
    length = parser->at - start;
    if (length >= sizeof short_text && (text = malloc(length + 1)) == NULL)
        return out_of_memory(parser);
    memcpy(text, parser->text + start, length);
    text[length] = '\0';
    value = strtod(text, NULL); /* the program keeps the C locale */
    if (text != short_text)
        free(text);
    if (isinf(value)) {
        fault(parser, start, "the number is too large");
        return NULL;
    }
    number = cJSON_CreateNumber(value);
    return number != NULL ? number : out_of_memory(parser);
}

static cJSON *parse_word(struct parser *parser)
{
    static const char *const words[] = {"true", "false", "null"};

    for (size_t i = 0; i < 3; i++) {
        size_t length = strlen(words[i]);
        cJSON *value;

        if (parser->length - parser->at < length || memcmp(parser->text + parser->at, words[i], length) != 0)
            continue;
        parser->at += length;
        value = i == 2 ? cJSON_CreateNull() : cJSON_CreateBool(i == 0);
        return value != NULL ? value : out_of_memory(parser);
    }
    fault_expected(parser, "a value");
    return NULL;
}

/* --- strings -------------------------------------------------------------------------------------------------- */

/* Four hexadecimal digits; -1 and a fault where they are not. */
static int32_t parse_hex(struct parser *parser)
{
    int32_t value = 0;

    for (int i = 0; i < 4; i++, parser->at++) {
        int c = peek(parser);

        if (is_digit(c)) {
            value = value * 16 + (c - '0');
        } else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) {
            value = value * 16 + ((c | 0x20) - 'a' + 10);
        } else {
            fault_expected(parser, "four hexadecimal digits after \\u");
            return -1;
        }
    }
    return value;
}

/* \uXXXX, the parser standing after the u; a pair of surrogates is one character. 0 bytes: a fault. */
static size_t parse_unicode(struct parser *parser, char out[4])
{
    size_t start = parser->at - 2;
    int32_t code = parse_hex(parser), low;

    if (code < 0)
        return 0;
    if (code == 0) {
        fault(parser, start, "the character \\u0000 cannot be used here");
        return 0;
    }
    if (code < 0xD800 || code > 0xDFFF)
        return utf8_encode((uint32_t)code, out);
    if (code > 0xDBFF || parser->length - parser->at < 2 || memcmp(parser->text + parser->at, "\\u", 2) != 0) {
        fault(parser, start, "half of a surrogate pair stands alone");
        return 0;
    }
    parser->at += 2;
    low = parse_hex(parser);
    if (low < 0)
        return 0;
    if (low < 0xDC00 || low > 0xDFFF) {
        fault(parser, start, "half of a surrogate pair stands alone");
        return 0;
    }
    return utf8_encode(0x10000 + ((uint32_t)(code - 0xD800) << 10) + (uint32_t)(low - 0xDC00), out);
}

/* What follows a backslash; the number of bytes written, 0: a fault. */
static size_t parse_escape(struct parser *parser, char out[4])
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    int c = peek(parser);
    const char *found = c > 0 ? strchr(from, c) : NULL;

    if (c == 'u') {
        parser->at++;
        return parse_unicode(parser, out);
    }
    if (found == NULL) {
        fault_expected(parser, "one of \"\\/bfnrtu after the backslash");
        return 0;
    }
    parser->at++;
    out[0] = to[found - from];
    return 1;
}

/* The bytes of one character of a string into `out`; 0: a fault. */
static size_t parse_character(struct parser *parser, char out[4])
{
    int c = peek(parser);
    size_t size;

    if (c == '\\') {
        parser->at++;
        return parse_escape(parser, out);
    }
    if (c >= 0 && c < 0x20) {
        fault_expected(parser, "a character of the string (control characters must be escaped)");
        return 0;
    }
    size = utf8_sequence(parser->text + parser->at, parser->length - parser->at);
    if (c < 0)
        fault_expected(parser, "'\"' at the end of the string");
    else if (size == 0)
        fault_expected(parser, "UTF-8");
    memcpy(out, parser->text + parser->at, size);
    parser->at += size;
    return size;
}

/* Where the string's closing quote stands at the latest: an upper bound of its length. */
static size_t string_bound(const struct parser *parser)
{
    size_t at = parser->at;

    while (at < parser->length && parser->text[at] != '"')
        at += parser->text[at] == '\\' ? 2 : 1;
    return (at < parser->length ? at : parser->length) - parser->at;
}

/* The text between quotes, decoded; the caller frees it. No escape is shorter than what it stands for. */
static char *parse_text(struct parser *parser)
{
    char *text, *end;

    parser->at++;
    text = end = malloc(string_bound(parser) + 4);
    if (text == NULL)
        return out_of_memory(parser);
    while (peek(parser) != '"') {
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

static cJSON *parse_string(struct parser *parser)
{
    char *text = parse_text(parser);
    cJSON *string = text != NULL ? cJSON_CreateString(text) : NULL;

    if (text != NULL && string == NULL)
        out_of_memory(parser);
    free(text);
    return string;
}

/* --- arrays and objects --------------------------------------------------------------------------------------- */

static bool deeper(struct parser *parser)
{
    char what[80];

    if (++parser->depth <= JSON_DEPTH_MAX)
        return true;
    snprintf(what, sizeof what, "arrays and objects are nested more than %d deep", JSON_DEPTH_MAX);
    fault(parser, parser->at, what);
    return false;
}

/* After an element: true to go on with the next one, false at the end (*ended) or a fault. */
static bool next_element(struct parser *parser, char close, bool *ended)
{
    skip_space(parser);
    if (peek(parser) == close) {
        parser->at++;
        *ended = true;
        return false;
    }
    if (peek(parser) != ',') {
        fault_expected(parser, close == ']' ? "',' or ']'" : "',' or '}'");
        return false;
    }
    parser->at++;
    skip_space(parser);
    return true;
}

static bool parse_elements(struct parser *parser, cJSON *array)
{
    bool ended = false;

    do {
        cJSON *value = parse_value(parser);

        if (value == NULL)
            return false;
        cJSON_AddItemToArray(array, value);
    } while (next_element(parser, ']', &ended));
    return ended;
}

static cJSON *parse_array(struct parser *parser)
{
    cJSON *array;

    if (!deeper(parser))
        return NULL;
    array = cJSON_CreateArray();
    if (array == NULL)
        return out_of_memory(parser);
    parser->at++;
    skip_space(parser);
    if (peek(parser) == ']') {
        parser->at++;
    } else if (!parse_elements(parser, array)) {
        cJSON_Delete(array);
        return NULL;
    }
    parser->depth--;
    return array;
}

static int compare_names(const void *left, const void *right)
{
    const struct name *a = left, *b = right;
    int order = strcmp(a->text, b->text);

    return order != 0 ? order : a->at < b->at ? -1 : 1;
}

/* Sorting keeps a hostile object of 100,000 names from costing the square of that. */
static bool names_differ(struct parser *parser, size_t first)
{
    struct name *names = parser->names + first, *twice = NULL;
    size_t count = parser->name_count - first;
    char what[128];

    if (count > 1)
        qsort(names, count, sizeof *names, compare_names);
    for (size_t i = 1; i < count; i++)
        if (strcmp(names[i - 1].text, names[i].text) == 0 && (twice == NULL || names[i].at < twice->at))
            twice = &names[i];
    if (twice == NULL)
        return true;
    snprintf(what, sizeof what, "the name \"%.60s\" stands twice in an object", twice->text);
    if (!utf8_valid(what, strlen(what))) /* the name was cut inside a character */
        snprintf(what, sizeof what, "a name stands twice in an object");
    fault(parser, twice->at, what);
    return false;
}

static bool remember_name(struct parser *parser, const char *text, size_t at)
{
    if (parser->name_count == parser->name_capacity) {
        size_t capacity = parser->name_capacity == 0 ? 32 : parser->name_capacity * 2;
        struct name *names = realloc(parser->names, capacity * sizeof *names);

        if (names == NULL) {
            out_of_memory(parser);
            return false;
        }
        parser->names = names;
        parser->name_capacity = capacity;
    }
    parser->names[parser->name_count++] = (struct name){text, at};
    return true;
}

/* "name": value */
static bool parse_member(struct parser *parser, cJSON *object)
{
    size_t at = parser->at;
    char *name;
    cJSON *value;

    if (peek(parser) != '"') {
        fault_expected(parser, "a name in quotes");
        return false;
    }
    name = parse_text(parser);
    if (name == NULL)
        return false;
    skip_space(parser);
    if (peek(parser) != ':') {
        fault_expected(parser, "':' after the name");
        free(name);
        return false;
    }
    parser->at++;
    skip_space(parser);
    value = parse_value(parser);
    if (value != NULL && !cJSON_AddItemToObject(object, name, value)) {
        cJSON_Delete(value);
        value = out_of_memory(parser);
    }
    free(name);
    return value != NULL && remember_name(parser, value->string, at);
}

static bool parse_members(struct parser *parser, cJSON *object)
{
    size_t first = parser->name_count;
    bool ended = false;

    do {
        if (!parse_member(parser, object))
            return false;
    } while (next_element(parser, '}', &ended));
    if (!ended || !names_differ(parser, first))
        return false;
    parser->name_count = first;
    return true;
}

static cJSON *parse_object(struct parser *parser)
{
    cJSON *object;

    if (!deeper(parser))
        return NULL;
    object = cJSON_CreateObject();
    if (object == NULL)
        return out_of_memory(parser);
    parser->at++;
    skip_space(parser);
    if (peek(parser) == '}') {
        parser->at++;
    } else if (!parse_members(parser, object)) {
        cJSON_Delete(object);
        return NULL;
    }
    parser->depth--;
    return object;
}

static cJSON *parse_value(struct parser *parser)
{
    int c = peek(parser);

    if (c == '{')
        return parse_object(parser);
    if (c == '[')
        return parse_array(parser);
    if (c == '"')
        return parse_string(parser);
    if (c == '-' || is_digit(c))
        return parse_number(parser);
    return parse_word(parser);
}

cJSON *json_parse_strict(const char *text, size_t length, struct ff_error *error)
{
    struct parser parser = {.text = text, .length = length, .error = error};
    cJSON *value;

    if (length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
        fault(&parser, 0, "the text begins with a byte order mark; leave it out");
        return NULL;
    }
    skip_space(&parser);
    value = parse_value(&parser);
    if (value != NULL) {
        skip_space(&parser);
        if (parser.at != length) {
            fault_expected(&parser, "the end of the text");
            cJSON_Delete(value);
            value = NULL;
        }
    }
    free(parser.names);
    return value;
}
