#include "evaluate.h"

#include <stdlib.h>

#include "blas.h"
#include "catalog.h"
#include "machine.h"
#include "network.h"
#include "run.h"

enum { TROUBLE = 1, THREADS_MOST = 64 };

/* What was asked, and what was found. */
struct evaluation {
    const struct options *options;
    struct ff_config config; /* the checkpoint's, but for what is summed to predict */
    const struct ff_dataset *dataset;
    uint32_t first, images, wrong;
};

static uint32_t threads_of(const struct options *options)
{
    unsigned processors = machine_processors();

    if (options->placement.threads > 0)
        return options->placement.threads;
    return processors > THREADS_MOST ? THREADS_MOST : processors;
}

/* What is asked for in place of the run's own predictor, if the network can be judged by it. */
static ff_status choose_predictor(struct evaluation *evaluation, struct ff_error *error)
{
    const struct prediction *asked = &evaluation->options->prediction;
    struct ff_config *config = &evaluation->config;
    struct ff_problems problems = {0};

    if (!asked->has_predict && !asked->has_predict_from)
        return FF_OK;
    if (config->rule == FF_BACKPROP)
        return ff_fail(error, FF_INVALID,
                       "--predict and --predict-from choose among goodnesses and a read-out, and a network of the "
                       "rule backprop has neither: its last layer predicts");
    if (asked->has_predict)
        config->predict = asked->predict;
    if (asked->has_predict_from)
        config->predict_from = asked->predict_from;
    if (!ff_config_check(config, NULL, "", &problems))
        return ff_fail(error, FF_INVALID, "the network cannot predict so: %s %s", problems.problem[0].pointer + 1,
                       problems.problem[0].detail);
    return FF_OK;
}

/* Which images: of a data set that is named, all; else those that the run saw of its own, or held out. */
static ff_status choose_images(struct evaluation *evaluation, struct ff_error *error)
{
    const struct ff_config *config = &evaluation->config;
    bool test = evaluation->options->split == FF_TEST_SPLIT;
    uint32_t limit = test ? config->test_limit : config->train_limit;
    struct ff_problems problems = {0};

    evaluation->images = ff_dataset_split(evaluation->dataset, evaluation->options->split)->count;
    if (evaluation->options->dataset != NULL && evaluation->options->held_out)
        return ff_fail(error, FF_INVALID, "--split validation is of the run's own data set: leave --dataset out");
    if (evaluation->options->dataset != NULL)
        return FF_OK;
    if (!ff_config_check(config, evaluation->dataset, "", &problems))
        return ff_fail(error, FF_INVALID, "the run does not fit the data set %s as it is now: %s %s",
                       config->dataset, problems.problem[0].pointer + 1, problems.problem[0].detail);
    if (limit != 0 && limit < evaluation->images)
        evaluation->images = limit;
    if (!test)
        evaluation->images -= config->validation;
    if (!evaluation->options->held_out)
        return FF_OK;
    if (config->validation == 0)
        return ff_fail(error, FF_INVALID, "the run held no images out (its validation is 0)");
    evaluation->first = evaluation->images;
    evaluation->images = config->validation;
    return FF_OK;
}

static ff_status evaluate(struct evaluation *evaluation, struct ff_checkpoint *checkpoint, struct ff_error *error)
{
    struct ff_network *network;
    ff_status status;

    if (choose_images(evaluation, error) != FF_OK)
        return error->status;
    network = ff_network_create_as(checkpoint, &evaluation->config, threads_of(evaluation->options), error);
    if (network == NULL)
        return error->status;
    status = ff_network_evaluate(network, evaluation->dataset, evaluation->options->split, evaluation->first,
                                 evaluation->images, &evaluation->wrong, error);
    ff_network_destroy(network);
    return status;
}

static cJSON *evaluation_json(const struct evaluation *evaluation, const struct ff_checkpoint_about *about)
{
    const char *split = evaluation->options->held_out                 ? "validation"
                        : evaluation->options->split == FF_TEST_SPLIT ? "test"
                                                                      : "train";
    const char *predict = ff_config_choice("predict", (int)evaluation->config.predict);
    double error = (double)evaluation->wrong / evaluation->images;
    uint64_t parameters = ff_parameter_count(&evaluation->config, evaluation->dataset);
    cJSON *json = cJSON_CreateObject();
    bool whole = ff_json_put(json, "checkpoint", cJSON_CreateString(evaluation->options->operands.values[0])) &&
                 ff_json_put(json, "name", cJSON_CreateString(about->name)) &&
                 ff_json_put(json, "dataset", cJSON_CreateString(evaluation->dataset->name)) &&
                 ff_json_put(json, "split", cJSON_CreateString(split)) &&
                 ff_json_put(json, "images", cJSON_CreateNumber(evaluation->images)) &&
                 ff_json_put(json, "wrong", cJSON_CreateNumber(evaluation->wrong)) &&
                 ff_json_put(json, "error", run_number(error)) &&
                 ff_json_put(json, "step", cJSON_CreateNumber((double)about->standing.step)) &&
                 ff_json_put(json, "epoch", cJSON_CreateNumber(about->standing.epochs)) &&
                 ff_json_put(json, "parameters", cJSON_CreateNumber((double)parameters));

    if (evaluation->config.rule != FF_BACKPROP) /* whose last layer predicts */
        whole = whole && ff_json_put(json, "predict", cJSON_CreateString(predict)) &&
                ff_json_put(json, "predict_from", cJSON_CreateNumber(evaluation->config.predict_from));
    return ff_json_whole(json, whole);
}

static ff_status print(const struct evaluation *evaluation, const struct ff_checkpoint_about *about,
                       struct ff_error *error)
{
    cJSON *json = evaluation_json(evaluation, about);
    char *text = json == NULL ? NULL : cJSON_PrintUnformatted(json);
    ff_status status = FF_OK;

    if (text == NULL)
        status = ff_fail_memory(error, "the answer");
    else if (puts(text) < 0 || fflush(stdout) != 0)
        status = ff_fail(error, FF_IO, "standard output could not be written");
    cJSON_free(text);
    cJSON_Delete(json);
    return status;
}

/* The data set that is asked for, evaluated and said. */
static ff_status evaluate_on(struct catalog *catalog, const struct options *options,
                             struct ff_checkpoint *checkpoint, struct ff_error *error)
{
    struct evaluation evaluation = {.options = options, .config = *ff_checkpoint_config(checkpoint)};
    const char *name = options->dataset != NULL ? options->dataset : evaluation.config.dataset;
    ff_status status = choose_predictor(&evaluation, error);

    if (status != FF_OK)
        return status;
    evaluation.dataset = catalog_acquire(catalog, name, error);
    if (evaluation.dataset == NULL)
        return error->status;
    status = evaluate(&evaluation, checkpoint, error);
    if (status == FF_OK)
        status = print(&evaluation, ff_checkpoint_about(checkpoint), error);
    catalog_release(catalog, evaluation.dataset);
    return status;
}

int evaluate_command(const struct options *options)
{
    struct ff_checkpoint *checkpoint = NULL;
    struct catalog *catalog = NULL;
    struct ff_error error;
    ff_status status = ff_blas_check(&error);

    if (status == FF_OK && (checkpoint = ff_checkpoint_open(options->operands.values[0], &error)) == NULL)
        status = error.status;
    if (status == FF_OK && (catalog = catalog_create_with(options->data.values, &error)) == NULL)
        status = error.status;
    if (status == FF_OK)
        status = evaluate_on(catalog, options, checkpoint, &error);
    if (status != FF_OK)
        fprintf(stderr, "goodness evaluate: %s\n", error.message);
    catalog_destroy(catalog);
    ff_checkpoint_close(checkpoint);
    return status == FF_OK ? 0 : TROUBLE;
}
