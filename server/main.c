/* main.c - the program: which command, and the order in which the daemon's parts are opened and closed. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <microhttpd.h>
#include <sqlite3.h>
#include <zip.h>
#include <zlib.h>

#include "api.h"
#include "blas.h"
#include "catalog.h"
#include "check.h"
#include "evaluate.h"
#include "http.h"
#include "hub.h"
#include "log.h"
#include "notify.h"
#include "options.h"
#include "preset.h"
#include "ranks_open.h"
#include "session.h"
#include "signals.h"
#include "store.h"
#include "together.h"
#include "token.h"
#include "train.h"

enum { FAILED = 1, HUB_BYTES = 8 << 20, END_SECONDS = 5 };

/* The daemon's parts, in the order in which they are opened; closed the other way round. */
struct daemon {
    const struct options *options;
    struct together together;
    struct store *store;
    struct hub *hub;
    struct catalog *catalog;
    struct session *session;
    struct answers *answers;
    struct token *token; /* NULL: none is asked for */
    struct api api;
    struct http *http;
};

static size_t wake_http(void *http)
{
    return http_wake(http);
}

static ff_status open_http(struct daemon *daemon, struct ff_error *error)
{
    struct http_options options = {.address = daemon->options->listen,
                                   .port = daemon->options->port,
                                   .allow_hosts = daemon->options->allow_hosts.values,
                                   .token = daemon->token,
                                   .api = &daemon->api};

    daemon->answers = answers_create(error);
    if (daemon->answers == NULL)
        return error->status;
    daemon->api = (struct api){.session = daemon->session,
                               .store = daemon->store,
                               .hub = daemon->hub,
                               .catalog = daemon->catalog,
                               .answers = daemon->answers,
                               .token = daemon->token};
    options.routes = api_routes(&options.route_count);
    daemon->http = http_start(&options, error);
    if (daemon->http == NULL)
        return error->status;
    hub_set_wake(daemon->hub, wake_http, daemon->http);
    return FF_OK;
}

/* Tests ask for a ring that is full sooner. */
static size_t hub_bytes(void)
{
    const char *text = getenv("GOODNESS_EVENT_BYTES");
    long bytes = text != NULL ? strtol(text, NULL, 10) : 0;

    return bytes > 0 ? (size_t)bytes : HUB_BYTES;
}

static ff_status open_all(struct daemon *daemon, struct ff_error *error)
{
    const char *token_file = daemon->options->token_file;

    if (token_file != NULL && (daemon->token = token_read(token_file, error)) == NULL)
        return error->status;
    daemon->store = store_open(daemon->options->state, error);
    if (daemon->store == NULL)
        return error->status;
    daemon->hub = hub_create(store_first_event(daemon->store), hub_bytes(), error);
    if (daemon->hub == NULL)
        return error->status;
    daemon->catalog = catalog_create_with(daemon->options->data.values, error);
    if (daemon->catalog == NULL)
        return error->status;
    daemon->session = session_create(daemon->store, daemon->hub, daemon->catalog, daemon->options->placement,
                                     daemon->together.crew, error);
    return daemon->session == NULL ? error->status : open_http(daemon, error);
}

/* Into the queue, if the configuration fits the data set. */
static ff_status submit_preset(struct daemon *daemon, struct run *run, struct ff_error *error)
{
    const struct ff_dataset *dataset = catalog_acquire(daemon->catalog, run->config.dataset, error);
    struct ff_error problem;
    ff_status status;

    if (dataset == NULL)
        return error->status;
    if (run_fits(&run->config, dataset, &problem) == FF_OK)
        status = session_submit(daemon->session, run, error);
    else
        status = ff_fail(error, FF_INVALID, "preset %s does not fit the data set %s: %.300s", run->preset,
                         run->config.dataset, problem.message);
    catalog_release(daemon->catalog, dataset);
    return status;
}

/* A run of the preset that --start names, when there has never been one. Without its data set the daemon still
 * serves: the pages say how to get it. */
static ff_status start_first_run(struct daemon *daemon, struct ff_error *error)
{
    const char *name = daemon->options->start;
    struct run *run;
    ff_status status;

    if (name == NULL || store_latest_run(daemon->store) != 0)
        return FF_OK;
    run = calloc(1, sizeof *run);
    if (run == NULL)
        return ff_fail_memory(error, "a run");
    snprintf(run->preset, sizeof run->preset, "%s", name);
    ff_preset_config(ff_preset_find(name), &run->config);
    status = submit_preset(daemon, run, error);
    free(run);
    if (status != FF_NOT_FOUND)
        return status;
    log_warning("no run was started: %s", error->message);
    return FF_OK;
}

/* Streams and requests end first, then the run under way (it becomes interrupted; those that wait stay queued),
 * then what all of them write to. */
static void close_all(struct daemon *daemon)
{
    daemon->api.closing = true;
    if (daemon->hub != NULL)
        hub_set_wake(daemon->hub, NULL, NULL);
    http_stop(daemon->http);
    answers_destroy(daemon->answers);
    session_destroy(daemon->session);
    catalog_destroy(daemon->catalog);
    hub_destroy(daemon->hub);
    store_close(daemon->store);
    token_destroy(daemon->token);
}

/* Scripts learn the port from this line, so nothing else is written to standard output. */
static void announce(const struct daemon *daemon)
{
    const char *address = daemon->options->listen;
    bool six = strchr(address, ':') != NULL;
    unsigned port = http_port(daemon->http);
    char line[128];

    snprintf(line, sizeof line, "listening on http://%s%s%s:%u", six ? "[" : "", address, six ? "]" : "", port);
    puts(line);
    fflush(stdout);
    notify_ready(line);
    log_info("goodness %s listens on %s port %u, keeps its runs in %s, BLAS kernel %s", GOODNESS_VERSION, address,
             port, daemon->options->state, ff_blas_kernel());
    if (http_warning(daemon->http) != NULL)
        log_warning("%s", http_warning(daemon->http));
}

/* Before there are threads: all of them allocate from one heap. glibc would give each of a dozen its own, and what
 * one frees would not be there for the next: they grow to the most that each has ever held, for hundreds of runs.
 * Already two, with which a run is asked for half as often again a second, hold 61 MiB after 170 runs of random
 * use, and more after each, where one stays at 36. Training does not allocate. */
static void share_heap(void)
{
#ifdef __GLIBC__ /* others have one heap */
    mallopt(M_ARENA_MAX, 1);
#endif
}

static void log_loss(void *self, const struct ranks_loss *loss)
{
    (void)self;
    log_warning(
        "rank %u does not answer any more: nothing was heard of it for %.1f s, in %.1f of which this process was "
        "at work; runs go on without it",
        loss->rank, loss->silent, loss->watched);
}

/* Until a signal asks to end. */
static int lead(struct daemon *daemon, struct ff_error *error)
{
    if (daemon->together.ranks != NULL)
        ranks_watch(daemon->together.ranks, log_loss, NULL);
    if (open_all(daemon, error) != FF_OK || start_first_run(daemon, error) != FF_OK)
        return FAILED;
    announce(daemon);
    while (!signals_came())
        signals_wait(-1);
    notify_stopping();
    log_info("a signal asks to end; a second one ends at once");
    signals_end_within(END_SECONDS);
    return 0;
}

static int serve(const struct options *options)
{
    struct daemon daemon = {.options = options};
    struct ff_error error;
    int status = FAILED;

    share_heap();
    log_set_up(options->log_format, options->log_level);
    signals_take();
    signals_ignore_pipe();
    if (ff_blas_check(&error) == FF_OK && together_open(&daemon.together, &error) == FF_OK)
        status = daemon.together.served ? 0 : lead(&daemon, &error);
    if (status != 0)
        fprintf(stderr, "goodness serve: %s\n", error.message);
    close_all(&daemon);
    together_close(&daemon.together);
    return status;
}

static int print_version(void)
{
    printf("goodness %s\n", GOODNESS_VERSION);
    printf("compiler: %s\n", __VERSION__);
    printf("BLAS kernel: %s\n", ff_blas_kernel());
    printf("libmicrohttpd %s, SQLite %s, cJSON %s, zlib %s, libzip %s\n", MHD_get_version(), sqlite3_libversion(),
           cJSON_Version(), zlibVersion(), zip_libzip_version());
    if (ranks_library() != NULL)
        printf("MPI: %s\n", ranks_library());
    return ferror(stdout) || fflush(stdout) != 0 ? FAILED : 0;
}

int main(int count, char **arguments)
{
    static struct options options; /* too large for a stack that may be small */
    int status = options_parse(&options, count, arguments, stdout, stderr);

    if (status != OPTIONS_GO)
        return status;
    switch (options.command) {
    case COMMAND_SERVE:
        return serve(&options);
    case COMMAND_TRAIN:
        return train_command(&options);
    case COMMAND_EVALUATE:
        return evaluate_command(&options);
    case COMMAND_CHECK:
        return check_command(&options);
    case COMMAND_VERSION:
        return print_version();
    }
    return FAILED;
}
