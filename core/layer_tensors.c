/* The kinds of layers, what tensors each has, and GET and SET of stretches of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backprop.h"
#include "convolution.h"
#include "dense.h"
#include "layer.h"
#include "optimizer.h"
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
    layer->objective = ff_objective_of(&plan->config, index);
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
    return kind_of(plan, layer)->parameter_tensors(plan, layer);
}

uint32_t ff_layer_statistic_tensors(const struct ff_plan *plan, uint32_t layer)
{
    const struct ff_layer_kind_methods *kind = kind_of(plan, layer);

    return kind->statistic_tensors != NULL ? kind->statistic_tensors(plan, layer) : 0;
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

struct ff_tensor_form ff_layer_tensor(const struct ff_plan *plan, uint32_t layer, uint32_t tensor)
{
    const struct ff_layer_kind_methods *kind = kind_of(plan, layer);
    uint32_t parameters = ff_layer_parameter_tensors(plan, layer), set = tensor / parameters;
    bool statistic = set >= tensor_sets(plan);
    struct ff_tensor_form form =
        kind->tensor(plan, layer, statistic ? tensor - parameters * (tensor_sets(plan) - 1) : tensor % parameters);
    size_t length = strlen(form.name);
    const char *part = set == 0 || statistic ? NULL
                       : set <= ff_optimizer_states(plan->config.optimizer)
                           ? ff_optimizer_state_name(plan->config.optimizer, set - 1)
                           : "average";

    if (part != NULL)
        snprintf(form.name + length, sizeof form.name - length, ".%s", part);
    return form;
}

/* --- tensors --- */

bool ff_layer_make_tensors(struct ff_layer *layer, uint32_t panel)
{
    uint32_t count = ff_layer_tensors(layer->plan, layer->index);

    for (; layer->tensor_count < count; layer->tensor_count++) {
        struct ff_tensor *tensor = &layer->tensors[layer->tensor_count];

        tensor->form = ff_layer_tensor(layer->plan, layer->index, layer->tensor_count);
        tensor->panel = panel;
        tensor->planes = tensor->form.rank > 1 ? layer->plan->layer[layer->index].planes : 1;
        tensor->floats = (size_t)tensor->form.rows * (((size_t)tensor->form.columns + panel - 1) / panel * panel);
        if ((tensor->data = ff_floats(tensor->floats)) == NULL)
            return false;
        memset(tensor->data, 0, tensor->floats * sizeof(float));
    }
    return true;
}

void ff_layer_free_tensors(struct ff_layer *layer)
{
    for (uint32_t i = 0; i < layer->tensor_count; i++)
        free(layer->tensors[i].data);
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
