#include "course.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "crew_internal.h"
#include "spin.h"

struct ff_course {
    struct ff_crew *crew;
    const struct ff_plan *plan;
    uint32_t run, stages;
    uint32_t rank[FF_BLOCKS_MAX]; /* [stages] that has the stage */
    struct ff_hop out, back;
    uint32_t first[FF_BLOCKS_MAX + 1]; /* [stages + 1] layer of the stage */
    int64_t ahead[FF_BLOCKS_MAX];      /* [blocks] nanoseconds that its rank's clock is ahead of ours */

    pthread_mutex_t mutex; /* guards the rest */
    bool broken;           /* a rank is lost */
    bool stopped;          /* the STOP has been sent */
    struct ff_wire wire;
    uint32_t most, oldest, count;
    struct ff_message *away[]; /* [most] a ring: under way */
};

static bool has_rank(const struct ff_course *course, uint32_t rank)
{
    for (uint32_t stage = 0; stage < course->stages; stage++) {
        if (course->rank[stage] == rank)
            return true;
    }
    return false;
}

/* --- beginning ------------------------------------------------------------------------------------------------ */

/* Rank 0 and the next that are there. */
static void lay_out(struct ff_course *course, struct ff_placement placement)
{
    const struct ff_plan *plan = course->plan;

    course->stages = placement.stages;
    for (uint32_t rank = 0, stage = 0; stage < course->stages; rank++) {
        if (course->crew->member[rank].lost)
            continue;
        course->rank[stage] = rank;
        course->first[stage + 1] =
            course->first[stage] + ff_placement_layers(plan, course->first[stage], course->stages - stage);
        stage++;
    }
    course->out = (struct ff_hop){.away = course->first[1], .next = course->first[1]};
    course->back = (struct ff_hop){.away = course->first[1], .next = plan->blocks};
}

static ff_status ask_to_begin(struct ff_course *course, uint32_t stage, uint32_t threads, struct ff_error *error)
{
    bool top = stage + 1 == course->stages;
    struct ff_begin *begin = calloc(1, sizeof *begin);
    bool told = false;

    if (begin != NULL) {
        *begin = (struct ff_begin){.head = {.kind = FF_PARCEL_BEGIN, .run = course->run},
                                   .first = course->first[stage],
                                   .count = course->first[stage + 1] - course->first[stage],
                                   .threads = threads,
                                   .to = top ? 0 : course->rank[stage + 1],
                                   .in = {course->first[1], course->first[stage]},
                                   .out = {course->first[1], course->first[stage + 1]},
                                   .plan = *course->plan};
        told = ff_crew_tell(course->crew->ranks, course->rank[stage], begin, sizeof *begin);
    }
    free(begin);
    return told ? FF_OK : ff_fail_memory(error, "the stages on other ranks");
}

/* The next parcel of this run's, which the caller releases; NULL and `error`, FF_LOST. What is of another run is of
 * one that broke. */
static struct ff_parcel *hear(struct ff_course *course, struct ff_error *error)
{
    struct ff_ranks *ranks = course->crew->ranks;

    for (;;) {
        struct ff_parcel *parcel = ranks->methods->receive(ranks);
        bool lost = parcel->lost, ours = !lost && ff_parcel_head(parcel).run == course->run;
        uint32_t from = parcel->from;

        if (ours)
            return parcel;
        ranks->methods->release(ranks, parcel);
        if (lost && ff_crew_lose(course->crew, from, error) != FF_OK && has_rank(course, from))
            return NULL;
    }
}

static ff_status hear_ready(struct ff_course *course, struct ff_error *error)
{
    struct ff_parcel *parcel = hear(course, error);
    ff_status status = FF_OK;

    if (parcel == NULL)
        return error->status;
    if (ff_parcel_head(parcel).kind == FF_PARCEL_REFUSED) {
        const struct ff_refusal *refusal = (const void *)parcel->bytes;

        status = ff_fail(error, refusal->error.status, "rank %u (on %s): %.400s", parcel->from,
                         course->crew->member[parcel->from].host, refusal->error.message);
    }
    course->crew->ranks->methods->release(course->crew->ranks, parcel);
    return status;
}

/* How far the clock of a stage's rank is ahead, to half of what an answer takes. */
static ff_status compare_clocks(struct ff_course *course, uint32_t stage, struct ff_error *error)
{
    struct ff_ranks *ranks = course->crew->ranks;
    const struct ff_parcel_head ask = {.kind = FF_PARCEL_CLOCK, .run = course->run};
    uint64_t asked = ff_clock(), answered;
    struct ff_parcel *parcel;
    struct ff_time time;

    if (!ff_crew_tell(ranks, course->rank[stage], &ask, sizeof ask))
        return ff_fail_memory(error, "the stages on other ranks");
    if ((parcel = hear(course, error)) == NULL)
        return error->status;
    answered = ff_clock();
    memcpy(&time, parcel->bytes, sizeof time);
    ranks->methods->release(ranks, parcel);
    for (uint32_t layer = course->first[stage]; layer < course->first[stage + 1]; layer++)
        course->ahead[layer] = (int64_t)(time.clock - (asked + (answered - asked) / 2));
    return FF_OK;
}

static ff_status begin_all(struct ff_course *course, uint32_t threads, struct ff_error *error)
{
    ff_status status = FF_OK;

    for (uint32_t stage = 1; stage < course->stages && status == FF_OK; stage++)
        status = ask_to_begin(course, stage, threads, error);
    for (uint32_t stage = 1; stage < course->stages && status == FF_OK; stage++)
        status = hear_ready(course, error);
    for (uint32_t stage = 1; stage < course->stages && status == FF_OK; stage++)
        status = compare_clocks(course, stage, error);
    return status;
}

struct ff_course *ff_course_begin(struct ff_crew *crew, const struct ff_plan *plan, struct ff_placement placement,
                                  uint32_t messages, struct ff_error *error)
{
    struct ff_course *course = calloc(1, sizeof *course + messages * sizeof course->away[0]);

    if (course == NULL) {
        ff_fail_memory(error, "the stages on other ranks");
        return NULL;
    }
    course->crew = crew;
    course->plan = plan;
    course->most = messages;
    course->run = ++crew->run;
    pthread_mutex_init(&course->mutex, NULL);
    lay_out(course, placement);
    if (begin_all(course, placement.threads, error) == FF_OK)
        return course;
    ff_course_end(course);
    return NULL;
}

/* --- under way ------------------------------------------------------------------------------------------------ */

bool ff_course_send(struct ff_course *course, struct ff_message *message)
{
    struct ff_ranks *ranks = course->crew->ranks;
    struct ff_parcel_head head = {.kind = FF_PARCEL_PACKET, .run = course->run};
    size_t bytes = ff_packet_bytes(course->plan, course->out, message);
    struct ff_parcel *parcel = ranks->methods->blank(ranks, sizeof head + bytes);
    bool sent;

    if (parcel == NULL)
        return false;
    parcel->size = sizeof head + bytes;
    memcpy(parcel->bytes, &head, sizeof head);
    ff_packet_write(course->plan, course->out, message, parcel->bytes + sizeof head);
    pthread_mutex_lock(&course->mutex);
    sent = !course->broken;
    if (sent)
        course->away[(course->oldest + course->count++) % course->most] = message;
    course->stopped |= sent && message->kind == FF_STOP;
    pthread_mutex_unlock(&course->mutex);
    if (sent)
        ranks->methods->send(ranks, parcel, course->rank[1]);
    else
        ranks->methods->release(ranks, parcel);
    return sent;
}

/* With the mutex, which guards the ring. */
static struct ff_message *pop(struct ff_course *course)
{
    struct ff_message *message = course->count > 0 ? course->away[course->oldest] : NULL;

    if (message != NULL) {
        course->oldest = (course->oldest + 1) % course->most;
        course->count--;
    }
    return message;
}

static void count_bytes(struct ff_course *course, const struct ff_message *message, uint64_t back)
{
    struct ff_wire *wire = &course->wire;

    switch (message->kind) {
    case FF_TRAIN:
        wire->images += message->images;
        wire->up += message->wire - back;
        wire->back += back;
        break;
    case FF_FORWARD:
        wire->evaluating += message->wire;
        break;
    case FF_GET:
    case FF_SET:
        wire->tensors += message->wire;
        break;
    case FF_STOP:
        break;
    }
}

/* When layers of other ranks were at work, as our clock would have it. */
static void set_clocks(const struct ff_course *course, struct ff_message *message)
{
    for (uint32_t layer = course->first[1]; layer < course->plan->blocks; layer++) {
        message->busy[layer].begin -= (uint64_t)course->ahead[layer];
        message->busy[layer].end -= (uint64_t)course->ahead[layer];
    }
}

/* The packet becomes the message it is of. NULL and `error`: it is not what it should be. */
static struct ff_message *unpack(struct ff_course *course, const struct ff_parcel *parcel, struct ff_error *error)
{
    size_t head = sizeof(struct ff_parcel_head), size = parcel->size - head;
    struct ff_message *message;

    pthread_mutex_lock(&course->mutex);
    message = pop(course);
    pthread_mutex_unlock(&course->mutex);
    if (message == NULL || !ff_packet_read(course->plan, course->back, parcel->bytes + head, size, message, NULL)) {
        ff_fail(error, FF_LOST, "rank %u sent back what is no message of this run", parcel->from);
        return NULL;
    }
    set_clocks(course, message);
    pthread_mutex_lock(&course->mutex);
    count_bytes(course, message, size);
    pthread_mutex_unlock(&course->mutex);
    return message;
}

struct ff_message *ff_course_receive(struct ff_course *course, struct ff_error *error)
{
    struct ff_ranks *ranks = course->crew->ranks;
    struct ff_parcel *parcel = hear(course, error);
    struct ff_message *message = NULL;

    if (parcel != NULL) {
        message = unpack(course, parcel, error);
        ranks->methods->release(ranks, parcel);
    }
    if (message == NULL) {
        pthread_mutex_lock(&course->mutex);
        course->broken = true;
        pthread_mutex_unlock(&course->mutex);
    }
    return message;
}

struct ff_message *ff_course_give_up(struct ff_course *course)
{
    struct ff_message *message;

    pthread_mutex_lock(&course->mutex);
    message = pop(course);
    pthread_mutex_unlock(&course->mutex);
    return message;
}

void ff_course_wire(struct ff_course *course, struct ff_wire *wire)
{
    pthread_mutex_lock(&course->mutex);
    *wire = course->wire;
    pthread_mutex_unlock(&course->mutex);
}

void ff_course_end(struct ff_course *course)
{
    if (course == NULL)
        return;
    if (!course->stopped || course->broken) {
        const struct ff_parcel_head abort = {.kind = FF_PARCEL_ABORT, .run = course->run};

        for (uint32_t stage = 1; stage < course->stages; stage++)
            ff_crew_tell(course->crew->ranks, course->rank[stage], &abort, sizeof abort);
    }
    pthread_mutex_destroy(&course->mutex);
    free(course);
}
