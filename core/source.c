#include "source.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "augment.h"
#include "dropout.h"
#include "hybrid.h"
#include "kernels.h"
#include "layer.h"
#include "random.h"

enum phase { TRAINING, JUDGING, TRAIN_ERROR, DIGEST };

struct ff_source {
    const struct ff_plan *plan;
    const struct ff_dataset *dataset;
    struct ff_pixel_map input;
    double drop_pixels;             /* a live setting, as it is now */
    struct ff_augmenter *augmenter; /* NULL: images are trained on as they are */
    uint32_t *order;                /* [train_images] of this epoch */

    /* What comes next. */
    uint32_t epoch; /* from 1; 0 before the first message */
    uint64_t step;  /* done */
    enum phase phase;
    uint32_t position;     /* images done in this phase */
    struct ff_range range; /* DIGEST: the next stretch */
};

struct ff_source *ff_source_create(const struct ff_plan *plan, const struct ff_dataset *dataset,
                                   struct ff_error *error)
{
    struct ff_source *source = calloc(1, sizeof *source);

    if (source == NULL || (source->order = malloc(plan->train_images * sizeof *source->order)) == NULL) {
        free(source);
        ff_fail_memory(error, "the order of the images");
        return NULL;
    }
    source->plan = plan;
    source->dataset = dataset;
    source->drop_pixels = plan->config.dropout.pixels;
    source->input = ff_input_make(plan, dataset);
    if (ff_augments(&plan->config.augment)) {
        source->augmenter = ff_augmenter_create(&plan->config.augment, dataset->shape, plan->config.seed, error);
        if (source->augmenter == NULL) {
            ff_source_destroy(source);
            return NULL;
        }
    }
    return source;
}

/* Image `index` of a split becomes message's image `image`; its pixels come later. */
static void name_image(struct ff_message *message, const struct ff_images *images, uint32_t index, uint32_t image)
{
    message->sample[image] = index;
    message->truth[image] = images->labels[index];
}

static const uint8_t *bytes_of(const struct ff_source *source, enum ff_split split, uint32_t index)
{
    return ff_dataset_split(source->dataset, split)->pixels + (size_t)index * source->plan->pixels;
}

/* Which row of an image it is that shows the pixels. */
enum { OF_IMAGE, OF_HYBRID };

static void drop_pixels(const struct ff_source *source, const struct ff_message *message, uint32_t image,
                        uint64_t which, float *x)
{
    if (source->drop_pixels > 0)
        ff_dropout(&(struct ff_dropout_place){source->plan->config.seed, FF_RANDOM_DROP_PIXELS, message->epoch,
                                              which << 32 | message->sample[image]},
                   source->drop_pixels, 1, source->plan->pixels, x);
}

/* Training image `index` as it is in this epoch, from 0 to 255. */
static void take_values(const struct ff_source *source, uint32_t epoch, uint32_t index, float *x)
{
    const uint8_t *bytes = bytes_of(source, FF_TRAIN_SPLIT, index);

    if (source->augmenter != NULL)
        ff_augment_image(source->augmenter, epoch, index, bytes, x);
    else
        ff_kernels()->pixels(x, bytes, 1, 0, source->plan->pixels);
}

/* An image and its hybrid with another, side by side. The mask lies behind all images. */
static void fill_hybrid(const struct ff_source *source, struct ff_message *message, uint32_t image)
{
    const struct ff_plan *plan = source->plan;
    struct ff_shape shape = source->dataset->shape;
    uint64_t seed = plan->config.seed;
    uint32_t index = message->sample[image], epoch = message->epoch;
    float *x = message->x + (size_t)2 * image * plan->pixels, *hybrid = x + plan->pixels;
    float *mask = message->x + ((size_t)2 * message->images + image) * plan->pixels;

    take_values(source, epoch, index, x);
    take_values(source, epoch, ff_hybrid_partner(seed, epoch, index, plan->train_images), hybrid);
    ff_hybrid_bits(seed, epoch, index, (size_t)shape.height * shape.width, mask);
    ff_hybrid_mask(mask, shape.height, shape.width, FF_HYBRID_BLURS);
    ff_hybrid_mix(shape, mask, x, hybrid);
    ff_input_values(source->input, plan, x);
    ff_input_values(source->input, plan, hybrid);
    drop_pixels(source, message, image, OF_IMAGE, x);
    drop_pixels(source, message, image, OF_HYBRID, hybrid);
}

void ff_source_fill(const struct ff_source *source, struct ff_message *message, uint32_t image)
{
    const struct ff_plan *plan = source->plan;
    float *x = message->x + (size_t)image * plan->pixels;

    if (message->kind == FF_TRAIN && plan->own_pixels) {
        fill_hybrid(source, message, image);
        return;
    }
    if (message->kind == FF_TRAIN && source->augmenter != NULL) {
        take_values(source, message->epoch, message->sample[image], x);
        ff_input_values(source->input, plan, x);
    } else {
        ff_input_bytes(source->input, plan, bytes_of(source, message->split, message->sample[image]), x);
    }
    if (message->kind == FF_TRAIN)
        drop_pixels(source, message, image, OF_IMAGE, x);
}

bool ff_source_augments(const struct ff_source *source)
{
    return source->augmenter != NULL || source->drop_pixels > 0 || source->plan->own_pixels;
}

static void start_message(struct ff_source *source, struct ff_message *message, enum ff_kind kind,
                          enum ff_ticket ticket)
{
    message->epoch = source->epoch;
    message->step = source->step;
    ff_message_start(message, source->plan, kind, ticket);
}

/* A wrong label, evenly out of all but the true one: by image and epoch, so that batches do not matter. */
static uint32_t wrong_label(const struct ff_source *source, uint32_t image, uint32_t truth)
{
    uint32_t classes = source->plan->classes;

    return (truth + 1 +
            ff_random_below(source->plan->config.seed, FF_RANDOM_NEGATIVE, source->epoch, image, classes - 1)) %
           classes;
}

static void fill_train(struct ff_source *source, struct ff_message *message)
{
    const struct ff_plan *plan = source->plan;
    uint32_t left = plan->train_images - source->position;
    uint32_t count = left < plan->config.batch_size ? left : plan->config.batch_size;

    source->step++;
    start_message(source, message, FF_TRAIN, FF_FOR_TRAINING);
    message->rate = ff_plan_rate(plan, message->step);
    message->rows_per_image = plan->rows_per_image;
    message->split = FF_TRAIN_SPLIT;
    for (; message->images < count; message->images++) {
        uint32_t index = source->order[source->position++], truth = source->dataset->train.labels[index];

        name_image(message, &source->dataset->train, index, message->images);
        ff_message_put_row(message, truth, FF_POSITIVE);
        if (plan->rows_per_image > 1)
            ff_message_put_row(message, wrong_label(source, index, truth), FF_NEGATIVE);
    }
    ff_message_put_neutral(message, plan);
    message->last = source->position == plan->train_images;
}

void ff_source_forward(struct ff_source *source, struct ff_message *message, enum ff_split split, uint32_t first,
                       uint32_t count)
{
    start_message(source, message, FF_FORWARD, FF_FOR_JUDGING);
    message->split = split;
    for (uint32_t image = 0; image < count; image++)
        name_image(message, ff_dataset_split(source->dataset, split), first + image, image);
    ff_message_put_forward(message, source->plan, count, source->plan->forward_rows);
}

void ff_source_request(struct ff_source *source, struct ff_message *message, const float *pixels, uint64_t request)
{
    start_message(source, message, FF_FORWARD, FF_FOR_REQUEST);
    message->request = request;
    message->sample[0] = message->truth[0] = 0;
    ff_input_pixels(source->input, source->plan, pixels, message->x);
    ff_message_put_forward(message, source->plan, 1, source->plan->question_rows);
}

static void fill_forward(struct ff_source *source, struct ff_message *message)
{
    const struct ff_plan *plan = source->plan;
    bool judging = source->phase == JUDGING, held_out = plan->config.evaluate_on == FF_EVALUATE_VALIDATION;
    uint32_t total = judging ? plan->judged_images : plan->train_error_images;
    uint32_t left = total - source->position, count = left < plan->forward_images ? left : plan->forward_images;
    uint32_t first = source->position + (judging && held_out ? plan->train_images : 0);

    ff_source_forward(source, message, judging && !held_out ? FF_TEST_SPLIT : FF_TRAIN_SPLIT, first, count);
    message->ticket = judging ? FF_FOR_JUDGING : FF_FOR_TRAIN_ERROR;
    source->position += count;
    message->last = source->position == total;
}

/* A message's range becomes the next stretch, as much as a message holds, and *range moves on: layer by layer,
 * through the parameters or, with `all`, through the optimizer's tensors too. False: that was the last. */
static bool take_range(const struct ff_plan *plan, struct ff_message *message, struct ff_range *range, bool all)
{
    struct ff_tensor_form form = ff_layer_tensor(plan, range->layer, range->tensor);
    uint32_t tensors = all ? ff_layer_tensors(plan, range->layer) : ff_layer_parameter_tensors(plan, range->layer);
    uint64_t left = (uint64_t)form.rows * form.columns - range->offset;

    range->count = left < plan->capacity ? left : plan->capacity;
    message->range = *range;
    range->offset += range->count;
    if (range->count < left)
        return true;
    range->offset = 0;
    if (++range->tensor < tensors)
        return true;
    range->tensor = 0;
    return ++range->layer < plan->blocks;
}

static void fill_digest(struct ff_source *source, struct ff_message *message)
{
    start_message(source, message, FF_GET, FF_FOR_DIGEST);
    message->last = message->closes_epoch = !take_range(source->plan, message, &source->range, false);
}

bool ff_source_tensors(struct ff_source *source, struct ff_message *message, enum ff_kind kind,
                       struct ff_range *range)
{
    start_message(source, message, kind, kind == FF_GET ? FF_FOR_SNAPSHOT : FF_FOR_RESTORING);
    message->last = !take_range(source->plan, message, range, true);
    return !message->last;
}

void ff_source_get(struct ff_source *source, struct ff_message *message, const struct ff_range *range,
                   uint64_t request)
{
    start_message(source, message, FF_GET, FF_FOR_REQUEST);
    message->range = *range;
    message->request = request;
}

void ff_source_settings(struct ff_source *source, struct ff_message *message, const struct ff_config *config)
{
    start_message(source, message, FF_SET, FF_FOR_SETTINGS);
    message->config = config;
    source->drop_pixels = config->dropout.pixels;
}

static bool is_judged(const struct ff_source *source)
{
    const struct ff_config *config = &source->plan->config;

    return source->epoch % config->evaluate_every == 0 || source->epoch == config->epochs;
}

static void start_epoch(struct ff_source *source)
{
    const struct ff_plan *plan = source->plan;

    source->epoch++;
    source->phase = TRAINING;
    source->position = 0;
    if (plan->config.shuffle) {
        ff_random_order(plan->config.seed, FF_RANDOM_ORDER, source->epoch, plan->train_images, source->order);
    } else {
        for (uint32_t i = 0; i < plan->train_images; i++)
            source->order[i] = i;
    }
}

/* What follows once `message` was the last of its phase. */
static void next_phase(struct ff_source *source)
{
    source->position = 0;
    source->range = (struct ff_range){0};
    if (source->phase == TRAINING)
        source->phase = is_judged(source) ? JUDGING : DIGEST;
    else if (source->phase == JUDGING)
        source->phase = TRAIN_ERROR;
    else if (source->phase == TRAIN_ERROR)
        source->phase = DIGEST;
}

bool ff_source_next(struct ff_source *source, struct ff_message *message)
{
    const struct ff_config *config = &source->plan->config;
    bool at_epoch_end = source->phase == DIGEST && source->range.layer == source->plan->blocks;

    if (source->epoch == 0 || at_epoch_end) {
        if (source->epoch == config->epochs)
            return false;
        start_epoch(source);
    }
    switch (source->phase) {
    case TRAINING:
        fill_train(source, message);
        break;
    case JUDGING:
    case TRAIN_ERROR:
        fill_forward(source, message);
        break;
    case DIGEST:
        fill_digest(source, message);
        return true;
    }
    if (message->last)
        next_phase(source);
    return true;
}

/* --- where it stands --- */

uint64_t ff_source_step(const struct ff_source *source)
{
    return source->step;
}

bool ff_source_between_windows(const struct ff_source *source)
{
    const struct ff_plan *plan = source->plan;

    return source->phase != TRAINING || source->epoch == 0 ||
           (source->step - (source->epoch - 1) * plan->steps_per_epoch) % plan->window == 0;
}

void ff_source_seek(struct ff_source *source, uint64_t step, uint32_t epochs)
{
    const struct ff_plan *plan = source->plan;
    uint64_t done = step - epochs * plan->steps_per_epoch, images = done * plan->config.batch_size;

    source->step = step;
    source->epoch = epochs;
    source->phase = DIGEST;
    source->range = (struct ff_range){.layer = plan->blocks};
    if (done == 0)
        return;
    start_epoch(source);
    source->position = images < plan->train_images ? (uint32_t)images : plan->train_images;
    if (done == plan->steps_per_epoch)
        next_phase(source);
}

struct ff_pixel_map ff_source_input(const struct ff_source *source)
{
    return source->input;
}

size_t ff_source_bytes(const struct ff_source *source)
{
    return source->plan->train_images * sizeof *source->order;
}

void ff_source_destroy(struct ff_source *source)
{
    if (source == NULL)
        return;
    ff_augmenter_destroy(source->augmenter);
    free(source->order);
    free(source);
}
