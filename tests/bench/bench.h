/* bench.h - what the measuring programs share: data that is made, a trainer that is timed, and its floor.
 *
 * Not for tests: a program that cannot measure says why on standard error and ends. One thread calls. */
#ifndef BENCH_H
#define BENCH_H

#include <stdint.h>

#include "config.h"
#include "dataset.h"
#include "trainer.h"

enum { BENCH_SIDE = 28, BENCH_CLASSES = 10, BENCH_IMAGES = 60000, BENCH_TEST_IMAGES = 10000 };

/* A network and where it trains; every layer has `units`. */
struct bench_setup {
    uint32_t layers, units, batch;
    enum ff_optimizer_id optimizer;
    struct ff_placement placement;
};

/* Seconds of the monotonic clock. */
double bench_now(void);

/* `what` and the reason on standard error; ends the program. */
_Noreturn void bench_fail(const char *what, const char *reason);

/* A whole number from text, at least 1; ends the program where it is none. */
uint32_t bench_number(const char *text);

/* Images like MNIST's in what costs time: as many, of the same shape, a fifth of the pixels not zero. */
void bench_dataset_make(struct ff_dataset *dataset);
void bench_dataset_free(struct ff_dataset *dataset);

/* The same as four IDX files in `folder`, image by image, so that the writer stays small. */
void bench_dataset_write(const char *folder);

/* The settings of a run that only trains, for longer than anybody measures. */
void bench_config(const struct bench_setup *setup, struct ff_config *config);

/* Steps a second of a whole run, trainer, source and sink included, measured for about `seconds` between two steps.
 */
double bench_steps(const struct bench_setup *setup, const struct ff_dataset *dataset, double seconds);
/* The same of any settings. */
double bench_steps_of(const struct ff_config *config, struct ff_placement placement,
                      const struct ff_dataset *dataset, double seconds);

/* So many floats that are neither zero nor equal, for a floor to multiply; free() them. */
float *bench_floats(size_t count);

/* Steps a second of the matrix products alone that such a step cannot do without (every layer's activities and its
 * gradient; the first layer multiplies an image once for both rows), by BLAS on `threads` threads. */
double bench_floor(const struct bench_setup *setup, int threads, double seconds);

/* Images a second of an evaluation with a row for every label: by source and stage on `threads` threads, and by the
 * products alone. */
double bench_evaluation(const struct bench_setup *setup, const struct ff_dataset *dataset, uint32_t threads,
                        double seconds);
double bench_evaluation_floor(const struct bench_setup *setup, const struct ff_dataset *dataset, int threads,
                              double seconds);

#endif
