#include "optimizer.h"

#include <math.h>

static const double adam_epsilon = 1e-8;

unsigned ff_optimizer_states(enum ff_optimizer_id optimizer)
{
    return optimizer == FF_ADAM ? 2 : optimizer == FF_MOMENTUM ? 1 : 0;
}

const char *ff_optimizer_state_name(enum ff_optimizer_id optimizer, unsigned state)
{
    if (optimizer == FF_MOMENTUM)
        return "momentum";
    return state == 0 ? "mean" : "square";
}

struct ff_update ff_optimizer_update(const struct ff_config *config, uint32_t layer, double factor, uint64_t step)
{
    return ff_optimizer_update_at(config, ff_per_layer_value(&config->learning_rate, layer) * factor, step);
}

struct ff_update ff_optimizer_update_at(const struct ff_config *config, double rate, uint64_t step)
{
    return (struct ff_update){.rate = (float)rate,
                              .keep = (float)(1 - rate * config->weight_decay),
                              .momentum = (float)config->momentum,
                              .beta2 = (float)config->beta2,
                              .fresh = (float)(1 - config->momentum),
                              .fresh2 = (float)(1 - config->beta2),
                              .correction = (float)(rate / (1 - pow(config->momentum, (double)step))),
                              .correction2 = (float)(1 / (1 - pow(config->beta2, (double)step))),
                              .epsilon = (float)adam_epsilon};
}

void ff_optimizer_apply(enum ff_optimizer_id optimizer, const struct ff_kernels *kernels,
                        const struct ff_update *update, float *w, float *const state[2], const float *g, size_t n)
{
    switch (optimizer) {
    case FF_SGD:
        kernels->sgd(update, w, g, n);
        break;
    case FF_MOMENTUM:
        kernels->momentum(update, w, state[0], g, n);
        break;
    case FF_ADAM:
        kernels->adam(update, w, state[0], state[1], g, n);
        break;
    }
}
