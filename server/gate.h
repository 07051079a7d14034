/* gate.h - who may call: the one check before routing, for every method and path.
 *
 * The default is the person at this machine and nobody else. A page of another site that the person looks at can
 * send requests here too, so a request must name this machine in Host (no DNS rebinding), and one that changes
 * something must come from this very origin if it comes from a page at all. Pure functions; any thread may call. */
#ifndef GATE_H
#define GATE_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"
#include "http.h"

/* What the daemon answers to. */
struct gate {
    const char *address;            /* listened on, as in a URL's host but without brackets: "127.0.0.1", "::1" */
    uint16_t port;                  /* listened on */
    const char *const *allow_hosts; /* further names, "name" or "name:port"; NULL at the end; or NULL */
};

struct gate_request {
    const char *method;
    const char *const *hosts; /* the values of all Host fields */
    size_t host_count;
    const char *local;          /* the address that the connection came to, in figures; NULL: `address` */
    const char *origin;         /* NULL: not there; several fields: joined with ", " */
    const char *sec_fetch_site; /* the same */
    enum http_access access;
};

/* 0 when the request may pass; else the status to answer (400, 403, 421), and the sentence in `error`. */
unsigned gate_check(const struct gate *gate, const struct gate_request *request, struct ff_error *error);

#endif
