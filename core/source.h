/* source.h - where messages get their content: what to train on, what to evaluate, what to read, in one fixed
 * order.
 *
 * An epoch is its TRAIN messages in a fresh order, then (where the configuration says so) FORWARD messages over
 * what is judged and over some training images, then GETs over all parameters for the digest. Everything is a
 * function of the plan; nothing that comes back is needed. One thread at a time may call. */
#ifndef FF_SOURCE_H
#define FF_SOURCE_H

#include "dataset.h"
#include "input.h"
#include "message.h"

struct ff_source;

/* Plan and data set must outlive it. */
struct ff_source *ff_source_create(const struct ff_plan *plan, const struct ff_dataset *dataset,
                                   struct ff_error *error);

/* Decide what the next message holds, and fill all but its images' pixels; false after the last. */
bool ff_source_next(struct ff_source *source, struct ff_message *message);

/* The pixels of the message's image number `image`, changed as the configuration says when they are trained on. Any
 * number of threads may call for different images; of messages from ff_source_next and ff_source_forward. */
void ff_source_fill(const struct ff_source *source, struct ff_message *message, uint32_t image);
/* Whether filling an image is work that is worth sharing. */
bool ff_source_augments(const struct ff_source *source);

/* Let `message` hold images of a split for every label, as evaluation does: `count` (at most the plan's
 * forward_images) from index `first` on. */
void ff_source_forward(struct ff_source *source, struct ff_message *message, enum ff_split split, uint32_t first,
                       uint32_t count);

/* Fill `message` with one image, [pixels] from 0 to 1, for every label: somebody's request. */
void ff_source_request(struct ff_source *source, struct ff_message *message, const float *pixels, uint64_t request);

/* GET (for a snapshot) or SET (for restoring) of the next stretch of all tensors, the optimizer's too, layer by
 * layer; *range says where it begins, {0} at first, and is moved on. False: that was the last. */
bool ff_source_tensors(struct ff_source *source, struct ff_message *message, enum ff_kind kind,
                       struct ff_range *range);
/* GET of one range, or SET of the live settings, which must live as long as the run. */
void ff_source_get(struct ff_source *source, struct ff_message *message, const struct ff_range *range,
                   uint64_t request);
void ff_source_settings(struct ff_source *source, struct ff_message *message, const struct ff_config *config);

/* Where it stands: the steps given out; and whether a run can be left here and gone on with later: between two
 * windows, or after an epoch's last step. */
uint64_t ff_source_step(const struct ff_source *source);
bool ff_source_between_windows(const struct ff_source *source);
/* Go on after `step` steps with `epochs` epochs closed: after all steps of an epoch that is not closed comes its
 * evaluation, from its beginning. */
void ff_source_seek(struct ff_source *source, uint64_t step, uint32_t epochs);

struct ff_pixel_map ff_source_input(const struct ff_source *source);

size_t ff_source_bytes(const struct ff_source *source);
void ff_source_destroy(struct ff_source *source); /* NULL is fine */

#endif
