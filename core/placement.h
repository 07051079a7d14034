/* placement.h - on how many stages and threads a run is laid out, when nobody says.
 *
 * By a cost model, not by trying: it answers at once, and always the same for the same configuration and
 * processors. What it picks changes the speed, never a bit. Pure functions. */
#ifndef FF_PLACEMENT_H
#define FF_PLACEMENT_H

#include "plan.h"
#include "trainer.h"

/* The placement with what `asked` leaves open (0) chosen for `processors`; never more stages than layers. */
struct ff_placement ff_placement_choose(const struct ff_plan *plan, struct ff_placement asked, uint32_t processors);

/* Seconds of one epoch, its evaluation included, as the model sees them: only their ratios mean something. */
double ff_placement_cost(const struct ff_plan *plan, struct ff_placement placement);

/* How many layers, from `first` on, the next of `stages` stages takes: about its share of the cost that is left,
 * and at least one for each stage to come. */
uint32_t ff_placement_layers(const struct ff_plan *plan, uint32_t first, uint32_t stages);

#endif
