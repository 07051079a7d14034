/* A line over several ranks: the bits of one thread, a message as bytes, ranks that differ, and ranks that die. The
 * ranks are threads here (thread_ranks.h); tests/mpi has them as processes. */
#include "cmocka_all.h"

#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint.h"
#include "layer.h"
#include "packet.h"
#include "random_config.h"
#include "sha256.h"
#include "synthetic.h"
#include "thread_ranks.h"
#include "trainer.h"

/* --- a run over ranks ----------------------------------------------------------------------------------------- */

/* What a run told, and what to do to it meanwhile. */
struct watcher {
    struct ff_trainer *trainer;
    struct ff_config turned; /* at the first point */
    bool turns, pauses;
    uint64_t stop_at; /* at the first point from this step on; 0: never */
    const float *image;
    uint32_t points, epochs, answers, weights, snapshots;
    char digest[80];
    double hash;          /* of all points */
    double error_rate;    /* of the newest epoch */
    double answer, asked; /* figures of the newest answer and weights, at `last_step` */
    struct ff_sha256 *snapshot;
    char snapshot_digest[FF_SHA256_TEXT];
    struct ff_change change;
    void (*at_point)(struct watcher *watcher, uint64_t step); /* NULL: nothing */
    struct thread_ranks *world;
};

/* What is asked is asked while it stands still, so that it is the same on every placement. */
static void ask(struct watcher *watcher)
{
    struct ff_error error;
    uint64_t ticket;

    assert_int_equal(ff_trainer_ask(watcher->trainer, watcher->image, &ticket, &error), FF_OK);
    for (uint32_t layer = 0; layer < 9; layer++) /* until there are no more */
        if (ff_trainer_ask_weights(watcher->trainer, layer, 0, 1, &ticket, &error) != FF_OK)
            break;
    ff_trainer_resume(watcher->trainer);
}

static void take_points(void *self, const struct ff_point *points, size_t count)
{
    struct watcher *watcher = self;

    for (size_t i = 0; i < count; i++) {
        watcher->points++;
        for (uint32_t layer = 0; layer < points[i].layers; layer++) {
            const struct ff_layer_figures *figures = &points[i].layer[layer];

            watcher->hash = watcher->hash * 1.0001 + figures->positive + 3 * (double)figures->negative_high +
                            7 * (double)figures->loss + 11 * (double)figures->accuracy;
        }
        if (watcher->stop_at != 0 && points[i].step >= watcher->stop_at)
            ff_trainer_stop(watcher->trainer);
        if (watcher->at_point != NULL)
            watcher->at_point(watcher, points[i].step);
    }
}

static void take_epoch(void *self, const struct ff_epoch *epoch)
{
    struct watcher *watcher = self;

    watcher->epochs = epoch->epoch;
    strcpy(watcher->digest, epoch->digest);
    watcher->error_rate = epoch->test_error;
}

static void take_answer(void *self, const struct ff_answer *answer)
{
    struct watcher *watcher = self;
    uint32_t columns = answer->unlabelled ? 1 : answer->classes;

    watcher->answers++;
    watcher->answer = answer->label + (double)answer->probabilities[answer->label];
    for (uint32_t i = 0; i < answer->layers * columns; i++)
        watcher->answer = watcher->answer * 1.01 + (double)answer->goodness[i];
}

static void take_weights(void *self, const struct ff_unit_weights *weights)
{
    struct watcher *watcher = self;

    watcher->weights++;
    for (uint32_t i = 0; i < weights->inputs * weights->count; i++)
        watcher->asked = watcher->asked * 1.001 + (double)weights->weights[i];
}

static bool take_change(void *self, const struct ff_change *change)
{
    ((struct watcher *)self)->change = *change;
    return true;
}

static void take_snapshot(void *self, const struct ff_snapshot_piece *piece)
{
    struct watcher *watcher = self;

    ff_sha256_add(watcher->snapshot, piece->values, piece->count * sizeof *piece->values);
    if (!piece->last)
        return;
    ff_sha256_take(watcher->snapshot, watcher->snapshot_digest);
    watcher->snapshots++;
}

static void take_pause(void *self)
{
    ask(self);
}

static enum ff_outcome run(struct watcher *watcher, const struct ff_config *config,
                           const struct ff_dataset *dataset, struct ff_placement placement, struct ff_crew *crew,
                           struct ff_error *error)
{
    struct ff_observer observer = {.self = watcher,
                                   .points = take_points,
                                   .epoch = take_epoch,
                                   .answer = take_answer,
                                   .weights = take_weights,
                                   .change = take_change,
                                   .snapshot = take_snapshot,
                                   .paused = take_pause};
    struct ff_change change = {.step = 3, .config = watcher->turned};
    struct ff_beginning beginning = {.changes = &change, .change_count = watcher->turns, .crew = crew};
    enum ff_outcome outcome;

    watcher->snapshot = ff_sha256_create(error);
    watcher->trainer = ff_trainer_create(config, dataset, placement, &observer, &beginning, error);
    if (watcher->trainer == NULL)
        fail_msg("%s", error->message);
    if (watcher->pauses)
        ff_trainer_pause(watcher->trainer);
    outcome = ff_trainer_run(watcher->trainer, error);
    ff_trainer_destroy(watcher->trainer);
    ff_sha256_destroy(watcher->snapshot);
    return outcome;
}

#define TRAIT                                                                                                      \
    {                                                                                                              \
        .name = "build", .value = "1", .advice = "copy it"                                                         \
    }
static const struct ff_trait same[THREAD_RANKS_MAX] = {TRAIT, TRAIT, TRAIT, TRAIT, TRAIT, TRAIT, TRAIT, TRAIT};

static const uint32_t counts[] = {2, 3, 4, 7};

/* One configuration in this process, then on each number of ranks: the same in everything that is told. */
static void check_ranks(const struct ff_config *config, uint32_t trial, const struct ff_dataset *dataset)
{
    float image[36];
    struct ff_error error;

    for (int i = 0; i < 36; i++)
        image[i] = (float)(i % 9) / 9;
    struct watcher expected = {.turned = *config, .turns = true, .pauses = true, .image = image};
    expected.turned.learning_rate.value[0] *= 0.5;
    struct watcher plain = expected;
    assert_int_equal(run(&plain, config, dataset, (struct ff_placement){1, 1}, NULL, &error), FF_FINISHED);
    assert_int_equal(plain.answers, 1);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct thread_ranks *world = thread_ranks_start(counts[i], same);
        struct ff_crew *crew = ff_crew_meet(thread_ranks_first(world), same, 1, &error);

        for (uint32_t round = 0; round < 2; round++) { /* run after run */
            struct watcher watcher = expected;
            struct ff_placement placement = {counts[i], 1 + (trial + round) % 2};

            assert_int_equal(run(&watcher, config, dataset, placement, crew, &error), FF_FINISHED);
            if (strcmp(watcher.digest, plain.digest) != 0 || watcher.hash != plain.hash ||
                watcher.error_rate != plain.error_rate || watcher.answer != plain.answer ||
                watcher.asked != plain.asked || watcher.weights != plain.weights ||
                strcmp(watcher.snapshot_digest, plain.snapshot_digest) != 0)
                fail_msg("trial %u: %u ranks differ from one thread", trial, counts[i]);
            assert_int_equal(watcher.snapshots, plain.snapshots);
        }
        ff_crew_destroy(crew);
        for (uint32_t rank = 1; rank < counts[i]; rank++)
            assert_int_equal(thread_ranks_end(world, rank), FF_OK);
        thread_ranks_destroy(world);
    }
}

/* Training, evaluation, knobs, questions, weights and checkpoints, of every rule, with read-outs and hard
 * negatives. */
static void every_number_of_ranks_gives_the_bits_of_one_thread(void **state)
{
    struct ff_dataset *dataset = synthetic_dataset(103, 31, 6, 5);

    (void)state;
    for (uint32_t trial = 0; trial < 24; trial++) {
        struct ff_config config;

        random_config(&config, trial);
        check_ranks(&config, trial, dataset);
    }
    ff_dataset_destroy(dataset);
}

static void convolutions_on_ranks_give_the_bits_of_one_thread(void **state)
{
    struct ff_dataset *dataset = synthetic_dataset(103, 31, 6, 5);

    (void)state;
    for (uint32_t trial = 0; trial < 12; trial++) {
        struct ff_config config;

        random_convolution_config(&config, trial);
        check_ranks(&config, trial, dataset);
    }
    ff_dataset_destroy(dataset);
}

/* --- what goes over the wire ---------------------------------------------------------------------------------- */

static void dense_config(struct ff_config *config, uint32_t layers, uint32_t units)
{
    ff_config_defaults(config);
    config->layer_count = layers;
    for (uint32_t i = 0; i < layers; i++)
        config->layers[i] = (struct ff_layer_config){.kind = FF_DENSE, .units = units};
    config->batch_size = 25;
    config->epochs = 3;
}

static void look_at_wire(struct watcher *watcher, uint64_t step)
{
    struct ff_wire wire;
    double up, back;

    if (step != 12)
        return;
    assert_true(ff_trainer_wire(watcher->trainer, &wire));
    up = (double)wire.up / (double)wire.images;
    back = (double)wire.back / (double)wire.images;
    assert_int_equal(wire.images, 12 * 25 - 25 + 25);
    /* Two boundaries, each passed once by both rows' activities; and little beside them. */
    assert_true(up > 2 * 2 * 200 * 4.0 && up < 2 * 2 * 200 * 4.0 + 100);
    /* Nothing comes back but what was found: goodness of two rows in two layers, and the head. */
    assert_true(back > 2 * 2 * 4.0 && back < 40);
    watcher->answers++;
}

static void activities_pass_each_boundary_once_and_never_come_back(void **state)
{
    struct ff_dataset *dataset = synthetic_dataset(100, 20, 6, 5);
    struct thread_ranks *world = thread_ranks_start(3, same);
    struct watcher watcher = {.at_point = look_at_wire};
    struct ff_config config;
    struct ff_error error;
    struct ff_crew *crew = ff_crew_meet(thread_ranks_first(world), same, 1, &error);

    (void)state;
    dense_config(&config, 3, 200);
    assert_int_equal(run(&watcher, &config, dataset, (struct ff_placement){3, 1}, crew, &error), FF_FINISHED);
    assert_int_equal(watcher.answers, 1);
    ff_crew_destroy(crew);
    for (uint32_t rank = 1; rank < 3; rank++)
        thread_ranks_end(world, rank);
    thread_ranks_destroy(world);
    ff_dataset_destroy(dataset);
}

/* A TRAIN message of a network with a read-out, as it leaves layer 0, and all that it is to arrive with. */
struct posted {
    struct ff_plan plan;
    struct ff_pool *pool;
    struct ff_message *from, *to;
    struct ff_hop hop;
    uint8_t *bytes;
    size_t size;
};

static void fill_with_numbers(float *values, size_t count, uint32_t stream)
{
    for (size_t i = 0; i < count; i++)
        values[i] = (float)ff_random_below(3, FF_RANDOM_ORDER, stream, i, 1000) / 10;
}

static void post(struct posted *posted, const struct ff_dataset *dataset)
{
    struct ff_plan *plan = &posted->plan;
    struct ff_config config;
    struct ff_message *from;
    struct ff_error error;

    dense_config(&config, 3, 10);
    config.readout = FF_READOUT_SOFTMAX;
    config.readout_from = 0;
    ff_plan_make(plan, &config, dataset);
    posted->pool = ff_pool_create(plan, 2, &error);
    posted->to = ff_pool_take(posted->pool);
    posted->from = from = ff_pool_take(posted->pool);
    posted->hop = (struct ff_hop){.away = 1, .next = 2};
    from->step = 7;
    from->epoch = 2;
    ff_message_start(from, plan, FF_TRAIN, FF_FOR_TRAINING);
    from->rows_per_image = 2;
    from->rate = 0.25;
    for (; from->images < 4; from->images++) {
        from->sample[from->images] = 30 + from->images;
        from->truth[from->images] = 3;
        ff_message_put_row(from, 3, FF_POSITIVE);
        ff_message_put_row(from, from->images, FF_NEGATIVE);
    }
    ff_message_put_neutral(from, plan);
    from->width = 10;
    fill_with_numbers(from->x, from->rows * 10, 1);
    fill_with_numbers(from->history, 4 * plan->history, 2);
    fill_with_numbers(from->goodness, plan->layers * plan->max_rows, 3);
    from->loss[1] = 0.5;
    from->busy[1] = (struct ff_busy){100, 200};
    posted->size = ff_packet_bytes(plan, posted->hop, from);
    posted->bytes = malloc(posted->size); /* no byte more, for the sanitizer */
    ff_packet_write(plan, posted->hop, from, posted->bytes);
}

static void take_down(struct posted *posted)
{
    free(posted->bytes);
    ff_pool_destroy(posted->pool);
}

static void a_message_arrives_as_it_was_sent(void **state)
{
    struct ff_dataset *dataset = synthetic_dataset(40, 10, 6, 5);
    struct posted posted;
    struct ff_config settings;

    (void)state;
    post(&posted, dataset);
    const struct ff_message *from = posted.from, *to = posted.to;
    assert_true(ff_packet_read(&posted.plan, posted.hop, posted.bytes, posted.size, posted.to, &settings));
    assert_int_equal(to->kind, FF_TRAIN);
    assert_int_equal(to->rows, 12); /* a neutral row an image */
    assert_int_equal(to->neutral, 4);
    assert_int_equal(to->step, 7);
    assert_int_equal(to->epoch, 2);
    assert_true(to->rate == 0.25);
    assert_int_equal(to->failed_layer, -1);
    assert_null(to->config);
    assert_memory_equal(to->sample, from->sample, 4 * sizeof *to->sample);
    assert_memory_equal(to->truth, from->truth, 4 * sizeof *to->truth);
    assert_memory_equal(to->label, from->label, 12 * sizeof *to->label);
    assert_memory_equal(to->role, from->role, 12);
    assert_memory_equal(to->x, from->x, 12 * 10 * sizeof(float));
    assert_memory_equal(to->goodness + posted.plan.max_rows, from->goodness + posted.plan.max_rows,
                        12 * sizeof(float));
    for (uint32_t image = 0; image < 4; image++) /* of both layers below */
        assert_memory_equal(to->history + image * posted.plan.history, from->history + image * posted.plan.history,
                            20 * sizeof(float));
    assert_true(to->loss[1] == 0.5 && to->busy[1].end == 200);
    assert_int_equal(to->wire, posted.size);
    assert_true(posted.size <= ff_packet_room(&posted.plan));
    take_down(&posted);
    ff_dataset_destroy(dataset);
}

/* Whatever the bytes say, nothing is read or written beyond what is there: the sanitizers watch. */
static void bytes_that_are_no_message_are_refused(void **state)
{
    struct ff_dataset *dataset = synthetic_dataset(40, 10, 6, 5);
    struct posted posted;
    struct ff_config settings;
    uint32_t refused = 0;

    (void)state;
    post(&posted, dataset);
    for (size_t size = 0; size < posted.size; size++) {
        uint8_t *cut = malloc(size + 1);

        memcpy(cut, posted.bytes, size);
        assert_false(ff_packet_read(&posted.plan, posted.hop, cut, size, posted.to, &settings));
        free(cut);
    }
    for (size_t at = 0; at < 200; at++) {
        uint8_t kept = posted.bytes[at];

        posted.bytes[at] = (uint8_t)(kept ^ (1 + at * 37 % 255));
        refused += !ff_packet_read(&posted.plan, posted.hop, posted.bytes, posted.size, posted.to, &settings);
        posted.bytes[at] = kept;
    }
    assert_true(refused > 20);
    assert_true(ff_packet_read(&posted.plan, posted.hop, posted.bytes, posted.size, posted.to, &settings));
    take_down(&posted);
    ff_dataset_destroy(dataset);
}

/* --- ranks that differ, and ranks that die -------------------------------------------------------------------- */

static void a_rank_that_is_not_the_same_is_refused_in_words(void **state)
{
    struct ff_trait traits[3] = {{.name = "BLAS kernel", .value = "SkylakeX", .advice = "set OPENBLAS_CORETYPE"}};
    struct ff_error error;

    (void)state;
    traits[1] = traits[2] = traits[0];
    strcpy(traits[2].value, "Haswell");
    struct thread_ranks *world = thread_ranks_start(3, traits);
    assert_null(ff_crew_meet(thread_ranks_first(world), traits, 1, &error));
    assert_int_equal(error.status, FF_INVALID);
    assert_non_null(strstr(error.message, "rank 2"));
    assert_non_null(strstr(error.message, "another BLAS kernel than rank 0: Haswell, not SkylakeX"));
    assert_non_null(strstr(error.message, "set OPENBLAS_CORETYPE"));
    for (uint32_t rank = 1; rank < 3; rank++) /* they are told to end, both */
        assert_int_equal(thread_ranks_end(world, rank), FF_OK);
    thread_ranks_destroy(world);
}

static void lose_two(struct watcher *watcher, uint64_t step)
{
    if (step >= 8)
        thread_ranks_lose(watcher->world, 2, 0);
}

/* Rank 2 of four goes, in training or while nothing trains; what it had is gone, but the other three train on. */
static void check_loss(bool in_training, const struct ff_dataset *dataset)
{
    struct thread_ranks *world = thread_ranks_start(4, same);
    struct watcher plain = {0}, broken = {.world = world, .at_point = in_training ? lose_two : NULL}, next = {0};
    struct ff_config config;
    struct ff_error error;
    struct ff_crew *crew = ff_crew_meet(thread_ranks_first(world), same, 1, &error);

    dense_config(&config, 4, 30);
    config.epochs = 30;
    run(&plain, &config, dataset, (struct ff_placement){1, 1}, NULL, &error);
    if (in_training) {
        assert_int_equal(run(&broken, &config, dataset, (struct ff_placement){4, 1}, crew, &error), FF_INTERRUPTED);
        assert_non_null(strstr(error.message, "rank 2 (on "));
        assert_int_equal(broken.snapshots, 0); /* of what is not whole any more */
        assert_int_equal(ff_crew_ranks(crew), 3);
    } else {
        thread_ranks_lose(world, 2, 0); /* when it would say that its stage is there */
    }
    assert_int_equal(run(&next, &config, dataset, (struct ff_placement){4, 1}, crew, &error), FF_FINISHED);
    assert_string_equal(next.digest, plain.digest);
    assert_int_equal(ff_crew_ranks(crew), 3);
    ff_crew_destroy(crew);
    for (uint32_t rank = 1; rank < 4; rank++)
        assert_int_equal(thread_ranks_end(world, rank), rank == 2 ? FF_LOST : FF_OK);
    thread_ranks_destroy(world);
}

static void a_lost_rank_interrupts_the_run_and_the_others_train_the_next(void **state)
{
    struct ff_dataset *dataset = synthetic_dataset(100, 20, 6, 5);

    (void)state;
    for (int round = 0; round < 10; round++)
        check_loss(true, dataset);
    ff_dataset_destroy(dataset);
}

static void a_rank_lost_while_nothing_trains_is_left_out_of_the_next_run(void **state)
{
    struct ff_dataset *dataset = synthetic_dataset(100, 20, 6, 5);

    (void)state;
    check_loss(false, dataset);
    ff_dataset_destroy(dataset);
}

/* At every message's number once: wherever it was, the run ends, and never hangs. */
static void a_rank_may_be_lost_at_any_message(void **state)
{
    struct ff_dataset *dataset = synthetic_dataset(60, 10, 6, 5);
    uint32_t interrupted = 0;

    (void)state;
    for (uint32_t at = 2; at < 80; at += 3) {
        struct thread_ranks *world = thread_ranks_start(3, same);
        struct watcher watcher = {0};
        struct ff_config config;
        struct ff_error error;
        struct ff_crew *crew = ff_crew_meet(thread_ranks_first(world), same, 1, &error);

        dense_config(&config, 3, 15);
        config.epochs = 2;
        thread_ranks_lose(world, 1 + at % 2, at);
        interrupted += run(&watcher, &config, dataset, (struct ff_placement){3, 1}, crew, &error) == FF_INTERRUPTED;
        ff_crew_destroy(crew);
        for (uint32_t rank = 1; rank < 3; rank++)
            thread_ranks_end(world, rank);
        thread_ranks_destroy(world);
    }
    assert_true(interrupted > 5);
    ff_dataset_destroy(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_number_of_ranks_gives_the_bits_of_one_thread),
        cmocka_unit_test(convolutions_on_ranks_give_the_bits_of_one_thread),
        cmocka_unit_test(activities_pass_each_boundary_once_and_never_come_back),
        cmocka_unit_test(a_message_arrives_as_it_was_sent),
        cmocka_unit_test(bytes_that_are_no_message_are_refused),
        cmocka_unit_test(a_rank_that_is_not_the_same_is_refused_in_words),
        cmocka_unit_test(a_lost_rank_interrupts_the_run_and_the_others_train_the_next),
        cmocka_unit_test(a_rank_lost_while_nothing_trains_is_left_out_of_the_next_run),
        cmocka_unit_test(a_rank_may_be_lost_at_any_message),
    };

    openblas_set_num_threads(1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
