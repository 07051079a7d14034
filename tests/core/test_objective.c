/* Derivatives against central differences: of every objective alone, and of a whole layer's step. */
#include "cmocka_all.h"

#include <cblas.h>
#include <math.h>
#include <string.h>

#include "one_stage.h"
#include "random.h"

static const enum ff_objective_id objectives[] = {FF_LOGISTIC, FF_SYMBA, FF_GAP};

static void derivatives_are_those_of_the_loss(void **state)
{
    static const double values[] = {0, 0.3, 0.9, 1, 1.7, 4};
    const double h = 1e-6;

    (void)state;
    for (size_t o = 0; o < 3; o++) {
        struct ff_objective objective = {objectives[o], .threshold = 1, .temperature = 0.3, .alpha = 4};

        for (size_t i = 0; i < 6; i++) {
            for (size_t j = 0; j < 6; j++) {
                double p = values[i], n = values[j];
                struct ff_pair_loss at = ff_objective_pair(&objective, p, n);
                double by_p =
                    ff_objective_pair(&objective, p + h, n).loss - ff_objective_pair(&objective, p - h, n).loss;
                double by_n =
                    ff_objective_pair(&objective, p, n + h).loss - ff_objective_pair(&objective, p, n - h).loss;

                assert_true(fabs(at.positive - by_p / (2 * h)) < 1e-6);
                assert_true(fabs(at.negative - by_n / (2 * h)) < 1e-6);
            }
        }
    }
}

static void far_from_the_threshold_nothing_overflows(void **state)
{
    struct ff_objective objective = {FF_LOGISTIC, .threshold = 1, .temperature = 1e-3, .alpha = 4};
    struct ff_pair_loss wrong = ff_objective_pair(&objective, 0, 1e6),
                        right = ff_objective_pair(&objective, 1e6, 0);

    (void)state;
    assert_true(isfinite(wrong.loss) && fabs(wrong.loss - (1e9)) < 1e5);
    assert_true(right.loss == 0 || right.loss < 1e-300);
    assert_true(fabs(wrong.negative - 1000) < 1e-9 && right.negative < 1e-300);
    objective = (struct ff_objective){FF_SYMBA, .alpha = 1e5};
    assert_true(isfinite(ff_objective_pair(&objective, -1e6, 1e6).loss));
}

/* --- a layer's step --- */

enum { PIXELS = 7, CLASSES = 3, UNITS = 5, IMAGES = 4, ROWS = 2 * IMAGES, INPUTS = PIXELS + CLASSES };

struct bench {
    struct one_stage one;
    float images[IMAGES * PIXELS];
};

static void make_bench(struct bench *bench, enum ff_objective_id objective, enum ff_activation activation,
                       enum ff_goodness goodness)
{
    struct ff_dataset dataset = {
        .shape = {1, 1, PIXELS}, .classes = CLASSES, .train = {.count = IMAGES}, .test = {.count = IMAGES}};
    struct ff_config config;

    ff_config_defaults(&config);
    config.negatives = FF_NEGATIVES_RANDOM; /* the wrong labels are given */
    config.objective = objective;
    config.activation = activation;
    config.goodness = goodness;
    config.optimizer = FF_SGD;
    config.learning_rate.value[0] = 1; /* the step is the gradient */
    config.temperature.value[0] = 0.7;
    config.batch_size = IMAGES;
    config.layer_count = 1;
    config.layers[0].units = UNITS;
    one_stage_make(&bench->one, &config, &dataset, 0, 1, 1);
    ff_random_normal(1, FF_RANDOM_WEIGHTS, 77, 0, IMAGES * PIXELS, 0.8, bench->images);
}

static void move(struct bench *bench, enum ff_kind kind, float *weights)
{
    one_stage_move(&bench->one, kind, 0, 0, weights, INPUTS * UNITS);
}

/* The mean loss of the pairs, by one message of the kind; TRAIN takes the step too. */
static double run(struct bench *bench, enum ff_kind kind)
{
    struct ff_message *message = one_stage_start(&bench->one, 1, IMAGES);
    struct ff_objective objective = ff_objective_of(&bench->one.plan.config, 0);
    double loss = 0;

    message->kind = kind;
    memcpy(message->x, bench->images, sizeof bench->images);
    for (uint32_t image = 0; image < IMAGES; image++)
        one_stage_put(&bench->one, image, image % CLASSES, (image + 1) % CLASSES);
    ff_stage_handle(bench->one.stage, message);
    for (uint32_t i = 0; i < IMAGES; i++)
        loss += ff_objective_pair(&objective, message->goodness[2 * i], message->goodness[2 * i + 1]).loss / IMAGES;
    return loss;
}

/* dloss / dweight by central differences. */
static void numeric_gradient(struct bench *bench, float *weights, double *gradient)
{
    for (size_t i = 0; i < INPUTS * UNITS; i++) {
        const float h = 4e-3f, before = weights[i];
        double up, down;

        weights[i] = before + h;
        move(bench, FF_SET, weights);
        up = run(bench, FF_FORWARD);
        weights[i] = before - h;
        move(bench, FF_SET, weights);
        down = run(bench, FF_FORWARD);
        weights[i] = before;
        gradient[i] = (up - down) / (2.0 * (double)h);
    }
    move(bench, FF_SET, weights);
}

static void a_step_is_the_gradient(enum ff_objective_id objective, enum ff_activation activation,
                                   enum ff_goodness goodness)
{
    float weights[INPUTS * UNITS], stepped[INPUTS * UNITS];
    double gradient[INPUTS * UNITS], largest = 0, worst = 0;
    struct bench bench;

    make_bench(&bench, objective, activation, goodness);
    move(&bench, FF_GET, weights);
    numeric_gradient(&bench, weights, gradient);
    run(&bench, FF_TRAIN);
    move(&bench, FF_GET, stepped);
    for (size_t i = 0; i < INPUTS * UNITS; i++) {
        largest = fmax(largest, fabs(gradient[i]));
        worst = fmax(worst, fabs(gradient[i] - ((double)weights[i] - (double)stepped[i])));
    }
    assert_true(largest > 1e-3);
    if (worst > 0.005 * largest) /* goodness is float32, so differences carry its rounding over 2h */
        fail_msg("objective %d, activation %d, goodness %d: %.2g of the largest", objective, activation, goodness,
                 worst / largest);
    one_stage_destroy(&bench.one);
}

static void a_layers_step_is_the_gradient_of_its_loss(void **state)
{
    (void)state;
    for (size_t o = 0; o < 3; o++) {
        for (int activation = FF_RELU; activation <= FF_TANH; activation++) {
            a_step_is_the_gradient(objectives[o], (enum ff_activation)activation, FF_GOODNESS_MEAN);
            a_step_is_the_gradient(objectives[o], (enum ff_activation)activation, FF_GOODNESS_SUM);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(derivatives_are_those_of_the_loss),
        cmocka_unit_test(far_from_the_threshold_nothing_overflows),
        cmocka_unit_test(a_layers_step_is_the_gradient_of_its_loss),
    };

    openblas_set_num_threads(1); /* as the program does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
