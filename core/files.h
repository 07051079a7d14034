/* files.h - files that survive a power cut: a file appears whole or not at all.
 *
 * A durable file is written as PATH.tmp, synced, renamed to PATH, and then its folder is synced. Whoever opens
 * PATH, at whatever moment and after whatever crash, finds the file that was there before or the new one, whole.
 *
 * The system calls go through a table, so that tests can put a disk underneath that drops, tears or reorders what
 * was not synced. One thread at a time may use a durable file; which one does not matter. Two writers of one PATH
 * at the same time are the caller's mistake. */
#ifndef FF_FILES_H
#define FF_FILES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "error.h"

/* Each as the POSIX call of its name: -1 and errno. */
struct ff_files {
    void *self; /* handed to every call */
    int (*open)(void *self, const char *path, int flags, unsigned mode);
    ssize_t (*pwrite)(void *self, int file, const void *bytes, size_t count, off_t offset);
    int (*fsync)(void *self, int file);
    int (*close)(void *self, int file);
    int (*rename)(void *self, const char *from, const char *to);
    int (*unlink)(void *self, const char *path);
};

extern const struct ff_files ff_files_system;

struct ff_durable;

/* Begin to write PATH.tmp, in place of one that was left over; PATH itself is not touched. `files` must live as
 * long as the file. NULL and `error`: FF_IO or FF_NO_MEMORY. */
struct ff_durable *ff_durable_create(const struct ff_files *files, const char *path, struct ff_error *error);

/* Put `count` bytes at `offset`; what no write covers is zero. A failure is remembered: later writes and the commit
 * return it again, so that a file with a hole is never committed. FF_IO. */
ff_status ff_durable_write(struct ff_durable *file, uint64_t offset, const void *bytes, size_t count,
                           struct ff_error *error);

/* Sync, rename to PATH, sync the folder. Frees `file`, whatever the outcome. On FF_OK the new file is there for
 * good. On failure (FF_IO) PATH is what it was and PATH.tmp is gone, with one exception: when the very last step,
 * the folder's sync, fails, PATH is the new file already and only a power cut may bring the former one back. */
ff_status ff_durable_commit(struct ff_durable *file, struct ff_error *error);

/* Remove PATH.tmp and free; PATH stays what it was. NULL is fine. */
void ff_durable_discard(struct ff_durable *file);

/* Remove a PATH.tmp that a crash left over, if there is one. */
void ff_durable_sweep(const struct ff_files *files, const char *path);

#endif
