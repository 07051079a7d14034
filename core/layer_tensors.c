/* The kinds of layers, what tensors each has, and GET and SET of stretches of them. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backprop.h"
#include "convolution.h"
#include "dense.h"
#include "layer.h"
#include "optimizer.h"
#include "random.h"
#include "readout.h"

/* --- kinds --- */

static const struct ff_layer_kind_methods *kind_of(const struct ff_plan *plan, uint32_t layer)
{
    static const struct ff_layer_kind_methods *const kinds[] = {[FF_DENSE] = &ff_dense_methods,
                                                                [FF_CONV] = &ff_convolution_methods,
                                                                [FF_READ_OUT] = &ff_readout_methods,
                                                                [FF_BACK] = &ff_backprop_methods};

    return kinds[plan->layer[layer].kind];
}

struct ff_layer *ff_layer_create(const struct ff_plan *plan, uint32_t index, struct ff_error *error)
{
    return kind_of(plan, index)->create(plan, index, error);
}

void ff_layer_start(struct ff_layer *layer, const struct ff_layer_kind_methods *kind, const struct ff_plan *plan,
                    uint32_t index)
{
    layer->kind = kind;
    layer->plan = plan;
    layer->config = plan->config;
    layer->kernels = ff_kernels();
    layer->index = index;
    layer->inputs = plan->layer[index].inputs;
    layer->units = plan->layer[index].units;
    layer->trains_bias = plan->layer[index].bias;
    layer->objective = ff_objective_of(&plan->config, index);
}

bool ff_layer_make_rows(struct ff_layer *layer, size_t parts)
{
    const struct ff_plan *plan = layer->plan;

    layer->parts = parts;
    layer->partial = ff_floats(parts * plan->max_rows * plan->groups);
    layer->whole = ff_floats(parts * plan->max_rows);
    layer->coefficient = ff_floats((size_t)plan->max_rows * plan->groups);
    layer->inverse_norm = ff_floats(plan->max_rows);
    return layer->partial && layer->whole && layer->coefficient && layer->inverse_norm;
}

void ff_layer_end(struct ff_layer *layer)
{
    for (uint32_t i = 0; i < layer->tensor_count; i++)
        free(layer->tensors[i].data);
    if (!layer->trains_bias)
        free(layer->bias);
    free(layer->partial);
    free(layer->whole);
    free(layer->coefficient);
    free(layer->inverse_norm);
}

size_t ff_layer_scratch(const struct ff_layer *layer)
{
    return layer->kind->scratch(layer);
}

size_t ff_layer_bytes(const struct ff_layer *layer)
{
    size_t floats = 0;

    for (uint32_t i = 0; i < layer->tensor_count; i++)
        floats += layer->tensors[i].floats;
    floats += ff_layer_kept(layer->plan, layer->index);
    return floats * sizeof(float);
}

size_t ff_layer_kept(const struct ff_plan *plan, uint32_t layer)
{
    const struct ff_layer_kind_methods *kind = kind_of(plan, layer);

    return kind->kept != NULL ? kind->kept(plan, layer) : 0;
}

uint32_t ff_layer_parameter_tensors(const struct ff_plan *plan, uint32_t layer)
{
    return plan->layer[layer].bias ? 2 : 1;
}

uint32_t ff_layer_statistic_tensors(const struct ff_plan *plan, uint32_t layer)
{
    const struct ff_layer_kind_methods *kind = kind_of(plan, layer);

    return kind->statistics != NULL ? kind->statistics(plan) : 0;
}

/* Sets of the parameters' size: the parameters, what the optimizer keeps, the averages. */
static uint32_t tensor_sets(const struct ff_plan *plan)
{
    return 1 + ff_optimizer_states(plan->config.optimizer) + (plan->config.average > 0);
}

uint32_t ff_layer_tensors(const struct ff_plan *plan, uint32_t layer)
{
    return ff_layer_parameter_tensors(plan, layer) * tensor_sets(plan) + ff_layer_statistic_tensors(plan, layer);
}

uint32_t ff_layer_judging_tensor(const struct ff_plan *plan, uint32_t layer)
{
    return plan->config.average > 0 ? ff_layer_parameter_tensors(plan, layer) * (tensor_sets(plan) - 1) : 0;
}

static struct ff_tensor_form parameter_form(const struct ff_plan *plan, uint32_t index, uint32_t parameter)
{
    const struct ff_layer_plan *layer = &plan->layer[index];

    if (parameter > 0)
        return (struct ff_tensor_form){"bias", 1, 1, layer->units, 0};
    if (layer->kind == FF_CONV)
        return (struct ff_tensor_form){"weights", 4, layer->inputs, layer->units,
                                       plan->config.layers[index].kernel};
    return (struct ff_tensor_form){"weights", 2, layer->inputs, layer->units, 0};
}

struct ff_tensor_form ff_layer_tensor(const struct ff_plan *plan, uint32_t layer, uint32_t tensor)
{
    uint32_t parameters = ff_layer_parameter_tensors(plan, layer), set = tensor / parameters;
    enum ff_optimizer_id optimizer = plan->config.optimizer;
    struct ff_tensor_form form;
    size_t length;

    if (set >= tensor_sets(plan))
        return kind_of(plan, layer)->statistic(plan, layer, tensor - parameters * tensor_sets(plan));
    form = parameter_form(plan, layer, tensor % parameters);
    length = strlen(form.name);
    if (set > 0)
        snprintf(form.name + length, sizeof form.name - length, ".%s",
                 set <= ff_optimizer_states(optimizer) ? ff_optimizer_state_name(optimizer, set - 1) : "average");
    return form;
}

/* --- tensors --- */

/* What the layer works with, by its tensors. */
static bool find_data(struct ff_layer *layer)
{
    size_t parameters = ff_layer_parameter_tensors(layer->plan, layer->index),
           statistics = ff_layer_statistic_tensors(layer->plan, layer->index);
    const struct ff_tensor *tensors = layer->tensors,
                           *average = tensors + ff_layer_judging_tensor(layer->plan, layer->index);

    layer->weights = tensors[0].data;
    layer->average_weights = average[0].data;
    layer->bias = layer->trains_bias ? tensors[1].data : calloc(layer->units, sizeof(float));
    layer->average_bias = layer->trains_bias ? average[1].data : layer->bias;
    for (uint32_t state = 0; state < ff_optimizer_states(layer->config.optimizer); state++) {
        layer->weight_state[state] = tensors[(state + 1) * parameters].data;
        layer->bias_state[state] = layer->trains_bias ? tensors[(state + 1) * parameters + 1].data : NULL;
    }
    for (size_t i = 0; i < statistics; i++)
        layer->statistics[i] = tensors[layer->tensor_count - statistics + i].data;
    return layer->bias != NULL;
}

bool ff_layer_make_tensors(struct ff_layer *layer, uint32_t panel)
{
    uint32_t count = ff_layer_tensors(layer->plan, layer->index);

    layer->panel = panel;
    layer->panels = (layer->units + panel - 1) / panel;
    for (; layer->tensor_count < count; layer->tensor_count++) {
        struct ff_tensor *tensor = &layer->tensors[layer->tensor_count];

        tensor->form = ff_layer_tensor(layer->plan, layer->index, layer->tensor_count);
        tensor->panel = panel;
        tensor->planes = tensor->form.rank > 1 ? layer->plan->layer[layer->index].planes : 1;
        tensor->floats = (size_t)tensor->form.rows * layer->panels * panel;
        if ((tensor->data = ff_floats(tensor->floats)) == NULL)
            return false;
        memset(tensor->data, 0, tensor->floats * sizeof(float));
    }
    return find_data(layer);
}

/* Row by row, since a number depends on its place in [inputs][units] alone. */
bool ff_layer_draw_weights(struct ff_layer *layer, double outputs)
{
    const struct ff_config *config = &layer->config;
    double fan = config->init == FF_INIT_HE ? layer->inputs : layer->inputs + outputs;
    uint32_t average = ff_layer_judging_tensor(layer->plan, layer->index);
    float *row;

    if (layer->plan->blank)
        return true;
    row = ff_floats(layer->units);
    for (uint32_t input = 0; row != NULL && input < layer->inputs; input++) {
        uint64_t at = (uint64_t)input * layer->units;

        ff_random_normal(config->seed, FF_RANDOM_WEIGHTS, layer->index, at, layer->units,
                         config->init_gain * sqrt(2 / fan), row);
        ff_tensor_put(&layer->tensors[0], at, layer->units, row);
        if (average > 0)
            ff_tensor_put(&layer->tensors[average], at, layer->units, row);
    }
    free(row);
    return row != NULL;
}

/* Where row `row`, as everybody counts them, is kept. */
static uint64_t kept_row(const struct ff_tensor *tensor, uint64_t row)
{
    uint64_t places = tensor->form.rows / tensor->planes;

    return tensor->planes == 1 ? row : row % places * tensor->planes + row / places;
}

/* Where place `at` of [rows][columns] is kept; *count becomes how many of the places from there on, at most *count,
 * lie side by side. */
static float *find_places(const struct ff_tensor *tensor, uint64_t at, uint64_t *count)
{
    uint64_t row = at / tensor->form.columns, column = at % tensor->form.columns, panel = column / tensor->panel;
    uint64_t end = (panel + 1) * tensor->panel;

    end = end < tensor->form.columns ? end : tensor->form.columns;
    *count = *count < end - column ? *count : end - column;
    return tensor->data + (panel * tensor->form.rows + kept_row(tensor, row)) * tensor->panel +
           column % tensor->panel;
}

void ff_tensor_take(const struct ff_tensor *tensor, uint64_t first, uint64_t count, float *values)
{
    while (count > 0) {
        uint64_t together = count;
        const float *places = find_places(tensor, first, &together);

        memcpy(values, places, together * sizeof *values);
        values += together;
        first += together;
        count -= together;
    }
}

void ff_tensor_put(struct ff_tensor *tensor, uint64_t first, uint64_t count, const float *values)
{
    while (count > 0) {
        uint64_t together = count;
        float *places = find_places(tensor, first, &together);

        memcpy(places, values, together * sizeof *values);
        values += together;
        first += together;
        count -= together;
    }
}

void ff_tensor_take_columns(const struct ff_tensor *tensor, uint64_t first, uint64_t count, float *values)
{
    for (uint64_t column = 0; column < count; column++) {
        uint64_t one = 1;
        const float *places = find_places(tensor, first + column, &one); /* row 0 is kept first */

        for (uint32_t row = 0; row < tensor->form.rows; row++)
            *values++ = places[kept_row(tensor, row) * tensor->panel];
    }
}
