#include "dense_internal.h"

#include <string.h>

/* The inputs at hand, [1 or 2][inputs], and how many. */
static const float *pair_inputs(const struct ff_dense *dense, uint32_t *count)
{
    *count = dense->first ? ff_dense_image_width(dense) : dense->layer.inputs;
    return dense->first ? ff_dense_image(dense, 0) : dense->layer.message->x;
}

/* The inputs of a step, row by row of the pair; none, and so zeros everywhere, when NULL. */
struct inputs {
    const float *x[2];
    size_t step;
};

static struct inputs inputs_of(const struct ff_dense *dense, const float *x, uint32_t count)
{
    static const float zero;

    if (x == NULL)
        return (struct inputs){{&zero, &zero}, 0};
    return (struct inputs){{x, dense->first ? x : x + count}, 1};
}

/* The rows of W that a pass has to do with: those whose inputs are not all zero (four fifths of MNIST's pixels
 * are); with weight decay all, for it takes from every weight. `now` NULL: only the step that is due. */
static void list_rows(struct ff_dense *dense, const float *now, uint32_t inputs)
{
    uint32_t *index = (uint32_t *)(void *)dense->rows_memory;
    float *x0 = dense->rows_memory + inputs, *x1 = x0 + inputs, *y0 = x1 + inputs, *y1 = y0 + inputs;
    struct inputs due = inputs_of(dense, dense->layer.due ? dense->x_due : NULL, inputs),
                  at_hand = inputs_of(dense, now, inputs);
    bool all = dense->layer.due && dense->keep_due != 1;
    size_t count = 0;

    for (uint32_t k = 0; k < inputs; k++) {
        index[count] = k;
        count += all || due.x[0][k * due.step] != 0 || due.x[1][k * due.step] != 0 ||
                 at_hand.x[0][k * at_hand.step] != 0 || at_hand.x[1][k * at_hand.step] != 0;
    }
    for (size_t i = 0; i < count; i++) {
        x0[i] = due.x[0][index[i] * due.step];
        x1[i] = due.x[1][index[i] * due.step];
        y0[i] = at_hand.x[0][index[i] * at_hand.step];
        y1[i] = at_hand.x[1][index[i] * at_hand.step];
        index[i] += dense->image_row;
    }
    dense->rows = (struct ff_rows){count, index, x0, x1, y0, y1};
}

void ff_dense_prepare_pair(struct ff_layer *layer)
{
    struct ff_dense *dense = (struct ff_dense *)layer;
    uint32_t inputs;
    const float *x0 = pair_inputs(dense, &inputs), *x1 = dense->first ? x0 : x0 + inputs;

    if (!layer->puts_off)
        return;
    list_rows(dense, x0, inputs);
    dense->overlap[0] = layer->kernels->dot(x0, x0, inputs);
    dense->overlap[1] = layer->kernels->dot(x0, x1, inputs);
    dense->overlap[2] = layer->kernels->dot(x1, x1, inputs);
}

/* Row `row`'s product at the panel; the rows of layer 0 share their image's. */
static float *product_at(struct ff_dense *dense, uint32_t row, struct ff_panel panel)
{
    return dense->product + (dense->first ? 0 : (size_t)row * ff_dense_padded_units(dense)) + panel.begin;
}

/* The step that is due, at a panel. */
static struct ff_due due_at(const struct ff_dense *dense, struct ff_panel panel)
{
    const float *d0 = dense->d_due + panel.begin;

    return (struct ff_due){dense->keep_due, d0, dense->first ? NULL : d0 + ff_dense_padded_units(dense)};
}

void ff_dense_forward_pair(struct ff_dense *dense, size_t item, struct ff_panel panel)
{
    struct ff_layer *layer = &dense->layer;
    float *z0 = product_at(dense, 0, panel), *z1 = dense->first ? NULL : product_at(dense, 1, panel);
    struct ff_due due = due_at(dense, panel);

    memset(z0, 0, dense->layer.panel * sizeof *z0);
    if (z1 != NULL)
        memset(z1, 0, dense->layer.panel * sizeof *z1);
    layer->kernels->pass_rows(&dense->rows, ff_dense_weights(dense, 0, panel), dense->layer.panel,
                              layer->due ? &due : NULL, z0, z1, dense->layer.panel);
    if (layer->meets)
        ff_dense_score_labels(dense, item, panel, z0, 0, ff_dense_activities(layer, 0, panel));
    else
        ff_dense_finish_pair(dense, item, panel);
}

void ff_dense_finish_pair(struct ff_dense *dense, size_t item, struct ff_panel panel)
{
    ff_dense_finish_rows(dense, item, panel, product_at(dense, 0, panel), ff_dense_padded_units(dense));
}

void ff_dense_catch_up(struct ff_layer *layer)
{
    struct ff_dense *dense = (struct ff_dense *)layer;

    list_rows(dense, NULL, dense->first ? ff_dense_image_width(dense) : layer->inputs);
    for (size_t item = 0; item < dense->layer.panels; item++) {
        struct ff_panel panel = ff_panel_at(layer, item);
        struct ff_due due = due_at(dense, panel);

        layer->kernels->pass_rows(&dense->rows, ff_dense_weights(dense, 0, panel), dense->layer.panel, &due, NULL,
                                  NULL, dense->layer.panel);
    }
}

/* One row of weights meets x0 and x1: a label's, the bias (whose input is 1), or, see step_product, no weights. */
static void step_row(struct ff_dense *dense, float *row, float keep, float x0, float x1, const float *d0,
                     const float *d1)
{
    const uint32_t index = 0;

    dense->layer.kernels->pass_rows(&(struct ff_rows){1, &index, &x0, &x1, NULL, NULL}, row, 0,
                                    &(struct ff_due){keep, d0, d1}, NULL, NULL, dense->layer.panel);
}

/* The labels' rows of W, and the bias. A label that is not shown only decays. */
static void step_labels_and_bias(struct ff_dense *dense, struct ff_panel panel, const float *d0, const float *d1)
{
    const struct ff_layer *layer = &dense->layer;
    float label_scale = (float)layer->config.label_scale, keep = layer->update.keep;

    for (uint32_t label = 0; dense->first && label < layer->plan->labels; label++) {
        float x0 = layer->message->label[0] == label ? label_scale : 0,
              x1 = layer->message->label[1] == label ? label_scale : 0;

        if (x0 != 0 || x1 != 0 || keep != 1)
            step_row(dense, ff_dense_weights(dense, label, panel), keep, x0, x1, d0, d1);
    }
    if (dense->layer.trains_bias)
        step_row(dense, dense->layer.bias + panel.begin, 1, 1, 1, d0, d1);
}

/* The step of one pair is put off. What it makes of row `row`'s product is known without the weights: it takes
 * x0 d0 + x1 d1 from them, and so (x . x0) d0 + (x . x1) d1 from x W. */
void ff_dense_step_pair(struct ff_dense *dense, size_t item, struct ff_panel panel, bool again)
{
    struct ff_layer *layer = &dense->layer;
    float *d0 = dense->d_due + panel.begin, *d1 = d0 + ff_dense_padded_units(dense), keep = layer->update.keep;
    const float *overlap = dense->overlap;

    ff_dense_delta(layer, d0, 0, panel);
    ff_dense_delta(layer, d1, 1, panel);
    layer->kernels->scale(d0, layer->update.rate, panel.count);
    layer->kernels->scale(d1, layer->update.rate, panel.count);
    step_labels_and_bias(dense, panel, d0, d1);
    if (dense->first) { /* both rows show one image */
        layer->kernels->add(d0, d1, panel.count);
        d1 = NULL;
    }
    if (!again)
        return;
    step_row(dense, product_at(dense, 0, panel), keep, overlap[0], overlap[1], d0, d1);
    if (!dense->first)
        step_row(dense, product_at(dense, 1, panel), keep, overlap[1], overlap[2], d0, d1);
    ff_dense_finish_pair(dense, item, panel);
}

/* What the step that was put off will need: the message goes on. */
void ff_dense_put_off(struct ff_layer *layer)
{
    struct ff_dense *dense = (struct ff_dense *)layer;
    uint32_t inputs;
    const float *x = pair_inputs(dense, &inputs);

    memcpy(dense->x_due, x, (dense->first ? 1 : 2) * (size_t)inputs * sizeof *x);
    dense->keep_due = layer->update.keep;
}

bool ff_dense_create_pair_memory(struct ff_dense *dense)
{
    size_t inputs = dense->layer.inputs, units = ff_dense_padded_units(dense);

    if (dense->layer.config.optimizer != FF_SGD)
        return true;
    dense->rows_memory = ff_floats(5 * inputs);
    dense->product = ff_floats(2 * units);
    dense->x_due = ff_floats(2 * inputs);
    dense->d_due = ff_floats(2 * units);
    if (!dense->rows_memory || !dense->product || !dense->x_due || !dense->d_due)
        return false;
    memset(dense->d_due, 0, 2 * units * sizeof *dense->d_due); /* where the last panel is filled up it stays so */
    return true;
}
