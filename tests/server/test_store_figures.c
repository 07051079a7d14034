/* What was seen in epochs, in the store: histograms, evaluations, and the database from before they were kept. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store_fixture.h"

static struct histograms read_back;

static int64_t insert_run(struct fixture *fixture)
{
    struct run run = {.state = RUN_FINISHED, .created = 1700000000123};

    ff_config_defaults(&run.config);
    assert_good(store_insert_run(fixture->store, &run, &fixture->error), &fixture->error);
    return run.id;
}

/* Those of an epoch of two layers; every epoch has its own. */
static struct histograms *histograms_of(uint32_t epoch, bool whole)
{
    static struct histograms histograms;
    const float high[] = {(float)epoch, 100, 3}, low[] = {0.5f, 0, 0.25f};

    memset(&histograms, 0, sizeof histograms);
    histograms.about = (struct ff_histograms){.epoch = epoch,
                                              .step = 10 * epoch,
                                              .images = 3,
                                              .whole = whole,
                                              .layers = 2,
                                              .threshold = {1.5, (double)NAN},
                                              .layer = histograms.layer};
    ff_histogram_add(&histograms.layer[0], high, low, 3);
    ff_histogram_add(&histograms.layer[1], low, low, 3);
    return &histograms;
}

static void append(struct fixture *fixture, int64_t run, uint32_t epoch, bool whole)
{
    store_append_histograms(fixture->store, run, &histograms_of(epoch, whole)->about);
}

static const struct histograms *read_epoch(struct fixture *fixture, int64_t run, uint32_t epoch)
{
    assert_good(store_read_histograms(fixture->store, run, epoch, &read_back, &fixture->error), &fixture->error);
    return &read_back;
}

static void assert_same(const struct histograms *read, const struct histograms *written)
{
    assert_int_equal(read->about.epoch, written->about.epoch);
    assert_int_equal(read->about.step, written->about.step);
    assert_int_equal(read->about.images, written->about.images);
    assert_int_equal(read->about.whole, written->about.whole);
    assert_int_equal(read->about.layers, 2);
    assert_true(read->about.threshold[0] == 1.5 && isnan(read->about.threshold[1]));
    assert_ptr_equal(read->about.layer, read->layer);
    assert_memory_equal(read->layer, written->layer, 2 * sizeof read->layer[0]);
}

static void gather_number(void *self, uint64_t number)
{
    uint64_t *all = self;

    *all = *all * 10 + number;
}

/* Their digits side by side. */
static uint64_t epochs_of(struct fixture *fixture, int64_t run)
{
    uint64_t all = 0;

    assert_good(store_read_histogram_epochs(fixture->store, run, gather_number, &all, &fixture->error),
                &fixture->error);
    return all;
}

static void histograms_read_back_by_epoch(void **state)
{
    struct fixture *fixture = *state;
    int64_t id = insert_run(fixture), other = insert_run(fixture);

    append(fixture, id, 1, true);
    append(fixture, id, 2, true);
    append(fixture, id, 3, false);
    append(fixture, other, 7, true);
    store_flush(fixture->store);
    reopen(fixture);
    assert_same(read_epoch(fixture, id, 1), histograms_of(1, true));
    assert_same(read_epoch(fixture, id, 3), histograms_of(3, false));
    assert_same(read_epoch(fixture, id, 0), histograms_of(3, false));
    assert_int_equal(read_epoch(fixture, id, 7)->about.epoch, 0);
    assert_int_equal(epochs_of(fixture, id), 123);
    assert_int_equal(epochs_of(fixture, other), 7);
    append(fixture, id, 3, true); /* the epoch is over now */
    store_flush(fixture->store);
    assert_same(read_epoch(fixture, id, 0), histograms_of(3, true));
    assert_int_equal(epochs_of(fixture, id), 123);
}

static void a_run_without_any_has_none(void **state)
{
    struct fixture *fixture = *state;
    int64_t id = insert_run(fixture);

    assert_int_equal(read_epoch(fixture, id, 0)->about.epoch, 0);
    assert_int_equal(epochs_of(fixture, id), 0);
}

static void a_run_that_goes_back_loses_what_lies_beyond(void **state)
{
    struct fixture *fixture = *state;
    int64_t id = insert_run(fixture);
    struct run run;

    for (uint32_t epoch = 1; epoch <= 4; epoch++)
        append(fixture, id, epoch, epoch < 4);
    store_flush(fixture->store);
    assert_good(store_get_run(fixture->store, id, &run, &fixture->error), &fixture->error);
    assert_good(store_begin_again(fixture->store, &run, 25, 2, 9, &fixture->error), &fixture->error);
    assert_int_equal(epochs_of(fixture, id), 12);
}

static void a_deleted_run_takes_them_along(void **state)
{
    struct fixture *fixture = *state;
    int64_t id = insert_run(fixture), other = insert_run(fixture);

    for (uint32_t epoch = 1; epoch <= 600; epoch++) /* more than go at once */
        append(fixture, id, epoch, true);
    append(fixture, other, 5, true);
    append(fixture, 99, 5, true); /* of a run that is gone */
    assert_good(store_delete_run(fixture->store, id, &fixture->error), &fixture->error);
    assert_int_equal(epochs_of(fixture, id), 0);
    assert_int_equal(epochs_of(fixture, other), 5);
}

/* An evaluation of two classes that got `wrong` of three images wrong. */
static void judge(struct fixture *fixture, int64_t run, uint32_t epoch, uint32_t wrong)
{
    static const uint16_t truth[] = {0, 1, 1};
    static const float confidence[] = {0.5f, 0.75f, 1.0f / 3};
    uint16_t predicted[] = {wrong > 0, wrong <= 1, wrong <= 2};
    struct ff_evaluation evaluation = {.epoch = epoch,
                                       .step = 10 * epoch,
                                       .split = FF_TRAIN_SPLIT,
                                       .first = 40,
                                       .count = 3,
                                       .classes = 2,
                                       .truth = truth,
                                       .predicted = predicted,
                                       .confidence = confidence};
    struct confusion confusion;

    assert_good(confusion_make(&confusion, &evaluation, &fixture->error), &fixture->error);
    store_append_confusion(fixture->store, run, &confusion);
    confusion_free(&confusion);
    store_flush(fixture->store);
}

/* How many were wrong in the newest, and its epoch. */
static void assert_judged(struct fixture *fixture, int64_t run, uint32_t epoch, uint32_t wrong)
{
    struct confusion confusion;

    assert_good(store_read_confusion(fixture->store, run, &confusion, &fixture->error), &fixture->error);
    assert_int_equal(confusion.epoch, epoch);
    assert_int_equal(confusion.wrong, wrong);
    assert_int_equal(confusion.mistake_count, wrong);
    confusion_free(&confusion);
}

static void what_the_newest_evaluation_found_reads_back(void **state)
{
    struct fixture *fixture = *state;
    int64_t id = insert_run(fixture), other = insert_run(fixture);
    struct confusion confusion;

    assert_judged(fixture, id, 0, 0);
    judge(fixture, id, 1, 3);
    judge(fixture, id, 3, 2);
    judge(fixture, other, 9, 0);
    reopen(fixture);
    assert_judged(fixture, other, 9, 0);
    assert_good(store_read_confusion(fixture->store, id, &confusion, &fixture->error), &fixture->error);
    assert_int_equal(confusion.epoch, 3);
    assert_int_equal(confusion.step, 30);
    assert_int_equal(confusion.split, FF_TRAIN_SPLIT);
    assert_int_equal(confusion.classes, 2);
    assert_int_equal(confusion.images, 3);
    assert_int_equal(confusion.cells[1], 1);
    assert_int_equal(confusion.cells[2], 1);
    assert_int_equal(confusion.cells[3], 1);
    assert_int_equal(confusion.mistakes[0].sample, 41);
    assert_true(confusion.mistakes[0].confidence == 0.75f);
    confusion_free(&confusion);
}

static int64_t count_evaluations(struct fixture *fixture, int64_t run)
{
    sqlite3 *reader = store_take_reader(fixture->store, &fixture->error);
    sqlite3_stmt *statement;

    assert_good(store_prepare(reader, "", "SELECT count(*) FROM evaluations WHERE run = ?", &run, 1, &statement,
                              &fixture->error),
                &fixture->error);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t count = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    store_give_back_reader(fixture->store, reader);
    return count;
}

static ff_status execute_task(struct store_database *database, void *self, struct ff_error *error);

/* As a checkpoint after so many closed epochs leaves it. */
static void set_checkpoint(struct fixture *fixture, int64_t run, uint32_t epochs)
{
    char sql[160];

    snprintf(sql, sizeof sql,
             "INSERT OR REPLACE INTO checkpoints(run, step, epochs, bytes, written)"
             " VALUES(%lld, %u, %u, 1, 1)",
             (long long)run, 10 * epochs, epochs);
    assert_int_equal(store_do(fixture->store, execute_task, sql, &fixture->error), FF_OK);
}

static void go_back(struct fixture *fixture, int64_t run, uint32_t epochs)
{
    struct run row;

    assert_good(store_get_run(fixture->store, run, &row, &fixture->error), &fixture->error);
    assert_good(store_begin_again(fixture->store, &row, 10 * epochs, epochs, 9, &fixture->error), &fixture->error);
}

static void a_run_that_goes_back_finds_the_evaluation_it_had_there(void **state)
{
    struct fixture *fixture = *state;
    int64_t id = insert_run(fixture);

    for (uint32_t epoch = 2; epoch <= 12; epoch += 2) {
        judge(fixture, id, epoch, epoch % 3);
        if (epoch == 4)
            set_checkpoint(fixture, id, 5);
    }
    assert_judged(fixture, id, 12, 0);
    go_back(fixture, id, 5);
    assert_judged(fixture, id, 4, 1);
    judge(fixture, id, 6, 2);
    assert_judged(fixture, id, 6, 2);
}

static void what_lies_before_the_checkpoint_is_not_kept(void **state)
{
    struct fixture *fixture = *state;
    int64_t id = insert_run(fixture);

    for (uint32_t epoch = 1; epoch <= 20; epoch++) {
        judge(fixture, id, epoch, 1);
        set_checkpoint(fixture, id, epoch);
        assert_true(count_evaluations(fixture, id) <= 2);
    }
    go_back(fixture, id, 20);
    assert_judged(fixture, id, 20, 1);
}

static void without_a_checkpoint_only_the_newest_is_kept(void **state)
{
    struct fixture *fixture = *state;
    int64_t id = insert_run(fixture);

    for (uint32_t epoch = 1; epoch <= 5; epoch++)
        judge(fixture, id, epoch, 1);
    assert_int_equal(count_evaluations(fixture, id), 1);
    go_back(fixture, id, 0);
    assert_judged(fixture, id, 0, 0);
}

static ff_status execute_task(struct store_database *database, void *self, struct ff_error *error)
{
    (void)error;
    return sqlite3_exec(database->connection, self, NULL, NULL, NULL) == SQLITE_OK ? FF_OK : FF_IO;
}

static void a_database_from_before_histograms_opens_and_keeps_them(void **state)
{
    struct fixture *fixture = *state;
    int64_t id = insert_run(fixture);
    static char back[] = "DROP VIEW kept_runs; DROP TABLE removals; DROP TABLE histograms; DROP TABLE evaluations;"
                         " ALTER TABLE runs DROP COLUMN ranks; ALTER TABLE runs DROP COLUMN bytes_per_sample;"
                         " PRAGMA user_version = 2";

    assert_int_equal(store_do(fixture->store, execute_task, back, &fixture->error), FF_OK);
    reopen(fixture);
    assert_int_equal(epochs_of(fixture, id), 0);
    append(fixture, id, 1, true);
    store_flush(fixture->store);
    assert_same(read_epoch(fixture, id, 1), histograms_of(1, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(histograms_read_back_by_epoch),
        FIXTURE_TEST(a_run_without_any_has_none),
        FIXTURE_TEST(a_run_that_goes_back_loses_what_lies_beyond),
        FIXTURE_TEST(a_deleted_run_takes_them_along),
        FIXTURE_TEST(what_the_newest_evaluation_found_reads_back),
        FIXTURE_TEST(a_run_that_goes_back_finds_the_evaluation_it_had_there),
        FIXTURE_TEST(what_lies_before_the_checkpoint_is_not_kept),
        FIXTURE_TEST(without_a_checkpoint_only_the_newest_is_kept),
        FIXTURE_TEST(a_database_from_before_histograms_opens_and_keeps_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
