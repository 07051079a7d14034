/* The baseline: its gradients are those of its loss, in layers of many panels and with inputs left out; what it is
 * not allowed to be set to; and that it learns. */
#include "cmocka_all.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>

#include "one_stage.h"
#include "placement.h"
#include "random.h"
#include "synthetic.h"

enum { SIDE = 18, CLASSES = 5, IMAGES = 9, MOST = 600 * SIDE * SIDE /* numbers of a tensor */ };

struct bench {
    struct ff_dataset *dataset;
    struct one_stage one;
};

/* Plain sgd with a rate of 1: a step takes the gradient off. Layers of three, two and one panel. */
static void make_bench(struct bench *bench, enum ff_activation activation, double inputs_dropped, uint32_t threads)
{
    static const uint32_t units[] = {600, 300, CLASSES};
    struct ff_config config;

    ff_config_defaults(&config);
    config.rule = FF_BACKPROP;
    config.normalize = FF_NORMALIZE_NONE;
    config.activation = activation;
    config.optimizer = FF_SGD;
    config.learning_rate.value[0] = 1;
    config.dropout.inputs = inputs_dropped;
    config.label_smoothing = 0.1;
    config.batch_size = IMAGES;
    config.layer_count = 3;
    for (uint32_t i = 0; i < 3; i++)
        config.layers[i] = (struct ff_layer_config){.kind = FF_DENSE, .units = units[i]};
    bench->dataset = synthetic_dataset(IMAGES, 1, SIDE, CLASSES);
    one_stage_make(&bench->one, &config, bench->dataset, 0, 3, threads);
}

static void destroy_bench(struct bench *bench)
{
    one_stage_destroy(&bench->one);
    ff_dataset_destroy(bench->dataset);
}

/* One step with the same images and the same masks; its loss, of the weights before. */
static double step(struct bench *bench, double rate)
{
    struct ff_message *message = one_stage_start(&bench->one, 3, IMAGES);

    message->rate = rate;
    for (uint32_t i = 0; i < IMAGES; i++)
        one_stage_put(&bench->one, i, bench->dataset->train.labels[i], 0);
    for (uint32_t i = 0; i < IMAGES * bench->one.plan.pixels; i++)
        message->x[i] = (float)bench->dataset->train.pixels[i] / 255;
    ff_stage_handle(bench->one.stage, message);
    assert_int_equal(message->failed_layer, -1);
    return message->loss[0];
}

static void move_tensor(struct bench *bench, enum ff_kind kind, uint32_t layer, uint32_t tensor, float *values)
{
    one_stage_move(&bench->one, kind, layer, tensor, values, MOST);
}

/* Of all layers their weights and biases. */
struct tensors {
    float of[3][2][MOST];
};

static void move_all(struct bench *bench, enum ff_kind kind, struct tensors *tensors)
{
    for (uint32_t layer = 0; layer < 3; layer++) {
        for (uint32_t tensor = 0; tensor < 2; tensor++)
            move_tensor(bench, kind, layer, tensor, tensors->of[layer][tensor]);
    }
}

/* The loss with one tensor moved. */
static double loss_at(struct bench *bench, uint32_t layer, uint32_t tensor, const float *from, const float *along,
                      double way)
{
    static float moved[MOST];

    for (size_t i = 0; i < MOST; i++)
        moved[i] = from[i] + (float)way * along[i];
    move_tensor(bench, FF_SET, layer, tensor, moved);
    return step(bench, 0);
}

/* Central differences along directions in which every part of the gradient counts, each time more or less. */
static void hold_tensor(struct bench *bench, const struct tensors *first, const struct tensors *after,
                        uint32_t layer, uint32_t tensor)
{
    static float from[MOST], along[MOST];

    for (uint32_t trial = 0; trial < 3; trial++) {
        double wanted = 0, norm = 0, way, found;

        for (size_t i = 0; i < MOST; i++) {
            double gradient = (double)first->of[layer][tensor][i] - (double)after->of[layer][tensor][i];

            from[i] = first->of[layer][tensor][i];
            along[i] = (float)gradient * (float)ff_random_below(5, FF_RANDOM_ORDER, trial, i, 3);
            wanted += gradient * (double)along[i];
            norm += (double)along[i] * (double)along[i];
        }
        assert_true(wanted > 0);
        way = 0.002 / sqrt(norm);
        found =
            (loss_at(bench, layer, tensor, from, along, way) - loss_at(bench, layer, tensor, from, along, -way)) /
            (2 * way);
        move_tensor(bench, FF_SET, layer, tensor, from);
        if (!(fabs(found - wanted) <= 0.02 * wanted))
            fail_msg("layer %u, tensor %u: the loss rises by %g, the gradient says %g", layer, tensor, found,
                     wanted);
    }
}

static void gradients_are_those_of_the_loss(void **state)
{
    static struct tensors first, after; /* zeros behind a tensor's end */

    (void)state;
    for (int trial = 0; trial < 4; trial++) {
        struct bench bench;

        make_bench(&bench, trial % 2 == 0 ? FF_RELU : FF_TANH, trial < 2 ? 0 : 0.3, 1 + (uint32_t)trial);
        move_all(&bench, FF_GET, &first);
        step(&bench, 1);
        move_all(&bench, FF_GET, &after);
        move_all(&bench, FF_SET, &first);
        for (uint32_t layer = 0; layer < 3; layer++) {
            for (uint32_t tensor = 0; tensor < 2; tensor++)
                hold_tensor(&bench, &first, &after, layer, tensor);
        }
        destroy_bench(&bench);
    }
}

static void its_loss_falls(void **state)
{
    struct bench bench;
    double loss;

    (void)state;
    make_bench(&bench, FF_RELU, 0, 2);
    loss = step(&bench, 0.05);
    for (int i = 0; i < 50; i++)
        step(&bench, 0.05);
    assert_true(step(&bench, 0) < 0.6 * loss); /* smoothed labels leave some */
    destroy_bench(&bench);
}

static void its_layers_stay_on_one_stage(void **state)
{
    struct bench bench;
    struct ff_placement placement;

    (void)state;
    make_bench(&bench, FF_RELU, 0, 1);
    placement = ff_placement_choose(&bench.one.plan, (struct ff_placement){3, 2}, 8);
    assert_int_equal(placement.stages, 1);
    assert_int_equal(placement.threads, 2);
    placement = ff_placement_choose(&bench.one.plan, (struct ff_placement){0, 0}, 8);
    assert_int_equal(placement.stages, 1);
    destroy_bench(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_those_of_the_loss),
        cmocka_unit_test(its_loss_falls),
        cmocka_unit_test(its_layers_stay_on_one_stage),
    };

    openblas_set_num_threads(1); /* as the program does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
