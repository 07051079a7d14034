/* Runs that are gone on with: checkpoints, what is taken back, live settings, networks at rest. */
#include "../cmocka_all.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint.h"
#include "session_fixture.h"

/* --- looking -------------------------------------------------------------------------------------------------- */

/* The step of the checkpoint on the disk; -1: there is none. It is whole, or the test fails. */
static int64_t step_on_disk(struct fixture *fixture, int64_t id)
{
    char path[STORE_CHECKPOINT_PATH_MAX];
    struct ff_error error;

    store_checkpoint_path(fixture->store, id, path);
    struct ff_checkpoint *checkpoint = ff_checkpoint_open(path, &error);
    if (checkpoint == NULL && error.status != FF_NOT_FOUND)
        fail_msg("%s", error.message);
    int64_t step = checkpoint != NULL ? (int64_t)ff_checkpoint_about(checkpoint)->standing.step : -1;
    ff_checkpoint_close(checkpoint);
    return step;
}

static double number(const cJSON *object, const char *name)
{
    return member(object, name)->valuedouble;
}

static struct run *resume_with(struct fixture *fixture, int64_t id, const struct session_resumption *resumption)
{
    assert_good(session_resume(fixture->session, id, resumption, &fixture->run, &fixture->error), &fixture->error);
    return &fixture->run;
}

/* A run that did so many steps, then stopped. */
static int64_t run_and_stop(struct fixture *fixture, uint32_t steps)
{
    int64_t id = submit_and_wait(fixture);

    fake_trainer_points(steps);
    fake_trainer_epoch(0.5);
    await_type(fixture, "epoch");
    stop_run(fixture, id);
    await(fixture, id, "stopped", NULL);
    return id;
}

/* A run whose checkpoint is of step 10, and which failed after step 15 and, where asked for, an epoch. */
static int64_t run_and_fail(struct fixture *fixture, bool epoch)
{
    int64_t id = submit_and_wait(fixture);

    fake_trainer_points(10);
    fake_trainer_epoch(0.5);
    await_type(fixture, "epoch");
    pause_run(fixture, id);
    await(fixture, id, "paused", NULL);
    resume_run(fixture, id);
    fake_trainer_points(5);
    if (epoch) {
        fake_trainer_points(5);
        fake_trainer_epoch(0.75); /* the best one would leave a checkpoint */
    }
    fake_trainer_fail("it diverged");
    await(fixture, id, "failed", NULL);
    return id;
}

/* --- checkpoints ---------------------------------------------------------------------------------------------- */

static void a_pause_and_an_end_are_told_when_their_checkpoint_is_on_the_disk(void **state)
{
    struct fixture *fixture = *state;
    int64_t id = submit_and_wait(fixture);

    fake_trainer_points(4);
    await_type(fixture, "points");
    pause_run(fixture, id);
    cJSON *json = wait_for_state(fixture, id, "paused", NULL);
    int64_t step = step_on_disk(fixture, id);
    assert_true(step >= 1);
    assert_true(number(member(json, "checkpoint"), "step") == (double)step);
    assert_int_equal(count_points(fixture->store, id, 0), step);
    cJSON_Delete(json);
    resume_run(fixture, id);
    fake_trainer_finish();
    json = wait_for_state(fixture, id, "finished", NULL);
    assert_int_equal(step_on_disk(fixture, id), 4);
    assert_true(number(member(json, "checkpoint"), "step") == 4);
    cJSON_Delete(json);
    assert_int_equal(stored(fixture, id)->checkpoint.step, 4);
    assert_true(fixture->run.checkpoint.bytes > 1000);
    assert_true(fixture->run.checkpoint.written >= fixture->run.started);
}

static void the_end_of_the_program_leaves_a_checkpoint(void **state)
{
    struct fixture *fixture = *state;
    int64_t id = submit_and_wait(fixture);

    fake_trainer_points(3);
    fake_trainer_epoch(0.5);
    await_type(fixture, "epoch");
    session_destroy(fixture->session);
    fixture->session = NULL;
    assert_int_equal(stored(fixture, id)->state, RUN_INTERRUPTED);
    assert_int_equal(fixture->run.checkpoint.step, 3);
    assert_int_equal(step_on_disk(fixture, id), 3);
}

static void an_epoch_that_ends_soon_after_the_last_checkpoint_has_none(void **state)
{
    struct fixture *fixture = *state;

    restart_with_pace(fixture, "3600");
    int64_t id = submit_and_wait(fixture);

    fake_trainer_points(10);
    fake_trainer_epoch((double)NAN); /* not judged, and so not the best */
    fake_trainer_points(1);
    await_type(fixture, "epoch");
    await_type(fixture, "points");
    assert_int_equal(step_on_disk(fixture, id), -1);
    fake_trainer_fail("it diverged");
    await(fixture, id, "failed", NULL);
    assert_int_equal(stored(fixture, id)->checkpoint.written, 0);
}

static int64_t best_on_disk(struct fixture *fixture, int64_t id)
{
    char path[STORE_CHECKPOINT_PATH_MAX];
    struct ff_error error;

    store_best_path(fixture->store, id, path);
    struct ff_checkpoint *checkpoint = ff_checkpoint_open(path, &error);
    int64_t step = checkpoint == NULL ? -1 : (int64_t)ff_checkpoint_about(checkpoint)->standing.step;
    ff_checkpoint_close(checkpoint);
    return step;
}

/* Whatever the pace: the checkpoint of the best epoch so far has a second name, which outlives newer ones. */
static void the_best_epoch_is_kept_beside_the_newest(void **state)
{
    struct fixture *fixture = *state;
    static const double errors[] = {0.5, 0.3, 0.4, 0.3, 0.2};

    restart_with_pace(fixture, "3600");
    int64_t id = submit_and_wait(fixture);
    for (int epoch = 0; epoch < 5; epoch++) {
        fake_trainer_points(epoch == 0 ? 10 : 9);
        fake_trainer_epoch(errors[epoch]);
        fake_trainer_points(1); /* told once the epoch's snapshot is */
        await_type(fixture, "epoch");
        await_type(fixture, "points");
        store_flush(fixture->store);
        assert_int_equal(best_on_disk(fixture, id), epoch == 0 ? 10 : epoch < 4 ? 20 : 50);
    }
    fake_trainer_points(3);
    fake_trainer_finish();
    await(fixture, id, "finished", NULL);
    assert_int_equal(step_on_disk(fixture, id), 54);
    assert_int_equal(best_on_disk(fixture, id), 50);
    assert_int_equal(stored(fixture, id)->best.epoch, 5);
}

static void epochs_have_checkpoints_as_often_as_is_asked_for(void **state)
{
    struct fixture *fixture = *state;

    restart_with_pace(fixture, "0");
    int64_t id = submit_and_wait(fixture);
    fake_trainer_points(10);
    fake_trainer_epoch(0.5);
    fake_trainer_points(5);
    fake_trainer_fail("it diverged");
    await(fixture, id, "failed", NULL);
    assert_int_equal(step_on_disk(fixture, id), 10);
    assert_int_equal(stored(fixture, id)->checkpoint.epochs, 1);
}

static void a_checkpoint_that_cannot_be_written_is_a_warning_and_no_more(void **state)
{
    struct fixture *fixture = *state;
    char folder[128];
    int64_t id = submit_and_wait(fixture);

    snprintf(folder, sizeof folder, "%s/checkpoints", fixture->folder);
    assert_int_equal(rmdir(folder), 0);
    fake_trainer_points(3);
    pause_run(fixture, id);
    await(fixture, id, "paused", NULL);
    resume_run(fixture, id);
    fake_trainer_points(2);
    fake_trainer_finish();
    await(fixture, id, "finished", NULL);
    assert_int_equal(stored(fixture, id)->progress.step, 5);
    assert_int_equal(fixture->run.warning_count, 1);
    assert_non_null(strstr(fixture->run.warnings[0], "a checkpoint could not be written: "));
    assert_int_equal(fixture->run.checkpoint.written, 0);
}

/* --- going on ------------------------------------------------------------------------------------------------- */

static void a_stopped_run_goes_on_from_its_checkpoint_by_way_of_the_queue(void **state)
{
    struct fixture *fixture = *state;
    struct fake_beginning beginning;
    int64_t first = run_and_stop(fixture, 12), second = submit_and_wait(fixture);
    int64_t started = stored(fixture, first)->started;

    resume_run(fixture, first);
    assert_int_equal(fixture->run.state, RUN_QUEUED);
    assert_int_equal(fixture->run.pending, RUN_PENDING_RESUME);
    assert_int_equal(fixture->run.ended, 0);
    assert_int_equal(stored(fixture, first)->state, RUN_QUEUED);
    await(fixture, first, "queued", "resume");
    assert_int_equal(resume_run(fixture, first)->pending, RUN_PENDING_RESUME);
    fake_trainer_finish();
    await(fixture, second, "finished", NULL);
    await(fixture, first, "running", NULL);
    fake_trainer_points(2);
    fake_trainer_finish();
    await(fixture, first, "finished", NULL);
    fake_trainer_beginning(&beginning);
    assert_true(beginning.checkpoint);
    assert_int_equal(beginning.step, 12);
    assert_int_equal(beginning.closed, 1);
    assert_int_equal(count_points(fixture->store, first, 0), 14);
    assert_int_equal(stored(fixture, first)->progress.step, 14);
    assert_int_equal(fixture->run.started, started);
}

static void what_lies_beyond_the_checkpoint_is_taken_back_and_readers_are_told(void **state)
{
    struct fixture *fixture = *state;
    int64_t id = run_and_fail(fixture, true);

    assert_int_equal(count_points(fixture->store, id, 0), 20);
    assert_int_equal(stored(fixture, id)->last.epoch, 2);
    fake_trainer_hold(true);
    resume_run(fixture, id);
    await_type(fixture, "dropped");
    assert_string_equal(fixture->buffer, "{\"run\":1,\"after\":10}");
    await(fixture, id, "running", NULL);
    assert_int_equal(count_points(fixture->store, id, 0), 10);
    assert_int_equal(stored(fixture, id)->last.epoch, 1);
    assert_int_equal(fixture->run.state, RUN_RUNNING);
    assert_int_equal(get(fixture, id)->best.epoch, 1);
    assert_string_equal(fixture->run.reason, "");
    assert_int_equal(fixture->run.progress.step, 10);
    fake_trainer_hold(false);
    fake_trainer_points(1);
    fake_trainer_finish();
    await(fixture, id, "finished", NULL);
    assert_int_equal(count_points(fixture->store, id, 0), 11);
}

/* What is shown of run 1 in the middle of the transaction that takes back what lies beyond its checkpoint. */
struct glance {
    struct fixture *fixture;
    struct run run;
    size_t looks;
};

static void look(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct glance *glance = sqlite3_user_data(context);
    struct ff_error error;

    (void)count;
    (void)values;
    if (session_get(glance->fixture->session, 1, &glance->run, &error) == FF_OK)
        glance->looks++;
}

static void nobody_sees_the_checkpoints_step_beside_epochs_that_came_after_it(void **state)
{
    struct fixture *fixture = *state;
    static struct glance glance;
    sqlite3 *connection = fixture->store->database.connection;
    char sql[] = "CREATE TEMP TRIGGER glance BEFORE INSERT ON rewinds BEGIN SELECT look(); END";
    int64_t id = run_and_fail(fixture, true);

    glance = (struct glance){.fixture = fixture};
    assert_int_equal(sqlite3_create_function(connection, "look", 0, SQLITE_UTF8, &glance, look, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_exec(connection, sql, NULL, NULL, NULL), SQLITE_OK);
    fake_trainer_hold(true);
    resume_run(fixture, id);
    await_type(fixture, "dropped");
    assert_int_equal(glance.looks, 1);
    assert_int_equal(glance.run.progress.step, 20);
    assert_int_equal(glance.run.last.epoch, 2);
    assert_int_equal(get(fixture, id)->progress.step, 10);
    assert_int_equal(fixture->run.last.epoch, 1);
}

static void a_run_without_a_checkpoint_begins_with_its_first_step(void **state)
{
    struct fixture *fixture = *state;
    struct fake_beginning beginning;
    int64_t id = submit_and_wait(fixture);

    fake_trainer_points(5);
    fake_trainer_fail("it diverged");
    await(fixture, id, "failed", NULL);
    assert_int_equal(count_points(fixture->store, id, 0), 5);
    resume_run(fixture, id);
    fake_trainer_points(2);
    fake_trainer_finish();
    await(fixture, id, "finished", NULL);
    fake_trainer_beginning(&beginning);
    assert_false(beginning.checkpoint);
    assert_int_equal(count_points(fixture->store, id, 0), 2);
}

static void a_finished_run_goes_on_for_more_epochs_only(void **state)
{
    struct fixture *fixture = *state;
    struct fake_beginning beginning;
    struct session_resumption more = {.epochs = 3, .placed = true, .placement = {.stages = 2, .threads = 1}};
    int64_t id = submit_and_wait(fixture);

    fake_trainer_finish();
    await(fixture, id, "finished", NULL);
    assert_int_equal(session_resume(fixture->session, id, NULL, &fixture->run, &fixture->error), FF_CONFLICT);
    assert_int_equal(resume_with(fixture, id, &more)->config.epochs, 18);
    await(fixture, id, "running", NULL);
    fake_trainer_finish();
    await(fixture, id, "finished", NULL);
    fake_trainer_beginning(&beginning);
    assert_int_equal(beginning.epochs, 18);
    assert_int_equal(fake_trainer_placement().stages, 2);
    assert_int_equal(stored(fixture, id)->config.epochs, 18);
    assert_int_equal(fixture->run.progress.epochs, 18);
}

static void what_a_run_is_to_go_on_with_cannot_be_given_to_one_that_trains(void **state)
{
    struct fixture *fixture = *state;
    cJSON *config = cJSON_Parse("{\"learning_rate\": 0.5}");
    struct session_resumption settings = {.config = config}, more = {.epochs = 1};
    int64_t id = submit_and_wait(fixture);

    assert_int_equal(session_resume(fixture->session, id, &settings, &fixture->run, &fixture->error), FF_CONFLICT);
    assert_non_null(strstr(fixture->error.message, "PATCH /api/v1/runs/1"));
    assert_int_equal(session_resume(fixture->session, id, &more, &fixture->run, &fixture->error), FF_CONFLICT);
    assert_non_null(strstr(fixture->error.message, "stop it first"));
    assert_int_equal(resume_run(fixture, id)->state, RUN_RUNNING);
    cJSON_Delete(config);
}

static void a_full_queue_takes_no_run_again(void **state)
{
    struct fixture *fixture = *state;
    int64_t id = run_and_stop(fixture, 1);

    submit_and_wait(fixture);
    for (int i = 0; i < SESSION_QUEUE_MAX; i++)
        submit(fixture);
    assert_int_equal(session_resume(fixture->session, id, NULL, &fixture->run, &fixture->error), FF_BUSY);
    assert_int_equal(stored(fixture, id)->state, RUN_STOPPED);
}

static void a_run_that_waits_to_go_on_waits_on_after_a_restart(void **state)
{
    struct fixture *fixture = *state;
    struct fake_beginning beginning;
    cJSON *config = cJSON_Parse("{\"learning_rate\": 0.5}");
    struct session_resumption resumption = {.epochs = 2, .config = config};
    int64_t id = run_and_stop(fixture, 10), other = submit_and_wait(fixture);

    assert_true(resume_with(fixture, id, &resumption)->now.learning_rate.value[0] == 0.5);
    session_destroy(fixture->session);
    fixture->session = NULL;
    restart(fixture);
    await_type(fixture, "dropped"); /* its trainer is there */
    assert_int_equal(stored(fixture, other)->state, RUN_INTERRUPTED);
    fake_trainer_beginning(&beginning);
    assert_int_equal(beginning.step, 10);
    assert_int_equal(beginning.epochs, 17);
    assert_int_equal(beginning.change_count, 1);
    assert_true(beginning.changes[0].config.learning_rate.value[0] == 0.5);
    cJSON_Delete(config);
}

static void a_stop_of_a_run_that_waits_to_go_on_leaves_its_checkpoint(void **state)
{
    struct fixture *fixture = *state;
    int64_t id = run_and_stop(fixture, 10);

    submit_and_wait(fixture);
    resume_run(fixture, id);
    assert_int_equal(stop_run(fixture, id)->state, RUN_STOPPED);
    assert_int_equal(step_on_disk(fixture, id), 10);
    assert_int_equal(stored(fixture, id)->checkpoint.step, 10);
}

static void damage(struct fixture *fixture, int64_t id)
{
    char path[STORE_CHECKPOINT_PATH_MAX];

    store_checkpoint_path(fixture->store, id, path);
    assert_int_equal(truncate(path, 500), 0);
}

static void a_damaged_checkpoint_is_kept_aside_and_said(void **state)
{
    struct fixture *fixture = *state;
    struct fake_beginning beginning;
    char path[STORE_CHECKPOINT_PATH_MAX + 16];
    int64_t id = run_and_stop(fixture, 10);

    damage(fixture, id);
    resume_run(fixture, id);
    await(fixture, id, "failed", NULL);
    assert_non_null(strstr(stored(fixture, id)->reason, "kept aside as checkpoints/1.safetensors.damaged"));
    assert_int_equal(fixture->run.checkpoint.written, 0);
    assert_int_equal(step_on_disk(fixture, id), -1);
    assert_int_equal(count_points(fixture->store, id, 0), 10);
    store_checkpoint_path(fixture->store, id, path);
    strcat(path, ".damaged");
    assert_int_equal(access(path, F_OK), 0);

    resume_run(fixture, id);
    fake_trainer_finish();
    await(fixture, id, "finished", NULL);
    fake_trainer_beginning(&beginning);
    assert_false(beginning.checkpoint);
    assert_good(session_delete(fixture->session, id, &fixture->error), &fixture->error);
    assert_int_equal(access(path, F_OK), -1);
}

static void images_that_are_not_what_they_were_are_said(void **state)
{
    struct fixture *fixture = *state;
    int64_t id = run_and_stop(fixture, 10);

    fake_trainer_steps(7);
    resume_run(fixture, id);
    await(fixture, id, "failed", NULL);
    assert_string_equal(stored(fixture, id)->reason,
                        "the data set mnist has changed: an epoch of this run had 10 steps, and would have 7 now; "
                        "bring the data set back, or start a new run");
    assert_int_equal(count_points(fixture->store, id, 0), 10);
    fake_trainer_steps(10);
    resume_run(fixture, id);
    fake_trainer_finish();
    await(fixture, id, "finished", NULL);
}

static void a_run_whose_step_back_cannot_be_stored_does_not_go_on(void **state)
{
    struct fixture *fixture = *state;
    char path[128], *message = NULL;
    sqlite3 *connection;
    int64_t id = run_and_stop(fixture, 10);

    snprintf(path, sizeof path, "%s/goodness.db", fixture->folder);
    assert_int_equal(sqlite3_open(path, &connection), SQLITE_OK);
    sqlite3_busy_timeout(connection, 5000);
    assert_int_equal(sqlite3_exec(connection,
                                  "CREATE TRIGGER refuse BEFORE INSERT ON rewinds BEGIN SELECT RAISE(ABORT, 'no');"
                                  " END",
                                  NULL, NULL, &message),
                     SQLITE_OK);
    resume_run(fixture, id);
    await(fixture, id, "failed", NULL);
    assert_int_equal(count_points(fixture->store, id, 0), 10);
    assert_int_equal(sqlite3_exec(connection, "DROP TRIGGER refuse", NULL, NULL, &message), SQLITE_OK);
    sqlite3_close(connection);
    resume_run(fixture, id);
    fake_trainer_finish();
    await(fixture, id, "finished", NULL);
}

/* --- live settings -------------------------------------------------------------------------------------------- */

static ff_status turn(struct asker *asker, int64_t id, const char *settings)
{
    cJSON *json = cJSON_Parse(settings);
    struct session_question question = {.about = SESSION_SETTINGS, .settings = json, .tell = tell, .self = asker};

    asker->told = 0;
    ff_status status = put_question(asker, id, &question);
    cJSON_Delete(json);
    return status;
}

static ff_status turn_and_wait(struct asker *asker, int64_t id, const char *settings)
{
    struct fixture *fixture = asker->fixture;
    ff_status status = turn(asker, id, settings);

    if (status != FF_OK)
        return status;
    wait_until_told(asker);
    status = session_turned(fixture->session, asker->request, &fixture->error);
    drop(asker);
    return status;
}

/* A run that trains, and whose trainer is there: it has done so many steps and an epoch. */
static int64_t submit_and_train(struct fixture *fixture, uint32_t steps)
{
    int64_t id = submit_and_wait(fixture);

    fake_trainer_points(steps);
    fake_trainer_epoch(0.5);
    await_type(fixture, "epoch");
    return id;
}

static void settings_hold_when_they_are_stored_and_told(void **state)
{
    struct fixture *fixture = *state;
    struct asker *asker = make_asker(fixture);
    struct ff_change *changes;
    size_t count;
    int64_t id = submit_and_train(fixture, 3);

    assert_good(turn_and_wait(asker, id, "{\"learning_rate\": 0.25}"), &fixture->error);
    assert_true(run_config(get(fixture, id))->learning_rate.value[0] == 0.25);
    assert_string_equal(fixture->run.changes, "[{\"step\":3,\"learning_rate\":[0.002,0.25]}]");
    assert_string_equal(stored(fixture, id)->changes, "[{\"step\":3,\"learning_rate\":[0.002,0.25]}]");
    assert_true(fixture->run.config.learning_rate.value[0] == 0.002);
    await_type(fixture, "change");
    assert_string_equal(fixture->buffer, "{\"run\":1,\"step\":3,\"learning_rate\":[0.002,0.25]}");

    pause_run(fixture, id);
    await(fixture, id, "paused", NULL);
    assert_good(turn_and_wait(asker, id, "{\"weight_decay\": 0.125}"), &fixture->error);
    get(fixture, id);
    assert_true(fixture->run.now.learning_rate.value[0] == 0.25 && fixture->run.now.weight_decay == 0.125);
    assert_good(store_read_changes(fixture->store, &fixture->run, 3, &changes, &count, &fixture->error),
                &fixture->error);
    assert_int_equal(count, 2);
    assert_true(changes[1].config.learning_rate.value[0] == 0.25 && changes[1].config.weight_decay == 0.125);
    free(changes);
}

static void settings_are_turned_one_after_the_other(void **state)
{
    struct fixture *fixture = *state;
    struct asker *first = make_asker(fixture), *second = make_asker(fixture);
    int64_t id = submit_and_train(fixture, 3);

    fake_trainer_hold(true);
    assert_good(turn(first, id, "{\"learning_rate\": 0.25}"), &fixture->error);
    assert_int_equal(turn(second, id, "{\"weight_decay\": 0.125}"), FF_BUSY);
    assert_int_equal(session_turned(fixture->session, first->request, &fixture->error), FF_BUSY);
    fake_trainer_hold(false);
    wait_until_told(first);
    drop(first);
    while (turn(second, id, "{\"weight_decay\": 0.125}") == FF_BUSY) /* the trainer has told, but not yet let go */
        await_type(fixture, "state");
    wait_until_told(second);
    drop(second);
    get(fixture, id);
    assert_true(fixture->run.now.learning_rate.value[0] == 0.25 && fixture->run.now.weight_decay == 0.125);
}

static void settings_that_cannot_be_stored_do_not_hold(void **state)
{
    struct fixture *fixture = *state;
    struct asker *asker = make_asker(fixture);
    char sql[] = "CREATE TEMP TRIGGER refuse BEFORE INSERT ON changes BEGIN SELECT RAISE(ABORT, 'no'); END";
    int64_t id = submit_and_train(fixture, 3);

    assert_int_equal(sqlite3_exec(fixture->store->database.connection, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(turn_and_wait(asker, id, "{\"learning_rate\": 0.25}"), FF_IO);
    assert_string_equal(get(fixture, id)->changes, "");
    assert_true(run_config(&fixture->run)->learning_rate.value[0] == 0.002);
}

static void settings_of_a_run_that_does_not_train_are_refused_with_the_way(void **state)
{
    struct fixture *fixture = *state;
    struct asker *asker = make_asker(fixture);
    int64_t first = run_and_stop(fixture, 3);

    submit_and_wait(fixture);
    int64_t third = submit(fixture);
    assert_int_equal(turn(asker, first, "{\"learning_rate\": 0.25}"), FF_CONFLICT);
    assert_non_null(strstr(fixture->error.message, "resume it with other ones, {\"config\""));
    assert_int_equal(turn(asker, third, "{\"learning_rate\": 0.25}"), FF_CONFLICT);
    assert_non_null(strstr(fixture->error.message, "queued"));
}

static void settings_that_a_run_ends_before_do_not_hold(void **state)
{
    struct fixture *fixture = *state;
    struct asker *asker = make_asker(fixture);
    int64_t id = submit_and_train(fixture, 3);

    fake_trainer_hold(true);
    assert_good(turn(asker, id, "{\"learning_rate\": 0.25}"), &fixture->error);
    stop_run(fixture, id);
    fake_trainer_hold(false);
    wait_until_told(asker);
    assert_int_equal(session_turned(fixture->session, asker->request, &fixture->error), FF_CONFLICT);
    drop(asker);
    await(fixture, id, "stopped", NULL);
    assert_string_equal(stored(fixture, id)->changes, "");
}

/* A run that failed after step 5, where its learning rate was turned to 0.5; its checkpoint is of step 3, where it
 * was turned to 0.25. */
static int64_t turn_twice_and_fail(struct fixture *fixture, struct asker *asker)
{
    int64_t id = submit_and_train(fixture, 3);

    assert_good(turn_and_wait(asker, id, "{\"learning_rate\": 0.25}"), &fixture->error);
    pause_run(fixture, id);
    await(fixture, id, "paused", NULL);
    resume_run(fixture, id);
    fake_trainer_points(2);
    fake_trainer_epoch(0.5);
    await_type(fixture, "epoch");
    assert_good(turn_and_wait(asker, id, "{\"learning_rate\": 0.5}"), &fixture->error);
    fake_trainer_fail("it diverged");
    await(fixture, id, "failed", NULL);
    return id;
}

static void settings_that_were_turned_are_turned_again_when_a_run_goes_on(void **state)
{
    struct fixture *fixture = *state;
    struct asker *asker = make_asker(fixture);
    struct fake_beginning beginning;
    int64_t id = turn_twice_and_fail(fixture, asker);

    fake_trainer_hold(true);
    resume_run(fixture, id);
    await_type(fixture, "dropped");
    while (turn(asker, id, "{\"learning_rate\": 0.75}") != FF_BUSY) /* the old ones come first */
        await_type(fixture, "state");
    fake_trainer_beginning(&beginning);
    assert_int_equal(beginning.step, 3);
    assert_int_equal(beginning.change_count, 2);
    assert_int_equal(beginning.changes[0].step, 3);
    assert_int_equal(beginning.changes[1].step, 5);
    assert_true(beginning.changes[1].config.learning_rate.value[0] == 0.5);
    fake_trainer_hold(false);
}

static void with_other_settings_what_was_turned_beyond_the_checkpoint_does_not_count(void **state)
{
    struct fixture *fixture = *state;
    struct fake_beginning beginning;
    cJSON *config = cJSON_Parse("{\"weight_decay\": 0.125}");
    struct session_resumption resumption = {.config = config};
    int64_t id = turn_twice_and_fail(fixture, make_asker(fixture));

    resume_with(fixture, id, &resumption);
    await(fixture, id, "running", NULL);
    fake_trainer_finish();
    await(fixture, id, "finished", NULL);
    fake_trainer_beginning(&beginning);
    assert_int_equal(beginning.change_count, 2);
    assert_int_equal(beginning.changes[1].step, 3);
    assert_true(beginning.changes[1].config.learning_rate.value[0] == 0.25 &&
                beginning.changes[1].config.weight_decay == 0.125);
    assert_string_equal(stored(fixture, id)->changes, "[{\"step\":3,\"learning_rate\":[0.002,0.25]},"
                                                      "{\"step\":3,\"weight_decay\":[0,0.125]}]");
    cJSON_Delete(config);
}

/* --- networks at rest ----------------------------------------------------------------------------------------- */

/* Ask about an image, and wait; what came of it. */
static ff_status ask_and_wait(struct asker *asker, int64_t id, uint64_t *step)
{
    struct fixture *fixture = asker->fixture;
    const struct ff_answer *answer;

    asker->told = 0;
    ff_status status = ask(asker, id, 0.5f);
    if (status != FF_OK)
        return status;
    wait_until_told(asker);
    status = session_answer(fixture->session, asker->request, &answer, &fixture->error);
    *step = status == FF_OK ? answer->step : 0;
    drop(asker);
    return status;
}

static void runs_that_have_ended_answer_from_their_checkpoints(void **state)
{
    struct fixture *fixture = *state;
    struct asker *asker = make_asker(fixture);
    uint64_t step;

    for (uint32_t i = 1; i <= 6; i++) /* more than are kept in memory */
        run_and_stop(fixture, i);
    for (int round = 0; round < 2; round++) {
        for (int64_t id = 1; id <= 6; id++) {
            assert_good(ask_and_wait(asker, id, &step), &fixture->error);
            assert_int_equal(step, id);
        }
    }
}

static void a_network_at_rest_is_that_of_the_newest_checkpoint(void **state)
{
    struct fixture *fixture = *state;
    struct asker *asker = make_asker(fixture);
    uint64_t step;
    int64_t id = run_and_stop(fixture, 10);

    assert_good(ask_and_wait(asker, id, &step), &fixture->error);
    assert_int_equal(step, 10);
    resume_run(fixture, id);
    fake_trainer_points(2);
    fake_trainer_finish();
    await(fixture, id, "finished", NULL);
    assert_good(ask_and_wait(asker, id, &step), &fixture->error);
    assert_int_equal(step, 12);
    assert_good(session_delete(fixture->session, id, &fixture->error), &fixture->error);
    assert_int_equal(ask_and_wait(asker, id, &step), FF_NOT_FOUND);
    assert_int_equal(step_on_disk(fixture, id), -1);
}

static void a_run_that_waits_to_go_on_answers_meanwhile(void **state)
{
    struct fixture *fixture = *state;
    struct asker *asker = make_asker(fixture);
    uint64_t step;
    int64_t id = run_and_stop(fixture, 10);

    submit_and_wait(fixture);
    resume_run(fixture, id);
    assert_good(ask_and_wait(asker, id, &step), &fixture->error);
    assert_int_equal(step, 10);
}

static void a_damaged_checkpoint_is_said_to_who_asks(void **state)
{
    struct fixture *fixture = *state;
    struct asker *asker = make_asker(fixture);
    uint64_t step;
    int64_t id = run_and_stop(fixture, 10);

    damage(fixture, id);
    assert_int_equal(ask_and_wait(asker, id, &step), FF_CONFLICT);
    assert_non_null(strstr(fixture->error.message, "is damaged"));
}

static ff_status ask_weights(struct asker *asker, int64_t id, uint32_t unit, uint32_t count)
{
    struct session_question question = {
        .about = SESSION_WEIGHTS, .layer = 1, .unit = unit, .count = count, .tell = tell, .self = asker};

    asker->told = 0;
    return put_question(asker, id, &question);
}

static void weights_are_those_of_the_line_or_of_the_checkpoint(void **state)
{
    struct fixture *fixture = *state;
    struct asker *asker = make_asker(fixture);
    const struct ff_unit_weights *weights;
    int64_t id = submit_and_train(fixture, 5);

    assert_good(ask_weights(asker, id, 2, 3), &fixture->error);
    wait_until_told(asker);
    assert_good(session_weights(fixture->session, asker->request, &weights, &fixture->error), &fixture->error);
    assert_int_equal(weights->count, 3);
    assert_true(weights->weights[0] == 20 && weights->weights[8] == 42);
    drop(asker);

    stop_run(fixture, id);
    await(fixture, id, "stopped", NULL);
    assert_good(ask_weights(asker, id, 2, 3), &fixture->error);
    wait_until_told(asker);
    assert_good(session_weights(fixture->session, asker->request, &weights, &fixture->error), &fixture->error);
    assert_int_equal(weights->inputs, 8);
    assert_int_equal(weights->step, 5);
    for (size_t i = 0; i < 24; i++)
        assert_true(weights->weights[i] == 5); /* as the fake trainer's snapshots are */
    drop(asker);
    assert_good(ask_weights(asker, id, 6, 3), &fixture->error);
    wait_until_told(asker);
    assert_int_equal(session_weights(fixture->session, asker->request, &weights, &fixture->error), FF_INVALID);
    drop(asker);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_pause_and_an_end_are_told_when_their_checkpoint_is_on_the_disk),
        FIXTURE_TEST(the_end_of_the_program_leaves_a_checkpoint),
        FIXTURE_TEST(an_epoch_that_ends_soon_after_the_last_checkpoint_has_none),
        FIXTURE_TEST(the_best_epoch_is_kept_beside_the_newest),
        FIXTURE_TEST(epochs_have_checkpoints_as_often_as_is_asked_for),
        FIXTURE_TEST(a_checkpoint_that_cannot_be_written_is_a_warning_and_no_more),
        FIXTURE_TEST(a_stopped_run_goes_on_from_its_checkpoint_by_way_of_the_queue),
        FIXTURE_TEST(what_lies_beyond_the_checkpoint_is_taken_back_and_readers_are_told),
        FIXTURE_TEST(nobody_sees_the_checkpoints_step_beside_epochs_that_came_after_it),
        FIXTURE_TEST(a_run_without_a_checkpoint_begins_with_its_first_step),
        FIXTURE_TEST(a_finished_run_goes_on_for_more_epochs_only),
        FIXTURE_TEST(what_a_run_is_to_go_on_with_cannot_be_given_to_one_that_trains),
        FIXTURE_TEST(a_full_queue_takes_no_run_again),
        FIXTURE_TEST(a_run_that_waits_to_go_on_waits_on_after_a_restart),
        FIXTURE_TEST(a_stop_of_a_run_that_waits_to_go_on_leaves_its_checkpoint),
        FIXTURE_TEST(a_damaged_checkpoint_is_kept_aside_and_said),
        FIXTURE_TEST(images_that_are_not_what_they_were_are_said),
        FIXTURE_TEST(a_run_whose_step_back_cannot_be_stored_does_not_go_on),
        FIXTURE_TEST(settings_hold_when_they_are_stored_and_told),
        FIXTURE_TEST(settings_are_turned_one_after_the_other),
        FIXTURE_TEST(settings_that_cannot_be_stored_do_not_hold),
        FIXTURE_TEST(settings_of_a_run_that_does_not_train_are_refused_with_the_way),
        FIXTURE_TEST(settings_that_a_run_ends_before_do_not_hold),
        FIXTURE_TEST(settings_that_were_turned_are_turned_again_when_a_run_goes_on),
        FIXTURE_TEST(with_other_settings_what_was_turned_beyond_the_checkpoint_does_not_count),
        FIXTURE_TEST(runs_that_have_ended_answer_from_their_checkpoints),
        FIXTURE_TEST(a_network_at_rest_is_that_of_the_newest_checkpoint),
        FIXTURE_TEST(a_run_that_waits_to_go_on_answers_meanwhile),
        FIXTURE_TEST(a_damaged_checkpoint_is_said_to_who_asks),
        FIXTURE_TEST(weights_are_those_of_the_line_or_of_the_checkpoint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
