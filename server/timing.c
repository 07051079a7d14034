#include "timing.h"

#include <stdio.h>

int64_t timing_of(struct timespec time)
{
    return (int64_t)time.tv_sec * 1000 + (int64_t)(time.tv_nsec / 1000000);
}

static int64_t milliseconds_of(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return timing_of(time);
}

int64_t timing_date(void)
{
    return milliseconds_of(CLOCK_REALTIME);
}

int64_t timing_now(void)
{
    return milliseconds_of(CLOCK_MONOTONIC);
}

void timing_text(int64_t date, char text[TIMING_TEXT_MAX])
{
    time_t seconds = (time_t)(date / 1000);
    struct tm fields;
    size_t used = 0;

    if (gmtime_r(&seconds, &fields) != NULL)
        used = strftime(text, TIMING_TEXT_MAX, "%Y-%m-%dT%H:%M:%S", &fields);
    snprintf(text + used, TIMING_TEXT_MAX - used, ".%03dZ", (int)(date % 1000));
}

double timing_seconds(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

void timing_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

struct timespec timing_until(int64_t milliseconds)
{
    return (struct timespec){.tv_sec = (time_t)(milliseconds / 1000),
                             .tv_nsec = (long)(milliseconds % 1000) * 1000000};
}
