/* session_internal.h - what the session's own files share.
 *
 *     session.c          life, submitting, looking
 *     session_control.c  pause, resume, stop, change, delete
 *     session_train.c    the thread that trains, and what its observer does
 *     session_begin.c    how a run begins, or goes on from its checkpoint
 *     session_figures.c  histograms that the observer sees, kept, told and stored; and evaluations
 *     session_save.c     snapshots that become checkpoints, and live settings that were turned
 *     session_ask.c      questions to the network in training, and who worked when
 *     session_rest.c     questions to networks at rest, and the thread that answers them
 *     session_report.c   publishing a run's state to store and hub, and the thread that does it by the clock
 *
 * Four locks, so that training never waits for a disk or a client:
 *
 * - `order` makes one change follow the other: who changes a run's state holds it from the decision until trainer,
 *   store and hub know. It may be held during I/O. The trainer's observer never takes it.
 * - `mutex` guards the values, and is held no longer than it takes to copy them: nothing is called with it held.
 *   The observer takes it on the trainer's thread. Taken after `order`, never before.
 * - `asking` guards the trainer as those see it who ask it something, and what was asked. They do not wait for the
 *   disk, as with `order`, since an answer is to be there in a millisecond. It may be held while the trainer is
 *   asked, which copies an image or its spans and no more. The observer takes it on the trainer's thread. Taken
 *   after `order`, never together with `mutex`.
 * - `resting` guards the questions to networks at rest that wait. Taken alone. */
#ifndef SESSION_INTERNAL_H
#define SESSION_INTERNAL_H

#include <pthread.h>

#include "checkpoint_pace.h"
#include "session.h"

/* One more than may be submitted: a run whose beginning a former daemon could not store may wait before the others.
 */
enum { SESSION_UNSAVED_MAX = 16, SESSION_QUEUE_ROOM = SESSION_QUEUE_MAX + 1 };

_Static_assert(SESSION_QUEUE_ROOM + SESSION_UNSAVED_MAX + 1 <= SESSION_LIVE_MAX, "all that are live");

/* What the run that holds the trainer is to do. */
enum session_wanted { SESSION_RUN, SESSION_PAUSE, SESSION_STOP };

/* The trainer that can be asked, from the moment it is there until it has ended. */
struct session_line {
    struct ff_trainer *trainer; /* NULL: none */
    int64_t run;
    struct ff_config config;       /* with the live settings as they are now */
    uint64_t replays_until;        /* settings turned in a former life come again up to here; 0: none */
    bool turning;                  /* settings are just being turned: one after the other */
    struct session_request *first; /* those that wait for their answer */
};

/* The checkpoints of the run that trains. */
struct session_saving {
    /* Of the trainer's threads, which take turns: */
    struct ff_checkpoint_about about;
    struct ff_change *changes; /* [change_count] all that were turned, by step */
    size_t change_count, change_room;
    struct ff_safetensors_writer *writer; /* of the one under way; NULL: none, or it could not begin */
    bool best;                            /* what the writer writes are the best weights so far */
    struct ff_error error;
    /* With the session's `mutex`: */
    uint64_t best_step; /* the end of the best epoch so far, which no checkpoint holds yet; 0: none */
    bool under_way;     /* from its first piece until it is on the disk, or cannot be */
    struct checkpoint_pace pace;
};

/* The newest histograms of the run that trains. The trainer's thread writes it with `mutex`. */
struct session_figures {
    int64_t run;  /* 0: there are none */
    int64_t told; /* when the newest event of them was: timing_now */
    bool untold;  /* these came too soon after it */
    struct histograms histograms;
};

/* Whoever asked networks at rest, and the networks; session_rest.c. */
struct session_rest;

struct session {
    struct store *store;
    struct hub *hub;
    struct catalog *catalog;
    struct ff_placement placement; /* for runs that leave it open */
    struct ff_crew *crew;          /* of the thread that trains; NULL: this process is alone */
    pthread_t trainer_thread, reporter_thread;

    pthread_mutex_t order; /* guards the next four; `again` needs no lock */
    struct ff_trainer *trainer;
    bool told_paused;   /* those in the queue know that they wait for a paused run */
    uint64_t troubles;  /* of the store, as far as the run that trains knows */
    struct run scratch; /* for whoever holds `order` */
    bool again;         /* the current run had begun before; of the thread that trains */

    pthread_mutex_t asking; /* guards the next */
    struct session_line line;

    struct session_rest *rest;
    struct session_saving saving;

    pthread_mutex_t mutex;  /* guards the rest */
    pthread_cond_t changed; /* the queue, the state, or an end */
    uint64_t changes;       /* session_note_change's count, from 1 */
    size_t waiting;
    struct run *queue[SESSION_QUEUE_ROOM]; /* [waiting], in order of their turns */
    struct run *current;                   /* the one that holds the trainer, or NULL */
    enum session_wanted wanted;
    uint64_t begin_step; /* where it began this time: before that its trainer does not know of its progress */
    struct session_figures figures;
    bool interrupting; /* it was not a user who wanted SESSION_STOP */
    bool dirty;        /* current's state has changed on the trainer's thread, and is to be published */
    bool closing, reporter_closing;
    size_t unsaved_count;
    struct run *unsaved[SESSION_UNSAVED_MAX]; /* ended, but the store could not take that yet */
};

/* With `mutex`: the session's own copy of a run, or NULL; and what is shown of it. */
struct run *session_find(struct session *session, int64_t id);
void session_show(struct session *session, const struct run *live, struct run *shown);
/* Without `mutex`: the same for a run by its number; false when the session has none such. */
bool session_show_live(struct session *session, int64_t id, struct run *shown);
/* With `mutex`: something of what is shown of a live run has changed, or which runs are live. */
void session_note_change(struct session *session);
/* Whether one more may wait; FF_BUSY. */
ff_status session_check_room(struct session *session, struct ff_error *error);
/* With `mutex`: take it out of the queue, or of the unsaved; it is freed. */
void session_forget(struct session *session, int64_t id);

/* session_report.c; all with `order`, without `mutex` */

/* Tell the hub of a run that is shown like this. */
void session_publish(struct session *session, const struct run *shown);
/* Progress, and with it the state, of the run that holds the trainer, to the hub; to the store too when `save`, or
 * when its state has changed since. */
void session_publish_current(struct session *session, bool save);
/* The run that holds the trainer keeps the remark that the database could not be written, where that is so. */
void session_note_trouble(struct session *session);
/* Tell the hub of those that wait, when it has changed what they wait for. */
void session_publish_queue(struct session *session);
void *session_report(void *session); /* the thread */

/* session_ask.c; all without `mutex` and `asking` */

/* Two share it: the session, while it waits for the answer, and who asked, until the drop. What is guarded by
 * `asking` is not read or written otherwise while the session waits. */
struct session_request {
    struct session_request *next; /* of those that wait, on the line or at rest */
    enum session_about about;
    bool best;
    int64_t run;
    uint64_t ticket;
    bool waits, wanted;    /* guarded by `asking`: the session's share; the asker's */
    struct ff_error error; /* FF_OK: answered */
    void (*tell)(void *self);
    void *self;
    uint32_t layer, unit, count;
    float *figures; /* of the answer */
    struct ff_answer answer;
    struct ff_unit_weights weights;
    size_t pixel_count; /* of an image */
    float pixels[];
};

/* From here to session_end_asking the trainer may be asked. `until`: session_line's replays_until. */
void session_begin_asking(struct session *session, int64_t id, struct ff_trainer *trainer,
                          const struct ff_config *config, uint64_t until);
/* Who still waits is answered by the checkpoint, or told that there will be no answer. */
void session_end_asking(struct session *session);
void session_see_answer(void *session, const struct ff_answer *answer); /* of the observer */
void session_see_weights(void *session, const struct ff_unit_weights *weights);
/* The settings that were being turned hold from now on, or (`error` not NULL) do not. */
void session_end_turning(struct session *session, const struct ff_config *config, const struct ff_error *error);
/* A question, with nothing of the answer. NULL and `error`. */
struct session_request *session_make_request(int64_t id, const struct session_question *question,
                                             struct ff_error *error);
/* Copies of the figures into the request. */
void session_keep_answer(struct session_request *request, const struct ff_answer *answer);
void session_keep_weights(struct session_request *request, const struct ff_unit_weights *weights);
/* Give up the session's share, and tell the asker. The request is on no list any more. */
void session_settle(struct session *session, struct session_request *request);

/* session_rest.c; all without `mutex` and `asking` */

struct session_rest *session_rest_start(struct session *session, struct ff_error *error);
void session_rest_stop(struct session_rest *rest); /* who still waits is told; NULL is fine */
/* Put a question to the run's checkpoint. FF_BUSY: too many. */
ff_status session_rest_ask(struct session *session, int64_t id, const struct session_question *question,
                           struct session_request **request, struct ff_error *error);
/* The same for one that was asked of a run which has ended since, and is on no list. False: it closes. */
bool session_rest_take(struct session_rest *rest, struct session_request *request);
/* A checkpoint is gone: its network goes soon. */
void session_rest_forget(struct session_rest *rest);

/* session_figures.c: on the thread that trains, the first two of the observer */

void session_see_histograms(void *session, const struct ff_histograms *histograms);
void session_see_evaluation(void *session, const struct ff_evaluation *evaluation);
/* The newest that came too soon after an event for one of their own: while nothing comes after them. */
void session_tell_histograms(struct session *session);
/* The run has ended: the same, and those of an epoch that is not over are stored. */
void session_keep_histograms(struct session *session);
/* From now on the store has them. */
void session_forget_figures(struct session *session);

/* session_save.c */

/* Before the run trains: takes `changes` over, [count] on the heap. And when it has trained. */
void session_begin_saving(struct session *session, const struct run *run, const struct ff_dataset *dataset,
                          struct ff_change *changes, size_t count);
void session_end_saving(struct session *session);
/* Of the observer. */
bool session_wants_snapshot(void *session);
void session_see_snapshot(void *session, const struct ff_snapshot_piece *piece);
bool session_see_change(void *session, const struct ff_change *change);

/* session_begin.c: on the thread that trains */

/* The run as it begins, from its data set to its trainer. */
struct session_start {
    bool again; /* it had begun before */
    const struct ff_dataset *dataset;
    struct ff_checkpoint *checkpoint; /* NULL: with its first step */
    struct ff_change *changes;        /* [change_count] until session_begin_saving */
    size_t change_count;
    struct ff_trainer *trainer;
};
/* All of it for the current run, whose configuration may be read without lock. False: `error` says why the run
 * fails; session_leave all the same. */
bool session_prepare(struct session *session, const struct ff_observer *observer, struct session_start *start,
                     struct ff_error *error);
/* With `order`: store that it begins, what lies beyond its checkpoint deleted, and tell. False: it could not be
 * stored, and must not go on. */
bool session_take_up(struct session *session, const struct session_start *start, struct ff_error *error);
void session_leave(struct session *session, struct session_start *start);

/* session_train.c */

void *session_train(void *session); /* the thread */

#endif
