/* training.c - a training step and an evaluation beside their floor: BLAS alone doing the same products, with its
 * own threads, in the same run. Floor and program take turns; the best of each is printed, and their ratio.
 *
 *     training [ROUNDS]      (default 5) */
#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "dataset.h"
#include "message.h"
#include "plan.h"
#include "random.h"
#include "source.h"
#include "stage.h"

enum { PIXELS_SIDE = 28, CLASSES = 10, IMAGES = 4000 };

struct setup {
    const char *name;
    uint32_t layers, units, batch;
    enum ff_optimizer_id optimizer;
};

static const struct setup setups[] = {
    {"784-4x2000, batch 100, momentum", 4, 2000, 100, FF_MOMENTUM},
    {"784-500-500, batch 128, momentum", 2, 500, 128, FF_MOMENTUM},
    {"784-500-500, batch 100, adam", 2, 500, 100, FF_ADAM},
    {"784-1000-1000, batch 200, adam", 2, 1000, 200, FF_ADAM},
};

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void make_images(struct ff_images *images)
{
    images->count = IMAGES;
    images->pixels = malloc((size_t)IMAGES * PIXELS_SIDE * PIXELS_SIDE);
    images->labels = malloc(IMAGES * sizeof *images->labels);
    for (size_t i = 0; i < (size_t)IMAGES * PIXELS_SIDE * PIXELS_SIDE; i++)
        images->pixels[i] = (uint8_t)(i * 2654435761u >> 24);
    for (size_t i = 0; i < IMAGES; i++)
        images->labels[i] = (uint16_t)(i % CLASSES);
}

/* The two products of a layer in training, or the one in evaluation, on memory of its own. */
struct floor {
    float *x, *w, *z, *gradient;
    int rows, inputs, units;
};

static void make_floor(struct floor *floor, uint32_t rows, uint32_t inputs, uint32_t units)
{
    *floor = (struct floor){ff_floats((size_t)rows * inputs),
                            ff_floats((size_t)inputs * units),
                            ff_floats((size_t)rows * units),
                            ff_floats((size_t)inputs * units),
                            (int)rows,
                            (int)inputs,
                            (int)units};
    for (size_t i = 0; i < (size_t)rows * inputs; i++)
        floor->x[i] = (float)(i % 7) * 0.1f;
    for (size_t i = 0; i < (size_t)inputs * units; i++)
        floor->w[i] = (float)(i % 11) * 0.01f;
}

static void free_floor(struct floor *floor)
{
    free(floor->x);
    free(floor->w);
    free(floor->z);
    free(floor->gradient);
}

static void multiply(const struct floor *floor, bool gradient)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, floor->rows, floor->units, floor->inputs, 1, floor->x,
                floor->inputs, floor->w, floor->units, 0, floor->z, floor->units);
    if (gradient)
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, floor->inputs, floor->units, floor->rows, 1, floor->x,
                    floor->inputs, floor->z, floor->units, 0, floor->gradient, floor->units);
}

/* Images a second of `images` by the layers' products, BLAS with `threads`. */
static double floor_rate(const struct floor *floors, uint32_t layers, bool gradient, uint32_t images, int threads)
{
    double begin;
    int steps = 0;

    openblas_set_num_threads(threads);
    for (uint32_t i = 0; i < layers; i++)
        multiply(&floors[i], gradient);
    begin = now();
    do {
        for (uint32_t i = 0; i < layers; i++)
            multiply(&floors[i], gradient);
        steps++;
    } while (now() - begin < 0.5);
    openblas_set_num_threads(1);
    return (double)images * steps / (now() - begin);
}

/* The program's own line: source and stage on this thread, as a run of one stage has them. */
struct line {
    struct ff_plan plan;
    struct ff_source *source;
    struct ff_stage *stage;
    struct ff_pool *pool;
    struct ff_message *message;
};

static void make_line(struct line *line, const struct setup *setup, const struct ff_dataset *dataset,
                      uint32_t threads)
{
    struct ff_config config;
    struct ff_error error;

    ff_config_defaults(&config);
    config.layer_count = setup->layers;
    for (uint32_t i = 0; i < setup->layers; i++)
        config.layers[i] = (struct ff_layer_config){.kind = FF_DENSE, .units = setup->units};
    config.batch_size = setup->batch;
    config.optimizer = setup->optimizer;
    config.learning_rate.value[0] = 1e-5;
    config.epochs = 1000000;
    config.evaluate_every = 1000000;
    ff_plan_make(&line->plan, &config, dataset);
    line->source = ff_source_create(&line->plan, dataset, &error);
    line->stage = ff_stage_create(&line->plan, 0, setup->layers, threads, &error);
    line->pool = ff_pool_create(&line->plan, 1, &error);
    line->message = ff_pool_take(line->pool);
}

static void free_line(struct line *line)
{
    ff_pool_return(line->pool, line->message);
    ff_pool_destroy(line->pool);
    ff_stage_destroy(line->stage);
    ff_source_destroy(line->source);
}

static void train_one(struct line *line)
{
    do
        ff_source_next(line->source, line->message);
    while (line->message->kind != FF_TRAIN || line->message->images < line->plan.config.batch_size);
    ff_stage_handle(line->stage, line->message);
}

static void evaluate_one(struct line *line)
{
    ff_source_forward(line->source, line->message, FF_TEST_SPLIT, 0, line->plan.forward_images);
    ff_stage_handle(line->stage, line->message);
}

static double line_rate(struct line *line, void (*one)(struct line *))
{
    double begin;
    uint64_t images = 0;

    one(line);
    begin = now();
    do {
        one(line);
        images += line->message->images;
    } while (now() - begin < 0.5);
    return (double)images / (now() - begin);
}

static void print_line(const char *name, const char *what, uint32_t threads, double rate, double floor)
{
    printf("%-36s %-10s %u thread%s  %9.0f images/s   floor %9.0f   %.3f of the floor\n", name, what, threads,
           threads == 1 ? " " : "s", rate, floor, rate / floor);
    fflush(stdout);
}

static void measure(const struct setup *setup, const struct ff_dataset *dataset, uint32_t threads, int rounds)
{
    struct floor train[FF_LAYERS_MAX], evaluate[FF_LAYERS_MAX];
    double best[4] = {0};
    struct line line;

    make_line(&line, setup, dataset, threads);
    for (uint32_t i = 0; i < setup->layers; i++) {
        uint32_t inputs = i == 0 ? line.plan.pixels : setup->units;

        make_floor(&train[i], i == 0 ? setup->batch : 2 * setup->batch, inputs, setup->units);
        make_floor(&evaluate[i], i == 0 ? line.plan.forward_images : line.plan.forward_images * CLASSES, inputs,
                   setup->units);
    }
    for (int round = 0; round < rounds; round++) {
        best[0] = fmax(best[0], line_rate(&line, train_one));
        best[1] = fmax(best[1], floor_rate(train, setup->layers, true, setup->batch, (int)threads));
        best[2] = fmax(best[2], line_rate(&line, evaluate_one));
        best[3] = fmax(best[3], floor_rate(evaluate, setup->layers, false, line.plan.forward_images, (int)threads));
    }
    print_line(setup->name, "training", threads, best[0], best[1]);
    print_line(setup->name, "evaluation", threads, best[2], best[3]);
    for (uint32_t i = 0; i < setup->layers; i++) {
        free_floor(&train[i]);
        free_floor(&evaluate[i]);
    }
    free_line(&line);
}

int main(int count, char **arguments)
{
    struct ff_dataset dataset = {.shape = {1, PIXELS_SIDE, PIXELS_SIDE}, .classes = CLASSES};
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    int rounds = count > 1 ? atoi(arguments[1]) : 5;

    make_images(&dataset.train);
    make_images(&dataset.test);
    printf("BLAS kernel %s, %ld processors, best of %d rounds\n", openblas_get_corename(), processors, rounds);
    for (size_t i = 0; i < sizeof setups / sizeof setups[0]; i++) {
        measure(&setups[i], &dataset, 1, rounds);
        if (processors > 1)
            measure(&setups[i], &dataset, 2, rounds);
    }
    free(dataset.train.pixels);
    free(dataset.train.labels);
    free(dataset.test.pixels);
    free(dataset.test.labels);
    return 0;
}
