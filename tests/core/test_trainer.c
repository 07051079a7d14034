/* Whole runs: the same bits on every placement, pauses, stops, failures, and what the observer is told. */
#include "cmocka_all.h"

#include <cblas.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "placement.h"
#include "plan.h"
#include "preset.h"
#include "random_config.h"
#include "synthetic.h"
#include "trainer.h"

/* What a run told, and what to do to it while it runs. */
struct watcher {
    struct ff_trainer *trainer;
    uint32_t epochs, points, evaluations, pauses, resumes;
    struct ff_epoch epoch[64];
    struct ff_point last_point;
    uint64_t point_steps, pause_at, stop_at; /* step of a point; 0: never */
    bool stop_when_paused;
    const float *image; /* asked about at every point and at a pause; NULL: never */
    uint64_t asked, answers;
    struct ff_answer answer; /* the newest; its arrays are gone */
    float answer_goodness[4][8];
    double wrong_share;              /* of the newest evaluation, counted here */
    struct ff_evaluation evaluation; /* the newest; its arrays are gone */
    double hash;                     /* of all points' figures and all histograms */
    uint32_t histograms;             /* whole ones */
    uint64_t histogram_images;
};

static void *resume(void *self)
{
    ff_trainer_resume(self);
    return NULL;
}

static void *stop(void *self)
{
    ff_trainer_stop(self);
    return NULL;
}

static void call_detached(void *(*call)(void *), void *trainer)
{
    pthread_t thread;

    pthread_create(&thread, NULL, call, trainer);
    pthread_detach(thread);
}

/* Ask about the watcher's image; at most as many as the box holds can wait. */
static void ask(struct watcher *watcher)
{
    struct ff_error error;
    uint64_t ticket;

    if (watcher->image != NULL && ff_trainer_ask(watcher->trainer, watcher->image, &ticket, &error) == FF_OK)
        assert_int_equal(ticket, ++watcher->asked);
}

static void take_answer(void *self, const struct ff_answer *answer)
{
    struct watcher *watcher = self;
    float sum = 0;

    assert_int_equal(answer->ticket, ++watcher->answers); /* in the order of asking */
    assert_int_equal(answer->classes, 5);
    for (uint32_t label = 0; label < answer->classes; label++) {
        sum += answer->probabilities[label];
        assert_true(answer->probabilities[label] <= answer->probabilities[answer->label]);
        for (uint32_t layer = 0; layer < answer->layers; layer++)
            watcher->answer_goodness[layer][label] = answer->goodness[layer * answer->classes + label];
    }
    assert_true(fabsf(sum - 1) < 1e-5f);
    watcher->answer = *answer;
}

static void take_points(void *self, const struct ff_point *points, size_t count)
{
    struct watcher *watcher = self;

    for (size_t i = 0; i < count; i++) {
        assert_true(points[i].step > watcher->point_steps);
        watcher->point_steps = points[i].step;
        watcher->points++;
        watcher->last_point = points[i];
        for (uint32_t layer = 0; layer < points[i].layers; layer++) {
            const struct ff_layer_figures *figures = &points[i].layer[layer];

            assert_true(figures->positive_low <= figures->positive_high &&
                        figures->negative_low <= figures->negative_high);
            watcher->hash =
                watcher->hash * 1.0001 + figures->positive + 3 * figures->negative_high + 7 * figures->loss;
        }
        ask(watcher);
        if (watcher->pause_at != 0 && points[i].step >= watcher->pause_at) {
            watcher->pause_at = 0;
            ff_trainer_pause(watcher->trainer);
        }
        if (watcher->stop_at != 0 && points[i].step >= watcher->stop_at)
            ff_trainer_stop(watcher->trainer);
    }
}

/* Every image of the epoch so far is counted once in every layer. */
static void take_histograms(void *self, const struct ff_histograms *histograms)
{
    struct watcher *watcher = self;

    for (uint32_t layer = 0; layer < histograms->layers; layer++) {
        const struct ff_histogram *histogram = &histograms->layer[layer];
        uint64_t positive = 0, negative = 0;

        for (size_t bin = 0; bin < FF_BINS; bin++) {
            positive += histogram->positive[bin];
            negative += histogram->negative[bin];
            watcher->hash = watcher->hash * 1.0001 + (double)histogram->positive[bin] * 3 +
                            (double)histogram->negative[bin] * ff_histogram_width(histogram);
        }
        assert_true(positive == histograms->images && negative == histograms->images);
    }
    assert_true(histograms->step == watcher->last_point.step);
    assert_int_equal(histograms->epoch, watcher->epochs + 1);
    watcher->histograms += histograms->whole;
    if (histograms->whole)
        watcher->histogram_images += histograms->images;
}

static void take_epoch(void *self, const struct ff_epoch *epoch)
{
    struct watcher *watcher = self;

    assert_int_equal(epoch->epoch, watcher->epochs + 1);
    watcher->epoch[watcher->epochs++] = *epoch;
}

static void take_evaluation(void *self, const struct ff_evaluation *evaluation)
{
    struct watcher *watcher = self;
    uint32_t wrong = 0;

    for (uint32_t i = 0; i < evaluation->count; i++) {
        wrong += evaluation->truth[i] != evaluation->predicted[i];
        assert_true(evaluation->confidence[i] > 0 && evaluation->confidence[i] <= 1);
    }
    watcher->evaluations++;
    watcher->evaluation = *evaluation;
    watcher->wrong_share = (double)wrong / evaluation->count;
}

static void take_pause(void *self)
{
    struct watcher *watcher = self;

    watcher->pauses++;
    ask(watcher);
    call_detached(watcher->stop_when_paused ? stop : resume, watcher->trainer);
}

static void take_resume(void *self)
{
    ((struct watcher *)self)->resumes++;
}

static enum ff_outcome run(struct watcher *watcher, const struct ff_config *config,
                           const struct ff_dataset *dataset, struct ff_placement placement, struct ff_error *error)
{
    struct ff_observer observer = {.self = watcher,
                                   .points = take_points,
                                   .epoch = take_epoch,
                                   .histograms = take_histograms,
                                   .evaluation = take_evaluation,
                                   .answer = take_answer,
                                   .paused = take_pause,
                                   .resumed = take_resume};
    enum ff_outcome outcome;

    watcher->trainer = ff_trainer_create(config, dataset, placement, &observer, NULL, error);
    if (watcher->trainer == NULL)
        fail_msg("%s", error->message);
    outcome = ff_trainer_run(watcher->trainer, error);
    ff_trainer_destroy(watcher->trainer);
    return outcome;
}

static void small_config(struct ff_config *config)
{
    ff_config_defaults(config);
    config->layer_count = 3;
    config->layers[0].units = 40;
    config->layers[1].units = 30;
    config->layers[2].units = 20;
    config->layers[2].kind = FF_DENSE;
    config->batch_size = 16;
    config->epochs = 3;
}

/* A line of several stages holds many messages: what is asked at a point comes true so many steps later at most. */
enum { UNDER_WAY = 64 };

static const char *last_digest(const struct watcher *watcher)
{
    return watcher->epoch[watcher->epochs - 1].digest;
}

/* --- the same bits --- */

/* One configuration on every placement; returns how many answers came meanwhile. */
static uint64_t check_placements(const struct ff_config *config, uint32_t trial, const struct ff_dataset *dataset)
{
    char digest[80] = "";
    double hash = 0, error_rate = 0;
    uint64_t answers = 0;
    float image[36];

    for (int i = 0; i < 36; i++)
        image[i] = (float)(i % 9) / 9;
    for (uint32_t placement = 0; placement < 12; placement++) {
        struct ff_placement where = {1 + placement / 3, 1 + placement % 3};
        struct watcher watcher = {.pause_at = placement % 2 ? 1 + random_pick(trial, placement, 30) : 0,
                                  .image = placement % 3 ? image : NULL};
        struct ff_error error;

        assert_int_equal(run(&watcher, config, dataset, where, &error), FF_FINISHED);
        assert_int_equal(watcher.epochs, 2);
        answers += watcher.answers;
        if (placement == 0) {
            strcpy(digest, last_digest(&watcher));
            hash = watcher.hash;
            error_rate = watcher.epoch[1].test_error;
        } else if (strcmp(digest, last_digest(&watcher)) != 0 || watcher.hash != hash ||
                   watcher.epoch[1].test_error != error_rate) {
            fail_msg("trial %u: %u stages x %u threads differ from one thread", trial, where.stages, where.threads);
        }
    }
    return answers;
}

static void every_placement_gives_the_same_bits(void **state)
{
    struct ff_dataset *dataset = synthetic_dataset(103, 31, 6, 5);
    uint64_t answers = 0;

    (void)state;
    for (uint32_t trial = 0; trial < 24; trial++) {
        struct ff_config config;

        random_config(&config, trial);
        answers += check_placements(&config, trial, dataset);
    }
    assert_true(answers > 100); /* a short run may be under way as a whole before its first point */
    ff_dataset_destroy(dataset);
}

static void every_placement_gives_convolutions_the_same_bits(void **state)
{
    struct ff_dataset *dataset = synthetic_dataset(103, 31, 6, 5);

    (void)state;
    for (uint32_t trial = 0; trial < 24; trial++) {
        struct ff_config config;

        random_convolution_config(&config, trial);
        check_placements(&config, trial, dataset);
    }
    ff_dataset_destroy(dataset);
}

/* Two runs' layers after training: the digests of a run with a read-out cover the read-out too, so figures are
 * compared. */
static void a_read_out_changes_nothing_in_the_layers(void **state)
{
    struct ff_dataset *dataset = synthetic_dataset(103, 31, 6, 5);

    (void)state;
    for (uint32_t trial = 0; trial < 24; trial++) {
        struct watcher plain = {0}, reading = {0};
        struct ff_config config;
        struct ff_error error;

        random_config(&config, trial);
        if (config.rule == FF_UNSUPERVISED || config.rule == FF_BACKPROP ||
            (config.optimizer == FF_SGD && config.batch_size <= 2))
            continue; /* one pair a step is computed in another order where nothing else is shown */
        config.predict = FF_PREDICT_GOODNESS;
        config.readout = FF_READOUT_NONE;
        config.epochs = 3;
        run(&plain, &config, dataset, (struct ff_placement){1, 1}, &error);
        config.readout = FF_READOUT_SOFTMAX;
        config.readout_from = trial % config.layer_count;
        run(&reading, &config, dataset, (struct ff_placement){2, 2}, &error);
        assert_true(plain.points > 1 && plain.hash == reading.hash);
        assert_string_not_equal(last_digest(&plain), last_digest(&reading));
    }
    ff_dataset_destroy(dataset);
}

static void another_seed_gives_other_bits(void **state)
{
    struct ff_dataset *dataset = synthetic_dataset(64, 16, 5, 4);
    struct watcher first = {0}, second = {0};
    struct ff_config config;
    struct ff_error error;

    (void)state;
    small_config(&config);
    run(&first, &config, dataset, (struct ff_placement){1, 1}, &error);
    config.seed++;
    run(&second, &config, dataset, (struct ff_placement){1, 1}, &error);
    assert_string_not_equal(last_digest(&first), last_digest(&second));
    assert_int_equal(strlen(last_digest(&first)), 7 + 64);
    ff_dataset_destroy(dataset);
}

/* --- learning --- */

static void goodness_parts_and_the_test_error_falls(void **state)
{
    struct ff_dataset *dataset = synthetic_dataset(600, 200, 8, 4);
    struct watcher watcher = {0};
    struct ff_config config;
    struct ff_error error;
    const struct ff_epoch *last;

    (void)state;
    small_config(&config);
    config.epochs = 8;
    config.temperature.value[0] = 0.1;
    config.learning_rate.value[0] = 0.005;
    assert_int_equal(run(&watcher, &config, dataset, (struct ff_placement){0, 0}, &error), FF_FINISHED);
    last = &watcher.epoch[7];
    for (uint32_t layer = 0; layer < 3; layer++) {
        assert_true(last->layer[layer].positive > last->layer[layer].negative + 0.2f);
        assert_true(last->layer[layer].accuracy > 0.95f);
        assert_true(last->layer[layer].loss < watcher.epoch[0].layer[layer].loss);
    }
    assert_true(last->test_error < 0.05 && last->train_error < 0.05);
    assert_true(watcher.wrong_share == last->test_error);
    assert_int_equal(watcher.evaluation.split, FF_TEST_SPLIT);
    assert_int_equal(watcher.evaluation.first, 0);
    assert_int_equal(watcher.evaluations, 8);
    ff_dataset_destroy(dataset);
}

static void points_cover_every_step_and_epochs_end_windows(void **state)
{
    struct ff_dataset *dataset = synthetic_dataset(70, 16, 5, 4); /* 5 steps an epoch, the last of 6 images */
    struct watcher watcher = {0};
    struct ff_config config;
    struct ff_error error;

    (void)state;
    small_config(&config);
    config.evaluate_every = 2;
    assert_int_equal(run(&watcher, &config, dataset, (struct ff_placement){1, 1}, &error), FF_FINISHED);
    assert_int_equal(watcher.points, 15);
    assert_int_equal(watcher.point_steps, 15);
    assert_int_equal(watcher.epoch[2].step, 15);
    assert_int_equal(watcher.histograms, 3);
    assert_int_equal(watcher.histogram_images, 3 * 70);
    assert_true(watcher.last_point.epoch == 3);
    assert_true(isnan(watcher.epoch[0].test_error) && isnan(watcher.epoch[0].train_error));
    assert_true(!isnan(watcher.epoch[1].test_error));
    assert_true(!isnan(watcher.epoch[2].test_error)); /* the last epoch is always judged */
    assert_true(watcher.epoch[2].elapsed >= watcher.epoch[2].evaluating && watcher.epoch[2].evaluating > 0);
    ff_dataset_destroy(dataset);
}

static void a_window_gives_a_hundred_points_an_epoch_and_is_bounded(void **state)
{
    (void)state;
    assert_int_equal(ff_window_steps(1, 10), 1);
    assert_int_equal(ff_window_steps(99, 990), 1);
    assert_int_equal(ff_window_steps(100, 1000), 1);
    assert_int_equal(ff_window_steps(469, 469 * 60), 4); /* 118 points */
    assert_int_equal(ff_window_steps(600, 36000), 6);
    assert_int_equal(ff_window_steps(1000, 10000), 10);
    assert_int_equal(ff_window_steps(600, 600 * 10000), 60); /* never more than 100,000 points */
    assert_int_equal(ff_window_steps(0, 0), 1);
}

static void no_epochs_only_initializes(void **state)
{
    struct ff_dataset *dataset = synthetic_dataset(30, 10, 5, 4);
    struct watcher watcher = {0};
    struct ff_config config;
    struct ff_error error;

    (void)state;
    small_config(&config);
    config.epochs = 0;
    assert_int_equal(run(&watcher, &config, dataset, (struct ff_placement){1, 1}, &error), FF_FINISHED);
    assert_int_equal(watcher.epochs + watcher.points, 0);
    ff_dataset_destroy(dataset);
}

static void held_out_images_are_judged_and_not_trained_on(void **state)
{
    struct ff_dataset *dataset = synthetic_dataset(100, 10, 5, 4);
    struct watcher plain = {0}, spoiled = {0};
    struct ff_config config;
    struct ff_error error;

    (void)state;
    small_config(&config);
    config.validation = 20;
    config.epochs = 12;
    config.learning_rate.value[0] = 0.01;
    config.evaluate_on = FF_EVALUATE_VALIDATION;
    run(&plain, &config, dataset, (struct ff_placement){1, 1}, &error);
    assert_int_equal(plain.epoch[0].step, 5); /* 80 images in batches of 16 */
    for (int i = 80; i < 100; i++)            /* wrong labels for those held out: same weights, worse figure */
        dataset->train.labels[i] = (uint16_t)((dataset->train.labels[i] + 1) % 4);
    run(&spoiled, &config, dataset, (struct ff_placement){1, 1}, &error);
    assert_string_equal(last_digest(&plain), last_digest(&spoiled));
    assert_true(spoiled.epoch[11].test_error > plain.epoch[11].test_error);
    assert_int_equal(spoiled.evaluation.split, FF_TRAIN_SPLIT);
    assert_int_equal(spoiled.evaluation.first, 80);
    assert_int_equal(spoiled.evaluation.count, 20);
    assert_int_equal(spoiled.evaluation.classes, 4);
    assert_int_equal(spoiled.evaluation.step, 60);
    ff_dataset_destroy(dataset);
}

/* --- control --- */

static void a_pause_is_told_and_changes_nothing(void **state)
{
    struct ff_dataset *dataset = synthetic_dataset(3200, 10, 5, 4);

    (void)state;
    for (uint32_t stages = 1; stages <= 3; stages++) {
        struct watcher plain = {0}, paused = {.pause_at = 7};
        struct ff_config config;
        struct ff_error error;

        small_config(&config);
        run(&plain, &config, dataset, (struct ff_placement){stages, 1}, &error);
        assert_int_equal(run(&paused, &config, dataset, (struct ff_placement){stages, 1}, &error), FF_FINISHED);
        assert_int_equal(paused.pauses, 1);
        assert_int_equal(paused.resumes, 1);
        assert_string_equal(last_digest(&plain), last_digest(&paused));
    }
    ff_dataset_destroy(dataset);
}

static void stopping_a_paused_run_ends_it(void **state)
{
    struct ff_dataset *dataset = synthetic_dataset(3200, 10, 5, 4);

    (void)state;
    for (uint32_t stages = 1; stages <= 3; stages++) {
        struct watcher watcher = {.pause_at = 3, .stop_when_paused = true};
        struct ff_config config;
        struct ff_error error;

        small_config(&config);
        assert_int_equal(run(&watcher, &config, dataset, (struct ff_placement){stages, 1}, &error), FF_STOPPED);
        assert_int_equal(watcher.pauses, 1);
        assert_int_equal(watcher.resumes, 0);
    }
    ff_dataset_destroy(dataset);
}

static void a_stop_ends_after_what_is_under_way_and_loses_no_point(void **state)
{
    struct ff_dataset *dataset = synthetic_dataset(3200, 10, 5, 4); /* 200 steps an epoch: windows of 2 */

    (void)state;
    for (uint32_t stages = 1; stages <= 3; stages++) {
        struct watcher watcher = {.stop_at = 51};
        struct ff_config config;
        struct ff_error error;

        small_config(&config);
        assert_int_equal(run(&watcher, &config, dataset, (struct ff_placement){stages, 2}, &error), FF_STOPPED);
        assert_int_equal(watcher.epochs, 0);
        assert_true(watcher.point_steps >= 51 && watcher.point_steps <= 51 + UNDER_WAY + 2);
    }
    ff_dataset_destroy(dataset);
}

/* The sink's figures of one image are those that a request gets: same network, same image. */
static void a_request_is_answered_as_evaluation_would(void **state)
{
    struct ff_dataset *dataset = synthetic_dataset(3200, 1, 5, 5);
    float image[25];

    (void)state;
    for (int i = 0; i < 25; i++)
        image[i] = (float)dataset->test.pixels[i] / 255;
    for (uint32_t stages = 1; stages <= 3; stages++) {
        struct watcher watcher = {.pause_at = 300, .image = image};
        struct ff_config config;
        struct ff_error error;

        small_config(&config);
        config.epochs = 2;
        config.learning_rate.value[0] =
            1e-30; /* the network that is asked is the one that is evaluated at the end */
        assert_int_equal(run(&watcher, &config, dataset, (struct ff_placement){stages, 1}, &error), FF_FINISHED);
        assert_true(watcher.answers > 0 && watcher.answers <= watcher.asked);
        assert_true(watcher.wrong_share == (watcher.answer.label == dataset->test.labels[0] ? 0 : 1));
        assert_true(watcher.answer_goodness[0][0] > 0);
    }
    ff_dataset_destroy(dataset);
}

static void too_many_requests_are_refused(void **state)
{
    struct ff_dataset *dataset = synthetic_dataset(100, 1, 5, 5);
    struct ff_observer observer = {0};
    struct ff_config config;
    struct ff_error error;
    struct ff_trainer *trainer;
    float image[25] = {0};
    uint64_t ticket;

    (void)state;
    small_config(&config);
    trainer = ff_trainer_create(&config, dataset, (struct ff_placement){1, 1}, &observer, NULL, &error);
    for (uint64_t i = 1; i <= FF_REQUESTS_MAX; i++) {
        assert_int_equal(ff_trainer_ask(trainer, image, &ticket, &error), FF_OK);
        assert_int_equal(ticket, i);
    }
    assert_int_equal(ff_trainer_ask(trainer, image, &ticket, &error), FF_BUSY);
    assert_int_equal(ff_trainer_run(trainer, &error), FF_FINISHED);
    assert_int_equal(ff_trainer_ask(trainer, image, &ticket, &error), FF_CONFLICT);
    ff_trainer_destroy(trainer);
    ff_dataset_destroy(dataset);
}

static void the_timeline_says_who_worked_when(void **state)
{
    struct ff_dataset *dataset = synthetic_dataset(100, 10, 5, 5);
    static struct ff_span spans[FF_SPANS_KEPT];

    (void)state;
    for (uint32_t stages = 1; stages <= 3; stages++) {
        struct ff_observer observer = {0};
        uint64_t end[FF_LAYERS_MAX] = {0};
        struct ff_config config;
        struct ff_error error;
        struct ff_trainer *trainer;
        size_t count;

        small_config(&config);
        trainer = ff_trainer_create(&config, dataset, (struct ff_placement){stages, 1}, &observer, NULL, &error);
        assert_int_equal(ff_trainer_timeline(trainer, spans, FF_SPANS_KEPT), 0);
        ff_trainer_run(trainer, &error);
        count = ff_trainer_timeline(trainer, spans, FF_SPANS_KEPT);
        /* 3 layers x 3 epochs x (7 steps + 1 judging + 2 training error + 6 digest) */
        assert_int_equal(count, 3 * 3 * (7 + 1 + 2 + 6));
        for (size_t i = 0; i < count; i++) {
            assert_true(spans[i].end >= spans[i].begin && spans[i].stage < stages);
            assert_true(spans[i].begin >= end[spans[i].stage]); /* a stage does one thing at a time */
            end[spans[i].stage] = spans[i].end;
        }
        assert_int_equal(ff_trainer_timeline(trainer, spans, 5), 5);
        ff_trainer_destroy(trainer);
    }
    ff_dataset_destroy(dataset);
}

/* --- what cannot go on --- */

static void a_run_that_diverges_fails_with_layer_step_and_setting(void **state)
{
    struct ff_dataset *dataset = synthetic_dataset(100, 10, 5, 4);

    (void)state;
    for (uint32_t stages = 1; stages <= 3; stages++) {
        struct watcher watcher = {0};
        struct ff_config config;
        struct ff_error error;
        unsigned layer, step;

        small_config(&config);
        config.negatives = FF_NEGATIVES_RANDOM;
        config.objective = FF_GAP; /* without bound */
        config.goodness = FF_GOODNESS_SUM;
        config.optimizer = FF_SGD;
        config.epochs = 60;
        config.learning_rate.value[0] = 10;
        assert_int_equal(run(&watcher, &config, dataset, (struct ff_placement){stages, 1}, &error), FF_FAILED);
        assert_int_equal(error.status, FF_DIVERGED);
        assert_int_equal(
            sscanf(error.message, "layer %u diverged %*s step %u: goodness is not finite", &layer, &step), 2);
        assert_non_null(strstr(error.message, "lower learning_rate (10)"));
        assert_true(layer < 3 && step > 0);
        assert_true(watcher.points == 0 || isfinite(watcher.last_point.layer[0].positive));
    }
    ff_dataset_destroy(dataset);
}

static void what_cannot_fit_into_memory_is_refused_in_words(void **state)
{
    struct ff_dataset *dataset = synthetic_dataset(100, 10, 5, 4);
    struct ff_observer observer = {0};
    struct ff_config config;
    struct ff_error error;

    (void)state;
    small_config(&config);
    config.layer_count = 32;
    for (uint32_t i = 0; i < 32; i++)
        config.layers[i] = (struct ff_layer_config){.kind = FF_DENSE, .units = 65536};
    assert_null(ff_trainer_create(&config, dataset, (struct ff_placement){0, 0}, &observer, NULL, &error));
    assert_int_equal(error.status, FF_NO_MEMORY);
    assert_non_null(strstr(error.message, "make layers or batch_size smaller"));
    ff_dataset_destroy(dataset);
}

static void parameters_are_counted(void **state)
{
    struct ff_dataset dataset = {
        .shape = {1, 28, 28}, .classes = 10, .train = {.count = 60000}, .test = {.count = 10000}};
    struct ff_config config;

    (void)state;
    ff_config_defaults(&config);
    config.layer_count = 2;
    config.layers[0].units = 500;
    config.layers[1].units = 300;
    assert_int_equal(ff_parameter_count(&config, &dataset), 794 * 500 + 500 + 500 * 300 + 300);
    config.bias = false;
    config.label = FF_LABEL_OVERLAY;
    assert_int_equal(ff_parameter_count(&config, &dataset), 784 * 500 + 500 * 300);
}

static struct ff_placement chosen(const char *preset, uint32_t batch, uint32_t processors)
{
    struct ff_dataset mnist = {
        .shape = {1, 28, 28}, .classes = 10, .train = {.count = 60000}, .test = {.count = 10000}};
    struct ff_config config;
    struct ff_plan plan;

    ff_preset_config(ff_preset_find(preset), &config);
    if (batch != 0)
        config.batch_size = batch;
    ff_plan_make(&plan, &config, &mnist);
    return ff_placement_choose(&plan, (struct ff_placement){0, 0}, processors);
}

static void wide_batches_get_a_team_and_single_images_a_line_of_stages(void **state)
{
    struct ff_placement placement;

    (void)state;
    placement = chosen("hinton", 0, 2);
    assert_true(placement.stages == 1 && placement.threads == 2);
    placement = chosen("original-base", 0, 2);
    assert_true(placement.stages == 2 && placement.threads == 1);
    for (uint32_t processors = 1; processors <= 64; processors *= 2) {
        placement = chosen("hinton", 8, processors);
        assert_true(placement.stages >= 1 && placement.stages <= 4);
        assert_true(placement.threads >= 1 && placement.stages * placement.threads <= processors);
        placement = chosen("original-small", 0, 1);
        assert_true(placement.stages == 1 && placement.threads == 1);
    }
}

static void what_is_asked_is_kept(void **state)
{
    struct ff_plan plan = {.layers = 3,
                           .blocks = 3,
                           .steps_per_epoch = 10,
                           .classes = 2,
                           .rows_per_image = 2,
                           .train_images = 10,
                           .config = {.evaluate_every = 1, .batch_size = 1},
                           .layer = {{.inputs = 10, .units = 10, .products = 100},
                                     {.inputs = 10, .units = 10, .products = 100},
                                     {.inputs = 10, .units = 10, .products = 100}}};
    struct ff_placement placement;

    (void)state;
    placement = ff_placement_choose(&plan, (struct ff_placement){2, 3}, 1);
    assert_true(placement.stages == 2 && placement.threads == 3);
    placement = ff_placement_choose(&plan, (struct ff_placement){9, 0}, 4);
    assert_true(placement.stages == 3 && placement.threads == 1);
    placement = ff_placement_choose(&plan, (struct ff_placement){0, 5}, 2);
    assert_true(placement.threads == 5);
}

static void the_rate_follows_its_schedule(void **state)
{
    struct ff_plan plan = {.steps = 1000, .config = {.schedule = FF_SCHEDULE_LINEAR, .warmup = 0.1}};

    (void)state;
    assert_true(fabs(ff_plan_rate(&plan, 1) - 0.01) < 1e-12);
    assert_true(fabs(ff_plan_rate(&plan, 50) - 0.5) < 1e-12);
    assert_true(fabs(ff_plan_rate(&plan, 101) - 1) < 1e-12);
    assert_true(fabs(ff_plan_rate(&plan, 551) - 0.5) < 1e-12);
    assert_true(ff_plan_rate(&plan, 1000) > 0 && ff_plan_rate(&plan, 1000) < 0.002);
    plan.config.schedule = FF_SCHEDULE_COSINE;
    assert_true(fabs(ff_plan_rate(&plan, 551) - 0.5) < 1e-12);
    plan.config.schedule = FF_SCHEDULE_CONSTANT;
    assert_true(ff_plan_rate(&plan, 999) == 1);
    plan.config.schedule = FF_SCHEDULE_HALF;
    assert_true(ff_plan_rate(&plan, 500) == 1 && fabs(ff_plan_rate(&plan, 751) - 0.5) < 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_placement_gives_the_same_bits),
        cmocka_unit_test(every_placement_gives_convolutions_the_same_bits),
        cmocka_unit_test(a_read_out_changes_nothing_in_the_layers),
        cmocka_unit_test(another_seed_gives_other_bits),
        cmocka_unit_test(goodness_parts_and_the_test_error_falls),
        cmocka_unit_test(points_cover_every_step_and_epochs_end_windows),
        cmocka_unit_test(a_window_gives_a_hundred_points_an_epoch_and_is_bounded),
        cmocka_unit_test(no_epochs_only_initializes),
        cmocka_unit_test(held_out_images_are_judged_and_not_trained_on),
        cmocka_unit_test(a_pause_is_told_and_changes_nothing),
        cmocka_unit_test(stopping_a_paused_run_ends_it),
        cmocka_unit_test(a_stop_ends_after_what_is_under_way_and_loses_no_point),
        cmocka_unit_test(a_request_is_answered_as_evaluation_would),
        cmocka_unit_test(too_many_requests_are_refused),
        cmocka_unit_test(the_timeline_says_who_worked_when),
        cmocka_unit_test(a_run_that_diverges_fails_with_layer_step_and_setting),
        cmocka_unit_test(what_cannot_fit_into_memory_is_refused_in_words),
        cmocka_unit_test(parameters_are_counted),
        cmocka_unit_test(wide_batches_get_a_team_and_single_images_a_line_of_stages),
        cmocka_unit_test(what_is_asked_is_kept),
        cmocka_unit_test(the_rate_follows_its_schedule),
    };

    openblas_set_num_threads(1); /* as the program does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
