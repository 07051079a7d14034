#include "dense.h"

#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "optimizer.h"
#include "random.h"

enum {
    PANEL_MAX = 256,        /* units of a panel: its slice of a batch and of the weights stay in a core's cache */
    PANEL_SPLIT = 128,      /* from so many units on there are at least two panels */
    BLOCK = 256,            /* inputs whose gradient is made at once, before the optimizer takes it */
    WHOLE_WEIGHTS = 1 << 20 /* one image a step: layers with fewer weights are one item of work */
};

struct ff_dense {
    struct ff_layer layer;
    uint32_t panel, panels; /* units of a panel (the last may be narrower), and how many */
    bool first;             /* layer 0: its rows share images, labels are rows of W */
    uint32_t image_row;     /* layer 0: the row of W that an image's first used pixel meets */
    float *weights, *bias, *weight_state[2], *bias_state[2];
    bool train_bias; /* else the bias stays 0 and is no tensor */
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

static uint32_t item_width(const struct ff_dense *dense)
{
    const struct ff_layer *layer = &dense->layer;

    return (uint64_t)layer->inputs * layer->units < WHOLE_WEIGHTS ? layer->units : dense->panel;
}

static size_t scratch_rows(const struct ff_dense *dense)
{
    const struct ff_plan *plan = dense->layer.plan;

    return dense->first ? plan->max_images : plan->max_rows;
}

size_t ff_dense_scratch(const struct ff_layer *layer)
{
    const struct ff_dense *dense = (const struct ff_dense *)layer;
    size_t labels = dense->first ? layer->plan->classes : 0;
    size_t batch = (scratch_rows(dense) + BLOCK + labels + 2) * dense->panel,
           one = (size_t)item_width(dense) * 4 + (size_t)layer->inputs * 3;

    return batch > one ? batch : one;
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
           layer->plan->config.optimizer == FF_SGD;
}

static size_t items(const struct ff_layer *layer, const struct ff_message *message)
{
    const struct ff_dense *dense = (const struct ff_dense *)layer;

    return is_one_pair(layer, message) && item_width(dense) == layer->units ? 1 : dense->panels;
}

static struct panel panel_of(const struct ff_dense *dense, size_t item)
{
    uint32_t units = dense->layer.units, width = dense->panel;
    struct panel panel = {(uint32_t)item * width, width};

    if (is_one_pair(&dense->layer, dense->layer.message) && item_width(dense) == units)
        return (struct panel){0, units};
    if (panel.begin + panel.count > units)
        panel.count = units - panel.begin;
    return panel;
}

/* --- forward --- */

static float activate(const struct ff_layer *layer, float *out, const float *in, const float *bias,
                      const float *label, size_t n)
{
    float label_scale = (float)layer->plan->config.label_scale;

    return layer->plan->config.activation == FF_RELU ? layer->kernels->relu(out, in, bias, label, label_scale, n)
                                                     : layer->kernels->tanh(out, in, bias, label, label_scale, n);
}

/* Row `row` of the activities, at the panel. */
static float *activities_at(const struct ff_layer *layer, uint32_t row, struct panel panel)
{
    return layer->workspace->spare + (size_t)row * layer->units + panel.begin;
}

static const float *label_weights(const struct ff_dense *dense, uint32_t row, struct panel panel)
{
    if (!dense->first)
        return NULL;
    return dense->weights + (size_t)dense->layer.message->label[row] * dense->layer.units + panel.begin;
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
    const float *weights = dense->weights + (size_t)dense->image_row * layer->units + panel.begin;
    int units = (int)layer->units, count = (int)panel.count;

    if (dense->first) {
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)message->images, count, (int)image_width(dense),
                    1, image_at(dense, 0), (int)layer->plan->pixels, weights, units, 0, scratch.rows, count);
        finish_rows(dense, item, panel, scratch.rows, panel.count);
    } else {
        float *activities = activities_at(layer, 0, panel);

        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)message->rows, count, (int)layer->inputs, 1,
                    message->x, (int)layer->inputs, weights, units, 0, activities, units);
        finish_rows(dense, item, panel, activities, layer->units);
    }
}

/* The inputs of one pair that are not both zero (four fifths of MNIST's pixels are), with the rows of W they meet;
 * `all`: those too. `memory`: 3 floats an input. */
static struct ff_rows pair_rows(const struct ff_dense *dense, bool all, float *memory)
{
    const struct ff_layer *layer = &dense->layer;
    uint32_t inputs = dense->first ? image_width(dense) : layer->inputs, *index = (uint32_t *)(void *)memory;
    const float *x0 = dense->first ? image_at(dense, 0) : layer->message->x,
                *x1 = dense->first ? x0 : x0 + layer->inputs;
    float *to0 = memory + inputs, *to1 = to0 + inputs;
    size_t count = 0;

    for (uint32_t k = 0; k < inputs; k++) {
        index[count] = dense->image_row + k;
        to0[count] = x0[k];
        to1[count] = x1[k];
        count += all || x0[k] != 0 || x1[k] != 0;
    }
    return (struct ff_rows){count, index, to0, to1};
}

/* z of one pair without bias and label: [panel] for layer 0, whose rows share the image, else [2][panel]. */
static void multiply_pair(struct ff_dense *dense, struct panel panel, float *z, float *memory)
{
    struct ff_layer *layer = &dense->layer;
    struct ff_rows rows = pair_rows(dense, false, memory);

    memset(z, 0, (dense->first ? 1 : 2) * panel.count * sizeof *z);
    layer->kernels->multiply_rows(&rows, z, dense->first ? NULL : z + panel.count, dense->weights + panel.begin,
                                  layer->units, panel.count);
}

static void forward(struct ff_layer *layer, size_t item, unsigned worker)
{
    struct ff_dense *dense = (struct ff_dense *)layer;
    struct panel panel = panel_of(dense, item);
    float *memory = layer->workspace->scratch[worker];

    if (is_one_pair(layer, layer->message)) {
        multiply_pair(dense, panel, memory, memory + (size_t)4 * item_width(dense));
        finish_rows(dense, item, panel, memory, panel.count);
    } else {
        forward_batch(dense, item, panel, cut_scratch(dense, memory));
    }
}

/* --- the step --- */

static void delta_of(const struct ff_layer *layer, float *delta, uint32_t row, struct panel panel)
{
    const float *activities = activities_at(layer, row, panel);

    if (layer->plan->config.activation == FF_RELU)
        layer->kernels->relu_delta(delta, activities, layer->coefficient[row], panel.count);
    else
        layer->kernels->tanh_delta(delta, activities, layer->coefficient[row], panel.count);
}

/* Update `count` rows of the weights from row `from` on, at the panel, with gradient [count][panel.count]. */
static void apply_rows(struct ff_dense *dense, uint32_t from, uint32_t count, struct panel panel,
                       const float *gradient)
{
    struct ff_layer *layer = &dense->layer;
    enum ff_optimizer_id optimizer = layer->plan->config.optimizer;

    for (uint32_t k = 0; k < count; k++) {
        size_t at = (size_t)(from + k) * layer->units + panel.begin;
        float *state[2] = {dense->weight_state[0] ? dense->weight_state[0] + at : NULL,
                           dense->weight_state[1] ? dense->weight_state[1] + at : NULL};

        ff_optimizer_apply(optimizer, layer->kernels, &layer->update, dense->weights + at, state,
                           gradient + (size_t)k * panel.count, panel.count);
    }
}

static void apply_bias(struct ff_dense *dense, struct panel panel, const float *gradient)
{
    struct ff_layer *layer = &dense->layer;
    float *state[2] = {dense->bias_state[0] ? dense->bias_state[0] + panel.begin : NULL,
                       dense->bias_state[1] ? dense->bias_state[1] + panel.begin : NULL};

    if (dense->train_bias)
        ff_optimizer_apply(layer->plan->config.optimizer, layer->kernels, &layer->bias_update,
                           dense->bias + panel.begin, state, gradient, panel.count);
}

/* Layer 0: deltas summed per image, and per label (times the label's value), in the order of the rows. */
static void first_deltas(struct ff_dense *dense, struct panel panel, struct scratch scratch)
{
    struct ff_layer *layer = &dense->layer;
    const struct ff_message *message = layer->message;
    float label_scale = (float)layer->plan->config.label_scale;

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

/* The labels' rows of W, and the bias, which meets an input of 1. A label that is not shown only decays. */
static void update_labels_and_bias(struct ff_dense *dense, struct panel panel, const float *d0, const float *d1)
{
    struct ff_layer *layer = &dense->layer;
    const struct ff_kernels *kernels = layer->kernels;
    float label_scale = (float)layer->plan->config.label_scale, keep = layer->update.keep;

    for (uint32_t label = 0; dense->first && label < layer->plan->classes; label++) {
        float x0 = layer->message->label[0] == label ? label_scale : 0,
              x1 = layer->message->label[1] == label ? label_scale : 0;

        if (x0 != 0 || x1 != 0 || keep != 1)
            kernels->update_rows(&(struct ff_rows){1, &label, &x0, &x1}, dense->weights + panel.begin, layer->units,
                                 keep, d0, d1, NULL, NULL, panel.count);
    }
    if (dense->train_bias)
        kernels->update_rows(&(struct ff_rows){1, (const uint32_t[]){0}, (const float[]){1}, (const float[]){1}},
                             dense->bias + panel.begin, 0, 1, d0, d1, NULL, NULL, panel.count);
}

/* sgd of one pair. Where the layer goes forward again, the new weights serve that too while they are at hand. */
static void step_pair(struct ff_dense *dense, size_t item, struct panel panel, float *memory, bool again)
{
    struct ff_layer *layer = &dense->layer;
    float *d0 = memory, *d1 = d0 + panel.count, *z = d1 + panel.count, keep = layer->update.keep;
    struct ff_rows rows = pair_rows(dense, keep != 1, memory + (size_t)4 * item_width(dense));

    delta_of(layer, d0, 0, panel);
    delta_of(layer, d1, 1, panel);
    layer->kernels->scale(d0, layer->update.rate, panel.count);
    layer->kernels->scale(d1, layer->update.rate, panel.count);
    memset(z, 0, 2 * panel.count * sizeof *z);
    layer->kernels->update_rows(&rows, dense->weights + panel.begin, layer->units, keep, d0, d1, again ? z : NULL,
                                again && !dense->first ? z + panel.count : NULL, panel.count);
    update_labels_and_bias(dense, panel, d0, d1);
    if (again)
        finish_rows(dense, item, panel, z, panel.count);
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
    const struct ff_config *config = &layer->plan->config;
    struct panel panel = panel_of(dense, item);
    bool top = layer->index + 1 == layer->plan->layers, again = config->forward_after_update && !top;
    float *memory = layer->workspace->scratch[worker];

    if (is_one_pair(layer, layer->message)) {
        step_pair(dense, item, panel, memory, again);
    } else {
        step_batch(dense, panel, cut_scratch(dense, memory));
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
    free(layer->partial);
    free(layer->coefficient);
    free(layer->inverse_norm);
    free(layer);
}

static const struct ff_layer_kind_methods methods = {
    .items = items, .forward = forward, .gradient = gradient, .normalize = normalize, .destroy = destroy};

/* Add a tensor of zeros; NULL when memory is short. */
static float *add_tensor(struct ff_layer *layer, const char *name, const char *part, uint32_t rank, uint32_t rows,
                         uint32_t columns)
{
    size_t count = (size_t)rows * (rank == 2 ? columns : 1);
    struct ff_tensor *tensor = &layer->tensors[layer->tensor_count];

    tensor->data = ff_floats(count);
    if (tensor->data == NULL)
        return NULL;
    memset(tensor->data, 0, count * sizeof(float));
    snprintf(tensor->name, sizeof tensor->name, "%s%s%s", name, part ? "." : "", part ? part : "");
    tensor->rank = rank;
    tensor->shape[0] = rows;
    tensor->shape[1] = columns;
    layer->tensor_count++;
    return tensor->data;
}

static bool add_tensors(struct ff_dense *dense)
{
    struct ff_layer *layer = &dense->layer;
    enum ff_optimizer_id optimizer = layer->plan->config.optimizer;
    uint32_t inputs = layer->inputs, units = layer->units;

    dense->weights = add_tensor(layer, "weights", NULL, 2, inputs, units);
    dense->bias = dense->train_bias ? add_tensor(layer, "bias", NULL, 1, units, 0) : calloc(units, sizeof(float));
    layer->parameter_tensors = layer->tensor_count;
    if (dense->weights == NULL || dense->bias == NULL)
        return false;
    for (unsigned state = 0; state < ff_optimizer_states(optimizer); state++) {
        const char *part = ff_optimizer_state_name(optimizer, state);

        dense->weight_state[state] = add_tensor(layer, "weights", part, 2, inputs, units);
        if (dense->weight_state[state] == NULL)
            return false;
        if (dense->train_bias && (dense->bias_state[state] = add_tensor(layer, "bias", part, 1, units, 0)) == NULL)
            return false;
    }
    return true;
}

static void initialize_weights(struct ff_dense *dense)
{
    const struct ff_layer *layer = &dense->layer;
    const struct ff_config *config = &layer->plan->config;
    double fan = config->init == FF_INIT_HE ? layer->inputs : (double)layer->inputs + layer->units;

    ff_random_normal(config->seed, FF_RANDOM_WEIGHTS, layer->index, 0, (size_t)layer->inputs * layer->units,
                     config->init_gain * sqrt(2 / fan), dense->weights);
}

static void choose_panels(struct ff_dense *dense)
{
    uint32_t units = dense->layer.units, panels = (units + PANEL_MAX - 1) / PANEL_MAX;

    if (panels < 2 && units >= PANEL_SPLIT)
        panels = 2;
    dense->panel = ((units + panels - 1) / panels + 15) / 16 * 16;
    dense->panels = (units + dense->panel - 1) / dense->panel;
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
    if (!layer->partial || !layer->coefficient || !layer->inverse_norm || !add_tensors(dense)) {
        ff_fail_memory(error, "a layer's weights");
        destroy(layer);
        return NULL;
    }
    initialize_weights(dense);
    return layer;
}
