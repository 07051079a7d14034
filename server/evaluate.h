/* evaluate.h - the `goodness evaluate` command: what a checkpoint's network makes of a data set. */
#ifndef EVALUATE_H
#define EVALUATE_H

#include "options.h"

/* One line of JSON on standard output. Returns the program's exit status: 0, or 1 with a line on standard error
 * that says why. */
int evaluate_command(const struct options *options);

#endif
