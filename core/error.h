/* error.h - how a function of the library says what went wrong.
 *
 * A function that can fail returns an ff_status and, last, takes a struct ff_error * (never NULL) in which it
 * writes one sentence for a person: what went wrong, where, and what to do. On FF_OK the error is left untouched.
 */
#ifndef FF_ERROR_H
#define FF_ERROR_H

#include "machine.h"

enum ff_code {
    FF_OK = 0,
    FF_INVALID,   /* the caller asked for something that cannot be */
    FF_DAMAGED,   /* a file is not what it should be */
    FF_NOT_FOUND, /* there is no such thing */
    FF_CONFLICT,  /* not in this state */
    FF_BUSY,      /* full, or held by another; try again later */
    FF_NO_MEMORY,
    FF_IO,       /* the system refused: disk, permission, socket */
    FF_DIVERGED, /* a figure is not finite: training cannot go on */
    FF_LOST      /* another rank is gone, and with it its layers as they were */
};
typedef int ff_status;

struct ff_error {
    ff_status status;
    char message[512]; /* UTF-8, one line, no full stop needed, cut where too long */
};

/* Write the sentence (printf's way) into `error` and return `status`, so that a caller can `return ff_fail(…)`. */
ff_status ff_fail(struct ff_error *error, ff_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The sentence for memory that could not be had; returns FF_NO_MEMORY. `what` names what it was for. */
ff_status ff_fail_memory(struct ff_error *error, const char *what);

#endif
