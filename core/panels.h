/* panels.h - weights [inputs][units] that are worked on by panels of units: what dense.c and linear.c have in
 * common.
 *
 * An item of a layer's work is a panel: one matrix product and what belongs to it while it is in cache. A panel's
 * weights, and what is kept of each, lie one after the other as [inputs][the layer's panel], so that two threads
 * never write to one cache line and a pass over a panel is a pass over memory. */
#ifndef FF_PANELS_H
#define FF_PANELS_H

#include "layer.h"

enum {
    FF_PANEL_MAX = 256,  /* units of a panel: its slice of a batch and of the weights stay in a core's cache */
    FF_PANEL_BLOCK = 256 /* inputs whose gradient is made at once, before the optimizer takes it */
};

/* Units [begin, begin + count) of an item. */
struct ff_panel {
    uint32_t begin, count;
};

/* Units of a panel of so many in all; the last panel may be narrower. */
uint32_t ff_panel_width(uint32_t units);

struct ff_panel ff_panel_at(const struct ff_layer *layer, size_t item);

/* A panel of the weights, or of a state of theirs. */
static inline float *ff_panel_of(const struct ff_layer *layer, float *tensor, struct ff_panel panel)
{
    return tensor + (size_t)panel.begin * layer->inputs;
}

/* The optimizer's step of rows `from` to `from + count` of a panel's weights, gradient [count][panel.count]; and of
 * its bias, where that is trained, gradient [panel.count]. */
void ff_panel_step(struct ff_layer *layer, struct ff_panel panel, uint32_t from, uint32_t count,
                   const float *gradient);
void ff_panel_step_bias(struct ff_layer *layer, struct ff_panel panel, const float *gradient);

/* The averages move towards the parameters by the layer's `approach`. */
void ff_panel_average(struct ff_layer *layer, struct ff_panel panel);

#endif
