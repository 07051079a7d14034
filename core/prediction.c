#include "prediction.h"

#include <math.h>
#include <string.h>

/* A layer's goodness of the image under every label: rows, or groups, lie side by side either way. */
static const float *goodness_at(const struct ff_plan *plan, const struct ff_message *message, uint32_t layer,
                                uint32_t image)
{
    return ff_message_goodness(message, plan, layer, image * message->rows_per_image);
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

/* Each label's share of the whole as a logarithm. */
static void add_log_shares(const float *values, uint32_t classes, double temperature, double *scores)
{
    double total = log_sum(values, classes, temperature);

    for (uint32_t label = 0; label < classes; label++)
        scores[label] += (double)values[label] / temperature - total;
}

static void add_layer(const struct ff_plan *plan, const float *goodness, uint32_t layer, double *scores)
{
    if (plan->config.predict != FF_PREDICT_GOODNESS) {
        add_log_shares(goodness, plan->classes, ff_per_layer_value(&plan->config.temperature, layer), scores);
        return;
    }
    for (uint32_t label = 0; label < plan->classes; label++)
        scores[label] += (double)goodness[label];
}

uint32_t ff_predict(const struct ff_plan *plan, const struct ff_message *message, uint32_t image, double *scores,
                    float *confidence)
{
    uint32_t best = 0;
    double sum = 0;

    memset(scores, 0, plan->classes * sizeof *scores);
    if (ff_plan_reads_out(plan))
        add_log_shares(message->scores + (size_t)image * plan->classes, plan->classes, 1, scores);
    for (uint32_t layer = plan->config.predict_from; ff_plan_sums_goodness(plan) && layer < plan->layers; layer++)
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
    uint32_t columns = plan->labels > 0 || plan->groups > 1 ? plan->classes : 1;
    float confidence;
    struct ff_answer answer = {.ticket = message->request,
                               .step = message->step,
                               .layers = plan->layers,
                               .classes = plan->classes,
                               .unlabelled = columns == 1 && plan->classes > 1,
                               .goodness = goodness,
                               .probabilities = probabilities,
                               .label = ff_predict(plan, message, 0, scores, &confidence)};

    for (uint32_t layer = 0; layer < plan->layers; layer++)
        memcpy(goodness + (size_t)layer * columns, goodness_at(plan, message, layer, 0), columns * sizeof(float));
    for (size_t i = 0; message->failed_layer >= 0 && i < (size_t)plan->layers * columns; i++)
        goodness[i] = NAN; /* the run itself will fail at its next step */
    for (uint32_t label = 0; label < plan->classes; label++)
        probabilities[label] = (float)((double)confidence * exp(scores[label] - scores[answer.label]));
    return answer;
}
