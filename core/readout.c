#include "readout.h"

#include <math.h>
#include <stdlib.h>

#include "linear.h"
#include "optimizer.h"

double ff_softmax_loss(const struct ff_message *message, const struct ff_config *config, uint32_t classes,
                       float *delta)
{
    const struct ff_objective plain = {.temperature = 1};
    double sum = 0, derivative[FF_CLASSES_MAX];

    for (uint32_t image = 0; image < message->images; image++) {
        const float *scores = message->scores + (size_t)image * classes;

        sum += ff_objective_groups(&plain, scores, classes, message->truth[image], config->label_smoothing,
                                   derivative);
        for (uint32_t label = 0; label < classes; label++)
            delta[(size_t)image * classes + label] = (float)(derivative[label] / message->images);
    }
    return sum / message->images;
}

/* The scores of all images; false, and the message is marked, when one is not finite. */
static bool score(struct ff_linear *linear)
{
    struct ff_message *message = linear->layer.message;
    size_t count = (size_t)message->images * linear->layer.units;
    bool finite = true;

    linear->rows = message->images;
    linear->x = message->history;
    linear->z = message->scores;
    ff_linear_forward(linear);
    for (uint32_t image = 0; image < message->images; image++)
        linear->layer.kernels->add(message->scores + (size_t)image * linear->layer.units, ff_linear_bias(linear),
                                   linear->layer.units);
    for (size_t i = 0; i < count; i++)
        finite &= isfinite(message->scores[i]) != 0;
    if (!finite)
        message->failed_layer = (int32_t)linear->layer.index;
    return finite;
}

static void train(struct ff_layer *layer)
{
    struct ff_linear *linear = (struct ff_linear *)layer;
    struct ff_message *message = layer->message;

    layer->update =
        ff_optimizer_update_at(&layer->config, layer->config.readout_learning_rate * message->rate, message->step);
    layer->bias_update = layer->update;
    layer->bias_update.keep = 1;
    if (!score(linear))
        return;
    message->loss[layer->index] = ff_softmax_loss(message, &layer->config, layer->units, linear->delta);
    ff_linear_step(linear);
}

static void pass(struct ff_layer *layer)
{
    score((struct ff_linear *)layer);
}

static void destroy(struct ff_layer *layer)
{
    struct ff_linear *readout = (struct ff_linear *)layer;

    ff_layer_end(layer);
    free(readout->delta);
    free(readout);
}

/* dloss / dz. */
static size_t kept(const struct ff_plan *plan, uint32_t layer)
{
    (void)layer;
    return (size_t)plan->max_images * plan->classes;
}

static struct ff_layer *create(const struct ff_plan *plan, uint32_t index, struct ff_error *error)
{
    struct ff_linear *readout = calloc(1, sizeof *readout);

    if (readout == NULL) {
        ff_fail_memory(error, "a read-out");
        return NULL;
    }
    ff_layer_start(&readout->layer, &ff_readout_methods, plan, index);
    readout->delta = ff_floats(kept(plan, index));
    if (!ff_layer_make_tensors(&readout->layer, ff_panel_width(plan->classes)) || readout->delta == NULL) {
        ff_fail_memory(error, "a read-out's weights");
        destroy(&readout->layer);
        return NULL;
    }
    return &readout->layer;
}

const struct ff_layer_kind_methods ff_readout_methods = {
    .kept = kept, .create = create, .scratch = ff_linear_scratch, .train = train, .pass = pass, .destroy = destroy};
