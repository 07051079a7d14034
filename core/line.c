#include "line.h"

#include <pthread.h>
#include <stdlib.h>

#include "channel.h"
#include "course.h"
#include "layer.h"
#include "memory.h"
#include "optimizer.h"
#include "spin.h"
#include "stage.h"

/* A stage with its place in the line. The first works on the feeder's thread; the last hands messages to `arrive`;
 * each one between has a thread of its own, and so has the last of several. */
struct station {
    struct ff_line *line;
    struct ff_stage *stage;
    struct ff_channel *in;  /* from the station before; NULL: the first */
    struct ff_channel *out; /* to the next; NULL: the last, or the next stage is another rank's */
    pthread_t thread;
};

struct ff_line {
    const struct ff_plan *plan;
    struct ff_placement placement;
    struct ff_line_ends ends;
    struct ff_pool *pool;
    struct station *stations; /* [placement.stages], or one where each rank has one */
    uint32_t stations_made, threads_started;
    uint32_t stage_of[FF_BLOCKS_MAX];
    struct ff_channel **channels; /* [placement.stages - 1] between the stations */

    struct ff_course *course; /* over ranks; NULL: all stages are here */
    pthread_t returns;        /* the thread on which messages come back from the last rank */
    bool returning;           /* it has been started */
};

/* --- making a line -------------------------------------------------------------------------------------------- */

ff_status ff_line_check_memory(const struct ff_plan *plan, struct ff_line_share share, struct ff_error *error)
{
    double copies = 1 + ff_optimizer_states(plan->config.optimizer) + (plan->config.average > 0),
           there = ff_memory_available(), kept = 0, parameters = 0, needed;

    for (uint32_t layer = share.first; layer < share.first + share.count; layer++) {
        kept += (double)ff_layer_kept(plan, layer);
        for (uint32_t tensor = 0; tensor < ff_layer_parameter_tensors(plan, layer); tensor++) {
            struct ff_tensor_form form = ff_layer_tensor(plan, layer, tensor);

            parameters += (double)form.rows * form.columns;
        }
    }
    needed = sizeof(float) * (parameters * copies + (double)ff_message_floats(plan) * share.messages +
                              (double)plan->capacity * share.stages + kept);
    if (needed < 0.95 * there)
        return FF_OK;
    return ff_fail(error, FF_NO_MEMORY,
                   "the run needs %.1f GB and %.1f GB are free; make layers or batch_size smaller, or end other "
                   "programs",
                   needed / 1e9, there / 1e9);
}

static bool make_station(struct ff_line *line, uint32_t first, uint32_t count, struct ff_error *error)
{
    struct station *station = &line->stations[line->stations_made];

    station->line = line;
    station->stage = ff_stage_create(line->plan, first, count, line->placement.threads, error);
    line->stations_made += station->stage != NULL;
    return station->stage != NULL;
}

/* All stages on threads of this process, or only the first. */
static bool make_stations(struct ff_line *line, struct ff_error *error)
{
    uint32_t stages = line->placement.stages, first = 0;

    line->stations = calloc(stages, sizeof *line->stations);
    if (line->stations == NULL)
        return ff_fail_memory(error, "the stages") == FF_OK;
    for (uint32_t stage = 0; stage < stages; stage++) {
        uint32_t count = ff_placement_layers(line->plan, first, stages - stage);
        bool here = stage == 0 || line->course == NULL;

        for (uint32_t i = 0; i < count; i++)
            line->stage_of[first + i] = stage;
        if (here && !make_station(line, first, count, error))
            return false;
        if (line->course == NULL && stages > 1 && ff_stage_allow_guest(line->stations[stage].stage, error) != FF_OK)
            return false;
        first += count;
    }
    return true;
}

static bool make_channels(struct ff_line *line, uint32_t messages, struct ff_error *error)
{
    uint32_t count = line->stations_made - 1;

    if (count == 0)
        return true;
    line->channels = calloc(count, sizeof(struct ff_channel *));
    for (uint32_t i = 0; line->channels != NULL && i < count; i++) {
        if ((line->channels[i] = ff_channel_create(messages, error)) == NULL)
            return false;
        line->stations[i].out = line->stations[i + 1].in = line->channels[i];
    }
    return line->channels != NULL || ff_fail_memory(error, "the channels") == FF_OK;
}

static bool make_line(struct ff_line *line, struct ff_crew *crew, struct ff_error *error)
{
    const struct ff_plan *plan = line->plan;
    uint32_t stages = line->placement.stages, messages = ff_placement_messages(plan, line->placement);
    bool ranks = crew != NULL && stages > 1;
    struct ff_line_share share = {.count = ranks ? ff_placement_layers(plan, 0, stages) : plan->blocks,
                                  .stages = ranks ? 1 : stages,
                                  .messages = messages};

    if (ff_line_check_memory(plan, share, error) != FF_OK)
        return false;
    if (ranks && (line->course = ff_course_begin(crew, plan, line->placement, messages, error)) == NULL)
        return false;
    if (!make_stations(line, error) || !make_channels(line, messages, error))
        return false;
    line->pool = ff_pool_create(plan, messages, error);
    return line->pool != NULL;
}

struct ff_line *ff_line_create(const struct ff_plan *plan, struct ff_placement placement, struct ff_crew *crew,
                               const struct ff_line_ends *ends, struct ff_error *error)
{
    struct ff_line *line = calloc(1, sizeof *line);

    if (line == NULL) {
        ff_fail_memory(error, "the line of a run");
        return NULL;
    }
    line->plan = plan;
    line->placement = placement;
    line->ends = *ends;
    if (make_line(line, crew, error))
        return line;
    ff_line_destroy(line);
    return NULL;
}

/* --- the line at work ----------------------------------------------------------------------------------------- */

static void arrive(struct ff_line *line, struct ff_message *message)
{
    line->ends.arrive(line->ends.self, message);
    ff_pool_return(line->pool, message);
}

/* What a station does with a message: its layers' work, then on to the next. */
static void pass(struct station *station, struct ff_message *message)
{
    struct ff_line *line = station->line;

    ff_stage_handle(station->stage, message);
    if (station->out != NULL)
        ff_channel_send(station->out, message);
    else if (line->course == NULL)
        arrive(line, message);
    else if (!ff_course_send(line->course, message)) /* a rank is lost */
        ff_pool_return(line->pool, message);
}

/* Help another stage; whether there was anything to do. */
static bool help_others(struct station *station)
{
    struct ff_line *line = station->line;

    for (uint32_t i = 0; i < line->stations_made; i++) {
        if (&line->stations[i] != station && ff_stage_help(line->stations[i].stage))
            return true;
    }
    return false;
}

/* Before sleeping, look for a while whether there is a message, and help where one can. */
static struct ff_message *await_message(struct station *station)
{
    struct ff_spin spin = {0};

    while (!ff_channel_ready(station->in) && ff_spin_again(&spin)) {
        if (help_others(station))
            spin = (struct ff_spin){0};
    }
    return ff_channel_receive(station->in);
}

static void *run_station(void *self)
{
    struct station *station = self;
    struct ff_message *message;

    while ((message = await_message(station)) != NULL)
        pass(station, message);
    if (station->out != NULL)
        ff_channel_close(station->out);
    return NULL;
}

/* From the last rank, until the STOP has come back or a rank is lost: then nothing will, and all are free. */
static void *run_returns(void *self)
{
    struct ff_line *line = self;
    struct ff_message *message;
    struct ff_error error;
    bool stopped = false;

    while (!stopped && (message = ff_course_receive(line->course, &error)) != NULL) {
        stopped = message->kind == FF_STOP;
        if (stopped)
            ff_pool_return(line->pool, message);
        else
            arrive(line, message);
    }
    if (stopped)
        return NULL;
    line->ends.broken(line->ends.self, &error);
    while ((message = ff_course_give_up(line->course)) != NULL)
        ff_pool_return(line->pool, message);
    return NULL;
}

ff_status ff_line_start(struct ff_line *line, struct ff_error *error)
{
    uint32_t others = line->stations_made - 1;

    for (; line->threads_started < others; line->threads_started++) {
        struct station *station = &line->stations[line->threads_started + 1];

        if (pthread_create(&station->thread, NULL, run_station, station) != 0)
            break;
    }
    if (line->course != NULL)
        line->returning = pthread_create(&line->returns, NULL, run_returns, line) == 0;
    if (line->threads_started == others && line->returning == (line->course != NULL))
        return FF_OK;
    return ff_fail(error, FF_BUSY, "could not start a thread for each of %u stages; ask for fewer",
                   line->placement.stages);
}

struct ff_message *ff_line_take(struct ff_line *line)
{
    struct ff_spin spin = {0};

    while (!ff_pool_ready(line->pool) && ff_spin_again(&spin)) {
        if (help_others(&line->stations[0]))
            spin = (struct ff_spin){0};
    }
    return ff_pool_take(line->pool);
}

void ff_line_pass(struct ff_line *line, struct ff_message *message)
{
    pass(&line->stations[0], message);
}

void ff_line_give_back(struct ff_line *line, struct ff_message *message)
{
    ff_pool_return(line->pool, message);
}

void ff_line_wait_all(struct ff_line *line)
{
    ff_pool_wait_all(line->pool);
}

void ff_line_team(struct ff_line *line, size_t items, void (*item)(void *, size_t, unsigned), void *arg)
{
    ff_stage_share(line->stations[0].stage, items, item, arg);
}

/* Closing the first channel, or a STOP on its way over the ranks, lets everything under way arrive. */
void ff_line_end(struct ff_line *line)
{
    if (line->channels != NULL)
        ff_channel_close(line->channels[0]);
    for (uint32_t i = 0; i < line->threads_started; i++)
        pthread_join(line->stations[i + 1].thread, NULL);
    if (line->returning) {
        struct ff_message *message = ff_line_take(line);

        ff_message_start(message, line->plan, FF_STOP, FF_FOR_TRAINING);
        ff_line_pass(line, message);
        pthread_join(line->returns, NULL);
    }
}

/* --- looking -------------------------------------------------------------------------------------------------- */

uint32_t ff_line_stage_of(const struct ff_line *line, uint32_t layer)
{
    return line->stage_of[layer];
}

bool ff_line_on_ranks(const struct ff_line *line)
{
    return line->course != NULL;
}

void ff_line_wire(struct ff_line *line, struct ff_wire *wire)
{
    *wire = (struct ff_wire){0};
    if (line->course != NULL)
        ff_course_wire(line->course, wire);
}

size_t ff_line_bytes(const struct ff_line *line)
{
    size_t bytes = ff_pool_bytes(line->pool);

    for (uint32_t i = 0; i < line->stations_made; i++)
        bytes += ff_stage_bytes(line->stations[i].stage);
    return bytes;
}

void ff_line_destroy(struct ff_line *line)
{
    if (line == NULL)
        return;
    for (uint32_t i = 0; line->stations != NULL && i < line->stations_made; i++)
        ff_stage_destroy(line->stations[i].stage);
    for (uint32_t i = 0; line->channels != NULL && i + 1 < line->stations_made; i++)
        ff_channel_destroy(line->channels[i]);
    ff_course_end(line->course);
    ff_pool_destroy(line->pool);
    free(line->stations);
    free(line->channels);
    free(line);
}
