#include "objective.h"

#include <math.h>

bool ff_objective_has_threshold(const struct ff_config *config)
{
    return config->objective == FF_LOGISTIC && (config->rule == FF_PAIRS || config->rule == FF_UNSUPERVISED);
}

struct ff_objective ff_objective_of(const struct ff_config *config, uint32_t layer)
{
    return (struct ff_objective){.id = config->objective,
                                 .threshold = ff_per_layer_value(&config->threshold, layer),
                                 .temperature = ff_per_layer_value(&config->temperature, layer),
                                 .alpha = ff_per_layer_value(&config->alpha, layer)};
}

/* log(1 + e^t) without overflow. */
static double softplus(double t)
{
    return (t > 0 ? t : 0) + log1p(exp(-fabs(t)));
}

static double sigmoid(double t)
{
    return 1 / (1 + exp(-t));
}

struct ff_pair_loss ff_objective_pair(const struct ff_objective *objective, double positive, double negative)
{
    double up, down, steep;

    switch (objective->id) {
    case FF_LOGISTIC:
        up = (objective->threshold - positive) / objective->temperature;
        down = (negative - objective->threshold) / objective->temperature;
        return (struct ff_pair_loss){softplus(up) + softplus(down), -sigmoid(up) / objective->temperature,
                                     sigmoid(down) / objective->temperature};
    case FF_SYMBA:
        steep = -objective->alpha * (positive - negative);
        return (struct ff_pair_loss){softplus(steep), -objective->alpha * sigmoid(steep),
                                     objective->alpha * sigmoid(steep)};
    case FF_GAP:
        break;
    }
    return (struct ff_pair_loss){negative - positive, -1, 1};
}

double ff_objective_groups(const struct ff_objective *objective, const float *goodness, uint32_t classes,
                           uint32_t truth, double smoothing, double *derivative)
{
    double highest = -INFINITY, sum = 0, loss = 0;

    for (uint32_t label = 0; label < classes; label++)
        highest = fmax(highest, (double)goodness[label]);
    for (uint32_t label = 0; label < classes; label++) {
        derivative[label] = exp(((double)goodness[label] - highest) / objective->temperature);
        sum += derivative[label];
    }
    for (uint32_t label = 0; label < classes; label++) {
        double wanted = smoothing / classes + (label == truth ? 1 - smoothing : 0);
        double log_share = ((double)goodness[label] - highest) / objective->temperature - log(sum);

        loss -= wanted * log_share;
        derivative[label] = (derivative[label] / sum - wanted) / objective->temperature;
    }
    return loss;
}
