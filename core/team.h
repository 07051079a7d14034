/* team.h - threads that take items of work.
 *
 * Items are cut by shape; which worker takes one never matters. The thread that calls ff_team_run is worker 0 and
 * works along. Workers spin briefly between two calls, then sleep, so that an idle team costs nothing. One call at
 * a time. */
#ifndef FF_TEAM_H
#define FF_TEAM_H

#include <stdbool.h>
#include <stddef.h>

#include "error.h"

struct ff_team;

/* A team of `workers` threads, the caller's included (at least 1). */
struct ff_team *ff_team_create(unsigned workers, struct ff_error *error);
unsigned ff_team_workers(const struct ff_team *team);

/* Do item(arg, index, worker) for every index below `items`, in any order, by any worker; returns when all are
 * done. With `guests`, a thread that is not of the team may help. */
void ff_team_run(struct ff_team *team, size_t items, void (*item)(void *arg, size_t index, unsigned worker),
                 void *arg, bool guests);

/* Help with the work at hand, if it is open to guests and no other guest is there, as worker number
 * ff_team_workers(team). Returns whether anything was done. Any thread outside the team may call. */
bool ff_team_visit(struct ff_team *team);

void ff_team_destroy(struct ff_team *team); /* NULL is fine */

#endif
