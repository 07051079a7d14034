/* plan.h - everything that follows from a configuration and a data set by arithmetic: sizes, counts, steps.
 *
 * Made once, then only read; source, stages and sink all work from the same plan. */
#ifndef FF_PLAN_H
#define FF_PLAN_H

#include "config.h"
#include "dataset.h"

/* A layer, or the read-out behind the last one. */
enum { FF_BLOCKS_MAX = FF_LAYERS_MAX + 1 };
struct ff_layer_plan {
    enum ff_layer_kind kind;
    struct ff_layer_shape shape;
    uint32_t inputs;   /* weights that a unit has: of layer 0 the label's, then the image's; of a convolution
                          kernel x kernel x channels */
    uint32_t units;    /* channels, or a dense layer's units */
    uint32_t planes;   /* inputs are counted [planes][places] and kept [places][planes], as activities are */
    uint32_t width;    /* floats of a row that leaves */
    uint32_t entering; /* and of one that enters, of an upper layer */
    uint32_t squares;  /* that a row's goodness adds up: of units, or of channels at all places */
    uint32_t read_at;  /* where an image's history has its activities */
    bool bias;
    uint64_t products; /* multiplications a row */
};

struct ff_plan {
    struct ff_config config;
    uint32_t classes, pixels;
    uint32_t covered_pixels; /* pixels at an image's front that the label covers (overlay), else 0 */
    uint32_t labels; /* rows of the first layer's weights that meet a label: classes, or 0 where none is shown */
    uint32_t groups; /* of a layer's units, each with a goodness of its own: 1, or with class groups classes */
    uint32_t layers; /* that have a goodness */
    uint32_t blocks; /* that have tensors: the layers, and a read-out behind them where there is one */
    struct ff_layer_plan layer[FF_BLOCKS_MAX];
    uint32_t history;    /* floats an image: the activities that a read-out reads; 0: there is none */
    bool own_pixels;     /* every row of an image shows pixels of its own; else they share them */
    bool neutral_rows;   /* an image has a row without a label for the read-out, behind the rows of all images */
    uint64_t parameters; /* weights and biases */

    uint32_t train_images;       /* trained on: the limit's, without the held-out ones */
    uint32_t judged_images;      /* what an epoch is judged on */
    uint32_t train_error_images; /* of these the training error is measured */
    uint32_t rows_per_image;     /* in training: a positive and a negative row; with class groups 1 */
    uint32_t forward_rows;       /* an image that is judged: one for every label; 1 where no label is shown, as with
                                    class groups, or where the read-out alone predicts */
    uint32_t question_rows;      /* an image that somebody asks about: one for every label, or 1 */
    uint32_t forward_images;     /* images a FORWARD message */
    uint32_t max_images, max_rows; /* of any message */
    uint32_t train_rows;           /* of a TRAIN message at most */
    size_t capacity;               /* floats of a message's `x`: the largest of images, activities, payload */

    uint64_t steps_per_epoch, steps, window;
    double peer_momentum; /* share of the units' mean activities that a step keeps */
    bool blank;           /* weights are not drawn: they will be set */
};

/* `config` has passed ff_config_check with this data set. */
void ff_plan_make(struct ff_plan *plan, const struct ff_config *config, const struct ff_dataset *dataset);

/* The same for a network that is not trained: its sizes, and one image a message at least. */
void ff_plan_make_sizes(struct ff_plan *plan, const struct ff_config *config, struct ff_shape shape,
                        uint32_t classes);

/* Whether a prediction looks at the scores of a read-out, or of backpropagation's top layer; and at the layers'
 * goodness.
 */
bool ff_plan_reads_out(const struct ff_plan *plan);
bool ff_plan_sums_goodness(const struct ff_plan *plan);

/* One image a step: layers with fewer weights are not worth a team's meeting, so one thread takes them. */
enum { FF_SHARED_WEIGHTS = 1 << 20 };

/* The steps that one point of the series covers: at least 100 points an epoch of so many steps, at most 100,000 in
 * all. */
uint64_t ff_window_steps(uint64_t steps_per_epoch, uint64_t steps);

/* Images that a message has room for, for every image of it whose rows show pixels of their own: those of both
 * rows, and the mask that mixes them. */
enum { FF_OWN_IMAGES = 3 };

/* The learning rate's factor at a step (from 1) by schedule and warm-up, 0 to 1. */
double ff_plan_rate(const struct ff_plan *plan, uint64_t step);

#endif
