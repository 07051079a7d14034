#include "backprop.h"

#include <math.h>
#include <stdlib.h>

#include "linear.h"
#include "optimizer.h"
#include "readout.h"

struct ff_backprop {
    struct ff_linear linear;
    bool top;
    float *input; /* [plan's capacity] what entered, kept until the way back: a buffer that takes turns with the
                     message's */
    float *norms; /* [max_rows] sums of squares of the activities */
};

/* --- forward --- */

/* Bias and activation of one row; its sum of squares. */
static void finish_row(struct ff_layer *layer, size_t row, unsigned worker)
{
    struct ff_backprop *backprop = (struct ff_backprop *)layer;
    const float *bias = ff_linear_bias(&backprop->linear);
    float *z = backprop->linear.z + row * layer->units;

    (void)worker;
    if (backprop->top) {
        layer->kernels->add(z, bias, layer->units);
        backprop->norms[row] = layer->kernels->dot(z, z, layer->units);
    } else {
        backprop->norms[row] = layer->config.activation == FF_RELU
                                   ? layer->kernels->relu(z, z, bias, NULL, 0, layer->units)
                                   : layer->kernels->tanh(z, z, bias, NULL, 0, layer->units);
    }
}

/* Every image's goodness; false, and the message is marked, when one is not finite. */
static bool take_goodness(struct ff_backprop *backprop)
{
    struct ff_layer *layer = &backprop->linear.layer;
    float *goodness = ff_message_goodness(layer->message, layer->plan, layer->index, 0);
    float share = layer->config.goodness == FF_GOODNESS_MEAN ? (float)layer->units : 1;
    bool finite = true;

    for (uint32_t row = 0; row < backprop->linear.rows; row++) {
        goodness[row] = backprop->norms[row] / share;
        finite &= isfinite(goodness[row]) != 0;
    }
    if (!finite)
        layer->message->failed_layer = (int32_t)layer->index;
    return finite;
}

/* Activities of all rows, or of the top layer scores. */
static bool go_forward(struct ff_backprop *backprop)
{
    struct ff_linear *linear = &backprop->linear;
    struct ff_layer *layer = &linear->layer;

    linear->rows = layer->message->rows;
    linear->x = layer->message->x;
    linear->z = backprop->top ? layer->message->scores : layer->workspace->spare;
    ff_linear_forward(linear);
    ff_layer_run(layer, linear->rows, finish_row);
    return take_goodness(backprop);
}

static void pass(struct ff_layer *layer)
{
    struct ff_backprop *backprop = (struct ff_backprop *)layer;

    if (go_forward(backprop) && !backprop->top)
        ff_layer_pass_on(layer);
}

/* The input stays here, and the buffer that was kept goes round in its place. */
static void keep_input(struct ff_backprop *backprop)
{
    struct ff_layer *layer = &backprop->linear.layer;
    float *input = layer->message->x;

    if (backprop->top) {
        layer->message->x = backprop->input;
    } else {
        ff_layer_pass_on(layer);
        layer->workspace->spare = backprop->input;
    }
    backprop->input = input;
}

static void train(struct ff_layer *layer)
{
    struct ff_backprop *backprop = (struct ff_backprop *)layer;
    struct ff_message *message = layer->message;
    double loss;

    if (layer->index > 0 && layer->config.dropout.inputs > 0)
        ff_layer_drop_inputs(layer);
    if (!go_forward(backprop))
        return;
    keep_input(backprop);
    if (!backprop->top)
        return;
    loss = ff_softmax_loss(message, &layer->config, layer->units, backprop->linear.delta);
    for (uint32_t i = 0; i < layer->plan->layers; i++)
        message->loss[i] = loss;
}

/* --- the way back --- */

/* One row of dloss / dx becomes dloss / dz of the layer below: through what was left out, and its activation. */
static void turn_row(struct ff_layer *layer, size_t row, unsigned worker)
{
    struct ff_backprop *backprop = (struct ff_backprop *)layer;
    float *dx = backprop->linear.dx + row * layer->inputs;
    const float *x = backprop->input + row * layer->inputs;
    float kept = (float)(1 / (1 - layer->config.dropout.inputs));

    (void)worker;
    for (uint32_t i = 0; i < layer->inputs; i++) {
        float a = x[i] / kept, slope = layer->config.activation == FF_RELU ? 1 : 1 - a * a;

        dx[i] *= x[i] == 0 ? (layer->config.activation == FF_RELU || kept != 1 ? 0 : slope) : kept * slope;
    }
}

static void back(struct ff_layer *layer)
{
    struct ff_backprop *backprop = (struct ff_backprop *)layer;
    struct ff_linear *linear = &backprop->linear;
    struct ff_message *message = layer->message;

    layer->update = ff_optimizer_update(&layer->config, layer->index, message->rate, message->step);
    layer->bias_update = layer->update;
    layer->bias_update.keep = 1;
    linear->x = backprop->input;
    if (!backprop->top)
        linear->delta = message->x;
    linear->dx = layer->workspace->spare;
    if (layer->index > 0) {
        ff_linear_back(linear);
        ff_layer_run(layer, linear->rows, turn_row);
    }
    ff_linear_step(linear);
    layer->workspace->spare = message->x;
    message->x = linear->dx;
}

/* --- its life --- */

static void destroy(struct ff_layer *layer)
{
    struct ff_backprop *backprop = (struct ff_backprop *)layer;

    ff_layer_end(layer);
    if (backprop->top)
        free(backprop->linear.delta);
    free(backprop->input);
    free(backprop->norms);
    free(backprop);
}

static struct ff_layer *create(const struct ff_plan *plan, uint32_t index, struct ff_error *error)
{
    struct ff_backprop *backprop = calloc(1, sizeof *backprop);
    struct ff_layer *layer;

    if (backprop == NULL) {
        ff_fail_memory(error, "a layer");
        return NULL;
    }
    layer = &backprop->linear.layer;
    ff_layer_start(layer, &ff_backprop_methods, plan, index);
    backprop->top = index + 1 == plan->layers;
    backprop->input = ff_floats(plan->capacity);
    backprop->norms = ff_floats(plan->max_rows);
    if (backprop->top)
        backprop->linear.delta = ff_floats((size_t)plan->max_rows * plan->classes);
    if (!ff_layer_make_tensors(layer, ff_panel_width(layer->units)) ||
        !ff_layer_draw_weights(layer, layer->units) || !backprop->input || !backprop->norms ||
        (backprop->top && !backprop->linear.delta)) {
        ff_fail_memory(error, "a layer's weights");
        destroy(layer);
        return NULL;
    }
    return layer;
}

/* What entered, and of the top layer dloss / dz. */
static size_t kept(const struct ff_plan *plan, uint32_t layer)
{
    return plan->capacity + plan->max_rows +
           (layer + 1 == plan->layers ? (size_t)plan->max_rows * plan->classes : 0);
}

const struct ff_layer_kind_methods ff_backprop_methods = {.kept = kept,
                                                          .create = create,
                                                          .scratch = ff_linear_scratch,
                                                          .train = train,
                                                          .pass = pass,
                                                          .back = back,
                                                          .destroy = destroy};
