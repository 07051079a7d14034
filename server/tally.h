/* tally.h - how many requests there were, by route and status, and how long they took. Any thread may call. */
#ifndef TALLY_H
#define TALLY_H

#include <stdio.h>

#include "http.h"

struct tally;

/* For requests to these routes, which stay the caller's. NULL when memory is short. */
struct tally *tally_create(const struct http_route *routes, size_t count);
void tally_destroy(struct tally *tally); /* NULL is fine */

/* A request was answered; `route`: one of those, or NULL for none. `seconds` until the answer was given whole, or,
 * of a stream, had begun. */
void tally_request(struct tally *tally, const struct http_route *route, unsigned status, double seconds);

/* As Prometheus has it. */
void tally_write(const struct tally *tally, FILE *out);

#endif
