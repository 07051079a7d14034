/* From a layer's sums of squares to goodness, and from goodness to loss and coefficients. */
#include "layer.h"

#include <math.h>

/* One row's sums of squares, group by group; returns all of them. */
static float sum_row(const struct ff_layer *layer, uint32_t row, float *goodness)
{
    const struct ff_plan *plan = layer->plan;
    bool mean = layer->config.goodness == FF_GOODNESS_MEAN;
    uint32_t squares = plan->layer[layer->index].squares / plan->groups; /* groups are of equal size */
    float total = 0;

    for (uint32_t group = 0; group < plan->groups; group++) {
        float sum = 0;

        for (size_t part = 0; part < layer->parts; part++)
            sum += layer->partial[(part * plan->max_rows + row) * plan->groups + group];
        if (goodness != NULL)
            goodness[row * plan->groups + group] = mean ? sum / (float)squares : sum;
        total += sum;
    }
    return total;
}

/* What a row is normalized by counts all units. */
static float whole_sum(const struct ff_layer *layer, uint32_t row)
{
    float sum = 0;

    for (size_t part = 0; part < layer->parts; part++)
        sum += layer->whole[part * layer->plan->max_rows + row];
    return sum;
}

/* What a dense layer's row is multiplied by, from the sum of its squares. Its units are the channels of one place.
 */
static float inverse_norm(const struct ff_layer *layer, float sum)
{
    float mean = sum / (float)layer->units;

    switch (layer->config.normalize) {
    case FF_NORMALIZE_RMS:
        return 1 / (sqrtf(mean) + FF_NORM_EPSILON);
    case FF_NORMALIZE_CHANNEL_RMS:
        return 1 / sqrtf(mean + FF_CHANNEL_EPSILON);
    case FF_NORMALIZE_NONE:
        break;
    }
    return 1;
}

bool ff_layer_sum_goodness(struct ff_layer *layer, float *goodness)
{
    bool finite = true;

    for (uint32_t row = 0; row < layer->message->rows; row++) {
        float sum = sum_row(layer, row, goodness);

        finite &= isfinite(sum) != 0;
        if (layer->drop_units > 0)
            sum = whole_sum(layer, row);
        layer->inverse_norm[row] = inverse_norm(layer, sum);
    }
    return finite;
}

/* dloss / d(sum of squares) for dloss / dgoodness = 1: dz = coefficient * a * f'(a). */
static double coefficient_scale(const struct ff_layer *layer)
{
    double squares = (double)layer->plan->layer[layer->index].squares / layer->plan->groups;

    return (layer->config.goodness == FF_GOODNESS_MEAN ? 2 / squares : 2) / layer->message->images;
}

/* Every pair's loss, and every row's coefficient. */
static double apply_to_pairs(struct ff_layer *layer, const float *goodness)
{
    const struct ff_message *message = layer->message;
    double scale = coefficient_scale(layer), sum = 0;

    for (uint32_t row = 0; row < ff_message_labelled(message); row += message->rows_per_image) {
        struct ff_pair_loss pair = ff_objective_pair(&layer->objective, goodness[row], goodness[row + 1]);

        sum += pair.loss;
        layer->coefficient[row] = (float)(pair.positive * scale);
        layer->coefficient[row + 1] = (float)(pair.negative * scale);
    }
    return sum;
}

/* Every image's loss, and every group's coefficient. */
static double apply_to_groups(struct ff_layer *layer, const float *goodness)
{
    const struct ff_message *message = layer->message;
    uint32_t groups = layer->plan->groups;
    double scale = coefficient_scale(layer), sum = 0, derivative[FF_CLASSES_MAX];

    for (uint32_t row = 0; row < message->rows; row++) {
        sum += ff_objective_groups(&layer->objective, goodness + (size_t)row * groups, groups, message->truth[row],
                                   layer->config.label_smoothing, derivative);
        for (uint32_t group = 0; group < groups; group++)
            layer->coefficient[(size_t)row * groups + group] = (float)(derivative[group] * scale);
    }
    return sum;
}

void ff_layer_apply_objective(struct ff_layer *layer, const float *goodness, double *mean_loss)
{
    double sum = layer->plan->groups > 1 ? apply_to_groups(layer, goodness) : apply_to_pairs(layer, goodness);

    *mean_loss = sum / layer->message->images;
}
