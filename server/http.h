/* http.h - libmicrohttpd behind one gate, one table of routes, small requests and responses.
 *
 * A handler gets a request and a response, never a socket, and never waits: what must wait asks to be called again
 * (respond_later), what flows is a stream (respond_stream). Handlers run on pool threads, several at once.
 *
 * Every request passes, in this order: its head's bytes and limits, the gate (Host, Origin, Sec-Fetch-Site), the
 * token where there is one, the routing table (404, 405 with Allow, OPTIONS, HEAD), the body (Content-Type, size,
 * strict JSON). All errors are problem+json, but for those that libmicrohttpd finds while it reads a head. */
#ifndef HTTP_H
#define HTTP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include <cjson/cJSON.h>

#include "config.h"
#include "error.h"

enum { HTTP_ETAG_MAX = 80 }; /* bytes of an ETag, its NUL too */

struct http;
struct request;
struct response;

struct token;
struct api; /* what handlers work with: session, store, hub, catalog … (api.h) */

typedef void http_handler(struct api *api, const struct request *request, struct response *response);

enum http_access {
    HTTP_DATA, /* refused to other sites' pages, GET too */
    HTTP_PAGE  /* may be linked to from anywhere */
};

/* One row of the table. `path` may hold one or more {name} parts, each one segment: "/api/v1/runs/{id}/pause"; a
 * last part {name*} stands for all the rest. */
struct http_route {
    const char *method; /* GET (HEAD too), POST, PATCH, DELETE */
    const char *path;
    http_handler *handler;
    enum http_access access;
    const char *help; /* one line: from it come openapi and the API page */
    /* Of {name*}: whether there is such a path, so that another method is a 405 and not a 404. NULL: always. */
    bool (*exists)(const char *path);
    /* Where there is a token: whether this path can be had without it. NULL: never. */
    bool (*open)(const char *path);
};

struct http_options {
    const char *address;            /* "127.0.0.1" listens on ::1 too */
    uint16_t port;                  /* 0: a free one */
    const char *const *allow_hosts; /* further names a Host may have; NULL at the end; or NULL */
    const struct http_route *routes;
    size_t route_count;
    struct token *token; /* that every request has to show (sign_in.h); NULL: none */
    struct api *api;
};

/* Listen and serve. NULL and `error`: a port in use, an address that is not this machine's. */
struct http *http_start(const struct http_options *options, struct ff_error *error);
uint16_t http_port(const struct http *http);
/* A sentence for the log when something is not as it should be (no IPv6 here), or NULL. */
const char *http_warning(const struct http *http);
/* Let all waiting requests and streams look again (any thread; the hub's wake). Returns how many there were. */
size_t http_wake(struct http *http);
/* End streams and waiting requests, answer what is under way (for at most two seconds), close. NULL is fine. */
void http_stop(struct http *http);

/* The request. Strings live as long as it. */
const char *request_path(const struct request *request);
const char *request_target(const struct request *request); /* as it came: path and query */
/* "{id}" of the path, decoded; NULL: none. */
const char *request_part(const struct request *request, const char *name);
const char *request_query(const struct request *request, const char *name); /* NULL: not there */
const char *request_header(const struct request *request, const char *name);
/* Requests, connections and streams so far, as Prometheus has it. */
void request_write_metrics(const struct request *request, FILE *out);
const cJSON *request_json(const struct request *request); /* the body, an object ({} when there is none) */
/* The deadline of respond_later has come, or we are closing. */
bool request_is_last_try(const struct request *request);
/* Refuse query parameters that are not in `names` (NULL at the end) with a 400 that suggests; false: answered
 * already. */
bool request_check_query(const struct request *request, struct response *response, const char *const *names);
/* A whole number out of the query, within low to high; `otherwise` when absent; false: 400 answered already. */
bool request_query_number(const struct request *request, struct response *response, const char *name, uint64_t low,
                          uint64_t high, uint64_t otherwise, uint64_t *value);

/* The answer: exactly one of these a call. */
/* Takes the tree, or the text (malloc); NULL: 500 out of memory. */
void respond_json(struct response *response, unsigned status, cJSON *json);
void respond_text(struct response *response, unsigned status, const char *type, char *text, size_t length);
void respond_static(struct response *response, const char *type, const void *data, size_t length, const char *etag);
/* `size` bytes of the open file, which it takes; one range of it where that is asked for. */
void respond_file(struct response *response, const char *type, int file, uint64_t size, const char *etag);
void respond_empty(struct response *response, unsigned status); /* 204 */
void respond_problem(struct response *response, unsigned status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void respond_nothing_there(struct response *response); /* 404: no such path */
/* The status from the code: NOT_FOUND 404, CONFLICT 409, INVALID 422, BUSY 503 + Retry-After, … */
void respond_error(struct response *response, const struct ff_error *error);
void respond_problems(struct response *response, const struct ff_problems *problems); /* 422 with all of them */
/* Call the handler again at every http_wake (and when its bell rings), until `seconds` after the request arrived
 * have passed: then once more, and request_is_last_try tells it. */
void respond_later(struct response *response, double seconds);
/* What the handler finds again when it is called once more for this request (request_kept); `release` gets it when
 * the request ends, whatever its end. Once a request. */
void response_keep(struct response *response, void *state, void (*release)(void *state));
void *request_kept(const struct request *request); /* NULL: nothing yet */
/* A bell calls the handler of this one request again at once, whoever rings it and on whatever thread; it may
 * outlive the request, and is then silent. One more reference to it, to be given back once with http_bell_release.
 * NULL when memory is short. */
struct bell;
struct bell *response_bell(struct response *response);
void http_bell_ring(struct bell *bell);
void http_bell_release(struct bell *bell);
/* Another status for an answer that stands, as for a page that says "not found". */
void response_status(struct response *response, unsigned status);
void response_header(struct response *response, const char *name, const char *value);
/* The answer (JSON or text, to GET) gets a strong ETag of its content, and becomes a 304 where If-None-Match has
 * it. Call it after respond_…. */
void response_use_etag(struct response *response);

/* A text that several answers give, at once: with its type and ETag, and who holds it counted. Any thread. */
struct shared_text {
    atomic_uint holders;
    const char *type;
    char etag[HTTP_ETAG_MAX]; /* "": none */
    size_t length;
    char *text;
};
/* Share the text that stands in the response, which still is the answer, with its ETag; release it. NULL: another
 * answer than a text with status 200, or memory is short. */
struct shared_text *response_share(struct response *response);
void shared_text_hold(struct shared_text *shared);
void shared_text_release(struct shared_text *shared);                       /* NULL is fine */
void respond_shared(struct response *response, struct shared_text *shared); /* takes over one who holds it */

/* A stream. `read` fills at most `size` bytes: > 0 written, 0 nothing now (asked again at the next http_wake), -1
 * the end. It may be called by different threads, one at a time. `close` is called once. */
struct http_stream {
    void *self;
    ssize_t (*read)(void *self, char *buffer, size_t size);
    void (*close)(void *self);
    double beat; /* seconds: `read` is asked again at least that long after it last wrote; 0: never */
};
void respond_stream(struct response *response, const char *type, struct http_stream stream);

#endif
