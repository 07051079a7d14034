/* network.h - a network at rest: the weights of a checkpoint, to predict and to evaluate with.
 *
 * One thread at a time may use it. */
#ifndef FF_NETWORK_H
#define FF_NETWORK_H

#include "checkpoint.h"
#include "dataset.h"
#include "observer.h"

struct ff_network;

/* Read the weights; the checkpoint may be closed then. What it does is worked on by `threads` threads (at least 1,
 * the caller's among them), with the same bits for any number. NULL and `error`: FF_DAMAGED, FF_IO, FF_NO_MEMORY,
 * FF_BUSY (no thread could be started). */
struct ff_network *ff_network_create(struct ff_checkpoint *checkpoint, uint32_t threads, struct ff_error *error);

/* The same, but what it predicts is summed as `config` says: the checkpoint's configuration, with a `predict` and a
 * `predict_from` that pass ff_config_check in it. The weights are the same whichever they are. */
struct ff_network *ff_network_create_as(struct ff_checkpoint *checkpoint, const struct ff_config *config,
                                        uint32_t threads, struct ff_error *error);

/* One image, [channels][height][width] from 0 to 1. The answer's figures live until the next call. */
void ff_network_predict(struct ff_network *network, const float *pixels, struct ff_answer *answer);

/* How many of a split's images from `first` on, `count` of them at most (0: all), are predicted wrongly. FF_INVALID
 * when they are not such images as the network was trained on, or `first` is beyond the last. */
ff_status ff_network_evaluate(struct ff_network *network, const struct ff_dataset *dataset, enum ff_split split,
                              uint32_t first, uint32_t count, uint32_t *wrong, struct ff_error *error);

/* Incoming weights of `count` units of a layer from `unit` on, as [count][inputs]; the units must be there. */
void ff_network_weights(struct ff_network *network, uint32_t layer, uint32_t unit, uint32_t count, float *weights);

/* Units and inputs of a layer, or of a read-out behind the last; 0 beyond. Bytes of memory held. */
uint32_t ff_network_units(const struct ff_network *network, uint32_t layer);
uint32_t ff_network_inputs(const struct ff_network *network, uint32_t layer);
size_t ff_network_bytes(const struct ff_network *network);

void ff_network_destroy(struct ff_network *network); /* NULL is fine */

#endif
