/* confusion.h - what an evaluation mistook for what: the matrix, and the mistakes it was most sure of.
 *
 * Of equally sure ones those come first that come first in the data set. A value; whoever makes or reads one frees
 * it. */
#ifndef CONFUSION_H
#define CONFUSION_H

#include "error.h"
#include "observer.h"
#include "text.h"

enum { CONFUSION_MISTAKES_MAX = 50 };

struct confusion_mistake {
    uint32_t sample; /* index in its split */
    uint32_t truth, label;
    float confidence; /* in the wrong label */
};

struct confusion {
    uint32_t epoch; /* from 1; 0: there was no evaluation */
    uint64_t step;  /* done before it */
    enum ff_split split;
    uint32_t classes, images, wrong;
    uint32_t *cells; /* [classes][classes]: images by true label and by the label they were given */
    uint32_t mistake_count;
    struct confusion_mistake mistakes[CONFUSION_MISTAKES_MAX]; /* [mistake_count] the surest first */
};

ff_status confusion_make(struct confusion *confusion, const struct ff_evaluation *evaluation,
                         struct ff_error *error);
void confusion_free(struct confusion *confusion);

/* As the store keeps it: JSON arrays, [truth, label, images] of the cells that are not 0, and [sample, truth,
 * label, confidence] of the mistakes. */
void confusion_write_cells(struct text *text, const struct confusion *confusion);
void confusion_write_mistakes(struct text *text, const struct confusion *confusion);
/* Back into a value that has the rest; what is no cell or mistake of it is passed over. FF_NO_MEMORY. */
ff_status confusion_read(struct confusion *confusion, const char *cells, const char *mistakes,
                         struct ff_error *error);

/* An object: "epoch" (null: there was no evaluation), "step", "split", "images", "wrong", "error" (their share),
 * "matrix" (rows: true labels), "mistakes": each with "sample", "split", "truth", "label", "confidence". */
void confusion_write(struct text *text, const struct confusion *confusion);

#endif
