/* bare.c - the yardstick of the HTTP server: libmicrohttpd with the same options and a handler that does nothing
 * but answer.
 *
 *     bare BYTES      answers every request with a body of so many bytes, until standard input ends */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS = 4, CONNECTIONS = 1088, CONNECTION_MEMORY = 80 * 1024, CONNECTION_TIMEOUT = 10 };

static enum MHD_Result answer(void *self, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *data, size_t *size, void **context)
{
    static int begun;

    (void)url;
    (void)method;
    (void)version;
    (void)data;
    (void)size;
    if (*context == NULL) { /* the fields are there; the library calls again at the request's end */
        *context = &begun;
        return MHD_YES;
    }
    return MHD_queue_response(connection, MHD_HTTP_OK, self);
}

static struct MHD_Response *make_response(size_t size)
{
    char *body = malloc(size + 1);
    struct MHD_Response *response;

    if (body == NULL)
        return NULL;
    memset(body, 'x', size);
    response = MHD_create_response_from_buffer(size, body, MHD_RESPMEM_MUST_FREE);
    if (response != NULL)
        MHD_add_response_header(response, "Content-Type", "application/json");
    return response;
}

static struct MHD_Daemon *start(struct MHD_Response *response)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    return MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ITC, 0, NULL, NULL,
                            answer, response, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address,
                            MHD_OPTION_THREAD_POOL_SIZE, (unsigned)THREADS, MHD_OPTION_CONNECTION_LIMIT,
                            (unsigned)CONNECTIONS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
                            MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)CONNECTION_TIMEOUT, MHD_OPTION_END);
}

int main(int count, char **arguments)
{
    struct MHD_Response *response = count == 2 ? make_response(strtoul(arguments[1], NULL, 10)) : NULL;
    struct MHD_Daemon *daemon = response == NULL ? NULL : start(response);
    char ignored[64];

    if (daemon == NULL) {
        fprintf(stderr, "%s\n", count == 2 ? "bare: the HTTP server cannot start" : "usage: bare BYTES");
        return 1;
    }
    printf("listening on http://127.0.0.1:%u\n", MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    fflush(stdout);
    while (read(STDIN_FILENO, ignored, sizeof ignored) > 0)
        ;
    MHD_stop_daemon(daemon);
    MHD_destroy_response(response);
    return 0;
}
