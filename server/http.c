/* http.c - the daemons, and what the library calls: fields, body, answer, streams.
 *
 * Who has nothing to say yet is suspended (waiting.h) and looks again at the next wake. */
#include "http.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "http_private.h"
#include "log.h"
#include "prometheus.h"
#include "tally.h"
#include "timing.h"

enum {
    CONNECTIONS_PROMISED = 1024,
    CONNECTIONS_SPARE = 3072,      /* beyond the promise, to be told 503 */
    CONNECTION_MEMORY = 80 * 1024, /* 64 KiB of fields, and what belongs to them */
    CONNECTION_SPARE_SECONDS = 5,  /* that a connection may be silent longer than a request may take to arrive */
    DESCRIPTORS = 16384,           /* two daemons with all their connections, and the files of the rest */
    STOP_SECONDS = 2
};

size_t http_wake(struct http *http)
{
    return waiting_wake(&http->waiting);
}

/* --- requests ------------------------------------------------------------------------------------------------- */

static struct MHD_Response *build_response(struct request *request)
{
    struct MHD_Response *built;

    if (request->response.answer == ANSWER_STREAM)
        return stream_build(request);
    built = response_build(&request->response);
    if (built != NULL && strcmp(request->method, "HEAD") != 0)
        atomic_store(&request->sent, request->response.length);
    return built;
}

static enum MHD_Result send_response(struct request *request)
{
    struct MHD_Response *built;
    enum MHD_Result result;

    if (!arrival_whole(request->connection_arrival) || (built = build_response(request)) == NULL)
        return MHD_NO;
    if (request_is_last(request) || waiting_is_closing(&request->http->waiting))
        MHD_add_response_header(built, "Connection", "close");
    request->answered = request->response.status;
    tally_request(request->http->tally, request->match.route, request->answered,
                  timing_seconds() - request->arrived);
    result = MHD_queue_response(request->connection, request->response.status, built);
    MHD_destroy_response(built);
    return result;
}

/* Call the handler until it has an answer, or the connection waits for the next wake. */
static enum MHD_Result answer_request(struct request *request)
{
    struct http *http = request->http;

    while (!request_is_answered(request)) {
        uint64_t wakes = waiting_wakes(&http->waiting);
        double deadline;

        request->last_try = waiting_is_closing(&http->waiting) ||
                            (request->waiter.deadline > 0 && timing_seconds() >= request->waiter.deadline);
        request->handler(http->options.api, request, &request->response);
        if (request->response.answer != ANSWER_LATER)
            break;
        deadline = request->arrived + request->response.seconds;
        response_clear(&request->response);
        if (request->last_try)
            respond_problem(&request->response, 503, "the daemon is ending");
        request->waiter.deadline = deadline;
        if (!request->last_try && waiting_suspend(&http->waiting, &request->waiter, wakes))
            return MHD_YES;
    }
    return send_response(request);
}

/* A sender who waits for "100 Continue" is told at once that the body is not wanted, and so is one whose body has
 * no end to wait for. The library ends such a connection only for POST; for other methods the body is read and
 * thrown away. */
static bool may_answer_early(const struct request *request)
{
    const char *length = request_header(request, "Content-Length");

    return request->endless || (request_is_answered(request) && strcmp(request->method, "POST") == 0 &&
                                (request_header(request, "Expect") != NULL ||
                                 (length != NULL && strtoull(length, NULL, 10) > HTTP_DRAIN_MAX)));
}

/* The connection's, noted when it was opened. */
static struct arrival_connection *arrival_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    return info != NULL ? info->socket_context : NULL;
}

/* Whoever watches over the daemon learns that it is alive even then. */
static bool is_too_many(const struct request *request)
{
    const struct arrival_connection *connection = request->connection_arrival;

    return (connection == NULL || connection->extra) && strcmp(request->path, "/healthz") != 0;
}

static enum MHD_Result begin_request(struct request *request, const char *version)
{
    struct http *http = request->http;

    request_begin(request, version, &http->gate, &http->options);
    if (is_too_many(request)) {
        respond_problem(&request->response, 503, "too many connections: more than %d", CONNECTIONS_PROMISED);
        request->last = true;
        atomic_fetch_add(&http->refused, 1);
    }
    return may_answer_early(request) ? send_response(request) : MHD_YES;
}

/* The library's three calls: fields, some body (any number of times), the end; after a resume, the end again. */
static enum MHD_Result handle(void *self, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *data, size_t *size, void **context)
{
    struct request *request = *context;

    (void)self;
    (void)url;
    if (request == NULL)
        return MHD_NO;
    if (!request->begun) {
        request->connection = request->waiter.connection = connection;
        request->connection_arrival = arrival_of(connection);
        request->method = method;
        return begin_request(request, version);
    }
    if (*size > 0) {
        if (!request_take(request, data, *size))
            return MHD_NO;
        *size = 0;
        return MHD_YES;
    }
    if (!arrival_whole(request->connection_arrival))
        return MHD_NO;
    if (!request->whole)
        request_finish_body(request);
    return request_is_answered(request) ? send_response(request) : answer_request(request);
}

/* The request line is there: the library's own idea of the path (which ends at %00) is not used. */
static void *note_target(void *self, const char *target, struct MHD_Connection *connection)
{
    struct http *http = self;
    struct request *request = request_create(http, target);

    (void)connection;
    if (request != NULL)
        waiting_enter(&http->waiting);
    return request;
}

/* Of a request that ends. The query stays out of the log, as whatever else a request holds. */
static void note_request(struct http *http, const struct request *request)
{
    if (request->answered == 0) {
        atomic_fetch_add(&http->unanswered, 1);
        log_debug("%s %s ended without an answer after %.1f ms", request->begun ? request->method : "a request for",
                  request->path, 1e3 * (timing_seconds() - request->arrived));
        return;
    }
    log_debug("%s %s %u %llu bytes %.1f ms", request->method, request->path, request->answered,
              (unsigned long long)atomic_load(&request->sent), 1e3 * (timing_seconds() - request->arrived));
}

static void end_request(void *self, struct MHD_Connection *connection, void **context,
                        enum MHD_RequestTerminationCode code)
{
    struct http *http = self;
    struct request *request = *context;

    (void)code;
    arrival_end(arrival_of(connection));
    if (request == NULL)
        return;
    note_request(http, request);
    bell_silence(request->bell);
    waiting_forget(&http->waiting, &request->waiter);
    request_destroy(request);
    *context = NULL;
    waiting_leave(&http->waiting);
}

static void watch_connection(void *self, struct MHD_Connection *connection, void **context,
                             enum MHD_ConnectionNotificationCode code)
{
    struct http *http = self;
    const union MHD_ConnectionInfo *info;

    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        arrival_close(&http->arrival, *context);
        return;
    }
    info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    *context = info != NULL ? arrival_open(&http->arrival, info->connect_fd, CONNECTIONS_PROMISED) : NULL;
}

/* --- what is counted ------------------------------------------------------------------------------------------ */

void request_write_metrics(const struct request *request, FILE *out)
{
    struct http *http = request->http;

    tally_write(http->tally, out);
    prometheus_single(out, "goodness_http_requests_unanswered_total", "counter",
                      "Requests that ended before they were answered: left by who sent them, late, or not HTTP.",
                      (double)atomic_load(&http->unanswered));
    prometheus_single(out, "goodness_http_requests_late_total", "counter",
                      "Requests that did not arrive whole in time, answered 408.",
                      (double)atomic_load(&http->arrival.late));
    prometheus_single(out, "goodness_http_requests_refused_total", "counter",
                      "Requests on more connections than are promised, answered 503.",
                      (double)atomic_load(&http->refused));
    prometheus_single(out, "goodness_http_connections", "gauge", "Connections that are open.",
                      (double)arrival_connections(&http->arrival));
    prometheus_single(out, "goodness_http_requests_in_progress", "gauge",
                      "Requests under way, those that wait and streams too.",
                      (double)atomic_load(&http->waiting.requests));
    prometheus_single(out, "goodness_http_streams", "gauge", "Streams of events that are open.",
                      (double)atomic_load(&http->streams));
}

/* --- listening ------------------------------------------------------------------------------------------------ */

static void silent(void *self, const char *format, va_list arguments)
{
    (void)self;
    (void)format;
    (void)arguments;
}

/* A daemon on the socket, which is its own from now on. */
static ff_status start_daemon(struct http *http, int fd, unsigned threads, struct ff_error *error)
{
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC, 0, NULL, NULL, handle, http,
        MHD_OPTION_EXTERNAL_LOGGER, silent, NULL, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_THREAD_POOL_SIZE,
        threads, MHD_OPTION_CONNECTION_LIMIT, (unsigned)(CONNECTIONS_PROMISED + CONNECTIONS_SPARE),
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)http->arrival.seconds + 1 + CONNECTION_SPARE_SECONDS, MHD_OPTION_URI_LOG_CALLBACK, note_target,
        http, MHD_OPTION_NOTIFY_COMPLETED, end_request, http, MHD_OPTION_NOTIFY_CONNECTION, watch_connection, http,
        MHD_OPTION_END);

    if (daemon == NULL) {
        int problem = errno;

        close(fd);
        return ff_fail(error, FF_IO, "the HTTP server cannot start on port %u: %s", http->sockets.port,
                       strerror(problem));
    }
    http->daemons[http->daemon_count++] = daemon;
    return FF_OK;
}

/* More than the usual 1,024. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= DESCRIPTORS)
        return;
    limit.rlim_cur = limit.rlim_max == RLIM_INFINITY || limit.rlim_max > DESCRIPTORS ? DESCRIPTORS : limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/* All sockets are given away or closed, whatever fails. */
static ff_status start(struct http *http, struct ff_error *error)
{
    struct listen_sockets *sockets = &http->sockets;
    ff_status waits = waiting_create(&http->waiting, error), status = arrival_create(&http->arrival, error);

    if (waits != FF_OK)
        status = waits;
    if (status == FF_OK && http->tally == NULL)
        status = ff_fail_memory(error, "the HTTP server");
    if (status == FF_OK)
        status = listen_open(http->options.address, http->options.port, sockets, error);
    if (status != FF_OK)
        return status;
    http->gate = (struct gate){http->options.address, sockets->port, http->options.allow_hosts};
    raise_descriptor_limit();
    for (size_t i = 0; i < 2; i++) {
        if (sockets->fds[i] < 0)
            continue;
        if (status == FF_OK)
            status = start_daemon(http, sockets->fds[i], i == 0 ? 4 : 2, error);
        else
            close(sockets->fds[i]);
    }
    return status;
}

struct http *http_start(const struct http_options *options, struct ff_error *error)
{
    struct http *http = calloc(1, sizeof *http);

    if (http == NULL) {
        ff_fail_memory(error, "the HTTP server");
        return NULL;
    }
    http->options = *options;
    http->tally = tally_create(options->routes, options->route_count);
    if (start(http, error) != FF_OK) {
        http_stop(http);
        return NULL;
    }
    return http;
}

uint16_t http_port(const struct http *http)
{
    return http->sockets.port;
}

const char *http_warning(const struct http *http)
{
    return http->sockets.warning[0] != '\0' ? http->sockets.warning : NULL;
}

void http_stop(struct http *http)
{
    if (http == NULL)
        return;
    waiting_close(&http->waiting, STOP_SECONDS);
    for (size_t i = 0; i < http->daemon_count; i++)
        MHD_stop_daemon(http->daemons[i]);
    arrival_destroy(&http->arrival);
    waiting_destroy(&http->waiting);
    tally_destroy(http->tally);
    free(http);
}
