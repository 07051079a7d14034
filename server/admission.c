/* admission.c - a request from its fields to its JSON body: what passes, and what is refused in which words. */
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "head.h"
#include "http_private.h"
#include "json.h"
#include "sign_in.h"

/* --- fields --------------------------------------------------------------------------------------------------- */

/* The values of the fields that matter before anything else, however often they stand there. */
struct fields {
    struct head head;
    size_t host_count, origin_count, site_count, length_count;
    char host[512], origin[512], site[128]; /* several: joined with ", " */
    size_t coding_count;
    const char *unknown_coding, *unknown_expectation; /* NULL: none */
};

/* What has no room is cut. */
static void append(char *joined, size_t size, const char *text, size_t length)
{
    size_t used = strlen(joined), room = size - 1 - used;

    length = length < room ? length : room;
    memcpy(joined + used, text, length);
    joined[used + length] = '\0';
}

/* The library leaves the space behind a value in it. */
static void join_field(char *joined, size_t size, const char *value)
{
    size_t length = strlen(value);

    while (length > 0 && (value[length - 1] == ' ' || value[length - 1] == '\t'))
        length--;
    if (joined[0] != '\0')
        append(joined, size, ", ", 2);
    append(joined, size, value, length);
}

static enum MHD_Result take_field(void *self, enum MHD_ValueKind kind, const char *name, size_t name_size,
                                  const char *value, size_t value_size)
{
    struct fields *fields = self;

    (void)kind;
    value = value != NULL ? value : "";
    head_add_field(&fields->head, name, name_size, value, value_size);
    if (strcasecmp(name, "Host") == 0) {
        join_field(fields->host, sizeof fields->host, value);
        fields->host_count++;
    } else if (strcasecmp(name, "Origin") == 0) {
        join_field(fields->origin, sizeof fields->origin, value);
        fields->origin_count++;
    } else if (strcasecmp(name, "Sec-Fetch-Site") == 0) {
        join_field(fields->site, sizeof fields->site, value);
        fields->site_count++;
    } else if (strcasecmp(name, "Content-Length") == 0) {
        fields->length_count++;
    } else if (strcasecmp(name, "Transfer-Encoding") == 0) {
        fields->coding_count++;
        if (strcasecmp(value, "chunked") != 0)
            fields->unknown_coding = value;
    } else if (strcasecmp(name, "Expect") == 0 && strcasecmp(value, "100-continue") != 0) {
        fields->unknown_expectation = value;
    }
    return MHD_YES;
}

static size_t head_size(const struct request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

    return info != NULL ? info->header_size : 0;
}

static void collect_fields(const struct request *request, const char *version, struct fields *fields)
{
    memset(fields, 0, sizeof *fields);
    head_begin(&fields->head, request->method, request->place, strlen(request->target), version);
    MHD_get_connection_values_n(request->connection, MHD_HEADER_KIND, take_field, fields);
    head_end(&fields->head, head_size(request));
}

/* Fields that leave the end of the request unknown, or from which two readers could understand two of them. */
static bool is_ambiguous(const struct fields *fields)
{
    return fields->length_count > 1 ||
           (fields->coding_count > 0 && fields->length_count + fields->coding_count > 1);
}

/* The head, by its bytes; false: answered. The connection closes then, as where the next request begins is unsure.
 */
static bool passes_head(struct request *request, const struct fields *fields)
{
    const char *wrong = fields->head.wrong;

    if (head_size(request) > HTTP_HEAD_MAX) {
        respond_problem(&request->response, 431, "the request line and the fields are longer than %d bytes",
                        HTTP_HEAD_MAX);
    } else {
        if (wrong == NULL)
            wrong = head_check_target(request->method, request->target);
        if (wrong != NULL)
            respond_problem(&request->response, 400, "the request is not HTTP/1.1: %s", wrong);
    }
    request->last |= request_is_answered(request);
    return !request_is_answered(request);
}

/* What the fields ask of the server that it does not do; false: answered. */
static bool passes_framing(struct request *request, const struct fields *fields, const char *version)
{
    request->last |= fields->coding_count > 0 || fields->length_count > 1;
    if (is_ambiguous(fields))
        respond_problem(
            &request->response, 400,
            "the request's length is ambiguous: give one Content-Length, or Transfer-Encoding: chunked");
    else if (fields->coding_count > 0 && strcmp(version, "HTTP/1.0") == 0)
        respond_problem(&request->response, 400,
                        "HTTP/1.0 has no Transfer-Encoding: give a Content-Length, or say HTTP/1.1");
    else if (request->endless)
        respond_problem(&request->response, 501,
                        "the Transfer-Encoding \"%.80s\" is not known here: give a Content-Length, or chunked",
                        fields->unknown_coding);
    else if (fields->unknown_expectation != NULL)
        respond_problem(&request->response, 417, "the expectation \"%.80s\" is not known here, only 100-continue",
                        fields->unknown_expectation);
    return !request_is_answered(request);
}

bool request_is_last(const struct request *request)
{
    return request->last;
}

/* Where all of this machine's addresses are listened on: the one that was called, in figures; else NULL. */
static const char *called_address(const struct request *request, const struct gate *gate, char text[NI_MAXHOST])
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;

    if ((strcmp(gate->address, "0.0.0.0") != 0 && strcmp(gate->address, "::") != 0) ||
        request->connection_arrival == NULL ||
        getsockname(request->connection_arrival->fd, (struct sockaddr *)&address, &length) != 0 ||
        getnameinfo((struct sockaddr *)&address, length, text, NI_MAXHOST, NULL, 0, NI_NUMERICHOST) != 0)
        return NULL;
    return text;
}

static bool passes_gate(struct request *request, const struct gate *gate, const struct fields *fields)
{
    char called[NI_MAXHOST];
    struct ff_error error;
    const char *host[1] = {request->host != NULL ? request->host : fields->host};
    struct gate_request asked = {.method = request->method,
                                 .hosts = host,
                                 .host_count = fields->host_count,
                                 .local = called_address(request, gate, called),
                                 .origin = fields->origin_count > 0 ? fields->origin : NULL,
                                 .sec_fetch_site = fields->site_count > 0 ? fields->site : NULL,
                                 .access = request->match.access};
    unsigned status;

    status = gate_check(gate, &asked, &error);
    if (status != 0)
        respond_problem(&request->response, status, "%s", error.message);
    return status == 0;
}

/* What can be had without the token says so in its row. */
static bool passes_token(struct request *request, struct token *token)
{
    const struct router_match *match = &request->match;

    if (token == NULL || (match->route != NULL && match->route->open != NULL && match->route->open(request->path)))
        return true;
    return sign_in_passes(request, &request->response, token);
}

/* --- routing -------------------------------------------------------------------------------------------------- */

/* 404, 405, OPTIONS; or the handler. */
static void route(struct request *request)
{
    const struct router_match *match = &request->match;
    struct response *response = &request->response;

    if (match->starved) {
        respond_problem(response, 503, "not enough memory for the request");
    } else if (match->route != NULL) {
        request->handler = match->route->handler;
    } else if (match->known && strcmp(request->method, "OPTIONS") == 0) {
        respond_empty(response, 204);
        response_header(response, "Allow", match->allow);
    } else if (match->known) {
        respond_problem(response, 405, "%s is not allowed on %s; allowed are %s", request->method, request->path,
                        match->allow);
        response_header(response, "Allow", match->allow);
    } else if (strcmp(request->target, "*") == 0 && strcmp(request->method, "OPTIONS") == 0) {
        respond_empty(response, 204);
        response_header(response, "Allow", "GET, HEAD, POST, PATCH, DELETE, OPTIONS");
    } else {
        respond_nothing_there(response);
    }
}

static bool announces_too_much(const struct request *request)
{
    const char *length = request_header(request, "Content-Length");

    return length != NULL && strtoull(length, NULL, 10) > HTTP_BODY_MAX;
}

void request_begin(struct request *request, const char *version, const struct gate *gate,
                   const struct http_options *options)
{
    struct fields fields;

    request->begun = true;
    collect_fields(request, version, &fields);
    request->endless = fields.unknown_coding != NULL; /* the library would read to the connection's end */
    router_find(options->routes, options->route_count, request->method, request->path, &request->match);
    if (passes_head(request, &fields) && passes_framing(request, &fields, version) &&
        passes_gate(request, gate, &fields) && passes_token(request, options->token)) {
        if (announces_too_much(request))
            respond_problem(&request->response, 413, "the body is longer than %d bytes", HTTP_BODY_MAX);
        else if (!request_parse_query(request) && !request->match.starved)
            respond_problem(&request->response, 400,
                            "the query must be at most %d parameters, each percent-encoded UTF-8", HTTP_QUERY_MAX);
        else
            route(request);
    }
}

bool request_is_answered(const struct request *request)
{
    return request->response.answer != ANSWER_NONE;
}

/* --- body ----------------------------------------------------------------------------------------------------- */

static bool grow_body(struct request *request, size_t size)
{
    size_t capacity = request->body_capacity == 0 ? 4096 : request->body_capacity;
    char *body;

    while (capacity < request->body_length + size)
        capacity *= 2;
    if (capacity == request->body_capacity)
        return true;
    body = realloc(request->body, capacity);
    if (body == NULL)
        return false;
    request->body = body;
    request->body_capacity = capacity;
    return true;
}

bool request_take(struct request *request, const char *data, size_t size)
{
    request->received += size;
    if (request->received > HTTP_DRAIN_MAX)
        return false;
    if (request_is_answered(request))
        return true;
    if (request->received > HTTP_BODY_MAX) {
        respond_problem(&request->response, 413, "the body is longer than %d bytes", HTTP_BODY_MAX);
    } else if (!grow_body(request, size)) {
        respond_problem(&request->response, 500, "out of memory for the body of the request");
    } else {
        memcpy(request->body + request->body_length, data, size);
        request->body_length += size;
    }
    return true;
}

static bool is_json_type(const char *type)
{
    size_t length = type != NULL ? strcspn(type, " \t;") : 0;

    return length == strlen("application/json") && strncasecmp(type, "application/json", length) == 0;
}

/* The body is taken as it is: not even gzip is undone, since a small body may become a huge one. */
static bool is_encoded(const struct request *request)
{
    const char *encoding = request_header(request, "Content-Encoding");

    return encoding != NULL && encoding[0] != '\0' && strcasecmp(encoding, "identity") != 0;
}

static void parse_body(struct request *request)
{
    struct ff_problems problems = {.count = 0};
    struct ff_error error;

    request->json = json_parse_strict(request->body, request->body_length, &error);
    if (request->json == NULL) {
        respond_problem(&request->response, error.status == FF_NO_MEMORY ? 500 : 400,
                        "the body cannot be read as JSON: %s", error.message);
    } else if (!cJSON_IsObject(request->json)) {
        ff_problem_add(&problems, "", "must be an object, got %s", ff_json_kind(request->json));
        respond_problems(&request->response, &problems);
    }
}

void request_finish_body(struct request *request)
{
    const char *type;

    request->whole = true;
    if (request_is_answered(request) || request->body_length == 0)
        return;
    type = request_header(request, "Content-Type");
    if (is_encoded(request)) {
        respond_problem(&request->response, 415,
                        "the body's Content-Encoding \"%.80s\" is not known here: send it plain",
                        request_header(request, "Content-Encoding"));
        response_header(&request->response, "Accept-Encoding", "identity");
    } else if (!is_json_type(type))
        respond_problem(&request->response, 415,
                        "the body's Content-Type must be application/json, got %s; with curl: curl --json '{…}'",
                        type != NULL ? type : "none");
    else
        parse_body(request);
}
