/* api_pages.c - GET / and below: the dashboard, out of the program itself. */
#include <string.h>

#include "api.h"
#include "assets.h"

static void respond_page(struct response *response, const struct asset *asset)
{
    respond_static(response, asset->type, asset->data, asset->length, asset->etag);
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
        respond_page(response, asset);
    } else if (missing != NULL) {
        respond_page(response, missing);
        response_status(response, 404);
    } else {
        respond_problem(response, 404, "there is nothing at %s", request_path(request));
    }
}
