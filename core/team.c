#include "team.h"

#include <pthread.h>
#include <sched.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "spin.h"

struct member {
    struct ff_team *team;
    unsigned worker;
    pthread_t thread;
    alignas(64) atomic_size_t taken; /* of the member's own share of the items; on a cache line of its own */
};

/* The gate holds, in one word, the generation of work, whether it may still be joined, and how many members are in.
 */
enum { IN_MASK = 0xffff, OPEN = 0x10000, GENERATION_SHIFT = 17 };

struct ff_team {
    unsigned workers, started;
    struct member *members; /* [workers]; 0 is the caller */

    /* The work at hand: written while the gate is closed and nobody is in. */
    size_t items;
    void (*item)(void *, size_t, unsigned);
    void *arg;
    bool guests;
    atomic_uint_fast64_t gate;
    atomic_flag guest; /* one is there */

    atomic_uint sleepers;
    atomic_bool closing;
    pthread_mutex_t mutex; /* only for sleeping and waking */
    pthread_cond_t wake;
};

/* A member takes the items of its own share first, so that a panel of weights stays in one processor's cache from
 * message to message, and then what the others have left, as a guest does. Returns whether it took any. */
static bool take_items(struct ff_team *team, unsigned worker)
{
    bool any = false;

    for (unsigned i = 0; i < team->workers; i++) {
        unsigned owner = (worker + i) % team->workers;
        size_t begin = team->items * owner / team->workers, end = team->items * (owner + 1) / team->workers, index;

        while ((index = begin + atomic_fetch_add_explicit(&team->members[owner].taken, 1, memory_order_relaxed)) <
               end) {
            team->item(team->arg, index, worker);
            any = true;
        }
    }
    return any;
}

/* Wait until the gate shows a generation other than `seen`: spin, then sleep. Sleepers are counted before the last
 * look, and open_gate looks at the count after changing the gate, so no waking is missed. */
static uint_fast64_t await_generation(struct ff_team *team, uint_fast64_t seen)
{
    struct ff_spin spin = {0};

    do {
        if (atomic_load(&team->gate) >> GENERATION_SHIFT != seen)
            return atomic_load(&team->gate) >> GENERATION_SHIFT;
    } while (ff_spin_again(&spin));
    pthread_mutex_lock(&team->mutex);
    atomic_fetch_add(&team->sleepers, 1);
    while (atomic_load(&team->gate) >> GENERATION_SHIFT == seen)
        pthread_cond_wait(&team->wake, &team->mutex);
    atomic_fetch_sub(&team->sleepers, 1);
    pthread_mutex_unlock(&team->mutex);
    return atomic_load(&team->gate) >> GENERATION_SHIFT;
}

/* Go in, if the gate is still open: a member that comes late (its processor was busy with something else) is not
 * waited for. */
static bool enter(struct ff_team *team)
{
    uint_fast64_t gate = atomic_load(&team->gate);

    while (gate & OPEN) {
        if (atomic_compare_exchange_weak(&team->gate, &gate, gate + 1))
            return true;
    }
    return false;
}

static void *work(void *self)
{
    struct member *member = self;
    struct ff_team *team = member->team;
    uint_fast64_t seen = 0;

    for (;;) {
        seen = await_generation(team, seen);
        if (atomic_load(&team->closing))
            return NULL;
        if (!enter(team))
            continue;
        take_items(team, member->worker);
        atomic_fetch_sub(&team->gate, 1);
    }
}

/* The next generation, `open` or only to wake everybody. */
static void open_gate(struct ff_team *team, uint_fast64_t open)
{
    uint_fast64_t generation = (atomic_load(&team->gate) >> GENERATION_SHIFT) + 1;

    atomic_store(&team->gate, generation << GENERATION_SHIFT | open);
    if (atomic_load(&team->sleepers) > 0) {
        pthread_mutex_lock(&team->mutex);
        pthread_cond_broadcast(&team->wake);
        pthread_mutex_unlock(&team->mutex);
    }
}

struct ff_team *ff_team_create(unsigned workers, struct ff_error *error)
{
    struct ff_team *team = calloc(1, sizeof *team);

    if (team == NULL || (team->members = aligned_alloc(64, workers * sizeof *team->members)) == NULL) {
        free(team);
        ff_fail_memory(error, "a team of threads");
        return NULL;
    }
    team->workers = workers;
    atomic_flag_clear(&team->guest);
    memset(team->members, 0, workers * sizeof *team->members);
    pthread_mutex_init(&team->mutex, NULL);
    pthread_cond_init(&team->wake, NULL);
    for (team->started = 1; team->started < workers; team->started++) {
        struct member *member = &team->members[team->started];

        member->team = team;
        member->worker = team->started;
        if (pthread_create(&member->thread, NULL, work, member) != 0) {
            ff_fail(error, FF_BUSY, "could not start thread %u of a team of %u; ask for fewer threads",
                    team->started + 1, workers);
            ff_team_destroy(team);
            return NULL;
        }
    }
    return team;
}

unsigned ff_team_workers(const struct ff_team *team)
{
    return team->workers;
}

bool ff_team_visit(struct ff_team *team)
{
    bool any = false;

    if (!(atomic_load(&team->gate) & OPEN) || atomic_flag_test_and_set(&team->guest))
        return false;
    if (enter(team)) {
        if (team->guests)
            any = take_items(team, team->workers);
        atomic_fetch_sub(&team->gate, 1);
    }
    atomic_flag_clear(&team->guest);
    return any;
}

void ff_team_run(struct ff_team *team, size_t items, void (*item)(void *, size_t, unsigned), void *arg, bool guests)
{
    struct ff_spin spin = {0};

    if ((team->workers == 1 && !guests) || items == 1) {
        for (size_t i = 0; i < items; i++)
            item(arg, i, 0);
        return;
    }
    team->items = items;
    team->item = item;
    team->arg = arg;
    team->guests = guests;
    for (unsigned i = 0; i < team->workers; i++)
        atomic_store_explicit(&team->members[i].taken, 0, memory_order_relaxed);
    open_gate(team, OPEN);
    take_items(team, 0);
    atomic_fetch_and(&team->gate, ~(uint_fast64_t)OPEN);
    while (atomic_load(&team->gate) & IN_MASK) {
        if (!ff_spin_again(&spin))
            sched_yield(); /* more threads than processors: let the others finish */
    }
}

void ff_team_destroy(struct ff_team *team)
{
    if (team == NULL)
        return;
    atomic_store(&team->closing, true);
    open_gate(team, 0);
    for (unsigned i = 1; i < team->started; i++)
        pthread_join(team->members[i].thread, NULL);
    pthread_cond_destroy(&team->wake);
    pthread_mutex_destroy(&team->mutex);
    free(team->members);
    free(team);
}
