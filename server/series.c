#include "series.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum column {
    POSITIVE,
    NEGATIVE,
    POSITIVE_LOW,
    POSITIVE_HIGH,
    NEGATIVE_LOW,
    NEGATIVE_HIGH,
    LOSS,
    ACCURACY,
    COLUMNS
};

static const char *const column_names[COLUMNS] = {"positive",     "negative",      "positive_low", "positive_high",
                                                  "negative_low", "negative_high", "loss",         "accuracy"};

struct row {
    uint64_t step;
    double epoch, elapsed;
};

struct series {
    size_t expected, taken;
    size_t bucket; /* points a row is made of */
    size_t count, capacity;
    uint64_t next;
    uint32_t layers;
    struct row *rows;
    float *figures;                      /* [row][layer][column] */
    double sums[FF_LAYERS_MAX][COLUMNS]; /* of the bucket under way: weighted sums, or the extreme so far */
    double weights[FF_LAYERS_MAX][COLUMNS];
};

struct series *series_create(size_t expected, size_t most, uint64_t after, uint32_t layers)
{
    struct series *series = calloc(1, sizeof *series);

    if (series == NULL)
        return NULL;
    series->expected = expected;
    series->bucket = expected > most ? (expected + most - 1) / most : 1;
    series->capacity = (expected + series->bucket - 1) / series->bucket;
    series->next = after;
    series->layers = layers < FF_LAYERS_MAX ? layers : FF_LAYERS_MAX;
    series->rows = calloc(series->capacity + 1, sizeof *series->rows);
    series->figures = calloc((series->capacity + 1) * (series->layers + 1) * COLUMNS, sizeof *series->figures);
    if (series->rows == NULL || series->figures == NULL) {
        series_destroy(series);
        return NULL;
    }
    return series;
}

void series_destroy(struct series *series)
{
    if (series == NULL)
        return;
    free(series->rows);
    free(series->figures);
    free(series);
}

static float column_of(const struct ff_layer_figures *figures, enum column column)
{
    const float values[COLUMNS] = {figures->positive,      figures->negative,     figures->positive_low,
                                   figures->positive_high, figures->negative_low, figures->negative_high,
                                   figures->loss,          figures->accuracy};

    return values[column];
}

/* One figure into the bucket under way. */
static void gather(struct series *series, uint32_t layer, enum column column, float value, double weight)
{
    double *sum = &series->sums[layer][column], *weights = &series->weights[layer][column];
    bool first = *weights <= 0;

    if (!isfinite(value))
        return;
    if (column == POSITIVE_LOW || column == NEGATIVE_LOW)
        *sum = first ? (double)value : fmin(*sum, (double)value);
    else if (column == POSITIVE_HIGH || column == NEGATIVE_HIGH)
        *sum = first ? (double)value : fmax(*sum, (double)value);
    else
        *sum += (double)value * weight;
    *weights += weight;
}

static bool is_mean(enum column column)
{
    return column == POSITIVE || column == NEGATIVE || column == LOSS || column == ACCURACY;
}

/* What the bucket has so far becomes its row. */
static void write_row(struct series *series, size_t row)
{
    for (uint32_t layer = 0; layer < series->layers; layer++) {
        for (enum column column = 0; column < COLUMNS; column++) {
            double sum = series->sums[layer][column], weight = series->weights[layer][column];
            double figure = weight <= 0 ? (double)NAN : is_mean(column) ? sum / weight : sum;

            series->figures[(row * series->layers + layer) * COLUMNS + column] = (float)figure;
        }
    }
}

bool series_add(struct series *series, const struct ff_point *point)
{
    double weight = point->step > series->next ? (double)(point->step - series->next) : 1;
    size_t row;

    if (series->taken == series->expected)
        return false;
    if (series->taken % series->bucket == 0) {
        memset(series->sums, 0, sizeof series->sums);
        memset(series->weights, 0, sizeof series->weights);
        series->count++;
    }
    row = series->count - 1;
    series->rows[row] = (struct row){point->step, point->epoch, point->elapsed};
    for (uint32_t layer = 0; layer < series->layers && layer < point->layers; layer++)
        for (enum column column = 0; column < COLUMNS; column++)
            gather(series, layer, column, column_of(&point->layer[layer], column), weight);
    write_row(series, row);
    series->taken++;
    series->next = point->step;
    return true;
}

size_t series_rows(const struct series *series)
{
    return series->count;
}

uint64_t series_next(const struct series *series)
{
    return series->next;
}

bool series_is_downsampled(const struct series *series)
{
    return series->taken > series->count;
}

static float figure_at(const struct series *series, size_t row, uint32_t layer, enum column column)
{
    return series->figures[(row * series->layers + layer) * COLUMNS + column];
}

static void write_axes(const struct series *series, struct text *text)
{
    text_print(text, "{\"steps\":[");
    for (size_t i = 0; i < series->count; i++)
        text_print(text, "%s%llu", i > 0 ? "," : "", (unsigned long long)series->rows[i].step);
    text_print(text, "],\"epochs\":[");
    for (size_t i = 0; i < series->count; i++) {
        text_print(text, "%s", i > 0 ? "," : "");
        text_number(text, series->rows[i].epoch, "null");
    }
    text_print(text, "],\"elapsed\":[");
    for (size_t i = 0; i < series->count; i++) {
        text_print(text, "%s", i > 0 ? "," : "");
        text_number(text, series->rows[i].elapsed, "null");
    }
    text_print(text, "]");
}

void series_write_json(const struct series *series, const bool *chosen, struct text *text)
{
    const char *between = "";

    write_axes(series, text);
    text_print(text, ",\"layers\":[");
    for (uint32_t layer = 0; layer < series->layers; layer++) {
        if (chosen != NULL && !chosen[layer])
            continue;
        text_print(text, "%s{\"layer\":%u", between, (unsigned)layer);
        between = ",";
        for (enum column column = 0; column < COLUMNS; column++) {
            text_print(text, ",\"%s\":[", column_names[column]);
            for (size_t i = 0; i < series->count; i++) {
                text_print(text, "%s", i > 0 ? "," : "");
                text_figure(text, figure_at(series, i, layer, column), "null");
            }
            text_print(text, "]");
        }
        text_print(text, "}");
    }
    text_print(text, "],\"next\":%llu,\"downsampled\":%s}\n", (unsigned long long)series->next,
               series_is_downsampled(series) ? "true" : "false");
}

static void write_csv_row(const struct series *series, size_t row, const bool *chosen, struct text *text)
{
    text_print(text, "%llu,", (unsigned long long)series->rows[row].step);
    text_number(text, series->rows[row].epoch, "");
    text_print(text, ",");
    text_number(text, series->rows[row].elapsed, "");
    for (uint32_t layer = 0; layer < series->layers; layer++) {
        if (chosen != NULL && !chosen[layer])
            continue;
        for (enum column column = 0; column < COLUMNS; column++) {
            text_print(text, ",");
            text_figure(text, figure_at(series, row, layer, column), "");
        }
    }
    text_print(text, "\n");
}

void series_write_csv(const struct series *series, const bool *chosen, struct text *text)
{
    text_print(text, "step,epoch,elapsed");
    for (uint32_t layer = 0; layer < series->layers; layer++) {
        if (chosen != NULL && !chosen[layer])
            continue;
        for (enum column column = 0; column < COLUMNS; column++)
            text_print(text, ",layer%u_%s", (unsigned)layer, column_names[column]);
    }
    text_print(text, "\n");
    for (size_t i = 0; i < series->count; i++)
        write_csv_row(series, i, chosen, text);
}
