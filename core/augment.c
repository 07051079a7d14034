#include "augment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"

enum {
    SPACING = 9,
    CONTROLS_MAX = FF_BENT_SIDE_MAX / SPACING + 4
}; /* pixels between control points; of those a side */

/* Places of an image's random numbers. */
enum { FLIP, SHIFT_X, SHIFT_Y, ANGLE, SCALE_X, SCALE_Y, SHEAR, MOVE_X, MOVE_Y, ERASE_X, ERASE_Y, DRAWS };

struct ff_augmenter {
    struct ff_augment settings;
    struct ff_shape shape;
    uint64_t seed;
    bool warps;             /* more than whole pixels */
    uint32_t rows, columns; /* control points down, and across */
    float *row_basis;       /* [height][rows], the splines' values at the pixels */
    float *column_basis;    /* [width][columns] */
};

bool ff_augments(const struct ff_augment *augment)
{
    return augment->shift > 0 || augment->rotate > 0 || augment->scale > 0 || augment->shear > 0 ||
           augment->translate > 0 || augment->elastic > 0 || augment->erase > 0 || augment->flip;
}

/* --- making one --- */

static float spline(float distance)
{
    float t = fabsf(distance);

    if (t < 1)
        return 2.0f / 3 - t * t + t * t * t / 2;
    return t < 2 ? (2 - t) * (2 - t) * (2 - t) / 6 : 0;
}

/* Control j lies at (j - 1) * SPACING, so that every pixel is between four of them. */
static uint32_t controls(uint32_t side)
{
    return (side - 1 + SPACING - 1) / SPACING + 3;
}

static float *make_basis(uint32_t side, uint32_t count)
{
    float *basis = malloc((size_t)side * count * sizeof *basis);

    for (uint32_t i = 0; basis != NULL && i < side; i++) {
        for (uint32_t j = 0; j < count; j++)
            basis[i * count + j] = spline((float)i / SPACING - ((float)j - 1));
    }
    return basis;
}

struct ff_augmenter *ff_augmenter_create(const struct ff_augment *augment, struct ff_shape shape, uint64_t seed,
                                         struct ff_error *error)
{
    struct ff_augmenter *augmenter = calloc(1, sizeof *augmenter);

    if (augmenter != NULL) {
        *augmenter = (struct ff_augmenter){.settings = *augment, .shape = shape, .seed = seed};
        augmenter->warps = augment->rotate > 0 || augment->scale > 0 || augment->shear > 0 ||
                           augment->translate > 0 || augment->elastic > 0;
        augmenter->rows = controls(shape.height);
        augmenter->columns = controls(shape.width);
        augmenter->row_basis = make_basis(shape.height, augmenter->rows);
        augmenter->column_basis = make_basis(shape.width, augmenter->columns);
    }
    if (augmenter == NULL || augmenter->row_basis == NULL || augmenter->column_basis == NULL) {
        ff_augmenter_destroy(augmenter);
        ff_fail_memory(error, "the changes of the images");
        return NULL;
    }
    return augmenter;
}

void ff_augmenter_destroy(struct ff_augmenter *augmenter)
{
    if (augmenter == NULL)
        return;
    free(augmenter->row_basis);
    free(augmenter->column_basis);
    free(augmenter);
}

/* --- one image --- */

/* What one image's numbers come to. */
struct change {
    bool flip;
    int shift_x, shift_y;
    float xx, xy, yx, yy, move_x, move_y; /* where a pixel looks: from the centre */
    int erase_x, erase_y, erase;
};

static void draw(const struct ff_augmenter *augmenter, uint32_t epoch, uint32_t image, float *uniform)
{
    for (uint32_t i = 0; i < DRAWS; i += 4) {
        uint32_t words[4];

        ff_random_words(augmenter->seed, FF_RANDOM_AUGMENT, epoch, (uint64_t)image << 16 | i / 4, words);
        for (uint32_t j = 0; j < 4 && i + j < DRAWS; j++)
            uniform[i + j] = (float)(words[j] >> 8) * 0x1p-24f;
    }
}

/* Evenly from -size to size. */
static float around_zero(float uniform, double size)
{
    return (2 * uniform - 1) * (float)size;
}

/* A whole number evenly from -size to size. */
static int whole_around_zero(float uniform, double size)
{
    int most = (int)size;

    return (int)(uniform * (float)(2 * most + 1)) - most;
}

static struct change change_of(const struct ff_augmenter *augmenter, const float *uniform)
{
    const struct ff_augment *settings = &augmenter->settings;
    float angle = around_zero(uniform[ANGLE], settings->rotate) * (float)(M_PI / 180), sine = sinf(angle),
          cosine = cosf(angle), shear = around_zero(uniform[SHEAR], settings->shear),
          scale_x = 1 + around_zero(uniform[SCALE_X], settings->scale),
          scale_y = 1 + around_zero(uniform[SCALE_Y], settings->scale);
    int erase = (int)settings->erase;

    return (struct change){.flip = settings->flip && uniform[FLIP] < 0.5f,
                           .shift_x = whole_around_zero(uniform[SHIFT_X], settings->shift),
                           .shift_y = whole_around_zero(uniform[SHIFT_Y], settings->shift),
                           .xx = cosine * scale_x,
                           .xy = (shear - sine) * scale_x,
                           .yx = sine * scale_y,
                           .yy = cosine * scale_y,
                           .move_x = around_zero(uniform[MOVE_X], settings->translate),
                           .move_y = around_zero(uniform[MOVE_Y], settings->translate),
                           .erase = erase,
                           .erase_x = (int)(uniform[ERASE_X] * (float)augmenter->shape.width) - erase / 2,
                           .erase_y = (int)(uniform[ERASE_Y] * (float)augmenter->shape.height) - erase / 2};
}

/* A pixel of the image, mirrored and shifted as the change says; zero outside. */
static float pixel_at(const struct ff_augmenter *augmenter, const struct change *change, const uint8_t *bytes,
                      int x, int y)
{
    int width = (int)augmenter->shape.width, height = (int)augmenter->shape.height;

    x -= change->shift_x;
    y -= change->shift_y;
    if (x < 0 || x >= width || y < 0 || y >= height)
        return 0;
    return bytes[y * width + (change->flip ? width - 1 - x : x)];
}

/* Bending: the control points' displacements in one direction, [rows][columns]. */
static void draw_controls(const struct ff_augmenter *augmenter, uint32_t epoch, uint32_t image, uint32_t direction,
                          float *values)
{
    ff_random_normal(augmenter->seed, FF_RANDOM_BEND, epoch,
                     ((uint64_t)image << 1 | direction) * CONTROLS_MAX * CONTROLS_MAX,
                     (size_t)augmenter->rows * augmenter->columns, augmenter->settings.elastic, values);
}

/* The controls' splines along one row of pixels: [columns]. */
static void bend_row(const struct ff_augmenter *augmenter, const float *controls_of, uint32_t y, float *row)
{
    const float *basis = augmenter->row_basis + (size_t)y * augmenter->rows;

    memset(row, 0, augmenter->columns * sizeof *row);
    for (uint32_t i = 0; i < augmenter->rows; i++) {
        for (uint32_t j = 0; basis[i] != 0 && j < augmenter->columns; j++)
            /* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): draw_controls wrote them all */
            row[j] += basis[i] * controls_of[i * augmenter->columns + j];
    }
}

static float bend_at(const struct ff_augmenter *augmenter, const float *row, uint32_t x)
{
    const float *basis = augmenter->column_basis + (size_t)x * augmenter->columns;
    uint32_t first = x / SPACING; /* four splines reach a pixel */
    float sum = 0;

    for (uint32_t j = first; j < first + 4 && j < augmenter->columns; j++)
        sum += basis[j] * row[j];
    return sum;
}

/* Bilinear between four pixels. */
static float sample_at(const struct ff_augmenter *augmenter, const struct change *change, const uint8_t *bytes,
                       float x, float y)
{
    int left = (int)floorf(x), top = (int)floorf(y);
    float right_share = x - (float)left, bottom_share = y - (float)top;
    float upper = pixel_at(augmenter, change, bytes, left, top) * (1 - right_share) +
                  pixel_at(augmenter, change, bytes, left + 1, top) * right_share;
    float lower = pixel_at(augmenter, change, bytes, left, top + 1) * (1 - right_share) +
                  pixel_at(augmenter, change, bytes, left + 1, top + 1) * right_share;

    return upper * (1 - bottom_share) + lower * bottom_share;
}

static bool is_erased(const struct change *change, int x, int y)
{
    return x >= change->erase_x && x < change->erase_x + change->erase && y >= change->erase_y &&
           y < change->erase_y + change->erase;
}

/* Where the pixels of a row look, from the image's corner: [2][width]. */
static void places_of_row(const struct ff_augmenter *augmenter, const struct change *change,
                          const float *const controls_of[2], uint32_t y, float *places)
{
    uint32_t width = augmenter->shape.width;
    float centre_x = (float)(width - 1) / 2, centre_y = (float)(augmenter->shape.height - 1) / 2;
    float row[2][CONTROLS_MAX];
    bool bends = augmenter->settings.elastic > 0;

    for (int direction = 0; bends && direction < 2; direction++)
        bend_row(augmenter, controls_of[direction], y, row[direction]);
    for (uint32_t x = 0; x < width; x++) {
        float dx = (float)x - centre_x, dy = (float)y - centre_y;

        places[x] = change->xx * dx + change->xy * dy + change->move_x + centre_x;
        places[width + x] = change->yx * dx + change->yy * dy + change->move_y + centre_y;
        if (bends) {
            places[x] += bend_at(augmenter, row[0], x);
            places[width + x] += bend_at(augmenter, row[1], x);
        }
    }
}

void ff_augment_image(const struct ff_augmenter *augmenter, uint32_t epoch, uint32_t image, const uint8_t *bytes,
                      float *values)
{
    uint32_t width = augmenter->shape.width, height = augmenter->shape.height;
    float uniform[DRAWS], bending[2][CONTROLS_MAX * CONTROLS_MAX], places[2 * width];
    const float *const controls_of[2] = {bending[0], bending[1]};
    struct change change;

    draw(augmenter, epoch, image, uniform);
    change = change_of(augmenter, uniform);
    for (uint32_t direction = 0; augmenter->settings.elastic > 0 && direction < 2; direction++)
        draw_controls(augmenter, epoch, image, direction, bending[direction]);
    for (uint32_t y = 0; y < height; y++) {
        if (augmenter->warps)
            places_of_row(augmenter, &change, controls_of, y, places);
        for (uint32_t x = 0; x < width; x++) {
            bool erased = is_erased(&change, (int)x, (int)y);

            for (uint32_t channel = 0; channel < augmenter->shape.channels; channel++) {
                const uint8_t *plane = bytes + (size_t)channel * width * height;

                values[((size_t)channel * height + y) * width + x] =
                    erased             ? 0
                    : augmenter->warps ? sample_at(augmenter, &change, plane, places[x], places[width + x])
                                       : pixel_at(augmenter, &change, plane, (int)x, (int)y);
            }
        }
    }
}
