/* ranks_open.h - the ranks that a launcher (mpirun, srun) has started this program as.
 *
 * ranks_mpi.c fulfils it where the program was built with -DGOODNESS_MPI=ON, ranks_none.c elsewhere. */
#ifndef RANKS_OPEN_H
#define RANKS_OPEN_H

#include "error.h"
#include "ranks.h"

/* Meet the others; *ranks is NULL when no launcher has started this process, or it has started but one. Once.
 * FF_IO: MPI does not grant what is needed; FF_INVALID: this build cannot. */
ff_status ranks_open(struct ff_ranks **ranks, struct ff_error *error);

struct ranks_loss {
    uint32_t rank;
    double silent, watched; /* seconds since it was heard of; of them those in which this process was at work */
};

/* From now on `told` hears of every rank that is lost, on another thread: it must not wait. */
void ranks_watch(struct ff_ranks *ranks, void (*told)(void *self, const struct ranks_loss *loss), void *self);

/* When everything that was sent has arrived. NULL is fine. */
void ranks_close(struct ff_ranks *ranks);

/* "Open MPI v4.1.4 …", or NULL: built without. */
const char *ranks_library(void);

#endif
