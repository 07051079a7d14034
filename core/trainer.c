#include "trainer_internal.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "layer.h"

/* --- what comes out of the line --- */

/* The sink takes a message. After a failure the rest only flows through. */
static void arrive(void *self, struct ff_message *message)
{
    struct ff_trainer *trainer = self;
    struct ff_error error;

    ff_timeline_note(trainer->timeline, trainer->line, message, trainer->plan.blocks);
    if (ff_control_failure(trainer->control, NULL) == FF_OK &&
        ff_sink_handle(trainer->sink, message, &error) != FF_OK)
        ff_control_fail(trainer->control, &error);
}

static void break_off(void *self, const struct ff_error *error)
{
    struct ff_trainer *trainer = self;

    ff_control_fail(trainer->control, error);
}

/* --- making a run --- */

uint64_t ff_parameter_count(const struct ff_config *config, const struct ff_dataset *dataset)
{
    struct ff_plan plan;

    ff_plan_make(&plan, config, dataset);
    return plan.parameters;
}

static ff_status take_beginning(struct ff_trainer *trainer, const struct ff_dataset *dataset,
                                const struct ff_beginning *beginning, struct ff_error *error)
{
    struct ff_plan *plan = &trainer->plan;

    if (beginning == NULL)
        return FF_OK;
    for (size_t i = 0; i < beginning->change_count; i++) {
        if (ff_trainer_keep_change(trainer, &beginning->changes[i]) == NULL)
            return ff_fail_memory(error, "a run");
    }
    trainer->next_turned = trainer->turned;
    trainer->checkpoint = beginning->checkpoint;
    if (trainer->checkpoint == NULL)
        return FF_OK;
    plan->blank = true;
    plan->window = ff_checkpoint_about(trainer->checkpoint)->standing.window;
    return ff_checkpoint_fits(trainer->checkpoint, plan, dataset, error);
}

/* On this process's threads, or on the crew's ranks. One that has left the crew unnoticed is noticed now, and the
 * others may do. */
static bool make_line(struct ff_trainer *trainer, struct ff_placement asked, struct ff_crew *crew,
                      struct ff_error *error)
{
    const struct ff_line_ends ends = {trainer, arrive, break_off};
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    struct ff_resources resources = {.processors = processors > 0 ? (uint32_t)processors : 1, .ranks = 1};
    uint32_t ranks;

    do {
        bool together = false;

        ranks = crew != NULL ? ff_crew_ranks(crew) : 1;
        if (ranks > 1) {
            resources.ranks = ranks;
            resources.rank_processors = ff_crew_threads(crew);
        }
        trainer->placement = ff_placement_choose_among(&trainer->plan, asked, resources, &together);
        trainer->line = ff_line_create(&trainer->plan, trainer->placement, together ? crew : NULL, &ends, error);
    } while (trainer->line == NULL && error->status == FF_LOST && ff_crew_ranks(crew) < ranks);
    return trainer->line != NULL;
}

static bool make_parts(struct ff_trainer *trainer, const struct ff_dataset *dataset, struct ff_placement asked,
                       struct ff_crew *crew, struct ff_error *error)
{
    if ((trainer->control = ff_control_create(&trainer->plan, FF_REQUESTS_MAX, error)) == NULL ||
        (trainer->timeline = ff_timeline_create(error)) == NULL || !make_line(trainer, asked, crew, error))
        return false;
    trainer->source = ff_source_create(&trainer->plan, dataset, error);
    trainer->sink = trainer->source ? ff_sink_create(&trainer->plan, &trainer->observer, error) : NULL;
    return trainer->sink != NULL;
}

struct ff_trainer *ff_trainer_create(const struct ff_config *config, const struct ff_dataset *dataset,
                                     struct ff_placement placement, const struct ff_observer *observer,
                                     const struct ff_beginning *beginning, struct ff_error *error)
{
    struct ff_trainer *trainer = calloc(1, sizeof *trainer);

    if (trainer == NULL) {
        ff_fail_memory(error, "a run");
        return NULL;
    }
    ff_plan_make(&trainer->plan, config, dataset);
    trainer->observer = *observer;
    trainer->turned_end = &trainer->turned;
    if (take_beginning(trainer, dataset, beginning, error) != FF_OK ||
        !make_parts(trainer, dataset, placement, beginning != NULL ? beginning->crew : NULL, error)) {
        ff_trainer_destroy(trainer);
        return NULL;
    }
    return trainer;
}

/* --- requests --- */

void ff_trainer_pause(struct ff_trainer *trainer)
{
    ff_control_pause(trainer->control, true);
}

void ff_trainer_resume(struct ff_trainer *trainer)
{
    ff_control_pause(trainer->control, false);
}

void ff_trainer_stop(struct ff_trainer *trainer)
{
    ff_control_stop(trainer->control);
}

ff_status ff_trainer_ask(struct ff_trainer *trainer, const float *pixels, uint64_t *ticket, struct ff_error *error)
{
    return ff_control_ask(trainer->control, pixels, ticket, error);
}

ff_status ff_trainer_ask_weights(struct ff_trainer *trainer, uint32_t layer, uint32_t unit, uint32_t count,
                                 uint64_t *ticket, struct ff_error *error)
{
    const struct ff_plan *plan = &trainer->plan;
    struct ff_range range = {.layer = layer, .offset = unit, .count = count, .by_columns = true};

    if (layer >= plan->blocks || count == 0 || unit >= plan->layer[layer].units ||
        count > plan->layer[layer].units - unit)
        return ff_fail(error, FF_INVALID, "there are no such units");
    if (count > plan->capacity / plan->layer[layer].inputs)
        return ff_fail(error, FF_INVALID, "ask for at most %zu units of this layer at once",
                       plan->capacity / plan->layer[layer].inputs);
    range.tensor = ff_layer_judging_tensor(plan, layer);
    return ff_control_ask_weights(trainer->control, &range, ticket, error);
}

ff_status ff_trainer_change(struct ff_trainer *trainer, const struct ff_config *config, struct ff_error *error)
{
    return ff_control_change(trainer->control, config, error);
}

/* --- the run --- */

static ff_status run_line(struct ff_trainer *trainer, struct ff_error *error)
{
    ff_status status = ff_line_start(trainer->line, error);

    if (status == FF_OK && (status = ff_trainer_restore(trainer, error)) == FF_OK)
        ff_trainer_feed(trainer);
    ff_line_end(trainer->line);
    return status;
}

enum ff_outcome ff_trainer_run(struct ff_trainer *trainer, struct ff_error *error)
{
    ff_status status;

    ff_timeline_begin(trainer->timeline);
    ff_sink_start_clock(trainer->sink);
    status = run_line(trainer, error);
    ff_control_end(trainer->control);
    if (status != FF_OK)
        return FF_FAILED;
    if ((status = ff_control_failure(trainer->control, error)) != FF_OK)
        return status == FF_LOST ? FF_INTERRUPTED : FF_FAILED;
    ff_sink_finish(trainer->sink);
    return trainer->exhausted ? FF_FINISHED : FF_STOPPED;
}

/* --- what can be asked --- */

void ff_trainer_progress(struct ff_trainer *trainer, struct ff_progress *progress)
{
    struct ff_wire wire;

    ff_sink_progress(trainer->sink, progress);
    if (!ff_trainer_wire(trainer, &wire))
        return;
    progress->ranks = trainer->placement.stages;
    progress->bytes_per_sample =
        wire.images > 0 ? (double)(wire.up + wire.back) / (double)wire.images : (double)NAN;
}

size_t ff_trainer_timeline(struct ff_trainer *trainer, struct ff_span *spans, size_t most)
{
    return ff_timeline_read(trainer->timeline, spans, most);
}

bool ff_trainer_wire(struct ff_trainer *trainer, struct ff_wire *wire)
{
    ff_line_wire(trainer->line, wire);
    return ff_line_on_ranks(trainer->line);
}

struct ff_placement ff_trainer_placement(const struct ff_trainer *trainer)
{
    return trainer->placement;
}

uint64_t ff_trainer_parameters(const struct ff_trainer *trainer)
{
    return trainer->plan.parameters;
}

size_t ff_trainer_bytes(const struct ff_trainer *trainer)
{
    return ff_source_bytes(trainer->source) + ff_sink_bytes(trainer->sink) + ff_line_bytes(trainer->line);
}

void ff_trainer_destroy(struct ff_trainer *trainer)
{
    if (trainer == NULL)
        return;
    while (trainer->turned != NULL) {
        struct ff_turned *next = trainer->turned->next;

        free(trainer->turned);
        trainer->turned = next;
    }
    ff_line_destroy(trainer->line);
    ff_sink_destroy(trainer->sink);
    ff_source_destroy(trainer->source);
    ff_timeline_destroy(trainer->timeline);
    ff_control_destroy(trainer->control);
    free(trainer);
}
