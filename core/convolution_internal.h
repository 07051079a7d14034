/* convolution_internal.h - what the files of the convolutional layer share.
 *
 *     convolution.c            a layer's life: its tensors, how the work is cut
 *     convolution_forward.c    from what enters to activities and goodness, and to what leaves
 *     convolution_gradient.c   from the coefficients of the goodness to the weights' step */
#ifndef FF_CONVOLUTION_INTERNAL_H
#define FF_CONVOLUTION_INTERNAL_H

#include "convolution.h"
#include "normalization.h"
#include "patches.h"

enum { FF_CONVOLUTION_STRETCH = 1 << 14 /* weights whose gradient is summed and applied at once */ };

struct ff_convolution {
    struct ff_layer layer;
    const struct ff_layer_plan *plan;
    struct ff_patches patches;
    bool pools, normalizes;
    uint32_t places, looked, pooled; /* of a row that z is kept at; where the kernel looks; that leave */
    uint32_t tile;                   /* rows that are multiplied at once */
    uint32_t gradient_shares;        /* at most */

    /* Of a TRAIN message. */
    float *kept;           /* z: [train_rows][places][channels] */
    uint8_t *which;        /* batch normalization and pooling: the largest of four, as kept */
    float *tile_sums;      /* batch normalization: [tiles][2][channels] mean, and squares around it */
    float *slopes, *tilts; /* batch normalization: [train_rows][channels], see ff_column_sums */
    float *gradient;       /* [gradient_shares][weights, then bias] */

    /* Where there is no normalization: the shift is minus the bias, the scale 1, pull and tilt 0. */
    struct ff_normalization normalization;
};

/* Rows [begin, begin + count) of the message. */
struct ff_convolution_rows {
    uint32_t begin, count;
};

/* A worker's scratch. */
struct ff_convolution_scratch {
    float *patches; /* [tile][looked][inputs], or of an image of planes [inputs][tile * looked] */
    float *map;     /* [tile][looked][channels] */
    float *line;    /* [columns looked at][channels] */
    float *image;   /* an image with a label over it */
    float *stretch; /* [FF_CONVOLUTION_STRETCH] */
    float *units;   /* [4][channels] */
};

struct ff_convolution_scratch ff_convolution_cut_scratch(const struct ff_convolution *conv, float *memory);
uint32_t ff_convolution_tiles(const struct ff_convolution *conv, uint32_t rows);
/* The tile of an item of the way forward; the next tile of rows [begin, end). */
struct ff_convolution_rows ff_convolution_item(const struct ff_convolution *conv, size_t item);
struct ff_convolution_rows ff_convolution_tile(const struct ff_convolution *conv, uint32_t begin, uint32_t end);
/* Rows of a share of the gradient at this message; how many shares that makes. */
uint32_t ff_convolution_share_rows(const struct ff_convolution *conv);
uint32_t ff_convolution_shares(const struct ff_convolution *conv);
size_t ff_convolution_weights(const struct ff_convolution *conv);

/* --- convolution_forward.c: see layer.h's methods --- */

void ff_convolution_prepare(struct ff_layer *layer);
void ff_convolution_forward(struct ff_layer *layer, size_t item, unsigned worker);
void ff_convolution_meet(struct ff_layer *layer);
void ff_convolution_finish(struct ff_layer *layer, size_t item, unsigned worker);
void ff_convolution_normalize(struct ff_layer *layer, size_t item, unsigned worker);
/* What the kernel sees of some rows, into scratch.patches. */
void ff_convolution_lay_out(const struct ff_convolution *conv, struct ff_convolution_rows rows,
                            struct ff_convolution_scratch scratch);
void ff_convolution_normalize_rows(struct ff_convolution *conv, struct ff_convolution_rows rows);

/* --- convolution_gradient.c: see layer.h's methods --- */

void ff_convolution_weigh(struct ff_layer *layer);
void ff_convolution_gradient(struct ff_layer *layer, size_t item, unsigned worker);
void ff_convolution_apply(struct ff_layer *layer, size_t item, unsigned worker);

#endif
