/* Paths and methods against a table of routes. */
#include "../cmocka_all.h"

#include <stdlib.h>
#include <string.h>

#include "router.h"

static bool page_exists(const char *path)
{
    return strcmp(path, "/") == 0 || strcmp(path, "/lib/chart.js") == 0;
}

static const struct http_route routes[] = {
    {.method = "GET", .path = "/runs", .help = "list"},
    {.method = "POST", .path = "/runs", .help = "make"},
    {.method = "GET", .path = "/runs/{id}", .help = "one"},
    {.method = "DELETE", .path = "/runs/{id}", .help = "forget"},
    {.method = "POST", .path = "/runs/{id}/stop", .help = "stop"},
    {.method = "GET", .path = "/sets/{name}/samples/{split}/{i}", .help = "sample"},
    {.method = "GET", .path = "/{path*}", .access = HTTP_PAGE, .help = "page", .exists = page_exists},
};

struct expected {
    const char *method, *path;
    const char *help;  /* of the route found; NULL: none */
    const char *allow; /* what is allowed there: found where no route is; "" where the path is unknown */
    const char *parts; /* "name=value;…" */
};

static const struct expected table[] = {
    {"GET", "/runs", "list", "GET, HEAD, POST, OPTIONS", ""},
    {"HEAD", "/runs", "list", "GET, HEAD, POST, OPTIONS", ""},
    {"POST", "/runs", "make", "GET, HEAD, POST, OPTIONS", ""},
    {"DELETE", "/runs", NULL, "GET, HEAD, POST, OPTIONS", ""},
    {"OPTIONS", "/runs", NULL, "GET, HEAD, POST, OPTIONS", ""},
    {"BREW", "/runs", NULL, "GET, HEAD, POST, OPTIONS", ""},
    {"get", "/runs", NULL, "GET, HEAD, POST, OPTIONS", ""},
    {"GET", "/runs/7", "one", "GET, HEAD, DELETE, OPTIONS", "id=7;"},
    {"GET", "/runs/%37", "one", "GET, HEAD, DELETE, OPTIONS", "id=7;"},
    {"GET", "/runs/a%2Fb+c", "one", "GET, HEAD, DELETE, OPTIONS", "id=a/b+c;"},
    {"GET", "/runs/%C3%A4", "one", "GET, HEAD, DELETE, OPTIONS", "id=ä;"},
    {"DELETE", "/runs/latest", "forget", "GET, HEAD, DELETE, OPTIONS", "id=latest;"},
    {"POST", "/runs/7/stop", "stop", "POST, OPTIONS", "id=7;"},
    {"HEAD", "/runs/7/stop", NULL, "POST, OPTIONS", ""},
    {"GET", "/sets/mnist/samples/test/17", "sample", "GET, HEAD, OPTIONS", "name=mnist;split=test;i=17;"},
    {"GET", "/", "page", "GET, HEAD, OPTIONS", "path=;"},
    {"GET", "/lib/chart.js", "page", "GET, HEAD, OPTIONS", "path=lib/chart.js;"},
    {"GET", "/lib/none.js", "page", "GET, HEAD, OPTIONS", "path=lib/none.js;"},
    {"POST", "/", NULL, "GET, HEAD, OPTIONS", ""},
    {"POST", "/lib/chart.js", NULL, "GET, HEAD, OPTIONS", ""},
    {"POST", "/lib/none.js", NULL, "", ""},
    {"OPTIONS", "/lib/none.js", NULL, "", ""},
    {"POST", "/runs/", NULL, "", ""},
    {"POST", "/runs//stop", NULL, "", ""},
    {"POST", "/runs/7/stop/", NULL, "", ""},
    {"POST", "//runs", NULL, "", ""},
    {"POST", "/Runs", NULL, "", ""},
    {"POST", "", NULL, "", ""},
    {"POST", "*", NULL, "", ""},
    {"GET", "/runs/%", NULL, "", ""},
    {"GET", "/runs/%3", NULL, "", ""},
    {"GET", "/runs/%zz", NULL, "", ""},
    {"GET", "/runs/7%00", NULL, "", ""},
    {"GET", "/runs/%FF", NULL, "", ""},
};

static void paths_and_methods_find_their_row(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const struct expected *row = &table[i];
        struct router_match match;
        char parts[256] = "";

        router_find(routes, sizeof routes / sizeof *routes, row->method, row->path, &match);
        for (size_t p = 0; p < match.part_count; p++) {
            strcat(parts, match.parts[p].name);
            strcat(strcat(strcat(parts, "="), match.parts[p].value), ";");
        }
        if ((match.route == NULL) != (row->help == NULL) ||
            (row->help != NULL && strcmp(match.route->help, row->help) != 0))
            fail_msg("%s %s found %s", row->method, row->path, match.route != NULL ? match.route->help : "nothing");
        assert_int_equal(match.known, row->allow[0] != '\0');
        if (match.known && match.route == NULL)
            assert_string_equal(match.allow, row->allow);
        assert_string_equal(parts, row->parts);
        router_release(&match);
    }
}

static void an_unknown_path_counts_as_data(void **state)
{
    struct router_match match;

    (void)state;
    router_find(routes, sizeof routes / sizeof *routes, "POST", "/nothing", &match);
    assert_int_equal(match.access, HTTP_DATA);
    router_release(&match);
    router_find(routes, sizeof routes / sizeof *routes, "GET", "/lib/chart.js", &match);
    assert_int_equal(match.access, HTTP_PAGE);
    router_release(&match);
}

static void a_query_is_decoded_with_plus_as_space(void **state)
{
    bool starved = false;
    char *text = router_decode("a+b%20c%2B", 10, true, &starved);

    (void)state;
    assert_string_equal(text, "a b c+");
    free(text);
    assert_null(router_decode("%4", 2, true, &starved));
    text = router_decode("%41%4", 3, true, &starved); /* no more than it is told */
    assert_string_equal(text, "A");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_and_methods_find_their_row),
        cmocka_unit_test(an_unknown_path_counts_as_data),
        cmocka_unit_test(a_query_is_decoded_with_plus_as_space),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
