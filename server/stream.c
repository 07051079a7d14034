/* stream.c - answers that flow: read piece by piece, suspended while there is nothing to say. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "http_private.h"
#include "timing.h"

enum {
    STREAM_TIMEOUT = 60,             /* seconds: a reader of a stream may be slower than others */
    STREAM_BLOCK_BYTES = 16 * 1024,  /* that are read at once */
    STREAM_SOCKET_BYTES = 128 * 1024 /* the kernel doubles it for its own needs */
};

/* A stream's side of a response. */
struct stream {
    struct http *http;
    struct request *request; /* not after its last read */
    struct http_stream stream;
    struct waiter waiter;
    double wrote; /* when `read` last gave something */
};

static ssize_t read_stream(void *self, uint64_t position, char *buffer, size_t size)
{
    struct stream *stream = self;

    (void)position;
    for (;;) {
        uint64_t wakes = waiting_wakes(&stream->http->waiting);
        ssize_t length = stream->stream.read(stream->stream.self, buffer, size);

        if (length > 0) {
            stream->wrote = timing_seconds();
            atomic_fetch_add(&stream->request->sent, (uint_fast64_t)length);
            return length;
        }
        if (length < 0 || waiting_is_closing(&stream->http->waiting))
            return MHD_CONTENT_READER_END_OF_STREAM;
        stream->waiter.deadline = stream->stream.beat > 0 ? stream->wrote + stream->stream.beat : 0;
        if (stream->waiter.deadline > 0 && stream->waiter.deadline <= timing_seconds())
            stream->waiter.deadline = timing_seconds() + stream->stream.beat; /* it had nothing to say this time */
        if (waiting_suspend(&stream->http->waiting, &stream->waiter, wakes))
            return 0;
    }
}

static void close_stream(void *self)
{
    struct stream *stream = self;

    waiting_forget(&stream->http->waiting, &stream->waiter);
    if (stream->stream.close != NULL)
        stream->stream.close(stream->stream.self);
    atomic_fetch_sub(&stream->http->streams, 1);
    free(stream);
}

/* A reader who has stalled fills its socket. The kernel would let that grow to megabytes for each. */
static void limit_socket(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *information =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    int size = STREAM_SOCKET_BYTES;

    if (information != NULL)
        setsockopt(information->connect_fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

struct MHD_Response *stream_build(struct request *request)
{
    struct response *response = &request->response;
    struct stream *stream = calloc(1, sizeof *stream);
    struct MHD_Response *built;

    if (stream == NULL)
        return NULL;
    stream->http = request->http;
    stream->request = request;
    stream->stream = response->stream;
    stream->waiter.connection = request->connection;
    stream->wrote = timing_seconds();
    built =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK_BYTES, read_stream, stream, close_stream);
    if (built == NULL) {
        free(stream);
        return NULL;
    }
    response->answer = ANSWER_NONE; /* the stream is the library's now */
    atomic_fetch_add(&request->http->streams, 1);
    if (strcmp(request->method, "HEAD") == 0) /* else the library sends a last chunk, which HEAD must not have */
        MHD_set_response_options(built, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
    response_add_headers(response, built);
    MHD_set_connection_option(request->connection, MHD_CONNECTION_OPTION_TIMEOUT, (unsigned)STREAM_TIMEOUT);
    limit_socket(request->connection);
    return built;
}
