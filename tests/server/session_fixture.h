/* session_fixture.h - a session on a store in a fresh folder, with a trainer and a catalog that the test controls.
 */
#ifndef SESSION_FIXTURE_H
#define SESSION_FIXTURE_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "count_points.h"
#include "fake_catalog.h"
#include "fake_trainer.h"
#include "session.h"
#include "store_internal.h"

enum { BUFFER = 1 << 18, PATIENCE_SECONDS = 120 };

/* A session on a store in a fresh folder, and one reader of all events. At the end of an epoch no checkpoint is
 * written, however fast the disk is, unless the test sets another pace. */
struct fixture {
    char folder[64];
    struct store *store;
    struct hub *hub;
    struct catalog *catalog;
    struct session *session;
    struct ff_error error;
    struct hub_cursor cursor;
    char buffer[BUFFER];
    struct run run; /* what the last call gave */
    pthread_mutex_t mutex;
    pthread_cond_t woken;
    size_t wakes; /* guarded by mutex */
    struct asker *askers;
};

int set_up(void **state);
int tear_down(void **state);
/* End the daemon's parts, and start them on the same folder. */
void restart(struct fixture *fixture);
/* The same, with a checkpoint at the end of an epoch so many seconds after the last one: checkpoint_pace.h. */
void restart_with_pace(struct fixture *fixture, const char *seconds);

void assert_good(ff_status status, const struct ff_error *error);
/* Two layers of eight units: checkpoints of some 50 KB. */
void small_config(struct ff_config *config);

/* The next event, waited for. Whoever waits in vain fails. */
void next_event(struct fixture *fixture, struct hub_event *event);
const cJSON *member(const cJSON *object, const char *name);
/* Wait for a state event of the run with this state, and this `pending` (NULL: none). The caller deletes it. */
cJSON *wait_for_state(struct fixture *fixture, int64_t id, const char *state, const char *pending);
void await(struct fixture *fixture, int64_t id, const char *state, const char *pending);
/* Wait for an event of another type; its text is in the fixture's buffer. */
void await_type(struct fixture *fixture, const char *type);

int64_t submit(struct fixture *fixture);
int64_t submit_and_wait(struct fixture *fixture); /* a run that trains */
struct run *get(struct fixture *fixture, int64_t id);
struct run *stored(struct fixture *fixture, int64_t id);
struct run *pause_run(struct fixture *fixture, int64_t id);
struct run *resume_run(struct fixture *fixture, int64_t id);
struct run *stop_run(struct fixture *fixture, int64_t id);

/* Who asked: how often it was told, guarded by the fixture's mutex. It lives as long as the fixture: one whose test
 * failed is still told. */
struct asker {
    struct fixture *fixture;
    struct asker *next;
    size_t told;
    struct session_request *request; /* NULL: none that would have to be dropped */
};

struct asker *make_asker(struct fixture *fixture);
void drop(struct asker *asker); /* its request */

void tell(void *self); /* of an asker */
ff_status put_question(struct asker *asker, int64_t id, const struct session_question *question);
ff_status ask(struct asker *asker, int64_t id, float last_pixel);
void wait_until_told(struct asker *asker);

#endif
