/* Convolutions and batch normalization: forward against plain loops in double, at odd sizes; steps against central
 * differences. */
#include "cmocka_all.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "one_stage.h"
#include "patches.h"
#include "random.h"

enum { IMAGES = 7, CLASSES = 3, LAYERS = 2, FLOATS = 1 << 14 };

/* --- what a kernel sees --- */

static const struct ff_patches seen[] = {
    {{1, 5, 7}, 3, 1, 1, 0, 0},   {{3, 6, 5}, 4, 2, 3, 0, 0}, {{2, 1, 9}, 1, 1, 0, 0, 0},
    {{4, 5, 5}, 5, 1, 0, 0, 0},   {{2, 3, 3}, 3, 3, 2, 0, 0}, {{5, 8, 3}, 2, 1, 1, 0, 0},
    {{1, 28, 28}, 5, 1, 2, 0, 0},
};

/* Pixel (y, x) of a channel, from the kernel's corner at a place; zero outside. */
static float pixel(const float *image, const struct ff_patches *p, uint32_t channel, int64_t y, int64_t x)
{
    if (y < 0 || x < 0 || y >= p->in.height || x >= p->in.width)
        return 0;
    return image[(channel * p->in.height + (uint32_t)y) * p->in.width + (uint32_t)x];
}

static void check_patches(struct ff_patches p)
{
    static float planes[FLOATS], places[FLOATS], of_planes[FLOATS * 4], of_places[FLOATS * 4];
    uint32_t area = p.in.height * p.in.width, k = p.kernel, count, size = p.in.channels * k * k;

    p.rows = ff_patches_side(p.in.height, k, p.stride, p.padding);
    p.columns = ff_patches_side(p.in.width, k, p.stride, p.padding);
    count = p.rows * p.columns;
    ff_random_normal(1, FF_RANDOM_WEIGHTS, 3, 0, p.in.channels * area, 1, planes);
    for (uint32_t i = 0; i < p.in.channels * area; i++)
        places[i % area * p.in.channels + i / area] = planes[i];
    ff_patches_of_planes(&p, planes, of_planes, count);
    ff_patches_of_places(&p, places, of_places);
    for (uint32_t place = 0; place < count; place++) {
        for (uint32_t input = 0; input < size; input++) {
            uint32_t channel = input / (k * k), down = input / k % k, across = input % k;
            float wanted = pixel(planes, &p, channel, (int64_t)(place / p.columns * p.stride + down) - p.padding,
                                 (int64_t)(place % p.columns * p.stride + across) - p.padding);

            assert_true(of_planes[input * count + place] == wanted);
            assert_true(of_places[place * size + (down * k + across) * p.in.channels + channel] == wanted);
        }
    }
}

static void patches_are_what_a_kernel_sees(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof seen / sizeof seen[0]; i++)
        check_patches(seen[i]);
}

static void a_kernel_that_does_not_fit_has_no_places(void **state)
{
    (void)state;
    assert_int_equal(ff_patches_side(5, 6, 1, 0), 0);
    assert_int_equal(ff_patches_side(5, 5, 3, 0), 1);
    assert_int_equal(ff_patches_side(5, 6, 1, 1), 2);
    assert_int_equal(ff_patches_side(28, 2, 2, 0), 14);
}

/* --- a network --- */

static const struct net {
    const char *name;
    struct ff_shape shape;
    struct ff_layer_config layers[LAYERS];
    bool pairs, no_bias, batch_normalization; /* pairs: else groups of classes */
    enum ff_activation activation;
    enum ff_goodness goodness;
    enum ff_normalize normalize;
    double drop_units;
} nets[] = {
#define CONV(c, k, s, p, pooled)                                                                                   \
    {                                                                                                              \
        .kind = FF_CONV, .channels = (c), .kernel = (k), .stride = (s), .padding = (p), .pool = (pooled)           \
    }
#define DENSE(n)                                                                                                   \
    {                                                                                                              \
        .kind = FF_DENSE, .units = (n)                                                                             \
    }
#define POOLED .shape = {1, 7, 6}, .layers = {CONV(6, 3, 1, 1, true), CONV(9, 2, 1, 0, false)}
#define FLAT .shape = {1, 4, 5}, .layers = {DENSE(21), DENSE(33)}
#define PAIRS .shape = {1, 6, 5}, .layers = {CONV(5, 3, 1, 1, true), DENSE(8)}, .pairs = true
#define NORMALIZED .batch_normalization = true
#define TANH .activation = FF_TANH
#define SUM .goodness = FF_GOODNESS_SUM
#define BY_CHANNEL .normalize = FF_NORMALIZE_CHANNEL_RMS
    {"pooled", POOLED},
    {"tanh, channels, stride", {3, 9, 8}, {CONV(3, 4, 2, 3, false), CONV(6, 3, 1, 1, true)}, TANH, SUM, BY_CHANNEL},
    {"normalized", POOLED, NORMALIZED, BY_CHANNEL},
    {"normalized tanh", {2, 9, 9}, {CONV(3, 3, 1, 1, true), CONV(33, 3, 2, 1, true)}, NORMALIZED, TANH},
    {"normalized dense", FLAT, NORMALIZED},
    {"normalized dense tanh", FLAT, NORMALIZED, TANH, SUM, BY_CHANNEL},
    {"dense on places", {1, 6, 6}, {CONV(6, 3, 1, 0, true), DENSE(9)}, NORMALIZED, BY_CHANNEL},
    {"pairs", PAIRS, .no_bias = true},
    {"normalized pairs", PAIRS, NORMALIZED, TANH, SUM},
    {"normalized dense pairs", {1, 4, 5}, {DENSE(6), DENSE(8)}, .pairs = true, NORMALIZED},
    {"units left out", POOLED, NORMALIZED, .drop_units = 0.3},
    {"units left out, dense", FLAT, NORMALIZED, .drop_units = 0.3},
    {"units left out, plain", POOLED, TANH, .drop_units = 0.3},
};
enum { NETS = sizeof nets / sizeof nets[0] };

struct bench {
    struct one_stage one;
    float images[FLOATS];
};

static double average; /* of the networks that are made */

static void make_bench(struct bench *bench, const struct net *net, uint32_t threads)
{
    struct ff_dataset dataset = {
        .shape = net->shape, .classes = CLASSES, .train = {.count = IMAGES}, .test = {.count = IMAGES}};
    struct ff_problems problems = {0};
    struct ff_config config;

    ff_config_defaults(&config);
    memcpy(config.layers, net->layers, sizeof net->layers);
    config.layer_count = LAYERS;
    config.rule = net->pairs ? FF_PAIRS : FF_CLASS_GROUPS;
    config.activation = net->activation;
    config.goodness = net->goodness;
    config.normalize = net->normalize;
    config.batch_normalization = net->batch_normalization;
    config.bias = !net->no_bias;
    config.dropout.units = net->drop_units;
    config.label = FF_LABEL_OVERLAY;
    config.negatives = FF_NEGATIVES_RANDOM; /* the wrong labels are given */
    config.optimizer = FF_SGD;
    config.learning_rate.value[0] = 1; /* the step is the gradient */
    config.temperature.value[0] = 0.7;
    config.label_smoothing = 0.1;
    config.average = average;
    config.batch_size = IMAGES;
    if (!ff_config_check(&config, &dataset, "", &problems))
        fail_msg("%s: %s %s", net->name, problems.problem[0].pointer, problems.problem[0].detail);
    one_stage_make(&bench->one, &config, &dataset, 0, LAYERS, threads);
    ff_random_normal(1, FF_RANDOM_WEIGHTS, 77, 0, (size_t)IMAGES * bench->one.plan.pixels, 0.8, bench->images);
}

/* All of a tensor; returns how many floats. */
static size_t move(struct bench *bench, enum ff_kind kind, uint32_t layer, uint32_t tensor, float *values)
{
    return one_stage_move(&bench->one, kind, layer, tensor, values, FLOATS);
}

/* A TRAIN message with all images, and their labels. */
static struct ff_message *start(struct bench *bench, uint64_t step)
{
    struct ff_message *message = one_stage_start(&bench->one, step, IMAGES);

    memcpy(message->x, bench->images, (size_t)IMAGES * bench->one.plan.pixels * sizeof *bench->images);
    for (uint32_t image = 0; image < IMAGES; image++)
        one_stage_put(&bench->one, image, image % CLASSES, (image + 1) % CLASSES);
    return message;
}

static struct ff_message *train(struct bench *bench)
{
    struct ff_message *message = start(bench, 1);

    ff_stage_handle(bench->one.stage, message);
    assert_int_equal(message->failed_layer, -1);
    return message;
}

/* --- the same in plain loops --- */

/* Activities of all rows: [rows][channels][height][width]. */
struct volume {
    struct ff_shape shape;
    double x[FLOATS];
};

static double *at(struct volume *volume, uint32_t row, uint32_t channel, uint32_t y, uint32_t x)
{
    struct ff_shape s = volume->shape;

    return &volume->x[((row * s.channels + channel) * s.height + y) * s.width + x];
}

static double sum_place(struct volume *in, const struct ff_layer_config *layer, const float *weights, uint32_t row,
                        uint32_t unit, uint32_t y, uint32_t x)
{
    double sum = 0;

    for (uint32_t c = 0; c < in->shape.channels; c++) {
        for (uint32_t i = 0; i < layer->kernel * layer->kernel; i++) {
            int64_t down = (int64_t)(y * layer->stride + i / layer->kernel) - layer->padding;
            int64_t across = (int64_t)(x * layer->stride + i % layer->kernel) - layer->padding;

            if (down >= 0 && across >= 0 && down < in->shape.height && across < in->shape.width)
                sum += *at(in, row, c, (uint32_t)down, (uint32_t)across) *
                       (double)weights[(c * layer->kernel * layer->kernel + i) * layer->channels + unit];
        }
    }
    return sum;
}

static void multiply(struct volume *in, const struct ff_layer_config *layer, const struct ff_layer_shape *shape,
                     const float *weights, uint32_t rows, struct volume *out)
{
    out->shape = shape->map;
    for (uint32_t row = 0; row < rows; row++) {
        for (uint32_t unit = 0; unit < shape->map.channels; unit++) {
            double sum = 0;

            for (uint32_t i = 0; layer->kind == FF_DENSE && i < ff_shape_size(in->shape); i++)
                sum += in->x[row * ff_shape_size(in->shape) + i] * (double)weights[i * shape->map.channels + unit];
            for (uint32_t place = 0; place < shape->map.height * shape->map.width; place++) {
                uint32_t y = place / shape->map.width, x = place % shape->map.width;

                *at(out, row, unit, y, x) =
                    layer->kind == FF_DENSE ? sum : sum_place(in, layer, weights, row, unit, y, x);
            }
        }
    }
}

static void pool(const struct ff_layer_shape *shape, uint32_t rows, struct volume *volume)
{
    static struct volume in;

    in = *volume;
    volume->shape = shape->out;
    for (uint32_t i = 0; i < rows * shape->out.channels; i++) {
        for (uint32_t y = 0; y < shape->out.height; y++) {
            for (uint32_t x = 0; x < shape->out.width; x++) {
                uint32_t row = i / shape->out.channels, channel = i % shape->out.channels;

                *at(volume, row, channel, y, x) = fmax(
                    fmax(*at(&in, row, channel, 2 * y, 2 * x), *at(&in, row, channel, 2 * y, 2 * x + 1)),
                    fmax(*at(&in, row, channel, 2 * y + 1, 2 * x), *at(&in, row, channel, 2 * y + 1, 2 * x + 1)));
            }
        }
    }
}

/* By channel, over rows and places; mean and unbiased variance [channels]. */
static void normalize_batch(struct volume *volume, uint32_t rows, double *means, double *variances)
{
    uint32_t places = volume->shape.height * volume->shape.width, channels = volume->shape.channels;

    for (uint32_t channel = 0; channel < channels; channel++) {
        double sum = 0, squares = 0, count = rows * places, mean, variance;

        for (uint32_t i = 0; i < rows * places; i++)
            sum += volume->x[(i / places * channels + channel) * places + i % places];
        mean = sum / count;
        for (uint32_t i = 0; i < rows * places; i++)
            squares += pow(volume->x[(i / places * channels + channel) * places + i % places] - mean, 2);
        variance = squares / count;
        for (uint32_t i = 0; i < rows * places; i++) {
            double *z = &volume->x[(i / places * channels + channel) * places + i % places];

            *z = (*z - mean) / sqrt(variance + 1e-5);
        }
        means[channel] = mean;
        variances[channel] = squares / (count - 1);
    }
}

static void activate(struct volume *volume, uint32_t rows, enum ff_activation activation)
{
    for (size_t i = 0; i < rows * ff_shape_size(volume->shape); i++)
        volume->x[i] = activation == FF_RELU ? fmax(volume->x[i], 0) : tanh(volume->x[i]);
}

static void check_goodness(const struct bench *bench, const struct net *net, uint32_t layer, struct volume *volume)
{
    const struct ff_message *message = bench->one.message;
    uint32_t groups = bench->one.plan.groups, size = (uint32_t)ff_shape_size(volume->shape) / groups;

    for (uint32_t i = 0; i < message->rows * groups; i++) {
        double sum = 0, got = (double)message->goodness[layer * bench->one.plan.max_rows * groups + i];

        for (uint32_t j = 0; j < size; j++)
            sum += pow(volume->x[i * size + j], 2);
        if (net->goodness == FF_GOODNESS_MEAN)
            sum /= size;
        if (fabs(got - sum) > 2e-5 * fmax(1, sum))
            fail_msg("%s, layer %u, goodness %u: got %.9g, wanted %.9g", net->name, layer, i, got, sum);
    }
}

static void divide(struct volume *volume, uint32_t rows, enum ff_normalize normalize)
{
    uint32_t places = volume->shape.height * volume->shape.width, channels = volume->shape.channels;
    uint32_t parts = normalize == FF_NORMALIZE_RMS ? 1 : places;

    for (uint32_t i = 0; i < rows * parts; i++) { /* a row, or a place of it */
        double squares = 0, *x = volume->x + i / parts * channels * places + i % parts, norm;

        for (uint32_t j = 0; j < channels * places / parts; j++)
            squares += pow(x[j * parts], 2);
        squares /= channels * places / parts;
        norm = normalize == FF_NORMALIZE_RMS ? sqrt(squares) + 1e-8 : sqrt(squares + 1e-3);
        for (uint32_t j = 0; j < channels * places / parts; j++)
            x[j * parts] /= norm;
    }
}

/* The running figures have moved by a twentieth from 0 and 1. */
static void check_running(struct bench *bench, const struct net *net, uint32_t layer, const double *means,
                          const double *variances)
{
    float mean[64], variance[64];
    uint32_t tensors = ff_layer_tensors(&bench->one.plan, layer);
    size_t count = move(bench, FF_GET, layer, tensors - 2, mean);

    assert_int_equal(move(bench, FF_GET, layer, tensors - 1, variance), count);
    for (size_t i = 0; i < count; i++) {
        if (fabs((double)mean[i] - 0.05 * means[i]) > 1e-6 ||
            fabs((double)variance[i] - (0.95 + 0.05 * variances[i])) > 1e-6)
            fail_msg("%s, layer %u, unit %zu: running mean %g, variance %g of a batch with %g, %g", net->name,
                     layer, i, (double)mean[i], (double)variance[i], means[i], variances[i]);
    }
}

static void overlay(struct volume *volume, uint32_t row, uint32_t label)
{
    for (uint32_t i = 0; i < CLASSES; i++)
        volume->x[row * ff_shape_size(volume->shape) + i] = i == label ? 2 : 0; /* label_scale's default */
}

/* Every layer's goodness in training, and its running figures, beside the plain loops; the weights are as they were
 * before the step. */
static void check_forward(const struct net *net, uint32_t threads)
{
    static struct volume in, out;
    static float weights[LAYERS][FLOATS];
    static struct bench bench;
    double means[LAYERS][64], variances[LAYERS][64];
    uint32_t rows;

    make_bench(&bench, net, threads);
    for (uint32_t layer = 0; layer < LAYERS; layer++)
        move(&bench, FF_GET, layer, 0, weights[layer]);
    rows = train(&bench)->rows;
    in.shape = net->shape;
    for (uint32_t i = 0; i < rows * bench.one.plan.pixels; i++)
        in.x[i] =
            (double)bench.images[i / bench.one.plan.pixels / bench.one.plan.rows_per_image * bench.one.plan.pixels +
                                 i % bench.one.plan.pixels];
    for (uint32_t row = 0; net->pairs && row < rows; row++)
        overlay(&in, row, (row / 2 + row % 2) % CLASSES);
    for (uint32_t layer = 0; layer < LAYERS; layer++) {
        const struct ff_layer_shape *shape = &bench.one.plan.layer[layer].shape;

        multiply(&in, &net->layers[layer], shape, weights[layer], rows, &out);
        if (net->batch_normalization) {
            if (net->layers[layer].pool)
                pool(shape, rows, &out);
            normalize_batch(&out, rows, means[layer], variances[layer]);
        }
        activate(&out, rows, net->activation);
        check_goodness(&bench, net, layer, &out);
        if (!net->batch_normalization && net->layers[layer].pool)
            pool(shape, rows, &out);
        divide(&out, rows, net->normalize);
        in = out;
    }
    for (uint32_t layer = 0; net->batch_normalization && layer < LAYERS; layer++)
        check_running(&bench, net, layer, means[layer], variances[layer]);
    one_stage_destroy(&bench.one);
}

static void layers_agree_with_plain_loops(void **state)
{
    (void)state;
    for (size_t i = 0; i < NETS; i++) {
        if (nets[i].drop_units == 0) {
            check_forward(&nets[i], 1);
            check_forward(&nets[i], 3);
        }
    }
}

/* --- steps --- */

/* The loss of a layer in training with one weight of it moved; the step that is taken is undone. */
static double loss_with(struct bench *bench, uint32_t layer, uint32_t tensor, float *values, size_t i, float by)
{
    float before = values[i];
    double loss;

    values[i] = before + by;
    move(bench, FF_SET, layer, tensor, values);
    loss = train(bench)->loss[layer];
    values[i] = before;
    return loss;
}

/* All weights, and biases, as they were at first. */
static void restore(struct bench *bench, float first[LAYERS][2][FLOATS])
{
    for (uint32_t layer = 0; layer < LAYERS; layer++) {
        for (uint32_t tensor = 0; tensor < ff_layer_parameter_tensors(&bench->one.plan, layer); tensor++)
            move(bench, FF_SET, layer, tensor, first[layer][tensor]);
    }
}

/* How far the derivative that was taken is from dloss / dweight by differences: the central one, or, where a unit
 * turns on or another place becomes the largest just here, that of one side. */
static double distance(struct bench *bench, float first[LAYERS][2][FLOATS], uint32_t layer, uint32_t tensor,
                       size_t i, float h, double taken)
{
    double up, down, here;

    restore(bench, first);
    here = train(bench)->loss[layer];
    restore(bench, first);
    up = (loss_with(bench, layer, tensor, first[layer][tensor], i, h) - here) / (double)h;
    restore(bench, first);
    down = (here - loss_with(bench, layer, tensor, first[layer][tensor], i, -h)) / (double)h;
    return fmin(fabs((up + down) / 2 - taken), fmin(fabs(up - taken), fabs(down - taken)));
}

static void check_step(struct bench *bench, const struct net *net, float first[LAYERS][2][FLOATS], uint32_t layer,
                       uint32_t tensor)
{
    static float stepped[FLOATS];
    double largest = 0, worst = 0;
    size_t count, stride;

    restore(bench, first);
    train(bench);
    count = move(bench, FF_GET, layer, tensor, stepped);
    stride = count / 40 + 1; /* some of a large tensor */
    for (size_t i = 0; i < count; i += stride) {
        double taken = (double)first[layer][tensor][i] - (double)stepped[i], least = INFINITY;

        for (float h = 4e-3f; h > 2e-4f; h /= 2) /* the shorter, the fewer units turn on or off on the way */
            least = fmin(least, distance(bench, first, layer, tensor, i, h, taken));
        largest = fmax(largest, fabs(taken));
        worst = fmax(worst, least);
    }
    assert_true(largest > 1e-3);
    if (worst > 0.01 * largest) /* goodness is float32 */
        fail_msg("%s, layer %u, tensor %u: %.2g of the largest, %g", net->name, layer, tensor, worst / largest,
                 largest);
}

static void steps_are_the_gradient_of_the_loss(void **state)
{
    static struct bench bench;
    static float first[LAYERS][2][FLOATS];

    (void)state;
    for (size_t n = 0; n < NETS; n++) {
        make_bench(&bench, &nets[n], 1);
        for (uint32_t layer = 0; layer < LAYERS; layer++) {
            for (uint32_t tensor = 0; tensor < ff_layer_parameter_tensors(&bench.one.plan, layer); tensor++)
                move(&bench, FF_GET, layer, tensor, first[layer][tensor]);
        }
        for (uint32_t layer = 0; layer < LAYERS; layer++) {
            for (uint32_t tensor = 0; tensor < ff_layer_parameter_tensors(&bench.one.plan, layer); tensor++)
                check_step(&bench, &nets[n], first, layer, tensor);
        }
        one_stage_destroy(&bench.one);
    }
}

/* --- what else is promised --- */

static void normalized_layers_have_no_bias(void **state)
{
    struct bench bench;

    (void)state;
    make_bench(&bench, &nets[2], 1);
    assert_true(nets[2].batch_normalization && !nets[2].no_bias);
    assert_int_equal(ff_layer_parameter_tensors(&bench.one.plan, 0), 1);
    assert_int_equal(bench.one.plan.parameters, 9 * 6 + 4 * 6 * 9);
    one_stage_destroy(&bench.one);
}

/* By how much of the way to the weights their average moves at a step. */
static double approach_at(const struct net *net, uint64_t step)
{
    static float before[FLOATS], after[FLOATS], weights[FLOATS];
    uint32_t judging;
    struct bench bench;

    average = 0.998;
    make_bench(&bench, net, 1);
    judging = ff_layer_judging_tensor(&bench.one.plan, 0);
    move(&bench, FF_GET, 0, judging, before);
    ff_stage_handle(bench.one.stage, start(&bench, step));
    move(&bench, FF_GET, 0, 0, weights);
    move(&bench, FF_GET, 0, judging, after);
    one_stage_destroy(&bench.one);
    average = 0;
    return ((double)after[3] - (double)before[3]) / ((double)weights[3] - (double)before[3]);
}

static void averages_of_normalized_networks_lengthen_slowly(void **state)
{
    const struct net *plain = &nets[0], *normalized = &nets[2];

    (void)state;
    assert_true(!plain->batch_normalization && normalized->batch_normalization);
    assert_true(fabs(approach_at(plain, 400) - (1 - pow(0.998, 10))) < 1e-3);
    assert_true(fabs(approach_at(normalized, 400) - (1 - pow(401.0 / 410, 10))) < 1e-3);
    assert_true(fabs(approach_at(normalized, 9000) - (1 - pow(0.998, 10))) < 1e-3);
    assert_true(approach_at(normalized, 401) == 0);
    assert_true(fabs(approach_at(normalized, 200) - 0.5) < 1e-3);
}

/* As the image's pixels are counted: channel by channel, line by line. */
static void weights_are_counted_channel_by_channel(void **state)
{
    static float all[FLOATS], unit[FLOATS];
    const struct net *net = &nets[1];
    struct ff_range range = {.layer = 1, .offset = 4, .count = 1, .by_columns = true};
    struct bench bench;
    size_t count;

    (void)state;
    make_bench(&bench, net, 1);
    count = move(&bench, FF_GET, 1, 0, all);
    ff_message_start(bench.one.message, &bench.one.plan, FF_GET, FF_FOR_REQUEST);
    bench.one.message->range = range;
    ff_stage_handle(bench.one.stage, bench.one.message);
    memcpy(unit, bench.one.message->x, 27 * sizeof *unit);
    assert_int_equal(count, 3 * 3 * 3 * 6);
    for (size_t i = 0; i < 27; i++)
        assert_true(unit[i] == all[i * 6 + 4]);
    one_stage_destroy(&bench.one);
}

static void a_number_that_is_none_is_never_hidden_by_pooling(void **state)
{
    struct bench bench;

    (void)state;
    for (size_t n = 0; n < 4; n++) {
        struct ff_message *message;

        make_bench(&bench, &nets[n], 1);
        bench.images[5] = NAN;
        message = start(&bench, 1);
        ff_stage_handle(bench.one.stage, message);
        assert_int_equal(message->failed_layer, 0);
        one_stage_destroy(&bench.one);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patches_are_what_a_kernel_sees),
        cmocka_unit_test(a_kernel_that_does_not_fit_has_no_places),
        cmocka_unit_test(layers_agree_with_plain_loops),
        cmocka_unit_test(steps_are_the_gradient_of_the_loss),
        cmocka_unit_test(normalized_layers_have_no_bias),
        cmocka_unit_test(averages_of_normalized_networks_lengthen_slowly),
        cmocka_unit_test(weights_are_counted_channel_by_channel),
        cmocka_unit_test(a_number_that_is_none_is_never_hidden_by_pooling),
    };

    openblas_set_num_threads(1); /* as the program does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
