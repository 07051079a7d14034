/* config_check.c - whether the fields of a configuration fit each other, and the data set. */
#include <stdio.h>

#include "config_table.h"

static void check_problem(struct ff_problems *problems, const char *pointer, const char *name, const char *sentence)
{
    char place[160];

    snprintf(place, sizeof place, "%s/%s", pointer, name);
    ff_problem_add(problems, place, "%s", sentence);
}

static void check_layers(const struct ff_config *config, const char *pointer, struct ff_problems *problems)
{
    char sentence[160];

    for (size_t i = 0; i < FF_SETTINGS; i++) {
        const struct ff_per_layer *numbers = (const void *)((const char *)config + ff_settings[i].offset);

        if (ff_settings[i].type != PER_LAYER || numbers->count == 1 || numbers->count == config->layer_count)
            continue;
        snprintf(sentence, sizeof sentence, "has %u values for %u layers; give one, or one a layer", numbers->count,
                 config->layer_count);
        check_problem(problems, pointer, ff_settings[i].name, sentence);
    }
    if (config->predict_from >= config->layer_count) {
        snprintf(sentence, sizeof sentence, "must be below the number of layers, %u, since layers count from 0",
                 config->layer_count);
        check_problem(problems, pointer, "predict_from", sentence);
    }
}

/* Whether there is a read-out where one is asked for, and it has something to read. */
static void check_readout(const struct ff_config *config, const char *pointer, struct ff_problems *problems)
{
    bool asked = config->predict == FF_PREDICT_READOUT || config->predict == FF_PREDICT_READOUT_AND_GOODNESS;
    char sentence[160];

    if (asked && config->readout == FF_READOUT_NONE)
        check_problem(problems, pointer, "predict",
                      "needs a read-out, which a run has with \"readout\": \"softmax\"");
    if (config->readout != FF_READOUT_NONE && config->readout_from >= config->layer_count) {
        snprintf(sentence, sizeof sentence, "must be below the number of layers, %u, since layers count from 0",
                 config->layer_count);
        check_problem(problems, pointer, "readout_from", sentence);
    }
    if (config->rule == FF_UNSUPERVISED && config->predict != FF_PREDICT_READOUT)
        check_problem(problems, pointer, "predict",
                      "an unsupervised network is shown no labels, and so its goodness says nothing of them; set "
                      "\"readout\": \"softmax\" and \"predict\": \"readout\"");
}

static void check_normalization(const struct ff_config *config, const char *pointer, struct ff_problems *problems)
{
    if (!config->batch_normalization)
        return;
    if (config->batch_size < 2)
        check_problem(problems, pointer, "batch_size", "batch_normalization needs at least 2 images a step");
    if (config->forward_after_update)
        check_problem(problems, pointer, "forward_after_update",
                      "cannot be with batch_normalization: leave one of them false");
    if (config->rule == FF_PAIRS && config->negatives == FF_NEGATIVES_HARD)
        check_problem(problems, pointer, "negatives",
                      "\"hard\" ones are drawn before the batch that batch_normalization goes by is whole; use "
                      "\"random\"");
}

/* Peer normalization is a dense layer's, and its gradient goes straight through the activation. */
static void check_peers(const struct ff_config *config, const char *pointer, struct ff_problems *problems)
{
    bool convolves = false;

    for (uint32_t i = 0; i < config->layer_count; i++)
        convolves |= config->layers[i].kind == FF_CONV;
    if (config->peer_normalization > 0 && (convolves || config->batch_normalization))
        check_problem(problems, pointer, "peer_normalization",
                      "is for dense layers without batch_normalization; leave it at 0");
}

/* Backpropagation's layers are the plain ones: what has to do with goodness makes no sense there. */
static void check_backprop(const struct ff_config *config, const char *pointer, struct ff_problems *problems)
{
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
            check_problem(problems, pointer, rules[i].name, rules[i].sentence);
    }
    for (uint32_t i = 0; i < config->layer_count; i++) {
        char place[32];

        snprintf(place, sizeof place, "layers/%u", i);
        if (config->layers[i].kind != FF_DENSE)
            check_problem(problems, pointer, place, "backprop trains dense layers only; give a number of units");
    }
}

/* The layers against the number of classes. */
static void check_units(const struct ff_config *config, uint32_t classes, const char *pointer,
                        struct ff_problems *problems)
{
    const struct ff_layer_config *last = &config->layers[config->layer_count - 1];
    char sentence[160], place[32];

    if (config->rule != FF_BACKPROP || last->kind != FF_DENSE || last->units == classes)
        return;
    snprintf(place, sizeof place, "layers/%u", config->layer_count - 1);
    snprintf(sentence, sizeof sentence,
             "backprop's last layer has a unit a class: %u, got %u; append %u to the layers below it", classes,
             last->units, classes);
    check_problem(problems, pointer, place, sentence);
}

static void check_data(const struct ff_config *config, const struct ff_dataset *dataset, const char *pointer,
                       struct ff_problems *problems)
{
    uint32_t train = dataset->train.count;
    char sentence[160];

    if (config->train_limit != 0 && config->train_limit < train)
        train = config->train_limit;
    if (config->validation >= train) {
        snprintf(sentence, sizeof sentence, "must leave at least one training image of %u, got %u", train,
                 config->validation);
        check_problem(problems, pointer, "validation", sentence);
    } else if (config->rule == FF_UNSUPERVISED && train - config->validation < 2) {
        check_problem(problems, pointer, "rule", "\"unsupervised\" mixes two images: train on at least 2");
    }
    check_units(config, dataset->classes, pointer, problems);
    if (config->augment.elastic > 0 &&
        (dataset->shape.height > FF_BENT_SIDE_MAX || dataset->shape.width > FF_BENT_SIDE_MAX)) {
        snprintf(sentence, sizeof sentence,
                 "elastic needs images of at most %d pixels a side, and these have %u x %u", FF_BENT_SIDE_MAX,
                 dataset->shape.height, dataset->shape.width);
        check_problem(problems, pointer, "augment", sentence);
    }
    if (config->label == FF_LABEL_OVERLAY && config->rule == FF_PAIRS &&
        ff_shape_size(dataset->shape) <= dataset->classes) {
        snprintf(sentence, sizeof sentence,
                 "\"overlay\" needs more pixels than classes: %zu and %u; use \"prepend\"",
                 ff_shape_size(dataset->shape), dataset->classes);
        check_problem(problems, pointer, "label", sentence);
    }
}

bool ff_config_check(const struct ff_config *config, const struct ff_dataset *dataset, const char *pointer,
                     struct ff_problems *problems)
{
    size_t before = problems->count;

    check_layers(config, pointer, problems);
    check_readout(config, pointer, problems);
    ff_check_layers(config, dataset, pointer, problems);
    check_normalization(config, pointer, problems);
    check_peers(config, pointer, problems);
    check_backprop(config, pointer, problems);
    if (config->evaluate_on == FF_EVALUATE_VALIDATION && config->validation == 0)
        check_problem(problems, pointer, "evaluate_on",
                      "\"validation\" needs held-out images; set validation above 0");
    if (dataset != NULL)
        check_data(config, dataset, pointer, problems);
    return problems->count == before;
}
