/* timing.h - the server's clocks: the date, and time that never jumps.
 *
 * Whatever waits or measures uses the second one. Any thread may call. */
#ifndef TIMING_H
#define TIMING_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

int64_t timing_date(void); /* milliseconds since 1970 UTC */

/* A date as RFC 3339 has it, in UTC: "2026-03-01T12:00:00.123Z". */
enum { TIMING_TEXT_MAX = 48 };
void timing_text(int64_t date, char text[TIMING_TEXT_MAX]);

/* What the system says of a file's time, as such a date. */
int64_t timing_of(struct timespec time);

/* Of the clock that never jumps, from some moment in the past. */
int64_t timing_now(void); /* milliseconds */
double timing_seconds(void);

/* A condition on that clock; and when its pthread_cond_timedwait is to end, from timing_now's milliseconds. */
void timing_condition(pthread_cond_t *condition);
struct timespec timing_until(int64_t milliseconds);

#endif
