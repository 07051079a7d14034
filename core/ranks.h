/* ranks.h - the processes that work together, as each of them sees the others: parcels of bytes, from one to
 * another, in order.
 *
 * Rank 0 leads. What carries the parcels is a table of functions: MPI (ranks_mpi.h), or in tests queues between
 * threads. Parcels belong to the carrier, of which there are few: who sends waits for one that is free, so that
 * nothing piles up. Any thread may call, but one at a time receives.
 *
 * A rank that has died, or is silent for long, is lost: who receives is told once, what is sent to it vanishes. */
#ifndef FF_RANKS_H
#define FF_RANKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ff_parcel {
    uint8_t *bytes; /* [size], room for [room] */
    size_t size, room;
    uint32_t from;          /* of a received one: who sent it */
    bool lost;              /* it holds nothing: `from` is lost */
    struct ff_parcel *next; /* for whoever has it */
};

struct ff_ranks;

struct ff_ranks_methods {
    /* An empty parcel with room for so many bytes; waits. NULL: memory is short. */
    struct ff_parcel *(*blank)(struct ff_ranks *ranks, size_t room);
    /* Send it off; returns at once. */
    void (*send)(struct ff_ranks *ranks, struct ff_parcel *parcel, uint32_t to);
    /* The next parcel; waits. */
    struct ff_parcel *(*receive)(struct ff_ranks *ranks);
    /* A parcel that was received, or not sent, goes back. */
    void (*release)(struct ff_ranks *ranks, struct ff_parcel *parcel);
};

struct ff_ranks {
    const struct ff_ranks_methods *methods;
    uint32_t count, mine;
};

#endif
