#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session_internal.h"

void session_begin_saving(struct session *session, const struct run *run, const struct ff_dataset *dataset,
                          struct ff_change *changes, size_t count)
{
    struct session_saving *saving = &session->saving;

    saving->about =
        (struct ff_checkpoint_about){.config = run->config, .shape = dataset->shape, .classes = dataset->classes};
    snprintf(saving->about.name, sizeof saving->about.name, "%s", run->name);
    saving->changes = changes;
    saving->change_count = saving->change_room = count;
    saving->writer = NULL;
    pthread_mutex_lock(&session->mutex);
    saving->under_way = false;
    saving->best_step = 0;
    checkpoint_pace_restart(&saving->pace);
    pthread_mutex_unlock(&session->mutex);
}

void session_end_saving(struct session *session)
{
    struct session_saving *saving = &session->saving;

    ff_safetensors_discard(saving->writer); /* of a run that failed in the middle of it */
    saving->writer = NULL;
    free(saving->changes);
    saving->changes = NULL;
    saving->change_count = saving->change_room = 0;
}

/* --- snapshots ------------------------------------------------------------------------------------------------ */

bool session_wants_snapshot(void *self)
{
    struct session *session = self;
    const struct session_saving *saving = &session->saving;

    pthread_mutex_lock(&session->mutex);
    bool wanted = saving->best_step != 0 || (!saving->under_way && checkpoint_pace_due(&saving->pace));
    pthread_mutex_unlock(&session->mutex);
    return wanted;
}

/* What came of a checkpoint, on the thread that wrote it: it is on the disk, or the run keeps the remark. */
static void see_written(void *self, int64_t run, const struct run_checkpoint *kept, const struct ff_error *error)
{
    struct session *session = self;

    pthread_mutex_lock(&session->mutex);
    session->saving.under_way = false;
    checkpoint_pace_end(&session->saving.pace);
    if (session->current != NULL && session->current->id == run) {
        if (kept != NULL)
            session->current->checkpoint = *kept;
        if (kept == NULL)
            run_add_warning(session->current, "a checkpoint could not be written: %s", error->message);
        else if (error->status != FF_OK)
            run_add_warning(session->current, "the best weights so far could not be kept: %s", error->message);
        session_note_change(session);
        session->dirty = true;
        pthread_cond_broadcast(&session->changed);
    }
    pthread_mutex_unlock(&session->mutex);
}

/* Settings that were turned after the snapshot's step are recorded, but hold only later. */
static size_t changes_until(const struct session_saving *saving, uint64_t step)
{
    size_t count = 0;

    while (count < saving->change_count && saving->changes[count].step <= step)
        count++;
    return count;
}

/* On the thread of ff_trainer_run, which may wait: two that write one file would be in each other's way. */
static void begin_writing(struct session *session, const struct ff_standing *standing)
{
    struct session_saving *saving = &session->saving;
    char path[STORE_CHECKPOINT_PATH_MAX];

    pthread_mutex_lock(&session->mutex);
    bool under_way = saving->under_way;
    int64_t run = session->current->id;
    pthread_mutex_unlock(&session->mutex);
    if (under_way)
        store_flush(session->store);
    pthread_mutex_lock(&session->mutex);
    struct run_best best = session->current->best;
    saving->under_way = true;
    saving->best = saving->best_step != 0 && saving->best_step == standing->step;
    saving->best_step = 0;
    checkpoint_pace_begin(&saving->pace);
    pthread_mutex_unlock(&session->mutex);
    saving->about.standing = *standing;
    saving->about.standing.best_epoch = best.epoch;
    saving->about.standing.best_error = best.epoch > 0 ? best.test_error : 0;
    saving->about.changes = saving->changes;
    saving->about.change_count = changes_until(saving, standing->step);
    store_checkpoint_path(session->store, run, path);
    saving->writer = ff_checkpoint_write(&ff_files_system, path, &saving->about, &saving->error);
}

static void end_snapshot(struct session *session)
{
    struct session_saving *saving = &session->saving;
    struct store_checkpoint checkpoint = {.step = saving->about.standing.step,
                                          .epochs = saving->about.standing.epochs,
                                          .best = saving->best,
                                          .tell = see_written,
                                          .self = session};

    pthread_mutex_lock(&session->mutex);
    checkpoint.run = session->current->id;
    pthread_mutex_unlock(&session->mutex);
    bool whole =
        saving->writer != NULL && ff_safetensors_finish(saving->writer, &checkpoint.file, &saving->error) == FF_OK;
    saving->writer = NULL;
    if (whole)
        store_add_checkpoint(session->store, &checkpoint);
    else
        see_written(session, checkpoint.run, NULL, &saving->error);
}

void session_see_snapshot(void *self, const struct ff_snapshot_piece *piece)
{
    struct session *session = self;

    if (piece->standing != NULL)
        begin_writing(session, piece->standing);
    else if (session->saving.writer != NULL)
        ff_safetensors_append(session->saving.writer, piece->values, piece->count * sizeof *piece->values,
                              &session->saving.error); /* it remembers what fails, for the end */
    if (piece->last)
        end_snapshot(session);
}

/* --- live settings -------------------------------------------------------------------------------------------- */

/* One more for the checkpoints to come. */
static bool keep_change(struct session_saving *saving, const struct ff_change *change)
{
    if (saving->change_count == saving->change_room) {
        size_t room = saving->change_room > 0 ? saving->change_room * 2 : 8;
        struct ff_change *changes = realloc(saving->changes, room * sizeof *changes);
        if (changes == NULL)
            return false;
        saving->changes = changes;
        saving->change_room = room;
    }
    saving->changes[saving->change_count++] = *change;
    return true;
}

/* What the event says: {"run", "step", and each setting, old and new}. NULL when memory is short. */
static char *change_text(struct session *session, int64_t run, const struct ff_change *change)
{
    struct ff_config from;

    pthread_mutex_lock(&session->asking);
    from = session->line.config;
    pthread_mutex_unlock(&session->asking);
    return run_event_text(run, run_change_to_json(change->step, &from, &change->config));
}

/* Stored before it holds; then told. */
static ff_status record_change(struct session *session, const struct ff_change *change, struct ff_error *error)
{
    ff_status status;

    pthread_mutex_lock(&session->mutex);
    int64_t run = session->current->id;
    size_t told = strlen(session->current->changes);
    pthread_mutex_unlock(&session->mutex);
    char *text = change_text(session, run, change);
    if (text == NULL)
        return ff_fail_memory(error, "a change of settings");
    if (told + strlen(text) + 2 > RUN_CHANGES_MAX)
        status =
            ff_fail(error, FF_CONFLICT,
                    "the settings of run %lld were turned so often that no more can be kept (%d KB of changes): "
                    "train on with a new run",
                    (long long)run, RUN_CHANGES_MAX / 1024);
    else if (!keep_change(&session->saving, change))
        status = ff_fail_memory(error, "a change of settings");
    else
        status = store_add_change(session->store, run, hub_newest(session->hub) + 1, change, error);
    if (status == FF_OK) {
        pthread_mutex_lock(&session->mutex);
        run_turn(session->current, change->step, &change->config);
        session_note_change(session);
        session->dirty = true;
        pthread_cond_broadcast(&session->changed);
        pthread_mutex_unlock(&session->mutex);
        hub_append(session->hub, run, "change", text);
    }
    free(text);
    return status;
}

bool session_see_change(void *self, const struct ff_change *change)
{
    struct session *session = self;
    struct ff_error error = {.status = FF_OK};
    size_t before = session->saving.change_count;

    if (record_change(session, change, &error) == FF_OK) {
        session_end_turning(session, &change->config, NULL);
        return true;
    }
    session->saving.change_count = before;
    session_end_turning(session, NULL, &error);
    return false;
}
