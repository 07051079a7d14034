#include "timeline.h"

#include <pthread.h>
#include <stdlib.h>

#include "spin.h"

struct ff_timeline {
    pthread_mutex_t mutex; /* guards all below */
    uint64_t begun, count; /* count: of all so far */
    struct ff_span spans[FF_SPANS_KEPT];
};

struct ff_timeline *ff_timeline_create(struct ff_error *error)
{
    struct ff_timeline *timeline = calloc(1, sizeof *timeline);

    if (timeline == NULL) {
        ff_fail_memory(error, "the timeline");
        return NULL;
    }
    pthread_mutex_init(&timeline->mutex, NULL);
    return timeline;
}

void ff_timeline_begin(struct ff_timeline *timeline)
{
    pthread_mutex_lock(&timeline->mutex);
    timeline->begun = ff_clock();
    pthread_mutex_unlock(&timeline->mutex);
}

/* Clocks of other ranks are known to some microseconds only. */
static uint64_t since_begun(const struct ff_timeline *timeline, uint64_t time)
{
    return time > timeline->begun ? time - timeline->begun : 0;
}

void ff_timeline_note(struct ff_timeline *timeline, const struct ff_line *line, const struct ff_message *message,
                      uint32_t layers)
{
    pthread_mutex_lock(&timeline->mutex);
    for (uint32_t layer = 0; layer < layers; layer++)
        timeline->spans[timeline->count++ % FF_SPANS_KEPT] =
            (struct ff_span){.stage = ff_line_stage_of(line, layer),
                             .layer = layer,
                             .kind = (uint8_t)message->kind,
                             .step = message->step,
                             .begin = since_begun(timeline, message->busy[layer].begin),
                             .end = since_begun(timeline, message->busy[layer].end)};
    pthread_mutex_unlock(&timeline->mutex);
}

size_t ff_timeline_read(struct ff_timeline *timeline, struct ff_span *spans, size_t most)
{
    uint64_t first;
    size_t count;

    pthread_mutex_lock(&timeline->mutex);
    count = timeline->count < FF_SPANS_KEPT ? (size_t)timeline->count : FF_SPANS_KEPT;
    count = count < most ? count : most;
    first = timeline->count - count;
    for (size_t i = 0; i < count; i++)
        spans[i] = timeline->spans[(first + i) % FF_SPANS_KEPT];
    pthread_mutex_unlock(&timeline->mutex);
    return count;
}

void ff_timeline_destroy(struct ff_timeline *timeline)
{
    if (timeline == NULL)
        return;
    pthread_mutex_destroy(&timeline->mutex);
    free(timeline);
}
