#include "check_internal.h"

#include <inttypes.h>

/* What cannot be read counts as nothing. */
#define SUM_OF(column, value)                                                                                      \
    "CASE WHEN json_valid(" column ") THEN (SELECT coalesce(sum(" value "), 0) FROM json_each(" column             \
    ")) ELSE 0 END"

static void check_histograms(struct check *check, const struct checked_run *run)
{
    sqlite3_stmt *row =
        check_select(check,
                     "SELECT epoch, layer, images, " SUM_OF("positive", "value") ", " SUM_OF(
                         "negative", "value") " FROM histograms WHERE run = ?1 ORDER BY epoch, layer",
                     run->id);

    while (check_row(check, row)) {
        int64_t images = sqlite3_column_int64(row, 2), positive = sqlite3_column_int64(row, 3);
        int64_t negative = sqlite3_column_int64(row, 4);

        if (positive != images || negative != images)
            check_found(check,
                        "run %" PRId64 ": the histogram of epoch %" PRId64 ", layer %" PRId64 ", counts %" PRId64
                        " positive and %" PRId64 " negative of %" PRId64 " images",
                        run->id, (int64_t)sqlite3_column_int64(row, 0), (int64_t)sqlite3_column_int64(row, 1),
                        positive, negative, images);
    }
}

static void check_layers(struct check *check, const struct checked_run *run)
{
    sqlite3_stmt *row = check_select(
        check, "SELECT epoch, count(*) FROM histograms WHERE run = ?1 GROUP BY epoch ORDER BY epoch", run->id);

    while (check_row(check, row)) {
        int64_t layers = sqlite3_column_int64(row, 1);

        if (layers != run->config.layer_count)
            check_found(check,
                        "run %" PRId64 ": the histograms of epoch %" PRId64 " are of %" PRId64 " of %u layers",
                        run->id, (int64_t)sqlite3_column_int64(row, 0), layers, run->config.layer_count);
    }
}

/* Of the cells [truth, label, images]. */
#define COUNTED SUM_OF("cells", "value ->> 2")
#define MISTAKEN SUM_OF("cells", "iif(value ->> 0 = value ->> 1, 0, value ->> 2)")

static void check_evaluations(struct check *check, const struct checked_run *run)
{
    static const char sql[] =
        "SELECT epoch, images, wrong, " COUNTED ", " MISTAKEN " FROM evaluations WHERE run = ?1 ORDER BY epoch";
    sqlite3_stmt *row = check_select(check, sql, run->id);

    while (check_row(check, row)) {
        int64_t images = sqlite3_column_int64(row, 1), wrong = sqlite3_column_int64(row, 2);
        int64_t counted = sqlite3_column_int64(row, 3), mistaken = sqlite3_column_int64(row, 4);

        if (counted != images || mistaken != wrong)
            check_found(check,
                        "run %" PRId64 ": the confusion of epoch %" PRId64 " has %" PRId64 " images, %" PRId64
                        " wrong, and counts %" PRId64 " and %" PRId64,
                        run->id, (int64_t)sqlite3_column_int64(row, 0), images, wrong, counted, mistaken);
    }
}

void check_figures(struct check *check, const struct checked_run *run)
{
    check_histograms(check, run);
    check_layers(check, run);
    check_evaluations(check, run);
}
