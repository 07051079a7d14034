#include "source.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "kernels.h"
#include "layer.h"
#include "random.h"

enum phase { TRAINING, JUDGING, TRAIN_ERROR, DIGEST };

struct ff_source {
    const struct ff_plan *plan;
    const struct ff_dataset *dataset;
    const struct ff_kernels *kernels;
    float pixel_scale, pixel_offset; /* a byte becomes byte * scale + offset */
    uint32_t *order;                 /* [train_images] of this epoch */

    /* What comes next. */
    uint32_t epoch; /* from 1; 0 before the first message */
    uint64_t step;  /* done */
    enum phase phase;
    uint32_t position;     /* images done in this phase */
    struct ff_range range; /* DIGEST: the next stretch */
};

/* A byte to a float: to 0..1, standardized over the images that are trained on, scaled. */
static void choose_pixels(struct ff_source *source)
{
    const struct ff_plan *plan = source->plan;
    double sum = 0, squares = 0, count = (double)plan->train_images * plan->pixels, mean = 0, deviation = 1;

    if (plan->config.input == FF_INPUT_STANDARDIZE) {
        uint64_t bytes[256] = {0};

        for (size_t i = 0; i < (size_t)plan->train_images * plan->pixels; i++)
            bytes[source->dataset->train.pixels[i]]++;
        for (int value = 0; value < 256; value++) {
            sum += (double)bytes[value] * value / 255;
            squares += (double)bytes[value] * value * value / (255.0 * 255.0);
        }
        mean = sum / count;
        deviation = sqrt(fmax(squares / count - mean * mean, 1e-12));
    }
    source->pixel_scale = (float)(plan->config.input_scale / (255 * deviation));
    source->pixel_offset = (float)(-mean / deviation * plan->config.input_scale);
}

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
    source->kernels = ff_kernels();
    choose_pixels(source);
    return source;
}

/* Divide an image's pixels by their root mean square, where the configuration says so. */
static void normalize_image(struct ff_source *source, float *x)
{
    const struct ff_plan *plan = source->plan;
    double norm;

    if (plan->config.input != FF_INPUT_RMS)
        return;
    norm = sqrt((double)source->kernels->dot(x, x, plan->pixels) / plan->pixels);
    source->kernels->scale(x, (float)(plan->config.input_scale / (norm + 1e-8)), plan->pixels);
}

/* Image `index` of a split as message's image `image`. */
static void put_image(struct ff_source *source, struct ff_message *message, const struct ff_images *images,
                      uint32_t index, uint32_t image)
{
    const struct ff_plan *plan = source->plan;
    float *x = message->x + (size_t)image * plan->pixels;

    source->kernels->pixels(x, images->pixels + (size_t)index * plan->pixels, source->pixel_scale,
                            source->pixel_offset, plan->pixels);
    normalize_image(source, x);
    message->sample[image] = index;
    message->truth[image] = images->labels[index];
}

static void start_message(struct ff_source *source, struct ff_message *message, enum ff_kind kind,
                          enum ff_ticket ticket)
{
    message->kind = kind;
    message->ticket = ticket;
    message->last = message->closes_epoch = false;
    message->epoch = source->epoch;
    message->step = source->step;
    message->images = message->rows = 0;
    message->width = source->plan->pixels;
    message->failed_layer = -1;
}

static void put_row(struct ff_message *message, uint32_t label, enum ff_role role)
{
    message->label[message->rows] = (uint16_t)label;
    message->role[message->rows] = (int8_t)role;
    message->rows++;
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
    for (; message->images < count; message->images++) {
        uint32_t index = source->order[source->position++], truth = source->dataset->train.labels[index];

        put_image(source, message, &source->dataset->train, index, message->images);
        put_row(message, truth, FF_POSITIVE);
        put_row(message, wrong_label(source, index, truth), FF_NEGATIVE);
    }
    message->last = source->position == plan->train_images;
}

void ff_source_forward(struct ff_source *source, struct ff_message *message, enum ff_split split, uint32_t first,
                       uint32_t count)
{
    const struct ff_plan *plan = source->plan;

    start_message(source, message, FF_FORWARD, FF_FOR_JUDGING);
    message->rows_per_image = plan->classes;
    for (; message->images < count; message->images++) {
        put_image(source, message, ff_dataset_split(source->dataset, split), first + message->images,
                  message->images);
        for (uint32_t label = 0; label < plan->classes; label++)
            put_row(message, label, FF_NEUTRAL);
    }
}

void ff_source_request(struct ff_source *source, struct ff_message *message, const float *pixels, uint64_t request)
{
    const struct ff_plan *plan = source->plan;

    start_message(source, message, FF_FORWARD, FF_FOR_REQUEST);
    message->request = request;
    message->rows_per_image = plan->classes;
    message->images = 1;
    message->sample[0] = message->truth[0] = 0;
    for (uint32_t i = 0; i < plan->pixels; i++)
        message->x[i] = pixels[i] * 255 * source->pixel_scale + source->pixel_offset;
    normalize_image(source, message->x);
    for (uint32_t label = 0; label < plan->classes; label++)
        put_row(message, label, FF_NEUTRAL);
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

/* The next stretch of the parameters: layer by layer, weights before bias, as much as a message holds. */
static void fill_digest(struct ff_source *source, struct ff_message *message)
{
    const struct ff_plan *plan = source->plan;
    struct ff_range *range = &source->range;
    uint64_t left = ff_layer_tensor_size(plan, range->layer, range->tensor) - range->offset;

    range->count = left < plan->capacity ? left : plan->capacity;
    start_message(source, message, FF_GET, FF_FOR_DIGEST);
    message->range = *range;
    range->offset += range->count;
    if (range->count < left)
        return;
    range->offset = 0;
    range->tensor++;
    if (range->tensor < ff_layer_parameter_tensors(plan))
        return;
    range->tensor = 0;
    range->layer++;
    message->last = message->closes_epoch = range->layer == plan->layers;
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
    bool at_epoch_end = source->phase == DIGEST && source->range.layer == source->plan->layers;

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

size_t ff_source_bytes(const struct ff_source *source)
{
    return source->plan->train_images * sizeof *source->order;
}

void ff_source_destroy(struct ff_source *source)
{
    if (source == NULL)
        return;
    free(source->order);
    free(source);
}
