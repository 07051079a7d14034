/* api_metrics.c - GET /api/v1/runs/{id}/metrics: the series, downsampled. */
#include <stdio.h>
#include <string.h>

#include "api.h"
#include "digits.h"
#include "series.h"

enum { POINTS_DEFAULT = 1000, POINTS_MAX = 100000 };

struct query {
    uint64_t after, before, max_points;
    bool csv, some_layers;
    bool layers[FF_LAYERS_MAX];
};

/* "0,2" into flags; false when it is not such a list of the run's layers. */
static bool parse_layers(const char *text, uint32_t count, bool *chosen)
{
    uint64_t layer;

    while (digits_first(&text, &layer) && layer < count) {
        chosen[layer] = true;
        if (*text == '\0')
            return true;
        text += *text == ',';
    }
    return false;
}

static bool read_query(const struct request *request, struct response *response, const struct run *run,
                       struct query *query)
{
    static const char *const names[] = {"after", "before", "max_points", "layers", "format", NULL};
    const char *layers = request_query(request, "layers");

    memset(query, 0, sizeof *query);
    if (!request_check_query(request, response, names) ||
        !request_query_number(request, response, "after", 0, INT64_MAX, 0, &query->after) ||
        !request_query_number(request, response, "before", 1, INT64_MAX, INT64_MAX, &query->before) ||
        !request_query_number(request, response, "max_points", 1, POINTS_MAX, POINTS_DEFAULT, &query->max_points) ||
        !api_format(request, response, &query->csv))
        return false;
    query->some_layers = layers != NULL;
    if (layers == NULL || parse_layers(layers, run->config.layer_count, query->layers))
        return true;
    respond_problem(response, 400,
                    "the query parameter \"layers\" must be layers from 0 to %u with commas between, got \"%s\"",
                    (unsigned)run->config.layer_count - 1, layers);
    return false;
}

/* A series takes no more than the points that were counted, so that none from `before` on gets in. */
static bool take_point(void *series, const struct ff_point *point, uint64_t event)
{
    (void)event;
    return series_add(series, point);
}

static void respond_series(struct response *response, const struct series *series, const struct query *query)
{
    const bool *chosen = query->some_layers ? query->layers : NULL;
    struct text text;

    text_open(&text);
    if (query->csv)
        series_write_csv(series, chosen, &text);
    else
        series_write_json(series, chosen, &text);
    api_respond_text(response, query->csv ? "text/csv; charset=utf-8" : "application/json", &text);
}

void api_metrics(struct api *api, const struct request *request, struct response *response)
{
    struct answers_key key;
    struct ff_error error;
    struct query query;
    struct series *series;
    struct run run;
    uint64_t count;
    int64_t id;

    if (!api_run_id(api, request, response, &id) || api_recall_rows(api, request, response, id, &key) ||
        !api_find_run(api, response, id, &run) || !read_query(request, response, &run, &query))
        return;
    api_catch_up(api, run.id);
    if (store_count_points_between(api->store, run.id, query.after, query.before, &count, &error) != FF_OK) {
        respond_error(response, &error);
        return;
    }
    series = series_create((size_t)count, (size_t)query.max_points, query.after, run.config.layer_count);
    if (series == NULL)
        respond_problem(response, 503, "out of memory for %llu points; ask for some of them (after, before)",
                        (unsigned long long)count);
    else if (store_read_points(api->store, run.id, query.after, 0, take_point, series, &error) != FF_OK)
        respond_error(response, &error);
    else
        respond_series(response, series, &query);
    api_remember(api, response, &key);
    series_destroy(series);
}
