/* preset.h - named starting configurations. Constants; any thread may read. */
#ifndef FF_PRESET_H
#define FF_PRESET_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"

struct ff_preset {
    const char *name;     /* as in {"preset": "hinton"} */
    const char *title;    /* a few words */
    const char *summary;  /* what it is for, a sentence or two */
    const char *reaches;  /* what it reached, measured by this program: error, seconds, on what; NULL for none */
    const char *settings; /* a JSON object of the settings in which it differs from the table's defaults */
};

/* All presets; the first is the default one. */
const struct ff_preset *ff_presets(size_t *count);

const struct ff_preset *ff_preset_find(const char *name); /* NULL when unknown */
const char *ff_preset_nearest(const char *wrong);         /* as ff_nearest_name, among the presets' names */

/* The configuration of a preset: the defaults with its settings over them; false, and only the defaults, when
 * memory is short. */
bool ff_preset_config(const struct ff_preset *preset, struct ff_config *config);

#endif
