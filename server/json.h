/* json.h - JSON by the letter of RFC 8259, into cJSON's tree.
 *
 * cJSON's own parser lets pass what it should not (duplicate names, bad UTF-8, "[01]", trailing text, infinities),
 * so a text is read here, strictly, and only the tree is cJSON's. Pure functions; any thread may call.
 *
 * Limits beyond the grammar, as section 9 of the RFC allows: nesting to JSON_DEPTH_MAX; no number beyond a double's
 * range, and no whole number that a double would round; no lone surrogate and no \u0000 in strings, which a C
 * string cannot hold; no name twice in an object. */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

#include "error.h"

enum { JSON_DEPTH_MAX = 64 };

/* The value that `text` holds; the caller deletes it. NULL and `error` set: FF_INVALID with the line and the column
 * (characters, both from 1) of the first fault, or FF_NO_MEMORY. */
cJSON *json_parse_strict(const char *text, size_t length, struct ff_error *error);

/* The same for a text that this program wrote. NULL alone: it is damaged, and whoever reads does without; NULL and
 * *starved: memory is short, so that nobody knows what it says. */
cJSON *json_parse_kept(const char *text, bool *starved);

#endif
