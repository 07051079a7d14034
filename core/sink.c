#include "sink.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"
#include "objective.h"
#include "prediction.h"
#include "spin.h"

struct ff_sink {
    const struct ff_plan *plan;
    struct ff_config config; /* the plan's, with the live settings as they are now */
    struct ff_observer observer;
    struct ff_digest *digest;

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

    pthread_mutex_t mutex; /* guards what follows: progress is read by other threads */
    double previous;       /* when the last message came, or the clock started */
    bool running;
    uint32_t current_epoch, epochs_closed;
    uint64_t step, images_trained;
    double training, evaluating, saving; /* seconds */
    double evaluating_closed;            /* of epochs that are closed */
};

static double now(void)
{
    return 1e-9 * (double)ff_clock();
}

/* To the microsecond: more digits would only be noise for a reader. */
static double rounded(double seconds)
{
    return round(seconds * 1e6) / 1e6;
}

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
    pthread_mutex_init(&sink->mutex, NULL);
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
    sink->digest = ff_digest_create(error);
    if (!sink->answer || !sink->positive || !sink->negative || !sink->truth || !sink->predicted ||
        !sink->confidence || !sink->scores || !sink->digest) {
        ff_fail_memory(error, "the figures of a run");
        ff_sink_destroy(sink);
        return NULL;
    }
    sink->row.train_error = sink->row.test_error = NAN;
    return sink;
}

/* --- the clock --- */

void ff_sink_start_clock(struct ff_sink *sink)
{
    pthread_mutex_lock(&sink->mutex);
    sink->previous = now();
    sink->running = true;
    pthread_mutex_unlock(&sink->mutex);
}

void ff_sink_stop_clock(struct ff_sink *sink)
{
    pthread_mutex_lock(&sink->mutex);
    sink->running = false;
    pthread_mutex_unlock(&sink->mutex);
}

static double elapsed_seconds(const struct ff_sink *sink)
{
    return sink->training + sink->evaluating + sink->saving;
}

/* What a message's time counts as. */
static double *share_of(struct ff_sink *sink, const struct ff_message *message)
{
    switch (message->ticket) {
    case FF_FOR_JUDGING:
    case FF_FOR_TRAIN_ERROR:
    case FF_FOR_DIGEST:
        return &sink->evaluating;
    case FF_FOR_SNAPSHOT:
    case FF_FOR_RESTORING:
        return &sink->saving;
    default:
        return &sink->training;
    }
}

/* The time since the last message is this one's: all the line's work goes by it. Returns the seconds so far. */
static double take_time(struct ff_sink *sink, const struct ff_message *message)
{
    double time = now(), elapsed;

    pthread_mutex_lock(&sink->mutex);
    if (!sink->running) { /* while paused */
        elapsed = elapsed_seconds(sink);
        pthread_mutex_unlock(&sink->mutex);
        return rounded(elapsed);
    }
    *share_of(sink, message) += time - sink->previous;
    sink->images_trained += message->kind == FF_TRAIN ? message->images : 0;
    sink->previous = time;
    sink->current_epoch = message->epoch;
    sink->step = message->step;
    if (message->closes_epoch) {
        sink->epochs_closed++;
        sink->evaluating_closed = sink->evaluating;
    }
    elapsed = elapsed_seconds(sink);
    pthread_mutex_unlock(&sink->mutex);
    return rounded(elapsed);
}

/* Seconds an epoch's evaluation takes: as measured so far, else guessed from the rows, a training row costing about
 * as much as two that only go forward. */
static double evaluation_seconds(const struct ff_sink *sink)
{
    const struct ff_plan *plan = sink->plan;
    double rows = ((double)plan->judged_images + plan->train_error_images) * plan->forward_rows;
    double trained_rows = (double)sink->images_trained * plan->rows_per_image;

    if (sink->epochs_closed > 0)
        return sink->evaluating_closed / sink->epochs_closed;
    return rows / plan->config.evaluate_every * sink->training / trained_rows / 2;
}

void ff_sink_progress(struct ff_sink *sink, struct ff_progress *progress)
{
    const struct ff_plan *plan = sink->plan;
    double since;

    pthread_mutex_lock(&sink->mutex);
    since = sink->running ? now() - sink->previous : 0;
    *progress = (struct ff_progress){.epoch = sink->current_epoch,
                                     .epochs = plan->config.epochs,
                                     .step = sink->step,
                                     .steps = plan->steps,
                                     .elapsed = rounded(elapsed_seconds(sink) + since),
                                     .evaluating = rounded(sink->evaluating),
                                     .remaining = NAN,
                                     .samples_per_second = NAN};
    if (sink->training > 0 && sink->images_trained > 0) {
        double left = (double)(plan->steps - sink->step) / (double)sink->step;

        progress->samples_per_second = round(10 * (double)sink->images_trained / sink->training) / 10;
        progress->remaining = rounded(
            fmax(0, left * sink->training + (plan->config.epochs - sink->epochs_closed) * evaluation_seconds(sink) -
                        (sink->evaluating - sink->evaluating_closed)));
    }
    pthread_mutex_unlock(&sink->mutex);
}

/* --- training: points --- */

static int compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

/* The share's quantile of sorted values, linear between neighbours (as numpy's default). */
static float quantile(const float *sorted, size_t count, double share)
{
    double place = share * (double)(count - 1);
    size_t below = (size_t)place;
    double part = place - (double)below;

    if (below + 1 >= count)
        return sorted[count - 1];
    return (float)(sorted[below] + part * ((double)sorted[below + 1] - sorted[below]));
}

static void low_and_high(float *values, size_t count, float *low, float *high)
{
    qsort(values, count, sizeof *values, compare_floats);
    *low = quantile(values, count, 0.1);
    *high = quantile(values, count, 0.9);
}

static struct ff_layer_figures mean_figures(const struct ff_sums *sums, uint64_t images)
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

static void add_sums(struct ff_sums *to, const struct ff_sums *from)
{
    to->positive += from->positive;
    to->negative += from->negative;
    to->loss += from->loss;
    to->accuracy += from->accuracy;
}

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

        *figures = mean_figures(&sink->window[layer], sink->window_images);
        ff_histogram_add(&sink->histogram[layer], sink->positive + at, sink->negative + at, sink->window_images);
        low_and_high(sink->positive + at, sink->window_images, &figures->positive_low, &figures->positive_high);
        low_and_high(sink->negative + at, sink->window_images, &figures->negative_low, &figures->negative_high);
        add_sums(&sink->epoch[layer], &sink->window[layer]);
    }
    sink->epoch_images += sink->window_images;
    sink->window_steps = sink->window_images = 0;
    memset(sink->window, 0, sizeof sink->window);
    if (sink->observer.points != NULL)
        sink->observer.points(sink->observer.self, &point, 1);
    tell_histograms(sink, sink->current_epoch, step, false);
}

/* An image's goodness on positive and on negative data, and whether the layer is right: 1, or half for a tie. */
struct seen {
    float positive, negative;
    double right;
};

static struct seen see_pair(const float *goodness)
{
    return (struct seen){goodness[0], goodness[1],
                         goodness[0] > goodness[1]    ? 1
                         : goodness[0] == goodness[1] ? 0.5
                                                      : 0};
}

/* The label's own group, the mean of the others, and whether the label's is the highest; of equals the lowest
 * class. */
static struct seen see_groups(const float *goodness, uint32_t groups, uint32_t truth)
{
    double others = 0;
    uint32_t best = 0;

    for (uint32_t group = 0; group < groups; group++) {
        others += group == truth ? 0 : (double)goodness[group];
        best = goodness[group] > goodness[best] ? group : best;
    }
    return (struct seen){goodness[truth], (float)(others / (groups - 1)), best == truth ? 1 : 0};
}

/* Backpropagation knows no negative data: of a layer its goodness alone, twice; of the top one what softmax gives
 * the label, and the mean of what it gives the others. */
static struct seen see_backprop(const struct ff_sink *sink, const struct ff_message *message, uint32_t layer,
                                uint32_t image, float goodness)
{
    uint32_t classes = sink->plan->classes, truth = message->truth[image], predicted;
    float confidence;
    double share;

    if (layer + 1 < sink->plan->layers)
        return (struct seen){goodness, goodness, 0.5};
    predicted = ff_predict(sink->plan, message, image, sink->scores, &confidence);
    share = (double)confidence * exp(sink->scores[truth] - sink->scores[predicted]);
    return (struct seen){(float)share, (float)((1 - share) / (classes - 1)), predicted == truth ? 1 : 0};
}

static struct seen see(const struct ff_sink *sink, const struct ff_message *message, uint32_t layer, uint32_t image)
{
    const struct ff_plan *plan = sink->plan;
    size_t row = (size_t)layer * plan->max_rows + (size_t)image * message->rows_per_image;
    const float *own = message->goodness + row * plan->groups;

    if (plan->config.rule == FF_BACKPROP)
        return see_backprop(sink, message, layer, image, *own);
    return plan->groups > 1 ? see_groups(own, plan->groups, message->truth[image]) : see_pair(own);
}

static void add_layer(struct ff_sink *sink, const struct ff_message *message, uint32_t layer)
{
    size_t at = layer * sink->window_capacity + sink->window_images;
    struct ff_sums sums = {.loss = message->loss[layer] * message->images};

    for (uint32_t image = 0; image < message->images; image++) {
        struct seen seen = see(sink, message, layer, image);

        sums.positive += seen.positive;
        sums.negative += seen.negative;
        sums.accuracy += seen.right;
        sink->positive[at + image] = seen.positive;
        sink->negative[at + image] = seen.negative;
    }
    add_sums(&sink->window[layer], &sums);
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
    row->evaluating = rounded(sink->evaluating);
    row->layers = sink->plan->layers;
    for (uint32_t layer = 0; layer < row->layers; layer++)
        row->layer[layer] = mean_figures(&sink->epoch[layer], sink->epoch_images);
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
    ff_digest_add(sink->digest, message->x, message->range.count);
    if (message->last)
        ff_digest_take(sink->digest, sink->row.digest);
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
    double elapsed = take_time(sink, message);

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
    pthread_mutex_lock(&sink->mutex);
    standing->step = sink->step;
    standing->epochs = sink->epochs_closed;
    standing->window = sink->plan->window;
    standing->train_images = sink->plan->train_images;
    standing->training = sink->training;
    standing->evaluating = sink->evaluating;
    standing->saving = sink->saving;
    standing->evaluating_closed = sink->evaluating_closed;
    standing->epoch_images = sink->epoch_images;
    standing->layers = sink->plan->layers;
    memcpy(standing->epoch_sums, sink->epoch, sizeof sink->epoch);
    memcpy(standing->epoch_histograms, sink->histogram, sizeof sink->histogram);
    pthread_mutex_unlock(&sink->mutex);
}

void ff_sink_restore(struct ff_sink *sink, const struct ff_standing *standing)
{
    const struct ff_plan *plan = sink->plan;
    uint64_t done = standing->step - standing->epochs * plan->steps_per_epoch;
    uint64_t images = done * plan->config.batch_size;

    pthread_mutex_lock(&sink->mutex); /* others may ask for the progress already */
    sink->step = standing->step;
    sink->epochs_closed = standing->epochs;
    sink->current_epoch = standing->epochs + (done > 0);
    sink->images_trained = (uint64_t)standing->epochs * plan->train_images +
                           (images < plan->train_images ? images : plan->train_images);
    sink->training = standing->training;
    sink->evaluating = standing->evaluating;
    sink->saving = standing->saving;
    sink->evaluating_closed = standing->evaluating_closed;
    sink->epoch_images = standing->epoch_images;
    memcpy(sink->epoch, standing->epoch_sums, sizeof sink->epoch);
    memcpy(sink->histogram, standing->epoch_histograms, sizeof sink->histogram);
    pthread_mutex_unlock(&sink->mutex);
}

void ff_sink_finish(struct ff_sink *sink)
{
    ff_sink_stop_clock(sink);
    if (sink->window_steps > 0)
        close_window(sink, sink->step, rounded(elapsed_seconds(sink)));
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
    ff_digest_destroy(sink->digest);
    pthread_mutex_destroy(&sink->mutex);
    free(sink);
}
