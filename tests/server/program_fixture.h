/* program_fixture.h - the daemon's parts, put together as main does it, on a folder and a small data set of their
 * own. */
#ifndef PROGRAM_FIXTURE_H
#define PROGRAM_FIXTURE_H

#include "api.h"

struct program {
    char folder[256]; /* the data set's, and within it the state's */
    struct ff_placement placement;
    struct store *store;
    struct hub *hub;
    struct catalog *catalog;
    struct session *session;
    struct http *http;
    struct api api; /* no answers are kept: each is made anew */
    pthread_mutex_t mutex;
    pthread_cond_t woken;
    uint64_t wakes; /* guarded by mutex */
};
extern struct program program;

/* The folder and the data set "bars". Runs have one stage and one thread, unless `placement` is changed then. */
void program_prepare(void);
/* All parts; what was opened before one that cannot be is closed again. */
ff_status program_open(struct ff_error *error);
void program_close(void);
void program_remove(void);

/* A small run of so many epochs; 0 and `error` when it is refused. */
int64_t program_submit(uint32_t epochs, struct ff_error *error);
/* Until the run is in this state, or, with `or_final`, has ended; the run as it is then. */
const struct run *program_await(int64_t id, enum run_state state, bool or_final);

#endif
