#include "layer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dense.h"
#include "optimizer.h"

/* Added to a row's root mean square before it divides; the reference's. */
static const float norm_epsilon = 1e-8f;

struct ff_layer *ff_layer_create(const struct ff_plan *plan, uint32_t index, struct ff_error *error)
{
    return ff_dense_create(plan, index, error);
}

size_t ff_layer_scratch(const struct ff_layer *layer)
{
    return ff_dense_scratch(layer);
}

size_t ff_layer_bytes(const struct ff_layer *layer)
{
    size_t floats = 0;

    for (uint32_t i = 0; i < layer->tensor_count; i++)
        floats +=
            (size_t)layer->tensors[i].shape[0] * (layer->tensors[i].rank == 2 ? layer->tensors[i].shape[1] : 1);
    return floats * sizeof(float);
}

uint32_t ff_layer_parameter_tensors(const struct ff_plan *plan)
{
    return plan->config.bias ? 2 : 1;
}

uint64_t ff_layer_tensor_size(const struct ff_plan *plan, uint32_t index, uint32_t tensor)
{
    return tensor == 0 ? (uint64_t)plan->layer[index].inputs * plan->layer[index].units : plan->layer[index].units;
}

/* --- one message --- */

static void forward_item(void *self, size_t item, unsigned worker)
{
    struct ff_layer *layer = self;

    layer->kind->forward(layer, item, worker);
}

static void gradient_item(void *self, size_t item, unsigned worker)
{
    struct ff_layer *layer = self;

    layer->kind->gradient(layer, item, worker);
}

static void normalize_item(void *self, size_t item, unsigned worker)
{
    struct ff_layer *layer = self;

    layer->kind->normalize(layer, item, worker);
}

/* The items' shares of every row's sum of squares, added in the items' order: goodness, and what the row is divided
 * by. False when one is not finite. */
static bool sum_goodness(struct ff_layer *layer, size_t items, float *goodness)
{
    const struct ff_plan *plan = layer->plan;
    bool mean = plan->config.goodness == FF_GOODNESS_MEAN, normalize = plan->config.normalize != FF_NORMALIZE_NONE;
    bool finite = true;

    for (uint32_t row = 0; row < layer->message->rows; row++) {
        float sum = 0;

        for (size_t item = 0; item < items; item++)
            sum += layer->partial[item * plan->max_rows + row];
        finite &= isfinite(sum) != 0;
        if (goodness != NULL)
            goodness[row] = mean ? sum / (float)layer->units : sum;
        layer->inverse_norm[row] = normalize ? 1 / (sqrtf(sum / (float)layer->units) + norm_epsilon) : 1;
    }
    return finite;
}

/* Every pair's loss, and every row's coefficient: dz = coefficient * a * f'(a). */
static void apply_objective(struct ff_layer *layer, const float *goodness, double *mean_loss)
{
    const struct ff_message *message = layer->message;
    double scale = layer->plan->config.goodness == FF_GOODNESS_MEAN ? 2.0 / layer->units : 2.0, sum = 0;

    scale /= message->images;
    for (uint32_t row = 0; row < message->rows; row += message->rows_per_image) {
        struct ff_pair_loss pair = ff_objective_pair(&layer->objective, goodness[row], goodness[row + 1]);

        sum += pair.loss;
        layer->coefficient[row] = (float)(pair.positive * scale);
        layer->coefficient[row + 1] = (float)(pair.negative * scale);
        for (uint32_t neutral = row + 2; neutral < row + message->rows_per_image; neutral++)
            layer->coefficient[neutral] = 0;
    }
    *mean_loss = sum / message->images;
}

static void pass_on(struct ff_layer *layer, struct ff_message *message)
{
    float *activities = layer->workspace->spare;

    layer->workspace->spare = message->x;
    message->x = activities;
    message->width = layer->units;
}

static void train(struct ff_layer *layer, struct ff_message *message)
{
    const struct ff_plan *plan = layer->plan;
    struct ff_team *team = layer->workspace->team;
    size_t items = layer->kind->items(layer, message);
    float *goodness = message->goodness + (size_t)layer->index * plan->max_rows;

    layer->update = ff_optimizer_update(&plan->config, layer->index, message->rate, message->step);
    layer->bias_update = layer->update;
    layer->bias_update.keep = 1;
    ff_team_run(team, items, forward_item, layer);
    if (!sum_goodness(layer, items, goodness)) {
        message->failed_layer = (int32_t)layer->index;
        return;
    }
    apply_objective(layer, goodness, &message->loss[layer->index]);
    ff_team_run(team, items, gradient_item, layer);
    if (plan->config.forward_after_update && plan->config.normalize != FF_NORMALIZE_NONE &&
        layer->index + 1 < plan->layers) {
        sum_goodness(layer, items, NULL);
        ff_team_run(team, items, normalize_item, layer);
    }
    pass_on(layer, message);
}

static void forward(struct ff_layer *layer, struct ff_message *message)
{
    size_t items = layer->kind->items(layer, message);

    ff_team_run(layer->workspace->team, items, forward_item, layer);
    if (!sum_goodness(layer, items, message->goodness + (size_t)layer->index * layer->plan->max_rows)) {
        message->failed_layer = (int32_t)layer->index;
        return;
    }
    if (layer->plan->config.normalize != FF_NORMALIZE_NONE && layer->index + 1 < layer->plan->layers)
        ff_team_run(layer->workspace->team, items, normalize_item, layer);
    pass_on(layer, message);
}

static void copy_range(struct ff_layer *layer, struct ff_message *message)
{
    float *stretch = layer->tensors[message->range.tensor].data + message->range.offset;
    size_t bytes = message->range.count * sizeof(float);

    if (message->kind == FF_GET)
        memcpy(message->x, stretch, bytes);
    else
        memcpy(stretch, message->x, bytes);
}

void ff_layer_handle(struct ff_layer *layer, struct ff_message *message, struct ff_workspace *workspace)
{
    if (message->failed_layer >= 0)
        return;
    layer->message = message;
    layer->workspace = workspace;
    switch (message->kind) {
    case FF_TRAIN:
        train(layer, message);
        break;
    case FF_FORWARD:
        forward(layer, message);
        break;
    case FF_GET:
    case FF_SET:
        if (message->range.layer == layer->index)
            copy_range(layer, message);
        break;
    case FF_STOP:
        break;
    }
}

void ff_layer_destroy(struct ff_layer *layer)
{
    if (layer != NULL)
        layer->kind->destroy(layer);
}
