/* openapi.h - the OpenAPI 3.1 document of the REST interface.
 *
 * Paths, methods and summaries come from the table of routes; the schema of a configuration from the table of
 * settings; the names of presets from theirs. What those tables do not say stands in the files of openapi/, which
 * are compiled in, each a part of the document in its own words:
 *
 *     document.json    what the interface is, the tags
 *     operations.json  keyed by a route's "METHOD path": operationId, tags, description, responses; and, in short,
 *                      "parameters" (names in parameters.json; those of the path are added), "body" (a schema's
 *                      name), "problems" (statuses in responses.json), "conditional" (it has an ETag)
 *     parameters.json, responses.json (by status), schemas.json
 *
 * Pages are left out. Pure functions; any thread may call. */
#ifndef OPENAPI_H
#define OPENAPI_H

#include <cjson/cJSON.h>

#include "assets.h"
#include "http.h"

/* The document, the caller's to delete. NULL when memory is short. A route that operations.json does not have is
 * there with its summary alone. */
cJSON *openapi_document(const struct http_route *routes, size_t count);

/* A file of openapi/ by its path: "/schemas.json". NULL when there is none. (Written by assets.cmake.) */
const struct asset *openapi_part(const char *path);

#endif
