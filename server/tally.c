#include "tally.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "prometheus.h"

/* All that this program answers; the last stands for any other. */
static const unsigned statuses[] = {200, 201, 204, 206, 303, 304, 400, 401, 403, 404, 405, 409,
                                    413, 415, 416, 417, 421, 422, 429, 431, 500, 501, 503, 0};
static const double bounds[] = {0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10};

enum { STATUSES = sizeof statuses / sizeof statuses[0], BOUNDS = sizeof bounds / sizeof bounds[0] };

struct row {
    atomic_uint_fast64_t count[STATUSES];
    atomic_uint_fast64_t within[BOUNDS + 1]; /* not summed up; the last: longer than all bounds */
    atomic_uint_fast64_t microseconds;
};

struct tally {
    const struct http_route *routes;
    size_t count;
    struct row row[]; /* [count + 1]; the last is for no route */
};

struct tally *tally_create(const struct http_route *routes, size_t count)
{
    struct tally *tally = calloc(1, sizeof *tally + (count + 1) * sizeof tally->row[0]);

    if (tally == NULL)
        return NULL;
    tally->routes = routes;
    tally->count = count;
    return tally;
}

void tally_destroy(struct tally *tally)
{
    free(tally);
}

void tally_request(struct tally *tally, const struct http_route *route, unsigned status, double seconds)
{
    struct row *row = &tally->row[route != NULL ? (size_t)(route - tally->routes) : tally->count];
    size_t which = 0, bound = 0;

    while (which < STATUSES - 1 && statuses[which] != status)
        which++;
    while (bound < BOUNDS && seconds > bounds[bound])
        bound++;
    atomic_fetch_add(&row->count[which], 1);
    atomic_fetch_add(&row->within[bound], 1);
    atomic_fetch_add(&row->microseconds, (uint_fast64_t)(seconds > 0 ? seconds * 1e6 : 0));
}

/* The labels of a row: what no route took has none of them. */
static const char *method_of(const struct tally *tally, size_t index)
{
    return index < tally->count ? tally->routes[index].method : "";
}

static const char *path_of(const struct tally *tally, size_t index)
{
    return index < tally->count ? tally->routes[index].path : "";
}

static void write_counts(const struct tally *tally, FILE *out)
{
    static const char name[] = "goodness_http_requests_total";
    char status[16];

    prometheus_family(out, name, "counter", "Requests answered, by route and status; no route: refused before.");
    for (size_t i = 0; i <= tally->count; i++) {
        for (size_t s = 0; s < STATUSES; s++) {
            uint_fast64_t count = atomic_load(&tally->row[i].count[s]);

            if (count == 0)
                continue;
            snprintf(status, sizeof status, statuses[s] != 0 ? "%u" : "other", statuses[s]);
            prometheus_sample(out, name, (double)count, "method", method_of(tally, i), "route", path_of(tally, i),
                              "status", status, NULL);
        }
    }
}

static void write_durations_of(const struct tally *tally, size_t index, FILE *out)
{
    static const char name[] = "goodness_http_request_duration_seconds";
    const struct row *row = &tally->row[index];
    const char *method = method_of(tally, index), *path = path_of(tally, index);
    uint_fast64_t count = 0;
    char whole[64], bound[32];

    snprintf(whole, sizeof whole, "%s_bucket", name);
    for (size_t b = 0; b <= BOUNDS; b++) {
        count += atomic_load(&row->within[b]);
        if (b < BOUNDS)
            snprintf(bound, sizeof bound, "%g", bounds[b]);
        else
            snprintf(bound, sizeof bound, "+Inf");
        prometheus_sample(out, whole, (double)count, "method", method, "route", path, "le", bound, NULL);
    }
    snprintf(whole, sizeof whole, "%s_sum", name);
    prometheus_sample(out, whole, 1e-6 * (double)atomic_load(&row->microseconds), "method", method, "route", path,
                      NULL);
    snprintf(whole, sizeof whole, "%s_count", name);
    prometheus_sample(out, whole, (double)count, "method", method, "route", path, NULL);
}

static bool is_used(const struct row *row)
{
    for (size_t b = 0; b <= BOUNDS; b++)
        if (atomic_load(&row->within[b]) > 0)
            return true;
    return false;
}

void tally_write(const struct tally *tally, FILE *out)
{
    write_counts(tally, out);
    prometheus_family(out, "goodness_http_request_duration_seconds", "histogram",
                      "From a request's first line until its answer was given, or a stream had begun.");
    for (size_t i = 0; i <= tally->count; i++)
        if (is_used(&tally->row[i]))
            write_durations_of(tally, i, out);
}
