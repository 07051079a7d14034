#include "power.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FILES = 64,
    NAMES = 8,
    HANDLES = 16,
    WRITES = 512,
    CHANGES = 64,
    NAME_MAX_BYTES = 64,
    FOLDER = -1,
    NONE = -2
};

struct content {
    uint8_t *bytes;
    size_t size;
};

/* A write that no sync has confirmed. */
struct waiting {
    size_t offset;
    struct content data;
};

struct file {
    struct content synced, now;
    struct waiting waiting[WRITES];
    size_t waiting_count;
};

struct name {
    char text[NAME_MAX_BYTES]; /* empty: not in use */
    int file;
};

/* A change of the folder that no sync has confirmed: `set` becomes the name of `file`, `removed` is gone. */
struct change {
    char set[NAME_MAX_BYTES], removed[NAME_MAX_BYTES]; /* empty: none */
    int file;
};

struct power {
    struct ff_files calls;
    struct file files[FILES];
    int file_count;
    struct name now[NAMES], synced[NAMES];
    struct change changes[CHANGES];
    size_t change_count;
    int handles[HANDLES]; /* index of a file, FOLDER or NONE */
    struct power_faults faults;
    size_t call;      /* the number of the next one */
    bool interrupted; /* the last call was */
    char failed[NAME_MAX_BYTES + 16];
};

/* A test that asks for more than there is room for is a mistake in the test. */
static void need(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "power.c: %s\n", what);
    abort();
}

static uint64_t draw(uint64_t *state, uint64_t below)
{
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15)); /* SplitMix64 */

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (z ^ (z >> 31)) % below;
}

/* --- contents and names --------------------------------------------------------------------------------------- */

static void extend(struct content *content, size_t size)
{
    if (size <= content->size)
        return;
    content->bytes = realloc(content->bytes, size);
    need(content->bytes != NULL, "out of memory");
    memset(content->bytes + content->size, 0, size - content->size);
    content->size = size;
}

static void put(struct content *content, size_t offset, const uint8_t *bytes, size_t count)
{
    extend(content, offset + count);
    if (count > 0)
        memcpy(content->bytes + offset, bytes, count);
}

static void copy(struct content *to, const struct content *from)
{
    free(to->bytes);
    *to = (struct content){0};
    put(to, 0, from->bytes, from->size);
}

static void forget_waiting(struct file *file)
{
    while (file->waiting_count > 0)
        free(file->waiting[--file->waiting_count].data.bytes);
}

static struct name *find_name(struct name *names, const char *text)
{
    for (int i = 0; i < NAMES; i++)
        if (strcmp(names[i].text, text) == 0)
            return &names[i];
    return NULL;
}

static void apply_change(struct name *names, const struct change *change)
{
    struct name *name;

    if (change->set[0] != '\0') {
        name = find_name(names, change->set);
        name = name != NULL ? name : find_name(names, "");
        need(name != NULL, "too many names");
        strcpy(name->text, change->set);
        name->file = change->file;
    }
    name = change->removed[0] != '\0' ? find_name(names, change->removed) : NULL;
    if (name != NULL)
        name->text[0] = '\0';
}

static void change_folder(struct power *disk, const char *set, int file, const char *removed)
{
    struct change *change = &disk->changes[disk->change_count++];

    need(disk->change_count < CHANGES, "too many changes of the folder");
    snprintf(change->set, sizeof change->set, "%s", set);
    snprintf(change->removed, sizeof change->removed, "%s", removed);
    change->file = file;
    apply_change(disk->now, change);
}

/* --- the calls ------------------------------------------------------------------------------------------------ */

/* Whether the call goes through; if not, errno says why. */
static bool enter(struct power *disk, const char *call, const char *path)
{
    size_t number = disk->call++;

    if (number >= disk->faults.cut || number == disk->faults.fail) {
        errno = number == disk->faults.fail ? disk->faults.code : EIO;
        snprintf(disk->failed, sizeof disk->failed, "%s %s", call, path);
        return false;
    }
    disk->interrupted = disk->faults.interrupt && !disk->interrupted;
    if (disk->interrupted)
        errno = EINTR;
    return !disk->interrupted;
}

static const char *kind_of(const struct power *disk, int handle)
{
    need(handle >= 0 && handle < HANDLES && disk->handles[handle] != NONE, "a descriptor that is not open is used");
    return disk->handles[handle] == FOLDER ? "folder" : "file";
}

/* The lowest free descriptor, for `what`. */
static int new_handle(struct power *disk, int what)
{
    int handle = 0;

    while (handle < HANDLES && disk->handles[handle] != NONE)
        handle++;
    need(handle < HANDLES, "too many open files");
    /* cppcheck-suppress arrayIndexOutOfBoundsCond ; need ends the test */
    disk->handles[handle] = what;
    return handle;
}

static int power_open(void *self, const char *path, int flags, unsigned mode)
{
    struct power *disk = self;
    struct name *name = find_name(disk->now, path);
    int file;

    (void)mode;
    if (!enter(disk, "open", path))
        return -1;
    if (strcmp(path, POWER_FOLDER) == 0)
        return new_handle(disk, FOLDER);
    if (name == NULL ? !(flags & O_CREAT) : (flags & O_EXCL) != 0) {
        errno = name == NULL ? ENOENT : EEXIST;
        return -1;
    }
    need(!(flags & O_TRUNC), "this disk does not know O_TRUNC");
    file = name != NULL ? name->file : disk->file_count++;
    need(file < FILES, "too many files");
    if (name == NULL)
        change_folder(disk, path, file, "");
    return new_handle(disk, file);
}

static ssize_t power_pwrite(void *self, int handle, const void *bytes, size_t count, off_t offset)
{
    struct power *disk = self;
    struct waiting *waiting;
    struct file *file;

    if (!enter(disk, "pwrite", kind_of(disk, handle)))
        return -1;
    file = &disk->files[disk->handles[handle]];
    count = count < disk->faults.most ? count : disk->faults.most;
    put(&file->now, (size_t)offset, bytes, count);
    need(file->waiting_count < WRITES, "too many writes without a sync");
    waiting = &file->waiting[file->waiting_count++];
    *waiting = (struct waiting){.offset = (size_t)offset};
    put(&waiting->data, 0, bytes, count);
    return (ssize_t)count;
}

static int power_fsync(void *self, int handle)
{
    struct power *disk = self;
    struct file *file;

    if (!enter(disk, "fsync", kind_of(disk, handle)))
        return -1;
    if (disk->handles[handle] == FOLDER) {
        for (size_t i = 0; i < disk->change_count && !disk->faults.no_folder_syncs; i++)
            apply_change(disk->synced, &disk->changes[i]);
        disk->change_count = disk->faults.no_folder_syncs ? disk->change_count : 0;
    } else if (!disk->faults.no_file_syncs) {
        file = &disk->files[disk->handles[handle]];
        copy(&file->synced, &file->now);
        forget_waiting(file);
    }
    return 0;
}

/* As on Linux: whatever close returns, the descriptor is gone. */
static int power_close(void *self, int handle)
{
    struct power *disk = self;
    bool good = enter(disk, "close", kind_of(disk, handle));

    disk->handles[handle] = NONE;
    return good ? 0 : -1;
}

/* `to` empty: the name goes. */
static int change_name(struct power *disk, const char *call, const char *from, const char *to)
{
    struct name *name = find_name(disk->now, from);

    disk->interrupted = true; /* these two are not interrupted */
    if (!enter(disk, call, from))
        return -1;
    if (name == NULL) {
        errno = ENOENT;
        return -1;
    }
    change_folder(disk, to, name->file, from);
    return 0;
}

static int power_rename(void *self, const char *from, const char *to)
{
    return change_name(self, "rename", from, to);
}

static int power_unlink(void *self, const char *path)
{
    return change_name(self, "unlink", path, "");
}

/* --- a crash -------------------------------------------------------------------------------------------------- */

/* Each sector of the write that `mask` selects; mask 0 is none, ~0 is all. */
static void put_sectors(struct content *content, const struct waiting *waiting, uint64_t mask)
{
    size_t at = 0;

    while (at < waiting->data.size) {
        size_t place = waiting->offset + at, step = POWER_SECTOR - place % POWER_SECTOR;

        if (step > waiting->data.size - at)
            step = waiting->data.size - at;
        if (mask >> (place / POWER_SECTOR % 64) & 1)
            put(content, place, waiting->data.bytes + at, step);
        at += step;
    }
}

/* Any order, and of each write all, nothing, its first sectors, or any of them. */
static void lose_writes(struct file *file, uint64_t *random)
{
    size_t count = file->waiting_count, length = file->now.size;

    for (size_t left = count; left > 0; left--) {
        size_t chosen = draw(random, left);
        struct waiting waiting = file->waiting[chosen];
        uint64_t masks[] = {0, ~UINT64_C(0), 0, draw(random, UINT64_MAX)};

        masks[2] = (UINT64_C(1) << (waiting.offset / POWER_SECTOR + draw(random, 4)) % 64) - 1;
        put_sectors(&file->synced, &waiting, masks[draw(random, 4)]);
        file->waiting[chosen] = file->waiting[left - 1];
        file->waiting[left - 1] = waiting;
    }
    if (count > 0 && draw(random, 2) == 0)
        extend(&file->synced, length);
    forget_waiting(file);
    copy(&file->now, &file->synced);
}

void power_crash(struct power *disk, uint64_t seed)
{
    uint64_t random = seed;

    for (int i = 0; i < disk->file_count; i++)
        lose_writes(&disk->files[i], &random);
    for (size_t i = 0; i < disk->change_count; i++)
        if (draw(&random, 2) == 0)
            apply_change(disk->synced, &disk->changes[i]);
    disk->change_count = 0;
    memcpy(disk->now, disk->synced, sizeof disk->now);
    for (int i = 0; i < HANDLES; i++)
        disk->handles[i] = NONE;
    disk->faults.cut = disk->faults.fail = SIZE_MAX;
}

/* --- a disk's life -------------------------------------------------------------------------------------------- */

struct power *power_create(void)
{
    struct power *disk = calloc(1, sizeof *disk);

    need(disk != NULL, "out of memory");
    disk->calls =
        (struct ff_files){disk, power_open, power_pwrite, power_fsync, power_close, power_rename, power_unlink};
    disk->faults.cut = disk->faults.fail = disk->faults.most = SIZE_MAX;
    for (int i = 0; i < HANDLES; i++)
        disk->handles[i] = NONE;
    return disk;
}

void power_destroy(struct power *disk)
{
    for (int i = 0; i < disk->file_count; i++) {
        forget_waiting(&disk->files[i]);
        free(disk->files[i].synced.bytes);
        free(disk->files[i].now.bytes);
    }
    free(disk);
}

const struct ff_files *power_files(struct power *disk)
{
    return &disk->calls;
}

size_t power_calls(const struct power *disk)
{
    return disk->call;
}

struct power_faults *power_faults(struct power *disk)
{
    return &disk->faults;
}

const char *power_failed(const struct power *disk)
{
    return disk->failed;
}

const uint8_t *power_read(struct power *disk, const char *path, size_t *size)
{
    const struct name *name = find_name(disk->now, path);
    struct content *now;

    if (name == NULL)
        return NULL;
    now = &disk->files[name->file].now;
    *size = now->size;
    return now->bytes == NULL ? (const uint8_t *)"" : now->bytes;
}

size_t power_open_files(const struct power *disk)
{
    size_t count = 0;

    for (int i = 0; i < HANDLES; i++)
        count += disk->handles[i] != NONE;
    return count;
}
