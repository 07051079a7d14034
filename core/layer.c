#include "layer.h"

#include <math.h>
#include <string.h>

#include "dropout.h"
#include "optimizer.h"

/* All rows of an image lack the same: a pair's goodnesses then differ by their labels alone, and not by what either
 * happened to lack. */
static struct ff_dropout_place dropout_place(const struct ff_layer *layer, enum ff_purpose purpose, size_t row)
{
    return (struct ff_dropout_place){layer->config.seed, purpose, (uint32_t)layer->message->step,
                                     (uint64_t)layer->index << 32 | row / layer->message->rows_per_image};
}

/* A row of what enters an upper layer, some of it left out. */
static void drop_item(struct ff_layer *layer, size_t row, unsigned worker)
{
    double share = layer->config.dropout.inputs;
    const struct ff_dropout_place place = dropout_place(layer, FF_RANDOM_DROP_INPUTS, row);
    size_t width = layer->plan->layer[layer->index].entering;

    (void)worker;
    ff_dropout(&place, share, (float)(1 / (1 - share)), width, layer->message->x + row * width);
}

enum { MASKED_AT_ONCE = 256 };

/* What a team is given: items of a layer's work. */
struct work {
    struct ff_layer *layer;
    void (*item)(struct ff_layer *layer, size_t index, unsigned worker);
};

static void do_item(void *self, size_t index, unsigned worker)
{
    const struct work *work = self;

    work->item(work->layer, index, worker);
}

void ff_layer_run(struct ff_layer *layer, size_t items, void (*item)(struct ff_layer *, size_t, unsigned))
{
    struct work work = {layer, item};
    bool little = layer->message->kind == FF_TRAIN && layer->message->images == 1 &&
                  layer->plan->layer[layer->index].products < FF_SHARED_WEIGHTS;

    if (!little)
        ff_team_run(layer->workspace->team, items, do_item, &work,
                    layer->workspace->guests && layer->message->kind == FF_FORWARD);
    for (size_t i = 0; little && i < items; i++)
        item(layer, i, 0);
}

void ff_layer_drop_inputs(struct ff_layer *layer)
{
    ff_layer_run(layer, ff_message_labelled(layer->message), drop_item);
}

void ff_layer_mask_units(const struct ff_layer *layer, uint32_t row, uint32_t first, size_t count, float *numbers)
{
    const struct ff_dropout_place place = dropout_place(layer, FF_RANDOM_DROP_UNITS, row);
    float mask[MASKED_AT_ONCE];

    if (layer->drop_units == 0 || row >= ff_message_labelled(layer->message))
        return;
    for (size_t done = 0; done < count; done += MASKED_AT_ONCE) {
        size_t left = count - done, now = left < MASKED_AT_ONCE ? left : MASKED_AT_ONCE;

        ff_dropout_mask(&place, layer->drop_units, (float)(1 / (1 - layer->drop_units)), first + (uint32_t)done,
                        now, mask);
        layer->kernels->multiply(numbers + done, mask, now);
    }
}

void ff_layer_pass_on(struct ff_layer *layer)
{
    struct ff_message *message = layer->message;
    float *activities = layer->workspace->spare;

    layer->workspace->spare = message->x;
    message->x = activities;
    message->width = layer->plan->layer[layer->index].width;
}

bool ff_layer_is_read(const struct ff_layer *layer)
{
    return layer->index + 1 < layer->plan->layers || layer->plan->history > 0;
}

/* What the read-out reads of an image. */
static void read_item(struct ff_layer *layer, size_t image, unsigned worker)
{
    struct ff_message *message = layer->message;
    const float *row = message->x + (size_t)ff_message_read_row(message, (uint32_t)image) * message->width;

    (void)worker;
    memcpy(message->history + image * layer->plan->history + layer->plan->layer[layer->index].read_at, row,
           message->width * sizeof *row);
}

/* The activities, as the next layer is to see them, go on. */
static void pass_on(struct ff_layer *layer)
{
    ff_layer_pass_on(layer);
    if (layer->plan->history > 0 && layer->index >= layer->config.readout_from)
        ff_layer_run(layer, layer->message->images, read_item);
}

/* loss = lambda mean((mean(r) - r)^2) of the mean activities r that have just moved on by their share of this
 * batch.
 */
static void pull_to_peers(struct ff_layer *layer)
{
    double weight = layer->config.peer_normalization, mean = 0;
    double scale = weight * (1 - layer->plan->peer_momentum) * 2 / layer->units / layer->message->images;

    if (weight == 0 || layer->peer_mean == NULL)
        return;
    ff_layer_run(layer, layer->kind->items(layer), layer->kind->peers);
    for (uint32_t unit = 0; unit < layer->units; unit++)
        mean += (double)layer->peer_mean[unit] / layer->units;
    for (uint32_t unit = 0; unit < layer->units; unit++)
        layer->peer_pull[unit] = (float)(scale * ((double)layer->peer_mean[unit] - mean));
}

static void catch_up(struct ff_layer *layer)
{
    if (layer->due)
        layer->kind->catch_up(layer);
    layer->due = false;
}

/* Every AVERAGE_STEPS steps; at first in large strides, so that the average is not long about the first weights,
 * which it does not begin with either. With batch normalization it lengthens slowly, (1 + step) / (10 + step) a
 * step at most: its running figures are of the last few batches, and would not go with much older weights. */
enum { AVERAGE_STEPS = 10, AVERAGE_WARM_UP = 200 };

float ff_layer_average_share(const struct ff_layer *layer)
{
    uint64_t step = layer->message->step;
    double decay = layer->config.average;

    if (layer->config.average == 0)
        return 0;
    if (step <= AVERAGE_STEPS)
        return 1;
    if (step % AVERAGE_STEPS != 0)
        return 0;
    if (step <= AVERAGE_WARM_UP)
        return 0.5f;
    if (layer->config.batch_normalization)
        decay = fmin(decay, (1 + (double)step) / (10 + (double)step));
    return (float)(1 - pow(decay, AVERAGE_STEPS));
}

static size_t gradient_items(const struct ff_layer *layer)
{
    return layer->kind->gradient_items != NULL ? layer->kind->gradient_items(layer) : layer->kind->items(layer);
}

static size_t weight_items(const struct ff_layer *layer)
{
    return layer->kind->weight_items != NULL ? layer->kind->weight_items(layer) : layer->kind->items(layer);
}

/* The activities, and every row's sums of squares. */
static void go_forward(struct ff_layer *layer)
{
    size_t items = layer->kind->items(layer);

    ff_layer_run(layer, items, layer->kind->forward);
    if (!layer->meets)
        return;
    layer->kind->meet(layer);
    ff_layer_run(layer, items, layer->kind->finish);
}

/* The weights' step; and what the next layer sees, unless the rows are still to be divided by their norm. */
static void take_step(struct ff_layer *layer)
{
    bool again = layer->config.forward_after_update && ff_layer_is_read(layer);

    if (layer->kind->weigh != NULL)
        layer->kind->weigh(layer);
    ff_layer_run(layer, gradient_items(layer), layer->kind->gradient);
    if (layer->kind->apply == NULL)
        return;
    ff_layer_run(layer, weight_items(layer), layer->kind->apply);
    if (!again)
        return;
    layer->kind->prepare(layer);
    go_forward(layer);
}

static void train(struct ff_layer *layer, struct ff_message *message)
{
    float *goodness = ff_message_goodness(message, layer->plan, layer->index, 0);

    layer->update = ff_optimizer_update(&layer->config, layer->index, message->rate, message->step);
    layer->bias_update = layer->update;
    layer->bias_update.keep = 1;
    layer->drop_units = layer->config.dropout.units;
    if (layer->index > 0 && layer->config.dropout.inputs > 0)
        ff_layer_drop_inputs(layer);
    layer->kind->prepare(layer);
    if (!layer->puts_off)
        catch_up(layer);
    go_forward(layer);
    if (!ff_layer_sum_goodness(layer, goodness)) {
        message->failed_layer = (int32_t)layer->index;
        return;
    }
    ff_layer_apply_objective(layer, goodness, &message->loss[layer->index]);
    pull_to_peers(layer);
    take_step(layer);
    if (layer->puts_off)
        layer->kind->put_off(layer);
    layer->due = layer->puts_off;
    if ((layer->approach = ff_layer_average_share(layer)) > 0) {
        catch_up(layer);
        ff_layer_run(layer, weight_items(layer), layer->kind->average);
    }
    if (layer->config.forward_after_update && layer->config.normalize != FF_NORMALIZE_NONE &&
        ff_layer_is_read(layer)) {
        ff_layer_sum_goodness(layer, NULL);
        ff_layer_run(layer, layer->kind->items(layer), layer->kind->normalize);
    }
    pass_on(layer);
}

static void forward(struct ff_layer *layer, struct ff_message *message)
{
    catch_up(layer);
    layer->drop_units = 0;
    layer->kind->prepare(layer);
    go_forward(layer);
    if (!ff_layer_sum_goodness(layer, ff_message_goodness(message, layer->plan, layer->index, 0))) {
        message->failed_layer = (int32_t)layer->index;
        return;
    }
    if (layer->config.normalize != FF_NORMALIZE_NONE && ff_layer_is_read(layer))
        ff_layer_run(layer, layer->kind->items(layer), layer->kind->normalize);
    pass_on(layer);
}

/* GET and SET of a tensor, or SET of the live settings. */
static void copy_range(struct ff_layer *layer, struct ff_message *message)
{
    const struct ff_range *range = &message->range;
    struct ff_tensor *tensor = &layer->tensors[range->tensor];

    catch_up(layer);
    if (message->config != NULL) {
        layer->config = *message->config;
        layer->objective = ff_objective_of(&layer->config, layer->index);
    } else if (range->layer == layer->index && message->kind == FF_SET) {
        ff_tensor_put(tensor, range->offset, range->count, message->x);
    } else if (range->layer == layer->index && range->by_columns) {
        ff_tensor_take_columns(tensor, range->offset, range->count, message->x);
    } else if (range->layer == layer->index) {
        ff_tensor_take(tensor, range->offset, range->count, message->x);
    }
}

void ff_layer_handle(struct ff_layer *layer, struct ff_message *message, struct ff_workspace *workspace)
{
    if (message->failed_layer >= 0)
        return;
    layer->message = message;
    layer->workspace = workspace;
    switch (message->kind) {
    case FF_TRAIN:
        if (layer->kind->train != NULL)
            layer->kind->train(layer);
        else
            train(layer, message);
        break;
    case FF_FORWARD:
        if (layer->kind->pass != NULL)
            layer->kind->pass(layer);
        else
            forward(layer, message);
        break;
    case FF_GET:
    case FF_SET:
        copy_range(layer, message);
        break;
    case FF_STOP:
        break;
    }
}

void ff_layer_back(struct ff_layer *layer, struct ff_message *message, struct ff_workspace *workspace)
{
    if (message->failed_layer >= 0)
        return;
    layer->message = message;
    layer->workspace = workspace;
    layer->kind->back(layer);
}

void ff_layer_destroy(struct ff_layer *layer)
{
    if (layer != NULL)
        layer->kind->destroy(layer);
}
