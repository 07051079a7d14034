/* train_watch.h - what goes on beside a training on a terminal: signals, and the progress line.
 *
 * One thread of its own waits for SIGINT and SIGTERM: the first stops the run that trains, a second one ends the
 * program at once. Where standard error is a terminal, the thread also redraws a progress line there, ten times a
 * second. */
#ifndef TRAIN_WATCH_H
#define TRAIN_WATCH_H

#include <stdbool.h>

#include "error.h"
#include "trainer.h"

struct train_watch;

/* After signals_take. */
struct train_watch *train_watch_create(struct ff_error *error);
void train_watch_destroy(struct train_watch *watch); /* NULL is fine */

/* From here to train_watch_end `trainer` is the one that signals stop and whose progress is shown. A stop that came
 * before is passed on at once. */
void train_watch_begin(struct train_watch *watch, struct ff_trainer *trainer, const char *name);
void train_watch_end(struct train_watch *watch);

/* Take the progress line away and hold it back while something else is printed. Any thread, in pairs. */
void train_watch_pause(struct train_watch *watch);
void train_watch_go_on(struct train_watch *watch);

#endif
