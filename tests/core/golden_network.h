/* golden_network.h - a golden case's network in the program's terms, played through its own messages and stages.
 *
 * Mostly as training does it. Where a case says of every row what its inputs lack, label included, or has hybrid
 * images, every row has pixels of its own: labels and masks are put into them here, and what enters the layers
 * above is masked as the case says, in place of ff_dropout (the program is linked with --wrap=ff_dropout). */
#ifndef TESTS_GOLDEN_NETWORK_H
#define TESTS_GOLDEN_NETWORK_H

#include "../cmocka_all.h"

#include "golden.h"
#include "layer.h"
#include "stage.h"

enum { GOLDEN_FIGURES_MAX = 1 << 14 };

struct golden_network {
    const cJSON *golden, *spec;
    struct ff_plan plan, readout_plan; /* a read-out has an optimizer of its own here, and so a stage of its own */
    struct ff_dataset dataset;
    struct ff_stage *stage, *readout; /* readout: NULL where there is none */
    struct ff_pool *pool;
    struct ff_message *message;
    uint32_t batch, classes;
    bool embeds; /* rows have pixels of their own, in which label and masks are */
    bool backprop;
    double dropout; /* share of every layer's inputs */
};

void golden_network_make(struct golden_network *network, const cJSON *golden);
void golden_network_destroy(struct golden_network *network);

/* The case's step, and then what it gave. */
void golden_network_train(struct golden_network *network, const cJSON *step, uint64_t number);
void golden_network_compare_step(struct golden_network *network, const cJSON *step, double tolerance);
/* The weights, and all that is kept beside them, after the last step. */
void golden_network_compare_final(struct golden_network *network, double tolerance);
/* After training: every label's goodness in every layer, the read-out's scores, and what the sink predicts. */
void golden_network_compare_probe(struct golden_network *network, double tolerance);

/* A whole case, by name. */
void golden_network_play(const char *name, double tolerance);

#endif
