/* check_internal.h - the parts of `goodness check`: the database, each run, its checkpoint. One thread. */
#ifndef CHECK_INTERNAL_H
#define CHECK_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include <sqlite3.h>

#include "checkpoint.h"
#include "run.h"

enum { CHECK_PATH_MAX = 1200 };

struct check {
    const char *folder;
    sqlite3 *database;
    int64_t version; /* of the schema */
    uint64_t runs, points, checkpoints, findings;
};

/* A run as its row says, and where its checkpoint stands. */
struct checked_run {
    int64_t id;
    enum run_state state;
    struct ff_config config;
    uint64_t step, steps;
    uint32_t epochs;
    uint64_t most; /* no point, epoch or checkpoint may be beyond this step */

    bool kept; /* its checkpoint is there and whole: then */
    struct ff_standing standing;

    uint64_t per_epoch; /* steps; 0: nothing says */
    uint64_t window;    /* steps of a point; 0: not known */
};

/* Print a finding, printf's way, and count it. */
void check_found(struct check *check, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A SELECT whose first parameter is the run (0: it has none). Its rows are read with check_row; NULL: it could not
 * be read, which is a finding. */
sqlite3_stmt *check_select(struct check *check, const char *sql, int64_t run);
/* Whether there is one more; when there is not, `statement` (which may be NULL) is finalized, and an error found.
 */
bool check_row(struct check *check, sqlite3_stmt *statement);
/* The first column of the first row; `otherwise` where there is none. */
int64_t check_number(struct check *check, const char *sql, int64_t run, int64_t otherwise);

/* All runs: their rows, points, epochs and changes. */
void check_runs(struct check *check);

/* What was seen in its epochs: histograms and evaluations that count what they say. Since schema 3. */
void check_figures(struct check *check, const struct checked_run *run);

/* A run's checkpoint against its row, and against the table's; fills in `kept` and `standing`. */
void check_checkpoint(struct check *check, struct checked_run *run);
/* What lies in the folder of checkpoints: only those of runs that are there. */
void check_checkpoint_folder(struct check *check);

#endif
