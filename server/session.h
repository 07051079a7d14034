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

/* Prediction: what the network of a run that trains or is paused makes of an image, at that instant. */
struct session_prediction;

struct session_question {
    const float *pixels; /* [pixels of the data set] 0 to 1, copied */
    /* Called once when session_ask succeeded: the answer is there, or will never be. By any thread, without a lock;
     * it must not wait, nor call the session. */
    void (*tell)(void *self);
    void *self;
};

/* FF_OK when a run in this state can be asked; FF_CONFLICT with the sentence when not. */
ff_status session_check_asking(const struct run *run, struct ff_error *error);
/* Put a question to the run. *prediction is the caller's to let go of. FF_NOT_FOUND, FF_CONFLICT; FF_BUSY: too many
 * ask at once, or the run is just beginning or ending. Waits for no disk. */
ff_status session_ask(struct session *session, int64_t id, const struct session_question *question,
                      struct session_prediction **prediction, struct ff_error *error);
/* FF_OK and the answer, which stands until session_drop; FF_BUSY: not yet; FF_CONFLICT: the run ended before. */
ff_status session_answer(struct session *session, struct session_prediction *prediction,
                         const struct ff_answer **answer, struct ff_error *error);
void session_drop(struct session *session, struct session_prediction *prediction);

/* Who worked when in the last seconds, oldest first: none for a run that does not hold the trainer. *spans is the
 * caller's to free. FF_NO_MEMORY. */
ff_status session_timeline(struct session *session, int64_t id, struct ff_span **spans, size_t *count,
                           struct ff_error *error);

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
