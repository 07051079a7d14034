/* arrival.h - a request has ten seconds to arrive whole, from its first byte, however slowly.
 *
 * libmicrohttpd only knows how long a connection was silent, so that a byte now and then keeps one open for ever. A
 * thread of its own looks at all connections four times within each second (or forty times within the deadline):
 * whichever began with a request too long ago is told 408, and closed. A connection that is kept open without a
 * request is not late; the library closes it when it has been silent for some time.
 *
 * arrival_whole and arrival_end are for the connection's own thread; the rest may be called by any. */
#ifndef ARRIVAL_H
#define ARRIVAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "error.h"

struct arrival_connection {
    int fd;
    /* Rises with each request that ends, times four; below: what the connection is doing. */
    atomic_uint_fast64_t phase;
    atomic_uint_fast64_t received; /* bytes of all requests until now, as the last one came */
    bool extra;                    /* one of more than are promised; constant */

    /* Of the thread that looks. */
    uint64_t seen; /* the phase that `began` is about */
    bool began;    /* the first byte of a request has come */
    double waited; /* seconds since, without those in which what had come was not yet read */
    struct arrival_connection *next, *previous;
};

struct arrival {
    double seconds; /* constant */
    atomic_uint_fast64_t late;

    pthread_mutex_t mutex; /* guards all below, and that no descriptor in the ring is closed */
    pthread_cond_t changed;
    struct arrival_connection ring; /* its head */
    size_t connections;
    double looked; /* when all were looked at last */
    bool closing;
    pthread_t thread;
    bool thread_runs;
};

/* Make it ready, and start its thread; arrival_destroy it also after a failure, when all connections have closed.
 * For tests the environment's GOODNESS_ARRIVAL_SECONDS takes the place of the ten seconds. */
ff_status arrival_create(struct arrival *arrival, struct ff_error *error);
void arrival_destroy(struct arrival *arrival);

/* A connection was opened; more than `promised` are extra. NULL when memory is short. */
struct arrival_connection *arrival_open(struct arrival *arrival, int fd, size_t promised);
/* It is about to be closed. NULL is fine. */
void arrival_close(struct arrival *arrival, struct arrival_connection *connection);
size_t arrival_connections(struct arrival *arrival);

/* The request has arrived, or is answered before; false: it was refused as too late, and must not be answered. True
 * again when it is called again. NULL: true. */
bool arrival_whole(struct arrival_connection *connection);
/* The request has ended. NULL is fine. */
void arrival_end(struct arrival_connection *connection);

#endif
