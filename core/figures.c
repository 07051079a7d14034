#include "figures.h"

#include <math.h>
#include <stdlib.h>

#include "prediction.h"

/* --- of one image --- */

static struct ff_seen see_pair(const float *goodness)
{
    return (struct ff_seen){goodness[0], goodness[1],
                            goodness[0] > goodness[1]    ? 1
                            : goodness[0] == goodness[1] ? 0.5
                                                         : 0};
}

/* The label's own group, the mean of the others, and whether the label's is the highest; of equals the lowest
 * class. */
static struct ff_seen see_groups(const float *goodness, uint32_t groups, uint32_t truth)
{
    double others = 0;
    uint32_t best = 0;

    for (uint32_t group = 0; group < groups; group++) {
        others += group == truth ? 0 : (double)goodness[group];
        best = goodness[group] > goodness[best] ? group : best;
    }
    return (struct ff_seen){goodness[truth], (float)(others / (groups - 1)), best == truth ? 1 : 0};
}

/* Backpropagation knows no negative data: of a layer its goodness alone, twice; of the top one what softmax gives
 * the label, and the mean of what it gives the others. */
static struct ff_seen see_backprop(const struct ff_plan *plan, const struct ff_message *message, uint32_t layer,
                                   uint32_t image, float goodness, double *scores)
{
    uint32_t classes = plan->classes, truth = message->truth[image], predicted;
    float confidence;
    double share;

    if (layer + 1 < plan->layers)
        return (struct ff_seen){goodness, goodness, 0.5};
    predicted = ff_predict(plan, message, image, scores, &confidence);
    share = (double)confidence * exp(scores[truth] - scores[predicted]);
    return (struct ff_seen){(float)share, (float)((1 - share) / (classes - 1)), predicted == truth ? 1 : 0};
}

struct ff_seen ff_figures_see(const struct ff_plan *plan, const struct ff_message *message, uint32_t layer,
                              uint32_t image, double *scores)
{
    const float *own = ff_message_goodness(message, plan, layer, image * message->rows_per_image);

    if (plan->config.rule == FF_BACKPROP)
        return see_backprop(plan, message, layer, image, *own, scores);
    return plan->groups > 1 ? see_groups(own, plan->groups, message->truth[image]) : see_pair(own);
}

/* --- of some images --- */

void ff_figures_add(struct ff_sums *to, const struct ff_sums *from)
{
    to->positive += from->positive;
    to->negative += from->negative;
    to->loss += from->loss;
    to->accuracy += from->accuracy;
}

struct ff_layer_figures ff_figures_mean(const struct ff_sums *sums, uint64_t images)
{
    double count = (double)images;

    return (struct ff_layer_figures){.positive = (float)(sums->positive / count),
                                     .negative = (float)(sums->negative / count),
                                     .positive_low = NAN,
                                     .positive_high = NAN,
                                     .negative_low = NAN,
                                     .negative_high = NAN,
                                     .loss = (float)(sums->loss / count),
                                     .accuracy = (float)(sums->accuracy / count)};
}

static int compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

/* The share's quantile of sorted values. */
static float quantile(const float *sorted, size_t count, double share)
{
    double place = share * (double)(count - 1);
    size_t below = (size_t)place;
    double part = place - (double)below;

    if (below + 1 >= count)
        return sorted[count - 1];
    return (float)(sorted[below] + part * ((double)sorted[below + 1] - sorted[below]));
}

void ff_figures_percentiles(float *values, size_t count, float *low, float *high)
{
    qsort(values, count, sizeof *values, compare_floats);
    *low = quantile(values, count, 0.1);
    *high = quantile(values, count, 0.9);
}
