/* temporary.h - a folder of a test's own, and files in it. */
#ifndef TEMPORARY_H
#define TEMPORARY_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <fts.h>
#include <zlib.h>

/* A new, empty folder below $TMPDIR or /tmp; ends the test program when there cannot be one. */
static inline void temporary_folder(char folder[256])
{
    const char *base = getenv("TMPDIR");

    snprintf(folder, 256, "%.200s/goodness-test-XXXXXX", base == NULL ? "/tmp" : base);
    if (mkdtemp(folder) == NULL) {
        perror(folder);
        exit(1);
    }
}

static inline void temporary_remove(const char *folder)
{
    char *const roots[] = {(char *)(uintptr_t)folder, NULL};
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    FTSENT *entry;

    if (walk == NULL)
        return;
    while ((entry = fts_read(walk)) != NULL)
        if (entry->fts_info != FTS_D)
            remove(entry->fts_path);
    fts_close(walk);
}

/* FOLDER/NAME; holds until the sixteenth call after. */
static inline const char *temporary_path(const char *folder, const char *name)
{
    static char paths[16][768];
    static unsigned next;
    char *path = paths[next++ % 16];

    snprintf(path, sizeof paths[0], "%.255s/%.500s", folder, name);
    return path;
}

static inline void temporary_write(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");

    if (file == NULL || fwrite(bytes, 1, size, file) != size || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

static inline void temporary_write_gzipped(const char *path, const void *bytes, size_t size)
{
    gzFile file = gzopen(path, "wb");

    if (file == NULL || gzwrite(file, bytes, (unsigned)size) != (int)size || gzclose(file) != Z_OK) {
        perror(path);
        exit(1);
    }
}

#endif
