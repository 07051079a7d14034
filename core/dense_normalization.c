/* Batch normalization of a dense layer. A panel has all rows of the batch, so that its units' mean and deviation
 * are found where the product is made. */
#include "dense_internal.h"

#include <stdlib.h>
#include <string.h>

size_t ff_dense_kept(const struct ff_plan *plan, uint32_t layer)
{
    return plan->config.batch_normalization ? (size_t)plan->train_rows * plan->layer[layer].units : 0;
}

bool ff_dense_create_normalization(struct ff_dense *dense)
{
    struct ff_layer *layer = &dense->layer;

    if (!layer->config.batch_normalization)
        return true;
    dense->sums = ff_floats(ff_dense_kept(layer->plan, layer->index));
    return dense->sums != NULL &&
           ff_normalization_create(&dense->normalization, layer->units, layer->statistics[1], layer->statistics[2]);
}

void ff_dense_destroy_normalization(struct ff_dense *dense)
{
    ff_normalization_destroy(&dense->normalization);
    free(dense->sums);
}

/* Row 0 of what the units sum up, at the panel: kept in training, for the gradient. */
float *ff_dense_normalized_product(struct ff_dense *dense, struct ff_panel panel)
{
    return dense->layer.message->kind == FF_TRAIN ? dense->sums + panel.begin
                                                  : ff_dense_activities(&dense->layer, 0, panel);
}

/* The products become sums, row by row, from the last one backwards: a product may lie in its image's first row. */
static void add_labels(struct ff_dense *dense, struct ff_panel panel, float *sums, size_t stride)
{
    struct ff_layer *layer = &dense->layer;
    const struct ff_message *message = layer->message;
    float label_scale = (float)layer->config.label_scale, mean[FF_PANEL_MAX];

    if (!dense->first)
        return;
    ff_dense_mean_label(dense, panel, mean);
    for (uint32_t row = message->rows; row-- > 0;) {
        size_t from = dense->shares ? ff_message_image(message, row) : row;
        const float *label = ff_dense_label_weights(dense, row, panel, mean);
        float *sum = sums + (size_t)row * layer->units;

        if (sum != sums + from * stride)
            memcpy(sum, sums + from * stride, panel.count * sizeof *sum);
        if (label != NULL)
            layer->kernels->add_scaled(sum, label, label_scale, panel.count);
    }
}

static void find_batch(struct ff_dense *dense, struct ff_panel panel, const float *sums)
{
    const struct ff_column_kernels *columns = dense->layer.kernels->columns;
    size_t rows = ff_message_labelled(dense->layer.message), stride = dense->layer.units;
    float *mean = dense->normalization.batch_mean + panel.begin,
          *variance = dense->normalization.batch_variance + panel.begin;

    memset(mean, 0, panel.count * sizeof *mean);
    memset(variance, 0, panel.count * sizeof *variance);
    columns->sum(mean, sums, stride, rows, panel.count);
    dense->layer.kernels->scale(mean, 1 / (float)rows, panel.count);
    columns->spread(variance, sums, stride, mean, rows, panel.count);
    dense->layer.kernels->scale(variance, 1 / (float)rows, panel.count);
}

static struct ff_column_scale scale_at(const struct ff_dense *dense, struct ff_panel panel)
{
    return (struct ff_column_scale){dense->normalization.shift + panel.begin,
                                    dense->normalization.scale + panel.begin};
}

static void activate(const struct ff_dense *dense, struct ff_panel panel, float *out, const float *sums,
                     const struct ff_column_sums *found)
{
    const struct ff_layer *layer = &dense->layer;
    const struct ff_column_kernels *columns = layer->kernels->columns;
    const struct ff_column_scale scale = scale_at(dense, panel);

    (layer->config.activation == FF_RELU ? columns->relu : columns->tanh)(out, layer->units, sums, layer->units,
                                                                          &scale, found, 1, panel.count);
}

/* One row's squares, group by group. Returns all of them. */
static float sum_squares(const struct ff_dense *dense, uint32_t row, struct ff_panel panel, float *squares,
                         float *partial)
{
    const struct ff_layer *layer = &dense->layer;
    uint32_t groups = layer->plan->groups, end = panel.begin + panel.count;
    float whole = 0;

    memset(partial, 0, groups * sizeof *partial);
    for (uint32_t unit = 0; unit < panel.count; unit++)
        whole += squares[unit];
    ff_layer_mask_units(layer, row, panel.begin, panel.count, squares);
    for (uint32_t unit = panel.begin, next; unit < end; unit = next) {
        float *sum = &partial[unit / (layer->units / groups)];

        next = ff_dense_group_end(layer, unit, end);
        for (uint32_t i = unit; i < next; i++)
            *sum += squares[i - panel.begin];
    }
    return whole;
}

void ff_dense_finish_normalized(struct ff_dense *dense, size_t item, struct ff_panel panel, size_t stride)
{
    struct ff_layer *layer = &dense->layer;
    const struct ff_plan *plan = layer->plan;
    bool trains = layer->message->kind == FF_TRAIN;
    float *sums = ff_dense_normalized_product(dense, panel);

    add_labels(dense, panel, sums, stride);
    if (trains)
        find_batch(dense, panel, sums);
    ff_normalization_use(&dense->normalization, trains, panel.begin, panel.count);
    for (uint32_t row = 0; row < layer->message->rows; row++) {
        size_t place = item * plan->max_rows + row;
        float squares[FF_PANEL_MAX] = {0};

        activate(dense, panel, ff_dense_activities(layer, row, panel), sums + (size_t)row * layer->units,
                 &(struct ff_column_sums){squares, NULL, NULL});
        layer->whole[place] = sum_squares(dense, row, panel, squares, layer->partial + place * plan->groups);
    }
}

/* dloss / d(sum of squares) of a row, unit by unit. */
static void coefficients(const struct ff_layer *layer, uint32_t row, struct ff_panel panel, float *coefficient)
{
    uint32_t groups = layer->plan->groups;

    for (uint32_t unit = panel.begin; unit < panel.begin + panel.count; unit++)
        coefficient[unit - panel.begin] = layer->coefficient[(size_t)row * groups + unit / (layer->units / groups)];
    ff_layer_mask_units(layer, row, panel.begin, panel.count, coefficient);
}

void ff_dense_weigh_normalized(struct ff_dense *dense, struct ff_panel panel, struct ff_dense_scratch scratch)
{
    struct ff_layer *layer = &dense->layer;
    uint32_t rows = ff_message_labelled(layer->message);
    float *pull = dense->normalization.pull + panel.begin, *tilt = dense->normalization.tilt + panel.begin;

    memset(pull, 0, panel.count * sizeof *pull);
    memset(tilt, 0, panel.count * sizeof *tilt);
    for (uint32_t row = 0; row < rows; row++) {
        float coefficient[FF_PANEL_MAX], squares[FF_PANEL_MAX] = {0}, slopes[FF_PANEL_MAX] = {0},
                                         tilts[FF_PANEL_MAX] = {0};

        coefficients(layer, row, panel, coefficient);
        activate(dense, panel, scratch.row, dense->sums + (size_t)row * layer->units + panel.begin,
                 &(struct ff_column_sums){squares, slopes, tilts});
        layer->kernels->multiply(slopes, coefficient, panel.count);
        layer->kernels->multiply(tilts, coefficient, panel.count);
        layer->kernels->add(pull, slopes, panel.count);
        layer->kernels->add(tilt, tilts, panel.count);
    }
    layer->kernels->scale(pull, 1 / (float)rows, panel.count);
    layer->kernels->scale(tilt, 1 / (float)rows, panel.count);
    ff_normalization_learn(&dense->normalization, rows, panel.begin, panel.count);
}

void ff_dense_normalized_delta(const struct ff_dense *dense, float *delta, uint32_t row, struct ff_panel panel)
{
    const struct ff_layer *layer = &dense->layer;
    const struct ff_column_kernels *columns = layer->kernels->columns;
    const struct ff_column_scale scale = scale_at(dense, panel);
    float coefficient[FF_PANEL_MAX];
    const struct ff_column_gradient gradient = {coefficient, dense->normalization.pull + panel.begin,
                                                dense->normalization.tilt + panel.begin};

    coefficients(layer, row, panel, coefficient);
    (layer->config.activation == FF_RELU ? columns->relu_gradient : columns->tanh_gradient)(
        delta, layer->units, dense->sums + (size_t)row * layer->units + panel.begin, layer->units, &scale,
        &gradient, 1, panel.count);
}
