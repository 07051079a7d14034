/* convolution.c - a training step of preset conv's network, on one thread, beside its floor: BLAS alone making the
 * same products of what the kernels see, already laid out, of a whole batch at once. The program and its floor take
 * turns; the best of each is printed, and their ratio.
 *
 *     convolution [ROUNDS]       (default 5)
 *     convolution --rate         images a second of the step alone, as a number */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cblas.h>

#include "bench.h"
#include "message.h"
#include "plan.h"
#include "preset.h"

static const double seconds = 1, reach = 0.8; /* a round; share of the floor */

/* The preset's, that only trains, for longer than anybody measures; images as they are. */
static void settings(struct ff_config *config)
{
    ff_preset_config(ff_preset_find("conv"), config);
    config->augment = (struct ff_augment){0};
    config->epochs = config->evaluate_every = 1000;
    config->learning_rate = (struct ff_per_layer){1, {1e-5}};
}

/* --- the floor --- */

/* A layer's products: x [places][inputs] of all images, weights, and what both make of each other. */
struct products {
    int places, inputs, units;
    float *x, *w, *z, *gradient;
};

static struct products make_products(const struct ff_layer_plan *layer, uint32_t batch)
{
    size_t places = (size_t)layer->shape.map.height * layer->shape.map.width * batch;

    return (struct products){.places = (int)places,
                             .inputs = (int)layer->inputs,
                             .units = (int)layer->units,
                             .x = bench_floats(places * layer->inputs),
                             .w = bench_floats((size_t)layer->inputs * layer->units),
                             .z = bench_floats(places * layer->units),
                             .gradient = bench_floats((size_t)layer->inputs * layer->units)};
}

static void multiply(const struct products *p)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, p->places, p->units, p->inputs, 1, p->x, p->inputs, p->w,
                p->units, 0, p->z, p->units);
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, p->inputs, p->units, p->places, 1, p->x, p->inputs, p->z,
                p->units, 0, p->gradient, p->units);
}

/* Seconds of every layer's products, the best of what `seconds` hold. */
static void measure_floor(const struct products *products, uint32_t layers, double *best)
{
    double begin = bench_now();

    do {
        for (uint32_t i = 0; i < layers; i++) {
            double before = bench_now();

            multiply(&products[i]);
            best[i] = fmin(best[i], bench_now() - before);
        }
    } while (bench_now() - begin < seconds);
}

static void compare(const struct ff_config *config, const struct ff_plan *plan, const struct ff_dataset *dataset,
                    int rounds)
{
    struct products products[FF_LAYERS_MAX];
    double ours = 0, layer[FF_LAYERS_MAX], floor = 0;

    for (uint32_t i = 0; i < plan->layers; i++) {
        products[i] = make_products(&plan->layer[i], config->batch_size);
        layer[i] = INFINITY;
    }
    for (int round = 0; round < rounds; round++) {
        ours = fmax(ours, bench_steps_of(config, (struct ff_placement){1, 1}, dataset, seconds));
        measure_floor(products, plan->layers, layer);
    }
    for (uint32_t i = 0; i < plan->layers; i++) {
        double flops = 4e-9 * (double)plan->layer[i].products * config->batch_size;

        printf("  layer %u's products: %5.1f ms, %5.1f GFLOP/s\n", i, 1e3 * layer[i], flops / layer[i]);
        floor += layer[i];
    }
    printf("preset conv's network, batch %u, one thread: %.1f ms a step, %.0f images/s; BLAS alone %.1f ms   %.3f "
           "of it "
           "(to reach: %g)\n",
           config->batch_size, 1e3 / ours, ours * config->batch_size, 1e3 * floor, floor * ours, reach);
}

int main(int count, char **arguments)
{
    bool rate = count > 1 && strcmp(arguments[1], "--rate") == 0;
    int rounds = count > 1 && !rate ? (int)bench_number(arguments[1]) : 5;
    struct ff_dataset dataset;
    struct ff_config config;
    struct ff_plan plan;

    openblas_set_num_threads(1);
    bench_dataset_make(&dataset);
    settings(&config);
    ff_plan_make(&plan, &config, &dataset);
    if (rate)
        printf("%.1f\n",
               config.batch_size * bench_steps_of(&config, (struct ff_placement){1, 1}, &dataset, seconds));
    else
        compare(&config, &plan, &dataset, rounds);
    bench_dataset_free(&dataset);
    return 0;
}
