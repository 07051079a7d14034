/* run.h - a run as the server knows it: a plain value that can be copied. JSON only at the edge (run_to_json).
 *
 * Pure functions; any thread may call. A struct run is some 40 KB: keep arrays of them on the heap. */
#ifndef RUN_H
#define RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "observer.h"
#include "trainer.h"

enum {
    RUN_NAME_MAX = 200, /* bytes of UTF-8, without the NUL */
    RUN_NOTES_MAX = 8000,
    RUN_TAG_MAX = 40,
    RUN_TAGS_MAX = 16,
    RUN_WARNINGS_MAX = 8,
    RUN_CHANGES_MAX = 16384 /* bytes of their text */
};

enum run_state {
    RUN_QUEUED,
    RUN_RUNNING,
    RUN_PAUSED,
    RUN_FINISHED,
    RUN_STOPPED,
    RUN_FAILED,
    RUN_INTERRUPTED,
    RUN_STATES
};

enum run_pending { RUN_PENDING_NONE, RUN_PENDING_PAUSE, RUN_PENDING_RESUME, RUN_PENDING_STOP };

struct run {
    int64_t id; /* from 1; never given twice */
    char name[RUN_NAME_MAX + 1];
    char notes[RUN_NOTES_MAX + 1];
    uint32_t tag_count;
    char tags[RUN_TAGS_MAX][RUN_TAG_MAX + 1];
    char preset[64]; /* "" for none */
    enum run_state state;
    enum run_pending pending;        /* what was asked and is not yet true; not stored */
    char reason[512];                /* "" for none; of a failed run, a sentence a person can act on */
    int64_t created, started, ended; /* milliseconds since 1970 UTC; 0 for not yet */
    struct ff_config config;         /* as it began, with the epochs it has by now */
    struct ff_config now;            /* with the live settings as they are now; only where `changed` */
    bool changed;
    char changes[RUN_CHANGES_MAX]; /* "" for none, or the JSON array of what was turned, old and new */
    struct ff_placement asked;     /* 0 = auto */
    struct ff_placement placement; /* chosen; 0 before it started */
    uint64_t parameters;
    struct ff_progress progress;
    struct ff_epoch last; /* epoch 0: none yet */
    struct run_best {
        double test_error;
        uint32_t epoch;
    } best; /* epoch 0: none yet */
    struct run_checkpoint {
        uint64_t step, bytes;
        uint32_t epochs; /* closed */
        int64_t written; /* milliseconds since 1970 UTC; 0: there is none */
    } checkpoint;
    uint32_t warning_count;
    char warnings[RUN_WARNINGS_MAX][256];
};

const char *run_state_name(enum run_state state);                  /* "running" */
bool run_state_from_name(const char *name, enum run_state *state); /* false: there is none of that name */
bool run_state_is_final(enum run_state state);                     /* finished, stopped, failed, interrupted */
bool run_state_holds_trainer(enum run_state state);                /* running, paused */

/* Whether a configuration fits itself and the data set (NULL: itself alone). FF_INVALID: the first setting that
 * does not, and why. */
ff_status run_fits(const struct ff_config *config, const struct ff_dataset *dataset, struct ff_error *error);
/* The placement that the trainer has; a warning where it is not the one asked for. */
void run_place(struct run *run, struct ff_placement placement);
/* Once each; nothing when RUN_WARNINGS_MAX are there. */
void run_add_warning(struct run *run, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The configuration that it has now. */
const struct ff_config *run_config(const struct run *run);
/* Live settings were turned after `step` steps: they are those of `to` from here on, and `changes` tells of it.
 * False: it does not, for want of room or memory. */
bool run_turn(struct run *run, uint64_t step, const struct ff_config *to);
/* {"step": …} and each setting that differs, with both values. NULL when memory is short. */
cJSON *run_change_to_json(uint64_t step, const struct ff_config *from, const struct ff_config *to);

/* An epoch is over: it is the last one; true when it is the best one so far, too. */
bool run_see_epoch(struct run *run, const struct ff_epoch *epoch);
/* The run goes on from here: its progress is that of this standing, among the steps and epochs that it has. */
void run_stand(struct run *run, const struct ff_standing *standing);

/* The run has ended like this at `date`: state, reason (`sentence`, of a failed one), time left. */
void run_end(struct run *run, enum ff_outcome outcome, const char *sentence, int64_t date);

/* The representation that the REST interface calls "A run". NULL when memory is short. */
cJSON *run_to_json(const struct run *run);

/* Parts of it that events and lists use too. Numbers are raw items; not finite: null. */
cJSON *run_figure(double value);       /* of a float32: at most nine digits, reads back as the same float */
cJSON *run_number(double value);       /* shortest that reads back as the same double */
cJSON *run_time(int64_t milliseconds); /* RFC 3339 UTC with milliseconds; 0: null */
cJSON *run_text(const char *text);     /* "": null */
cJSON *run_texts(const char *texts, size_t size, uint32_t count); /* [count][size], an array */
cJSON *run_best_to_json(const struct run *run);
/* A row of the epochs: epoch, step, elapsed, evaluating, train_error, test_error, digest, layers. */
cJSON *run_epoch_to_json(const struct ff_epoch *epoch);
/* How many points of so many layers one event carries at most: some 100 KB of text. */
enum { RUN_EVENT_POINTS_MAX = 256 };
size_t run_event_points(uint32_t layers);
/* Some points as the series shows them (columns), without "next" and "downsampled". */
cJSON *run_points_to_json(const struct ff_point *points, size_t count);
/* An event's text: the object `json`, which it takes, with "run" in front, on one line. The caller frees it. NULL
 * when `json` is NULL or memory is short. */
char *run_event_text(int64_t run, cJSON *json);

#endif
