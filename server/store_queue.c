#include "store_internal.h"

#include <stdlib.h>
#include <string.h>

#include "timing.h"

/* How much may wait, that which is just being written included: of what is given up first 64 MB, which is ten
 * seconds of a small network's points while a disk stalls; and so many epochs, some 1.3 KB each. */
enum { ROW_BYTES = sizeof(struct store_row), ROWS_MAX = 1 << 20, EPOCHS_MAX = 16384 };
enum { ITEM_ROWS = 1 + sizeof(struct store_item) / ROW_BYTES, HISTOGRAM_ROWS = 2048 / ROW_BYTES };
enum { CHUNK_ROWS = 1024 }; /* that an item of points grows to */

_Static_assert(ROW_BYTES == 64, "rows of points are many");

/* Items and lists of them */

bool store_is_series(const struct store_item *item)
{
    return item->kind == STORE_POINTS || item->kind == STORE_HISTOGRAMS || item->kind == STORE_CONFUSION;
}

/* What an item takes of ROWS_MAX. */
static size_t rows_held(const struct store_item *item)
{
    return store_is_series(item) ? ITEM_ROWS + (item->kind == STORE_POINTS ? item->room : item->row_count) : 0;
}

static void destroy(struct store_item *item)
{
    if (item == NULL)
        return;
    free(item->epoch);
    free(item->histograms);
    store_free_confusion(item->confusion);
    ff_durable_discard(item->checkpoint.file);
    free(item);
}

void store_free_item(struct store *store, struct store_item *item)
{
    store->held_rows -= rows_held(item);
    store->held_epochs -= item->kind == STORE_EPOCH;
    destroy(item);
}

void store_list_init(struct store_list *list)
{
    list->first = list->last = NULL;
    list->end = &list->first;
}

void store_list_push(struct store_list *list, struct store_item *item)
{
    item->next = NULL;
    *list->end = list->last = item;
    list->end = &item->next;
}

void store_list_join(struct store_list *list, struct store_list *more)
{
    if (more->first == NULL)
        return;
    *list->end = more->first;
    list->end = more->end;
    list->last = more->last;
    store_list_init(more);
}

void store_count_item(struct store *store, const struct store_item *item)
{
    store->queued_rows += item->row_count;
    store->queued_epochs += item->kind == STORE_EPOCH;
    store->queued_tasks += !store_is_series(item) && item->kind != STORE_EPOCH;
}

struct store_item *store_take_queue(struct store *store)
{
    struct store_item *items = store->queue.first;

    store_list_init(&store->queue);
    store->queued_rows = store->queued_epochs = store->queued_tasks = 0;
    return items;
}

/* Into the queue. All with the mutex. */

/* The thread is woken only when there is something to do at once, or for it to begin a wait. */
static void wake_writer(struct store *store, bool first)
{
    if (first)
        store->oldest = timing_now();
    if (first || store->queued_tasks > 0 || store->queued_rows >= STORE_SOON_ROWS)
        pthread_cond_signal(&store->queued);
}

static void enqueue(struct store *store, struct store_item *item)
{
    bool first = store->queue.first == NULL;

    store_list_push(&store->queue, item);
    store_count_item(store, item);
    store->held_rows += rows_held(item);
    store->held_epochs += item->kind == STORE_EPOCH;
    wake_writer(store, first);
}

void store_note_trouble(struct store *store)
{
    if (store->failure[0] == '\0' && store->lost_points + store->lost_epochs == 0)
        store->troubles++;
}

static void lose(struct store *store, uint64_t points, uint64_t epochs)
{
    store_note_trouble(store);
    store->lost_points += points;
    store->lost_epochs += epochs;
    store->given_up_points += points;
    store->given_up_epochs += epochs;
}

/* Waiting for it */

/* Queue a copy of `item`, and wait until it is done. */
static ff_status enqueue_and_wait(struct store *store, const struct store_item *asked, struct ff_error *error)
{
    struct store_item *item = calloc(1, sizeof *item);

    if (item == NULL)
        return ff_fail_memory(error, "a task of the database");
    *item = *asked;
    item->error = error;
    pthread_mutex_lock(&store->mutex);
    enqueue(store, item);
    while (!item->done)
        pthread_cond_wait(&store->done, &store->mutex);
    pthread_mutex_unlock(&store->mutex);
    ff_status status = item->status;
    free(item);
    return status;
}

ff_status store_do(struct store *store, store_task *task, void *self, struct ff_error *error)
{
    struct store_item item = {.kind = STORE_TASK, .task = task, .self = self};
    return enqueue_and_wait(store, &item, error);
}

ff_status store_remove(struct store *store, int64_t run, struct ff_error *error)
{
    struct store_item item = {.kind = STORE_REMOVAL, .run = run};
    return enqueue_and_wait(store, &item, error);
}

void store_wait_for_removals(struct store *store)
{
    pthread_mutex_lock(&store->mutex);
    while (store->removing)
        pthread_cond_wait(&store->done, &store->mutex);
    pthread_mutex_unlock(&store->mutex);
}

void store_add_checkpoint(struct store *store, const struct store_checkpoint *checkpoint)
{
    struct store_item *item = calloc(1, sizeof *item);
    struct ff_error error;

    if (item == NULL) {
        ff_fail_memory(&error, "a checkpoint");
        ff_durable_discard(checkpoint->file);
        checkpoint->tell(checkpoint->self, checkpoint->run, NULL, &error);
        return;
    }
    item->kind = STORE_CHECKPOINT;
    item->run = checkpoint->run;
    item->checkpoint = *checkpoint;
    pthread_mutex_lock(&store->mutex);
    enqueue(store, item);
    pthread_mutex_unlock(&store->mutex);
}

/* Points. They come one by one, and thousands a second: those of a run share an item, the next twice as large. */

static void copy_rows(struct store_item *item, uint64_t event, const struct ff_point *points, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (uint32_t layer = 0; layer < points[i].layers; layer++) {
            item->row[item->row_count++] = (struct store_row){.step = points[i].step,
                                                              .epoch = points[i].epoch,
                                                              .elapsed = points[i].elapsed,
                                                              .layer = layer,
                                                              .later = (uint32_t)(event - item->event),
                                                              .figures = points[i].layer[layer]};
        }
    }
}

static bool is_of(const struct store_item *item, int64_t run)
{
    return item != NULL && item->kind == STORE_POINTS && item->run == run;
}

/* An item for so many rows of the run, and as many more as will likely come. NULL: no room, or no memory. */
static struct store_item *make_points(struct store *store, int64_t run, uint64_t event, size_t rows)
{
    const struct store_item *last = store->queue.last;
    size_t room = is_of(last, run) && 2 * last->room < CHUNK_ROWS ? 2 * last->room
                  : is_of(last, run)                              ? CHUNK_ROWS
                                                                  : 0;

    if (room < rows)
        room = rows;
    if (store->held_rows + ITEM_ROWS + room > ROWS_MAX)
        return NULL;
    struct store_item *item = malloc(sizeof *item + room * sizeof item->row[0]);
    if (item != NULL)
        *item = (struct store_item){.kind = STORE_POINTS, .run = run, .event = event, .room = room};
    return item;
}

void store_append_points(struct store *store, int64_t run, uint64_t event, const struct ff_point *points,
                         size_t count)
{
    size_t rows = 0;

    for (size_t i = 0; i < count; i++)
        rows += points[i].layers;
    pthread_mutex_lock(&store->mutex);
    struct store_item *item = store->queue.last;
    if (is_of(item, run) && item->room - item->row_count >= rows && event - item->event <= UINT32_MAX) {
        copy_rows(item, event, points, count);
        store->queued_rows += rows;
        wake_writer(store, false);
    } else if ((item = make_points(store, run, event, rows)) != NULL) {
        copy_rows(item, event, points, count);
        enqueue(store, item);
    } else {
        lose(store, count, 0);
    }
    pthread_mutex_unlock(&store->mutex);
}

/* What else there is */

/* With as many layers as there are. */
static struct histograms *keep_histograms(const struct ff_histograms *histograms)
{
    struct histograms *copy =
        malloc(offsetof(struct histograms, layer) + histograms->layers * sizeof copy->layer[0]);

    if (copy != NULL)
        histograms_copy(copy, histograms);
    return copy;
}

/* Where there is room for it; else it is given up. Takes the item over; NULL is fine, as is one without content. */
static void append_figures(struct store *store, struct store_item *item, bool whole)
{
    if (item == NULL)
        return;
    pthread_mutex_lock(&store->mutex);
    bool room = whole && store->held_rows + rows_held(item) <= ROWS_MAX;
    if (room)
        enqueue(store, item);
    pthread_mutex_unlock(&store->mutex);
    if (!room)
        destroy(item);
}

void store_append_histograms(struct store *store, int64_t run, const struct ff_histograms *histograms)
{
    struct store_item *item = malloc(sizeof *item);

    if (item != NULL)
        *item = (struct store_item){.kind = STORE_HISTOGRAMS,
                                    .run = run,
                                    .row_count = (size_t)histograms->layers * HISTOGRAM_ROWS,
                                    .histograms = keep_histograms(histograms)};
    append_figures(store, item, item != NULL && item->histograms != NULL);
}

void store_append_confusion(struct store *store, int64_t run, const struct confusion *confusion)
{
    struct store_item *item = malloc(sizeof *item);
    struct store_confusion *kept = store_keep_confusion(confusion);

    if (item == NULL) {
        store_free_confusion(kept);
        return;
    }
    *item = (struct store_item){.kind = STORE_CONFUSION,
                                .run = run,
                                .row_count = kept != NULL ? kept->bytes / ROW_BYTES : 0,
                                .confusion = kept};
    append_figures(store, item, kept != NULL);
}

void store_append_epoch(struct store *store, int64_t run, uint64_t event, const struct ff_epoch *epoch)
{
    struct store_item *item = malloc(sizeof *item);
    struct ff_epoch *copy = malloc(sizeof *copy);
    bool whole = item != NULL && copy != NULL;
    if (copy != NULL)
        *copy = *epoch;
    if (item != NULL)
        *item = (struct store_item){.kind = STORE_EPOCH, .run = run, .event = event, .epoch = copy};

    pthread_mutex_lock(&store->mutex);
    bool room = whole && store->held_epochs < EPOCHS_MAX;
    if (room)
        enqueue(store, item);
    else
        lose(store, 0, 1);
    pthread_mutex_unlock(&store->mutex);
    if (room)
        return;
    if (item == NULL)
        free(copy);
    destroy(item);
}
