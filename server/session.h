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

/* Runs that the store has as queued are put into the queue again, in their order. */
struct session *session_create(struct store *store, struct hub *hub, struct catalog *catalog,
                               struct ff_placement placement, struct ff_crew *crew, struct ff_error *error);

/* Stop the run that trains (it becomes interrupted, its checkpoint saved) and wait for the thread. Those in the
 * queue stay queued, and wait for the next start. NULL is fine. */
void session_destroy(struct session *session);

/* Put a run (name, notes, tags, preset, config, asked filled in) into the queue: it gets id, created, state. A name
 * left empty becomes "DATASET PRESET ID". FF_BUSY when the queue is full, FF_IO when it cannot be stored. */
ff_status session_submit(struct session *session, struct run *run, struct ff_error *error);

/* The run as it is now: the store's row, with live state and progress where it waits, trains or pauses. */
ff_status session_get(struct session *session, int64_t id, struct run *run, struct ff_error *error);
/* The version of what session_get gives (of a run that is not live: of all that is read of it, its series too), or,
 * for run 0, of all that session_get and the store's lists give. As long as it is the same, so are they: it has
 * changed before any call that changed them returns. Ask it before looking. */
struct session_version {
    uint64_t live;   /* changes of the session's own copies; 0: the run has none, its row is all there is */
    uint64_t stored; /* store_version; 0: the session's copy is all there is */
};
struct session_version session_version(struct session *session, int64_t id);
/* The newest histograms of the run that holds the trainer; false: it does not, or there are none yet. */
bool session_histograms(struct session *session, int64_t id, struct histograms *histograms);
int64_t session_current(struct session *session); /* id of the run that holds the trainer, or 0 */

/* The states of all that wait, train or pause, for lists by state: [SESSION_LIVE_MAX] at most; how many. */
enum { SESSION_LIVE_MAX = 96 };
size_t session_list_live(struct session *session, struct store_live_run live[SESSION_LIVE_MAX]);

/* Overlay live state and progress on a row that came from the store (lists). */
void session_refresh(struct session *session, struct run *run);

/* What a run that has ended goes on with; nothing: as it was left. */
struct session_resumption {
    uint32_t epochs;     /* more */
    const cJSON *config; /* live settings (those of ff_config_apply_live), or NULL */
    bool placed;         /* whether `placement` is to take the place of what was asked for */
    struct ff_placement placement;
};

/* Control. FF_NOT_FOUND, FF_CONFLICT with a sentence. Already so: FF_OK. `run` gets the run with its `pending`. A
 * run that has ended is resumed by way of the queue (FF_BUSY: full), and goes on from its checkpoint; one that has
 * none begins with its first step, which comes to the same. */
ff_status session_pause(struct session *session, int64_t id, struct run *run, struct ff_error *error);
ff_status session_resume(struct session *session, int64_t id, const struct session_resumption *resumption,
                         struct run *run, struct ff_error *error);
ff_status session_stop(struct session *session, int64_t id, struct run *run, struct ff_error *error);

/* Asking: what the network of a run makes of an image, its weights; and turning its live settings. A run that
 * trains or is paused is asked itself, at that instant; one that has ended, or waits to go on, through its
 * checkpoint. */
struct session_request;

enum session_about { SESSION_IMAGE, SESSION_WEIGHTS, SESSION_SETTINGS };

struct session_question {
    enum session_about about;
    bool best;           /* of the best weights so far, at rest; else those of the moment */
    const float *pixels; /* SESSION_IMAGE: [pixels] 0 to 1, copied */
    size_t pixel_count;
    uint32_t layer, unit, count; /* SESSION_WEIGHTS */
    const cJSON *settings;       /* SESSION_SETTINGS: of ff_config_apply_live, which has taken them */
    /* Called once when session_ask succeeded: the answer is there, or will never be. By any thread, without a lock;
     * it must not wait, nor call the session. */
    void (*tell)(void *self);
    void *self;
};

/* FF_OK when a run in this state can be asked about images and weights; FF_CONFLICT with the sentence when not. */
ff_status session_check_asking(const struct run *run, struct ff_error *error);
/* The same for turning its settings. */
ff_status session_check_turning(const struct run *run, struct ff_error *error);
/* Put a question to the run. *request is the caller's to let go of. FF_NOT_FOUND, FF_CONFLICT, FF_INVALID; FF_BUSY:
 * too many ask at once, settings are just being turned, or the run is just beginning or ending. Waits for no
 * training. */
ff_status session_ask(struct session *session, int64_t id, const struct session_question *question,
                      struct session_request **request, struct ff_error *error);
/* FF_OK and the answer, which stands until session_drop; FF_BUSY: not yet; FF_CONFLICT: the run ended before; or
 * why it cannot be. Settings have taken effect when it is FF_OK, and are stored. */
ff_status session_answer(struct session *session, struct session_request *request, const struct ff_answer **answer,
                         struct ff_error *error);
ff_status session_weights(struct session *session, struct session_request *request,
                          const struct ff_unit_weights **weights, struct ff_error *error);
ff_status session_turned(struct session *session, struct session_request *request, struct ff_error *error);
void session_drop(struct session *session, struct session_request *request);

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
