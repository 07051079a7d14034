/* one_stage.h - layers of a network on one stage, and the one message that goes through it: for tests of what
 * layers make of a message. */
#ifndef TESTS_ONE_STAGE_H
#define TESTS_ONE_STAGE_H

#include <string.h>

#include "../cmocka_all.h"
#include "layer.h"
#include "stage.h"

struct one_stage {
    struct ff_plan plan;
    struct ff_stage *stage;
    struct ff_pool *pool;
    struct ff_message *message;
};

/* `count` layers from `first` on; a read-out counts as one. */
static inline void one_stage_make(struct one_stage *one, const struct ff_config *config,
                                  const struct ff_dataset *dataset, uint32_t first, uint32_t count,
                                  uint32_t threads)
{
    struct ff_error error;

    ff_plan_make(&one->plan, config, dataset);
    one->stage = ff_stage_create(&one->plan, first, count, threads, &error);
    one->pool = ff_pool_create(&one->plan, 1, &error);
    assert_true(one->stage != NULL && one->pool != NULL);
    one->message = ff_pool_take(one->pool);
}

static inline void one_stage_destroy(struct one_stage *one)
{
    ff_pool_return(one->pool, one->message);
    ff_pool_destroy(one->pool);
    ff_stage_destroy(one->stage);
}

/* The message begins anew as a TRAIN message of step `step`, with so many images that are still to come. */
static inline struct ff_message *one_stage_start(struct one_stage *one, uint64_t step, uint32_t images)
{
    struct ff_message *message = one->message;

    ff_message_start(message, &one->plan, FF_TRAIN, FF_FOR_TRAINING);
    message->epoch = 1;
    message->step = step;
    message->rate = 1;
    message->images = images;
    message->rows_per_image = one->plan.rows_per_image;
    return message;
}

/* Image `image` has this label, and, with pairs, is shown with a wrong one too; after those before it. */
static inline void one_stage_put(struct one_stage *one, uint32_t image, uint32_t truth, uint32_t wrong)
{
    one->message->truth[image] = (uint16_t)truth;
    ff_message_put_row(one->message, truth, FF_POSITIVE);
    if (one->plan.rows_per_image == 2)
        ff_message_put_row(one->message, wrong, FF_NEGATIVE);
}

/* GET, or SET, all of a tensor, to or from `values`, which has room for `most`; returns how many floats. */
static inline size_t one_stage_move(struct one_stage *one, enum ff_kind kind, uint32_t layer, uint32_t tensor,
                                    float *values, size_t most)
{
    struct ff_tensor_form form = ff_layer_tensor(&one->plan, layer, tensor);
    size_t total = (size_t)form.rows * form.columns, count;
    struct ff_message *message = one->message;

    assert_true(total <= most);
    for (size_t at = 0; at < total; at += count) {
        count = total - at < one->plan.capacity ? total - at : one->plan.capacity;
        ff_message_start(message, &one->plan, kind, FF_FOR_REQUEST);
        message->range = (struct ff_range){.layer = layer, .tensor = tensor, .offset = at, .count = count};
        if (kind == FF_SET)
            memcpy(message->x, values + at, count * sizeof *values);
        ff_stage_handle(one->stage, message);
        if (kind == FF_GET)
            memcpy(values + at, message->x, count * sizeof *values);
    }
    return total;
}

#endif
