/* stage.h - some consecutive layers, owned alone, with a team of threads: one message in, the same message out.
 *
 * A stage does not know what it is joined to. One thread at a time may call. */
#ifndef FF_STAGE_H
#define FF_STAGE_H

#include "message.h"

struct ff_stage;

/* Layers `first` to `first + count - 1` of the plan, worked on by `threads` threads (the caller's included). */
struct ff_stage *ff_stage_create(const struct ff_plan *plan, uint32_t first, uint32_t count, uint32_t threads,
                                 struct ff_error *error);

/* Let the stage's team do items of other work, between two messages. */
void ff_stage_share(struct ff_stage *stage, size_t items, void (*item)(void *arg, size_t index, unsigned worker),
                    void *arg);

/* From now on a thread of another stage may help; before the first message. */
ff_status ff_stage_allow_guest(struct ff_stage *stage, struct ff_error *error);

/* Help with what the stage has at hand, if it can be shared: evaluation, whose pieces change nothing that stays in
 * a processor's cache. Returns whether there was anything to do. Any thread may call, a stage's own excepted. */
bool ff_stage_help(struct ff_stage *stage);

/* Do what the message says with every layer, bottom up. A layer whose goodness is not finite changes nothing and
 * marks the message; those above pass it on. */
void ff_stage_handle(struct ff_stage *stage, struct ff_message *message);

size_t ff_stage_bytes(const struct ff_stage *stage);
void ff_stage_destroy(struct ff_stage *stage); /* NULL is fine */

#endif
