#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store_fixture.h"

static struct run *new_run(void)
{
    struct run *run = calloc(1, sizeof *run);
    assert_non_null(run);
    ff_config_defaults(&run->config);
    run->created = 1700000000123;
    run->progress.remaining = NAN;
    run->progress.samples_per_second = NAN;
    return run;
}

/* A run in the store, in this state; its number. */
static int64_t insert_run(struct fixture *fixture, enum run_state state)
{
    struct run *run = new_run();
    run->state = state;
    assert_good(store_insert_run(fixture->store, run, &fixture->error), &fixture->error);
    int64_t id = run->id;
    free(run);
    return id;
}

static struct ff_point point_at(uint64_t step)
{
    struct ff_point point = {.step = step, .epoch = (double)step / 100, .elapsed = (double)step / 10, .layers = 3};
    for (uint32_t layer = 0; layer < 3; layer++) {
        float base = (float)step + 0.1f * (float)layer;
        point.layer[layer] = (struct ff_layer_figures){base,        base / 3.0f, base / 7.0f, base * 1.1f,
                                                       base / 9.0f, base / 2.0f, 0.7f,        0.6f};
    }
    return point;
}

static struct ff_epoch epoch_number(uint32_t number, double test_error)
{
    struct ff_epoch epoch = {.epoch = number,
                             .step = number * 100,
                             .elapsed = number * 10.5,
                             .evaluating = number * 0.5,
                             .train_error = 1.0 / 3.0,
                             .test_error = test_error,
                             .digest = "sha256:0123",
                             .layers = 2};
    for (uint32_t layer = 0; layer < 2; layer++) {
        epoch.layer[layer] = (struct ff_layer_figures){1.5f, 0.1f, NAN, NAN, NAN, NAN, 0.7f, 0.25f};
        epoch.layer[layer].positive += (float)layer;
    }
    return epoch;
}

/* What was read, gathered. */
struct gathered {
    size_t count, most;
    struct ff_point points[64];
    struct ff_epoch epochs[8];
    uint64_t events[64];
};

static bool gather_point(void *self, const struct ff_point *point, uint64_t event)
{
    struct gathered *gathered = self;
    gathered->points[gathered->count] = *point;
    gathered->events[gathered->count++] = event;
    return gathered->count != gathered->most;
}

static bool gather_epoch(void *self, const struct ff_epoch *epoch, uint64_t event)
{
    struct gathered *gathered = self;
    gathered->epochs[gathered->count] = *epoch;
    gathered->events[gathered->count++] = event;
    return gathered->count != gathered->most;
}

static char *print_run(const struct run *run)
{
    cJSON *json = run_to_json(run);
    char *text = cJSON_PrintUnformatted(json);
    cJSON_Delete(json);
    assert_non_null(text);
    return text;
}

static void fill_run(struct run *run)
{
    strcpy(run->name, "näme \"quoted\"");
    strcpy(run->notes, "line\nline");
    strcpy(run->tags[0], "first");
    strcpy(run->tags[1], "é");
    run->tag_count = 2;
    strcpy(run->preset, "hinton");
    run->state = RUN_STOPPED;
    strcpy(run->reason, "because");
    run->started = run->created + 5;
    run->ended = run->created + 70000;
    run->config.seed = 9007199254740991;
    run->config.learning_rate.count = 1;
    run->config.learning_rate.value[0] = 0.1 / 3.0;
    run->config.epochs = 77;
    run->asked = (struct ff_placement){2, 0};
    run->placement = (struct ff_placement){2, 1};
    run->parameters = 13594000;
    run->progress = (struct ff_progress){4, 60, 2391, 36000, 41.2, NAN, 5873.1, 3.2, 4, 32480};
    run_add_warning(run, "mind \"this\"");
}

static void a_run_reads_back_as_it_was_written(void **state)
{
    struct fixture *fixture = *state;
    struct run *run = new_run(), *back = new_run();
    fill_run(run);

    assert_good(store_insert_run(fixture->store, run, &fixture->error), &fixture->error);
    reopen(fixture);
    assert_good(store_get_run(fixture->store, run->id, back, &fixture->error), &fixture->error);
    char *expected = print_run(run), *found = print_run(back);
    assert_string_equal(found, expected);
    assert_memory_equal(&back->asked, &run->asked, sizeof run->asked);
    cJSON_free(expected);
    cJSON_free(found);
    free(run);
    free(back);
}

static void an_update_changes_the_row(void **state)
{
    struct fixture *fixture = *state;
    struct run *run = new_run(), *back = new_run();
    assert_good(store_insert_run(fixture->store, run, &fixture->error), &fixture->error);
    int64_t id = run->id;
    fill_run(run);

    assert_good(store_update_run(fixture->store, run, &fixture->error), &fixture->error);
    assert_good(store_get_run(fixture->store, id, back, &fixture->error), &fixture->error);
    char *expected = print_run(run), *found = print_run(back);
    assert_string_equal(found, expected);
    run->id = id + 1;
    assert_int_equal(store_update_run(fixture->store, run, &fixture->error), FF_NOT_FOUND);
    cJSON_free(expected);
    cJSON_free(found);
    free(run);
    free(back);
}

static void a_nameless_run_is_named_after_data_preset_and_number(void **state)
{
    struct fixture *fixture = *state;
    struct run *run = new_run(), *back = new_run();
    strcpy(run->config.dataset, "mnist");
    strcpy(run->preset, "hinton");

    assert_good(store_insert_run(fixture->store, run, &fixture->error), &fixture->error);
    assert_string_equal(run->name, "mnist hinton 1");
    assert_good(store_get_run(fixture->store, 1, back, &fixture->error), &fixture->error);
    assert_string_equal(back->name, "mnist hinton 1");
    run->name[0] = run->preset[0] = '\0';
    assert_good(store_insert_run(fixture->store, run, &fixture->error), &fixture->error);
    assert_string_equal(run->name, "mnist 2");
    free(run);
    free(back);
}

static void numbers_of_runs_are_never_given_twice(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(store_latest_run(fixture->store), 0);
    assert_int_equal(insert_run(fixture, RUN_FINISHED), 1);
    assert_int_equal(insert_run(fixture, RUN_FINISHED), 2);
    assert_int_equal(store_latest_run(fixture->store), 2);
    assert_good(store_delete_run(fixture->store, 2, &fixture->error), &fixture->error);
    assert_int_equal(store_latest_run(fixture->store), 1);
    reopen(fixture);
    assert_int_equal(insert_run(fixture, RUN_FINISHED), 3);
}

static void a_missing_run_is_not_found(void **state)
{
    struct fixture *fixture = *state;
    struct run *run = new_run();
    struct gathered none = {0};

    assert_int_equal(store_get_run(fixture->store, 7, run, &fixture->error), FF_NOT_FOUND);
    assert_string_equal(fixture->error.message, "there is no run 7");
    assert_int_equal(store_delete_run(fixture->store, 7, &fixture->error), FF_NOT_FOUND);
    assert_int_equal(store_read_points(fixture->store, 7, 0, 0, gather_point, &none, &fixture->error),
                     FF_NOT_FOUND);
    assert_int_equal(store_read_epochs(fixture->store, 7, 0, 0, gather_epoch, &none, &fixture->error),
                     FF_NOT_FOUND);
    assert_int_equal(none.count, 0);
    free(run);
}

static void points_read_back_to_the_same_bits_in_order_of_step(void **state)
{
    struct fixture *fixture = *state;
    int64_t id = insert_run(fixture, RUN_FINISHED), other = insert_run(fixture, RUN_FINISHED);
    struct gathered *gathered = calloc(1, sizeof *gathered);
    struct ff_point first[2] = {point_at(10), point_at(20)}, second = point_at(30), foreign = point_at(15);

    store_append_points(fixture->store, id, 100, first, 2);
    store_append_points(fixture->store, other, 101, &foreign, 1);
    store_append_points(fixture->store, id, 102, &second, 1);
    store_flush(fixture->store);
    assert_good(store_read_points(fixture->store, id, 0, 0, gather_point, gathered, &fixture->error),
                &fixture->error);
    assert_int_equal(gathered->count, 3);
    for (size_t i = 0; i < 3; i++) {
        struct ff_point expected = point_at(10 * (i + 1));
        const struct ff_point *found = &gathered->points[i];
        assert_int_equal(found->step, expected.step);
        assert_true(found->epoch == expected.epoch && found->elapsed == expected.elapsed);
        assert_int_equal(found->layers, 3);
        assert_memory_equal(found->layer, expected.layer, 3 * sizeof expected.layer[0]);
    }
    assert_int_equal(gathered->events[1], 100);
    assert_int_equal(gathered->events[2], 102);
    free(gathered);
}

static void points_can_be_asked_for_after_a_step_or_an_event(void **state)
{
    static const struct {
        uint64_t after_step, after_event;
        size_t most, count;
        uint64_t first;
    } cases[] = {{0, 0, 0, 4, 10}, {20, 0, 0, 2, 30},        {25, 0, 0, 2, 30},
                 {40, 0, 0, 0, 0}, {0, 101, 0, 2, 30},       {30, 101, 0, 1, 40},
                 {0, 0, 2, 2, 10}, {UINT64_MAX, 0, 0, 0, 0}, {0, UINT64_MAX, 0, 0, 0}};
    struct fixture *fixture = *state;
    int64_t id = insert_run(fixture, RUN_FINISHED);
    struct gathered *gathered = calloc(1, sizeof *gathered);

    for (uint64_t i = 1; i <= 4; i++) {
        struct ff_point point = point_at(i * 10);
        store_append_points(fixture->store, id, 99 + i, &point, 1);
    }
    store_flush(fixture->store);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gathered->count = 0;
        gathered->most = cases[i].most;
        assert_good(store_read_points(fixture->store, id, cases[i].after_step, cases[i].after_event, gather_point,
                                      gathered, &fixture->error),
                    &fixture->error);
        assert_int_equal(gathered->count, cases[i].count);
        if (cases[i].count > 0)
            assert_int_equal(gathered->points[0].step, cases[i].first);
    }
    assert_int_equal(count_points(fixture->store, id, 0), 4);
    assert_int_equal(count_points(fixture->store, id, 20), 2);
    free(gathered);
}

static void a_point_written_again_replaces_the_former(void **state)
{
    struct fixture *fixture = *state;
    int64_t id = insert_run(fixture, RUN_FINISHED);
    struct gathered *gathered = calloc(1, sizeof *gathered);
    struct ff_point point = point_at(10);

    store_append_points(fixture->store, id, 100, &point, 1);
    point.layer[1].loss = NAN;
    store_append_points(fixture->store, id, 101, &point, 1);
    store_flush(fixture->store);
    assert_good(store_read_points(fixture->store, id, 0, 0, gather_point, gathered, &fixture->error),
                &fixture->error);
    assert_int_equal(gathered->count, 1);
    assert_int_equal(gathered->events[0], 101);
    assert_true(isnan(gathered->points[0].layer[1].loss));
    free(gathered);
}

static void epochs_read_back_and_give_last_and_best(void **state)
{
    struct fixture *fixture = *state;
    static const double errors[] = {0.4, 0.2, NAN, 0.2, 0.3};
    int64_t id = insert_run(fixture, RUN_FINISHED);
    struct gathered *gathered = calloc(1, sizeof *gathered);
    struct run *run = new_run();

    for (uint32_t i = 0; i < 5; i++) {
        struct ff_epoch epoch = epoch_number(i + 1, errors[i]);
        store_append_epoch(fixture->store, id, 200 + i, &epoch);
    }
    store_flush(fixture->store);
    assert_good(store_read_epochs(fixture->store, id, 1, 201, gather_epoch, gathered, &fixture->error),
                &fixture->error);
    assert_int_equal(gathered->count, 3);
    assert_int_equal(gathered->epochs[0].epoch, 3);
    assert_true(isnan(gathered->epochs[0].test_error));
    assert_true(gathered->epochs[1].train_error == 1.0 / 3.0);
    assert_int_equal(gathered->events[1], 203);
    assert_int_equal(gathered->epochs[2].layers, 2);
    assert_true(gathered->epochs[2].layer[1].positive == 2.5f);
    assert_true(isnan(gathered->epochs[2].layer[1].positive_low));

    assert_good(store_get_run(fixture->store, id, run, &fixture->error), &fixture->error);
    assert_int_equal(run->last.epoch, 5);
    assert_string_equal(run->last.digest, "sha256:0123");
    assert_int_equal(run->last.layers, 2);
    assert_int_equal(run->best.epoch, 2);
    assert_true(run->best.test_error == 0.2);
    free(run);
    free(gathered);
}

static void a_deleted_run_takes_its_rows_along(void **state)
{
    struct fixture *fixture = *state;
    int64_t id = insert_run(fixture, RUN_FINISHED), other = insert_run(fixture, RUN_FINISHED);
    struct ff_point point = point_at(10);
    struct ff_epoch epoch = epoch_number(1, 0.5);

    store_append_points(fixture->store, id, 100, &point, 1);
    store_append_points(fixture->store, other, 100, &point, 1);
    store_append_epoch(fixture->store, id, 101, &epoch);
    assert_good(store_delete_run(fixture->store, id, &fixture->error), &fixture->error);
    assert_int_equal(count_points(fixture->store, id, 0), 0);
    assert_int_equal(count_points(fixture->store, other, 0), 1);
    assert_int_equal(store_delete_run(fixture->store, id, &fixture->error), FF_NOT_FOUND);
}

static void rows_of_a_run_that_is_gone_harm_nobody(void **state)
{
    struct fixture *fixture = *state;
    int64_t id = insert_run(fixture, RUN_FINISHED);
    struct ff_point point = point_at(10);
    struct ff_epoch epoch = epoch_number(1, 0.5);
    char sentence[256];

    store_append_points(fixture->store, 99, 100, &point, 1);
    store_append_epoch(fixture->store, 99, 101, &epoch);
    store_append_points(fixture->store, id, 102, &point, 1);
    store_flush(fixture->store);
    assert_false(store_trouble(fixture->store, sentence, sizeof sentence));
    assert_int_equal(count_points(fixture->store, id, 0), 1);
}

static void what_is_queued_is_written_at_close(void **state)
{
    struct fixture *fixture = *state;
    int64_t id = insert_run(fixture, RUN_FINISHED);
    struct ff_point point = point_at(10);

    store_append_points(fixture->store, id, 100, &point, 1);
    reopen(fixture);
    assert_int_equal(count_points(fixture->store, id, 0), 1);
}

static void lists_are_filtered_and_paged(void **state)
{
    static const struct store_live_run live[] = {{1, RUN_STOPPED}, {4, RUN_STOPPED}};
    static const struct {
        struct store_run_filter filter;
        int64_t first, next;
        size_t count;
    } cases[] = {
        {{.state = -1, .limit = 10}, 5, 0, 5},
        {{.state = -1}, 5, 0, 5},
        {{.state = -1, .limit = 2}, 5, 4, 2},
        {{.state = -1, .limit = 2, .before = 4}, 3, 2, 2},
        {{.state = -1, .limit = 2, .before = 2}, 1, 0, 1},
        {{.state = RUN_FAILED, .limit = 10}, 4, 0, 2},
        {{.state = -1, .tag = "even", .limit = 10}, 4, 0, 2},
        {{.state = RUN_FAILED, .tag = "even", .limit = 1}, 4, 4, 1},
        {{.state = -1, .tag = "eve", .limit = 10}, 0, 0, 0},
        {{.state = RUN_STOPPED, .limit = 10}, 0, 0, 0},
        {{.state = RUN_STOPPED, .live = live, .live_count = 2}, 4, 0, 2},
        {{.state = RUN_STOPPED, .live = live, .live_count = 2, .limit = 1}, 4, 4, 1},
        {{.state = RUN_FAILED, .live = live, .live_count = 2}, 2, 0, 1},
        {{.state = -1, .live = live, .live_count = 2}, 5, 0, 5},
    };
    struct fixture *fixture = *state;
    struct run *run = new_run();

    for (int i = 1; i <= 5; i++) {
        run->state = i % 2 == 0 ? RUN_FAILED : RUN_FINISHED;
        strcpy(run->tags[0], "all");
        strcpy(run->tags[1], i % 2 == 0 ? "even" : "odd");
        run->tag_count = 2;
        assert_good(store_insert_run(fixture->store, run, &fixture->error), &fixture->error);
    }
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct run *runs = NULL;
        size_t count = 99;
        int64_t next = -1;
        assert_good(store_list_runs(fixture->store, &cases[i].filter, &runs, &count, &next, &fixture->error),
                    &fixture->error);
        assert_int_equal(count, cases[i].count);
        assert_int_equal(next, cases[i].next);
        if (count > 0)
            assert_int_equal(runs[0].id, cases[i].first);
        free(runs);
    }
    free(run);
}

static void runs_of_a_former_daemon_become_interrupted_unless_they_had_not_begun(void **state)
{
    static const struct {
        enum run_state before, after;
        const char *reason;
    } cases[] = {
        {RUN_QUEUED, RUN_QUEUED, ""},
        {RUN_RUNNING, RUN_INTERRUPTED, "the program ended while this run was training"},
        {RUN_PAUSED, RUN_INTERRUPTED, "the program ended while this run was paused"},
        {RUN_FINISHED, RUN_FINISHED, ""},
        {RUN_FAILED, RUN_FAILED, ""},
        {RUN_STOPPED, RUN_STOPPED, ""},
    };
    struct fixture *fixture = *state;
    struct run *run = new_run();
    struct ff_point point = point_at(250);

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        insert_run(fixture, cases[i].before);
    store_append_points(fixture->store, 2, 100, &point, 1);
    reopen(fixture);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_good(store_get_run(fixture->store, (int64_t)i + 1, run, &fixture->error), &fixture->error);
        assert_int_equal(run->state, cases[i].after);
        assert_string_equal(run->reason, cases[i].reason);
        assert_true((run->ended > 0) == (cases[i].before != cases[i].after));
        assert_int_equal(run->progress.step, i == 1 ? 250 : 0);
        assert_int_equal(run->progress.epoch, i == 1 ? 3 : 0);
        assert_true(run->progress.elapsed == (i == 1 ? 25.0 : 0.0));
    }
    free(run);
}

static void event_numbers_rise_over_restarts(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(store_first_event(fixture->store), (uint64_t)1 << 32);
    reopen(fixture);
    assert_int_equal(store_first_event(fixture->store), (uint64_t)2 << 32);
}

static void a_held_folder_is_refused_with_its_holder(void **state)
{
    struct fixture *fixture = *state;
    char holder[64];

    assert_null(store_open(fixture->folder, &fixture->error));
    assert_int_equal(fixture->error.status, FF_BUSY);
    snprintf(holder, sizeof holder, "(process %ld)", (long)getpid());
    assert_non_null(strstr(fixture->error.message, holder));
    assert_non_null(strstr(fixture->error.message, fixture->folder));
}

static void the_folder_and_its_parents_are_made_for_the_owner_alone(void **state)
{
    struct fixture *fixture = *state;
    char parent[80], folder[96];
    struct stat information;
    snprintf(parent, sizeof parent, "%s/a", fixture->folder);
    snprintf(folder, sizeof folder, "%s/b", parent);

    struct store *store = store_open(folder, &fixture->error);
    assert_non_null(store);
    assert_int_equal(stat(parent, &information), 0);
    assert_int_equal(information.st_mode & 0777, 0700);
    assert_int_equal(stat(folder, &information), 0);
    assert_int_equal(information.st_mode & 0777, 0700);
    store_close(store);
    temporary_remove(folder);
    rmdir(parent);
}

static void a_folder_that_cannot_be_is_refused_in_words(void **state)
{
    struct fixture *fixture = *state;
    char folder[96];
    snprintf(folder, sizeof folder, "%s/goodness.lock/state", fixture->folder);

    assert_null(store_open(folder, &fixture->error));
    assert_int_equal(fixture->error.status, FF_IO);
    assert_non_null(strstr(fixture->error.message, "--state"));
    assert_null(store_open("", &fixture->error));
    assert_int_equal(fixture->error.status, FF_INVALID);
}

static void write_over(const char *path, off_t offset, const char *bytes, size_t length)
{
    int file = open(path, O_WRONLY);
    assert_true(file >= 0);
    assert_int_equal(pwrite(file, bytes, length, offset), (ssize_t)length);
    close(file);
}

/* Every way of spoiling a file has to leave it as it is, and be told with its name. */
static void a_damaged_database_is_named_and_left_alone(void **state)
{
    static char rubbish[8192];
    struct fixture *fixture = *state;
    char path[96];
    struct stat before, after;
    snprintf(path, sizeof path, "%s/goodness.db", fixture->folder);
    memset(rubbish, 'x', sizeof rubbish);
    insert_run(fixture, RUN_FINISHED);

    for (int damage = 0; damage < 3; damage++) {
        store_close(fixture->store);
        fixture->store = NULL;
        if (damage == 0)
            write_over(path, 0, rubbish, sizeof rubbish);
        else if (damage == 1)
            write_over(path, 4096, rubbish, sizeof rubbish);
        else
            assert_int_equal(truncate(path, 8192), 0);
        assert_int_equal(stat(path, &before), 0);
        assert_null(store_open(fixture->folder, &fixture->error));
        assert_int_equal(fixture->error.status, FF_DAMAGED);
        assert_non_null(strstr(fixture->error.message, path));
        assert_non_null(strstr(fixture->error.message, "move it aside"));
        assert_int_equal(stat(path, &after), 0);
        assert_int_equal(after.st_size, before.st_size);
        unlink(path);
        fixture->store = open_good(fixture);
        insert_run(fixture, RUN_FINISHED);
    }
}

static void execute_on_file(const char *folder, const char *sql)
{
    char path[96];
    sqlite3 *connection;
    snprintf(path, sizeof path, "%s/goodness.db", folder);
    assert_int_equal(sqlite3_open(path, &connection), SQLITE_OK);
    assert_int_equal(sqlite3_exec(connection, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(connection);
}

static void a_foreign_or_newer_database_is_refused(void **state)
{
    char newer[64];
    const struct {
        const char *sql;
        ff_status status;
        const char *sentence;
    } cases[] = {
        {newer, FF_CONFLICT, "newer"},
        {"PRAGMA user_version = 2; PRAGMA application_id = 7", FF_DAMAGED, "not a database of goodness"},
    };
    struct fixture *fixture = *state;

    store_close(fixture->store);
    fixture->store = NULL;
    snprintf(newer, sizeof newer, "PRAGMA user_version = %d", STORE_SCHEMA_VERSION + 1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        execute_on_file(fixture->folder, cases[i].sql);
        assert_null(store_open(fixture->folder, &fixture->error));
        assert_int_equal(fixture->error.status, cases[i].status);
        assert_non_null(strstr(fixture->error.message, cases[i].sentence));
    }
}

static ff_status execute_task(struct store_database *database, void *self, struct ff_error *error)
{
    (void)error;
    return sqlite3_exec(database->connection, self, NULL, NULL, NULL) == SQLITE_OK ? FF_OK : FF_IO;
}

/* Let the file grow by no more than it has to, or (pages 0) without bound. */
static void limit_pages(struct fixture *fixture, int pages)
{
    char sql[64];
    snprintf(sql, sizeof sql, "PRAGMA max_page_count = %d", pages > 0 ? pages : 1 << 30);
    assert_int_equal(store_do(fixture->store, execute_task, sql, &fixture->error), FF_OK);
}

static void append_many(struct fixture *fixture, int64_t id, uint64_t first, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        struct ff_point point = point_at(first + i);
        store_append_points(fixture->store, id, 1000 + first + i, &point, 1);
    }
}

static void on_a_full_disk_epochs_come_before_points_and_all_is_tried_again(void **state)
{
    struct fixture *fixture = *state;
    int64_t id = insert_run(fixture, RUN_FINISHED);
    struct gathered *gathered = calloc(1, sizeof *gathered);
    struct ff_epoch epoch = epoch_number(1, 0.5);
    char sentence[512] = "";

    limit_pages(fixture, 1);
    append_many(fixture, id, 1, 2000);
    store_append_epoch(fixture->store, id, 9, &epoch);
    store_flush(fixture->store);
    assert_true(store_trouble(fixture->store, sentence, sizeof sentence));
    assert_non_null(strstr(sentence, "the disk is full"));
    assert_non_null(strstr(sentence, fixture->folder));
    assert_int_equal(count_points(fixture->store, id, 0), 0);
    assert_good(store_read_epochs(fixture->store, id, 0, 0, gather_epoch, gathered, &fixture->error),
                &fixture->error);
    assert_int_equal(gathered->count, 1);

    limit_pages(fixture, 0);
    store_flush(fixture->store);
    assert_false(store_trouble(fixture->store, sentence, sizeof sentence));
    assert_int_equal(count_points(fixture->store, id, 0), 2000);
    free(gathered);
}

/* A disk that is full: files in the folder, the reserve among them, may not grow beyond `limit` bytes together.
 * SQLite's writes go through here. */
static struct {
    const char *folder; /* NULL: there is room */
    off_t limit;
    sqlite3_syscall_ptr write, pwrite, pwrite64;
} disk;

static off_t bytes_used(const char *folder)
{
    static const char *const names[] = {"goodness.db", "goodness.db-wal", "goodness.db-shm", "goodness.reserve"};
    struct stat information;
    char path[128];
    off_t used = 0;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        used += stat(path, &information) == 0 ? information.st_size : 0;
    }
    return used;
}

static bool disk_has_room(int file, off_t end)
{
    struct stat information;

    if (disk.folder == NULL || fstat(file, &information) != 0 || end <= information.st_size ||
        bytes_used(disk.folder) + end - information.st_size <= disk.limit)
        return true;
    errno = ENOSPC;
    return false;
}

static ssize_t write_to_disk(int file, const void *bytes, size_t count)
{
    return disk_has_room(file, lseek(file, 0, SEEK_CUR) + (off_t)count)
               ? ((ssize_t(*)(int, const void *, size_t))disk.write)(file, bytes, count)
               : -1;
}

static ssize_t pwrite_to_disk(int file, const void *bytes, size_t count, off_t offset)
{
    return disk_has_room(file, offset + (off_t)count) ? pwrite(file, bytes, count, offset) : -1;
}

static void take_over_the_disk(void)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);

    disk.write = vfs->xGetSystemCall(vfs, "write");
    assert_int_equal(vfs->xSetSystemCall(vfs, "write", (sqlite3_syscall_ptr)write_to_disk), SQLITE_OK);
    if (vfs->xGetSystemCall(vfs, "pwrite") != NULL)
        vfs->xSetSystemCall(vfs, "pwrite", (sqlite3_syscall_ptr)pwrite_to_disk);
    if (vfs->xGetSystemCall(vfs, "pwrite64") != NULL)
        vfs->xSetSystemCall(vfs, "pwrite64", (sqlite3_syscall_ptr)pwrite_to_disk);
}

static void give_back_the_disk(void)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);

    disk.folder = NULL;
    vfs->xSetSystemCall(vfs, NULL, NULL); /* all as they were */
}

/* No file may grow by more than `bytes` from now on. */
static void fill_disk(const struct fixture *fixture, off_t bytes)
{
    disk.limit = bytes_used(fixture->folder) + bytes;
    disk.folder = fixture->folder;
}

static const char *reserve_of(const struct fixture *fixture)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/goodness.reserve", fixture->folder);
    return path;
}

/* Two runs with so many points that deleting one takes several transactions. */
static void insert_long_runs(struct fixture *fixture, int64_t ids[2])
{
    for (int i = 0; i < 2; i++) {
        ids[i] = insert_run(fixture, RUN_FINISHED);
        append_many(fixture, ids[i], 1, 15000);
        store_flush(fixture->store);
    }
}

static void on_a_full_disk_a_run_can_be_deleted(void **state)
{
    struct fixture *fixture = *state;
    int64_t ids[2];
    char sentence[512];

    take_over_the_disk();
    insert_long_runs(fixture, ids);
    reopen(fixture); /* the log is empty */
    fill_disk(fixture, 16 << 10);
    append_many(fixture, ids[1], 20000, 3000);
    store_flush(fixture->store);
    assert_true(store_trouble(fixture->store, sentence, sizeof sentence));
    assert_int_equal(access(reserve_of(fixture), F_OK), 0);

    assert_good(store_delete_run(fixture->store, ids[0], &fixture->error), &fixture->error);
    assert_int_equal(count_points(fixture->store, ids[0], 0), 0);
    store_flush(fixture->store); /* what could not be written finds room now */
    assert_false(store_trouble(fixture->store, sentence, sizeof sentence));
    assert_int_equal(count_points(fixture->store, ids[1], 0), 18000);
    give_back_the_disk();
}

static void without_its_reserve_a_full_disk_would_refuse(void **state)
{
    struct fixture *fixture = *state;
    int64_t ids[2];

    take_over_the_disk();
    insert_long_runs(fixture, ids);
    reopen(fixture);
    unlink(reserve_of(fixture));
    fill_disk(fixture, 0);
    assert_int_equal(store_delete_run(fixture->store, ids[0], &fixture->error), FF_IO);
    assert_non_null(strstr(fixture->error.message, "the disk is full"));
    assert_int_equal(count_points(fixture->store, ids[0], 0), 15000);
    give_back_the_disk();
    assert_good(store_delete_run(fixture->store, ids[0], &fixture->error), &fixture->error);
}

static void a_reserve_that_was_given_up_is_made_again(void **state)
{
    struct fixture *fixture = *state;
    int64_t id = insert_run(fixture, RUN_FINISHED);
    struct timespec begin, now;
    struct stat information;

    take_over_the_disk();
    fill_disk(fixture, 0);
    assert_good(store_delete_run(fixture->store, id, &fixture->error), &fixture->error);
    give_back_the_disk();
    clock_gettime(CLOCK_MONOTONIC, &begin);
    do {
        store_flush(fixture->store);
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (stat(reserve_of(fixture), &information) != 0 && now.tv_sec < begin.tv_sec + 20);
    assert_int_equal(stat(reserve_of(fixture), &information), 0);
    assert_int_equal(information.st_size, 4 << 20);
}

static void a_full_disk_lets_the_store_open_and_runs_be_deleted(void **state)
{
    struct fixture *fixture = *state;
    int64_t ids[2];

    take_over_the_disk();
    insert_long_runs(fixture, ids);
    store_close(fixture->store);
    fixture->store = NULL;
    fill_disk(fixture, 0);
    fixture->store = open_good(fixture);
    assert_good(store_delete_run(fixture->store, ids[0], &fixture->error), &fixture->error);
    assert_int_equal(count_points(fixture->store, ids[1], 0), 15000);
    give_back_the_disk();
}

static int64_t rows_of(const struct fixture *fixture, const char *table, int64_t run)
{
    char sql[128];
    sqlite3 *connection;
    sqlite3_stmt *statement;

    assert_int_equal(sqlite3_open(fixture->store->path, &connection), SQLITE_OK);
    snprintf(sql, sizeof sql, "SELECT count(*) FROM %s WHERE run = %lld", table, (long long)run);
    assert_int_equal(sqlite3_prepare_v2(connection, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t count = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(connection);
    return count;
}

/* Whatever a reader asks, there is no such run. */
static void assert_gone(struct fixture *fixture, int64_t id, int64_t newest)
{
    struct store_run_filter all = {.state = -1};
    struct store_newest found;
    struct run *run = new_run(), *runs;
    size_t count;
    int64_t next;

    assert_int_equal(store_get_run(fixture->store, id, run, &fixture->error), FF_NOT_FOUND);
    run->id = id;
    assert_int_equal(store_update_run(fixture->store, run, &fixture->error), FF_NOT_FOUND);
    assert_int_equal(store_delete_run(fixture->store, id, &fixture->error), FF_NOT_FOUND);
    assert_int_equal(store_find_newest(fixture->store, id, UINT64_MAX, &found, &fixture->error), FF_NOT_FOUND);
    assert_int_equal(store_latest_run(fixture->store), newest);
    assert_int_equal(count_points(fixture->store, id, 0), 0);
    assert_good(store_list_runs(fixture->store, &all, &runs, &count, &next, &fixture->error), &fixture->error);
    for (size_t i = 0; i < count; i++)
        assert_int_not_equal(runs[i].id, id);
    free(runs);
    free(run);
}

/* The rows of a deleted run cannot go, as where the program is killed in the middle of it. */
static void a_deleted_run_is_gone_at_once_and_its_rows_after(void **state)
{
    static char refuse[] = "CREATE TEMP TRIGGER refuse BEFORE DELETE ON points WHEN old.step > 12000"
                           " BEGIN SELECT RAISE(ABORT, 'no'); END";
    struct fixture *fixture = *state;
    int64_t other = insert_run(fixture, RUN_FINISHED), id = insert_run(fixture, RUN_FINISHED);
    struct ff_epoch epoch = epoch_number(1, 0.5);

    append_many(fixture, id, 1, 15000);
    store_append_epoch(fixture->store, id, 20000, &epoch);
    append_many(fixture, other, 1, 10);
    assert_good(store_do(fixture->store, execute_task, refuse, &fixture->error), &fixture->error);
    assert_good(store_delete_run(fixture->store, id, &fixture->error), &fixture->error);
    assert_gone(fixture, id, other);
    reopen(fixture); /* what stood in the way is gone */
    assert_gone(fixture, id, other);
    store_wait_for_removals(fixture->store);
    assert_int_equal(rows_of(fixture, "points", id), 0);
    assert_int_equal(rows_of(fixture, "epochs", id), 0);
    assert_int_equal(rows_of(fixture, "epoch_layers", id), 0);
    assert_int_equal(rows_of(fixture, "removals", id), 0);
    assert_int_equal(count_points(fixture->store, other, 0), 10);
}

/* As when the program ends right after: rows are left until the next start has taken them away. */
static void rows_that_a_removal_has_left_go_with_the_next_one(void **state)
{
    static char marked[] = "INSERT INTO removals VALUES(1)";
    struct fixture *fixture = *state;
    int64_t left = insert_run(fixture, RUN_FINISHED), id = insert_run(fixture, RUN_FINISHED);

    append_many(fixture, left, 1, 15000);
    store_flush(fixture->store);
    store_wait_for_removals(fixture->store);
    assert_good(store_do(fixture->store, execute_task, marked, &fixture->error), &fixture->error);
    assert_true(rows_of(fixture, "points", left) >= 15000);
    assert_good(store_delete_run(fixture->store, id, &fixture->error), &fixture->error);
    store_wait_for_removals(fixture->store);
    assert_int_equal(rows_of(fixture, "points", left), 0);
    assert_gone(fixture, left, 0);
}

/* SQLite's log gets every page that becomes free; it must not grow with the run. */
static void deleting_a_long_run_takes_little_room(void **state)
{
    struct fixture *fixture = *state;
    struct stat information;
    int64_t ids[2];
    char path[96];

    insert_long_runs(fixture, ids);
    reopen(fixture);
    assert_good(store_delete_run(fixture->store, ids[0], &fixture->error), &fixture->error);
    store_wait_for_removals(fixture->store);
    assert_int_equal(rows_of(fixture, "points", ids[0]), 0);
    snprintf(path, sizeof path, "%s/goodness.db-wal", fixture->folder);
    assert_int_equal(stat(path, &information), 0);
    assert_true(information.st_size < 3 << 20);
    assert_int_equal(count_points(fixture->store, ids[1], 0), 15000);
}

/* Whoever looks with the same version sees the same. */
static void every_commit_changes_the_version_of_its_run(void **state)
{
    struct fixture *fixture = *state;
    struct store *store = fixture->store;
    int64_t id = insert_run(fixture, RUN_FINISHED), other = insert_run(fixture, RUN_FINISHED);
    struct ff_point point = point_at(10);
    struct ff_epoch epoch = epoch_number(1, 0.5);
    struct run *run = new_run();
    uint64_t others = store_version(store, other);

    for (int step = 0; step < 4; step++) {
        uint64_t own = store_version(store, id), all = store_version(store, 0);
        run->id = id;
        if (step == 0)
            store_append_points(store, id, 100, &point, 1);
        else if (step == 1)
            store_append_epoch(store, id, 101, &epoch);
        else if (step == 2)
            assert_good(store_update_run(store, run, &fixture->error), &fixture->error);
        else
            assert_good(store_delete_run(store, id, &fixture->error), &fixture->error);
        store_flush(store);
        assert_true(store_version(store, id) > own);
        assert_true(store_version(store, 0) > all);
        assert_int_equal(store_version(store, other), others);
    }
    run->id = 0;
    uint64_t all = store_version(store, 0);
    assert_good(store_insert_run(store, run, &fixture->error), &fixture->error);
    assert_true(store_version(store, 0) > all);
    free(run);
}

static void the_newest_of_a_run_is_that_of_its_points_and_epochs(void **state)
{
    struct fixture *fixture = *state;
    int64_t id = insert_run(fixture, RUN_FINISHED), none = insert_run(fixture, RUN_FINISHED);
    struct ff_epoch epoch = epoch_number(1, 0.5);
    struct store_newest newest;
    struct run *run = new_run();

    append_many(fixture, id, 1, 5); /* events 1001 to 1005 */
    store_append_epoch(fixture->store, id, 1010, &epoch);
    store_flush(fixture->store);
    assert_good(store_find_newest(fixture->store, id, 5000, &newest, &fixture->error), &fixture->error);
    assert_int_equal(newest.run, id);
    assert_int_equal(newest.event, 1010);
    assert_int_equal(newest.step, 5);
    assert_good(store_find_newest(fixture->store, id, 1004, &newest, &fixture->error), &fixture->error);
    assert_int_equal(newest.event, 1003);
    assert_int_equal(newest.step, 3);
    assert_good(store_find_newest(fixture->store, none, 5000, &newest, &fixture->error), &fixture->error);
    assert_int_equal(newest.event, 0);
    assert_int_equal(newest.step, 0);
    assert_int_equal(store_find_newest(fixture->store, 99, 5000, &newest, &fixture->error), FF_NOT_FOUND);

    assert_int_equal(store_find_newest(fixture->store, 0, 5000, &newest, &fixture->error), FF_NOT_FOUND);
    run->state = RUN_INTERRUPTED;
    for (int64_t ended = 30; ended >= 20; ended -= 10) {
        run->id = 0;
        run->name[0] = '\0';
        run->started = 5;
        run->ended = ended;
        assert_good(store_insert_run(fixture->store, run, &fixture->error), &fixture->error);
    }
    assert_good(store_find_newest(fixture->store, 0, 5000, &newest, &fixture->error), &fixture->error);
    assert_int_equal(newest.run, 3);
    free(run);
}

static void on_a_full_disk_a_run_is_refused_in_words_and_nothing_is_lost(void **state)
{
    struct fixture *fixture = *state;
    struct run *run = new_run();
    insert_run(fixture, RUN_FINISHED);
    limit_pages(fixture, 1);
    ff_status status = FF_OK;

    memset(run->notes, 'n', RUN_NOTES_MAX);
    for (int i = 0; i < 100 && status == FF_OK; i++) {
        run->name[0] = '\0';
        status = store_insert_run(fixture->store, run, &fixture->error);
    }
    assert_int_equal(status, FF_IO);
    assert_non_null(strstr(fixture->error.message, "the disk is full"));
    assert_int_equal(run->id, 0);
    assert_string_equal(run->name, "");
    int64_t latest = store_latest_run(fixture->store);
    limit_pages(fixture, 0);
    assert_good(store_insert_run(fixture->store, run, &fixture->error), &fixture->error);
    assert_int_equal(run->id, latest + 1);
    free(run);
}

/* A small network's points of ten seconds, three rows each, and more. */
static void a_million_rows_wait_while_the_disk_takes_none_and_points_beyond_are_counted(void **state)
{
    struct fixture *fixture = *state;
    int64_t id = insert_run(fixture, RUN_FINISHED);
    char sentence[512] = "";

    limit_pages(fixture, 1);
    append_many(fixture, id, 1, 320000);
    store_trouble(fixture->store, sentence, sizeof sentence);
    assert_null(strstr(sentence, "given up"));
    append_many(fixture, id, 320001, 50000);
    assert_true(store_trouble(fixture->store, sentence, sizeof sentence));
    assert_non_null(strstr(sentence, "given up so far: "));
    uint64_t lost = fixture->store->lost_points;
    assert_in_range(fixture->store->held_rows, 900000, 1 << 20);
    limit_pages(fixture, 0);
    store_flush(fixture->store);
    assert_false(store_trouble(fixture->store, sentence, sizeof sentence));
    assert_int_equal(count_points(fixture->store, id, 0), 370000 - lost);
    assert_int_equal(count_points(fixture->store, id, 0) - count_points(fixture->store, id, 320000), 320000);
    assert_true(fixture->store->held_rows < 1000);
}

static void troubles_are_counted_when_they_begin(void **state)
{
    struct fixture *fixture = *state;
    int64_t id = insert_run(fixture, RUN_FINISHED);

    assert_int_equal(store_troubles(fixture->store), 0);
    for (uint64_t times = 1; times <= 2; times++) {
        limit_pages(fixture, 1);
        append_many(fixture, id, times * 10000, 3000);
        store_flush(fixture->store);
        store_flush(fixture->store);
        assert_int_equal(store_troubles(fixture->store), times);
        limit_pages(fixture, 0);
        store_flush(fixture->store);
        assert_int_equal(store_troubles(fixture->store), times);
    }
}

/* In a process of its own: the limit holds for all its files. */
static int survive_refused_writes(struct fixture *fixture, int64_t id)
{
    struct rlimit limit = {.rlim_cur = 1, .rlim_max = RLIM_INFINITY};
    char sentence[512];
    struct ff_error error;

    struct store *store = store_open(fixture->folder, &error);
    if (store == NULL)
        return 2;
    fixture->store = store;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    append_many(fixture, id, 1, 50);
    store_flush(store);
    if (!store_trouble(store, sentence, sizeof sentence))
        return 3;
    limit.rlim_cur = RLIM_INFINITY;
    setrlimit(RLIMIT_FSIZE, &limit);
    store_flush(store);
    if (store_trouble(store, sentence, sizeof sentence))
        return 4;
    if (count_points(store, id, 0) != 50)
        return 5;
    store_close(store);
    return 0;
}

static void after_an_input_output_error_writing_goes_on(void **state)
{
    struct fixture *fixture = *state;
    int64_t id = insert_run(fixture, RUN_FINISHED);
    int status = -1;

    store_close(fixture->store);
    fixture->store = NULL;
    pid_t child = fork();
    if (child == 0)
        _exit(survive_refused_writes(fixture, id));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    fixture->store = open_good(fixture);
    assert_int_equal(count_points(fixture->store, id, 0), 50);
}

/* Killed at any moment, a daemon leaves what it had committed. */
static void what_was_committed_survives_a_kill(void **state)
{
    struct fixture *fixture = *state;
    int64_t id = insert_run(fixture, RUN_RUNNING);
    int status = -1;

    store_close(fixture->store);
    fixture->store = NULL;
    pid_t child = fork();
    if (child == 0) {
        struct ff_error error;
        fixture->store = store_open(fixture->folder, &error);
        append_many(fixture, id, 1, 500);
        store_flush(fixture->store);
        raise(SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    fixture->store = open_good(fixture);
    assert_int_equal(count_points(fixture->store, id, 0), 500);
}

struct worker {
    struct store *store;
    int64_t id;
    uint64_t read;
};

static void *append_and_flush(void *self)
{
    struct worker *worker = self;

    for (uint64_t step = 1; step <= 200; step++) {
        struct ff_point point = point_at(step);
        store_append_points(worker->store, worker->id, step, &point, 1);
        if (step % 50 == 0)
            store_flush(worker->store);
    }
    return NULL;
}

static void *read_all_the_time(void *self)
{
    struct worker *worker = self;
    struct ff_error error;
    struct run *run = malloc(sizeof *run);

    while (worker->read < 200) {
        uint64_t count = count_points(worker->store, worker->id, 0);
        if (count < worker->read || store_get_run(worker->store, worker->id, run, &error) != FF_OK)
            break;
        worker->read = count;
    }
    free(run);
    return NULL;
}

static void readers_and_writers_work_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct worker workers[4] = {0};
    pthread_t threads[4];

    for (size_t i = 0; i < 4; i++) {
        int64_t id = i < 2 ? insert_run(fixture, RUN_FINISHED) : workers[i - 2].id;
        workers[i] = (struct worker){fixture->store, id, 0};
    }
    for (size_t i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, i < 2 ? append_and_flush : read_all_the_time, &workers[i]);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(workers[2].read, 200);
    assert_int_equal(workers[3].read, 200);
}

static void rows_are_committed_within_a_second_by_themselves(void **state)
{
    struct fixture *fixture = *state;
    int64_t id = insert_run(fixture, RUN_FINISHED);
    struct timespec begin, end;
    struct ff_point point = point_at(10);

    clock_gettime(CLOCK_MONOTONIC, &begin);
    store_append_points(fixture->store, id, 100, &point, 1);
    while (count_points(fixture->store, id, 0) == 0)
        sched_yield();
    clock_gettime(CLOCK_MONOTONIC, &end);
    double seconds = (double)(end.tv_sec - begin.tv_sec) + 1e-9 * (double)(end.tv_nsec - begin.tv_nsec);
    assert_true(seconds < 1.5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_run_reads_back_as_it_was_written),
        FIXTURE_TEST(an_update_changes_the_row),
        FIXTURE_TEST(a_nameless_run_is_named_after_data_preset_and_number),
        FIXTURE_TEST(numbers_of_runs_are_never_given_twice),
        FIXTURE_TEST(a_missing_run_is_not_found),
        FIXTURE_TEST(points_read_back_to_the_same_bits_in_order_of_step),
        FIXTURE_TEST(points_can_be_asked_for_after_a_step_or_an_event),
        FIXTURE_TEST(a_point_written_again_replaces_the_former),
        FIXTURE_TEST(epochs_read_back_and_give_last_and_best),
        FIXTURE_TEST(a_deleted_run_takes_its_rows_along),
        FIXTURE_TEST(a_deleted_run_is_gone_at_once_and_its_rows_after),
        FIXTURE_TEST(rows_that_a_removal_has_left_go_with_the_next_one),
        FIXTURE_TEST(rows_of_a_run_that_is_gone_harm_nobody),
        FIXTURE_TEST(what_is_queued_is_written_at_close),
        FIXTURE_TEST(lists_are_filtered_and_paged),
        FIXTURE_TEST(runs_of_a_former_daemon_become_interrupted_unless_they_had_not_begun),
        FIXTURE_TEST(event_numbers_rise_over_restarts),
        FIXTURE_TEST(a_held_folder_is_refused_with_its_holder),
        FIXTURE_TEST(the_folder_and_its_parents_are_made_for_the_owner_alone),
        FIXTURE_TEST(a_folder_that_cannot_be_is_refused_in_words),
        FIXTURE_TEST(a_damaged_database_is_named_and_left_alone),
        FIXTURE_TEST(a_foreign_or_newer_database_is_refused),
        FIXTURE_TEST(on_a_full_disk_epochs_come_before_points_and_all_is_tried_again),
        FIXTURE_TEST(on_a_full_disk_a_run_is_refused_in_words_and_nothing_is_lost),
        FIXTURE_TEST(on_a_full_disk_a_run_can_be_deleted),
        FIXTURE_TEST(without_its_reserve_a_full_disk_would_refuse),
        FIXTURE_TEST(a_reserve_that_was_given_up_is_made_again),
        FIXTURE_TEST(a_full_disk_lets_the_store_open_and_runs_be_deleted),
        FIXTURE_TEST(deleting_a_long_run_takes_little_room),
        FIXTURE_TEST(every_commit_changes_the_version_of_its_run),
        FIXTURE_TEST(the_newest_of_a_run_is_that_of_its_points_and_epochs),
        FIXTURE_TEST(a_million_rows_wait_while_the_disk_takes_none_and_points_beyond_are_counted),
        FIXTURE_TEST(troubles_are_counted_when_they_begin),
        FIXTURE_TEST(after_an_input_output_error_writing_goes_on),
        FIXTURE_TEST(what_was_committed_survives_a_kill),
        FIXTURE_TEST(readers_and_writers_work_at_once),
        FIXTURE_TEST(rows_are_committed_within_a_second_by_themselves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
