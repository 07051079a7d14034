#include "dropout.h"

#include "kernels.h"

enum { PER_DRAW = 8 /* half words of a draw */, AT_ONCE = 256 /* numbers of a mask */ };

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

void ff_dropout(const struct ff_dropout_place *place, double share, float kept, size_t n, float *x)
{
    float mask[AT_ONCE];

    for (size_t first = 0; first < n; first += AT_ONCE) {
        size_t left = n - first, count = left < AT_ONCE ? left : AT_ONCE;

        ff_dropout_mask(place, share, kept, (uint32_t)first, count, mask);
        ff_kernels()->multiply(x + first, mask, count);
    }
}
