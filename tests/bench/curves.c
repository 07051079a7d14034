/* curves.c - what a training step costs against layers, width and batch, beside its floor: BLAS doing the same
 * products on all processors. Both take turns; the best of the rounds counts.
 *
 *     curves [SVG]      prints a table; writes the same as a picture to the path SVG */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"

enum { ROUNDS = 3, POINTS_MAX = 16, CURVES = 3 };
static const double SECONDS = 0.25;

enum axis { LAYERS, WIDTH, BATCH };

struct curve {
    const char *title;
    enum axis axis;
    uint32_t layers, width, batch; /* what does not vary */
    uint32_t count, values[POINTS_MAX];
    double step[POINTS_MAX], floor[POINTS_MAX]; /* microseconds */
};

static struct curve curves[CURVES] = {
    {.title = "layers, each 500 wide, batch 100",
     .axis = LAYERS,
     .width = 500,
     .batch = 100,
     .count = 8,
     .values = {1, 2, 3, 4, 5, 6, 7, 8}},
    {.title = "width of two layers, batch 100",
     .axis = WIDTH,
     .layers = 2,
     .batch = 100,
     .count = 5,
     .values = {100, 200, 500, 1000, 2000}},
    {.title = "batch, two layers of 500",
     .axis = BATCH,
     .layers = 2,
     .width = 500,
     .count = 10,
     .values = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512}},
};

/* --- measuring --- */

static struct bench_setup setup_of(const struct curve *curve, uint32_t value)
{
    return (struct bench_setup){.layers = curve->axis == LAYERS ? value : curve->layers,
                                .units = curve->axis == WIDTH ? value : curve->width,
                                .batch = curve->axis == BATCH ? value : curve->batch,
                                .optimizer = FF_MOMENTUM};
}

static void measure(struct curve *curve, const struct ff_dataset *dataset, int processors)
{
    printf("step against %s (momentum, 784 inputs)\n", curve->title);
    for (uint32_t i = 0; i < curve->count; i++) {
        struct bench_setup setup = setup_of(curve, curve->values[i]);
        double step = 0, floor = 0;

        for (int round = 0; round < ROUNDS; round++) {
            step = fmax(step, bench_steps(&setup, dataset, SECONDS));
            floor = fmax(floor, bench_floor(&setup, processors, SECONDS));
        }
        curve->step[i] = 1e6 / step;
        curve->floor[i] = 1e6 / floor;
        printf("  %5u  %10.0f us a step   floor %10.0f us   %.3f of the floor\n", curve->values[i], curve->step[i],
               curve->floor[i], curve->floor[i] / curve->step[i]);
        fflush(stdout);
    }
}

/* --- the picture: a panel for each curve, beside one another --- */

enum { PANEL = 400, HEIGHT = 340, LEFT = 64, RIGHT = 20, TOP = 44, BOTTOM = 56 };

/* From a value to a place on a logarithmic axis. */
struct scale {
    double low, high, from, to;
};

static double place(const struct scale *scale, double value)
{
    return scale->from + (scale->to - scale->from) * log(value / scale->low) / log(scale->high / scale->low);
}

static void draw_line(FILE *svg, const struct curve *curve, const double *y, const struct scale *across,
                      const struct scale *up, const char *style)
{
    fprintf(svg, "<polyline class=\"%s\" points=\"", style);
    for (uint32_t i = 0; i < curve->count; i++)
        fprintf(svg, "%.1f,%.1f ", place(across, curve->values[i]), place(up, y[i]));
    fprintf(svg, "\"/>\n");
    for (uint32_t i = 0; i < curve->count; i++)
        fprintf(svg, "<circle class=\"%s\" r=\"3\" cx=\"%.1f\" cy=\"%.1f\"><title>%u: %.0f us</title></circle>\n",
                style, place(across, curve->values[i]), place(up, y[i]), curve->values[i], y[i]);
}

/* Powers of ten from below the lowest to above the highest figure. */
static struct scale scale_of(const struct curve *curve)
{
    struct scale scale = {INFINITY, 0, HEIGHT - BOTTOM, TOP};

    for (uint32_t i = 0; i < curve->count; i++) {
        scale.low = fmin(scale.low, fmin(curve->step[i], curve->floor[i]));
        scale.high = fmax(scale.high, fmax(curve->step[i], curve->floor[i]));
    }
    scale.low = pow(10, floor(log10(scale.low)));
    scale.high = pow(10, ceil(log10(scale.high)));
    return scale;
}

static void draw_axes(FILE *svg, const struct curve *curve, const struct scale *across, const struct scale *up)
{
    for (double value = up->low; value <= up->high * 1.01; value *= 10) {
        double y = place(up, value);

        fprintf(svg, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>\n", LEFT, PANEL - RIGHT, y,
                y);
        if (value < 1000)
            fprintf(svg, "<text x=\"%d\" y=\"%.1f\" class=\"left\">%.0f us</text>\n", LEFT - 6, y + 4, value);
        else
            fprintf(svg, "<text x=\"%d\" y=\"%.1f\" class=\"left\">%.0f ms</text>\n", LEFT - 6, y + 4,
                    value / 1000);
    }
    for (uint32_t i = 0; i < curve->count; i++)
        fprintf(svg, "<text x=\"%.1f\" y=\"%d\" class=\"below\">%u</text>\n", place(across, curve->values[i]),
                HEIGHT - BOTTOM + 18, curve->values[i]);
    fprintf(svg, "<text x=\"%d\" y=\"%d\" class=\"below\">%s</text>\n", (LEFT + PANEL - RIGHT) / 2, HEIGHT - 14,
            curve->title);
}

static void draw_curve(FILE *svg, const struct curve *curve, int panel)
{
    struct scale up = scale_of(curve);
    struct scale across = {curve->values[0], curve->values[curve->count - 1], LEFT + 8, PANEL - RIGHT - 8};

    fprintf(svg, "<g transform=\"translate(%d 0)\">\n", panel * PANEL);
    draw_axes(svg, curve, &across, &up);
    draw_line(svg, curve, curve->floor, &across, &up, "floor");
    draw_line(svg, curve, curve->step, &across, &up, "step");
    fprintf(svg, "</g>\n");
}

static void draw(FILE *svg)
{
    fprintf(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" "
        "font-size=\"12\">\n<style>polyline { fill: none; stroke-width: 2 } .step { stroke: #1565c0 } circle.step "
        "{ fill: #1565c0 } .floor { stroke: #9e9e9e } circle.floor { fill: #9e9e9e } .grid { stroke: #e0e0e0 } "
        ".left { text-anchor: end } .below { text-anchor: middle } polyline.floor { stroke-dasharray: 5 3 }"
        "</style>\n<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
        CURVES * PANEL, HEIGHT);
    fprintf(svg,
            "<text x=\"%d\" y=\"22\" font-size=\"14\">A training step (blue) beside BLAS alone doing the same "
            "products (grey), both axes logarithmic</text>\n",
            LEFT);
    for (int i = 0; i < CURVES; i++)
        draw_curve(svg, &curves[i], i);
    fprintf(svg, "</svg>\n");
}

static void write_picture(const char *path)
{
    FILE *svg = fopen(path, "w");

    if (svg == NULL)
        bench_fail(path, "cannot be written");
    draw(svg);
    if (ferror(svg) | fclose(svg))
        bench_fail(path, "cannot be written whole");
    printf("drawn in %s\n", path);
}

int main(int count, char **arguments)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    struct ff_dataset dataset;

    bench_dataset_make(&dataset);
    for (int i = 0; i < CURVES; i++)
        measure(&curves[i], &dataset, (int)processors);
    bench_dataset_free(&dataset);
    if (count > 1)
        write_picture(arguments[1]);
    return 0;
}
