/* A run as plain text, line by line. */
#include "../cmocka_all.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "textlog.h"

static char *text; /* what the last test printed */
static size_t text_size;

static FILE *start(void)
{
    FILE *out;

    free(text);
    text = NULL;
    out = open_memstream(&text, &text_size);
    assert_non_null(out);
    return out;
}

static void assert_has(const char *words)
{
    if (strstr(text, words) == NULL)
        fail_msg("\"%s\" is not in:\n%s", words, text);
}

static void assert_has_not(const char *words)
{
    if (strstr(text, words) != NULL)
        fail_msg("\"%s\" is in:\n%s", words, text);
}

static int set_up(void **state)
{
    struct run *run = calloc(1, sizeof *run);

    if (run == NULL)
        return 1;
    ff_config_defaults(&run->config);
    run->config.layer_count = 3;
    run->config.layers[0].units = 500;
    run->config.layers[1].units = 300;
    run->config.layers[2].units = 10;
    snprintf(run->name, sizeof run->name, "my run");
    run->created = 1700000000000;
    run->parameters = 550810;
    *state = run;
    return 0;
}

static int tear_down(void **state)
{
    free(*state);
    free(text);
    text = NULL;
    return 0;
}

static void an_epoch_has_the_layout_of_the_original(void **state)
{
    const struct run *run = *state;
    const struct ff_epoch epoch = {.epoch = 2,
                                   .step = 2000,
                                   .test_error = 0.405,
                                   .layers = 3,
                                   .layer = {{.positive = 115.75f, .negative = 101.25f},
                                             {.positive = 2, .negative = 0.5f},
                                             {.positive = 1, .negative = 1.25f}}};
    FILE *out = start();

    textlog_epoch(out, &run->config, &epoch);
    fclose(out);
    assert_string_equal(text, "Epoch 2:\n"
                              "  Layer 0: Pos=115.7500, Neg=101.2500, Gap=14.5000\n"
                              "  Layer 1: Pos=2.0000, Neg=0.5000, Gap=1.5000\n"
                              "  Layer 2: Pos=1.0000, Neg=1.2500, Gap=-0.2500\n"
                              "  Average total goodness difference: 15.7500\n"
                              "Test accuracy: 0.5950\n"
                              "Logic timer for train time for all layers: 6000\n"
                              "---------------------------------------------------------------\n");
}

static void an_epoch_that_was_not_evaluated_has_no_accuracy(void **state)
{
    const struct run *run = *state;
    const struct ff_epoch epoch = {.epoch = 1, .step = 10, .test_error = NAN, .layers = 1};
    FILE *out = start();

    textlog_epoch(out, &run->config, &epoch);
    fclose(out);
    assert_has_not("accuracy");
    assert_has("Logic timer for train time for all layers: 10\n");
}

static void accuracy_on_held_out_images_says_so(void **state)
{
    struct run *run = *state;
    const struct ff_epoch epoch = {.epoch = 1, .step = 10, .test_error = 0.25, .layers = 1};
    FILE *out = start();

    run->config.evaluate_on = FF_EVALUATE_VALIDATION;
    textlog_epoch(out, &run->config, &epoch);
    fclose(out);
    assert_has("Validation accuracy: 0.7500\n");
    assert_has_not("Test accuracy");
}

static void a_run_that_goes_on_says_where(void **state)
{
    const struct ff_standing standing = {.step = 1234, .epochs = 1};
    FILE *out = start();

    (void)state;
    textlog_resumed(out, "kept/run", &standing);
    fclose(out);
    assert_string_equal(text, "Goes on after step 1234, with 1 epoch done, from kept/run\n"
                              "---------------------------------------------------------------\n");
}

static void the_header_tells_what_is_trained_on_what(void **state)
{
    struct run *run = *state;
    const struct ff_dataset dataset = {
        .name = "mnist", .shape = {1, 28, 28}, .classes = 10, .train = {.count = 60000}, .test = {.count = 10000}};
    FILE *out = start();

    snprintf(run->preset, sizeof run->preset, "original-small");
    run->config.train_limit = 1000;
    run->config.test_limit = 500;
    run->placement = (struct ff_placement){.stages = 2, .threads = 1};
    textlog_header(out, run, &dataset, "a machine, processors 2");
    fclose(out);
    assert_has("Date: 2023-11-14T22:13:20Z\n");
    assert_has("Run: my run\n");
    assert_has("Preset: original-small\n");
    assert_has("Data set: mnist, 1000 training images, 500 test images of 28x28, 10 classes\n");
    assert_has("Architecture: 784+10 -> 500 -> 300 -> 10\n");
    assert_has("Parameters: 550810\n");
    assert_has("Placement: stages 2, threads of each 1\nMachine: a machine, processors 2\n");
    assert_has("  train_limit: 1000\n");
    assert_has("  layers: [500,300,10]\n");
    assert_has_not("  momentum:"); /* as the defaults have it */
}

static void without_the_data_set_the_header_leaves_out_what_it_cannot_know(void **state)
{
    const struct run *run = *state;
    FILE *out = start();

    textlog_header(out, run, NULL, NULL);
    fclose(out);
    assert_has("Data set: mnist\n");
    assert_has("Architecture: image -> 500 -> 300 -> 10\n");
    assert_has_not("images");
    assert_has_not("Preset:");
    assert_has_not("Placement:");
    assert_has_not("Machine:");
}

static void a_configuration_of_defaults_says_so(void **state)
{
    struct run *run = *state;
    FILE *out = start();

    ff_config_defaults(&run->config);
    textlog_header(out, run, NULL, NULL);
    fclose(out);
    assert_has("Configuration: the defaults\n");
    out = start();
    run->config.momentum = run->config.momentum / 2 + 0.1;
    textlog_header(out, run, NULL, NULL);
    fclose(out);
    assert_has("Configuration, where it differs from the defaults:\n  momentum: ");
}

static void a_label_over_the_pixels_adds_no_inputs(void **state)
{
    struct run *run = *state;
    const struct ff_dataset dataset = {.shape = {1, 28, 28}, .classes = 10};
    char architecture[64];

    run->config.label = FF_LABEL_OVERLAY;
    textlog_architecture(&run->config, &dataset, architecture, sizeof architecture);
    assert_string_equal(architecture, "784 -> 500 -> 300 -> 10");
    run->config.label = FF_LABEL_PREPEND;
    run->config.rule = FF_BACKPROP;
    textlog_architecture(&run->config, &dataset, architecture, sizeof architecture);
    assert_string_equal(architecture, "784 -> 500 -> 300 -> 10");
}

static void a_long_architecture_is_cut(void **state)
{
    struct run *run = *state;
    char architecture[12];

    memset(architecture, 'x', sizeof architecture);
    textlog_architecture(&run->config, NULL, architecture, 10);
    assert_string_equal(architecture, "image -> ");
    assert_int_equal(architecture[10], 'x');
}

static void fill_evaluation(struct textlog_evaluation *kept)
{
    static const uint16_t truth[] = {7, 2, 1, 0, 4, 1, 7}, predicted[] = {7, 0, 1, 0, 4, 9, 7};
    static const float confidence[] = {0.75f, 0.5f, 1, 1, 0.25f, 1, 1};
    const struct ff_evaluation evaluation = {
        .epoch = 3, .count = 7, .truth = truth, .predicted = predicted, .confidence = confidence};

    textlog_keep_evaluation(kept, &evaluation);
}

static void the_end_has_the_detailed_evaluation_and_five_samples(void **state)
{
    struct run *run = *state;
    struct textlog_evaluation evaluation;
    FILE *out = start();

    fill_evaluation(&evaluation);
    run->state = RUN_FINISHED;
    run->progress.elapsed = 12.345;
    run->progress.evaluating = 1.5;
    run->last.epoch = 3;
    snprintf(run->last.digest, sizeof run->last.digest, "sha256:0123");
    textlog_end(out, run, &evaluation);
    fclose(out);
    assert_string_equal(text, "Training time: 12.35 seconds, 1.50 of them for evaluation\n"
                              "Digest of the weights after epoch 3: sha256:0123\n"
                              "State: finished\n"
                              "\n"
                              "Detailed evaluation, 7 test images after epoch 3:\n"
                              "  Label 0: 1.0000 (1 of 1)\n"
                              "  Label 1: 0.5000 (1 of 2)\n"
                              "  Label 2: 0.0000 (0 of 1)\n"
                              "  Label 4: 1.0000 (1 of 1)\n"
                              "  Label 7: 1.0000 (2 of 2)\n"
                              "  Overall accuracy: 0.7143 (5 of 7)\n"
                              "\n"
                              "Sample predictions:\n"
                              "  Sample 1: true 7, predicted 7, confidence 0.7500, right\n"
                              "  Sample 2: true 2, predicted 0, confidence 0.5000, wrong\n"
                              "  Sample 3: true 1, predicted 1, confidence 1.0000, right\n"
                              "  Sample 4: true 0, predicted 0, confidence 1.0000, right\n"
                              "  Sample 5: true 4, predicted 4, confidence 0.2500, right\n");
}

static void a_run_that_failed_says_why(void **state)
{
    struct run *run = *state;
    struct textlog_evaluation none = {.epoch = 0};
    FILE *out = start();

    run->state = RUN_FAILED;
    snprintf(run->reason, sizeof run->reason, "layer 2 diverged");
    textlog_end(out, run, &none);
    fclose(out);
    assert_has("State: failed (layer 2 diverged)\n");
    assert_has_not("Detailed evaluation");
}

static void a_run_under_way_has_only_its_state(void **state)
{
    struct run *run = *state;
    FILE *out = start();

    run->state = RUN_RUNNING;
    textlog_end(out, run, NULL);
    fclose(out);
    assert_string_equal(text, "State: running\n");
}

static void the_comparison_has_a_row_a_run_in_columns(void **state)
{
    struct run *first = *state, *second = malloc(sizeof *second);
    const struct run *runs[2];
    FILE *out = start();

    assert_non_null(second);
    memcpy(second, first, sizeof *second);
    first->state = RUN_FINISHED;
    first->last.epoch = 3;
    first->last.test_error = 0.277;
    first->progress.elapsed = 1.5;
    second->state = RUN_STOPPED;
    second->config.layer_count = 1;
    second->parameters = 1000;
    snprintf(second->name, sizeof second->name, "übung"); /* six bytes in five columns */
    runs[0] = first;
    runs[1] = second;
    textlog_comparison(out, runs, 2);
    fclose(out);
    assert_has("Run     Architecture               Parameters  Accuracy    Seconds  State\n"
               "my run  image -> 500 -> 300 -> 10      550810    0.7230       1.50  finished\n"
               "übung   image -> 500                     1000         -       0.00  stopped\n");
    free(second);
}

static void the_comparison_falls_back_on_the_best_epoch(void **state)
{
    struct run *run = *state;
    const struct run *runs[] = {run};
    FILE *out = start();

    run->state = RUN_FINISHED;
    run->last.epoch = 3;
    run->last.test_error = NAN;
    run->best.epoch = 2;
    run->best.test_error = 0.125;
    textlog_comparison(out, runs, 1);
    fclose(out);
    assert_has("  0.8750  ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(an_epoch_has_the_layout_of_the_original),
        FIXTURE_TEST(an_epoch_that_was_not_evaluated_has_no_accuracy),
        FIXTURE_TEST(accuracy_on_held_out_images_says_so),
        FIXTURE_TEST(a_run_that_goes_on_says_where),
        FIXTURE_TEST(the_header_tells_what_is_trained_on_what),
        FIXTURE_TEST(without_the_data_set_the_header_leaves_out_what_it_cannot_know),
        FIXTURE_TEST(a_configuration_of_defaults_says_so),
        FIXTURE_TEST(a_label_over_the_pixels_adds_no_inputs),
        FIXTURE_TEST(a_long_architecture_is_cut),
        FIXTURE_TEST(the_end_has_the_detailed_evaluation_and_five_samples),
        FIXTURE_TEST(a_run_that_failed_says_why),
        FIXTURE_TEST(a_run_under_way_has_only_its_state),
        FIXTURE_TEST(the_comparison_has_a_row_a_run_in_columns),
        FIXTURE_TEST(the_comparison_falls_back_on_the_best_epoch),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
