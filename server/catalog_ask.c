#include "catalog_internal.h"

#include <stdlib.h>

#include "thread.h"
#include "timing.h"

/* How long a failure that may pass by itself (memory, the disk) is the answer to who asks. */
enum { PASSING_MILLISECONDS = 5000 };

void catalog_tell_askers(struct catalog_asker *askers)
{
    while (askers != NULL) {
        struct catalog_asker *asker = askers;

        askers = asker->next;
        asker->tell(asker->self);
        free(asker);
    }
}

/* The thread that reads */

/* With the lock: an item that is to be read, those that somebody waits for first. NULL: none. */
static struct catalog_item *next_to_read(struct catalog *catalog)
{
    struct catalog_item *next = NULL;

    for (size_t i = 0; i < catalog->count; i++) {
        struct catalog_item *item = &catalog->items[i];
        if (item->loading || (!item->asked && !item->unchecked))
            continue;
        if (item->asked)
            return item;
        next = next != NULL ? next : item;
    }
    return next;
}

static void *read_asked(void *self)
{
    struct catalog *catalog = self;

    pthread_mutex_lock(&catalog->lock);
    while (!catalog->closing) {
        struct catalog_item *item = next_to_read(catalog);
        if (item != NULL)
            catalog_read_item(catalog, item);
        else
            pthread_cond_wait(&catalog->changed, &catalog->lock);
    }
    pthread_mutex_unlock(&catalog->lock);
    return NULL;
}

/* With the lock. */
static ff_status start_reader(struct catalog *catalog, struct ff_error *error)
{
    if (!catalog->reader_runs &&
        thread_start(&catalog->reader, read_asked, catalog, "reads data sets", error) != FF_OK)
        return error->status;
    catalog->reader_runs = true;
    pthread_cond_broadcast(&catalog->changed);
    return FF_OK;
}

void catalog_stop_reader(struct catalog *catalog)
{
    pthread_mutex_lock(&catalog->lock);
    catalog->closing = true;
    bool runs = catalog->reader_runs;
    pthread_cond_broadcast(&catalog->changed);
    pthread_mutex_unlock(&catalog->lock);
    if (runs)
        pthread_join(catalog->reader, NULL);
    catalog_tell_askers(catalog->askers);
    catalog->askers = NULL;
}

/* Asking */

/* With the lock: FF_BUSY, and the asker on the list; or why it cannot be. */
static ff_status add_asker(struct catalog *catalog, struct catalog_item *item, catalog_tell *tell, void *self,
                           struct ff_error *error)
{
    struct catalog_asker *asker = malloc(sizeof *asker);

    if (asker == NULL)
        return ff_fail_memory(error, "reading a data set");
    if (start_reader(catalog, error) != FF_OK) {
        free(asker);
        return error->status;
    }
    *asker = (struct catalog_asker){catalog->askers, item, tell, self};
    catalog->askers = asker;
    return ff_fail(error, FF_BUSY, "%s %s still being read: ask again in a moment",
                   item != NULL ? "data set" : "data sets", item != NULL ? item->name : "are");
}

/* With the lock: whether reading these files again would come to the failure that is known. */
static bool fails_again(const struct catalog_item *item, uint64_t stamp)
{
    const struct catalog_reading *reading = &item->reading;
    bool passing = reading->error.status != FF_DAMAGED && reading->error.status != FF_INVALID;

    return reading->when > 0 && reading->error.status != FF_OK && reading->stamp == stamp &&
           (!passing || timing_now() < reading->when + PASSING_MILLISECONDS);
}

/* With the lock: the set where it is in memory; else NULL and `error`. */
static const struct ff_dataset *take_or_ask(struct catalog *catalog, struct catalog_item *item, uint64_t stamp,
                                            catalog_tell *tell, void *self, struct ff_error *error)
{
    if (item->dataset != NULL)
        return item->dataset;
    if (!item->loading && fails_again(item, stamp)) {
        *error = item->reading.error;
        return NULL;
    }
    bool asked = item->asked;
    item->asked = true;
    if (add_asker(catalog, item, tell, self, error) != FF_BUSY)
        item->asked = asked;
    return NULL;
}

const struct ff_dataset *catalog_ask(struct catalog *catalog, const char *name, catalog_tell *tell, void *self,
                                     struct ff_error *error)
{
    struct catalog_item *item = catalog_find_item(catalog, name);
    struct ff_dataset *unused[CATALOG_ITEMS_MAX];
    char path[CATALOG_PATH_MAX];
    size_t unused_count = 0;

    if (item == NULL) {
        catalog_fail_unknown(catalog, name, error);
        return NULL;
    }
    bool found = catalog_locate_item(item, path);
    uint64_t stamp = catalog_stamp(path);
    pthread_mutex_lock(&catalog->lock);
    const struct ff_dataset *dataset = item->dataset;
    if (dataset == NULL && !found && item->named_path[0] == '\0')
        catalog_fail_absent(item, error);
    else
        dataset = take_or_ask(catalog, item, stamp, tell, self, error);
    if (dataset != NULL)
        unused_count = catalog_use_item(catalog, item, unused);
    pthread_mutex_unlock(&catalog->lock);
    catalog_destroy_all(unused, unused_count);
    return dataset;
}

/* Whether the item is there and nobody has read it as it is. */
static bool is_unread(struct catalog *catalog, struct catalog_item *item)
{
    char path[CATALOG_PATH_MAX];
    bool found = catalog_locate_item(item, path);
    uint64_t stamp = catalog_stamp(path);

    pthread_mutex_lock(&catalog->lock);
    bool unread = found && item->reading.stamp != stamp;
    pthread_mutex_unlock(&catalog->lock);
    return unread;
}

ff_status catalog_check(struct catalog *catalog, catalog_tell *tell, void *self, struct ff_error *error)
{
    bool unread[CATALOG_ITEMS_MAX] = {false}, any = false;

    for (size_t i = 0; i < catalog->count; i++)
        any = (unread[i] = is_unread(catalog, &catalog->items[i])) || any;
    if (!any)
        return FF_OK;
    pthread_mutex_lock(&catalog->lock);
    for (size_t i = 0; i < catalog->count; i++)
        catalog->items[i].unchecked = catalog->items[i].unchecked || unread[i];
    ff_status status = add_asker(catalog, NULL, tell, self, error);
    pthread_mutex_unlock(&catalog->lock);
    return status;
}
