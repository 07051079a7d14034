/* A request from its line and fields to its body, as admission, gate, router and JSON see it: who passes is one who
 * may, and who does not is told so in a problem. The input looks like HTTP: "METHOD TARGET", fields, an empty line,
 * the body.
 *
 * libmicrohttpd is not here: it only hands the fields over, which this file does in its place. */
#include "fuzz.h"

#include <string.h>
#include <strings.h>

#include "http_private.h"
#include "json.h"
#include "utf8.h"

enum { FIELDS_MAX = 24 };

static struct {
    const char *name, *value;
} fields[FIELDS_MAX];
static size_t field_count, head_bytes;

int __wrap_MHD_get_connection_values_n(struct MHD_Connection *connection, enum MHD_ValueKind kind,
                                       MHD_KeyValueIteratorN take, void *self);
int __wrap_MHD_get_connection_values_n(struct MHD_Connection *connection, enum MHD_ValueKind kind,
                                       MHD_KeyValueIteratorN take, void *self)
{
    (void)connection;
    for (size_t i = 0; i < field_count; i++)
        take(self, kind, fields[i].name, strlen(fields[i].name), fields[i].value, strlen(fields[i].value));
    return (int)field_count;
}

const char *__wrap_MHD_lookup_connection_value(struct MHD_Connection *connection, enum MHD_ValueKind kind,
                                               const char *name);
const char *__wrap_MHD_lookup_connection_value(struct MHD_Connection *connection, enum MHD_ValueKind kind,
                                               const char *name)
{
    (void)connection;
    for (size_t i = 0; i < field_count && kind == MHD_HEADER_KIND; i++)
        if (strcasecmp(fields[i].name, name) == 0)
            return fields[i].value;
    return NULL;
}

const union MHD_ConnectionInfo *__wrap_MHD_get_connection_info(struct MHD_Connection *connection,
                                                               enum MHD_ConnectionInfoType type, ...);
const union MHD_ConnectionInfo *__wrap_MHD_get_connection_info(struct MHD_Connection *connection,
                                                               enum MHD_ConnectionInfoType type, ...)
{
    static union MHD_ConnectionInfo info;

    (void)connection;
    info.header_size = head_bytes;
    return type == MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE ? &info : NULL;
}

static void handle(struct api *api, const struct request *request, struct response *response)
{
    (void)api;
    (void)request;
    respond_empty(response, 204);
}

static bool page_exists(const char *path)
{
    return strcmp(path, "/") == 0;
}

static const struct http_route routes[] = {
    {.method = "GET", .path = "/api/v1/runs", .handler = handle},
    {.method = "POST", .path = "/api/v1/runs", .handler = handle},
    {.method = "PATCH", .path = "/api/v1/runs/{id}", .handler = handle},
    {.method = "DELETE", .path = "/api/v1/runs/{id}", .handler = handle},
    {.method = "GET", .path = "/api/v1/datasets/{name}/samples/{split}/{i}", .handler = handle},
    {.method = "GET", .path = "/{path*}", .handler = handle, .access = HTTP_PAGE, .exists = page_exists},
};

/* --- the input ------------------------------------------------------------------------------------------------ */

/* Ends the line and returns what follows; NULL: nothing does. A bare LF ends a line too. */
static char *end_line(char *line)
{
    char *end = strchr(line, '\n');

    if (end == NULL)
        return NULL;
    if (end > line && end[-1] == '\r')
        end[-1] = '\0';
    *end = '\0';
    return end + 1;
}

/* Ends the word, and returns the next one; NULL: there is none. Spaces between them may be more than one; a tab is
 * none to the library. */
static char *end_word(char *word)
{
    char *end = strchr(word, ' ');

    if (end == NULL)
        return NULL;
    *end++ = '\0';
    return end + strspn(end, " ");
}

/* The library answers any other version itself. */
static bool is_version(const char *text)
{
    return text != NULL && strncmp(text, "HTTP/1.", 7) == 0 && text[7] >= '0' && text[7] <= '9' && text[8] == '\0';
}

/* Fields up to an empty line; what follows it, or NULL when none came. */
static char *read_fields(char *line)
{
    field_count = 0;
    while (line != NULL) {
        char *next = end_line(line), *colon = strchr(line, ':');

        if (next == NULL)
            return NULL;
        if (*line == '\0')
            return next;
        if (colon == NULL || field_count == FIELDS_MAX)
            return NULL; /* it would have been refused by the library */
        *colon = '\0';
        fields[field_count].name = line;
        fields[field_count++].value = colon + 1 + strspn(colon + 1, " \t");
        line = next;
    }
    return NULL;
}

static size_t count_fields(const char *name)
{
    size_t count = 0;

    for (size_t i = 0; i < field_count; i++)
        count += strcasecmp(fields[i].name, name) == 0;
    return count;
}

static const char *field(const char *name)
{
    return __wrap_MHD_lookup_connection_value(NULL, MHD_HEADER_KIND, name);
}

/* --- promises ------------------------------------------------------------------------------------------------- */

static bool is_loopback(const char *host, const char *port)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t length = strlen(names[i]);

        if (strncasecmp(host, names[i], length) == 0 && (host[length] == '\0' || strcmp(host + length, port) == 0))
            return true;
    }
    return strcasecmp(host, "::1") == 0;
}

/* The head as it came is what RFC 9112 says: lines of CRLF, none folded, single spaces in the first one. */
static void check_head(const char *head, size_t size)
{
    size_t spaces = 0, line = 0;

    for (size_t i = 0; i < size; i++) {
        bool begins = i > 0 && head[i - 1] == '\n';

        FUZZ_CHECK(head[i] != '\0' && head[i] != 0x7F);
        FUZZ_CHECK(head[i] != '\n' || (i > 0 && head[i - 1] == '\r'));
        FUZZ_CHECK(head[i] != '\r' || (i + 1 < size && head[i + 1] == '\n'));
        FUZZ_CHECK((unsigned char)head[i] >= 0x20 || strchr("\r\n\t", head[i]) != NULL);
        FUZZ_CHECK(!begins || (head[i] != ' ' && head[i] != '\t'));
        spaces += line == 0 && head[i] == ' ';
        FUZZ_CHECK(line > 0 || head[i] != '\t');
        line += head[i] == '\n';
    }
    FUZZ_CHECK(spaces == 2);
    FUZZ_CHECK(size > 4 && memcmp(head + size - 4, "\r\n\r\n", 4) == 0);
}

/* Whoever passed the gate has named this machine once, and changes nothing from elsewhere. */
static void check_passed(const struct request *request)
{
    const char *origin = field("Origin"), *site = field("Sec-Fetch-Site");

    FUZZ_CHECK(count_fields("Host") == 1);
    FUZZ_CHECK(is_loopback(request->host != NULL ? request->host : field("Host"), ":7007"));
    if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0) {
        FUZZ_CHECK(origin == NULL || (strncasecmp(origin, "http://", 7) == 0 && is_loopback(origin + 7, ":7007")));
        FUZZ_CHECK(site == NULL || strcmp(site, "same-origin") == 0 || strcmp(site, "none") == 0);
    } else if (request->match.access == HTTP_DATA) {
        FUZZ_CHECK(site == NULL || strcmp(site, "cross-site") != 0);
    }
    FUZZ_CHECK(count_fields("Content-Length") + count_fields("Transfer-Encoding") <= 1);
    for (size_t i = 0; i < request->match.part_count; i++)
        FUZZ_CHECK(ff_utf8_valid(request->match.parts[i].value, strlen(request->match.parts[i].value)));
    for (size_t i = 0; i < request->query_count; i++)
        FUZZ_CHECK(ff_utf8_valid(request->query[i].name, strlen(request->query[i].name)) &&
                   ff_utf8_valid(request->query[i].value, strlen(request->query[i].value)));
}

static void check_refused(const struct request *request)
{
    const struct response *response = &request->response;
    struct ff_error error;
    cJSON *problem;

    if (response->status == 204) { /* OPTIONS */
        FUZZ_CHECK(strcmp(request->method, "OPTIONS") == 0);
        return;
    }
    FUZZ_CHECK(response->status >= 400 && response->status <= 599 && response->status != 500);
    FUZZ_CHECK(response->answer == ANSWER_BODY && strcmp(response->type, "application/problem+json") == 0);
    problem = json_parse_strict(response->data, response->length, &error);
    FUZZ_CHECK(problem != NULL);
    FUZZ_CHECK(cJSON_IsString(cJSON_GetObjectItemCaseSensitive(problem, "detail")));
    FUZZ_CHECK(cJSON_GetObjectItemCaseSensitive(problem, "status")->valueint == (int)response->status);
    cJSON_Delete(problem);
}

static void give_body(struct request *request, const char *body)
{
    if (body != NULL && *body != '\0')
        FUZZ_CHECK(request_take(request, body, strlen(body)));
    request_finish_body(request);
    if (request_is_answered(request))
        check_refused(request);
    else
        FUZZ_CHECK(cJSON_IsObject(request_json(request)));
}

/* A head that the library has taken apart. */
struct head_parts {
    const char *method, *target, *version;
    const char *raw; /* all of it, as it came */
};

static void ask(const struct head_parts *head, const char *body)
{
    static const struct http_options options = {
        .address = "127.0.0.1", .port = 7007, .routes = routes, .route_count = sizeof routes / sizeof *routes};
    static const struct gate gate = {.address = "127.0.0.1", .port = 7007};
    struct request *request = request_create(NULL, head->target);

    FUZZ_CHECK(request != NULL);
    request->method = head->method;
    request_begin(request, head->version, &gate, &options);
    if (request_is_answered(request)) {
        check_refused(request);
    } else {
        FUZZ_CHECK(request->handler == handle);
        check_head(head->raw, head_bytes);
        check_passed(request);
        give_body(request, body);
    }
    request_destroy(request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *raw = fuzz_text(data, size), *text = fuzz_text(data, size);
    char *rest = end_line(text), *body = rest != NULL ? read_fields(rest) : NULL;
    struct head_parts head = {.method = text, .raw = raw};

    if (body != NULL) {
        head_bytes = (size_t)(body - text);
        head.target = end_word(text);
        head.version = head.target != NULL ? end_word((char *)(uintptr_t)head.target) : NULL;
        if (is_version(head.version))
            ask(&head, body);
    }
    free(text);
    free(raw);
    return 0;
}
