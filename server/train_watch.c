#include "train_watch.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "signals.h"
#include "thread.h"

enum { REDRAW_MILLISECONDS = 100, LINE_MAX_COLUMNS = 240 };

struct train_watch {
    pthread_t thread;
    bool terminal; /* standard error is one */

    pthread_mutex_t lock; /* guards what follows, and the terminal's last line */
    struct ff_trainer *trainer;
    const char *name;
    bool stopped; /* a signal was passed on to the trainer */
    bool ending;
    bool drawn; /* a progress line stands on the terminal */
};

static unsigned terminal_columns(void)
{
    struct winsize size;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return 80;
    return size.ws_col < LINE_MAX_COLUMNS ? size.ws_col : LINE_MAX_COLUMNS - 1;
}

/* "1:02:03", "9:39" */
static void format_duration(double seconds, char *text, size_t size)
{
    unsigned long whole = (unsigned long)(seconds + 0.5);

    if (whole >= 3600)
        snprintf(text, size, "%lu:%02lu:%02lu", whole / 3600, whole / 60 % 60, whole % 60);
    else
        snprintf(text, size, "%lu:%02lu", whole / 60, whole % 60);
}

static void format_progress(const struct ff_progress *progress, const char *name, char line[LINE_MAX_COLUMNS])
{
    char left[64] = "", speed[64] = "", duration[40];
    double share = progress->steps == 0 ? 1 : (double)progress->step / (double)progress->steps;

    if (!isnan(progress->samples_per_second))
        snprintf(speed, sizeof speed, ", %.0f samples/s", progress->samples_per_second);
    if (!isnan(progress->remaining)) {
        format_duration(progress->remaining, duration, sizeof duration);
        snprintf(left, sizeof left, ", %s left", duration);
    }
    snprintf(line, LINE_MAX_COLUMNS, "epoch %u of %u, %.1f %%%s%s  %s", progress->epoch, progress->epochs,
             share * 100, speed, left, name);
}

/* With the lock held. */
static void draw(struct train_watch *watch)
{
    struct ff_progress progress;
    char line[LINE_MAX_COLUMNS];

    if (watch->trainer == NULL || !watch->terminal)
        return;
    ff_trainer_progress(watch->trainer, &progress);
    format_progress(&progress, watch->name, line);
    fprintf(stderr, "\r\033[K%.*s", (int)terminal_columns() - 1, line);
    fflush(stderr);
    watch->drawn = true;
}

static void erase(struct train_watch *watch)
{
    if (!watch->drawn)
        return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    watch->drawn = false;
}

/* A signal came, or a tenth of a second has passed. Returns whether to go on watching. */
static bool look(struct train_watch *watch)
{
    bool go_on;

    pthread_mutex_lock(&watch->lock);
    go_on = !watch->ending;
    if (watch->trainer != NULL && signals_came() && !watch->stopped) {
        watch->stopped = true;
        ff_trainer_stop(watch->trainer);
    }
    if (go_on)
        draw(watch);
    pthread_mutex_unlock(&watch->lock);
    return go_on;
}

static void *watch_signals(void *self)
{
    struct train_watch *watch = self;

    do
        signals_wait(watch->terminal ? REDRAW_MILLISECONDS : -1);
    while (look(watch));
    return NULL;
}

struct train_watch *train_watch_create(struct ff_error *error)
{
    struct train_watch *watch = calloc(1, sizeof *watch);

    if (watch == NULL) {
        ff_fail_memory(error, "the run");
        return NULL;
    }
    pthread_mutex_init(&watch->lock, NULL);
    watch->terminal = isatty(STDERR_FILENO);
    if (thread_start(&watch->thread, watch_signals, watch, "waits for signals", error) != FF_OK) {
        pthread_mutex_destroy(&watch->lock);
        free(watch);
        return NULL;
    }
    return watch;
}

void train_watch_destroy(struct train_watch *watch)
{
    if (watch == NULL)
        return;
    pthread_mutex_lock(&watch->lock);
    watch->ending = true;
    pthread_mutex_unlock(&watch->lock);
    signals_wake();
    pthread_join(watch->thread, NULL);
    pthread_mutex_destroy(&watch->lock);
    free(watch);
}

void train_watch_begin(struct train_watch *watch, struct ff_trainer *trainer, const char *name)
{
    pthread_mutex_lock(&watch->lock);
    watch->trainer = trainer;
    watch->name = name;
    watch->stopped = false;
    pthread_mutex_unlock(&watch->lock);
    signals_wake(); /* a signal may have come before */
}

void train_watch_end(struct train_watch *watch)
{
    pthread_mutex_lock(&watch->lock);
    watch->trainer = NULL;
    erase(watch);
    pthread_mutex_unlock(&watch->lock);
}

void train_watch_pause(struct train_watch *watch)
{
    pthread_mutex_lock(&watch->lock);
    erase(watch);
}

void train_watch_go_on(struct train_watch *watch)
{
    pthread_mutex_unlock(&watch->lock);
}
