/* event_stream.h - Server-Sent Events of one run or of all, for the stream of a response.
 *
 * First comes the run's state as it is now; then, after a Last-Event-ID, what was missed: from the hub's ring where
 * it is still there, else from the store; then what happens. Where a daemon that was killed had told more than it
 * kept, or a run went back to its checkpoint meanwhile, `dropped` comes before all of that. A stream belongs to one
 * connection.
 *
 * A reader costs at most 16 KiB of text and two events (of at most some 100 KB) here, while it replays a slice of
 * the store too (some 300 KB); and what a connection costs anyway: 96 KiB in libmicrohttpd, 256 KiB in the kernel
 * where the reader has stalled. What a slow reader has not taken waits in the hub's ring, which all share, and is
 * gone when the ring is full. */
#ifndef EVENT_STREAM_H
#define EVENT_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "api.h"

/* The number that a Last-Event-ID (NULL: there is none) says; false when it says none. What is no number of ours
 * counts as none, as a browser may send what another server gave it. */
bool event_stream_number(const char *text, uint64_t *number);

/* The stream of a run (0: of all). `resumes`: the reader has had all events up to `last_event`. false when memory
 * is short; what is in `stream` is to be given to respond_stream. */
bool event_stream_open(struct api *api, int64_t run, bool resumes, uint64_t last_event, struct http_stream *stream);

#endif
