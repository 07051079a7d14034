/* session.h - the queue of runs, and the background thread that trains them one after the other.
 *
 * The session is the only writer of a run's state. What happens goes to the store (history) and to the hub (live).
 * Any thread may call; calls return after the store's commit where they change something. */
#ifndef SESSION_H
#define SESSION_H

#include "catalog.h"
#include "hub.h"
#include "run.h"
#include "store.h"

struct session;

enum { SESSION_QUEUE_MAX = 64 };

struct session *session_create(struct store *store, struct hub *hub, struct catalog *catalog,
                               struct ff_placement placement, struct ff_error *error);

/* Stop the run that trains (it becomes interrupted), wait for the thread, leave the queue as interrupted too. */
void session_destroy(struct session *session);

/* Put a run (name, notes, tags, preset, config, asked filled in) into the queue: it gets id, created, state. A name
 * left empty becomes "DATASET PRESET ID". FF_BUSY when the queue is full, FF_IO when it cannot be stored. */
ff_status session_submit(struct session *session, struct run *run, struct ff_error *error);

/* The run as it is now: the store's row, with live state and progress where it waits, trains or pauses. */
ff_status session_get(struct session *session, int64_t id, struct run *run, struct ff_error *error);
int64_t session_current(struct session *session); /* id of the run that holds the trainer, or 0 */

/* Overlay live state and progress on a row that came from the store (lists). */
void session_refresh(struct session *session, struct run *run);

/* Control. FF_NOT_FOUND, FF_CONFLICT with a sentence. Already so: FF_OK. `run` gets the run with its `pending`. */
ff_status session_pause(struct session *session, int64_t id, struct run *run, struct ff_error *error);
ff_status session_resume(struct session *session, int64_t id, struct run *run, struct ff_error *error);
ff_status session_stop(struct session *session, int64_t id, struct run *run, struct ff_error *error);

/* Change name, notes, tags, and nothing else: `edit` is called with the newest value under the session's lock, and
 * must not call the session. */
typedef void session_edit(void *self, struct run *run);
ff_status session_change(struct session *session, int64_t id, session_edit *edit, void *self, struct run *run,
                         struct ff_error *error);

/* FF_CONFLICT while it holds the trainer. A queued one leaves the queue. */
ff_status session_delete(struct session *session, int64_t id, struct ff_error *error);

/* Whether a run could be taken now; if not, why. */
bool session_ready(struct session *session, char *sentence, size_t size);

#endif
