/* observer.h - what a run tells while it goes: points, epochs, evaluations, states.
 *
 * The trainer calls the observer on the thread that runs the sink, where nothing else is said. A callback must not
 * block for long and must not call the trainer; any may be NULL. All figures are of the weights before the step
 * they belong to. */
#ifndef FF_OBSERVER_H
#define FF_OBSERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"
#include "histogram.h"

/* One layer over a window of steps, or over an epoch. Goodness as the configuration defines it (mean or sum of
 * squares). */
struct ff_layer_figures {
    float positive, negative;          /* mean goodness of positive and of negative data */
    float positive_low, positive_high; /* 10th and 90th percentile of the samples in the window; an epoch: NaN */
    float negative_low, negative_high;
    float loss;     /* mean per pair */
    float accuracy; /* share of pairs whose positive goodness is above the negative; ties count half */
};

struct ff_point {
    uint64_t step;  /* the last step of the window, from 1 */
    double epoch;   /* step as a number of epochs: step / steps per epoch */
    double elapsed; /* seconds of training and evaluating since the run began, pauses left out */
    uint32_t layers;
    struct ff_layer_figures layer[FF_LAYERS_MAX];
};

struct ff_epoch {
    uint32_t epoch; /* from 1 */
    uint64_t step;  /* steps done at its end */
    double elapsed;
    double evaluating;              /* seconds of `elapsed` that evaluation took, since the run began */
    double train_error, test_error; /* fractions of 1; NaN where this epoch was not evaluated. `test_error` is of
                                       what `evaluate_on` says */
    char digest[72]; /* "sha256:" and 64 hexadecimal digits: over all parameters as little-endian float32,
                        layer by layer, weights [inputs][units] before bias [units] */
    uint32_t layers;
    struct ff_layer_figures layer[FF_LAYERS_MAX];
};

/* How every layer's goodness is distributed over an epoch's training images, so far or whole. Valid during the
 * call.
 */
struct ff_histograms {
    uint32_t epoch;  /* from 1 */
    uint64_t step;   /* the last that is counted */
    uint64_t images; /* that are counted; each once as positive and once as negative */
    bool whole;      /* the epoch is over */
    uint32_t layers;
    double threshold[FF_LAYERS_MAX];  /* as it is now; NaN where the objective has none */
    const struct ff_histogram *layer; /* [layers] */
};

/* What an evaluation found, image by image, in the order of the data set. Valid during the call. */
struct ff_evaluation {
    uint32_t epoch;
    uint64_t step; /* done before it */
    enum ff_split split;
    uint32_t first, count; /* index of the first image in its split; the others follow it there */
    uint32_t classes;
    const uint16_t *truth;     /* [count] */
    const uint16_t *predicted; /* [count] */
    const float *confidence;   /* [count] softmax of the label scores, at the predicted label */
};

/* One image under every label. Valid during the call. */
struct ff_answer {
    uint64_t ticket;
    uint64_t step; /* steps done when it was computed */
    uint32_t layers, classes;
    bool unlabelled;            /* no label is shown to the network: `goodness` is [layers], of the image alone */
    const float *goodness;      /* [layers][classes] */
    const float *probabilities; /* [classes] softmax of what is summed to predict */
    uint32_t label;             /* the most probable; of equals the lowest */
};

/* How far a run has come. */
struct ff_progress {
    uint32_t epoch, epochs; /* the epoch under way (from 1; 0 before the first step), and how many there will be */
    uint64_t step, steps;   /* done, and to be done */
    double elapsed;         /* seconds, pauses left out */
    double remaining;       /* seconds; NaN until it can be known */
    double samples_per_second; /* images trained a second of training, evaluation left out; NaN until known */
    double evaluating;         /* seconds of `elapsed` spent on evaluation */
    uint32_t ranks;            /* that have a stage each; 0: all stages are in one process */
    double bytes_per_sample;   /* that ranks send to each other for an image trained; NaN until known, 0 without */
};

/* Sums of one layer's figures over some images. */
struct ff_sums {
    double positive, negative, loss, accuracy;
};

/* Where a run stands between two steps, but for its tensors: with both it goes on as if it had never been left. */
struct ff_standing {
    uint64_t step;   /* done */
    uint32_t epochs; /* closed; with all of an epoch's steps done its evaluation may be still to come */
    uint64_t window; /* steps a point covers: for the whole run as it began */
    double training, evaluating, saving; /* seconds so far */
    double evaluating_closed;            /* of the epochs that are closed */
    float pixel_scale, pixel_offset;     /* input.h */
    uint32_t train_images;               /* an epoch has: with as many a step is the same step */
    uint64_t epoch_images;               /* of the open epoch, in whole windows */
    uint32_t best_epoch; /* of the lowest test error; 0: none yet. The trainer leaves it to the keeper */
    double best_error;
    uint32_t layers;
    struct ff_sums epoch_sums[FF_LAYERS_MAX];
    struct ff_histogram epoch_histograms[FF_LAYERS_MAX];
};

/* A run between two steps, piece by piece: all tensors' floats, layer by layer, the optimizer's too, as
 * ff_layer_tensor counts them. */
struct ff_snapshot_piece {
    const struct ff_standing *standing; /* with the first piece, which has no values */
    const float *values;                /* [count], valid during the call */
    size_t count;
    bool last;
};

/* Incoming weights of some units. Valid during the call. */
struct ff_unit_weights {
    uint64_t ticket;
    uint64_t step;
    uint32_t layer, unit, count, inputs;
    const float *weights; /* [count][inputs] */
};

/* Who worked when: one layer at one message. */
enum { FF_SPANS_KEPT = 16384 /* the newest of a run */ };
struct ff_span {
    uint32_t stage, layer;
    uint8_t kind; /* enum ff_kind (message.h): TRAIN 0, FORWARD 1, GET 2 */
    uint64_t step;
    uint64_t begin, end; /* nanoseconds since the run began */
};

/* Bytes that ranks have sent to each other of a run whose stages they have. */
struct ff_wire {
    uint64_t images;     /* trained */
    uint64_t up;         /* of TRAIN messages, from rank to rank: activities among them */
    uint64_t back;       /* of TRAIN messages, from the last rank to rank 0 */
    uint64_t evaluating; /* of FORWARD messages, both ways */
    uint64_t tensors;    /* of GETs and SETs, both ways */
};

struct ff_observer {
    void *self;
    void (*points)(void *self, const struct ff_point *points, size_t count);
    void (*epoch)(void *self, const struct ff_epoch *epoch);
    void (*histograms)(void *self, const struct ff_histograms *histograms); /* after every point, and of the whole
                                                                               epoch before its row; NULL: not
                                                                               wanted */
    void (*evaluation)(void *self,
                       const struct ff_evaluation *evaluation); /* of the test images; NULL: not wanted */
    void (*answer)(void *self, const struct ff_answer *answer); /* of ff_trainer_ask; NULL: none are asked */
    void (*weights)(void *self, const struct ff_unit_weights *weights); /* of ff_trainer_ask_weights */
    /* On the thread of ff_trainer_run, which may wait here: live settings take effect after these steps. False: it
     * could not be recorded, and does not happen. NULL: nobody asks. */
    bool (*change)(void *self, const struct ff_change *change);
    /* On the thread of ff_trainer_run, at the end of an epoch, whose row has been told: whether a snapshot is
     * wanted now, before a weight changes. One is always taken at a pause, before `paused`, and at the end unless
     * the run failed. Both NULL: none are. */
    bool (*wants_snapshot)(void *self);
    void (*snapshot)(void *self, const struct ff_snapshot_piece *piece);
    void (*paused)(void *self); /* everything under way has arrived; training stands still */
    void (*resumed)(void *self);
};

#endif
