/* message.h - what flows through the line, and the pool it comes from and returns to.
 *
 * The pool owns messages and their buffers; a message has one holder at a time: the source fills it, each stage
 * works on it and passes it on, the sink returns it. Nothing is allocated after the pool is made.
 *
 * Rows. Row r shows image r / rows_per_image with a label and a role. The rows of one image are adjacent: in
 * training with pairs its positive row, then its negative; in a FORWARD message of pairs a row for every label.
 * With class groups an image has one row. Behind the rows of all images stands, for a read-out of pairs, a neutral
 * row of each, which shows every label a little; where the read-out alone predicts, an image has no other. Rows of
 * an image share its pixels, except where there are no labels: then a hybrid image is the negative row. */
#ifndef FF_MESSAGE_H
#define FF_MESSAGE_H

#include <stdbool.h>

#include "plan.h"

enum ff_kind {
    FF_TRAIN,   /* a layer takes its local step */
    FF_FORWARD, /* its forward pass, no change */
    FF_GET,     /* copies `range` of one of its tensors into x */
    FF_SET,     /* copies x into `range` of one of its tensors; or takes the live settings of `config` */
    FF_STOP     /* nothing more comes */
};

enum ff_role { FF_NEGATIVE = -1, FF_NEUTRAL = 0, FF_POSITIVE = 1 };

/* The neutral label: of every class its share. */
enum { FF_EVERY_LABEL = 0xffff };

/* Who asked, so that the sink knows what an answer is for. */
enum ff_ticket {
    FF_FOR_TRAINING,
    FF_FOR_JUDGING,
    FF_FOR_TRAIN_ERROR,
    FF_FOR_DIGEST,
    FF_FOR_SNAPSHOT,
    FF_FOR_RESTORING,
    FF_FOR_SETTINGS,
    FF_FOR_REQUEST
};

struct ff_range {
    uint32_t layer, tensor; /* tensor: as ff_layer_tensor counts them */
    uint64_t offset, count; /* floats of [rows][columns]; count at most the message's capacity */
    bool by_columns;        /* GET: offset and count are columns, and x becomes [count][rows] */
};

/* When a layer was at work: nanoseconds of the monotonic clock. */
struct ff_busy {
    uint64_t begin, end;
};

struct ff_message {
    enum ff_kind kind;
    enum ff_ticket ticket;
    uint64_t request;  /* FF_FOR_REQUEST: which */
    bool last;         /* of its ticket in this epoch */
    bool closes_epoch; /* nothing more comes of this epoch */
    uint32_t epoch;    /* from 1 */
    uint64_t step;     /* from 1; of other kinds than TRAIN: the steps done before it */
    double rate;       /* TRAIN: the schedule's factor of the learning rate */
    uint32_t images, rows, rows_per_image;
    uint32_t neutral;    /* of the rows: those at the end, one an image; or 0 */
    enum ff_split split; /* of the images */
    uint32_t *sample;    /* [images] index in its split */
    uint16_t *truth;     /* [images] true label */
    uint16_t *label;     /* [rows] label shown */
    int8_t *role;        /* [rows] enum ff_role */
    uint32_t width;      /* floats a row of x: pixels, then units of the layer it has passed */
    float *x;        /* [images][pixels], or [rows][pixels]; after layer 0 [rows][width]; GET, SET: the payload */
    float *history;  /* [images][plan's history] the read-out's input */
    float *scores;   /* [images][classes] its logits, or those of backpropagation's top layer */
    float *goodness; /* [layers][max_rows][groups] */
    double *loss;    /* [blocks] mean per pair, or image */
    struct ff_busy *busy; /* [blocks] */
    struct ff_range range;
    const struct ff_config *config; /* SET for settings: of all layers. Lives as long as the run */
    int32_t failed_layer; /* whose goodness is not finite; -1: none. Layers pass such a message on untouched */
    uint64_t wire;        /* bytes that ranks have sent to each other of it so far (packet.h) */
};

/* A message without images yet, at the step and epoch that it already has. */
void ff_message_start(struct ff_message *message, const struct ff_plan *plan, enum ff_kind kind,
                      enum ff_ticket ticket);
void ff_message_put_row(struct ff_message *message, uint32_t label, enum ff_role role);
/* A neutral row for each of the message's images, behind the others, where the plan has them. */
void ff_message_put_neutral(struct ff_message *message, const struct ff_plan *plan);
/* The rows of a FORWARD message of `images` images, as many an image as `rows`: the plan's forward_rows, or its
 * question_rows. Pixels, sample and truth are the caller's. */
void ff_message_put_forward(struct ff_message *message, const struct ff_plan *plan, uint32_t images, uint32_t rows);

/* Rows but the neutral ones: those that are trained on. */
static inline uint32_t ff_message_labelled(const struct ff_message *message)
{
    return message->rows - message->neutral;
}

/* The image that a row shows; and the row of an image that a read-out reads. */
static inline uint32_t ff_message_image(const struct ff_message *message, uint32_t row)
{
    uint32_t labelled = ff_message_labelled(message);

    return row < labelled ? row / message->rows_per_image : row - labelled;
}

static inline uint32_t ff_message_read_row(const struct ff_message *message, uint32_t image)
{
    return message->neutral > 0 ? ff_message_labelled(message) + image : image * message->rows_per_image;
}

/* What a layer found: the goodness of a row and of those that follow it, [rows][groups]. */
static inline float *ff_message_goodness(const struct ff_message *message, const struct ff_plan *plan,
                                         uint32_t layer, uint32_t row)
{
    return message->goodness + ((size_t)layer * plan->max_rows + row) * plan->groups;
}

struct ff_pool;

/* Floats that a message of the plan holds. */
size_t ff_message_floats(const struct ff_plan *plan);

/* `count` messages of the plan's size. */
struct ff_pool *ff_pool_create(const struct ff_plan *plan, uint32_t count, struct ff_error *error);
bool ff_pool_ready(struct ff_pool *pool); /* whether one can be taken without waiting, at this moment */
struct ff_message *ff_pool_take(struct ff_pool *pool); /* waits while all are under way */
void ff_pool_return(struct ff_pool *pool, struct ff_message *message);
void ff_pool_wait_all(struct ff_pool *pool); /* until every message has been returned */
size_t ff_pool_bytes(const struct ff_pool *pool);
void ff_pool_destroy(struct ff_pool *pool); /* NULL is fine */

/* One aligned array of floats, or NULL; free() it. */
float *ff_floats(size_t count);

#endif
