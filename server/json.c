#include "json.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_parser.h"
#include "utf8.h"

static cJSON *parse_value(struct json_parser *parser);

/* --- arrays and objects --------------------------------------------------------------------------------------- */

static bool deeper(struct json_parser *parser)
{
    char what[80];

    if (++parser->depth <= JSON_DEPTH_MAX)
        return true;
    snprintf(what, sizeof what, "arrays and objects are nested more than %d deep", JSON_DEPTH_MAX);
    json_fault(parser, parser->at, what);
    return false;
}

/* After an element: true to go on with the next one, false at the end (*ended) or a fault. */
static bool next_element(struct json_parser *parser, char close, bool *ended)
{
    json_skip_space(parser);
    if (json_peek(parser) == close) {
        parser->at++;
        *ended = true;
        return false;
    }
    if (json_peek(parser) != ',') {
        json_fault_expected(parser, close == ']' ? "',' or ']'" : "',' or '}'");
        return false;
    }
    parser->at++;
    json_skip_space(parser);
    return true;
}

static bool parse_elements(struct json_parser *parser, cJSON *array)
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

static cJSON *parse_array(struct json_parser *parser)
{
    cJSON *array;

    if (!deeper(parser))
        return NULL;
    array = cJSON_CreateArray();
    if (array == NULL)
        return json_out_of_memory(parser);
    parser->at++;
    json_skip_space(parser);
    if (json_peek(parser) == ']') {
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
    const struct json_name *a = left, *b = right;
    int order = strcmp(a->text, b->text);

    return order != 0 ? order : a->at < b->at ? -1 : 1;
}

/* Sorting keeps a hostile object of 100,000 names from costing the square of that. */
static bool names_differ(struct json_parser *parser, size_t first)
{
    struct json_name *names = parser->names + first, *twice = NULL;
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
    if (!ff_utf8_valid(what, strlen(what))) /* the name was cut inside a character */
        snprintf(what, sizeof what, "a name stands twice in an object");
    json_fault(parser, twice->at, what);
    return false;
}

static bool remember_name(struct json_parser *parser, const char *text, size_t at)
{
    if (parser->name_count == parser->name_capacity) {
        size_t capacity = parser->name_capacity == 0 ? 32 : parser->name_capacity * 2;
        struct json_name *names = realloc(parser->names, capacity * sizeof *names);

        if (names == NULL) {
            json_out_of_memory(parser);
            return false;
        }
        parser->names = names;
        parser->name_capacity = capacity;
    }
    parser->names[parser->name_count++] = (struct json_name){text, at};
    return true;
}

/* "name": value */
static bool parse_member(struct json_parser *parser, cJSON *object)
{
    size_t at = parser->at;
    char *name;
    cJSON *value;

    if (json_peek(parser) != '"') {
        json_fault_expected(parser, "a name in quotes");
        return false;
    }
    name = json_parse_text(parser);
    if (name == NULL)
        return false;
    json_skip_space(parser);
    if (json_peek(parser) != ':') {
        json_fault_expected(parser, "':' after the name");
        free(name);
        return false;
    }
    parser->at++;
    json_skip_space(parser);
    value = parse_value(parser);
    if (value != NULL && !cJSON_AddItemToObject(object, name, value)) {
        cJSON_Delete(value);
        value = json_out_of_memory(parser);
    }
    free(name);
    return value != NULL && remember_name(parser, value->string, at);
}

static bool parse_members(struct json_parser *parser, cJSON *object)
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

static cJSON *parse_object(struct json_parser *parser)
{
    cJSON *object;

    if (!deeper(parser))
        return NULL;
    object = cJSON_CreateObject();
    if (object == NULL)
        return json_out_of_memory(parser);
    parser->at++;
    json_skip_space(parser);
    if (json_peek(parser) == '}') {
        parser->at++;
    } else if (!parse_members(parser, object)) {
        cJSON_Delete(object);
        return NULL;
    }
    parser->depth--;
    return object;
}

static cJSON *parse_value(struct json_parser *parser)
{
    int c = json_peek(parser);

    if (c == '{')
        return parse_object(parser);
    if (c == '[')
        return parse_array(parser);
    if (c == '"')
        return json_parse_string(parser);
    if (c == '-' || (c >= '0' && c <= '9'))
        return json_parse_number(parser);
    return json_parse_word(parser);
}

cJSON *json_parse_strict(const char *text, size_t length, struct ff_error *error)
{
    struct json_parser parser = {.text = text, .length = length, .error = error};
    cJSON *value;

    if (length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
        json_fault(&parser, 0, "the text begins with a byte order mark; leave it out");
        return NULL;
    }
    json_skip_space(&parser);
    value = parse_value(&parser);
    if (value != NULL) {
        json_skip_space(&parser);
        if (parser.at != length) {
            json_fault_expected(&parser, "the end of the text");
            cJSON_Delete(value);
            value = NULL;
        }
    }
    free(parser.names);
    return value;
}

cJSON *json_parse_kept(const char *text, bool *starved)
{
    struct ff_error error = {.status = FF_OK};
    cJSON *json = json_parse_strict(text, strlen(text), &error);

    *starved = *starved || error.status == FF_NO_MEMORY;
    return json;
}
