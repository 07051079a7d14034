#include "dense.h"

#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "optimizer.h"
#include "random.h"

enum {
    PANEL_MAX = 256,   /* units of a panel: its slice of a batch and of the weights stay in a core's cache */
    PANEL_SPLIT = 128, /* from so many units on there are at least two panels */
    BLOCK = 256        /* inputs whose gradient is made at once, before the optimizer takes it */
};

struct ff_dense {
    struct ff_layer layer;
    uint32_t panel, panels; /* units of a panel (the last may be narrower), and how many */
    bool first;             /* layer 0: its rows share images, labels are rows of W */
    uint32_t image_row;     /* layer 0: the row of W that an image's first used pixel meets */
    float *weights, *bias, *weight_state[2], *bias_state[2];
    bool train_bias; /* else the bias stays 0 and is no tensor */

    /* sgd with one pair a step: the step is put off until the next pair comes, so that one pass over the weights
     * serves both. */
    struct ff_rows rows;            /* of W, that meet an input that is not zero, now or in the step that is due */
    float overlap[3];               /* of the inputs at hand: x0 . x0, x0 . x1, x1 . x1 */
    float *rows_memory;             /* [5][inputs] */
    float *product;                 /* [2][panels][panel], layer 0 [1]…: x W before the step */
    float keep_due, *x_due, *d_due; /* the step: [2][inputs], layer 0 [1]…; [2][panels][panel] */
};

/* Units [begin, begin + count) of an item. */
struct panel {
    uint32_t begin, count;
};

/* A worker's scratch, cut into what an item needs. */
struct scratch {
    float *rows;   /* [max_rows], layer 0 [max_images], by the panel: the images' products, or the deltas */
    float *block;  /* [BLOCK][panel] gradient of some inputs' weights */
    float *labels; /* layer 0: [classes][panel] gradient of the labels' weights */
    float *row;    /* [panel] */
    float *row2;   /* [panel] */
};

static size_t scratch_rows(const struct ff_dense *dense)
{
    const struct ff_plan *plan = dense->layer.plan;

    return dense->first ? plan->max_images : plan->max_rows;
}

size_t ff_dense_scratch(const struct ff_layer *layer)
{
    const struct ff_dense *dense = (const struct ff_dense *)layer;
    size_t labels = dense->first ? layer->plan->classes : 0;

    return (scratch_rows(dense) + BLOCK + labels + 2) * dense->panel;
}

static struct scratch cut_scratch(const struct ff_dense *dense, float *memory)
{
    struct scratch scratch = {.rows = memory};

    scratch.block = scratch.rows + scratch_rows(dense) * dense->panel;
    scratch.labels = scratch.block + (size_t)BLOCK * dense->panel;
    scratch.row = scratch.labels + (dense->first ? (size_t)dense->layer.plan->classes * dense->panel : 0);
    scratch.row2 = scratch.row + dense->panel;
    return scratch;
}

/* One image's pair and sgd: passes over the weights are what costs, and they can be fused. A short last batch may
 * be such a message too. */
static bool is_one_pair(const struct ff_layer *layer, const struct ff_message *message)
{
    return message->kind == FF_TRAIN && message->images == 1 && message->rows == 2 &&
           layer->config.optimizer == FF_SGD;
}

static size_t items(const struct ff_layer *layer, const struct ff_message *message)
{
    const struct ff_dense *dense = (const struct ff_dense *)layer;

    (void)message;
    return dense->panels;
}

static struct panel panel_of(const struct ff_dense *dense, size_t item)
{
    uint32_t units = dense->layer.units, width = dense->panel;
    struct panel panel = {(uint32_t)item * width, width};

    if (panel.begin + panel.count > units)
        panel.count = units - panel.begin;
    return panel;
}

/* --- forward --- */

static float activate(const struct ff_layer *layer, float *out, const float *in, const float *bias,
                      const float *label, size_t n)
{
    float label_scale = (float)layer->config.label_scale;

    return layer->config.activation == FF_RELU ? layer->kernels->relu(out, in, bias, label, label_scale, n)
                                               : layer->kernels->tanh(out, in, bias, label, label_scale, n);
}

/* Row `row` of the activities, at the panel. */
static float *activities_at(const struct ff_layer *layer, uint32_t row, struct panel panel)
{
    return layer->workspace->spare + (size_t)row * layer->units + panel.begin;
}

/* A panel's weights, or a state of theirs: [inputs][dense->panel], one after the other, so that two threads never
 * write to one cache line and a pass over a panel is a pass over memory. */
static float *panel_at(const struct ff_dense *dense, float *tensor, struct panel panel)
{
    return tensor + (size_t)panel.begin * dense->layer.inputs;
}

static float *weights_at(const struct ff_dense *dense, uint32_t input, struct panel panel)
{
    return panel_at(dense, dense->weights, panel) + (size_t)input * dense->panel;
}

static const float *label_weights(const struct ff_dense *dense, uint32_t row, struct panel panel)
{
    return dense->first ? weights_at(dense, dense->layer.message->label[row], panel) : NULL;
}

/* Bias, label and activation of every row; `product` [images or rows][stride] is the product so far. */
static void finish_rows(struct ff_dense *dense, size_t item, struct panel panel, const float *product,
                        size_t stride)
{
    struct ff_layer *layer = &dense->layer;
    float *partial = layer->partial + item * layer->plan->max_rows;

    for (uint32_t row = 0; row < layer->message->rows; row++) {
        size_t from = dense->first ? row / layer->message->rows_per_image : row;

        partial[row] = activate(layer, activities_at(layer, row, panel), product + from * stride,
                                dense->bias + panel.begin, label_weights(dense, row, panel), panel.count);
    }
}

/* What of an image is multiplied, and by which rows of W: all pixels, or those that no label covers. */
static const float *image_at(const struct ff_dense *dense, uint32_t image)
{
    const struct ff_plan *plan = dense->layer.plan;

    return dense->layer.message->x + (size_t)image * plan->pixels + plan->covered_pixels;
}

static uint32_t image_width(const struct ff_dense *dense)
{
    return dense->layer.plan->pixels - dense->layer.plan->covered_pixels;
}

static void forward_batch(struct ff_dense *dense, size_t item, struct panel panel, struct scratch scratch)
{
    struct ff_layer *layer = &dense->layer;
    const struct ff_message *message = layer->message;
    const float *weights = weights_at(dense, dense->image_row, panel);
    int stride = (int)dense->panel, units = (int)layer->units, count = (int)panel.count;

    if (dense->first) {
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)message->images, count, (int)image_width(dense),
                    1, image_at(dense, 0), (int)layer->plan->pixels, weights, stride, 0, scratch.rows, count);
        finish_rows(dense, item, panel, scratch.rows, panel.count);
    } else {
        float *activities = activities_at(layer, 0, panel);

        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)message->rows, count, (int)layer->inputs, 1,
                    message->x, (int)layer->inputs, weights, stride, 0, activities, units);
        finish_rows(dense, item, panel, activities, layer->units);
    }
}

/* The inputs at hand, [1 or 2][inputs], and how many. */
static const float *pair_inputs(const struct ff_dense *dense, uint32_t *count)
{
    *count = dense->first ? image_width(dense) : dense->layer.inputs;
    return dense->first ? image_at(dense, 0) : dense->layer.message->x;
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

static void prepare(struct ff_layer *layer)
{
    struct ff_dense *dense = (struct ff_dense *)layer;
    uint32_t inputs;
    const float *x0 = pair_inputs(dense, &inputs), *x1 = dense->first ? x0 : x0 + inputs;

    layer->puts_off = is_one_pair(layer, layer->message);
    if (!layer->puts_off)
        return;
    list_rows(dense, x0, inputs);
    dense->overlap[0] = layer->kernels->dot(x0, x0, inputs);
    dense->overlap[1] = layer->kernels->dot(x0, x1, inputs);
    dense->overlap[2] = layer->kernels->dot(x1, x1, inputs);
}

static size_t padded_units(const struct ff_dense *dense)
{
    return (size_t)dense->panels * dense->panel;
}

/* Row `row`'s product at the panel; the rows of layer 0 share their image's. */
static float *product_at(struct ff_dense *dense, uint32_t row, struct panel panel)
{
    return dense->product + (dense->first ? 0 : (size_t)row * padded_units(dense)) + panel.begin;
}

/* The step that is due, at a panel. */
static struct ff_due due_at(const struct ff_dense *dense, struct panel panel)
{
    const float *d0 = dense->d_due + panel.begin;

    return (struct ff_due){dense->keep_due, d0, dense->first ? NULL : d0 + padded_units(dense)};
}

static void forward_pair(struct ff_dense *dense, size_t item, struct panel panel)
{
    struct ff_layer *layer = &dense->layer;
    float *z0 = product_at(dense, 0, panel), *z1 = dense->first ? NULL : product_at(dense, 1, panel);
    struct ff_due due = due_at(dense, panel);

    memset(z0, 0, dense->panel * sizeof *z0);
    if (z1 != NULL)
        memset(z1, 0, dense->panel * sizeof *z1);
    layer->kernels->pass_rows(&dense->rows, weights_at(dense, 0, panel), dense->panel, layer->due ? &due : NULL, z0,
                              z1, dense->panel);
    finish_rows(dense, item, panel, z0, padded_units(dense));
}

static void catch_up(struct ff_layer *layer)
{
    struct ff_dense *dense = (struct ff_dense *)layer;

    list_rows(dense, NULL, dense->first ? image_width(dense) : layer->inputs);
    for (size_t item = 0; item < dense->panels; item++) {
        struct panel panel = panel_of(dense, item);
        struct ff_due due = due_at(dense, panel);

        layer->kernels->pass_rows(&dense->rows, weights_at(dense, 0, panel), dense->panel, &due, NULL, NULL,
                                  dense->panel);
    }
}

static void forward(struct ff_layer *layer, size_t item, unsigned worker)
{
    struct ff_dense *dense = (struct ff_dense *)layer;
    struct panel panel = panel_of(dense, item);

    if (layer->puts_off)
        forward_pair(dense, item, panel);
    else
        forward_batch(dense, item, panel, cut_scratch(dense, layer->workspace->scratch[worker]));
}

/* --- the step --- */

static void delta_of(const struct ff_layer *layer, float *delta, uint32_t row, struct panel panel)
{
    const float *activities = activities_at(layer, row, panel);

    if (layer->config.activation == FF_RELU)
        layer->kernels->relu_delta(delta, activities, layer->coefficient[row], panel.count);
    else
        layer->kernels->tanh_delta(delta, activities, layer->coefficient[row], panel.count);
}

/* Update `count` rows of the weights from row `from` on, at the panel, with gradient [count][panel.count]. */
static void apply_rows(struct ff_dense *dense, uint32_t from, uint32_t count, struct panel panel,
                       const float *gradient)
{
    struct ff_layer *layer = &dense->layer;
    enum ff_optimizer_id optimizer = layer->config.optimizer;

    uint32_t together = panel.count == dense->panel ? count : 1; /* a narrower panel's rows lie apart */

    for (uint32_t k = 0; k < count; k += together) {
        size_t at = (size_t)(from + k) * dense->panel;
        float *state[2];

        for (unsigned i = 0; i < 2; i++)
            state[i] = dense->weight_state[i] ? panel_at(dense, dense->weight_state[i], panel) + at : NULL;
        ff_optimizer_apply(optimizer, layer->kernels, &layer->update, weights_at(dense, from + k, panel), state,
                           gradient + (size_t)k * panel.count, (size_t)together * panel.count);
    }
}

static void apply_bias(struct ff_dense *dense, struct panel panel, const float *gradient)
{
    struct ff_layer *layer = &dense->layer;
    float *state[2] = {dense->bias_state[0] ? dense->bias_state[0] + panel.begin : NULL,
                       dense->bias_state[1] ? dense->bias_state[1] + panel.begin : NULL};

    if (dense->train_bias)
        ff_optimizer_apply(layer->config.optimizer, layer->kernels, &layer->bias_update, dense->bias + panel.begin,
                           state, gradient, panel.count);
}

/* Layer 0: deltas summed per image, and per label (times the label's value), in the order of the rows. */
static void first_deltas(struct ff_dense *dense, struct panel panel, struct scratch scratch)
{
    struct ff_layer *layer = &dense->layer;
    const struct ff_message *message = layer->message;
    float label_scale = (float)layer->config.label_scale;

    memset(scratch.rows, 0, (size_t)message->images * panel.count * sizeof *scratch.rows);
    memset(scratch.labels, 0, (size_t)layer->plan->classes * panel.count * sizeof *scratch.labels);
    for (uint32_t row = 0; row < message->rows; row++) {
        size_t image = row / message->rows_per_image;

        delta_of(layer, scratch.row2, row, panel);
        layer->kernels->add(scratch.rows + image * panel.count, scratch.row2, panel.count);
        layer->kernels->add_scaled(scratch.labels + (size_t)message->label[row] * panel.count, scratch.row2,
                                   label_scale, panel.count);
    }
}

/* Every row's delta ([images or rows][panel.count] into scratch.rows), and their sum, the bias's gradient, into
 * scratch.row. */
static uint32_t make_deltas(struct ff_dense *dense, struct panel panel, struct scratch scratch)
{
    struct ff_layer *layer = &dense->layer;
    uint32_t rows = dense->first ? layer->message->images : layer->message->rows;

    if (dense->first)
        first_deltas(dense, panel, scratch);
    memset(scratch.row, 0, panel.count * sizeof *scratch.row);
    for (uint32_t row = 0; row < rows; row++) {
        float *delta = scratch.rows + (size_t)row * panel.count;

        if (!dense->first)
            delta_of(layer, delta, row, panel);
        layer->kernels->add(scratch.row, delta, panel.count);
    }
    return rows;
}

/* The weights' gradient, block by block of inputs, each given to the optimizer while it is in cache. */
static void step_batch(struct ff_dense *dense, struct panel panel, struct scratch scratch)
{
    struct ff_layer *layer = &dense->layer;
    uint32_t rows = make_deltas(dense, panel, scratch);
    uint32_t inputs = dense->first ? image_width(dense) : layer->inputs;
    const float *x = dense->first ? image_at(dense, 0) : layer->message->x;
    int stride = dense->first ? (int)layer->plan->pixels : (int)layer->inputs, count = (int)panel.count;

    for (uint32_t from = 0; from < inputs; from += BLOCK) {
        uint32_t height = inputs - from < BLOCK ? inputs - from : BLOCK;

        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)height, count, (int)rows, 1, x + from, stride,
                    scratch.rows, count, 0, scratch.block, count);
        apply_rows(dense, dense->image_row + from, height, panel, scratch.block);
    }
    if (dense->first)
        apply_rows(dense, 0, layer->plan->classes, panel, scratch.labels);
    apply_bias(dense, panel, scratch.row);
}

/* One row of weights meets x0 and x1: a label's, the bias (whose input is 1), or, see step_product, no weights. */
static void step_row(struct ff_dense *dense, float *row, float keep, float x0, float x1, const float *d0,
                     const float *d1)
{
    const uint32_t index = 0;

    dense->layer.kernels->pass_rows(&(struct ff_rows){1, &index, &x0, &x1, NULL, NULL}, row, 0,
                                    &(struct ff_due){keep, d0, d1}, NULL, NULL, dense->panel);
}

/* The labels' rows of W, and the bias. A label that is not shown only decays. */
static void step_labels_and_bias(struct ff_dense *dense, struct panel panel, const float *d0, const float *d1)
{
    const struct ff_layer *layer = &dense->layer;
    float label_scale = (float)layer->config.label_scale, keep = layer->update.keep;

    for (uint32_t label = 0; dense->first && label < layer->plan->classes; label++) {
        float x0 = layer->message->label[0] == label ? label_scale : 0,
              x1 = layer->message->label[1] == label ? label_scale : 0;

        if (x0 != 0 || x1 != 0 || keep != 1)
            step_row(dense, weights_at(dense, label, panel), keep, x0, x1, d0, d1);
    }
    if (dense->train_bias)
        step_row(dense, dense->bias + panel.begin, 1, 1, 1, d0, d1);
}

/* The step of one pair is put off. What it makes of row `row`'s product is known without the weights: it takes
 * x0 d0 + x1 d1 from them, and so (x . x0) d0 + (x . x1) d1 from x W. */
static void step_pair(struct ff_dense *dense, size_t item, struct panel panel, bool again)
{
    struct ff_layer *layer = &dense->layer;
    float *d0 = dense->d_due + panel.begin, *d1 = d0 + padded_units(dense), keep = layer->update.keep;
    const float *overlap = dense->overlap;

    delta_of(layer, d0, 0, panel);
    delta_of(layer, d1, 1, panel);
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
    finish_rows(dense, item, panel, product_at(dense, 0, panel), padded_units(dense));
}

/* What the step that was put off will need: the message goes on. */
static void put_off(struct ff_layer *layer)
{
    struct ff_dense *dense = (struct ff_dense *)layer;
    uint32_t inputs;
    const float *x = pair_inputs(dense, &inputs);

    memcpy(dense->x_due, x, (dense->first ? 1 : 2) * (size_t)inputs * sizeof *x);
    dense->keep_due = layer->update.keep;
}

static void normalize_panel(struct ff_layer *layer, struct panel panel)
{
    for (uint32_t row = 0; row < layer->message->rows; row++)
        layer->kernels->scale(activities_at(layer, row, panel), layer->inverse_norm[row], panel.count);
}

static void normalize(struct ff_layer *layer, size_t item, unsigned worker)
{
    (void)worker;
    normalize_panel(layer, panel_of((struct ff_dense *)layer, item));
}

static void gradient(struct ff_layer *layer, size_t item, unsigned worker)
{
    struct ff_dense *dense = (struct ff_dense *)layer;
    const struct ff_config *config = &layer->config;
    struct panel panel = panel_of(dense, item);
    bool top = layer->index + 1 == layer->plan->layers, again = config->forward_after_update && !top;

    if (layer->puts_off) {
        step_pair(dense, item, panel, again);
    } else {
        step_batch(dense, panel, cut_scratch(dense, layer->workspace->scratch[worker]));
        if (again)
            forward(layer, item, worker);
    }
    if (!again && !top && config->normalize != FF_NORMALIZE_NONE)
        normalize_panel(layer, panel);
}

/* --- a layer's life --- */

static void destroy(struct ff_layer *layer)
{
    struct ff_dense *dense = (struct ff_dense *)layer;

    for (uint32_t i = 0; i < layer->tensor_count; i++)
        free(layer->tensors[i].data);
    if (!dense->train_bias)
        free(dense->bias);
    free(dense->rows_memory);
    free(dense->product);
    free(dense->x_due);
    free(dense->d_due);
    free(layer->partial);
    free(layer->coefficient);
    free(layer->inverse_norm);
    free(layer);
}

static const struct ff_layer_kind_methods methods = {.items = items,
                                                     .prepare = prepare,
                                                     .forward = forward,
                                                     .gradient = gradient,
                                                     .normalize = normalize,
                                                     .put_off = put_off,
                                                     .catch_up = catch_up,
                                                     .destroy = destroy};

uint32_t ff_dense_parameter_tensors(const struct ff_plan *plan, uint32_t layer)
{
    (void)layer;
    return plan->config.bias ? 2 : 1;
}

struct ff_tensor_form ff_dense_tensor(const struct ff_plan *plan, uint32_t layer, uint32_t tensor)
{
    uint32_t inputs = plan->layer[layer].inputs, units = plan->layer[layer].units;

    return tensor == 0 ? (struct ff_tensor_form){"weights", 2, inputs, units}
                       : (struct ff_tensor_form){"bias", 1, 1, units};
}

/* All tensors, of zeros. */
static bool add_tensors(struct ff_dense *dense)
{
    struct ff_layer *layer = &dense->layer;
    uint32_t count = ff_layer_tensors(layer->plan, layer->index);
    uint32_t parameters = ff_dense_parameter_tensors(layer->plan, layer->index);

    for (; layer->tensor_count < count; layer->tensor_count++) {
        struct ff_tensor *tensor = &layer->tensors[layer->tensor_count];

        tensor->form = ff_layer_tensor(layer->plan, layer->index, layer->tensor_count);
        tensor->panel = dense->panel;
        tensor->floats = (size_t)tensor->form.rows * padded_units(dense);
        if ((tensor->data = ff_floats(tensor->floats)) == NULL)
            return false;
        memset(tensor->data, 0, tensor->floats * sizeof(float));
    }
    dense->weights = layer->tensors[0].data;
    dense->bias = dense->train_bias ? layer->tensors[1].data : calloc(layer->units, sizeof(float));
    for (uint32_t state = 0; (state + 1) * parameters < count; state++) {
        dense->weight_state[state] = layer->tensors[(state + 1) * parameters].data;
        dense->bias_state[state] = dense->train_bias ? layer->tensors[(state + 1) * parameters + 1].data : NULL;
    }
    return dense->bias != NULL;
}

/* Row by row, since a number depends on its place in [inputs][units] alone. */
static bool initialize_weights(struct ff_dense *dense)
{
    struct ff_layer *layer = &dense->layer;
    const struct ff_config *config = &layer->config;
    double fan = config->init == FF_INIT_HE ? layer->inputs : (double)layer->inputs + layer->units;
    float *row;

    if (layer->plan->blank)
        return true;
    row = ff_floats(layer->units);
    for (uint32_t input = 0; row != NULL && input < layer->inputs; input++) {
        ff_random_normal(config->seed, FF_RANDOM_WEIGHTS, layer->index, (uint64_t)input * layer->units,
                         layer->units, config->init_gain * sqrt(2 / fan), row);
        ff_tensor_put(&layer->tensors[0], (uint64_t)input * layer->units, layer->units, row);
    }
    free(row);
    return row != NULL;
}

static void choose_panels(struct ff_dense *dense)
{
    uint32_t units = dense->layer.units, panels = (units + PANEL_MAX - 1) / PANEL_MAX;

    if (panels < 2 && units >= PANEL_SPLIT)
        panels = 2;
    dense->panel = ((units + panels - 1) / panels + 15) / 16 * 16;
    dense->panels = (units + dense->panel - 1) / dense->panel;
}

static bool create_pair_memory(struct ff_dense *dense)
{
    size_t inputs = dense->layer.inputs, units = padded_units(dense);

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

struct ff_layer *ff_dense_create(const struct ff_plan *plan, uint32_t index, struct ff_error *error)
{
    struct ff_dense *dense = calloc(1, sizeof *dense);
    struct ff_layer *layer = &dense->layer;

    if (dense == NULL) {
        ff_fail_memory(error, "a layer");
        return NULL;
    }
    layer->kind = &methods;
    layer->plan = plan;
    layer->config = plan->config;
    layer->kernels = ff_kernels();
    layer->index = index;
    layer->inputs = plan->layer[index].inputs;
    layer->units = plan->layer[index].units;
    layer->objective = ff_objective_of(&plan->config, index);
    dense->first = index == 0;
    dense->image_row = dense->first ? plan->classes : 0;
    dense->train_bias = plan->config.bias;
    choose_panels(dense);
    layer->partial = ff_floats((size_t)dense->panels * plan->max_rows);
    layer->coefficient = ff_floats(plan->max_rows);
    layer->inverse_norm = ff_floats(plan->max_rows);
    if (!create_pair_memory(dense) || !layer->partial || !layer->coefficient || !layer->inverse_norm ||
        !add_tensors(dense) || !initialize_weights(dense)) {
        ff_fail_memory(error, "a layer's weights");
        destroy(layer);
        return NULL;
    }
    return layer;
}
