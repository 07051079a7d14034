/* together.h - one program on several ranks: rank 0 does what was asked for, all others serve it.
 *
 * Ranks that would not compute the same bits are refused: another program, C library or BLAS kernel, another
 * command line. Signals that ask to end are rank 0's; it ends the others. */
#ifndef TOGETHER_H
#define TOGETHER_H

#include <stdbool.h>

#include "crew.h"

struct together {
    struct ff_ranks *ranks; /* NULL: this process is alone */
    struct ff_crew *crew;   /* rank 0's; NULL: it is alone */
    bool served;            /* this is another rank, and its work is done */
};

/* After signals_take and ff_blas_check. On other ranks than rank 0 it returns when all is over. together_close in
 * any case. */
ff_status together_open(struct together *together, struct ff_error *error);
void together_close(struct together *together);

#endif
