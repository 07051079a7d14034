/* rate.c - images trained a second by a whole run on synthetic data: one number on standard output, for scripts.
 *
 *     rate LAYERS UNITS BATCH [STAGES THREADS]      (momentum; default placement: chosen) */
#include <stdio.h>

#include "bench.h"

int main(int count, char **arguments)
{
    struct bench_setup setup = {.optimizer = FF_MOMENTUM};
    struct ff_dataset dataset;

    if (count != 4 && count != 6)
        bench_fail("usage", "rate LAYERS UNITS BATCH [STAGES THREADS]");
    setup.layers = bench_number(arguments[1]);
    setup.units = bench_number(arguments[2]);
    setup.batch = bench_number(arguments[3]);
    if (count == 6)
        setup.placement = (struct ff_placement){bench_number(arguments[4]), bench_number(arguments[5])};
    if (setup.layers > FF_LAYERS_MAX)
        bench_fail(arguments[1], "is more layers than a run may have");
    bench_dataset_make(&dataset);
    printf("%.1f\n", setup.batch * bench_steps(&setup, &dataset, 1.5));
    bench_dataset_free(&dataset);
    return 0;
}
