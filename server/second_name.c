#include "second_name.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "files.h"

/* So that the name survives a power cut: the folder is what has it. */
static bool sync_folder_of(const char *name)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(name, '/');
    int length = slash == NULL ? 1 : slash == name ? 1 : (int)(slash - name);

    snprintf(folder, sizeof folder, "%.*s", length, slash == NULL ? "." : name);
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = descriptor >= 0 && fsync(descriptor) == 0;
    if (descriptor >= 0)
        close(descriptor);
    return synced;
}

static ff_status copy_bytes(int from, const char *path, struct ff_durable *to, struct ff_error *error)
{
    char bytes[64 * 1024];
    uint64_t offset = 0;
    ssize_t got;

    while ((got = read(from, bytes, sizeof bytes)) > 0) {
        if (ff_durable_write(to, offset, bytes, (size_t)got, error) != FF_OK)
            return error->status;
        offset += (uint64_t)got;
    }
    return got == 0 ? FF_OK : ff_fail(error, FF_IO, "%s cannot be read: %s", path, strerror(errno));
}

static ff_status copy(const char *path, const char *name, struct ff_error *error)
{
    int from = open(path, O_RDONLY | O_CLOEXEC);
    ff_status status = FF_OK;

    if (from < 0)
        return ff_fail(error, FF_IO, "%s cannot be kept as the best: %s", path, strerror(errno));
    struct ff_durable *to = ff_durable_create(&ff_files_system, name, error);
    status = to == NULL ? error->status : copy_bytes(from, path, to, error);
    if (status == FF_OK)
        status = ff_durable_commit(to, error);
    else
        ff_durable_discard(to);
    close(from);
    return status;
}

ff_status second_name_give(const char *path, const char *name, struct ff_error *error)
{
    char fresh[PATH_MAX];

    if (snprintf(fresh, sizeof fresh, "%s.tmp", name) >= (int)sizeof fresh)
        return ff_fail(error, FF_IO, "%s cannot be kept as the best: its path is too long", path);
    unlink(fresh); /* left over by a program that was killed */
    if (link(path, fresh) != 0)
        return copy(path, name, error);
    if (rename(fresh, name) == 0 && sync_folder_of(name)) {
        unlink(fresh); /* it is there still where both names were of one file */
        return FF_OK;
    }
    return ff_fail(error, FF_IO, "%s cannot be kept as the best: %s", path, strerror(errno));
}
