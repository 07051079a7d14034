#include "preset.h"

#include <string.h>

/* The numpy original: one image a step in file order, tanh, gap of sums of squares, no normalization, weights from
 * sqrt(2 / inputs), the next layer sees the updated weights. */
#define ORIGINAL(layers, images)                                                                                   \
    "{\"train_limit\": " images ", \"test_limit\": " images                                                        \
    ", \"epochs\": 10, \"batch_size\": 1, \"shuffle\": false,"                                                     \
    " \"layers\": " layers                                                                                         \
    ", \"activation\": \"tanh\", \"input_scale\": 1, \"label_scale\": 1, \"normalize\": \"none\","                 \
    " \"negatives\": \"random\","                                                                                  \
    " \"objective\": \"gap\", \"goodness\": \"sum\", \"forward_after_update\": true, \"optimizer\": \"sgd\","      \
    " \"learning_rate\": 0.004, \"schedule\": \"constant\", \"warmup\": 0, \"train_error_samples\": 100}"

/* Class groups on convolutions: rates and temperatures rise and fall with what a layer has to tell. Without the
 * brace at the end. */
#define CONVOLUTION(channels, kernel, padding)                                                                     \
    "{\"kind\": \"conv\", \"channels\": " channels ", \"kernel\": " kernel                                         \
    ", \"stride\": 1, \"padding\": " padding ", \"pool\": true}, "
#define CONVOLUTIONS(epochs, augment)                                                                              \
    "{\"rule\": \"class_groups\", \"layers\": [" CONVOLUTION("40", "5", "2") CONVOLUTION("80", "3", "1")           \
        CONVOLUTION("160", "3", "1") "500], \"input\": \"standardize\", \"input_scale\": 1,"                       \
                                     " \"batch_normalization\": true, \"normalize\": \"channel_rms\", "            \
                                     "\"temperature\": [0.05, 0.1, 0.2, 0.3],"                                     \
                                     " \"learning_rate\": [0.02, 0.01, 0.005, 0.003], \"beta2\": 0.99, "           \
                                     "\"schedule\": \"cosine\", \"warmup\": 0.003,"                                \
                                     " \"batch_size\": 100, \"epochs\": " epochs                                   \
                                     ", \"average\": 0.998, \"predict\": "                                         \
                                     "\"log_softmax\", \"predict_from\": 2,"                                       \
                                     " \"augment\": " augment

/* clang-format off */
static const struct ff_preset presets[] = {
    {.name = "pairs-plain", .title = "Pairs, plain",
     .summary = "Every image with its true label and with a wrong one that the first layer takes for true, no augmentation: watch "
                "the goodness part in every layer. The default.",
     .reaches = "1.9 % test error on MNIST in 31 s on two cores",
     .settings = "{}"},
    {.name = "pairs", .title = "Pairs, the most accurate",
     .summary = "Pairs with hard negatives on images that are turned, stretched and bent afresh every epoch; the weights' running "
                "average predicts.",
     .reaches = "0.8 % test error on MNIST in 90 s on one core; with 60 epochs 0.61 % (three seeds: 0.61, 0.51, 0.70)",
     .settings = "{\"layers\": [1000, 1000], \"init_gain\": 0.99, \"objective\": \"symba\", \"alpha\": 10,"
                 " \"learning_rate\": 0.004, \"batch_size\": 200, \"epochs\": 10, \"average\": 0.999, \"augment\": {\"rotate\": 10, \"scale\": 0.1,"
                 " \"shear\": 0.1, \"translate\": 1, \"elastic\": 1}}"},
    {.name = "quick", .title = "Quick: class groups",
     .summary = "Every class has units of its own in every layer, and one pass an image suffices: it learns while you look.",
     .reaches = "1.3 % test error on MNIST in 7.5 s on two cores",
     .settings = "{\"rule\": \"class_groups\", \"layers\": [700, 100], \"init_gain\": 0.99, \"temperature\": 0.35, \"label_smoothing\": 0.05,"
                 " \"predict\": \"log_softmax\", \"learning_rate\": 0.004, \"batch_size\": 200, \"epochs\": 4,"
                 " \"augment\": {\"rotate\": 8, \"scale\": 0.08, \"shear\": 0.08, \"translate\": 0.8}}"},
    {.name = "conv", .title = "Convolutions",
     .summary = "Class groups on three convolutions and a dense layer, batch normalization, a goodness in every layer; images that are "
                "turned, stretched and bent afresh every epoch. Long: an image costs many times what it costs in quick.",
     .reaches = "0.41 % test error on MNIST (three seeds: 0.43, 0.41, 0.39), some 9 minutes on a core",
     .settings = CONVOLUTIONS("15", "{\"rotate\": 10, \"scale\": 0.1, \"shear\": 0.1, \"translate\": 1, \"elastic\": 1}") "}"},
    {.name = "conv-fashion", .title = "Fashion: convolutions",
     .summary = "The network of conv on Fashion-MNIST, shifted and mirrored.",
     .reaches = "7.6 % test error on Fashion-MNIST (three seeds: 7.58, 7.68, 7.58), some 14 minutes on a core",
     .settings = CONVOLUTIONS("25", "{\"shift\": 1, \"flip\": true}") ", \"dataset\": \"fashion-mnist\"}"},
    {.name = "unsupervised", .title = "Unsupervised: hybrid images",
     .summary = "No labels: layers tell an image from a hybrid of two, of which patches are taken at random; a softmax on what all "
                "layers make of an image is trained beside them, and nothing flows back from it.",
     .reaches = "1.6 % test error on MNIST (three seeds: 1.69, 1.57, 1.53), some 5 minutes on a core",
     .settings = "{\"rule\": \"unsupervised\", \"layers\": [1000, 1000, 1000], \"input\": \"rms\", \"input_scale\": 1, \"temperature\": 0.03,"
                 " \"learning_rate\": 0.001, \"beta2\": 0.999, \"schedule\": \"cosine\", \"warmup\": 0.02, \"epochs\": 16,"
                 " \"readout\": \"softmax\", \"readout_from\": 0, \"readout_learning_rate\": 0.002, \"predict\": \"readout\","
                 " \"augment\": {\"rotate\": 8, \"scale\": 0.1, \"shear\": 0.1, \"translate\": 1, \"elastic\": 0.8}}"},
    {.name = "backprop", .title = "The baseline: backpropagation",
     .summary = "What Forward-Forward is measured by: two layers and a softmax, trained by one pass back, on the images of quick. "
                "It knows no negative data: both curves of a layer are the same, but those of the softmax.",
     .reaches = "1.1 % test error on MNIST (three seeds: 1.00, 1.15, 1.12) in 12 s on two cores",
     .settings = "{\"rule\": \"backprop\", \"layers\": [1000, 500, 10], \"normalize\": \"none\", \"init_gain\": 0.99, \"beta2\": 0.99,"
                 " \"learning_rate\": 0.002, \"batch_size\": 200, \"epochs\": 5, \"augment\": {\"rotate\": 8, \"scale\": 0.08, \"shear\": 0.08, \"translate\": 0.8}}"},
    {.name = "pairs-fashion", .title = "Fashion: pairs",
     .summary = "Pairs with hard negatives on Fashion-MNIST, mirrored, with pixels, inputs and units left out at random.",
     .reaches = "9.8 % test error on Fashion-MNIST (three seeds: 9.95, 9.79, 9.69), some 8 minutes on a core",
     .settings = "{\"dataset\": \"fashion-mnist\", \"layers\": [1000, 1000], \"init_gain\": 0.99, \"objective\": \"symba\", \"alpha\": 10,"
                 " \"learning_rate\": 0.004, \"batch_size\": 200, \"epochs\": 40, \"average\": 0.999, \"augment\": {\"flip\": true},"
                 " \"dropout\": {\"pixels\": 0.1, \"inputs\": 0.2, \"units\": 0.3}}"},
    {.name = "class-groups-fashion", .title = "Fashion: class groups",
     .summary = "Class groups on Fashion-MNIST, mirrored: one pass an image.",
     .reaches = "10.6 % test error on Fashion-MNIST in two minutes on a core",
     .settings = "{\"dataset\": \"fashion-mnist\", \"rule\": \"class_groups\", \"layers\": [1000, 1000], \"init_gain\": 0.99,"
                 " \"temperature\": 0.35, \"label_smoothing\": 0.1, \"predict\": \"log_softmax\", \"learning_rate\": 0.003,"
                 " \"batch_size\": 200, \"epochs\": 14, \"augment\": {\"flip\": true}}"},
    {.name = "quick-fashion", .title = "Fashion, quick: class groups",
     .summary = "The network of quick on Fashion-MNIST, mirrored.",
     .reaches = "11.8 % test error on Fashion-MNIST (three seeds: 11.7, 11.6, 12.0) in 15 s on two cores",
     .settings = "{\"dataset\": \"fashion-mnist\", \"rule\": \"class_groups\", \"layers\": [700, 100], \"init_gain\": 0.99,"
                 " \"temperature\": 0.35, \"label_smoothing\": 0.05, \"predict\": \"log_softmax\", \"learning_rate\": 0.004,"
                 " \"batch_size\": 200, \"epochs\": 8, \"augment\": {\"flip\": true}}"},
    {.name = "hinton", .title = "Hinton 2022",
     .summary = "The paper's supervised network, for 8 of its 60 epochs: four layers of 2000 units, label over the first ten pixels, logistic objective, hard "
                "negatives (drawn by the first layer, where the paper has a softmax), peer normalization, momentum, a rate that falls "
                "over the second half; layers from the second on predict.",
     .reaches = "2.0 % test error on MNIST (seed 1), some 11 minutes on a core",
     .settings = "{\"layers\": [2000, 2000, 2000, 2000], \"epochs\": 8, \"label\": \"overlay\", \"label_scale\": 3,"
                 " \"peer_normalization\": 0.03, \"optimizer\": \"momentum\", \"learning_rate\": 0.1, \"schedule\": \"half\","
                 " \"warmup\": 0,"
                 " \"predict_from\": 1}"},
    {.name = "original-base", .title = "The original's experiment on everything",
     .summary = "The numpy original's network, [500, 300, 10], on all images: one image a step, tanh, the gap of sums of squares.",
     .reaches = "accuracy 0.80 on MNIST in 18 s on two cores",
     .settings = ORIGINAL("[500, 300, 10]", "0")},
    {.name = "original-small", .title = "The original's small experiment",
     .summary = "[500, 300, 10] on 1,000 images for 10 epochs.",
     .reaches = "accuracy 0.72 to 0.76 on MNIST over five seeds, in 1 s on two cores",
     .settings = ORIGINAL("[500, 300, 10]", "1000")},
    {.name = "original-compare-shallow", .title = "The original's comparison: shallow",
     .summary = "[200, 10] on 500 images for 10 epochs.",
     .reaches = "accuracy 0.67 on MNIST in 0.1 s on two cores",
     .settings = ORIGINAL("[200, 10]", "500")},
    {.name = "original-compare-medium", .title = "The original's comparison: medium",
     .summary = "[500, 300, 10] on 500 images for 10 epochs.",
     .reaches = "accuracy 0.69 on MNIST in 0.5 s on two cores",
     .settings = ORIGINAL("[500, 300, 10]", "500")},
    {.name = "original-compare-deep", .title = "The original's comparison: deep",
     .summary = "[800, 400, 200, 10] on 500 images for 10 epochs.",
     .reaches = "accuracy 0.66 on MNIST in 0.9 s on two cores",
     .settings = ORIGINAL("[800, 400, 200, 10]", "500")},
};
/* clang-format on */

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

const char *ff_preset_nearest(const char *wrong)
{
    const char *names[sizeof presets / sizeof presets[0] + 1] = {NULL};

    for (size_t i = 0; i < sizeof presets / sizeof presets[0]; i++)
        names[i] = presets[i].name;
    return ff_nearest_name(wrong, names);
}

bool ff_preset_config(const struct ff_preset *preset, struct ff_config *config)
{
    struct ff_problems problems = {0};
    cJSON *settings = cJSON_Parse(preset->settings);

    ff_config_defaults(config);
    ff_config_apply(config, settings, "", &problems); /* a test holds every preset to have no problem */
    cJSON_Delete(settings);
    return settings != NULL;
}
