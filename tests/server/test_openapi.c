/* The OpenAPI document against the tables that it is written from: none of their rows is left out, and nothing is
 * described that is not there. */
#include "../cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "json.h"
#include "openapi.h"

static cJSON *part(const char *path)
{
    const struct asset *asset = openapi_part(path);
    struct ff_error error;
    cJSON *json;

    assert_non_null(asset);
    json = json_parse_strict((const char *)asset->data, asset->length, &error);
    if (json == NULL)
        fail_msg("openapi%s: %s", path, error.message);
    return json;
}

static cJSON *document(void)
{
    size_t count;
    const struct http_route *routes = api_routes(&count);
    cJSON *json = openapi_document(routes, count);

    assert_non_null(json);
    return json;
}

static void key_of(const struct http_route *route, char *key, size_t size)
{
    snprintf(key, size, "%s %s", route->method, route->path);
}

static void every_route_is_documented(void **state)
{
    (void)state;
    size_t count;
    const struct http_route *routes = api_routes(&count);
    cJSON *operations = part("/operations.json");

    for (size_t i = 0; i < count; i++) {
        char key[256];

        key_of(&routes[i], key, sizeof key);
        if (routes[i].access != HTTP_PAGE && cJSON_GetObjectItemCaseSensitive(operations, key) == NULL)
            fail_msg("server/openapi/operations.json does not describe %s", key);
    }
    cJSON_Delete(operations);
}

static void every_description_is_of_a_route(void **state)
{
    (void)state;
    size_t count;
    const struct http_route *routes = api_routes(&count);
    cJSON *operations = part("/operations.json");
    const cJSON *operation;

    cJSON_ArrayForEach(operation, operations)
    {
        char key[256] = "";
        size_t i = 0;

        for (; i < count && strcmp(key, operation->string) != 0; i++)
            key_of(&routes[i], key, sizeof key);
        if (strcmp(key, operation->string) != 0)
            fail_msg("server/openapi/operations.json describes %s, which is no route", operation->string);
    }
    cJSON_Delete(operations);
}

/* The value at a "#/a/b" of the document; NULL: there is none. */
static const cJSON *resolve(const cJSON *json, const char *reference)
{
    char name[128];

    assert_int_equal(reference[0], '#');
    for (const char *at = reference + 1; *at == '/' && json != NULL;) {
        size_t length = strcspn(++at, "/");

        snprintf(name, sizeof name, "%.*s", (int)length, at);
        json = cJSON_GetObjectItemCaseSensitive(json, name);
        at += length;
    }
    return json;
}

static void check_references(const cJSON *json, const cJSON *item)
{
    const cJSON *child;

    if (item->string != NULL && strcmp(item->string, "$ref") == 0 && resolve(json, item->valuestring) == NULL)
        fail_msg("%s is nowhere in the document", item->valuestring);
    cJSON_ArrayForEach(child, item) check_references(json, child);
}

static void every_reference_leads_somewhere(void **state)
{
    (void)state;
    cJSON *json = document();

    check_references(json, json);
    cJSON_Delete(json);
}

static void find_reference(const cJSON *item, const char *reference, bool *found)
{
    const cJSON *child;

    if (item->string != NULL && strcmp(item->string, "$ref") == 0 && strcmp(item->valuestring, reference) == 0)
        *found = true;
    cJSON_ArrayForEach(child, item) find_reference(child, reference, found);
}

static void every_component_is_used(void **state)
{
    (void)state;
    cJSON *json = document();
    const cJSON *kind, *component;

    cJSON_ArrayForEach(kind, cJSON_GetObjectItemCaseSensitive(json, "components"))
    {
        if (strcmp(kind->string, "securitySchemes") == 0)
            continue; /* `security` names them without a reference */
        cJSON_ArrayForEach(component, kind)
        {
            char reference[256];
            bool found = false;

            snprintf(reference, sizeof reference, "#/components/%s/%s", kind->string, component->string);
            find_reference(json, reference, &found);
            if (!found)
                fail_msg("nothing refers to %s", reference);
        }
    }
    cJSON_Delete(json);
}

static void the_parts_are_strict_json(void **state)
{
    (void)state;
    static const char *const paths[] = {"/document.json", "/operations.json", "/parameters.json", "/responses.json",
                                        "/schemas.json"};

    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        cJSON_Delete(part(paths[i]));
}

static void a_route_without_a_description_has_its_summary_and_parameters(void **state)
{
    (void)state;
    static const struct http_route routes[] = {
        {.method = "GET", .path = "/none/{id}", .help = "of a table that nobody described"}};
    cJSON *json = openapi_document(routes, 1);
    const cJSON *operation = resolve(json, "#/paths"), *parameters;

    operation = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(operation, "/none/{id}"), "get");
    assert_string_equal(cJSON_GetObjectItemCaseSensitive(operation, "summary")->valuestring,
                        "of a table that nobody described");
    parameters = cJSON_GetObjectItemCaseSensitive(operation, "parameters");
    assert_int_equal(cJSON_GetArraySize(parameters), 1);
    assert_non_null(cJSON_GetObjectItemCaseSensitive(operation, "responses"));
    cJSON_Delete(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_parts_are_strict_json),
        cmocka_unit_test(every_route_is_documented),
        cmocka_unit_test(every_description_is_of_a_route),
        cmocka_unit_test(every_reference_leads_somewhere),
        cmocka_unit_test(every_component_is_used),
        cmocka_unit_test(a_route_without_a_description_has_its_summary_and_parameters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
