/* http_private.h - what the files of http share: a request and its response from the inside. */
#ifndef HTTP_PRIVATE_H
#define HTTP_PRIVATE_H

#include <microhttpd.h>

#include "arrival.h"
#include "gate.h"
#include "http.h"
#include "listen.h"
#include "router.h"
#include "tally.h"
#include "waiting.h"

enum {
    HTTP_HEAD_MAX = 64 * 1024, /* request line and fields */
    HTTP_BODY_MAX = 1024 * 1024,
    HTTP_DRAIN_MAX = 8 * 1024 * 1024, /* a body too large is read so far, so that its sender sees the 413 */
    HTTP_QUERY_MAX = 32,
    HTTP_HEADERS_MAX = 8
};

struct http {
    struct http_options options;
    struct gate gate;
    struct listen_sockets sockets;
    struct MHD_Daemon *daemons[2];
    size_t daemon_count;
    struct arrival arrival;
    struct waiting waiting;
    struct tally *tally; /* constant */
    atomic_uint streams;
    atomic_uint_fast64_t unanswered; /* requests that ended before we answered: left, late, or not HTTP */
    atomic_uint_fast64_t refused;    /* for there were too many connections */
};

enum answer { ANSWER_NONE, ANSWER_BODY, ANSWER_SHARED, ANSWER_STATIC, ANSWER_STREAM, ANSWER_FILE, ANSWER_LATER };

struct response {
    struct request *request;
    enum answer answer;
    unsigned status;
    const char *type; /* NULL: no body */
    void *data;
    const void *constant;       /* ANSWER_STATIC */
    struct shared_text *shared; /* ANSWER_SHARED */
    size_t length;
    char etag[HTTP_ETAG_MAX]; /* "" for none */
    struct {
        const char *name;
        char value[256];
    } headers[HTTP_HEADERS_MAX];
    size_t header_count;
    struct http_stream stream;
    int file; /* ANSWER_FILE */
    uint64_t size;
    double seconds; /* of ANSWER_LATER */
};

struct query {
    char *name, *value;
};

struct request {
    struct http *http;
    struct MHD_Connection *connection;
    char *target;      /* as it came: path, or a whole URL, with the query */
    const char *place; /* where it stands in the library's buffer, which has changed it since */
    char *host;        /* of a target that is a whole URL; else NULL */
    char *path;        /* as it came, without the query */
    const char *method;
    struct query query[HTTP_QUERY_MAX];
    size_t query_count;
    struct router_match match;
    http_handler *handler;
    bool begun;   /* its fields were looked at */
    bool last;    /* on its connection: where the next one would begin is unsure */
    bool endless; /* nobody can tell where its body ends */
    bool whole;   /* its body was looked at */
    char *body;
    size_t body_length, body_capacity;
    uint64_t received; /* bytes of body, those thrown away too */
    cJSON *json;       /* NULL: there is no body */
    double arrived;
    struct arrival_connection *connection_arrival; /* NULL: memory was short */
    unsigned answered;                             /* the status that was sent; 0: none */
    atomic_uint_fast64_t sent;                     /* bytes of its body */
    bool last_try;
    struct waiter waiter;
    struct bell *bell; /* of the waiter; NULL: nobody asked for it */
    void *kept;        /* what the handler keeps between its calls */
    void (*release)(void *kept);
    struct response response;
};

/* Make what a request line says into a request. NULL when memory is short. */
struct request *request_create(struct http *http, const char *target);
void request_destroy(struct request *request);

/* False: more parameters than any request needs, one that is not percent-encoded UTF-8, or memory is short, which
 * match.starved tells. */
bool request_parse_query(struct request *request);

/* The fields are there, the body is not: gate and routing. What is refused is answered in request->response, to be
 * sent when the body has been read. */
void request_begin(struct request *request, const char *version, const struct gate *gate,
                   const struct http_options *options);

/* Some of the body; false when it is hopelessly long. */
bool request_take(struct request *request, const char *data, size_t size);

/* The body is whole: its type, size and JSON. Refused as above. */
void request_finish_body(struct request *request);

/* Whether an answer stands already. */
bool request_is_answered(const struct request *request);

/* Whether the connection must close after the answer: where the next request begins is unsure, or (of chunked ones)
 * the library is lax about the lines that tell it. */
bool request_is_last(const struct request *request);

/* Give up what the response holds, so that another answer can be put in. */
void response_clear(struct response *response);

/* The library's response to a body or a static answer (If-None-Match looked at). NULL when memory is short; what it
 * holds belongs to the library then. */
struct MHD_Response *response_build(struct response *response);
void response_add_headers(const struct response *response, struct MHD_Response *built);

/* The library's response to a stream (stream.c). NULL when memory is short. */
struct MHD_Response *stream_build(struct request *request);

#endif
