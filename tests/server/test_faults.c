/* Whatever can fail fails once: every allocation, every step of SQLite and every call of libmicrohttpd on the way
 * of a request, through the real routes and a real socket. Each time there is the answer, an error in words, or a
 * closed connection; the program goes on, and nothing is leaked (the address sanitizer's suite sees to that). */
#include "../cmocka_all.h"

#include <arpa/inet.h>
#include <limits.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>
#include <sqlite3.h>

#include "program_fixture.h"

/* --- what fails ----------------------------------------------------------------------------------------------- */

/* The linker puts these between the program and its libraries (CMakeLists.txt); cJSON gets the first as a hook. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
char *__real_strdup(const char *text);
FILE *__real_open_memstream(char **text, size_t *size);
int __real_sqlite3_step(sqlite3_stmt *statement);
int __real_sqlite3_prepare_v2(sqlite3 *connection, const char *sql, int size, sqlite3_stmt **statement,
                              const char **rest);
struct MHD_Response *__real_MHD_create_response_from_buffer(size_t size, void *buffer,
                                                            enum MHD_ResponseMemoryMode mode);
enum MHD_Result __real_MHD_add_response_header(struct MHD_Response *response, const char *name, const char *value);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
char *__wrap_strdup(const char *text);
FILE *__wrap_open_memstream(char **text, size_t *size);
int __wrap_sqlite3_step(sqlite3_stmt *statement);
int __wrap_sqlite3_prepare_v2(sqlite3 *connection, const char *sql, int size, sqlite3_stmt **statement,
                              const char **rest);
struct MHD_Response *__wrap_MHD_create_response_from_buffer(size_t size, void *buffer,
                                                            enum MHD_ResponseMemoryMode mode);
enum MHD_Result __wrap_MHD_add_response_header(struct MHD_Response *response, const char *name, const char *value);

static atomic_long fails_at; /* the call that fails, from 1; 0: none */
static atomic_long calls;    /* so far, of all threads */

static bool fails(void)
{
    long at = atomic_load(&fails_at);

    return at != 0 && atomic_fetch_add(&calls, 1) + 1 == at;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fails() ? NULL : __real_realloc(memory, size);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}

FILE *__wrap_open_memstream(char **text, size_t *size)
{
    return fails() ? NULL : __real_open_memstream(text, size);
}

int __wrap_sqlite3_step(sqlite3_stmt *statement)
{
    return fails() ? SQLITE_IOERR : __real_sqlite3_step(statement);
}

int __wrap_sqlite3_prepare_v2(sqlite3 *connection, const char *sql, int size, sqlite3_stmt **statement,
                              const char **rest)
{
    if (!fails())
        return __real_sqlite3_prepare_v2(connection, sql, size, statement, rest);
    *statement = NULL;
    return SQLITE_NOMEM;
}

struct MHD_Response *__wrap_MHD_create_response_from_buffer(size_t size, void *buffer,
                                                            enum MHD_ResponseMemoryMode mode)
{
    return fails() ? NULL : __real_MHD_create_response_from_buffer(size, buffer, mode);
}

enum MHD_Result __wrap_MHD_add_response_header(struct MHD_Response *response, const char *name, const char *value)
{
    return fails() ? MHD_NO : __real_MHD_add_response_header(response, name, value);
}

/* --- the program ---------------------------------------------------------------------------------------------- */

static int64_t submit(uint32_t epochs)
{
    struct ff_error error;
    int64_t id = program_submit(epochs, &error);

    if (id == 0)
        fail_msg("%s", error.message);
    return id;
}

/* Run 1 has finished; run 2 is paused, so that nothing trains meanwhile, and what is made waits. */
static int set_up(void **state)
{
    static struct run run;
    struct ff_error error;

    (void)state;
    cJSON_InitHooks(&(cJSON_Hooks){.malloc_fn = __wrap_malloc, .free_fn = free});
    program_prepare();
    if (program_open(&error) != FF_OK)
        return -1;
    program_await(submit(2), RUN_FINISHED, false);
    int64_t id = submit(1000000);
    program_await(id, RUN_RUNNING, false);
    session_pause(program.session, id, &run, &error);
    program_await(id, RUN_PAUSED, false);
    store_flush(program.store);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    program_close();
    program_remove();
    return 0;
}

/* --- requests ------------------------------------------------------------------------------------------------- */

enum { ANSWER_MAX = 1 << 20 };
static char answer[ANSWER_MAX];

/* The answer to its end, in `answer`; its status, 0 when the connection was closed without one. */
static unsigned ask(const char *method, const char *path, const char *body)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(http_port(program.http)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = 120};
    char request[1024];
    size_t used = 0;
    ssize_t got;
    unsigned status = 0;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int length = snprintf(request, sizeof request,
                          "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                          "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                          method, path, body == NULL ? 0 : strlen(body), body == NULL ? "" : body);

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(send(fd, request, (size_t)length, MSG_NOSIGNAL), length);
    while (used < ANSWER_MAX - 1 && (got = recv(fd, answer + used, ANSWER_MAX - 1 - used, 0)) > 0)
        used += (size_t)got;
    answer[used] = '\0';
    close(fd);
    if (used > 0 && sscanf(answer, "HTTP/1.1 %u", &status) != 1)
        fail_msg("%s %s: no answer is %.200s", method, path, answer);
    return status;
}

struct asking {
    const char *method, *path, *body;
    unsigned status; /* that is due when nothing fails */
    bool fixed;      /* it is the same each time */
};

static const struct asking askings[] = {
    {"GET", "/healthz", NULL, 200, true},
    {"GET", "/readyz", NULL, 200, false},
    {"GET", "/metrics", NULL, 200, false},
    {"GET", "/", NULL, 200, true},
    {"GET", "/nothing", NULL, 404, true},
    {"PUT", "/api/v1/runs", "{}", 405, false},
    {"GET", "/api/v1/runs", NULL, 200, false},
    {"GET", "/api/v1/runs?state=finished&limit=1", NULL, 200, true},
    {"GET", "/api/v1/runs/1", NULL, 200, true},
    {"GET", "/api/v1/runs/current", NULL, 200, false},
    {"GET", "/api/v1/runs/77", NULL, 404, true},
    {"GET", "/api/v1/runs/1/metrics", NULL, 200, true},
    {"GET", "/api/v1/runs/1/metrics?format=csv", NULL, 200, true},
    {"GET", "/api/v1/runs/1/epochs", NULL, 200, true},
    {"GET", "/api/v1/runs/1/epochs?format=csv", NULL, 200, true},
    {"GET", "/api/v1/runs/1/histograms", NULL, 200, true},
    {"GET", "/api/v1/runs/1/confusion", NULL, 200, true},
    {"GET", "/api/v1/runs/1/log", NULL, 200, false},
    {"GET", "/api/v1/runs/1/events", NULL, 200, false},
    {"GET", "/api/v1/runs/1/checkpoint", NULL, 200, true},
    {"GET", "/api/v1/runs/1/layers/1/weights?unit=1&count=2", NULL, 200, true},
    {"GET", "/api/v1/runs/2/timeline", NULL, 200, false},
    {"GET", "/api/v1/compare?runs=1,2", NULL, 200, false},
    {"GET", "/api/v1/datasets/bars/samples/test/3", NULL, 200, true},
    {"GET", "/api/v1/presets", NULL, 200, true},
    {"GET", "/api/v1/config", NULL, 200, true},
    {"GET", "/api/v1/openapi.json", NULL, 200, true},
    {"GET", "/api/v1/version", NULL, 200, false},
    {"POST", "/api/v1/runs/1/predict", "{\"sample\": 3}", 200, true},
    {"POST", "/api/v1/runs/2/predict", "{\"sample\": 3}", 200, false},
    {"POST", "/api/v1/runs/2/pause", NULL, 200, false},
    {"POST", "/api/v1/runs/1/resume", NULL, 409, false},
    {"POST", "/api/v1/runs/1/resume", "{\"epochs\": 1000000}", 422, true},
    {"POST", "/api/v1/runs", "{\"config\": {\"epochs\": -1, \"leyers\": 3}}", 422, true},
    {"POST", "/api/v1/runs", "{\"config\": {\"epochs\": 1,}}", 400, true},
    {"PATCH", "/api/v1/runs/1", "{\"name\": \"another\", \"tags\": [\"a\", \"b\"]}", 200, false},
    {"PATCH", "/api/v1/runs/2", "{\"config\": {\"learning_rate\": 0.01}}", 200, false},
};

/* What came after the head. */
static const char *content(void)
{
    const char *end = strstr(answer, "\r\n\r\n");
    return end != NULL ? end + 4 : "";
}

static char whole[ANSWER_MAX]; /* what comes when nothing fails, where that is fixed */

/* One call of it fails. Whether there was such a call. */
static bool ask_with_fault(const struct asking *asking, long at)
{
    atomic_store(&calls, 0);
    atomic_store(&fails_at, at);
    unsigned status = ask(asking->method, asking->path, asking->body);
    bool reached = atomic_load(&calls) >= at;
    atomic_store(&fails_at, 0);

    bool error = (status == 500 || status == 503) && strstr(answer, "application/problem+json") != NULL;
    if (status != 0 && status != asking->status && !error)
        fail_msg("%s %s: with call %ld failing the answer is %.400s", asking->method, asking->path, at, answer);
    if (status == asking->status && asking->fixed && strcmp(content(), whole) != 0)
        fail_msg("%s %s: with call %ld failing something else is answered: %.3000s", asking->method, asking->path,
                 at, content());
    if (ask("GET", "/healthz", NULL) != 200)
        fail_msg("%s %s: after call %ld failed the program is not well: %.400s", asking->method, asking->path, at,
                 answer);
    return reached;
}

/* Calls when none fails. */
static long count_calls(const struct asking *asking)
{
    atomic_store(&calls, 0);
    atomic_store(&fails_at, LONG_MAX);
    assert_int_equal(ask(asking->method, asking->path, asking->body), asking->status);
    atomic_store(&fails_at, 0);
    return atomic_load(&calls);
}

enum { MANY_CALLS = 1500 }; /* where there are more, not each of them is tried */

static void every_call_on_the_way_of_a_request_may_fail(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof askings / sizeof askings[0]; i++) {
        const struct asking *asking = &askings[i];
        long at = 1;

        long stride = 1 + count_calls(asking) / MANY_CALLS;
        snprintf(whole, sizeof whole, "%s", content());
        while (ask_with_fault(asking, at))
            at += stride;
        printf("%s %s: %ld calls\n", asking->method, asking->path, at - 1);
        if (ask(asking->method, asking->path, asking->body) != asking->status)
            fail_msg("%s %s: afterwards the answer is %.400s", asking->method, asking->path, answer);
    }
}

static void what_never_changes_is_made_once(void **state)
{
    static const char *const paths[] = {"/api/v1/config", "/api/v1/openapi.json", "/api/v1/presets"};
    struct ff_error error;

    (void)state;
    program.api.answers = answers_create(&error);
    assert_non_null(program.api.answers);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        const struct asking asking = {"GET", paths[i], NULL, 200, true};
        long first = count_calls(&asking);
        snprintf(whole, sizeof whole, "%s", content());
        assert_true(strstr(answer, "ETag: ") != NULL);
        assert_in_range(count_calls(&asking), 1, first / 10);
        assert_true(strstr(answer, "ETag: ") != NULL);
        assert_string_equal(content(), whole);
    }
    struct answers *answers = program.api.answers;
    program.api.answers = NULL;
    answers_destroy(answers);
}

/* What is made, it is deleted again: whole or not at all. */
static void runs_are_made_and_deleted_whole_or_not_at_all(void **state)
{
    static const struct asking make = {"POST", "/api/v1/runs",
                                       "{\"config\": {\"dataset\": \"bars\", \"epochs\": 1}}", 201, false};
    bool reached = true;

    (void)state;
    for (long at = 1; reached; at++) {
        int64_t before = store_latest_run(program.store);
        reached = ask_with_fault(&make, at);
        int64_t made = store_latest_run(program.store);
        char path[64];

        if (made == before)
            continue;
        snprintf(path, sizeof path, "/api/v1/runs/%lld", (long long)made);
        struct asking forget = {"DELETE", path, NULL, 204, false};
        for (long n = 1; store_latest_run(program.store) == made; n++)
            ask_with_fault(&forget, n);
        assert_int_equal(ask("GET", path, NULL), 404);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_on_the_way_of_a_request_may_fail),
        cmocka_unit_test(what_never_changes_is_made_once),
        cmocka_unit_test(runs_are_made_and_deleted_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
