#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

_Static_assert(sizeof(off_t) == 8, "files may be larger than 2 GiB: compile with -D_FILE_OFFSET_BITS=64");

struct ff_durable {
    const struct ff_files *files;
    char *path, *temporary, *folder;
    int file;                /* -1: closed */
    struct ff_error failure; /* of the first write that failed; its status is FF_OK while there is none */
};

/* --- the system itself ---------------------------------------------------------------------------------------- */

static int system_open(void *self, const char *path, int flags, unsigned mode)
{
    (void)self;
    return open(path, flags, mode);
}

static ssize_t system_pwrite(void *self, int file, const void *bytes, size_t count, off_t offset)
{
    (void)self;
    return pwrite(file, bytes, count, offset);
}

static int system_fsync(void *self, int file)
{
    (void)self;
    return fsync(file);
}

static int system_close(void *self, int file)
{
    (void)self;
    return close(file);
}

static int system_rename(void *self, const char *from, const char *to)
{
    (void)self;
    return rename(from, to);
}

static int system_unlink(void *self, const char *path)
{
    (void)self;
    return unlink(path);
}

const struct ff_files ff_files_system = {
    .open = system_open,
    .pwrite = system_pwrite,
    .fsync = system_fsync,
    .close = system_close,
    .rename = system_rename,
    .unlink = system_unlink,
};

/* --- saying what the system refused --------------------------------------------------------------------------- */

/* What a person can do about it. */
static const struct {
    int code;
    const char *advice;
} advices[] = {
    {ENOSPC, "the disk is full; free some space and try again"},
    {EDQUOT, "the disk quota of this user is used up; remove files or have the quota raised, and try again"},
    {EFBIG,
     "the file is larger than this disk or this user's limit allows; choose another folder or raise the limit"},
    {EROFS, "the disk can only be read; mount it for writing or choose another folder"},
    {EACCES, "permission denied; allow this user to write in the folder or choose another one"},
    {EPERM, "permission denied; allow this user to write in the folder or choose another one"},
    {ENOENT, "its folder does not exist; create it first"},
    {ENOTDIR, "its folder is not a folder; choose another path"},
    {EISDIR, "there is a folder of that name; move it away or choose another name"},
    {ENAMETOOLONG, "the name is too long; choose a shorter one"},
    {EMFILE, "too many files are open; raise the limit (ulimit -n) and try again"},
    {ENFILE, "too many files are open on this machine; close other programs and try again"},
    {EIO, "the disk reported an error; look into the system's log and save to another disk"},
};

static ff_status fail_call(struct ff_error *error, const char *path, const char *what, int code)
{
    for (size_t i = 0; i < sizeof advices / sizeof advices[0]; i++)
        if (advices[i].code == code)
            return ff_fail(error, FF_IO, "%s: cannot be %s: %s", path, what, advices[i].advice);
    return ff_fail(error, FF_IO, "%s: cannot be %s: %s; check the disk and try again", path, what, strerror(code));
}

/* --- calls that a signal may interrupt ------------------------------------------------------------------------ */

static int open_again(const struct ff_files *files, const char *path, int flags)
{
    int file;

    do {
        file = files->open(files->self, path, flags | O_CLOEXEC, 0666); /* the user's umask applies */
    } while (file < 0 && errno == EINTR);
    return file;
}

/* A sync that was interrupted may be asked for again; one that failed may not: the system has forgotten by then
 * which bytes did not reach the disk, and would say that all is well. */
static int sync_again(const struct ff_files *files, int file)
{
    int result;

    do {
        result = files->fsync(files->self, file);
    } while (result != 0 && errno == EINTR);
    return result;
}

/* On Linux the descriptor is gone even when close is interrupted, and after a sync nothing is left to fail. */
static int close_once(const struct ff_files *files, int file)
{
    int result = files->close(files->self, file);

    return result != 0 && errno == EINTR ? 0 : result;
}

/* --- a durable file ------------------------------------------------------------------------------------------- */

static char *with_ending(const char *path, const char *ending)
{
    char *text;

    return asprintf(&text, "%s%s", path, ending) < 0 ? NULL : text;
}

/* The folder that `path` is in: what stands before the last slash. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL)
        return strdup(".");
    return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

static void release(struct ff_durable *file)
{
    free(file->path);
    free(file->temporary);
    free(file->folder);
    free(file);
}

/* O_EXCL: a PATH.tmp that is there may be a link to something that must not be written over. */
static int open_temporary(const struct ff_files *files, const char *temporary)
{
    int flags = O_WRONLY | O_CREAT | O_EXCL, file = open_again(files, temporary, flags);

    if (file >= 0 || errno != EEXIST || files->unlink(files->self, temporary) != 0)
        return file;
    return open_again(files, temporary, flags);
}

struct ff_durable *ff_durable_create(const struct ff_files *files, const char *path, struct ff_error *error)
{
    struct ff_durable *file = calloc(1, sizeof *file);

    if (file == NULL) {
        ff_fail_memory(error, "writing a file");
        return NULL;
    }
    file->files = files;
    file->path = strdup(path);
    file->temporary = with_ending(path, ".tmp");
    file->folder = folder_of(path);
    if (file->path == NULL || file->temporary == NULL || file->folder == NULL) {
        ff_fail_memory(error, "writing a file");
        release(file);
        return NULL;
    }
    file->file = open_temporary(files, file->temporary);
    if (file->file < 0) {
        fail_call(error, file->temporary, "created", errno);
        release(file);
        return NULL;
    }
    return file;
}

/* Write until all is written; the code of what went wrong, or 0. */
static int write_all(const struct ff_durable *file, uint64_t offset, const char *bytes, size_t count)
{
    const struct ff_files *files = file->files;

    if (offset > INT64_MAX || count > INT64_MAX - offset)
        return EFBIG;
    while (count > 0) {
        ssize_t written = files->pwrite(files->self, file->file, bytes, count, (off_t)offset);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0) /* a disk that takes nothing and does not say why would hold us up for ever */
            return written < 0 ? errno : EIO;
        bytes += written;
        offset += (uint64_t)written;
        count -= (size_t)written;
    }
    return 0;
}

ff_status ff_durable_write(struct ff_durable *file, uint64_t offset, const void *bytes, size_t count,
                           struct ff_error *error)
{
    int code;

    if (file->failure.status == FF_OK) {
        code = write_all(file, offset, bytes, count);
        if (code == 0)
            return FF_OK;
        fail_call(&file->failure, file->temporary, "written", code);
    }
    *error = file->failure;
    return error->status;
}

/* Sync and close, after which the bytes are on the disk, under the temporary name. */
static ff_status settle(struct ff_durable *file, struct ff_error *error)
{
    int descriptor = file->file;

    if (file->failure.status != FF_OK) {
        *error = file->failure;
        return error->status;
    }
    if (sync_again(file->files, descriptor) != 0)
        return fail_call(error, file->temporary, "brought to the disk", errno);
    file->file = -1;
    if (close_once(file->files, descriptor) != 0)
        return fail_call(error, file->temporary, "brought to the disk", errno);
    return FF_OK;
}

/* Some network and user-space file systems have no sync of a folder and say EINVAL; their renames are as durable as
 * they get. */
static ff_status sync_folder(const struct ff_durable *file, int folder, struct ff_error *error)
{
    struct ff_error refusal;

    if (sync_again(file->files, folder) == 0 || errno == EINVAL)
        return FF_OK;
    fail_call(&refusal, file->folder, "brought to the disk", errno);
    return ff_fail(error, FF_IO, "%.100s is written, but a power cut could bring its former state back: %.300s",
                   file->path, refusal.message);
}

ff_status ff_durable_commit(struct ff_durable *file, struct ff_error *error)
{
    const struct ff_files *files = file->files;
    ff_status status = settle(file, error);
    int folder;

    if (status != FF_OK) {
        ff_durable_discard(file);
        return status;
    }
    folder = open_again(files, file->folder, O_RDONLY | O_DIRECTORY); /* before the rename, so that it can fail */
    if (folder < 0) {
        status = fail_call(error, file->folder, "opened", errno);
        ff_durable_discard(file);
        return status;
    }
    if (files->rename(files->self, file->temporary, file->path) != 0) {
        status = fail_call(error, file->path, "replaced", errno);
        close_once(files, folder);
        ff_durable_discard(file);
        return status;
    }
    status = sync_folder(file, folder, error);
    close_once(files, folder);
    release(file);
    return status;
}

void ff_durable_discard(struct ff_durable *file)
{
    if (file == NULL)
        return;
    if (file->file >= 0)
        close_once(file->files, file->file);
    file->files->unlink(file->files->self, file->temporary);
    release(file);
}

void ff_durable_sweep(const struct ff_files *files, const char *path)
{
    char *temporary = with_ending(path, ".tmp");

    if (temporary != NULL)
        files->unlink(files->self, temporary);
    free(temporary);
}
