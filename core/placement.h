/* placement.h - on how many stages, threads and ranks a run is laid out, when nobody says.
 *
 * By a cost model, not by trying: it answers at once, and always the same for the same configuration and
 * processors. What it picks changes the speed, never a bit. Pure functions; those that take a plan are the
 * library's own. */
#ifndef FF_PLACEMENT_H
#define FF_PLACEMENT_H

#include <stdbool.h>
#include <stdint.h>

struct ff_plan;

struct ff_placement {
    uint32_t stages;  /* parts that the layers are divided into, one after the other; 0: choose */
    uint32_t threads; /* of each stage's team; 0: choose */
};

/* The placement with what `asked` leaves open (0) chosen for `processors`; never more stages than layers, a
 * read-out counted as one, and one alone with backpropagation. */
struct ff_placement ff_placement_choose(const struct ff_plan *plan, struct ff_placement asked, uint32_t processors);

/* What there is to train on. */
struct ff_resources {
    uint32_t processors;      /* of this machine */
    uint32_t ranks;           /* processes that can have a stage, this one included; 1: it is alone */
    uint32_t rank_processors; /* of each of several ranks, at least */
};

/* The same among ranks: one stage on each of some of them (*together), where that is better than all on threads of
 * this process, or where stages are asked for. Never more stages than ranks then. */
struct ff_placement ff_placement_choose_among(const struct ff_plan *plan, struct ff_placement asked,
                                              struct ff_resources resources, bool *together);

/* How many messages the line has: one for a stage alone, else enough that no stage waits for another that was held
 * up for a moment, as on a machine that does other things too; but no more than are soon worked off, since whoever
 * asks something waits for them, nor than a few megabytes. */
uint32_t ff_placement_messages(const struct ff_plan *plan, struct ff_placement placement);

/* How many layers, from `first` on, the next of `stages` stages takes: about its share of the cost that is left,
 * and at least one for each stage to come. */
uint32_t ff_placement_layers(const struct ff_plan *plan, uint32_t first, uint32_t stages);

#endif
