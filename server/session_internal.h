/* session_internal.h - what the session's own files share.
 *
 *     session.c          life, submitting, looking
 *     session_control.c  pause, resume, stop, change, delete
 *     session_train.c    the thread that trains, and what its observer does
 *     session_predict.c  questions to the network in training, and who worked when
 *     session_report.c   publishing a run's state to store and hub, and the thread that does it by the clock
 *
 * Three locks, so that training never waits for a disk or a client:
 *
 * - `order` makes one change follow the other: who changes a run's state holds it from the decision until trainer,
 *   store and hub know. It may be held during I/O. The trainer's threads never take it.
 * - `mutex` guards the values, and is held no longer than it takes to copy them: nothing is called with it held.
 *   The observer takes it on the trainer's thread. Taken after `order`, never before.
 * - `asking` guards the trainer as those see it who ask it something, and what was asked. They do not wait for the
 *   disk, as with `order`, since an answer is to be there in a millisecond. It may be held while the trainer is
 *   asked, which copies an image or its spans and no more. The observer takes it on the trainer's thread. Taken
 *   after `order`, never together with `mutex`. */
#ifndef SESSION_INTERNAL_H
#define SESSION_INTERNAL_H

#include <pthread.h>

#include "session.h"

enum { SESSION_UNSAVED_MAX = 16 };

/* What the run that holds the trainer is to do. */
enum session_wanted { SESSION_RUN, SESSION_PAUSE, SESSION_STOP };

/* The trainer that can be asked, from the moment it is there until it has ended. */
struct session_line {
    struct ff_trainer *trainer; /* NULL: none */
    int64_t run;
    uint32_t classes;
    struct session_prediction *first; /* those that wait for their answer */
};

struct session {
    struct store *store;
    struct hub *hub;
    struct catalog *catalog;
    struct ff_placement placement; /* for runs that leave it open */
    pthread_t trainer_thread, reporter_thread;

    pthread_mutex_t order; /* guards the next three */
    struct ff_trainer *trainer;
    bool told_paused;   /* those in the queue know that they wait for a paused run */
    struct run scratch; /* for whoever holds `order` */

    pthread_mutex_t asking; /* guards the next */
    struct session_line line;

    pthread_mutex_t mutex;  /* guards the rest */
    pthread_cond_t changed; /* the queue, the state, or an end */
    size_t waiting;
    struct run *queue[SESSION_QUEUE_MAX]; /* [waiting], in order of id */
    struct run *current;                  /* the one that holds the trainer, or NULL */
    enum session_wanted wanted;
    bool interrupting; /* it was not a user who wanted SESSION_STOP */
    bool dirty;        /* current's state has changed on the trainer's thread, and is to be published */
    bool closing, reporter_closing;
    size_t unsaved_count;
    struct run *unsaved[SESSION_UNSAVED_MAX]; /* ended, but the store could not take that yet */
};

int64_t session_now(void); /* milliseconds since 1970 */

/* With `mutex`: the session's own copy of a run, or NULL; and what is shown of it. */
struct run *session_find(struct session *session, int64_t id);
void session_show(struct session *session, const struct run *live, struct run *shown);
/* Without `mutex`: the same for a run by its number; false when the session has none such. */
bool session_show_live(struct session *session, int64_t id, struct run *shown);
/* With `mutex`: take it out of the queue, or of the unsaved; it is freed. */
void session_forget(struct session *session, int64_t id);

/* session_report.c; all with `order`, without `mutex` */

/* Tell the hub of a run that is shown like this. */
void session_publish(struct session *session, const struct run *shown);
/* Progress, and with it the state, of the run that holds the trainer, to the hub; to the store too when `save`, or
 * when its state has changed since. */
void session_publish_current(struct session *session, bool save);
/* Tell the hub of those that wait, when it has changed what they wait for. */
void session_publish_queue(struct session *session);
void *session_report(void *session); /* the thread */

/* session_predict.c; all without `mutex` and `asking` */

/* From here to session_end_asking the trainer may be asked. */
void session_begin_asking(struct session *session, int64_t id, struct ff_trainer *trainer, uint32_t classes);
/* Who still waits is told that there will be no answer. */
void session_end_asking(struct session *session);
void session_see_answer(void *session, const struct ff_answer *answer); /* of the observer */

/* session_train.c */

void *session_train(void *session); /* the thread */

#endif
