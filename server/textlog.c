#include "textlog.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "plan.h"
#include "text.h"

static const char thin_rule[] = "---------------------------------------------------------------";
static const char thick_rule[] = "===============================================================";

/* Appending to a text of a fixed size; what does not fit is left out. */
struct short_text {
    char *start;
    size_t size, used;
};

__attribute__((format(printf, 2, 3))) static void append(struct short_text *text, const char *format, ...)
{
    va_list arguments;
    int length;

    if (text->used >= text->size)
        return;
    va_start(arguments, format);
    length = vsnprintf(text->start + text->used, text->size - text->used, format, arguments);
    va_end(arguments);
    text->used += length < 0 ? 0 : (size_t)length;
}

/* Header */

static void print_time(FILE *out, int64_t milliseconds)
{
    time_t seconds = (time_t)(milliseconds / 1000);
    struct tm fields;
    char text[40];

    if (milliseconds > 0 && gmtime_r(&seconds, &fields) != NULL &&
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &fields) > 0)
        fprintf(out, "Date: %s\n", text);
}

static void append_layer(struct short_text *text, const struct ff_layer_config *layer)
{
    if (layer->kind == FF_DENSE) {
        append(text, "%" PRIu32, layer->units);
        return;
    }
    append(text, "conv %" PRIu32 " of %" PRIu32 "x%" PRIu32, layer->channels, layer->kernel, layer->kernel);
    if (layer->stride > 1)
        append(text, " by %" PRIu32, layer->stride);
    if (layer->pool)
        append(text, " pooled");
}

void textlog_architecture(const struct ff_config *config, const struct ff_dataset *dataset, char *out, size_t size)
{
    struct short_text text = {.start = out, .size = size};

    if (dataset == NULL)
        append(&text, "image");
    else
        append(&text, "%zu", ff_shape_size(dataset->shape));
    if (config->rule == FF_PAIRS && config->label == FF_LABEL_PREPEND && dataset != NULL)
        append(&text, "+%" PRIu32, dataset->classes);
    for (uint32_t i = 0; i < config->layer_count; i++) {
        append(&text, " -> ");
        append_layer(&text, &config->layers[i]);
    }
}

static void print_dataset(FILE *out, const struct run *run, const struct ff_dataset *dataset)
{
    struct ff_plan plan;

    if (dataset == NULL) {
        fprintf(out, "Data set: %s\n", run->config.dataset);
        return;
    }
    ff_plan_make(&plan, &run->config, dataset);
    fprintf(out,
            "Data set: %s, %" PRIu32 " training image%s, %" PRIu32 " %s image%s of %" PRIu32 "x%" PRIu32
            ", %" PRIu32 " classes\n",
            run->config.dataset, plan.train_images, text_plural(plan.train_images), plan.judged_images,
            run->config.evaluate_on == FF_EVALUATE_TEST ? "test" : "validation", text_plural(plan.judged_images),
            dataset->shape.height, dataset->shape.width, dataset->classes);
}

static void print_setting(FILE *out, const cJSON *setting)
{
    char *value = cJSON_PrintUnformatted(setting);

    fprintf(out, "  %s: %s\n", setting->string, value == NULL ? "(not enough memory to show it)" : value);
    cJSON_free(value);
}

/* Printed values are compared, since numbers are written as raw text. */
static void print_differences(FILE *out, const cJSON *own, const cJSON *usual)
{
    const cJSON *setting;
    bool heading = false;

    cJSON_ArrayForEach(setting, own)
    {
        if (cJSON_Compare(setting, cJSON_GetObjectItemCaseSensitive(usual, setting->string), true))
            continue;
        if (!heading)
            fprintf(out, "Configuration, where it differs from the defaults:\n");
        heading = true;
        print_setting(out, setting);
    }
    if (!heading)
        fprintf(out, "Configuration: the defaults\n");
}

/* The settings in which a configuration differs from the table's defaults. */
static void print_configuration(FILE *out, const struct ff_config *config)
{
    struct ff_config defaults;
    cJSON *own, *usual;

    ff_config_defaults(&defaults);
    own = ff_config_to_json(config);
    usual = ff_config_to_json(&defaults);
    if (own != NULL && usual != NULL)
        print_differences(out, own, usual);
    else
        fprintf(out, "Configuration: (not enough memory to show it)\n");
    cJSON_Delete(own);
    cJSON_Delete(usual);
}

void textlog_header(FILE *out, const struct run *run, const struct ff_dataset *dataset, const char *machine)
{
    char architecture[512];

    textlog_architecture(&run->config, dataset, architecture, sizeof architecture);
    fprintf(out, "%s\nGoodness: a Forward-Forward network on %s\n%s\n", thick_rule, run->config.dataset,
            thick_rule);
    print_time(out, run->started > 0 ? run->started : run->created);
    if (run->name[0] != '\0')
        fprintf(out, "Run: %s\n", run->name);
    if (run->preset[0] != '\0')
        fprintf(out, "Preset: %s\n", run->preset);
    print_dataset(out, run, dataset);
    fprintf(out, "Architecture: %s\n", architecture);
    if (run->parameters > 0)
        fprintf(out, "Parameters: %" PRIu64 "\n", run->parameters);
    if (run->placement.stages > 0)
        fprintf(out, "Placement: stages %" PRIu32 ", threads of each %" PRIu32 "\n", run->placement.stages,
                run->placement.threads);
    if (machine != NULL)
        fprintf(out, "Machine: %s\n", machine);
    print_configuration(out, &run->config);
    fprintf(out, "%s\n", thin_rule);
}

void textlog_resumed(FILE *out, const char *file, const struct ff_standing *standing)
{
    fprintf(out, "Goes on after step %" PRIu64 ", with %" PRIu32 " epoch%s done, from %s\n%s\n", standing->step,
            standing->epochs, text_plural(standing->epochs), file, thin_rule);
}

/* Epochs */

static const char *judged_on(const struct ff_config *config)
{
    return config->evaluate_on == FF_EVALUATE_TEST ? "Test" : "Validation";
}

void textlog_epoch(FILE *out, const struct ff_config *config, const struct ff_epoch *epoch)
{
    double total = 0;

    fprintf(out, "Epoch %" PRIu32 ":\n", epoch->epoch);
    for (uint32_t i = 0; i < epoch->layers; i++) {
        double positive = (double)epoch->layer[i].positive, negative = (double)epoch->layer[i].negative;

        fprintf(out, "  Layer %" PRIu32 ": Pos=%.4f, Neg=%.4f, Gap=%.4f\n", i, positive, negative,
                positive - negative);
        total += positive - negative;
    }
    fprintf(out, "  Average total goodness difference: %.4f\n", total);
    if (!isnan(epoch->test_error))
        fprintf(out, "%s accuracy: %.4f\n", judged_on(config), 1 - epoch->test_error);
    /* The original adds one whenever it has trained a layer; a step here trains every layer once. */
    fprintf(out, "Logic timer for train time for all layers: %" PRIu64 "\n%s\n", epoch->step * epoch->layers,
            thin_rule);
}

/* The end */

void textlog_keep_evaluation(struct textlog_evaluation *kept, const struct ff_evaluation *evaluation)
{
    memset(kept, 0, sizeof *kept);
    kept->epoch = evaluation->epoch;
    kept->count = evaluation->count;
    for (uint32_t i = 0; i < evaluation->count; i++) {
        uint16_t truth = evaluation->truth[i], predicted = evaluation->predicted[i];

        kept->right += predicted == truth;
        if (truth < FF_CLASSES_MAX) {
            kept->class_count[truth]++;
            kept->class_right[truth] += predicted == truth;
            kept->classes = truth >= kept->classes ? truth + 1u : kept->classes;
        }
        if (i < TEXTLOG_SAMPLES) {
            kept->sample[i].truth = truth;
            kept->sample[i].predicted = predicted;
            kept->sample[i].confidence = evaluation->confidence[i];
            kept->samples = i + 1;
        }
    }
}

static double share(uint32_t part, uint32_t whole)
{
    return whole == 0 ? 0 : (double)part / whole;
}

static void print_evaluation(FILE *out, const struct ff_config *config, const struct textlog_evaluation *evaluation)
{
    fprintf(out, "\nDetailed evaluation, %" PRIu32 " %s images after epoch %" PRIu32 ":\n", evaluation->count,
            config->evaluate_on == FF_EVALUATE_TEST ? "test" : "validation", evaluation->epoch);
    for (uint32_t i = 0; i < evaluation->classes; i++) {
        if (evaluation->class_count[i] > 0)
            fprintf(out, "  Label %" PRIu32 ": %.4f (%" PRIu32 " of %" PRIu32 ")\n", i,
                    share(evaluation->class_right[i], evaluation->class_count[i]), evaluation->class_right[i],
                    evaluation->class_count[i]);
    }
    fprintf(out, "  Overall accuracy: %.4f (%" PRIu32 " of %" PRIu32 ")\n",
            share(evaluation->right, evaluation->count), evaluation->right, evaluation->count);
}

static void print_samples(FILE *out, const struct textlog_evaluation *evaluation)
{
    fprintf(out, "\nSample predictions:\n");
    for (uint32_t i = 0; i < evaluation->samples; i++) {
        unsigned truth = evaluation->sample[i].truth, predicted = evaluation->sample[i].predicted;

        fprintf(out, "  Sample %" PRIu32 ": true %u, predicted %u, confidence %.4f, %s\n", i + 1, truth, predicted,
                (double)evaluation->sample[i].confidence, truth == predicted ? "right" : "wrong");
    }
}

void textlog_end(FILE *out, const struct run *run, const struct textlog_evaluation *evaluation)
{
    if (run_state_is_final(run->state))
        fprintf(out, "Training time: %.2f seconds, %.2f of them for evaluation\n", run->progress.elapsed,
                run->progress.evaluating);
    if (run_state_is_final(run->state) && run->last.digest[0] != '\0')
        fprintf(out, "Digest of the weights after epoch %" PRIu32 ": %s\n", run->last.epoch, run->last.digest);
    fprintf(out, "State: %s", run_state_name(run->state));
    if (run->reason[0] != '\0')
        fprintf(out, " (%s)", run->reason);
    fprintf(out, "\n");
    if (!run_state_is_final(run->state) || evaluation == NULL || evaluation->epoch == 0)
        return;
    print_evaluation(out, &run->config, evaluation);
    print_samples(out, evaluation);
}

/* Comparison */

/* The accuracy of the last epoch that was judged, or "-". */
static void format_accuracy(const struct run *run, char *text, size_t size)
{
    if (run->last.epoch > 0 && !isnan(run->last.test_error))
        snprintf(text, size, "%.4f", 1 - run->last.test_error);
    else if (run->best.epoch > 0)
        snprintf(text, size, "%.4f", 1 - run->best.test_error);
    else
        snprintf(text, size, "-");
}

/* Columns on a terminal, not bytes: continuation bytes of UTF-8 take none. */
static int columns_of(const char *text)
{
    int columns = 0;

    for (; *text != '\0'; text++)
        columns += ((unsigned char)*text & 0xC0) != 0x80;
    return columns;
}

static void print_padded(FILE *out, const char *text, int width)
{
    int columns = columns_of(text);

    fprintf(out, "%s%*s", text, columns < width ? width - columns : 0, "");
}

static void print_comparison_row(FILE *out, const struct run *run, const char *layers, int name_width,
                                 int layers_width)
{
    char accuracy[24];

    format_accuracy(run, accuracy, sizeof accuracy);
    print_padded(out, run->name, name_width);
    fprintf(out, "  ");
    print_padded(out, layers, layers_width);
    fprintf(out, "  %10" PRIu64 "  %8s  %9.2f  %s\n", run->parameters, accuracy, run->progress.elapsed,
            run_state_name(run->state));
}

void textlog_comparison(FILE *out, const struct run *const *runs, size_t count)
{
    int name_width = 3, layers_width = 12;
    char layers[512];

    for (size_t i = 0; i < count; i++) {
        textlog_architecture(&runs[i]->config, NULL, layers, sizeof layers);
        name_width = columns_of(runs[i]->name) > name_width ? columns_of(runs[i]->name) : name_width;
        layers_width = columns_of(layers) > layers_width ? columns_of(layers) : layers_width;
    }
    fprintf(out, "\n%s\nComparison of the architectures\n%s\n", thick_rule, thick_rule);
    fprintf(out, "%-*s  %-*s  %10s  %8s  %9s  %s\n", name_width, "Run", layers_width, "Architecture", "Parameters",
            "Accuracy", "Seconds", "State");
    for (size_t i = 0; i < count; i++) {
        textlog_architecture(&runs[i]->config, NULL, layers, sizeof layers);
        print_comparison_row(out, runs[i], layers, name_width, layers_width);
    }
    fprintf(out, "%s\n", thick_rule);
}
