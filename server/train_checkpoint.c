#include "train_checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "checkpoint_pace.h"
#include "second_name.h"

static const char ending[] = ".safetensors", best_mark[] = ".best";

struct train_checkpoint {
    const char *path;
    char *best_path;
    const struct run *run;
    uint64_t best_step; /* where the best epoch ended, until its weights are kept; 0: nothing is to be done */
    struct ff_checkpoint_about about;
    struct checkpoint_pace pace;

    struct ff_safetensors_writer *writer; /* of the one under way; NULL: none, or it could not begin */
    struct ff_error trouble;              /* FF_OK: none */
};

/* "run.best.safetensors" of "run.safetensors"; the caller's. NULL when memory is short. */
static char *best_path_of(const char *path)
{
    size_t length = strlen(path), end = strlen(ending);
    bool ends = length > end && strcmp(path + length - end, ending) == 0;
    size_t stem = ends ? length - end : length, size = length + sizeof best_mark;
    char *best = malloc(size);

    if (best != NULL)
        snprintf(best, size, "%.*s%s%s", (int)stem, path, best_mark, path + stem);
    return best;
}

/* A run that goes on in another file takes its best weights along. */
static void take_best_along(struct train_checkpoint *checkpoint, const char *from)
{
    char *best = from != NULL ? best_path_of(from) : NULL;

    if (best != NULL && strcmp(best, checkpoint->best_path) != 0 && access(best, F_OK) == 0)
        second_name_give(best, checkpoint->best_path, &checkpoint->trouble);
    free(best);
}

struct train_checkpoint *train_checkpoint_create(const char *path, const struct run *run,
                                                 const struct ff_dataset *dataset,
                                                 const struct ff_checkpoint *resumed, const char *from,
                                                 struct ff_error *error)
{
    struct train_checkpoint *checkpoint = calloc(1, sizeof *checkpoint);

    if (checkpoint == NULL) {
        ff_fail_memory(error, "a checkpoint");
        return NULL;
    }
    checkpoint->path = path;
    checkpoint->run = run;
    checkpoint->best_path = best_path_of(path);
    if (checkpoint->best_path == NULL) {
        free(checkpoint);
        ff_fail_memory(error, "a checkpoint");
        return NULL;
    }
    checkpoint->pace = checkpoint_pace_start();
    checkpoint->about =
        (struct ff_checkpoint_about){.config = run->config, .shape = dataset->shape, .classes = dataset->classes};
    snprintf(checkpoint->about.name, sizeof checkpoint->about.name, "%s", run->name);
    if (resumed != NULL) { /* settings that were turned in a former life, in a daemon */
        checkpoint->about.changes = ff_checkpoint_about(resumed)->changes;
        checkpoint->about.change_count = ff_checkpoint_about(resumed)->change_count;
    }
    take_best_along(checkpoint, from);
    return checkpoint;
}

void train_checkpoint_see_epoch(struct train_checkpoint *checkpoint, const struct ff_epoch *epoch)
{
    if (checkpoint->run->best.epoch == epoch->epoch)
        checkpoint->best_step = epoch->step;
}

bool train_checkpoint_due(const struct train_checkpoint *checkpoint)
{
    return checkpoint->best_step != 0 || checkpoint_pace_due(&checkpoint->pace);
}

static void begin(struct train_checkpoint *checkpoint, const struct ff_standing *standing)
{
    checkpoint_pace_begin(&checkpoint->pace);
    checkpoint->about.standing = *standing;
    checkpoint->about.standing.best_epoch = checkpoint->run->best.epoch;
    checkpoint->about.standing.best_error = checkpoint->run->best.epoch > 0 ? checkpoint->run->best.test_error : 0;
    checkpoint->trouble.status = FF_OK;
    checkpoint->writer =
        ff_checkpoint_write(&ff_files_system, checkpoint->path, &checkpoint->about, &checkpoint->trouble);
}

/* The file is whole: it may be the best one too. That of a former run, which had the same file, is not this run's.
 */
static void keep_best(struct train_checkpoint *checkpoint)
{
    if (checkpoint->best_step != 0 && checkpoint->best_step == checkpoint->about.standing.step)
        second_name_give(checkpoint->path, checkpoint->best_path, &checkpoint->trouble);
    else if (checkpoint->run->best.epoch == 0)
        unlink(checkpoint->best_path);
    checkpoint->best_step = 0;
}

static void finish(struct train_checkpoint *checkpoint)
{
    struct ff_durable *file;

    if (checkpoint->writer != NULL &&
        ff_safetensors_finish(checkpoint->writer, &file, &checkpoint->trouble) == FF_OK &&
        ff_durable_commit(file, &checkpoint->trouble) == FF_OK)
        keep_best(checkpoint);
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
    free(checkpoint->best_path);
    free(checkpoint);
}
