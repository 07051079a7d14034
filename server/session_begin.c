#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session_internal.h"

/* --- what it goes on from ------------------------------------------------------------------------------------- */

static ff_status set_aside(struct session *session, int64_t run, struct ff_error *error)
{
    struct ff_error damage = *error;

    if (store_set_checkpoint_aside(session->store, run, error) != FF_OK)
        return error->status;
    pthread_mutex_lock(&session->mutex);
    session->current->checkpoint = (struct run_checkpoint){0};
    session_note_change(session);
    pthread_mutex_unlock(&session->mutex);
    return ff_fail(
        error, FF_DAMAGED,
        "its checkpoint is damaged, and kept aside as checkpoints/%lld.safetensors.damaged: %.300s; resume "
        "it once more to begin with its first step",
        (long long)run, damage.message);
}

/* The checkpoint, if there is one, and the settings that were turned. */
static ff_status open_checkpoint(struct session *session, const struct run *run, struct session_start *start,
                                 struct ff_error *error)
{
    char path[STORE_CHECKPOINT_PATH_MAX];
    uint64_t step = 0;

    store_checkpoint_path(session->store, run->id, path);
    start->checkpoint = ff_checkpoint_open(path, error);
    if (start->checkpoint != NULL)
        step = ff_checkpoint_about(start->checkpoint)->standing.step;
    else if (error->status == FF_DAMAGED)
        return set_aside(session, run->id, error);
    else if (error->status != FF_NOT_FOUND)
        return error->status;
    return store_read_changes(session->store, run, step, &start->changes, &start->change_count, error);
}

/* An epoch of the run's former life had as many steps as one has now, or the images are not what they were. */
static ff_status check_images(const struct run *run, const struct session_start *start, struct ff_error *error)
{
    struct ff_progress now;

    ff_trainer_progress(start->trainer, &now);
    uint64_t had = run->progress.epochs > 0 ? run->progress.steps / run->progress.epochs : 0;
    uint64_t has = now.epochs > 0 ? now.steps / now.epochs : 0;
    if (start->checkpoint == NULL || had == 0 || had == has)
        return FF_OK;
    return ff_fail(
        error, FF_INVALID,
        "the data set %s has changed: an epoch of this run had %llu steps, and would have %llu now; bring "
        "the data set back, or start a new run",
        run->config.dataset, (unsigned long long)had, (unsigned long long)has);
}

static ff_status make_trainer(struct session *session, const struct run *run, const struct ff_observer *observer,
                              struct session_start *start, struct ff_error *error)
{
    struct ff_placement placement = {
        .stages = run->asked.stages > 0 ? run->asked.stages : session->placement.stages,
        .threads = run->asked.threads > 0 ? run->asked.threads : session->placement.threads};
    struct ff_beginning beginning = {.checkpoint = start->checkpoint,
                                     .changes = start->changes,
                                     .change_count = start->change_count,
                                     .crew = session->crew};

    if (run_fits(&run->config, start->dataset, error) != FF_OK)
        return error->status;
    start->trainer = ff_trainer_create(&run->config, start->dataset, placement, observer, &beginning, error);
    return start->trainer == NULL ? error->status : check_images(run, start, error);
}

bool session_prepare(struct session *session, const struct ff_observer *observer, struct session_start *start,
                     struct ff_error *error)
{
    const struct run *run = session->current;

    start->dataset = catalog_acquire(session->catalog, run->config.dataset, error);
    if (start->dataset == NULL)
        return false;
    if (start->again && open_checkpoint(session, run, start, error) != FF_OK)
        return false;
    return make_trainer(session, run, observer, start, error) == FF_OK;
}

void session_leave(struct session *session, struct session_start *start)
{
    ff_trainer_destroy(start->trainer);
    ff_checkpoint_close(start->checkpoint);
    free(start->changes);
    catalog_release(session->catalog, start->dataset);
}

/* --- taking it up --------------------------------------------------------------------------------------------- */

/* Whoever has seen more of it is to forget that. */
static void tell_dropped(struct session *session, int64_t run, uint64_t step)
{
    char text[96];

    snprintf(text, sizeof text, "{\"run\":%lld,\"after\":%llu}", (long long)run, (unsigned long long)step);
    hub_append(session->hub, run, "dropped", text);
}

/* With `mutex`: the session's copy becomes this, standing at `step`. */
static void keep(struct session *session, const struct run *run, uint64_t step)
{
    *session->current = *run;
    session->begin_step = step;
    session_note_change(session);
}

/* A run that goes on: its former life's end is shown until what lies beyond the checkpoint is gone from the store,
 * so that nobody sees the progress of one life beside the history of the other. */
static bool step_back(struct session *session, struct run *run, const struct ff_standing *standing,
                      struct ff_error *error)
{
    ff_status status =
        store_begin_again(session->store, run, standing->step, standing->epochs, hub_newest(session->hub), error);

    if (status == FF_OK)
        status = store_get_run(session->store, run->id, run, error);
    if (status != FF_OK)
        return false;
    pthread_mutex_lock(&session->mutex);
    keep(session, run, standing->step);
    pthread_mutex_unlock(&session->mutex);
    tell_dropped(session, run->id, standing->step);
    return true;
}

bool session_take_up(struct session *session, const struct session_start *start, struct ff_error *error)
{
    static const struct ff_standing first = {0};
    const struct ff_standing *standing =
        start->checkpoint != NULL ? &ff_checkpoint_about(start->checkpoint)->standing : &first;
    struct ff_progress progress;
    struct run *run = &session->scratch;

    ff_trainer_progress(start->trainer, &progress);
    pthread_mutex_lock(&session->mutex);
    *run = *session->current;
    run_place(run, ff_trainer_placement(start->trainer));
    run->parameters = ff_trainer_parameters(start->trainer);
    run->progress = progress;
    run->progress.remaining = run->progress.samples_per_second = (double)NAN;
    run_stand(run, standing);
    if (!start->again)
        keep(session, run, standing->step);
    pthread_mutex_unlock(&session->mutex);
    if (start->again)
        return step_back(session, run, standing, error);
    store_begin_again(session->store, run, 0, 0, 0, error);
    return true; /* a new one trains even so, and is stored when that can be */
}
