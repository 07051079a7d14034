#include "channel.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct ff_channel {
    pthread_mutex_t mutex; /* guards all below; `count` and `closed` are written under it, and looked at without */
    pthread_cond_t changed;
    size_t capacity, first;
    atomic_size_t count;
    atomic_bool closed;
    struct ff_message *queue[];
};

struct ff_channel *ff_channel_create(size_t capacity, struct ff_error *error)
{
    struct ff_channel *channel = calloc(1, sizeof *channel + capacity * sizeof channel->queue[0]);

    if (channel == NULL) {
        ff_fail_memory(error, "a channel");
        return NULL;
    }
    channel->capacity = capacity;
    pthread_mutex_init(&channel->mutex, NULL);
    pthread_cond_init(&channel->changed, NULL);
    return channel;
}

bool ff_channel_send(struct ff_channel *channel, struct ff_message *message)
{
    bool sent;

    pthread_mutex_lock(&channel->mutex);
    while (channel->count == channel->capacity && !channel->closed)
        pthread_cond_wait(&channel->changed, &channel->mutex);
    sent = !channel->closed;
    if (sent) {
        channel->queue[(channel->first + channel->count++) % channel->capacity] = message;
        pthread_cond_broadcast(&channel->changed);
    }
    pthread_mutex_unlock(&channel->mutex);
    return sent;
}

bool ff_channel_ready(struct ff_channel *channel)
{
    return atomic_load(&channel->count) > 0 || atomic_load(&channel->closed);
}

struct ff_message *ff_channel_receive(struct ff_channel *channel)
{
    struct ff_message *message = NULL;

    pthread_mutex_lock(&channel->mutex);
    while (channel->count == 0 && !channel->closed)
        pthread_cond_wait(&channel->changed, &channel->mutex);
    if (channel->count > 0) {
        message = channel->queue[channel->first];
        channel->first = (channel->first + 1) % channel->capacity;
        channel->count--;
        pthread_cond_broadcast(&channel->changed);
    }
    pthread_mutex_unlock(&channel->mutex);
    return message;
}

void ff_channel_close(struct ff_channel *channel)
{
    pthread_mutex_lock(&channel->mutex);
    channel->closed = true;
    pthread_cond_broadcast(&channel->changed);
    pthread_mutex_unlock(&channel->mutex);
}

void ff_channel_destroy(struct ff_channel *channel)
{
    if (channel == NULL)
        return;
    pthread_cond_destroy(&channel->changed);
    pthread_mutex_destroy(&channel->mutex);
    free(channel);
}
