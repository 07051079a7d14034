#include "train_checkpoint.h"

#include <stdio.h>
#include <stdlib.h>

#include "checkpoint_pace.h"

struct train_checkpoint {
    const char *path;
    struct ff_checkpoint_about about;
    struct checkpoint_pace pace;

    struct ff_safetensors_writer *writer; /* of the one under way; NULL: none, or it could not begin */
    struct ff_error trouble;              /* FF_OK: none */
};

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
    checkpoint->pace = checkpoint_pace_start();
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
    return checkpoint_pace_due(&checkpoint->pace);
}

static void begin(struct train_checkpoint *checkpoint, const struct ff_standing *standing)
{
    checkpoint_pace_begin(&checkpoint->pace);
    checkpoint->about.standing = *standing;
    checkpoint->trouble.status = FF_OK;
    checkpoint->writer =
        ff_checkpoint_write(&ff_files_system, checkpoint->path, &checkpoint->about, &checkpoint->trouble);
}

static void finish(struct train_checkpoint *checkpoint)
{
    struct ff_durable *file;

    if (checkpoint->writer != NULL &&
        ff_safetensors_finish(checkpoint->writer, &file, &checkpoint->trouble) == FF_OK)
        ff_durable_commit(file, &checkpoint->trouble);
    checkpoint->writer = NULL;
    checkpoint_pace_end(&checkpoint->pace);
}

void train_checkpoint_take(struct train_checkpoint *checkpoint, const struct ff_snapshot_piece *piece)
{
    if (piece->standing != NULL)
        begin(checkpoint, piece->standing);
    else if (checkpoint->writer != NULL)
        ff_safetensors_append(checkpoint->writer, piece->values, piece->count * sizeof *piece->values,
                              &checkpoint->trouble); /* it remembers what fails, for the end */
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
    ff_safetensors_discard(checkpoint->writer);
    free(checkpoint);
}
