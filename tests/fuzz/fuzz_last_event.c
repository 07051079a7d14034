/* Last-Event-ID, and the stream that follows: whatever number a reader comes back with, numbers rise, every event
 * is whole, and what cannot be told is said to be missing. The first byte says of which run, the rest is the field.
 *
 * Two runs: one of a former daemon, in the store alone; one of this daemon, the last of it in the ring too. */
#include "fuzz.h"

#include <errno.h>
#include <string.h>

#include "../temporary.h"
#include "event_stream.h"
#include "json.h"
#include "preset.h"

enum { RING_BYTES = 16 * 1024, PIECE = 997, EPOCHS = 6, EVENTS = 5 };

static struct world {
    char folder[256];
    struct api api;
    int64_t run[2];
} world;

static void open_world(void)
{
    struct ff_error error;

    world.api.store = store_open(world.folder, &error);
    FUZZ_CHECK(world.api.store != NULL);
    world.api.hub = hub_create(store_first_event(world.api.store), RING_BYTES, &error);
    world.api.catalog = catalog_create(&error);
    world.api.session = session_create(world.api.store, world.api.hub, world.api.catalog,
                                       (struct ff_placement){0, 0}, NULL, &error);
    FUZZ_CHECK(world.api.session != NULL);
}

static void close_world(void)
{
    session_destroy(world.api.session);
    catalog_destroy(world.api.catalog);
    hub_destroy(world.api.hub);
    store_close(world.api.store);
}

static int64_t add_run(void)
{
    static struct run run;
    struct ff_error error;
    size_t count;

    run = (struct run){.state = RUN_FINISHED, .created = 1, .started = 2, .ended = 3, .name = "a run"};
    ff_preset_config(ff_presets(&count), &run.config);
    FUZZ_CHECK(store_insert_run(world.api.store, &run, &error) == FF_OK);
    return run.id;
}

static void make_epoch(int64_t run, uint32_t number)
{
    struct ff_epoch epoch = {.epoch = number, .step = (uint64_t)number * EVENTS, .layers = 2, .digest = "sha256:0"};
    char json[64];
    uint64_t event;

    for (uint64_t i = 0; i < EVENTS; i++) {
        struct ff_point point = {.step = (number - 1) * EVENTS + i + 1, .epoch = 0.5, .elapsed = 1, .layers = 2};

        event = hub_append_points(world.api.hub, run, &point, 1);
        store_append_points(world.api.store, run, event, &point, 1);
        hub_append(world.api.hub, run, "change", "{}"); /* closes the event of the point */
    }
    snprintf(json, sizeof json, "{\"run\":%lld,\"epoch\":%u}", (long long)run, (unsigned)number);
    event = hub_append(world.api.hub, run, "epoch", json);
    store_append_epoch(world.api.store, run, event, &epoch);
}

static void end_world(void)
{
    close_world();
    temporary_remove(world.folder);
}

static void begin_world(void)
{
    if (world.folder[0] != '\0')
        return;
    temporary_folder(world.folder);
    for (int life = 0; life < 2; life++) {
        open_world();
        world.run[life] = add_run();
        for (uint32_t epoch = 1; epoch <= EPOCHS; epoch++)
            make_epoch(world.run[life], epoch);
        store_flush(world.api.store);
        if (life == 0)
            close_world();
    }
    atexit(end_world);
}

/* One line of a stream. */
static void check_line(const char *line, uint64_t *newest)
{
    struct ff_error error;

    if (strncmp(line, "data: ", 6) == 0) {
        cJSON *json = json_parse_strict(line + 6, strlen(line + 6), &error);

        FUZZ_CHECK(cJSON_IsObject(json));
        cJSON_Delete(json);
    } else if (strncmp(line, "id: ", 4) == 0) {
        uint64_t number;

        FUZZ_CHECK(event_stream_number(line + 4, &number) && number >= *newest);
        *newest = number;
    } else {
        FUZZ_CHECK(line[0] == '\0' || line[0] == ':' || strncmp(line, "event: ", 7) == 0 ||
                   strncmp(line, "retry: ", 7) == 0);
    }
}

static void check_text(char *text)
{
    uint64_t newest = 0;

    for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        check_line(line, &newest);
    }
}

static void read_stream(struct http_stream *stream)
{
    size_t size = 1 << 20, length = 0;
    char *text = malloc(size);
    ssize_t got;

    FUZZ_CHECK(text != NULL);
    while ((got = stream->read(stream->self, text + length, PIECE)) > 0) {
        length += (size_t)got;
        FUZZ_CHECK(length + PIECE < size);
    }
    text[length] = '\0';
    FUZZ_CHECK(strlen(text) == length && (length == 0 || text[length - 1] == '\n'));
    check_text(text);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_stream stream;
    uint64_t number = 0, expected;
    bool resumes;
    char *text;

    if (size == 0)
        return 0;
    begin_world();
    text = fuzz_text(data + 1, size - 1);
    resumes = event_stream_number(text, &number);
    errno = 0;
    expected = strtoull(text, NULL, 10);
    FUZZ_CHECK(resumes == (text[0] != '\0' && strspn(text, "0123456789") == strlen(text) && errno == 0));
    FUZZ_CHECK(!resumes || number == expected);
    FUZZ_CHECK(
        event_stream_open(&world.api, data[0] % 3 == 0 ? 0 : world.run[data[0] % 3 - 1], resumes, number, &stream));
    read_stream(&stream);
    stream.close(stream.self);
    free(text);
    return 0;
}
