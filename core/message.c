#include "message.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct ff_pool {
    uint32_t count;
    struct ff_message *messages; /* [count] */
    size_t bytes;
    pthread_mutex_t mutex; /* guards the list of those that are free */
    pthread_cond_t returned;
    atomic_uint free_count;   /* looked at without the mutex before sleeping */
    struct ff_message **free; /* [count] */
};

float *ff_floats(size_t count)
{
    /* A cache line, and a whole number of them. */
    return aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64 + 64);
}

void ff_message_start(struct ff_message *message, const struct ff_plan *plan, enum ff_kind kind,
                      enum ff_ticket ticket)
{
    message->kind = kind;
    message->ticket = ticket;
    message->last = message->closes_epoch = false;
    message->images = message->rows = message->neutral = 0;
    message->width = plan->pixels;
    message->range = (struct ff_range){0};
    message->config = NULL;
    message->failed_layer = -1;
    message->wire = 0;
}

void ff_message_put_row(struct ff_message *message, uint32_t label, enum ff_role role)
{
    message->label[message->rows] = (uint16_t)label;
    message->role[message->rows] = (int8_t)role;
    message->rows++;
}

void ff_message_put_neutral(struct ff_message *message, const struct ff_plan *plan)
{
    if (!plan->neutral_rows)
        return;
    for (uint32_t image = 0; image < message->images; image++)
        ff_message_put_row(message, FF_EVERY_LABEL, FF_NEUTRAL);
    message->neutral = message->images;
}

void ff_message_put_forward(struct ff_message *message, const struct ff_plan *plan, uint32_t images, uint32_t rows)
{
    bool every = plan->labels > 0 && rows == 1; /* no label of its own: the read-out alone predicts */

    message->images = images;
    message->rows_per_image = rows;
    for (uint32_t image = 0; image < images; image++) {
        for (uint32_t label = 0; label < rows; label++)
            ff_message_put_row(message, every ? FF_EVERY_LABEL : label, FF_NEUTRAL);
    }
    if (!every)
        ff_message_put_neutral(message, plan);
}

static void destroy_message(struct ff_message *message)
{
    free(message->sample);
    free(message->truth);
    free(message->label);
    free(message->role);
    free(message->x);
    free(message->history);
    free(message->scores);
    free(message->goodness);
    free(message->loss);
    free(message->busy);
}

static size_t score_floats(const struct ff_plan *plan)
{
    bool scores = plan->history > 0 || plan->config.rule == FF_BACKPROP;

    return scores ? (size_t)plan->max_images * plan->classes : 0;
}

static bool create_message(struct ff_message *message, const struct ff_plan *plan)
{
    message->sample = malloc(plan->max_images * sizeof *message->sample);
    message->truth = malloc(plan->max_images * sizeof *message->truth);
    message->label = malloc(plan->max_rows * sizeof *message->label);
    message->role = malloc(plan->max_rows * sizeof *message->role);
    message->x = ff_floats(plan->capacity);
    message->goodness = ff_floats((size_t)plan->layers * plan->max_rows * plan->groups);
    message->loss = malloc(plan->blocks * sizeof *message->loss);
    message->busy = calloc(plan->blocks, sizeof *message->busy);
    message->history = ff_floats((size_t)plan->max_images * plan->history);
    message->scores = ff_floats(score_floats(plan));
    return message->sample && message->truth && message->label && message->role && message->x &&
           message->goodness && message->loss && message->busy && message->history && message->scores;
}

size_t ff_message_floats(const struct ff_plan *plan)
{
    return plan->capacity + (size_t)plan->layers * plan->max_rows * plan->groups +
           (size_t)plan->max_images * plan->history + score_floats(plan);
}

struct ff_pool *ff_pool_create(const struct ff_plan *plan, uint32_t count, struct ff_error *error)
{
    struct ff_pool *pool = calloc(1, sizeof *pool);

    if (pool == NULL) {
        ff_fail_memory(error, "the messages");
        return NULL;
    }
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->returned, NULL);
    pool->messages = calloc(count, sizeof *pool->messages);
    pool->free = calloc(count, sizeof(struct ff_message *));
    pool->count = pool->messages != NULL ? count : 0;
    pool->bytes = count * ff_message_floats(plan) * sizeof(float);
    for (uint32_t i = 0; pool->free != NULL && i < pool->count; i++) {
        if (!create_message(&pool->messages[i], plan))
            break;
        pool->free[pool->free_count++] = &pool->messages[i];
    }
    if (pool->free_count < count) {
        ff_fail_memory(error, "the messages");
        ff_pool_destroy(pool);
        return NULL;
    }
    return pool;
}

bool ff_pool_ready(struct ff_pool *pool)
{
    return atomic_load(&pool->free_count) > 0;
}

struct ff_message *ff_pool_take(struct ff_pool *pool)
{
    struct ff_message *message;
    pthread_mutex_lock(&pool->mutex);
    while (pool->free_count == 0)
        pthread_cond_wait(&pool->returned, &pool->mutex);
    message = pool->free[--pool->free_count];
    pthread_mutex_unlock(&pool->mutex);
    return message;
}

void ff_pool_return(struct ff_pool *pool, struct ff_message *message)
{
    pthread_mutex_lock(&pool->mutex);
    pool->free[pool->free_count++] = message;
    pthread_cond_broadcast(&pool->returned);
    pthread_mutex_unlock(&pool->mutex);
}

void ff_pool_wait_all(struct ff_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    while (pool->free_count < pool->count)
        pthread_cond_wait(&pool->returned, &pool->mutex);
    pthread_mutex_unlock(&pool->mutex);
}

size_t ff_pool_bytes(const struct ff_pool *pool)
{
    return pool->bytes;
}

void ff_pool_destroy(struct ff_pool *pool)
{
    if (pool == NULL)
        return;
    for (uint32_t i = 0; i < pool->count; i++)
        destroy_message(&pool->messages[i]);
    free(pool->messages);
    free(pool->free);
    pthread_cond_destroy(&pool->returned);
    pthread_mutex_destroy(&pool->mutex);
    free(pool);
}
