/* thread_ranks.h - ranks that are threads of one process, with queues between them: what MPI carries elsewhere, for
 * tests of everything above it. Like MPI with synchronous sends it has few parcels, and a rank that is lost is told
 * to the others. */
#ifndef TESTS_THREAD_RANKS_H
#define TESTS_THREAD_RANKS_H

#include "crew.h"

enum { THREAD_RANKS_MAX = 8 };

struct thread_ranks;

/* Rank 0 is the caller's; `count - 1` threads serve, and say that they are `traits` ([count], by rank). */
struct thread_ranks *thread_ranks_start(uint32_t count, const struct ff_trait *traits);
struct ff_ranks *thread_ranks_first(struct thread_ranks *world);

/* The rank is lost, with all that it has not sent yet, once it has sent so many parcels. */
void thread_ranks_lose(struct thread_ranks *world, uint32_t rank, uint64_t after);

/* When all have ended: frees them. What a rank's serving came to. */
ff_status thread_ranks_end(struct thread_ranks *world, uint32_t rank);
void thread_ranks_destroy(struct thread_ranks *world);

#endif
