/* train_tell.h - what `goodness train` prints of a run: JSON Lines, or the log for people.
 *
 * On standard output, flushed; the progress line is held back meanwhile. train_tell_points and train_tell_epoch are
 * the observer's; the others belong to the thread that runs the trainer. */
#ifndef TRAIN_TELL_H
#define TRAIN_TELL_H

#include "checkpoint.h"
#include "options.h"
#include "run.h"
#include "textlog.h"
#include "train_checkpoint.h"
#include "train_watch.h"

/* A run, and what its observer keeps while it trains. */
struct training {
    struct run run;
    struct textlog_evaluation evaluation;
    const struct options *options;
    struct ff_checkpoint *beginning;     /* that of --resume; NULL: it begins with its first step */
    struct train_checkpoint *checkpoint; /* that of --checkpoint; NULL: not kept */
    struct train_watch *watch;
    struct ff_crew *crew; /* NULL: this process is alone */
};

/* Where the run stands that goes on from `beginning`, which must be there. */
const struct ff_standing *train_standing(const struct training *training);

/* `dataset` may be NULL. */
void train_tell_start(const struct training *training, const struct ff_dataset *dataset);
void train_tell_points(void *training, const struct ff_point *points, size_t count);
void train_tell_epoch(void *training, const struct ff_epoch *epoch);
/* Also why the run failed, on standard error, and `trouble`: why it could not be kept (NULL: it could). */
void train_tell_end(const struct training *training, const char *trouble);

#endif
