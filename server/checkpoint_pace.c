#include "checkpoint_pace.h"

#include <math.h>
#include <stdlib.h>

#include "timing.h"

static const double least_seconds = 10, least_times = 50;

static double told_seconds(void)
{
    const char *text = getenv("GOODNESS_CHECKPOINT_SECONDS");
    char *end;
    double seconds = text == NULL ? (double)NAN : strtod(text, &end);

    return text == NULL || end == text || *end != '\0' || !(seconds >= 0) ? (double)NAN : seconds;
}

struct checkpoint_pace checkpoint_pace_start(void)
{
    return (struct checkpoint_pace){.every = told_seconds(), .ended = timing_seconds()};
}

void checkpoint_pace_restart(struct checkpoint_pace *pace)
{
    *pace = (struct checkpoint_pace){.every = pace->every, .ended = timing_seconds()};
}

double checkpoint_pace_wait(const struct checkpoint_pace *pace)
{
    return isnan(pace->every) ? fmax(least_seconds, least_times * pace->took) : pace->every;
}

bool checkpoint_pace_due(const struct checkpoint_pace *pace)
{
    return timing_seconds() - pace->ended >= checkpoint_pace_wait(pace);
}

void checkpoint_pace_begin(struct checkpoint_pace *pace)
{
    pace->began = timing_seconds();
}

void checkpoint_pace_end(struct checkpoint_pace *pace)
{
    pace->ended = timing_seconds();
    pace->took = pace->ended - pace->began;
}
