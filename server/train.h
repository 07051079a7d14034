/* train.h - the `goodness train` command: the trainer without a server. */
#ifndef TRAIN_H
#define TRAIN_H

#include "options.h"

/* Train what the options name, one run after the other; JSON Lines or the text log on standard output. Returns the
 * program's exit status: 0 when all finished, 1 otherwise, with a line on standard error that says why. */
int train_command(const struct options *options);

#endif
