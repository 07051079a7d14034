#include "train_checkpoint.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "timing.h"

static const double least_seconds = 10, least_times = 50;

struct train_checkpoint {
    const char *path;
    struct ff_checkpoint_about about;
    double every; /* seconds from one to the next, when told; NaN: by the rule */

    struct ff_checkpoint_writer *writer; /* of the one under way; NULL: none, or it has failed */
    double began, ended, took;           /* seconds: of the newest one; before the first, of nothing */
    struct ff_error trouble;             /* FF_OK: none */
};

static double told_seconds(void)
{
    const char *text = getenv("GOODNESS_CHECKPOINT_SECONDS");
    char *end;
    double seconds = text == NULL ? (double)NAN : strtod(text, &end);

    return text == NULL || end == text || *end != '\0' || !(seconds >= 0) ? (double)NAN : seconds;
}

struct train_checkpoint *train_checkpoint_create(const char *path, const struct run *run,
                                                 const struct ff_dataset *dataset,
                                                 const struct ff_checkpoint *resumed, struct ff_error *error)
{
    struct train_checkpoint *checkpoint = calloc(1, sizeof *checkpoint);

    if (checkpoint == NULL) {
        ff_fail_memory(error, "a checkpoint");
        return NULL;
    }
    checkpoint->path = path;
    checkpoint->every = told_seconds();
    checkpoint->ended = timing_seconds();
    checkpoint->about =
        (struct ff_checkpoint_about){.config = run->config, .shape = dataset->shape, .classes = dataset->classes};
    snprintf(checkpoint->about.name, sizeof checkpoint->about.name, "%s", run->name);
    if (resumed != NULL) { /* settings that were turned in a former life, in a daemon */
        checkpoint->about.changes = ff_checkpoint_about(resumed)->changes;
        checkpoint->about.change_count = ff_checkpoint_about(resumed)->change_count;
    }
    return checkpoint;
}

bool train_checkpoint_due(const struct train_checkpoint *checkpoint)
{
    double wait =
        isnan(checkpoint->every) ? fmax(least_seconds, least_times * checkpoint->took) : checkpoint->every;

    return timing_seconds() - checkpoint->ended >= wait;
}

static void begin(struct train_checkpoint *checkpoint, const struct ff_standing *standing)
{
    checkpoint->began = timing_seconds();
    checkpoint->about.standing = *standing;
    checkpoint->trouble.status = FF_OK;
    checkpoint->writer =
        ff_checkpoint_write(&ff_files_system, checkpoint->path, &checkpoint->about, &checkpoint->trouble);
}

static void append(struct train_checkpoint *checkpoint, const struct ff_snapshot_piece *piece)
{
    if (ff_checkpoint_append(checkpoint->writer, piece->values, piece->count, &checkpoint->trouble) == FF_OK)
        return;
    ff_checkpoint_discard(checkpoint->writer);
    checkpoint->writer = NULL;
}

static void finish(struct train_checkpoint *checkpoint)
{
    struct ff_durable *file;

    if (checkpoint->writer != NULL &&
        ff_checkpoint_finish(checkpoint->writer, &file, &checkpoint->trouble) == FF_OK)
        ff_durable_commit(file, &checkpoint->trouble);
    checkpoint->writer = NULL;
    checkpoint->ended = timing_seconds();
    checkpoint->took = checkpoint->ended - checkpoint->began;
}

void train_checkpoint_take(struct train_checkpoint *checkpoint, const struct ff_snapshot_piece *piece)
{
    if (piece->standing != NULL)
        begin(checkpoint, piece->standing);
    else if (checkpoint->writer != NULL)
        append(checkpoint, piece);
    if (piece->last)
        finish(checkpoint);
}

const char *train_checkpoint_trouble(const struct train_checkpoint *checkpoint)
{
    return checkpoint->trouble.status == FF_OK ? NULL : checkpoint->trouble.message;
}

void train_checkpoint_destroy(struct train_checkpoint *checkpoint)
{
    if (checkpoint == NULL)
        return;
    ff_checkpoint_discard(checkpoint->writer);
    free(checkpoint);
}
