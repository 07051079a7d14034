/* problems.h - what is wrong with what somebody wrote: all of it at once, each with the place and what to do.
 *
 * A place is a JSON pointer, RFC 6901's, with a prefix that the caller chooses ("/config" for POST /api/v1/runs).
 * One thread at a time may add to a list; all else is pure. */
#ifndef FF_PROBLEMS_H
#define FF_PROBLEMS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

#include "error.h"

enum { FF_PROBLEMS_MAX = 64 };

struct ff_problem {
    char pointer[160]; /* "/config/learning_rate" */
    char detail[320];  /* "must be greater than 0 and at most 10, got -1" */
};

struct ff_problems {
    size_t count; /* problems beyond FF_PROBLEMS_MAX are left out */
    struct ff_problem problem[FF_PROBLEMS_MAX];
    bool starved; /* memory was short, so that nothing is known of what was to be looked at */
};

/* Add one, printf's way; texts that are too long are cut. */
void ff_problem_add(struct ff_problems *problems, const char *pointer, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void ff_problem_add_list(struct ff_problems *problems, const char *pointer, const char *format, va_list arguments)
    __attribute__((format(printf, 3, 0)));

/* The name out of `names` (NULL at the end) that is nearest to a mistyped one, or NULL when none is near. */
const char *ff_nearest_name(const char *wrong, const char *const *names);

/* The same as the end of a sentence, into `text`, which is returned: "; did you mean \"NAME\"?", or "" when none is
 * near. */
enum { FF_HINT_TEXT = 96 };
const char *ff_did_you_mean(const char *wrong, const char *const *names, char text[FF_HINT_TEXT]);

/* What a JSON value is, in words for such messages: "a string", "true or false". */
const char *ff_json_kind(const cJSON *value);

#endif
