#include "trainer_internal.h"

#include <stdlib.h>

/* --- requests and changes --- */

struct ff_turned *ff_trainer_keep_change(struct ff_trainer *trainer, const struct ff_change *change)
{
    struct ff_turned *turned = malloc(sizeof *turned);

    if (turned == NULL)
        return NULL;
    *turned = (struct ff_turned){NULL, *change};
    *trainer->turned_end = turned;
    trainer->turned_end = &turned->next;
    return turned;
}

/* Send the oldest request through the line; false when there is none. */
static bool serve_request(struct ff_trainer *trainer)
{
    const struct ff_request *request = ff_control_request(trainer->control);
    struct ff_message *message;

    if (request == NULL)
        return false;
    message = ff_line_take(trainer->line);
    if (request->weights)
        ff_source_get(trainer->source, message, &request->range, request->ticket);
    else
        ff_source_request(trainer->source, message, request->pixels, request->ticket);
    ff_control_served(trainer->control);
    ff_line_pass(trainer->line, message);
    return true;
}

static void send_settings(struct ff_trainer *trainer, const struct ff_turned *turned)
{
    struct ff_message *message = ff_line_take(trainer->line);

    ff_source_settings(trainer->source, message, &turned->change.config);
    ff_line_pass(trainer->line, message);
}

/* A change that is asked for, recorded and then sent; false when there is none. */
static bool serve_change(struct ff_trainer *trainer)
{
    const struct ff_config *wanted = ff_control_wanted(trainer->control);
    const struct ff_observer *observer = &trainer->observer;
    struct ff_turned *turned = NULL;
    struct ff_change change;

    if (wanted == NULL)
        return false;
    change = (struct ff_change){ff_source_step(trainer->source), *wanted};
    if (observer->change == NULL || observer->change(observer->self, &change))
        turned = ff_trainer_keep_change(trainer, &change);
    if (turned != NULL)
        send_settings(trainer, turned);
    ff_control_turned(trainer->control);
    return true;
}

/* Changes of the run's former life that come after the steps done so far. */
static void replay_changes(struct ff_trainer *trainer)
{
    while (trainer->next_turned != NULL && trainer->next_turned->change.step <= ff_source_step(trainer->source)) {
        send_settings(trainer, trainer->next_turned);
        trainer->next_turned = trainer->next_turned->next;
    }
}

/* --- snapshots --- */

/* All of the run between two steps, to the observer; nothing else is under way meanwhile. */
static void take_snapshot(struct ff_trainer *trainer)
{
    struct ff_standing standing = {0};
    struct ff_range range = {0};
    struct ff_pixel_map input = ff_source_input(trainer->source);
    bool more = true;

    if (trainer->observer.snapshot == NULL)
        return;
    ff_line_wait_all(trainer->line);
    if (ff_control_failure(trainer->control, NULL) != FF_OK)
        return;
    ff_sink_standing(trainer->sink, &standing);
    standing.step = ff_source_step(trainer->source);
    standing.pixel_scale = input.scale;
    standing.pixel_offset = input.offset;
    trainer->observer.snapshot(trainer->observer.self, &(struct ff_snapshot_piece){.standing = &standing});
    while (more) {
        struct ff_message *message = ff_line_take(trainer->line);

        more = ff_source_tensors(trainer->source, message, FF_GET, &range);
        ff_line_pass(trainer->line, message);
    }
    ff_line_wait_all(trainer->line);
}

/* At the end of an epoch, where the observer wants one. */
static void take_wanted_snapshot(struct ff_trainer *trainer)
{
    if (trainer->observer.wants_snapshot == NULL)
        return;
    ff_line_wait_all(trainer->line);
    if (trainer->observer.wants_snapshot(trainer->observer.self))
        take_snapshot(trainer);
}

ff_status ff_trainer_restore(struct ff_trainer *trainer, struct ff_error *error)
{
    const struct ff_standing *standing;
    struct ff_range range = {0};
    ff_status status = FF_OK;
    bool more = true;

    if (trainer->checkpoint == NULL)
        return FF_OK;
    standing = &ff_checkpoint_about(trainer->checkpoint)->standing;
    ff_source_seek(trainer->source, standing->step, standing->epochs);
    ff_sink_restore(trainer->sink, standing);
    while (more && status == FF_OK) {
        struct ff_message *message = ff_line_take(trainer->line);

        more = ff_source_tensors(trainer->source, message, FF_SET, &range);
        status = ff_checkpoint_read(trainer->checkpoint, message->range.layer, message->range.tensor,
                                    message->range.offset, message->range.count, message->x, error);
        ff_line_pass(trainer->line, message);
    }
    return status;
}

/* --- the way into the line --- */

/* Stand still: what is under way arrives, the observer hears of it, and nothing but requests and changes goes
 * through the line until the pause is over. */
static void stand_still(struct ff_trainer *trainer)
{
    ff_line_wait_all(trainer->line);
    ff_sink_stop_clock(trainer->sink);
    take_snapshot(trainer);
    if (trainer->observer.paused != NULL)
        trainer->observer.paused(trainer->observer.self);
    while (ff_control_await(trainer->control)) {
        serve_request(trainer);
        serve_change(trainer);
    }
    ff_line_wait_all(trainer->line);
    ff_sink_start_clock(trainer->sink);
}

/* Before every message: whether the line goes on. Requests and changes go first; a pause is waited out here. Pause
 * and stop wait for the end of a window, where the run can be left. */
static bool goes_on(struct ff_trainer *trainer)
{
    bool between = ff_source_between_windows(trainer->source);

    for (;;) {
        struct ff_wishes wishes = ff_control_wishes(trainer->control);

        if (wishes.failed || (wishes.stop && between))
            return false;
        if (serve_request(trainer) || serve_change(trainer))
            continue;
        if (!wishes.pause || !between)
            return true;
        stand_still(trainer);
        wishes = ff_control_wishes(trainer->control);
        if (!wishes.stop && !wishes.failed && trainer->observer.resumed != NULL)
            trainer->observer.resumed(trainer->observer.self);
    }
}

/* A message whose images the first stage's team is filling. */
struct filling {
    const struct ff_source *source;
    struct ff_message *message;
};

static void fill_item(void *self, size_t image, unsigned worker)
{
    struct filling *filling = self;

    (void)worker;
    ff_source_fill(filling->source, filling->message, (uint32_t)image);
}

static void fill(struct ff_trainer *trainer, struct ff_message *message)
{
    struct filling filling = {trainer->source, message};

    if (message->kind == FF_TRAIN && ff_source_augments(trainer->source))
        ff_line_team(trainer->line, message->images, fill_item, &filling);
    else
        for (uint32_t image = 0; image < message->images; image++)
            ff_source_fill(trainer->source, message, image);
}

/* The first station, on the thread that runs the trainer: from the source into the line. */
void ff_trainer_feed(struct ff_trainer *trainer)
{
    bool closed = false;

    while (goes_on(trainer)) {
        struct ff_message *message;

        if (closed)
            take_wanted_snapshot(trainer);
        replay_changes(trainer);
        message = ff_line_take(trainer->line);
        trainer->exhausted = !ff_source_next(trainer->source, message);
        if (trainer->exhausted) {
            ff_line_give_back(trainer->line, message);
            break;
        }
        fill(trainer, message);
        closed = message->closes_epoch && message->epoch < trainer->plan.config.epochs;
        ff_line_pass(trainer->line, message);
    }
    take_snapshot(trainer);
}
