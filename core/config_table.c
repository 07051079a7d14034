#include "config_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT(field) offsetof(struct ff_config, field)
#define CHOICES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NO_LIMIT 4294967295.0
#define SEED_MAX 9007199254740991.0 /* 2^53 - 1: what a double, and so JSON, holds exactly */

static const struct part dropout_parts[] = {
    {"pixels", REAL, offsetof(struct ff_dropout, pixels), 0.95, "share of pixels set to zero"},
    {"inputs", REAL, offsetof(struct ff_dropout, inputs), 0.95,
     "share of what enters a layer above the first set to zero, the rest scaled up"},
    {"units", REAL, offsetof(struct ff_dropout, units), 0.95, "share of units left out of the goodness"},
    {NULL, REAL, 0, 0, NULL}};

static const struct part augment_parts[] = {
    {"shift", REAL, offsetof(struct ff_augment, shift), 14, "pixels each way, whole"},
    {"rotate", REAL, offsetof(struct ff_augment, rotate), 180, "degrees each way"},
    {"scale", REAL, offsetof(struct ff_augment, scale), 0.9, "share each way"},
    {"shear", REAL, offsetof(struct ff_augment, shear), 1, "share each way"},
    {"translate", REAL, offsetof(struct ff_augment, translate), 14, "pixels each way"},
    {"elastic", REAL, offsetof(struct ff_augment, elastic), 14, "deviation of the control points, in pixels"},
    {"flip", FLAG, offsetof(struct ff_augment, flip), 1, "mirror half of the images"},
    {"erase", REAL, offsetof(struct ff_augment, erase), 28, "side of the patch erased, in pixels"},
    {NULL, REAL, 0, 0, NULL}};

/* A row a setting. */
/* clang-format off */
const struct setting ff_settings[FF_SETTINGS] = {
    {.name = "dataset", .group = "Data", .type = NAME, .offset = AT(dataset), .help = "what to train on, by name"},
    {.name = "train_limit", .group = "Data", .type = COUNT, .offset = AT(train_limit), .high = NO_LIMIT,
     .unit = "images", .help = "train on the first N images only; 0: all"},
    {.name = "test_limit", .group = "Data", .type = COUNT, .offset = AT(test_limit), .high = NO_LIMIT,
     .unit = "images", .help = "test on the first N images only; 0: all"},
    {.name = "validation", .group = "Data", .type = COUNT, .offset = AT(validation), .high = NO_LIMIT,
     .unit = "images", .help = "hold the last N training images out"},
    {.name = "evaluate_on", .group = "Data", .type = CHOICE, .offset = AT(evaluate_on),
     .choices = CHOICES("test", "validation"),
     .help = "what an epoch is judged on: the test set or the held-out images"},
    {.name = "epochs", .group = "Training", .type = COUNT, .offset = AT(epochs), .high = 1000000, .initial = 15,
     .unit = "epochs", .help = "passes over the training images; 0 only initializes"},
    {.name = "batch_size", .group = "Training", .type = COUNT, .offset = AT(batch_size), .low = 1, .high = 65536,
     .initial = 100, .unit = "images", .help = "images a step; the last step of an epoch takes what is left"},
    {.name = "shuffle", .group = "Training", .type = FLAG, .offset = AT(shuffle), .initial = 1,
     .help = "a new order every epoch"},
    {.name = "seed", .group = "Training", .type = SEED, .offset = AT(seed), .high = SEED_MAX, .initial = 1,
     .help = "of all random numbers: same seed, same bits"},
    {.name = "layers", .group = "Network", .type = LAYERS, .offset = AT(layers), .low = 1, .high = 65536,
     .help = "bottom up: a number of units, or a convolution {\"kind\": \"conv\", \"channels\", \"kernel\", \"stride\", "
             "\"padding\", \"pool\"}, of which there can be some below the others"},
    {.name = "activation", .group = "Network", .type = CHOICE, .offset = AT(activation),
     .choices = CHOICES("relu", "tanh"), .help = "of every unit"},
    {.name = "bias", .group = "Network", .type = FLAG, .offset = AT(bias), .initial = 1,
     .help = "a trained number added to every unit's sum"},
    {.name = "init", .group = "Network", .type = CHOICE, .offset = AT(init), .choices = CHOICES("he", "glorot"),
     .help = "deviation of the first weights: he is sqrt(2 / inputs), glorot is sqrt(2 / (inputs + units))"},
    {.name = "init_gain", .group = "Network", .type = REAL, .offset = AT(init_gain), .low = 0, .high = 100,
     .above_low = true, .initial = 1, .help = "factor of that deviation"},
    {.name = "input", .group = "Input", .type = CHOICE, .offset = AT(input),
     .choices = CHOICES("none", "standardize", "rms"),
     .help = "what is done to an image's pixels, which are 0 to 1 before: nothing; minus the training set's mean, "
             "by its deviation; divided by the image's root mean square"},
    {.name = "input_scale", .group = "Input", .type = REAL, .offset = AT(input_scale), .high = 1000,
     .above_low = true, .initial = 3, .help = "factor of the pixels, after that"},
    {.name = "label", .group = "Input", .type = CHOICE, .offset = AT(label),
     .choices = CHOICES("prepend", "overlay"),
     .help = "one-hot label in front of the image, or over its first pixels"},
    {.name = "label_scale", .group = "Input", .type = REAL, .offset = AT(label_scale), .high = 1000,
     .above_low = true, .initial = 2, .help = "value of the label's one pixel"},
    {.name = "normalize", .group = "Network", .type = CHOICE, .offset = AT(normalize),
     .choices = CHOICES("rms", "channel_rms", "none"),
     .help = "rows before they enter the next layer, so that no goodness passes on: divided by their root mean square; "
             "channel_rms: a convolution's place by place, by its channels'"},
    {.name = "batch_normalization", .group = "Network", .type = FLAG, .offset = AT(batch_normalization),
     .help = "per unit or channel, before the activation and after pooling, by the batch's mean and deviation; such "
             "layers have no bias"},
    {.name = "rule", .group = "Rule", .type = CHOICE, .offset = AT(rule),
     .choices = CHOICES("pairs", "class_groups", "unsupervised", "backprop"),
     .help = "where positive and negative come from; pairs: the image with its true label and with a wrong one; class "
             "groups: every class has units of its own in every layer, and the image's own class's are positive; "
             "unsupervised: the image, and a hybrid of it and another; backprop: the baseline, the same layers "
             "trained by one pass back from a softmax, which the last layer is"},
    {.name = "objective", .group = "Rule", .type = CHOICE, .offset = AT(objective),
     .choices = CHOICES("logistic", "symba", "gap"),
     .help = "loss of a pair's two goodnesses: logistic holds each against the threshold (Hinton), symba compares "
             "them, gap drives them apart without bound"},
    {.name = "goodness", .group = "Rule", .type = CHOICE, .offset = AT(goodness), .choices = CHOICES("mean", "sum"),
     .help = "of the squared activities"},
    {.name = "threshold", .group = "Rule", .type = PER_LAYER, .offset = AT(threshold), .low = -1e6, .high = 1e6,
     .initial = 1, .live = true, .help = "logistic: the goodness that divides positive from negative"},
    {.name = "temperature", .group = "Rule", .type = PER_LAYER, .offset = AT(temperature), .high = 1e6,
     .above_low = true, .initial = 0.1, .live = true,
     .help = "logistic: a goodness so far from the threshold counts as one unit"},
    {.name = "alpha", .group = "Rule", .type = PER_LAYER, .offset = AT(alpha), .high = 1e6, .above_low = true,
     .initial = 4, .live = true, .help = "symba: steepness"},
    {.name = "negatives", .group = "Rule", .type = CHOICE, .offset = AT(negatives),
     .choices = CHOICES("random", "hard"), .initial = FF_NEGATIVES_HARD,
     .help = "wrong labels evenly, or those that the first layer takes for true"},
    {.name = "negative_hardness", .group = "Rule", .type = REAL, .offset = AT(negative_hardness), .high = 1000,
     .initial = 30, .help = "hard negatives are drawn from softmax(hardness x goodness)"},
    {.name = "label_smoothing", .group = "Rule", .type = REAL, .offset = AT(label_smoothing), .high = 0.9,
     .help = "of class groups, read-out and backprop: so much of the wanted answer is shared by all labels"},
    {.name = "forward_after_update", .group = "Rule", .type = FLAG, .offset = AT(forward_after_update),
     .help = "the next layer sees the updated weights' activities (the original's order)"},
    {.name = "optimizer", .group = "Optimizer", .type = CHOICE, .offset = AT(optimizer),
     .choices = CHOICES("sgd", "momentum", "adam"), .initial = FF_ADAM, .help = "how a gradient becomes a step"},
    {.name = "learning_rate", .group = "Optimizer", .type = PER_LAYER, .offset = AT(learning_rate), .high = 10,
     .above_low = true, .initial = 0.002, .live = true, .help = "a number, or one a layer"},
    {.name = "momentum", .group = "Optimizer", .type = REAL, .offset = AT(momentum), .high = 0.9999, .initial = 0.9,
     .help = "share of the last step kept; Adam's first beta"},
    {.name = "beta2", .group = "Optimizer", .type = REAL, .offset = AT(beta2), .high = 0.999999, .initial = 0.98,
     .help = "Adam's second beta"},
    {.name = "weight_decay", .group = "Optimizer", .type = REAL, .offset = AT(weight_decay), .high = 1,
     .live = true, .help = "share of a weight taken off a step, times the learning rate; not of biases"},
    {.name = "schedule", .group = "Optimizer", .type = CHOICE, .offset = AT(schedule),
     .choices = CHOICES("constant", "linear", "cosine", "half"), .initial = FF_SCHEDULE_LINEAR,
     .help = "how the rate falls: not at all, linearly to zero, as a cosine, or constant and then linearly over "
             "the second half (Hinton)"},
    {.name = "warmup", .group = "Optimizer", .type = REAL, .offset = AT(warmup), .high = 1, .initial = 0.03,
     .unit = "share of all steps", .help = "the rate rises linearly over the first share of all steps"},
    {.name = "dropout", .group = "Regularization", .type = PARTS, .offset = AT(dropout), .parts = dropout_parts,
     .live = true, .help = "shares left out at random in training"},
    {.name = "augment", .group = "Regularization", .type = PARTS, .offset = AT(augment), .parts = augment_parts,
     .help = "changes of the images that are trained on, afresh every epoch"},
    {.name = "peer_normalization", .group = "Regularization", .type = REAL, .offset = AT(peer_normalization),
     .high = 1000, .live = true,
     .help = "pull of every unit's activity on positive data, averaged over the last steps, towards the units' mean"},
    {.name = "average", .group = "Regularization", .type = REAL, .offset = AT(average), .high = 0.999999,
     .help = "decay a step of a running average of the weights, used to evaluate and predict; 0: none"},
    {.name = "predict", .group = "Prediction", .type = CHOICE, .offset = AT(predict),
     .choices = CHOICES("goodness", "log_softmax", "readout", "readout_and_goodness"),
     .help = "what is summed for every label: over the layers its goodness, or its share as a logarithm (log_softmax of "
             "goodness / temperature); the read-out's share; or the shares of both"},
    {.name = "predict_from", .group = "Prediction", .type = COUNT, .offset = AT(predict_from),
     .high = FF_LAYERS_MAX - 1, .help = "the first layer that counts, from 0"},
    {.name = "readout", .group = "Read-out", .type = CHOICE, .offset = AT(readout),
     .choices = CHOICES("none", "softmax"),
     .help = "a softmax on the layers' activities, trained beside: nothing flows back from it"},
    {.name = "readout_from", .group = "Read-out", .type = COUNT, .offset = AT(readout_from),
     .high = FF_LAYERS_MAX - 1, .initial = 1, .help = "the first layer it reads, from 0"},
    {.name = "readout_learning_rate", .group = "Read-out", .type = REAL, .offset = AT(readout_learning_rate),
     .high = 10, .above_low = true, .initial = 0.002, .help = "its own rate; all else of the optimizer is as the layers have it"},
    {.name = "evaluate_every", .group = "Evaluation", .type = COUNT, .offset = AT(evaluate_every), .low = 1,
     .high = 1000000, .initial = 1, .unit = "epochs", .help = "and after the last epoch"},
    {.name = "evaluate_samples", .group = "Evaluation", .type = COUNT, .offset = AT(evaluate_samples),
     .high = NO_LIMIT, .unit = "images", .help = "judge on the first N images; 0: all"},
    {.name = "train_error_samples", .group = "Evaluation", .type = COUNT, .offset = AT(train_error_samples),
     .high = NO_LIMIT, .initial = 1000, .unit = "images",
     .help = "training error of the first N training images; 0: all"},
};
/* clang-format on */

const struct setting *ff_setting_find(const char *name)
{
    for (size_t i = 0; i < FF_SETTINGS; i++) {
        if (strcmp(ff_settings[i].name, name) == 0)
            return &ff_settings[i];
    }
    return NULL;
}

void ff_number_text(double value, char text[FF_NUMBER_TEXT])
{
    char shortest[FF_NUMBER_TEXT];

    for (int digits = 15; digits <= 17; digits++) {
        snprintf(shortest, sizeof shortest, "%.*g", digits, value);
        if (strtod(shortest, NULL) == value)
            break;
    }
    memcpy(text, shortest, sizeof shortest);
}
