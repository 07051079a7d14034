/* config_table.h - the one table of settings, for the files of config alone: what a setting is, in a row. */
#ifndef FF_CONFIG_TABLE_H
#define FF_CONFIG_TABLE_H

#include "config.h"

enum type {
    NAME,      /* char [FF_DATASET_NAME_MAX] */
    FLAG,      /* bool */
    COUNT,     /* uint32_t */
    SEED,      /* uint64_t */
    REAL,      /* double */
    CHOICE,    /* int: index into `choices` */
    PER_LAYER, /* struct ff_per_layer */
    LAYERS,    /* layer_count and layers */
    PARTS      /* a struct of doubles and flags, told by `parts` */
};

struct part {
    const char *name;
    enum type type; /* REAL or FLAG */
    size_t offset;  /* in the setting's struct */
    double high;    /* from 0 to high */
    const char *help;
};

struct setting {
    const char *name, *group;
    enum type type;
    size_t offset; /* in struct ff_config */
    double low, high;
    bool above_low;             /* low itself is not allowed */
    double initial;             /* default of numbers, flags and choices */
    const char *const *choices; /* NULL at the end */
    const struct part *parts;   /* name NULL at the end */
    bool live;
    const char *unit;
    const char *help;
};

/* The table, in the order in which settings are shown. */
enum { FF_SETTINGS = 49 };
extern const struct setting ff_settings[FF_SETTINGS];

/* What every reader of a value works with. */
struct reading {
    struct ff_config *config;
    struct ff_problems *problems;
};

/* A number within the range; false and a problem where it is not. */
bool ff_read_number(struct reading *reading, const cJSON *value, const char *pointer, double low, double high,
                    bool above_low, bool whole, double *number);
bool ff_read_flag(struct reading *reading, const cJSON *value, const char *pointer, bool *flag);

/* What every check of a whole configuration works with. */
struct checking {
    const struct ff_config *config;
    const struct ff_dataset *dataset; /* NULL: any */
    const char *pointer;
    struct ff_problems *problems;
};

/* Add a problem at a place below the pointer, such as "layers/0/kernel", printf's way. */
void ff_check_fail(const struct checking *checking, const char *place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* --- config_layers.c --- */

void ff_read_layers(struct reading *reading, const struct setting *setting, const cJSON *value,
                    const char *pointer);
cJSON *ff_layers_json(const struct ff_config *config);
cJSON *ff_layers_schema(const struct setting *setting);
/* Whether the layers fit each other, the rule, and the data set. */
void ff_check_layers(const struct checking *checking);

/* --- config_json.c, for the schema of layers --- */

/* All take NULL for what memory was short for, and are NULL, or false, when memory is short; what is put in is gone
 * then. */
cJSON *ff_number_schema(double low, double high, bool above_low, bool whole);
cJSON *ff_array_schema(cJSON *items);
cJSON *ff_type_schema(const char *type); /* {"type": …} */
cJSON *ff_object_schema(cJSON *properties);
cJSON *ff_either_schema(cJSON *one, cJSON *other);
cJSON *ff_number_json(double value);
bool ff_json_put_text(cJSON *object, const char *name, const char *text);
bool ff_json_put_flag(cJSON *object, const char *name, bool flag);

/* The row of a name; NULL when there is none. */
const struct setting *ff_setting_find(const char *name);

/* The shortest text that reads back as the same double. */
enum { FF_NUMBER_TEXT = 32 };
void ff_number_text(double value, char text[FF_NUMBER_TEXT]);

#endif
