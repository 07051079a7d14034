/* api_timeline.c - who worked when, in the Trace Event Format that Perfetto and chrome://tracing open. */
#include <stdlib.h>

#include "api.h"
#include "message.h"

enum { STAGES_MAX = FF_LAYERS_MAX + 1 /* a read-out may have one */ };

/* The layers of a stage, as the spans show them. */
struct track {
    bool seen;
    uint32_t first, last;
};

static const char *kind_name(uint8_t kind)
{
    static const char *const names[] = {
        [FF_TRAIN] = "train", [FF_FORWARD] = "forward", [FF_GET] = "get", [FF_SET] = "set", [FF_STOP] = "stop"};

    return kind < sizeof names / sizeof *names ? names[kind] : "other";
}

static void find_tracks(const struct run *run, const struct ff_span *spans, size_t count,
                        struct track tracks[STAGES_MAX])
{
    for (size_t i = 0; i < count; i++) {
        struct track *track = &tracks[spans[i].stage];

        if (!track->seen || spans[i].layer < track->first)
            track->first = spans[i].layer;
        if (!track->seen || spans[i].layer > track->last)
            track->last = spans[i].layer;
        track->seen = true;
    }
    if (run->placement.stages == 1) /* so it is, even when nothing is known of the time */
        tracks[0] = (struct track){.seen = true,
                                   .first = 0,
                                   .last = run->config.layer_count - 1 + (run->config.readout != FF_READOUT_NONE)};
}

static void print_track(struct text *text, const struct run *run, uint32_t stage, const struct track *track)
{
    uint32_t top = run->config.layer_count - 1, last = track->last < top ? track->last : top;
    bool reads_out = track->seen && track->last > top;

    text_print(text, ",\n{\"name\":\"thread_name\",\"ph\":\"M\",\"pid\":1,\"tid\":%u,\"args\":{\"name\":\"stage %u",
               (unsigned)stage, (unsigned)stage);
    if (track->seen && track->first > top)
        text_print(text, " (read-out)");
    else if (track->seen && track->first == last)
        text_print(text, " (layer %u%s)", (unsigned)track->first, reads_out ? ", read-out" : "");
    else if (track->seen)
        text_print(text, " (layers %u-%u%s)", (unsigned)track->first, (unsigned)last,
                   reads_out ? ", read-out" : "");
    text_print(text, "\"}}");
    text_print(text,
               ",\n{\"name\":\"thread_sort_index\",\"ph\":\"M\",\"pid\":1,\"tid\":%u,\"args\":{\"sort_index\":%u}}",
               (unsigned)stage, (unsigned)stage);
}

/* The process and its tracks: metadata events have no time. */
static void print_names(struct text *text, const struct run *run, const struct ff_span *spans, size_t count)
{
    struct track tracks[STAGES_MAX] = {0};
    cJSON *name = cJSON_CreateString(run->name);
    char *quoted = name != NULL ? cJSON_PrintUnformatted(name) : NULL;

    find_tracks(run, spans, count, tracks);
    text_print(text, "{\"name\":\"process_name\",\"ph\":\"M\",\"pid\":1,\"args\":{\"name\":%s}}",
               quoted != NULL ? quoted : "\"goodness\"");
    text_print(text, ",\n{\"name\":\"process_labels\",\"ph\":\"M\",\"pid\":1,\"args\":{\"labels\":\"run %lld\"}}",
               (long long)run->id);
    for (uint32_t stage = 0; stage < STAGES_MAX; stage++)
        if (stage < run->placement.stages || tracks[stage].seen)
            print_track(text, run, stage, &tracks[stage]);
    cJSON_free(quoted);
    cJSON_Delete(name);
}

/* Nanoseconds as the format's microseconds, nothing lost. */
static void print_time(struct text *text, const char *name, uint64_t nanoseconds)
{
    text_print(text, ",\"%s\":%llu.%03u", name, (unsigned long long)(nanoseconds / 1000),
               (unsigned)(nanoseconds % 1000));
}

static void print_span(struct text *text, const struct run *run, const struct ff_span *span)
{
    const char *kind = kind_name(span->kind);

    if (span->layer < run->config.layer_count)
        text_print(text, ",\n{\"name\":\"layer %u %s\"", (unsigned)span->layer, kind);
    else
        text_print(text, ",\n{\"name\":\"read-out %s\"", kind);
    text_print(text, ",\"cat\":\"%s\",\"ph\":\"X\"", kind);
    print_time(text, "ts", span->begin);
    print_time(text, "dur", span->end > span->begin ? span->end - span->begin : 0);
    text_print(text, ",\"pid\":1,\"tid\":%u,\"args\":{\"step\":%llu}}", (unsigned)span->stage,
               (unsigned long long)span->step);
}

/* GET /api/v1/runs/{id}/timeline */
void api_timeline(struct api *api, const struct request *request, struct response *response)
{
    struct ff_span *spans = NULL;
    struct ff_error error;
    struct text text;
    struct run run;
    size_t count;

    if (!api_no_query(request, response) || !api_run(api, request, response, &run))
        return;
    if (session_timeline(api->session, run.id, &spans, &count, &error) != FF_OK) {
        respond_error(response, &error);
        return;
    }
    text_open(&text);
    text_print(&text, "{\"traceEvents\":[\n");
    print_names(&text, &run, spans, count);
    for (size_t i = 0; i < count; i++)
        print_span(&text, &run, &spans[i]);
    text_print(&text, "\n],\"displayTimeUnit\":\"ms\"}\n");
    api_respond_text(response, "application/json", &text);
    free(spans);
}
