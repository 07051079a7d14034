/* sink.h - where messages come back complete: figures become points, epochs and evaluations for the observer.
 *
 * Messages come in the source's order on every placement, and all sums run in that order, so that figures have the
 * same bits everywhere. One thread at a time may call ff_sink_handle; ff_sink_progress may be called by any. */
#ifndef FF_SINK_H
#define FF_SINK_H

#include "message.h"
#include "observer.h"

struct ff_sink;

/* Plan must outlive it; the observer is copied. */
struct ff_sink *ff_sink_create(const struct ff_plan *plan, const struct ff_observer *observer,
                               struct ff_error *error);

/* Time begins, or goes on after a pause; and stands still. */
void ff_sink_start_clock(struct ff_sink *sink);
void ff_sink_stop_clock(struct ff_sink *sink);

/* Take what the message holds. Not FF_OK, with the sentence in `error`, when a layer failed: nothing of this
 * message is used, and none may follow. */
ff_status ff_sink_handle(struct ff_sink *sink, const struct ff_message *message, struct ff_error *error);

/* Hand over the last window if it is not full: a run ends, or is stopped, between two windows. */
void ff_sink_finish(struct ff_sink *sink);

/* Where the run stands, and a run that goes on from there (before the first message); no message is under way. */
void ff_sink_standing(struct ff_sink *sink, struct ff_standing *standing);
void ff_sink_restore(struct ff_sink *sink, const struct ff_standing *standing);

void ff_sink_progress(struct ff_sink *sink, struct ff_progress *progress);
size_t ff_sink_bytes(const struct ff_sink *sink);
void ff_sink_destroy(struct ff_sink *sink); /* NULL is fine */

#endif
