/* hub.h - a ring of recent events, and cursors of the readers who wait for the next.
 *
 * The training thread appends and never waits: a reader who is too slow loses events and is told so. Points are
 * gathered and put into one event at every wake (at once when none was sent for 100 ms). Event numbers
 * rise, over restarts too (store_first_event). Any thread may call. Readers never keep one who appends waiting
 * longer than a copy of an event takes.
 *
 * The hub's own thread, the ticker, calls `wake` when there is something new, at most ten times a second (less
 * often where it wakes more than a hundred, so that readers do not live at the cost of what they watch), and at
 * least every 15 s. */
#ifndef HUB_H
#define HUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "observer.h"

struct hub;

typedef size_t hub_wake(void *self); /* how many were woken */

/* `keep_bytes`: how much text the ring keeps. */
struct hub *hub_create(uint64_t first_event, size_t keep_bytes, struct ff_error *error);
/* NULL: none. Before the first reader, and at the end: when it returns, the former `wake` is not being called. */
void hub_set_wake(struct hub *hub, hub_wake *wake, void *self);
void hub_destroy(struct hub *hub); /* NULL is fine */

/* Append an event: `type` is "state", "epoch", …; `json` one line of text, copied. Returns its number. */
uint64_t hub_append(struct hub *hub, int64_t run, const char *type, const char *json);

/* The same for points: gathered, sent as one "points" event soon. Returns the number that event will have. */
uint64_t hub_append_points(struct hub *hub, int64_t run, const struct ff_point *points, size_t count);

/* The number of the newest event so far. */
uint64_t hub_newest(struct hub *hub);

/* The first event's number, and how often a reader came too late for some (hub_next returned -1). */
uint64_t hub_oldest(const struct hub *hub);
uint64_t hub_dropped(struct hub *hub);

/* A reader: of one run, or of all (run 0). It belongs to one stream, which one thread reads at a time. */
struct hub_cursor {
    int64_t run;
    uint64_t seen;      /* number of the last event given (or passed over); hub_newest: only what comes */
    uint64_t last_step; /* step of the last points given: what `dropped` names */
};

struct hub_event {
    uint64_t number;
    int64_t run;
    char type[16];
    const char *json; /* into the caller's buffer */
};

/* The next event after the cursor into `buffer`, and the cursor moved. Returns 1; 0 when there is none yet; -1 when
 * events since `seen` are not in the ring (they were lost, or are a former daemon's; the cursor then stands at the
 * oldest kept); -2 when `buffer` is too small (`*needed`; the event comes again). */
int hub_next(struct hub *hub, struct hub_cursor *cursor, struct hub_event *event, char *buffer, size_t size,
             size_t *needed);

#endif
