#include "openapi.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "preset.h"

enum { NAME_MAX_BYTES = 256 };

/* What the document is made of, and whether memory has been short anywhere. */
struct writer {
    cJSON *operations; /* of operations.json */
    bool whole;
};

static cJSON *read_part(const char *path)
{
    const struct asset *asset = openapi_part(path);

    return cJSON_ParseWithLength((const char *)asset->data, asset->length);
}

static void put(struct writer *writer, cJSON *object, const char *name, cJSON *item)
{
    if (object != NULL && item != NULL && cJSON_AddItemToObject(object, name, item))
        return;
    cJSON_Delete(item);
    writer->whole = false;
}

static void append(struct writer *writer, cJSON *array, cJSON *item)
{
    if (!ff_json_append(array, item))
        writer->whole = false;
}

static cJSON *put_object(struct writer *writer, cJSON *object, const char *name)
{
    cJSON *item = cJSON_CreateObject();

    put(writer, object, name, item);
    return writer->whole ? item : NULL;
}

/* {"$ref": "#/components/KIND/NAME"} */
static cJSON *reference(const char *kind, const char *name)
{
    char text[NAME_MAX_BYTES];
    cJSON *json = cJSON_CreateObject();

    snprintf(text, sizeof text, "#/components/%s/%s", kind, name);
    return ff_json_whole(json, ff_json_put(json, "$ref", cJSON_CreateString(text)));
}

/* {TYPE: {"schema": {"$ref": …}}} */
static cJSON *content(struct writer *writer, const char *type, const char *schema)
{
    cJSON *json = cJSON_CreateObject();

    put(writer, put_object(writer, json, type), "schema", reference("schemas", schema));
    return json;
}

/* --- an operation --------------------------------------------------------------------------------------------- */

/* The {names} of a path. */
static void add_path_parameters(struct writer *writer, cJSON *parameters, const char *path)
{
    for (const char *open = strchr(path, '{'); open != NULL; open = strchr(open + 1, '{')) {
        char name[64];

        snprintf(name, sizeof name, "%.*s", (int)strcspn(open + 1, "}"), open + 1);
        append(writer, parameters, reference("parameters", name));
    }
}

static void add_parameters(struct writer *writer, cJSON *operation, const cJSON *row, const char *path)
{
    cJSON *parameters = cJSON_CreateArray();
    const cJSON *name;

    add_path_parameters(writer, parameters, path);
    cJSON_ArrayForEach(name, cJSON_GetObjectItemCaseSensitive(row, "parameters"))
        append(writer, parameters, reference("parameters", name->valuestring));
    if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(row, "conditional")))
        append(writer, parameters, reference("parameters", "if_none_match"));
    put(writer, operation, "parameters", parameters);
}

static void add_body(struct writer *writer, cJSON *operation, const cJSON *row)
{
    const cJSON *schema = cJSON_GetObjectItemCaseSensitive(row, "body");
    bool required = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(row, "body_required"));
    cJSON *body;

    if (schema == NULL)
        return;
    body = put_object(writer, operation, "requestBody");
    put(writer, body, "required", cJSON_CreateBool(required));
    put(writer, body, "content", content(writer, "application/json", schema->valuestring));
}

static void add_problem(struct writer *writer, cJSON *responses, int status)
{
    char name[16];

    snprintf(name, sizeof name, status == 0 ? "default" : "%d", status);
    if (cJSON_GetObjectItemCaseSensitive(responses, name) == NULL)
        put(writer, responses, name, reference("responses", name));
}

/* The 200 says its ETag, and there may be a 304. */
static void add_etag(struct writer *writer, cJSON *responses)
{
    cJSON *good = cJSON_GetObjectItemCaseSensitive(responses, "200");
    cJSON *headers = cJSON_GetObjectItemCaseSensitive(good, "headers");

    if (headers == NULL)
        headers = put_object(writer, good, "headers");
    put(writer, headers, "ETag", reference("headers", "ETag"));
    add_problem(writer, responses, 304);
}

static void add_responses(struct writer *writer, cJSON *operation, const cJSON *row, bool open)
{
    const cJSON *own = cJSON_GetObjectItemCaseSensitive(row, "responses"), *status;
    cJSON *responses = own != NULL ? cJSON_Duplicate(own, true) : cJSON_CreateObject();

    if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(row, "conditional")))
        add_etag(writer, responses);
    add_problem(writer, responses, 400);
    if (!open) {
        add_problem(writer, responses, 401);
        add_problem(writer, responses, 429);
    }
    add_problem(writer, responses, 403);
    cJSON_ArrayForEach(status, cJSON_GetObjectItemCaseSensitive(row, "problems"))
        add_problem(writer, responses, status->valueint);
    if (cJSON_GetObjectItemCaseSensitive(row, "body") != NULL) {
        add_problem(writer, responses, 413);
        add_problem(writer, responses, 415);
    }
    add_problem(writer, responses, 421);
    add_problem(writer, responses, 0);
    put(writer, operation, "responses", responses);
}

/* What stands in the row as it is to stand in the document. */
static void copy_member(struct writer *writer, cJSON *operation, const cJSON *row, const char *name)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(row, name);

    if (member != NULL)
        put(writer, operation, name, cJSON_Duplicate(member, true));
}

static cJSON *write_operation(struct writer *writer, const struct http_route *route)
{
    cJSON *operation = cJSON_CreateObject();
    char key[NAME_MAX_BYTES];
    const cJSON *row;

    snprintf(key, sizeof key, "%s %s", route->method, route->path);
    row = cJSON_GetObjectItemCaseSensitive(writer->operations, key);
    copy_member(writer, operation, row, "operationId");
    copy_member(writer, operation, row, "tags");
    put(writer, operation, "summary", cJSON_CreateString(route->help));
    copy_member(writer, operation, row, "description");
    add_parameters(writer, operation, row, route->path);
    add_body(writer, operation, row);
    add_responses(writer, operation, row, route->open != NULL);
    return operation;
}

static cJSON *write_paths(struct writer *writer, const struct http_route *routes, size_t count)
{
    cJSON *paths = cJSON_CreateObject();

    for (size_t i = 0; i < count && writer->whole; i++) {
        cJSON *path = cJSON_GetObjectItemCaseSensitive(paths, routes[i].path);
        char method[16] = "";

        if (routes[i].access == HTTP_PAGE)
            continue;
        if (path == NULL)
            path = put_object(writer, paths, routes[i].path);
        for (size_t c = 0; c < sizeof method - 1 && routes[i].method[c] != '\0'; c++)
            method[c] = (char)tolower((unsigned char)routes[i].method[c]);
        put(writer, path, method, write_operation(writer, &routes[i]));
    }
    return paths;
}

/* --- components ----------------------------------------------------------------------------------------------- */

/* Those of the settings' schema that are live. */
static cJSON *live_schema(const cJSON *schema)
{
    cJSON *live = cJSON_Duplicate(schema, true);
    cJSON *properties = cJSON_GetObjectItemCaseSensitive(live, "properties");
    cJSON *next;

    for (cJSON *setting = properties != NULL ? properties->child : NULL; setting != NULL; setting = next) {
        next = setting->next;
        if (!cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(setting, "x-live")))
            cJSON_Delete(cJSON_DetachItemViaPointer(properties, setting));
    }
    return live;
}

/* {"required": [every setting]} */
static cJSON *all_required(struct writer *writer, const cJSON *schema)
{
    cJSON *json = cJSON_CreateObject(), *names = cJSON_CreateArray();
    const cJSON *setting;

    cJSON_ArrayForEach(setting, cJSON_GetObjectItemCaseSensitive(schema, "properties"))
        append(writer, names, cJSON_CreateString(setting->string));
    put(writer, json, "required", names);
    return json;
}

/* A configuration as it is answered: every setting is there. */
static cJSON *whole_schema(struct writer *writer, const cJSON *schema)
{
    cJSON *json = cJSON_CreateObject(), *all = cJSON_CreateArray();

    append(writer, all, reference("schemas", "Config"));
    append(writer, all, all_required(writer, schema));
    put(writer, json, "description", cJSON_CreateString("Every setting, defaults filled in."));
    put(writer, json, "allOf", all);
    return json;
}

static cJSON *preset_names(struct writer *writer)
{
    size_t count;
    const struct ff_preset *presets = ff_presets(&count);
    cJSON *json = cJSON_CreateObject(), *names = cJSON_CreateArray();

    for (size_t i = 0; i < count; i++)
        append(writer, names, cJSON_CreateString(presets[i].name));
    put(writer, json, "type", cJSON_CreateString("string"));
    put(writer, json, "description", cJSON_CreateString("A preset, as GET /api/v1/presets lists them."));
    put(writer, json, "enum", names);
    put(writer, json, "default", cJSON_CreateString(presets[0].name));
    return json;
}

/* The example of a run has every setting, whichever they are. */
static void fill_example(struct writer *writer, cJSON *schemas)
{
    cJSON *run = cJSON_GetObjectItemCaseSensitive(schemas, "Run");
    cJSON *example = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(run, "examples"), 0);
    struct ff_config config;

    ff_config_defaults(&config);
    cJSON_DeleteItemFromObjectCaseSensitive(example, "config");
    put(writer, example, "config", ff_config_to_json(&config));
}

static cJSON *write_schemas(struct writer *writer)
{
    cJSON *schemas = read_part("/schemas.json"), *config = ff_config_schema();

    cJSON_DeleteItemFromObjectCaseSensitive(config, "$schema"); /* it is the document's own dialect */
    put(writer, schemas, "PresetName", preset_names(writer));
    put(writer, schemas, "LiveConfig", live_schema(config));
    put(writer, schemas, "WholeConfig", whole_schema(writer, config));
    put(writer, schemas, "Config", config);
    fill_example(writer, schemas);
    return schemas;
}

/* Each is a problem, with its example; a 304 has no body. */
static cJSON *write_responses(struct writer *writer)
{
    cJSON *responses = read_part("/responses.json"), *response;

    cJSON_ArrayForEach(response, responses)
    {
        cJSON *example = cJSON_DetachItemFromObjectCaseSensitive(response, "example"), *problem;

        if (example == NULL)
            continue;
        problem = content(writer, "application/problem+json", "Problem");
        put(writer, problem != NULL ? problem->child : NULL, "example", example);
        put(writer, response, "content", problem);
    }
    return responses;
}

static cJSON *write_security(struct writer *writer)
{
    cJSON *schemes = cJSON_CreateObject(), *bearer = put_object(writer, schemes, "bearer");

    put(writer, bearer, "type", cJSON_CreateString("http"));
    put(writer, bearer, "scheme", cJSON_CreateString("bearer"));
    put(writer, bearer, "description",
        cJSON_CreateString("What the file of --token-file holds, where the daemon was started with one."));
    return schemes;
}

static cJSON *write_headers(struct writer *writer)
{
    cJSON *headers = cJSON_CreateObject(), *etag = put_object(writer, headers, "ETag");

    put(writer, etag, "description", cJSON_CreateString("A name for this very answer, for `If-None-Match`."));
    put(writer, put_object(writer, etag, "schema"), "type", cJSON_CreateString("string"));
    return headers;
}

cJSON *openapi_document(const struct http_route *routes, size_t count)
{
    struct writer writer = {.operations = read_part("/operations.json"), .whole = true};
    cJSON *document = read_part("/document.json"), *components;

    writer.whole = writer.operations != NULL;
    put(&writer, cJSON_GetObjectItemCaseSensitive(document, "info"), "version",
        cJSON_CreateString(GOODNESS_VERSION));
    put(&writer, document, "paths", write_paths(&writer, routes, count));
    components = put_object(&writer, document, "components");
    put(&writer, components, "schemas", write_schemas(&writer));
    put(&writer, components, "parameters", read_part("/parameters.json"));
    put(&writer, components, "responses", write_responses(&writer));
    put(&writer, components, "headers", write_headers(&writer));
    put(&writer, components, "securitySchemes", write_security(&writer));
    cJSON_Delete(writer.operations);
    return ff_json_whole(document, writer.whole);
}
