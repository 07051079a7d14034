/* checkpoint.h - a run between two steps as a file: safetensors.h's format, so that others can read it too.
 *
 * Tensors are named for people: "layer.0.weights" [inputs][units], of a convolution
 * [channels][kernel][kernel][units], "layer.0.bias" [units], then what the optimizer keeps
 * ("layer.0.weights.momentum", …); the same of a read-out ("readout.weights"); and of the open epoch "epoch.sums"
 * [layers][4] float64, the sums of positive and negative goodness, loss and accuracy, and "epoch.histograms"
 * [layers][257] uint64, struct ff_histogram (a checkpoint from before there were any lacks it, and counts from
 * there). As metadata texts: the configuration, the live settings that were turned, what the images are, and where
 * the run stands. Nothing that was timed is among the tensors.
 *
 * A writer and an open checkpoint have one user at a time. */
#ifndef FF_CHECKPOINT_H
#define FF_CHECKPOINT_H

#include "config.h"
#include "files.h"
#include "observer.h"
#include "safetensors.h"
#include "shape.h"

enum { FF_RUN_NAME_MAX = 256 };

/* All that a checkpoint says but its tensors. */
struct ff_checkpoint_about {
    struct ff_config config; /* as the run began, with the epochs it has by now */
    size_t change_count;
    struct ff_change *changes; /* [change_count], by step; none after the standing's */
    struct ff_shape shape;     /* of an image */
    uint32_t classes;
    char name[FF_RUN_NAME_MAX]; /* the run's */
    struct ff_standing standing;
};

/* --- writing --- */

/* Begin PATH. The floats of all tensors follow by ff_safetensors_append, as a snapshot gives them; after
 * ff_safetensors_finish the file is committed by whoever has the time for it. NULL and `error`: FF_IO,
 * FF_NO_MEMORY. */
struct ff_safetensors_writer *ff_checkpoint_write(const struct ff_files *files, const char *path,
                                                  const struct ff_checkpoint_about *about, struct ff_error *error);

/* --- reading --- */

struct ff_checkpoint;
struct ff_plan;

/* Open a checkpoint and check all of it: the format, the sum over the data, that the configuration is one of this
 * program's and the tensors are those that it has. NULL and `error`: FF_NOT_FOUND, FF_DAMAGED, FF_INVALID (a
 * configuration that this build cannot do), FF_IO, FF_NO_MEMORY. */
struct ff_checkpoint *ff_checkpoint_open(const char *path, struct ff_error *error);
/* What it says; lives as long as it is open. */
const struct ff_checkpoint_about *ff_checkpoint_about(const struct ff_checkpoint *checkpoint);
/* The configuration with the live settings as they were when it was written; lives as long. */
const struct ff_config *ff_checkpoint_config(const struct ff_checkpoint *checkpoint);
/* `count` floats of a tensor ([rows][columns], counted as ff_layer_tensor does, and there) from `offset` on.
 * FF_INVALID: they are not all inside it; FF_DAMAGED, FF_IO. */
ff_status ff_checkpoint_read(struct ff_checkpoint *checkpoint, uint32_t layer, uint32_t tensor, uint64_t offset,
                             uint64_t count, float *values, struct ff_error *error);
/* Where the file has tensor `tensor` of a layer that only evaluates: of the parameters their running averages where
 * there are some, and of the statistics, which follow them. */
uint32_t ff_checkpoint_judging_tensor(const struct ff_checkpoint *checkpoint, uint32_t layer, uint32_t tensor);
/* Whether a run of this plan (the library's own) can go on from it: the same settings, but for more epochs, on as
 * many images of the same form. FF_INVALID; FF_DAMAGED: where it stands makes no sense; FF_NO_MEMORY. */
ff_status ff_checkpoint_fits(const struct ff_checkpoint *checkpoint, const struct ff_plan *plan,
                             const struct ff_dataset *dataset, struct ff_error *error);
void ff_checkpoint_close(struct ff_checkpoint *checkpoint); /* NULL is fine */

#endif
