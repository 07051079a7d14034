#include "arrival.h"

#include <linux/tcp.h> /* the C library's own lacks tcpi_bytes_received */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "log.h"
#include "thread.h"
#include "timing.h"

enum { READING, SERVING, LATE, PHASES = 4 };

static const double promised_seconds = 10, longest_seconds = 3600, looks_within_deadline = 40;

/* --- what a connection is doing ------------------------------------------------------------------------------- */

/* Bytes that have come in on the connection since it was opened; 0 where the system does not tell. */
static uint64_t bytes_received(int fd)
{
    struct tcp_info info;
    socklen_t length = sizeof info;

    memset(&info, 0, sizeof info);
    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0 ? info.tcpi_bytes_received : 0;
}

bool arrival_whole(struct arrival_connection *connection)
{
    uint_fast64_t phase;

    if (connection == NULL)
        return true;
    phase = atomic_load(&connection->phase);
    if (phase % PHASES == READING && atomic_compare_exchange_strong(&connection->phase, &phase, phase + SERVING))
        atomic_store(&connection->received, bytes_received(connection->fd)); /* before the sender has an answer */
    return atomic_load(&connection->phase) % PHASES == SERVING;
}

void arrival_end(struct arrival_connection *connection)
{
    uint_fast64_t phase;

    if (connection == NULL)
        return;
    phase = atomic_load(&connection->phase);
    if (phase % PHASES != LATE) /* where it was being read still, it may become late just now: it stays so then */
        atomic_compare_exchange_strong(&connection->phase, &phase, phase - phase % PHASES + PHASES);
}

/* Whether something has come that the library has not read yet: such time is not the sender's. */
static bool has_unread(int fd)
{
    int unread = 0;

    return ioctl(fd, FIONREAD, &unread) == 0 && unread > 0;
}

/* --- the thread that looks ------------------------------------------------------------------------------------ */

/* The library only reads on this connection now, so nothing else is written to it. */
static void refuse(const struct arrival *arrival, int fd)
{
    char body[256], answer[512];
    int length = snprintf(body, sizeof body,
                          "{\"type\":\"about:blank\",\"title\":\"Request Timeout\",\"status\":408,"
                          "\"detail\":\"the request did not arrive whole within %g seconds\"}\n",
                          arrival->seconds);

    length = snprintf(answer, sizeof answer,
                      "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n"
                      "Content-Type: application/problem+json\r\nCache-Control: no-store\r\n"
                      "X-Content-Type-Options: nosniff\r\nContent-Length: %d\r\n\r\n%s",
                      length, body);
    send(fd, answer, (size_t)length, MSG_DONTWAIT | MSG_NOSIGNAL);
    shutdown(fd, SHUT_RDWR);
}

/* `passed`: seconds since the last look. True: it was late, and is refused. */
static bool look_at(const struct arrival *arrival, struct arrival_connection *connection, double passed)
{
    uint_fast64_t phase = atomic_load(&connection->phase);

    if (phase % PHASES != READING)
        return false;
    if (connection->seen != phase) {
        connection->seen = phase;
        connection->began = false;
    }
    if (!connection->began) {
        connection->began = bytes_received(connection->fd) != atomic_load(&connection->received);
        connection->waited = 0;
        return false;
    }
    if (has_unread(connection->fd))
        return false;
    connection->waited += passed;
    if (connection->waited < arrival->seconds ||
        !atomic_compare_exchange_strong(&connection->phase, &phase, phase + LATE))
        return false;
    refuse(arrival, connection->fd);
    return true;
}

static void look_at_all(struct arrival *arrival)
{
    double now = timing_seconds(), passed = now - arrival->looked;
    unsigned late = 0;

    arrival->looked = now;
    for (struct arrival_connection *c = arrival->ring.next; c != &arrival->ring; c = c->next)
        late += look_at(arrival, c, passed);
    if (late == 0)
        return;
    atomic_fetch_add(&arrival->late, late);
    log_warning("%u %s not arrive whole within %g seconds: answered 408, and closed", late,
                late == 1 ? "request did" : "requests did", arrival->seconds);
}

static void *run_looks(void *self)
{
    struct arrival *arrival = self;
    int64_t pause = (int64_t)(arrival->seconds * 1000 / looks_within_deadline) + 1;

    pthread_mutex_lock(&arrival->mutex);
    while (!arrival->closing) {
        struct timespec until = timing_until(timing_now() + pause);

        if (arrival->connections == 0) {
            pthread_cond_wait(&arrival->changed, &arrival->mutex);
            arrival->looked = timing_seconds();
            continue;
        }
        pthread_cond_timedwait(&arrival->changed, &arrival->mutex, &until);
        if (timing_now() >= until.tv_sec * 1000 + until.tv_nsec / 1000000)
            look_at_all(arrival);
    }
    pthread_mutex_unlock(&arrival->mutex);
    return NULL;
}

static double read_seconds(void)
{
    const char *text = getenv("GOODNESS_ARRIVAL_SECONDS");
    double seconds = text != NULL ? strtod(text, NULL) : 0;

    return seconds > 0 && seconds <= longest_seconds ? seconds : promised_seconds;
}

ff_status arrival_create(struct arrival *arrival, struct ff_error *error)
{
    memset(arrival, 0, sizeof *arrival);
    arrival->seconds = read_seconds();
    arrival->ring.next = arrival->ring.previous = &arrival->ring;
    pthread_mutex_init(&arrival->mutex, NULL);
    timing_condition(&arrival->changed);
    arrival->thread_runs = thread_start(&arrival->thread, run_looks, arrival, "ends slow requests", error) == FF_OK;
    return arrival->thread_runs ? FF_OK : error->status;
}

void arrival_destroy(struct arrival *arrival)
{
    pthread_mutex_lock(&arrival->mutex);
    arrival->closing = true;
    pthread_cond_broadcast(&arrival->changed);
    pthread_mutex_unlock(&arrival->mutex);
    if (arrival->thread_runs)
        pthread_join(arrival->thread, NULL);
    pthread_cond_destroy(&arrival->changed);
    pthread_mutex_destroy(&arrival->mutex);
}

/* --- connections ---------------------------------------------------------------------------------------------- */

struct arrival_connection *arrival_open(struct arrival *arrival, int fd, size_t promised)
{
    struct arrival_connection *connection = calloc(1, sizeof *connection);

    if (connection == NULL)
        return NULL;
    connection->fd = fd;
    pthread_mutex_lock(&arrival->mutex);
    connection->extra = arrival->connections++ >= promised;
    connection->previous = &arrival->ring;
    connection->next = arrival->ring.next;
    connection->next->previous = connection;
    arrival->ring.next = connection;
    if (arrival->connections == 1)
        pthread_cond_broadcast(&arrival->changed);
    pthread_mutex_unlock(&arrival->mutex);
    return connection;
}

void arrival_close(struct arrival *arrival, struct arrival_connection *connection)
{
    if (connection == NULL)
        return;
    pthread_mutex_lock(&arrival->mutex);
    connection->previous->next = connection->next;
    connection->next->previous = connection->previous;
    arrival->connections--;
    pthread_mutex_unlock(&arrival->mutex);
    free(connection);
}

size_t arrival_connections(struct arrival *arrival)
{
    size_t connections;

    pthread_mutex_lock(&arrival->mutex);
    connections = arrival->connections;
    pthread_mutex_unlock(&arrival->mutex);
    return connections;
}
