/* api_prometheus.c - GET /metrics: what Prometheus scrapes. server/README.md lists the names. */
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "api.h"
#include "blas.h"
#include "prometheus.h"

/* --- the process ---------------------------------------------------------------------------------------------- */

static size_t count_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    size_t count = 0;

    if (folder == NULL)
        return 0;
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder))
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count > 0 ? count - 1 : 0; /* without the folder's own */
}

/* When the process began, in seconds since 1970; NaN where the system does not tell. */
static double start_time(void)
{
    FILE *file = fopen("/proc/self/stat", "r");
    char line[1024], *name_end;
    unsigned long long ticks;
    struct timespec date, up;
    double start = NAN;

    if (file == NULL)
        return NAN;
    if (fgets(line, sizeof line, file) != NULL && (name_end = strrchr(line, ')')) != NULL &&
        /* NOLINTNEXTLINE(cert-err34-c): the kernel's own number fits */
        sscanf(name_end + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
               &ticks) == 1 &&
        clock_gettime(CLOCK_REALTIME, &date) == 0 && clock_gettime(CLOCK_BOOTTIME, &up) == 0)
        start = (double)date.tv_sec - (double)up.tv_sec + (double)ticks / (double)sysconf(_SC_CLK_TCK);
    fclose(file);
    return start;
}

static void write_memory(FILE *out)
{
    FILE *file = fopen("/proc/self/statm", "r");
    unsigned long long pages, resident;
    double page = (double)sysconf(_SC_PAGESIZE);

    if (file == NULL)
        return;
    /* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers fit */
    if (fscanf(file, "%llu %llu", &pages, &resident) == 2) {
        prometheus_single(out, "process_resident_memory_bytes", "gauge", "Memory that is held.",
                          (double)resident * page);
        prometheus_single(out, "process_virtual_memory_bytes", "gauge", "Memory that is mapped.",
                          (double)pages * page);
    }
    fclose(file);
}

static void write_process(FILE *out)
{
    struct rusage usage;
    struct rlimit limit;

    write_memory(out);
    prometheus_single(out, "process_open_fds", "gauge", "Descriptors that are open.", (double)count_descriptors());
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        prometheus_single(out, "process_max_fds", "gauge", "Descriptors that may be open.",
                          limit.rlim_cur == RLIM_INFINITY ? INFINITY : (double)limit.rlim_cur);
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        prometheus_single(out, "process_cpu_seconds_total", "counter", "Processor time used.",
                          (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                              1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec));
    prometheus_single(out, "process_start_time_seconds", "gauge", "When it was started, since 1970.", start_time());
}

static void write_build(FILE *out)
{
    prometheus_family(out, "goodness_build_info", "gauge", "1, with what this program is in its labels.");
    prometheus_sample(out, "goodness_build_info", 1, "version", GOODNESS_VERSION, "build", GOODNESS_BUILD_TYPE,
                      "compiler", __VERSION__, "blas_kernel", ff_blas_kernel(), NULL);
}

/* --- store and hub -------------------------------------------------------------------------------------------- */

static void write_store(struct api *api, FILE *out)
{
    struct store_backlog backlog;
    char sentence[512];

    store_look(api->store, &backlog);
    prometheus_single(out, "goodness_store_queued_rows", "gauge", "Rows of points that wait to be written.",
                      (double)backlog.rows);
    prometheus_single(out, "goodness_store_queued_epochs", "gauge", "Epochs that wait to be written.",
                      (double)backlog.epochs);
    prometheus_single(out, "goodness_store_lost_points", "gauge", "Points given up since the store was last well.",
                      (double)backlog.lost_points);
    prometheus_single(out, "goodness_store_trouble", "gauge", "1 while the store cannot write.",
                      store_trouble(api->store, sentence, sizeof sentence) ? 1 : 0);
}

static void write_hub(struct api *api, FILE *out)
{
    prometheus_single(out, "goodness_events_total", "counter", "Events told to streams since the daemon started.",
                      (double)(hub_newest(api->hub) - hub_oldest(api->hub) + 1));
    prometheus_single(out, "goodness_events_dropped_total", "counter",
                      "Times that a stream's reader was too slow, and was told where to ask for the rest.",
                      (double)hub_dropped(api->hub));
}

static void write_token(struct api *api, FILE *out)
{
    if (api->token != NULL)
        prometheus_single(out, "goodness_token_failures_total", "counter",
                          "Wrong tokens, and those that were not looked at since too many had been wrong.",
                          (double)token_failures(api->token));
}

/* --- runs ----------------------------------------------------------------------------------------------------- */

static void write_states(struct api *api, FILE *out)
{
    uint64_t counts[RUN_STATES];

    if (!store_count_runs(api->store, counts))
        return;
    prometheus_family(out, "goodness_runs", "gauge", "Runs that are kept, by state.");
    for (enum run_state state = RUN_QUEUED; state < RUN_STATES; state++)
        prometheus_sample(out, "goodness_runs", (double)counts[state], "state", run_state_name(state), NULL);
}

/* Of the run that holds the trainer. What is not known yet is left out, and so is its family. */
static void write_figure(FILE *out, const char *run, const char *name, const char *help, double value)
{
    if (!isfinite(value))
        return;
    prometheus_family(out, name, "gauge", help);
    prometheus_sample(out, name, value, "run", run, NULL);
}

static void write_progress(FILE *out, const char *id, const struct run *run)
{
    const struct ff_progress *progress = &run->progress;

    write_figure(out, id, "goodness_run_paused", "1 while the run is paused.", run->state == RUN_PAUSED ? 1 : 0);
    write_figure(out, id, "goodness_run_step", "Steps that are done.", (double)progress->step);
    write_figure(out, id, "goodness_run_steps", "Steps that are to be done.", (double)progress->steps);
    write_figure(out, id, "goodness_run_epoch", "The epoch under way, from 1.", progress->epoch);
    write_figure(out, id, "goodness_run_epochs", "Epochs that there will be.", progress->epochs);
    write_figure(out, id, "goodness_run_elapsed_seconds", "Time it has trained and evaluated.", progress->elapsed);
    write_figure(out, id, "goodness_run_remaining_seconds", "Time that is left.", progress->remaining);
    write_figure(out, id, "goodness_run_evaluating_seconds", "Time it has evaluated.", progress->evaluating);
    write_figure(out, id, "goodness_run_images_per_second", "Images trained a second.",
                 progress->samples_per_second);
    if (run->last.epoch > 0) {
        write_figure(out, id, "goodness_run_train_error", "Of the last epoch, a fraction of 1.",
                     run->last.train_error);
        write_figure(out, id, "goodness_run_test_error", "Of the last epoch, a fraction of 1.",
                     run->last.test_error);
    }
    if (run->best.epoch > 0)
        write_figure(out, id, "goodness_run_best_test_error", "Lowest so far, a fraction of 1.",
                     run->best.test_error);
}

static void write_layer_figure(FILE *out, const char *run, size_t layer, const char *name, const char *data,
                               double value)
{
    char number[24];

    snprintf(number, sizeof number, "%zu", layer);
    if (!isfinite(value))
        return;
    if (data != NULL)
        prometheus_sample(out, name, value, "run", run, "layer", number, "data", data, NULL);
    else
        prometheus_sample(out, name, value, "run", run, "layer", number, NULL);
}

static void write_layers(FILE *out, const char *id, const struct ff_epoch *epoch)
{
    prometheus_family(out, "goodness_layer_goodness", "gauge",
                      "Mean goodness of positive and of negative data, over the last epoch.");
    for (size_t i = 0; i < epoch->layers; i++) {
        write_layer_figure(out, id, i, "goodness_layer_goodness", "positive", (double)epoch->layer[i].positive);
        write_layer_figure(out, id, i, "goodness_layer_goodness", "negative", (double)epoch->layer[i].negative);
    }
    prometheus_family(out, "goodness_layer_loss", "gauge", "Mean loss of a pair, over the last epoch.");
    for (size_t i = 0; i < epoch->layers; i++)
        write_layer_figure(out, id, i, "goodness_layer_loss", NULL, (double)epoch->layer[i].loss);
    prometheus_family(out, "goodness_layer_accuracy", "gauge",
                      "Share of pairs that the layer told apart, over the last epoch.");
    for (size_t i = 0; i < epoch->layers; i++)
        write_layer_figure(out, id, i, "goodness_layer_accuracy", NULL, (double)epoch->layer[i].accuracy);
}

static void write_current(struct api *api, FILE *out)
{
    int64_t current = session_current(api->session);
    struct ff_error error;
    struct run run;
    char id[24];

    if (current == 0 || session_get(api->session, current, &run, &error) != FF_OK)
        return;
    snprintf(id, sizeof id, "%lld", (long long)current);
    write_progress(out, id, &run);
    if (run.last.epoch > 0)
        write_layers(out, id, &run.last);
}

void api_prometheus(struct api *api, const struct request *request, struct response *response)
{
    struct text text;

    if (!api_no_query(request, response))
        return;
    text_open(&text);
    if (text.stream != NULL) {
        write_build(text.stream);
        write_process(text.stream);
        request_write_metrics(request, text.stream);
        write_token(api, text.stream);
        write_store(api, text.stream);
        write_hub(api, text.stream);
        write_states(api, text.stream);
        write_current(api, text.stream);
    }
    api_respond_text(response, PROMETHEUS_TYPE, &text);
}
