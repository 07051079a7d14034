#include "plan.h"

#include <math.h>

enum { FORWARD_ROWS = 256 }; /* rows a FORWARD message: enough for BLAS, few enough for a core's cache */

static const double peer_momentum = 0.9;

static uint32_t at_most(uint32_t count, uint32_t limit)
{
    return limit != 0 && limit < count ? limit : count;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* What a read-out reads lies side by side, the lowest layer's first. */
static void plan_readout(struct ff_plan *plan)
{
    const struct ff_config *config = &plan->config;

    if (config->readout == FF_READOUT_NONE)
        return;
    for (uint32_t i = config->readout_from; i < plan->layers; i++) {
        plan->layer[i].read_at = plan->history;
        plan->history += plan->layer[i].width;
    }
    plan->layer[plan->blocks] = (struct ff_layer_plan){.kind = FF_READ_OUT,
                                                       .inputs = plan->history,
                                                       .entering = plan->history,
                                                       .units = plan->classes,
                                                       .width = plan->classes,
                                                       .planes = 1,
                                                       .bias = config->bias,
                                                       .products = (uint64_t)plan->history * plan->classes};
    plan->parameters += ((uint64_t)plan->history + config->bias) * plan->classes;
    plan->blocks++;
    plan->neutral_rows = config->rule == FF_PAIRS;
}

/* What enters a dense layer, counted as whoever looks at its weights does. */
static void plan_dense(const struct ff_plan *plan, struct ff_layer_plan *layer, bool first)
{
    const struct ff_shape *in = &layer->shape.in;

    layer->inputs = first ? plan->labels + plan->pixels - plan->covered_pixels : (uint32_t)ff_shape_size(*in);
    layer->planes = first || in->height * in->width == 1 ? 1 : in->channels;
}

static void plan_conv(const struct ff_layer_config *config, struct ff_layer_plan *layer, bool first)
{
    layer->inputs = config->kernel * config->kernel * layer->shape.in.channels;
    layer->planes = first ? 1 : layer->shape.in.channels; /* an image comes plane by plane */
}

static void plan_layers(struct ff_plan *plan, struct ff_shape image)
{
    const struct ff_config *config = &plan->config;
    struct ff_shape in = image;

    plan->layers = plan->blocks = config->layer_count;
    plan->parameters = 0;
    for (uint32_t i = 0; i < plan->layers; i++) {
        struct ff_layer_plan *layer = &plan->layer[i];

        layer->kind = config->layers[i].kind;
        ff_layer_shape_of(&config->layers[i], in, &layer->shape);
        layer->units = ff_layer_units(&config->layers[i]);
        if (layer->kind == FF_CONV)
            plan_conv(&config->layers[i], layer, i == 0);
        else
            plan_dense(plan, layer, i == 0);
        layer->entering = (uint32_t)ff_shape_size(in);
        layer->width = (uint32_t)ff_shape_size(layer->shape.out);
        /* A batch is normalized after pooling, and what is normalized is what counts. */
        layer->squares = config->batch_normalization ? layer->width : (uint32_t)ff_shape_size(layer->shape.map);
        layer->bias = config->bias && !config->batch_normalization; /* which takes any mean away */
        layer->products = (uint64_t)layer->inputs * ff_shape_size(layer->shape.map);
        plan->parameters += (uint64_t)layer->inputs * layer->units + (layer->bias ? layer->units : 0);
        in = layer->shape.out;
        if (config->rule == FF_BACKPROP)
            layer->kind = FF_BACK;
    }
    plan_readout(plan);
}

static void plan_images(struct ff_plan *plan, const struct ff_dataset *dataset)
{
    const struct ff_config *config = &plan->config;
    uint32_t judged = config->evaluate_on == FF_EVALUATE_TEST ? at_most(dataset->test.count, config->test_limit)
                                                              : config->validation;

    plan->train_images = at_most(dataset->train.count, config->train_limit) - config->validation;
    plan->judged_images = at_most(judged, config->evaluate_samples);
    plan->train_error_images = at_most(plan->train_images, config->train_error_samples);
    plan->rows_per_image = config->rule == FF_PAIRS || config->rule == FF_UNSUPERVISED ? 2 : 1;
    plan->question_rows = plan->labels > 0 ? plan->labels : 1;
    plan->forward_rows = config->predict == FF_PREDICT_READOUT ? 1 : plan->question_rows;
}

static void plan_messages(struct ff_plan *plan)
{
    uint32_t batch = at_most(plan->train_images, plan->config.batch_size), widest = 0;
    uint32_t trained = batch * (plan->rows_per_image + plan->neutral_rows);
    uint32_t judged = plan->forward_rows + (plan->neutral_rows && plan->forward_rows > 1);
    size_t activities, images;

    plan->train_rows = trained;
    plan->forward_images = larger(1, larger(FORWARD_ROWS, batch * plan->rows_per_image) / judged);
    plan->max_images = larger(batch, plan->forward_images);
    plan->max_rows =
        larger(larger(trained, plan->forward_images * judged), plan->question_rows + plan->neutral_rows);
    for (uint32_t i = 0; i < plan->layers; i++)
        widest = larger(widest, plan->layer[i].width);
    activities = (size_t)plan->max_rows * widest;
    images = (size_t)plan->max_images * plan->pixels * (plan->own_pixels ? FF_OWN_IMAGES : 1);
    plan->capacity = activities > images ? activities : images;
    for (uint32_t i = 0; i < plan->layers; i++) /* a unit's incoming weights, for whoever asks */
        plan->capacity = plan->capacity > plan->layer[i].inputs ? plan->capacity : plan->layer[i].inputs;
}

void ff_plan_make(struct ff_plan *plan, const struct ff_config *config, const struct ff_dataset *dataset)
{
    *plan = (struct ff_plan){.config = *config, .classes = dataset->classes, .peer_momentum = peer_momentum};
    plan->pixels = (uint32_t)ff_shape_size(dataset->shape);
    plan->groups = config->rule == FF_CLASS_GROUPS ? plan->classes : 1;
    plan->labels = config->rule == FF_PAIRS ? plan->classes : 0;
    plan->own_pixels = config->rule == FF_UNSUPERVISED;
    plan->covered_pixels = config->label == FF_LABEL_OVERLAY ? plan->labels : 0;
    plan_layers(plan, dataset->shape);
    plan_images(plan, dataset);
    plan_messages(plan);
    plan->steps_per_epoch = (plan->train_images + config->batch_size - 1) / config->batch_size;
    plan->steps = plan->steps_per_epoch * config->epochs;
    plan->window = ff_window_steps(plan->steps_per_epoch, plan->steps);
}

void ff_plan_make_sizes(struct ff_plan *plan, const struct ff_config *config, struct ff_shape shape,
                        uint32_t classes)
{
    struct ff_dataset one_image = {.shape = shape, .classes = classes, .train = {.count = 1}, .test = {.count = 1}};
    struct ff_config still = *config;

    still.batch_size = 1;
    still.train_limit = still.test_limit = still.validation = 0;
    ff_plan_make(plan, &still, &one_image);
}

bool ff_plan_reads_out(const struct ff_plan *plan)
{
    return plan->config.rule == FF_BACKPROP || plan->config.predict == FF_PREDICT_READOUT ||
           plan->config.predict == FF_PREDICT_READOUT_AND_GOODNESS;
}

bool ff_plan_sums_goodness(const struct ff_plan *plan)
{
    return plan->config.rule != FF_BACKPROP && plan->config.predict != FF_PREDICT_READOUT;
}

/* Rounded down, so that an epoch of 100 steps or more has at least 100 points. */
uint64_t ff_window_steps(uint64_t steps_per_epoch, uint64_t steps)
{
    uint64_t window = steps_per_epoch / 100, least = (steps + 99999) / 100000;

    if (window < least)
        window = least;
    return window < 1 ? 1 : window;
}

double ff_plan_rate(const struct ff_plan *plan, uint64_t step)
{
    double done = (double)(step - 1) / (double)plan->steps, warmup = plan->config.warmup, left;

    if (done < warmup) /* from the first step's share up to 1 */
        return fmin(1, (double)step / (warmup * (double)plan->steps));
    left = (1 - done) / (1 - warmup);
    switch (plan->config.schedule) {
    case FF_SCHEDULE_LINEAR:
        return left;
    case FF_SCHEDULE_COSINE:
        return 0.5 * (1 - cos(M_PI * left));
    case FF_SCHEDULE_HALF:
        return done < 0.5 ? 1 : 2 * (1 - done);
    case FF_SCHEDULE_CONSTANT:
        break;
    }
    return 1;
}
