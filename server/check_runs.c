#include "check_internal.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "plan.h"

/* --- where points may be -------------------------------------------------------------------------------------- */

/* A point ends a whole number of windows after its epoch's begin, or with the epoch. */
static bool on_grid(const struct checked_run *run, uint64_t step)
{
    return step % run->per_epoch % run->window == 0;
}

/* The step of the point behind the one that ends with `step`. */
static uint64_t next_point(const struct checked_run *run, uint64_t step)
{
    uint64_t within = step % run->per_epoch, next = within - within % run->window + run->window;

    return step - within + (next < run->per_epoch ? next : run->per_epoch);
}

/* Steps of an epoch: as most rows show, since the run's own row is written before it is known. */
static void find_grid(struct check *check, struct checked_run *run)
{
    int64_t steps = check_number(check,
                                 "SELECT step / epoch FROM epochs WHERE run = ?1 AND epoch > 0 AND step % epoch = 0"
                                 " GROUP BY 1 ORDER BY count(*) DESC LIMIT 1",
                                 run->id, 0);

    if (steps <= 0)
        steps = check_number(check,
                             "SELECT CAST(round(step / epoch) AS INTEGER) FROM points WHERE run = ?1 AND epoch > 0"
                             " GROUP BY 1 ORDER BY count(*) DESC LIMIT 1",
                             run->id, 0);
    if (steps <= 0 && run->epochs > 0 && run->steps % run->epochs == 0)
        steps = (int64_t)(run->steps / run->epochs);
    run->per_epoch = steps > 0 ? (uint64_t)steps : 0;
    if (run->kept)
        run->window = run->standing.window;
    else if (run->per_epoch > 0)
        run->window = ff_window_steps(run->per_epoch, run->per_epoch * run->config.epochs);
}

/* --- points --------------------------------------------------------------------------------------------------- */

/* How often a rule is broken, and the first step where it is. */
struct fault {
    uint64_t count, step;
};

static void note(struct fault *fault, uint64_t step)
{
    if (fault->count++ == 0)
        fault->step = step;
}

struct point_faults {
    struct fault layers, grid, beyond, order, epoch, missing;
};

static void tell_fault(struct check *check, const struct checked_run *run, const struct fault *fault,
                       const char *what)
{
    if (fault->count == 1)
        check_found(check, "run %" PRId64 ": the point of step %" PRIu64 " %s", run->id, fault->step, what);
    else if (fault->count > 1)
        check_found(check, "run %" PRId64 ": the point of step %" PRIu64 " %s, and so for %" PRIu64 " more",
                    run->id, fault->step, what, fault->count - 1);
}

static void tell_faults(struct check *check, const struct checked_run *run, const struct point_faults *faults)
{
    char text[160];

    snprintf(text, sizeof text, "has not one row for each of %u layers", run->config.layer_count);
    tell_fault(check, run, &faults->layers, text);
    snprintf(text, sizeof text, "ends neither a window (of %" PRIu64 " steps) nor an epoch (of %" PRIu64 ")",
             run->window, run->per_epoch);
    tell_fault(check, run, &faults->grid, text);
    snprintf(text, sizeof text, "is beyond the run's %" PRIu64, run->most);
    tell_fault(check, run, &faults->beyond, text);
    tell_fault(check, run, &faults->order, "came before the one in front of it");
    snprintf(text, sizeof text, "says that it is elsewhere among epochs of %" PRIu64 " steps", run->per_epoch);
    tell_fault(check, run, &faults->epoch, text);
    snprintf(text, sizeof text, "is missing, and the checkpoint is of step %" PRIu64, run->standing.step);
    tell_fault(check, run, &faults->missing, text);
}

/* The points that should be between two steps, as far as the checkpoint reaches. */
static void note_missing(const struct checked_run *run, struct point_faults *faults, uint64_t from, uint64_t to)
{
    if (!run->kept || run->per_epoch == 0 || run->window == 0)
        return;
    for (uint64_t step = next_point(run, from); step < to && step <= run->standing.step;
         step = next_point(run, step))
        note(&faults->missing, step);
}

/* The point of `step`; `epoch` is what it says of its place. */
static void check_place(const struct checked_run *run, struct point_faults *faults, uint64_t step, double epoch)
{
    if (step > run->most || step == 0)
        note(&faults->beyond, step);
    if (run->per_epoch == 0 || run->window == 0)
        return;
    if (!on_grid(run, step))
        note(&faults->grid, step);
    if (fabs(epoch - (double)step / (double)run->per_epoch) > 1e-9 * epoch)
        note(&faults->epoch, step);
}

/* Where programs before checkpoints were stopped, their last window was cut short. */
static void forgive_cut_window(const struct checked_run *run, struct point_faults *faults, uint64_t last)
{
    bool stopped = run->state == RUN_STOPPED || run->state == RUN_INTERRUPTED;

    if (stopped && !run->kept && faults->grid.count == 1 && faults->grid.step == last)
        faults->grid.count = 0;
}

static void check_points(struct check *check, const struct checked_run *run)
{
    sqlite3_stmt *row = check_select(
        check, "SELECT step, layer, event, epoch FROM points WHERE run = ?1 ORDER BY step, layer", run->id);
    struct point_faults faults = {0};
    uint64_t step = 0, next_layer = run->config.layer_count;
    int64_t event = 0;

    while (check_row(check, row)) {
        uint64_t its_step = (uint64_t)sqlite3_column_int64(row, 0);

        if (its_step != step) {
            if (next_layer != run->config.layer_count)
                note(&faults.layers, step);
            note_missing(run, &faults, step, its_step);
            check_place(run, &faults, its_step, sqlite3_column_double(row, 3));
            if (sqlite3_column_int64(row, 2) < event)
                note(&faults.order, its_step);
            event = sqlite3_column_int64(row, 2);
            step = its_step;
            next_layer = 0;
            check->points++;
        }
        /* Once wrong, it stays so until the next step. */
        next_layer = (uint64_t)sqlite3_column_int64(row, 1) == next_layer ? next_layer + 1 : UINT64_MAX;
    }
    if (next_layer != run->config.layer_count)
        note(&faults.layers, step);
    note_missing(run, &faults, step, UINT64_MAX);
    forgive_cut_window(run, &faults, step);
    tell_faults(check, run, &faults);
}

/* --- epochs --------------------------------------------------------------------------------------------------- */

static bool digest_good(const unsigned char *text)
{
    static const char start[] = "sha256:";
    const char *digest = text == NULL ? "" : (const char *)text;

    return strncmp(digest, start, strlen(start)) == 0 && strlen(digest) == strlen(start) + 64 &&
           strspn(digest + strlen(start), "0123456789abcdef") == 64;
}

static void check_epoch(struct check *check, const struct checked_run *run, sqlite3_stmt *row)
{
    uint64_t epoch = (uint64_t)sqlite3_column_int64(row, 0), step = (uint64_t)sqlite3_column_int64(row, 1);

    if (run->per_epoch > 0 && step != epoch * run->per_epoch)
        check_found(check, "run %" PRId64 ": epoch %" PRIu64 " ends with step %" PRIu64 ", not %" PRIu64, run->id,
                    epoch, step, epoch * run->per_epoch);
    if (step > run->most)
        check_found(check,
                    "run %" PRId64 ": epoch %" PRIu64 " ends with step %" PRIu64 ", beyond the run's %" PRIu64,
                    run->id, epoch, step, run->most);
    if (!digest_good(sqlite3_column_text(row, 2)))
        check_found(check, "run %" PRId64 ": the digest of epoch %" PRIu64 " is not one", run->id, epoch);
    if (sqlite3_column_int64(row, 3) != run->config.layer_count)
        check_found(check, "run %" PRId64 ": epoch %" PRIu64 " has %" PRId64 " of %u layers", run->id, epoch,
                    (int64_t)sqlite3_column_int64(row, 3), run->config.layer_count);
}

static void check_epochs(struct check *check, const struct checked_run *run)
{
    sqlite3_stmt *row = check_select(check,
                                     "SELECT epoch, step, digest, (SELECT count(*) FROM epoch_layers l"
                                     " WHERE l.run = e.run AND l.epoch = e.epoch)"
                                     " FROM epochs e WHERE run = ?1 ORDER BY epoch",
                                     run->id);
    uint64_t last = 0;

    while (check_row(check, row)) {
        uint64_t epoch = (uint64_t)sqlite3_column_int64(row, 0);

        if (epoch != last + 1)
            check_found(check, "run %" PRId64 ": epoch %" PRIu64 " comes after epoch %" PRIu64, run->id, epoch,
                        last);
        last = epoch;
        check_epoch(check, run, row);
    }
    if (run->kept && last < run->standing.epochs)
        check_found(check, "run %" PRId64 ": its last epoch is %" PRIu64 ", and the checkpoint has %u done",
                    run->id, last, run->standing.epochs);
}

/* --- changes -------------------------------------------------------------------------------------------------- */

static bool live_settings_good(const struct checked_run *run, const char *text)
{
    cJSON *json = text == NULL ? NULL : cJSON_Parse(text);
    struct ff_config config = run->config;
    struct ff_problems problems = {0};
    bool good = cJSON_IsObject(json) && ff_config_apply_live(&config, json, "", &problems);

    cJSON_Delete(json);
    return good;
}

static void check_changes(struct check *check, const struct checked_run *run)
{
    sqlite3_stmt *row =
        check_select(check, "SELECT step, config FROM changes WHERE run = ?1 ORDER BY step, event", run->id);

    while (check_row(check, row)) {
        int64_t step = sqlite3_column_int64(row, 0);

        if (step < 0 || (uint64_t)step > run->steps)
            check_found(check, "run %" PRId64 ": a change of step %" PRId64 ", and it has %" PRIu64 " steps",
                        run->id, step, run->steps);
        if (!live_settings_good(run, (const char *)sqlite3_column_text(row, 1)))
            check_found(check, "run %" PRId64 ": the change of step %" PRId64 " is not of live settings", run->id,
                        step);
    }
}

/* --- runs ----------------------------------------------------------------------------------------------------- */

static bool read_config(struct check *check, struct checked_run *run, const char *text)
{
    cJSON *json = text == NULL ? NULL : cJSON_Parse(text);
    struct ff_problems problems = {0};
    bool good;

    ff_config_defaults(&run->config);
    good = cJSON_IsObject(json) && ff_config_apply(&run->config, json, "", &problems);
    if (!good)
        check_found(check, "run %" PRId64 ": its configuration cannot be used: %s %s", run->id,
                    problems.count == 0 ? "it" : problems.problem[0].pointer + 1,
                    problems.count == 0 ? "is not JSON" : problems.problem[0].detail);
    cJSON_Delete(json);
    return good;
}

/* SELECT id, state, config, step, steps, epochs. What runs may have come farther than its row, which is written now
 * and then. */
static bool read_run(struct check *check, struct checked_run *run, sqlite3_stmt *row)
{
    const char *state = (const char *)sqlite3_column_text(row, 1);

    *run = (struct checked_run){.id = sqlite3_column_int64(row, 0),
                                .step = (uint64_t)sqlite3_column_int64(row, 3),
                                .steps = (uint64_t)sqlite3_column_int64(row, 4),
                                .epochs = (uint32_t)sqlite3_column_int64(row, 5)};
    if (state == NULL || !run_state_from_name(state, &run->state)) {
        check_found(check, "run %" PRId64 ": no state is called %s", run->id, state == NULL ? "nothing" : state);
        return false;
    }
    run->most = run_state_is_final(run->state) || run->steps < run->step ? run->step : run->steps;
    if (run->steps > 0 && run->step > run->steps)
        check_found(check, "run %" PRId64 ": it has done %" PRIu64 " of %" PRIu64 " steps", run->id, run->step,
                    run->steps);
    if (run->state == RUN_FINISHED && run->step != run->steps)
        check_found(check, "run %" PRId64 ": it has finished with %" PRIu64 " of %" PRIu64 " steps", run->id,
                    run->step, run->steps);
    return read_config(check, run, (const char *)sqlite3_column_text(row, 2));
}

void check_runs(struct check *check)
{
    bool removals = check->version >= 4; /* what is on its way out is passed over */
    sqlite3_stmt *row =
        check_select(check,
                     removals ? "SELECT id, state, config, step, steps, epochs FROM kept_runs ORDER BY id"
                              : "SELECT id, state, config, step, steps, epochs FROM runs ORDER BY id",
                     0);
    struct checked_run run;

    while (check_row(check, row)) {
        check->runs++;
        if (!read_run(check, &run, row))
            continue;
        check_checkpoint(check, &run);
        find_grid(check, &run);
        check_points(check, &run);
        check_epochs(check, &run);
        if (check->version >= 2)
            check_changes(check, &run);
        if (check->version >= 3)
            check_figures(check, &run);
    }
}
