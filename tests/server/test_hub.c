/* The ring of events: in order, once each, and who is too slow. */
#include "../cmocka_all.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hub.h"
#include "run.h"

enum { FIRST = 1000, BUFFER = 65536 };

/* A hub, one who reads it, and a count of the calls of `wake`. */
struct fixture {
    struct hub *hub;
    char buffer[BUFFER];
    pthread_mutex_t mutex; /* guards the rest */
    pthread_cond_t woken;
    size_t wakes;
    size_t readers; /* that a wake is said to have woken */
};

static double seconds_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static size_t count_wake(void *self)
{
    struct fixture *fixture = self;
    pthread_mutex_lock(&fixture->mutex);
    fixture->wakes++;
    pthread_cond_broadcast(&fixture->woken);
    size_t readers = fixture->readers;
    pthread_mutex_unlock(&fixture->mutex);
    return readers;
}

static size_t wakes_so_far(struct fixture *fixture)
{
    pthread_mutex_lock(&fixture->mutex);
    size_t wakes = fixture->wakes;
    pthread_mutex_unlock(&fixture->mutex);
    return wakes;
}

static void wait_for_wakes(struct fixture *fixture, size_t wakes)
{
    pthread_mutex_lock(&fixture->mutex);
    while (fixture->wakes < wakes)
        pthread_cond_wait(&fixture->woken, &fixture->mutex);
    pthread_mutex_unlock(&fixture->mutex);
}

static struct fixture *fixture_with(size_t keep_bytes)
{
    struct ff_error error;
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    pthread_mutex_init(&fixture->mutex, NULL);
    pthread_cond_init(&fixture->woken, NULL);
    fixture->hub = hub_create(FIRST, keep_bytes, &error);
    assert_non_null(fixture->hub);
    hub_set_wake(fixture->hub, count_wake, fixture);
    return fixture;
}

static int set_up(void **state)
{
    *state = fixture_with(1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    hub_destroy(fixture->hub);
    free(fixture);
    return 0;
}

static int next(struct fixture *fixture, struct hub_cursor *cursor, struct hub_event *event)
{
    size_t needed;
    return hub_next(fixture->hub, cursor, event, fixture->buffer, sizeof fixture->buffer, &needed);
}

/* Wait for the next event: as a stream does, woken by the hub. */
static void wait_for_event(struct fixture *fixture, struct hub_cursor *cursor, struct hub_event *event)
{
    for (;;) {
        size_t wakes = wakes_so_far(fixture);
        if (next(fixture, cursor, event) == 1)
            return;
        wait_for_wakes(fixture, wakes + 1);
    }
}

static struct ff_point point_at(uint64_t step)
{
    struct ff_point point = {.step = step, .layers = 1};
    point.layer[0].positive = 0.5f;
    return point;
}

static uint64_t append_point(struct fixture *fixture, int64_t run, uint64_t step)
{
    struct ff_point point = point_at(step);
    return hub_append_points(fixture->hub, run, &point, 1);
}

static void events_are_given_in_order_with_rising_numbers(void **state)
{
    struct fixture *fixture = *state;
    struct hub_cursor cursor = {.seen = hub_newest(fixture->hub)};
    struct hub_event event;

    assert_int_equal(hub_newest(fixture->hub), FIRST - 1);
    assert_int_equal(next(fixture, &cursor, &event), 0);
    assert_int_equal(hub_append(fixture->hub, 3, "state", "{\"a\":1}"), FIRST);
    assert_int_equal(hub_append(fixture->hub, 4, "epoch", "{}"), FIRST + 1);
    assert_int_equal(hub_newest(fixture->hub), FIRST + 1);

    assert_int_equal(next(fixture, &cursor, &event), 1);
    assert_int_equal(event.number, FIRST);
    assert_int_equal(event.run, 3);
    assert_string_equal(event.type, "state");
    assert_string_equal(event.json, "{\"a\":1}");
    assert_int_equal(next(fixture, &cursor, &event), 1);
    assert_string_equal(event.type, "epoch");
    assert_int_equal(next(fixture, &cursor, &event), 0);
}

static void a_reader_of_one_run_passes_over_the_others(void **state)
{
    struct fixture *fixture = *state;
    struct hub_cursor cursor = {.run = 4, .seen = hub_newest(fixture->hub)};
    struct hub_event event;

    hub_append(fixture->hub, 3, "state", "3");
    hub_append(fixture->hub, 4, "state", "4");
    hub_append(fixture->hub, 3, "state", "3");
    assert_int_equal(next(fixture, &cursor, &event), 1);
    assert_int_equal(event.number, FIRST + 1);
    assert_int_equal(next(fixture, &cursor, &event), 0);
    assert_int_equal(cursor.seen, FIRST + 2);
}

static void points_become_one_event_with_the_number_foretold(void **state)
{
    struct fixture *fixture = *state;
    struct hub_cursor cursor = {.seen = hub_newest(fixture->hub)};
    struct hub_event event;
    struct ff_point points[2] = {point_at(25), point_at(50)};

    assert_int_equal(hub_append_points(fixture->hub, 3, points, 2), FIRST);
    wait_for_event(fixture, &cursor, &event);
    assert_int_equal(event.number, FIRST);
    assert_string_equal(event.type, "points");
    assert_int_equal(strncmp(event.json, "{\"run\":3,\"steps\":[25,50],", 25), 0);
    assert_int_equal(cursor.last_step, 50);
}

static void an_event_never_overtakes_points_that_wait(void **state)
{
    struct fixture *fixture = *state;
    struct hub_cursor cursor = {.seen = hub_newest(fixture->hub)};
    struct hub_event event;

    for (uint64_t i = 0; i < 50; i++) {
        uint64_t foretold = append_point(fixture, 3, i + 1);
        uint64_t epoch = hub_append(fixture->hub, 3, "epoch", "{}");
        assert_true(foretold < epoch);
        assert_int_equal(next(fixture, &cursor, &event), 1);
        assert_string_equal(event.type, "points");
        assert_int_equal(event.number, foretold);
        assert_int_equal(next(fixture, &cursor, &event), 1);
        assert_string_equal(event.type, "epoch");
        assert_int_equal(event.number, epoch);
    }
}

static void points_of_two_runs_stay_apart(void **state)
{
    struct fixture *fixture = *state;
    struct hub_cursor cursor = {.run = 4, .seen = hub_newest(fixture->hub)};
    struct hub_event event;

    append_point(fixture, 3, 1);
    append_point(fixture, 4, 7);
    append_point(fixture, 3, 2);
    wait_for_event(fixture, &cursor, &event);
    assert_int_equal(event.run, 4);
    assert_int_equal(strncmp(event.json, "{\"run\":4,\"steps\":[7],", 21), 0);
}

static void more_points_than_wait_at_once_all_arrive(void **state)
{
    struct fixture *fixture = *state;
    struct hub_cursor cursor = {.seen = hub_newest(fixture->hub)};
    struct hub_event event;
    struct ff_point *points = calloc(1000, sizeof *points);
    size_t steps = 0;
    for (uint64_t i = 0; i < 1000; i++)
        points[i] = point_at(i + 1);

    uint64_t foretold = hub_append_points(fixture->hub, 3, points, 1000);
    while (cursor.last_step < 1000) {
        wait_for_event(fixture, &cursor, &event);
        cJSON *json = cJSON_Parse(event.json);
        steps += (size_t)cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(json, "steps"));
        cJSON_Delete(json);
    }
    assert_int_equal(steps, 1000);
    assert_int_equal(event.number, foretold);
    free(points);
}

static void an_event_has_fewer_points_the_more_layers_they_have(void **state)
{
    struct fixture *fixture = *state;
    struct hub_cursor cursor = {.seen = hub_newest(fixture->hub)};
    struct hub_event event;
    struct ff_point *points = calloc(100, sizeof *points);
    size_t most = run_event_points(FF_LAYERS_MAX), steps = 0;
    for (uint64_t i = 0; i < 100; i++) {
        points[i] = point_at(i + 1);
        points[i].layers = FF_LAYERS_MAX;
    }

    assert_true(most > 1 && most < 100);
    hub_append_points(fixture->hub, 3, points, 100);
    while (cursor.last_step < 100) {
        wait_for_event(fixture, &cursor, &event);
        cJSON *json = cJSON_Parse(event.json);
        size_t count = (size_t)cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(json, "steps"));
        assert_in_range(count, 1, most);
        steps += count;
        cJSON_Delete(json);
    }
    assert_int_equal(steps, 100);
    free(points);
}

/* How long the first points after a silence take to their reader. */
static double first_latency(void)
{
    struct fixture *fixture = fixture_with(1 << 20);
    struct hub_cursor cursor = {.seen = hub_newest(fixture->hub)};
    struct hub_event event;
    void *self = fixture;

    double begin = seconds_now();
    append_point(fixture, 3, 1);
    wait_for_event(fixture, &cursor, &event);
    double seconds = seconds_now() - begin;
    tear_down(&self);
    return seconds;
}

static void points_after_a_silence_are_sent_at_once(void **state)
{
    (void)state;
    double best = 1;

    for (int i = 0; i < 10 && best > 0.05; i++) { /* a busy machine may delay one or the other */
        double seconds = first_latency();
        best = seconds < best ? seconds : best;
    }
    assert_true(best <= 0.05);
}

static void points_are_sent_ten_times_a_second(void **state)
{
    struct fixture *fixture = *state;
    struct hub_cursor cursor = {.seen = hub_newest(fixture->hub)};
    struct hub_event event;
    double begin = seconds_now();
    uint64_t step = 0;
    size_t events = 0;

    while (seconds_now() - begin < 0.55) {
        if (seconds_now() - begin > 0.003 * (double)step) /* a point every 3 ms */
            append_point(fixture, 3, ++step);
        while (next(fixture, &cursor, &event) == 1)
            events++;
    }
    size_t wakes = wakes_so_far(fixture);
    size_t most = 2 + (size_t)((seconds_now() - begin) / 0.1);
    assert_in_range(events, 1, most);
    assert_in_range(wakes, 1, most);
}

static void many_readers_are_woken_less_often(void **state)
{
    struct fixture *fixture = *state;
    double begin = seconds_now();

    fixture->readers = 400;
    hub_append(fixture->hub, 1, "state", "{}");
    wait_for_wakes(fixture, 1);
    hub_append(fixture->hub, 1, "state", "{}");
    wait_for_wakes(fixture, 2);
    assert_true(seconds_now() - begin >= 0.399); /* times are told in whole milliseconds */
}

static void after_the_wake_is_taken_away_it_is_not_called(void **state)
{
    struct fixture *fixture = *state;

    hub_append(fixture->hub, 1, "state", "{}");
    hub_set_wake(fixture->hub, NULL, NULL);
    size_t wakes = wakes_so_far(fixture);
    hub_append(fixture->hub, 1, "state", "{}");
    hub_destroy(fixture->hub);
    struct ff_error error;
    assert_int_equal(fixture->wakes, wakes);
    fixture->hub = hub_create(FIRST, 1 << 20, &error);
    assert_non_null(fixture->hub);
}

static void a_reader_who_is_too_slow_is_told(void **state)
{
    (void)state;
    struct fixture *fixture = fixture_with(4096);
    struct hub_cursor cursor = {.seen = hub_newest(fixture->hub)};
    struct hub_event event;
    void *self = fixture;
    char text[512];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';

    append_point(fixture, 3, 25);
    hub_append(fixture->hub, 3, "state", "{}");
    assert_int_equal(next(fixture, &cursor, &event), 1);
    for (int i = 0; i < 100; i++)
        hub_append(fixture->hub, 3, "state", text);
    assert_int_equal(next(fixture, &cursor, &event), -1);
    assert_int_equal(cursor.last_step, 25);
    size_t kept = 0;
    for (uint64_t expected = cursor.seen + 1; next(fixture, &cursor, &event) == 1; expected++, kept++)
        assert_int_equal(event.number, expected);
    assert_in_range(kept, 2, 8);
    assert_int_equal(cursor.seen, hub_newest(fixture->hub));
    tear_down(&self);
}

static void a_reader_from_before_this_start_is_told_that_events_are_missing(void **state)
{
    struct fixture *fixture = *state;
    struct hub_cursor cursor = {.seen = 17};
    struct hub_event event;

    assert_int_equal(next(fixture, &cursor, &event), -1);
    assert_int_equal(next(fixture, &cursor, &event), 0);
    hub_append(fixture->hub, 3, "state", "{}");
    assert_int_equal(next(fixture, &cursor, &event), 1);
}

static void a_number_from_the_future_means_only_what_comes(void **state)
{
    struct fixture *fixture = *state;
    struct hub_cursor cursor = {.seen = UINT64_MAX};
    struct hub_event event;

    hub_append(fixture->hub, 3, "state", "1");
    assert_int_equal(next(fixture, &cursor, &event), 0);
    hub_append(fixture->hub, 3, "state", "2");
    assert_int_equal(next(fixture, &cursor, &event), 1);
    assert_string_equal(event.json, "2");
}

static void an_event_that_does_not_fit_comes_again(void **state)
{
    struct fixture *fixture = *state;
    struct hub_cursor cursor = {.seen = hub_newest(fixture->hub)};
    struct hub_event event;
    size_t needed = 0;

    hub_append(fixture->hub, 3, "state", "123456789");
    assert_int_equal(hub_next(fixture->hub, &cursor, &event, fixture->buffer, 9, &needed), -2);
    assert_int_equal(needed, 10);
    assert_int_equal(hub_next(fixture->hub, &cursor, &event, fixture->buffer, needed, &needed), 1);
    assert_string_equal(event.json, "123456789");
}

/* Threads that append, and threads that read all they can; none may see a number twice or out of order. */
struct worker {
    struct fixture *fixture;
    int64_t run;
    size_t events;
    bool in_order;
};

enum { APPENDS = 2000, WRITERS = 2 };

static void *append_events(void *self)
{
    struct worker *worker = self;
    uint64_t last = 0;

    worker->in_order = true;
    for (uint64_t i = 1; i <= APPENDS; i++) {
        uint64_t number = i % 2 == 0 ? hub_append(worker->fixture->hub, worker->run, "state", "{}")
                                     : append_point(worker->fixture, worker->run, i);
        worker->in_order = worker->in_order && number > last;
        last = number;
    }
    hub_append(worker->fixture->hub, worker->run, "end", "{}");
    return NULL;
}

static void *read_events(void *self)
{
    struct worker *worker = self;
    struct hub_cursor cursor = {.run = worker->run, .seen = FIRST - 1};
    struct hub_event event;
    char buffer[BUFFER];
    size_t needed, ends = 0, wanted = worker->run == 0 ? WRITERS : 1;
    uint64_t last = 0;

    worker->in_order = true;
    while (ends < wanted) {
        size_t wakes = wakes_so_far(worker->fixture);
        while (hub_next(worker->fixture->hub, &cursor, &event, buffer, sizeof buffer, &needed) == 1) {
            worker->in_order = worker->in_order && event.number > last;
            last = event.number;
            worker->events++;
            ends += strcmp(event.type, "end") == 0;
        }
        if (ends < wanted)
            wait_for_wakes(worker->fixture, wakes + 1);
    }
    return NULL;
}

static void writers_and_readers_work_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct worker workers[WRITERS + 3] = {{fixture, 1, 0, false},
                                          {fixture, 2, 0, false},
                                          {fixture, 1, 0, false},
                                          {fixture, 2, 0, false},
                                          {fixture, 0, 0, false}};
    pthread_t threads[WRITERS + 3];

    for (size_t i = 0; i < WRITERS + 3; i++)
        pthread_create(&threads[i], NULL, i < WRITERS ? append_events : read_events, &workers[i]);
    for (size_t i = 0; i < WRITERS + 3; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < WRITERS + 3; i++)
        assert_true(workers[i].in_order);
    assert_true(workers[2].events > APPENDS / 2);
    assert_int_equal(workers[4].events, workers[2].events + workers[3].events);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(events_are_given_in_order_with_rising_numbers),
        FIXTURE_TEST(a_reader_of_one_run_passes_over_the_others),
        FIXTURE_TEST(points_become_one_event_with_the_number_foretold),
        FIXTURE_TEST(an_event_never_overtakes_points_that_wait),
        FIXTURE_TEST(points_of_two_runs_stay_apart),
        FIXTURE_TEST(more_points_than_wait_at_once_all_arrive),
        FIXTURE_TEST(an_event_has_fewer_points_the_more_layers_they_have),
        FIXTURE_TEST(many_readers_are_woken_less_often),
        cmocka_unit_test(points_after_a_silence_are_sent_at_once),
        FIXTURE_TEST(points_are_sent_ten_times_a_second),
        FIXTURE_TEST(after_the_wake_is_taken_away_it_is_not_called),
        cmocka_unit_test(a_reader_who_is_too_slow_is_told),
        FIXTURE_TEST(a_reader_from_before_this_start_is_told_that_events_are_missing),
        FIXTURE_TEST(a_number_from_the_future_means_only_what_comes),
        FIXTURE_TEST(an_event_that_does_not_fit_comes_again),
        FIXTURE_TEST(writers_and_readers_work_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
