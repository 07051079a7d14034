#include "thread_ranks.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { PARCELS = 3 };

struct place {
    struct ff_ranks ranks; /* first: what its methods get */
    struct thread_ranks *world;
    struct ff_trait trait;
    pthread_t thread;
    ff_status status;
    struct ff_parcel *first, **end; /* that wait for this rank */
    uint32_t sending;               /* of its parcels, not received yet */
    uint64_t sent, lost_after;
    bool lost;
};

struct thread_ranks {
    pthread_mutex_t mutex; /* guards all places */
    pthread_cond_t changed;
    uint32_t count;
    struct place place[THREAD_RANKS_MAX];
};

static void put(struct place *to, struct ff_parcel *parcel)
{
    parcel->next = NULL;
    *to->end = parcel;
    to->end = &parcel->next;
}

static struct ff_parcel *make_parcel(size_t room)
{
    struct ff_parcel *parcel = calloc(1, sizeof *parcel);

    parcel->bytes = malloc(room + 1);
    parcel->room = room;
    return parcel;
}

static void free_parcel(struct ff_parcel *parcel)
{
    free(parcel->bytes);
    free(parcel);
}

static struct ff_parcel *pop(struct place *place)
{
    struct ff_parcel *parcel = place->first;

    if (parcel != NULL && (place->first = parcel->next) == NULL)
        place->end = &place->first;
    return parcel;
}

/* With the mutex. What waits for the rank vanishes, and all others hear of it; it hears that they are gone. */
static void lose(struct thread_ranks *world, struct place *place)
{
    struct ff_parcel *parcel;

    place->lost = true;
    while ((parcel = pop(place)) != NULL) {
        world->place[parcel->from].sending -= !parcel->lost;
        free_parcel(parcel);
    }
    for (uint32_t rank = 0; rank < world->count; rank++) {
        struct place *to = &world->place[rank];
        bool itself = to == place;

        parcel = make_parcel(0);
        parcel->lost = true;
        parcel->from = itself ? 0 : place->ranks.mine;
        put(to, parcel);
    }
    pthread_cond_broadcast(&world->changed);
}

static struct ff_parcel *blank(struct ff_ranks *ranks, size_t room)
{
    struct place *place = (struct place *)ranks;
    struct thread_ranks *world = place->world;

    pthread_mutex_lock(&world->mutex);
    while (place->sending == PARCELS && !place->lost)
        pthread_cond_wait(&world->changed, &world->mutex);
    pthread_mutex_unlock(&world->mutex);
    return make_parcel(room);
}

static void send(struct ff_ranks *ranks, struct ff_parcel *parcel, uint32_t to)
{
    struct place *place = (struct place *)ranks, *receiver = &place->world->place[to];
    struct thread_ranks *world = place->world;

    pthread_mutex_lock(&world->mutex);
    if (!place->lost && place->sent++ == place->lost_after)
        lose(world, place);
    parcel->from = ranks->mine;
    if (place->lost || receiver->lost) {
        free_parcel(parcel);
    } else {
        put(receiver, parcel);
        place->sending++;
    }
    pthread_cond_broadcast(&world->changed);
    pthread_mutex_unlock(&world->mutex);
}

static struct ff_parcel *receive(struct ff_ranks *ranks)
{
    struct place *place = (struct place *)ranks;
    struct thread_ranks *world = place->world;
    struct ff_parcel *parcel;

    pthread_mutex_lock(&world->mutex);
    while ((parcel = pop(place)) == NULL)
        pthread_cond_wait(&world->changed, &world->mutex);
    world->place[parcel->from].sending -= !parcel->lost;
    pthread_cond_broadcast(&world->changed);
    pthread_mutex_unlock(&world->mutex);
    return parcel;
}

static void release(struct ff_ranks *ranks, struct ff_parcel *parcel)
{
    (void)ranks;
    free_parcel(parcel);
}

static void *serve(void *self)
{
    struct place *place = self;
    struct ff_error error;

    place->status = ff_crew_serve(&place->ranks, &place->trait, 1, &error);
    return NULL;
}

struct thread_ranks *thread_ranks_start(uint32_t count, const struct ff_trait *traits)
{
    static const struct ff_ranks_methods methods = {blank, send, receive, release};
    struct thread_ranks *world = calloc(1, sizeof *world);

    pthread_mutex_init(&world->mutex, NULL);
    pthread_cond_init(&world->changed, NULL);
    world->count = count;
    for (uint32_t rank = 0; rank < count; rank++)
        world->place[rank] = (struct place){.ranks = {&methods, count, rank},
                                            .world = world,
                                            .trait = traits[rank],
                                            .end = &world->place[rank].first,
                                            .lost_after = UINT64_MAX};
    for (uint32_t rank = 1; rank < count; rank++)
        pthread_create(&world->place[rank].thread, NULL, serve, &world->place[rank]);
    return world;
}

struct ff_ranks *thread_ranks_first(struct thread_ranks *world)
{
    return &world->place[0].ranks;
}

void thread_ranks_lose(struct thread_ranks *world, uint32_t rank, uint64_t after)
{
    struct place *place = &world->place[rank];

    pthread_mutex_lock(&world->mutex);
    place->lost_after = place->sent + after;
    pthread_mutex_unlock(&world->mutex);
}

ff_status thread_ranks_end(struct thread_ranks *world, uint32_t rank)
{
    pthread_join(world->place[rank].thread, NULL);
    return world->place[rank].status;
}

void thread_ranks_destroy(struct thread_ranks *world)
{
    for (uint32_t rank = 0; rank < world->count; rank++) {
        struct ff_parcel *parcel;

        while ((parcel = pop(&world->place[rank])) != NULL)
            free_parcel(parcel);
    }
    pthread_cond_destroy(&world->changed);
    pthread_mutex_destroy(&world->mutex);
    free(world);
}
