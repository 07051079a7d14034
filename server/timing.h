/* timing.h - the server's clocks: the date, and time that never jumps.
 *
 * Whatever waits or measures uses the second one. Any thread may call. */
#ifndef TIMING_H
#define TIMING_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

int64_t timing_date(void); /* milliseconds since 1970 UTC */

/* Of the clock that never jumps, from some moment in the past. */
int64_t timing_now(void); /* milliseconds */
double timing_seconds(void);

/* A condition on that clock; and when its pthread_cond_timedwait is to end, from timing_now's milliseconds. */
void timing_condition(pthread_cond_t *condition);
struct timespec timing_until(int64_t milliseconds);

#endif
