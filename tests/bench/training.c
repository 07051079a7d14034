/* training.c - a training step and an evaluation beside their floor: BLAS alone doing the same products, with as
 * many threads of its own, in the same run. The program and its floor take turns; the best of each is printed, and
 * their ratio.
 *
 *     training [ROUNDS]      (default 5) */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cblas.h>

#include "bench.h"

static const double seconds = 0.7; /* a round */

struct row {
    const char *name;
    struct bench_setup setup;
    bool evaluation;
    double reach; /* share of the floor; 0: none was set */
};

static const struct row rows[] = {
    {"784-4x2000, batch 100, momentum", {4, 2000, 100, FF_MOMENTUM, {1, 1}}, false, 0},
    {"784-4x2000, batch 100, momentum", {4, 2000, 100, FF_MOMENTUM, {1, 2}}, false, 0.95},
    {"784-500-500, batch 128, momentum", {2, 500, 128, FF_MOMENTUM, {1, 1}}, false, 0},
    {"784-500-500, batch 128, momentum", {2, 500, 128, FF_MOMENTUM, {1, 2}}, false, 0.9},
    {"784-500-500, batch 100, adam", {2, 500, 100, FF_ADAM, {1, 2}}, false, 0},
    {"784-1000-1000, batch 200, adam", {2, 1000, 200, FF_ADAM, {1, 2}}, false, 0},
    {"784-500-500, batch 8, momentum", {2, 500, 8, FF_MOMENTUM, {2, 1}}, false, 1.5},
    {"784-500-500, batch 8, sgd", {2, 500, 8, FF_SGD, {2, 1}}, false, 1.5},
    {"784-4x2000, evaluation", {4, 2000, 100, FF_MOMENTUM, {1, 2}}, true, 0},
    {"784-500-500, evaluation", {2, 500, 128, FF_MOMENTUM, {1, 1}}, true, 0},
    {"784-500-500, evaluation", {2, 500, 128, FF_MOMENTUM, {1, 2}}, true, 0.9},
};

static void measure(const struct row *row, const struct ff_dataset *dataset, int rounds)
{
    struct ff_placement placement = row->setup.placement;
    uint32_t threads = placement.stages * placement.threads;
    double ours = 0, floor = 0;

    for (int round = 0; round < rounds; round++) {
        if (row->evaluation) {
            ours = fmax(ours, bench_evaluation(&row->setup, dataset, threads, seconds));
            floor = fmax(floor, bench_evaluation_floor(&row->setup, dataset, (int)threads, seconds));
        } else {
            ours = fmax(ours, row->setup.batch * bench_steps(&row->setup, dataset, seconds));
            floor = fmax(floor, row->setup.batch * bench_floor(&row->setup, (int)threads, seconds));
        }
    }
    printf("%-34s %u x %u  %9.0f images/s   BLAS alone, %u thread%s %9.0f   %.3f of it", row->name,
           placement.stages, placement.threads, ours, threads, threads == 1 ? ", " : "s,", floor, ours / floor);
    if (row->reach > 0)
        printf("   (to reach: %g)", row->reach);
    printf("\n");
    fflush(stdout);
}

int main(int count, char **arguments)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    int rounds = count > 1 ? (int)strtol(arguments[1], NULL, 10) : 5;
    struct ff_dataset dataset;

    bench_dataset_make(&dataset);
    printf("BLAS kernel %s, %ld processors, best of %d rounds; stages x threads\n", openblas_get_corename(),
           processors, rounds);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if ((long)rows[i].setup.placement.stages * rows[i].setup.placement.threads <= processors)
            measure(&rows[i], &dataset, rounds);
    }
    bench_dataset_free(&dataset);
    return 0;
}
