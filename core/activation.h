/* activation.h - relu and tanh of one number, for the files that are compiled for several vector units alone. */
#ifndef FF_ACTIVATION_H
#define FF_ACTIVATION_H

#include <stdint.h>
#include <string.h>

static inline float relu_of(float z)
{
    return z < 0 ? 0 : z; /* this way round, so that NaN passes */
}

/* exp(x) for 0 <= x <= 20, to about 1 ulp: x = k ln 2 + r, a polynomial for e^r, then k into the exponent. The
 * magic number rounds to the nearest whole number in float arithmetic. */
static inline float exp_of(float x)
{
    const float magic = 12582912.0f; /* 1.5 * 2^23 */
    float shifted = x * 1.44269504f + magic, k = shifted - magic;
    float r = (x - k * 0.693359375f) + k * 2.12194440e-4f; /* ln 2 in two parts */
    float p =
        1 +
        r * (1 + r * (0.5f + r * (0.166666667f + r * (0.0416666667f + r * (0.00833333333f + r * 0.00138888889f)))));
    int32_t bits;
    float power;

    memcpy(&bits, &shifted, sizeof bits);
    bits = (int32_t)((uint32_t)(bits + 127) << 23); /* the low bits of `shifted` are k */
    memcpy(&power, &bits, sizeof power);
    return p * power;
}

/* tanh to about 2 ulp: near 0 its Taylor-like odd polynomial would lose to 1 - 2 / (e^2x + 1), and the other way
 * round, so both are computed and one chosen; no branch, so that it vectorizes. */
static inline float tanh_of(float x)
{
    float a = x < 0 ? -x : x, clamped = a > 9 ? 9 : a, s = x * x, far, near;

    far = 1 - 2 / (exp_of(2 * clamped) + 1);
    far = x < 0 ? -far : far;
    near =
        x +
        x * s *
            (-0.333333333f +
             s * (0.133333333f +
                  s * (-0.0539682540f +
                       s * (0.0218694885f + s * (-0.00886323553f + s * (0.00359212803f + s * -0.00145583438f))))));
    return a < 0.4f ? near : far;
}

#endif
