/* train_input.h - what `goodness train` is to train: its operands as runs, and its complaints on standard error. */
#ifndef TRAIN_INPUT_H
#define TRAIN_INPUT_H

#include <stdbool.h>

#include "checkpoint.h"
#include "config.h"
#include "run.h"

/* An operand (a preset's name, the path of a RUN.json, or - for standard input) into `run`: all that the request of
 * a run says. Its configuration is checked against itself, not against the data set. False: complained already. */
bool train_input_read(const char *operand, struct run *run);

/* The run that is kept in `file`, to go on with: `run` gets its configuration as it began, and its name. `operand`
 * may be NULL; one that is given may ask for more epochs, for another name and placement, and for nothing else. The
 * caller closes *checkpoint. False: complained already. */
bool train_input_resume(const char *file, const char *operand, struct run *run, struct ff_checkpoint **checkpoint);

/* "goodness train: WHAT: SENTENCE" (`what` may be NULL). */
void train_complain(const char *what, const char *sentence);

#endif
