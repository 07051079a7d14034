#include "sink.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "figures.h"
#include "objective.h"
#include "pace.h"
#include "prediction.h"
#include "sha256.h"

static const char prefix[] = "sha256:";
_Static_assert(sizeof prefix - 1 + FF_SHA256_TEXT == sizeof(((struct ff_epoch *)NULL)->digest),
               "the text of a digest");

struct ff_sink {
    const struct ff_plan *plan;
    struct ff_config config; /* the plan's, with the live settings as they are now */
    struct ff_observer observer;
    struct ff_sha256 *weights; /* of the open epoch's digest */
    struct ff_pace pace;

    uint64_t window_steps, window_images, epoch_images; /* in the open window, the open epoch */
    struct ff_sums window[FF_LAYERS_MAX], epoch[FF_LAYERS_MAX];
    struct ff_histogram histogram[FF_LAYERS_MAX]; /* of the open epoch, in whole windows */
    size_t window_capacity;
    float *positive,
        *negative; /* [layers][window_capacity] goodness of the open window's images, for percentiles */

    struct ff_epoch row;         /* of the open epoch */
    uint32_t judged, wrong;      /* images of the evaluation under way */
    uint16_t *truth, *predicted; /* [judged_images] */
    float *confidence;
    double *scores; /* [classes] */
    float *answer;  /* [layers][classes], then [classes] probabilities: of a request */
};

struct ff_sink *ff_sink_create(const struct ff_plan *plan, const struct ff_observer *observer,
                               struct ff_error *error)
{
    struct ff_sink *sink = calloc(1, sizeof *sink);

    if (sink == NULL) {
        ff_fail_memory(error, "the figures of a run");
        return NULL;
    }
    sink->plan = plan;
    sink->config = plan->config;
    sink->observer = *observer;
    ff_pace_begin(&sink->pace, plan);
    sink->window_capacity = plan->window * plan->config.batch_size;
    if (sink->window_capacity > plan->train_images)
        sink->window_capacity = plan->train_images; /* windows end with the epoch */
    sink->positive = malloc(plan->layers * sink->window_capacity * sizeof(float));
    sink->negative = malloc(plan->layers * sink->window_capacity * sizeof(float));
    sink->truth = malloc(plan->judged_images * sizeof *sink->truth);
    sink->predicted = malloc(plan->judged_images * sizeof *sink->predicted);
    sink->confidence = malloc(plan->judged_images * sizeof *sink->confidence);
    sink->scores = malloc(plan->classes * sizeof *sink->scores);
    sink->answer = malloc(((size_t)plan->layers + 1) * plan->classes * sizeof *sink->answer);
    sink->weights = ff_sha256_create(error);
    if (!sink->answer || !sink->positive || !sink->negative || !sink->truth || !sink->predicted ||
        !sink->confidence || !sink->scores || !sink->weights) {
        ff_fail_memory(error, "the figures of a run");
        ff_sink_destroy(sink);
        return NULL;
    }
    sink->row.train_error = sink->row.test_error = NAN;
    memcpy(sink->row.digest, prefix, sizeof prefix);
    return sink;
}

void ff_sink_start_clock(struct ff_sink *sink)
{
    ff_pace_start(&sink->pace);
}

void ff_sink_stop_clock(struct ff_sink *sink)
{
    ff_pace_stop(&sink->pace);
}

void ff_sink_progress(struct ff_sink *sink, struct ff_progress *progress)
{
    ff_pace_progress(&sink->pace, progress);
}

/* --- training: points --- */

static void tell_histograms(struct ff_sink *sink, uint32_t epoch, uint64_t step, bool whole)
{
    struct ff_histograms histograms = {.epoch = epoch,
                                       .step = step,
                                       .images = sink->epoch_images,
                                       .whole = whole,
                                       .layers = sink->plan->layers,
                                       .layer = sink->histogram};
    bool has_threshold = ff_objective_has_threshold(&sink->config);

    if (sink->observer.histograms == NULL)
        return;
    for (uint32_t layer = 0; layer < histograms.layers; layer++)
        histograms.threshold[layer] =
            has_threshold ? ff_per_layer_value(&sink->config.threshold, layer) : (double)NAN;
    sink->observer.histograms(sink->observer.self, &histograms);
}

/* The open window becomes a point. */
static void close_window(struct ff_sink *sink, uint64_t step, double elapsed)
{
    const struct ff_plan *plan = sink->plan;
    struct ff_point point = {.step = step,
                             .epoch = (double)step / (double)plan->steps_per_epoch,
                             .elapsed = elapsed,
                             .layers = plan->layers};

    for (uint32_t layer = 0; layer < plan->layers; layer++) {
        struct ff_layer_figures *figures = &point.layer[layer];
        size_t at = layer * sink->window_capacity;

        *figures = ff_figures_mean(&sink->window[layer], sink->window_images);
        ff_histogram_add(&sink->histogram[layer], sink->positive + at, sink->negative + at, sink->window_images);
        ff_figures_percentiles(sink->positive + at, sink->window_images, &figures->positive_low,
                               &figures->positive_high);
        ff_figures_percentiles(sink->negative + at, sink->window_images, &figures->negative_low,
                               &figures->negative_high);
        ff_figures_add(&sink->epoch[layer], &sink->window[layer]);
    }
    sink->epoch_images += sink->window_images;
    sink->window_steps = sink->window_images = 0;
    memset(sink->window, 0, sizeof sink->window);
    if (sink->observer.points != NULL)
        sink->observer.points(sink->observer.self, &point, 1);
    tell_histograms(sink, sink->pace.current_epoch, step, false);
}

static void add_layer(struct ff_sink *sink, const struct ff_message *message, uint32_t layer)
{
    size_t at = layer * sink->window_capacity + sink->window_images;
    struct ff_sums sums = {.loss = message->loss[layer] * message->images};

    for (uint32_t image = 0; image < message->images; image++) {
        struct ff_seen seen = ff_figures_see(sink->plan, message, layer, image, sink->scores);

        sums.positive += seen.positive;
        sums.negative += seen.negative;
        sums.accuracy += seen.right;
        sink->positive[at + image] = seen.positive;
        sink->negative[at + image] = seen.negative;
    }
    ff_figures_add(&sink->window[layer], &sums);
}

static void take_train(struct ff_sink *sink, const struct ff_message *message, double elapsed)
{
    for (uint32_t layer = 0; layer < sink->plan->layers; layer++)
        add_layer(sink, message, layer);
    sink->window_images += message->images;
    sink->window_steps++;
    if (sink->window_steps == sink->plan->window || message->last)
        close_window(sink, message->step, elapsed);
}

/* --- evaluation --- */

/* With its last message. */
static void tell_evaluation(struct ff_sink *sink, const struct ff_message *message)
{
    struct ff_evaluation evaluation = {.epoch = message->epoch,
                                       .step = message->step,
                                       .split = message->split,
                                       .first = message->sample[message->images - 1] + 1 - sink->judged,
                                       .count = sink->judged,
                                       .classes = sink->plan->classes,
                                       .truth = sink->truth,
                                       .predicted = sink->predicted,
                                       .confidence = sink->confidence};

    sink->observer.evaluation(sink->observer.self, &evaluation);
}

static void take_forward(struct ff_sink *sink, const struct ff_message *message)
{
    bool judging = message->ticket == FF_FOR_JUDGING;
    double error;

    for (uint32_t image = 0; image < message->images; image++) {
        float confidence;
        uint32_t predicted = ff_predict(sink->plan, message, image, sink->scores, &confidence);

        sink->wrong += predicted != message->truth[image];
        if (judging) {
            sink->truth[sink->judged] = message->truth[image];
            sink->predicted[sink->judged] = (uint16_t)predicted;
            sink->confidence[sink->judged] = confidence;
        }
        sink->judged++;
    }
    if (!message->last)
        return;
    error = (double)sink->wrong / sink->judged;
    if (judging)
        sink->row.test_error = error;
    else
        sink->row.train_error = error;
    if (judging && sink->observer.evaluation != NULL)
        tell_evaluation(sink, message);
    sink->judged = sink->wrong = 0;
}

/* One image that somebody asked about: what every layer says of every label. */
static void take_question(struct ff_sink *sink, const struct ff_message *message)
{
    const struct ff_plan *plan = sink->plan;
    struct ff_answer answer = ff_predict_answer(plan, message, sink->scores, sink->answer,
                                                sink->answer + (size_t)plan->layers * plan->classes);

    if (sink->observer.answer != NULL)
        sink->observer.answer(sink->observer.self, &answer);
}

/* Weights that somebody asked for. */
static void take_weights(struct ff_sink *sink, const struct ff_message *message)
{
    const struct ff_range *range = &message->range;

    if (sink->observer.weights != NULL)
        sink->observer.weights(sink->observer.self,
                               &(struct ff_unit_weights){.ticket = message->request,
                                                         .step = message->step,
                                                         .layer = range->layer,
                                                         .unit = (uint32_t)range->offset,
                                                         .count = (uint32_t)range->count,
                                                         .inputs = sink->plan->layer[range->layer].inputs,
                                                         .weights = message->x});
}

/* --- epochs --- */

static void close_epoch(struct ff_sink *sink, const struct ff_message *message, double elapsed)
{
    struct ff_epoch *row = &sink->row;

    row->epoch = message->epoch;
    row->step = message->step;
    row->elapsed = elapsed;
    row->evaluating = ff_pace_evaluating(&sink->pace);
    row->layers = sink->plan->layers;
    for (uint32_t layer = 0; layer < row->layers; layer++)
        row->layer[layer] = ff_figures_mean(&sink->epoch[layer], sink->epoch_images);
    tell_histograms(sink, row->epoch, row->step, true);
    if (sink->observer.epoch != NULL)
        sink->observer.epoch(sink->observer.self, row);
    memset(sink->epoch, 0, sizeof sink->epoch);
    memset(sink->histogram, 0, sizeof sink->histogram);
    sink->epoch_images = 0;
    sink->row.train_error = sink->row.test_error = NAN;
}

static void take_digest(struct ff_sink *sink, const struct ff_message *message, double elapsed)
{
    ff_sha256_add(sink->weights, message->x, message->range.count * sizeof *message->x);
    if (message->last)
        ff_sha256_take(sink->weights, sink->row.digest + strlen(prefix));
    if (message->closes_epoch)
        close_epoch(sink, message, elapsed);
}

static void take_get(struct ff_sink *sink, const struct ff_message *message, double elapsed)
{
    if (message->ticket == FF_FOR_REQUEST)
        take_weights(sink, message);
    else if (message->ticket == FF_FOR_DIGEST)
        take_digest(sink, message, elapsed);
    else if (sink->observer.snapshot != NULL)
        sink->observer.snapshot(sink->observer.self, &(struct ff_snapshot_piece){.values = message->x,
                                                                                 .count = message->range.count,
                                                                                 .last = message->last});
}

static ff_status fail(const struct ff_sink *sink, const struct ff_message *message, struct ff_error *error)
{
    const struct ff_config *config = &sink->config;
    uint32_t layer = (uint32_t)message->failed_layer;

    if (layer >= sink->plan->layers)
        return ff_fail(
            error, FF_DIVERGED,
            "the read-out diverged at step %llu: its scores are not finite; lower readout_learning_rate (%g)",
            (unsigned long long)message->step, config->readout_learning_rate);
    if (message->kind != FF_TRAIN)
        return ff_fail(
            error, FF_DIVERGED,
            "layer %u diverged by step %llu: goodness is not finite in evaluation; lower learning_rate (%g)", layer,
            (unsigned long long)message->step, ff_per_layer_value(&config->learning_rate, layer));
    return ff_fail(error, FF_DIVERGED,
                   "layer %u diverged at step %llu: goodness is not finite; lower learning_rate (%g)", layer,
                   (unsigned long long)message->step, ff_per_layer_value(&config->learning_rate, layer));
}

ff_status ff_sink_handle(struct ff_sink *sink, const struct ff_message *message, struct ff_error *error)
{
    double elapsed = ff_pace_take(&sink->pace, message);

    if (message->failed_layer >= 0 && message->ticket != FF_FOR_REQUEST)
        return fail(sink, message, error);
    switch (message->kind) {
    case FF_TRAIN:
        take_train(sink, message, elapsed);
        break;
    case FF_FORWARD:
        if (message->ticket == FF_FOR_REQUEST)
            take_question(sink, message);
        else
            take_forward(sink, message);
        break;
    case FF_GET:
        take_get(sink, message, elapsed);
        break;
    case FF_SET:
        if (message->config != NULL)
            sink->config = *message->config;
        break;
    case FF_STOP:
        break;
    }
    return FF_OK;
}

void ff_sink_standing(struct ff_sink *sink, struct ff_standing *standing)
{
    ff_pace_standing(&sink->pace, standing);
    standing->window = sink->plan->window;
    standing->train_images = sink->plan->train_images;
    standing->epoch_images = sink->epoch_images;
    standing->layers = sink->plan->layers;
    memcpy(standing->epoch_sums, sink->epoch, sizeof sink->epoch);
    memcpy(standing->epoch_histograms, sink->histogram, sizeof sink->histogram);
}

void ff_sink_restore(struct ff_sink *sink, const struct ff_standing *standing)
{
    ff_pace_restore(&sink->pace, standing);
    sink->epoch_images = standing->epoch_images;
    memcpy(sink->epoch, standing->epoch_sums, sizeof sink->epoch);
    memcpy(sink->histogram, standing->epoch_histograms, sizeof sink->histogram);
}

void ff_sink_finish(struct ff_sink *sink)
{
    ff_sink_stop_clock(sink);
    if (sink->window_steps > 0)
        close_window(sink, sink->pace.step, ff_pace_elapsed(&sink->pace));
}

size_t ff_sink_bytes(const struct ff_sink *sink)
{
    return sink->window_capacity * sink->plan->layers * 2 * sizeof(float) +
           sink->plan->judged_images * (2 * sizeof(uint16_t) + sizeof(float));
}

void ff_sink_destroy(struct ff_sink *sink)
{
    if (sink == NULL)
        return;
    free(sink->positive);
    free(sink->negative);
    free(sink->truth);
    free(sink->predicted);
    free(sink->confidence);
    free(sink->scores);
    free(sink->answer);
    ff_sha256_destroy(sink->weights);
    ff_pace_end(&sink->pace);
    free(sink);
}
