/* second_name.h - a file gets a second name, for as long as what it holds is to be kept under that one too.
 *
 * A checkpoint that is the best so far is named so beside: no byte is copied where the disk can do that, and the
 * next newest one takes only the first name away. Any thread may call. */
#ifndef SECOND_NAME_H
#define SECOND_NAME_H

#include "error.h"

/* The file at `path` is at `name` too, in place of what was there; on the disk when it returns FF_OK. NAME.tmp is
 * used on the way. Where a file cannot have two names, as on another disk, it is a copy. FF_IO, FF_NO_MEMORY: what
 * was at `name` is there still, unless only a power cut can bring it back. */
ff_status second_name_give(const char *path, const char *name, struct ff_error *error);

#endif
