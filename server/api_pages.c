/* api_pages.c - GET / and below: the dashboard, out of the program itself. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api.h"
#include "assets.h"

/* Whether a member of Accept-Encoding, without the commas around it, lets gzip through: named so and not refused by
 * a quality of zero. */
static bool member_takes_gzip(const char *member, size_t length)
{
    static const char gzip[] = "gzip";
    size_t name = strcspn(member, "; \t,");
    const char *quality = memchr(member, ';', length);

    if (name != sizeof gzip - 1 || strncasecmp(member, gzip, name) != 0)
        return false;
    if (quality == NULL)
        return true;
    quality += 1 + strspn(quality + 1, " \t");
    if (strncasecmp(quality, "q=", 2) != 0)
        return false;
    return strspn(quality + 2, "0.") < strcspn(quality + 2, ", \t");
}

static bool takes_gzip(const struct request *request)
{
    const char *list = request_header(request, "Accept-Encoding");

    while (list != NULL && *list != '\0') {
        list += strspn(list, ", \t");
        size_t length = strcspn(list, ",");
        if (member_takes_gzip(list, length))
            return true;
        list += length;
    }
    return false;
}

/* Compressed for who takes it so; the tag tells the two apart. */
static void respond_asset(const struct request *request, struct response *response, const struct asset *asset)
{
    char etag[80];

    if (asset->gzipped == NULL || !takes_gzip(request)) {
        respond_static(response, asset->type, asset->data, asset->length, asset->etag);
    } else {
        snprintf(etag, sizeof etag, "%s-gzip", asset->etag);
        respond_static(response, asset->type, asset->gzipped, asset->gzipped_length, etag);
        response_header(response, "Content-Encoding", "gzip");
    }
    if (asset->gzipped != NULL)
        response_header(response, "Vary", "Accept-Encoding");
}

static void respond_page(const struct request *request, struct response *response, const struct asset *asset)
{
    respond_asset(request, response, asset);
    response_header(response, "Content-Security-Policy", "default-src 'self'");
    response_header(response, "Referrer-Policy", "no-referrer");
    response_header(response, "X-Frame-Options", "DENY");
}

bool api_page_exists(const char *path)
{
    return asset_find(path) != NULL;
}

bool api_page_is_open(const char *path)
{
    static const char *const open[] = {"/login.html",           "/login.js",     "/style/tokens.css",
                                       "/style/components.css", "/lib/theme.js", "/favicon.svg"};

    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++)
        if (strcmp(path, open[i]) == 0)
            return true;
    return false;
}

static bool wants_page(const struct request *request)
{
    const char *accept = request_header(request, "Accept");

    return accept != NULL && strstr(accept, "text/html") != NULL && strncmp(request_path(request), "/api/", 5) != 0;
}

/* The query of a page is the page's own affair. Unknown paths: 404.html for browsers, problem+json for others. */
void api_page(struct api *api, const struct request *request, struct response *response)
{
    const struct asset *asset = asset_find(request_path(request));
    const struct asset *missing = asset == NULL && wants_page(request) ? asset_find("/404.html") : NULL;

    (void)api;
    if (asset != NULL) {
        respond_page(request, response, asset);
    } else if (missing != NULL) {
        respond_page(request, response, missing);
        response_status(response, 404);
    } else {
        respond_nothing_there(response);
    }
}
