#include "convolution_internal.h"

#include <stdlib.h>
#include <string.h>

/* What a tile's patches and products are to fit into: half of a core's second-level cache, as those are today. */
static const size_t tile_bytes = 1 << 20;
/* Shares of a batch's gradient: enough for the threads of a team, and few enough for memory. */
enum { SHARES_MIN = 2, SHARES_MAX = 12 };
static const size_t shares_bytes = 32 << 20;

static uint32_t at_least_one(size_t count)
{
    return count > 1 ? (uint32_t)count : 1;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t places_of(struct ff_shape shape)
{
    return shape.height * shape.width;
}

/* --- how the work is cut: by shape alone --- */

static uint32_t tile_rows(const struct ff_plan *plan, uint32_t index)
{
    const struct ff_layer_plan *layer = &plan->layer[index];
    size_t row = (size_t)places_of(layer->shape.map) * ((size_t)layer->inputs + layer->units) * sizeof(float);

    return smaller(at_least_one(tile_bytes / row), plan->max_rows);
}

static size_t gradient_floats(const struct ff_plan *plan, uint32_t index)
{
    const struct ff_layer_plan *layer = &plan->layer[index];

    return ((size_t)layer->inputs + 1) * layer->units;
}

static uint32_t gradient_shares(const struct ff_plan *plan, uint32_t index)
{
    size_t shares = shares_bytes / (gradient_floats(plan, index) * sizeof(float));

    shares = shares < SHARES_MIN ? SHARES_MIN : shares > SHARES_MAX ? SHARES_MAX : shares;
    return smaller((uint32_t)shares, plan->train_rows);
}

uint32_t ff_convolution_tiles(const struct ff_convolution *conv, uint32_t rows)
{
    return (rows + conv->tile - 1) / conv->tile;
}

struct ff_convolution_rows ff_convolution_tile(const struct ff_convolution *conv, uint32_t begin, uint32_t end)
{
    return (struct ff_convolution_rows){begin, smaller(conv->tile, end - begin)};
}

struct ff_convolution_rows ff_convolution_item(const struct ff_convolution *conv, size_t item)
{
    uint32_t labelled = ff_message_labelled(conv->layer.message), tiles = ff_convolution_tiles(conv, labelled);

    if (item < tiles)
        return ff_convolution_tile(conv, (uint32_t)item * conv->tile, labelled);
    return ff_convolution_tile(conv, labelled + ((uint32_t)item - tiles) * conv->tile, conv->layer.message->rows);
}

uint32_t ff_convolution_share_rows(const struct ff_convolution *conv)
{
    return (ff_message_labelled(conv->layer.message) + conv->gradient_shares - 1) / conv->gradient_shares;
}

uint32_t ff_convolution_shares(const struct ff_convolution *conv)
{
    uint32_t rows = ff_convolution_share_rows(conv);

    return (ff_message_labelled(conv->layer.message) + rows - 1) / rows;
}

size_t ff_convolution_weights(const struct ff_convolution *conv)
{
    return (size_t)conv->plan->inputs * conv->plan->units;
}

/* Tiles of the rows that are trained on, and of neutral rows apart, so that those change no bit of the others. */
static size_t items(const struct ff_layer *layer)
{
    const struct ff_convolution *conv = (const struct ff_convolution *)layer;

    return ff_convolution_tiles(conv, ff_message_labelled(conv->layer.message)) +
           ff_convolution_tiles(conv, layer->message->neutral);
}

/* Shares of the gradient; and neutral rows, which have none, but are normalized with the others. */
static size_t gradient_items(const struct ff_layer *layer)
{
    const struct ff_convolution *conv = (const struct ff_convolution *)layer;

    return ff_convolution_shares(conv) + ff_convolution_tiles(conv, layer->message->neutral);
}

/* Stretches of the weights, and one for the bias. */
static size_t weight_items(const struct ff_layer *layer)
{
    const struct ff_convolution *conv = (const struct ff_convolution *)layer;

    return (ff_convolution_weights(conv) + FF_CONVOLUTION_STRETCH - 1) / FF_CONVOLUTION_STRETCH +
           conv->layer.trains_bias;
}

static const size_t line = 16; /* floats in a cache line */

static size_t scratch_floats(const struct ff_layer *layer)
{
    const struct ff_convolution *conv = (const struct ff_convolution *)layer;
    size_t tile = (size_t)conv->tile * conv->looked;

    return tile * conv->plan->inputs + tile * conv->plan->units +
           (size_t)conv->patches.columns * conv->plan->units + layer->plan->pixels + FF_CONVOLUTION_STRETCH +
           4 * (size_t)conv->plan->units + 6 * line;
}

/* The next stretch of `*memory`, from a cache line on. */
static float *cut(float **memory, size_t floats)
{
    float *stretch = *memory;

    *memory += (floats + line - 1) / line * line;
    return stretch;
}

struct ff_convolution_scratch ff_convolution_cut_scratch(const struct ff_convolution *conv, float *memory)
{
    size_t tile = (size_t)conv->tile * conv->looked;
    struct ff_convolution_scratch scratch = {.patches = cut(&memory, tile * conv->plan->inputs)};

    scratch.map = cut(&memory, tile * conv->plan->units);
    scratch.line = cut(&memory, (size_t)conv->patches.columns * conv->plan->units);
    scratch.image = cut(&memory, conv->layer.plan->pixels);
    scratch.stretch = cut(&memory, FF_CONVOLUTION_STRETCH);
    scratch.units = cut(&memory, 4 * (size_t)conv->plan->units);
    return scratch;
}

/* --- tensors --- */

static uint32_t statistics(const struct ff_plan *plan)
{
    return plan->config.batch_normalization ? FF_NORMALIZATION_TENSORS : 0;
}

static struct ff_tensor_form statistic(const struct ff_plan *plan, uint32_t layer, uint32_t index)
{
    return ff_normalization_tensor(index, plan->layer[layer].units);
}

static void average(struct ff_layer *layer, size_t item, unsigned worker)
{
    struct ff_convolution *conv = (struct ff_convolution *)layer;
    size_t from = item * FF_CONVOLUTION_STRETCH, weights = ff_convolution_weights(conv),
           left = from < weights ? weights - from : 0;

    (void)worker;
    if (left == 0)
        layer->kernels->approach(conv->layer.average_bias, conv->layer.bias, layer->approach, conv->plan->units);
    else
        layer->kernels->approach(conv->layer.average_weights + from, conv->layer.weights + from, layer->approach,
                                 left < FF_CONVOLUTION_STRETCH ? left : FF_CONVOLUTION_STRETCH);
}

/* --- a layer's life --- */

/* Of what is kept of a batch: all in floats. */
struct kept {
    size_t sums, which, tile_sums, slopes, gradient;
};

static struct kept kept_of(const struct ff_plan *plan, uint32_t index)
{
    const struct ff_layer_plan *layer = &plan->layer[index];
    bool normalizes = plan->config.batch_normalization;
    size_t tile = tile_rows(plan, index), rows = plan->train_rows, units = layer->units,
           places = places_of(normalizes ? layer->shape.out : layer->shape.map);

    return (struct kept){.sums = rows * places * units,
                         .which = normalizes && plan->config.layers[index].pool
                                      ? (rows * places * units + sizeof(float) - 1) / sizeof(float)
                                      : 0,
                         .tile_sums = normalizes ? (rows / tile + 2) * 2 * units : 0,
                         .slopes = normalizes ? 2 * rows * units : 0,
                         .gradient = gradient_shares(plan, index) * gradient_floats(plan, index)};
}

static size_t kept_floats(const struct ff_plan *plan, uint32_t index)
{
    struct kept kept = kept_of(plan, index);

    return kept.sums + kept.which + kept.tile_sums + kept.slopes + kept.gradient;
}

static bool make_memory(struct ff_convolution *conv)
{
    struct kept kept = kept_of(conv->layer.plan, conv->layer.index);

    conv->kept = ff_floats(kept.sums);
    conv->which = (uint8_t *)ff_floats(kept.which);
    conv->tile_sums = ff_floats(kept.tile_sums);
    conv->slopes = ff_floats(kept.slopes);
    conv->tilts = conv->slopes + kept.slopes / 2;
    conv->gradient = ff_floats(kept.gradient);
    return conv->kept && conv->which && conv->tile_sums && conv->slopes && conv->gradient;
}

static void destroy(struct ff_layer *layer)
{
    struct ff_convolution *conv = (struct ff_convolution *)layer;

    ff_layer_end(layer);
    ff_normalization_destroy(&conv->normalization);
    free(conv->kept);
    free(conv->which);
    free(conv->tile_sums);
    free(conv->slopes);
    free(conv->gradient);
    free(layer);
}

static void describe(struct ff_convolution *conv)
{
    const struct ff_plan *plan = conv->layer.plan;
    const struct ff_layer_config *config = &plan->config.layers[conv->layer.index];
    const struct ff_layer_shape *shape = &conv->plan->shape;

    conv->patches = (struct ff_patches){shape->in,       config->kernel,    config->stride,
                                        config->padding, shape->map.height, shape->map.width};
    conv->pools = config->pool;
    conv->normalizes = plan->config.batch_normalization;
    conv->looked = places_of(shape->map);
    conv->pooled = places_of(shape->out);
    conv->places = conv->normalizes ? conv->pooled : conv->looked;
    conv->tile = tile_rows(plan, conv->layer.index);
    conv->gradient_shares = gradient_shares(plan, conv->layer.index);
}

static struct ff_layer *create(const struct ff_plan *plan, uint32_t index, struct ff_error *error)
{
    struct ff_convolution *conv = calloc(1, sizeof *conv);
    struct ff_layer *layer;

    if (conv == NULL) {
        ff_fail_memory(error, "a layer");
        return NULL;
    }
    layer = &conv->layer;
    ff_layer_start(layer, &ff_convolution_methods, plan, index);
    conv->plan = &plan->layer[index];
    describe(conv);
    if (!ff_layer_make_tensors(layer, layer->units) || !ff_layer_make_rows(layer, 1) ||
        !ff_layer_draw_weights(layer, (double)conv->patches.kernel * conv->patches.kernel * layer->units) ||
        !make_memory(conv) ||
        !ff_normalization_create(&conv->normalization, layer->units, layer->statistics[0], layer->statistics[1])) {
        ff_fail_memory(error, "a layer's weights");
        destroy(layer);
        return NULL;
    }
    return layer;
}

const struct ff_layer_kind_methods ff_convolution_methods = {.statistics = statistics,
                                                             .statistic = statistic,
                                                             .create = create,
                                                             .scratch = scratch_floats,
                                                             .kept = kept_floats,
                                                             .items = items,
                                                             .gradient_items = gradient_items,
                                                             .weight_items = weight_items,
                                                             .prepare = ff_convolution_prepare,
                                                             .forward = ff_convolution_forward,
                                                             .meet = ff_convolution_meet,
                                                             .finish = ff_convolution_finish,
                                                             .weigh = ff_convolution_weigh,
                                                             .gradient = ff_convolution_gradient,
                                                             .apply = ff_convolution_apply,
                                                             .average = average,
                                                             .normalize = ff_convolution_normalize,
                                                             .destroy = destroy};
