/* random_config.h - configurations drawn at random, by the number of a trial: everything that training can do, in
 * networks small enough for hundreds of runs. */
#ifndef TESTS_RANDOM_CONFIG_H
#define TESTS_RANDOM_CONFIG_H

#include "config.h"
#include "random.h"

/* Below `bound`; `what` tells the draws of a trial apart. */
static inline uint32_t random_pick(uint32_t trial, uint32_t what, uint32_t bound)
{
    return ff_random_below(2026, FF_RANDOM_ORDER, trial, what, bound);
}

/* Below the dense layers, one or two convolutions that fit images of at least 5 x 5. With pairs they see the label
 * as pixels. */
static inline void random_convolutions(struct ff_config *config, uint32_t trial)
{
    uint32_t count = config->layer_count < 2 ? 1 : 1 + random_pick(trial, 121, 2);

    for (uint32_t i = 0; i < count; i++)
        config->layers[i] = (struct ff_layer_config){.kind = FF_CONV,
                                                     .channels = 5 * (1 + random_pick(trial, 122 + i, 5)),
                                                     .kernel = 1 + random_pick(trial, 124 + i, 3),
                                                     .stride = i == 0 && random_pick(trial, 126, 3) == 0 ? 2 : 1,
                                                     .pool = i == 0 && random_pick(trial, 128, 2)};
    for (uint32_t i = 0; i < count; i++)
        config->layers[i].padding = config->layers[i].kernel - 1;
    config->label = FF_LABEL_OVERLAY;
    config->negatives = FF_NEGATIVES_RANDOM;
    config->peer_normalization = 0;
    if (random_pick(trial, 129, 2))
        config->normalize = FF_NORMALIZE_CHANNEL_RMS;
}

static inline void random_normalization(struct ff_config *config)
{
    config->batch_normalization = true;
    config->batch_size = config->batch_size < 2 ? 3 : config->batch_size;
    config->negatives = FF_NEGATIVES_RANDOM;
    config->forward_after_update = false;
    config->peer_normalization = 0;
}

static inline void random_config(struct ff_config *config, uint32_t trial)
{
    static const uint32_t units[] = {1, 7, 16, 33, 130, 300};
    static const uint32_t batches[] = {1, 2, 5, 16, 50};

    ff_config_defaults(config);
    config->layer_count = 1 + random_pick(trial, 0, 4);
    for (uint32_t i = 0; i < config->layer_count; i++)
        config->layers[i] =
            (struct ff_layer_config){.kind = FF_DENSE, .units = units[random_pick(trial, 1 + i, 6)]};
    config->batch_size = batches[random_pick(trial, 10, 5)];
    config->activation = (enum ff_activation)random_pick(trial, 11, 2);
    config->objective = (enum ff_objective_id)random_pick(trial, 12, 3);
    config->goodness = (enum ff_goodness)random_pick(trial, 13, 2);
    config->optimizer = (enum ff_optimizer_id)random_pick(trial, 14, 3);
    config->forward_after_update = random_pick(trial, 15, 2);
    config->normalize = random_pick(trial, 16, 3) ? FF_NORMALIZE_RMS : FF_NORMALIZE_NONE;
    config->label = (enum ff_label)random_pick(trial, 17, 2);
    config->bias = random_pick(trial, 18, 4) != 0;
    config->shuffle = random_pick(trial, 19, 2);
    config->input = (enum ff_input)random_pick(trial, 20, 3);
    config->schedule = (enum ff_schedule)random_pick(trial, 21, 4);
    config->weight_decay = random_pick(trial, 22, 2) ? 0.01 : 0;
    config->seed = random_pick(trial, 23, 1000);
    config->negatives = (enum ff_negatives)random_pick(trial, 25, 2);
    if (random_pick(trial, 28, 4) == 0) {
        static const uint32_t grouped[] = {5, 15, 35, 130, 300};

        config->rule = FF_CLASS_GROUPS;
        config->predict = FF_PREDICT_LOG_SOFTMAX;
        config->label_smoothing = 0.1;
        for (uint32_t i = 0; i < config->layer_count; i++)
            config->layers[i].units = grouped[random_pick(trial, 30 + i, 5)]; /* of five classes */
    }
    if (random_pick(trial, 29, 3) == 0)
        config->dropout = (struct ff_dropout){.pixels = 0.2, .inputs = 0.25, .units = 0.3};
    config->average = random_pick(trial, 26, 3) ? 0 : 0.97;
    if (random_pick(trial, 27, 3) == 0)
        config->augment = (struct ff_augment){.shift = 1,
                                              .rotate = 10,
                                              .scale = 0.1,
                                              .shear = 0.1,
                                              .translate = 1,
                                              .elastic = 1,
                                              .erase = 2,
                                              .flip = true};
    config->peer_normalization = random_pick(trial, 110, 4) ? 0 : 0.03;
    if (random_pick(trial, 111, 3) == 0) {
        config->readout = FF_READOUT_SOFTMAX;
        config->readout_from = random_pick(trial, 112, config->layer_count);
        config->predict = (enum ff_predict)random_pick(trial, 113, 4);
    }
    if (config->rule == FF_PAIRS && random_pick(trial, 114, 4) == 0) {
        config->rule = FF_UNSUPERVISED;
        config->readout = FF_READOUT_SOFTMAX;
        config->readout_from = random_pick(trial, 112, config->layer_count);
        config->predict = FF_PREDICT_READOUT;
    }
    if (random_pick(trial, 120, 3) == 0)
        random_convolutions(config, trial);
    if (random_pick(trial, 130, 3) == 0)
        random_normalization(config);
    if (random_pick(trial, 115, 6) == 0) {
        config->rule = FF_BACKPROP;
        config->normalize = FF_NORMALIZE_NONE;
        config->readout = FF_READOUT_NONE;
        config->predict = FF_PREDICT_GOODNESS; /* it does not count */
        config->forward_after_update = false;
        config->peer_normalization = config->dropout.units = 0;
        config->batch_normalization = false;
        for (uint32_t i = 0; i < config->layer_count; i++) {
            if (config->layers[i].kind != FF_DENSE)
                config->layers[i] = (struct ff_layer_config){.kind = FF_DENSE, .units = 130};
        }
        config->layers[config->layer_count - 1].units = 5; /* classes */
    }
    config->learning_rate.value[0] = config->objective == FF_GAP ? 1e-4 : 0.003;
    config->epochs = 2;
    config->evaluate_every = 1 + random_pick(trial, 24, 2);
}

/* One with convolutions in any case, for data of five classes. */
static inline void random_convolution_config(struct ff_config *config, uint32_t trial)
{
    random_config(config, trial + 1000);
    if (config->rule == FF_BACKPROP || random_pick(trial, 140, 2)) {
        config->rule = FF_CLASS_GROUPS;
        config->predict = FF_PREDICT_LOG_SOFTMAX;
        for (uint32_t i = 0; i < config->layer_count; i++)
            config->layers[i] = (struct ff_layer_config){.kind = FF_DENSE, .units = 15};
    }
    config->batch_normalization = false;
    random_convolutions(config, trial);
    if (random_pick(trial, 141, 2))
        random_normalization(config);
}

#endif
