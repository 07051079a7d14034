#include "dense_internal.h"

#include <cblas.h>
#include <string.h>

/* The products of `count` inputs from `first` on, at a panel: `apart` rows from one to the next. */
static void multiply_rows(struct ff_dense *dense, struct ff_panel panel, uint32_t first, uint32_t count,
                          float *product, uint32_t apart)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)count, (int)panel.count,
                (int)ff_dense_input_width(dense), 1, ff_dense_inputs(dense, first),
                (int)ff_dense_input_stride(dense), ff_dense_forward_weights(dense, dense->image_row, panel),
                (int)dense->layer.panel, 0, product, (int)(dense->layer.units * apart));
}

/* The products go into `product`, where they are shared to their image's first row; the activities are made from
 * the last row backwards. */
static void multiply(struct ff_dense *dense, struct ff_panel panel, float *product)
{
    const struct ff_layer *layer = &dense->layer;
    const struct ff_message *message = layer->message;
    uint32_t labelled = ff_message_labelled(message);

    if (dense->shares) {
        multiply_rows(dense, panel, 0, message->images, product, message->rows_per_image);
        return;
    }
    /* Neutral rows apart: with them the others have the same bits as without. */
    multiply_rows(dense, panel, 0, labelled, product, 1);
    if (message->neutral > 0)
        multiply_rows(dense, panel, labelled, message->neutral, product + (size_t)labelled * layer->units, 1);
}

void ff_dense_forward_batch(struct ff_dense *dense, size_t item, struct ff_panel panel,
                            struct ff_dense_scratch scratch)
{
    struct ff_layer *layer = &dense->layer;
    bool normalized = layer->config.batch_normalization;
    float *product = normalized ? ff_dense_normalized_product(dense, panel) : ff_dense_activities(layer, 0, panel);
    size_t stride = (size_t)layer->units * (dense->shares ? layer->message->rows_per_image : 1);

    multiply(dense, panel, product);
    if (normalized)
        ff_dense_finish_normalized(dense, item, panel, stride);
    else if (layer->meets)
        ff_dense_score_labels(dense, item, panel, product, stride, scratch.row);
    else
        ff_dense_finish_rows(dense, item, panel, product, stride);
}

void ff_dense_finish_batch(struct ff_dense *dense, size_t item, struct ff_panel panel)
{
    const struct ff_layer *layer = &dense->layer;

    ff_dense_finish_rows(dense, item, panel, ff_dense_activities(layer, 0, panel),
                         (size_t)layer->units * layer->message->rows_per_image);
}

/* Layer 0: deltas summed per image, and per label (times the label's value), in the order of the rows. */
static void first_deltas(struct ff_dense *dense, struct ff_panel panel, struct ff_dense_scratch scratch)
{
    struct ff_layer *layer = &dense->layer;
    const struct ff_message *message = layer->message;
    float label_scale = (float)layer->config.label_scale;

    memset(scratch.rows, 0, (size_t)message->images * panel.count * sizeof *scratch.rows);
    memset(scratch.labels, 0, (size_t)layer->plan->labels * panel.count * sizeof *scratch.labels);
    for (uint32_t row = 0; row < ff_message_labelled(message); row++) {
        size_t image = row / message->rows_per_image;

        ff_dense_delta(layer, scratch.row2, row, panel);
        layer->kernels->add(scratch.rows + image * panel.count, scratch.row2, panel.count);
        if (layer->plan->labels > 0)
            layer->kernels->add_scaled(scratch.labels + (size_t)message->label[row] * panel.count, scratch.row2,
                                       label_scale, panel.count);
    }
}

/* Every row's delta ([images or rows][panel.count] into scratch.rows), and their sum, the bias's gradient, into
 * scratch.row. */
static uint32_t make_deltas(struct ff_dense *dense, struct ff_panel panel, struct ff_dense_scratch scratch)
{
    struct ff_layer *layer = &dense->layer;
    uint32_t rows = dense->shares ? layer->message->images : ff_message_labelled(layer->message);

    if (dense->shares)
        first_deltas(dense, panel, scratch);
    memset(scratch.row, 0, panel.count * sizeof *scratch.row);
    for (uint32_t row = 0; row < rows; row++) {
        float *delta = scratch.rows + (size_t)row * panel.count;

        if (!dense->shares)
            ff_dense_delta(layer, delta, row, panel);
        layer->kernels->add(scratch.row, delta, panel.count);
    }
    return rows;
}

void ff_dense_step_batch(struct ff_dense *dense, struct ff_panel panel, struct ff_dense_scratch scratch)
{
    struct ff_layer *layer = &dense->layer;
    uint32_t inputs = ff_dense_input_width(dense), rows;
    const float *x = ff_dense_inputs(dense, 0);
    int stride = (int)ff_dense_input_stride(dense), count = (int)panel.count;

    if (layer->config.batch_normalization)
        ff_dense_weigh_normalized(dense, panel, scratch);
    rows = make_deltas(dense, panel, scratch);
    for (uint32_t from = 0; from < inputs; from += FF_PANEL_BLOCK) {
        uint32_t height = inputs - from < FF_PANEL_BLOCK ? inputs - from : FF_PANEL_BLOCK;

        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)height, count, (int)rows, 1, x + from, stride,
                    scratch.rows, count, 0, scratch.block, count);
        ff_panel_step(layer, panel, dense->image_row + from, height, scratch.block);
    }
    if (dense->first && layer->plan->labels > 0)
        ff_panel_step(layer, panel, 0, layer->plan->labels, scratch.labels);
    ff_panel_step_bias(layer, panel, scratch.row);
}
