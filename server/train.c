#include "train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "blas.h"
#include "catalog.h"
#include "signals.h"
#include "timing.h"
#include "together.h"
#include "train_input.h"
#include "train_tell.h"

enum { DONE = 0, TROUBLE = 1 };

struct train {
    const struct options *options;
    struct catalog *catalog;
    struct train_watch *watch;
    struct together together;
    struct training *trainings; /* [count] */
    size_t count, ended;
};

static void name_run(struct run *run)
{
    if (run->name[0] != '\0')
        return;
    snprintf(run->name, sizeof run->name, "%s%s%s", run->config.dataset, run->preset[0] == '\0' ? "" : " ",
             run->preset);
}

/* Read one operand into a run (NULL: there is none, beside --resume). Whether it fits the data set is seen later.
 */
static bool prepare(struct train *train, const char *operand, struct training *training)
{
    struct run *run = &training->run;
    const char *resume = train->options->resume;

    training->options = train->options;
    training->watch = train->watch;
    training->crew = train->together.crew;
    if (resume != NULL ? !train_input_resume(resume, operand, run, &training->beginning)
                       : !train_input_read(operand, run))
        return false;
    run->id = training - train->trainings + 1;
    if (run->asked.stages == 0)
        run->asked.stages = train->options->placement.stages;
    if (run->asked.threads == 0)
        run->asked.threads = train->options->placement.threads;
    run->progress = (struct ff_progress){
        .epochs = run->config.epochs, .remaining = (double)NAN, .samples_per_second = (double)NAN};
    name_run(run);
    return true;
}

/* Training */

static void keep_evaluation(void *self, const struct ff_evaluation *evaluation)
{
    struct training *training = self;

    textlog_keep_evaluation(&training->evaluation, evaluation);
}

static void see_epoch(void *self, const struct ff_epoch *epoch)
{
    struct training *training = self;

    train_tell_epoch(training, epoch);
    if (training->checkpoint != NULL)
        train_checkpoint_see_epoch(training->checkpoint, epoch);
}

/* Nothing here pauses a run. */
static void ignore_pause(void *self)
{
    (void)self;
}

static bool want_snapshot(void *self)
{
    const struct training *training = self;

    return train_checkpoint_due(training->checkpoint);
}

static void take_snapshot(void *self, const struct ff_snapshot_piece *piece)
{
    struct training *training = self;

    train_checkpoint_take(training->checkpoint, piece);
}

/* The lines of a run that cannot train: it has begun, and ended at once. `dataset` may be NULL. */
static void fail_at_once(struct training *training, const struct ff_dataset *dataset, const char *sentence)
{
    struct run *run = &training->run;

    run->created = run->started = timing_date();
    run->state = RUN_RUNNING;
    train_tell_start(training, dataset);
    run_end(run, FF_FAILED, sentence, timing_date());
    train_tell_end(training, NULL);
}

/* Make the trainer, and what keeps its run. NULL and `error`. */
static struct ff_trainer *create_trainer(struct training *training, const struct ff_dataset *dataset,
                                         struct ff_error *error)
{
    struct ff_observer observer = {.self = training,
                                   .points = train_tell_points,
                                   .epoch = see_epoch,
                                   .evaluation = keep_evaluation,
                                   .paused = ignore_pause,
                                   .resumed = ignore_pause};
    const struct run *run = &training->run;
    struct ff_beginning beginning = {.checkpoint = training->beginning, .crew = training->crew};

    if (training->beginning != NULL) {
        beginning.changes = ff_checkpoint_about(training->beginning)->changes;
        beginning.change_count = ff_checkpoint_about(training->beginning)->change_count;
    }
    if (training->options->checkpoint != NULL) {
        training->checkpoint = train_checkpoint_create(training->options->checkpoint, run, dataset,
                                                       training->beginning, training->options->resume, error);
        if (training->checkpoint == NULL)
            return NULL;
        observer.wants_snapshot = want_snapshot;
        observer.snapshot = take_snapshot;
    }
    return ff_trainer_create(&run->config, dataset, run->asked, &observer, &beginning, error);
}

static void begin_run(struct training *training, struct ff_trainer *trainer)
{
    struct run *run = &training->run;

    run->created = run->started = timing_date();
    run->state = RUN_RUNNING;
    run_place(run, ff_trainer_placement(trainer));
    run->parameters = ff_trainer_parameters(trainer);
    ff_trainer_progress(trainer, &run->progress);
    if (training->beginning != NULL)
        run_stand(run, train_standing(training));
}

static bool train_on(struct training *training, const struct ff_dataset *dataset, struct ff_error *error)
{
    struct run *run = &training->run;
    struct ff_trainer *trainer = create_trainer(training, dataset, error);
    const char *trouble = NULL;

    if (trainer == NULL) {
        fail_at_once(training, dataset, error->message);
        return false;
    }
    begin_run(training, trainer);
    train_tell_start(training, dataset);
    train_watch_begin(training->watch, trainer, run->name);
    enum ff_outcome outcome = ff_trainer_run(trainer, error);
    train_watch_end(training->watch);
    ff_trainer_progress(trainer, &run->progress);
    ff_trainer_destroy(trainer);
    run_end(run, outcome, error->message, timing_date());
    if (training->checkpoint != NULL && (trouble = train_checkpoint_trouble(training->checkpoint)) != NULL)
        run_add_warning(run, "%s", trouble);
    train_tell_end(training, trouble);
    return run->state == RUN_FINISHED && trouble == NULL;
}

static bool train_one(struct train *train, struct training *training)
{
    struct ff_error error;
    const struct ff_dataset *dataset = catalog_acquire(train->catalog, training->run.config.dataset, &error);
    bool good;

    if (dataset == NULL || run_fits(&training->run.config, dataset, &error) != FF_OK) {
        fail_at_once(training, dataset, error.message);
        good = false;
    } else {
        good = train_on(training, dataset, &error);
    }
    catalog_release(train->catalog, dataset);
    return good;
}

static int compare_and_close(struct train *train)
{
    const struct run *runs[OPTIONS_LIST_MAX];

    for (size_t i = 0; i < train->ended; i++)
        runs[i] = &train->trainings[i].run;
    if (train->options->text && train->ended > 1)
        textlog_comparison(stdout, runs, train->ended);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        train_complain(NULL, "standard output could not be written; the log is not whole");
        return TROUBLE;
    }
    return DONE;
}

static int train_all(struct train *train)
{
    int status = DONE;

    for (size_t i = 0; i < train->count; i++)
        if (!prepare(train, train->options->operands.values[i], &train->trainings[i]))
            return TROUBLE; /* before anything is trained: a mistake in the last file must not cost the hours of the
                               first */
    for (size_t i = 0; i < train->count && status == DONE; i++) {
        if (signals_came() || !train_one(train, &train->trainings[i]))
            status = TROUBLE;
        train->ended += train->trainings[i].run.ended > 0;
    }
    return compare_and_close(train) == DONE ? status : TROUBLE;
}

static ff_status open_all(struct train *train, struct ff_error *error)
{
    train->trainings = calloc(train->count, sizeof *train->trainings);
    if (train->trainings == NULL)
        return ff_fail_memory(error, "the runs");
    train->catalog = catalog_create_with(train->options->data.values, error);
    if (train->catalog == NULL)
        return error->status;
    train->watch = train_watch_create(error);
    return train->watch == NULL ? error->status : FF_OK;
}

static void close_all(struct train *train)
{
    train_watch_destroy(train->watch);
    catalog_destroy(train->catalog);
    for (size_t i = 0; train->trainings != NULL && i < train->count; i++) {
        train_checkpoint_destroy(train->trainings[i].checkpoint);
        ff_checkpoint_close(train->trainings[i].beginning);
    }
    free(train->trainings);
}

int train_command(const struct options *options)
{
    struct train train = {.options = options, .count = options->operands.count};
    struct ff_error error;
    int status = TROUBLE;

    if (train.count == 0)
        train.count = 1; /* that of --resume */
    signals_take();
    if (ff_blas_check(&error) != FF_OK || together_open(&train.together, &error) != FF_OK ||
        (!train.together.served && open_all(&train, &error) != FF_OK))
        train_complain(NULL, error.message);
    else
        status = train.together.served ? DONE : train_all(&train);
    close_all(&train);
    together_close(&train.together);
    return status;
}
