/* synthetic.h - a small data set with something to learn, made from nothing but a seed. */
#ifndef TESTS_SYNTHETIC_H
#define TESTS_SYNTHETIC_H

#include <stdlib.h>
#include <string.h>

#include "dataset.h"
#include "random.h"

/* Every class is a patch of bright pixels of its own, over noise. */
static inline void synthetic_images(struct ff_images *images, uint32_t count, uint32_t pixels, uint32_t classes,
                                    uint32_t stream)
{
    images->count = count;
    images->pixels = malloc((size_t)count * pixels);
    images->labels = malloc(count * sizeof *images->labels);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t label = ff_random_below(7, FF_RANDOM_ORDER, stream, i, classes);

        images->labels[i] = (uint16_t)label;
        for (uint32_t p = 0; p < pixels; p++) {
            uint32_t noise = ff_random_below(8, FF_RANDOM_ORDER, stream, (uint64_t)i * pixels + p, 120);
            uint32_t bright = p * classes / pixels == label ? 100 : 0;

            images->pixels[(size_t)i * pixels + p] = (uint8_t)(noise < 60 && !bright ? 0 : noise + bright);
        }
    }
}

static inline struct ff_dataset *synthetic_dataset(uint32_t train, uint32_t test, uint32_t side, uint32_t classes)
{
    struct ff_dataset *dataset = calloc(1, sizeof *dataset);

    strcpy(dataset->name, "synthetic");
    dataset->shape = (struct ff_shape){1, side, side};
    dataset->classes = classes;
    synthetic_images(&dataset->train, train, side * side, classes, 1);
    synthetic_images(&dataset->test, test, side * side, classes, 2);
    dataset->train.labels[0] = (uint16_t)(classes - 1);
    return dataset;
}

#endif
