/* prediction.h - from the goodness of an image under every label, and a read-out's scores, to a label. */
#ifndef FF_PREDICTION_H
#define FF_PREDICTION_H

#include "message.h"
#include "observer.h"

/* The label of the message's image `image` with the highest score summed over what counts, of equals the lowest: of
 * the layers a label's goodness, or its share as a logarithm (log softmax of goodness / temperature); of the
 * read-out its share as a logarithm; or both. `scores` [classes] becomes the sums; *confidence their softmax at the
 * label. */
uint32_t ff_predict(const struct ff_plan *plan, const struct ff_message *message, uint32_t image, double *scores,
                    float *confidence);

/* All of it for a message of one image: `goodness` [layers][classes or 1] and `probabilities` [classes] are filled
 * and pointed to; NaN where the message failed. `scores`: [classes]. */
struct ff_answer ff_predict_answer(const struct ff_plan *plan, const struct ff_message *message, double *scores,
                                   float *goodness, float *probabilities);

#endif
