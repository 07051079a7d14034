#include "pace.h"

#include <math.h>

#include "spin.h"

static double now(void)
{
    return 1e-9 * (double)ff_clock();
}

/* To the microsecond: more digits would only be noise for a reader. */
static double rounded(double seconds)
{
    return round(seconds * 1e6) / 1e6;
}

void ff_pace_begin(struct ff_pace *pace, const struct ff_plan *plan)
{
    *pace = (struct ff_pace){.plan = plan};
    pthread_mutex_init(&pace->mutex, NULL);
}

void ff_pace_end(struct ff_pace *pace)
{
    pthread_mutex_destroy(&pace->mutex);
}

static double elapsed_seconds(const struct ff_pace *pace)
{
    return pace->training + pace->evaluating + pace->saving;
}

void ff_pace_start(struct ff_pace *pace)
{
    pthread_mutex_lock(&pace->mutex);
    pace->previous = now();
    pace->running = true;
    pthread_mutex_unlock(&pace->mutex);
}

void ff_pace_stop(struct ff_pace *pace)
{
    pthread_mutex_lock(&pace->mutex);
    pace->running = false;
    pthread_mutex_unlock(&pace->mutex);
}

/* What a message's time counts as. */
static double *share_of(struct ff_pace *pace, const struct ff_message *message)
{
    switch (message->ticket) {
    case FF_FOR_JUDGING:
    case FF_FOR_TRAIN_ERROR:
    case FF_FOR_DIGEST:
        return &pace->evaluating;
    case FF_FOR_SNAPSHOT:
    case FF_FOR_RESTORING:
        return &pace->saving;
    default:
        return &pace->training;
    }
}

double ff_pace_take(struct ff_pace *pace, const struct ff_message *message)
{
    double time = now(), elapsed;

    pthread_mutex_lock(&pace->mutex);
    if (!pace->running) { /* while paused */
        elapsed = elapsed_seconds(pace);
        pthread_mutex_unlock(&pace->mutex);
        return rounded(elapsed);
    }
    *share_of(pace, message) += time - pace->previous;
    pace->images_trained += message->kind == FF_TRAIN ? message->images : 0;
    pace->previous = time;
    pace->current_epoch = message->epoch;
    pace->step = message->step;
    if (message->closes_epoch) {
        pace->epochs_closed++;
        pace->evaluating_closed = pace->evaluating;
    }
    elapsed = elapsed_seconds(pace);
    pthread_mutex_unlock(&pace->mutex);
    return rounded(elapsed);
}

/* Seconds an epoch's evaluation takes: as measured so far, else guessed from the rows, a training row costing about
 * as much as two that only go forward. */
static double evaluation_seconds(const struct ff_pace *pace)
{
    const struct ff_plan *plan = pace->plan;
    double rows = ((double)plan->judged_images + plan->train_error_images) * plan->forward_rows;
    double trained_rows = (double)pace->images_trained * plan->rows_per_image;

    if (pace->epochs_closed > 0)
        return pace->evaluating_closed / pace->epochs_closed;
    return rows / plan->config.evaluate_every * pace->training / trained_rows / 2;
}

void ff_pace_progress(struct ff_pace *pace, struct ff_progress *progress)
{
    const struct ff_plan *plan = pace->plan;
    double since;

    pthread_mutex_lock(&pace->mutex);
    since = pace->running ? now() - pace->previous : 0;
    *progress = (struct ff_progress){.epoch = pace->current_epoch,
                                     .epochs = plan->config.epochs,
                                     .step = pace->step,
                                     .steps = plan->steps,
                                     .elapsed = rounded(elapsed_seconds(pace) + since),
                                     .evaluating = rounded(pace->evaluating),
                                     .remaining = NAN,
                                     .samples_per_second = NAN};
    if (pace->training > 0 && pace->images_trained > 0) {
        double left = (double)(plan->steps - pace->step) / (double)pace->step;

        progress->samples_per_second = round(10 * (double)pace->images_trained / pace->training) / 10;
        progress->remaining = rounded(
            fmax(0, left * pace->training + (plan->config.epochs - pace->epochs_closed) * evaluation_seconds(pace) -
                        (pace->evaluating - pace->evaluating_closed)));
    }
    pthread_mutex_unlock(&pace->mutex);
}

double ff_pace_elapsed(const struct ff_pace *pace)
{
    return rounded(elapsed_seconds(pace));
}

double ff_pace_evaluating(const struct ff_pace *pace)
{
    return rounded(pace->evaluating);
}

void ff_pace_standing(struct ff_pace *pace, struct ff_standing *standing)
{
    pthread_mutex_lock(&pace->mutex);
    standing->step = pace->step;
    standing->epochs = pace->epochs_closed;
    standing->training = pace->training;
    standing->evaluating = pace->evaluating;
    standing->saving = pace->saving;
    standing->evaluating_closed = pace->evaluating_closed;
    pthread_mutex_unlock(&pace->mutex);
}

void ff_pace_restore(struct ff_pace *pace, const struct ff_standing *standing)
{
    const struct ff_plan *plan = pace->plan;
    uint64_t done = standing->step - standing->epochs * plan->steps_per_epoch;
    uint64_t images = done * plan->config.batch_size;

    pthread_mutex_lock(&pace->mutex); /* others may ask for the progress already */
    pace->step = standing->step;
    pace->epochs_closed = standing->epochs;
    pace->current_epoch = standing->epochs + (done > 0);
    pace->images_trained = (uint64_t)standing->epochs * plan->train_images +
                           (images < plan->train_images ? images : plan->train_images);
    pace->training = standing->training;
    pace->evaluating = standing->evaluating;
    pace->saving = standing->saving;
    pace->evaluating_closed = standing->evaluating_closed;
    pthread_mutex_unlock(&pace->mutex);
}
