#include "convolution_internal.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

/* --- what the kernel sees --- */

/* Layer 0: the image of a row, with the row's label over its first pixels where pairs show one. */
static const float *image_of(const struct ff_convolution *conv, uint32_t row, float *labelled)
{
    const struct ff_plan *plan = conv->layer.plan;
    const struct ff_message *message = conv->layer.message;
    uint32_t index = plan->own_pixels ? row : ff_message_image(message, row), label = message->label[row];
    const float *image = message->x + (size_t)index * plan->pixels;
    float value = (float)conv->layer.config.label_scale;

    if (plan->labels == 0)
        return image;
    memcpy(labelled, image, plan->pixels * sizeof *labelled);
    for (uint32_t i = 0; i < plan->labels; i++)
        labelled[i] = label == FF_EVERY_LABEL ? value / (float)plan->labels : i == label ? value : 0;
    return labelled;
}

void ff_convolution_lay_out(const struct ff_convolution *conv, struct ff_convolution_rows rows,
                            struct ff_convolution_scratch scratch)
{
    size_t entering = conv->plan->entering, places = conv->looked, stride = rows.count * places;

    for (uint32_t i = 0; i < rows.count; i++) {
        uint32_t row = rows.begin + i;

        if (conv->layer.index == 0)
            ff_patches_of_planes(&conv->patches, image_of(conv, row, scratch.image), scratch.patches + i * places,
                                 stride);
        else
            ff_patches_of_places(&conv->patches, conv->layer.message->x + row * entering,
                                 scratch.patches + i * places * conv->plan->inputs);
    }
}

/* x W at all places of some rows: [rows][looked][channels]. */
static void multiply(const struct ff_convolution *conv, struct ff_convolution_rows rows,
                     struct ff_convolution_scratch scratch, float *out)
{
    const float *weights =
        conv->layer.message->kind == FF_TRAIN ? conv->layer.weights : conv->layer.average_weights;
    int places = (int)(rows.count * conv->looked), channels = (int)conv->plan->units,
        inputs = (int)conv->plan->inputs;
    bool planes = conv->layer.index == 0;

    ff_convolution_lay_out(conv, rows, scratch);
    cblas_sgemm(CblasRowMajor, planes ? CblasTrans : CblasNoTrans, CblasNoTrans, places, channels, inputs, 1,
                scratch.patches, planes ? places : inputs, weights, channels, 0, out, channels);
}

/* The largest of every two by two places of `count` rows: [rows][pooled][channels]. */
static void pool(const struct ff_convolution *conv, const float *map, uint32_t count, float *out, uint8_t *which)
{
    const struct ff_column_kernels *columns = conv->layer.kernels->columns;
    const struct ff_layer_shape *shape = &conv->plan->shape;
    size_t channels = conv->plan->units, line = shape->map.width * channels, pooled = shape->out.width * channels;

    for (size_t row = 0; row < count; row++) {
        for (size_t y = 0; y < shape->out.height; y++) {
            const float *upper = map + (row * shape->map.height + 2 * y) * line;
            size_t at = (row * shape->out.height + y) * pooled;

            columns->pool(out + at, which != NULL ? which + at : NULL, upper, upper + line, shape->out.width,
                          channels);
        }
    }
}

/* --- activities --- */

static void sum_groups(struct ff_convolution *conv, uint32_t row, const float *squares)
{
    struct ff_layer *layer = &conv->layer;
    uint32_t groups = layer->plan->groups, size = conv->plan->units / groups;
    float *partial = layer->partial + (size_t)row * groups;

    for (uint32_t group = 0; group < groups; group++) {
        partial[group] = 0;
        for (uint32_t channel = group * size; channel < (group + 1) * size; channel++)
            partial[group] += squares[channel];
    }
    layer->whole[row] = 0; /* a convolution's rows find their norm themselves */
}

/* The activities of a row from its sums z [places][channels], and what of its squares counts, group by group. */
static void activate_row(struct ff_convolution *conv, uint32_t row, const float *z, float *out, float *squares)
{
    struct ff_layer *layer = &conv->layer;
    const struct ff_column_kernels *columns = layer->kernels->columns;
    const struct ff_column_scale scale = {conv->normalization.shift, conv->normalization.scale};
    size_t channels = conv->plan->units, bytes = channels * sizeof(float);
    struct ff_column_sums sums = {.squares = squares};

    memset(squares, 0, bytes);
    if (layer->meets) {
        sums.slopes = memset(conv->slopes + row * channels, 0, bytes);
        sums.tilts = memset(conv->tilts + row * channels, 0, bytes);
    }
    (layer->config.activation == FF_RELU ? columns->relu : columns->tanh)(out, channels, z, channels, &scale, &sums,
                                                                          conv->places, channels);
    ff_layer_mask_units(layer, row, 0, channels, squares);
    sum_groups(conv, row, squares);
}

/* --- phases --- */

void ff_convolution_prepare(struct ff_layer *layer)
{
    struct ff_convolution *conv = (struct ff_convolution *)layer;
    bool trains = layer->message->kind == FF_TRAIN;
    const float *bias = trains ? layer->bias : layer->average_bias;

    layer->meets = conv->normalizes && trains;
    if (conv->normalizes && !trains)
        ff_normalization_use(&conv->normalization, false, 0, conv->plan->units);
    for (uint32_t channel = 0; layer->trains_bias && channel < conv->plan->units; channel++)
        conv->normalization.shift[channel] = -bias[channel];
}

/* Mean of every channel over a tile, and the squares around it. */
static void note_tile(struct ff_convolution *conv, size_t item, struct ff_convolution_rows rows)
{
    const struct ff_kernels *kernels = conv->layer.kernels;
    size_t channels = conv->plan->units, places = (size_t)rows.count * conv->places;
    const float *z = conv->kept + (size_t)rows.begin * conv->places * channels;
    float *mean = conv->tile_sums + item * 2 * channels, *spread = mean + channels;

    memset(mean, 0, 2 * channels * sizeof *mean);
    kernels->columns->sum(mean, z, channels, places, channels);
    kernels->scale(mean, 1 / (float)places, channels);
    kernels->columns->spread(spread, z, channels, mean, places, channels);
}

/* Training with batch normalization: z, pooled, of a tile. */
static void sum_tile(struct ff_convolution *conv, size_t item, struct ff_convolution_rows rows,
                     struct ff_convolution_scratch scratch)
{
    size_t at = (size_t)rows.begin * conv->places * conv->plan->units;

    multiply(conv, rows, scratch, conv->pools ? scratch.map : conv->kept + at);
    if (conv->pools)
        pool(conv, scratch.map, rows.count, conv->kept + at, conv->which + at);
    note_tile(conv, item, rows);
}

/* The sums' place: kept for the gradient, where the activities come to lie, or, where pooling is still to come, in
 * scratch. */
static float *sums_of(const struct ff_convolution *conv, struct ff_convolution_rows rows,
                      struct ff_convolution_scratch scratch, float *out)
{
    if (conv->layer.message->kind == FF_TRAIN)
        return conv->kept + (size_t)rows.begin * conv->places * conv->plan->units;
    return conv->pools ? scratch.map : out;
}

/* Where nothing of the whole batch is needed: from the product to what leaves. */
static void pass_tile(struct ff_convolution *conv, struct ff_convolution_rows rows,
                      struct ff_convolution_scratch scratch)
{
    size_t row_floats = (size_t)conv->places * conv->plan->units;
    float *out = conv->layer.workspace->spare + (size_t)rows.begin * conv->plan->width,
          *sums = sums_of(conv, rows, scratch, out), *activities = conv->pools ? scratch.map : out;

    multiply(conv, rows, scratch, sums);
    if (conv->pools && conv->normalizes) { /* and so not in training */
        pool(conv, sums, rows.count, out, NULL);
        sums = activities = out;
    }
    for (uint32_t i = 0; i < rows.count; i++)
        activate_row(conv, rows.begin + i, sums + i * row_floats, activities + i * row_floats, scratch.units);
    if (conv->pools && !conv->normalizes)
        pool(conv, activities, rows.count, out, NULL);
}

void ff_convolution_forward(struct ff_layer *layer, size_t item, unsigned worker)
{
    struct ff_convolution *conv = (struct ff_convolution *)layer;
    struct ff_convolution_scratch scratch = ff_convolution_cut_scratch(conv, layer->workspace->scratch[worker]);

    if (layer->meets)
        sum_tile(conv, item, ff_convolution_item(conv, item), scratch);
    else
        pass_tile(conv, ff_convolution_item(conv, item), scratch);
}

/* The tiles' means and squares around them become the batch's (Chan, Golub and LeVeque 1979), in the tiles' order.
 */
void ff_convolution_meet(struct ff_layer *layer)
{
    struct ff_convolution *conv = (struct ff_convolution *)layer;
    uint32_t channels = conv->plan->units;
    size_t tiles = ff_convolution_tiles(conv, ff_message_labelled(conv->layer.message));

    for (uint32_t channel = 0; channel < channels; channel++) {
        double places = 0, mean = 0, spread = 0;

        for (size_t tile = 0; tile < tiles; tile++) {
            const float *sums = conv->tile_sums + tile * 2 * channels + channel;
            double more = (double)ff_convolution_item(conv, tile).count * conv->places,
                   apart = (double)sums[0] - mean;

            spread += (double)sums[channels] + apart * apart * places * more / (places + more);
            mean += apart * more / (places + more);
            places += more;
        }
        conv->normalization.batch_mean[channel] = (float)mean;
        conv->normalization.batch_variance[channel] = (float)(spread / places);
    }
    ff_normalization_use(&conv->normalization, true, 0, channels);
}

void ff_convolution_finish(struct ff_layer *layer, size_t item, unsigned worker)
{
    struct ff_convolution *conv = (struct ff_convolution *)layer;
    struct ff_convolution_scratch scratch = ff_convolution_cut_scratch(conv, layer->workspace->scratch[worker]);
    struct ff_convolution_rows rows = ff_convolution_item(conv, item);
    size_t row_floats = (size_t)conv->places * conv->plan->units;

    for (uint32_t row = rows.begin; row < rows.begin + rows.count; row++)
        activate_row(conv, row, conv->kept + row * row_floats, layer->workspace->spare + row * row_floats,
                     scratch.units);
}

/* --- what the next layer sees --- */

static void divide_row(const struct ff_kernels *kernels, float *x, size_t n)
{
    kernels->scale(x, 1 / (sqrtf(kernels->dot(x, x, n) / (float)n) + FF_NORM_EPSILON), n);
}

static void divide_places(const struct ff_kernels *kernels, float *x, uint32_t places, size_t channels)
{
    for (uint32_t place = 0; place < places; place++, x += channels)
        kernels->scale(x, 1 / sqrtf(kernels->dot(x, x, channels) / (float)channels + FF_CHANNEL_EPSILON), channels);
}

void ff_convolution_normalize_rows(struct ff_convolution *conv, struct ff_convolution_rows rows)
{
    const struct ff_layer *layer = &conv->layer;

    for (uint32_t row = rows.begin; row < rows.begin + rows.count; row++) {
        float *x = layer->workspace->spare + (size_t)row * conv->plan->width;

        if (layer->config.normalize == FF_NORMALIZE_RMS)
            divide_row(layer->kernels, x, conv->plan->width);
        else if (layer->config.normalize == FF_NORMALIZE_CHANNEL_RMS)
            divide_places(layer->kernels, x, conv->pooled, conv->plan->units);
    }
}

void ff_convolution_normalize(struct ff_layer *layer, size_t item, unsigned worker)
{
    struct ff_convolution *conv = (struct ff_convolution *)layer;

    (void)worker;
    ff_convolution_normalize_rows(conv, ff_convolution_item(conv, item));
}
