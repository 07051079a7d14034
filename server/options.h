/* options.h - the command line, and the environment behind it.
 *
 * One table: an option's name, its argument, the commands that take it, its help, how it is read. Every option can
 * come from the environment too (--allow-host from GOODNESS_ALLOW_HOST); the command line wins. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "config.h"
#include "log.h"
#include "trainer.h"

enum { OPTIONS_LIST_MAX = 64, OPTIONS_PATH_MAX = 1024, OPTIONS_THREADS_MAX = 256 /* of a stage */ };

enum command {
    COMMAND_SERVE = 1,
    COMMAND_TRAIN = 2,
    COMMAND_EVALUATE = 4,
    COMMAND_CHECK = 8,
    COMMAND_VERSION = 16
};

/* Several values of an option, NULL at the end. */
struct options_list {
    size_t count;
    const char *values[OPTIONS_LIST_MAX + 1];
};

/* Settings of the run's table that only prediction reads, where they are given. */
struct prediction {
    bool has_predict, has_predict_from;
    enum ff_predict predict;
    uint32_t predict_from;
};

struct options {
    enum command command;
    char listen[64]; /* in figures */
    uint16_t port;
    char state[OPTIONS_PATH_MAX];
    struct options_list data, allow_hosts;
    const char *start;      /* a preset's name, or NULL */
    const char *token_file; /* NULL: no token; then `listen` is a loopback address */
    struct ff_placement placement;
    enum log_format log_format;
    enum log_level log_level;
    bool text;
    const char *checkpoint, *resume; /* files, or NULL */
    const char *dataset;             /* to evaluate on; NULL: the checkpoint's */
    enum ff_split split;
    bool held_out;                /* of the training images those that the run held out */
    struct prediction prediction; /* what to evaluate by */
    struct options_list operands; /* what to train; the checkpoint to evaluate */
    char environment[4096];       /* holds the parts of lists that came from the environment */
    size_t environment_used;
};

/* What options_parse returns when there is something to do; anything else is the exit status. */
enum { OPTIONS_GO = -1 };

/* Read command line and environment. Help goes to `out`; what is wrong, as one line, to `complaints`. Strings of
 * `options` point into `arguments` or into itself, so it must not be copied. */
int options_parse(struct options *options, int count, char *const *arguments, FILE *out, FILE *complaints);

/* Whether an address reaches this machine only: 127.0.0.0/8, ::1. */
bool options_is_loopback(const char *address);

#endif
