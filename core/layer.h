/* layer.h - one layer: its tensors, and what it does with each kind of message.
 *
 * A layer is owned by one stage; nobody else touches it. What a layer does with a message is cut into items by
 * shape alone and given to the stage's team, so that bits never depend on the number of threads.
 *
 * A kind of layer (dense.h) is a table of functions in files of its own: what tensors it has, and the phases of its
 * step. layer.c has the order of the phases, layer_goodness.c what comes of sums of squares, layer_tensors.c the
 * table of kinds, and GET and SET. */
#ifndef FF_LAYER_H
#define FF_LAYER_H

#include "kernels.h"
#include "message.h"
#include "objective.h"
#include "team.h"

enum { FF_TENSORS_MAX = 14, FF_STATISTICS_MAX = 3 };

/* Added to a row's root mean square before it divides (the reference's), and to the mean square of a place. */
#define FF_NORM_EPSILON 1e-8f
#define FF_CHANNEL_EPSILON 1e-3f

/* What a tensor is, as everybody but its layer sees it: floats [rows][columns]. */
struct ff_tensor_form {
    char name[48];                /* "weights", "bias", "weights.mean", … */
    uint32_t rank, rows, columns; /* weights: 2, inputs, units; bias: 1, 1, units */
    uint32_t kernel;              /* rank 4: rows are [channels][kernel][kernel] */
};

/* It is kept panel by panel of its columns: [panels][rows][panel], the last panel filled up. Rows that are
 * [planes][places] to everybody else are kept [places][planes]. */
struct ff_tensor {
    struct ff_tensor_form form;
    uint32_t panel, planes;
    float *data;
    size_t floats; /* of data */
};

/* Copy `count` floats from place `first` of [rows][columns] on; values: [count]. */
void ff_tensor_take(const struct ff_tensor *tensor, uint64_t first, uint64_t count, float *values);
void ff_tensor_put(struct ff_tensor *tensor, uint64_t first, uint64_t count, const float *values);
/* Columns from `first` on, as values [count][rows]. */
void ff_tensor_take_columns(const struct ff_tensor *tensor, uint64_t first, uint64_t count, float *values);

/* What a stage lends its layers while they work: one message is in one layer at a time. */
struct ff_workspace {
    struct ff_team *team;
    float *spare;    /* [capacity]; a layer writes its activities here, then swaps it with the message's x */
    bool guests;     /* another stage's thread that has nothing to do may help with FORWARD messages */
    float **scratch; /* [workers, and one for a guest][scratch_floats] */
};

struct ff_layer;

struct ff_layer_kind_methods {
    /* What a layer of this kind keeps beside its parameters, neither trained nor averaged, before there is one: how
     * many tensors, and what each is. Both NULL: none. */
    uint32_t (*statistics)(const struct ff_plan *plan);
    struct ff_tensor_form (*statistic)(const struct ff_plan *plan, uint32_t layer, uint32_t statistic);

    struct ff_layer *(*create)(const struct ff_plan *plan, uint32_t index, struct ff_error *error);
    size_t (*scratch)(const struct ff_layer *layer);            /* floats a worker needs */
    size_t (*kept)(const struct ff_plan *plan, uint32_t layer); /* floats kept of a batch; NULL: few */

    /* A whole TRAIN or FORWARD message, for a kind without goodness of its own; NULL: the phases below, in
     * layer.c's order. */
    void (*train)(struct ff_layer *layer);
    void (*pass)(struct ff_layer *layer);
    /* With backpropagation, of a TRAIN message that has been through all layers: the way back (backprop.h). */
    void (*back)(struct ff_layer *layer);

    /* Items of every phase; the work of each must not depend on others. gradient_items: of the gradient, and
     * weight_items: of apply and of the average, where those are cut in another way (else NULL). */
    size_t (*items)(const struct ff_layer *layer);
    size_t (*gradient_items)(const struct ff_layer *layer);
    size_t (*weight_items)(const struct ff_layer *layer);
    /* Before the first item of a TRAIN or FORWARD message: what all items share. */
    void (*prepare)(struct ff_layer *layer);
    /* Where prepare sets `meets`, activities need something of the whole batch: forward then leaves them out, meet
     * finds it, alone, and finish makes the activities. A dense first layer draws the pairs' wrong labels there,
     * which forward found every label's goodness for; a convolution takes the batch's mean and deviation. */
    void (*meet)(struct ff_layer *layer);
    void (*finish)(struct ff_layer *layer, size_t item, unsigned worker);
    /* Activities of all rows into the workspace's spare; the item's share of every row's and group's sum of
     * squares. */
    void (*forward)(struct ff_layer *layer, size_t item, unsigned worker);
    /* With peer normalization, once forward is done: the item's units' mean activities move on. */
    void (*peers)(struct ff_layer *layer, size_t item, unsigned worker);
    /* The weights' step from `coefficient`; then, with forward_after_update, forward again, else the rows divided
     * by their norm. Of the top layer's activities nothing more is made. */
    void (*gradient)(struct ff_layer *layer, size_t item, unsigned worker);
    /* Before the gradient, alone, once every row's coefficient is there; NULL: nothing. */
    void (*weigh)(struct ff_layer *layer);
    /* Where gradient items only leave shares of the gradient: their sum in order, and the optimizer's step, by
     * stretches of the weights. Gradient then does not go forward again. NULL: gradient did it all. */
    void (*apply)(struct ff_layer *layer, size_t item, unsigned worker);
    /* A kind may put the weights' step off (puts_off, set by prepare) until the next message, so that one pass over
     * the weights serves both. put_off keeps what the step needs; catch_up takes it, before anything else looks at
     * the weights. */
    void (*put_off)(struct ff_layer *layer);
    void (*catch_up)(struct ff_layer *layer);
    /* An item's share of the running average of the parameters moves towards them. */
    void (*average)(struct ff_layer *layer, size_t item, unsigned worker);
    /* The rows divided by their norm. */
    void (*normalize)(struct ff_layer *layer, size_t item, unsigned worker);
    void (*destroy)(struct ff_layer *layer);
};

struct ff_layer {
    const struct ff_layer_kind_methods *kind;
    const struct ff_plan *plan;
    struct ff_config config; /* the plan's, with the live settings as they are now */
    const struct ff_kernels *kernels;
    uint32_t index, inputs, units;
    struct ff_objective objective;
    uint32_t tensor_count;
    struct ff_tensor tensors[FF_TENSORS_MAX]; /* as ff_layer_tensor counts them */
    uint32_t panel, panels;                   /* columns of the tensors' panels, and how many panels there are */

    /* The tensors' data. Without a trained bias it is all zeros, and no tensor. The averages are what is evaluated
     * with: the weights and bias themselves where none are kept. */
    bool trains_bias;
    float *weights, *bias, *weight_state[2], *bias_state[2];
    float *average_weights, *average_bias;
    float *statistics[FF_STATISTICS_MAX];

    /* Of the message at hand. */
    struct ff_message *message;
    struct ff_workspace *workspace;
    struct ff_update update, bias_update;
    float approach; /* the share by which averages move towards the parameters after this step; 0: not now */
    bool meets;     /* see the kind's methods */
    bool puts_off;  /* its step; and `due`: that of the message before is still to be taken */
    bool due;
    double drop_units;   /* share of the units left out of the goodness; 0: none */
    size_t parts;        /* that a row's sums of squares come in: items, or 1 where an item has whole rows */
    float *partial;      /* [parts][max_rows][groups] sums of squares, of the units that count */
    float *whole;        /* [parts][max_rows] of all units, where some are left out */
    float *coefficient;  /* [max_rows][groups] dloss / d(sum of squares), over the number of images */
    float *inverse_norm; /* [max_rows] what a row is multiplied by before the next layer */
    float *peer_mean;    /* [units] their mean activity on positive data; NULL: a kind that does not keep it */
    float *peer_pull;    /* [units] what peer normalization adds to dloss / da of a positive row, over the images */
};

/* Layer `index` of the plan, with the first weights that its seed gives. NULL and `error` set when memory is short.
 */
struct ff_layer *ff_layer_create(const struct ff_plan *plan, uint32_t index, struct ff_error *error);

/* Floats of scratch a worker needs for this layer. */
size_t ff_layer_scratch(const struct ff_layer *layer);
/* Of its tensors, and of what it keeps of a batch. */
size_t ff_layer_bytes(const struct ff_layer *layer);
/* Floats that a layer keeps of a batch, before there is one. */
size_t ff_layer_kept(const struct ff_plan *plan, uint32_t layer);

/* One message in, the same message out. */
void ff_layer_handle(struct ff_layer *layer, struct ff_message *message, struct ff_workspace *workspace);

/* The way back of a TRAIN message with backpropagation: of all layers, top down. */
void ff_layer_back(struct ff_layer *layer, struct ff_message *message, struct ff_workspace *workspace);

void ff_layer_destroy(struct ff_layer *layer); /* NULL is fine */

/* --- for the kinds --- */

/* What all kinds fill in the same way, of a layer that is all zeros. */
void ff_layer_start(struct ff_layer *layer, const struct ff_layer_kind_methods *kind, const struct ff_plan *plan,
                    uint32_t index);
/* All its tensors, of zeros, kept by panels of `panel` columns. False: memory is short. */
bool ff_layer_make_tensors(struct ff_layer *layer, uint32_t panel);
/* The first weights, of a unit that has `outputs` outgoing ones. False: memory is short. */
bool ff_layer_draw_weights(struct ff_layer *layer, double outputs);
/* What a layer with goodness has of every row, its squares summed in so many parts. False: memory is short. */
bool ff_layer_make_rows(struct ff_layer *layer, size_t parts);
/* Frees all that those made. */
void ff_layer_end(struct ff_layer *layer);
/* Do items by the team, or, where that would cost more than it saves, by this thread alone. */
void ff_layer_run(struct ff_layer *layer, size_t items,
                  void (*item)(struct ff_layer *layer, size_t index, unsigned worker));
/* Where units are left out of the goodness: numbers of units `first` (a multiple of 8) to `first + count - 1` times
 * what of each counts, by the row's image: 0, or 1 / (1 - share), so that goodness is as large on average as
 * without. All of a neutral row's count. */
void ff_layer_mask_units(const struct ff_layer *layer, uint32_t row, uint32_t first, size_t count, float *numbers);
/* Some of what enters an upper layer is left out of every labelled row. */
void ff_layer_drop_inputs(struct ff_layer *layer);
/* The share by which averages move towards the parameters after the message's step; 0: not now. */
float ff_layer_average_share(const struct ff_layer *layer);
/* Whether anybody reads its activities: a layer above, or the read-out. */
bool ff_layer_is_read(const struct ff_layer *layer);
/* The activities in the workspace's spare become the message's x. */
void ff_layer_pass_on(struct ff_layer *layer);

/* --- layer_goodness.c --- */

/* The items' shares of every row's sum of squares, added in the items' order: goodness [rows][groups] (NULL: nobody
 * asks), and what the row is multiplied by before the next layer. False when one is not finite. */
bool ff_layer_sum_goodness(struct ff_layer *layer, float *goodness);
/* Every row's coefficient from its goodness, and the mean loss of the pairs, or images. */
void ff_layer_apply_objective(struct ff_layer *layer, const float *goodness, double *mean_loss);

/* --- layer_tensors.c --- */

/* The tensors of a layer, for whoever sends GETs and SETs: the parameters first (weights, then the bias if there is
 * one), then what the optimizer keeps of each, then their running averages where the configuration has them, then
 * the kind's statistics. */
uint32_t ff_layer_parameter_tensors(const struct ff_plan *plan, uint32_t layer);
uint32_t ff_layer_statistic_tensors(const struct ff_plan *plan, uint32_t layer);
uint32_t ff_layer_tensors(const struct ff_plan *plan, uint32_t layer);
struct ff_tensor_form ff_layer_tensor(const struct ff_plan *plan, uint32_t layer, uint32_t tensor);
/* The first of those that the network evaluates and predicts with: the averages, or 0, the parameters themselves.
 */
uint32_t ff_layer_judging_tensor(const struct ff_plan *plan, uint32_t layer);

#endif
