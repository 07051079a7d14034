/* series.h - the points of a run, merged until there are at most so many, as columns of JSON or rows of CSV.
 *
 * Consecutive points fall into buckets of equal count. A bucket's means are weighted by the steps that each point
 * covers; its low is the lowest, its high the highest; step, epoch and elapsed are its last point's. A figure that
 * is not finite is left out of its bucket; where nothing is left it is null. One thread at a time. */
#ifndef SERIES_H
#define SERIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "observer.h"
#include "text.h"

struct series;

/* A series for `expected` points (more are not taken), after step `after`, of at most `most` (at least 1) rows.
 * `layers`: how many a point has. NULL when memory is short. */
struct series *series_create(size_t expected, size_t most, uint64_t after, uint32_t layers);
void series_destroy(struct series *series); /* NULL is fine */

/* Add the next point, in order of step. Returns false when `expected` points have come: this one is not taken. */
bool series_add(struct series *series, const struct ff_point *point);

size_t series_rows(const struct series *series);
uint64_t series_next(const struct series *series); /* step of the last point taken; `after` before the first */
bool series_is_downsampled(const struct series *series);

/* Which layers are written: `chosen[layer]`, or NULL for all. */
void series_write_json(const struct series *series, const bool *chosen, struct text *text);
void series_write_csv(const struct series *series, const bool *chosen, struct text *text);

#endif
