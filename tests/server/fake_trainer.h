/* fake_trainer.h - a trainer whose time the test keeps: it does one step, epoch or end when it is told to.
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

#endif
