/* signals.h - SIGINT and SIGTERM: the first asks for an orderly end, a second one ends the program at once.
 *
 * Handlers, and not a thread that waits with the signals blocked: BLAS has started threads before main, and those
 * would take a blocked signal and let it kill the program. One per process. */
#ifndef SIGNALS_H
#define SIGNALS_H

#include <stdbool.h>

/* Take the signals over. Once, at the start. */
void signals_take(void);

/* Of a process that another one ends: let them go by. */
void signals_leave(void);

/* A connection that the other side has closed is an error of write, not the end of the program. */
void signals_ignore_pipe(void);

/* If the program has not ended by itself within so many seconds, end it, with a line on standard error. Of two
 * calls the earlier end holds. */
void signals_end_within(unsigned seconds);

/* Whether one has come. Any thread. */
bool signals_came(void);

/* Wait until a signal comes, somebody calls signals_wake, or `milliseconds` are over (negative: for ever). One
 * thread. */
void signals_wait(int milliseconds);

/* Let signals_wait return. Any thread. */
void signals_wake(void);

#endif
