/* train_checkpoint.h - the file in which `goodness train` keeps a run, and beside it that of its best epoch.
 *
 * Written at the end, at a stop, and at the end of an epoch when it is time (checkpoint_pace.h). What was there
 * before stays until the new one is whole. One that cannot be written does not stop the training; it is tried again
 * the next time. The weights of the epoch with the lowest test error stand in FILE with ".best" before
 * ".safetensors" (or at its end), written when that epoch ends.
 *
 * The callbacks run where the trainer's observer does; everything else on the thread that runs the trainer. */
#ifndef TRAIN_CHECKPOINT_H
#define TRAIN_CHECKPOINT_H

#include "checkpoint.h"
#include "run.h"

struct train_checkpoint;

/* Keep `run`, on these images, in the file `path`. `resumed`, from which the run goes on, was kept in `from` (NULL:
 * none). All must outlive it. NULL and `error`: FF_NO_MEMORY. */
struct train_checkpoint *train_checkpoint_create(const char *path, const struct run *run,
                                                 const struct ff_dataset *dataset,
                                                 const struct ff_checkpoint *resumed, const char *from,
                                                 struct ff_error *error);

/* For the observer: an epoch that ended, of which the run knows already, wants_snapshot and snapshot. */
void train_checkpoint_see_epoch(struct train_checkpoint *checkpoint, const struct ff_epoch *epoch);
bool train_checkpoint_due(const struct train_checkpoint *checkpoint);
void train_checkpoint_take(struct train_checkpoint *checkpoint, const struct ff_snapshot_piece *piece);

/* Why the newest one could not be written; NULL when it could, or when there was none. */
const char *train_checkpoint_trouble(const struct train_checkpoint *checkpoint);

void train_checkpoint_destroy(struct train_checkpoint *checkpoint); /* NULL is fine */

#endif
