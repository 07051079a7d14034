/* scale.c - what a line over 1 to 64 machines would train, from what is measured here: the time of every layer's
 * step and evaluation on one thread, and the speed of a link. And the same prediction beside a run that can be made
 * here: as many stages as there are processors.
 *
 *     bench_scale [LAYERS UNITS BATCH [GIGABITS[:MILLISECONDS]]...]
 *
 * A link has a speed (0: no limit) and a delay, one way. A machine is one thread like this one's; more of its
 * threads shorten all stages alike. The line trains as fast as its slowest stage, or its busiest link where that
 * takes longer: sending goes on beside the work. Delay costs nothing as long as enough messages are under way:
 * there are as many as the line's pool has, and each comes back before it goes out again, so that a step takes at
 * least a message's whole way, divided by how many are on it. */
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

struct link {
    double gigabits, delay; /* a second; seconds one way */
};
static const struct link within_a_machine = {INFINITY, 0};

/* A large parcel asks before it comes, is called, and comes (an MPI library's rendezvous); a small one just comes.
 */
enum { WAYS_LARGE = 3, WAYS_SMALL = 1 };

struct prediction {
    double rate;  /* samples a second of training, evaluation left out */
    double epoch; /* seconds of one with its evaluation */
    double alone; /* training seconds of an epoch */
    uint32_t messages;
    double hidden; /* seconds of delay, one way, that would cost nothing: under way */
    char bottleneck[40];
};

static void name(struct prediction *prediction, double *longest, double seconds, const char *what, uint32_t layer)
{
    if (seconds <= *longest)
        return;
    *longest = seconds;
    snprintf(prediction->bottleneck, sizeof prediction->bottleneck, what, layer);
}

/* What a message meets on its way, in seconds. */
struct way {
    double step, forward; /* of the slowest, in training and of an image that is judged */
    double all, ways;     /* a message's whole way without delays; and how many delays it has */
};

static void add_stage(const struct measured *measured, uint32_t first, uint32_t count, struct way *way,
                      struct prediction *prediction)
{
    double work = 0, judging = 0;

    for (uint32_t layer = first; layer < first + count; layer++) {
        work += measured->step[layer];
        judging += measured->forward[layer];
    }
    name(prediction, &way->step, work,
         count == measured->plan.blocks ? "the machine"
         : count == 1                   ? "layer %u"
                                        : "stage from layer %u",
         first);
    way->forward = fmax(way->forward, judging);
    way->all += work;
}

static void add_link(const struct ff_plan *plan, uint32_t below, struct link link, struct way *way,
                     struct prediction *prediction)
{
    double row = plan->layer[below].width * sizeof(float), bytes = link.gigabits * 1e9 / 8;
    double sending = plan->config.batch_size * plan->rows_per_image * row / bytes;

    name(prediction, &way->step, sending, "link above layer %u", below);
    way->forward = fmax(way->forward, plan->forward_rows * row / bytes);
    way->all += sending;
    way->ways += WAYS_LARGE;
}

static struct prediction predict(const struct measured *measured, uint32_t machines, struct link link)
{
    const struct ff_plan *plan = &measured->plan;
    uint32_t stages = machines < plan->blocks ? machines : plan->blocks;
    struct prediction prediction = {.messages = ff_placement_messages(plan, (struct ff_placement){stages, 1})};
    struct way way = {.ways = WAYS_SMALL}; /* back */

    for (uint32_t stage = 0, first = 0; stage < stages; stage++) {
        uint32_t count = ff_placement_layers(plan, first, stages - stage);

        add_stage(measured, first, count, &way, &prediction);
        first += count;
        if (stage + 1 < stages)
            add_link(plan, first - 1, link, &way, &prediction);
    }
    prediction.hidden = stages > 1 ? fmax(0, prediction.messages * way.step - way.all) / way.ways : 0;
    if (stages > 1)
        name(&prediction, &way.step, (way.all + way.ways * link.delay) / prediction.messages,
             "the delay, with %u messages", prediction.messages);
    prediction.rate = plan->config.batch_size / way.step;
    prediction.alone = plan->train_images / prediction.rate;
    prediction.epoch = prediction.alone + BENCH_TEST_IMAGES * way.forward;
    return prediction;
}

static void print_table(const struct measured *measured, struct link link)
{
    double one = predict(measured, 1, within_a_machine).rate;

    printf("\nat ");
    if (isfinite(link.gigabits))
        printf("%g Gbit/s", link.gigabits);
    else
        printf("any speed");
    printf(", %g ms\n machines  samples/s  speed-up  epoch s  of it evaluation  under way  hides ms  bottleneck\n",
           1e3 * link.delay);
    for (uint32_t machines = 1; machines <= MACHINES_MAX; machines *= 2) {
        struct prediction prediction = predict(measured, machines, link);

        printf("%9u  %9.0f  %8.2f  %7.2f  %15.0f%%  %9u  %8.1f  %s%s\n", machines, prediction.rate,
               prediction.rate / one, prediction.epoch, 100 * (1 - prediction.alone / prediction.epoch),
               prediction.messages, 1e3 * prediction.hidden, prediction.bottleneck,
               machines > measured->plan.blocks ? " (more machines than layers: some idle)" : "");
    }
}

/* "10" or "10:0.5" */
static struct link read_link(const char *text)
{
    char *end;
    double gigabits = strtod(text, &end), delay = *end == ':' ? strtod(end + 1, &end) : 0;

    if (end == text || *end != '\0' || gigabits < 0 || delay < 0)
        bench_fail(text, "is no GIGABITS[:MILLISECONDS]");
    return (struct link){gigabits > 0 ? gigabits : INFINITY, 1e-3 * delay};
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
        double found, expected = predict(measured, stages, within_a_machine).rate;

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
        print_table(&measured, read_link("10"));
        print_table(&measured, read_link("100"));
    }
    for (int i = 4; i < count; i++)
        print_table(&measured, read_link(arguments[i]));
    check(&setup, &dataset, &measured);
    bench_dataset_free(&dataset);
    return 0;
}
