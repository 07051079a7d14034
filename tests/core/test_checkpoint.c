/* Runs that are left and gone on with: the bits of a run that never was, on any placement; checkpoints on disk, and
 * networks at rest. */
#include "cmocka_all.h"

#include <cblas.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "checkpoint.h"
#include "layer.h"
#include "network.h"
#include "random_config.h"
#include "synthetic.h"
#include "temporary.h"
#include "trainer.h"

static char folder[256], path[300], kept[300];

/* What a run told over all its lives, and where its newest checkpoint is. */
struct watcher {
    struct ff_trainer *trainer;
    struct ff_config config;
    const struct ff_dataset *dataset;
    uint64_t stop_at, change_at; /* at the first point from this step on; 0: never */
    struct ff_config changed;
    bool every_epoch, pauses;
    struct ff_safetensors_writer *writer;
    uint32_t snapshots;
    struct ff_standing standing; /* of the newest snapshot */

    double point[1024]; /* by step: one figure of the point that ended there */
    struct ff_epoch epoch[16];
    struct ff_histogram histogram[16][4]; /* of whole epochs */
    uint32_t epochs;
    struct ff_change changes[4];
    size_t change_count;
};

static void take_points(void *self, const struct ff_point *points, size_t count)
{
    struct watcher *watcher = self;

    for (size_t i = 0; i < count; i++) {
        assert_true(points[i].step < 1024);
        watcher->point[points[i].step] = points[i].layer[0].positive + 3 * points[i].layer[0].negative_low;
        if (watcher->change_at != 0 && points[i].step >= watcher->change_at) {
            struct ff_error error;

            watcher->change_at = 0;
            assert_int_equal(ff_trainer_change(watcher->trainer, &watcher->changed, &error), FF_OK);
        }
        if (watcher->stop_at != 0 && points[i].step >= watcher->stop_at)
            ff_trainer_stop(watcher->trainer);
    }
}

static void take_epoch(void *self, const struct ff_epoch *epoch)
{
    struct watcher *watcher = self;

    watcher->epoch[epoch->epoch] = *epoch;
    watcher->epochs = epoch->epoch;
}

static void take_histograms(void *self, const struct ff_histograms *histograms)
{
    struct watcher *watcher = self;

    assert_true(histograms->layers <= 4);
    if (histograms->whole)
        memcpy(watcher->histogram[histograms->epoch], histograms->layer,
               histograms->layers * sizeof *histograms->layer);
}

static bool take_change(void *self, const struct ff_change *change)
{
    struct watcher *watcher = self;

    watcher->changes[watcher->change_count++] = *change;
    return true;
}

static bool want_snapshot(void *self)
{
    return ((struct watcher *)self)->every_epoch;
}

/* Changes are recorded before they hold, so a snapshot's may not all have happened. */
static size_t changes_until(const struct watcher *watcher, uint64_t step)
{
    size_t count = 0;

    while (count < watcher->change_count && watcher->changes[count].step <= step)
        count++;
    return count;
}

static void take_snapshot(void *self, const struct ff_snapshot_piece *piece)
{
    struct watcher *watcher = self;
    struct ff_durable *file;
    struct ff_error error;

    if (piece->standing != NULL) {
        struct ff_checkpoint_about about = {.config = watcher->config,
                                            .change_count = changes_until(watcher, piece->standing->step),
                                            .changes = watcher->changes,
                                            .shape = watcher->dataset->shape,
                                            .classes = watcher->dataset->classes,
                                            .name = "a run of \"tests\"",
                                            .standing = *piece->standing};

        assert_int_equal(piece->standing->best_epoch, 0); /* which is the keeper's */
        watcher->standing = *piece->standing;
        watcher->writer = ff_checkpoint_write(&ff_files_system, path, &about, &error);
        if (watcher->writer == NULL)
            fail_msg("%s", error.message);
        return;
    }
    assert_int_equal(
        ff_safetensors_append(watcher->writer, piece->values, piece->count * sizeof *piece->values, &error), FF_OK);
    if (!piece->last)
        return;
    if (ff_safetensors_finish(watcher->writer, &file, &error) != FF_OK || ff_durable_commit(file, &error) != FF_OK)
        fail_msg("%s", error.message);
    watcher->snapshots++;
}

static void go_on(void *self)
{
    ff_trainer_resume(((struct watcher *)self)->trainer);
}

/* Train until the end or a stop; from the checkpoint when `resume`. */
static enum ff_outcome live(struct watcher *watcher, struct ff_placement placement, bool resume)
{
    struct ff_observer observer = {.self = watcher,
                                   .points = take_points,
                                   .epoch = take_epoch,
                                   .histograms = take_histograms,
                                   .change = take_change,
                                   .wants_snapshot = want_snapshot,
                                   .snapshot = take_snapshot,
                                   .paused = go_on};
    struct ff_beginning beginning = {.changes = watcher->changes, .change_count = watcher->change_count};
    struct ff_error error = {0};
    enum ff_outcome outcome;

    if (resume && (beginning.checkpoint = ff_checkpoint_open(path, &error)) == NULL)
        fail_msg("%s", error.message);
    watcher->trainer =
        ff_trainer_create(&watcher->config, watcher->dataset, placement, &observer, &beginning, &error);
    if (watcher->trainer == NULL)
        fail_msg("%s", error.message);
    if (watcher->pauses)
        ff_trainer_pause(watcher->trainer);
    outcome = ff_trainer_run(watcher->trainer, &error);
    if (outcome == FF_FAILED)
        fail_msg("%s", error.message);
    ff_trainer_destroy(watcher->trainer);
    ff_checkpoint_close(beginning.checkpoint);
    return outcome;
}

static void compare_lives(const struct watcher *whole, const struct watcher *parts, uint32_t trial)
{
    if (strcmp(whole->epoch[whole->epochs].digest, parts->epoch[parts->epochs].digest) != 0)
        fail_msg("trial %u: other weights than a run that was never left", trial);
    assert_int_equal(whole->epochs, parts->epochs);
    for (uint32_t i = 1; i <= whole->epochs; i++) {
        assert_string_equal(whole->epoch[i].digest, parts->epoch[i].digest);
        assert_true(whole->epoch[i].step == parts->epoch[i].step);
        assert_memory_equal(whole->epoch[i].layer, parts->epoch[i].layer,
                            whole->epoch[i].layers * 4); /* positive of the first layers, bit for bit */
        for (uint32_t layer = 0; layer < whole->epoch[i].layers; layer++) {
            assert_true(whole->epoch[i].layer[layer].loss == parts->epoch[i].layer[layer].loss);
            assert_true(whole->epoch[i].layer[layer].accuracy == parts->epoch[i].layer[layer].accuracy);
        }
    }
    assert_memory_equal(whole->point, parts->point, sizeof whole->point);
    assert_memory_equal(whole->histogram, parts->histogram, sizeof whole->histogram);
}

static void copy_file(const char *from, const char *to)
{
    char command[700];

    snprintf(command, sizeof command, "cp %s %s", from, to);
    assert_int_equal(system(command), 0);
}

static const struct ff_placement placements[] = {{1, 1}, {2, 1}, {1, 3}, {4, 2}, {3, 1}};

static void a_run_left_anywhere_goes_on_with_the_same_bits_on_any_placement(void **state)
{
    struct ff_dataset *dataset = synthetic_dataset(103, 31, 6, 5);

    (void)state;
    for (uint32_t trial = 0; trial < 45; trial++) {
        struct watcher whole = {.dataset = dataset}, parts = {.dataset = dataset};
        enum ff_outcome outcome = FF_STOPPED;
        uint32_t lives = 0;

        if (trial < 30)
            random_config(&whole.config, trial);
        else
            random_convolution_config(&whole.config, trial);
        parts.config = whole.config;
        assert_int_equal(live(&whole, placements[0], false), FF_FINISHED);
        for (uint64_t stop = 1 + random_pick(trial, 70, 30); outcome == FF_STOPPED;
             stop += 1 + random_pick(trial, 71 + lives, 40)) {
            parts.stop_at = stop;
            parts.pauses = random_pick(trial, 90 + lives, 3) == 0;
            outcome = live(&parts, placements[(trial + lives) % 5], lives > 0);
            assert_true(++lives < 250);
        }
        compare_lives(&whole, &parts, trial);
    }
    ff_dataset_destroy(dataset);
}

/* Whatever was done after the checkpoint is done again, and comes out the same. */
static void what_came_after_a_checkpoint_comes_again(void **state)
{
    struct ff_dataset *dataset = synthetic_dataset(103, 31, 6, 5);

    (void)state;
    for (uint32_t trial = 0; trial < 8; trial++) {
        struct watcher whole = {.dataset = dataset}, parts = {.dataset = dataset, .every_epoch = true};

        random_config(&whole.config, trial);
        whole.config.epochs = 4;
        parts.config = whole.config;
        live(&whole, placements[1], false);
        parts.config.epochs = 2; /* the last snapshot is of the end of epoch 2 */
        live(&parts, placements[2], false);
        copy_file(path, kept);
        for (int again = 0; again < 2; again++) {
            parts.config.epochs = whole.config.epochs;
            copy_file(kept, path);
            live(&parts, placements[again + 3], true);
            if (whole.config.schedule == FF_SCHEDULE_CONSTANT && whole.config.evaluate_every == 1)
                compare_lives(&whole, &parts, trial);
        }
        assert_true(parts.snapshots >= 4);
    }
    ff_dataset_destroy(dataset);
}

static bool can_pull_to_peers(const struct ff_config *config)
{
    bool dense = true;

    for (uint32_t i = 0; i < config->layer_count; i++)
        dense &= config->layers[i].kind == FF_DENSE;
    return dense && !config->batch_normalization && config->rule != FF_BACKPROP;
}

/* A knob turned at some step is turned at the same step again when the run goes on from a checkpoint before it. */
static void live_settings_replay_at_their_step(void **state)
{
    struct ff_dataset *dataset = synthetic_dataset(400, 20, 6, 5);

    (void)state;
    for (uint32_t trial = 0; trial < 5; trial++) {
        struct watcher before = {.dataset = dataset, .stop_at = 5}, changed, again, plain;
        struct ff_checkpoint *checkpoint;
        struct ff_error error;

        random_config(&before.config, trial);
        before.config.batch_size = 8; /* 50 steps an epoch */
        before.config.epochs = 4;
        assert_int_equal(live(&before, placements[trial], false), FF_STOPPED);
        copy_file(path, kept);
        plain = before;
        plain.stop_at = 0;
        live(&plain, placements[0], true);

        changed = before;
        changed.stop_at = 0;
        changed.change_at = before.standing.step + 10;
        changed.changed = before.config;
        changed.changed.learning_rate.value[0] *= 3;
        changed.changed.threshold.value[0] *= 0.5;
        if (can_pull_to_peers(&changed.changed))
            changed.changed.peer_normalization = before.config.peer_normalization > 0 ? 0 : 0.1;
        copy_file(kept, path);
        live(&changed, placements[trial], true);
        assert_int_equal(changed.change_count, 1);
        assert_true(changed.changes[0].step >= before.standing.step + 10);
        assert_string_not_equal(changed.epoch[4].digest, plain.epoch[4].digest);

        again = changed; /* it knows of the change, and goes on from before it */
        memset(again.epoch, 0, sizeof again.epoch);
        copy_file(kept, path);
        live(&again, placements[(trial + 1) % 5], true);
        assert_int_equal(again.change_count, 1); /* replayed, not asked for anew */
        assert_string_equal(changed.epoch[4].digest, again.epoch[4].digest);

        checkpoint = ff_checkpoint_open(path, &error); /* that of the end says so too */
        assert_non_null(checkpoint);
        assert_int_equal(ff_checkpoint_about(checkpoint)->change_count, 1);
        assert_true(ff_checkpoint_about(checkpoint)->changes[0].step == changed.changes[0].step);
        assert_true(ff_checkpoint_config(checkpoint)->learning_rate.value[0] ==
                    3 * before.config.learning_rate.value[0]);
        assert_true(ff_checkpoint_about(checkpoint)->config.learning_rate.value[0] ==
                    before.config.learning_rate.value[0]);
        ff_checkpoint_close(checkpoint);
    }
    ff_dataset_destroy(dataset);
}

static void a_checkpoint_says_everything_back(void **state)
{
    struct ff_dataset *dataset = synthetic_dataset(103, 31, 6, 5);
    struct watcher watcher = {.dataset = dataset, .stop_at = 3};
    const struct ff_checkpoint_about *about;
    struct ff_checkpoint *checkpoint;
    struct ff_error error;
    cJSON *difference;

    (void)state;
    random_config(&watcher.config, 3);
    watcher.config.batch_size = 5;
    watcher.config.validation = 3;
    live(&watcher, placements[0], false);
    checkpoint = ff_checkpoint_open(path, &error);
    assert_non_null(checkpoint);
    about = ff_checkpoint_about(checkpoint);
    difference = ff_config_difference(&about->config, &watcher.config);
    assert_null(difference->child);
    cJSON_Delete(difference);
    assert_string_equal(about->name, "a run of \"tests\"");
    assert_int_equal(about->classes, 5);
    assert_int_equal(about->shape.width, 6);
    assert_memory_equal(&about->standing.epoch_sums, &watcher.standing.epoch_sums,
                        watcher.standing.layers * sizeof(struct ff_sums));
    assert_memory_equal(&about->standing.epoch_histograms, &watcher.standing.epoch_histograms,
                        watcher.standing.layers * sizeof(struct ff_histogram));
    assert_true(about->standing.step == watcher.standing.step &&
                about->standing.window == watcher.standing.window &&
                about->standing.pixel_scale == watcher.standing.pixel_scale &&
                about->standing.training == watcher.standing.training &&
                about->standing.epoch_images == watcher.standing.epoch_images);
    ff_checkpoint_close(checkpoint);
    ff_dataset_destroy(dataset);
}

/* Write the checkpoint anew as it was before histograms were kept. */
static void drop_histograms(void)
{
    static const char *const names[] = {"format", "name",     "config",         "changes",
                                        "images", "standing", "metadata.sha256"};
    enum { TEXTS = sizeof names / sizeof names[0] };
    const char *texts[2 * TEXTS + 1] = {NULL};
    struct ff_tensor_about tensors[64];
    struct ff_safetensors_writer *writer;
    struct ff_durable *file;
    struct ff_error error;
    struct ff_safetensors *old = ff_safetensors_open(path, &error);
    size_t count = 0;

    assert_non_null(old);
    for (size_t i = 0; i < TEXTS; i++) {
        texts[2 * i] = names[i];
        texts[2 * i + 1] = ff_safetensors_metadata(old, names[i]);
    }
    for (size_t i = 0; i < ff_safetensors_count(old); i++)
        if (strcmp(ff_safetensors_tensor(old, i)->name, "epoch.histograms") != 0)
            tensors[count++] = *ff_safetensors_tensor(old, i);
    assert_int_equal(count + 1, ff_safetensors_count(old));
    writer = ff_safetensors_write(ff_durable_create(&ff_files_system, kept, &error), tensors, count, texts, &error);
    assert_non_null(writer);
    for (size_t i = 0; i < count; i++) {
        size_t index, numbers = 1;
        static char bytes[1 << 20];

        ff_safetensors_find(old, tensors[i].name, &index);
        for (uint32_t k = 0; k < tensors[i].rank; k++)
            numbers *= (size_t)tensors[i].shape[k];
        numbers *= tensors[i].dtype == FF_F32 ? 4 : 8;
        assert_true(numbers <= sizeof bytes);
        assert_int_equal(ff_safetensors_read(old, index, 0, bytes, numbers, &error), FF_OK);
        assert_int_equal(ff_safetensors_append(writer, bytes, numbers, &error), FF_OK);
    }
    assert_int_equal(ff_safetensors_finish(writer, &file, &error), FF_OK);
    assert_int_equal(ff_durable_commit(file, &error), FF_OK);
    ff_safetensors_close(old);
    copy_file(kept, path);
}

static void a_checkpoint_from_before_histograms_goes_on_with_the_same_bits(void **state)
{
    struct ff_dataset *dataset = synthetic_dataset(103, 31, 6, 5);
    struct watcher whole = {.dataset = dataset}, parts = {.dataset = dataset, .stop_at = 2};
    uint64_t counted = 0, before;

    (void)state;
    random_config(&whole.config, 3);
    whole.config.batch_size = 5;
    parts.config = whole.config;
    live(&whole, placements[0], false);
    assert_int_equal(live(&parts, placements[0], false), FF_STOPPED); /* at step 2 */
    before = parts.standing.epoch_images;
    assert_true(before >= 10);
    drop_histograms();
    parts.stop_at = 0;
    assert_int_equal(live(&parts, placements[2], true), FF_FINISHED);
    for (size_t bin = 0; bin < FF_BINS; bin++)
        counted += parts.histogram[1][0].positive[bin];
    assert_int_equal(counted, 103 - before);
    memcpy(parts.histogram[1], whole.histogram[1], sizeof parts.histogram[1]);
    compare_lives(&whole, &parts, 3);
    ff_dataset_destroy(dataset);
}

/* The newest evaluation of a run, and what the network in its last checkpoint makes of the same images. */
static void a_network_at_rest_judges_as_the_run_did(void **state)
{
    struct ff_dataset *dataset = synthetic_dataset(103, 31, 6, 5);

    (void)state;
    for (uint32_t trial = 0; trial < 12; trial++) {
        struct watcher watcher = {.dataset = dataset};
        struct ff_checkpoint *checkpoint;
        struct ff_network *network;
        struct ff_answer answer;
        struct ff_error error;
        float pixels[36], weights[3 * 400];
        uint32_t wrong, one_by_one = 0;

        random_config(&watcher.config, trial);
        live(&watcher, placements[trial % 5], false);
        checkpoint = ff_checkpoint_open(path, &error);
        assert_non_null(checkpoint);
        network = ff_network_create(checkpoint, 1 + trial % 2, &error);
        assert_non_null(network);
        assert_int_equal(ff_network_evaluate(network, dataset, FF_TEST_SPLIT, 32, 0, &wrong, &error), FF_INVALID);
        assert_int_equal(ff_network_evaluate(network, dataset, FF_TEST_SPLIT, 31, 0, &wrong, &error), FF_OK);
        assert_int_equal(wrong, 0); /* of none */
        assert_int_equal(ff_network_evaluate(network, dataset, FF_TEST_SPLIT, 0, 0, &wrong, &error), FF_OK);
        assert_true((double)wrong / 31 == watcher.epoch[watcher.epochs].test_error);
        for (uint32_t i = 0; i < 31; i++) {
            for (uint32_t p = 0; p < 36; p++)
                pixels[p] = (float)dataset->test.pixels[i * 36 + p] / 255;
            ff_network_predict(network, pixels, &answer);
            one_by_one += answer.label != dataset->test.labels[i];
        }
        assert_true(abs((int)one_by_one - (int)wrong) <= 1); /* rounding of the pixels may turn a tie */
        ff_network_weights(network, 0, 0, 1, weights);
        float first;
        assert_int_equal(
            ff_checkpoint_read(checkpoint, 0, ff_checkpoint_judging_tensor(checkpoint, 0, 0), 0, 1, &first, &error),
            FF_OK);
        assert_true(weights[0] == first);
        ff_network_destroy(network);
        ff_checkpoint_close(checkpoint);
    }
    ff_dataset_destroy(dataset);
}

static void a_checkpoint_of_another_run_is_refused_in_words(void **state)
{
    struct ff_dataset *dataset = synthetic_dataset(103, 31, 6, 5), *other = synthetic_dataset(103, 31, 7, 5);
    struct watcher watcher = {.dataset = dataset};
    struct ff_observer observer = {0};
    struct ff_beginning beginning = {0};
    struct ff_error error;

    (void)state;
    random_config(&watcher.config, 1);
    live(&watcher, placements[0], false);
    beginning.checkpoint = ff_checkpoint_open(path, &error);
    assert_non_null(beginning.checkpoint);
    watcher.config.learning_rate.value[0] *= 2;
    assert_null(ff_trainer_create(&watcher.config, dataset, placements[0], &observer, &beginning, &error));
    assert_non_null(strstr(error.message, "another learning_rate"));
    watcher.config.learning_rate.value[0] /= 2;
    assert_null(ff_trainer_create(&watcher.config, other, placements[0], &observer, &beginning, &error));
    assert_non_null(strstr(error.message, "images of another size"));
    dataset->train.count--;
    assert_null(ff_trainer_create(&watcher.config, dataset, placements[0], &observer, &beginning, &error));
    assert_non_null(strstr(error.message, "103 training images"));
    dataset->train.count++;
    watcher.config.epochs = 1;
    assert_null(ff_trainer_create(&watcher.config, dataset, placements[0], &observer, &beginning, &error));
    assert_non_null(strstr(error.message, "epochs done"));
    ff_checkpoint_close(beginning.checkpoint);
    ff_dataset_destroy(dataset);
    ff_dataset_destroy(other);
}

/* Every byte of a small checkpoint turned over in turn: refused, or read back as what it was. */
static void a_tipped_bit_is_noticed(void **state)
{
    struct ff_dataset *dataset = synthetic_dataset(30, 5, 3, 2);
    struct watcher watcher = {.dataset = dataset};
    static unsigned char bytes[65536];
    struct ff_error error;
    size_t refused = 0;

    (void)state;
    random_config(&watcher.config, 5);
    watcher.config.layer_count = 1;
    watcher.config.layers[0].units = 2;
    watcher.config.epochs = 1;
    live(&watcher, placements[0], false);
    int file = open(path, O_RDWR);
    ssize_t size = read(file, bytes, sizeof bytes);
    assert_true(size > 0 && (size_t)size < sizeof bytes);
    for (ssize_t i = 0; i < size; i++) {
        unsigned char tipped = (unsigned char)(bytes[i] ^ (1 << i % 8));

        assert_int_equal(pwrite(file, &tipped, 1, i), 1);
        struct ff_checkpoint *checkpoint = ff_checkpoint_open(path, &error);
        refused += checkpoint == NULL;
        if (checkpoint != NULL) /* white space of the header that has become other white space, and the like */
            assert_string_equal(ff_checkpoint_about(checkpoint)->name, "a run of \"tests\"");
        ff_checkpoint_close(checkpoint);
        assert_int_equal(pwrite(file, &bytes[i], 1, i), 1);
    }
    assert_true(refused + 16 >= (size_t)size);
    close(file);
    ff_dataset_destroy(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_left_anywhere_goes_on_with_the_same_bits_on_any_placement),
        cmocka_unit_test(what_came_after_a_checkpoint_comes_again),
        cmocka_unit_test(live_settings_replay_at_their_step),
        cmocka_unit_test(a_checkpoint_says_everything_back),
        cmocka_unit_test(a_checkpoint_from_before_histograms_goes_on_with_the_same_bits),
        cmocka_unit_test(a_network_at_rest_judges_as_the_run_did),
        cmocka_unit_test(a_checkpoint_of_another_run_is_refused_in_words),
        cmocka_unit_test(a_tipped_bit_is_noticed),
    };

    openblas_set_num_threads(1); /* as the program does */
    temporary_folder(folder);
    snprintf(path, sizeof path, "%s/checkpoint.safetensors", folder);
    snprintf(kept, sizeof kept, "%s/kept", folder);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    temporary_remove(folder);
    return failed;
}
