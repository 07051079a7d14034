#include "normalization.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const float epsilon = 1e-5f, share = 0.05f;

struct ff_tensor_form ff_normalization_tensor(uint32_t statistic, uint32_t units)
{
    return statistic == 0 ? (struct ff_tensor_form){"normalization.mean", 1, 1, units, 0}
                          : (struct ff_tensor_form){"normalization.variance", 1, 1, units, 0};
}

static float *numbers(uint32_t units, float value)
{
    float *array = ff_floats(units);

    for (uint32_t unit = 0; array != NULL && unit < units; unit++)
        array[unit] = value;
    return array;
}

bool ff_normalization_create(struct ff_normalization *normalization, uint32_t units, float *mean, float *variance)
{
    *normalization = (struct ff_normalization){.units = units,
                                               .running_mean = mean,
                                               .running_variance = variance,
                                               .batch_mean = numbers(units, 0),
                                               .batch_variance = numbers(units, 1),
                                               .shift = numbers(units, 0),
                                               .scale = numbers(units, 1),
                                               .pull = numbers(units, 0),
                                               .tilt = numbers(units, 0)};
    for (uint32_t unit = 0; variance != NULL && unit < units; unit++)
        variance[unit] = 1;
    return normalization->batch_mean && normalization->batch_variance && normalization->shift &&
           normalization->scale && normalization->pull && normalization->tilt;
}

void ff_normalization_destroy(struct ff_normalization *normalization)
{
    free(normalization->batch_mean);
    free(normalization->batch_variance);
    free(normalization->shift);
    free(normalization->scale);
    free(normalization->pull);
    free(normalization->tilt);
}

void ff_normalization_use(struct ff_normalization *normalization, bool batch, uint32_t first, uint32_t count)
{
    const float *mean = batch ? normalization->batch_mean : normalization->running_mean,
                *variance = batch ? normalization->batch_variance : normalization->running_variance;

    for (uint32_t unit = first; unit < first + count; unit++) {
        normalization->shift[unit] = mean[unit];
        normalization->scale[unit] = 1 / sqrtf(variance[unit] + epsilon);
    }
}

void ff_normalization_learn(struct ff_normalization *normalization, uint64_t places, uint32_t first, uint32_t count)
{
    float unbiased = places > 1 ? (float)places / (float)(places - 1) : 1;

    for (uint32_t unit = first; unit < first + count; unit++) {
        float *mean = &normalization->running_mean[unit], *variance = &normalization->running_variance[unit];

        *mean += share * (normalization->batch_mean[unit] - *mean);
        *variance += share * (normalization->batch_variance[unit] * unbiased - *variance);
    }
}
