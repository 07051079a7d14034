/* source.h - where messages get their content: what to train on, what to evaluate, what to read, in one fixed
 * order.
 *
 * An epoch is its TRAIN messages in a fresh order, then (where the configuration says so) FORWARD messages over
 * what is judged and over some training images, then GETs over all parameters for the digest. Everything is a
 * function of the plan; nothing that comes back is needed. One thread at a time may call. */
#ifndef FF_SOURCE_H
#define FF_SOURCE_H

#include "dataset.h"
#include "message.h"

struct ff_source;

/* Plan and data set must outlive it. */
struct ff_source *ff_source_create(const struct ff_plan *plan, const struct ff_dataset *dataset,
                                   struct ff_error *error);

/* Fill the next message; false after the last. */
bool ff_source_next(struct ff_source *source, struct ff_message *message);

/* Fill `message` with images of a split for every label, as evaluation does: `count` (at most the plan's
 * forward_images) from index `first` on. */
void ff_source_forward(struct ff_source *source, struct ff_message *message, enum ff_split split, uint32_t first,
                       uint32_t count);

/* Fill `message` with one image, [pixels] from 0 to 1, for every label: somebody's request. */
void ff_source_request(struct ff_source *source, struct ff_message *message, const float *pixels, uint64_t request);

size_t ff_source_bytes(const struct ff_source *source);
void ff_source_destroy(struct ff_source *source); /* NULL is fine */

#endif
