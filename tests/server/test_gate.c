/* Who may call: Host, Origin, Sec-Fetch-Site, for every kind of method and of path. */
#include "../cmocka_all.h"

#include <stdbool.h>
#include <string.h>

#include "gate.h"

static const char *const allowed[] = {"box.lan", "proxy.example:8443", NULL};
static const struct gate gate = {.address = "127.0.0.1", .port = 7007, .allow_hosts = allowed};

static unsigned check(const char *method, const char *host, const char *origin, const char *site,
                      enum http_access access)
{
    const char *hosts[1] = {host};
    struct gate_request request = {.method = method,
                                   .hosts = hosts,
                                   .host_count = host != NULL ? 1 : 0,
                                   .origin = origin,
                                   .sec_fetch_site = site,
                                   .access = access};
    struct ff_error error = {.message = ""};
    unsigned status = gate_check(&gate, &request, &error);

    assert_true((status == 0) == (error.message[0] == '\0')); /* a refusal says why */
    return status;
}

struct host_case {
    const char *host;
    unsigned status;
};

static void only_names_of_this_machine_are_hosts(void **state)
{
    static const struct host_case cases[] = {
        {"localhost", 0},
        {"localhost:7007", 0},
        {"LocalHost:7007", 0},
        {"127.0.0.1", 0},
        {"127.0.0.1:7007", 0},
        {"[::1]", 0},
        {"[::1]:7007", 0},
        {"box.lan", 0},
        {"box.lan:7007", 0},
        {"BOX.LAN:80", 0},
        {"proxy.example:8443", 0},
        {NULL, 400},
        {"", 400},
        {"localhost:80", 421},
        {"localhost:70070", 421},
        {"localhost:", 421},
        {"localhost:7007x", 421},
        {"localhost:+7007", 421},
        {"localhost:07007 ", 421},
        {"localhost.evil.com", 421},
        {"evil.com", 421},
        {"evil.com:7007", 421},
        {"127.0.0.1.evil.com", 421},
        {"127.0.0.2", 421},
        {"0.0.0.0:7007", 421},
        {"::1", 421},
        {"[::1", 421},
        {"[::1]x", 421},
        {"[::2]:7007", 421},
        {"proxy.example", 421},
        {"proxy.example:80", 421},
        {"user@localhost:7007", 421},
        {"localhost/", 421},
        {":7007", 421},
        {" localhost", 421},
        {"localhost, evil.com", 421},
        {"2130706433:7007", 421},
        {"0x7f.1", 421},
        {"localhost.", 421},
    };
    static const char *const methods[] = {"GET", "POST", "DELETE", "OPTIONS", "TRACE"};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t m = 0; m < sizeof methods / sizeof *methods; m++)
            for (int access = HTTP_DATA; access <= HTTP_PAGE; access++) {
                unsigned status = check(methods[m], cases[i].host, NULL, NULL, (enum http_access)access);

                if (status != cases[i].status)
                    fail_msg("%s with Host '%s': %u, expected %u", methods[m], cases[i].host, status,
                             cases[i].status);
            }
}

static void two_hosts_are_refused_even_when_both_are_good(void **state)
{
    const char *hosts[] = {"localhost:7007", "localhost:7007"};
    struct gate_request request = {.method = "GET", .hosts = hosts, .host_count = 2, .access = HTTP_PAGE};
    struct ff_error error;

    (void)state;
    assert_int_equal(gate_check(&gate, &request, &error), 400);
}

struct origin_case {
    const char *host, *origin;
    bool same;
};

static const struct origin_case origins[] = {
    {"localhost:7007", NULL, true},
    {"localhost:7007", "http://localhost:7007", true},
    {"LOCALHOST:7007", "http://localhost:7007", true},
    {"127.0.0.1:7007", "http://127.0.0.1:7007", true},
    {"[::1]:7007", "http://[::1]:7007", true},
    {"localhost", "http://localhost:7007", true},
    {"box.lan", "http://box.lan", true},
    {"box.lan", "https://box.lan", true},
    {"box.lan:7007", "http://box.lan:7007", true},
    {"proxy.example:8443", "https://proxy.example:8443", true},
    {"localhost:7007", "http://127.0.0.1:7007", false},
    {"127.0.0.1:7007", "http://localhost:7007", false},
    {"localhost:7007", "http://localhost", false},
    {"localhost", "http://localhost", false},
    {"localhost:7007", "http://localhost:80", false},
    {"localhost:7007", "http://localhost:3000", false},
    {"localhost:7007", "https://localhost:7007", false},
    {"localhost:7007", "https://localhost", false},
    {"localhost:7007", "ftp://localhost:7007", false},
    {"localhost:7007", "null", false},
    {"localhost:7007", "", false},
    {"localhost:7007", "http://evil.com", false},
    {"localhost:7007", "http://localhost:7007.evil.com", false},
    {"localhost:7007", "http://localhost:7007, http://localhost:7007", false},
    {"localhost:7007", "http://localhost:7007/", false},
    {"localhost:7007", "http://", false},
    {"box.lan", "http://localhost:7007", false},
    {"box.lan", "https://box.lan:8443", false},
    {"proxy.example:8443", "https://proxy.example", false},
};

struct site_case {
    const char *site;
    bool ours;     /* may change something */
    bool may_read; /* may GET data */
};

static const struct site_case sites[] = {
    {NULL, true, true},
    {"same-origin", true, true},
    {"none", true, true},
    {"same-site", false, true},
    {"cross-site", false, false},
    {"Same-Origin", false, false},
    {"", false, false},
    {"same-origin, cross-site", false, false},
    {"same-originx", false, false},
};

static void a_change_must_come_from_this_very_origin(void **state)
{
    static const char *const methods[] = {"POST", "PATCH", "DELETE", "PUT", "TRACE", "get"};

    (void)state;
    for (size_t o = 0; o < sizeof origins / sizeof *origins; o++)
        for (size_t s = 0; s < sizeof sites / sizeof *sites; s++)
            for (size_t m = 0; m < sizeof methods / sizeof *methods; m++)
                for (int access = HTTP_DATA; access <= HTTP_PAGE; access++) {
                    unsigned expected = origins[o].same && sites[s].ours ? 0 : 403;
                    unsigned status = check(methods[m], origins[o].host, origins[o].origin, sites[s].site,
                                            (enum http_access)access);

                    if (status != expected)
                        fail_msg("%s, Host '%s', Origin '%s', Sec-Fetch-Site '%s': %u, expected %u", methods[m],
                                 origins[o].host, origins[o].origin, sites[s].site, status, expected);
                }
}

static void data_is_not_read_by_other_sites_but_pages_may_be_linked_to(void **state)
{
    static const char *const methods[] = {"GET", "HEAD", "OPTIONS"};

    (void)state;
    for (size_t o = 0; o < sizeof origins / sizeof *origins; o++)
        for (size_t s = 0; s < sizeof sites / sizeof *sites; s++)
            for (size_t m = 0; m < sizeof methods / sizeof *methods; m++) {
                assert_int_equal(check(methods[m], origins[o].host, origins[o].origin, sites[s].site, HTTP_PAGE),
                                 0);
                assert_int_equal(check(methods[m], origins[o].host, origins[o].origin, sites[s].site, HTTP_DATA),
                                 sites[s].may_read ? 0 : 403);
            }
}

static void the_address_listened_on_is_a_name_of_this_machine(void **state)
{
    static const struct gate elsewhere = {.address = "192.168.1.5", .port = 80};
    const char *hosts[] = {"192.168.1.5"};
    struct gate_request request = {
        .method = "POST", .hosts = hosts, .host_count = 1, .origin = "http://192.168.1.5", .access = HTTP_DATA};
    struct ff_error error;

    (void)state;
    assert_int_equal(gate_check(&elsewhere, &request, &error), 0);
    hosts[0] = "192.168.1.6";
    assert_int_equal(gate_check(&elsewhere, &request, &error), 421);
}

static void where_all_addresses_are_listened_on_the_one_that_was_called_counts(void **state)
{
    static const struct gate all = {.address = "0.0.0.0", .port = 7007};
    const char *hosts[] = {"192.168.1.5:7007"};
    struct gate_request request = {
        .method = "GET", .hosts = hosts, .host_count = 1, .local = "192.168.1.5", .access = HTTP_DATA};
    struct ff_error error;

    (void)state;
    assert_int_equal(gate_check(&all, &request, &error), 0);
    request.local = "192.168.1.6";
    assert_int_equal(gate_check(&all, &request, &error), 421);
    hosts[0] = "0.0.0.0:7007";
    assert_int_equal(gate_check(&all, &request, &error), 421);
    hosts[0] = "localhost:7007";
    assert_int_equal(gate_check(&all, &request, &error), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_names_of_this_machine_are_hosts),
        cmocka_unit_test(two_hosts_are_refused_even_when_both_are_good),
        cmocka_unit_test(a_change_must_come_from_this_very_origin),
        cmocka_unit_test(data_is_not_read_by_other_sites_but_pages_may_be_linked_to),
        cmocka_unit_test(the_address_listened_on_is_a_name_of_this_machine),
        cmocka_unit_test(where_all_addresses_are_listened_on_the_one_that_was_called_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
