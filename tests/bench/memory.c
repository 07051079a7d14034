/* memory.c - the most memory that `goodness train` has held, for several networks, beside what it may hold:
 *
 *     weights x 4 bytes x (2 + the optimizer's copies) + messages + the data set as it is stored + 30 MB
 *
 *     memory GOODNESS FOLDER      the program, and a folder with the synthetic data set (data.c) */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"
#include "message.h"
#include "optimizer.h"

/* This process must stay smaller than what it measures: the system counts a child's memory from before its exec. It
 * therefore knows the data set by its sizes alone. */
static const struct ff_dataset dataset = {.shape = {1, BENCH_SIDE, BENCH_SIDE},
                                          .classes = BENCH_CLASSES,
                                          .train = {.count = BENCH_IMAGES},
                                          .test = {.count = BENCH_TEST_IMAGES}};

static const struct bench_setup setups[] = {
    {2, 500, 1, FF_SGD, {1, 1}},         {2, 500, 100, FF_ADAM, {1, 2}},  {2, 1000, 200, FF_ADAM, {1, 2}},
    {2, 1000, 200, FF_ADAM, {2, 1}},     {4, 2000, 100, FF_SGD, {1, 2}},  {4, 2000, 100, FF_MOMENTUM, {1, 2}},
    {4, 2000, 100, FF_MOMENTUM, {2, 1}}, {4, 2000, 100, FF_ADAM, {1, 2}},
};

/* --- what it may hold --- */

/* The messages of the line, and the spare of every stage. */
static double message_bytes(const struct ff_plan *plan, struct ff_placement placement)
{
    uint32_t messages = ff_placement_messages(plan, placement);
    struct ff_error error;
    struct ff_pool *pool = ff_pool_create(plan, messages, &error);
    double bytes;

    if (pool == NULL)
        bench_fail("messages", error.message);
    bytes = (double)ff_pool_bytes(pool) + 4.0 * (double)plan->capacity * placement.stages;
    ff_pool_destroy(pool);
    return bytes;
}

static double allowed_bytes(const struct bench_setup *setup, uint64_t *parameters)
{
    struct ff_config config;
    struct ff_plan plan;

    bench_config(setup, &config);
    ff_plan_make(&plan, &config, &dataset);
    *parameters = plan.parameters;
    return 4.0 * (double)plan.parameters * (2 + ff_optimizer_states(setup->optimizer)) +
           message_bytes(&plan, setup->placement) +
           (double)(BENCH_IMAGES + BENCH_TEST_IMAGES) * BENCH_SIDE * BENCH_SIDE + 30e6;
}

/* --- what it has held --- */

static char run[] = "/tmp/goodness-bench-XXXXXX"; /* the file of the run at hand */

/* The run as a file: an epoch of some images with its evaluation. */
static void write_run(const struct bench_setup *setup)
{
    FILE *file = fopen(run, "w");

    if (file == NULL)
        bench_fail(run, "cannot be written");
    fprintf(file,
            "{\"config\": {\"dataset\": \"synthetic\", \"epochs\": 1, \"train_limit\": %u, \"test_limit\": 500, "
            "\"train_error_samples\": 500, \"batch_size\": %u, \"optimizer\": \"%s\", \"learning_rate\": 1e-5, "
            "\"layers\": [",
            setup->batch == 1 ? 500u : 2000u, setup->batch, ff_config_choice("optimizer", (int)setup->optimizer));
    for (uint32_t i = 0; i < setup->layers; i++)
        fprintf(file, "%s%u", i == 0 ? "" : ", ", setup->units);
    fprintf(file, "]}, \"placement\": {\"stages\": %u, \"threads\": %u}}\n", setup->placement.stages,
            setup->placement.threads);
    if (fclose(file) != 0)
        bench_fail(run, "cannot be written whole");
}

/* Bytes that the program held at its peak while it trained the run. */
static double held_bytes(const char *program, const char *folder)
{
    char data[4096];
    char *arguments[] = {"goodness", "train", "--data", data, run, NULL};
    posix_spawn_file_actions_t actions;
    struct rusage usage;
    int status;
    pid_t child;

    snprintf(data, sizeof data, "synthetic=%s", folder);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    if (posix_spawn(&child, program, &actions, NULL, arguments, environ) != 0)
        bench_fail(program, "cannot be started");
    posix_spawn_file_actions_destroy(&actions);
    if (wait4(child, &status, 0, &usage) != child || status != 0)
        bench_fail(program, "did not train the run");
    return 1024.0 * (double)usage.ru_maxrss;
}

static void measure(const struct bench_setup *setup, const char *program, const char *folder)
{
    char name[64];
    uint64_t parameters;
    double allowed = allowed_bytes(setup, &parameters), held;

    write_run(setup);
    held = held_bytes(program, folder);
    snprintf(name, sizeof name, "784-%ux%u, batch %u, %s, %u x %u", setup->layers, setup->units, setup->batch,
             ff_config_choice("optimizer", (int)setup->optimizer), setup->placement.stages,
             setup->placement.threads);
    printf("%-40s %7.1f MB (%5.1f bytes a parameter)   allowed %7.1f MB   %.3f of it\n", name, held / 1e6,
           held / (double)parameters, allowed / 1e6, held / allowed);
    fflush(stdout);
}

static void remove_run(void)
{
    unlink(run);
}

int main(int count, char **arguments)
{
    int fd;

    if (count != 3)
        bench_fail("usage", "memory GOODNESS FOLDER");
    fd = mkstemp(run);
    if (fd < 0)
        bench_fail(run, "cannot be written");
    close(fd);
    atexit(remove_run);
    for (size_t i = 0; i < sizeof setups / sizeof setups[0]; i++)
        measure(&setups[i], arguments[1], arguments[2]);
    return 0;
}
