/* The queue and the runs that train, one step at a time. */
#include "../cmocka_all.h"

#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "session_fixture.h"

static void a_run_trains_and_all_of_it_is_kept(void **state)
{
    struct fixture *fixture = *state;
    int64_t id = submit(fixture);

    assert_int_equal(fixture->run.state, RUN_QUEUED);
    assert_true(fixture->run.created > 1600000000000);
    fake_trainer_points(10);
    fake_trainer_epoch(0.25);
    fake_trainer_points(10);
    fake_trainer_epoch(0.5);
    fake_trainer_points(3);
    fake_trainer_finish();
    await(fixture, id, "queued", NULL);
    await(fixture, id, "running", NULL);
    cJSON *json = wait_for_state(fixture, id, "finished", NULL);
    assert_true(member(member(json, "progress"), "step")->valuedouble == 23);
    cJSON_Delete(json);

    const struct run *run = stored(fixture, id);
    assert_int_equal(run->state, RUN_FINISHED);
    assert_string_equal(run->reason, "");
    assert_true(run->started >= run->created && run->ended >= run->started);
    assert_int_equal(run->parameters, 4242);
    assert_int_equal(run->placement.threads, 2);
    assert_int_equal(run->progress.step, 23);
    assert_true(run->progress.remaining == 0);
    assert_int_equal(run->last.epoch, 2);
    assert_int_equal(run->best.epoch, 1);
    assert_true(run->best.test_error == 0.25);
    assert_int_equal(count_points(fixture->store, id, 0), 23);
    assert_int_equal(session_current(fixture->session), 0);
}

/* The events up to the run's end: a state's name, or the type; what is repeated once, and progress left out. */
static void gather_events(struct fixture *fixture, char *line, size_t size)
{
    char last[16] = "", word[16] = "";
    struct hub_event event;
    uint64_t number = fixture->cursor.seen;
    bool trained = false;

    while (strcmp(word, "finished") != 0) {
        next_event(fixture, &event);
        assert_true(event.number > number);
        number = event.number;
        cJSON *json = cJSON_Parse(event.json);
        bool state = strcmp(event.type, "state") == 0;
        snprintf(word, sizeof word, "%s", state ? member(json, "state")->valuestring : event.type);
        cJSON_Delete(json);
        bool progress = strcmp(word, "running") == 0 && trained;
        trained = trained || strcmp(word, "running") == 0;
        if (progress || strcmp(word, last) == 0)
            continue;
        snprintf(line + strlen(line), size - strlen(line), "%s ", word);
        memcpy(last, word, sizeof last);
    }
}

static void events_come_in_the_order_of_what_happened(void **state)
{
    struct fixture *fixture = *state;
    char line[256] = "";

    submit(fixture);
    fake_trainer_points(3);
    fake_trainer_epoch(0.25);
    fake_trainer_points(2);
    fake_trainer_finish();
    gather_events(fixture, line, sizeof line);
    assert_string_equal(line, "queued running points epoch points finished ");
}

static void assert_begins(const char *text, const char *beginning)
{
    if (strncmp(text, beginning, strlen(beginning)) != 0)
        fail_msg("%.40s… does not begin with %s", text, beginning);
}

static void points_and_epochs_name_their_run_first(void **state)
{
    struct fixture *fixture = *state;

    submit(fixture);
    fake_trainer_points(1);
    fake_trainer_epoch(0.25);
    await_type(fixture, "points");
    assert_begins(fixture->buffer, "{\"run\":1,\"steps\":[1");
    await_type(fixture, "epoch");
    assert_begins(fixture->buffer, "{\"run\":1,\"epoch\":1,");
}

/* What event a stored point or epoch belongs to. */
static bool note_epoch_event(void *self, const struct ff_epoch *epoch, uint64_t event)
{
    (void)epoch;
    *(uint64_t *)self = event;
    return true;
}

static bool note_point_event(void *self, const struct ff_point *point, uint64_t event)
{
    (void)point;
    *(uint64_t *)self = event;
    return true;
}

static void rows_bear_the_number_of_the_event_that_carried_them(void **state)
{
    struct fixture *fixture = *state;
    struct hub_event event;
    uint64_t points_event = 0, epoch_event = 0;
    int64_t id = submit_and_wait(fixture);

    fake_trainer_points(1);
    fake_trainer_epoch(0.25);
    do
        next_event(fixture, &event);
    while (strcmp(event.type, "points") != 0);
    uint64_t points_number = event.number;
    do
        next_event(fixture, &event);
    while (strcmp(event.type, "epoch") != 0);
    fake_trainer_finish();
    await(fixture, id, "finished", NULL);
    assert_good(store_read_points(fixture->store, id, 0, 0, note_point_event, &points_event, &fixture->error),
                &fixture->error);
    assert_good(store_read_epochs(fixture->store, id, 0, 0, note_epoch_event, &epoch_event, &fixture->error),
                &fixture->error);
    assert_int_equal(points_event, points_number);
    assert_int_equal(epoch_event, event.number);
}

static void runs_train_one_after_the_other(void **state)
{
    struct fixture *fixture = *state;
    int64_t first = submit_and_wait(fixture), second = submit(fixture), third = submit(fixture);

    assert_int_equal(session_current(fixture->session), first);
    assert_int_equal(get(fixture, second)->state, RUN_QUEUED);
    assert_int_equal(fixture->run.warning_count, 0);
    fake_trainer_finish();
    await(fixture, first, "finished", NULL);
    await(fixture, second, "running", NULL);
    assert_int_equal(session_current(fixture->session), second);
    assert_int_equal(get(fixture, third)->state, RUN_QUEUED);
    fake_trainer_finish();
    await(fixture, third, "running", NULL);
    assert_int_equal(get(fixture, second)->state, RUN_FINISHED);
}

static void progress_is_told_without_being_asked(void **state)
{
    struct fixture *fixture = *state;
    int64_t id = submit_and_wait(fixture);
    double step = 0;

    fake_trainer_points(7);
    while (step < 7) {
        cJSON *json = wait_for_state(fixture, id, "running", NULL);
        step = member(member(json, "progress"), "step")->valuedouble;
        cJSON_Delete(json);
    }
    assert_true(step == 7);
    assert_int_equal(get(fixture, id)->progress.step, 7);
    assert_int_equal(fixture->run.progress.steps, 10 * fixture->run.config.epochs);
}

static void a_pause_is_pending_until_training_stands_still(void **state)
{
    struct fixture *fixture = *state;
    int64_t id = submit_and_wait(fixture);

    fake_trainer_hold(true);
    assert_int_equal(pause_run(fixture, id)->state, RUN_RUNNING);
    assert_int_equal(fixture->run.pending, RUN_PENDING_PAUSE);
    await(fixture, id, "running", "pause");
    assert_int_equal(pause_run(fixture, id)->pending, RUN_PENDING_PAUSE);
    fake_trainer_hold(false);
    await(fixture, id, "paused", NULL);
    assert_int_equal(get(fixture, id)->pending, RUN_PENDING_NONE);
    assert_int_equal(stored(fixture, id)->state, RUN_PAUSED);
    assert_int_equal(session_current(fixture->session), id);
    assert_int_equal(pause_run(fixture, id)->state, RUN_PAUSED);

    fake_trainer_hold(true);
    assert_int_equal(resume_run(fixture, id)->pending, RUN_PENDING_RESUME);
    await(fixture, id, "paused", "resume");
    fake_trainer_hold(false);
    await(fixture, id, "running", NULL);
    assert_int_equal(resume_run(fixture, id)->pending, RUN_PENDING_NONE);
    fake_trainer_points(2);
    fake_trainer_finish();
    await(fixture, id, "finished", NULL);
    assert_int_equal(count_points(fixture->store, id, 0), 2);
}

static void the_last_word_of_pause_and_resume_counts(void **state)
{
    struct fixture *fixture = *state;
    int64_t id = submit_and_wait(fixture);

    fake_trainer_hold(true);
    pause_run(fixture, id);
    assert_int_equal(resume_run(fixture, id)->pending, RUN_PENDING_NONE);
    fake_trainer_hold(false);
    fake_trainer_points(1);
    await_type(fixture, "points");
    assert_int_equal(get(fixture, id)->state, RUN_RUNNING);

    pause_run(fixture, id);
    await(fixture, id, "paused", NULL);
    fake_trainer_hold(true);
    assert_int_equal(resume_run(fixture, id)->pending, RUN_PENDING_RESUME);
    assert_int_equal(pause_run(fixture, id)->pending, RUN_PENDING_NONE);
    assert_int_equal(fixture->run.state, RUN_PAUSED);
    fake_trainer_hold(false);
    assert_int_equal(stop_run(fixture, id)->pending, RUN_PENDING_STOP);
    await(fixture, id, "stopped", NULL);
}

static void those_behind_a_paused_run_say_what_they_wait_for(void **state)
{
    struct fixture *fixture = *state;
    int64_t first = submit_and_wait(fixture), second = submit(fixture);

    await(fixture, second, "queued", NULL);
    pause_run(fixture, first);
    cJSON *json = wait_for_state(fixture, second, "queued", NULL);
    const cJSON *warnings = member(json, "warnings");
    assert_int_equal(cJSON_GetArraySize(warnings), 1);
    assert_string_equal(cJSON_GetArrayItem(warnings, 0)->valuestring, "waits for run 1, which is paused");
    cJSON_Delete(json);
    assert_int_equal(get(fixture, second)->warning_count, 1);
    assert_int_equal(stored(fixture, second)->warning_count, 0);

    resume_run(fixture, first);
    json = wait_for_state(fixture, second, "queued", NULL);
    assert_int_equal(cJSON_GetArraySize(member(json, "warnings")), 0);
    cJSON_Delete(json);
    pause_run(fixture, first);
    await(fixture, second, "queued", NULL);
    stop_run(fixture, first);
    json = wait_for_state(fixture, second, "queued", NULL);
    assert_int_equal(cJSON_GetArraySize(member(json, "warnings")), 0);
    cJSON_Delete(json);
    await(fixture, second, "running", NULL);
}

static void a_stop_is_pending_until_the_trainer_has_ended(void **state)
{
    struct fixture *fixture = *state;
    int64_t id = submit_and_wait(fixture);

    fake_trainer_points(5);
    await_type(fixture, "points");
    fake_trainer_hold(true);
    assert_int_equal(stop_run(fixture, id)->pending, RUN_PENDING_STOP);
    assert_int_equal(fixture->run.state, RUN_RUNNING);
    assert_int_equal(stop_run(fixture, id)->pending, RUN_PENDING_STOP);
    assert_int_equal(session_pause(fixture->session, id, &fixture->run, &fixture->error), FF_CONFLICT);
    assert_string_equal(fixture->error.message, "run 1 is being stopped");
    assert_int_equal(session_resume(fixture->session, id, NULL, &fixture->run, &fixture->error), FF_CONFLICT);
    fake_trainer_hold(false);
    await(fixture, id, "stopped", NULL);
    assert_int_equal(stored(fixture, id)->state, RUN_STOPPED);
    assert_int_equal(count_points(fixture->store, id, 0), 5);
    assert_true(isnan(fixture->run.progress.remaining));
}

static void a_run_that_waits_is_stopped_at_once(void **state)
{
    struct fixture *fixture = *state;
    int64_t first = submit_and_wait(fixture), second = submit(fixture), third = submit(fixture);

    assert_int_equal(stop_run(fixture, second)->state, RUN_STOPPED);
    assert_int_equal(fixture->run.pending, RUN_PENDING_NONE);
    await(fixture, second, "stopped", NULL);
    assert_int_equal(stored(fixture, second)->state, RUN_STOPPED);
    assert_int_equal(fixture->run.started, 0);
    stop_run(fixture, first);
    await(fixture, third, "running", NULL);
}

static ff_status resume_plainly(struct session *session, int64_t id, struct run *run, struct ff_error *error)
{
    return session_resume(session, id, NULL, run, error);
}

static void what_cannot_be_is_refused_in_words(void **state)
{
    enum { PAUSE, RESUME, STOP };
    static const struct {
        int action;
        int64_t id;
        ff_status status;
        const char *sentence;
    } cases[] = {
        {PAUSE, 1, FF_CONFLICT, "run 1 is finished: only a run that trains can be paused"},
        {RESUME, 1, FF_CONFLICT,
         "run 1 is finished, all its 15 epochs are done: say how many more, {\"epochs\": N}"},
        {STOP, 1, FF_OK, ""},
        {RESUME, 2, FF_OK, ""},
        {PAUSE, 3, FF_CONFLICT, "run 3 is queued: only a run that trains can be paused"},
        {RESUME, 3, FF_CONFLICT, "run 3 is queued: it starts by itself when its turn comes"},
        {PAUSE, 9, FF_NOT_FOUND, "there is no run 9"},
        {RESUME, 9, FF_NOT_FOUND, "there is no run 9"},
        {STOP, 9, FF_NOT_FOUND, "there is no run 9"},
    };
    static ff_status (*const actions[])(struct session *, int64_t, struct run *,
                                        struct ff_error *) = {session_pause, resume_plainly, session_stop};
    struct fixture *fixture = *state;

    fake_trainer_finish();
    int64_t first = submit(fixture);
    await(fixture, first, "finished", NULL);
    submit_and_wait(fixture);
    submit(fixture);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fixture->error.message[0] = '\0';
        assert_int_equal(actions[cases[i].action](fixture->session, cases[i].id, &fixture->run, &fixture->error),
                         cases[i].status);
        assert_string_equal(fixture->error.message, cases[i].sentence);
    }
    assert_int_equal(get(fixture, 1)->state, RUN_FINISHED);
    assert_int_equal(get(fixture, 2)->state, RUN_RUNNING);
}

static void a_failure_says_why_and_the_next_run_begins(void **state)
{
    struct fixture *fixture = *state;
    int64_t first = submit_and_wait(fixture), second = submit(fixture);

    fake_trainer_points(2);
    fake_trainer_fail("layer 2 diverged at step 2: goodness is not finite; lower learning_rate (0.5)");
    await(fixture, first, "failed", NULL);
    assert_string_equal(stored(fixture, first)->reason,
                        "layer 2 diverged at step 2: goodness is not finite; lower learning_rate (0.5)");
    assert_int_equal(count_points(fixture->store, first, 0), 2);
    await(fixture, second, "running", NULL);
}

static void a_run_that_cannot_begin_fails_with_the_reason(void **state)
{
    struct fixture *fixture = *state;

    memset(&fixture->run, 0, sizeof fixture->run);
    small_config(&fixture->run.config);
    strcpy(fixture->run.config.dataset, "absent");
    assert_good(session_submit(fixture->session, &fixture->run, &fixture->error), &fixture->error);
    await(fixture, 1, "failed", NULL);
    assert_string_equal(get(fixture, 1)->reason, "there is no data set absent");

    fake_trainer_refuse("out of memory: the weights need 9 TB");
    int64_t second = submit(fixture);
    await(fixture, second, "failed", NULL);
    assert_string_equal(get(fixture, second)->reason, "out of memory: the weights need 9 TB");

    fixture->run.config.validation = 60000; /* nothing is left to train on */
    fixture->run.id = 0;
    assert_good(session_submit(fixture->session, &fixture->run, &fixture->error), &fixture->error);
    await(fixture, 3, "failed", NULL);
    assert_true(strlen(get(fixture, 3)->reason) > 10);
}

static void placement_is_the_runs_own_or_the_sessions(void **state)
{
    struct fixture *fixture = *state;

    memset(&fixture->run, 0, sizeof fixture->run);
    small_config(&fixture->run.config);
    fixture->run.asked = (struct ff_placement){.stages = 2, .threads = 0};
    assert_good(session_submit(fixture->session, &fixture->run, &fixture->error), &fixture->error);
    fake_trainer_finish();
    await(fixture, 1, "finished", NULL);
    assert_int_equal(fake_trainer_placement().stages, 2);
    assert_int_equal(fake_trainer_placement().threads, 2);
    assert_int_equal(stored(fixture, 1)->placement.stages, 2);
    assert_int_equal(fixture->run.asked.threads, 0);
}

static void a_run_is_deleted_unless_it_holds_the_trainer(void **state)
{
    struct fixture *fixture = *state;
    int64_t first = submit_and_wait(fixture), second = submit(fixture), third = submit(fixture);

    assert_int_equal(session_delete(fixture->session, first, &fixture->error), FF_CONFLICT);
    assert_string_equal(fixture->error.message, "run 1 is training: stop it before it is deleted");
    pause_run(fixture, first);
    await(fixture, first, "paused", NULL);
    assert_int_equal(session_delete(fixture->session, first, &fixture->error), FF_CONFLICT);
    assert_string_equal(fixture->error.message, "run 1 is paused: stop it before it is deleted");
    resume_run(fixture, first);
    await(fixture, first, "running", NULL);
    assert_good(session_delete(fixture->session, second, &fixture->error), &fixture->error);
    assert_int_equal(session_get(fixture->session, second, &fixture->run, &fixture->error), FF_NOT_FOUND);
    assert_int_equal(session_delete(fixture->session, second, &fixture->error), FF_NOT_FOUND);
    fake_trainer_finish();
    await(fixture, third, "running", NULL);
    assert_good(session_delete(fixture->session, first, &fixture->error), &fixture->error);
    assert_int_equal(session_get(fixture->session, first, &fixture->run, &fixture->error), FF_NOT_FOUND);
}

static void a_full_queue_is_busy(void **state)
{
    struct fixture *fixture = *state;
    char sentence[256];

    submit_and_wait(fixture);
    for (int i = 0; i < SESSION_QUEUE_MAX; i++) {
        assert_true(session_ready(fixture->session, sentence, sizeof sentence));
        submit(fixture);
    }
    assert_int_equal(session_submit(fixture->session, &fixture->run, &fixture->error), FF_BUSY);
    assert_string_equal(fixture->error.message, "64 runs wait already: try again when one of them has begun");
    assert_false(session_ready(fixture->session, sentence, sizeof sentence));
    assert_string_equal(sentence, fixture->error.message);
    assert_int_equal(store_latest_run(fixture->store), SESSION_QUEUE_MAX + 1);
    stop_run(fixture, 2);
    assert_true(session_ready(fixture->session, sentence, sizeof sentence));
}

static void rename_it(void *self, struct run *run)
{
    snprintf(run->name, sizeof run->name, "%s", (const char *)self);
    strcpy(run->tags[0], "tag");
    run->tag_count = 1;
}

static void name_notes_and_tags_change_in_every_state(void **state)
{
    static const char *const names[] = {"trains", "waits", "has ended"};
    struct fixture *fixture = *state;
    int64_t first = submit_and_wait(fixture), second = submit(fixture);
    char name[] = "trains", other[] = "waits", last[] = "has ended";
    char *const given[] = {name, other, last};

    assert_string_equal(get(fixture, first)->name, "mnist 1");
    for (int i = 0; i < 2; i++) {
        int64_t id = i == 0 ? first : second;
        assert_good(session_change(fixture->session, id, rename_it, given[i], &fixture->run, &fixture->error),
                    &fixture->error);
        assert_string_equal(fixture->run.name, names[i]);
        assert_string_equal(get(fixture, id)->name, names[i]);
        assert_string_equal(stored(fixture, id)->name, names[i]);
    }
    fake_trainer_finish();
    await(fixture, first, "finished", NULL);
    assert_string_equal(get(fixture, first)->name, "trains");
    assert_good(session_change(fixture->session, first, rename_it, last, &fixture->run, &fixture->error),
                &fixture->error);
    assert_string_equal(stored(fixture, first)->name, names[2]);
    assert_string_equal(fixture->run.tags[0], "tag");
    await(fixture, second, "running", NULL);
    assert_string_equal(stored(fixture, second)->name, "waits");
    assert_int_equal(session_change(fixture->session, 9, rename_it, last, &fixture->run, &fixture->error),
                     FF_NOT_FOUND);
}

static void a_change_does_not_store_what_is_only_shown(void **state)
{
    struct fixture *fixture = *state;
    int64_t first = submit_and_wait(fixture), second = submit(fixture);
    char name[] = "waits";

    pause_run(fixture, first);
    await(fixture, first, "paused", NULL);
    assert_good(session_change(fixture->session, second, rename_it, name, &fixture->run, &fixture->error),
                &fixture->error);
    assert_int_equal(fixture->run.warning_count, 1);
    assert_int_equal(stored(fixture, second)->warning_count, 0);
}

static void the_end_of_the_program_interrupts_what_is_under_way(void **state)
{
    struct fixture *fixture = *state;
    int64_t first = submit_and_wait(fixture), second = submit(fixture);

    fake_trainer_points(5);
    await_type(fixture, "points");
    session_destroy(fixture->session);
    fixture->session = NULL;
    assert_int_equal(stored(fixture, first)->state, RUN_INTERRUPTED);
    assert_string_equal(fixture->run.reason, "the program ended while this run was training");
    assert_int_equal(fixture->run.progress.step, 5);
    assert_true(fixture->run.ended > 0);
    assert_int_equal(count_points(fixture->store, first, 0), 5);
    assert_int_equal(stored(fixture, second)->state, RUN_QUEUED);
    await(fixture, first, "interrupted", NULL);
}

static void runs_that_wait_wait_on_after_a_restart_in_their_order(void **state)
{
    struct fixture *fixture = *state;
    int64_t first = submit_and_wait(fixture), second = submit(fixture), third = submit(fixture);

    restart(fixture);
    await(fixture, second, "running", NULL);
    assert_int_equal(get(fixture, first)->state, RUN_INTERRUPTED);
    assert_int_equal(get(fixture, third)->state, RUN_QUEUED);
    assert_int_equal(fixture->run.warning_count, 0);
    int64_t fourth = submit(fixture);
    fake_trainer_finish();
    await(fixture, third, "running", NULL);
    fake_trainer_finish();
    await(fixture, fourth, "running", NULL);
    assert_int_equal(stored(fixture, second)->state, RUN_FINISHED);
    assert_int_equal(stored(fixture, third)->state, RUN_FINISHED);
}

static void a_full_queue_and_one_more_waits_on_after_a_restart(void **state)
{
    struct fixture *fixture = *state;
    char sentence[256];

    session_destroy(fixture->session);
    fixture->session = NULL;
    memset(&fixture->run, 0, sizeof fixture->run);
    small_config(&fixture->run.config);
    fixture->run.state = RUN_QUEUED;
    for (int i = 0; i <= SESSION_QUEUE_MAX; i++) {
        fixture->run.name[0] = '\0';
        assert_good(store_insert_run(fixture->store, &fixture->run, &fixture->error), &fixture->error);
    }
    restart(fixture);
    await(fixture, 1, "running", NULL);
    assert_false(session_ready(fixture->session, sentence, sizeof sentence));
    assert_int_equal(get(fixture, SESSION_QUEUE_MAX + 1)->state, RUN_QUEUED);
    for (int64_t id = SESSION_QUEUE_MAX + 1; id >= 1; id--)
        stop_run(fixture, id);
    await(fixture, 1, "stopped", NULL);
}

static void a_run_whose_data_set_is_gone_after_a_restart_fails_at_its_turn(void **state)
{
    struct fixture *fixture = *state;
    int64_t first = submit_and_wait(fixture);

    strcpy(fixture->run.config.dataset, "absent");
    fixture->run.name[0] = '\0';
    assert_good(session_submit(fixture->session, &fixture->run, &fixture->error), &fixture->error);
    int64_t second = fixture->run.id;
    assert_true(second > first);
    restart(fixture);
    await(fixture, second, "failed", NULL);
    assert_string_equal(stored(fixture, second)->reason, "there is no data set absent");
}

static bool is_same_version(struct session_version left, struct session_version right)
{
    return left.live == right.live && left.stored == right.stored;
}

/* The version of `id` is another one than *version, which it becomes. */
static void assert_changed(struct fixture *fixture, int64_t id, struct session_version *version)
{
    struct session_version now = session_version(fixture->session, id);

    assert_false(is_same_version(now, *version));
    *version = now;
}

/* Nothing that a caller did, or was told of, leaves the version as it was. */
static void whatever_changes_a_run_changes_its_version(void **state)
{
    struct fixture *fixture = *state;
    char name[] = "changed";
    struct session_version all = session_version(fixture->session, 0), none = session_version(fixture->session, 1);
    int64_t id = submit(fixture);
    struct session_version one = session_version(fixture->session, id);

    assert_false(is_same_version(one, none));
    assert_changed(fixture, 0, &all);
    await(fixture, id, "running", NULL);
    one = session_version(fixture->session, id);
    fake_trainer_points(1);
    await_type(fixture, "points");
    assert_changed(fixture, id, &one);
    fake_trainer_epoch(0.5);
    await_type(fixture, "epoch");
    assert_changed(fixture, id, &one);
    fake_trainer_hold(true);
    pause_run(fixture, id);
    assert_changed(fixture, id, &one);
    fake_trainer_hold(false);
    await(fixture, id, "paused", NULL);
    assert_changed(fixture, id, &one);
    assert_good(session_change(fixture->session, id, rename_it, name, &fixture->run, &fixture->error),
                &fixture->error);
    assert_changed(fixture, id, &one);
    assert_changed(fixture, 0, &all);
    stop_run(fixture, id);
    await(fixture, id, "stopped", NULL);
    assert_changed(fixture, id, &one);
    assert_int_equal(one.live, 0);
    assert_true(is_same_version(one, session_version(fixture->session, id)));
    assert_good(session_change(fixture->session, id, rename_it, name, &fixture->run, &fixture->error),
                &fixture->error);
    assert_changed(fixture, id, &one);
    assert_changed(fixture, 0, &all);
    int64_t other = submit_and_wait(fixture);
    assert_true(is_same_version(one, session_version(fixture->session, id)));
    assert_good(session_delete(fixture->session, id, &fixture->error), &fixture->error);
    assert_changed(fixture, id, &one);
    assert_changed(fixture, 0, &all);
    stop_run(fixture, other);
    await(fixture, other, "stopped", NULL);
}

static void the_end_of_the_program_interrupts_a_paused_run(void **state)
{
    struct fixture *fixture = *state;
    int64_t id = submit_and_wait(fixture);

    pause_run(fixture, id);
    await(fixture, id, "paused", NULL);
    session_destroy(fixture->session);
    fixture->session = NULL;
    assert_int_equal(stored(fixture, id)->state, RUN_INTERRUPTED);
    assert_string_equal(fixture->run.reason, "the program ended while this run was paused");
}

static void a_stop_by_a_user_stays_a_stop_when_the_program_ends(void **state)
{
    struct fixture *fixture = *state;
    int64_t id = submit_and_wait(fixture);

    fake_trainer_hold(true);
    stop_run(fixture, id);
    fake_trainer_hold(false);
    session_destroy(fixture->session);
    fixture->session = NULL;
    assert_int_equal(stored(fixture, id)->state, RUN_STOPPED);
    assert_string_equal(fixture->run.reason, "");
}

static void a_row_that_was_read_before_the_end_is_refreshed(void **state)
{
    struct fixture *fixture = *state;
    int64_t id = submit_and_wait(fixture);
    struct run *row = malloc(sizeof *row);

    fake_trainer_points(4);
    await_type(fixture, "points");
    *row = *stored(fixture, id);
    assert_int_equal(row->progress.step, 0);
    session_refresh(fixture->session, row);
    assert_int_equal(row->progress.step, 4);
    assert_int_equal(row->state, RUN_RUNNING);
    fake_trainer_finish();
    await(fixture, id, "finished", NULL);
    session_refresh(fixture->session, row);
    assert_int_equal(row->state, RUN_FINISHED);
    free(row);
}

static ff_status execute_task(struct store_database *database, void *self, struct ff_error *error)
{
    (void)error;
    return sqlite3_exec(database->connection, self, NULL, NULL, NULL) == SQLITE_OK ? FF_OK : FF_IO;
}

static void execute(struct fixture *fixture, const char *sql)
{
    char text[256];
    snprintf(text, sizeof text, "%s", sql);
    assert_good(store_do(fixture->store, execute_task, text, &fixture->error), &fixture->error);
}

static void an_end_that_cannot_be_stored_is_told_and_stored_later(void **state)
{
    struct fixture *fixture = *state;
    char sentence[512];
    int64_t id = submit_and_wait(fixture);

    fake_trainer_points(1);
    await_type(fixture, "points");
    execute(fixture, "CREATE TEMP TRIGGER refuse BEFORE UPDATE ON runs BEGIN SELECT RAISE(ABORT, 'no'); END");
    fake_trainer_finish();
    await(fixture, id, "finished", NULL);
    assert_int_equal(stored(fixture, id)->state, RUN_RUNNING);
    assert_int_equal(get(fixture, id)->state, RUN_FINISHED);
    assert_int_equal(session_current(fixture->session), 0);
    assert_false(session_ready(fixture->session, sentence, sizeof sentence));
    execute(fixture, "DROP TRIGGER refuse");
    while (stored(fixture, id)->state != RUN_FINISHED)
        sched_yield();
    assert_int_equal(get(fixture, id)->state, RUN_FINISHED);
    assert_true(session_ready(fixture->session, sentence, sizeof sentence));
}

/* It is over before anybody looks again. */
static void a_run_whose_points_could_not_be_written_for_a_moment_keeps_the_remark(void **state)
{
    struct fixture *fixture = *state;
    int64_t id = submit_and_wait(fixture);

    execute(fixture, "CREATE TEMP TRIGGER refuse BEFORE INSERT ON points BEGIN SELECT RAISE(ABORT, 'no'); END");
    fake_trainer_points(1);
    await_type(fixture, "points");
    store_flush(fixture->store);
    execute(fixture, "DROP TRIGGER refuse");
    store_flush(fixture->store);
    assert_int_equal(count_points(fixture->store, id, 0), 1);
    fake_trainer_finish();
    await(fixture, id, "finished", NULL);
    assert_int_equal(stored(fixture, id)->warning_count, 1);
    assert_non_null(strstr(fixture->run.warnings[0], "the database could not be written for some time"));
    id = submit_and_wait(fixture);
    fake_trainer_finish();
    await(fixture, id, "finished", NULL);
    assert_int_equal(stored(fixture, id)->warning_count, 0);
}

static void a_run_that_cannot_be_stored_is_refused(void **state)
{
    struct fixture *fixture = *state;

    execute(fixture, "CREATE TEMP TRIGGER refuse BEFORE INSERT ON runs BEGIN SELECT RAISE(ABORT, 'no'); END");
    memset(&fixture->run, 0, sizeof fixture->run);
    small_config(&fixture->run.config);
    assert_int_equal(session_submit(fixture->session, &fixture->run, &fixture->error), FF_IO);
    execute(fixture, "DROP TRIGGER refuse");
    int64_t id = submit_and_wait(fixture);
    assert_int_equal(id, 1);
}

static void a_pause_before_the_first_step_holds(void **state)
{
    struct fixture *fixture = *state;

    fake_trainer_points(5);
    int64_t first = submit(fixture);
    while (session_current(fixture->session) != first)
        sched_yield();
    pause_run(fixture, first);
    await(fixture, first, "paused", NULL);
    resume_run(fixture, first);
    await(fixture, first, "running", NULL);
    fake_trainer_finish();
    await(fixture, first, "finished", NULL);
    assert_int_equal(count_points(fixture->store, first, 0), 5);
}

static void a_stop_before_the_first_step_ends_it(void **state)
{
    struct fixture *fixture = *state;

    for (int i = 0; i < 10; i++) {
        int64_t id = submit(fixture);
        while (session_current(fixture->session) != id)
            sched_yield();
        stop_run(fixture, id);
        await(fixture, id, "stopped", NULL);
    }
}

/* Questions */

/* The fake's answer to a question with this last pixel. */
static void assert_answered(struct asker *asker, float pixel, uint64_t step)
{
    const struct ff_answer *answer;

    wait_until_told(asker);
    assert_good(session_answer(asker->fixture->session, asker->request, &answer, &asker->fixture->error),
                &asker->fixture->error);
    assert_int_equal(answer->step, step);
    assert_int_equal(answer->label, 9);
    assert_int_equal(answer->layers, 2);
    assert_int_equal(answer->classes, 10);
    for (uint32_t layer = 0; layer < 2; layer++)
        for (uint32_t label = 0; label < 10; label++)
            assert_true(answer->goodness[layer * 10 + label] == pixel + (float)layer + 10 * (float)label);
    for (uint32_t label = 0; label < 10; label++)
        assert_true(answer->probabilities[label] == (label == 9 ? 1 : 0));
    drop(asker);
}

/* A run that trains, and whose trainer is there: it has told of an epoch. */
static int64_t submit_and_train(struct fixture *fixture)
{
    int64_t id = submit(fixture);

    fake_trainer_epoch(0.5);
    await_type(fixture, "epoch");
    return id;
}

static void a_question_is_answered_while_a_run_trains_and_while_it_is_paused(void **state)
{
    struct fixture *fixture = *state;
    struct asker *asker = make_asker(fixture), *other = make_asker(fixture);
    const struct ff_answer *answer;
    int64_t id = submit_and_train(fixture);

    fake_trainer_points(3);
    await_type(fixture, "points");
    pause_run(fixture, id);
    await(fixture, id, "paused", NULL);
    uint64_t step = get(fixture, id)->progress.step;
    assert_good(ask(asker, id, 0.25f), &fixture->error);
    assert_int_equal(session_answer(fixture->session, asker->request, &answer, &fixture->error), FF_BUSY);
    fake_trainer_answer();
    assert_answered(asker, 0.25f, step);
    resume_run(fixture, id);
    await(fixture, id, "running", NULL);
    fake_trainer_epoch(0.5);
    await_type(fixture, "epoch");
    asker->told = 0;
    assert_good(ask(asker, id, 0.5f), &fixture->error);
    assert_good(ask(other, id, 0.75f), &fixture->error);
    fake_trainer_answer();
    fake_trainer_answer();
    assert_answered(other, 0.75f, 3);
    assert_answered(asker, 0.5f, 3);
}

static void who_waits_when_the_run_ends_is_answered_by_its_checkpoint(void **state)
{
    struct fixture *fixture = *state;
    struct asker *asker = make_asker(fixture);
    const struct ff_answer *answer;
    int64_t id = submit_and_train(fixture);

    assert_good(ask(asker, id, 0), &fixture->error);
    stop_run(fixture, id);
    wait_until_told(asker);
    assert_good(session_answer(fixture->session, asker->request, &answer, &fixture->error), &fixture->error);
    assert_int_equal(answer->layers, 2);
    drop(asker);
}

static void who_waits_when_a_run_without_checkpoint_ends_is_told_that_no_answer_comes(void **state)
{
    struct fixture *fixture = *state;
    struct asker *asker = make_asker(fixture);
    const struct ff_answer *answer;
    int64_t id = submit_and_train(fixture);

    assert_good(ask(asker, id, 0), &fixture->error);
    fake_trainer_fail("it diverged");
    wait_until_told(asker);
    assert_int_equal(session_answer(fixture->session, asker->request, &answer, &fixture->error), FF_CONFLICT);
    assert_non_null(strstr(fixture->error.message, "has no checkpoint"));
    drop(asker);
}

static void who_does_not_wait_any_more_leaves_nothing_behind(void **state)
{
    struct fixture *fixture = *state;
    struct asker *answered = make_asker(fixture), *ended = make_asker(fixture);
    int64_t id = submit_and_train(fixture);

    assert_good(ask(answered, id, 0), &fixture->error);
    drop(answered);
    fake_trainer_answer();
    wait_until_told(answered);
    assert_good(ask(ended, id, 0), &fixture->error);
    drop(ended);
    stop_run(fixture, id);
    wait_until_told(ended);
}

static void who_neither_trains_nor_has_a_checkpoint_cannot_be_asked(void **state)
{
    struct fixture *fixture = *state;
    struct asker *asker = make_asker(fixture);
    int64_t first = submit_and_train(fixture), second = submit(fixture);

    assert_int_equal(ask(asker, 77, 0), FF_NOT_FOUND);
    assert_int_equal(ask(asker, second, 0), FF_CONFLICT);
    assert_non_null(strstr(fixture->error.message, "queued"));
    fake_trainer_fail("it diverged");
    await(fixture, first, "failed", NULL);
    assert_int_equal(ask(asker, first, 0), FF_CONFLICT);
    assert_non_null(strstr(fixture->error.message, "has no checkpoint"));
    fake_trainer_epoch(0.5);
    await_type(fixture, "epoch");
    assert_good(ask(asker, second, 0), &fixture->error);
    fake_trainer_answer();
    assert_answered(asker, 0, 0);
}

static void too_many_questions_at_once_are_refused(void **state)
{
    struct fixture *fixture = *state;
    struct asker *askers[FF_REQUESTS_MAX], *one_more = make_asker(fixture);
    int64_t id = submit_and_train(fixture);

    for (size_t i = 0; i < FF_REQUESTS_MAX; i++) {
        askers[i] = make_asker(fixture);
        assert_good(ask(askers[i], id, (float)i / 64), &fixture->error);
    }
    assert_int_equal(ask(one_more, id, 0), FF_BUSY);
    assert_int_equal(fake_trainer_questions(), FF_REQUESTS_MAX);
    for (size_t i = 0; i < FF_REQUESTS_MAX; i++) {
        fake_trainer_answer();
        assert_answered(askers[i], (float)i / 64, 0);
    }
    assert_int_equal(one_more->told, 0);
}

static void the_timeline_is_that_of_the_run_that_holds_the_trainer(void **state)
{
    struct fixture *fixture = *state;
    struct ff_span *spans;
    size_t count;
    int64_t id = submit_and_train(fixture);

    fake_trainer_points(3);
    fake_trainer_epoch(0.5);
    await_type(fixture, "epoch");
    assert_good(session_timeline(fixture->session, id, &spans, &count, &fixture->error), &fixture->error);
    assert_int_equal(count, 3);
    assert_int_equal(spans[2].step, 3);
    free(spans);
    assert_good(session_timeline(fixture->session, id + 1, &spans, &count, &fixture->error), &fixture->error);
    assert_int_equal(count, 0);
    free(spans);
    stop_run(fixture, id);
    await(fixture, id, "stopped", NULL);
    assert_good(session_timeline(fixture->session, id, &spans, &count, &fixture->error), &fixture->error);
    assert_int_equal(count, 0);
    free(spans);
}

enum { ASKERS_MAX = 2000 };

/* Clients who do all they can at once, until the last run has ended. */
struct client {
    struct fixture *fixture;
    unsigned seed;
    int64_t last;
    size_t asked;
    struct asker askers[ASKERS_MAX];
};

/* A question that may be refused, answered, or given up at any moment. */
static void ask_and_go(struct client *client, int64_t id)
{
    struct session *session = client->fixture->session;
    struct asker *asker = &client->askers[client->asked];
    const struct ff_answer *answer;
    struct ff_error error;
    float pixels[28 * 28] = {0};
    struct session_question question = {.pixels = pixels, .pixel_count = 28 * 28, .tell = tell, .self = asker};

    if (client->asked == ASKERS_MAX)
        return;
    *asker = (struct asker){.fixture = client->fixture};
    if (session_ask(session, id, &question, &asker->request, &error) != FF_OK)
        return;
    client->asked++;
    fake_trainer_answer();
    session_answer(session, asker->request, &answer, &error);
    drop(asker);
}

static void look_at_time(struct session *session, int64_t id)
{
    struct ff_error error;
    struct ff_span *spans;
    size_t count;

    if (session_timeline(session, id, &spans, &count, &error) == FF_OK)
        free(spans);
}

static void *disturb(void *self)
{
    struct client *client = self;
    struct session *session = client->fixture->session;
    struct run *run = malloc(sizeof *run);
    struct ff_error error;
    char name[] = "changed";

    run->state = RUN_QUEUED;
    while (session_get(session, client->last, run, &error) == FF_OK && !run_state_is_final(run->state)) {
        int64_t id = session_current(session) > 0 ? session_current(session) : client->last;
        ff_status status = FF_OK;
        switch (rand_r(&client->seed) % 8) {
        case 0:
            status = session_pause(session, id, run, &error);
            break;
        case 1:
        case 2:
        case 3:
            status = session_resume(session, id, NULL, run, &error);
            break;
        case 4:
            status = session_change(session, id, rename_it, name, run, &error);
            break;
        case 5:
            ask_and_go(client, id);
            break;
        case 6:
            look_at_time(session, id);
            break;
        default:
            session_refresh(session, run);
        }
        if (status != FF_OK && status != FF_CONFLICT)
            break;
        session_resume(session, id, NULL, run, &error);
    }
    free(run);
    return NULL;
}

static void many_clients_at_once_do_no_harm(void **state)
{
    enum { RUNS = 5, CLIENTS = 3, POINTS = 40 };
    struct fixture *fixture = *state;
    static struct client clients[CLIENTS]; /* too large for a stack */
    pthread_t threads[CLIENTS];
    int64_t last = 0;

    for (int i = 0; i < RUNS; i++) {
        for (int j = 0; j < POINTS; j++)
            fake_trainer_points(1);
        fake_trainer_epoch(0.5);
        fake_trainer_finish();
        last = submit(fixture);
    }
    for (unsigned i = 0; i < CLIENTS; i++) {
        clients[i].fixture = fixture;
        clients[i].seed = i + 1;
        clients[i].last = last;
        pthread_create(&threads[i], NULL, disturb, &clients[i]);
    }
    for (size_t i = 0; i < CLIENTS; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < CLIENTS; i++)
        for (size_t j = 0; j < clients[i].asked; j++)
            wait_until_told(&clients[i].askers[j]);
    for (int64_t id = 1; id <= RUNS; id++) {
        assert_int_equal(stored(fixture, id)->state, RUN_FINISHED);
        assert_int_equal(fixture->run.last.epoch, POINTS / 10);
        assert_int_equal(count_points(fixture->store, id, 0), POINTS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_run_trains_and_all_of_it_is_kept),
        FIXTURE_TEST(events_come_in_the_order_of_what_happened),
        FIXTURE_TEST(points_and_epochs_name_their_run_first),
        FIXTURE_TEST(rows_bear_the_number_of_the_event_that_carried_them),
        FIXTURE_TEST(runs_train_one_after_the_other),
        FIXTURE_TEST(progress_is_told_without_being_asked),
        FIXTURE_TEST(a_pause_is_pending_until_training_stands_still),
        FIXTURE_TEST(the_last_word_of_pause_and_resume_counts),
        FIXTURE_TEST(those_behind_a_paused_run_say_what_they_wait_for),
        FIXTURE_TEST(a_stop_is_pending_until_the_trainer_has_ended),
        FIXTURE_TEST(a_run_that_waits_is_stopped_at_once),
        FIXTURE_TEST(what_cannot_be_is_refused_in_words),
        FIXTURE_TEST(a_failure_says_why_and_the_next_run_begins),
        FIXTURE_TEST(a_run_that_cannot_begin_fails_with_the_reason),
        FIXTURE_TEST(placement_is_the_runs_own_or_the_sessions),
        FIXTURE_TEST(a_run_is_deleted_unless_it_holds_the_trainer),
        FIXTURE_TEST(a_full_queue_is_busy),
        FIXTURE_TEST(name_notes_and_tags_change_in_every_state),
        FIXTURE_TEST(a_change_does_not_store_what_is_only_shown),
        FIXTURE_TEST(the_end_of_the_program_interrupts_what_is_under_way),
        FIXTURE_TEST(the_end_of_the_program_interrupts_a_paused_run),
        FIXTURE_TEST(runs_that_wait_wait_on_after_a_restart_in_their_order),
        FIXTURE_TEST(a_full_queue_and_one_more_waits_on_after_a_restart),
        FIXTURE_TEST(a_run_whose_data_set_is_gone_after_a_restart_fails_at_its_turn),
        FIXTURE_TEST(whatever_changes_a_run_changes_its_version),
        FIXTURE_TEST(a_stop_by_a_user_stays_a_stop_when_the_program_ends),
        FIXTURE_TEST(a_row_that_was_read_before_the_end_is_refreshed),
        FIXTURE_TEST(an_end_that_cannot_be_stored_is_told_and_stored_later),
        FIXTURE_TEST(a_run_whose_points_could_not_be_written_for_a_moment_keeps_the_remark),
        FIXTURE_TEST(a_run_that_cannot_be_stored_is_refused),
        FIXTURE_TEST(a_pause_before_the_first_step_holds),
        FIXTURE_TEST(a_stop_before_the_first_step_ends_it),
        FIXTURE_TEST(a_question_is_answered_while_a_run_trains_and_while_it_is_paused),
        FIXTURE_TEST(who_waits_when_the_run_ends_is_answered_by_its_checkpoint),
        FIXTURE_TEST(who_waits_when_a_run_without_checkpoint_ends_is_told_that_no_answer_comes),
        FIXTURE_TEST(who_does_not_wait_any_more_leaves_nothing_behind),
        FIXTURE_TEST(who_neither_trains_nor_has_a_checkpoint_cannot_be_asked),
        FIXTURE_TEST(too_many_questions_at_once_are_refused),
        FIXTURE_TEST(the_timeline_is_that_of_the_run_that_holds_the_trainer),
        FIXTURE_TEST(many_clients_at_once_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
