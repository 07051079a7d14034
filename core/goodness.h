/* goodness.h - the library: trains Forward-Forward networks (Hinton 2022) on labelled images.
 *
 * This header includes all that a program needs, and says in which order to use it. Each of the headers says what
 * its calls do, the shapes and units of what they take, their errors, and which threads may call.
 *
 *     blas.h        ff_blas_check, first of all: BLAS multiplies rightly, with one thread
 *     dataset.h     ff_dataset_load: images and labels, from IDX files or an .npz file; or fill the struct yourself
 *     preset.h      ff_preset_find, ff_preset_config: a configuration that is known to learn
 *     config.h      ff_config_apply: settings, as JSON, over it; ff_config_check: whether they fit each other and
 *                   the images
 *     problems.h    what is wrong with a configuration, all at once
 *     observer.h    what a run tells while it goes: points, epochs, evaluations, snapshots
 *     trainer.h     ff_trainer_create, ff_trainer_run; pause, ask, change from other threads meanwhile
 *     checkpoint.h  a run as a file, to go on with or to predict with; made of safetensors.h, files.h
 *     network.h     ff_network_create from a checkpoint; ff_network_predict, ff_network_evaluate
 *     error.h       how a call says what went wrong; nothing in the library prints or exits
 *
 * The folder example/ has two programs: one trains and keeps what came of it, one loads and predicts.
 *
 * The same configuration gives the same weights to the last bit on any number of threads and stages; another build
 * of the library or another BLAS kernel may give others. Names begin with ff_ and FF_. There is no promise yet that
 * a program built against one version works with another: link statically, build again. */
#ifndef GOODNESS_H
#define GOODNESS_H

/* Before the language changes below. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cjson/cJSON.h>

#ifdef __cplusplus
extern "C" {
#endif

#include "blas.h"
#include "checkpoint.h"
#include "config.h"
#include "dataset.h"
#include "error.h"
#include "network.h"
#include "observer.h"
#include "preset.h"
#include "trainer.h"

#ifdef __cplusplus
}
#endif

#endif
