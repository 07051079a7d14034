#include "event_replay.h"

#include <stdlib.h>
#include <string.h>

enum { RUNS_PAGE = 50 };

struct numbered_epoch {
    struct ff_epoch epoch;
    uint64_t event;
};

struct event_replay {
    struct api *api;
    uint64_t from, to;
    int64_t *runs; /* those that are still to come, from `next_run` on, oldest first */
    size_t run_count, next_run;
    bool numbered;

    uint64_t after_event, after_step; /* of the run under way: what was written */
    uint32_t after_epoch;

    /* A slice: points up to a boundary between events, and the epochs up to it. */
    struct ff_point *points;
    uint64_t *point_events;
    size_t point_count, point_capacity;
    struct numbered_epoch *epochs;
    size_t epoch_count, epoch_capacity;
    uint64_t boundary;
    bool more, failed;
};

void event_write(struct text *text, const char *type, uint64_t number, const char *json)
{
    if (json == NULL)
        return;
    text_print(text, "event: %s\n", type);
    if (number > 0)
        text_print(text, "id: %llu\n", (unsigned long long)number);
    text_print(text, "data: %s\n\n", json);
}

static bool add_run(struct event_replay *replay, int64_t run)
{
    int64_t *runs = realloc(replay->runs, (replay->run_count + 1) * sizeof *runs);

    if (runs == NULL)
        return false;
    replay->runs = runs;
    runs[replay->run_count++] = run;
    return true;
}

static void reverse(int64_t *runs, size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        int64_t run = runs[i];

        runs[i] = runs[count - 1 - i];
        runs[count - 1 - i] = run;
    }
}

/* All runs that have made a step. */
static bool list_runs(struct event_replay *replay)
{
    struct store_run_filter filter = {.state = -1, .limit = RUNS_PAGE};
    bool good = true;

    do {
        struct ff_error error;
        struct run *runs = NULL;
        size_t count = 0;

        if (store_list_runs(replay->api->store, &filter, &runs, &count, &filter.before, &error) != FF_OK)
            return false;
        for (size_t i = 0; i < count && good; i++)
            if (runs[i].started > 0)
                good = add_run(replay, runs[i].id);
        free(runs);
    } while (filter.before > 0 && good);
    reverse(replay->runs, replay->run_count);
    return good;
}

struct event_replay *event_replay_create(struct api *api, int64_t run, uint64_t from, uint64_t to)
{
    struct event_replay *replay = calloc(1, sizeof *replay);

    if (replay == NULL)
        return NULL;
    *replay = (struct event_replay){.api = api, .from = from, .to = to, .numbered = run != 0, .after_event = from};
    store_flush(api->store); /* what the ring has lost may still be on its way into the database */
    if (run != 0 ? add_run(replay, run) : list_runs(replay))
        return replay;
    event_replay_destroy(replay);
    return NULL;
}

void event_replay_destroy(struct event_replay *replay)
{
    if (replay == NULL)
        return;
    free(replay->runs);
    free(replay->points);
    free(replay->point_events);
    free(replay->epochs);
    free(replay);
}

/* --- reading a slice ------------------------------------------------------------------------------------------ */

static bool grow_points(struct event_replay *replay)
{
    size_t capacity = replay->point_capacity == 0 ? RUN_EVENT_POINTS_MAX + 32 : replay->point_capacity * 2;
    struct ff_point *points = realloc(replay->points, capacity * sizeof *points);
    uint64_t *events;

    if (points == NULL)
        return false;
    replay->points = points;
    events = realloc(replay->point_events, capacity * sizeof *events);
    if (events == NULL)
        return false;
    replay->point_events = events;
    replay->point_capacity = capacity;
    return true;
}

static bool take_point(void *self, const struct ff_point *point, uint64_t event)
{
    struct event_replay *replay = self;
    size_t count = replay->point_count;

    if (event > replay->to)
        return false;
    if (count >= run_event_points(point->layers) && event != replay->point_events[count - 1]) {
        replay->boundary = replay->point_events[count - 1];
        replay->more = true;
        return false;
    }
    if (count == replay->point_capacity && !grow_points(replay)) {
        replay->failed = true;
        return false;
    }
    replay->points[count] = *point;
    replay->point_events[count] = event;
    replay->point_count++;
    return true;
}

static bool take_epoch(void *self, const struct ff_epoch *epoch, uint64_t event)
{
    struct event_replay *replay = self;

    if (event > replay->boundary)
        return false;
    if (replay->epoch_count == replay->epoch_capacity) {
        size_t capacity = replay->epoch_capacity == 0 ? 16 : replay->epoch_capacity * 2;
        struct numbered_epoch *epochs = realloc(replay->epochs, capacity * sizeof *epochs);

        if (epochs == NULL) {
            replay->failed = true;
            return false;
        }
        replay->epochs = epochs;
        replay->epoch_capacity = capacity;
    }
    replay->epochs[replay->epoch_count++] = (struct numbered_epoch){*epoch, event};
    return true;
}

/* The next slice of a run; false when it cannot be read. */
static bool read_slice(struct event_replay *replay, int64_t run)
{
    struct ff_error error;

    replay->point_count = replay->epoch_count = 0;
    replay->boundary = replay->to;
    replay->more = replay->failed = false;
    return store_read_points(replay->api->store, run, replay->after_step, replay->after_event, take_point, replay,
                             &error) == FF_OK &&
           store_read_epochs(replay->api->store, run, replay->after_epoch, replay->after_event, take_epoch, replay,
                             &error) == FF_OK &&
           !replay->failed;
}

/* --- writing it ----------------------------------------------------------------------------------------------- */

static void write_json(struct text *text, const char *type, uint64_t number, int64_t run, cJSON *json)
{
    char *line = run_event_text(run, json);

    event_write(text, type, number, line);
    free(line);
}

/* Points `first` to `end` - 1 as one event. */
static void write_points(const struct event_replay *replay, struct text *text, int64_t run, size_t first,
                         size_t end)
{
    if (first < end)
        write_json(text, "points", replay->numbered ? replay->point_events[end - 1] : 0, run,
                   run_points_to_json(replay->points + first, end - first));
}

/* In order of their numbers: points, broken where an epoch comes between. */
static void write_slice(struct event_replay *replay, struct text *text, int64_t run)
{
    size_t point = 0;

    for (size_t i = 0; i < replay->epoch_count; i++) {
        const struct numbered_epoch *next = &replay->epochs[i];
        size_t first = point;

        while (point < replay->point_count && replay->point_events[point] < next->event)
            point++;
        write_points(replay, text, run, first, point);
        write_json(text, "epoch", replay->numbered ? next->event : 0, run, run_epoch_to_json(&next->epoch));
        replay->after_epoch = next->epoch.epoch;
    }
    write_points(replay, text, run, point, replay->point_count);
    if (replay->point_count > 0)
        replay->after_step = replay->points[replay->point_count - 1].step;
    replay->after_event = replay->boundary;
}

bool event_replay_next(struct event_replay *replay, struct text *text)
{
    int64_t run;

    if (replay->next_run == replay->run_count) {
        /* An event without data sets the reader's last number, and nothing else. */
        text_print(text, "id: %llu\n\n", (unsigned long long)replay->to);
        return false;
    }
    run = replay->runs[replay->next_run];
    if (read_slice(replay, run))
        write_slice(replay, text, run);
    else
        replay->more = false; /* deleted meanwhile, or the disk fails: the metrics have what is left */
    if (!replay->more) {
        replay->next_run++;
        replay->after_event = replay->from;
        replay->after_step = 0;
        replay->after_epoch = 0;
    }
    return true;
}
