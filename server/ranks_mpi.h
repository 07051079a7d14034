/* ranks_mpi.h - parcels between ranks, carried by MPI: what its two halves share. ranks_mpi.c is what other threads
 * call; ranks_mpi_carrier.c is the carrier, the one thread that calls MPI. */
#ifndef RANKS_MPI_H
#define RANKS_MPI_H

#include <mpi.h>
#include <pthread.h>

#include "error.h"
#include "ranks.h"
#include "ranks_open.h"

/* Parcels on their way at once, at most, from here and to here. */
enum { RANKS_SENDS = 3, RANKS_RECEIVES = 3 };

/* A parcel and its way. */
struct letter {
    struct ff_parcel parcel; /* first: what others see of it */
    uint32_t to;
    MPI_Request request;
};

struct letters {
    struct ff_parcel *first, **end;
};

struct rank {
    bool heard, lost;
    uint64_t silent;  /* nanoseconds since it was heard of in which the carrier was at work */
    uint64_t last;    /* when it was heard of; at first, when the carrier began */
    MPI_Request word; /* ours to it, under way; MPI_REQUEST_NULL: none is */
};

struct mpi_ranks {
    struct ff_ranks ranks; /* first: what its methods get */
    pthread_t carrier;

    pthread_mutex_t mutex; /* guards what follows, until the carrier's own */
    pthread_cond_t changed, wake;
    bool open, closing;
    struct ff_error error;
    struct letters blanks, outbox, inbox, spare; /* to send; to be sent; received; to receive into */
    uint32_t blanks_made, spares_made;
    void (*told)(void *self, const struct ranks_loss *loss);
    void *told_self;

    /* Of the carrier alone. */
    struct letter *sending[RANKS_SENDS],
        *receiving[RANKS_RECEIVES]; /* the latter in the order in which they began */
    uint32_t sends, receives;
    struct rank *rank;     /* [count] */
    uint8_t *word, *heard; /* [count] who is lost, as rank 0 says */
    uint64_t looked, worked, worded, listened;
};

/* At the end; from the beginning, or NULL. */
void letters_put(struct letters *letters, struct ff_parcel *parcel);
struct ff_parcel *letters_pop(struct letters *letters);
/* An empty parcel of a queue that may have `most`; NULL: not now. */
struct ff_parcel *letters_take(struct letters *letters, uint32_t *made, uint32_t most);
struct ff_parcel *letters_make_one(void);                      /* NULL: memory is short */
bool letters_make_room(struct ff_parcel *parcel, size_t room); /* what it held is gone */

/* The carrier's thread, of a struct mpi_ranks: starts MPI, says so (`open`, `error`), carries until it is to close.
 */
void *ranks_mpi_carry(void *self);

#endif
