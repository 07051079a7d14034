/* power_survey.h - a writer is run again and again on a disk whose power is cut, or which fails, at each of its
 * calls. */
#ifndef TESTS_POWER_SURVEY_H
#define TESTS_POWER_SURVEY_H

#include "power.h"

#define POWER_PATH POWER_FOLDER "/a"
#define POWER_TEMPORARY POWER_PATH ".tmp"

/* Writes its file number 0 or 1 to POWER_PATH. */
typedef ff_status power_writer(const struct ff_files *files, int which, struct ff_error *error);

struct power_survey {
    power_writer *former;                /* writes file 0, which is there before; NULL: nothing is */
    power_writer *newer;                 /* writes file 1 while the power goes */
    bool no_file_syncs, no_folder_syncs; /* for the second writer only */
};

/* What POWER_PATH was after the power came back. */
struct power_outcomes {
    size_t absent, former, newer, broken; /* broken: none of the three */
};

/* For every call of the second writer, and many choices of what survives: the power goes at that call (`during`),
 * or after the last one (`after`). */
void power_survey(const struct power_survey *survey, struct power_outcomes *during, struct power_outcomes *after);

/* Every call of the second writer fails once with ENOSPC, EIO and EROFS; asserts that POWER_PATH is as it was then,
 * no temporary file is left and none is open. (Where the folder's sync fails, the new file is there, whole.) */
void power_check_failures(power_writer *writer);

/* Surveys a writer over its own former file: asserts that POWER_PATH is the former or the newer one, whole, and
 * after the last call the newer. */
void power_check_cuts(power_writer *writer);

#endif
