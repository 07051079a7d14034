/* json_parser.h - what the two files of the parser share: json.c has arrays, objects and the whole; json_tokens.c
 * what they are made of. */
#ifndef JSON_PARSER_H
#define JSON_PARSER_H

#include <stdbool.h>
#include <stddef.h>

#include "json.h"

/* A name of an object that is being read, for finding duplicates when the object ends. */
struct json_name {
    const char *text; /* in the tree */
    size_t at;        /* where in the source it stands */
};

struct json_parser {
    const char *text;
    size_t length, at;
    unsigned depth;
    struct ff_error *error;
    struct json_name *names; /* of all objects that are open, innermost last */
    size_t name_count, name_capacity;
};

/* The sentence for what is wrong at the byte `at`, with line and column; for what stands where the parser is. */
void json_fault(struct json_parser *parser, size_t at, const char *what);
void json_fault_expected(struct json_parser *parser, const char *expected);
void *json_out_of_memory(struct json_parser *parser); /* NULL, always */

int json_peek(const struct json_parser *parser); /* the byte where the parser stands; -1 at the end */
void json_skip_space(struct json_parser *parser);

/* What begins where the parser stands, which moves behind it; NULL and a fault. The text (of a string, or a name)
 * is the caller's to free. */
cJSON *json_parse_number(struct json_parser *parser);
cJSON *json_parse_word(struct json_parser *parser);
cJSON *json_parse_string(struct json_parser *parser);
char *json_parse_text(struct json_parser *parser);

#endif
