/* crew_internal.h - what crew, course and worker share: the parcels that rank 0 and the others exchange. */
#ifndef FF_CREW_INTERNAL_H
#define FF_CREW_INTERNAL_H

#include <sched.h>

#include "crew.h"
#include "packet.h"

/* Every parcel begins with what it is, and the run it belongs to (from 1; 0: none). */
enum ff_parcel_kind {
    FF_PARCEL_HELLO,   /* to rank 0: what I am */
    FF_PARCEL_END,     /* from rank 0: it is all over */
    FF_PARCEL_BEGIN,   /* from rank 0: a stage of a run */
    FF_PARCEL_READY,   /* to rank 0: it is there; my clock */
    FF_PARCEL_REFUSED, /* to rank 0: it cannot be, and why */
    FF_PARCEL_CLOCK,   /* from rank 0: what is the time? and the answer */
    FF_PARCEL_TIME,
    FF_PARCEL_PACKET, /* from the rank before: a message */
    FF_PARCEL_ABORT   /* from rank 0: forget the run */
};
struct ff_parcel_head {
    uint32_t kind, run;
};

enum { FF_HOST_MAX = 64, FF_TRAITS_TEXT = 2048 };

struct ff_hello {
    struct ff_parcel_head head;
    char host[FF_HOST_MAX];
    cpu_set_t processors;        /* that it may use */
    char traits[FF_TRAITS_TEXT]; /* "name\tvalue\n", in rank 0's order */
};

struct ff_begin {
    struct ff_parcel_head head;
    uint32_t first, count; /* layers */
    uint32_t threads;
    uint32_t to; /* the rank that gets its messages */
    struct ff_hop in, out;
    struct ff_plan plan;
};

struct ff_time {
    struct ff_parcel_head head;
    uint64_t clock; /* nanoseconds */
};

struct ff_refusal {
    struct ff_parcel_head head;
    struct ff_error error;
};

struct ff_crew {
    struct ff_ranks *ranks;
    uint32_t run; /* the newest */
    struct ff_member {
        bool lost;
        char host[FF_HOST_MAX];
        cpu_set_t processors;
    } member[]; /* [ranks->count] */
};

static inline struct ff_parcel_head ff_parcel_head(const struct ff_parcel *parcel)
{
    const struct ff_parcel_head *head = (const void *)parcel->bytes;

    return *head;
}

/* What this rank says of itself. */
void ff_hello_make(struct ff_hello *hello, const struct ff_trait *traits, size_t count);
/* Send `size` bytes, which begin with a head; false: memory is short. */
bool ff_crew_tell(struct ff_ranks *ranks, uint32_t to, const void *bytes, size_t size);
/* The rank is not there any more. Returns FF_LOST, and the sentence. */
ff_status ff_crew_lose(struct ff_crew *crew, uint32_t rank, struct ff_error *error);

#endif
