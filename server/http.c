/* http.c - the daemons, their connections, and those that wait.
 *
 * A connection with nothing to do is suspended and put into the list of waiters; http_wake and the timer resume
 * them. Between a look that found nothing and the suspension a wake may come: `wakes` counts them, so that a waiter
 * whose look is older than the newest wake looks again instead. After `closing` is set nobody is suspended any
 * more, which the library demands before it stops. */
#include "http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "http_private.h"

enum {
    CONNECTIONS_PROMISED = 1024,
    CONNECTIONS_SPARE = 64,        /* beyond the promise, to be told 503 */
    CONNECTION_MEMORY = 80 * 1024, /* 64 KiB of fields, and what belongs to them */
    CONNECTION_TIMEOUT = 10,       /* seconds */
    STREAM_TIMEOUT = 60,           /* a reader of a stream may be slower */
    PORT_TRIES = 16,
    STOP_SECONDS = 2
};

struct http {
    struct http_options options;
    struct gate gate;
    uint16_t port;
    char warning[256];
    struct MHD_Daemon *daemons[2];
    size_t daemon_count;
    atomic_uint connections;

    pthread_mutex_t mutex;  /* guards all below */
    pthread_cond_t changed; /* on the monotonic clock: a deadline came nearer, a request ended, or we are closing */
    struct waiter waiters;  /* head of the ring of those who wait */
    uint64_t wakes;
    unsigned requests; /* under way, streams among them */
    bool closing;
    pthread_t timer;
    bool timer_runs;
};

/* A stream's side of a response. */
struct stream {
    struct http *http;
    struct http_stream stream;
    struct waiter waiter;
    double wrote; /* when `read` last gave something */
};

double http_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* --- those who wait ------------------------------------------------------------------------------------------- */

static uint64_t count_wakes(struct http *http)
{
    uint64_t wakes;

    pthread_mutex_lock(&http->mutex);
    wakes = http->wakes;
    pthread_mutex_unlock(&http->mutex);
    return wakes;
}

/* Suspend the waiter's connection, unless something was woken since `wakes`: then false, and it is to look again.
 */
static bool wait_for_wake(struct http *http, struct waiter *waiter, uint64_t wakes)
{
    bool waits;

    pthread_mutex_lock(&http->mutex);
    waits = !http->closing && http->wakes == wakes;
    if (waits) {
        MHD_suspend_connection(waiter->connection);
        waiter->waiting = true;
        waiter->previous = &http->waiters;
        waiter->next = http->waiters.next;
        waiter->next->previous = waiter;
        http->waiters.next = waiter;
        if (waiter->deadline > 0)
            pthread_cond_broadcast(&http->changed);
    }
    pthread_mutex_unlock(&http->mutex);
    return waits;
}

/* With the mutex held. */
static void unlink_waiter(struct waiter *waiter)
{
    waiter->previous->next = waiter->next;
    waiter->next->previous = waiter->previous;
    waiter->waiting = false;
}

/* With the mutex held: resume all, or those whose deadline has come. */
static void resume_waiters(struct http *http, bool all, double now)
{
    struct waiter *waiter = http->waiters.next;

    while (waiter != &http->waiters) {
        struct waiter *next = waiter->next;

        if (all || (waiter->deadline > 0 && waiter->deadline <= now)) {
            unlink_waiter(waiter);
            MHD_resume_connection(waiter->connection);
        }
        waiter = next;
    }
}

/* A waiter is about to go. */
static void forget_waiter(struct http *http, struct waiter *waiter)
{
    pthread_mutex_lock(&http->mutex);
    if (waiter->waiting)
        unlink_waiter(waiter);
    pthread_mutex_unlock(&http->mutex);
}

void http_wake(struct http *http)
{
    pthread_mutex_lock(&http->mutex);
    http->wakes++;
    resume_waiters(http, true, 0);
    pthread_mutex_unlock(&http->mutex);
}

/* With the mutex held: wait until `deadline` (0: without end), or until something changed. */
static void wait_for_change(struct http *http, double deadline)
{
    struct timespec until = {.tv_sec = (time_t)deadline};

    until.tv_nsec = (long)((deadline - (double)until.tv_sec) * 1e9);
    if (deadline > 0)
        pthread_cond_timedwait(&http->changed, &http->mutex, &until);
    else
        pthread_cond_wait(&http->changed, &http->mutex);
}

/* Resumes those whose deadline has come. */
static void *run_timer(void *self)
{
    struct http *http = self;

    pthread_mutex_lock(&http->mutex);
    while (!http->closing) {
        double nearest = 0;

        resume_waiters(http, false, http_clock());
        for (const struct waiter *w = http->waiters.next; w != &http->waiters; w = w->next)
            if (w->deadline > 0 && (nearest <= 0 || w->deadline < nearest))
                nearest = w->deadline;
        wait_for_change(http, nearest);
    }
    pthread_mutex_unlock(&http->mutex);
    return NULL;
}

/* --- streams -------------------------------------------------------------------------------------------------- */

static bool is_closing(struct http *http)
{
    bool closing;

    pthread_mutex_lock(&http->mutex);
    closing = http->closing;
    pthread_mutex_unlock(&http->mutex);
    return closing;
}

static ssize_t read_stream(void *self, uint64_t position, char *buffer, size_t size)
{
    struct stream *stream = self;

    (void)position;
    for (;;) {
        uint64_t wakes = count_wakes(stream->http);
        ssize_t length = stream->stream.read(stream->stream.self, buffer, size);

        if (length > 0) {
            stream->wrote = http_clock();
            return length;
        }
        if (length < 0 || is_closing(stream->http))
            return MHD_CONTENT_READER_END_OF_STREAM;
        stream->waiter.deadline = stream->stream.beat > 0 ? stream->wrote + stream->stream.beat : 0;
        if (stream->waiter.deadline > 0 && stream->waiter.deadline <= http_clock())
            stream->waiter.deadline = http_clock() + stream->stream.beat; /* it had nothing to say this time */
        if (wait_for_wake(stream->http, &stream->waiter, wakes))
            return 0;
    }
}

static void close_stream(void *self)
{
    struct stream *stream = self;

    forget_waiter(stream->http, &stream->waiter);
    if (stream->stream.close != NULL)
        stream->stream.close(stream->stream.self);
    free(stream);
}

static struct MHD_Response *build_stream(struct request *request)
{
    struct response *response = &request->response;
    struct stream *stream = calloc(1, sizeof *stream);
    struct MHD_Response *built;

    if (stream == NULL)
        return NULL;
    stream->http = request->http;
    stream->stream = response->stream;
    stream->waiter.connection = request->connection;
    stream->wrote = http_clock();
    built = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 16 * 1024, read_stream, stream, close_stream);
    if (built == NULL) {
        free(stream);
        return NULL;
    }
    response->answer = ANSWER_NONE; /* the stream is the library's now */
    if (strcmp(request->method, "HEAD") ==
        0) /* otherwise the library sends a last chunk, which HEAD must not have */
        MHD_set_response_options(built, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
    response_add_headers(response, built);
    MHD_set_connection_option(request->connection, MHD_CONNECTION_OPTION_TIMEOUT, (unsigned)STREAM_TIMEOUT);
    return built;
}

/* --- requests ------------------------------------------------------------------------------------------------- */

static enum MHD_Result send_response(struct request *request)
{
    struct MHD_Response *built =
        request->response.answer == ANSWER_STREAM ? build_stream(request) : response_build(&request->response);
    enum MHD_Result result;

    if (built == NULL)
        return MHD_NO;
    if (request_is_ambiguous(request) || is_closing(request->http))
        MHD_add_response_header(built, "Connection", "close");
    result = MHD_queue_response(request->connection, request->response.status, built);
    MHD_destroy_response(built);
    return result;
}

/* Call the handler until it has an answer, or the connection waits for the next wake. */
static enum MHD_Result answer_request(struct request *request)
{
    struct http *http = request->http;

    while (!request_is_answered(request)) {
        uint64_t wakes = count_wakes(http);
        double deadline;

        request->last_try =
            is_closing(http) || (request->waiter.deadline > 0 && http_clock() >= request->waiter.deadline);
        request->handler(http->options.api, request, &request->response);
        if (request->response.answer != ANSWER_LATER)
            break;
        deadline = request->arrived + request->response.seconds;
        response_clear(&request->response);
        if (request->last_try)
            respond_problem(&request->response, 503, "the daemon is ending");
        request->waiter.deadline = deadline;
        if (!request->last_try && wait_for_wake(http, &request->waiter, wakes))
            return MHD_YES;
    }
    return send_response(request);
}

/* A sender who waits for "100 Continue" is told at once that the body is not wanted. The library ends such a
 * connection only for POST; for other methods the body is read and thrown away. */
static bool may_answer_early(const struct request *request)
{
    const char *length = request_header(request, "Content-Length");

    return request_is_answered(request) && strcmp(request->method, "POST") == 0 &&
           (request_header(request, "Expect") != NULL ||
            (length != NULL && strtoull(length, NULL, 10) > HTTP_DRAIN_MAX));
}

static enum MHD_Result begin_request(struct request *request)
{
    struct http *http = request->http;

    request_begin(request, &http->gate, &http->options);
    if (!request_is_answered(request) && atomic_load(&http->connections) > CONNECTIONS_PROMISED)
        respond_problem(&request->response, 503, "too many connections: more than %d", CONNECTIONS_PROMISED);
    return may_answer_early(request) ? send_response(request) : MHD_YES;
}

/* The library's three calls: fields, some body (any number of times), the end; after a resume, the end again. */
static enum MHD_Result handle(void *self, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *data, size_t *size, void **context)
{
    struct request *request = *context;

    (void)self;
    (void)url;
    (void)version;
    if (request == NULL)
        return MHD_NO;
    if (!request->begun) {
        request->connection = request->waiter.connection = connection;
        request->method = method;
        return begin_request(request);
    }
    if (*size > 0) {
        if (!request_take(request, data, *size))
            return MHD_NO;
        *size = 0;
        return MHD_YES;
    }
    if (request->json == NULL)
        request_finish_body(request);
    return request_is_answered(request) ? send_response(request) : answer_request(request);
}

bool request_is_last_try(const struct request *request)
{
    return request->last_try;
}

/* The request line is there: the library's own idea of the path (which ends at %00) is not used. */
static void *note_target(void *self, const char *target, struct MHD_Connection *connection)
{
    struct http *http = self;
    struct request *request = request_create(http, target);

    (void)connection;
    if (request != NULL) {
        pthread_mutex_lock(&http->mutex);
        http->requests++;
        pthread_mutex_unlock(&http->mutex);
    }
    return request;
}

static void end_request(void *self, struct MHD_Connection *connection, void **context,
                        enum MHD_RequestTerminationCode code)
{
    struct http *http = self;
    struct request *request = *context;

    (void)connection;
    (void)code;
    if (request == NULL)
        return;
    forget_waiter(http, &request->waiter);
    request_destroy(request);
    *context = NULL;
    pthread_mutex_lock(&http->mutex);
    http->requests--;
    pthread_cond_broadcast(&http->changed);
    pthread_mutex_unlock(&http->mutex);
}

static void count_connection(void *self, struct MHD_Connection *connection, void **context,
                             enum MHD_ConnectionNotificationCode code)
{
    struct http *http = self;

    (void)connection;
    (void)context;
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        atomic_fetch_add(&http->connections, 1);
    else
        atomic_fetch_sub(&http->connections, 1);
}

/* --- listening ------------------------------------------------------------------------------------------------ */

/* A socket that listens, or -1 with errno. *port: what was asked for; then what was got. */
static int listen_on(const struct addrinfo *address, uint16_t *port)
{
    struct sockaddr_storage name;
    socklen_t length = address->ai_addrlen;
    in_port_t *field = address->ai_family == AF_INET6 ? &((struct sockaddr_in6 *)&name)->sin6_port
                                                      : &((struct sockaddr_in *)&name)->sin_port;
    int one = 1, fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -1;
    memcpy(&name, address->ai_addr, length);
    *field = htons(*port);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (address->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&name, length) != 0 || listen(fd, 511) != 0 ||
        getsockname(fd, (struct sockaddr *)&name, &length) != 0) {
        int problem = errno;

        close(fd);
        errno = problem;
        return -1;
    }
    *port = ntohs(*field);
    return fd;
}

/* The same for an address in figures. errno is EINVAL where it is none. */
static int listen_at(const char *address, uint16_t *port)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM}, *found = NULL;
    int fd, problem;

    if (getaddrinfo(address, NULL, &hints, &found) != 0) {
        errno = EINVAL;
        return -1;
    }
    fd = listen_on(found, port);
    problem = errno;
    freeaddrinfo(found);
    errno = problem;
    return fd;
}

static ff_status fail_to_listen(const char *address, uint16_t port, int problem, struct ff_error *error)
{
    if (problem == EADDRINUSE)
        return ff_fail(error, FF_IO,
                       "port %u of %s is in use; end the program that has it, or choose another with --port", port,
                       address);
    if (problem == EADDRNOTAVAIL || problem == EINVAL)
        return ff_fail(error, FF_INVALID, "%s is not an address of this machine; give one in figures with --listen",
                       address);
    if (problem == EACCES)
        return ff_fail(error, FF_IO, "port %u of %s needs privileges; choose one above 1023 with --port", port,
                       address);
    return ff_fail(error, FF_IO, "cannot listen on port %u of %s: %s", port, address, strerror(problem));
}

static bool lacks_ipv6(int problem)
{
    return problem == EAFNOSUPPORT || problem == EADDRNOTAVAIL || problem == EPROTONOSUPPORT || problem == EINVAL;
}

/* 127.0.0.1, then ::1 at the same port. *again: that port is free on the first alone. */
static ff_status listen_twice(struct http *http, int fds[2], bool *again, struct ff_error *error)
{
    int problem;

    *again = false;
    http->port = http->options.port;
    fds[0] = listen_at("127.0.0.1", &http->port);
    if (fds[0] < 0)
        return fail_to_listen("127.0.0.1", http->port, errno, error);
    fds[1] = listen_at("::1", &http->port);
    problem = errno;
    if (fds[1] >= 0)
        return FF_OK;
    if (lacks_ipv6(problem)) {
        snprintf(http->warning, sizeof http->warning, "there is no IPv6 here (%s): only 127.0.0.1 is listened on",
                 strerror(problem));
        return FF_OK;
    }
    close(fds[0]);
    fds[0] = -1;
    *again = problem == EADDRINUSE && http->options.port == 0;
    return fail_to_listen("::1", http->port, problem, error);
}

/* A port that was chosen free on one address may be taken on the other: then another is tried. */
static ff_status listen_loopback(struct http *http, int fds[2], struct ff_error *error)
{
    ff_status status;
    bool again;

    for (int tries = 0; tries < PORT_TRIES; tries++) {
        status = listen_twice(http, fds, &again, error);
        if (!again)
            break;
    }
    return status;
}

static ff_status open_sockets(struct http *http, int fds[2], struct ff_error *error)
{
    if (strcmp(http->options.address, "127.0.0.1") == 0 || strcasecmp(http->options.address, "localhost") == 0)
        return listen_loopback(http, fds, error);
    http->port = http->options.port;
    fds[0] = listen_at(http->options.address, &http->port);
    return fds[0] >= 0 ? FF_OK : fail_to_listen(http->options.address, http->port, errno, error);
}

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
        (unsigned)CONNECTION_TIMEOUT, MHD_OPTION_URI_LOG_CALLBACK, note_target, http, MHD_OPTION_NOTIFY_COMPLETED,
        end_request, http, MHD_OPTION_NOTIFY_CONNECTION, count_connection, http, MHD_OPTION_END);

    if (daemon == NULL) {
        int problem = errno;

        close(fd);
        return ff_fail(error, FF_IO, "the HTTP server cannot start on port %u: %s", http->port, strerror(problem));
    }
    http->daemons[http->daemon_count++] = daemon;
    return FF_OK;
}

/* Two daemons with all their connections, and the files of the rest: more than the usual 1,024 descriptors. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= 4096)
        return;
    limit.rlim_cur = limit.rlim_max == RLIM_INFINITY || limit.rlim_max > 4096 ? 4096 : limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static ff_status start(struct http *http, struct ff_error *error)
{
    int fds[2] = {-1, -1};
    ff_status status = open_sockets(http, fds, error);

    if (status != FF_OK)
        return status;
    http->gate = (struct gate){http->options.address, http->port, http->options.allow_hosts};
    raise_descriptor_limit();
    if (pthread_create(&http->timer, NULL, run_timer, http) == 0)
        http->timer_runs = true;
    else
        status = ff_fail(error, FF_NO_MEMORY, "the HTTP server cannot start a thread");
    for (size_t i = 0; i < 2; i++) {
        if (fds[i] < 0)
            continue;
        if (status == FF_OK)
            status = start_daemon(http, fds[i], i == 0 ? 4 : 2, error);
        else
            close(fds[i]);
    }
    return status;
}

struct http *http_start(const struct http_options *options, struct ff_error *error)
{
    struct http *http = calloc(1, sizeof *http);
    pthread_condattr_t monotonic;

    if (http == NULL) {
        ff_fail_memory(error, "the HTTP server");
        return NULL;
    }
    http->options = *options;
    http->waiters.next = http->waiters.previous = &http->waiters;
    pthread_mutex_init(&http->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&http->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (start(http, error) != FF_OK) {
        http_stop(http);
        return NULL;
    }
    return http;
}

uint16_t http_port(const struct http *http)
{
    return http->port;
}

const char *http_warning(const struct http *http)
{
    return http->warning[0] != '\0' ? http->warning : NULL;
}

/* From now on nobody waits: streams end, waiting requests are answered. */
static void end_waiting(struct http *http)
{
    double until = http_clock() + STOP_SECONDS;

    pthread_mutex_lock(&http->mutex);
    http->closing = true;
    http->wakes++;
    resume_waiters(http, true, 0);
    pthread_cond_broadcast(&http->changed);
    while (http->requests > 0 && http_clock() < until)
        wait_for_change(http, until);
    pthread_mutex_unlock(&http->mutex);
}

void http_stop(struct http *http)
{
    if (http == NULL)
        return;
    end_waiting(http);
    if (http->timer_runs)
        pthread_join(http->timer, NULL);
    for (size_t i = 0; i < http->daemon_count; i++)
        MHD_stop_daemon(http->daemons[i]);
    pthread_cond_destroy(&http->changed);
    pthread_mutex_destroy(&http->mutex);
    free(http);
}
