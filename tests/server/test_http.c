/* The HTTP core through real sockets: what passes, what is refused, who waits and who is woken. */
#include "../cmocka_all.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "http.h"

/* --- a small program behind the server ------------------------------------------------------------------------ */

static struct {
    atomic_bool ready;           /* what /later waits for */
    atomic_int asked;            /* how often /later's handler ran */
    atomic_int available;        /* numbers that /stream may have written */
    atomic_bool over;            /* /stream ends after them */
    atomic_int opened, closed;   /* streams */
    _Atomic(struct bell *) bell; /* of /rung's last request */
    atomic_int released;         /* what /rung's requests kept */
} world;

static void echo(struct api *api, const struct request *request, struct response *response)
{
    static const char *const names[] = {"count", "text", NULL};
    cJSON *json;
    uint64_t count;

    (void)api;
    if (!request_check_query(request, response, names) ||
        !request_query_number(request, response, "count", 1, 10, 3, &count))
        return;
    json = cJSON_CreateObject();
    if (request_part(request, "x") != NULL)
        cJSON_AddStringToObject(json, "x", request_part(request, "x"));
    if (request_query(request, "text") != NULL)
        cJSON_AddStringToObject(json, "text", request_query(request, "text"));
    cJSON_AddNumberToObject(json, "count", (double)count);
    cJSON_AddItemToObject(json, "body", cJSON_Duplicate(request_json(request), true));
    respond_json(response, 200, json);
    response_use_etag(response);
}

static void later(struct api *api, const struct request *request, struct response *response)
{
    const char *seconds = request_query(request, "seconds");

    (void)api;
    atomic_fetch_add(&world.asked, 1);
    if (!atomic_load(&world.ready) && !request_is_last_try(request))
        respond_later(response, strtod(seconds, NULL));
    else
        respond_text(response, 200, "text/plain", strdup(request_is_last_try(request) ? "late\n" : "ready\n"), 6);
}

static void release_kept(void *state)
{
    free(state);
    atomic_fetch_add(&world.released, 1);
}

/* Keeps how often it was called, and gives its bell to the test; or rings it before the request is suspended. */
static void rung(struct api *api, const struct request *request, struct response *response)
{
    int *calls = request_kept(request);

    (void)api;
    atomic_fetch_add(&world.asked, 1);
    if (calls == NULL) {
        struct bell *bell = response_bell(response);

        calls = calloc(1, sizeof *calls);
        response_keep(response, calls, release_kept);
        if (request_query(request, "early") != NULL) {
            http_bell_ring(bell);
            http_bell_release(bell);
        } else {
            atomic_store(&world.bell, bell);
        }
    }
    if (++*calls < 2 && !request_is_last_try(request))
        respond_later(response, 300);
    else
        respond_text(response, 200, "text/plain", strdup("second\n"), 7);
}

static ssize_t read_numbers(void *self, char *buffer, size_t size)
{
    int *next = self, available = atomic_load(&world.available);
    bool over = atomic_load(&world.over);

    if (*next < available)
        return snprintf(buffer, size, "<%d>", (*next)++);
    return over ? -1 : 0;
}

static void close_numbers(void *self)
{
    atomic_fetch_add(&world.closed, 1);
    free(self);
}

static void stream(struct api *api, const struct request *request, struct response *response)
{
    (void)api;
    (void)request;
    atomic_fetch_add(&world.opened, 1);
    respond_stream(
        response, "text/plain",
        (struct http_stream){.self = calloc(1, sizeof(int)), .read = read_numbers, .close = close_numbers});
}

static void page(struct api *api, const struct request *request, struct response *response)
{
    (void)api;
    (void)request;
    respond_static(response, "text/html", "<p>hello", 8, "abc");
}

static bool page_exists(const char *path)
{
    return strcmp(path, "/") == 0;
}

static const struct http_route routes[] = {
    {.method = "GET", .path = "/echo/{x}", .handler = echo},
    {.method = "POST", .path = "/echo", .handler = echo},
    {.method = "PATCH", .path = "/echo", .handler = echo},
    {.method = "GET", .path = "/later", .handler = later},
    {.method = "GET", .path = "/rung", .handler = rung},
    {.method = "GET", .path = "/stream", .handler = stream},
    {.method = "GET", .path = "/{path*}", .handler = page, .access = HTTP_PAGE, .exists = page_exists},
};

static struct http *start(void)
{
    struct http_options options = {
        .address = "127.0.0.1", .routes = routes, .route_count = sizeof routes / sizeof *routes};
    struct ff_error error;
    struct http *http = http_start(&options, &error);

    if (http == NULL)
        fail_msg("%s", error.message);
    return http;
}

static int set_up(void **state)
{
    memset(&world, 0, sizeof world);
    *state = start();
    return 0;
}

static int tear_down(void **state)
{
    http_stop(*state);
    return 0;
}

#define HOST "Host: localhost\r\nConnection: close\r\n"

static const char to_later[] = "GET /later?seconds=300 HTTP/1.1\r\n" HOST "\r\n";
static const char to_rung[] = "GET /rung HTTP/1.1\r\n" HOST "\r\n";
static const char to_stream[] = "GET /stream HTTP/1.1\r\n" HOST "\r\n";

/* --- a client that sends bytes as they are -------------------------------------------------------------------- */

static int dial(const struct http *http)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(http_port(http)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = 120};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void send_bytes(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);

        assert_true(sent > 0);
        bytes += sent;
        length -= (size_t)sent;
    }
}

enum { ANSWER_MAX = 1 << 16 };

/* Read until `text` has come (NULL: until the other side closes). What came before is in `answer`, [ANSWER_MAX]. */
static void receive(int fd, char *answer, const char *text)
{
    size_t used = strlen(answer);

    while (text == NULL || strstr(answer, text) == NULL) {
        ssize_t got = recv(fd, answer + used, ANSWER_MAX - 1 - used, 0);

        if (got == 0 && text == NULL)
            break;
        if (got <= 0)
            fail_msg("waited in vain for '%s', got '%s'", text != NULL ? text : "the end", answer);
        used += (size_t)got;
        answer[used] = '\0';
    }
}

/* A request on a connection of its own, which is open then. */
static int ask(const struct http *http, const char *request)
{
    int fd = dial(http);

    send_bytes(fd, request, strlen(request));
    return fd;
}

/* The answer to it, to its end, which closes the connection. */
static void finish(int fd, char *answer)
{
    receive(fd, answer, NULL);
    close(fd);
}

static void exchange(const struct http *http, const char *request, char *answer)
{
    answer[0] = '\0';
    finish(ask(http, request), answer);
}

/* Until a handler of /later or /rung was called so often; a request's state was released. */
static void await(atomic_int *counter, int count)
{
    while (atomic_load(counter) < count)
        sched_yield();
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* --- requests ------------------------------------------------------------------------------------------------- */

#define JSON_BODY(text, length) "Content-Type: application/json\r\nContent-Length: " length "\r\n\r\n" text

struct exchange_case {
    const char *request;
    unsigned status;
    const char *contains, *contains_not; /* NULL: nothing to look for */
};

static const struct exchange_case exchanges[] = {
    {"GET /echo/a%20b?text=c+d&count=5 HTTP/1.1\r\n" HOST "\r\n", 200,
     "{\"x\":\"a b\",\"text\":\"c d\",\"count\":5,\"body\":{}}\n", NULL},
    {"GET http://localhost/echo/a HTTP/1.1\r\n" HOST "\r\n", 200, "\"x\":\"a\"", NULL},
    {"GET http://evil.example/echo/a HTTP/1.1\r\n" HOST "\r\n", 421, "evil.example", NULL},
    {"HEAD /echo/a HTTP/1.1\r\n" HOST "\r\n", 200, "Content-Length: ", "{"},
    {"HEAD /stream HTTP/1.1\r\nHost: localhost\r\n\r\n", 200, "text/plain", "0\r\n\r\n"},
    {"POST /echo HTTP/1.1\r\n" HOST JSON_BODY("{\"a\":[1]}", "9"), 200, "\"body\":{\"a\":[1]}", NULL},
    {"POST /echo HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 200, "\"body\":{}", NULL},
    {"PATCH /echo HTTP/1.1\r\n" HOST
     "Transfer-Encoding: chunked\r\nContent-Type: Application/JSON; charset=utf-8\r\n"
     "\r\n3\r\n{\"a\r\n4\r\n\":1}\r\n0\r\n\r\n",
     200, "\"body\":{\"a\":1}", NULL},
    {"GET / HTTP/1.1\r\n" HOST "Sec-Fetch-Site: cross-site\r\n\r\n", 200, "<p>hello", NULL},

    {"POST /echo HTTP/1.1\r\n" HOST JSON_BODY("{\"a\":1,}", "8"), 400, "line 1, column 8", NULL},
    {"POST /echo HTTP/1.1\r\n" HOST JSON_BODY("[1]", "3"), 422, "must be an object, got an array", NULL},
    {"POST /echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n{}", 415, "curl --json", NULL},
    {"POST /echo HTTP/1.1\r\n" HOST "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}", 415, "text/plain",
     NULL},
    {"POST /echo HTTP/1.1\r\n" HOST "Content-Type: application/jsonx\r\nContent-Length: 2\r\n\r\n{}", 415,
     "application/jsonx", NULL},
    {"POST /nothing HTTP/1.1\r\n" HOST "\r\n", 404, "application/problem+json", NULL},
    {"GET /echo/%00 HTTP/1.1\r\n" HOST "\r\n", 404, "nothing at /echo/%00", NULL},
    {"GET /later%00/x HTTP/1.1\r\n" HOST "\r\n", 404, "nothing at /later%00/x", NULL},
    {"PUT /echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n{}", 405, "Allow: POST, PATCH, OPTIONS", NULL},
    {"DELETE /later HTTP/1.1\r\n" HOST "\r\n", 405, "Allow: GET, HEAD, OPTIONS", NULL},
    {"OPTIONS /later HTTP/1.1\r\n" HOST "\r\n", 204, "Allow: GET, HEAD, OPTIONS", "Access-Control"},
    {"GET /echo/a?count=11 HTTP/1.1\r\n" HOST "\r\n", 400, "whole number from 1 to 10", NULL},
    {"GET /echo/a?count=18446744073709551617 HTTP/1.1\r\n" HOST "\r\n", 400, "whole number from 1 to 10", NULL},
    {"GET /echo/a?count= HTTP/1.1\r\n" HOST "\r\n", 400, "whole number", NULL},
    {"GET /echo/a?cuont=5 HTTP/1.1\r\n" HOST "\r\n", 400, "did you mean \\\"count\\\"", NULL},
    {"GET /echo/a?count=5&count=6 HTTP/1.1\r\n" HOST "\r\n", 400, "given twice", NULL},
    {"GET /echo/a?text=%zz HTTP/1.1\r\n" HOST "\r\n", 400, "percent-encoded", NULL},

    {"GET /echo/a HTTP/1.1\r\nConnection: close\r\n\r\n", 400, "one Host field, got 0", NULL},
    {"GET /echo/a HTTP/1.1\r\n" HOST "Host: localhost\r\n\r\n", 400, "one Host field, got 2", NULL},
    {"GET /echo/a HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n", 421, "problem+json", NULL},
    {"GET /echo/a HTTP/1.1\r\n" HOST "Sec-Fetch-Site: cross-site\r\n\r\n", 403, "problem+json", NULL},
    {"POST /echo HTTP/1.1\r\n" HOST "Origin: http://evil.example\r\nContent-Length: 2\r\n\r\n{}", 403,
     "evil.example", NULL},
    {"POST /echo HTTP/1.1\r\n" HOST "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Site: cross-site\r\n\r\n", 403,
     "cross-site", NULL},
    {"POST /nothing HTTP/1.1\r\n" HOST "Origin: null\r\nContent-Length: 2\r\n\r\n{}", 403, "problem+json", NULL},
    {"POST /echo HTTP/1.1\r\n" HOST "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
     "Content-Length", NULL},
    {"POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     400, "Content-Length", NULL},

    {"POST /echo HTTP/1.1\r\n" HOST "Expect: a miracle\r\n" JSON_BODY("{}", "2"), 417, "a miracle", NULL},
    {"PATCH /echo HTTP/1.1\r\n" HOST "Expect: 100-continue, x\r\n" JSON_BODY("{}", "2"), 417, "100-continue, x",
     NULL},
    {"GET /echo/a HTTP/1.1\r\n" HOST "Expect: a miracle\r\n\r\n", 417, "problem+json", NULL},
    {"POST /echo HTTP/1.1\r\n" HOST "Content-Encoding: gzip\r\n" JSON_BODY("{}", "2"), 415,
     "Accept-Encoding: identity", NULL},
    {"POST /echo HTTP/1.1\r\n" HOST "Content-Encoding: identity\r\n" JSON_BODY("{}", "2"), 200, "\"body\":{}",
     NULL},
    {"GET /echo/a HTTP/1.1\r\n" HOST "Content-Encoding: gzip\r\n\r\n", 200, "\"x\":\"a\"", NULL},
};

static void each_request_gets_the_answer_it_deserves(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof exchanges / sizeof *exchanges; i++) {
        const struct exchange_case *row = &exchanges[i];
        static char answer[ANSWER_MAX];
        unsigned status;

        exchange(*state, row->request, answer);
        if (sscanf(answer, "HTTP/1.1 %u", &status) != 1 || status != row->status)
            fail_msg("%s\n%s\nexpected %u", row->request, answer, row->status);
        if (row->contains != NULL && strstr(answer, row->contains) == NULL)
            fail_msg("%s\n%s\nlacks '%s'", row->request, answer, row->contains);
        if (row->contains_not != NULL && strstr(answer, row->contains_not) != NULL)
            fail_msg("%s\n%s\nhas '%s'", row->request, answer, row->contains_not);
    }
}

/* The library would read such a body to the connection's end, which its sender does not bring about: the answer
 * must not wait for it. */
static void a_transfer_encoding_that_is_not_known_is_answered_at_once(void **state)
{
    static const char *const methods[] = {"GET", "POST", "PATCH", "DELETE", "PUT"};
    static const char *const codings[] = {
        "gzip", "gzip, chunked", "identity", "", "gzip\r\nTransfer-Encoding: chunked", "gzip\r\nContent-Length: 9"};
    static char answer[ANSWER_MAX];

    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        for (size_t j = 0; j < sizeof codings / sizeof *codings; j++) {
            char request[512];
            unsigned status = j < 4 ? 501 : 400, found;

            snprintf(request, sizeof request,
                     "%s /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: %s\r\n\r\nsome", methods[i],
                     codings[j]);
            double begin = seconds();
            exchange(*state, request, answer);
            assert_true(seconds() - begin < 5); /* the library's own patience is ten */
            if (sscanf(answer, "HTTP/1.1 %u", &found) != 1 || found != status)
                fail_msg("%s\n%s\nexpected %u", request, answer, status);
            assert_non_null(strstr(answer, "application/problem+json"));
        }
    }
}

static void an_etag_that_is_known_answers_304(void **state)
{
    static const char *const lists[] = {"%s", "W/%s", "\"x\", %s", "*", "\"a,b\" , W/%s"};
    static char answer[ANSWER_MAX];
    char etag[80], request[512], list[128];

    exchange(*state, "GET /echo/a HTTP/1.1\r\n" HOST "\r\n", answer);
    assert_int_equal(sscanf(strstr(answer, "ETag: "), "ETag: %79s", etag), 1);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        const char *hole = strstr(lists[i], "%s");

        snprintf(list, sizeof list, "%.*s%s", (int)(hole != NULL ? hole - lists[i] : 1), lists[i],
                 hole != NULL ? etag : "");
        snprintf(request, sizeof request, "GET /echo/a HTTP/1.1\r\n" HOST "If-None-Match: %s\r\n\r\n", list);
        exchange(*state, request, answer);
        assert_non_null(strstr(answer, "HTTP/1.1 304"));
        assert_non_null(strstr(answer, etag));
        assert_null(strchr(answer, '{'));
    }
    snprintf(request, sizeof request, "GET /echo/b HTTP/1.1\r\n" HOST "If-None-Match: %s\r\n\r\n", etag);
    exchange(*state, request, answer);
    assert_non_null(strstr(answer, "HTTP/1.1 200"));
}

static void a_body_over_the_limit_is_read_and_answered_413(void **state)
{
    enum { BODY = 3 << 20 };
    static char answer[ANSWER_MAX];
    const char *methods[] = {"POST", "PATCH"};
    char *body = malloc(BODY);

    memset(body, ' ', BODY);
    for (size_t i = 0; i < 2; i++) {
        char head[256];

        snprintf(head, sizeof head,
                 "%s /echo HTTP/1.1\r\n" HOST "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n",
                 methods[i], BODY);
        int fd = ask(*state, head);
        send_bytes(fd, body, BODY);
        answer[0] = '\0';
        finish(fd, answer);
        assert_non_null(strstr(answer, "HTTP/1.1 413"));
    }
    free(body);
}

static void who_expects_100_continue_is_answered_before_the_body(void **state)
{
    static const char too_long[] = "POST /echo HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n"
                                   "Content-Type: application/json\r\nContent-Length: 2000000\r\n\r\n";
    static const char good[] = "POST /echo HTTP/1.1\r\n" HOST "Expect: 100-continue\r\n"
                               "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n";
    static char answer[ANSWER_MAX];
    int fd;

    exchange(*state, too_long, answer);
    assert_non_null(strstr(answer, "HTTP/1.1 413"));
    fd = ask(*state, good);
    answer[0] = '\0';
    receive(fd, answer, "HTTP/1.1 100");
    send_bytes(fd, "{}", 2);
    finish(fd, answer);
    assert_non_null(strstr(answer, "HTTP/1.1 200"));
}

static void requests_on_one_connection_are_kept_apart(void **state)
{
    static const char three[] = "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                                "Content-Length: 7\r\n\r\n{\"a\":1}"
                                "PUT /nothing HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nGET /"
                                "GET /echo/last HTTP/1.1\r\n" HOST "\r\n";
    static char answer[ANSWER_MAX];

    exchange(*state, three, answer);
    assert_non_null(strstr(answer, "\"body\":{\"a\":1}"));
    assert_non_null(strstr(answer, "HTTP/1.1 404"));
    assert_non_null(strstr(answer, "\"x\":\"last\""));
}

static void a_connection_beyond_the_limit_is_told_503_and_others_are_served(void **state)
{
    enum { PROMISED = 1024 };
    static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    static char answer[ANSWER_MAX];
    int fds[PROMISED + 1];

    for (int i = 0; i <= PROMISED; i++) {
        fds[i] = ask(*state, request);
        answer[0] = '\0';
        receive(fds[i], answer, i < PROMISED ? "<p>hello" : NULL);
        assert_non_null(strstr(answer, i < PROMISED ? "HTTP/1.1 200" : "HTTP/1.1 503"));
    }
    assert_non_null(strstr(answer, "Retry-After: "));
    answer[0] = '\0';
    send_bytes(fds[0], request, strlen(request));
    receive(fds[0], answer, "<p>hello");
    for (int i = 0; i <= PROMISED; i++)
        close(fds[i]);
}

/* --- waiting -------------------------------------------------------------------------------------------------- */

static void a_request_that_waits_is_answered_when_woken(void **state)
{
    static char answer[ANSWER_MAX];
    int fd = ask(*state, to_later);

    await(&world.asked, 1);
    http_wake(*state); /* too early: it goes on waiting */
    await(&world.asked, 2);
    atomic_store(&world.ready, true);
    http_wake(*state);
    finish(fd, answer);
    assert_non_null(strstr(answer, "ready\n"));
}

static void a_request_that_waits_is_answered_when_its_time_is_over(void **state)
{
    static const char request[] = "GET /later?seconds=0.2 HTTP/1.1\r\n" HOST "\r\n";
    static char answer[ANSWER_MAX];

    exchange(*state, request, answer);
    assert_non_null(strstr(answer, "late\n"));
    assert_int_equal(atomic_load(&world.asked), 2);
}

/* The bell of the request that came last, waited for. */
static struct bell *take_bell(void)
{
    struct bell *bell;

    while ((bell = atomic_exchange(&world.bell, NULL)) == NULL)
        sched_yield();
    return bell;
}

static void a_bell_calls_its_own_request_again_and_no_other(void **state)
{
    static char answer[ANSWER_MAX];
    int other = ask(*state, to_later);

    await(&world.asked, 1);
    int fd = ask(*state, to_rung);
    struct bell *bell = take_bell();
    http_bell_ring(bell);
    finish(fd, answer);
    assert_non_null(strstr(answer, "second\n"));
    await(&world.released, 1);
    http_bell_ring(bell); /* the request is gone: silent */
    http_bell_release(bell);
    assert_int_equal(atomic_load(&world.asked), 3); /* the other one was called once */
    close(other);
}

static void a_bell_that_rings_before_the_request_waits_is_heard(void **state)
{
    static const char request[] = "GET /rung?early=1 HTTP/1.1\r\n" HOST "\r\n";
    static char answer[ANSWER_MAX];

    exchange(*state, request, answer);
    assert_non_null(strstr(answer, "second\n"));
    assert_int_equal(atomic_load(&world.asked), 2);
}

static void what_a_request_keeps_is_released_when_its_client_has_left(void **state)
{
    int fd = ask(*state, to_rung);
    struct bell *bell = take_bell();
    close(fd);
    http_bell_ring(bell);
    await(&world.released, 1);
    http_bell_release(bell);
}

static void a_bell_outlives_the_server(void **state)
{
    struct http *http = start();

    (void)state;
    memset(&world, 0, sizeof world);
    int fd = ask(http, to_rung);
    struct bell *bell = take_bell();
    http_stop(http);
    http_bell_ring(bell);
    http_bell_release(bell);
    assert_int_equal(atomic_load(&world.released), 1);
    close(fd);
}

/* A reader of /stream, who has had the first number. */
static int open_stream(const struct http *http, char *answer)
{
    atomic_store(&world.available, 1);
    int fd = ask(http, to_stream);
    receive(fd, answer, "<0>");
    return fd;
}

static void a_stream_is_written_when_woken_and_ends(void **state)
{
    static char answer[ANSWER_MAX];
    int fd = open_stream(*state, answer);

    atomic_store(&world.available, 2);
    http_wake(*state);
    receive(fd, answer, "<1>");
    atomic_store(&world.over, true);
    http_wake(*state);
    finish(fd, answer);
    assert_non_null(strstr(answer, "\r\n0\r\n\r\n")); /* the last chunk: ended, not broken off */
}

static void a_reader_who_leaves_closes_the_stream(void **state)
{
    static char answer[ANSWER_MAX];
    int fd = open_stream(*state, answer);

    close(fd);
    while (atomic_load(&world.closed) == 0) { /* seen when it is written to */
        atomic_fetch_add(&world.available, 1);
        http_wake(*state);
        sched_yield();
    }
    assert_int_equal(atomic_load(&world.opened), 1);
}

/* Nobody misses a wake: numbers are made, and everybody woken, while readers come, read and are suspended. */

enum { READERS = 24, NUMBERS = 400 };

static void *read_all(void *http)
{
    char *answer = calloc(1, ANSWER_MAX), number[16];
    const char *at = answer;

    finish(ask(http, to_stream), answer);
    for (int i = 0; i < NUMBERS && at != NULL; i++) {
        snprintf(number, sizeof number, "<%d>", i);
        at = strstr(at, number);
    }
    free(answer);
    return at != NULL ? http : NULL;
}

static void no_reader_misses_a_wake(void **state)
{
    pthread_t readers[READERS];

    for (size_t i = 0; i < READERS; i++)
        pthread_create(&readers[i], NULL, read_all, *state);
    for (int i = 0; i < NUMBERS; i++) {
        atomic_fetch_add(&world.available, 1);
        http_wake(*state);
        sched_yield();
    }
    atomic_store(&world.over, true);
    http_wake(*state); /* the last: whoever is suspended now must have been resumed by it */
    for (size_t i = 0; i < READERS; i++) {
        void *good;

        pthread_join(readers[i], &good);
        assert_non_null(good);
    }
}

static void stopping_ends_streams_and_answers_who_waits(void **state)
{
    static char first[ANSWER_MAX], second[ANSWER_MAX];
    struct http *http = start();

    (void)state;
    memset(&world, 0, sizeof world);
    int waiting = ask(http, to_later), streaming = open_stream(http, second);
    await(&world.asked, 1);
    http_stop(http);
    finish(waiting, first);
    finish(streaming, second);
    assert_non_null(strstr(first, "late\n"));
    assert_int_equal(atomic_load(&world.closed), 1);
}

/* --- listening ------------------------------------------------------------------------------------------------ */

static void a_port_in_use_is_told(void **state)
{
    struct http_options options = {.address = "127.0.0.1",
                                   .port = http_port(*state),
                                   .routes = routes,
                                   .route_count = sizeof routes / sizeof *routes};
    struct ff_error error;

    assert_null(http_start(&options, &error));
    assert_non_null(strstr(error.message, "is in use"));
    options.address = "not.an.address";
    options.port = 0;
    assert_null(http_start(&options, &error));
    assert_int_equal(error.status, FF_INVALID);
}

static void ipv6_loopback_is_listened_on_too(void **state)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: [::1]\r\nConnection: close\r\n\r\n";
    static char answer[ANSWER_MAX];
    struct sockaddr_in6 address = {
        .sin6_family = AF_INET6, .sin6_port = htons(http_port(*state)), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (http_warning(*state) != NULL) { /* this machine has none, and it is said */
        close(fd);
        return;
    }
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    send_bytes(fd, request, strlen(request));
    answer[0] = '\0';
    finish(fd, answer);
    assert_non_null(strstr(answer, "<p>hello"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(each_request_gets_the_answer_it_deserves),
        FIXTURE_TEST(a_transfer_encoding_that_is_not_known_is_answered_at_once),
        FIXTURE_TEST(an_etag_that_is_known_answers_304),
        FIXTURE_TEST(a_body_over_the_limit_is_read_and_answered_413),
        FIXTURE_TEST(who_expects_100_continue_is_answered_before_the_body),
        FIXTURE_TEST(requests_on_one_connection_are_kept_apart),
        FIXTURE_TEST(a_connection_beyond_the_limit_is_told_503_and_others_are_served),
        FIXTURE_TEST(a_request_that_waits_is_answered_when_woken),
        FIXTURE_TEST(a_request_that_waits_is_answered_when_its_time_is_over),
        FIXTURE_TEST(a_bell_calls_its_own_request_again_and_no_other),
        FIXTURE_TEST(a_bell_that_rings_before_the_request_waits_is_heard),
        FIXTURE_TEST(what_a_request_keeps_is_released_when_its_client_has_left),
        cmocka_unit_test(a_bell_outlives_the_server),
        FIXTURE_TEST(a_stream_is_written_when_woken_and_ends),
        FIXTURE_TEST(a_reader_who_leaves_closes_the_stream),
        FIXTURE_TEST(no_reader_misses_a_wake),
        cmocka_unit_test(stopping_ends_streams_and_answers_who_waits),
        FIXTURE_TEST(a_port_in_use_is_told),
        FIXTURE_TEST(ipv6_loopback_is_listened_on_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
