/* timeline.h - who worked when: the newest spans of a run, in a ring.
 *
 * Any thread may call. */
#ifndef FF_TIMELINE_H
#define FF_TIMELINE_H

#include "line.h"
#include "observer.h"

struct ff_timeline;

struct ff_timeline *ff_timeline_create(struct ff_error *error);
/* The run begins: spans count from now on. */
void ff_timeline_begin(struct ff_timeline *timeline);
/* A message has been through the line: a span for each of so many layers. */
void ff_timeline_note(struct ff_timeline *timeline, const struct ff_line *line, const struct ff_message *message,
                      uint32_t layers);
/* The newest, oldest first; returns how many. */
size_t ff_timeline_read(struct ff_timeline *timeline, struct ff_span *spans, size_t most);
void ff_timeline_destroy(struct ff_timeline *timeline); /* NULL is fine */

#endif
