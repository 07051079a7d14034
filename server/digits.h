/* digits.h - whole numbers as requests and the names of files write them: digits alone, without sign or space.
 *
 * Any thread may call. */
#ifndef DIGITS_H
#define DIGITS_H

#include <stdbool.h>
#include <stdint.h>

/* The number that *text begins with; *text is what follows it then. false, and nothing set: it begins with no
 * digit, or with a number beyond 64 bits. */
bool digits_first(const char **text, uint64_t *number);

/* The number that all of `text` is; false, and nothing set: it is none. */
bool digits_whole(const char *text, uint64_t *number);

/* As digits_first, of a run: above 0, with no zero in front, no more than a run's number can be. */
bool digits_run(const char **text, int64_t *run);

#endif
