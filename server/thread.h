/* thread.h - a thread, or the sentence that says why there is none. */
#ifndef THREAD_H
#define THREAD_H

#include <pthread.h>

#include "error.h"

/* Start a thread that does `run` with `self`. FF_NO_MEMORY: the system has none to give; `does` says for what, as
 * in "writes the database". */
ff_status thread_start(pthread_t *thread, void *(*run)(void *), void *self, const char *does,
                       struct ff_error *error);

#endif
