/* pieces.h - the two files that tests of core/files.h write, in pieces. */
#ifndef TESTS_PIECES_H
#define TESTS_PIECES_H

#include <stdlib.h>

#include "../cmocka_all.h"
#include "files.h"
#include "power_survey.h"

enum { START = 64, PIECE = 700 };

/* File 0 and file 1 differ in length and in every byte. */
static const size_t sizes[2] = {3000, 4321};

static inline uint8_t *make_bytes(int which)
{
    uint8_t *bytes = malloc(sizes[which]);

    assert_non_null(bytes);
    for (size_t i = 0; i < sizes[which]; i++)
        bytes[i] = (uint8_t)((i * 37 + i / 256) | 1) ^ (which == 0 ? 0 : 1);
    return bytes;
}

/* As a file is written whose beginning is known last: all after START in pieces, then the start. */
static inline ff_status write_pieces(struct ff_durable *file, int which, struct ff_error *error)
{
    uint8_t *bytes = make_bytes(which);
    ff_status status = FF_OK;

    for (size_t at = START; at < sizes[which] && status == FF_OK; at += PIECE)
        status =
            ff_durable_write(file, at, bytes + at, sizes[which] - at < PIECE ? sizes[which] - at : PIECE, error);
    if (status == FF_OK)
        status = ff_durable_write(file, 0, bytes, START, error);
    free(bytes);
    return status;
}

static inline ff_status write_to(const struct ff_files *files, const char *path, int which, struct ff_error *error)
{
    struct ff_durable *file = ff_durable_create(files, path, error);
    ff_status status;

    if (file == NULL)
        return error->status;
    status = write_pieces(file, which, error);
    if (status == FF_OK)
        return ff_durable_commit(file, error);
    ff_durable_discard(file);
    return status;
}

static inline ff_status durable_writer(const struct ff_files *files, int which, struct ff_error *error)
{
    return write_to(files, POWER_PATH, which, error);
}

#endif
