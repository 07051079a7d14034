/* trainer.h - one run from beginning to end: source, stages, sink, and how to steer them.
 *
 *     source -> stage -> … -> stage -> sink -> observer
 *
 * A placement says on how many threads, or ranks, that line (line.h) is laid out. It changes the speed, never a bit
 * of the result. One thread creates, runs and destroys; pause, resume, stop and progress may be called by any
 * thread meanwhile. */
#ifndef FF_TRAINER_H
#define FF_TRAINER_H

#include <stdint.h>

#include "checkpoint.h"
#include "config.h"
#include "dataset.h"
#include "error.h"
#include "observer.h"
#include "placement.h"

struct ff_crew;
struct ff_trainer;

enum ff_outcome {
    FF_FINISHED,
    FF_STOPPED,
    FF_FAILED,
    FF_INTERRUPTED /* a rank was lost; it can go on from its last checkpoint */
};

/* Where a run begins. */
struct ff_beginning {
    struct ff_checkpoint *checkpoint; /* NULL: with its first step. Read when the trainer runs */
    const struct ff_change *changes;  /* [change_count] all live settings that were turned, by step: those up to the
                                         checkpoint hold, those after it happen again at their step. Copied */
    size_t change_count;
    struct ff_crew *crew; /* whose ranks may be stages; NULL: this process alone. It must outlive the trainer, and
                             has one at a time */
};

/* Make a run of `config`, which has passed ff_config_check with this dataset; of a run that goes on, as it began,
 * but for `epochs`, which may have become more. The dataset must outlive the trainer; config and observer are
 * copied. `beginning` NULL: a new run, in this process. NULL and `error` set: FF_NO_MEMORY; FF_INVALID, the
 * checkpoint is not one of this configuration and data set; FF_LOST, ranks were lost. */
struct ff_trainer *ff_trainer_create(const struct ff_config *config, const struct ff_dataset *dataset,
                                     struct ff_placement placement, const struct ff_observer *observer,
                                     const struct ff_beginning *beginning, struct ff_error *error);

/* Train until the end, a stop, or a failure (then `error` holds the sentence that says layer, step and setting, or
 * which rank is lost). */
enum ff_outcome ff_trainer_run(struct ff_trainer *trainer, struct ff_error *error);

/* Ask; the observer's `paused` and `resumed` tell when it has come true. Asking before ff_trainer_run,
 * twice, or after the end is harmless. Both wait for the end of the window under way, so that the run can be left
 * there; evaluation is broken off by a stop, and comes again when the run goes on. */
void ff_trainer_pause(struct ff_trainer *trainer);
void ff_trainer_resume(struct ff_trainer *trainer);
void ff_trainer_stop(struct ff_trainer *trainer);

void ff_trainer_progress(struct ff_trainer *trainer, struct ff_progress *progress);

/* Ask for one image's goodness under every label, of the network as it is at that instant: while it trains, or
 * while it is paused. `pixels`: [channels][height][width], 0 to 1, copied. The observer's `answer` gets it with
 * this ticket, which is never 0. FF_BUSY when FF_REQUESTS_MAX wait already; FF_CONFLICT when the run has ended:
 * asked too late, an answer comes not at all, so whoever waits must also watch for the end. */
enum { FF_REQUESTS_MAX = 32 };
ff_status ff_trainer_ask(struct ff_trainer *trainer, const float *pixels, uint64_t *ticket, struct ff_error *error);

/* Ask for the incoming weights of `count` units of a layer from `unit` on, as they are at that instant (their
 * running averages where it predicts with those); the observer's `weights` gets them. Like ff_trainer_ask;
 * FF_INVALID for units that are not there, or too many at once (the sentence says how many). */
ff_status ff_trainer_ask_weights(struct ff_trainer *trainer, uint32_t layer, uint32_t unit, uint32_t count,
                                 uint64_t *ticket, struct ff_error *error);

/* Turn live settings: `config` is the run's with other values of those. It takes effect at one step for all layers,
 * once the observer's `change` has recorded it. FF_BUSY: another change is just being made; FF_CONFLICT: the run
 * has ended. Asked too late, it does not happen: whoever waits must also watch for the end. */
ff_status ff_trainer_change(struct ff_trainer *trainer, const struct ff_config *config, struct ff_error *error);

/* Who worked when: the newest spans, oldest first, into `spans`; returns how many, at most FF_SPANS_KEPT. */
size_t ff_trainer_timeline(struct ff_trainer *trainer, struct ff_span *spans, size_t most);

/* Whether stages are on ranks, as many as there are; and the bytes that these have sent so far. Any thread. */
bool ff_trainer_wire(struct ff_trainer *trainer, struct ff_wire *wire);

/* What was chosen, how many weights and biases there are, and about how many bytes the run takes (data set left
 * out). Any thread. */
struct ff_placement ff_trainer_placement(const struct ff_trainer *trainer);
uint64_t ff_trainer_parameters(const struct ff_trainer *trainer);
size_t ff_trainer_bytes(const struct ff_trainer *trainer);

void ff_trainer_destroy(struct ff_trainer *trainer); /* NULL is fine; not while it runs */

/* Weights and biases of a configuration on images of this shape, without making it. */
uint64_t ff_parameter_count(const struct ff_config *config, const struct ff_dataset *dataset);

#endif
