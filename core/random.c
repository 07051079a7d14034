#include "random.h"

#include <math.h>

/* The published constants: two multipliers, and two Weyl increments for the key (golden ratio and sqrt(3) - 1). */
static const uint32_t multiplier_0 = 0xD2511F53, multiplier_1 = 0xCD9E8D57;
static const uint32_t weyl_0 = 0x9E3779B9, weyl_1 = 0xBB67AE85;

enum { PHILOX_ROUNDS = 10, WORDS = 4 };

void ff_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];

    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        uint64_t product_0 = (uint64_t)multiplier_0 * c0;
        uint64_t product_1 = (uint64_t)multiplier_1 * c2;
        uint32_t next_0 = (uint32_t)(product_1 >> 32) ^ c1 ^ k0;
        uint32_t next_2 = (uint32_t)(product_0 >> 32) ^ c3 ^ k1;

        c0 = next_0;
        c1 = (uint32_t)product_1;
        c2 = next_2;
        c3 = (uint32_t)product_0;
        k0 += weyl_0;
        k1 += weyl_1;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

/* `attempt` above 0 gives further words at the same place, for the rare draw that refuses four in a row. Purposes
 * are small numbers, so the upper half of their counter word is free for it. */
static void words_at(uint64_t seed, enum ff_purpose purpose, uint32_t stream, uint64_t index, uint32_t attempt,
                     uint32_t out[4])
{
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    const uint32_t counter[4] = {(uint32_t)index, (uint32_t)(index >> 32), stream,
                                 (uint32_t)purpose + (attempt << 16)};

    ff_philox(counter, key, out);
}

void ff_random_words(uint64_t seed, enum ff_purpose purpose, uint32_t stream, uint64_t index, uint32_t out[4])
{
    words_at(seed, purpose, stream, index, 0, out);
}

/* Lemire, "Fast random integer generation in an interval" (2019): the high half of word * bound is even once the
 * words whose low half falls below 2^32 mod bound are refused. */
uint32_t ff_random_below(uint64_t seed, enum ff_purpose purpose, uint32_t stream, uint64_t index, uint32_t bound)
{
    if (bound < 2)
        return 0;

    const uint32_t refused_below = (uint32_t)(-bound) % bound;

    for (uint32_t attempt = 0;; attempt++) {
        uint32_t words[WORDS];

        words_at(seed, purpose, stream, index, attempt, words);
        for (int i = 0; i < WORDS; i++) {
            uint64_t product = (uint64_t)words[i] * bound;

            if ((uint32_t)product >= refused_below)
                return (uint32_t)(product >> 32);
        }
    }
}

float ff_random_uniform(uint64_t seed, enum ff_purpose purpose, uint32_t stream, uint64_t index)
{
    uint32_t words[WORDS];

    ff_random_words(seed, purpose, stream, index, words);
    return (float)(words[0] >> 8) * 0x1p-24f;
}

/* Two standard normals out of two words (Box and Muller 1958). The half keeps the logarithm's argument above 0. */
static void box_muller(uint32_t radius_word, uint32_t angle_word, double normal[2])
{
    double radius = sqrt(-2.0 * log(((double)radius_word + 0.5) * 0x1p-32));
    double angle = 6.283185307179586476925 * ((double)angle_word * 0x1p-32);

    normal[0] = radius * cos(angle);
    normal[1] = radius * sin(angle);
}

void ff_random_normal(uint64_t seed, enum ff_purpose purpose, uint32_t stream, uint64_t first, size_t count,
                      double deviation, float *values)
{
    for (size_t done = 0; done < count;) {
        uint64_t place = first + done;
        uint32_t words[WORDS];
        double normal[WORDS];

        ff_random_words(seed, purpose, stream, place / WORDS, words);
        box_muller(words[0], words[1], normal);
        box_muller(words[2], words[3], normal + 2);
        for (uint64_t i = place % WORDS; i < WORDS && done < count; i++, done++)
            values[done] = (float)(deviation * normal[i]);
    }
}

void ff_random_order(uint64_t seed, enum ff_purpose purpose, uint32_t stream, uint32_t count, uint32_t *order)
{
    for (uint32_t i = 0; i < count; i++)
        order[i] = i;
    for (uint32_t i = count; i > 1; i--) {
        uint32_t other = ff_random_below(seed, purpose, stream, i - 1, i);
        uint32_t held = order[i - 1];

        order[i - 1] = order[other];
        order[other] = held;
    }
}
