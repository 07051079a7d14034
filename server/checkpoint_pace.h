/* checkpoint_pace.h - how often a run that trains is saved at the end of an epoch, for the daemon and `goodness
 * train`.
 *
 * When the last checkpoint was at least ten seconds and fifty times its own writing time ago, so that it costs at
 * most 2 % of the time. For tests the environment's GOODNESS_CHECKPOINT_SECONDS takes the place of both ("inf": an
 * epoch's end leaves none). No locks: whoever shares one guards it. */
#ifndef CHECKPOINT_PACE_H
#define CHECKPOINT_PACE_H

#include <stdbool.h>

struct checkpoint_pace {
    double every;              /* seconds from one to the next, when told; NaN: by the rule */
    double began, ended, took; /* seconds: of the newest one; before the first, of nothing */
};

/* Reads the environment; a run begins now. And another one, at the same pace. */
struct checkpoint_pace checkpoint_pace_start(void);
void checkpoint_pace_restart(struct checkpoint_pace *pace);
/* How many seconds must have passed since the last one; and whether they have. */
double checkpoint_pace_wait(const struct checkpoint_pace *pace);
bool checkpoint_pace_due(const struct checkpoint_pace *pace);
/* Writing begins; and has ended, whatever came of it. */
void checkpoint_pace_begin(struct checkpoint_pace *pace);
void checkpoint_pace_end(struct checkpoint_pace *pace);

#endif
