#include "event_stream.h"

#include <stdlib.h>
#include <string.h>

#include "digits.h"
#include "event_replay.h"
#include "timing.h"

enum { FIRST_BUFFER = 16 * 1024, HEARTBEAT_SECONDS = 15 };

struct event_stream {
    struct api *api;
    int64_t run; /* 0: all */
    struct hub_cursor cursor;
    int64_t last_run;         /* whose points the cursor's last_step belongs to */
    uint64_t snapshot;        /* the newest event when the state was sent: older states are out of date */
    struct store_newest kept; /* of a run of which the reader may have had more than was kept; run 0: of none */
    uint64_t from, until;     /* of runs that went back between these events the reader has to be told */
    bool greeted;             /* the state was sent */
    bool numbered;            /* the state may bear a number: nothing older is still to come */
    bool final;               /* the run has ended: so does the stream, after what is left */
    bool ended;
    struct event_replay *replay;
    char *text; /* to be sent, from `at` on */
    size_t length, at;
    char *buffer; /* for the hub's text */
    size_t size;
    double wrote; /* when text last came */
};

static void write_deleted(struct event_stream *stream, struct text *text)
{
    char json[48];

    snprintf(json, sizeof json, "{\"run\":%lld}", (long long)stream->run);
    event_write(text, "deleted", 0, json);
}

/* The run's state, whole. */
static void write_state(struct event_stream *stream, struct text *text, int64_t id)
{
    struct ff_error error;
    struct run run;
    cJSON *json;
    char *line;

    if (session_get(stream->api->session, id, &run, &error) != FF_OK) {
        stream->ended = stream->run != 0;
        if (stream->ended && error.status == FF_NOT_FOUND) /* told in an event that was lost */
            write_deleted(stream, text);
        return;
    }
    stream->final = stream->run != 0 && run_state_is_final(run.state);
    json = run_to_json(&run);
    line = json != NULL ? cJSON_PrintUnformatted(json) : NULL;
    event_write(text, "state", stream->numbered ? stream->snapshot : 0, line);
    cJSON_free(line);
    cJSON_Delete(json);
}

static void write_dropped(struct text *text, int64_t run, uint64_t after, uint64_t number)
{
    char json[96];

    snprintf(json, sizeof json, "{\"run\":%lld,\"after\":%llu}", (long long)run, (unsigned long long)after);
    event_write(text, "dropped", number, json);
}

static void write_rewind(void *self, int64_t run, uint64_t step)
{
    write_dropped(self, run, step, 0);
}

/* Of runs that went back to a checkpoint while the reader was not there, or was told so in events that are lost. */
static void write_rewinds(struct event_stream *stream, struct text *text, uint64_t from, uint64_t until)
{
    if (from < until)
        store_read_rewinds(stream->api->store, stream->run, from, until, write_rewind, text);
}

static void greet(struct event_stream *stream, struct text *text)
{
    int64_t current = stream->run != 0 ? stream->run : session_current(stream->api->session);

    stream->greeted = true;
    stream->snapshot = hub_newest(stream->api->hub);
    stream->numbered &= stream->cursor.seen == stream->snapshot; /* others may have come since it was opened */
    text_print(text, ": goodness\nretry: 1000\n\n");
    if (stream->kept.run != 0)
        write_dropped(text, stream->kept.run, stream->kept.step, 0);
    write_rewinds(stream, text, stream->from, stream->until);
    stream->kept.run = 0;
    stream->until = 0;
    if (current != 0)
        write_state(stream, text, current);
}

static bool is_final_state(const struct hub_event *event)
{
    cJSON *json = cJSON_Parse(event->json);
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(json, "state");
    enum run_state state;
    bool final =
        cJSON_IsString(name) && run_state_from_name(name->valuestring, &state) && run_state_is_final(state);

    cJSON_Delete(json);
    return final;
}

static void write_event(struct event_stream *stream, struct text *text, const struct hub_event *event)
{
    bool state = strcmp(event->type, "state") == 0;

    if (state && event->number <= stream->snapshot && stream->run != 0)
        return;
    if (strcmp(event->type, "points") == 0)
        stream->last_run = event->run;
    event_write(text, event->type, event->number, event->json);
    if (stream->run == 0)
        return;
    if (state)
        stream->final = is_final_state(event); /* or no longer: it was resumed */
    stream->ended |= (state && stream->final) || strcmp(event->type, "deleted") == 0;
}

/* Among all runs it is the one that trains that matters, else the last that was told of: the others' points are
 * complete, or can be asked for when they are looked at. */
static int64_t find_dropped_run(const struct event_stream *stream)
{
    int64_t run = stream->run != 0 ? stream->run : session_current(stream->api->session);

    if (run == 0)
        run = stream->last_run;
    return run != 0 ? run : store_latest_run(stream->api->store);
}

/* From which step to ask for what was lost. */
static void tell_dropped(struct event_stream *stream, struct text *text)
{
    int64_t run = find_dropped_run(stream);
    uint64_t after = run == stream->last_run ? stream->cursor.last_step : 0;

    if (run != 0) /* they are all deleted */
        write_dropped(text, run, after, stream->cursor.seen);
}

/* The ring has no longer what follows `seen`. Somebody who resumes gets it from the store; somebody who was too
 * slow is told from where to ask, and how the run stands now. */
static void repair(struct event_stream *stream, struct text *text, uint64_t seen)
{
    write_rewinds(stream, text, seen, stream->cursor.seen);
    if (seen < stream->snapshot)
        stream->replay = event_replay_create(stream->api, stream->run, seen, stream->cursor.seen);
    if (stream->replay != NULL)
        return;
    tell_dropped(stream, text);
    stream->greeted = false;
    stream->numbered = false;
}

static bool grow_buffer(struct event_stream *stream, size_t needed)
{
    char *buffer = realloc(stream->buffer, needed);

    if (buffer == NULL)
        return false;
    stream->buffer = buffer;
    stream->size = needed;
    return true;
}

/* The hub's next event; false when there is none. */
static bool write_next(struct event_stream *stream, struct text *text)
{
    uint64_t seen = stream->cursor.seen;
    struct hub_event event;
    size_t needed = 0;
    int found = hub_next(stream->api->hub, &stream->cursor, &event, stream->buffer, stream->size, &needed);

    if (found == -2) {
        stream->ended = !grow_buffer(stream, needed);
        return true;
    }
    if (found == 1)
        write_event(stream, text, &event);
    else if (found == -1)
        repair(stream, text, seen);
    return found != 0;
}

static void beat(const struct event_stream *stream, struct text *text)
{
    if (timing_seconds() - stream->wrote >= HEARTBEAT_SECONDS - 1)
        text_print(text, ":\n\n");
}

/* One thing more of what is to be sent; false when there is nothing. */
static bool write_something(struct event_stream *stream, struct text *text)
{
    if (!stream->greeted) {
        greet(stream, text);
        return true;
    }
    if (stream->replay != NULL) {
        if (!event_replay_next(stream->replay, text)) {
            event_replay_destroy(stream->replay);
            stream->replay = NULL;
        }
        return true;
    }
    if (write_next(stream, text))
        return true;
    stream->ended |= stream->final;
    return false;
}

/* A reader who has had everything holds as little as one who just came. */
static void shrink(struct event_stream *stream)
{
    char *buffer = stream->size > FIRST_BUFFER ? realloc(stream->buffer, FIRST_BUFFER) : NULL;

    if (buffer == NULL)
        return;
    stream->buffer = buffer;
    stream->size = FIRST_BUFFER;
}

/* New text, when there is some: false, and none, when memory is short too. */
static bool refill(struct event_stream *stream)
{
    struct text text;

    free(stream->text);
    stream->at = stream->length = 0;
    text_open(&text);
    while (!stream->ended && text.stream != NULL) {
        bool more = write_something(stream, &text);

        fflush(text.stream);
        if (!more || text.length >= FIRST_BUFFER)
            break;
    }
    if (text.length == 0 && !stream->ended) {
        shrink(stream);
        beat(stream, &text);
    }
    stream->text = text_close(&text, &stream->length);
    if (stream->text == NULL)
        stream->ended = true;
    if (stream->length > 0)
        stream->wrote = timing_seconds();
    return stream->length > 0;
}

static ssize_t read_events(void *self, char *buffer, size_t size)
{
    struct event_stream *stream = self;
    size_t length;

    if (stream->at == stream->length && (stream->ended || !refill(stream)))
        return stream->ended ? -1 : 0;
    length = stream->length - stream->at < size ? stream->length - stream->at : size;
    memcpy(buffer, stream->text + stream->at, length);
    stream->at += length;
    return (ssize_t)length;
}

static void close_events(void *self)
{
    struct event_stream *stream = self;

    event_replay_destroy(stream->replay);
    free(stream->text);
    free(stream->buffer);
    free(stream);
}

/* Events of a former daemon are told before they are committed, so one that was killed may have told more than it
 * kept. Whoever comes back with a later number than any that was kept is to ask again from there: of steps that are
 * lost, other figures may follow. */
static void find_lost(struct event_stream *stream, uint64_t last_event)
{
    struct store *store = stream->api->store;
    struct store_newest newest;
    struct ff_error ignored; /* no such run: nothing is lost of it */

    if (store_find_newest(store, stream->run, store_first_event(store), &newest, &ignored) == FF_OK &&
        last_event > newest.event)
        stream->kept = newest;
}

bool event_stream_number(const char *text, uint64_t *number)
{
    return text != NULL && digits_whole(text, number);
}

bool event_stream_open(struct api *api, int64_t run, bool resumes, uint64_t last_event, struct http_stream *stream)
{
    struct event_stream *events = calloc(1, sizeof *events);
    uint64_t newest = hub_newest(api->hub), first = store_first_event(api->store);

    if (events == NULL)
        return false;
    *events = (struct event_stream){.api = api, .run = run, .wrote = timing_seconds()};
    events->cursor = (struct hub_cursor){.run = run, .seen = resumes && last_event < newest ? last_event : newest};
    events->numbered = events->cursor.seen == newest;
    if (resumes && first > 0 && last_event < first - 1) { /* from before this daemon: no ring has it */
        find_lost(events, last_event);
        events->from = last_event;
        events->until = first - 1;
        events->replay = event_replay_create(api, run, last_event, first - 1);
        events->cursor.seen = first - 1;
        events->numbered = false;
    }
    *stream = (struct http_stream){events, read_events, close_events, HEARTBEAT_SECONDS};
    if (grow_buffer(events, FIRST_BUFFER))
        return true;
    close_events(events);
    return false;
}
