/* count_points.h - how many points of a run are committed, after a step; 0 when that cannot be read. Any thread. */
#ifndef COUNT_POINTS_H
#define COUNT_POINTS_H

#include "store.h"

static inline uint64_t count_points(struct store *store, int64_t run, uint64_t after_step)
{
    struct ff_error ignored;
    uint64_t count = 0;

    store_count_points_between(store, run, after_step, UINT64_MAX, &count, &ignored);
    return count;
}

#endif
