/* packet.h - a message as bytes, for its way from one process to another: a head, then the parts that the receiver
 * needs, in a fixed layout. Both sides are the same build on the same kind of machine (crew.h sees to that), so
 * figures are copied as they are.
 *
 * Rank 0 keeps every message while it is under way, so that only what later layers need goes up the line: samples,
 * labels, activities, what a read-out will read of them; and what ranks behind rank 0 have found so far: goodness,
 * losses, times. The last rank sends the findings back, and of a tensor what was asked for, but no activities.
 * Pure functions; any thread may call. */
#ifndef FF_PACKET_H
#define FF_PACKET_H

#include "message.h"

/* Which way a packet goes. */
struct ff_hop {
    uint32_t away; /* the first layer that is not rank 0's */
    uint32_t next; /* the first layer of the rank that receives it; the plan's blocks: back to rank 0 */
};

/* Bytes of the message's packet; and the most that a packet of the plan has. */
size_t ff_packet_bytes(const struct ff_plan *plan, struct ff_hop hop, const struct ff_message *message);
size_t ff_packet_room(const struct ff_plan *plan);

/* The packet, [ff_packet_bytes]. The message's `wire` becomes the bytes sent of it so far, this packet's included.
 */
void ff_packet_write(const struct ff_plan *plan, struct ff_hop hop, struct ff_message *message, uint8_t *bytes);

/* What a packet holds, into a message of the plan; all else of the message stays as it is, so on the way back it
 * must be the one that was sent. Live settings go into *settings, and the message points there. False: these bytes
 * are no such packet, and the message is spoiled. */
bool ff_packet_read(const struct ff_plan *plan, struct ff_hop hop, const uint8_t *bytes, size_t size,
                    struct ff_message *message, struct ff_config *settings);

#endif
