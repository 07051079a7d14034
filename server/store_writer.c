#include "store_internal.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "thread.h"
#include "timing.h"

enum { BATCH_ROWS = 65536 }; /* of points, in one transaction */
enum { COMMIT_MILLISECONDS = 500, RETRY_MILLISECONDS = 1000 };

/* A transaction */

static ff_status apply_item(struct store_database *database, struct store_item *item, struct ff_error *error)
{
    switch (item->kind) {
    case STORE_POINTS:
        return store_put_points(database, item, error);
    case STORE_HISTOGRAMS:
        return store_put_histograms(database, item, error);
    case STORE_CONFUSION:
        return store_put_confusion(database, item, error);
    case STORE_EPOCH:
        return store_put_epoch(database, item, error);
    case STORE_TASK:
    case STORE_REMOVAL:
    case STORE_CHECKPOINT:
        break;
    }
    return item->task(database, item->self, error);
}

/* What a transaction is to write. */
struct batch {
    struct store_item *items; /* NULL: it is a trial, whether the disk takes anything again */
    bool with_points;
};

/* Rows of a run that was deleted meanwhile, and tasks for one, are nobody's failure but their own. */
static ff_status apply_batch(struct store_database *database, void *self, struct ff_error *error)
{
    const struct batch *batch = self;

    if (batch->items == NULL)
        return store_run_kept(database, STORE_TRY, error);
    for (struct store_item *item = batch->items; item != NULL; item = item->next) {
        struct ff_error own = {0};
        if (item->kind == STORE_REMOVAL || item->kind == STORE_CHECKPOINT ||
            (store_is_series(item) && !batch->with_points))
            continue;
        item->status = apply_item(database, item, &own);
        if (item->kind == STORE_TASK && item->status == FF_NOT_FOUND)
            *item->error = own;
        if (item->status != FF_OK && item->status != FF_NOT_FOUND) {
            *error = own;
            return own.status;
        }
    }
    return FF_OK;
}

/* What a batch came to. */
struct written {
    bool points, rest; /* what is committed */
    struct ff_error error;
};

/* All of it; when that cannot be, what matters more than points. */
static struct written write_batch(struct store_database *database, struct store_item *items)
{
    struct batch batch = {.items = items, .with_points = true};
    struct written written = {0};
    struct ff_error again;
    bool any_points = false, any_rest = false;

    for (struct store_item *item = items; item != NULL; item = item->next) {
        any_points = any_points || store_is_series(item);
        any_rest = any_rest || item->kind == STORE_EPOCH || item->kind == STORE_TASK;
    }
    if (!any_points && !any_rest)
        batch.items = NULL;
    if (store_transact(database, apply_batch, &batch, &written.error) == FF_OK) {
        written.points = written.rest = true;
    } else if (any_points && any_rest) {
        batch.with_points = false;
        written.rest = store_transact(database, apply_batch, &batch, &again) == FF_OK;
    }
    return written;
}

/* The thread */

static void finish_task(struct store_item *task, const struct written *written)
{
    if (!written->rest) {
        task->status = written->error.status;
        *task->error = written->error;
    }
    task->done = true;
}

/* With the mutex: answer tasks, free what is written; what is not goes into `again`. */
static void finish_items(struct store *store, struct store_item *items, const struct written *written,
                         struct store_list *again)
{
    while (items != NULL) {
        struct store_item *item = items;
        items = item->next;
        if (item->kind == STORE_REMOVAL) {
            store->removing = store->removing || item->status == FF_OK;
            item->done = true;
            continue;
        }
        if (item->kind == STORE_TASK) {
            finish_task(item, written);
            continue;
        }
        if (item->kind == STORE_CHECKPOINT) {
            store_free_item(store, item);
            continue;
        }
        store_touch(store, item->run);
        if (store_is_series(item) ? written->points : written->rest)
            store_free_item(store, item);
        else
            store_list_push(again, item);
    }
    if (written->points) {
        store->failure[0] = '\0';
        store->lost_points = store->lost_epochs = 0;
    } else {
        store_note_trouble(store);
        memcpy(store->failure, written->error.message, sizeof store->failure - 1);
    }
    pthread_cond_broadcast(&store->done);
}

/* Take what comes up to the first checkpoint, that one included, off `items`; no more than is good for a
 * transaction.
 */
static struct store_item *take_part(struct store_item **items, struct store_item **checkpoint)
{
    struct store_item *first = *items, *last = first;
    size_t rows = 0;

    while (last != NULL && last->kind != STORE_CHECKPOINT && last->next != NULL) {
        rows += last->row_count;
        if (rows >= BATCH_ROWS)
            break;
        last = last->next;
    }
    *checkpoint = last != NULL && last->kind == STORE_CHECKPOINT ? last : NULL;
    *items = last != NULL ? last->next : NULL;
    if (last != NULL)
        last->next = NULL;
    return first;
}

/* One transaction, then the checkpoint behind it. Returns what was committed. `kept`: all before it was. */
static struct written write_part(struct store *store, struct store_item *items, struct store_item *checkpoint,
                                 const struct written *before)
{
    struct written written = write_batch(&store->database, items);

    if (written.points)
        store_reserve_make(store);
    if (checkpoint != NULL)
        store_commit_checkpoint(store, checkpoint,
                                !before->points   ? &before->error
                                : !written.points ? &written.error
                                                  : NULL);
    return written;
}

/* All of the queue, part after part. What could not be written goes back, before what came meanwhile. */
static struct written write_all(struct store *store, struct store_item *items)
{
    struct written all = {.points = true, .rest = true};
    struct store_item *checkpoint;
    struct store_list again;

    store_list_init(&again);
    store_write_removals(store, items);
    do {
        struct store_item *part = take_part(&items, &checkpoint);
        struct written written = write_part(store, part, checkpoint, &all);
        pthread_mutex_lock(&store->mutex);
        finish_items(store, part, &written, &again);
        pthread_mutex_unlock(&store->mutex);
        if (!written.points)
            all = written;
    } while (items != NULL);
    pthread_mutex_lock(&store->mutex);
    for (const struct store_item *item = again.first; item != NULL; item = item->next)
        store_count_item(store, item);
    store_list_join(&again, &store->queue);
    store_list_join(&store->queue, &again);
    pthread_mutex_unlock(&store->mutex);
    return all;
}

/* When the thread is to do something next, in timing_now's time: NEVER before something comes. */
enum { NOW = 0 };
static const int64_t NEVER = INT64_MAX;

/* With the mutex. `retry`: when what could not be written is tried again, or NEVER. */
static int64_t when_to_write(const struct store *store, int64_t retry)
{
    if (store->closing || store->queued_tasks > 0)
        return NOW;
    if (retry < NEVER)
        return retry;
    if (store->queue.first == NULL)
        return NEVER;
    return store->queued_rows < STORE_SOON_ROWS ? store->oldest + COMMIT_MILLISECONDS : NOW;
}

static void wait_until(struct store *store, int64_t when)
{
    struct timespec time = timing_until(when);

    if (when == NEVER)
        pthread_cond_wait(&store->queued, &store->mutex);
    else
        pthread_cond_timedwait(&store->queued, &store->mutex, &time);
}

/* With the mutex: what a stall of the disk had piled up in memory is given back, once all of it is written. */
static void give_back_memory(struct store *store)
{
    if (store->held_rows > store->most_rows)
        store->most_rows = store->held_rows;
    if (store->held_rows > 0 || store->most_rows < BATCH_ROWS)
        return;
    store->most_rows = 0;
    pthread_mutex_unlock(&store->mutex);
#ifdef __GLIBC__
    malloc_trim(0);
#endif
    pthread_mutex_lock(&store->mutex);
}

/* With the mutex, as what follows: write what is queued. Returns when to try again, should that fail. */
static int64_t write_queue(struct store *store)
{
    struct store_item *items = store_take_queue(store);

    give_back_memory(store); /* sees how much there is */
    pthread_mutex_unlock(&store->mutex);
    struct written written = write_all(store, items);
    store_tell_log(store);
    pthread_mutex_lock(&store->mutex);
    give_back_memory(store);
    store->oldest = timing_now();
    return written.points ? NEVER : timing_now() + RETRY_MILLISECONDS;
}

/* A little of what is left of runs that were removed, so that nothing else waits for it; but all of it where the
 * disk is full, since the rest may need what it frees. Returns when to go on. */
static int64_t go_on_removing(struct store *store)
{
    bool all = store->failure[0] != '\0', left = true;
    struct ff_error error;

    pthread_mutex_unlock(&store->mutex);
    ff_status status = store_remove_rest(store, all, &left, &error);
    pthread_mutex_lock(&store->mutex);
    if (status != FF_OK)
        return timing_now() + RETRY_MILLISECONDS;
    store->removing = left;
    if (!left)
        pthread_cond_broadcast(&store->done);
    return NOW;
}

static void *write_rows(void *self)
{
    struct store *store = self;
    int64_t retry = NEVER, remove = NOW;
    bool wrote = false; /* the two take turns */

    pthread_mutex_lock(&store->mutex);
    while (!store->closing) {
        int64_t write = when_to_write(store, retry), now = timing_now();
        int64_t removal = store->removing ? remove : NEVER;
        bool full = store->failure[0] != '\0';
        if (removal <= now && (wrote || full || write > now)) {
            remove = go_on_removing(store);
            if (full && remove == NOW)
                retry = NOW; /* there may be room */
            wrote = false;
        } else if (write <= now) {
            retry = write_queue(store);
            wrote = true;
        } else {
            wait_until(store, write < removal ? write : removal);
        }
    }
    write_queue(store);
    pthread_mutex_unlock(&store->mutex);
    return NULL;
}

ff_status store_writer_start(struct store *store, struct ff_error *error)
{
    pthread_mutex_init(&store->mutex, NULL);
    timing_condition(&store->queued);
    pthread_cond_init(&store->done, NULL);
    store_list_init(&store->queue);
    store->removing = true; /* a former daemon may have left something */
    return thread_start(&store->writer, write_rows, store, "writes the database", error);
}

void store_writer_stop(struct store *store)
{
    pthread_mutex_lock(&store->mutex);
    store->closing = true;
    pthread_cond_signal(&store->queued);
    pthread_mutex_unlock(&store->mutex);
    pthread_join(store->writer, NULL);
    for (struct store_item *item = store_take_queue(store), *next; item != NULL; item = next) {
        next = item->next;
        store_free_item(store, item);
    }
}
