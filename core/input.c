#include "input.h"

#include <math.h>

#include "kernels.h"

struct ff_pixel_map ff_input_make(const struct ff_plan *plan, const struct ff_dataset *dataset)
{
    double sum = 0, squares = 0, count = (double)plan->train_images * plan->pixels, mean = 0, deviation = 1;

    if (plan->config.input == FF_INPUT_STANDARDIZE) {
        uint64_t bytes[256] = {0};

        for (size_t i = 0; i < (size_t)plan->train_images * plan->pixels; i++)
            bytes[dataset->train.pixels[i]]++;
        for (int value = 0; value < 256; value++) {
            sum += (double)bytes[value] * value / 255;
            squares += (double)bytes[value] * value * value / (255.0 * 255.0);
        }
        mean = sum / count;
        deviation = sqrt(fmax(squares / count - mean * mean, 1e-12));
    }
    return (struct ff_pixel_map){.scale = (float)(plan->config.input_scale / (255 * deviation)),
                                 .offset = (float)(-mean / deviation * plan->config.input_scale)};
}

/* Divide an image's pixels by their root mean square, where the configuration says so. */
static void normalize(const struct ff_plan *plan, float *x)
{
    const struct ff_kernels *kernels = ff_kernels();
    double norm;

    if (plan->config.input != FF_INPUT_RMS)
        return;
    norm = sqrt((double)kernels->dot(x, x, plan->pixels) / plan->pixels);
    kernels->scale(x, (float)(plan->config.input_scale / (norm + 1e-8)), plan->pixels);
}

void ff_input_bytes(struct ff_pixel_map input, const struct ff_plan *plan, const uint8_t *bytes, float *x)
{
    ff_kernels()->pixels(x, bytes, input.scale, input.offset, plan->pixels);
    normalize(plan, x);
}

void ff_input_values(struct ff_pixel_map input, const struct ff_plan *plan, float *x)
{
    for (uint32_t i = 0; i < plan->pixels; i++)
        x[i] = x[i] * input.scale + input.offset;
    normalize(plan, x);
}

void ff_input_pixels(struct ff_pixel_map input, const struct ff_plan *plan, const float *pixels, float *x)
{
    for (uint32_t i = 0; i < plan->pixels; i++)
        x[i] = pixels[i] * 255 * input.scale + input.offset;
    normalize(plan, x);
}
