/* check.h - the `goodness check` command: whether all that a state folder keeps is consistent. */
#ifndef CHECK_H
#define CHECK_H

#include "options.h"

/* A line on standard output for each finding, and one that counts. Nothing in the folder is changed. Returns the
 * program's exit status: 0, all is consistent; 1, there are findings, or (with a line on standard error) the folder
 * could not be read or a daemon holds it. */
int check_command(const struct options *options);

#endif
