#include "linear.h"

#include <cblas.h>
#include <string.h>

/* --- the way forward --- */

static void forward_item(struct ff_layer *layer, size_t item, unsigned worker)
{
    struct ff_linear *linear = (struct ff_linear *)layer;
    struct ff_panel panel = ff_panel_at(layer, item);
    bool trains = layer->message->kind == FF_TRAIN;
    float *weights = ff_panel_of(layer, trains ? layer->weights : layer->average_weights, panel);

    (void)worker;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)linear->rows, (int)panel.count, (int)layer->inputs,
                1, linear->x, (int)layer->inputs, weights, (int)layer->panel, 0, linear->z + panel.begin,
                (int)layer->units);
}

const float *ff_linear_bias(const struct ff_linear *linear)
{
    return linear->layer.message->kind == FF_TRAIN ? linear->layer.bias : linear->layer.average_bias;
}

void ff_linear_forward(struct ff_linear *linear)
{
    ff_layer_run(&linear->layer, linear->layer.panels, forward_item);
}

/* --- the way back --- */

/* A block of inputs; panel after panel is added, in their order. */
static void back_item(struct ff_layer *layer, size_t item, unsigned worker)
{
    struct ff_linear *linear = (struct ff_linear *)layer;
    uint32_t from = (uint32_t)item * FF_PANEL_BLOCK, left = layer->inputs - from,
             count = left < FF_PANEL_BLOCK ? left : FF_PANEL_BLOCK;

    (void)worker;
    for (uint32_t i = 0; i < layer->panels; i++) {
        struct ff_panel panel = ff_panel_at(layer, i);

        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)linear->rows, (int)count, (int)panel.count, 1,
                    linear->delta + panel.begin, (int)layer->units,
                    ff_panel_of(layer, layer->weights, panel) + (size_t)from * layer->panel, (int)layer->panel,
                    i > 0, linear->dx + from, (int)layer->inputs);
    }
}

void ff_linear_back(struct ff_linear *linear)
{
    ff_layer_run(&linear->layer, (linear->layer.inputs + FF_PANEL_BLOCK - 1) / FF_PANEL_BLOCK, back_item);
}

/* --- the step --- */

static void step_bias(struct ff_linear *linear, struct ff_panel panel, float *gradient)
{
    struct ff_layer *layer = &linear->layer;

    memset(gradient, 0, panel.count * sizeof *gradient);
    for (uint32_t row = 0; layer->trains_bias && row < linear->rows; row++)
        layer->kernels->add(gradient, linear->delta + (size_t)row * layer->units + panel.begin, panel.count);
    ff_panel_step_bias(layer, panel, gradient);
}

static void step_item(struct ff_layer *layer, size_t item, unsigned worker)
{
    struct ff_linear *linear = (struct ff_linear *)layer;
    struct ff_panel panel = ff_panel_at(layer, item);
    float *gradient = layer->workspace->scratch[worker];

    for (uint32_t from = 0; from < layer->inputs; from += FF_PANEL_BLOCK) {
        uint32_t left = layer->inputs - from, count = left < FF_PANEL_BLOCK ? left : FF_PANEL_BLOCK;

        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)count, (int)panel.count, (int)linear->rows, 1,
                    linear->x + from, (int)layer->inputs, linear->delta + panel.begin, (int)layer->units, 0,
                    gradient, (int)panel.count);
        ff_panel_step(layer, panel, from, count, gradient);
    }
    step_bias(linear, panel, gradient);
    if (layer->approach > 0)
        ff_panel_average(layer, panel);
}

void ff_linear_step(struct ff_linear *linear)
{
    linear->layer.approach = ff_layer_average_share(&linear->layer);
    ff_layer_run(&linear->layer, linear->layer.panels, step_item);
}

size_t ff_linear_scratch(const struct ff_layer *layer)
{
    return (size_t)FF_PANEL_BLOCK * layer->panel;
}
