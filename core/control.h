/* control.h - how other threads steer a run: pause and stop it, ask about an image or for weights, turn settings;
 * and why it failed.
 *
 * A bounded box between them and the feeder, the thread that feeds the line: what is asked waits here until that
 * one looks. Nothing is allocated after it is made. Any thread may call what is not the feeder's. */
#ifndef FF_CONTROL_H
#define FF_CONTROL_H

#include "message.h"

struct ff_control;

/* With room for `most` requests. NULL and `error`: FF_NO_MEMORY. */
struct ff_control *ff_control_create(const struct ff_plan *plan, uint32_t most, struct ff_error *error);

void ff_control_pause(struct ff_control *control, bool pause);
void ff_control_stop(struct ff_control *control);

/* The run cannot go on: a layer diverged, or a rank is lost. Of two reasons the first counts. */
void ff_control_fail(struct ff_control *control, const struct ff_error *reason);
/* FF_OK, or why it failed, with the sentence in `reason` (NULL: nobody asks for it). */
ff_status ff_control_failure(struct ff_control *control, struct ff_error *reason);

/* Ask for an image's goodness, `pixels` [pixels] copied; or for the weights of a range. The ticket is never 0.
 * FF_BUSY: the box is full; FF_CONFLICT: the run has ended. */
ff_status ff_control_ask(struct ff_control *control, const float *pixels, uint64_t *ticket, struct ff_error *error);
ff_status ff_control_ask_weights(struct ff_control *control, const struct ff_range *range, uint64_t *ticket,
                                 struct ff_error *error);
/* Ask for other live settings. FF_BUSY: a change is just being made; FF_CONFLICT. */
ff_status ff_control_change(struct ff_control *control, const struct ff_config *config, struct ff_error *error);

/* --- of the feeder --- */

/* What is wanted at this moment. */
struct ff_wishes {
    bool pause, stop;
    bool failed;
};
struct ff_wishes ff_control_wishes(struct ff_control *control);

/* What the oldest request is for: an image (weights false), or a range. */
struct ff_request {
    uint64_t ticket;
    bool weights;
    float *pixels; /* [pixels] */
    struct ff_range range;
};
/* The oldest that waits, until it is said to be served; NULL: none. */
const struct ff_request *ff_control_request(struct ff_control *control);
void ff_control_served(struct ff_control *control);

/* The settings that are asked for, until they are said to be turned; NULL: none. */
const struct ff_config *ff_control_wanted(struct ff_control *control);
void ff_control_turned(struct ff_control *control);

/* Sleep while the run is to be paused and nothing is asked. Whether something is; false: the pause is over. */
bool ff_control_await(struct ff_control *control);

/* The run has ended: nothing can be asked any more. */
void ff_control_end(struct ff_control *control);

void ff_control_destroy(struct ff_control *control); /* NULL is fine */

#endif
