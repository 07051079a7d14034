/* The store's part of going on with runs: older databases, checkpoints and their order, live settings, what is
 * taken back. */
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint.h"
#include "layer.h"
#include "plan.h"
#include "store_fixture.h"

static void small_config(struct ff_config *config)
{
    ff_config_defaults(config);
    config->layer_count = 1;
    config->layers[0] = (struct ff_layer_config){.kind = FF_DENSE, .units = 4};
}

/* A run in the store, that has done some steps: points 1 to `steps`, an epoch for each ten. */
static int64_t insert_run(struct fixture *fixture, enum run_state state, uint64_t steps)
{
    struct run *run = calloc(1, sizeof *run);

    small_config(&run->config);
    run->state = state;
    run->created = run->started = 1700000000123;
    assert_good(store_insert_run(fixture->store, run, &fixture->error), &fixture->error);
    int64_t id = run->id;
    free(run);
    for (uint64_t step = 1; step <= steps; step++) {
        struct ff_point point = {.step = step, .epoch = (double)step / 10, .elapsed = (double)step, .layers = 1};
        store_append_points(fixture->store, id, 100 + step, &point, 1);
        if (step % 10 == 0) {
            struct ff_epoch epoch = {.epoch = (uint32_t)(step / 10), .step = step, .layers = 1};
            store_append_epoch(fixture->store, id, 100 + step, &epoch);
        }
    }
    store_flush(fixture->store);
    return id;
}

static struct run *get(struct fixture *fixture, int64_t id)
{
    static struct run run;

    assert_good(store_get_run(fixture->store, id, &run, &fixture->error), &fixture->error);
    return &run;
}

static const char *path_of(struct fixture *fixture, int64_t id, const char *end)
{
    static char path[STORE_CHECKPOINT_PATH_MAX + 16];

    store_checkpoint_path(fixture->store, id, path);
    return strcat(path, end);
}

/* --- checkpoints ---------------------------------------------------------------------------------------------- */

/* A whole checkpoint of this step, not yet in its place. */
static struct ff_durable *write_checkpoint(struct fixture *fixture, int64_t id, uint64_t step)
{
    struct ff_checkpoint_about about = {.shape = {.channels = 1, .height = 4, .width = 4}, .classes = 3};
    float zeros[256] = {0};
    struct ff_durable *file = NULL;
    struct ff_plan plan;
    size_t count = 0;

    small_config(&about.config);
    strcpy(about.name, "a run");
    about.standing = (struct ff_standing){.step = step, .epochs = (uint32_t)(step / 10), .window = 1, .layers = 1};
    ff_plan_make_sizes(&plan, &about.config, about.shape, about.classes);
    for (uint32_t tensor = 0; tensor < ff_layer_tensors(&plan, 0); tensor++) {
        struct ff_tensor_form form = ff_layer_tensor(&plan, 0, tensor);
        count += (size_t)form.rows * form.columns;
    }
    struct ff_safetensors_writer *writer =
        ff_checkpoint_write(&ff_files_system, path_of(fixture, id, ""), &about, &fixture->error);
    if (writer == NULL)
        fail_msg("%s", fixture->error.message);
    for (size_t done = 0; done < count; done += 256)
        assert_good(ff_safetensors_append(writer, zeros, (count - done < 256 ? count - done : 256) * sizeof *zeros,
                                          &fixture->error),
                    &fixture->error);
    assert_good(ff_safetensors_finish(writer, &file, &fixture->error), &fixture->error);
    return file;
}

/* What the store told of a checkpoint. */
struct told {
    int count;
    int64_t run;
    struct run_checkpoint kept;
    char message[512];
    struct fixture *fixture;
    uint64_t points; /* committed when it was told */
};

static void take_told(void *self, int64_t run, const struct run_checkpoint *kept, const struct ff_error *error)
{
    struct told *told = self;

    told->count++;
    told->run = run;
    told->points = count_points(told->fixture->store, run, 0);
    if (kept != NULL)
        told->kept = *kept;
    else
        strcpy(told->message, error->message);
}

static void add_checkpoint(struct fixture *fixture, int64_t id, uint64_t step, struct told *told)
{
    struct store_checkpoint checkpoint = {.run = id,
                                          .step = step,
                                          .epochs = (uint32_t)(step / 10),
                                          .file = write_checkpoint(fixture, id, step),
                                          .tell = take_told,
                                          .self = told};

    *told = (struct told){.fixture = fixture};
    store_add_checkpoint(fixture->store, &checkpoint);
}

static int64_t step_on_disk(struct fixture *fixture, int64_t id)
{
    struct ff_error error;
    struct ff_checkpoint *checkpoint = ff_checkpoint_open(path_of(fixture, id, ""), &error);
    int64_t step = checkpoint != NULL ? (int64_t)ff_checkpoint_about(checkpoint)->standing.step : -1;

    ff_checkpoint_close(checkpoint);
    return step;
}

static void a_checkpoint_is_committed_behind_what_was_queued_before_it(void **state)
{
    struct fixture *fixture = *state;
    struct told told;
    int64_t id = insert_run(fixture, RUN_RUNNING, 0);

    for (uint64_t step = 1; step <= 500; step++) {
        struct ff_point point = {.step = step, .epoch = 1, .layers = 1};
        store_append_points(fixture->store, id, step, &point, 1);
    }
    add_checkpoint(fixture, id, 500, &told);
    struct ff_point later = {.step = 501, .epoch = 1, .layers = 1};
    store_append_points(fixture->store, id, 501, &later, 1);
    store_flush(fixture->store);
    assert_int_equal(told.count, 1);
    assert_int_equal(told.run, id);
    assert_true(told.points >= 500);
    assert_int_equal(told.kept.step, 500);
    assert_int_equal(step_on_disk(fixture, id), 500);
    const struct run *run = get(fixture, id);
    assert_int_equal(run->checkpoint.step, 500);
    assert_int_equal(run->checkpoint.epochs, 50);
    assert_true(run->checkpoint.written == told.kept.written && told.kept.written > 1600000000000);
    struct stat information;
    assert_int_equal(stat(path_of(fixture, id, ""), &information), 0);
    assert_int_equal(run->checkpoint.bytes, information.st_size);
    assert_int_equal(count_points(fixture->store, id, 0), 501);
}

static void execute(struct fixture *fixture, const char *sql)
{
    assert_int_equal(sqlite3_exec(fixture->store->database.connection, sql, NULL, NULL, NULL), SQLITE_OK);
}

/* Else it would stand above points that are missing. */
static void where_points_could_not_be_written_neither_is_the_checkpoint_behind_them(void **state)
{
    struct fixture *fixture = *state;
    struct told told;
    struct ff_point point = {.step = 1, .epoch = 1, .layers = 1};
    int64_t id = insert_run(fixture, RUN_RUNNING, 0);

    execute(fixture, "CREATE TEMP TRIGGER refuse BEFORE INSERT ON points BEGIN SELECT RAISE(ABORT, 'no'); END");
    store_append_points(fixture->store, id, 1, &point, 1);
    add_checkpoint(fixture, id, 1, &told);
    store_flush(fixture->store);
    assert_int_equal(told.count, 1);
    assert_int_equal(told.kept.written, 0);
    assert_true(strlen(told.message) > 10);
    assert_int_equal(step_on_disk(fixture, id), -1);
    assert_int_equal(access(path_of(fixture, id, ".tmp"), F_OK), -1);

    execute(fixture, "DROP TRIGGER refuse");
    add_checkpoint(fixture, id, 1, &told);
    store_flush(fixture->store);
    assert_int_equal(told.kept.step, 1);
    assert_int_equal(told.points, 1);
}

static void a_checkpoint_of_a_run_that_is_gone_leaves_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct told told;

    add_checkpoint(fixture, 77, 1, &told);
    store_flush(fixture->store);
    assert_int_equal(told.count, 1);
    assert_int_equal(told.kept.written, 0);
    assert_int_equal(step_on_disk(fixture, 77), -1);
}

static void make_file(const char *path)
{
    int file = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(file >= 0);
    close(file);
}

static void a_start_sweeps_what_was_left_over_and_what_belongs_to_no_run(void **state)
{
    struct fixture *fixture = *state;
    struct told told;
    int64_t id = insert_run(fixture, RUN_STOPPED, 10);

    add_checkpoint(fixture, id, 10, &told);
    store_flush(fixture->store);
    make_file(path_of(fixture, id, ".tmp"));
    make_file(path_of(fixture, id, ".damaged"));
    make_file(path_of(fixture, 99, ""));
    make_file(path_of(fixture, 99, ".tmp"));
    make_file(path_of(fixture, 98, ".damaged"));
    char foreign[128];
    snprintf(foreign, sizeof foreign, "%s/checkpoints/mine.safetensors", fixture->folder);
    make_file(foreign);
    reopen(fixture);
    assert_int_equal(access(path_of(fixture, id, ".tmp"), F_OK), -1);
    assert_int_equal(access(path_of(fixture, id, ".damaged"), F_OK), 0);
    assert_int_equal(access(path_of(fixture, 99, ""), F_OK), -1);
    assert_int_equal(access(path_of(fixture, 99, ".tmp"), F_OK), -1);
    assert_int_equal(access(path_of(fixture, 98, ".damaged"), F_OK), -1);
    assert_int_equal(access(foreign, F_OK), 0);
    assert_int_equal(step_on_disk(fixture, id), 10);
    assert_int_equal(get(fixture, id)->checkpoint.step, 10);
}

/* A kill between a file and its row: the file is right. */
static void a_start_believes_the_files(void **state)
{
    struct fixture *fixture = *state;
    struct told told;
    int64_t with = insert_run(fixture, RUN_STOPPED, 20), without = insert_run(fixture, RUN_STOPPED, 20);
    int64_t gone = insert_run(fixture, RUN_STOPPED, 20);

    add_checkpoint(fixture, with, 10, &told);
    add_checkpoint(fixture, gone, 10, &told);
    store_flush(fixture->store);
    assert_good(ff_durable_commit(write_checkpoint(fixture, with, 20), &fixture->error), &fixture->error);
    assert_good(ff_durable_commit(write_checkpoint(fixture, without, 20), &fixture->error), &fixture->error);
    assert_int_equal(unlink(path_of(fixture, gone, "")), 0);
    execute(fixture,
            "UPDATE checkpoints SET written = written - 60000"); /* files may be no older than a clock's tick */
    reopen(fixture);
    assert_int_equal(get(fixture, with)->checkpoint.step, 20);
    assert_int_equal(get(fixture, with)->checkpoint.epochs, 2);
    assert_int_equal(get(fixture, without)->checkpoint.step, 20);
    assert_int_equal(get(fixture, gone)->checkpoint.written, 0);
}

static void a_deleted_run_takes_its_files_along(void **state)
{
    struct fixture *fixture = *state;
    struct told told;
    int64_t id = insert_run(fixture, RUN_STOPPED, 10);

    add_checkpoint(fixture, id, 10, &told);
    store_flush(fixture->store);
    make_file(path_of(fixture, id, ".damaged"));
    assert_good(store_delete_run(fixture->store, id, &fixture->error), &fixture->error);
    assert_int_equal(access(path_of(fixture, id, ""), F_OK), -1);
    assert_int_equal(access(path_of(fixture, id, ".damaged"), F_OK), -1);
}

static void the_folder_of_checkpoints_is_its_owners_alone(void **state)
{
    struct fixture *fixture = *state;
    struct stat information;
    char path[128];

    snprintf(path, sizeof path, "%s/checkpoints", fixture->folder);
    assert_int_equal(stat(path, &information), 0);
    assert_int_equal(information.st_mode & 0777, 0700);
}

/* --- going back ----------------------------------------------------------------------------------------------- */

/* Runs that went back, as a line: "run:step ". */
static void print_rewind(void *self, int64_t run, uint64_t step)
{
    sprintf((char *)self + strlen(self), "%lld:%llu ", (long long)run, (unsigned long long)step);
}

static void assert_rewinds(struct fixture *fixture, int64_t run, uint64_t from, uint64_t until,
                           const char *expected)
{
    char line[128] = "";

    store_read_rewinds(fixture->store, run, from, until, print_rewind, line);
    assert_string_equal(line, expected);
}

static ff_status begin_again(struct fixture *fixture, int64_t id, uint64_t step, uint64_t event)
{
    struct run *run = get(fixture, id);

    run->state = RUN_RUNNING;
    return store_begin_again(fixture->store, run, step, (uint32_t)(step / 10), event, &fixture->error);
}

static void what_lies_beyond_goes_in_one_transaction_with_the_state(void **state)
{
    struct fixture *fixture = *state;
    int64_t id = insert_run(fixture, RUN_STOPPED, 35), other = insert_run(fixture, RUN_STOPPED, 35);

    execute(fixture, "CREATE TEMP TRIGGER refuse BEFORE UPDATE ON runs BEGIN SELECT RAISE(ABORT, 'no'); END");
    assert_int_not_equal(begin_again(fixture, id, 20, 1000), FF_OK);
    assert_int_equal(count_points(fixture->store, id, 0), 35);
    assert_int_equal(get(fixture, id)->last.epoch, 3);
    assert_rewinds(fixture, 0, 0, UINT64_MAX, "");

    execute(fixture, "DROP TRIGGER refuse");
    assert_good(begin_again(fixture, id, 20, 1000), &fixture->error);
    assert_int_equal(count_points(fixture->store, id, 0), 20);
    assert_int_equal(get(fixture, id)->last.epoch, 2);
    assert_int_equal(get(fixture, id)->state, RUN_RUNNING);
    assert_int_equal(count_points(fixture->store, other, 0), 35);
    assert_int_equal(get(fixture, other)->last.epoch, 3);
}

static void how_far_runs_went_back_is_kept_for_who_comes_later(void **state)
{
    struct fixture *fixture = *state;
    int64_t id = insert_run(fixture, RUN_STOPPED, 35), other = insert_run(fixture, RUN_STOPPED, 35);

    assert_good(begin_again(fixture, id, 20, 1000), &fixture->error);
    assert_good(begin_again(fixture, id, 10, 2000), &fixture->error);
    assert_good(begin_again(fixture, id, 15, 3000), &fixture->error);
    assert_good(begin_again(fixture, other, 5, 2500), &fixture->error);
    assert_rewinds(fixture, id, 0, UINT64_MAX, "1:10 ");
    assert_rewinds(fixture, id, 1000, 2000, "1:20 ");
    assert_rewinds(fixture, id, 2000, UINT64_MAX, "1:10 ");
    assert_rewinds(fixture, id, 2001, UINT64_MAX, "1:15 ");
    assert_rewinds(fixture, id, 3001, UINT64_MAX, "");
    assert_rewinds(fixture, 0, 2001, UINT64_MAX, "1:15 2:5 ");
    assert_good(store_delete_run(fixture->store, other, &fixture->error), &fixture->error);
    assert_rewinds(fixture, 0, 0, UINT64_MAX, "1:10 ");
}

static void a_run_that_begins_for_the_first_time_has_not_gone_back(void **state)
{
    struct fixture *fixture = *state;
    int64_t id = insert_run(fixture, RUN_QUEUED, 0);

    assert_good(begin_again(fixture, id, 0, 0), &fixture->error);
    assert_rewinds(fixture, 0, 0, UINT64_MAX, "");
    assert_int_equal(get(fixture, id)->state, RUN_RUNNING);
}

/* --- live settings -------------------------------------------------------------------------------------------- */

static void turn(struct fixture *fixture, int64_t id, uint64_t step, double rate)
{
    struct ff_change change = {.step = step, .config = *run_config(get(fixture, id))};

    change.config.learning_rate = (struct ff_per_layer){.count = 1, .value = {rate}};
    uint64_t version = store_version(fixture->store, id);
    assert_good(store_add_change(fixture->store, id, 1000 + step, &change, &fixture->error), &fixture->error);
    assert_true(store_version(fixture->store, id) > version);
}

static void changes_read_back_by_step_old_and_new(void **state)
{
    struct fixture *fixture = *state;
    int64_t id = insert_run(fixture, RUN_RUNNING, 0);

    turn(fixture, id, 5, 0.25);
    turn(fixture, id, 9, 0.5);
    reopen(fixture);
    const struct run *run = get(fixture, id);
    assert_string_equal(run->changes,
                        "[{\"step\":5,\"learning_rate\":[0.002,0.25]},{\"step\":9,\"learning_rate\":[0.25,0.5]}]");
    assert_true(run->changed && run->now.learning_rate.value[0] == 0.5);
    assert_true(run->config.learning_rate.value[0] == 0.002);
}

/* The rates of the changes with which a run that stands at `step` goes on, as a line: "step:rate ". */
static void assert_goes_on(struct fixture *fixture, int64_t id, uint64_t step, const char *expected)
{
    struct ff_change *changes;
    char line[128] = "";
    size_t count;

    assert_good(store_read_changes(fixture->store, get(fixture, id), step, &changes, &count, &fixture->error),
                &fixture->error);
    for (size_t i = 0; i < count; i++)
        sprintf(line + strlen(line), "%llu:%g ", (unsigned long long)changes[i].step,
                changes[i].config.learning_rate.value[0]);
    assert_string_equal(line, expected);
    free(changes);
}

static void settings_to_go_on_with_take_the_place_of_later_ones(void **state)
{
    struct fixture *fixture = *state;
    cJSON *live = cJSON_Parse("{\"learning_rate\":0.75}");
    int64_t id = insert_run(fixture, RUN_STOPPED, 30);

    turn(fixture, id, 5, 0.25);
    turn(fixture, id, 15, 0.5);
    assert_goes_on(fixture, id, 10, "5:0.25 15:0.5 ");
    struct run *run = get(fixture, id);
    run->state = RUN_QUEUED;
    assert_good(store_queue_again(fixture->store, run, live, &fixture->error), &fixture->error);
    reopen(fixture);
    assert_int_equal(get(fixture, id)->state, RUN_QUEUED);
    assert_true(get(fixture, id)->now.learning_rate.value[0] == 0.75);
    assert_goes_on(fixture, id, 10, "5:0.25 10:0.75 ");
    assert_good(begin_again(fixture, id, 10, 5000), &fixture->error);
    assert_goes_on(fixture, id, 10, "5:0.25 10:0.75 ");
    assert_string_equal(get(fixture, id)->changes, "[{\"step\":5,\"learning_rate\":[0.002,0.25]},"
                                                   "{\"step\":10,\"learning_rate\":[0.25,0.75]}]");
    cJSON_Delete(live);
}

static void without_other_settings_those_beyond_the_checkpoint_stay(void **state)
{
    struct fixture *fixture = *state;
    int64_t id = insert_run(fixture, RUN_STOPPED, 30);

    turn(fixture, id, 15, 0.5);
    assert_good(begin_again(fixture, id, 10, 5000), &fixture->error);
    assert_goes_on(fixture, id, 10, "15:0.5 ");
}

/* --- older databases ------------------------------------------------------------------------------------------ */

/* As the program made it before there were checkpoints, to the letter. */
static const char version_1[] =
    "PRAGMA journal_mode = WAL;"
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
    "INSERT INTO meta VALUES('starts', 3);"
    "CREATE TABLE runs("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, notes TEXT NOT NULL, tags TEXT NOT NULL,"
    "  preset TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL,"
    "  created INTEGER NOT NULL, started INTEGER NOT NULL, ended INTEGER NOT NULL, config TEXT NOT NULL,"
    "  asked_stages INTEGER NOT NULL, asked_threads INTEGER NOT NULL,"
    "  stages INTEGER NOT NULL, threads INTEGER NOT NULL, parameters INTEGER NOT NULL,"
    "  epoch INTEGER NOT NULL, epochs INTEGER NOT NULL, step INTEGER NOT NULL, steps INTEGER NOT NULL,"
    "  elapsed REAL NOT NULL, remaining REAL, samples_per_second REAL, evaluating REAL NOT NULL,"
    "  warnings TEXT NOT NULL);"
    "CREATE TABLE points("
    "  run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, step INTEGER NOT NULL, layer INTEGER NOT NULL,"
    "  event INTEGER NOT NULL, epoch REAL NOT NULL, elapsed REAL NOT NULL, positive REAL, negative REAL,"
    "  positive_low REAL, positive_high REAL, negative_low REAL, negative_high REAL, loss REAL, accuracy REAL,"
    "  PRIMARY KEY(run, step, layer)) WITHOUT ROWID;"
    "CREATE TABLE epochs("
    "  run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, epoch INTEGER NOT NULL, event INTEGER NOT NULL,"
    "  step INTEGER NOT NULL, elapsed REAL NOT NULL, evaluating REAL NOT NULL, train_error REAL,"
    "  test_error REAL, digest TEXT NOT NULL, PRIMARY KEY(run, epoch)) WITHOUT ROWID;"
    "CREATE TABLE epoch_layers("
    "  run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, epoch INTEGER NOT NULL, layer INTEGER NOT NULL,"
    "  positive REAL, negative REAL, positive_low REAL, positive_high REAL, negative_low REAL,"
    "  negative_high REAL, loss REAL, accuracy REAL, PRIMARY KEY(run, epoch, layer)) WITHOUT ROWID;"
    "PRAGMA application_id = 1198485348; PRAGMA user_version = 1;"
    "INSERT INTO runs VALUES(4, 'old', 'notes', '[\"tag\"]', 'hinton', 'finished', '', 1700000000123,"
    " 1700000000200, 1700000009000, '{\"epochs\":2,\"seed\":7}', 0, 0, 1, 2, 4242, 2, 2, 20, 20, 8.5, 0, 100, 0.5, "
    "'[]');"
    "INSERT INTO runs VALUES(5, 'cut off', '', '[]', '', 'running', '', 1700000000123, 1700000000200, 0, '{}',"
    " 0, 0, 1, 2, 4242, 1, 2, 1, 20, 1, NULL, NULL, 0, '[]');"
    "INSERT INTO points VALUES(4, 10, 0, 55, 1, 4.25, 2, 1, 1.5, 2.5, 0.5, 1.5, 0.7, 0.9);"
    "INSERT INTO points VALUES(4, 20, 0, 56, 2, 8.5, 3, 1, 1.5, 2.5, 0.5, 1.5, 0.7, 0.9);"
    "INSERT INTO epochs VALUES(4, 1, 55, 10, 4.25, 0.25, NULL, 0.5, 'sha256:01');"
    "INSERT INTO epochs VALUES(4, 2, 56, 20, 8.5, 0.5, NULL, 0.25, 'sha256:02');"
    "INSERT INTO epoch_layers VALUES(4, 2, 0, 3, 1, NULL, NULL, NULL, NULL, 0.7, 0.9);";

static void a_database_from_before_checkpoints_opens_with_all_it_has(void **state)
{
    struct fixture *fixture = *state;
    char path[128];
    sqlite3 *connection;
    struct told told;

    store_close(fixture->store);
    snprintf(path, sizeof path, "rm -rf %s/*", fixture->folder);
    assert_int_equal(system(path), 0);
    snprintf(path, sizeof path, "%s/goodness.db", fixture->folder);
    assert_int_equal(sqlite3_open(path, &connection), SQLITE_OK);
    assert_int_equal(sqlite3_exec(connection, version_1, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(connection);
    fixture->store = store_open(fixture->folder, &fixture->error);
    if (fixture->store == NULL)
        fail_msg("%s", fixture->error.message);

    const struct run *run = get(fixture, 4);
    assert_string_equal(run->name, "old");
    assert_string_equal(run->tags[0], "tag");
    assert_int_equal(run->state, RUN_FINISHED);
    assert_int_equal(run->config.seed, 7);
    assert_int_equal(run->last.epoch, 2);
    assert_string_equal(run->last.digest, "sha256:02");
    assert_true(run->last.layer[0].positive == 3);
    assert_true(run->best.test_error == 0.25);
    assert_int_equal(run->checkpoint.written, 0);
    assert_string_equal(run->changes, "");
    assert_int_equal(count_points(fixture->store, 4, 0), 2);
    assert_int_equal(get(fixture, 5)->state, RUN_INTERRUPTED);
    assert_true(store_first_event(fixture->store) == (uint64_t)4 << 32);

    add_checkpoint(fixture, 4, 20, &told);
    turn(fixture, 4, 20, 0.5);
    reopen(fixture);
    assert_int_equal(get(fixture, 4)->checkpoint.step, 20);
    assert_true(get(fixture, 4)->now.learning_rate.value[0] == 0.5);
    assert_int_equal(insert_run(fixture, RUN_QUEUED, 0), 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_checkpoint_is_committed_behind_what_was_queued_before_it),
        FIXTURE_TEST(where_points_could_not_be_written_neither_is_the_checkpoint_behind_them),
        FIXTURE_TEST(a_checkpoint_of_a_run_that_is_gone_leaves_nothing),
        FIXTURE_TEST(a_start_sweeps_what_was_left_over_and_what_belongs_to_no_run),
        FIXTURE_TEST(a_start_believes_the_files),
        FIXTURE_TEST(a_deleted_run_takes_its_files_along),
        FIXTURE_TEST(the_folder_of_checkpoints_is_its_owners_alone),
        FIXTURE_TEST(what_lies_beyond_goes_in_one_transaction_with_the_state),
        FIXTURE_TEST(how_far_runs_went_back_is_kept_for_who_comes_later),
        FIXTURE_TEST(a_run_that_begins_for_the_first_time_has_not_gone_back),
        FIXTURE_TEST(changes_read_back_by_step_old_and_new),
        FIXTURE_TEST(settings_to_go_on_with_take_the_place_of_later_ones),
        FIXTURE_TEST(without_other_settings_those_beyond_the_checkpoint_stay),
        FIXTURE_TEST(a_database_from_before_checkpoints_opens_with_all_it_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
