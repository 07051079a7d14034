/* config_check.c - whether the fields of a configuration fit each other, and the data set. */
#include <stdarg.h>
#include <stdio.h>

#include "config_table.h"

void ff_check_fail(const struct checking *checking, const char *place, const char *format, ...)
{
    char pointer[160];
    va_list arguments;

    snprintf(pointer, sizeof pointer, "%.60s/%s", checking->pointer, place);
    va_start(arguments, format);
    ff_problem_add_list(checking->problems, pointer, format, arguments);
    va_end(arguments);
}

/* Settings that are one a layer. */
static void check_counts(const struct checking *checking)
{
    const struct ff_config *config = checking->config;

    for (size_t i = 0; i < FF_SETTINGS; i++) {
        const struct ff_per_layer *numbers = (const void *)((const char *)config + ff_settings[i].offset);

        if (ff_settings[i].type == PER_LAYER && numbers->count != 1 && numbers->count != config->layer_count)
            ff_check_fail(checking, ff_settings[i].name, "has %u values for %u layers; give one, or one a layer",
                          numbers->count, config->layer_count);
    }
}

/* A setting that names a layer. */
static void check_index(const struct checking *checking, const char *name, uint32_t layer)
{
    if (layer >= checking->config->layer_count)
        ff_check_fail(checking, name, "must be below the number of layers, %u, since layers count from 0",
                      checking->config->layer_count);
}

/* Whether there is a read-out where one is asked for, and it has something to read. */
static void check_readout(const struct checking *checking)
{
    const struct ff_config *config = checking->config;
    bool asked = config->predict == FF_PREDICT_READOUT || config->predict == FF_PREDICT_READOUT_AND_GOODNESS;

    if (asked && config->readout == FF_READOUT_NONE)
        ff_check_fail(checking, "predict", "needs a read-out, which a run has with \"readout\": \"softmax\"");
    if (config->readout != FF_READOUT_NONE)
        check_index(checking, "readout_from", config->readout_from);
    if (config->rule == FF_UNSUPERVISED && config->predict != FF_PREDICT_READOUT)
        ff_check_fail(checking, "predict",
                      "an unsupervised network is shown no labels, and so its goodness says nothing of them; set "
                      "\"readout\": \"softmax\" and \"predict\": \"readout\"");
}

static void check_normalization(const struct checking *checking)
{
    const struct ff_config *config = checking->config;

    if (!config->batch_normalization)
        return;
    if (config->batch_size < 2)
        ff_check_fail(checking, "batch_size", "batch_normalization needs at least 2 images a step");
    if (config->forward_after_update)
        ff_check_fail(checking, "forward_after_update",
                      "cannot be with batch_normalization: leave one of them false");
    if (config->rule == FF_PAIRS && config->negatives == FF_NEGATIVES_HARD)
        ff_check_fail(checking, "negatives",
                      "\"hard\" ones are drawn before the batch that batch_normalization goes by is whole; use "
                      "\"random\"");
}

/* Peer normalization is a dense layer's, and its gradient goes straight through the activation. */
static void check_peers(const struct checking *checking)
{
    const struct ff_config *config = checking->config;
    bool convolves = false;

    for (uint32_t i = 0; i < config->layer_count; i++)
        convolves |= config->layers[i].kind == FF_CONV;
    if (config->peer_normalization > 0 && (convolves || config->batch_normalization))
        ff_check_fail(checking, "peer_normalization",
                      "is for dense layers without batch_normalization; leave it at 0");
}

/* Backpropagation's layers are the plain ones: what has to do with goodness makes no sense there. */
static void check_backprop(const struct checking *checking)
{
    const struct ff_config *config = checking->config;
    const struct {
        const char *name, *sentence;
        bool wrong;
    } rules[] = {
        {"normalize", "backprop has no normalization between layers; set \"none\"",
         config->normalize != FF_NORMALIZE_NONE},
        {"batch_normalization", "not with backprop; set false", config->batch_normalization},
        {"forward_after_update", "backprop updates all layers after the whole pass; set false",
         config->forward_after_update},
        {"readout", "backprop's last layer is a softmax already; set \"none\"", config->readout != FF_READOUT_NONE},
        {"peer_normalization", "backprop trains no goodness; set 0", config->peer_normalization > 0},
        {"dropout/units", "backprop trains no goodness that units could be left out of; set 0, and use inputs",
         config->dropout.units > 0},
    };

    if (config->rule != FF_BACKPROP)
        return;
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        if (rules[i].wrong)
            ff_check_fail(checking, rules[i].name, "%s", rules[i].sentence);
    }
    for (uint32_t i = 0; i < config->layer_count; i++) {
        char place[32];

        snprintf(place, sizeof place, "layers/%u", i);
        if (config->layers[i].kind != FF_DENSE)
            ff_check_fail(checking, place, "backprop trains dense layers only; give a number of units");
    }
}

/* With backpropagation, the top layer against the number of classes. */
static void check_top(const struct checking *checking)
{
    uint32_t top = checking->config->layer_count - 1, classes = checking->dataset->classes;
    const struct ff_layer_config *layer = &checking->config->layers[top];
    char place[32];

    if (checking->config->rule != FF_BACKPROP || layer->kind != FF_DENSE || layer->units == classes)
        return;
    snprintf(place, sizeof place, "layers/%u", top);
    ff_check_fail(checking, place,
                  "backprop's last layer has a unit a class: %u, got %u; append %u to the layers below it", classes,
                  layer->units, classes);
}

static void check_data(const struct checking *checking)
{
    const struct ff_config *config = checking->config;
    const struct ff_dataset *dataset = checking->dataset;
    uint32_t train = dataset->train.count;

    if (config->train_limit != 0 && config->train_limit < train)
        train = config->train_limit;
    if (config->validation >= train)
        ff_check_fail(checking, "validation", "must leave at least one training image of %u, got %u", train,
                      config->validation);
    else if (config->rule == FF_UNSUPERVISED && train - config->validation < 2)
        ff_check_fail(checking, "rule", "\"unsupervised\" mixes two images: train on at least 2");
    check_top(checking);
    if (config->augment.elastic > 0 &&
        (dataset->shape.height > FF_BENT_SIDE_MAX || dataset->shape.width > FF_BENT_SIDE_MAX))
        ff_check_fail(checking, "augment",
                      "elastic needs images of at most %d pixels a side, and these have %u x %u", FF_BENT_SIDE_MAX,
                      dataset->shape.height, dataset->shape.width);
    if (config->label == FF_LABEL_OVERLAY && config->rule == FF_PAIRS &&
        ff_shape_size(dataset->shape) <= dataset->classes)
        ff_check_fail(checking, "label", "\"overlay\" needs more pixels than classes: %zu and %u; use \"prepend\"",
                      ff_shape_size(dataset->shape), dataset->classes);
}

bool ff_config_check(const struct ff_config *config, const struct ff_dataset *dataset, const char *pointer,
                     struct ff_problems *problems)
{
    const struct checking checking = {config, dataset, pointer, problems};
    size_t before = problems->count;

    check_counts(&checking);
    check_index(&checking, "predict_from", config->predict_from);
    check_readout(&checking);
    ff_check_layers(&checking);
    check_normalization(&checking);
    check_peers(&checking);
    check_backprop(&checking);
    if (config->evaluate_on == FF_EVALUATE_VALIDATION && config->validation == 0)
        ff_check_fail(&checking, "evaluate_on", "\"validation\" needs held-out images; set validation above 0");
    if (dataset != NULL)
        check_data(&checking);
    return problems->count == before;
}
