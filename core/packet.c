#include "packet.h"

#include <string.h>

#include "layer.h"

/* The head of every packet. */
struct head {
    uint64_t size, wire; /* of this packet; of all so far that carried this message */
    uint64_t request, step;
    double rate;
    struct ff_range range;
    uint32_t kind, ticket, split, epoch;
    uint32_t images, rows, rows_per_image, neutral, width;
    int32_t failed_layer;
    uint8_t last, closes_epoch, settings, padding[5];
};

/* `count` stretches of `bytes`, `stride` bytes apart in the message. */
struct part {
    uint8_t *memory;
    size_t bytes, count, stride;
};

enum { PARTS_MAX = 16 };
struct parts {
    size_t count;
    struct part part[PARTS_MAX];
};

static void add_rows(struct parts *parts, void *memory, size_t bytes, size_t count, size_t stride)
{
    if (bytes > 0 && count > 0)
        parts->part[parts->count++] = (struct part){memory, bytes, count, stride};
}

static void add(struct parts *parts, void *memory, size_t bytes)
{
    add_rows(parts, memory, bytes, 1, 0);
}

static bool goes_back(const struct ff_plan *plan, struct ff_hop hop)
{
    return hop.next == plan->blocks;
}

static bool has_images(const struct ff_message *message)
{
    return message->kind == FF_TRAIN || message->kind == FF_FORWARD;
}

/* Floats that a GET or SET carries. */
static size_t payload(const struct ff_plan *plan, const struct ff_message *message)
{
    const struct ff_range *range = &message->range;
    uint64_t each = range->by_columns ? ff_layer_tensor(plan, range->layer, range->tensor).rows : 1;

    return (size_t)(range->count * each);
}

/* Whether the tensor's floats go along: a SET's until its layer has them, a GET's once it gave them, unless that is
 * rank 0's own, which has them already. */
static bool carries_tensor(struct ff_hop hop, const struct ff_message *message)
{
    uint32_t layer = message->range.layer;

    if (message->failed_layer >= 0)
        return false;
    if (message->kind == FF_SET)
        return message->config == NULL && layer >= hop.next;
    return message->kind == FF_GET && layer >= hop.away && layer < hop.next;
}

/* Floats of an image's history that layers below `next` have written. */
static size_t history_below(const struct ff_plan *plan, uint32_t next)
{
    if (plan->history == 0 || next <= plan->config.readout_from)
        return 0;
    return next < plan->layers ? plan->layer[next].read_at : plan->history;
}

/* What later layers need of the images. */
static void add_images(struct parts *parts, const struct ff_plan *plan, struct ff_hop hop,
                       const struct ff_message *message)
{
    size_t history = history_below(plan, hop.next) * sizeof(float);
    bool sound = message->failed_layer < 0;

    add(parts, message->sample, message->images * sizeof *message->sample);
    add(parts, message->truth, message->images * sizeof *message->truth);
    add(parts, message->label, message->rows * sizeof *message->label);
    add(parts, message->role, message->rows * sizeof *message->role);
    if (sound && hop.next < plan->layers) /* a read-out alone reads the history */
        add(parts, message->x, (size_t)message->rows * message->width * sizeof(float));
    if (sound)
        add_rows(parts, message->history, history, message->images, plan->history * sizeof(float));
}

/* What layers that are not rank 0's have found. */
static void add_findings(struct parts *parts, const struct ff_plan *plan, struct ff_hop hop,
                         const struct ff_message *message)
{
    uint32_t top = hop.next < plan->layers ? hop.next : plan->layers;
    size_t stride = (size_t)plan->max_rows * plan->groups;

    if (top > hop.away)
        add_rows(parts, message->goodness + hop.away * stride, (size_t)message->rows * plan->groups * sizeof(float),
                 top - hop.away, stride * sizeof(float));
    if (message->kind == FF_TRAIN)
        add(parts, message->loss + hop.away, (hop.next - hop.away) * sizeof *message->loss);
    if (goes_back(plan, hop) && plan->history > 0)
        add(parts, message->scores, (size_t)message->images * plan->classes * sizeof(float));
}

/* What a packet of the message holds behind its head. */
static struct parts list_parts(const struct ff_plan *plan, struct ff_hop hop, const struct ff_message *message)
{
    struct parts parts = {0};

    if (has_images(message) && !goes_back(plan, hop))
        add_images(&parts, plan, hop, message);
    if (has_images(message))
        add_findings(&parts, plan, hop, message);
    if (carries_tensor(hop, message))
        add(&parts, message->x, payload(plan, message) * sizeof(float));
    if (hop.next > hop.away)
        add(&parts, message->busy + hop.away, (hop.next - hop.away) * sizeof *message->busy);
    return parts;
}

static size_t bytes_of(const struct parts *parts, bool settings)
{
    size_t bytes = sizeof(struct head) + (settings ? sizeof(struct ff_config) : 0);

    for (size_t i = 0; i < parts->count; i++)
        bytes += parts->part[i].bytes * parts->part[i].count;
    return bytes;
}

/* Settings go to every layer, not back to where they came from. */
static bool carries_settings(const struct ff_plan *plan, struct ff_hop hop, const struct ff_message *message)
{
    return message->kind == FF_SET && message->config != NULL && !goes_back(plan, hop);
}

size_t ff_packet_bytes(const struct ff_plan *plan, struct ff_hop hop, const struct ff_message *message)
{
    struct parts parts = list_parts(plan, hop, message);

    return bytes_of(&parts, carries_settings(plan, hop, message));
}

size_t ff_packet_room(const struct ff_plan *plan)
{
    size_t images = plan->max_images, rows = plan->max_rows;

    return sizeof(struct head) + sizeof(struct ff_config) + images * (sizeof(uint32_t) + sizeof(uint16_t)) +
           rows * (sizeof(uint16_t) + sizeof(int8_t)) + ff_message_floats(plan) * sizeof(float) +
           plan->blocks * (sizeof(double) + sizeof(struct ff_busy));
}

static struct head head_of(const struct ff_message *message)
{
    return (struct head){.request = message->request,
                         .step = message->step,
                         .rate = message->rate,
                         .range = message->range,
                         .kind = (uint32_t)message->kind,
                         .ticket = (uint32_t)message->ticket,
                         .split = (uint32_t)message->split,
                         .epoch = message->epoch,
                         .images = message->images,
                         .rows = message->rows,
                         .rows_per_image = message->rows_per_image,
                         .neutral = message->neutral,
                         .width = message->width,
                         .failed_layer = message->failed_layer,
                         .last = message->last,
                         .closes_epoch = message->closes_epoch};
}

void ff_packet_write(const struct ff_plan *plan, struct ff_hop hop, struct ff_message *message, uint8_t *bytes)
{
    struct parts parts = list_parts(plan, hop, message);
    struct head head = head_of(message);

    head.settings = carries_settings(plan, hop, message);
    head.size = bytes_of(&parts, head.settings);
    message->wire += head.size;
    head.wire = message->wire;
    memcpy(bytes, &head, sizeof head);
    bytes += sizeof head;
    if (head.settings) {
        memcpy(bytes, message->config, sizeof *message->config);
        bytes += sizeof *message->config;
    }
    for (size_t i = 0; i < parts.count; i++) {
        for (size_t row = 0; row < parts.part[i].count; row++) {
            memcpy(bytes, parts.part[i].memory + row * parts.part[i].stride, parts.part[i].bytes);
            bytes += parts.part[i].bytes;
        }
    }
}

/* Whether a message of the plan has room for what the head says. */
static bool fits(const struct ff_plan *plan, const struct head *head)
{
    const struct ff_range *range = &head->range;
    bool tensor = head->kind == FF_GET || (head->kind == FF_SET && !head->settings);
    struct ff_tensor_form form;

    if (head->kind > FF_STOP || head->ticket > FF_FOR_REQUEST || head->images > plan->max_images ||
        head->rows > plan->max_rows || (uint64_t)head->rows * head->width > plan->capacity)
        return false;
    if (!tensor)
        return true;
    if (range->layer >= plan->blocks || range->tensor >= ff_layer_tensors(plan, range->layer))
        return false;
    form = ff_layer_tensor(plan, range->layer, range->tensor);
    return range->count <= plan->capacity / (range->by_columns ? form.rows : 1);
}

static void take_head(struct ff_message *message, const struct head *head)
{
    message->request = head->request;
    message->step = head->step;
    message->rate = head->rate;
    message->range = head->range;
    message->kind = (enum ff_kind)head->kind;
    message->ticket = (enum ff_ticket)head->ticket;
    message->split = (enum ff_split)head->split;
    message->epoch = head->epoch;
    message->images = head->images;
    message->rows = head->rows;
    message->rows_per_image = head->rows_per_image;
    message->neutral = head->neutral;
    message->width = head->width;
    message->failed_layer = head->failed_layer;
    message->last = head->last;
    message->closes_epoch = head->closes_epoch;
    message->wire = head->wire;
}

bool ff_packet_read(const struct ff_plan *plan, struct ff_hop hop, const uint8_t *bytes, size_t size,
                    struct ff_message *message, struct ff_config *settings)
{
    struct head head;
    struct parts parts;

    if (size < sizeof head)
        return false;
    memcpy(&head, bytes, sizeof head);
    if (head.size != size || !fits(plan, &head))
        return false;
    take_head(message, &head);
    if (head.settings || !goes_back(plan, hop))
        message->config = head.settings ? settings : NULL; /* on the way back it stays what it was */
    parts = list_parts(plan, hop, message);
    if (bytes_of(&parts, head.settings) != size)
        return false;
    bytes += sizeof head;
    if (head.settings) {
        memcpy(settings, bytes, sizeof *settings);
        bytes += sizeof *settings;
    }
    for (size_t i = 0; i < parts.count; i++) {
        for (size_t row = 0; row < parts.part[i].count; row++) {
            memcpy(parts.part[i].memory + row * parts.part[i].stride, bytes, parts.part[i].bytes);
            bytes += parts.part[i].bytes;
        }
    }
    return true;
}
