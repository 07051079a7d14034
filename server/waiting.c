#include "waiting.h"

#include <stdlib.h>
#include <string.h>

#include "thread.h"
#include "timing.h"

/* --- with the mutex held -------------------------------------------------------------------------------------- */

static void link_waiter(struct waiting *waiting, struct waiter *waiter)
{
    waiter->waiting = true;
    waiter->previous = &waiting->ring;
    waiter->next = waiting->ring.next;
    waiter->next->previous = waiter;
    waiting->ring.next = waiter;
}

static void unlink_waiter(struct waiter *waiter)
{
    waiter->previous->next = waiter->next;
    waiter->next->previous = waiter->previous;
    waiter->waiting = false;
}

/* Resume all, or those whose deadline has come. Returns how many. */
static size_t resume(struct waiting *waiting, bool all, double now)
{
    struct waiter *waiter = waiting->ring.next;
    size_t count = 0;

    while (waiter != &waiting->ring) {
        struct waiter *next = waiter->next;

        if (all || (waiter->deadline > 0 && waiter->deadline <= now)) {
            unlink_waiter(waiter);
            MHD_resume_connection(waiter->connection);
            count++;
        }
        waiter = next;
    }
    return count;
}

/* Wait until `deadline` (0: without end), or until something changed. */
static void wait_for_change(struct waiting *waiting, double deadline)
{
    struct timespec until = timing_until((int64_t)(deadline * 1000) + 1);

    if (deadline > 0)
        pthread_cond_timedwait(&waiting->changed, &waiting->mutex, &until);
    else
        pthread_cond_wait(&waiting->changed, &waiting->mutex);
}

/* --- timer ---------------------------------------------------------------------------------------------------- */

/* Resumes those whose deadline has come. */
static void *run_timer(void *self)
{
    struct waiting *waiting = self;

    pthread_mutex_lock(&waiting->mutex);
    while (!atomic_load(&waiting->closing)) {
        double nearest = 0;

        resume(waiting, false, timing_seconds());
        for (const struct waiter *w = waiting->ring.next; w != &waiting->ring; w = w->next)
            if (w->deadline > 0 && (nearest <= 0 || w->deadline < nearest))
                nearest = w->deadline;
        wait_for_change(waiting, nearest);
    }
    pthread_mutex_unlock(&waiting->mutex);
    return NULL;
}

ff_status waiting_create(struct waiting *waiting, struct ff_error *error)
{
    memset(waiting, 0, sizeof *waiting);
    waiting->ring.next = waiting->ring.previous = &waiting->ring;
    pthread_mutex_init(&waiting->mutex, NULL);
    timing_condition(&waiting->changed);
    waiting->timer_runs =
        thread_start(&waiting->timer, run_timer, waiting, "wakes requests in time", error) == FF_OK;
    return waiting->timer_runs ? FF_OK : error->status;
}

void waiting_destroy(struct waiting *waiting)
{
    waiting_close(waiting, 0);
    if (waiting->timer_runs)
        pthread_join(waiting->timer, NULL);
    pthread_cond_destroy(&waiting->changed);
    pthread_mutex_destroy(&waiting->mutex);
}

/* --- waiting and waking --------------------------------------------------------------------------------------- */

uint64_t waiting_wakes(struct waiting *waiting)
{
    return atomic_load(&waiting->wakes);
}

bool waiting_suspend(struct waiting *waiting, struct waiter *waiter, uint64_t wakes)
{
    bool waits;

    pthread_mutex_lock(&waiting->mutex);
    waits = !atomic_load(&waiting->closing) && atomic_load(&waiting->wakes) == wakes && !waiter->rung;
    waiter->rung = false;
    if (waits) {
        waiter->suspended = true;
        MHD_suspend_connection(waiter->connection);
        link_waiter(waiting, waiter);
        if (waiter->deadline > 0)
            pthread_cond_broadcast(&waiting->changed);
    }
    pthread_mutex_unlock(&waiting->mutex);
    return waits;
}

void waiting_forget(struct waiting *waiting, struct waiter *waiter)
{
    if (!waiter->suspended)
        return;
    pthread_mutex_lock(&waiting->mutex);
    if (waiter->waiting)
        unlink_waiter(waiter);
    pthread_mutex_unlock(&waiting->mutex);
}

size_t waiting_wake(struct waiting *waiting)
{
    pthread_mutex_lock(&waiting->mutex);
    atomic_fetch_add(&waiting->wakes, 1);
    size_t count = resume(waiting, true, 0);
    pthread_mutex_unlock(&waiting->mutex);
    return count;
}

/* --- bells ---------------------------------------------------------------------------------------------------- */

struct bell *bell_create(struct waiting *waiting, struct waiter *waiter)
{
    struct bell *bell = calloc(1, sizeof *bell);

    if (bell == NULL)
        return NULL;
    pthread_mutex_init(&bell->mutex, NULL);
    bell->references = 1;
    bell->waiting = waiting;
    bell->waiter = waiter;
    return bell;
}

struct bell *bell_hold(struct bell *bell)
{
    pthread_mutex_lock(&bell->mutex);
    bell->references++;
    pthread_mutex_unlock(&bell->mutex);
    return bell;
}

void bell_release(struct bell *bell)
{
    bool last;

    if (bell == NULL)
        return;
    pthread_mutex_lock(&bell->mutex);
    last = --bell->references == 0;
    pthread_mutex_unlock(&bell->mutex);
    if (!last)
        return;
    pthread_mutex_destroy(&bell->mutex);
    free(bell);
}

void bell_ring(struct bell *bell)
{
    pthread_mutex_lock(&bell->mutex);
    if (bell->waiting != NULL) {
        pthread_mutex_lock(&bell->waiting->mutex);
        if (bell->waiter->waiting) {
            unlink_waiter(bell->waiter);
            MHD_resume_connection(bell->waiter->connection);
        } else {
            bell->waiter->rung = true;
        }
        pthread_mutex_unlock(&bell->waiting->mutex);
    }
    pthread_mutex_unlock(&bell->mutex);
}

void bell_silence(struct bell *bell)
{
    if (bell == NULL)
        return;
    pthread_mutex_lock(&bell->mutex);
    bell->waiting = NULL;
    pthread_mutex_unlock(&bell->mutex);
}

/* --- requests under way --------------------------------------------------------------------------------------- */

void waiting_enter(struct waiting *waiting)
{
    atomic_fetch_add(&waiting->requests, 1);
}

void waiting_leave(struct waiting *waiting)
{
    if (atomic_fetch_sub(&waiting->requests, 1) > 1 || !atomic_load(&waiting->closing))
        return;
    pthread_mutex_lock(&waiting->mutex);
    pthread_cond_broadcast(&waiting->changed);
    pthread_mutex_unlock(&waiting->mutex);
}

void waiting_close(struct waiting *waiting, double seconds)
{
    double until = timing_seconds() + seconds;

    pthread_mutex_lock(&waiting->mutex);
    atomic_store(&waiting->closing, true);
    atomic_fetch_add(&waiting->wakes, 1);
    resume(waiting, true, 0);
    pthread_cond_broadcast(&waiting->changed);
    while (atomic_load(&waiting->requests) > 0 && timing_seconds() < until)
        wait_for_change(waiting, until);
    pthread_mutex_unlock(&waiting->mutex);
}

bool waiting_is_closing(struct waiting *waiting)
{
    return atomic_load(&waiting->closing);
}
