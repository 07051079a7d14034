/* line.h - stages in a row, and the messages that flow through them: on threads of this process, or on ranks.
 *
 *     ff_line_take -> fill it -> ff_line_pass -> stage -> … -> stage -> arrive
 *
 * One thread, the feeder, takes messages, passes them on, waits for all of them and ends the line; the first
 * stage's work is done on it. `arrive` gets every message in the order in which they were passed on, on one thread
 * (the feeder's own where there is one stage). Messages are the line's: it has a fixed number of them. */
#ifndef FF_LINE_H
#define FF_LINE_H

#include "course.h"
#include "error.h"
#include "message.h"
#include "placement.h"

struct ff_line;

/* What a line tells. */
struct ff_line_ends {
    void *self;
    void (*arrive)(void *self, struct ff_message *message); /* complete, and the line's again after the call */
    /* A rank was lost, at any time after the start: nothing arrives any more, and what is passed on comes to
     * nothing. Once, and never of a line in one process. */
    void (*broken)(void *self, const struct ff_error *error);
};

/* The plan must outlive it. With a `crew` the layers are laid out on as many of its ranks as `placement` says that
 * there are stages, if that is more than one (NULL: on threads). NULL and `error`: FF_NO_MEMORY; FF_LOST. */
struct ff_line *ff_line_create(const struct ff_plan *plan, struct ff_placement placement, struct ff_crew *crew,
                               const struct ff_line_ends *ends, struct ff_error *error);

/* Before the first message. FF_BUSY: no thread could be started. */
ff_status ff_line_start(struct ff_line *line, struct ff_error *error);

/* Of the feeder: a free message (waits, and helps other stages meanwhile); what to do with it; or give it back. */
struct ff_message *ff_line_take(struct ff_line *line);
void ff_line_pass(struct ff_line *line, struct ff_message *message);
void ff_line_give_back(struct ff_line *line, struct ff_message *message);
/* Until nothing is under way. */
void ff_line_wait_all(struct ff_line *line);
/* Let the first stage's team do items of other work, between two messages. */
void ff_line_team(struct ff_line *line, size_t items, void (*item)(void *arg, size_t index, unsigned worker),
                  void *arg);
/* What is under way arrives, and the threads end. After ff_line_start, whatever came of it. */
void ff_line_end(struct ff_line *line);

/* What a process has of a line. */
struct ff_line_share {
    uint32_t first, count; /* layers */
    uint32_t stages, messages;
};
/* Linux hands out memory that is not there and kills later; so what cannot fit is refused before: FF_NO_MEMORY. */
ff_status ff_line_check_memory(const struct ff_plan *plan, struct ff_line_share share, struct ff_error *error);

/* Which stage has the layer; whether stages are on ranks of their own; what was sent so far (any thread). */
uint32_t ff_line_stage_of(const struct ff_line *line, uint32_t layer);
bool ff_line_on_ranks(const struct ff_line *line);
void ff_line_wire(struct ff_line *line, struct ff_wire *wire);

size_t ff_line_bytes(const struct ff_line *line);
void ff_line_destroy(struct ff_line *line); /* NULL is fine */

#endif
