#include "hybrid.h"

#include "random.h"

enum { BITS_PER_DRAW = 128 };

uint32_t ff_hybrid_partner(uint64_t seed, uint32_t epoch, uint32_t image, uint32_t images)
{
    uint32_t other = ff_random_below(seed, FF_RANDOM_PARTNER, epoch, image, images - 1);

    return other < image ? other : other + 1;
}

void ff_hybrid_bits(uint64_t seed, uint32_t epoch, uint32_t image, size_t count, float *bits)
{
    uint32_t words[4];

    for (size_t i = 0; i < count; i++) {
        size_t bit = i % BITS_PER_DRAW;

        if (bit == 0)
            ff_random_words(seed, FF_RANDOM_HYBRID, epoch, (uint64_t)image << 32 | i / BITS_PER_DRAW, words);
        bits[i] = (float)(words[bit / 32] >> bit % 32 & 1);
    }
}

/* One pass over `count` values, `stride` floats apart. */
static void blur_line(float *values, size_t count, size_t stride)
{
    float before = values[0];

    for (size_t i = 0; i < count; i++) {
        float now = values[i * stride], after = i + 1 < count ? values[(i + 1) * stride] : now;

        values[i * stride] = 0.25f * before + 0.5f * now + 0.25f * after;
        before = now;
    }
}

void ff_hybrid_blur(float *values, uint32_t height, uint32_t width, uint32_t times)
{
    for (uint32_t time = 0; time < times; time++) {
        for (uint32_t row = 0; row < height; row++)
            blur_line(values + (size_t)row * width, width, 1);
        for (uint32_t column = 0; column < width; column++)
            blur_line(values + column, height, width);
    }
}

void ff_hybrid_mask(float *bits, uint32_t height, uint32_t width, uint32_t times)
{
    ff_hybrid_blur(bits, height, width, times);
    for (size_t i = 0; i < (size_t)height * width; i++)
        bits[i] = bits[i] > 0.5f ? 1 : 0;
}

void ff_hybrid_mix(struct ff_shape shape, const float *mask, const float *image, float *other)
{
    size_t area = (size_t)shape.height * shape.width;

    for (size_t i = 0; i < area * shape.channels; i++)
        other[i] = mask[i % area] > 0 ? image[i] : other[i];
}
