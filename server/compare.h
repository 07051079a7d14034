/* compare.h - runs side by side: where their settings differ, what they reached and in what time, epoch by epoch.
 *
 * Gathered from the store, then written in one of three forms. One thread at a time. */
#ifndef COMPARE_H
#define COMPARE_H

#include "run.h"
#include "store.h"
#include "text.h"

enum { COMPARED_MAX = 32 };

struct comparison;

/* `runs`: [count], as they are now; copied. NULL and `error`: FF_NO_MEMORY, or the store's. */
struct comparison *comparison_create(struct store *store, const struct run *runs, size_t count,
                                     struct ff_error *error);
void comparison_destroy(struct comparison *comparison); /* NULL is fine */

/* {"runs": […], "settings": [{"name", "values": [a run each]}]}; NULL when memory is short. */
cJSON *comparison_to_json(const struct comparison *comparison);
/* A row a run; behind its results a column for each setting in which they differ. */
void comparison_write_csv(const struct comparison *comparison, struct text *text);
/* The original's table. */
void comparison_write_text(const struct comparison *comparison, struct text *text);

#endif
