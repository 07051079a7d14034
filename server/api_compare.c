/* api_compare.c - GET /api/v1/compare?runs=1,2,3&format=: runs side by side. */
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "compare.h"
#include "digits.h"

enum form { AS_JSON, AS_TEXT, AS_CSV };

struct query {
    size_t count;
    int64_t runs[COMPARED_MAX];
    enum form form;
};

static bool add_run(struct query *query, int64_t run)
{
    for (size_t i = 0; i < query->count; i++) {
        if (query->runs[i] == run)
            return false;
    }
    if (query->count == COMPARED_MAX)
        return false;
    query->runs[query->count++] = run;
    return true;
}

/* "1,2,3"; false when it is no such list, or one that is too long or names a run twice. */
static bool parse_runs(const char *text, struct query *query)
{
    int64_t run;

    while (digits_run(&text, &run) && add_run(query, run)) {
        if (*text == '\0')
            return true;
        text += *text == ',';
    }
    return false;
}

static bool parse_form(const char *text, enum form *form)
{
    static const char *const names[] = {[AS_JSON] = "json", [AS_TEXT] = "text", [AS_CSV] = "csv"};

    *form = AS_JSON;
    while (text != NULL && *form <= AS_CSV && strcmp(names[*form], text) != 0)
        ++*form;
    return *form <= AS_CSV;
}

static bool read_query(const struct request *request, struct response *response, struct query *query)
{
    static const char *const names[] = {"runs", "format", NULL};
    const char *runs = request_query(request, "runs"), *format = request_query(request, "format");

    *query = (struct query){.count = 0};
    if (!request_check_query(request, response, names))
        return false;
    if (runs == NULL || !parse_runs(runs, query)) {
        respond_problem(
            response, 400,
            "the query parameter \"runs\" must be up to %d numbers of runs, each once, with commas between "
            "(runs=1,2,3), got \"%s\"",
            COMPARED_MAX, runs != NULL ? runs : "");
        return false;
    }
    if (parse_form(format, &query->form))
        return true;
    respond_problem(response, 400, "the query parameter \"format\" must be json, text or csv, got \"%s\"", format);
    return false;
}

static void respond_written(struct response *response, const struct comparison *comparison, enum form form)
{
    struct text text;

    text_open(&text);
    if (form == AS_CSV)
        comparison_write_csv(comparison, &text);
    else
        comparison_write_text(comparison, &text);
    api_respond_text(response, form == AS_CSV ? "text/csv; charset=utf-8" : "text/plain; charset=utf-8", &text);
}

static void respond_comparison(struct api *api, struct response *response, const struct query *query,
                               const struct run *runs)
{
    struct ff_error error;
    struct comparison *comparison = comparison_create(api->store, runs, query->count, &error);

    if (comparison == NULL)
        respond_error(response, &error);
    else if (query->form == AS_JSON)
        respond_json(response, 200, comparison_to_json(comparison));
    else
        respond_written(response, comparison, query->form);
    comparison_destroy(comparison);
}

void api_compare(struct api *api, const struct request *request, struct response *response)
{
    struct answers_key key;
    struct query query;
    bool found = true;

    if (!read_query(request, response, &query) || api_recall(api, request, response, 0, &key))
        return;
    struct run *runs = calloc(query.count, sizeof *runs);
    if (runs == NULL) {
        respond_json(response, 500, NULL);
        return;
    }
    for (size_t i = 0; found && i < query.count; i++) {
        found = api_find_run(api, response, query.runs[i], &runs[i]);
        api_catch_up(api, query.runs[i]);
    }
    if (found) {
        respond_comparison(api, response, &query, runs);
        api_remember(api, response, &key);
    }
    free(runs);
}
