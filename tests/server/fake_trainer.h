/* fake_trainer.h - a trainer whose time the test keeps: it does one step, epoch or end when it is told to.
 *
 * Snapshots are those of a real one in form: every float of them is the step; at a pause, at the end unless it
 * fails, and at an epoch where the observer wants one. Settings are turned, and weights told (unit u, input i: 10 u
 * + i, of three inputs), as soon as they are asked for.
 *
 * It stands in for core/trainer.c (all of trainer.h is defined), so that orders of events which a real training
 * reaches once in a thousand runs can be reached every time. One trainer at a time; any thread may call. */
#ifndef FAKE_TRAINER_H
#define FAKE_TRAINER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trainer.h"

void fake_trainer_reset(void);
/* What the trainer does next, one after the other. */
void fake_trainer_points(uint32_t count); /* a step and a point each */
void fake_trainer_epoch(double test_error);
void fake_trainer_finish(void);
void fake_trainer_fail(const char *sentence);
/* It answers the oldest question it was asked, paused or not; waits for one where there is none. */
void fake_trainer_answer(void);
/* Held, it does nothing, and does not look at what it is asked. */
void fake_trainer_hold(bool held);
/* The next to be made is refused with this sentence. */
void fake_trainer_refuse(const char *sentence);
size_t fake_trainer_questions(void);              /* asked and not answered */
size_t fake_trainer_alive(void);                  /* made and not destroyed */
struct ff_placement fake_trainer_placement(void); /* that the newest was made with */
/* Steps of an epoch, for those to be made: 10 unless it is told otherwise. */
void fake_trainer_steps(uint64_t steps);
/* What the newest was made with: the step and closed epochs of its checkpoint, how many there will be, the settings
 * that were turned. */
struct fake_beginning {
    bool checkpoint;
    uint64_t step;
    uint32_t closed, epochs;
    size_t change_count;
    struct ff_change changes[8];
};
void fake_trainer_beginning(struct fake_beginning *beginning);

#endif
