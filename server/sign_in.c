#include "sign_in.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "http_private.h"

static const int cookie_days = 30;

/* Cookies do not tell ports apart, so that each daemon of a machine has a name of its own for them. */
static void cookie_name(const struct request *request, char name[32])
{
    snprintf(name, 32, "goodness-%u", http_port(request->http));
}

const char *sign_in_cookie(const struct request *request)
{
    char name[32];

    cookie_name(request, name);
    return MHD_lookup_connection_value(request->connection, MHD_COOKIE_KIND, name);
}

void sign_in_give_cookie(const struct request *request, struct response *response, const char *cookie)
{
    const char *origin = request_header(request, "Origin");
    bool secure = origin != NULL && strncasecmp(origin, "https://", 8) == 0; /* through somebody's TLS */
    char name[32], text[200];

    cookie_name(request, name);
    snprintf(text, sizeof text, "%s=%s; Path=/; Max-Age=%d; HttpOnly; SameSite=Strict%s", name,
             cookie != NULL ? cookie : "", cookie != NULL ? cookie_days * 24 * 3600 : 0, secure ? "; Secure" : "");
    response_header(response, "Set-Cookie", text);
}

/* The token of "Authorization: Bearer TOKEN", copied; false: there is none. */
static bool bearer_token(const struct request *request, char text[TOKEN_LENGTH_MAX + 1])
{
    const char *field = request_header(request, "Authorization");
    size_t length;

    if (field == NULL || strncasecmp(field, "Bearer ", 7) != 0)
        return false;
    field += 7 + strspn(field + 7, " ");
    length = strcspn(field, " \t");
    snprintf(text, TOKEN_LENGTH_MAX + 1, "%.*s", (int)length, field);
    return length > 0 && length <= TOKEN_LENGTH_MAX;
}

void sign_in_refuse(struct response *response, enum token_verdict verdict)
{
    char seconds[16];

    if (verdict == TOKEN_NOT_NOW) {
        respond_problem(response, 429, "too many wrong tokens were given; none is looked at for a moment");
        snprintf(seconds, sizeof seconds, "%d", TOKEN_SECONDS_A_FAILURE);
        response_header(response, "Retry-After", seconds);
    } else {
        respond_problem(response, 401, "this is not the token that the daemon was started with (--token-file)");
        response_header(response, "WWW-Authenticate", "Bearer realm=\"goodness\", error=\"invalid_token\"");
    }
}

/* A browser that was led here by hand or by a link. */
static bool wants_page(const struct request *request)
{
    const char *accept = request_header(request, "Accept");

    return request->match.known && request->match.access == HTTP_PAGE && accept != NULL &&
           strstr(accept, "text/html") != NULL && strcmp(request->method, "GET") == 0;
}

/* The way back is in the query, encoded; a long one is left out. */
static void respond_sign_in_page(const struct request *request, struct response *response)
{
    char location[256] = "/login.html?to=";
    size_t used = strlen(location);

    for (const char *c = request->target; *c != '\0' && used > 0; c++) {
        if (used + 4 > sizeof location) {
            used = 0;
            snprintf(location, sizeof location, "/login.html");
        } else if (*c == '/' || *c == '.' || *c == '-' || *c == '_' || (*c >= '0' && *c <= '9') ||
                   ((*c | 0x20) >= 'a' && (*c | 0x20) <= 'z')) {
            location[used++] = *c;
            location[used] = '\0';
        } else {
            used += (size_t)snprintf(location + used, 4, "%%%02X", (unsigned char)*c);
        }
    }
    respond_empty(response, 303);
    response_header(response, "Location", location);
}

bool sign_in_passes(const struct request *request, struct response *response, struct token *token)
{
    const char *cookie = sign_in_cookie(request);
    char text[TOKEN_LENGTH_MAX + 1];
    enum token_verdict verdict;

    if (cookie != NULL && token_has_session(token, cookie))
        return true;
    if (bearer_token(request, text)) {
        verdict = token_check(token, text);
        explicit_bzero(text, sizeof text);
        if (verdict == TOKEN_RIGHT)
            return true;
        sign_in_refuse(response, verdict);
    } else if (wants_page(request)) {
        respond_sign_in_page(request, response);
    } else {
        respond_problem(response, 401,
                        "this daemon asks for its token: give it as Authorization: Bearer TOKEN, or sign in at "
                        "/login.html");
        response_header(response, "WWW-Authenticate", "Bearer realm=\"goodness\"");
    }
    return false;
}
