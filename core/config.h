/* config.h - every setting of a run, declared once.
 *
 * The table in config_table.c is the only place that knows a setting's name, type, range, default, unit, help, and
 * whether it is live. From it come parsing with errors that point at the field, JSON out, the JSON Schema, the
 * dashboard's form and the documentation. Pure functions; any thread may call. Pointers: see problems.h. */
#ifndef FF_CONFIG_H
#define FF_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "dataset.h"
#include "problems.h"

enum { FF_LAYERS_MAX = 32 };
enum { FF_BENT_SIDE_MAX = 540 /* pixels a side of an image that can be augmented elastically */ };

enum ff_evaluate_on { FF_EVALUATE_TEST, FF_EVALUATE_VALIDATION };
enum ff_input { FF_INPUT_NONE, FF_INPUT_STANDARDIZE, FF_INPUT_RMS };
enum ff_activation { FF_RELU, FF_TANH };
enum ff_init { FF_INIT_HE, FF_INIT_GLOROT };
enum ff_rule { FF_PAIRS, FF_CLASS_GROUPS, FF_UNSUPERVISED, FF_BACKPROP };
enum ff_objective_id { FF_LOGISTIC, FF_SYMBA, FF_GAP };
enum ff_goodness { FF_GOODNESS_MEAN, FF_GOODNESS_SUM };
enum ff_normalize { FF_NORMALIZE_RMS, FF_NORMALIZE_CHANNEL_RMS, FF_NORMALIZE_NONE };
enum ff_label { FF_LABEL_PREPEND, FF_LABEL_OVERLAY };
enum ff_negatives { FF_NEGATIVES_RANDOM, FF_NEGATIVES_HARD };
enum ff_optimizer_id { FF_SGD, FF_MOMENTUM, FF_ADAM };
enum ff_schedule { FF_SCHEDULE_CONSTANT, FF_SCHEDULE_LINEAR, FF_SCHEDULE_COSINE, FF_SCHEDULE_HALF };
enum ff_predict {
    FF_PREDICT_GOODNESS,
    FF_PREDICT_LOG_SOFTMAX,
    FF_PREDICT_READOUT,
    FF_PREDICT_READOUT_AND_GOODNESS
};
enum ff_readout { FF_READOUT_NONE, FF_READOUT_SOFTMAX };
/* The last two are in no list of layers: `readout` puts one behind them, and `rule` makes all layers those of
 * backpropagation. */
enum ff_layer_kind { FF_DENSE, FF_CONV, FF_READ_OUT, FF_BACK };

/* A number for all layers (count 1), or one a layer (count = layers). */
struct ff_per_layer {
    uint32_t count;
    double value[FF_LAYERS_MAX];
};

struct ff_layer_config {
    enum ff_layer_kind kind;
    uint32_t units;                             /* dense */
    uint32_t channels, kernel, stride, padding; /* conv */
    bool pool;                                  /* conv: the largest of two by two places */
};

struct ff_dropout {
    double pixels, inputs, units; /* shares in [0, 1) */
};

struct ff_augment {
    double shift, rotate, scale, shear, translate, elastic, erase;
    bool flip;
};

struct ff_config {
    char dataset[FF_DATASET_NAME_MAX];
    uint32_t train_limit, test_limit, validation;
    enum ff_evaluate_on evaluate_on;
    bool shuffle;
    uint64_t seed;
    uint32_t epochs, batch_size;
    enum ff_input input;
    double input_scale;
    uint32_t layer_count;
    struct ff_layer_config layers[FF_LAYERS_MAX];
    enum ff_activation activation;
    enum ff_init init;
    double init_gain;
    bool bias;
    enum ff_rule rule;
    enum ff_objective_id objective;
    enum ff_goodness goodness;
    struct ff_per_layer threshold, temperature, alpha;
    enum ff_normalize normalize;
    bool batch_normalization;
    enum ff_label label;
    double label_scale;
    enum ff_negatives negatives;
    double negative_hardness;
    double label_smoothing;
    bool forward_after_update;
    enum ff_optimizer_id optimizer;
    struct ff_per_layer learning_rate;
    double momentum, beta2, weight_decay;
    enum ff_schedule schedule;
    double warmup;
    struct ff_dropout dropout;
    struct ff_augment augment;
    double peer_normalization, average;
    enum ff_predict predict;
    uint32_t predict_from;
    enum ff_readout readout;
    uint32_t readout_from;
    double readout_learning_rate;
    uint32_t evaluate_every, evaluate_samples, train_error_samples;
};

/* Live settings that were turned: from the step after `step` on the run has this configuration. */
struct ff_change {
    uint64_t step;
    struct ff_config config;
};

/* Put an item, which may be NULL, into an object or array, which may be NULL; where that fails the item is deleted,
 * and false returned. The name is a constant: it is not copied. */
bool ff_json_put(cJSON *object, const char *name, cJSON *item);
bool ff_json_append(cJSON *array, cJSON *item);
/* `json` where all of it could be made; else it is deleted, and NULL returned. */
cJSON *ff_json_whole(cJSON *json, bool whole);

/* Every setting at the table's default. */
void ff_config_defaults(struct ff_config *config);

/* Put the fields of `settings` over `config`. Adds every problem found (unknown names with the nearest known one,
 * wrong types, values out of range); config keeps its old value where one is wrong. Returns whether there was none.
 */
bool ff_config_apply(struct ff_config *config, const cJSON *settings, const char *pointer,
                     struct ff_problems *problems);

/* The same for a run that trains: adds a problem for every setting that is not live, too. */
bool ff_config_apply_live(struct ff_config *config, const cJSON *settings, const char *pointer,
                          struct ff_problems *problems);

/* Whether the fields fit each other and the data set (NULL: check only the former). Adds every problem found. */
bool ff_config_check(const struct ff_config *config, const struct ff_dataset *dataset, const char *pointer,
                     struct ff_problems *problems);

/* Every field, in the table's order; ff_config_apply of it gives the same config. NULL when memory is short. The
 * caller deletes it. */
cJSON *ff_config_to_json(const struct ff_config *config);

/* The live settings alone; like it. */
cJSON *ff_config_live_to_json(const struct ff_config *config);

/* The settings that differ, each with both values: {"learning_rate": [0.03, 0.01]}. Like ff_config_to_json. */
cJSON *ff_config_difference(const struct ff_config *from, const struct ff_config *to);

/* The name of the first of them, NULL where none differs. False when memory is short. */
bool ff_config_first_difference(const struct ff_config *from, const struct ff_config *to, const char **name);

/* JSON Schema (draft 2020-12) of a configuration: type, range, default, description, and the annotations `x-live`
 * (may change while it trains), `x-unit`, `x-group` (a heading for forms). NULL when memory is short. */
cJSON *ff_config_schema(void);

/* What a layer makes of what enters it. */
struct ff_layer_shape {
    struct ff_shape in;
    struct ff_shape map; /* places where its units look, before pooling; dense: units, 1, 1 */
    struct ff_shape out;
};

/* The shape of a layer on `in`; false: the kernel does not fit, or two by two places are not there to pool. */
bool ff_layer_shape_of(const struct ff_layer_config *layer, struct ff_shape in, struct ff_layer_shape *shape);
/* Its units: channels, or a dense layer's units. */
uint32_t ff_layer_units(const struct ff_layer_config *layer);

/* The value of a per-layer setting for a layer. */
double ff_per_layer_value(const struct ff_per_layer *setting, uint32_t layer);

/* "relu", "pairs", …: the name of an enum field's value as the table spells it ("activation", 0 -> "relu"). */
const char *ff_config_choice(const char *setting, int value);

#endif
