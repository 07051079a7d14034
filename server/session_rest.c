#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "network.h"
#include "session_internal.h"
#include "thread.h"

enum { NETWORKS_MAX = 4, WAITING_MAX = 32 };
static const size_t bytes_max = (size_t)1 << 30;
static const uint64_t weights_max = (uint64_t)16 << 20; /* floats of one answer */

/* A network in memory, of a checkpoint that is known by the file it was. */
struct resting {
    int64_t run; /* 0: the place is free */
    bool best;   /* of the best weights, not the newest */
    struct ff_network *network;
    struct stat file;
    uint64_t step;
    size_t pixels, bytes;
    uint64_t used; /* the count of questions when it was last asked */
};

struct session_rest {
    struct session *session;
    pthread_t thread;
    struct resting networks[NETWORKS_MAX]; /* of the thread alone, as the next */
    uint64_t questions;

    pthread_mutex_t resting; /* guards all below */
    pthread_cond_t asked;
    struct session_request *first, **end; /* those that wait, oldest first */
    size_t count;
    bool look; /* a checkpoint is gone */
    bool closing;
};

/* --- networks ------------------------------------------------------------------------------------------------- */

static void release(struct resting *place)
{
    ff_network_destroy(place->network);
    *place = (struct resting){0};
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static void find_path(const struct session_rest *rest, int64_t run, bool best, char path[STORE_CHECKPOINT_PATH_MAX])
{
    if (best)
        store_best_path(rest->session->store, run, path);
    else
        store_checkpoint_path(rest->session->store, run, path);
}

/* Those whose checkpoint is another one by now, or gone, go. */
static void release_stale(struct session_rest *rest)
{
    for (size_t i = 0; i < NETWORKS_MAX; i++) {
        struct resting *place = &rest->networks[i];
        char path[STORE_CHECKPOINT_PATH_MAX];
        struct stat file;
        if (place->run == 0)
            continue;
        find_path(rest, place->run, place->best, path);
        if (stat(path, &file) != 0 || !is_same_file(&file, &place->file))
            release(place);
    }
}

/* The one that was asked longest ago; a free place where there are none. */
static struct resting *find_oldest(struct session_rest *rest)
{
    struct resting *oldest = &rest->networks[0];

    for (size_t i = 1; i < NETWORKS_MAX; i++) {
        struct resting *place = &rest->networks[i];
        if (place->run != 0 && (oldest->run == 0 || place->used < oldest->used))
            oldest = place;
    }
    return oldest;
}

static size_t total_bytes(const struct session_rest *rest)
{
    size_t bytes = 0;

    for (size_t i = 0; i < NETWORKS_MAX; i++)
        bytes += rest->networks[i].bytes;
    return bytes;
}

/* A free place, made by giving up the oldest one where need be. */
static struct resting *find_place(struct session_rest *rest)
{
    for (size_t i = 0; i < NETWORKS_MAX; i++)
        if (rest->networks[i].run == 0)
            return &rest->networks[i];
    struct resting *oldest = find_oldest(rest);
    release(oldest);
    return oldest;
}

/* The file is looked at before it is read: should another one take its place meanwhile, it is read again next time.
 */
static struct resting *load(struct session_rest *rest, int64_t run, bool best, struct ff_error *error)
{
    struct resting *place = find_place(rest);
    char path[STORE_CHECKPOINT_PATH_MAX];
    struct stat file = {0};

    find_path(rest, run, best, path);
    stat(path, &file);
    struct ff_checkpoint *checkpoint = ff_checkpoint_open(path, error);
    if (checkpoint == NULL)
        return NULL;
    const struct ff_checkpoint_about *about = ff_checkpoint_about(checkpoint);
    struct resting made = {.run = run,
                           .best = best,
                           .network = ff_network_create(checkpoint, 1, error),
                           .file = file,
                           .step = about->standing.step,
                           .pixels = ff_shape_size(about->shape)};
    ff_checkpoint_close(checkpoint);
    if (made.network == NULL)
        return NULL;
    made.bytes = ff_network_bytes(made.network);
    made.used = rest->questions;
    while (total_bytes(rest) > 0 && total_bytes(rest) + made.bytes > bytes_max)
        release(find_oldest(rest));
    *place = made;
    return place;
}

/* Why a checkpoint could not be read, to somebody who asked about a run. */
static void explain(int64_t run, bool best, struct ff_error *error)
{
    struct ff_error cause = *error;

    if (cause.status == FF_NOT_FOUND && best)
        ff_fail(error, FF_CONFLICT, "run %lld has no best weights yet: they are kept when an epoch was judged",
                (long long)run);
    else if (cause.status == FF_NOT_FOUND)
        ff_fail(error, FF_CONFLICT, "run %lld has ended, and has no checkpoint that could be asked",
                (long long)run);
    else if (cause.status == FF_DAMAGED)
        ff_fail(error, FF_CONFLICT, "the checkpoint of run %lld is damaged: %.400s", (long long)run, cause.message);
}

/* NULL, and `error` set, when there is none to be had. */
static struct resting *find_network(struct session_rest *rest, int64_t run, bool best, struct ff_error *error)
{
    release_stale(rest);
    for (size_t i = 0; i < NETWORKS_MAX; i++)
        if (rest->networks[i].run == run && rest->networks[i].best == best)
            return &rest->networks[i];
    struct resting *place = load(rest, run, best, error);
    if (place == NULL)
        explain(run, best, error);
    return place;
}

/* --- answers -------------------------------------------------------------------------------------------------- */

static ff_status answer_image(struct resting *place, struct session_request *request, struct ff_error *error)
{
    struct ff_answer answer;

    if (request->pixel_count != place->pixels)
        return ff_fail(error, FF_INVALID, "run %lld was trained on images of %zu pixels, and this one has %zu",
                       (long long)request->run, place->pixels, request->pixel_count);
    ff_network_predict(place->network, request->pixels, &answer);
    answer.step = place->step;
    session_keep_answer(request, &answer);
    return FF_OK;
}

static ff_status answer_weights(struct resting *place, struct session_request *request, struct ff_error *error)
{
    uint32_t units = ff_network_units(place->network, request->layer);
    uint32_t inputs = ff_network_inputs(place->network, request->layer);

    if (request->unit >= units || request->count == 0 || request->count > units - request->unit)
        return ff_fail(error, FF_INVALID, "layer %u of run %lld has %u units, not %u from %u on", request->layer,
                       (long long)request->run, units, request->count, request->unit);
    if ((uint64_t)request->count * inputs > weights_max)
        return ff_fail(error, FF_INVALID, "ask for at most %llu units of this layer at once",
                       (unsigned long long)(weights_max / inputs));
    float *figures = malloc((size_t)request->count * inputs * sizeof *figures);
    if (figures == NULL)
        return ff_fail_memory(error, "weights");
    ff_network_weights(place->network, request->layer, request->unit, request->count, figures);
    struct ff_unit_weights weights = {.step = place->step,
                                      .layer = request->layer,
                                      .unit = request->unit,
                                      .count = request->count,
                                      .inputs = inputs,
                                      .weights = figures};
    session_keep_weights(request, &weights);
    free(figures);
    return FF_OK;
}

static void answer(struct session_rest *rest, struct session_request *request)
{
    struct resting *place;
    struct ff_error error;

    rest->questions++;
    place = find_network(rest, request->run, request->best, &error);
    if (place == NULL) {
        request->error = error;
    } else {
        place->used = rest->questions;
        ff_status status = request->about == SESSION_IMAGE ? answer_image(place, request, &error)
                                                           : answer_weights(place, request, &error);
        if (status != FF_OK)
            request->error = error;
    }
    session_settle(rest->session, request);
}

/* --- the thread ----------------------------------------------------------------------------------------------- */

/* The oldest question; NULL: it closes, or there is only something to be looked at. */
static struct session_request *take(struct session_rest *rest, bool *closing)
{
    pthread_mutex_lock(&rest->resting);
    while (rest->first == NULL && !rest->closing && !rest->look)
        pthread_cond_wait(&rest->asked, &rest->resting);
    struct session_request *request = rest->closing ? NULL : rest->first;
    if (request != NULL) {
        rest->first = request->next;
        if (rest->first == NULL)
            rest->end = &rest->first;
        rest->count--;
    }
    rest->look = false;
    *closing = rest->closing;
    pthread_mutex_unlock(&rest->resting);
    return request;
}

static void *answer_all(void *self)
{
    struct session_rest *rest = self;
    bool closing = false;

    while (!closing) {
        struct session_request *request = take(rest, &closing);
        if (request != NULL)
            answer(rest, request);
        else
            release_stale(rest);
    }
    return NULL;
}

/* Behind those that wait; false when there are `most` already, or it closes. */
static bool enqueue(struct session_rest *rest, struct session_request *request, size_t most)
{
    pthread_mutex_lock(&rest->resting);
    bool room = rest->count < most && !rest->closing;
    if (room) {
        request->next = NULL;
        *rest->end = request;
        rest->end = &request->next;
        rest->count++;
        pthread_cond_signal(&rest->asked);
    }
    pthread_mutex_unlock(&rest->resting);
    return room;
}

bool session_rest_take(struct session_rest *rest, struct session_request *request)
{
    return enqueue(rest, request, SIZE_MAX);
}

ff_status session_rest_ask(struct session *session, int64_t id, const struct session_question *question,
                           struct session_request **request, struct ff_error *error)
{
    struct session_rest *rest = session->rest;
    struct session_request *made = session_make_request(id, question, error);

    if (made == NULL)
        return error->status;
    *request = made; /* before it may be answered */
    if (enqueue(rest, made, WAITING_MAX))
        return FF_OK;
    free(made);
    return ff_fail(error, FF_BUSY, "%d questions to runs at rest wait already; try again", WAITING_MAX);
}

void session_rest_forget(struct session_rest *rest)
{
    pthread_mutex_lock(&rest->resting);
    rest->look = true;
    pthread_cond_signal(&rest->asked);
    pthread_mutex_unlock(&rest->resting);
}

struct session_rest *session_rest_start(struct session *session, struct ff_error *error)
{
    struct session_rest *rest = calloc(1, sizeof *rest);

    if (rest == NULL) {
        ff_fail_memory(error, "networks at rest");
        return NULL;
    }
    rest->session = session;
    rest->end = &rest->first;
    pthread_mutex_init(&rest->resting, NULL);
    pthread_cond_init(&rest->asked, NULL);
    if (thread_start(&rest->thread, answer_all, rest, "asks networks at rest", error) == FF_OK)
        return rest;
    pthread_cond_destroy(&rest->asked);
    pthread_mutex_destroy(&rest->resting);
    free(rest);
    return NULL;
}

void session_rest_stop(struct session_rest *rest)
{
    if (rest == NULL)
        return;
    pthread_mutex_lock(&rest->resting);
    rest->closing = true;
    pthread_cond_signal(&rest->asked);
    pthread_mutex_unlock(&rest->resting);
    pthread_join(rest->thread, NULL);
    while (rest->first != NULL) {
        struct session_request *request = rest->first;
        rest->first = request->next;
        session_settle(rest->session, request);
    }
    for (size_t i = 0; i < NETWORKS_MAX; i++)
        release(&rest->networks[i]);
    pthread_cond_destroy(&rest->asked);
    pthread_mutex_destroy(&rest->resting);
    free(rest);
}
