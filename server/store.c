#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "store_internal.h"

/* The folder and its lock */

static ff_status make_folder(const char *folder, struct ff_error *error)
{
    char path[sizeof((struct store *)NULL)->folder];

    snprintf(path, sizeof path, "%s", folder);
    for (char *end = path + 1;; end++) {
        bool last = *end == '\0';
        if (*end != '/' && !last)
            continue;
        *end = '\0';
        if (mkdir(path, 0700) != 0 && errno != EEXIST)
            return ff_fail(error, FF_IO, "the state folder %s cannot be made: %s: %s; name another one (--state)",
                           folder, path, strerror(errno));
        if (last)
            return FF_OK;
        *end = '/';
    }
}

long store_holder(int lock)
{
    char text[32] = "";
    ssize_t length = pread(lock, text, sizeof text - 1, 0);
    return length > 0 ? strtol(text, NULL, 10) : 0;
}

static ff_status lock_folder(struct store *store, struct ff_error *error)
{
    char path[STORE_PATH_MAX];

    snprintf(path, sizeof path, "%s/goodness.lock", store->folder);
    store->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (store->lock < 0)
        return ff_fail(error, FF_IO, "the state folder %s cannot be written: %s; name another one (--state)",
                       store->folder, strerror(errno));
    if (flock(store->lock, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK)
            return ff_fail(error, FF_IO, "%s cannot be locked: %s; name another folder (--state)", path,
                           strerror(errno));
        return ff_fail(error, FF_BUSY,
                       "the state folder %s is in use by another goodness (process %ld): end that one, or name "
                       "another folder (--state)",
                       store->folder, store_holder(store->lock));
    }
    if (ftruncate(store->lock, 0) != 0 || dprintf(store->lock, "%ld\n", (long)getpid()) < 0)
        return ff_fail(error, FF_IO, "%s cannot be written: %s; free some space, or name another folder (--state)",
                       path, strerror(errno));
    return FF_OK;
}

/* The life of a store */

static ff_status open_store(struct store *store, const char *folder, struct ff_error *error)
{
    uint64_t starts = 0;
    ff_status status;

    if (folder[0] == '\0' || strlen(folder) >= sizeof store->folder)
        return ff_fail(error, FF_INVALID,
                       "the state folder's name is empty or too long; name another one (--state)");
    snprintf(store->folder, sizeof store->folder, "%s", folder);
    snprintf(store->path, sizeof store->path, "%s/goodness.db", folder);
    if ((status = make_folder(folder, error)) != FF_OK || (status = lock_folder(store, error)) != FF_OK)
        return status;
    status = store_database_open(&store->database, store->path, &starts, error);
    if (status == FF_IO && store_reserve_give_up(store)) /* full: start all the same, so that runs can be deleted */
        status = store_database_open(&store->database, store->path, &starts, error);
    if (status == FF_OK && (status = store_checkpoints_open(store, error)) != FF_OK)
        store_database_close(&store->database);
    if (status != FF_OK)
        return status;
    store->reserve_tried = 0;
    store_reserve_make(store);
    store->first_event = starts << 32;
    if ((status = store_writer_start(store, error)) != FF_OK)
        store_database_close(&store->database);
    return status;
}

struct store *store_open(const char *folder, struct ff_error *error)
{
    struct store *store = calloc(1, sizeof *store);

    if (store == NULL) {
        ff_fail_memory(error, "the store");
        return NULL;
    }
    store->lock = -1;
    if (open_store(store, folder, error) == FF_OK)
        return store;
    if (store->lock >= 0)
        close(store->lock);
    free(store);
    return NULL;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    store_writer_stop(store);
    for (size_t i = 0; i < store->idle_readers; i++)
        sqlite3_close(store->readers[i]);
    store_database_close(&store->database);
    pthread_cond_destroy(&store->done);
    pthread_cond_destroy(&store->queued);
    pthread_mutex_destroy(&store->mutex);
    close(store->lock);
    free(store);
}

bool store_trouble(struct store *store, char *sentence, size_t size)
{
    pthread_mutex_lock(&store->mutex);
    uint64_t points = store->lost_points, epochs = store->lost_epochs;
    bool failed = store->failure[0] != '\0';
    int length =
        snprintf(sentence, size, "%s", failed ? store->failure : "the disk is too slow for what is to be written");
    if (points + epochs > 0 && length > 0 && (size_t)length < size)
        snprintf(sentence + length, size - (size_t)length, " (given up so far: %llu points, %llu epochs)",
                 (unsigned long long)points, (unsigned long long)epochs);
    pthread_mutex_unlock(&store->mutex);
    return failed || points + epochs > 0;
}

uint64_t store_troubles(struct store *store)
{
    pthread_mutex_lock(&store->mutex);
    uint64_t troubles = store->troubles;
    pthread_mutex_unlock(&store->mutex);
    return troubles;
}

void store_tell_log(struct store *store)
{
    char failure[sizeof store->failure];

    pthread_mutex_lock(&store->mutex);
    memcpy(failure, store->failure, sizeof failure);
    bool failing = failure[0] != '\0', losing = store->lost_points + store->lost_epochs > 0;
    bool failed = store->told.failing, lost = store->told.losing;
    uint64_t points = store->given_up_points - store->told.points;
    uint64_t epochs = store->given_up_epochs - store->told.epochs;
    store->told.failing = failing;
    store->told.losing = losing;
    if (!failing && !losing) {
        store->told.points = store->given_up_points;
        store->told.epochs = store->given_up_epochs;
    }
    pthread_mutex_unlock(&store->mutex);
    if (failing && !failed)
        log_warning("the database cannot be written, and this is tried again every second: %s", failure);
    if (losing && !lost)
        log_warning("points of runs are given up: more wait to be written than there is room for");
    if (!failing && !losing && points + epochs > 0)
        log_warning("%llu points and %llu epochs of runs were given up, since they could not be written in time",
                    (unsigned long long)points, (unsigned long long)epochs);
    if (!failing && failed)
        log_info("the database is written again");
}

void store_look(struct store *store, struct store_backlog *backlog)
{
    pthread_mutex_lock(&store->mutex);
    *backlog = (struct store_backlog){store->queued_rows, store->queued_epochs, store->lost_points};
    pthread_mutex_unlock(&store->mutex);
}

static size_t version_of(int64_t run)
{
    return run == 0 ? 0 : 1 + (size_t)((uint64_t)run % (STORE_VERSIONS - 1));
}

uint64_t store_version(struct store *store, int64_t run)
{
    return atomic_load(&store->versions[version_of(run)]);
}

void store_touch(struct store *store, int64_t run)
{
    atomic_fetch_add(&store->versions[version_of(run)], 1);
    atomic_fetch_add(&store->versions[0], 1);
}

uint64_t store_first_event(const struct store *store)
{
    return store->first_event;
}

/* Writing */

struct insertion {
    struct run *run;
    bool nameless;
};

static ff_status insert_task(struct store_database *database, void *self, struct ff_error *error)
{
    struct insertion *insertion = self;

    if (insertion->nameless)
        insertion->run->name[0] = '\0';
    return store_put_run(database, insertion->run, error);
}

ff_status store_insert_run(struct store *store, struct run *run, struct ff_error *error)
{
    struct insertion insertion = {run, run->name[0] == '\0'};
    ff_status status = store_do(store, insert_task, &insertion, error);

    if (status != FF_OK) {
        run->id = 0;
        if (insertion.nameless)
            run->name[0] = '\0';
        return status;
    }
    store_touch(store, run->id);
    return FF_OK;
}

static ff_status update_task(struct store_database *database, void *self, struct ff_error *error)
{
    const struct run *const *run = self;
    return store_replace_run(database, *run, error);
}

ff_status store_update_run(struct store *store, const struct run *run, struct ff_error *error)
{
    ff_status status = store_do(store, update_task, &run, error);

    store_touch(store, run->id);
    return status;
}

ff_status store_delete_run(struct store *store, int64_t id, struct ff_error *error)
{
    ff_status status = store_remove(store, id, error);

    if (status == FF_OK)
        store_remove_checkpoint(store, id);
    store_touch(store, id);
    return status;
}

static ff_status no_task(struct store_database *database, void *self, struct ff_error *error)
{
    (void)database;
    (void)self;
    (void)error;
    return FF_OK;
}

void store_flush(struct store *store)
{
    struct ff_error ignored; /* store_trouble tells */
    store_do(store, no_task, NULL, &ignored);
}
