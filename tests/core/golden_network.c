#include "golden_network.h"

#include "dropout.h"
#include "hybrid.h"
#include "optimizer.h"
#include "sink.h"

/* --- settings --- */

static void put_number(cJSON *settings, const char *name, const cJSON *spec, const char *from, double otherwise)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(spec, from);

    cJSON_AddNumberToObject(settings, name, value ? value->valuedouble : otherwise);
}

static void put_string(cJSON *settings, const char *name, const cJSON *spec, const char *otherwise)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(spec, name);

    cJSON_AddStringToObject(settings, name, value ? value->valuestring : otherwise);
}

static bool spec_says(const cJSON *spec, const char *name, const char *what)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(spec, name);

    return value != NULL && cJSON_IsString(value) && strcmp(value->valuestring, what) == 0;
}

static void put_optimizer(cJSON *settings, const cJSON *spec)
{
    put_string(settings, "optimizer", spec, "sgd");
    put_number(settings, "weight_decay", spec, "weight_decay", 0);
    put_number(settings, "momentum", spec, spec_says(spec, "optimizer", "adam") ? "beta1" : "momentum", 0);
    put_number(settings, "beta2", spec, "beta2", 0.9);
}

static void apply(struct ff_config *config, cJSON *settings)
{
    struct ff_problems problems = {0};

    ff_config_apply(config, settings, "", &problems);
    if (problems.count > 0)
        fail_msg("%s %s", problems.problem[0].pointer, problems.problem[0].detail);
    cJSON_Delete(settings);
}

static void put_rule(cJSON *settings, const struct golden_network *network)
{
    const cJSON *spec = network->spec;

    if (spec_says(spec, "objective", "class_groups") || network->backprop)
        cJSON_AddStringToObject(settings, "rule", network->backprop ? "backprop" : "class_groups");
    else
        put_string(settings, "objective", spec, "");
    if (network->embeds)
        cJSON_AddStringToObject(settings, "rule", "unsupervised");
    else
        put_string(settings, "label", spec, "prepend");
    cJSON_AddStringToObject(settings, "negatives", "random"); /* the case says which */
}

/* `layers` as a run has them, or, where all are dense, `sizes`: the first is the input's. */
static void put_layers(cJSON *settings, const cJSON *golden)
{
    const cJSON *layers = cJSON_GetObjectItemCaseSensitive(golden, "layers");
    cJSON *array;

    if (layers != NULL) {
        cJSON_AddItemToObject(settings, "layers", cJSON_Duplicate(layers, true));
        return;
    }
    array = cJSON_AddArrayToObject(settings, "layers");
    for (int i = 1; i < cJSON_GetArraySize(golden_at(golden, "sizes")); i++)
        cJSON_AddItemToArray(array, cJSON_Duplicate(cJSON_GetArrayItem(golden_at(golden, "sizes"), i), true));
}

/* The reference's spec as settings of a run. */
static void config_of(const struct golden_network *network, struct ff_config *config)
{
    const cJSON *spec = network->spec;
    cJSON *settings = cJSON_CreateObject();

    put_layers(settings, network->golden);
    put_rule(settings, network);
    put_optimizer(settings, spec);
    put_string(settings, "activation", spec, "");
    put_string(settings, "goodness", spec, "");
    put_number(settings, "label_scale", spec, "label_scale", 1);
    put_number(settings, "threshold", spec, "threshold", 0);
    put_number(settings, "temperature", spec, "temperature", 0);
    put_number(settings, "alpha", spec, "alpha", 0);
    put_number(settings, "learning_rate", spec, "learning_rate", 0);
    put_number(settings, "predict_from", spec, "first_predicting_layer", 0);
    put_number(settings, "peer_normalization", spec, "peer_normalization", 0);
    cJSON_AddNumberToObject(cJSON_AddObjectToObject(settings, "dropout"), "inputs", network->dropout);
    cJSON_AddStringToObject(settings, "normalize", cJSON_IsTrue(golden_at(spec, "normalize")) ? "rms" : "none");
    cJSON_AddBoolToObject(settings, "forward_after_update", cJSON_IsTrue(golden_at(spec, "forward_after_update")));
    cJSON_AddStringToObject(settings, "schedule", "constant");
    cJSON_AddNumberToObject(settings, "warmup", 0);
    cJSON_AddNumberToObject(settings, "batch_size", network->dataset.train.count);
    if (cJSON_GetObjectItemCaseSensitive(spec, "readout") != NULL) {
        cJSON_AddStringToObject(settings, "readout", "softmax");
        put_number(settings, "readout_from", spec, "readout_from", 0);
    }
    ff_config_defaults(config);
    apply(config, settings);
}

/* The same with the read-out's optimizer. */
static void readout_config_of(const struct golden_network *network, const cJSON *spec, struct ff_config *config)
{
    cJSON *settings = cJSON_CreateObject();

    *config = network->plan.config;
    put_optimizer(settings, spec);
    put_number(settings, "readout_learning_rate", spec, "learning_rate", 0);
    apply(config, settings);
}

/* --- tensors --- */

static void handle(struct golden_network *network)
{
    ff_stage_handle(network->stage, network->message);
    if (network->readout != NULL)
        ff_stage_handle(network->readout, network->message);
}

/* The plan that a layer, or the read-out behind them, is made by. */
static const struct ff_plan *plan_of(const struct golden_network *network, uint32_t layer)
{
    return layer < network->plan.layers ? &network->plan : &network->readout_plan;
}

static uint64_t tensor_size(const struct golden_network *network, uint32_t layer, uint32_t tensor)
{
    struct ff_tensor_form form = ff_layer_tensor(plan_of(network, layer), layer, tensor);

    return (uint64_t)form.rows * form.columns;
}

/* SET, or GET, all of a tensor through a message. */
static void move_tensor(struct golden_network *network, enum ff_kind kind, uint32_t layer, uint32_t tensor,
                        uint64_t count)
{
    struct ff_message *message = network->message;

    ff_message_start(message, &network->plan, kind, FF_FOR_REQUEST);
    message->range = (struct ff_range){.layer = layer, .tensor = tensor, .count = count};
    assert_true(count <= network->plan.capacity);
    handle(network);
}

/* Where number `i` of the reference's tensor is in ours: its convolutions have [units][inputs], all else as we. */
static size_t place_of(const struct golden_network *network, uint32_t layer, uint32_t tensor, size_t i)
{
    struct ff_tensor_form form = ff_layer_tensor(plan_of(network, layer), layer, tensor);

    return form.rank == 4 ? i % form.rows * form.columns + i / form.rows : i;
}

static void set_tensor(struct golden_network *network, uint32_t layer, uint32_t tensor, const cJSON *list)
{
    static double values[GOLDEN_FIGURES_MAX];
    size_t count = golden_flatten(list, values, GOLDEN_FIGURES_MAX);

    for (size_t i = 0; i < count; i++)
        network->message->x[place_of(network, layer, tensor, i)] = (float)values[i];
    assert_int_equal(count, tensor_size(network, layer, tensor));
    move_tensor(network, FF_SET, layer, tensor, count);
}

static void set_layer(struct golden_network *network, uint32_t layer, const cJSON *tensors)
{
    set_tensor(network, layer, 0, golden_at(tensors, "W"));
    set_tensor(network, layer, 1, golden_at(tensors, "b"));
}

static void compare_tensor(struct golden_network *network, uint32_t layer, uint32_t tensor, const cJSON *list,
                           double tolerance)
{
    static float got[GOLDEN_FIGURES_MAX];
    char what[64];
    uint64_t count = tensor_size(network, layer, tensor);

    snprintf(what, sizeof what, "layer %u, tensor %u", layer, tensor);
    move_tensor(network, FF_GET, layer, tensor, count);
    assert_true(count <= GOLDEN_FIGURES_MAX);
    for (size_t i = 0; i < count; i++)
        got[i] = network->message->x[place_of(network, layer, tensor, i)];
    golden_compare(what, got, count, list, tolerance);
}

static void compare_layer(struct golden_network *network, uint32_t layer, const cJSON *wanted, double tolerance)
{
    const enum ff_optimizer_id optimizer = plan_of(network, layer)->config.optimizer;
    const cJSON *peers = cJSON_GetObjectItemCaseSensitive(wanted, "peer_mean");

    compare_tensor(network, layer, 0, golden_at(wanted, "W"), tolerance);
    compare_tensor(network, layer, 1, golden_at(wanted, "b"), tolerance);
    for (unsigned s = 0; s < ff_optimizer_states(optimizer); s++) {
        const cJSON *state = golden_at(wanted, "optimizer");
        const char *name = optimizer == FF_ADAM && s == 0 ? "m" : "v";

        compare_tensor(network, layer, 2 + 2 * s, golden_at(golden_at(state, "W"), name), tolerance);
        compare_tensor(network, layer, 3 + 2 * s, golden_at(golden_at(state, "b"), name), tolerance);
    }
    if (peers != NULL)
        compare_tensor(network, layer, ff_layer_tensors(&network->plan, layer) - 1, peers, tolerance);
}

void golden_network_compare_final(struct golden_network *network, double tolerance)
{
    const cJSON *final = golden_at(network->golden, "final");

    for (uint32_t layer = 0; layer < network->plan.layers; layer++)
        compare_layer(network, layer, cJSON_GetArrayItem(final, (int)layer), tolerance);
    if (network->readout != NULL)
        compare_layer(network, network->plan.layers, golden_at(network->golden, "final_readout"), tolerance);
}

/* --- making one --- */

static void make_stages(struct golden_network *network)
{
    const cJSON *readout = cJSON_GetObjectItemCaseSensitive(network->spec, "readout");
    struct ff_config config;
    struct ff_error error;

    config_of(network, &config);
    ff_plan_make(&network->plan, &config, &network->dataset);
    if (cJSON_GetObjectItemCaseSensitive(network->spec, "peer_momentum") != NULL)
        network->plan.peer_momentum = golden_number(network->spec, "peer_momentum");
    network->stage = ff_stage_create(&network->plan, 0, network->plan.layers, 1, &error);
    network->pool = ff_pool_create(&network->plan, 1, &error);
    assert_non_null(network->stage);
    network->message = ff_pool_take(network->pool);
    if (readout == NULL)
        return;
    readout_config_of(network, readout, &config);
    ff_plan_make(&network->readout_plan, &config, &network->dataset);
    network->readout = ff_stage_create(&network->readout_plan, network->plan.layers, 1, 1, &error);
    assert_non_null(network->readout);
}

/* Of the images: a convolution's case says it, else they are rows of pixels. */
static struct ff_shape shape_of(const struct golden_network *network, const cJSON *images)
{
    const cJSON *shape = cJSON_GetObjectItemCaseSensitive(network->golden, "shape"), *inputs;

    if (shape != NULL)
        return (struct ff_shape){(uint32_t)cJSON_GetArrayItem(shape, 0)->valueint,
                                 (uint32_t)cJSON_GetArrayItem(shape, 1)->valueint,
                                 (uint32_t)cJSON_GetArrayItem(shape, 2)->valueint};
    if (!network->embeds)
        return (struct ff_shape){1, 1, (uint32_t)cJSON_GetArraySize(cJSON_GetArrayItem(images, 0))};
    inputs = cJSON_GetArrayItem(golden_at(network->golden, "sizes"), 0);
    return (struct ff_shape){1, 1, (uint32_t)inputs->valueint};
}

void golden_network_make(struct golden_network *network, const cJSON *golden)
{
    const cJSON *step = cJSON_GetArrayItem(golden_at(golden, "steps"), 0), *initial = golden_at(golden, "initial");
    const cJSON *images = golden_at(step, "images"), *spec = golden_at(golden, "spec");
    bool groups = spec_says(spec, "objective", "class_groups"), drops = cJSON_HasObjectItem(step, "dropout");

    *network = (struct golden_network){.golden = golden, .spec = spec};
    network->batch = (uint32_t)cJSON_GetArraySize(images);
    network->classes = (uint32_t)golden_number(golden, "classes");
    network->dropout = drops ? golden_number(spec, "dropout") : 0;
    network->backprop = spec_says(spec, "objective", "backprop");
    network->embeds = spec_says(spec, "label", "none") || (drops && !groups);
    network->dataset.shape = shape_of(network, images);
    network->dataset.classes = network->classes;
    network->dataset.train.count = network->dataset.test.count = network->batch * (network->embeds ? 2 : 1);
    make_stages(network);
    for (uint32_t layer = 0; layer < network->plan.layers; layer++)
        set_layer(network, layer, cJSON_GetArrayItem(initial, (int)layer));
    if (network->readout != NULL)
        set_layer(network, network->plan.layers, golden_at(golden, "initial_readout"));
}

void golden_network_destroy(struct golden_network *network)
{
    ff_pool_return(network->pool, network->message);
    ff_pool_destroy(network->pool);
    ff_stage_destroy(network->stage);
    ff_stage_destroy(network->readout);
}

/* --- rows --- */

static uint32_t label_at(const cJSON *step, const char *name, uint32_t image)
{
    return (uint32_t)cJSON_GetArrayItem(golden_at(step, name), (int)image)->valueint;
}

static void read_row(const cJSON *rows, uint32_t row, float *x)
{
    static double values[GOLDEN_FIGURES_MAX];
    size_t count = golden_flatten(cJSON_GetArrayItem(rows, (int)row), values, GOLDEN_FIGURES_MAX);

    for (size_t i = 0; i < count; i++)
        x[i] = (float)values[i];
}

/* x times the mask's row, what is left scaled up. */
static void mask_row(const struct golden_network *network, const cJSON *masks, uint32_t row, size_t n, float *x)
{
    const cJSON *mask = cJSON_GetArrayItem(masks, (int)row);

    assert_int_equal(cJSON_GetArraySize(mask), n);
    for (size_t i = 0; i < n; i++)
        x[i] *= cJSON_GetArrayItem(mask, (int)i)->valueint == 0 ? 0 : (float)(1 / (1 - network->dropout));
}

/* An image with its label in front or over its first pixels, as the spec says. */
static void embed(const struct golden_network *network, const cJSON *images, uint32_t image, uint32_t label,
                  float *x)
{
    bool none = spec_says(network->spec, "label", "none"), prepend = spec_says(network->spec, "label", "prepend");
    float scale = (float)golden_number(network->spec, "label_scale");

    read_row(images, image, prepend ? x + network->classes : x);
    for (uint32_t i = 0; i < network->classes && !none; i++)
        x[i] = label == FF_EVERY_LABEL ? scale / (float)network->classes : label == i ? scale : 0;
}

/* The message's rows, still without pixels, so that `images` images can follow. */
static struct ff_message *start(struct golden_network *network, enum ff_kind kind, uint32_t images)
{
    struct ff_message *message = network->message;

    ff_message_start(message, &network->plan, kind, FF_FOR_JUDGING);
    message->images = images;
    memset(message->truth, 0, images * sizeof *message->truth);
    return message;
}

static void put_train_rows(struct golden_network *network, const cJSON *step)
{
    struct ff_message *message = network->message;

    message->rows_per_image = network->plan.rows_per_image;
    for (uint32_t i = 0; i < message->images; i++) {
        message->truth[i] = (uint16_t)label_at(step, "labels", i);
        ff_message_put_row(message, message->truth[i], FF_POSITIVE);
        if (message->rows_per_image == 2)
            ff_message_put_row(message,
                               cJSON_HasObjectItem(step, "wrong_labels") ? label_at(step, "wrong_labels", i) : 0,
                               FF_NEGATIVE);
    }
    ff_message_put_neutral(message, &network->plan);
}

/* Masks of the layer's inputs for positive or for negative rows. */
static const cJSON *masks_of(const cJSON *step, uint32_t layer, const char *which)
{
    return golden_at(cJSON_GetArrayItem(golden_at(step, "dropout"), (int)layer), which);
}

/* Rows with labels in their pixels, those of positive and negative masked; neutral ones too where there is a
 * read-out. */
static void fill_embedded(struct golden_network *network, const cJSON *step)
{
    struct ff_message *message = network->message;
    uint32_t pixels = network->plan.pixels;
    const cJSON *images = golden_at(step, "images");

    for (uint32_t row = 0; row < 2 * message->images; row++) {
        float *x = message->x + (size_t)row * pixels;

        embed(network, images, row / 2, message->label[row], x);
        mask_row(network, masks_of(step, 0, row % 2 == 0 ? "pos" : "neg"), row / 2, pixels, x);
    }
    for (uint32_t image = 0; network->readout != NULL && image < message->images; image++) {
        embed(network, images, image, FF_EVERY_LABEL, message->x + (size_t)message->rows * pixels);
        ff_message_put_row(message, FF_EVERY_LABEL, FF_NEUTRAL);
        message->neutral++;
    }
}

/* Images and their hybrids, which are the case's. */
static void fill_hybrids(struct golden_network *network, const cJSON *step)
{
    struct ff_message *message = network->message;
    uint32_t pixels = network->plan.pixels, side = (uint32_t)sqrt(pixels);
    float mask[256];

    assert_true(side * side == pixels && pixels <= 256);
    for (uint32_t i = 0; i < message->images; i++) {
        float *x = message->x + (size_t)2 * i * pixels, *hybrid = x + pixels;

        read_row(golden_at(step, "images"), i, x);
        read_row(golden_at(step, "partners"), i, hybrid);
        read_row(golden_at(step, "bits"), i, mask);
        ff_hybrid_mask(mask, side, side, (uint32_t)golden_number(network->spec, "hybrid_blur"));
        golden_compare("hybrid_mask", mask, pixels, cJSON_GetArrayItem(golden_at(step, "hybrid_mask"), (int)i), 0);
        ff_hybrid_mix((struct ff_shape){1, side, side}, mask, x, hybrid);
        golden_compare("negatives", hybrid, pixels, cJSON_GetArrayItem(golden_at(step, "negatives"), (int)i), 1e-6);
    }
}

static void fill_images(struct golden_network *network, const cJSON *images, const cJSON *masks)
{
    for (uint32_t i = 0; i < network->message->images; i++) {
        float *x = network->message->x + (size_t)i * network->plan.pixels;

        read_row(images, i, x);
        if (masks != NULL)
            mask_row(network, masks, i, network->plan.pixels, x);
    }
}

/* --- a step --- */

/* What is at hand, for the masks. */
static struct {
    struct golden_network *network;
    const cJSON *step;
} playing;

void __wrap_ff_dropout(const struct ff_dropout_place *place, double share, float kept, size_t n, float *x);

/* In place of the program's masks, which are by place, those of the case. */
void __wrap_ff_dropout(const struct ff_dropout_place *place, double share, float kept, size_t n, float *x)
{
    const struct ff_message *message = playing.network->message;
    uint32_t row = (uint32_t)((size_t)(x - message->x) / n);
    bool negative = message->role[row] == FF_NEGATIVE;

    assert_int_equal(place->purpose, FF_RANDOM_DROP_INPUTS);
    assert_true(share == playing.network->dropout && kept == (float)(1 / (1 - share)));
    assert_true(message->role[row] != FF_NEUTRAL);
    mask_row(playing.network, masks_of(playing.step, (uint32_t)(place->row >> 32), negative ? "neg" : "pos"),
             ff_message_image(message, row), n, x);
}

void golden_network_train(struct golden_network *network, const cJSON *step, uint64_t number)
{
    struct ff_message *message = start(network, FF_TRAIN, network->batch);

    message->step = number;
    message->rate = 1;
    put_train_rows(network, step);
    if (cJSON_HasObjectItem(step, "bits"))
        fill_hybrids(network, step);
    else if (network->embeds)
        fill_embedded(network, step);
    else
        fill_images(network, golden_at(step, "images"), network->dropout > 0 ? masks_of(step, 0, "pos") : NULL);
    playing.network = network;
    playing.step = step;
    handle(network);
    assert_int_equal(message->failed_layer, -1);
}

/* Goodness of the image's own group and the mean of the others' as the reference has them. */
static void split_groups(const float *goodness, uint32_t groups, uint32_t truth, float *positive, float *negative)
{
    float others = 0;

    for (uint32_t group = 0; group < groups; group++)
        others += group == truth ? 0 : goodness[group];
    *positive = goodness[truth];
    *negative = others / (float)(groups - 1);
}

static void compare_loss(uint32_t block, double loss, const cJSON *wanted, double tolerance)
{
    double losses[64], mean = 0, largest = 0;
    size_t count = golden_flatten(wanted, losses, 64);

    for (size_t i = 0; i < count; i++) {
        mean += losses[i] / (double)count;
        largest = fmax(largest, fabs(losses[i]));
    }
    if (fabs(loss - mean) > tolerance * largest)
        fail_msg("loss of layer %u: got %.9g, wanted %.9g", block, loss, mean);
}

static void compare_predicted(const float *scores, uint32_t classes, const cJSON *predicted)
{
    for (int i = 0; i < cJSON_GetArraySize(predicted); i++) {
        const float *row = scores + (size_t)i * classes;
        uint32_t best = 0;

        for (uint32_t label = 1; label < classes; label++)
            best = row[label] > row[best] ? label : best;
        assert_int_equal(best, cJSON_GetArrayItem(predicted, i)->valueint);
    }
}

/* Of the read-out, or of backpropagation's top layer. */
static void compare_softmax(struct golden_network *network, uint32_t block, const cJSON *wanted, double tolerance)
{
    const struct ff_message *message = network->message;

    golden_compare("logits", message->scores, (size_t)message->images * network->classes,
                   golden_at(wanted, "logits"), tolerance);
    compare_loss(block, message->loss[block], golden_at(wanted, "loss"), tolerance);
    compare_predicted(message->scores, network->classes, golden_at(wanted, "predicted"));
}

void golden_network_compare_step(struct golden_network *network, const cJSON *step, double tolerance)
{
    const struct ff_message *message = network->message;
    uint32_t groups = network->plan.groups;

    if (network->backprop) {
        compare_softmax(network, network->plan.layers - 1, step, tolerance);
        return;
    }
    for (uint32_t layer = 0; layer < network->plan.layers; layer++) {
        const cJSON *wanted = cJSON_GetArrayItem(golden_at(step, "layers"), (int)layer);
        const float *goodness = message->goodness + (size_t)layer * network->plan.max_rows * groups;
        const cJSON *by_class = cJSON_GetObjectItemCaseSensitive(wanted, "goodness");
        float positive[64], negative[64];

        for (uint32_t i = 0; i < message->images; i++) {
            if (groups > 1) {
                split_groups(goodness + i * groups, groups, message->truth[i], &positive[i], &negative[i]);
            } else {
                positive[i] = goodness[2 * i];
                negative[i] = goodness[2 * i + 1];
            }
        }
        if (by_class != NULL)
            golden_compare("goodness", goodness, message->images * groups, by_class, tolerance);
        golden_compare("pos", positive, message->images, golden_at(wanted, "pos"), tolerance);
        golden_compare("neg", negative, message->images, golden_at(wanted, "neg"), tolerance);
        compare_loss(layer, message->loss[layer], golden_at(wanted, "loss"), tolerance);
    }
    if (network->readout != NULL)
        compare_softmax(network, network->plan.layers, golden_at(step, "readout"), tolerance);
}

/* --- after training --- */

static void keep_evaluation(void *self, const struct ff_evaluation *evaluation)
{
    memcpy(self, evaluation->predicted, evaluation->count * sizeof *evaluation->predicted);
}

/* What the sink makes of the message. */
static void compare_prediction(struct golden_network *network, const cJSON *predicted)
{
    uint16_t got[64] = {0};
    struct ff_observer observer = {.self = got, .evaluation = keep_evaluation};
    struct ff_plan plan = network->plan;
    struct ff_error error;
    struct ff_sink *sink;

    plan.judged_images = network->message->images;
    sink = ff_sink_create(&plan, &observer, &error);
    assert_non_null(sink);
    network->message->last = true;
    ff_sink_start_clock(sink);
    assert_int_equal(ff_sink_handle(sink, network->message, &error), FF_OK);
    ff_sink_destroy(sink);
    for (uint32_t i = 0; i < network->message->images; i++)
        assert_int_equal(got[i], cJSON_GetArrayItem(predicted, (int)i)->valueint);
}

static void compare_probed_readout(struct golden_network *network, const cJSON *probe, double tolerance)
{
    size_t count = (size_t)network->message->images * network->classes;

    if (network->readout == NULL)
        return;
    golden_compare("readout_logits", network->message->scores, count, golden_at(probe, "readout_logits"),
                   tolerance);
    compare_predicted(network->message->scores, network->classes, golden_at(probe, "readout_predicted"));
}

/* Labels are in the pixels: a message for every label, and one without. */
static void compare_embedded_probe(struct golden_network *network, const cJSON *probe, double tolerance)
{
    const cJSON *images = golden_at(probe, "images"),
                *wanted = cJSON_GetObjectItemCaseSensitive(probe, "label_goodness");
    uint32_t count = (uint32_t)cJSON_GetArraySize(images), classes = network->classes,
             layers = network->plan.layers;
    float goodness[4][64], sums[64] = {0};

    assert_true(layers <= 4 && count * classes <= 64);
    for (uint32_t label = 0; label <= classes; label++) {
        struct ff_message *message = start(network, FF_FORWARD, count);

        ff_message_put_forward(message, &network->plan, count, 1);
        for (uint32_t i = 0; i < count; i++)
            embed(network, images, i, label < classes ? label : FF_EVERY_LABEL,
                  message->x + (size_t)i * network->plan.pixels);
        handle(network);
        for (uint32_t at = 0; label < classes && at < layers * count; at++)
            goodness[at / count][at % count * classes + label] =
                message->goodness[at / count * network->plan.max_rows + at % count];
    }
    compare_probed_readout(network, probe, tolerance); /* the last had no label */
    if (wanted == NULL)
        return;
    for (uint32_t layer = 0; layer < layers; layer++) {
        golden_compare("label_goodness", goodness[layer], count * classes, cJSON_GetArrayItem(wanted, (int)layer),
                       tolerance);
        for (uint32_t i = 0; layer >= network->plan.config.predict_from && i < count * classes; i++)
            sums[i] += goodness[layer][i];
    }
    compare_predicted(sums, classes, golden_at(probe, "predicted"));
}

void golden_network_compare_probe(struct golden_network *network, double tolerance)
{
    const cJSON *probe = golden_at(network->golden, "probe");
    uint32_t images = (uint32_t)cJSON_GetArraySize(golden_at(probe, "images")), classes = network->classes;
    const struct ff_plan *plan = &network->plan;
    struct ff_message *message = start(network, FF_FORWARD, images);

    if (network->embeds) {
        compare_embedded_probe(network, probe, tolerance);
        return;
    }
    ff_message_put_forward(message, plan, images, plan->question_rows);
    fill_images(network, golden_at(probe, "images"), NULL);
    handle(network);
    if (network->backprop)
        golden_compare("logits", message->scores, (size_t)images * classes, golden_at(probe, "logits"), tolerance);
    for (uint32_t layer = 0; layer < plan->layers && !network->backprop; layer++)
        golden_compare("label_goodness", message->goodness + (size_t)layer * plan->max_rows * plan->groups,
                       images * classes, cJSON_GetArrayItem(golden_at(probe, "label_goodness"), (int)layer),
                       tolerance);
    compare_probed_readout(network, probe, tolerance);
    compare_prediction(network, golden_at(probe, "predicted"));
}

void golden_network_play(const char *name, double tolerance)
{
    cJSON *golden = golden_load(name);
    struct golden_network network;
    const cJSON *step;
    uint64_t number = 0;

    golden_network_make(&network, golden);
    cJSON_ArrayForEach(step, golden_at(golden, "steps"))
    {
        golden_network_train(&network, step, ++number);
        golden_network_compare_step(&network, step, tolerance);
    }
    golden_network_compare_final(&network, tolerance);
    golden_network_compare_probe(&network, tolerance);
    golden_network_destroy(&network);
    cJSON_Delete(golden);
}
