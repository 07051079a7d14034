/* trainer_internal.h - what the files of the trainer share.
 *
 *     trainer.c        a run's life: its parts, how it begins and ends, what others ask of it
 *     trainer_feed.c   the feeder at work: from the source into the line, with requests, changes, pauses, snapshots
 */
#ifndef FF_TRAINER_INTERNAL_H
#define FF_TRAINER_INTERNAL_H

#include "control.h"
#include "line.h"
#include "plan.h"
#include "sink.h"
#include "source.h"
#include "timeline.h"
#include "trainer.h"

/* Live settings that were turned; messages point into it while the run lasts. */
struct ff_turned {
    struct ff_turned *next;
    struct ff_change change;
};

struct ff_trainer {
    struct ff_plan plan;
    struct ff_observer observer;
    struct ff_placement placement;
    struct ff_source *source;
    struct ff_sink *sink;
    struct ff_line *line;
    struct ff_control *control;
    struct ff_timeline *timeline;

    /* Only the thread that runs the trainer, which feeds the line, writes and reads these. */
    bool exhausted; /* the source has nothing more */
    struct ff_checkpoint *checkpoint;
    struct ff_turned *turned,
        **turned_end; /* by step: those that hold, then those that are still to happen again */
    struct ff_turned *next_turned;
};

/* --- trainer_feed.c: only the thread that creates and runs the trainer may call --- */

/* A copy of the change, behind the others; NULL when memory is short. */
struct ff_turned *ff_trainer_keep_change(struct ff_trainer *trainer, const struct ff_change *change);

/* All tensors from the checkpoint, if there is one, and everybody stands where the run stood. FF_DAMAGED, FF_IO. */
ff_status ff_trainer_restore(struct ff_trainer *trainer, struct ff_error *error);

/* Feed the line until the source has nothing more, a stop or a failure; then the last snapshot. */
void ff_trainer_feed(struct ff_trainer *trainer);

#endif
