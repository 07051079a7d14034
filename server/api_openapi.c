/* api_openapi.c - GET /api/v1/openapi.json: OpenAPI 3.1 of the whole interface. */
#include "api.h"
#include "openapi.h"

void api_openapi(struct api *api, const struct request *request, struct response *response)
{
    const struct http_route *routes;
    struct answers_key key;
    size_t count;

    if (!api_no_query(request, response) || api_recall_constant(api, request, response, &key))
        return;
    routes = api_routes(&count);
    respond_json(response, 200, openapi_document(routes, count));
    response_use_etag(response);
    api_remember(api, response, &key);
}
