/* course.h - one run's way over the ranks of a crew: rank 0 has the first stage, every further one is a rank's, and
 * the last rank sends messages back to rank 0, where the course keeps them while they are under way. That they come
 * back is what limits how many are: each rank's queue is as long as the pool at most.
 *
 * One thread sends, and one receives. */
#ifndef FF_COURSE_H
#define FF_COURSE_H

#include "crew.h"
#include "message.h"
#include "observer.h"
#include "placement.h"

struct ff_course;

/* Let as many ranks as there are stages, this one among them, make theirs. At most `messages` will be under way.
 * The plan must outlive it. NULL and `error`: FF_LOST, a rank has left the crew (fewer may do); FF_NO_MEMORY, here
 * or on one of them. */
struct ff_course *ff_course_begin(struct ff_crew *crew, const struct ff_plan *plan, struct ff_placement placement,
                                  uint32_t messages, struct ff_error *error);

/* To the second stage. False, and the message stays the caller's: a rank is lost. */
bool ff_course_send(struct ff_course *course, struct ff_message *message);
/* The oldest that is under way, back from the last stage; waits. A STOP is the last. NULL and `error`, FF_LOST: a
 * rank is lost, and none will come back; from then on ff_course_give_up hands out those that were under way. */
struct ff_message *ff_course_receive(struct ff_course *course, struct ff_error *error);
struct ff_message *ff_course_give_up(struct ff_course *course);

void ff_course_wire(struct ff_course *course, struct ff_wire *wire); /* any thread */

/* Ranks that have not had a STOP forget the run. NULL is fine. */
void ff_course_end(struct ff_course *course);

#endif
