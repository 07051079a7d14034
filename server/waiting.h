/* waiting.h - connections that are suspended until something happens, and the requests that are under way.
 *
 * A connection with nothing to do is suspended; waiting_wake and a timer resume it. Between a look that found
 * nothing and the suspension a wake may come: wakes are counted, so that whoever's look is older than the newest
 * wake looks again instead. Once it closes nobody is suspended any more, which libmicrohttpd demands before it
 * stops. Any thread may call. */
#ifndef WAITING_H
#define WAITING_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <microhttpd.h>

#include "error.h"

/* A connection that may be suspended: by a request that is to be asked again, or by a stream with nothing to send.
 */
struct waiter {
    struct MHD_Connection *connection;
    double deadline; /* resumed then at the latest, by timing_seconds; 0: none */
    bool waiting;    /* suspended, and in the ring of those who wait */
    bool rung;       /* woken alone since its last look */
    bool suspended;  /* was so at some time; of the connection's own thread */
    struct waiter *next, *previous;
};

/* Wakes one waiter, at once, and may outlive it: whoever has something for a request, which may be gone by then,
 * holds a reference to its bell. */
struct bell {
    pthread_mutex_t mutex; /* guards all below; taken before the mutex of `waiting` */
    unsigned references;
    struct waiting *waiting; /* NULL: the waiter is gone */
    struct waiter *waiter;
};

/* Every request passes here, most without waiting: they only look at the first three, for which no lock is taken.
 */
struct waiting {
    atomic_uint_fast64_t wakes; /* changed with the mutex */
    atomic_bool closing;        /* changed with the mutex */
    atomic_uint requests;       /* under way */

    pthread_mutex_t mutex;  /* guards all below */
    pthread_cond_t changed; /* a deadline came nearer, it closes, or has closed to the last request */
    struct waiter ring;     /* its head */
    pthread_t timer;
    bool timer_runs;
};

/* Make it ready, and start its timer. waiting_destroy it also after a failure. */
ff_status waiting_create(struct waiting *waiting, struct ff_error *error);
void waiting_destroy(struct waiting *waiting);

/* How many wakes there were; to be asked before looking whether there is something to do. */
uint64_t waiting_wakes(struct waiting *waiting);

/* Suspend the waiter's connection, unless something was woken since `wakes`, or its bell rang: then false, and it
 * is to look again. To be called on the connection's own thread. */
bool waiting_suspend(struct waiting *waiting, struct waiter *waiter, uint64_t wakes);

/* The waiter is about to go. */
void waiting_forget(struct waiting *waiting, struct waiter *waiter);

/* Resume all. Returns how many there were. */
size_t waiting_wake(struct waiting *waiting);

/* A bell with one reference. NULL when memory is short. */
struct bell *bell_create(struct waiting *waiting, struct waiter *waiter);
struct bell *bell_hold(struct bell *bell); /* one reference more */
void bell_release(struct bell *bell);      /* one less; the last one frees it. NULL is fine */
/* The waiter looks again now; if it has not been suspended yet, before it is. Nothing when it is gone. */
void bell_ring(struct bell *bell);
/* The waiter is about to go; before waiting_forget. NULL is fine. */
void bell_silence(struct bell *bell);

/* A request has begun; has ended. */
void waiting_enter(struct waiting *waiting);
void waiting_leave(struct waiting *waiting);

/* Let nobody wait any more, and give the requests under way so many seconds to end. */
void waiting_close(struct waiting *waiting, double seconds);
bool waiting_is_closing(struct waiting *waiting);

#endif
