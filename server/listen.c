#include "listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PORT_TRIES = 16 };

/* A socket that listens, or -1 with errno. *port: what was asked for; then what was got. */
static int listen_on(const struct addrinfo *address, uint16_t *port)
{
    struct sockaddr_storage name;
    socklen_t length = address->ai_addrlen;
    in_port_t *field = address->ai_family == AF_INET6 ? &((struct sockaddr_in6 *)&name)->sin6_port
                                                      : &((struct sockaddr_in *)&name)->sin_port;
    int one = 1, fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -1;
    memcpy(&name, address->ai_addr, length);
    *field = htons(*port);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (address->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&name, length) != 0 || listen(fd, 511) != 0 ||
        getsockname(fd, (struct sockaddr *)&name, &length) != 0) {
        int problem = errno;

        close(fd);
        errno = problem;
        return -1;
    }
    *port = ntohs(*field);
    return fd;
}

/* The same for an address in figures. errno is EINVAL where it is none. */
static int listen_at(const char *address, uint16_t *port)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM}, *found = NULL;
    int fd, problem;

    if (getaddrinfo(address, NULL, &hints, &found) != 0) {
        errno = EINVAL;
        return -1;
    }
    fd = listen_on(found, port);
    problem = errno;
    freeaddrinfo(found);
    errno = problem;
    return fd;
}

static ff_status fail_to_listen(const char *address, uint16_t port, int problem, struct ff_error *error)
{
    if (problem == EADDRINUSE)
        return ff_fail(error, FF_IO,
                       "port %u of %s is in use; end the program that has it, or choose another with --port", port,
                       address);
    if (problem == EADDRNOTAVAIL || problem == EINVAL)
        return ff_fail(error, FF_INVALID, "%s is not an address of this machine; give one in figures with --listen",
                       address);
    if (problem == EACCES)
        return ff_fail(error, FF_IO, "port %u of %s needs privileges; choose one above 1023 with --port", port,
                       address);
    return ff_fail(error, FF_IO, "cannot listen on port %u of %s: %s", port, address, strerror(problem));
}

static bool lacks_ipv6(int problem)
{
    return problem == EAFNOSUPPORT || problem == EADDRNOTAVAIL || problem == EPROTONOSUPPORT || problem == EINVAL;
}

/* 127.0.0.1, then ::1 at the same port. *again: that port is free on the first alone. */
static ff_status listen_twice(uint16_t port, struct listen_sockets *sockets, bool *again, struct ff_error *error)
{
    int problem;

    *again = false;
    sockets->port = port;
    sockets->fds[0] = listen_at("127.0.0.1", &sockets->port);
    if (sockets->fds[0] < 0)
        return fail_to_listen("127.0.0.1", port, errno, error);
    sockets->fds[1] = listen_at("::1", &sockets->port);
    problem = errno;
    if (sockets->fds[1] >= 0)
        return FF_OK;
    if (lacks_ipv6(problem)) {
        snprintf(sockets->warning, sizeof sockets->warning,
                 "there is no IPv6 here (%s): only 127.0.0.1 is listened on", strerror(problem));
        return FF_OK;
    }
    close(sockets->fds[0]);
    sockets->fds[0] = -1;
    *again = problem == EADDRINUSE && port == 0;
    return fail_to_listen("::1", sockets->port, problem, error);
}

/* A port that was chosen free on one address may be taken on the other: then another is tried. */
static ff_status listen_loopback(uint16_t port, struct listen_sockets *sockets, struct ff_error *error)
{
    ff_status status;
    bool again;

    for (int tries = 0; tries < PORT_TRIES; tries++) {
        status = listen_twice(port, sockets, &again, error);
        if (!again)
            break;
    }
    return status;
}

ff_status listen_open(const char *address, uint16_t port, struct listen_sockets *sockets, struct ff_error *error)
{
    *sockets = (struct listen_sockets){.fds = {-1, -1}, .port = port};
    if (strcmp(address, "127.0.0.1") == 0 || strcasecmp(address, "localhost") == 0)
        return listen_loopback(port, sockets, error);
    sockets->fds[0] = listen_at(address, &sockets->port);
    return sockets->fds[0] >= 0 ? FF_OK : fail_to_listen(address, port, errno, error);
}
