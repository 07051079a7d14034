#include "placement.h"

#include <math.h>

#include "plan.h"

/* One thread of a present-day processor, roughly: figures of BLAS and of passes over memory, measured where this
 * was written. Only their ratios matter. */
static const double flops = 80e9;        /* of a product of batches */
static const double pair_weights = 12e9; /* that a step with one image passes over */
static const double pair_layer = 3e-6;   /* what such a step costs a layer of any size */
static const double update_bytes = 40e9; /* of optimizers */
static const double patch_bytes = 20e9;  /* of what surrounds a convolution's product */
static const double zero_pixels = 0.7;   /* of an image, skipped with one image a step */
static const double meeting = 6e-6;      /* a team's meeting before and after a phase */
static const double hand_over = 1e-6;    /* a message's way from one stage to the next */

static const double link_bytes = 1e9; /* of a network between ranks, a second */

static const double queued_seconds = 1e-3; /* of work under way at most, and bytes of messages */
static const double queued_bytes = 16e6;

enum {
    PANEL = 256, /* units that one thread takes at least */
    SHARES = 12, /* of a batch that a convolution is cut into */
    MESSAGES_MAX = 64
};

/* Bytes read and written of a weight and its state by a step. */
static double update_traffic(enum ff_optimizer_id optimizer)
{
    return optimizer == FF_ADAM ? 28 : optimizer == FF_MOMENTUM ? 20 : 12;
}

static bool is_one_pair(const struct ff_plan *plan)
{
    return plan->config.batch_size == 1 && plan->config.optimizer == FF_SGD;
}

static bool is_conv(const struct ff_plan *plan, uint32_t layer)
{
    return plan->layer[layer].kind == FF_CONV;
}

/* How many threads can share a layer's step. */
static double sharers(const struct ff_plan *plan, uint32_t layer, uint32_t threads)
{
    uint32_t units = plan->layer[layer].units, panels = units < PANEL / 2 ? 1
                                                        : units <= PANEL  ? 2
                                                                          : (units + PANEL - 1) / PANEL;

    if (is_one_pair(plan) && plan->layer[layer].products < FF_SHARED_WEIGHTS)
        return 1;
    return fmin(threads, is_conv(plan, layer) ? SHARES : panels);
}

/* Rows that a layer multiplies, of an image's. A dense first layer and a read-out take an image once. */
static double rows_of(const struct ff_plan *plan, uint32_t layer, uint32_t rows)
{
    return (layer == 0 && !is_conv(plan, layer)) || layer >= plan->layers ? 1 : rows;
}

/* Seconds of a row's passes over memory beside the products: what a convolution's kernel sees is laid out, and what
 * it makes is pooled and activated. */
static double laying_out(const struct ff_plan *plan, uint32_t layer)
{
    const struct ff_layer_plan *sizes = &plan->layer[layer];
    double places = (double)sizes->shape.map.height * sizes->shape.map.width;

    return is_conv(plan, layer)
               ? places * ((double)sizes->inputs + 3.0 * sizes->units) * sizeof(float) / patch_bytes
               : 0;
}

static double step_cost(const struct ff_plan *plan, uint32_t layer, uint32_t threads)
{
    double weights = (double)plan->layer[layer].inputs * plan->layer[layer].units;
    double images = fmin(plan->config.batch_size, plan->train_images),
           rows = images * rows_of(plan, layer, plan->rows_per_image);
    double products = (double)plan->layer[layer].products;
    double share = sharers(plan, layer, threads);

    if (is_one_pair(plan) && !is_conv(plan, layer))
        return pair_layer + weights * (layer == 0 ? 1 - zero_pixels : 1) / pair_weights / share;
    return (rows * (4 * products / flops + 2 * laying_out(plan, layer)) +
            weights * update_traffic(plan->config.optimizer) / update_bytes) /
               share +
           (share > 1 ? 2 * meeting : 0);
}

static double forward_cost(const struct ff_plan *plan, uint32_t layer, uint32_t threads)
{
    double rows = rows_of(plan, layer, plan->forward_rows);
    double most = is_conv(plan, layer) ? SHARES : 1 + plan->layer[layer].units / (PANEL / 2);

    return rows * (2 * (double)plan->layer[layer].products / flops + laying_out(plan, layer)) / fmin(threads, most);
}

uint32_t ff_placement_layers(const struct ff_plan *plan, uint32_t first, uint32_t stages)
{
    double left = 0, taken = 0;
    uint32_t count = 0;

    for (uint32_t i = first; i < plan->blocks; i++)
        left += step_cost(plan, i, 1);
    do {
        taken += step_cost(plan, first + count++, 1);
    } while (plan->blocks - first - count > stages - 1 &&
             (stages == 1 || taken + step_cost(plan, first + count, 1) / 2 < left / stages));
    return count;
}

/* Seconds that the line takes for a step, its slowest stage's; and for an image's evaluation, in which a stage that
 * waits helps another. */
static void line_cost(const struct ff_plan *plan, struct ff_placement placement, double *step, double *forward)
{
    double all = 0, slowest = 0;

    *step = 0;
    for (uint32_t stage = 0, first = 0; stage < placement.stages; stage++) {
        uint32_t count = ff_placement_layers(plan, first, placement.stages - stage);
        double stage_step = placement.stages > 1 ? hand_over : 0, stage_forward = 0;

        for (uint32_t i = first; i < first + count; i++) {
            stage_step += step_cost(plan, i, placement.threads);
            stage_forward += forward_cost(plan, i, placement.threads);
        }
        *step = fmax(*step, stage_step);
        slowest = fmax(slowest, stage_forward);
        all += stage_forward;
        first += count;
    }
    *forward = placement.stages == 1
                   ? all
                   : 1.1 * fmax(all / placement.stages, slowest * placement.threads / (placement.threads + 1));
}

/* Seconds of one epoch, its evaluation included, as the model sees them: only their ratios mean something. */
static double cost_of(const struct ff_plan *plan, struct ff_placement placement)
{
    double step, forward;
    double images = (double)plan->judged_images / plan->config.evaluate_every +
                    (double)plan->train_error_images / plan->config.evaluate_every;

    line_cost(plan, placement, &step, &forward);
    return (double)plan->steps_per_epoch * step + images * forward;
}

uint32_t ff_placement_messages(const struct ff_plan *plan, struct ff_placement placement)
{
    double step, forward, most, least = 3 * placement.stages - 1;

    if (placement.stages == 1)
        return 1;
    line_cost(plan, placement, &step, &forward);
    most = fmin(queued_seconds / step, queued_bytes / ((double)plan->capacity * sizeof(float)));
    return (uint32_t)fmax(least, fmin(most, MESSAGES_MAX));
}

/* Seconds that the busiest link takes for an epoch's messages: sending goes on beside the work, so that it counts
 * only where it takes longer. */
static double link_cost(const struct ff_plan *plan, uint32_t stages)
{
    double images = fmin(plan->config.batch_size, plan->train_images), widest = 0;
    double judged = ((double)plan->judged_images + plan->train_error_images) / plan->config.evaluate_every;

    for (uint32_t stage = 0, first = 0; stage + 1 < stages; stage++) {
        first += ff_placement_layers(plan, first, stages - stage);
        widest = fmax(widest, plan->layer[first - 1].width);
    }
    return widest * sizeof(float) / link_bytes *
           ((double)plan->steps_per_epoch * images * plan->rows_per_image + judged * plan->forward_rows);
}

struct ff_placement ff_placement_choose_among(const struct ff_plan *plan, struct ff_placement asked,
                                              struct ff_resources resources, bool *together)
{
    struct ff_placement best = ff_placement_choose(plan, asked, resources.processors);
    uint32_t most = resources.ranks < plan->blocks ? resources.ranks : plan->blocks;
    uint32_t fewest = asked.stages == 0 ? 2 : asked.stages < most ? asked.stages : most;
    bool alone = asked.stages == 1 || plan->config.rule == FF_BACKPROP || most < 2;
    double least = asked.stages == 0 ? cost_of(plan, best) : INFINITY;

    *together = false;
    for (uint32_t stages = fewest; !alone && stages <= (asked.stages == 0 ? most : fewest); stages++) {
        for (uint32_t threads = 1; threads <= resources.rank_processors; threads++) {
            struct ff_placement placement = {stages, asked.threads != 0 ? asked.threads : threads};
            double cost = fmax(cost_of(plan, placement), link_cost(plan, stages));

            if (cost >= 0.97 * least)
                continue;
            *together = true;
            least = cost;
            best = placement;
        }
    }
    return best;
}

struct ff_placement ff_placement_choose(const struct ff_plan *plan, struct ff_placement asked, uint32_t processors)
{
    struct ff_placement best = {0};
    double least = INFINITY;

    if (plan->config.rule == FF_BACKPROP)
        asked.stages = 1; /* its layers wait for those above */
    if (asked.stages > plan->blocks)
        asked.stages = plan->blocks;
    for (uint32_t stages = 1; stages <= plan->blocks; stages++) {
        for (uint32_t threads = 1; threads == 1 || stages * threads <= processors; threads++) {
            struct ff_placement placement = {asked.stages ? asked.stages : stages,
                                             asked.threads ? asked.threads : threads};
            double cost;

            if (asked.stages == 0 && stages > 1 && stages > processors)
                break;
            cost = cost_of(plan, placement);
            if (cost < 0.97 * least) { /* of about equal ones the plainest */
                least = cost;
                best = placement;
            }
        }
    }
    return best;
}
