#include "hub.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"
#include "thread.h"
#include "timing.h"

enum { WAKE_MILLISECONDS = 100, WAKE_MILLISECONDS_MOST = 500, IDLE_MILLISECONDS = 15000 };

/* One event in the ring. Its number is its place: the oldest's number plus its index. */
struct entry {
    int64_t run;
    uint64_t last_step; /* of points; 0 for other types */
    size_t size;        /* of json, with its NUL */
    char type[16];
    char *json;
};

struct hub {
    uint64_t oldest; /* constant */

    /* Who appends holds `order`, so that numbers are given in the order of the ring. Guards what is pending.
     * Readers never take it. Taken before `mutex`, never after it. */
    pthread_mutex_t order;
    int64_t pending_run;
    size_t pending_count;
    struct ff_point pending[RUN_EVENT_POINTS_MAX];

    pthread_mutex_t mutex; /* guards all below; held for no longer than a copy takes */
    pthread_cond_t changed;
    struct entry *ring; /* [room], from `first` on, wrapping */
    size_t room, first, count;
    size_t bytes, keep_bytes;
    uint64_t next;    /* the number that the next event will have */
    uint64_t dropped; /* times that a reader was too late */
    bool points_wait, news, closing, waking;
    hub_wake *wake;
    void *wake_self;
    pthread_t ticker;
};

/* The ring. All with the mutex. */

static struct entry *entry_at(struct hub *hub, size_t index)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.DivideZero): where there is an entry there is room */
    return &hub->ring[(hub->first + index) % hub->room];
}

static size_t entry_bytes(const struct entry *entry)
{
    return sizeof *entry + entry->size;
}

static void drop_oldest(struct hub *hub)
{
    struct entry *entry = entry_at(hub, 0);

    hub->bytes -= entry_bytes(entry);
    free(entry->json);
    hub->first = (hub->first + 1) % hub->room;
    hub->count--;
}

static bool make_room(struct hub *hub)
{
    if (hub->count < hub->room)
        return true;
    size_t room = hub->room > 0 ? hub->room * 2 : 64;
    struct entry *ring = malloc(room * sizeof *ring);
    if (ring == NULL)
        return false;
    for (size_t i = 0; i < hub->count; i++)
        ring[i] = *entry_at(hub, i);
    free(hub->ring);
    hub->ring = ring;
    hub->room = room;
    hub->first = 0;
    return true;
}

/* Put `entry` in and give its number. Without memory the event is lost, and with it the ring: every reader is told
 * that events are missing, which is the truth. */
static uint64_t ring_append(struct hub *hub, const struct entry *entry)
{
    if (entry->json != NULL && make_room(hub)) {
        *entry_at(hub, hub->count++) = *entry;
        hub->bytes += entry_bytes(entry);
        while (hub->bytes > hub->keep_bytes && hub->count > 1)
            drop_oldest(hub);
    } else {
        free(entry->json);
        while (hub->count > 0)
            drop_oldest(hub);
    }
    return hub->next++;
}

/* Appending. All with `order`, without the mutex. */

static uint64_t append_entry(struct hub *hub, const struct entry *entry)
{
    pthread_mutex_lock(&hub->mutex);
    uint64_t number = ring_append(hub, entry);
    hub->news = true;
    pthread_cond_broadcast(&hub->changed);
    pthread_mutex_unlock(&hub->mutex);
    return number;
}

/* The points that wait become one event. */
static void append_pending(struct hub *hub)
{
    if (hub->pending_count == 0)
        return;
    cJSON *json = run_points_to_json(hub->pending, hub->pending_count);
    char *text = run_event_text(hub->pending_run, json);
    struct entry entry = {.run = hub->pending_run,
                          .last_step = hub->pending[hub->pending_count - 1].step,
                          .size = text != NULL ? strlen(text) + 1 : 0,
                          .type = "points",
                          .json = text};
    append_entry(hub, &entry);
    hub->pending_count = 0;
}

uint64_t hub_append(struct hub *hub, int64_t run, const char *type, const char *json)
{
    struct entry entry = {.run = run, .size = strlen(json) + 1, .json = strdup(json)};

    snprintf(entry.type, sizeof entry.type, "%s", type);
    pthread_mutex_lock(&hub->order);
    append_pending(hub);
    uint64_t number = append_entry(hub, &entry);
    pthread_mutex_unlock(&hub->order);
    return number;
}

/* Points of one call stay together where they can: their event is what a reader who comes back has seen, or not. */
static void gather(struct hub *hub, int64_t run, const struct ff_point *points, size_t count)
{
    size_t most = count > 0 ? run_event_points(points[0].layers) : 0;

    if (run != hub->pending_run || hub->pending_count + count > most)
        append_pending(hub);
    hub->pending_run = run;
    while (count > 0) {
        size_t part = count < most ? count : most;
        memcpy(hub->pending + hub->pending_count, points, part * sizeof *points);
        hub->pending_count += part;
        points += part;
        count -= part;
        if (count > 0)
            append_pending(hub);
    }
}

uint64_t hub_append_points(struct hub *hub, int64_t run, const struct ff_point *points, size_t count)
{
    pthread_mutex_lock(&hub->order);
    gather(hub, run, points, count);
    pthread_mutex_lock(&hub->mutex);
    uint64_t number = hub->next;
    if (!hub->points_wait) {
        hub->points_wait = true;
        pthread_cond_broadcast(&hub->changed);
    }
    pthread_mutex_unlock(&hub->mutex);
    pthread_mutex_unlock(&hub->order);
    return number;
}

uint64_t hub_newest(struct hub *hub)
{
    pthread_mutex_lock(&hub->mutex);
    uint64_t newest = hub->next - 1;
    pthread_mutex_unlock(&hub->mutex);
    return newest;
}

uint64_t hub_oldest(const struct hub *hub)
{
    return hub->oldest;
}

uint64_t hub_dropped(struct hub *hub)
{
    pthread_mutex_lock(&hub->mutex);
    uint64_t dropped = hub->dropped;
    pthread_mutex_unlock(&hub->mutex);
    return dropped;
}

/* The ticker */

/* How long a wake of so many is to serve them: a millisecond each. */
static int64_t rest_after(size_t woken)
{
    if (woken <= WAKE_MILLISECONDS)
        return WAKE_MILLISECONDS;
    return woken < WAKE_MILLISECONDS_MOST ? (int64_t)woken : WAKE_MILLISECONDS_MOST;
}

/* With the mutex: wait until there is something to tell and the last time is `rest` ms ago, or 15 s are over. */
static void wait_for_news(struct hub *hub, int64_t last, int64_t rest)
{
    while (!hub->closing) {
        bool something = hub->news || hub->points_wait;
        int64_t when = last + (something ? rest : IDLE_MILLISECONDS);
        struct timespec time = timing_until(when);
        if (when <= timing_now())
            return;
        pthread_cond_timedwait(&hub->changed, &hub->mutex, &time);
    }
}

static void send_pending(struct hub *hub)
{
    pthread_mutex_lock(&hub->order);
    append_pending(hub);
    pthread_mutex_unlock(&hub->order);
}

/* Returns how many were woken. */
static size_t call_wake(struct hub *hub)
{
    pthread_mutex_lock(&hub->mutex);
    hub_wake *wake = hub->wake;
    void *self = hub->wake_self;
    hub->news = false;
    hub->waking = wake != NULL;
    pthread_mutex_unlock(&hub->mutex);
    if (wake == NULL)
        return 0;
    size_t woken = wake(self);
    pthread_mutex_lock(&hub->mutex);
    hub->waking = false;
    pthread_cond_broadcast(&hub->changed);
    pthread_mutex_unlock(&hub->mutex);
    return woken;
}

static void *tick(void *argument)
{
    struct hub *hub = argument;
    int64_t last = timing_now() - WAKE_MILLISECONDS, rest = WAKE_MILLISECONDS;

    for (;;) {
        pthread_mutex_lock(&hub->mutex);
        wait_for_news(hub, last, rest);
        bool closing = hub->closing, points = hub->points_wait;
        hub->points_wait = false;
        pthread_mutex_unlock(&hub->mutex);
        if (closing)
            return NULL;
        last = timing_now();
        if (points)
            send_pending(hub);
        rest = rest_after(call_wake(hub));
    }
}

/* Life */

struct hub *hub_create(uint64_t first_event, size_t keep_bytes, struct ff_error *error)
{
    struct hub *hub = calloc(1, sizeof *hub);

    if (hub == NULL) {
        ff_fail_memory(error, "the ring of events");
        return NULL;
    }
    hub->next = hub->oldest = first_event > 0 ? first_event : 1;
    hub->keep_bytes = keep_bytes;
    pthread_mutex_init(&hub->order, NULL);
    pthread_mutex_init(&hub->mutex, NULL);
    timing_condition(&hub->changed);
    if (thread_start(&hub->ticker, tick, hub, "sends events", error) != FF_OK) {
        free(hub);
        return NULL;
    }
    return hub;
}

void hub_set_wake(struct hub *hub, hub_wake *wake, void *self)
{
    pthread_mutex_lock(&hub->mutex);
    hub->wake = wake;
    hub->wake_self = self;
    while (hub->waking && !pthread_equal(pthread_self(), hub->ticker))
        pthread_cond_wait(&hub->changed, &hub->mutex);
    pthread_mutex_unlock(&hub->mutex);
}

void hub_destroy(struct hub *hub)
{
    if (hub == NULL)
        return;
    pthread_mutex_lock(&hub->mutex);
    hub->closing = true;
    pthread_cond_broadcast(&hub->changed);
    pthread_mutex_unlock(&hub->mutex);
    pthread_join(hub->ticker, NULL);
    while (hub->count > 0)
        drop_oldest(hub);
    free(hub->ring);
    pthread_cond_destroy(&hub->changed);
    pthread_mutex_destroy(&hub->mutex);
    pthread_mutex_destroy(&hub->order);
    free(hub);
}

/* Reading */

/* With the mutex: the first entry from the cursor on that is for its reader, passing over the others. */
static const struct entry *find_next(struct hub *hub, struct hub_cursor *cursor)
{
    uint64_t oldest = hub->next - hub->count;

    for (uint64_t number = cursor->seen + 1; number < hub->next; number++) {
        const struct entry *entry = entry_at(hub, (size_t)(number - oldest));
        if (cursor->run == 0 || cursor->run == entry->run)
            return entry;
        cursor->seen = number;
    }
    return NULL;
}

/* With the mutex. */
static int read_next(struct hub *hub, struct hub_cursor *cursor, struct hub_event *event, char *buffer, size_t size,
                     size_t *needed)
{
    uint64_t oldest = hub->next - hub->count;

    if (cursor->seen >= hub->next) /* nobody can have seen that */
        cursor->seen = hub->next - 1;
    if (cursor->seen + 1 < oldest) {
        cursor->seen = oldest - 1;
        return -1;
    }
    const struct entry *entry = find_next(hub, cursor);
    if (entry == NULL)
        return 0;
    if (entry->size > size) {
        *needed = entry->size;
        return -2;
    }
    memcpy(buffer, entry->json, entry->size);
    memcpy(event->type, entry->type, sizeof event->type);
    event->number = ++cursor->seen;
    event->run = entry->run;
    event->json = buffer;
    if (entry->last_step > 0)
        cursor->last_step = entry->last_step;
    return 1;
}

int hub_next(struct hub *hub, struct hub_cursor *cursor, struct hub_event *event, char *buffer, size_t size,
             size_t *needed)
{
    pthread_mutex_lock(&hub->mutex);
    int result = read_next(hub, cursor, event, buffer, size, needed);
    hub->dropped += result == -1;
    pthread_mutex_unlock(&hub->mutex);
    return result;
}
