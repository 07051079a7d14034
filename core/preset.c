#include "preset.h"

#include <string.h>

#include "trainer.h"

/* The numpy original: one image a step in file order, tanh, gap of sums of squares, no normalization, weights from
 * sqrt(2 / inputs), the next layer sees the updated weights. */
#define ORIGINAL(layers, images)                                                                                   \
    "{\"train_limit\": " images ", \"test_limit\": " images                                                        \
    ", \"epochs\": 10, \"batch_size\": 1, \"shuffle\": false,"                                                     \
    " \"layers\": " layers                                                                                         \
    ", \"activation\": \"tanh\", \"input_scale\": 1, \"label_scale\": 1, \"normalize\": \"none\","                 \
    " \"objective\": \"gap\", \"goodness\": \"sum\", \"forward_after_update\": true, \"optimizer\": \"sgd\","      \
    " \"learning_rate\": 0.004, \"schedule\": \"constant\", \"warmup\": 0, \"train_error_samples\": 100}"

static const struct ff_preset presets[] = {
    {"pairs-plain", "Pairs, plain",
     "Every image with its true label and with a wrong one, no augmentation: watch the goodness part in every "
     "layer. "
     "The default.",
     NULL, "{}"},
    {"hinton", "Hinton 2022",
     "The paper's supervised network: four layers of 2000 units, label over the first ten pixels, logistic "
     "objective, "
     "momentum, a rate that falls over the second half. Long: half a minute an epoch.",
     NULL,
     "{\"layers\": [2000, 2000, 2000, 2000], \"epochs\": 60, \"batch_size\": 100, \"label\": \"overlay\","
     " \"label_scale\": 3, \"optimizer\": \"momentum\", \"learning_rate\": 0.1, \"schedule\": \"half\", "
     "\"warmup\": 0,"
     " \"predict_from\": 1}"},
    {"original-base", "The original's experiment on everything",
     "The numpy original's network, [500, 300, 10], on all images: one image a step, tanh, the gap of sums of "
     "squares.",
     NULL, ORIGINAL("[500, 300, 10]", "0")},
    {"original-small", "The original's small experiment", "[500, 300, 10] on 1,000 images for 10 epochs.", NULL,
     ORIGINAL("[500, 300, 10]", "1000")},
    {"original-compare-shallow", "The original's comparison: shallow", "[200, 10] on 500 images for 10 epochs.",
     NULL, ORIGINAL("[200, 10]", "500")},
    {"original-compare-medium", "The original's comparison: medium", "[500, 300, 10] on 500 images for 10 epochs.",
     NULL, ORIGINAL("[500, 300, 10]", "500")},
    {"original-compare-deep", "The original's comparison: deep", "[800, 400, 200, 10] on 500 images for 10 epochs.",
     NULL, ORIGINAL("[800, 400, 200, 10]", "500")},
};

const struct ff_preset *ff_presets(size_t *count)
{
    *count = sizeof presets / sizeof presets[0];
    return presets;
}

const struct ff_preset *ff_preset_find(const char *name)
{
    for (size_t i = 0; i < sizeof presets / sizeof presets[0]; i++) {
        if (strcmp(presets[i].name, name) == 0)
            return &presets[i];
    }
    return NULL;
}

void ff_preset_config(const struct ff_preset *preset, struct ff_config *config)
{
    struct ff_problems problems = {0};
    cJSON *settings = cJSON_Parse(preset->settings);

    ff_config_defaults(config);
    ff_config_apply(config, settings, "", &problems); /* a test holds every preset to have no problem */
    cJSON_Delete(settings);
}
