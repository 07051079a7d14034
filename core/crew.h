/* crew.h - rank 0 and those that work for it, run after run.
 *
 * At the start every rank says what it is: ranks that would not compute the same bits are refused, in words. Then
 * rank 0 has a crew, on which it lays out one line after the other (course.h), and all others serve: they wait for
 * a stage, work on it until it ends, and wait again. A rank that is lost leaves the crew; the others stay in it. */
#ifndef FF_CREW_H
#define FF_CREW_H

#include "error.h"
#include "ranks.h"

struct ff_crew;

/* What has to be the same on all ranks. The advice says what to do where it is not. */
struct ff_trait {
    const char *name; /* "BLAS kernel" */
    char value[160];
    const char *advice;
};
enum { FF_TRAITS_MAX = 8 };

/* On rank 0: wait for all others. NULL and `error`: FF_INVALID, one differs; FF_LOST, one is gone; FF_NO_MEMORY.
 * They have been told to end then. The ranks must outlive the crew. */
struct ff_crew *ff_crew_meet(struct ff_ranks *ranks, const struct ff_trait *traits, size_t count,
                             struct ff_error *error);

/* Ranks that are there, rank 0 included; the threads that each of them has for its stage, shared fairly where some
 * are on one machine. */
uint32_t ff_crew_ranks(const struct ff_crew *crew);
uint32_t ff_crew_threads(const struct ff_crew *crew);

/* Let all others end. NULL is fine. */
void ff_crew_destroy(struct ff_crew *crew);

/* On every other rank: serve until rank 0 says that it is over. FF_LOST: rank 0 is gone. */
ff_status ff_crew_serve(struct ff_ranks *ranks, const struct ff_trait *traits, size_t count,
                        struct ff_error *error);

#endif
