#include "prediction.h"

#include <math.h>
#include <string.h>

uint32_t ff_predict(const struct ff_plan *plan, const struct ff_message *message, uint32_t image, double *scores,
                    float *confidence)
{
    uint32_t best = 0;
    double sum = 0;

    for (uint32_t label = 0; label < plan->classes; label++) {
        size_t row = (size_t)image * message->rows_per_image + label;

        scores[label] = 0;
        for (uint32_t layer = plan->config.predict_from; layer < plan->layers; layer++)
            scores[label] += message->goodness[layer * (size_t)plan->max_rows + row];
        if (scores[label] > scores[best])
            best = label;
    }
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
        memcpy(goodness + (size_t)layer * plan->classes, message->goodness + (size_t)layer * plan->max_rows,
               plan->classes * sizeof(float));
    for (size_t i = 0; message->failed_layer >= 0 && i < (size_t)plan->layers * plan->classes; i++)
        goodness[i] = NAN; /* the run itself will fail at its next step */
    for (uint32_t label = 0; label < plan->classes; label++)
        probabilities[label] = (float)((double)confidence * exp(scores[label] - scores[answer.label]));
    return answer;
}
