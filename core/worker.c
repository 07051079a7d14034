/* worker.c - what every rank but rank 0 does: one stage of a run, then one of the next. */
#include <stdlib.h>
#include <string.h>

#include "crew_internal.h"
#include "line.h"
#include "spin.h"
#include "stage.h"

struct worker {
    struct ff_ranks *ranks;
    struct ff_begin begin;  /* of the run at hand: what rank 0 said, the plan among it */
    struct ff_stage *stage; /* NULL: there is no run */
    struct ff_pool *pool;   /* of one message */
    struct ff_message *message;
    struct ff_config settings; /* the newest that were turned; the message points here */
};

static void leave(struct worker *worker)
{
    ff_stage_destroy(worker->stage);
    ff_pool_destroy(worker->pool);
    worker->stage = NULL;
    worker->pool = NULL;
}

static bool make_stage(struct worker *worker, struct ff_error *error)
{
    const struct ff_begin *begin = &worker->begin;
    struct ff_line_share share = {begin->first, begin->count, 1, 1};

    if (ff_line_check_memory(&begin->plan, share, error) != FF_OK)
        return false;
    worker->stage = ff_stage_create(&begin->plan, begin->first, begin->count, begin->threads, error);
    worker->pool = worker->stage != NULL ? ff_pool_create(&begin->plan, 1, error) : NULL;
    if (worker->pool == NULL)
        return false;
    worker->message = ff_pool_take(worker->pool);
    return true;
}

static bool begin(struct worker *worker, const struct ff_parcel *parcel)
{
    struct ff_refusal answer;

    leave(worker);
    memset(&answer, 0, sizeof answer);
    memcpy(&worker->begin, parcel->bytes, sizeof worker->begin);
    answer.head = (struct ff_parcel_head){.kind = FF_PARCEL_READY, .run = worker->begin.head.run};
    if (!make_stage(worker, &answer.error)) {
        leave(worker);
        answer.head.kind = FF_PARCEL_REFUSED;
    }
    return ff_crew_tell(worker->ranks, 0, &answer, sizeof answer);
}

static bool tell_time(struct worker *worker, uint32_t run)
{
    const struct ff_time time = {.head = {.kind = FF_PARCEL_TIME, .run = run}, .clock = ff_clock()};

    return ff_crew_tell(worker->ranks, 0, &time, sizeof time);
}

/* On to the next rank, or back to rank 0. */
static bool pass_on(struct worker *worker)
{
    const struct ff_begin *begin = &worker->begin;
    struct ff_parcel_head head = {.kind = FF_PARCEL_PACKET, .run = begin->head.run};
    size_t bytes = ff_packet_bytes(&begin->plan, begin->out, worker->message);
    struct ff_parcel *parcel = worker->ranks->methods->blank(worker->ranks, sizeof head + bytes);

    if (parcel == NULL)
        return false;
    parcel->size = sizeof head + bytes;
    memcpy(parcel->bytes, &head, sizeof head);
    ff_packet_write(&begin->plan, begin->out, worker->message, parcel->bytes + sizeof head);
    worker->ranks->methods->send(worker->ranks, parcel, begin->to);
    return true;
}

/* One message in, the same message out. The parcel goes back as soon as it is read, so that the next can come while
 * the stage works. */
static bool work(struct worker *worker, struct ff_parcel *parcel)
{
    const struct ff_begin *begin = &worker->begin;
    size_t head = sizeof(struct ff_parcel_head);
    bool ours = worker->stage != NULL && ff_parcel_head(parcel).run == begin->head.run, good = true;

    if (ours)
        good = ff_packet_read(&begin->plan, begin->in, parcel->bytes + head, parcel->size - head, worker->message,
                              &worker->settings);
    worker->ranks->methods->release(worker->ranks, parcel);
    if (!ours || !good)
        return good;
    ff_stage_handle(worker->stage, worker->message);
    good = pass_on(worker);
    if (worker->message->kind == FF_STOP)
        leave(worker);
    return good;
}

/* False: it cannot go on. */
static bool handle(struct worker *worker, struct ff_parcel *parcel)
{
    struct ff_parcel_head head = ff_parcel_head(parcel);
    bool good = true;

    if (head.kind == FF_PARCEL_PACKET)
        return work(worker, parcel);
    if (head.kind == FF_PARCEL_BEGIN)
        good = begin(worker, parcel);
    else if (head.kind == FF_PARCEL_CLOCK)
        good = tell_time(worker, head.run);
    else if (head.kind == FF_PARCEL_ABORT && head.run == worker->begin.head.run)
        leave(worker);
    worker->ranks->methods->release(worker->ranks, parcel);
    return good;
}

/* Until the end. That another rank but rank 0 is lost rank 0 sees, and says what comes of it. */
static ff_status serve(struct worker *worker, struct ff_error *error)
{
    struct ff_ranks *ranks = worker->ranks;

    for (;;) {
        struct ff_parcel *parcel = ranks->methods->receive(ranks);
        bool lost = parcel->lost, end = !lost && ff_parcel_head(parcel).kind == FF_PARCEL_END;
        uint32_t from = parcel->from;

        if (!lost && !end) {
            if (handle(worker, parcel))
                continue;
            return ff_fail(error, FF_NO_MEMORY, "rank %u could not pass a message on", ranks->mine);
        }
        ranks->methods->release(ranks, parcel);
        if (end)
            return FF_OK;
        if (from == 0)
            return ff_fail(error, FF_LOST, "rank 0 does not answer any more: it has ended, or its machine is gone");
    }
}

ff_status ff_crew_serve(struct ff_ranks *ranks, const struct ff_trait *traits, size_t count, struct ff_error *error)
{
    struct worker *worker = calloc(1, sizeof *worker);
    struct ff_hello hello;
    ff_status status;

    if (worker == NULL)
        return ff_fail_memory(error, "a rank");
    worker->ranks = ranks;
    ff_hello_make(&hello, traits, count);
    status = ff_crew_tell(ranks, 0, &hello, sizeof hello) ? serve(worker, error) : ff_fail_memory(error, "a rank");
    leave(worker);
    free(worker);
    return status;
}
