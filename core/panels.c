#include "panels.h"

#include "optimizer.h"

enum { PANEL_SPLIT = 128 /* from so many units on there are at least two panels */ };

uint32_t ff_panel_width(uint32_t units)
{
    uint32_t panels = (units + FF_PANEL_MAX - 1) / FF_PANEL_MAX;

    if (panels < 2 && units >= PANEL_SPLIT)
        panels = 2;
    return ((units + panels - 1) / panels + 15) / 16 * 16;
}

struct ff_panel ff_panel_at(const struct ff_layer *layer, size_t item)
{
    uint32_t begin = (uint32_t)item * layer->panel, left = layer->units - begin;

    return (struct ff_panel){begin, left < layer->panel ? left : layer->panel};
}

void ff_panel_step(struct ff_layer *layer, struct ff_panel panel, uint32_t from, uint32_t count,
                   const float *gradient)
{
    uint32_t together = panel.count == layer->panel ? count : 1; /* a narrower panel's rows lie apart */

    for (uint32_t row = 0; row < count; row += together) {
        size_t at = (size_t)(from + row) * layer->panel;
        float *state[2] = {NULL, NULL};

        for (unsigned i = 0; i < ff_optimizer_states(layer->config.optimizer); i++)
            state[i] = ff_panel_of(layer, layer->weight_state[i], panel) + at;
        ff_optimizer_apply(layer->config.optimizer, layer->kernels, &layer->update,
                           ff_panel_of(layer, layer->weights, panel) + at, state,
                           gradient + (size_t)row * panel.count, (size_t)together * panel.count);
    }
}

void ff_panel_step_bias(struct ff_layer *layer, struct ff_panel panel, const float *gradient)
{
    float *state[2] = {layer->bias_state[0] ? layer->bias_state[0] + panel.begin : NULL,
                       layer->bias_state[1] ? layer->bias_state[1] + panel.begin : NULL};

    if (layer->trains_bias)
        ff_optimizer_apply(layer->config.optimizer, layer->kernels, &layer->bias_update, layer->bias + panel.begin,
                           state, gradient, panel.count);
}

void ff_panel_average(struct ff_layer *layer, struct ff_panel panel)
{
    layer->kernels->approach(ff_panel_of(layer, layer->average_weights, panel),
                             ff_panel_of(layer, layer->weights, panel), layer->approach,
                             (size_t)layer->inputs * layer->panel);
    if (layer->trains_bias)
        layer->kernels->approach(layer->average_bias + panel.begin, layer->bias + panel.begin, layer->approach,
                                 layer->panel);
}
