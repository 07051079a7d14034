/* Hard negatives of a dense first layer: it has the image's product at hand, so that every label's goodness costs
 * an addition a unit. */
#include "dense_internal.h"

#include <stdlib.h>

#include "negatives.h"
#include "random.h"

bool ff_dense_create_label_goodness(struct ff_dense *dense)
{
    const struct ff_plan *plan = dense->layer.plan;
    size_t count = ((size_t)dense->layer.panels * plan->max_images + 1) * plan->classes;

    if (!dense->first || dense->layer.config.negatives != FF_NEGATIVES_HARD)
        return true;
    dense->label_goodness = malloc(count * sizeof *dense->label_goodness);
    return dense->label_goodness != NULL;
}

void ff_dense_score_labels(struct ff_dense *dense, size_t item, struct ff_panel panel, const float *product,
                           size_t stride, float *row)
{
    const struct ff_layer *layer = &dense->layer;
    uint32_t classes = layer->plan->classes;
    double *sums = dense->label_goodness + item * layer->plan->max_images * classes;

    for (uint32_t image = 0; image < layer->message->images; image++) {
        for (uint32_t label = 0; label < classes; label++)
            sums[(size_t)image * classes + label] =
                (double)ff_dense_activate(layer, row, product + image * stride, dense->layer.bias + panel.begin,
                                          ff_dense_weights(dense, label, panel), panel.count);
    }
}

/* Every pair's wrong label, drawn from what the layer makes of the image at this moment. */
void ff_dense_meet(struct ff_layer *layer)
{
    struct ff_dense *dense = (struct ff_dense *)layer;
    const struct ff_plan *plan = layer->plan;
    struct ff_message *message = layer->message;
    double *scores = dense->label_goodness + (size_t)dense->layer.panels * plan->max_images * plan->classes;
    double hardness = layer->config.negative_hardness;

    if (layer->config.goodness == FF_GOODNESS_MEAN)
        hardness /= layer->units;
    for (uint32_t image = 0; image < message->images; image++) {
        double u =
            (double)ff_random_uniform(layer->config.seed, FF_RANDOM_HARD, message->epoch, message->sample[image]);

        for (uint32_t label = 0; label < plan->classes; label++) {
            double sum = 0;

            for (uint32_t item = 0; item < dense->layer.panels; item++)
                sum += dense->label_goodness[((size_t)item * plan->max_images + image) * plan->classes + label];
            scores[label] = hardness * sum;
        }
        message->label[image * message->rows_per_image + 1] =
            (uint16_t)ff_hard_negative(scores, plan->classes, message->truth[image], u);
    }
}
