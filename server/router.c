#include "router.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "utf8.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
        return (c | 0x20) - 'a' + 10;
    return -1;
}

char *router_decode(const char *text, size_t length, bool plus, bool *starved)
{
    char *decoded = malloc(length + 1);
    size_t used = 0;

    if (decoded == NULL) {
        *starved = true;
        return NULL;
    }
    for (size_t i = 0; i < length; i++) {
        int high = text[i] == '%' && i + 2 < length ? hex_digit(text[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text[i + 2]) : -1;

        if (text[i] != '%') {
            decoded[used++] = plus && text[i] == '+' ? ' ' : text[i];
        } else if (low < 0 || high + low == 0) {
            free(decoded);
            return NULL;
        } else {
            decoded[used++] = (char)(high * 16 + low);
            i += 2;
        }
    }
    decoded[used] = '\0';
    if (!ff_utf8_valid(decoded, used)) {
        free(decoded);
        return NULL;
    }
    return decoded;
}

static size_t segment_length(const char *path)
{
    return (size_t)(strchrnul(path, '/') - path);
}

/* Whether a row's path fits: "{name}" stands for a segment that is not empty, "{name*}" for all the rest. */
static bool path_fits(const char *pattern, const char *path)
{
    while (*pattern != '\0') {
        if (*pattern == '{') {
            size_t length = segment_length(pattern), here = segment_length(path);

            if (pattern[length - 2] == '*')
                return true;
            if (here == 0)
                return false;
            pattern += length;
            path += here;
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return *path == '\0';
}

static bool add_part(struct router_match *match, const char *name, size_t name_length, const char *value,
                     size_t length)
{
    struct router_part *part = &match->parts[match->part_count];

    if (name_length >= sizeof part->name)
        return false;
    memcpy(part->name, name, name_length);
    part->name[name_length] = '\0';
    part->value = router_decode(value, length, false, &match->starved);
    if (part->value == NULL)
        return false;
    match->part_count++;
    return true;
}

/* The values of the {names}; false when one cannot be decoded. */
static bool take_parts(const char *pattern, const char *path, struct router_match *match)
{
    while (*pattern == '/' && match->part_count < ROUTER_PARTS_MAX) {
        size_t length = segment_length(++pattern), here = segment_length(++path);

        if (pattern[0] == '{' && pattern[length - 2] == '*')
            return add_part(match, pattern + 1, length - 3, path, strlen(path));
        if (pattern[0] == '{' && !add_part(match, pattern + 1, length - 2, path, here))
            return false;
        pattern += length;
        path += here;
    }
    return true;
}

static void allow(struct router_match *match, const char *method)
{
    size_t used = strlen(match->allow);

    snprintf(match->allow + used, sizeof match->allow - used, "%s%s%s", used > 0 ? ", " : "", method,
             strcmp(method, "GET") == 0 ? ", HEAD" : "");
}

static bool is_rest(const struct http_route *route)
{
    size_t length = strlen(route->path);

    return length > 3 && strcmp(route->path + length - 2, "*}") == 0;
}

/* A row for all the rest counts only where no other fits; for another method than its own, only where there is such
 * a thing. */
static bool row_fits(const struct http_route *route, const char *method, const char *path, bool rest)
{
    if (!path_fits(route->path, path) || is_rest(route) != rest)
        return false;
    return strcmp(route->method, method) == 0 || route->exists == NULL || route->exists(path);
}

void router_release(struct router_match *match)
{
    for (size_t i = 0; i < match->part_count; i++)
        free(match->parts[i].value);
    match->part_count = 0;
}

/* The first row of the method at that path; else NULL, and what is allowed there. */
static const struct http_route *find_row(const struct http_route *routes, size_t count, const char *method,
                                         const char *path, bool rest, struct router_match *match)
{
    for (size_t i = 0; i < count; i++) {
        if (!row_fits(&routes[i], method, path, rest))
            continue;
        match->known = true;
        match->access = routes[i].access;
        if (strcmp(routes[i].method, method) == 0)
            return &routes[i];
        allow(match, routes[i].method);
    }
    return NULL;
}

void router_find(const struct http_route *routes, size_t count, const char *method, const char *path,
                 struct router_match *match)
{
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;

    memset(match, 0, sizeof *match);
    match->access = HTTP_DATA;
    for (int rest = 0; rest < 2 && !match->known; rest++)
        match->route = find_row(routes, count, wanted, path, rest == 1, match);
    if (match->known && match->route == NULL)
        allow(match, "OPTIONS");
    if (match->route != NULL && !take_parts(match->route->path, path, match)) {
        router_release(match); /* what cannot be decoded names nothing */
        match->route = NULL;
        match->known = false;
    }
}
