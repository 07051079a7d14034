#include "convolution_internal.h"

#include <cblas.h>
#include <string.h>

#include "optimizer.h"

/* dloss / d(sum of squares) of a row, channel by channel. */
static void coefficients(const struct ff_convolution *conv, uint32_t row, float *coefficient)
{
    uint32_t groups = conv->layer.plan->groups, size = conv->plan->units / groups;

    for (uint32_t channel = 0; channel < conv->plan->units; channel++)
        coefficient[channel] = conv->layer.coefficient[(size_t)row * groups + channel / size];
    ff_layer_mask_units(&conv->layer, row, 0, conv->plan->units, coefficient);
}

/* The gradient's way through the batch's own mean and deviation: means over the batch of coefficient a f'(a), and
 * of that times y; from every row's sums, in their order. */
void ff_convolution_weigh(struct ff_layer *layer)
{
    struct ff_convolution *conv = (struct ff_convolution *)layer;
    const struct ff_kernels *kernels = layer->kernels;
    uint32_t channels = conv->plan->units, rows = ff_message_labelled(conv->layer.message);
    uint64_t places = (uint64_t)rows * conv->places;
    float *pull = conv->normalization.pull, *tilt = conv->normalization.tilt;
    struct ff_convolution_scratch scratch = ff_convolution_cut_scratch(conv, layer->workspace->scratch[0]);

    if (!conv->normalizes)
        return;
    memset(pull, 0, channels * sizeof *pull);
    memset(tilt, 0, channels * sizeof *tilt);
    for (uint32_t row = 0; row < rows; row++) {
        float *slopes = conv->slopes + (size_t)row * channels, *tilts = conv->tilts + (size_t)row * channels;

        coefficients(conv, row, scratch.units);
        kernels->multiply(slopes, scratch.units, channels);
        kernels->multiply(tilts, scratch.units, channels);
        kernels->add(pull, slopes, channels);
        kernels->add(tilt, tilts, channels);
    }
    kernels->scale(pull, 1 / (float)places, channels);
    kernels->scale(tilt, 1 / (float)places, channels);
    ff_normalization_learn(&conv->normalization, places, 0, channels);
}

/* dz of a row's line, or of all of it. */
static void make_deltas(const struct ff_convolution *conv, const float *z, const float *coefficient, size_t places,
                        float *dz)
{
    const struct ff_layer *layer = &conv->layer;
    const struct ff_column_kernels *columns = layer->kernels->columns;
    const struct ff_column_scale scale = {conv->normalization.shift, conv->normalization.scale};
    const struct ff_column_gradient gradient = {coefficient, conv->normalization.pull, conv->normalization.tilt};
    size_t channels = conv->plan->units;

    (layer->config.activation == FF_RELU ? columns->relu_gradient : columns->tanh_gradient)(
        dz, channels, z, channels, &scale, &gradient, places, channels);
}

/* dz of a row that was pooled before the activation: at the largest of four places, 0 elsewhere. */
static void make_pooled_deltas(const struct ff_convolution *conv, uint32_t row,
                               struct ff_convolution_scratch scratch, float *dz)
{
    const struct ff_layer_shape *shape = &conv->plan->shape;
    size_t channels = conv->plan->units, line = shape->map.width * channels, pooled = shape->out.width * channels;

    if (shape->map.width % 2 + shape->map.height % 2 > 0) /* the last column or row has no share */
        memset(dz, 0, shape->map.height * line * sizeof *dz);
    for (size_t y = 0; y < shape->out.height; y++) {
        size_t at = (row * (size_t)shape->out.height + y) * pooled;

        make_deltas(conv, conv->kept + at, scratch.units, shape->out.width, scratch.line);
        conv->layer.kernels->columns->unpool(dz + 2 * y * line, dz + (2 * y + 1) * line, scratch.line,
                                             conv->which + at, shape->out.width, channels);
    }
}

/* dz of a tile, [rows][looked][channels], into scratch.map. */
static void make_tile(const struct ff_convolution *conv, struct ff_convolution_rows rows,
                      struct ff_convolution_scratch scratch)
{
    for (uint32_t i = 0; i < rows.count; i++) {
        uint32_t row = rows.begin + i;
        float *dz = scratch.map + (size_t)i * conv->looked * conv->plan->units;

        coefficients(conv, row, scratch.units);
        if (conv->pools && conv->normalizes)
            make_pooled_deltas(conv, row, scratch, dz);
        else
            make_deltas(conv, conv->kept + (size_t)row * conv->places * conv->plan->units, scratch.units,
                        conv->looked, dz);
    }
}

/* A share of the weights' gradient, and the bias's: of some rows, tile by tile. */
static void sum_share(struct ff_convolution *conv, struct ff_convolution_rows share,
                      struct ff_convolution_scratch scratch, float *gradient)
{
    int channels = (int)conv->plan->units, inputs = (int)conv->plan->inputs;
    bool planes = conv->layer.index == 0;

    memset(gradient + ff_convolution_weights(conv), 0, conv->plan->units * sizeof *gradient);
    for (uint32_t begin = share.begin, end = share.begin + share.count; begin < end; begin += conv->tile) {
        struct ff_convolution_rows rows = ff_convolution_tile(conv, begin, end);
        int places = (int)(rows.count * conv->looked);

        make_tile(conv, rows, scratch);
        ff_convolution_lay_out(conv, rows, scratch);
        cblas_sgemm(CblasRowMajor, planes ? CblasNoTrans : CblasTrans, CblasNoTrans, inputs, channels, places, 1,
                    scratch.patches, planes ? places : inputs, scratch.map, channels, begin == share.begin ? 0 : 1,
                    gradient, channels);
        if (conv->layer.trains_bias)
            conv->layer.kernels->columns->sum(gradient + ff_convolution_weights(conv), scratch.map,
                                              conv->plan->units, (size_t)places, conv->plan->units);
    }
}

void ff_convolution_gradient(struct ff_layer *layer, size_t item, unsigned worker)
{
    struct ff_convolution *conv = (struct ff_convolution *)layer;
    struct ff_convolution_scratch scratch = ff_convolution_cut_scratch(conv, layer->workspace->scratch[worker]);
    size_t shares = ff_convolution_shares(conv);
    uint32_t labelled = ff_message_labelled(conv->layer.message), height = ff_convolution_share_rows(conv),
             begin = (uint32_t)item * height;
    struct ff_convolution_rows rows = {begin, labelled - begin < height ? labelled - begin : height};

    if (item < shares)
        sum_share(conv, rows, scratch, conv->gradient + item * (ff_convolution_weights(conv) + conv->plan->units));
    else
        rows = ff_convolution_item(conv, ff_convolution_tiles(conv, labelled) + item - shares);
    if (ff_layer_is_read(layer) && !layer->config.forward_after_update)
        ff_convolution_normalize_rows(conv, rows);
}

/* The shares' sum, in order, of `count` weights, or biases, from number `at` on, and the optimizer's step. */
static void apply_stretch(struct ff_convolution *conv, bool bias, size_t at, size_t count, float *sum)
{
    struct ff_layer *layer = &conv->layer;
    size_t weights = ff_convolution_weights(conv), all = weights + layer->units, from = bias ? weights + at : at;
    float *parameters = bias ? layer->bias : layer->weights,
          **states = bias ? layer->bias_state : layer->weight_state;
    float *const state[2] = {states[0] ? states[0] + at : NULL, states[1] ? states[1] + at : NULL};

    memcpy(sum, conv->gradient + from, count * sizeof *sum);
    for (uint32_t share = 1; share < ff_convolution_shares(conv); share++)
        layer->kernels->add(sum, conv->gradient + share * all + from, count);
    ff_optimizer_apply(layer->config.optimizer, layer->kernels, bias ? &layer->bias_update : &layer->update,
                       parameters + at, state, sum, count);
}

void ff_convolution_apply(struct ff_layer *layer, size_t item, unsigned worker)
{
    struct ff_convolution *conv = (struct ff_convolution *)layer;
    struct ff_convolution_scratch scratch = ff_convolution_cut_scratch(conv, layer->workspace->scratch[worker]);
    size_t weights = ff_convolution_weights(conv), from = item * FF_CONVOLUTION_STRETCH,
           end = from + FF_CONVOLUTION_STRETCH;
    bool bias = from >= weights; /* the last item: all of it, however long it is */

    end = bias ? layer->units : end < weights ? end : weights;
    for (size_t at = bias ? 0 : from; at < end; at += FF_CONVOLUTION_STRETCH)
        apply_stretch(conv, bias, at, end - at < FF_CONVOLUTION_STRETCH ? end - at : FF_CONVOLUTION_STRETCH,
                      scratch.stretch);
}
