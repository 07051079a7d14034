#include "prediction.h"

#include <math.h>
#include <string.h>

/* A layer's goodness of the image under every label: rows, or groups, lie side by side either way. */
static const float *goodness_at(const struct ff_plan *plan, const struct ff_message *message, uint32_t layer,
                                uint32_t image)
{
    return message->goodness +
           ((size_t)layer * plan->max_rows + (size_t)image * message->rows_per_image) * plan->groups;
}

/* log(sum of exp(goodness / temperature)) */
static double log_sum(const float *goodness, uint32_t classes, double temperature)
{
    double highest = -INFINITY, sum = 0;

    for (uint32_t label = 0; label < classes; label++)
        highest = fmax(highest, (double)goodness[label]);
    for (uint32_t label = 0; label < classes; label++)
        sum += exp(((double)goodness[label] - highest) / temperature);
    /* cppcheck-suppress invalidFunctionArg ; the highest's own term is 1 */
    return highest / temperature + log(sum);
}

static void add_layer(const struct ff_plan *plan, const float *goodness, uint32_t layer, double *scores)
{
    double temperature = ff_per_layer_value(&plan->config.temperature, layer), total;

    if (plan->config.predict == FF_PREDICT_GOODNESS) {
        for (uint32_t label = 0; label < plan->classes; label++)
            scores[label] += (double)goodness[label];
        return;
    }
    total = log_sum(goodness, plan->classes, temperature);
    for (uint32_t label = 0; label < plan->classes; label++)
        scores[label] += (double)goodness[label] / temperature - total;
}

uint32_t ff_predict(const struct ff_plan *plan, const struct ff_message *message, uint32_t image, double *scores,
                    float *confidence)
{
    uint32_t best = 0;
    double sum = 0;

    memset(scores, 0, plan->classes * sizeof *scores);
    for (uint32_t layer = plan->config.predict_from; layer < plan->layers; layer++)
        add_layer(plan, goodness_at(plan, message, layer, image), layer, scores);
    for (uint32_t label = 1; label < plan->classes; label++)
        best = scores[label] > scores[best] ? label : best;
    for (uint32_t label = 0; label < plan->classes; label++)
        sum += exp(scores[label] - scores[best]);
    *confidence = (float)(1 / sum);
    return best;
}

struct ff_answer ff_predict_answer(const struct ff_plan *plan, const struct ff_message *message, double *scores,
                                   float *goodness, float *probabilities)
{
    float confidence;
    struct ff_answer answer = {.ticket = message->request,
                               .step = message->step,
                               .layers = plan->layers,
                               .classes = plan->classes,
                               .goodness = goodness,
                               .probabilities = probabilities,
                               .label = ff_predict(plan, message, 0, scores, &confidence)};

    for (uint32_t layer = 0; layer < plan->layers; layer++)
        memcpy(goodness + (size_t)layer * plan->classes, goodness_at(plan, message, layer, 0),
               plan->classes * sizeof(float));
    for (size_t i = 0; message->failed_layer >= 0 && i < (size_t)plan->layers * plan->classes; i++)
        goodness[i] = NAN; /* the run itself will fail at its next step */
    for (uint32_t label = 0; label < plan->classes; label++)
        probabilities[label] = (float)((double)confidence * exp(scores[label] - scores[answer.label]));
    return answer;
}
