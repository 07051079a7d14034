/* event_replay.h - points and epochs out of the store, as the events that carried them.
 *
 * Points of several events are put together into one, with the number of the last, but never a part of an event's
 * points: so whoever breaks off can go on from any number. One thread at a time. */
#ifndef EVENT_REPLAY_H
#define EVENT_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "api.h"
#include "text.h"

struct event_replay;

/* Everything with a number above `from` and at most `to`, of one run (0: of all, one after the other; then only the
 * end has a number). NULL when memory is short. */
struct event_replay *event_replay_create(struct api *api, int64_t run, uint64_t from, uint64_t to);
void event_replay_destroy(struct event_replay *replay); /* NULL is fine */

/* Write some more events; false when all are written. */
bool event_replay_next(struct event_replay *replay, struct text *text);

/* One event. `number` 0: without. `json` is one line; NULL (memory was short): nothing is written. */
void event_write(struct text *text, const char *type, uint64_t number, const char *json);

#endif
