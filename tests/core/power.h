/* power.h - a disk in memory whose power can be cut: a struct ff_files for tests of what a crash leaves.
 *
 * It is as unkind as POSIX allows. Bytes that were written but not synced survive whole, torn at 512 bytes or not
 * at all, in any order, and the file's length may survive without them (as zeros). What happened in the folder - a
 * name made, renamed, removed - survives by itself or not, in any selection, until the folder is synced; that a
 * file was synced says nothing about its name.
 *
 * There is one folder, POWER_FOLDER. Calls are counted from 0, so that any of them can fail, or be the first
 * without power. */
#ifndef TESTS_POWER_H
#define TESTS_POWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "files.h"

#define POWER_FOLDER "/disk"
enum { POWER_SECTOR = 512 };

/* What goes wrong; a test sets it at any time. power_create sets the calls to SIZE_MAX, which never come. */
struct power_faults {
    size_t cut;  /* from this call on nothing works or changes anything any more */
    size_t fail; /* this call, and it alone, fails with `code` */
    int code;
    bool interrupt;       /* every other call that can be interrupted is (EINTR) */
    size_t most;          /* no write takes more bytes than this */
    bool no_file_syncs;   /* the sync of a file says that all is well and does nothing: a writer without it */
    bool no_folder_syncs; /* the same of the folder */
};

struct power;

struct power *power_create(void);
struct power_faults *power_faults(struct power *disk);
const struct ff_files *power_files(struct power *disk);
void power_destroy(struct power *disk);

/* How many calls there have been. */
size_t power_calls(const struct power *disk);

/* The power goes and comes back: chooses by `seed` what survived of what was not synced; no file is open. */
void power_crash(struct power *disk, uint64_t seed);

/* The content of a file as anybody would read it now; NULL when there is none. It lives until the next call. */
const uint8_t *power_read(struct power *disk, const char *path, size_t *size);

/* Which call failed last, by `fail` or `cut`: "open /disk/a.tmp", "fsync folder", "close file" …; "" when none did.
 */
const char *power_failed(const struct power *disk);

/* How many descriptors are open: of a writer that has ended, none. */
size_t power_open_files(const struct power *disk);

#endif
