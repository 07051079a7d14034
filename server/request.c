/* request.c - a request from its line and fields to its JSON body: what passes, and what is refused in which words.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http_private.h"
#include "json.h"

/* --- target --------------------------------------------------------------------------------------------------- */

/* "http://host:port/path" is as good as "/path" (RFC 9112, 3.2.2): its host counts instead of the Host field. */
static bool split_target(struct request *request)
{
    const char *start = request->target;

    if (strncasecmp(start, "http://", 7) == 0) {
        size_t length = strcspn(start + 7, "/?");

        request->host = strndup(start + 7, length);
        if (request->host == NULL)
            return false;
        start += 7 + length;
    }
    request->path = strndup(start, strcspn(start, "?#"));
    return request->path != NULL;
}

struct request *request_create(struct http *http, const char *target)
{
    struct request *request = calloc(1, sizeof *request);

    if (request == NULL)
        return NULL;
    request->http = http;
    request->arrived = waiting_clock();
    request->target = strdup(target);
    request->response.request = request;
    if (request->target == NULL || !split_target(request)) {
        request_destroy(request);
        return NULL;
    }
    return request;
}

void request_destroy(struct request *request)
{
    response_clear(&request->response);
    if (request->release != NULL)
        request->release(request->kept);
    bell_release(request->bell);
    for (size_t i = 0; i < request->query_count; i++) {
        free(request->query[i].name);
        free(request->query[i].value);
    }
    router_release(&request->match);
    cJSON_Delete(request->json);
    free(request->body);
    free(request->path);
    free(request->host);
    free(request->target);
    free(request);
}

static bool add_query(struct request *request, const char *text, size_t length)
{
    struct query *query = &request->query[request->query_count];
    const char *equals = memchr(text, '=', length);
    size_t name_length = equals != NULL ? (size_t)(equals - text) : length;

    if (request->query_count == HTTP_QUERY_MAX)
        return false;
    query->name = router_decode(text, name_length, true);
    query->value = equals != NULL ? router_decode(equals + 1, length - name_length - 1, true) : strdup("");
    request->query_count++;
    return query->name != NULL && query->value != NULL;
}

/* False: more parameters than any request needs, or one that is not percent-encoded UTF-8. */
static bool parse_query(struct request *request)
{
    const char *text = strchr(request->target, '?');

    for (text = text != NULL ? text + 1 : ""; *text != '\0' && *text != '#';) {
        size_t length = strcspn(text, "&#");

        if (length > 0 && !add_query(request, text, length))
            return false;
        text += length;
        text += *text == '&';
    }
    return true;
}

/* --- fields --------------------------------------------------------------------------------------------------- */

/* The values of the fields that matter before anything else, however often they stand there. */
struct fields {
    const char *hosts[4];
    size_t host_count, origin_count, site_count, length_count;
    char origin[512], site[128]; /* several: joined with ", " */
    const char *transfer_encoding;
    bool damaged; /* a field with a NUL in it */
};

static void join_field(char *joined, size_t size, const char *value)
{
    size_t used = strlen(joined);

    snprintf(joined + used, size - used, "%s%s", used > 0 ? ", " : "", value);
}

static enum MHD_Result take_field(void *self, enum MHD_ValueKind kind, const char *name, size_t name_size,
                                  const char *value, size_t value_size)
{
    struct fields *fields = self;

    (void)kind;
    value = value != NULL ? value : "";
    if (strlen(name) != name_size || strlen(value) != value_size)
        fields->damaged = true;
    if (strcasecmp(name, "Host") == 0 && fields->host_count < 4) {
        fields->hosts[fields->host_count++] = value;
    } else if (strcasecmp(name, "Origin") == 0) {
        join_field(fields->origin, sizeof fields->origin, value);
        fields->origin_count++;
    } else if (strcasecmp(name, "Sec-Fetch-Site") == 0) {
        join_field(fields->site, sizeof fields->site, value);
        fields->site_count++;
    } else if (strcasecmp(name, "Content-Length") == 0) {
        fields->length_count++;
    } else if (strcasecmp(name, "Transfer-Encoding") == 0) {
        if (fields->transfer_encoding != NULL)
            fields->damaged = true;
        fields->transfer_encoding = value;
    }
    return MHD_YES;
}

static void collect_fields(const struct request *request, struct fields *fields)
{
    memset(fields, 0, sizeof *fields);
    MHD_get_connection_values_n(request->connection, MHD_HEADER_KIND, take_field, fields);
}

/* Fields from which two readers could understand two different requests. */
static bool is_ambiguous(const struct fields *fields)
{
    return fields->damaged || fields->length_count > 1 ||
           (fields->transfer_encoding != NULL &&
            (fields->length_count > 0 || strcasecmp(fields->transfer_encoding, "chunked") != 0));
}

bool request_is_ambiguous(const struct request *request)
{
    struct fields fields;

    collect_fields(request, &fields);
    return is_ambiguous(&fields);
}

static bool passes_gate(struct request *request, const struct gate *gate, const struct fields *fields)
{
    struct ff_error error;
    const char *target_host[1] = {request->host};
    struct gate_request asked = {.method = request->method,
                                 .hosts = fields->hosts,
                                 .host_count = fields->host_count,
                                 .origin = fields->origin_count > 0 ? fields->origin : NULL,
                                 .sec_fetch_site = fields->site_count > 0 ? fields->site : NULL,
                                 .access = request->match.access};
    unsigned status;

    if (request->host != NULL && fields->host_count == 1)
        asked.hosts = target_host;
    status = gate_check(gate, &asked, &error);
    if (status != 0)
        respond_problem(&request->response, status, "%s", error.message);
    return status == 0;
}

/* --- routing -------------------------------------------------------------------------------------------------- */

/* 404, 405, OPTIONS; or the handler. */
static void route(struct request *request)
{
    const struct router_match *match = &request->match;
    struct response *response = &request->response;

    if (match->route != NULL) {
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
        respond_problem(response, 404, "there is nothing at %s", request->path);
    }
}

static bool announces_too_much(const struct request *request)
{
    const char *length = request_header(request, "Content-Length");

    return length != NULL && strtoull(length, NULL, 10) > HTTP_BODY_MAX;
}

void request_begin(struct request *request, const struct gate *gate, const struct http_options *options)
{
    struct fields fields;

    request->begun = true;
    collect_fields(request, &fields);
    router_find(options->routes, options->route_count, request->method, request->path, &request->match);
    if (is_ambiguous(&fields))
        respond_problem(
            &request->response, 400,
            "the request's length is ambiguous: give one Content-Length, or Transfer-Encoding: chunked");
    else if (passes_gate(request, gate, &fields)) {
        if (announces_too_much(request))
            respond_problem(&request->response, 413, "the body is longer than %d bytes", HTTP_BODY_MAX);
        else if (!parse_query(request))
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

static void parse_body(struct request *request)
{
    struct ff_problems problems = {.count = 0};
    struct ff_error error;

    request->json = json_parse_strict(request->body, request->body_length, &error);
    if (request->json == NULL) {
        respond_problem(&request->response, error.status == FF_NO_MEMORY ? 500 : 400, "the body is not JSON: %s",
                        error.message);
    } else if (!cJSON_IsObject(request->json)) {
        ff_problem_add(&problems, "", "must be an object, got %s", ff_json_kind(request->json));
        respond_problems(&request->response, &problems);
    }
}

void request_finish_body(struct request *request)
{
    const char *type = request_header(request, "Content-Type");

    if (request_is_answered(request))
        return;
    if (request->body_length == 0) {
        request->json = cJSON_CreateObject();
        if (request->json == NULL)
            respond_problem(&request->response, 500, "out of memory");
    } else if (!is_json_type(type)) {
        respond_problem(&request->response, 415,
                        "the body's Content-Type must be application/json, got %s; with curl: curl --json '{…}'",
                        type != NULL ? type : "none");
    } else {
        parse_body(request);
    }
}

/* --- what handlers ask ---------------------------------------------------------------------------------------- */

const char *request_method(const struct request *request)
{
    return request->method;
}

const char *request_path(const struct request *request)
{
    return request->path;
}

const char *request_part(const struct request *request, const char *name)
{
    for (size_t i = 0; i < request->match.part_count; i++)
        if (strcmp(request->match.parts[i].name, name) == 0)
            return request->match.parts[i].value;
    return NULL;
}

const char *request_query(const struct request *request, const char *name)
{
    for (size_t i = 0; i < request->query_count; i++)
        if (strcmp(request->query[i].name, name) == 0)
            return request->query[i].value;
    return NULL;
}

const char *request_header(const struct request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

const cJSON *request_json(const struct request *request)
{
    return request->json;
}

static bool stands_twice(const struct request *request, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(request->query[i].name, request->query[index].name) == 0)
            return true;
    return false;
}

bool request_check_query(const struct request *request, struct response *response, const char *const *names)
{
    for (size_t i = 0; i < request->query_count; i++) {
        const char *name = request->query[i].name, *nearest;
        size_t known = 0;

        while (names[known] != NULL && strcmp(names[known], name) != 0)
            known++;
        if (names[known] != NULL && !stands_twice(request, i))
            continue;
        nearest = ff_nearest_name(name, names);
        if (names[known] != NULL)
            respond_problem(response, 400, "the query parameter \"%s\" is given twice", name);
        else if (nearest != NULL)
            respond_problem(response, 400, "there is no query parameter \"%s\" here; did you mean \"%s\"?", name,
                            nearest);
        else
            respond_problem(response, 400, "there is no query parameter \"%s\" here", name);
        return false;
    }
    return true;
}

bool request_query_number(const struct request *request, struct response *response, const char *name, uint64_t low,
                          uint64_t high, uint64_t otherwise, uint64_t *value)
{
    const char *text = request_query(request, name);
    bool good = text != NULL && *text != '\0';

    *value = otherwise;
    if (text == NULL)
        return true;
    *value = 0;
    for (const char *c = text; *c != '\0' && good; c++) {
        unsigned digit = (unsigned)(*c - '0');

        good = *c >= '0' && *c <= '9' && *value <= (UINT64_MAX - digit) / 10;
        *value = *value * 10 + digit;
    }
    if (good && *value >= low && *value <= high)
        return true;
    respond_problem(response, 400,
                    "the query parameter \"%s\" must be a whole number from %llu to %llu, got \"%s\"", name,
                    (unsigned long long)low, (unsigned long long)high, text);
    return false;
}
