/* pace.h - how far a run has come, how fast, and what its seconds went to.
 *
 * The thread that runs the sink starts and stops the clock and counts messages; any thread may ask for the
 * progress. */
#ifndef FF_PACE_H
#define FF_PACE_H

#include <pthread.h>

#include "message.h"
#include "observer.h"

struct ff_pace {
    const struct ff_plan *plan;
    pthread_mutex_t mutex; /* guards what follows */
    double previous;       /* when the last message came, or the clock started */
    bool running;
    uint32_t current_epoch, epochs_closed;
    uint64_t step, images_trained;
    double training, evaluating, saving; /* seconds */
    double evaluating_closed;            /* of epochs that are closed */
};

/* The plan must outlive it. */
void ff_pace_begin(struct ff_pace *pace, const struct ff_plan *plan);
void ff_pace_end(struct ff_pace *pace);

/* Time begins, or goes on after a pause; and stands still. */
void ff_pace_start(struct ff_pace *pace);
void ff_pace_stop(struct ff_pace *pace);

/* A message has come: the time since the last one was this one's, for all the line's work goes by it. Returns the
 * seconds so far. */
double ff_pace_take(struct ff_pace *pace, const struct ff_message *message);

/* Seconds so far, and those of evaluation; of the thread that runs the sink. */
double ff_pace_elapsed(const struct ff_pace *pace);
double ff_pace_evaluating(const struct ff_pace *pace);

void ff_pace_progress(struct ff_pace *pace, struct ff_progress *progress); /* any thread */

/* Its part of where the run stands; and a run that goes on from there, with so many steps done of the open epoch.
 */
void ff_pace_standing(struct ff_pace *pace, struct ff_standing *standing);
void ff_pace_restore(struct ff_pace *pace, const struct ff_standing *standing);

#endif
