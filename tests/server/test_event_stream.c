/* Streams of events over the real hub and the real store: what a reader gets who comes, comes back, or is too slow.
 */
#include "../cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../temporary.h"
#include "event_stream.h"
#include "preset.h"

enum { RING_BYTES = 64 * 1024, TEXT_MAX = 1 << 22 };

struct world {
    char folder[256];
    struct api api;
    uint64_t step; /* of the newest point */
    int64_t run;
};

static int64_t add_run(struct world *world, enum run_state state)
{
    struct run run = {.state = state, .created = 1, .started = 2, .ended = 3, .name = "a run"};
    struct ff_error error;

    ff_preset_config(ff_presets(&(size_t){0}), &run.config);
    assert_int_equal(store_insert_run(world->api.store, &run, &error), FF_OK);
    return run.id;
}

static void open_world(struct world *world)
{
    struct ff_error error;

    world->api.store = store_open(world->folder, &error);
    assert_non_null(world->api.store);
    world->api.hub = hub_create(store_first_event(world->api.store), RING_BYTES, &error);
    world->api.catalog = catalog_create(&error);
    world->api.session = session_create(world->api.store, world->api.hub, world->api.catalog,
                                        (struct ff_placement){0, 0}, NULL, &error);
    assert_non_null(world->api.session);
}

static void close_world(struct world *world)
{
    session_destroy(world->api.session);
    catalog_destroy(world->api.catalog);
    hub_destroy(world->api.hub);
    store_close(world->api.store);
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);

    temporary_folder(world->folder);
    open_world(world);
    world->run = add_run(world, RUN_FINISHED);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    close_world(world);
    temporary_remove(world->folder);
    free(world);
    return 0;
}

/* --- what happens to a run ------------------------------------------------------------------------------------ */

/* `count` points in one event, in hub and store; sent at once, as another event follows. */
static uint64_t make_points(struct world *world, int64_t run, size_t count)
{
    struct ff_point points[8];
    uint64_t number;

    assert_true(count <= 8);
    for (size_t i = 0; i < count; i++) {
        world->step++;
        points[i] = (struct ff_point){.step = world->step, .epoch = 0.5, .elapsed = 1, .layers = 2};
    }
    number = hub_append_points(world->api.hub, run, points, count);
    store_append_points(world->api.store, run, number, points, count);
    return number;
}

static uint64_t make_epoch(struct world *world, int64_t run, uint32_t number)
{
    struct ff_epoch epoch = {.epoch = number, .step = world->step, .layers = 2, .digest = "sha256:0"};
    char json[64];
    uint64_t event;

    snprintf(json, sizeof json, "{\"run\":%lld,\"epoch\":%u}", (long long)run, (unsigned)number);
    event = hub_append(world->api.hub, run, "epoch", json);
    store_append_epoch(world->api.store, run, event, &epoch);
    return event;
}

/* Epochs of `events` events of three points each. Returns the last number. */
static uint64_t train(struct world *world, int64_t run, uint32_t first, uint32_t last, int events)
{
    uint64_t number = 0;

    for (uint32_t epoch = first; epoch <= last; epoch++) {
        for (int i = 0; i < events; i++) {
            make_points(world, run, 3);
            hub_append(world->api.hub, run, "change", "{}"); /* closes the event of the points */
        }
        number = make_epoch(world, run, epoch);
    }
    return number;
}

/* --- a reader ------------------------------------------------------------------------------------------------- */

struct reader {
    struct http_stream stream;
    char *text;
    size_t length;
    bool ended;
};

static void open_reader(struct world *world, struct reader *reader, int64_t run, bool resumes, uint64_t last)
{
    *reader = (struct reader){.text = calloc(1, TEXT_MAX)};
    assert_true(event_stream_open(&world->api, run, resumes, last, &reader->stream));
}

/* Read what there is, in pieces of an odd size. */
static void read_all(struct reader *reader)
{
    ssize_t got;

    do {
        got = reader->stream.read(reader->stream.self, reader->text + reader->length, 61);
        if (got > 0)
            reader->length += (size_t)got;
        assert_true(reader->length < TEXT_MAX - 64);
    } while (got > 0);
    reader->ended = got < 0;
}

static void close_reader(struct reader *reader)
{
    reader->stream.close(reader->stream.self);
    free(reader->text);
}

/* The steps in the reader's "points" are exactly from `first` to `last`, of run `run`; returns how many events. */
static int check_steps(const struct reader *reader, int64_t run, uint64_t first, uint64_t last)
{
    const char *at = reader->text;
    uint64_t expected = first;
    int events = 0;

    while ((at = strstr(at, "event: points\n")) != NULL) {
        const char *data = strstr(at, "data: ");
        cJSON *json = cJSON_ParseWithOpts(data + 6, NULL, false);
        const cJSON *step;

        at += 10;
        assert_non_null(json);
        if (cJSON_GetObjectItemCaseSensitive(json, "run")->valuedouble == (double)run) {
            events++;
            cJSON_ArrayForEach(step, cJSON_GetObjectItemCaseSensitive(json, "steps"))
                assert_int_equal((uint64_t)step->valuedouble, expected++);
        }
        cJSON_Delete(json);
    }
    assert_int_equal(expected, last + 1);
    return events;
}

static int count_of(const char *text, const char *what)
{
    int count = 0;

    for (; (text = strstr(text, what)) != NULL; text++)
        count++;
    return count;
}

/* --- tests ---------------------------------------------------------------------------------------------------- */

static void a_run_that_has_ended_is_its_state_and_the_end(void **state)
{
    struct world *world = *state;
    struct reader reader;

    train(world, world->run, 1, 2, 3);
    open_reader(world, &reader, world->run, false, 0);
    read_all(&reader);
    assert_true(reader.ended);
    assert_int_equal(count_of(reader.text, "event: "), 1);
    assert_non_null(strstr(reader.text, "event: state\n"));
    assert_non_null(strstr(reader.text, "\"state\":\"finished\""));
    close_reader(&reader);
}

static void who_resumes_gets_what_the_ring_still_has(void **state)
{
    struct world *world = *state;
    struct reader reader;
    uint64_t last = train(world, world->run, 1, 1, 4), steps = world->step;

    train(world, world->run, 2, 3, 4);
    open_reader(world, &reader, world->run, true, last);
    read_all(&reader);
    assert_true(reader.ended);
    check_steps(&reader, world->run, steps + 1, world->step);
    assert_int_equal(count_of(reader.text, "event: epoch"), 2);
    assert_null(strstr(reader.text, "dropped"));
    close_reader(&reader);
}

static void who_resumes_gets_from_the_store_what_the_ring_has_lost(void **state)
{
    struct world *world = *state;
    struct reader reader;
    uint64_t last = train(world, world->run, 1, 1, 4), steps = world->step;

    train(world, world->run, 2, 40, 8); /* many times the ring */
    open_reader(world, &reader, world->run, true, last);
    read_all(&reader);
    assert_true(reader.ended);
    assert_true(check_steps(&reader, world->run, steps + 1, world->step) > 3);
    assert_int_equal(count_of(reader.text, "event: epoch"), 39);
    assert_null(strstr(reader.text, "dropped"));
    close_reader(&reader);
}

/* Every number that a replay gives is one from which the rest can be asked for. */
static void a_replay_that_breaks_off_anywhere_can_be_taken_up(void **state)
{
    struct world *world = *state;
    struct reader whole;
    int tried = 0;

    train(world, world->run, 1, 30, 12);
    open_reader(world, &whole, world->run, true, 1);
    read_all(&whole);
    for (const char *at = whole.text; (at = strstr(at, "event: points\nid: ")) != NULL; at++, tried++) {
        uint64_t number = strtoull(at + 18, NULL, 10);
        cJSON *json = cJSON_ParseWithOpts(strstr(at, "data: ") + 6, NULL, false);
        const cJSON *steps = cJSON_GetObjectItemCaseSensitive(json, "steps");
        uint64_t step = (uint64_t)cJSON_GetArrayItem(steps, cJSON_GetArraySize(steps) - 1)->valuedouble;
        struct reader rest;

        open_reader(world, &rest, world->run, true, number);
        read_all(&rest);
        check_steps(&rest, world->run, step + 1, world->step);
        close_reader(&rest);
        cJSON_Delete(json);
    }
    assert_true(tried > 10);
    close_reader(&whole);
}

static void who_is_too_slow_is_told_from_where_to_ask(void **state)
{
    struct world *world = *state;
    int64_t run = add_run(world, RUN_QUEUED);
    struct reader reader;
    char expected[64];
    uint64_t steps;

    open_reader(world, &reader, run, false, 0);
    train(world, run, 1, 1, 4);
    read_all(&reader);
    assert_false(reader.ended);
    steps = world->step;
    check_steps(&reader, run, 1, steps);
    train(world, run, 2, 40, 8);
    reader.length = 0;
    memset(reader.text, 0, TEXT_MAX);
    read_all(&reader);
    snprintf(expected, sizeof expected, "data: {\"run\":%lld,\"after\":%llu}\n", (long long)run,
             (unsigned long long)steps);
    assert_int_equal(count_of(reader.text, "event: dropped"), 1);
    assert_non_null(strstr(reader.text, expected));
    assert_int_equal(count_of(reader.text, "event: state"), 1); /* how it stands now */
    assert_false(reader.ended);
    close_reader(&reader);
}

static void a_stream_of_one_run_ends_with_the_event_of_its_final_state(void **state)
{
    struct world *world = *state;
    int64_t run = add_run(world, RUN_QUEUED);
    struct reader reader;

    open_reader(world, &reader, run, false, 0);
    read_all(&reader);
    hub_append(world->api.hub, run, "state",
               "{\"id\":2,\"notes\":\"\\\"state\\\":\\\"stopped\\\"\",\"state\":\"running\"}");
    hub_append(world->api.hub, world->run, "state", "{\"id\":1,\"state\":\"stopped\"}");
    read_all(&reader);
    assert_false(reader.ended);
    hub_append(world->api.hub, run, "state", "{\"id\":2,\"state\":\"failed\"}");
    hub_append(world->api.hub, run, "change", "{}");
    read_all(&reader);
    assert_true(reader.ended);
    assert_null(strstr(reader.text, "event: change"));
    close_reader(&reader);
}

/* It had ended when the reader came; before the reader has had what led there, it is resumed. */
static void a_stream_goes_on_with_a_run_that_is_resumed(void **state)
{
    struct world *world = *state;
    uint64_t last = train(world, world->run, 1, 1, 4);
    struct reader reader;
    char first[16];

    train(world, world->run, 2, 9, 8); /* more than is made at once */
    open_reader(world, &reader, world->run, true, last);
    assert_int_equal(reader.stream.read(reader.stream.self, first, sizeof first), sizeof first);
    hub_append(world->api.hub, world->run, "state", "{\"id\":1,\"state\":\"queued\"}");
    read_all(&reader);
    assert_non_null(strstr(reader.text, "\"state\":\"finished\""));
    assert_non_null(strstr(reader.text, "\"state\":\"queued\""));
    assert_false(reader.ended);
    hub_append(world->api.hub, world->run, "state", "{\"id\":1,\"state\":\"stopped\"}");
    read_all(&reader);
    assert_true(reader.ended);
    close_reader(&reader);
}

static void a_stream_of_one_run_ends_when_the_run_is_deleted(void **state)
{
    struct world *world = *state;
    int64_t run = add_run(world, RUN_QUEUED);
    struct reader own, late, all;
    struct ff_error error;
    char data[64];

    open_reader(world, &own, run, false, 0);
    open_reader(world, &late, run, false, 0);
    open_reader(world, &all, 0, false, 0);
    read_all(&own);
    read_all(&late);
    assert_int_equal(session_delete(world->api.session, run, &error), FF_OK);
    hub_append(world->api.hub, world->run, "change", "{}");
    read_all(&own);
    read_all(&all);
    snprintf(data, sizeof data, "data: {\"run\":%lld}\n\n", (long long)run);
    assert_true(own.ended);
    assert_int_equal(count_of(own.text, "event: deleted\nid: "), 1);
    assert_string_equal(own.text + own.length - strlen(data), data);
    assert_false(all.ended);
    assert_int_equal(count_of(all.text, "event: deleted\nid: "), 1);
    assert_non_null(strstr(all.text, data));
    /* Who was too slow has lost the event, and is told all the same. */
    train(world, world->run, 1, 40, 20);
    read_all(&late);
    assert_true(late.ended);
    assert_string_equal(late.text + late.length - strlen(data), data);
    assert_int_equal(count_of(late.text, "event: deleted"), 1);
    close_reader(&own);
    close_reader(&late);
    close_reader(&all);
}

static void after_a_restart_one_run_and_all_runs_are_complete(void **state)
{
    struct world *world = *state;
    int64_t second = add_run(world, RUN_FINISHED);
    uint64_t last = train(world, world->run, 1, 2, 4), middle, steps;
    struct reader reader;

    middle = world->step;
    train(world, second, 1, 20, 8);
    steps = world->step;
    close_world(world);
    open_world(world);

    open_reader(world, &reader, second, true, last);
    read_all(&reader);
    assert_true(reader.ended);
    check_steps(&reader, second, middle + 1, steps);
    close_reader(&reader);

    open_reader(world, &reader, 0, true, 1);
    read_all(&reader);
    assert_false(reader.ended);
    check_steps(&reader, world->run, 1, middle);
    check_steps(&reader, second, middle + 1, steps);
    assert_int_equal(count_of(reader.text, "event: epoch"), 22);
    /* Numbers do not rise from run to run, so only the end has one. */
    assert_int_equal(count_of(reader.text, "\nid: "), 1);
    close_reader(&reader);
}

/* What is only in the hub when a daemon is killed was told, and is lost. */
static void who_was_told_more_than_a_killed_daemon_kept_is_told_from_where_to_ask(void **state)
{
    struct world *world = *state;
    int64_t run = add_run(world, RUN_RUNNING);
    uint64_t kept = train(world, run, 1, 1, 4), steps = world->step, told;
    struct ff_point point = {.step = world->step + 1, .layers = 2};
    int64_t streams[] = {run, 0};
    struct reader reader;
    char expected[96];

    store_flush(world->api.store);
    told = hub_append_points(world->api.hub, run, &point, 1);
    close_world(world);
    open_world(world);
    snprintf(expected, sizeof expected, "event: dropped\ndata: {\"run\":%lld,\"after\":%llu}\n", (long long)run,
             (unsigned long long)steps);
    for (size_t i = 0; i < 2; i++) {
        open_reader(world, &reader, streams[i], true, told);
        read_all(&reader);
        assert_non_null(strstr(reader.text, expected));
        assert_int_equal(count_of(reader.text, "event: dropped"), 1);
        const char *next = strstr(reader.text, "event: state");
        assert_true(next == NULL || strstr(reader.text, expected) < next);
        assert_null(strstr(reader.text, "event: points"));
        close_reader(&reader);

        open_reader(world, &reader, streams[i], true, kept);
        read_all(&reader);
        assert_null(strstr(reader.text, "dropped"));
        close_reader(&reader);
    }
}

static void numbers_that_were_never_given_mean_from_now_on(void **state)
{
    struct world *world = *state;
    int64_t run = add_run(world, RUN_QUEUED);
    struct reader reader;

    train(world, run, 1, 1, 2);
    open_reader(world, &reader, run, true, UINT64_MAX);
    read_all(&reader);
    assert_int_equal(count_of(reader.text, "event: "), 1);
    make_epoch(world, run, 2);
    read_all(&reader);
    assert_int_equal(count_of(reader.text, "event: epoch"), 1);
    close_reader(&reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_run_that_has_ended_is_its_state_and_the_end),
        FIXTURE_TEST(who_resumes_gets_what_the_ring_still_has),
        FIXTURE_TEST(who_resumes_gets_from_the_store_what_the_ring_has_lost),
        FIXTURE_TEST(a_replay_that_breaks_off_anywhere_can_be_taken_up),
        FIXTURE_TEST(who_is_too_slow_is_told_from_where_to_ask),
        FIXTURE_TEST(a_stream_of_one_run_ends_with_the_event_of_its_final_state),
        FIXTURE_TEST(a_stream_goes_on_with_a_run_that_is_resumed),
        FIXTURE_TEST(a_stream_of_one_run_ends_when_the_run_is_deleted),
        FIXTURE_TEST(after_a_restart_one_run_and_all_runs_are_complete),
        FIXTURE_TEST(who_was_told_more_than_a_killed_daemon_kept_is_told_from_where_to_ask),
        FIXTURE_TEST(numbers_that_were_never_given_mean_from_now_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
