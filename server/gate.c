#include "gate.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { HOST_MAX = 256 };

/* A host and the port that follows it, out of "name:port" or "[::1]:port". */
struct authority {
    char host[HOST_MAX]; /* without brackets */
    bool has_port;
    unsigned port;
};

static bool parse_port(const char *text, unsigned *port)
{
    unsigned value = 0;
    size_t digits = 0;

    for (; text[digits] >= '0' && text[digits] <= '9' && digits < 6; digits++)
        value = value * 10 + (unsigned)(text[digits] - '0');
    *port = value;
    return digits > 0 && text[digits] == '\0' && value > 0 && value <= 65535;
}

static bool parse_authority(const char *text, struct authority *authority)
{
    bool bracket = text[0] == '[';
    const char *start = text + bracket, *end = start + strcspn(start, bracket ? "]" : ":");
    size_t length = (size_t)(end - start);

    if (length == 0 || length >= sizeof authority->host || (bracket && *end != ']'))
        return false;
    memcpy(authority->host, start, length);
    authority->host[length] = '\0';
    end += bracket;
    authority->has_port = *end != '\0';
    authority->port = 0;
    return *end == '\0' || (*end == ':' && parse_port(end + 1, &authority->port));
}

static bool is_name_of_this_machine(const struct gate *gate, const char *local, const char *host)
{
    static const char *const loopback[] = {"localhost", "127.0.0.1", "::1"};

    for (size_t i = 0; i < sizeof loopback / sizeof *loopback; i++)
        if (strcasecmp(host, loopback[i]) == 0)
            return true;
    return strcasecmp(host, local != NULL ? local : gate->address) == 0;
}

/* An allowed name may say its port ("box.lan:8080", a proxy's); without one it stands for that name at any port. */
static bool is_allowed_host(const struct gate *gate, const char *value, const struct authority *host)
{
    if (gate->allow_hosts == NULL)
        return false;
    for (const char *const *allowed = gate->allow_hosts; *allowed != NULL; allowed++)
        if (strcasecmp(*allowed, value) == 0 || strcasecmp(*allowed, host->host) == 0)
            return true;
    return false;
}

static unsigned default_port(bool https)
{
    return https ? 443 : 80;
}

/* Whether an Origin is the very one that the request was sent to. TLS is spoken only by a proxy, so only under an
 * allowed name. */
static bool is_same_origin(const struct gate *gate, const struct authority *host, bool allowed, const char *origin)
{
    struct authority from;
    bool https = strncasecmp(origin, "https://", 8) == 0;
    unsigned from_port, host_port;

    if (!https && strncasecmp(origin, "http://", 7) != 0)
        return false;
    if (https && !allowed)
        return false;
    if (!parse_authority(origin + (https ? 8 : 7), &from) || strcasecmp(from.host, host->host) != 0)
        return false;
    from_port = from.has_port ? from.port : default_port(https);
    host_port = host->has_port ? host->port : allowed ? default_port(https) : gate->port;
    return from_port == host_port;
}

static bool is_one_of(const char *value, const char *const *values)
{
    for (; *values != NULL; values++)
        if (strcmp(value, *values) == 0)
            return true;
    return false;
}

static bool changes_something(const char *method)
{
    static const char *const safe[] = {"GET", "HEAD", "OPTIONS", NULL};

    return !is_one_of(method, safe);
}

static unsigned refuse(struct ff_error *error, unsigned status, const char *format, const char *value)
{
    char shown[128];

    snprintf(shown, sizeof shown, "%.*s", (int)sizeof shown - 1, value);
    for (char *c = shown; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || (unsigned char)*c >= 0x7F)
            *c = '?';
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    ff_fail(error, FF_INVALID, format, shown);
#pragma GCC diagnostic pop
    return status;
}

static unsigned check_origin(const struct gate *gate, const struct gate_request *request,
                             const struct authority *host, bool allowed, struct ff_error *error)
{
    static const char *const ours[] = {"same-origin", "none", NULL};
    static const char *const near[] = {"same-origin", "same-site", "none", NULL};
    const char *site = request->sec_fetch_site;

    if (!changes_something(request->method)) {
        if (request->access == HTTP_DATA && site != NULL && !is_one_of(site, near))
            return refuse(error, 403, "a page of another site may not read this (Sec-Fetch-Site is %s)", site);
        return 0;
    }
    if (request->origin != NULL && !is_same_origin(gate, host, allowed, request->origin))
        return refuse(error, 403, "a page of another origin may not change anything here (Origin is %s)",
                      request->origin);
    if (site != NULL && !is_one_of(site, ours))
        return refuse(error, 403, "a page of another site may not change anything here (Sec-Fetch-Site is %s)",
                      site);
    return 0;
}

unsigned gate_check(const struct gate *gate, const struct gate_request *request, struct ff_error *error)
{
    struct authority host;
    const char *value;
    bool allowed, ours;

    if (request->host_count != 1) {
        ff_fail(error, FF_INVALID, "the request must have exactly one Host field, got %zu", request->host_count);
        return 400;
    }
    value = request->hosts[0];
    if (value[0] == '\0') {
        ff_fail(error, FF_INVALID, "the Host field is empty");
        return 400;
    }
    if (!parse_authority(value, &host))
        return refuse(error, 421, "the Host \"%s\" is not a name of this machine", value);
    ours = is_name_of_this_machine(gate, request->local, host.host) && (!host.has_port || host.port == gate->port);
    allowed = !ours && is_allowed_host(gate, value, &host);
    if (!ours && !allowed)
        return refuse(
            error, 421,
            "the Host \"%s\" is not a name of this machine; start the daemon with --allow-host to add one", value);
    return check_origin(gate, request, &host, allowed, error);
}
