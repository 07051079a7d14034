/* checkpoint_text.h - what a checkpoint says in words and numbers, as the file's metadata texts; for checkpoint.c
 * alone. */
#ifndef FF_CHECKPOINT_TEXT_H
#define FF_CHECKPOINT_TEXT_H

#include "checkpoint.h"
#include "safetensors.h"

enum { FF_CHECKPOINT_TEXTS = 7 };

struct ff_checkpoint_text {
    char *texts[FF_CHECKPOINT_TEXTS];
    const char *names_and_texts[2 * FF_CHECKPOINT_TEXTS + 1]; /* in turn, NULL at the end */
};

ff_status ff_checkpoint_text_make(struct ff_checkpoint_text *text, const struct ff_checkpoint_about *about,
                                  struct ff_error *error);
void ff_checkpoint_text_free(struct ff_checkpoint_text *text);

/* Everything of `about` but the sums. Its changes are the caller's to free, on failure too. FF_DAMAGED, FF_INVALID,
 * FF_NO_MEMORY. */
ff_status ff_checkpoint_text_read(const struct ff_safetensors *file, const char *path,
                                  struct ff_checkpoint_about *about, struct ff_error *error);

#endif
