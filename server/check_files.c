#include "check_internal.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "digits.h"

/* A file of the run in there, by its ending. */
static void file_of(const struct check *check, const struct checked_run *run, const char *ending,
                    char path[CHECK_PATH_MAX])
{
    snprintf(path, CHECK_PATH_MAX, "%s/checkpoints/%" PRId64 "%s", check->folder, run->id, ending);
}

/* --- one checkpoint ------------------------------------------------------------------------------------------- */

/* The name of a setting in which the run that the checkpoint is of differs from this one, live ones and the number
 * of epochs left aside; NULL when there is none. */
static const char *find_difference(const struct checked_run *run, const struct ff_config *began)
{
    struct ff_config config = *began;
    cJSON *live = ff_config_live_to_json(&run->config);
    struct ff_problems problems = {0};
    const char *name;

    ff_config_apply_live(&config, live, "", &problems);
    config.epochs = run->config.epochs;
    ff_config_first_difference(&config, &run->config, &name);
    cJSON_Delete(live);
    return name;
}

static void check_about(struct check *check, struct checked_run *run, const struct ff_checkpoint_about *about)
{
    const char *difference = find_difference(run, &about->config);

    if (difference != NULL)
        check_found(check, "run %" PRId64 ": its checkpoint is of a run with another %s", run->id, difference);
    if (about->standing.step > run->most)
        check_found(check, "run %" PRId64 ": its checkpoint is of step %" PRIu64 ", beyond the run's %" PRIu64,
                    run->id, about->standing.step, run->most);
    run->kept = difference == NULL && about->standing.step <= run->most;
    run->standing = about->standing;
}

/* The table's row may be older than the file, which a kill leaves so, but never newer. */
static void check_listed(struct check *check, const struct checked_run *run, bool file, const char *problem)
{
    int64_t listed = -1;

    if (check->version >= 2)
        listed = check_number(check, "SELECT step FROM checkpoints WHERE run = ?1", run->id, -1);
    if (!file && listed >= 0)
        check_found(check, "run %" PRId64 ": its checkpoint (step %" PRId64 ") has no file", run->id, listed);
    else if (problem != NULL)
        check_found(check, "run %" PRId64 ": its checkpoint cannot be used: %s", run->id, problem);
    else if (file && listed >= 0 && (uint64_t)listed > run->standing.step)
        check_found(check, "run %" PRId64 ": its checkpoint is of step %" PRIu64 ", and the database says %" PRId64,
                    run->id, run->standing.step, listed);
}

/* What is kept of the best epoch is never ahead of the run. */
static void check_best(struct check *check, const struct checked_run *run)
{
    char path[CHECK_PATH_MAX];
    struct ff_checkpoint *checkpoint;
    struct ff_error error;

    file_of(check, run, ".best.safetensors", path);
    if (access(path, F_OK) != 0)
        return;
    checkpoint = ff_checkpoint_open(path, &error);
    if (checkpoint == NULL)
        check_found(check, "run %" PRId64 ": its best weights cannot be used: %s", run->id, error.message);
    else if (ff_checkpoint_about(checkpoint)->standing.step > run->standing.step)
        check_found(check,
                    "run %" PRId64 ": its best weights are of step %" PRIu64 ", and its checkpoint of %" PRIu64,
                    run->id, ff_checkpoint_about(checkpoint)->standing.step, run->standing.step);
    ff_checkpoint_close(checkpoint);
}

void check_checkpoint(struct check *check, struct checked_run *run)
{
    char path[CHECK_PATH_MAX];
    struct ff_checkpoint *checkpoint;
    struct ff_error error;

    file_of(check, run, ".safetensors", path);
    if (access(path, F_OK) != 0) {
        check_listed(check, run, false, NULL);
        return;
    }
    check->checkpoints++;
    checkpoint = ff_checkpoint_open(path, &error);
    if (checkpoint != NULL)
        check_about(check, run, ff_checkpoint_about(checkpoint));
    check_listed(check, run, true, checkpoint == NULL ? error.message : NULL);
    if (checkpoint != NULL)
        check_best(check, run);
    ff_checkpoint_close(checkpoint);
}

/* --- the folder ----------------------------------------------------------------------------------------------- */

/* The run whose checkpoint (or that of its best epoch, or one that was damaged, and kept aside) is called this; 0:
 * of none. */
static int64_t run_of_name(const char *name)
{
    const char *rest = name;
    int64_t run;

    if (!digits_run(&rest, &run) ||
        (strcmp(rest, ".safetensors") != 0 && strcmp(rest, ".safetensors.damaged") != 0 &&
         strcmp(rest, ".best.safetensors") != 0))
        return 0;
    return run;
}

static bool ends_with(const char *name, const char *ending)
{
    size_t length = strlen(name), end = strlen(ending);

    return length >= end && strcmp(name + length - end, ending) == 0;
}

static void check_name(struct check *check, const char *name)
{
    int64_t run = run_of_name(name);

    if (ends_with(name, ".tmp"))
        check_found(check,
                    "checkpoints/%s was left over when it was being written; the daemon's next start removes it",
                    name);
    else if (run == 0)
        check_found(check, "checkpoints/%s is not a run's checkpoint", name);
    else if (check_number(check, "SELECT count(*) FROM runs WHERE id = ?1", run, 0) == 0)
        check_found(check, "checkpoints/%s belongs to no run", name);
}

void check_checkpoint_folder(struct check *check)
{
    char path[CHECK_PATH_MAX];
    const struct dirent *entry;
    DIR *folder;

    snprintf(path, sizeof path, "%s/checkpoints", check->folder);
    folder = opendir(path);
    if (folder == NULL && errno != ENOENT)
        check_found(check, "%s cannot be read: %s", path, strerror(errno));
    if (folder == NULL)
        return;
    while ((entry = readdir(folder)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            check_name(check, entry->d_name);
    closedir(folder);
}
