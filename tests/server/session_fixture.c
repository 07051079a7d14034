#include "../cmocka_all.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "session_fixture.h"

/* Two layers of eight units: checkpoints of some 50 KB. */
void small_config(struct ff_config *config)
{
    ff_config_defaults(config);
    config->layer_count = 2;
    config->layers[0] = config->layers[1] = (struct ff_layer_config){.kind = FF_DENSE, .units = 8};
}

void assert_good(ff_status status, const struct ff_error *error)
{
    if (status != FF_OK)
        fail_msg("%s", error->message);
}

static size_t wake(void *self)
{
    struct fixture *fixture = self;
    pthread_mutex_lock(&fixture->mutex);
    fixture->wakes++;
    pthread_cond_broadcast(&fixture->woken);
    pthread_mutex_unlock(&fixture->mutex);
    return 1;
}

/* The parts of the program on the folder, from store to session. Whether all of them are there. */
static bool start(struct fixture *fixture, const char *checkpoint_seconds)
{
    fixture->store = store_open(fixture->folder, &fixture->error);
    if (fixture->store == NULL)
        return false;
    fixture->hub = hub_create(store_first_event(fixture->store), 16 << 20, &fixture->error);
    if (fixture->hub == NULL)
        return false;
    fixture->cursor.seen = hub_newest(fixture->hub);
    hub_set_wake(fixture->hub, wake, fixture);
    setenv("GOODNESS_CHECKPOINT_SECONDS", checkpoint_seconds, 1);
    fixture->session = session_create(fixture->store, fixture->hub, fixture->catalog,
                                      (struct ff_placement){.stages = 1, .threads = 2}, NULL, &fixture->error);
    unsetenv("GOODNESS_CHECKPOINT_SECONDS");
    return fixture->session != NULL;
}

/* Their end, of those that are there. A trainer that is held, as where a test has failed, would never end. */
static void end(struct fixture *fixture)
{
    fake_trainer_hold(false);
    for (struct asker *asker = fixture->askers; asker != NULL && fixture->session != NULL; asker = asker->next)
        drop(asker);
    session_destroy(fixture->session);
    fixture->session = NULL;
    hub_destroy(fixture->hub);
    fixture->hub = NULL;
    store_close(fixture->store);
    fixture->store = NULL;
}

static void free_askers(struct fixture *fixture)
{
    while (fixture->askers != NULL) {
        struct asker *asker = fixture->askers;
        fixture->askers = asker->next;
        free(asker);
    }
}

int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    strcpy(fixture->folder, "/tmp/goodness_session_XXXXXX");
    *state = fixture;
    if (mkdtemp(fixture->folder) == NULL)
        return -1;
    fake_trainer_reset();
    pthread_mutex_init(&fixture->mutex, NULL);
    pthread_cond_init(&fixture->woken, NULL);
    fixture->catalog = catalog_create(&fixture->error);
    return start(fixture, "inf") ? 0 : -1;
}

int tear_down(void **state)
{
    struct fixture *fixture = *state;
    char command[128];

    end(fixture);
    catalog_destroy(fixture->catalog);
    free_askers(fixture);
    snprintf(command, sizeof command, "rm -rf %s", fixture->folder);
    int removed = system(command);
    free(fixture);
    return fake_trainer_alive() == 0 && fake_catalog_acquired() == 0 && removed == 0 ? 0 : -1;
}

void restart_with_pace(struct fixture *fixture, const char *seconds)
{
    end(fixture);
    if (!start(fixture, seconds))
        fail_msg("%s", fixture->error.message);
}

void restart(struct fixture *fixture)
{
    restart_with_pace(fixture, "inf");
}

/* The next event, waited for. Whoever waits in vain fails. */
void next_event(struct fixture *fixture, struct hub_event *event)
{
    struct timespec deadline;
    size_t needed;
    int code = 0;

    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += PATIENCE_SECONDS;
    for (;;) {
        pthread_mutex_lock(&fixture->mutex);
        size_t wakes = fixture->wakes;
        pthread_mutex_unlock(&fixture->mutex);
        if (hub_next(fixture->hub, &fixture->cursor, event, fixture->buffer, BUFFER, &needed) == 1)
            return;
        pthread_mutex_lock(&fixture->mutex);
        while (fixture->wakes == wakes && code == 0)
            code = pthread_cond_timedwait(&fixture->woken, &fixture->mutex, &deadline);
        pthread_mutex_unlock(&fixture->mutex);
        if (code != 0)
            fail_msg("the event that was waited for did not come");
    }
}

const cJSON *member(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    if (item == NULL)
        fail_msg("there is no \"%s\"", name);
    return item;
}

/* Wait for a state event of the run with this state, and this `pending` (NULL: none). The caller deletes it. */
cJSON *wait_for_state(struct fixture *fixture, int64_t id, const char *state, const char *pending)
{
    struct hub_event event;

    for (;;) {
        next_event(fixture, &event);
        if (event.run != id || strcmp(event.type, "state") != 0)
            continue;
        cJSON *json = cJSON_Parse(event.json);
        const cJSON *found = member(json, "pending");
        bool same = pending == NULL ? cJSON_IsNull(found)
                                    : cJSON_IsString(found) && strcmp(found->valuestring, pending) == 0;
        if (same && strcmp(member(json, "state")->valuestring, state) == 0)
            return json;
        cJSON_Delete(json);
    }
}

void await(struct fixture *fixture, int64_t id, const char *state, const char *pending)
{
    cJSON_Delete(wait_for_state(fixture, id, state, pending));
}

/* Wait for an event of another type; its text is in the fixture's buffer. */
void await_type(struct fixture *fixture, const char *type)
{
    struct hub_event event;

    do
        next_event(fixture, &event);
    while (strcmp(event.type, type) != 0);
}

int64_t submit(struct fixture *fixture)
{
    memset(&fixture->run, 0, sizeof fixture->run);
    small_config(&fixture->run.config);
    assert_good(session_submit(fixture->session, &fixture->run, &fixture->error), &fixture->error);
    return fixture->run.id;
}

/* A run that trains. */
int64_t submit_and_wait(struct fixture *fixture)
{
    int64_t id = submit(fixture);
    await(fixture, id, "running", NULL);
    return id;
}

struct run *get(struct fixture *fixture, int64_t id)
{
    assert_good(session_get(fixture->session, id, &fixture->run, &fixture->error), &fixture->error);
    return &fixture->run;
}

struct run *stored(struct fixture *fixture, int64_t id)
{
    assert_good(store_get_run(fixture->store, id, &fixture->run, &fixture->error), &fixture->error);
    return &fixture->run;
}

struct run *pause_run(struct fixture *fixture, int64_t id)
{
    assert_good(session_pause(fixture->session, id, &fixture->run, &fixture->error), &fixture->error);
    return &fixture->run;
}

struct run *resume_run(struct fixture *fixture, int64_t id)
{
    assert_good(session_resume(fixture->session, id, NULL, &fixture->run, &fixture->error), &fixture->error);
    return &fixture->run;
}

struct run *stop_run(struct fixture *fixture, int64_t id)
{
    assert_good(session_stop(fixture->session, id, &fixture->run, &fixture->error), &fixture->error);
    return &fixture->run;
}

struct asker *make_asker(struct fixture *fixture)
{
    struct asker *asker = calloc(1, sizeof *asker);

    assert_non_null(asker);
    asker->fixture = fixture;
    asker->next = fixture->askers;
    fixture->askers = asker;
    return asker;
}

void drop(struct asker *asker)
{
    if (asker->request != NULL)
        session_drop(asker->fixture->session, asker->request);
    asker->request = NULL;
}

void tell(void *self)
{
    struct asker *asker = self;

    pthread_mutex_lock(&asker->fixture->mutex);
    asker->told++;
    pthread_cond_broadcast(&asker->fixture->woken);
    pthread_mutex_unlock(&asker->fixture->mutex);
}

ff_status put_question(struct asker *asker, int64_t id, const struct session_question *question)
{
    ff_status status = session_ask(asker->fixture->session, id, question, &asker->request, &asker->fixture->error);

    if (status != FF_OK)
        asker->request = NULL;
    return status;
}

ff_status ask(struct asker *asker, int64_t id, float last_pixel)
{
    static float pixels[28 * 28];
    struct session_question question = {.pixels = pixels, .pixel_count = 28 * 28, .tell = tell, .self = asker};

    pixels[28 * 28 - 1] = last_pixel;
    return put_question(asker, id, &question);
}

void wait_until_told(struct asker *asker)
{
    struct timespec deadline;
    int code = 0;

    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += PATIENCE_SECONDS;
    pthread_mutex_lock(&asker->fixture->mutex);
    while (asker->told == 0 && code == 0)
        code = pthread_cond_timedwait(&asker->fixture->woken, &asker->fixture->mutex, &deadline);
    size_t told = asker->told;
    pthread_mutex_unlock(&asker->fixture->mutex);
    assert_int_equal(told, 1);
}
