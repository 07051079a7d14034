#include "patches.h"

#include <stdbool.h>
#include <string.h>

uint32_t ff_patches_side(uint32_t side, uint32_t kernel, uint32_t stride, uint32_t padding)
{
    uint32_t whole = side + 2 * padding;

    return whole < kernel ? 0 : (whole - kernel) / stride + 1;
}

/* Line `line` of the image under a place, of which the kernel sees `kernel` pixels from column `left` on, some of
 * them perhaps outside. */
static void copy_line(const struct ff_patches *patches, const float *x, int64_t line, int64_t left, float *out)
{
    int64_t height = patches->in.height, width = patches->in.width, kernel = patches->kernel;
    int64_t from = left < 0 ? 0 : left, to = left + kernel < width ? left + kernel : width;
    size_t channels = patches->in.channels;

    if (line < 0 || line >= height || from >= to) {
        memset(out, 0, (size_t)kernel * channels * sizeof *out);
        return;
    }
    if (from > left)
        memset(out, 0, (size_t)(from - left) * channels * sizeof *out);
    memcpy(out + (size_t)(from - left) * channels, x + (size_t)(line * width + from) * channels,
           (size_t)(to - from) * channels * sizeof *out);
    if (left + kernel > to)
        memset(out + (size_t)(to - left) * channels, 0, (size_t)(left + kernel - to) * channels * sizeof *out);
}

void ff_patches_of_places(const struct ff_patches *patches, const float *x, float *out)
{
    size_t line = (size_t)patches->kernel * patches->in.channels;
    int64_t stride = patches->stride, padding = patches->padding;

    for (int64_t row = 0; row < patches->rows; row++) {
        for (int64_t column = 0; column < patches->columns; column++) {
            for (int64_t y = 0; y < patches->kernel; y++) {
                copy_line(patches, x, row * stride + y - padding, column * stride - padding, out);
                out += line;
            }
        }
    }
}

/* What pixel `offset` of the kernel's line sees at the places of a row, in line `x` of the image (NULL: outside).
 */
static void copy_shifted(const struct ff_patches *patches, const float *x, int64_t offset, float *out)
{
    int64_t width = patches->in.width, stride = patches->stride, columns = patches->columns;
    int64_t first = offset < 0 ? (-offset + stride - 1) / stride : 0;
    int64_t end = offset < width ? (width - 1 - offset) / stride + 1 : 0;

    end = end < columns ? end : columns;
    if (x == NULL || first >= end) {
        memset(out, 0, (size_t)columns * sizeof *out);
        return;
    }
    memset(out, 0, (size_t)first * sizeof *out);
    if (stride == 1)
        memcpy(out + first, x + first + offset, (size_t)(end - first) * sizeof *out);
    for (int64_t column = first; stride > 1 && column < end; column++)
        out[column] = x[column * stride + offset];
    memset(out + end, 0, (size_t)(columns - end) * sizeof *out);
}

void ff_patches_of_planes(const struct ff_patches *patches, const float *x, float *out, size_t stride)
{
    const struct ff_shape *in = &patches->in;
    int64_t padding = patches->padding;

    for (uint32_t channel = 0; channel < in->channels; channel++) {
        const float *plane = x + (size_t)channel * in->height * in->width;

        for (uint32_t pixel = 0; pixel < patches->kernel * patches->kernel; pixel++, out += stride) {
            int64_t down = pixel / patches->kernel, across = pixel % patches->kernel;

            for (int64_t row = 0; row < patches->rows; row++) {
                int64_t line = row * patches->stride + down - padding;
                bool inside = line >= 0 && line < in->height;

                copy_shifted(patches, inside ? plane + line * in->width : NULL, across - padding,
                             out + (size_t)row * patches->columns);
            }
        }
    }
}
