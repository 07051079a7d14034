/* What the parts of a line promise: channel, pool, team. */
#include "cmocka_all.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "channel.h"
#include "message.h"
#include "team.h"

enum { MANY = 20000 };

struct flow {
    struct ff_channel *channel;
    struct ff_message *messages;
};

static void *send_all(void *self)
{
    struct flow *flow = self;

    for (int i = 0; i < MANY; i++)
        ff_channel_send(flow->channel, &flow->messages[i]);
    ff_channel_close(flow->channel);
    return NULL;
}

static void a_channel_keeps_the_order_and_is_drained_after_closing(void **state)
{
    struct ff_error error;
    struct flow flow = {ff_channel_create(3, &error), calloc(MANY, sizeof(struct ff_message))};
    pthread_t sender;

    (void)state;
    pthread_create(&sender, NULL, send_all, &flow);
    for (int i = 0; i < MANY; i++)
        assert_ptr_equal(ff_channel_receive(flow.channel), &flow.messages[i]);
    assert_null(ff_channel_receive(flow.channel));
    assert_false(ff_channel_send(flow.channel, &flow.messages[0]));
    pthread_join(sender, NULL);
    ff_channel_destroy(flow.channel);
    free(flow.messages);
}

static void *close_channel(void *self)
{
    ff_channel_close(self);
    return NULL;
}

static void closing_wakes_a_sender_that_waits(void **state)
{
    struct ff_error error;
    struct ff_channel *channel = ff_channel_create(1, &error);
    struct ff_message message;
    pthread_t closer;

    (void)state;
    assert_true(ff_channel_send(channel, &message));
    pthread_create(&closer, NULL, close_channel, channel);
    assert_false(ff_channel_send(channel, &message)); /* full: waits until it is closed */
    pthread_join(closer, NULL);
    assert_ptr_equal(ff_channel_receive(channel), &message);
    assert_null(ff_channel_receive(channel));
    ff_channel_destroy(channel);
}

static void a_pool_hands_out_what_it_has_and_waits_for_the_rest(void **state)
{
    struct ff_plan plan = {.layers = 2, .max_images = 3, .max_rows = 6, .capacity = 50};
    struct ff_error error;
    struct ff_pool *pool = ff_pool_create(&plan, 2, &error);
    struct ff_message *a = ff_pool_take(pool), *b = ff_pool_take(pool);

    (void)state;
    assert_ptr_not_equal(a, b);
    assert_int_equal((uintptr_t)a->x % 64, 0);
    for (size_t i = 0; i < plan.capacity; i++)
        a->x[i] = b->x[i] = 1; /* the sanitizer watches the bounds */
    ff_pool_return(pool, b);
    assert_ptr_equal(ff_pool_take(pool), b);
    ff_pool_return(pool, a);
    ff_pool_return(pool, b);
    ff_pool_wait_all(pool);
    ff_pool_destroy(pool);
    ff_pool_destroy(NULL);
}

struct counting {
    atomic_int done[1000];
    atomic_int by_worker[8];
};

static void count_item(void *self, size_t index, unsigned worker)
{
    struct counting *counting = self;

    atomic_fetch_add(&counting->done[index], 1);
    atomic_fetch_add(&counting->by_worker[worker], 1);
}

static void a_team_does_every_item_once(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 5; workers++) {
        struct ff_error error;
        struct ff_team *team = ff_team_create(workers, &error);
        struct counting *counting = calloc(1, sizeof *counting);

        assert_non_null(team);
        for (int round = 1; round <= 200; round++) {
            size_t items = (size_t)(round * 7) % 1000;

            ff_team_run(team, items, count_item, counting, round % 2);
            for (size_t i = 0; i < items; i++)
                assert_int_equal(atomic_exchange(&counting->done[i], 0), 1);
            assert_int_equal(atomic_load(&counting->done[items]), 0);
        }
        ff_team_destroy(team);
        free(counting);
    }
}

/* A guest that looks in all the time, while a team of `workers` works. */
struct visiting {
    struct ff_team *team;
    atomic_bool over;
    long visits;
};

static void *visit(void *self)
{
    struct visiting *visiting = self;

    while (!atomic_load(&visiting->over))
        visiting->visits += ff_team_visit(visiting->team);
    return NULL;
}

static void a_guest_helps_where_it_may_and_nothing_is_done_twice(void **state)
{
    (void)state;
    for (unsigned workers = 1; workers <= 3; workers++) {
        struct ff_error error;
        struct visiting visiting = {.team = ff_team_create(workers, &error)};
        struct counting *counting = calloc(1, sizeof *counting);
        pthread_t guest;
        int rounds = 0;

        assert_non_null(visiting.team);
        for (int round = 0; round < 50; round++) { /* nobody is there, or not to be helped */
            ff_team_run(visiting.team, 20, count_item, counting, round % 2);
            assert_false(ff_team_visit(visiting.team));
        }
        assert_int_equal(atomic_load(&counting->by_worker[workers]), 0);
        pthread_create(&guest, NULL, visit, &visiting);
        for (; rounds < 200 || atomic_load(&counting->by_worker[workers]) == 0; rounds++)
            ff_team_run(visiting.team, 999, count_item, counting, rounds % 2);
        atomic_store(&visiting.over, true);
        pthread_join(guest, NULL);
        assert_true(visiting.visits > 0);
        for (size_t i = 0; i < 999; i++)
            assert_int_equal(atomic_load(&counting->done[i]), rounds + (i < 20 ? 50 : 0));
        ff_team_destroy(visiting.team);
        free(counting);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_channel_keeps_the_order_and_is_drained_after_closing),
        cmocka_unit_test(closing_wakes_a_sender_that_waits),
        cmocka_unit_test(a_pool_hands_out_what_it_has_and_waits_for_the_rest),
        cmocka_unit_test(a_team_does_every_item_once),
        cmocka_unit_test(a_guest_helps_where_it_may_and_nothing_is_done_twice),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
