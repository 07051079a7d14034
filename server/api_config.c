/* api_config.c - GET /api/v1/config: JSON Schema of a run's configuration. */
#include "api.h"

void api_config(struct api *api, const struct request *request, struct response *response)
{
    (void)api;
    if (!api_no_query(request, response))
        return;
    respond_json(response, 200, ff_config_schema());
    response_use_etag(response);
}
