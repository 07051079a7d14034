/* api_config.c - GET /api/v1/config: JSON Schema of a run's configuration. */
#include "api.h"

void api_config(struct api *api, const struct request *request, struct response *response)
{
    struct answers_key key;

    if (!api_no_query(request, response) || api_recall_constant(api, request, response, &key))
        return;
    respond_json(response, 200, ff_config_schema());
    response_use_etag(response);
    api_remember(api, response, &key);
}
