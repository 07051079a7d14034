/* channel.h - a bounded queue of messages between two stages.
 *
 * One sender thread, one receiver thread. A full channel makes the sender wait, so a slow stage slows the
 * source and memory stays bounded. Closing wakes both sides: the receiver drains what is left, then gets NULL. */
#ifndef FF_CHANNEL_H
#define FF_CHANNEL_H

#include "error.h"
#include "message.h"

struct ff_channel;

/* A channel that holds up to `capacity` messages (at least 1). NULL and `error` set when memory is short. */
struct ff_channel *ff_channel_create(size_t capacity, struct ff_error *error);

/* Hand `message` over; waits while full. Returns false, and keeps ownership with the caller, once closed. */
bool ff_channel_send(struct ff_channel *channel, struct ff_message *message);

/* Whether a receiver need not wait, at this moment. */
bool ff_channel_ready(struct ff_channel *channel);

/* The oldest message, now the caller's; waits while empty. NULL when closed and drained. */
struct ff_message *ff_channel_receive(struct ff_channel *channel);

void ff_channel_close(struct ff_channel *channel);
void ff_channel_destroy(struct ff_channel *channel); /* NULL is fine */

#endif
