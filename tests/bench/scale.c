/* scale.c - what a line over 1 to 64 machines would train, from what is measured here: the time of every layer's
 * step and evaluation on one thread, and the speed of a link. And the same prediction beside a run that can be made
 * here: as many stages as there are processors.
 *
 *     bench_scale [LAYERS UNITS BATCH [GIGABITS]...]
 *
 * A machine is one thread like this one's; more of its threads shorten all stages alike. The line trains as fast as
 * its slowest stage, or its busiest link where that takes longer: sending goes on beside the work. */
#include <arpa/inet.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "blas.h"
#include "placement.h"
#include "plan.h"

enum { MACHINES_MAX = 64, KEPT = FF_SPANS_KEPT };

/* Of the network at hand, in seconds. */
struct measured {
    struct ff_plan plan;
    double step[FF_BLOCKS_MAX];    /* a layer's, of a batch */
    double forward[FF_BLOCKS_MAX]; /* of an image that is judged, under every label */
};

/* --- measuring ------------------------------------------------------------------------------------------------ */

/* The mean of each layer's newest spans in training. */
static void take_spans(struct ff_trainer *trainer, struct measured *measured)
{
    struct ff_span *spans = malloc(KEPT * sizeof *spans);
    size_t count = spans != NULL ? ff_trainer_timeline(trainer, spans, KEPT) : 0, seen[FF_BLOCKS_MAX] = {0};

    for (size_t i = 0; i < count; i++) {
        if (spans[i].kind != 0 || spans[i].step < 3)
            continue; /* the first touch their memory for the first time */
        measured->step[spans[i].layer] += 1e-9 * (double)(spans[i].end - spans[i].begin);
        seen[spans[i].layer]++;
    }
    for (uint32_t layer = 0; layer < measured->plan.blocks; layer++) {
        if (seen[layer] == 0)
            bench_fail("a layer's step", "took longer than the measuring");
        measured->step[layer] /= (double)seen[layer];
    }
    free(spans);
}

struct running {
    struct ff_trainer *trainer;
    struct ff_error error;
    uint64_t stop_at;
};

static void stop_in_time(void *self, const struct ff_point *points, size_t count)
{
    struct running *running = self;

    if (points[count - 1].step >= running->stop_at)
        ff_trainer_stop(running->trainer);
}

static void measure_steps(const struct bench_setup *setup, const struct ff_dataset *dataset,
                          struct measured *measured, uint64_t steps)
{
    struct running running = {.stop_at = steps};
    struct ff_observer observer = {.self = &running, .points = stop_in_time};
    struct ff_config config;

    bench_config(setup, &config);
    running.trainer =
        ff_trainer_create(&config, dataset, (struct ff_placement){1, 1}, &observer, NULL, &running.error);
    if (running.trainer == NULL || ff_trainer_run(running.trainer, &running.error) == FF_FAILED)
        bench_fail("the run", running.error.message);
    take_spans(running.trainer, measured);
    ff_trainer_destroy(running.trainer);
}

/* A layer's share of an evaluation is that of its products: the first multiplies an image once for all labels. */
static void measure_evaluation(const struct bench_setup *setup, const struct ff_dataset *dataset,
                               struct measured *measured)
{
    const struct ff_plan *plan = &measured->plan;
    double image = 1 / bench_evaluation(setup, dataset, 1, 3), all = 0;

    for (uint32_t layer = 0; layer < plan->layers; layer++)
        all += (double)plan->layer[layer].products * (layer == 0 ? 1 : plan->forward_rows);
    for (uint32_t layer = 0; layer < plan->layers; layer++)
        measured->forward[layer] =
            image * (double)plan->layer[layer].products * (layer == 0 ? 1 : plan->forward_rows) / all;
}

struct drain {
    int socket;
    size_t bytes;
};

static void *drain_socket(void *self)
{
    struct drain *drain = self;
    static char buffer[1 << 18];

    for (size_t left = drain->bytes; left > 0;) {
        ssize_t count = read(drain->socket, buffer, left < sizeof buffer ? left : sizeof buffer);

        if (count <= 0)
            break;
        left -= (size_t)count;
    }
    return NULL;
}

/* Bytes a second over TCP on the loopback, in messages of this size. */
static double measure_link(size_t message)
{
    int listener = socket(AF_INET, SOCK_STREAM, 0), out = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    size_t messages = 1 + ((size_t)1 << 30) / message;
    char *bytes = calloc(1, message);
    struct drain drain;
    pthread_t thread;
    double begun;

    if (bytes == NULL || bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &size) != 0 ||
        connect(out, (struct sockaddr *)&address, size) != 0)
        bench_fail("a link", "the loopback cannot be used");
    drain = (struct drain){accept(listener, NULL, NULL), messages * message};
    begun = bench_now();
    if (pthread_create(&thread, NULL, drain_socket, &drain) != 0)
        bench_fail("a thread", "cannot be started");
    for (size_t i = 0; i < messages; i++) {
        for (size_t sent = 0; sent < message;) {
            ssize_t count = write(out, bytes + sent, message - sent);

            if (count <= 0)
                bench_fail("a link", "the other end is gone");
            sent += (size_t)count;
        }
    }
    pthread_join(thread, NULL);
    close(drain.socket);
    close(out);
    close(listener);
    free(bytes);
    return (double)(messages * message) / (bench_now() - begun);
}

/* --- predicting ----------------------------------------------------------------------------------------------- */

struct prediction {
    double rate;  /* samples a second of training, evaluation left out */
    double epoch; /* seconds of one with its evaluation */
    double alone; /* training seconds of an epoch */
    char bottleneck[40];
};

static void name(struct prediction *prediction, double *longest, double seconds, const char *what, uint32_t layer)
{
    if (seconds <= *longest)
        return;
    *longest = seconds;
    snprintf(prediction->bottleneck, sizeof prediction->bottleneck, what, layer);
}

/* `link`: bytes a second, infinite within a machine. */
static struct prediction predict(const struct measured *measured, uint32_t machines, double link)
{
    const struct ff_plan *plan = &measured->plan;
    uint32_t stages = machines < plan->blocks ? machines : plan->blocks;
    struct prediction prediction = {0};
    double step = 0, forward = 0, images = plan->config.batch_size;

    for (uint32_t stage = 0, first = 0; stage < stages; stage++) {
        uint32_t count = ff_placement_layers(plan, first, stages - stage);
        double work = 0, judging = 0, row;

        for (uint32_t layer = first; layer < first + count; layer++) {
            work += measured->step[layer];
            judging += measured->forward[layer];
        }
        name(&prediction, &step, work,
             count == plan->blocks ? "the machine"
             : count == 1          ? "layer %u"
                                   : "stage from layer %u",
             first);
        forward = fmax(forward, judging);
        first += count;
        if (stage + 1 == stages)
            break;
        row = plan->layer[first - 1].width * sizeof(float);
        name(&prediction, &step, images * plan->rows_per_image * row / link, "link above layer %u", first - 1);
        forward = fmax(forward, plan->forward_rows * row / link);
    }
    prediction.rate = images / step;
    prediction.alone = plan->train_images / prediction.rate;
    prediction.epoch = prediction.alone + BENCH_TEST_IMAGES * forward;
    return prediction;
}

static void print_table(const struct measured *measured, double gigabits)
{
    double one = predict(measured, 1, INFINITY).rate;

    printf("\nat %g Gbit/s\n machines  samples/s  speed-up  epoch s  of it evaluation  bottleneck\n", gigabits);
    for (uint32_t machines = 1; machines <= MACHINES_MAX; machines *= 2) {
        struct prediction prediction = predict(measured, machines, gigabits * 1e9 / 8);

        printf("%9u  %9.0f  %8.2f  %7.2f  %15.0f%%  %s%s\n", machines, prediction.rate, prediction.rate / one,
               prediction.epoch, 100 * (1 - prediction.alone / prediction.epoch), prediction.bottleneck,
               machines > measured->plan.blocks ? " (more machines than layers: some idle)" : "");
    }
}

/* --- checking ------------------------------------------------------------------------------------------------- */

static void check(const struct bench_setup *setup, const struct ff_dataset *dataset,
                  const struct measured *measured)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    uint32_t most = processors < 1 ? 1 : (uint32_t)processors;

    printf("\nmeasured here, stages on threads beside the prediction without links\n stages  samples/s  predicted  "
           "ratio\n");
    for (uint32_t stages = 1; stages <= most && stages <= setup->layers; stages++) {
        struct bench_setup placed = *setup;
        double found, expected = predict(measured, stages, INFINITY).rate;

        placed.placement = (struct ff_placement){stages, 1};
        found = setup->batch * bench_steps(&placed, dataset, 6);
        printf("%7u  %9.0f  %9.0f  %5.2f\n", stages, found, expected, found / expected);
    }
}

int main(int count, char **arguments)
{
    struct bench_setup setup = {
        .layers = 4, .units = 2000, .batch = 200, .optimizer = FF_ADAM, .placement = {1, 1}};
    static struct measured measured;
    struct ff_dataset dataset;
    struct ff_config config;
    struct ff_error error;

    if (ff_blas_check(&error) != FF_OK) /* one thread from now on, as in the program */
        bench_fail("BLAS", error.message);
    if (count >= 4) {
        setup.layers = bench_number(arguments[1]);
        setup.units = bench_number(arguments[2]);
        setup.batch = bench_number(arguments[3]);
    }
    bench_dataset_make(&dataset);
    bench_config(&setup, &config);
    ff_plan_make(&measured.plan, &config, &dataset);
    measure_steps(&setup, &dataset, &measured, 20);
    measure_evaluation(&setup, &dataset, &measured);
    printf("784-%ux%u, batch %u, one thread\n", setup.layers, setup.units, setup.batch);
    for (uint32_t layer = 0; layer < measured.plan.layers; layer++)
        printf("layer %u: %.2f ms a step, %.3f ms an image judged; %.2f MB a boundary\n", layer,
               1e3 * measured.step[layer], 1e3 * measured.forward[layer],
               1e-6 * measured.plan.rows_per_image * setup.batch * measured.plan.layer[layer].width *
                   sizeof(float));
    printf("TCP on the loopback: %.1f Gbit/s\n",
           8e-9 * measure_link((size_t)setup.batch * 2 * setup.units * sizeof(float)));
    if (count <= 4) {
        print_table(&measured, 10);
        print_table(&measured, 100);
    }
    for (int i = 4; i < count; i++)
        print_table(&measured, strtod(arguments[i], NULL));
    check(&setup, &dataset, &measured);
    bench_dataset_free(&dataset);
    return 0;
}
