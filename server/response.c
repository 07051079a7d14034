/* response.c - answers: JSON, text, files of the program, problems; and their form for the library. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "digits.h"
#include "http_private.h"
#include "utf8.h"

/* --- what handlers say ---------------------------------------------------------------------------------------- */

/* Of the answer, what must be given back. */
static void give_up(struct response *response)
{
    if (response->answer == ANSWER_BODY)
        free(response->data);
    if (response->answer == ANSWER_SHARED)
        shared_text_release(response->shared);
    if (response->answer == ANSWER_STREAM && response->stream.close != NULL)
        response->stream.close(response->stream.self);
    if (response->answer == ANSWER_FILE)
        close(response->file);
}

void response_clear(struct response *response)
{
    struct request *request = response->request;

    give_up(response);
    memset(response, 0, sizeof *response);
    response->request = request;
}

static const char out_of_memory[] = "{\"type\":\"about:blank\",\"title\":\"Internal Server Error\",\"status\":500,"
                                    "\"detail\":\"out of memory\"}\n";

/* The answer that needs no memory. */
static void respond_out_of_memory(struct response *response)
{
    response_clear(response);
    response->answer = ANSWER_STATIC;
    response->status = 500;
    response->type = "application/problem+json";
    response->constant = out_of_memory;
    response->length = sizeof out_of_memory - 1;
}

void respond_text(struct response *response, unsigned status, const char *type, char *text, size_t length)
{
    response_clear(response);
    if (text == NULL) {
        respond_out_of_memory(response);
        return;
    }
    response->answer = ANSWER_BODY;
    response->status = status;
    response->type = type;
    response->data = text;
    response->length = length;
}

/* The tree as compact text with a newline at the end. */
static void respond_tree(struct response *response, unsigned status, const char *type, cJSON *json)
{
    char *text = json != NULL ? cJSON_PrintUnformatted(json) : NULL, *whole = NULL;
    size_t length = text != NULL ? strlen(text) : 0;

    cJSON_Delete(json);
    if (text != NULL && (whole = realloc(text, length + 2)) == NULL)
        free(text);
    if (whole != NULL)
        memcpy(whole + length, "\n", 2);
    respond_text(response, status, type, whole, length + 1);
}

void respond_json(struct response *response, unsigned status, cJSON *json)
{
    respond_tree(response, status, "application/json", json);
}

void respond_static(struct response *response, const char *type, const void *data, size_t length, const char *etag)
{
    response_clear(response);
    response->answer = ANSWER_STATIC;
    response->status = 200;
    response->type = type;
    response->constant = data;
    response->length = length;
    if (etag != NULL)
        snprintf(response->etag, sizeof response->etag, "%s%s%s", etag[0] == '"' ? "" : "\"", etag,
                 etag[0] == '"' ? "" : "\"");
}

void respond_file(struct response *response, const char *type, int file, uint64_t size, const char *etag)
{
    response_clear(response);
    response->answer = ANSWER_FILE;
    response->status = 200;
    response->type = type;
    response->file = file;
    response->size = size;
    snprintf(response->etag, sizeof response->etag, "%s", etag);
    response_header(response, "Accept-Ranges", "bytes");
}

void respond_empty(struct response *response, unsigned status)
{
    response_clear(response);
    response->answer = ANSWER_STATIC;
    response->status = status;
    response->constant = "";
}

static cJSON *problem_json(unsigned status, const char *detail)
{
    cJSON *json = cJSON_CreateObject();

    if (json == NULL || cJSON_AddStringToObject(json, "type", "about:blank") == NULL ||
        cJSON_AddStringToObject(json, "title", MHD_get_reason_phrase_for(status)) == NULL ||
        cJSON_AddNumberToObject(json, "status", status) == NULL ||
        cJSON_AddStringToObject(json, "detail", detail) == NULL) {
        cJSON_Delete(json);
        return NULL;
    }
    return json;
}

/* A sentence that was cut may end inside a character, and what a request held may not be UTF-8 at all. */
static void make_valid(char *text)
{
    for (size_t at = 0, length = strlen(text); at < length;) {
        size_t size = ff_utf8_sequence(text + at, length - at);

        if (size == 0)
            text[at] = '?';
        at += size == 0 ? 1 : size;
    }
}

void respond_problem(struct response *response, unsigned status, const char *format, ...)
{
    char detail[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);
    make_valid(detail);
    respond_tree(response, status, "application/problem+json", problem_json(status, detail));
    if (status == 503)
        response_header(response, "Retry-After", "5");
}

void respond_nothing_there(struct response *response)
{
    respond_problem(response, 404, "there is nothing at %s; GET /api/v1/openapi.json says what there is",
                    response->request->path);
}

void respond_error(struct response *response, const struct ff_error *error)
{
    static const unsigned statuses[] = {
        [FF_OK] = 500,   [FF_INVALID] = 422,   [FF_DAMAGED] = 422, [FF_NOT_FOUND] = 404, [FF_CONFLICT] = 409,
        [FF_BUSY] = 503, [FF_NO_MEMORY] = 503, [FF_IO] = 503,      [FF_DIVERGED] = 500,  [FF_LOST] = 503};

    respond_problem(response, statuses[error->status], "%s", error->message);
}

static bool add_error(cJSON *errors, const struct ff_problem *problem)
{
    cJSON *item = cJSON_CreateObject();
    struct ff_problem valid = *problem;

    if (item == NULL)
        return false;
    cJSON_AddItemToArray(errors, item);
    make_valid(valid.pointer);
    make_valid(valid.detail);
    return cJSON_AddStringToObject(item, "pointer", valid.pointer) != NULL &&
           cJSON_AddStringToObject(item, "detail", valid.detail) != NULL;
}

void respond_problems(struct response *response, const struct ff_problems *problems)
{
    char detail[600];
    cJSON *json, *errors;
    bool whole;

    if (problems->starved) {
        respond_problem(response, 503, "not enough memory for the request");
        return;
    }
    if (problems->count == 1)
        snprintf(detail, sizeof detail, "%s: %s",
                 problems->problem[0].pointer[0] != '\0' ? problems->problem[0].pointer : "the body",
                 problems->problem[0].detail);
    else
        snprintf(detail, sizeof detail, "%zu things are wrong with the request; see errors", problems->count);
    make_valid(detail);
    json = problem_json(422, detail);
    errors = json != NULL ? cJSON_AddArrayToObject(json, "errors") : NULL;
    whole = errors != NULL;
    for (size_t i = 0; i < problems->count && whole; i++)
        whole = add_error(errors, &problems->problem[i]);
    if (!whole) {
        cJSON_Delete(json);
        json = NULL;
    }
    respond_tree(response, 422, "application/problem+json", json);
}

void respond_later(struct response *response, double seconds)
{
    response_clear(response);
    response->answer = ANSWER_LATER;
    response->seconds = seconds;
}

void respond_stream(struct response *response, const char *type, struct http_stream stream)
{
    response_clear(response);
    response->answer = ANSWER_STREAM;
    response->status = 200;
    response->type = type;
    response->stream = stream;
}

void response_status(struct response *response, unsigned status)
{
    response->status = status;
}

void response_header(struct response *response, const char *name, const char *value)
{
    if (response->header_count == HTTP_HEADERS_MAX)
        return;
    response->headers[response->header_count].name = name;
    snprintf(response->headers[response->header_count].value, sizeof response->headers[0].value, "%s", value);
    response->header_count++;
}

/* FNV-1a of 64 bits, and the length: a name for the content, not a seal. */
void response_use_etag(struct response *response)
{
    const unsigned char *data = response->answer == ANSWER_BODY ? response->data : response->constant;
    uint64_t hash = 0xCBF29CE484222325u;

    if (response->status != 200 || data == NULL)
        return;
    for (size_t i = 0; i < response->length; i++)
        hash = (hash ^ data[i]) * 0x100000001B3u;
    snprintf(response->etag, sizeof response->etag, "\"%016llx-%zx\"", (unsigned long long)hash, response->length);
}

void shared_text_hold(struct shared_text *shared)
{
    atomic_fetch_add(&shared->holders, 1);
}

void shared_text_release(struct shared_text *shared)
{
    if (shared == NULL || atomic_fetch_sub(&shared->holders, 1) > 1)
        return;
    free(shared->text);
    free(shared);
}

void respond_shared(struct response *response, struct shared_text *shared)
{
    response_clear(response);
    response->answer = ANSWER_SHARED;
    response->status = 200;
    response->type = shared->type;
    response->length = shared->length;
    response->shared = shared;
    memcpy(response->etag, shared->etag, sizeof response->etag);
}

struct shared_text *response_share(struct response *response)
{
    struct shared_text *shared;

    if (response->answer != ANSWER_BODY || response->status != 200 || (shared = calloc(1, sizeof *shared)) == NULL)
        return NULL;
    atomic_init(&shared->holders, 2);
    shared->type = response->type;
    memcpy(shared->etag, response->etag, sizeof shared->etag);
    shared->length = response->length;
    shared->text = response->data;
    response->answer = ANSWER_SHARED;
    response->shared = shared;
    return shared;
}

/* --- for the library ------------------------------------------------------------------------------------------ */

/* Whether a list of tags ("a", W/"b", or *) has this one; weakly compared, as RFC 9110 wants for If-None-Match. */
static bool list_has_etag(const char *list, const char *etag)
{
    size_t length = strlen(etag);

    while (*list != '\0') {
        list += strspn(list, " \t,");
        if (*list == '*')
            return true;
        if (strncmp(list, "W/", 2) == 0)
            list += 2;
        if (strncmp(list, etag, length) == 0)
            return true;
        if (*list == '"')
            list += 1 + strcspn(list + 1, "\"");
        list += strcspn(list, ",");
    }
    return false;
}

static bool is_not_modified(const struct response *response)
{
    const char *method = response->request->method, *list = request_header(response->request, "If-None-Match");

    return response->etag[0] != '\0' && response->status == 200 && list != NULL &&
           (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0) && list_has_etag(list, response->etag);
}

void response_add_headers(const struct response *response, struct MHD_Response *built)
{
    bool caching = false;

    for (size_t i = 0; i < response->header_count; i++) {
        MHD_add_response_header(built, response->headers[i].name, response->headers[i].value);
        caching |= strcmp(response->headers[i].name, "Cache-Control") == 0;
    }
    if (response->type != NULL && response->status != 304)
        MHD_add_response_header(built, "Content-Type", response->type);
    if (response->etag[0] != '\0')
        MHD_add_response_header(built, "ETag", response->etag);
    if (!caching)
        MHD_add_response_header(built, "Cache-Control", response->etag[0] != '\0' ? "no-cache" : "no-store");
    MHD_add_response_header(built, "X-Content-Type-Options", "nosniff");
}

/* The one range that is asked for, "bytes=FIRST-LAST", "FIRST-" or "-LENGTH", of a file that is still the same; 1
 * and *first, *length; 0: all of it (a form that is not understood may be ignored); -1: there is nothing there. */
static int find_range(const struct response *response, uint64_t *first, uint64_t *length)
{
    const char *range = request_header(response->request, "Range");
    const char *only_if = request_header(response->request, "If-Range");
    uint64_t from, to = response->size - 1;

    if (range == NULL || strcmp(response->request->method, "GET") != 0 || strncmp(range, "bytes=", 6) != 0 ||
        (only_if != NULL && strcmp(only_if, response->etag) != 0))
        return 0;
    range += 6;
    if (range[0] == '-' && digits_whole(range + 1, &from))
        from = from < response->size ? response->size - from : 0;
    else if (!digits_first(&range, &from) || *range++ != '-' ||
             (*range != '\0' && (!digits_whole(range, &to) || to < from)))
        return 0;
    if (from >= response->size)
        return -1;
    *first = from;
    *length = (to < response->size ? to + 1 : response->size) - from;
    return 1;
}

static bool is_beyond_end(const struct response *response)
{
    uint64_t first, length;

    return find_range(response, &first, &length) < 0;
}

/* Nothing of the file lies in the range. */
static void refuse_range(struct response *response)
{
    unsigned long long size = response->size;
    char text[96];

    respond_problem(response, 416, "the file has %llu bytes, and the range begins after its end", size);
    snprintf(text, sizeof text, "bytes */%llu", size);
    response_header(response, "Content-Range", text);
}

/* The file, or a part of it; its descriptor is the library's then. */
static struct MHD_Response *build_file(struct response *response)
{
    uint64_t first = 0, length = response->size;
    int range = find_range(response, &first, &length);
    char text[96];

    if (range > 0) {
        snprintf(text, sizeof text, "bytes %llu-%llu/%llu", (unsigned long long)first,
                 (unsigned long long)(first + length - 1), (unsigned long long)response->size);
        response_header(response, "Content-Range", text);
        response->status = 206;
    }
    response->length = length;
    struct MHD_Response *built = MHD_create_response_from_fd_at_offset64(length, response->file, first);
    if (built != NULL)
        response->answer = ANSWER_NONE;
    return built;
}

static void respond_not_modified(struct response *response)
{
    give_up(response);
    response->answer = ANSWER_STATIC;
    response->status = 304;
    response->constant = "";
    response->length = 0;
}

static void release_shared(void *shared)
{
    shared_text_release(shared);
}

/* Of a text; it is the library's then. */
static struct MHD_Response *build_text(struct response *response)
{
    struct MHD_Response *built =
        response->answer == ANSWER_SHARED
            ? MHD_create_response_from_buffer_with_free_callback_cls(response->length, response->shared->text,
                                                                     release_shared, response->shared)
            : MHD_create_response_from_buffer(response->length, response->data, MHD_RESPMEM_MUST_FREE);

    if (built != NULL)
        response->answer = ANSWER_NONE;
    return built;
}

struct MHD_Response *response_build(struct response *response)
{
    struct MHD_Response *built;

    if (is_not_modified(response))
        respond_not_modified(response);
    if (response->answer == ANSWER_FILE && is_beyond_end(response))
        refuse_range(response);
    if (response->answer == ANSWER_BODY || response->answer == ANSWER_SHARED) {
        built = build_text(response);
    } else if (response->answer == ANSWER_FILE) {
        built = build_file(response);
    } else {
        /* The library's interface has no const; it only reads what is persistent. */
        union {
            const void *constant;
            void *data;
        } buffer = {.constant = response->constant};

        built = MHD_create_response_from_buffer(response->length, buffer.data, MHD_RESPMEM_PERSISTENT);
    }
    if (built != NULL)
        response_add_headers(response, built);
    return built;
}
