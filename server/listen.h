/* listen.h - sockets that listen: on one address, or on both loopback addresses at one port. */
#ifndef LISTEN_H
#define LISTEN_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct listen_sockets {
    int fds[2]; /* the caller's to close; -1: none */
    uint16_t port;
    char warning[256]; /* a sentence for the log, or "" */
};

/* Listen at `address` (in figures; "127.0.0.1" and "localhost" mean ::1 too, where there is IPv6). `port` 0: a free
 * one. FF_INVALID: not an address of this machine; FF_IO: a port in use, or one that needs privileges. */
ff_status listen_open(const char *address, uint16_t port, struct listen_sockets *sockets, struct ff_error *error);

#endif
