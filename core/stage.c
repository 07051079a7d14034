#include "stage.h"

#include <stdlib.h>

#include "layer.h"
#include "spin.h"

struct ff_stage {
    uint32_t first, count;
    struct ff_layer *layers[FF_BLOCKS_MAX];
    struct ff_workspace workspace;
    bool backpropagates;
    size_t bytes;
};

static bool create_layers(struct ff_stage *stage, const struct ff_plan *plan, uint32_t first, uint32_t count,
                          struct ff_error *error)
{
    for (; stage->count < count; stage->count++) {
        struct ff_layer *layer = ff_layer_create(plan, first + stage->count, error);

        if (layer == NULL)
            return false;
        stage->layers[stage->count] = layer;
        stage->bytes += ff_layer_bytes(layer);
    }
    return true;
}

static size_t scratch_floats(const struct ff_stage *stage)
{
    size_t most = 0;

    for (uint32_t i = 0; i < stage->count; i++) {
        size_t needed = ff_layer_scratch(stage->layers[i]);

        most = needed > most ? needed : most;
    }
    return most;
}

static bool create_workspace(struct ff_stage *stage, const struct ff_plan *plan, uint32_t threads,
                             struct ff_error *error)
{
    size_t scratch = scratch_floats(stage);

    stage->workspace.team = ff_team_create(threads, error);
    if (stage->workspace.team == NULL)
        return false;
    stage->workspace.spare = ff_floats(plan->capacity);
    stage->workspace.scratch = calloc(threads + 1, sizeof(float *));
    for (uint32_t i = 0; stage->workspace.scratch != NULL && i < threads; i++) {
        if ((stage->workspace.scratch[i] = ff_floats(scratch)) == NULL)
            return ff_fail_memory(error, "a stage's scratch") == FF_OK;
    }
    stage->bytes += (plan->capacity + threads * scratch) * sizeof(float);
    if (stage->workspace.spare == NULL || stage->workspace.scratch == NULL)
        return ff_fail_memory(error, "a stage's scratch") == FF_OK;
    return true;
}

struct ff_stage *ff_stage_create(const struct ff_plan *plan, uint32_t first, uint32_t count, uint32_t threads,
                                 struct ff_error *error)
{
    struct ff_stage *stage = calloc(1, sizeof *stage);

    if (stage == NULL) {
        ff_fail_memory(error, "a stage");
        return NULL;
    }
    stage->first = first;
    stage->backpropagates = plan->config.rule == FF_BACKPROP;
    if (!create_layers(stage, plan, first, count, error) || !create_workspace(stage, plan, threads, error)) {
        ff_stage_destroy(stage);
        return NULL;
    }
    return stage;
}

void ff_stage_share(struct ff_stage *stage, size_t items, void (*item)(void *, size_t, unsigned), void *arg)
{
    ff_team_run(stage->workspace.team, items, item, arg, stage->workspace.guests);
}

ff_status ff_stage_allow_guest(struct ff_stage *stage, struct ff_error *error)
{
    struct ff_workspace *workspace = &stage->workspace;
    float *scratch = ff_floats(scratch_floats(stage));

    if (scratch == NULL)
        return ff_fail_memory(error, "a stage's scratch");
    workspace->scratch[ff_team_workers(workspace->team)] = scratch;
    workspace->guests = true;
    stage->bytes += scratch_floats(stage) * sizeof(float);
    return FF_OK;
}

bool ff_stage_help(struct ff_stage *stage)
{
    return ff_team_visit(stage->workspace.team);
}

/* The top layer's time holds all of the way back. */
static void go_back(struct ff_stage *stage, struct ff_message *message)
{
    for (uint32_t i = stage->count; i-- > 0;)
        ff_layer_back(stage->layers[i], message, &stage->workspace);
    message->busy[stage->first + stage->count - 1].end = ff_clock();
}

void ff_stage_handle(struct ff_stage *stage, struct ff_message *message)
{
    for (uint32_t i = 0; i < stage->count; i++) {
        struct ff_busy *busy = &message->busy[stage->first + i];

        busy->begin = i == 0 ? ff_clock() : busy[-1].end;
        ff_layer_handle(stage->layers[i], message, &stage->workspace);
        busy->end = ff_clock();
    }
    if (message->kind == FF_TRAIN && stage->backpropagates)
        go_back(stage, message);
}

size_t ff_stage_bytes(const struct ff_stage *stage)
{
    return stage->bytes;
}

void ff_stage_destroy(struct ff_stage *stage)
{
    if (stage == NULL)
        return;
    for (uint32_t i = 0; i < stage->count; i++)
        ff_layer_destroy(stage->layers[i]);
    for (unsigned i = 0; stage->workspace.scratch != NULL && i <= ff_team_workers(stage->workspace.team); i++)
        free(stage->workspace.scratch[i]);
    free(stage->workspace.scratch);
    free(stage->workspace.spare);
    ff_team_destroy(stage->workspace.team);
    free(stage);
}
