/* router.h - which row of the table a request's path means. Pure functions; any thread may call. */
#ifndef ROUTER_H
#define ROUTER_H

#include <stdbool.h>
#include <stddef.h>

#include "http.h"

enum { ROUTER_PARTS_MAX = 4, ROUTER_ALLOW_MAX = 96 };

/* A {name} of a route's path, and what stands there in the request's. */
struct router_part {
    char name[24];
    char *value; /* percent-decoded, malloc */
};

struct router_match {
    const struct http_route *route; /* NULL: the path is unknown, or known with other methods */
    bool known;                     /* some method is allowed at this path */
    char allow[ROUTER_ALLOW_MAX];   /* where there is no route, the value of Allow: "GET, HEAD, OPTIONS" */
    enum http_access access;        /* of the path, whatever the method; data where it is unknown */
    struct router_part parts[ROUTER_PARTS_MAX];
    size_t part_count;
    bool starved; /* memory was short; nothing else of it counts */
};

/* Look `path` (as it came, percent-encoded, without the query) up. HEAD is answered by the route of GET. Rows in
 * order; one that ends in "{name*}" stands for all the rest, where no other row fits. Release `match`, whatever was
 * found. */
void router_find(const struct http_route *routes, size_t count, const char *method, const char *path,
                 struct router_match *match);
void router_release(struct router_match *match);

/* Percent-decoding; the caller frees. NULL when an escape is not two hexadecimal digits, is %00, when what comes
 * out is not UTF-8, or memory is short, which makes *starved true. `plus`: "+" is a space, as in a query. */
char *router_decode(const char *text, size_t length, bool plus, bool *starved);

#endif
