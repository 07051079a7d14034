/* trainer.h - one run from beginning to end: source, stages, sink, and how to steer them.
 *
 *     source -> stage -> … -> stage -> sink -> observer
 *
 * A placement says on how many threads that line is laid out. It changes the speed, never a bit of the result.
 * One thread creates, runs and destroys; pause, resume, stop and progress may be called by any thread meanwhile. */
#ifndef FF_TRAINER_H
#define FF_TRAINER_H

#include <stdint.h>

#include "config.h"
#include "dataset.h"
#include "error.h"
#include "observer.h"
#include "placement.h"

struct ff_trainer;

enum ff_outcome { FF_FINISHED, FF_STOPPED, FF_FAILED };

/* Make a run of `config`, which has passed ff_config_check with this dataset. The dataset must outlive the trainer;
 * config and observer are copied. NULL and `error` set: FF_NO_MEMORY, FF_INVALID. */
struct ff_trainer *ff_trainer_create(const struct ff_config *config, const struct ff_dataset *dataset,
                                     struct ff_placement placement, const struct ff_observer *observer,
                                     struct ff_error *error);

/* Train until the end, a stop, or a failure (then `error` holds the sentence that says layer, step and setting). */
enum ff_outcome ff_trainer_run(struct ff_trainer *trainer, struct ff_error *error);

/* Ask; the observer's `paused` and `resumed` tell when it has come true. Asking before ff_trainer_run,
 * twice, or after the end is harmless. Stop takes effect after the messages under way, paused or not. */
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

/* Who worked when: the newest spans, oldest first, into `spans`; returns how many. One span is one layer at one
 * message. */
enum { FF_SPANS_KEPT = 16384 };
struct ff_span {
    uint32_t stage, layer;
    uint8_t kind; /* enum ff_kind (message.h): TRAIN 0, FORWARD 1, GET 2 */
    uint64_t step;
    uint64_t begin, end; /* nanoseconds since the run began */
};
size_t ff_trainer_timeline(struct ff_trainer *trainer, struct ff_span *spans, size_t most);

/* What was chosen, how many weights and biases there are, bytes allocated for the run (data set left out). */
struct ff_placement ff_trainer_placement(const struct ff_trainer *trainer);
uint64_t ff_trainer_parameters(const struct ff_trainer *trainer);
size_t ff_trainer_bytes(const struct ff_trainer *trainer);

void ff_trainer_destroy(struct ff_trainer *trainer); /* NULL is fine; not while it runs */

/* Weights and biases of a configuration on images of this shape, without making it. */
uint64_t ff_parameter_count(const struct ff_config *config, const struct ff_dataset *dataset);

#endif
