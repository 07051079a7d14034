/* request.c - a request from its target, and what handlers ask of it. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "digits.h"
#include "http_private.h"
#include "timing.h"

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
    request->path = *start == '\0' || *start == '?' ? strdup("/") : strndup(start, strcspn(start, "?#"));
    return request->path != NULL;
}

struct request *request_create(struct http *http, const char *target)
{
    struct request *request = calloc(1, sizeof *request);

    if (request == NULL)
        return NULL;
    request->http = http;
    request->arrived = timing_seconds();
    request->place = target;
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
    query->name = router_decode(text, name_length, true, &request->match.starved);
    query->value = router_decode(equals != NULL ? equals + 1 : "", equals != NULL ? length - name_length - 1 : 0,
                                 true, &request->match.starved);
    request->query_count++;
    return query->name != NULL && query->value != NULL;
}

bool request_parse_query(struct request *request)
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

/* --- what handlers ask ---------------------------------------------------------------------------------------- */

const char *request_path(const struct request *request)
{
    return request->path;
}

const char *request_target(const struct request *request)
{
    return request->target;
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
    static const cJSON empty = {.type = cJSON_Object};

    return request->json != NULL ? request->json : &empty;
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
        const char *name = request->query[i].name;
        char hint[FF_HINT_TEXT];
        size_t known = 0;

        while (names[known] != NULL && strcmp(names[known], name) != 0)
            known++;
        if (names[known] != NULL && !stands_twice(request, i))
            continue;
        if (names[known] != NULL)
            respond_problem(response, 400, "the query parameter \"%s\" is given twice", name);
        else
            respond_problem(response, 400, "there is no query parameter \"%s\" here%s", name,
                            ff_did_you_mean(name, names, hint));
        return false;
    }
    return true;
}

bool request_query_number(const struct request *request, struct response *response, const char *name, uint64_t low,
                          uint64_t high, uint64_t otherwise, uint64_t *value)
{
    const char *text = request_query(request, name);

    *value = otherwise;
    if (text == NULL || (digits_whole(text, value) && *value >= low && *value <= high))
        return true;
    respond_problem(response, 400,
                    "the query parameter \"%s\" must be a whole number from %llu to %llu, got \"%s\"", name,
                    (unsigned long long)low, (unsigned long long)high, text);
    return false;
}

/* --- waiting -------------------------------------------------------------------------------------------------- */

bool request_is_last_try(const struct request *request)
{
    return request->last_try;
}

void *request_kept(const struct request *request)
{
    return request->kept;
}

void response_keep(struct response *response, void *state, void (*release)(void *state))
{
    response->request->kept = state;
    response->request->release = release;
}

struct bell *response_bell(struct response *response)
{
    struct request *request = response->request;

    if (request->bell == NULL)
        request->bell = bell_create(&request->http->waiting, &request->waiter);
    return request->bell != NULL ? bell_hold(request->bell) : NULL;
}

void http_bell_ring(struct bell *bell)
{
    bell_ring(bell);
}

void http_bell_release(struct bell *bell)
{
    bell_release(bell);
}
