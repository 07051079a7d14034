/* textlog.h - a run as plain text, in the layout of the numpy original: its readers and scripts know it at once.
 *
 *     header, one block an epoch, the end; of several runs, the comparison table
 *
 * `goodness train --text` prints it as it goes, GET /runs/{id}/log from history. Pure functions that write to a
 * FILE (a growing string is open_memstream's); any thread may call. Errors are the stream's: look at ferror. */
#ifndef TEXTLOG_H
#define TEXTLOG_H

#include <stdio.h>

#include "dataset.h"
#include "observer.h"
#include "run.h"

enum { TEXTLOG_SAMPLES = 5 };

/* What is kept of an evaluation, for the detailed part at the end: a small value. */
struct textlog_evaluation {
    uint32_t epoch; /* 0: there was none */
    uint32_t count, right;
    uint32_t classes; /* highest label met + 1 */
    uint32_t class_count[FF_CLASSES_MAX], class_right[FF_CLASSES_MAX];
    uint32_t samples; /* at most TEXTLOG_SAMPLES: the first images */
    struct {
        uint16_t truth, predicted;
        float confidence;
    } sample[TEXTLOG_SAMPLES];
};

/* Keep of `evaluation` what the end will show. */
void textlog_keep_evaluation(struct textlog_evaluation *kept, const struct ff_evaluation *evaluation);

/* Date, run, data set and counts, architecture, parameters, and the settings that differ from the defaults. Where
 * `dataset` is NULL, what only it knows is left out; `machine` says on what it runs (NULL: not known). */
void textlog_header(FILE *out, const struct run *run, const struct ff_dataset *dataset, const char *machine);

/* Under the header of a run that goes on: where, and from which file. */
void textlog_resumed(FILE *out, const char *file, const struct ff_standing *standing);

/* One epoch. "Test accuracy" only where the epoch was evaluated. */
void textlog_epoch(FILE *out, const struct ff_config *config, const struct ff_epoch *epoch);

/* How it ended: training time, the weights' digest, state and reason; with `evaluation` (NULL: left out) the
 * detailed one and the five samples. Nothing but the state line while the run has not ended. */
void textlog_end(FILE *out, const struct run *run, const struct textlog_evaluation *evaluation);

/* Runs side by side: layers, parameters, accuracy, training time. */
void textlog_comparison(FILE *out, const struct run *const *runs, size_t count);

/* "784+10 -> 500 -> 300 -> 10" into `text`, cut where it is too long; without a data set "image -> 500 -> 300 ->
 * 10". */
void textlog_architecture(const struct ff_config *config, const struct ff_dataset *dataset, char *text,
                          size_t size);

#endif
