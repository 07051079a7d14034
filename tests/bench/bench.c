#include "bench.h"

#include <cblas.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "message.h"
#include "plan.h"
#include "source.h"
#include "stage.h"

enum { PIXELS = BENCH_SIDE * BENCH_SIDE, WARM_UP_STEPS = 3, POLL_NANOSECONDS = 100000 };

double bench_now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

void bench_fail(const char *what, const char *reason)
{
    fprintf(stderr, "%s: %s\n", what, reason);
    exit(1);
}

uint32_t bench_number(const char *text)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);

    if (end == text || *end != '\0' || number < 1 || number > UINT32_MAX)
        bench_fail(text, "must be a whole number of at least 1");
    return (uint32_t)number;
}

/* --- data --- */

/* One image: a function of its index, so that memory and files hold the same. */
static void make_image(uint32_t index, uint8_t pixels[PIXELS])
{
    for (uint32_t i = 0; i < PIXELS; i++) {
        uint32_t hash = (index * PIXELS + i) * 2654435761u;

        hash = (hash ^ hash >> 15) * 2246822519u;
        hash ^= hash >> 13;
        pixels[i] = hash % 5 == 0 ? (uint8_t)(hash >> 24 | 1) : 0;
    }
}

static void make_images(struct ff_images *images, uint32_t count)
{
    images->count = count;
    images->pixels = malloc((size_t)count * PIXELS);
    images->labels = malloc(count * sizeof *images->labels);
    if (images->pixels == NULL || images->labels == NULL)
        bench_fail("images", "not enough memory");
    for (uint32_t i = 0; i < count; i++) {
        make_image(i, images->pixels + (size_t)i * PIXELS);
        images->labels[i] = (uint16_t)(i % BENCH_CLASSES);
    }
}

void bench_dataset_make(struct ff_dataset *dataset)
{
    *dataset =
        (struct ff_dataset){.name = "synthetic", .shape = {1, BENCH_SIDE, BENCH_SIDE}, .classes = BENCH_CLASSES};
    make_images(&dataset->train, BENCH_IMAGES);
    make_images(&dataset->test, BENCH_TEST_IMAGES);
}

void bench_dataset_free(struct ff_dataset *dataset)
{
    free(dataset->train.pixels);
    free(dataset->train.labels);
    free(dataset->test.pixels);
    free(dataset->test.labels);
}

static FILE *open_file(const char *folder, const char *name)
{
    char path[4096];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "wb");
    if (file == NULL)
        bench_fail(path, "cannot be written");
    return file;
}

/* IDX is big-endian: a magic number, then the sizes. */
static void write_words(FILE *file, const uint32_t *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t bytes[] = {(uint8_t)(words[i] >> 24), (uint8_t)(words[i] >> 16), (uint8_t)(words[i] >> 8),
                           (uint8_t)words[i]};

        fwrite(bytes, sizeof bytes, 1, file);
    }
}

static void close_file(FILE *file, const char *name)
{
    if (ferror(file) | fclose(file))
        bench_fail(name, "cannot be written whole");
}

static void write_split(const char *folder, const char *images_name, const char *labels_name, uint32_t count)
{
    FILE *images = open_file(folder, images_name), *labels = open_file(folder, labels_name);
    uint8_t pixels[PIXELS];

    write_words(images, (uint32_t[]){0x803, count, BENCH_SIDE, BENCH_SIDE}, 4);
    write_words(labels, (uint32_t[]){0x801, count}, 2);
    for (uint32_t i = 0; i < count; i++) {
        make_image(i, pixels);
        fwrite(pixels, sizeof pixels, 1, images);
        fputc((int)(i % BENCH_CLASSES), labels);
    }
    close_file(images, images_name);
    close_file(labels, labels_name);
}

void bench_dataset_write(const char *folder)
{
    write_split(folder, "train-images-idx3-ubyte", "train-labels-idx1-ubyte", BENCH_IMAGES);
    write_split(folder, "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", BENCH_TEST_IMAGES);
}

/* --- the trainer --- */

void bench_config(const struct bench_setup *setup, struct ff_config *config)
{
    ff_config_defaults(config);
    config->layer_count = setup->layers;
    for (uint32_t i = 0; i < setup->layers; i++)
        config->layers[i] = (struct ff_layer_config){.kind = FF_DENSE, .units = setup->units};
    config->batch_size = setup->batch;
    config->optimizer = setup->optimizer;
    config->negatives = FF_NEGATIVES_RANDOM; /* as the yardsticks have them */
    config->learning_rate.value[0] = 1e-5;
    config->epochs = 1000;
    config->evaluate_every = 1000;
}

struct running {
    struct ff_trainer *trainer;
    enum ff_outcome outcome;
    struct ff_error error;
};

static void *run_trainer(void *self)
{
    struct running *running = self;

    running->outcome = ff_trainer_run(running->trainer, &running->error);
    return NULL;
}

/* Wait until at least `step` steps are done; returns how many are, and when that was seen. */
static uint64_t wait_for_step(struct ff_trainer *trainer, uint64_t step, double *when)
{
    struct timespec moment = {0, POLL_NANOSECONDS};
    double patience = bench_now() + 60;
    struct ff_progress progress;

    for (;;) {
        ff_trainer_progress(trainer, &progress);
        *when = bench_now();
        if (progress.step >= step)
            return progress.step;
        if (*when > patience)
            bench_fail("the trainer", "made no step in a minute");
        nanosleep(&moment, NULL);
    }
}

/* From the instant a step ends to the instant one ends, so that long steps are not counted in halves. */
static double measure(struct ff_trainer *trainer, double seconds)
{
    double begin, end;
    uint64_t first = wait_for_step(trainer, WARM_UP_STEPS, &begin), last;
    struct timespec time = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};

    first = wait_for_step(trainer, first + 1, &begin);
    nanosleep(&time, NULL);
    last = wait_for_step(trainer, first + 1, &end);
    last = wait_for_step(trainer, last + 1, &end);
    return (double)(last - first) / (end - begin);
}

double bench_steps_of(const struct ff_config *config, struct ff_placement placement,
                      const struct ff_dataset *dataset, double seconds)
{
    struct ff_observer observer = {0};
    struct running running;
    pthread_t thread;
    double rate;

    openblas_set_num_threads(1); /* as the program does */
    running.trainer = ff_trainer_create(config, dataset, placement, &observer, NULL, &running.error);
    if (running.trainer == NULL)
        bench_fail("a trainer", running.error.message);
    if (pthread_create(&thread, NULL, run_trainer, &running) != 0)
        bench_fail("a thread", "cannot be started");
    rate = measure(running.trainer, seconds);
    ff_trainer_stop(running.trainer);
    pthread_join(thread, NULL);
    if (running.outcome == FF_FAILED)
        bench_fail("the run", running.error.message);
    ff_trainer_destroy(running.trainer);
    return rate;
}

double bench_steps(const struct bench_setup *setup, const struct ff_dataset *dataset, double seconds)
{
    struct ff_config config;

    bench_config(setup, &config);
    return bench_steps_of(&config, setup->placement, dataset, seconds);
}

/* --- its floor --- */

/* A layer's two products in training, on memory of its own. */
struct products {
    float *x, *w, *z, *gradient; /* [rows][inputs], [inputs][units], [rows][units], [inputs][units] */
    int rows, inputs, units;
};

float *bench_floats(size_t count)
{
    float *floats = ff_floats(count);

    if (floats == NULL)
        bench_fail("the floor", "not enough memory");
    for (size_t i = 0; i < count; i++)
        floats[i] = (float)(i % 7) * 0.1f;
    return floats;
}

static struct products make_products(uint32_t rows, uint32_t inputs, uint32_t units)
{
    return (struct products){.x = bench_floats((size_t)rows * inputs),
                             .w = bench_floats((size_t)inputs * units),
                             .z = bench_floats((size_t)rows * units),
                             .gradient = bench_floats((size_t)inputs * units),
                             .rows = (int)rows,
                             .inputs = (int)inputs,
                             .units = (int)units};
}

static void free_products(struct products *products)
{
    free(products->x);
    free(products->w);
    free(products->z);
    free(products->gradient);
}

static void multiply(const struct products *p, bool gradient)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, p->rows, p->units, p->inputs, 1, p->x, p->inputs, p->w,
                p->units, 0, p->z, p->units);
    if (gradient)
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, p->inputs, p->units, p->rows, 1, p->x, p->inputs, p->z,
                    p->units, 0, p->gradient, p->units);
}

/* Times a second that all layers' products are made: of `images` in the first, of `rows` in the others. */
static double products_rate(const struct bench_setup *setup, uint32_t images, uint32_t rows, bool gradient,
                            int threads, double seconds)
{
    struct products products[FF_LAYERS_MAX];
    double begin = 0;
    uint64_t times = 0;

    for (uint32_t i = 0; i < setup->layers; i++)
        products[i] =
            i == 0 ? make_products(images, PIXELS, setup->units) : make_products(rows, setup->units, setup->units);
    openblas_set_num_threads(threads);
    for (int round = 0; round == 0 || bench_now() - begin < seconds; round++) {
        for (uint32_t i = 0; i < setup->layers; i++)
            multiply(&products[i], gradient);
        if (round == 0) /* the first warms up */
            begin = bench_now();
        else
            times++;
    }
    seconds = bench_now() - begin;
    openblas_set_num_threads(1);
    for (uint32_t i = 0; i < setup->layers; i++)
        free_products(&products[i]);
    return (double)times / seconds;
}

double bench_floor(const struct bench_setup *setup, int threads, double seconds)
{
    return products_rate(setup, setup->batch, 2 * setup->batch, true, threads, seconds);
}

/* --- evaluation --- */

double bench_evaluation(const struct bench_setup *setup, const struct ff_dataset *dataset, uint32_t threads,
                        double seconds)
{
    struct ff_config config;
    struct ff_plan plan;
    struct ff_error error;
    struct ff_source *source;
    struct ff_stage *stage;
    struct ff_pool *pool;
    struct ff_message *message;
    double begin = 0;
    uint64_t images = 0;

    openblas_set_num_threads(1);
    bench_config(setup, &config);
    ff_plan_make(&plan, &config, dataset);
    source = ff_source_create(&plan, dataset, &error);
    stage = source ? ff_stage_create(&plan, 0, setup->layers, threads, &error) : NULL;
    pool = stage ? ff_pool_create(&plan, 1, &error) : NULL;
    if (pool == NULL)
        bench_fail("a stage", error.message);
    message = ff_pool_take(pool);
    for (int round = 0; round == 0 || bench_now() - begin < seconds; round++) {
        ff_source_forward(source, message, FF_TEST_SPLIT, 0, plan.forward_images);
        for (uint32_t image = 0; image < message->images; image++)
            ff_source_fill(source, message, image);
        ff_stage_handle(stage, message);
        if (round == 0)
            begin = bench_now();
        else
            images += message->images;
    }
    seconds = bench_now() - begin;
    ff_pool_return(pool, message);
    ff_pool_destroy(pool);
    ff_stage_destroy(stage);
    ff_source_destroy(source);
    return (double)images / seconds;
}

double bench_evaluation_floor(const struct bench_setup *setup, const struct ff_dataset *dataset, int threads,
                              double seconds)
{
    struct ff_config config;
    struct ff_plan plan;

    bench_config(setup, &config);
    ff_plan_make(&plan, &config, dataset);
    return plan.forward_images *
           products_rate(setup, plan.forward_images, plan.forward_images * plan.classes, false, threads, seconds);
}
