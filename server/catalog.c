#include "catalog.h"

#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog_internal.h"
#include "config.h"
#include "timing.h"

struct catalog *catalog_create(struct ff_error *error)
{
    struct catalog *catalog = calloc(1, sizeof *catalog);
    size_t known_count;
    const struct catalog_known *known = catalog_known_sets(&known_count);

    if (catalog == NULL) {
        ff_fail_memory(error, "the list of data sets");
        return NULL;
    }
    pthread_mutex_init(&catalog->lock, NULL);
    pthread_cond_init(&catalog->changed, NULL);
    for (size_t i = 0; i < known_count; i++) {
        struct catalog_item *item = &catalog->items[catalog->count++];

        snprintf(item->name, sizeof item->name, "%s", known[i].name);
        item->known = &known[i];
    }
    return catalog;
}

void catalog_destroy(struct catalog *catalog)
{
    if (catalog == NULL)
        return;
    catalog_stop_reader(catalog);
    for (size_t i = 0; i < catalog->count; i++)
        ff_dataset_destroy(catalog->items[i].dataset);
    pthread_cond_destroy(&catalog->changed);
    pthread_mutex_destroy(&catalog->lock);
    free(catalog);
}

struct catalog_item *catalog_find_item(struct catalog *catalog, const char *name)
{
    for (size_t i = 0; i < catalog->count; i++)
        if (strcmp(catalog->items[i].name, name) == 0)
            return &catalog->items[i];
    return NULL;
}

/* Names stand in addresses (/api/v1/datasets/NAME), so they are kept plain. */
static bool is_good_name(const char *name, size_t length)
{
    if (length == 0 || length >= FF_DATASET_NAME_MAX || !isalnum((unsigned char)name[0]))
        return false;
    for (size_t i = 0; i < length; i++)
        if (!isalnum((unsigned char)name[i]) && strchr("._-", name[i]) == NULL)
            return false;
    return true;
}

ff_status catalog_add(struct catalog *catalog, const char *option, struct ff_error *error)
{
    const char *equals = strchr(option, '='), *path = equals == NULL ? "" : equals + 1;
    size_t length = equals == NULL ? 0 : (size_t)(equals - option);
    char name[FF_DATASET_NAME_MAX];
    struct catalog_item *item;

    if (equals == NULL || *path == '\0')
        return ff_fail(error, FF_INVALID, "--data %s: must be NAME=FOLDER or NAME=FILE.npz", option);
    if (!is_good_name(option, length))
        return ff_fail(
            error, FF_INVALID,
            "--data %s: the name must begin with a letter or digit, have only letters, digits, '.', '_' and "
            "'-', and at most %d of them",
            option, FF_DATASET_NAME_MAX - 1);
    if (strlen(path) >= CATALOG_PATH_MAX)
        return ff_fail(error, FF_INVALID, "--data %.80s…: the path has more than %d bytes", option,
                       CATALOG_PATH_MAX - 1);
    memcpy(name, option, length);
    name[length] = '\0';
    if (!ff_dataset_exists(name, path))
        return ff_fail(error, FF_INVALID,
                       "--data %s: there are no four IDX files (train-images-idx3-ubyte.gz …) and no %s.npz at %s",
                       option, name, path);
    item = catalog_find_item(catalog, name);
    if (item != NULL && item->named_path[0] != '\0')
        return ff_fail(error, FF_INVALID, "--data %s: %s is already named as %s", option, name, item->named_path);
    if (item == NULL && catalog->count == CATALOG_ITEMS_MAX)
        return ff_fail(error, FF_INVALID, "--data %s: there can be at most %d data sets", option,
                       CATALOG_ITEMS_MAX);
    if (item == NULL)
        item = &catalog->items[catalog->count++];
    memcpy(item->name, name, length + 1);
    memcpy(item->named_path, path, strlen(path) + 1);
    return FF_OK;
}

struct catalog *catalog_create_with(const char *const *options, struct ff_error *error)
{
    struct catalog *catalog = catalog_create(error);

    for (; catalog != NULL && *options != NULL; options++) {
        if (catalog_add(catalog, *options, error) == FF_OK)
            continue;
        catalog_destroy(catalog);
        return NULL;
    }
    return catalog;
}

/* Listing */

bool catalog_locate_item(const struct catalog_item *item, char path[CATALOG_PATH_MAX])
{
    const struct catalog_sought sought = {item->name, item->named_path, item->known};

    return catalog_locate(&sought, path);
}

static void fill_entry(struct catalog *catalog, const struct catalog_item *item, struct catalog_entry *entry)
{
    snprintf(entry->name, sizeof entry->name, "%s", item->name);
    entry->title = item->known == NULL ? "" : item->known->title;
    entry->how_to_get = item->known == NULL ? NULL : catalog_how_to_get(item->known);
    entry->present = catalog_locate_item(item, entry->path);
    if (!entry->present)
        return;
    uint64_t stamp = catalog_stamp(entry->path);
    pthread_mutex_lock(&catalog->lock);
    entry->unread = item->reading.stamp != stamp;
    if (!entry->unread && item->reading.error.status != FF_OK)
        snprintf(entry->problem, sizeof entry->problem, "%s", item->reading.error.message);
    pthread_mutex_unlock(&catalog->lock);
}

ff_status catalog_list(struct catalog *catalog, struct catalog_entry **entries, size_t *count,
                       struct ff_error *error)
{
    struct catalog_entry *list = calloc(catalog->count, sizeof *list);

    if (list == NULL)
        return ff_fail_memory(error, "the list of data sets");
    for (size_t i = 0; i < catalog->count; i++)
        fill_entry(catalog, &catalog->items[i], &list[i]);
    *entries = list;
    *count = catalog->count;
    return FF_OK;
}

/* Reading */

void catalog_fail_unknown(const struct catalog *catalog, const char *name, struct ff_error *error)
{
    const char *names[CATALOG_ITEMS_MAX + 1];
    const char *nearest;

    for (size_t i = 0; i < catalog->count; i++)
        names[i] = catalog->items[i].name;
    names[catalog->count] = NULL;
    nearest = ff_nearest_name(name, names);
    if (nearest != NULL)
        ff_fail(error, FF_NOT_FOUND, "there is no data set \"%.80s\"; did you mean \"%s\"?", name, nearest);
    else
        ff_fail(error, FF_NOT_FOUND,
                "there is no data set \"%.80s\"; name it when the program starts: --data NAME=FOLDER", name);
}

void catalog_fail_absent(const struct catalog_item *item, struct ff_error *error)
{
    ff_fail(error, FF_NOT_FOUND,
            "data set %s is not on this machine; bring it with %s, or name it: --data %s=FOLDER", item->name,
            catalog_how_to_get(item->known), item->name);
}

/* *stamp: of what was read. */
static struct ff_dataset *load_item(const struct catalog_item *item, uint64_t *stamp, struct ff_error *error)
{
    char path[CATALOG_PATH_MAX];
    bool found = catalog_locate_item(item, path);

    *stamp = catalog_stamp(path);
    if (found)
        return ff_dataset_load(item->name, path, error);
    if (item->named_path[0] != '\0') /* one that is gone gets the loader's sentence */
        return ff_dataset_load(item->name, item->named_path, error);
    catalog_fail_absent(item, error);
    return NULL;
}

/* Take the sets that nobody uses, but for the last one, out of the catalog: at most CATALOG_ITEMS_MAX, for the
 * caller to destroy once the lock is released. */
static size_t take_unused(struct catalog *catalog, struct ff_dataset *unused[CATALOG_ITEMS_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < catalog->count; i++) {
        struct catalog_item *item = &catalog->items[i];

        if (item->dataset == NULL || item->users > 0 || item->waiting > 0 || item == catalog->last)
            continue;
        unused[count++] = item->dataset;
        item->dataset = NULL;
    }
    return count;
}

void catalog_destroy_all(struct ff_dataset *const *datasets, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ff_dataset_destroy(datasets[i]);
}

/* With the lock: those who are to be told now that the item was read, taken off the list. */
static struct catalog_asker *take_askers(struct catalog *catalog, const struct catalog_item *read)
{
    struct catalog_asker *taken = NULL;
    bool more = false;

    for (size_t i = 0; i < catalog->count; i++)
        more = more || catalog->items[i].asked || catalog->items[i].unchecked;
    for (struct catalog_asker **at = &catalog->askers; *at != NULL;) {
        struct catalog_asker *asker = *at;
        if (asker->item != NULL ? asker->item != read : more) {
            at = &asker->next;
            continue;
        }
        *at = asker->next;
        asker->next = taken;
        taken = asker;
    }
    return taken;
}

void catalog_read_item(struct catalog *catalog, struct catalog_item *item)
{
    struct ff_error error = {.status = FF_OK};
    struct ff_dataset *dataset, *unwanted = NULL;
    uint64_t stamp;

    item->loading = true;
    pthread_mutex_unlock(&catalog->lock);
    dataset = load_item(item, &stamp, &error);
    pthread_mutex_lock(&catalog->lock);
    item->loading = false;
    item->reading = (struct catalog_reading){.stamp = stamp, .when = timing_now(), .error = error};
    if (item->dataset != NULL || (item->waiting == 0 && !item->asked)) {
        unwanted = dataset;
    } else if (dataset != NULL) {
        item->dataset = dataset;
        catalog->last = item; /* so that it is still there when who asked takes it */
    }
    item->asked = item->unchecked = false;
    struct catalog_asker *askers = take_askers(catalog, item);
    pthread_cond_broadcast(&catalog->changed);
    pthread_mutex_unlock(&catalog->lock);
    ff_dataset_destroy(unwanted);
    catalog_tell_askers(askers);
    pthread_mutex_lock(&catalog->lock);
}

size_t catalog_use_item(struct catalog *catalog, struct catalog_item *item,
                        struct ff_dataset *unused[CATALOG_ITEMS_MAX])
{
    item->users++;
    catalog->last = item;
    return take_unused(catalog, unused);
}

const struct ff_dataset *catalog_acquire(struct catalog *catalog, const char *name, struct ff_error *error)
{
    struct catalog_item *item = catalog_find_item(catalog, name);
    struct ff_dataset *dataset, *unused[CATALOG_ITEMS_MAX];
    size_t unused_count = 0;

    if (item == NULL) {
        catalog_fail_unknown(catalog, name, error);
        return NULL;
    }
    pthread_mutex_lock(&catalog->lock);
    item->waiting++;
    while (item->dataset == NULL && item->loading)
        pthread_cond_wait(&catalog->changed, &catalog->lock);
    if (item->dataset == NULL)
        catalog_read_item(catalog, item);
    item->waiting--;
    dataset = item->dataset;
    if (dataset != NULL)
        unused_count = catalog_use_item(catalog, item, unused);
    else
        *error = item->reading.error;
    pthread_mutex_unlock(&catalog->lock);
    catalog_destroy_all(unused, unused_count);
    return dataset;
}

void catalog_release(struct catalog *catalog, const struct ff_dataset *dataset)
{
    struct ff_dataset *unused[CATALOG_ITEMS_MAX];
    size_t unused_count;

    if (dataset == NULL)
        return;
    pthread_mutex_lock(&catalog->lock);
    for (size_t i = 0; i < catalog->count; i++)
        if (catalog->items[i].dataset == dataset && catalog->items[i].users > 0)
            catalog->items[i].users--;
    unused_count = take_unused(catalog, unused);
    pthread_mutex_unlock(&catalog->lock);
    catalog_destroy_all(unused, unused_count);
}
