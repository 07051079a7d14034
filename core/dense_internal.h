/* dense_internal.h - what the files of the dense layer share.
 *
 *     dense.c                 a layer's life, and what both ways of training have in common
 *     dense_batch.c           batches: matrix products of a panel, and the optimizer on its gradient
 *     dense_pair.c            one pair a step with sgd: passes over rows of weights
 *     dense_negatives.c       wrong labels that the first layer takes for true
 *     dense_normalization.c   batches whose units are normalized before the activation */
#ifndef FF_DENSE_INTERNAL_H
#define FF_DENSE_INTERNAL_H

#include "dense.h"
#include "normalization.h"
#include "panels.h"

struct ff_dense {
    struct ff_layer layer;
    bool first;         /* layer 0: labels are rows of W */
    bool shares;        /* layer 0, where the rows of an image share its pixels */
    uint32_t image_row; /* layer 0: the row of W that an image's first used pixel meets */

    struct ff_normalization normalization;
    float *sums; /* batch normalization: [train_rows][units] before the activation */

    double
        *label_goodness; /* hard negatives: [panels][max_images][classes] sums of squares; then [classes] scores */

    /* sgd with one pair a step: the step is put off until the next pair comes, so that one pass over the weights
     * serves both. */
    struct ff_rows rows;            /* of W, that meet an input that is not zero, now or in the step that is due */
    float overlap[3];               /* of the inputs at hand: x0 . x0, x0 . x1, x1 . x1 */
    float *rows_memory;             /* [5][inputs] */
    float *product;                 /* [2][panels][panel], layer 0 [1]…: x W before the step */
    float keep_due, *x_due, *d_due; /* the step: [2][inputs], layer 0 [1]…; [2][panels][panel] */
};

/* A worker's scratch, cut into what an item needs. */
struct ff_dense_scratch {
    float *rows;   /* [max_rows], where they share pixels [max_images], by the panel: the deltas */
    float *block;  /* [FF_PANEL_BLOCK][panel] gradient of some inputs' weights */
    float *labels; /* layer 0: [classes][panel] gradient of the labels' weights */
    float *row;    /* [panel] */
    float *row2;   /* [panel] */
};

/* --- dense.c --- */

static inline size_t ff_dense_padded_units(const struct ff_dense *dense)
{
    return (size_t)dense->layer.panels * dense->layer.panel;
}

/* Row `row` of the activities, at the panel. */
static inline float *ff_dense_activities(const struct ff_layer *layer, uint32_t row, struct ff_panel panel)
{
    return layer->workspace->spare + (size_t)row * layer->units + panel.begin;
}

/* A panel's weights from an input on. */
static inline float *ff_dense_weights(const struct ff_dense *dense, uint32_t input, struct ff_panel panel)
{
    return ff_panel_of(&dense->layer, dense->layer.weights, panel) + (size_t)input * dense->layer.panel;
}

/* The weights that the message at hand goes forward with: those in training, or their average. */
static inline const float *ff_dense_forward_weights(const struct ff_dense *dense, uint32_t input,
                                                    struct ff_panel panel)
{
    float *weights = dense->layer.message->kind == FF_TRAIN ? dense->layer.weights : dense->layer.average_weights;

    return ff_panel_of(&dense->layer, weights, panel) + (size_t)input * dense->layer.panel;
}

/* What of an image is multiplied, and by which rows of W: all pixels, or those that no label covers. Of layer 0
 * where rows have pixels of their own, and of all others, `image` is a row. */
static inline const float *ff_dense_image(const struct ff_dense *dense, uint32_t image)
{
    const struct ff_plan *plan = dense->layer.plan;

    return dense->layer.message->x + (size_t)image * plan->pixels + plan->covered_pixels;
}

static inline const float *ff_dense_inputs(const struct ff_dense *dense, uint32_t row)
{
    return dense->first ? ff_dense_image(dense, row) : dense->layer.message->x + (size_t)row * dense->layer.inputs;
}

/* Floats from one of them to the next; and how many are multiplied. */
static inline uint32_t ff_dense_input_stride(const struct ff_dense *dense)
{
    return dense->first ? dense->layer.plan->pixels : dense->layer.inputs;
}

static inline uint32_t ff_dense_image_width(const struct ff_dense *dense)
{
    return dense->layer.plan->pixels - dense->layer.plan->covered_pixels;
}

static inline uint32_t ff_dense_input_width(const struct ff_dense *dense)
{
    return dense->first ? ff_dense_image_width(dense) : dense->layer.inputs;
}

/* out = f(in + bias + label_scale label), label NULL: none; returns the sum of squares. All [n]. */
static inline float ff_dense_activate(const struct ff_layer *layer, float *out, const float *in, const float *bias,
                                      const float *label, size_t n)
{
    float label_scale = (float)layer->config.label_scale;

    return layer->config.activation == FF_RELU ? layer->kernels->relu(out, in, bias, label, label_scale, n)
                                               : layer->kernels->tanh(out, in, bias, label, label_scale, n);
}

struct ff_dense_scratch ff_dense_cut_scratch(const struct ff_dense *dense, float *memory);

/* Bias, label and activation of every row; `product` [images or rows][stride] is the product so far. */
void ff_dense_finish_rows(struct ff_dense *dense, size_t item, struct ff_panel panel, const float *product,
                          size_t stride);
/* dloss / dz of a row's units in the panel, from its activities and coefficient. */
void ff_dense_delta(const struct ff_layer *layer, float *delta, uint32_t row, struct ff_panel panel);

/* The end of the group that unit `unit` is in, at most `end`. */
uint32_t ff_dense_group_end(const struct ff_layer *layer, uint32_t unit, uint32_t end);
/* The mean of all labels' weights, for rows that show every label. */
void ff_dense_mean_label(const struct ff_dense *dense, struct ff_panel panel, float *mean);
/* The weights that a row's label meets, `mean` where it is every label; NULL where none is shown. */
const float *ff_dense_label_weights(const struct ff_dense *dense, uint32_t row, struct ff_panel panel,
                                    const float *mean);
/* --- dense_negatives.c --- */

bool ff_dense_create_label_goodness(struct ff_dense *dense); /* false: memory is short */
/* For every image and label what the sum of squares over the panel's units would be, `product` [images][stride];
 * `row` [panel] is written over. The activities come once the labels are drawn. */
void ff_dense_score_labels(struct ff_dense *dense, size_t item, struct ff_panel panel, const float *product,
                           size_t stride, float *row);
/* Every pair's wrong label is drawn from what the layer makes of the image at this moment. */
void ff_dense_meet(struct ff_layer *layer);

/* --- dense_normalization.c --- */

bool ff_dense_create_normalization(struct ff_dense *dense); /* false: memory is short */
void ff_dense_destroy_normalization(struct ff_dense *dense);
size_t ff_dense_kept(const struct ff_plan *plan, uint32_t layer);
/* Where the product of image or row 0 goes, at the panel. */
float *ff_dense_normalized_product(struct ff_dense *dense, struct ff_panel panel);
/* Label, the batch's mean and deviation, and activation of every row. `stride`: between the products. */
void ff_dense_finish_normalized(struct ff_dense *dense, size_t item, struct ff_panel panel, size_t stride);
/* Before the deltas: the gradient's way through the batch's own figures, and the running ones learn. */
void ff_dense_weigh_normalized(struct ff_dense *dense, struct ff_panel panel, struct ff_dense_scratch scratch);
void ff_dense_normalized_delta(const struct ff_dense *dense, float *delta, uint32_t row, struct ff_panel panel);

/* --- dense_batch.c --- */

void ff_dense_forward_batch(struct ff_dense *dense, size_t item, struct ff_panel panel,
                            struct ff_dense_scratch scratch);
void ff_dense_finish_batch(struct ff_dense *dense, size_t item, struct ff_panel panel);
/* The weights' gradient, block by block of inputs, each given to the optimizer while it is in cache. */
void ff_dense_step_batch(struct ff_dense *dense, struct ff_panel panel, struct ff_dense_scratch scratch);

/* --- dense_pair.c: see layer.h's methods --- */

bool ff_dense_create_pair_memory(struct ff_dense *dense); /* false: memory is short */
void ff_dense_prepare_pair(struct ff_layer *layer);
void ff_dense_forward_pair(struct ff_dense *dense, size_t item, struct ff_panel panel);
void ff_dense_finish_pair(struct ff_dense *dense, size_t item, struct ff_panel panel);
/* The step is put off; with `again` the activities are those with the new weights. */
void ff_dense_step_pair(struct ff_dense *dense, size_t item, struct ff_panel panel, bool again);
void ff_dense_put_off(struct ff_layer *layer);
void ff_dense_catch_up(struct ff_layer *layer);

#endif
