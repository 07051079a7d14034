/* safetensors_scan.h - the tokens of a header's JSON, one after the other. Only for safetensors_header.c.
 *
 * Every function skips white space first. False: `error` holds a sentence that names the file and the place. */
#ifndef FF_SAFETENSORS_SCAN_H
#define FF_SAFETENSORS_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct ff_scan {
    char *text; /* texts are decoded in place: what has been read is not JSON any more */
    size_t length, at;
    const char *path; /* for the sentence */
    struct ff_error *error;
};

/* Whether `c` is next; it is taken if so. */
bool ff_scan_take(struct ff_scan *scan, char c);
bool ff_scan_expect(struct ff_scan *scan, char c);

/* After an element: a comma (*more) or the closing character. */
bool ff_scan_next(struct ff_scan *scan, char closing, bool *more);

/* A text in quotes, decoded. It holds no NUL. */
bool ff_scan_text(struct ff_scan *scan, char **text);

/* A whole number from 0 to 2^64 - 1. */
bool ff_scan_number(struct ff_scan *scan, uint64_t *number);

/* Only white space may follow. */
bool ff_scan_end(struct ff_scan *scan);

/* Write the sentence; returns false. */
bool ff_scan_fault(struct ff_scan *scan, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
