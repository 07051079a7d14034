#include "dropout.h"

enum { PER_DRAW = 8 }; /* half words of a draw */

void ff_dropout_mask(const struct ff_dropout_place *place, double share, float kept, uint32_t first, size_t n,
                     float *mask)
{
    uint32_t below = (uint32_t)(share * 65536 + 0.5), words[4];

    for (size_t i = 0; i < n; i++) {
        if (i % PER_DRAW == 0)
            ff_random_words(place->seed, place->purpose, place->stream,
                            place->row << 24 | (first + (uint32_t)i) / PER_DRAW, words);
        mask[i] = (words[i % PER_DRAW / 2] >> (i % 2 * 16) & 0xffff) < below ? 0 : kept;
    }
}
