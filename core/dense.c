#include "dense_internal.h"

#include <stdlib.h>
#include <string.h>

static size_t scratch_rows(const struct ff_dense *dense)
{
    const struct ff_plan *plan = dense->layer.plan;

    return dense->shares ? plan->max_images : plan->max_rows;
}

static size_t scratch_floats(const struct ff_layer *layer)
{
    const struct ff_dense *dense = (const struct ff_dense *)layer;
    size_t labels = dense->first ? layer->plan->labels : 0;

    return (scratch_rows(dense) + FF_PANEL_BLOCK + labels + 2) * dense->layer.panel;
}

struct ff_dense_scratch ff_dense_cut_scratch(const struct ff_dense *dense, float *memory)
{
    struct ff_dense_scratch scratch = {.rows = memory};

    scratch.block = scratch.rows + scratch_rows(dense) * dense->layer.panel;
    scratch.labels = scratch.block + (size_t)FF_PANEL_BLOCK * dense->layer.panel;
    scratch.row = scratch.labels + (dense->first ? (size_t)dense->layer.plan->labels * dense->layer.panel : 0);
    scratch.row2 = scratch.row + dense->layer.panel;
    return scratch;
}

static size_t items(const struct ff_layer *layer)
{
    return layer->panels;
}

uint32_t ff_dense_group_end(const struct ff_layer *layer, uint32_t unit, uint32_t end)
{
    uint32_t units = layer->units / layer->plan->groups, group = unit / units;

    return (group + 1) * units < end ? (group + 1) * units : end;
}

void ff_dense_mean_label(const struct ff_dense *dense, struct ff_panel panel, float *mean)
{
    const struct ff_layer *layer = &dense->layer;
    uint32_t labels = dense->first ? layer->plan->labels : 0;

    memset(mean, 0, panel.count * sizeof *mean);
    for (uint32_t label = 0; label < labels; label++)
        layer->kernels->add(mean, ff_dense_forward_weights(dense, label, panel), panel.count);
    if (labels > 0)
        layer->kernels->scale(mean, 1 / (float)labels, panel.count);
}

const float *ff_dense_label_weights(const struct ff_dense *dense, uint32_t row, struct ff_panel panel,
                                    const float *mean)
{
    uint32_t label = dense->layer.message->label[row];

    if (!dense->first || dense->layer.plan->labels == 0)
        return NULL;
    return label == FF_EVERY_LABEL ? mean : ff_dense_forward_weights(dense, label, panel);
}

/* The sums of squares that count, where units are left out. */
static void mask_sums(const struct ff_layer *layer, uint32_t row, struct ff_panel panel, float *partial)
{
    const float *activities = ff_dense_activities(layer, row, panel);
    uint32_t groups = layer->plan->groups, end = panel.begin + panel.count;
    float masked[FF_PANEL_MAX];

    memcpy(masked, activities, panel.count * sizeof *masked);
    ff_layer_mask_units(layer, row, panel.begin, panel.count, masked);
    for (uint32_t unit = panel.begin, next; unit < end; unit = next) {
        uint32_t at = unit - panel.begin;

        next = ff_dense_group_end(layer, unit, end);
        partial[unit / (layer->units / groups)] = layer->kernels->dot(masked + at, activities + at, next - unit);
    }
}

/* One row at a panel, group by group. Returns its sum of squares. */
static float finish_row(struct ff_dense *dense, uint32_t row, struct ff_panel panel, const float *product,
                        const float *label, float *partial)
{
    struct ff_layer *layer = &dense->layer;
    const float *bias = layer->message->kind == FF_TRAIN ? dense->layer.bias : dense->layer.average_bias;
    float *activities = ff_dense_activities(layer, row, panel), whole = 0;
    uint32_t groups = layer->plan->groups, end = panel.begin + panel.count;

    if (groups > 1)
        memset(partial, 0, groups * sizeof *partial);
    for (uint32_t unit = panel.begin, next; unit < end; unit = next) {
        uint32_t at = unit - panel.begin;
        float sum;

        next = ff_dense_group_end(layer, unit, end);
        sum = ff_dense_activate(layer, activities + at, product + at, bias + unit,
                                label != NULL ? label + at : NULL, next - unit);
        whole += sum;
        partial[unit / (layer->units / groups)] = sum;
    }
    if (layer->drop_units > 0)
        mask_sums(layer, row, panel, partial);
    return whole;
}

void ff_dense_finish_rows(struct ff_dense *dense, size_t item, struct ff_panel panel, const float *product,
                          size_t stride)
{
    struct ff_layer *layer = &dense->layer;
    const struct ff_plan *plan = layer->plan;
    const struct ff_message *message = layer->message;
    bool every = message->label[message->rows - 1] == FF_EVERY_LABEL;
    float mean[FF_PANEL_MAX];

    if (every)
        ff_dense_mean_label(dense, panel, mean);
    for (uint32_t row = message->rows; row-- > 0;) { /* the product may lie in its image's first row */
        size_t from = dense->shares ? ff_message_image(message, row) : row, place = item * plan->max_rows + row;

        layer->whole[place] =
            finish_row(dense, row, panel, product + from * stride, ff_dense_label_weights(dense, row, panel, mean),
                       layer->partial + place * plan->groups);
    }
}

/* What pulls a unit towards the units' mean activity, through the activation; only data that are positive feel it.
 */
static void add_peer_pull(const struct ff_layer *layer, float *delta, uint32_t row, struct ff_panel panel)
{
    const float *activities = ff_dense_activities(layer, row, panel);
    const float *pull = layer->peer_pull + panel.begin;

    if (layer->message->role[row] != FF_POSITIVE)
        return;
    for (uint32_t unit = 0; unit < panel.count; unit++) {
        float a = activities[unit], slope = layer->config.activation == FF_RELU ? (a > 0 ? 1.0f : 0.0f) : 1 - a * a;

        delta[unit] += pull[unit] * slope;
    }
}

void ff_dense_delta(const struct ff_layer *layer, float *delta, uint32_t row, struct ff_panel panel)
{
    const float *activities = ff_dense_activities(layer, row, panel);
    uint32_t groups = layer->plan->groups, end = panel.begin + panel.count;

    if (layer->config.batch_normalization) {
        ff_dense_normalized_delta((const struct ff_dense *)layer, delta, row, panel);
        return;
    }
    for (uint32_t unit = panel.begin, next; unit < end; unit = next) {
        float coefficient = layer->coefficient[(size_t)row * groups + unit / (layer->units / groups)];
        uint32_t at = unit - panel.begin;

        next = ff_dense_group_end(layer, unit, end);
        if (layer->config.activation == FF_RELU)
            layer->kernels->relu_delta(delta + at, activities + at, coefficient, next - unit);
        else
            layer->kernels->tanh_delta(delta + at, activities + at, coefficient, next - unit);
    }
    ff_layer_mask_units(layer, row, panel.begin, panel.count, delta);
    if (layer->config.peer_normalization > 0)
        add_peer_pull(layer, delta, row, panel);
}

/* The item's units' mean activities on positive data move on (Hinton 2022, section 3; the reference's order). */
static void peers(struct ff_layer *layer, size_t item, unsigned worker)
{
    struct ff_panel panel = ff_panel_at(layer, item);
    const struct ff_message *message = layer->message;
    float *mean = layer->peer_mean + panel.begin, sum[FF_PANEL_MAX] = {0};
    float keep = (float)layer->plan->peer_momentum,
          fresh = (float)((1 - layer->plan->peer_momentum) / message->images);

    (void)worker;
    for (uint32_t row = 0; row < message->rows; row++) {
        if (message->role[row] == FF_POSITIVE)
            layer->kernels->add(sum, ff_dense_activities(layer, row, panel), panel.count);
    }
    layer->kernels->scale(mean, keep, panel.count);
    layer->kernels->add_scaled(mean, sum, fresh, panel.count);
}

/* One image's pair and sgd: passes over the weights are what costs, and they can be fused. A short last batch may
 * be such a message too. */
static bool is_one_pair(const struct ff_layer *layer)
{
    return layer->message->images == 1 && layer->message->rows == 2 && layer->config.optimizer == FF_SGD &&
           !layer->plan->own_pixels && layer->config.peer_normalization == 0 && !layer->config.batch_normalization;
}

static void prepare(struct ff_layer *layer)
{
    bool trains = layer->message->kind == FF_TRAIN;

    layer->meets =
        trains && layer->index == 0 && layer->config.negatives == FF_NEGATIVES_HARD && layer->plan->labels > 0;
    layer->puts_off = trains && is_one_pair(layer);
    ff_dense_prepare_pair(layer);
}

static void finish(struct ff_layer *layer, size_t item, unsigned worker)
{
    struct ff_dense *dense = (struct ff_dense *)layer;

    (void)worker;
    if (layer->puts_off)
        ff_dense_finish_pair(dense, item, ff_panel_at(layer, item));
    else
        ff_dense_finish_batch(dense, item, ff_panel_at(layer, item));
}

static void forward(struct ff_layer *layer, size_t item, unsigned worker)
{
    struct ff_dense *dense = (struct ff_dense *)layer;
    struct ff_panel panel = ff_panel_at(layer, item);

    if (layer->puts_off)
        ff_dense_forward_pair(dense, item, panel);
    else
        ff_dense_forward_batch(dense, item, panel, ff_dense_cut_scratch(dense, layer->workspace->scratch[worker]));
}

static void average(struct ff_layer *layer, size_t item, unsigned worker)
{
    (void)worker;
    ff_panel_average(layer, ff_panel_at(layer, item));
}

static void normalize_panel(struct ff_layer *layer, struct ff_panel panel)
{
    for (uint32_t row = 0; row < layer->message->rows; row++)
        layer->kernels->scale(ff_dense_activities(layer, row, panel), layer->inverse_norm[row], panel.count);
}

static void normalize(struct ff_layer *layer, size_t item, unsigned worker)
{
    (void)worker;
    normalize_panel(layer, ff_panel_at(layer, item));
}

static void gradient(struct ff_layer *layer, size_t item, unsigned worker)
{
    struct ff_dense *dense = (struct ff_dense *)layer;
    const struct ff_config *config = &layer->config;
    struct ff_panel panel = ff_panel_at(layer, item);
    bool top = !ff_layer_is_read(layer), again = config->forward_after_update && !top;

    if (layer->puts_off) {
        ff_dense_step_pair(dense, item, panel, again);
    } else {
        ff_dense_step_batch(dense, panel, ff_dense_cut_scratch(dense, layer->workspace->scratch[worker]));
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

    ff_layer_end(layer);
    ff_dense_destroy_normalization(dense);
    free(dense->label_goodness);
    free(dense->rows_memory);
    free(dense->product);
    free(dense->x_due);
    free(dense->d_due);
    free(layer->peer_pull);
    free(layer);
}

/* The units' mean activities, which peer normalization compares; always, since it may be turned on at any step. */
static uint32_t statistics(const struct ff_plan *plan)
{
    return 1 + (plan->config.batch_normalization ? FF_NORMALIZATION_TENSORS : 0);
}

static struct ff_tensor_form statistic(const struct ff_plan *plan, uint32_t layer, uint32_t index)
{
    if (index > 0)
        return ff_normalization_tensor(index - 1, plan->layer[layer].units);
    return (struct ff_tensor_form){"peer_mean", 1, 1, plan->layer[layer].units, 0};
}

static bool create_peers(struct ff_layer *layer)
{
    layer->peer_mean = layer->statistics[0];
    layer->peer_pull = ff_floats(layer->units);
    for (uint32_t unit = 0; unit < layer->units; unit++)
        layer->peer_mean[unit] = 0.5f;
    return layer->peer_pull != NULL;
}

static struct ff_layer *create(const struct ff_plan *plan, uint32_t index, struct ff_error *error)
{
    struct ff_dense *dense = calloc(1, sizeof *dense);
    struct ff_layer *layer;

    if (dense == NULL) {
        ff_fail_memory(error, "a layer");
        return NULL;
    }
    layer = &dense->layer;
    ff_layer_start(layer, &ff_dense_methods, plan, index);
    dense->first = index == 0;
    dense->shares = dense->first && !plan->own_pixels;
    dense->image_row = dense->first ? plan->labels : 0;
    if (!ff_layer_make_tensors(layer, ff_panel_width(layer->units)) || !ff_layer_make_rows(layer, layer->panels) ||
        !ff_layer_draw_weights(layer, layer->units) || !create_peers(layer) ||
        !ff_dense_create_pair_memory(dense) || !ff_dense_create_label_goodness(dense) ||
        !ff_dense_create_normalization(dense)) {
        ff_fail_memory(error, "a layer's weights");
        destroy(layer);
        return NULL;
    }
    return layer;
}

const struct ff_layer_kind_methods ff_dense_methods = {.statistics = statistics,
                                                       .statistic = statistic,
                                                       .create = create,
                                                       .scratch = scratch_floats,
                                                       .kept = ff_dense_kept,
                                                       .items = items,
                                                       .prepare = prepare,
                                                       .meet = ff_dense_meet,
                                                       .finish = finish,
                                                       .forward = forward,
                                                       .peers = peers,
                                                       .gradient = gradient,
                                                       .average = average,
                                                       .normalize = normalize,
                                                       .put_off = ff_dense_put_off,
                                                       .catch_up = ff_dense_catch_up,
                                                       .destroy = destroy};
