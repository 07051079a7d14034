#include "network.h"

#include <stdlib.h>
#include <string.h>

#include "input.h"
#include "layer.h"
#include "message.h"
#include "plan.h"
#include "prediction.h"
#include "stage.h"

struct ff_network {
    struct ff_plan plan;
    struct ff_pixel_map input;
    uint64_t step;
    struct ff_shape shape;
    struct ff_stage *stage;
    struct ff_pool *pool;
    struct ff_message *message;
    double *scores;  /* [classes] */
    float *goodness; /* [layers][classes], then [classes] probabilities */
};

/* The plan of a network that is not trained: no optimizer's tensors, no first weights. */
static void make_plan(struct ff_network *network, const struct ff_checkpoint_about *about,
                      const struct ff_config *config)
{
    struct ff_config still = *config;

    still.optimizer = FF_SGD;
    still.average = 0; /* what is read are the averages, if there are any */
    ff_plan_make_sizes(&network->plan, &still, about->shape, about->classes);
    network->plan.blank = true;
    network->shape = about->shape;
    network->step = about->standing.step;
    network->input = (struct ff_pixel_map){about->standing.pixel_scale, about->standing.pixel_offset};
}

static bool create_parts(struct ff_network *network, uint32_t threads, struct ff_error *error)
{
    const struct ff_plan *plan = &network->plan;

    network->stage = ff_stage_create(plan, 0, plan->blocks, threads, error);
    network->pool = network->stage ? ff_pool_create(plan, 1, error) : NULL;
    if (network->pool == NULL)
        return false;
    network->message = ff_pool_take(network->pool);
    network->scores = malloc(plan->classes * sizeof *network->scores);
    network->goodness = ff_floats(((size_t)plan->layers + 1) * plan->classes);
    if (network->scores == NULL || network->goodness == NULL)
        return ff_fail_memory(error, "a network") == FF_OK;
    return true;
}

/* A message that a question starts with. */
static struct ff_message *start(struct ff_network *network, enum ff_kind kind)
{
    struct ff_message *message = network->message;

    message->epoch = 0;
    message->step = network->step;
    message->request = 0;
    ff_message_start(message, &network->plan, kind, FF_FOR_REQUEST);
    return message;
}

static ff_status read_weights(struct ff_network *network, struct ff_checkpoint *checkpoint, struct ff_error *error)
{
    const struct ff_plan *plan = &network->plan;
    ff_status status = FF_OK;

    for (uint32_t layer = 0; layer < plan->blocks; layer++) {
        for (uint32_t tensor = 0; tensor < ff_layer_tensors(plan, layer); tensor++) {
            struct ff_tensor_form form = ff_layer_tensor(plan, layer, tensor);
            uint64_t total = (uint64_t)form.rows * form.columns;

            for (uint64_t offset = 0; offset < total && status == FF_OK; offset += plan->capacity) {
                uint64_t left = total - offset, count = left < plan->capacity ? left : plan->capacity;
                struct ff_message *message = start(network, FF_SET);

                message->range =
                    (struct ff_range){.layer = layer, .tensor = tensor, .offset = offset, .count = count};
                status =
                    ff_checkpoint_read(checkpoint, layer, ff_checkpoint_judging_tensor(checkpoint, layer, tensor),
                                       offset, count, message->x, error);
                ff_stage_handle(network->stage, message);
            }
        }
    }
    return status;
}

struct ff_network *ff_network_create(struct ff_checkpoint *checkpoint, uint32_t threads, struct ff_error *error)
{
    return ff_network_create_as(checkpoint, ff_checkpoint_config(checkpoint), threads, error);
}

struct ff_network *ff_network_create_as(struct ff_checkpoint *checkpoint, const struct ff_config *config,
                                        uint32_t threads, struct ff_error *error)
{
    struct ff_network *network = calloc(1, sizeof *network);

    if (network == NULL) {
        ff_fail_memory(error, "a network");
        return NULL;
    }
    make_plan(network, ff_checkpoint_about(checkpoint), config);
    if (!create_parts(network, threads, error) || read_weights(network, checkpoint, error) != FF_OK) {
        ff_network_destroy(network);
        return NULL;
    }
    return network;
}

void ff_network_predict(struct ff_network *network, const float *pixels, struct ff_answer *answer)
{
    const struct ff_plan *plan = &network->plan;
    struct ff_message *message = start(network, FF_FORWARD);

    ff_input_pixels(network->input, plan, pixels, message->x);
    ff_message_put_forward(message, plan, 1, plan->question_rows);
    ff_stage_handle(network->stage, message);
    *answer = ff_predict_answer(plan, message, network->scores, network->goodness,
                                network->goodness + (size_t)plan->layers * plan->classes);
}

ff_status ff_network_evaluate(struct ff_network *network, const struct ff_dataset *dataset, enum ff_split split,
                              uint32_t first, uint32_t count, uint32_t *wrong, struct ff_error *error)
{
    const struct ff_plan *plan = &network->plan;
    const struct ff_images *images = ff_dataset_split(dataset, split);

    if (!ff_same_shape(dataset->shape, network->shape) || dataset->classes != plan->classes)
        return ff_fail(
            error, FF_INVALID,
            "the network was trained on images of %u x %u x %u in %u classes, and %s has %u x %u x %u in %u",
            network->shape.channels, network->shape.height, network->shape.width, plan->classes, dataset->name,
            dataset->shape.channels, dataset->shape.height, dataset->shape.width, dataset->classes);
    if (first > images->count)
        return ff_fail(error, FF_INVALID, "%s has %u such images, so that none can be judged from number %u on",
                       dataset->name, images->count, first);
    *wrong = 0;
    count = count == 0 || count > images->count - first ? images->count - first : count;
    for (uint32_t done = 0; done < count; done += plan->forward_images) {
        uint32_t left = count - done, now = left < plan->forward_images ? left : plan->forward_images;
        uint32_t at = first + done;
        struct ff_message *message = start(network, FF_FORWARD);
        float confidence;

        for (uint32_t i = 0; i < now; i++)
            ff_input_bytes(network->input, plan, images->pixels + (size_t)(at + i) * plan->pixels,
                           message->x + (size_t)i * plan->pixels);
        ff_message_put_forward(message, plan, now, plan->forward_rows);
        ff_stage_handle(network->stage, message);
        for (uint32_t i = 0; i < message->images; i++)
            *wrong += ff_predict(plan, message, i, network->scores, &confidence) != images->labels[at + i];
    }
    return FF_OK;
}

void ff_network_weights(struct ff_network *network, uint32_t layer, uint32_t unit, uint32_t count, float *weights)
{
    uint32_t inputs = network->plan.layer[layer].inputs;
    uint32_t most = (uint32_t)(network->plan.capacity / inputs);

    for (uint32_t done = 0; done < count;) {
        uint32_t now = count - done < most ? count - done : most;
        struct ff_message *message = start(network, FF_GET);

        message->range = (struct ff_range){.layer = layer, .offset = unit + done, .count = now, .by_columns = true};
        ff_stage_handle(network->stage, message);
        memcpy(weights + (size_t)done * inputs, message->x, (size_t)now * inputs * sizeof *weights);
        done += now;
    }
}

uint32_t ff_network_units(const struct ff_network *network, uint32_t layer)
{
    return layer < network->plan.blocks ? network->plan.layer[layer].units : 0;
}

uint32_t ff_network_inputs(const struct ff_network *network, uint32_t layer)
{
    return layer < network->plan.blocks ? network->plan.layer[layer].inputs : 0;
}

size_t ff_network_bytes(const struct ff_network *network)
{
    return ff_stage_bytes(network->stage) + ff_pool_bytes(network->pool);
}

void ff_network_destroy(struct ff_network *network)
{
    if (network == NULL)
        return;
    free(network->scores);
    free(network->goodness);
    ff_pool_destroy(network->pool);
    ff_stage_destroy(network->stage);
    free(network);
}
