#include "linear.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "optimizer.h"
#include "random.h"

enum {
    PANEL_MAX = 256,   /* units of a panel */
    PANEL_SPLIT = 128, /* from so many units on there are at least two panels */
    BLOCK = 256        /* inputs whose gradient is made at once, or that are gone back to */
};

static uint32_t panel_begin(const struct ff_linear *linear, size_t item)
{
    return (uint32_t)item * linear->panel;
}

static uint32_t panel_width(const struct ff_linear *linear, size_t item)
{
    uint32_t left = linear->layer.units - panel_begin(linear, item);

    return left < linear->panel ? left : linear->panel;
}

/* A panel of the weights, or of what is kept of them: [inputs][panel]. */
static float *panel_of(const struct ff_linear *linear, float *tensor, size_t item)
{
    return tensor + (size_t)panel_begin(linear, item) * linear->layer.inputs;
}

/* --- the way forward --- */

static void forward_item(void *self, size_t item, unsigned worker)
{
    struct ff_linear *linear = self;
    const struct ff_layer *layer = &linear->layer;
    bool trains = layer->message->kind == FF_TRAIN;
    uint32_t begin = panel_begin(linear, item), width = panel_width(linear, item);
    float *weights = panel_of(linear, trains ? linear->weights : linear->average_weights, item);

    (void)worker;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)linear->rows, (int)width, (int)layer->inputs, 1,
                linear->x, (int)layer->inputs, weights, (int)linear->panel, 0, linear->z + begin,
                (int)layer->units);
}

const float *ff_linear_bias(const struct ff_linear *linear)
{
    return linear->layer.message->kind == FF_TRAIN ? linear->bias : linear->average_bias;
}

void ff_linear_forward(struct ff_linear *linear)
{
    ff_layer_run(&linear->layer, linear->panels, forward_item);
}

/* --- the way back --- */

/* Panel after panel is added, in their order. */
static void back_item(void *self, size_t item, unsigned worker)
{
    struct ff_linear *linear = self;
    const struct ff_layer *layer = &linear->layer;
    uint32_t from = (uint32_t)item * BLOCK, left = layer->inputs - from, count = left < BLOCK ? left : BLOCK;

    (void)worker;
    for (uint32_t panel = 0; panel < linear->panels; panel++)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)linear->rows, (int)count,
                    (int)panel_width(linear, panel), 1, linear->delta + panel_begin(linear, panel),
                    (int)layer->units, panel_of(linear, linear->weights, panel) + (size_t)from * linear->panel,
                    (int)linear->panel, panel > 0, linear->dx + from, (int)layer->inputs);
}

void ff_linear_back(struct ff_linear *linear)
{
    ff_layer_run(&linear->layer, (linear->layer.inputs + BLOCK - 1) / BLOCK, back_item);
}

/* --- the step --- */

/* Rows `from` to `from + count` of a panel's weights take the step of gradient [count][width]. */
static void apply_rows(struct ff_linear *linear, size_t item, uint32_t from, uint32_t count, const float *gradient)
{
    struct ff_layer *layer = &linear->layer;
    uint32_t width = panel_width(linear, item), together = width == linear->panel ? count : 1;

    for (uint32_t row = 0; row < count; row += together) {
        size_t at = (size_t)(from + row) * linear->panel;
        float *state[2] = {NULL, NULL};

        for (unsigned i = 0; i < ff_optimizer_states(layer->config.optimizer); i++)
            state[i] = panel_of(linear, linear->weight_state[i], item) + at;
        ff_optimizer_apply(layer->config.optimizer, layer->kernels, &layer->update,
                           panel_of(linear, linear->weights, item) + at, state, gradient + (size_t)row * width,
                           (size_t)together * width);
    }
}

static void apply_bias(struct ff_linear *linear, size_t item, float *gradient)
{
    struct ff_layer *layer = &linear->layer;
    uint32_t begin = panel_begin(linear, item), width = panel_width(linear, item);
    float *state[2] = {linear->bias_state[0] ? linear->bias_state[0] + begin : NULL,
                       linear->bias_state[1] ? linear->bias_state[1] + begin : NULL};

    if (!linear->train_bias)
        return;
    memset(gradient, 0, width * sizeof *gradient);
    for (uint32_t row = 0; row < linear->rows; row++)
        layer->kernels->add(gradient, linear->delta + (size_t)row * layer->units + begin, width);
    ff_optimizer_apply(layer->config.optimizer, layer->kernels, &layer->bias_update, linear->bias + begin, state,
                       gradient, width);
}

static void average_panel(struct ff_linear *linear, size_t item)
{
    struct ff_layer *layer = &linear->layer;
    uint32_t begin = panel_begin(linear, item);

    layer->kernels->approach(panel_of(linear, linear->average_weights, item),
                             panel_of(linear, linear->weights, item), layer->approach,
                             (size_t)layer->inputs * linear->panel);
    if (linear->train_bias)
        layer->kernels->approach(linear->average_bias + begin, linear->bias + begin, layer->approach,
                                 linear->panel);
}

static void step_item(void *self, size_t item, unsigned worker)
{
    struct ff_linear *linear = self;
    struct ff_layer *layer = &linear->layer;
    float *gradient = layer->workspace->scratch[worker];
    uint32_t width = panel_width(linear, item);

    for (uint32_t from = 0; from < layer->inputs; from += BLOCK) {
        uint32_t left = layer->inputs - from, count = left < BLOCK ? left : BLOCK;

        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)count, (int)width, (int)linear->rows, 1,
                    linear->x + from, (int)layer->inputs, linear->delta + panel_begin(linear, item),
                    (int)layer->units, 0, gradient, (int)width);
        apply_rows(linear, item, from, count, gradient);
    }
    apply_bias(linear, item, gradient);
    if (layer->approach > 0)
        average_panel(linear, item);
}

void ff_linear_step(struct ff_linear *linear)
{
    linear->layer.approach = ff_layer_average_share(&linear->layer);
    ff_layer_run(&linear->layer, linear->panels, step_item);
}

/* --- its life --- */

uint32_t ff_linear_parameter_tensors(const struct ff_plan *plan, uint32_t layer)
{
    (void)layer;
    return plan->config.bias ? 2 : 1;
}

struct ff_tensor_form ff_linear_tensor(const struct ff_plan *plan, uint32_t layer, uint32_t tensor)
{
    uint32_t inputs = plan->layer[layer].inputs, units = plan->layer[layer].units;

    return tensor == 0 ? (struct ff_tensor_form){"weights", 2, inputs, units, 0}
                       : (struct ff_tensor_form){"bias", 1, 1, units, 0};
}

size_t ff_linear_scratch(const struct ff_layer *layer)
{
    const struct ff_linear *linear = (const struct ff_linear *)layer;

    return (size_t)BLOCK * linear->panel;
}

static void choose_panels(struct ff_linear *linear)
{
    uint32_t units = linear->layer.units, panels = (units + PANEL_MAX - 1) / PANEL_MAX;

    if (panels < 2 && units >= PANEL_SPLIT)
        panels = 2;
    linear->panel = ((units + panels - 1) / panels + 15) / 16 * 16;
    linear->panels = (units + linear->panel - 1) / linear->panel;
}

static void find_tensors(struct ff_linear *linear)
{
    struct ff_layer *layer = &linear->layer;
    size_t parameters = ff_linear_parameter_tensors(layer->plan, layer->index);
    struct ff_tensor *average = &layer->tensors[ff_layer_judging_tensor(layer->plan, layer->index)];

    linear->weights = layer->tensors[0].data;
    linear->average_weights = average[0].data;
    for (uint32_t state = 0; state < ff_optimizer_states(layer->config.optimizer); state++)
        linear->weight_state[state] = layer->tensors[(state + 1) * parameters].data;
    if (!linear->train_bias)
        return;
    linear->bias = layer->tensors[1].data;
    linear->average_bias = average[1].data;
    for (uint32_t state = 0; state < ff_optimizer_states(layer->config.optimizer); state++)
        linear->bias_state[state] = layer->tensors[(state + 1) * parameters + 1].data;
}

/* Row by row, since a number depends on its place in [inputs][units] alone. */
static bool draw_weights(struct ff_linear *linear, double deviation)
{
    struct ff_layer *layer = &linear->layer;
    uint32_t average = ff_layer_judging_tensor(layer->plan, layer->index);
    float *row;

    if (layer->plan->blank || deviation == 0)
        return true;
    row = ff_floats(layer->units);
    for (uint32_t input = 0; row != NULL && input < layer->inputs; input++) {
        uint64_t at = (uint64_t)input * layer->units;

        ff_random_normal(layer->config.seed, FF_RANDOM_WEIGHTS, layer->index, at, layer->units, deviation, row);
        ff_tensor_put(&layer->tensors[0], at, layer->units, row);
        if (average > 0)
            ff_tensor_put(&layer->tensors[average], at, layer->units, row);
    }
    free(row);
    return row != NULL;
}

bool ff_linear_start(struct ff_linear *linear, const struct ff_layer_kind_methods *kind, const struct ff_plan *plan,
                     uint32_t index, double deviation)
{
    struct ff_layer *layer = &linear->layer;

    ff_layer_start(layer, kind, plan, index);
    linear->train_bias = plan->config.bias;
    choose_panels(linear);
    if (!ff_layer_make_tensors(layer, linear->panel))
        return false;
    if (!linear->train_bias)
        linear->bias = linear->average_bias = calloc(layer->units, sizeof(float));
    find_tensors(linear);
    return linear->bias != NULL && draw_weights(linear, deviation);
}

void ff_linear_end(struct ff_linear *linear)
{
    ff_layer_free_tensors(&linear->layer);
    if (!linear->train_bias)
        free(linear->bias);
}
