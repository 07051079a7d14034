#include "checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint_text.h"
#include "layer.h"
#include "plan.h"

enum { OPEN_EPOCH = 2, TENSORS_MAX = OPEN_EPOCH + FF_BLOCKS_MAX * FF_TENSORS_MAX };

static const char sums_name[] = "epoch.sums", histograms_name[] = "epoch.histograms";

static struct ff_tensor_about about_tensor(const struct ff_tensor_form *form)
{
    struct ff_tensor_about about = {.dtype = FF_F32, .rank = form->rank, .shape = {form->rows, form->columns}};
    uint32_t kernel = form->kernel;

    if (form->rank == 1)
        about.shape[0] = form->columns;
    if (form->rank == 4) {
        about.shape[0] = form->rows / (kernel * kernel);
        about.shape[1] = about.shape[2] = kernel;
        about.shape[3] = form->columns;
    }
    return about;
}

/* All tensors of a network in the order of a snapshot, behind those of the open epoch. */
static size_t list_tensors(const struct ff_plan *plan, struct ff_tensor_about *tensors)
{
    size_t count = 0;

    tensors[count] = (struct ff_tensor_about){.dtype = FF_F64, .rank = 2, .shape = {plan->layers, 4}};
    memcpy(tensors[count++].name, sums_name, sizeof sums_name);
    tensors[count] =
        (struct ff_tensor_about){.dtype = FF_U64, .rank = 2, .shape = {plan->layers, FF_HISTOGRAM_NUMBERS}};
    memcpy(tensors[count++].name, histograms_name, sizeof histograms_name);
    for (uint32_t layer = 0; layer < plan->blocks; layer++) {
        for (uint32_t tensor = 0; tensor < ff_layer_tensors(plan, layer); tensor++) {
            struct ff_tensor_form form = ff_layer_tensor(plan, layer, tensor);
            struct ff_tensor_about *about = &tensors[count++];

            *about = about_tensor(&form);
            if (layer < plan->layers)
                snprintf(about->name, sizeof about->name, "layer.%u.%s", layer, form.name);
            else
                snprintf(about->name, sizeof about->name, "readout.%s", form.name);
        }
    }
    return count;
}

/* --- writing --- */

static struct ff_safetensors_writer *begin(const struct ff_files *files, const char *path,
                                           const struct ff_checkpoint_about *about, struct ff_error *error)
{
    struct ff_tensor_about tensors[TENSORS_MAX];
    struct ff_checkpoint_text text;
    struct ff_safetensors_writer *writer = NULL;
    struct ff_durable *file;
    struct ff_plan plan;

    ff_plan_make_sizes(&plan, &about->config, about->shape, about->classes);
    if (ff_checkpoint_text_make(&text, about, error) != FF_OK)
        return NULL;
    file = ff_durable_create(files, path, error);
    if (file != NULL)
        writer = ff_safetensors_write(file, tensors, list_tensors(&plan, tensors), text.names_and_texts, error);
    ff_checkpoint_text_free(&text);
    return writer;
}

struct ff_safetensors_writer *ff_checkpoint_write(const struct ff_files *files, const char *path,
                                                  const struct ff_checkpoint_about *about, struct ff_error *error)
{
    struct ff_safetensors_writer *writer = begin(files, path, about, error);
    const struct ff_standing *standing = &about->standing;

    if (writer == NULL || (ff_safetensors_append(writer, standing->epoch_sums,
                                                 standing->layers * sizeof(struct ff_sums), error) == FF_OK &&
                           ff_safetensors_append(writer, standing->epoch_histograms,
                                                 standing->layers * sizeof(struct ff_histogram), error) == FF_OK))
        return writer;
    ff_safetensors_discard(writer);
    return NULL;
}

/* --- reading --- */

struct ff_checkpoint {
    struct ff_checkpoint_about about;
    struct ff_config config; /* with the last change */
    struct ff_safetensors *file;
    size_t index[FF_BLOCKS_MAX][FF_TENSORS_MAX]; /* of the file's tensors */
};

static bool same_form(const struct ff_tensor_about *a, const struct ff_tensor_about *b)
{
    bool same = a->dtype == b->dtype && a->rank == b->rank;

    for (uint32_t i = 0; same && i < a->rank; i++)
        same = a->shape[i] == b->shape[i];
    return same;
}

/* Find every tensor that the configuration has, as it should be; *index of `wanted`. */
static ff_status find_tensor(const struct ff_checkpoint *checkpoint, const char *path,
                             const struct ff_tensor_about *wanted, size_t *index, struct ff_error *error)
{
    const struct ff_tensor_about *found = ff_safetensors_find(checkpoint->file, wanted->name, index);

    if (found != NULL && same_form(found, wanted))
        return FF_OK;
    return ff_fail(error, FF_DAMAGED, "%s is no whole checkpoint: its configuration has a tensor %s%s", path,
                   wanted->name, found == NULL ? ", and the file has not" : " of another shape than the file");
}

/* What was counted of the open epoch; nothing in a checkpoint from before histograms were kept: *missing. */
static ff_status read_histograms(struct ff_checkpoint *checkpoint, const char *path,
                                 const struct ff_tensor_about *wanted, bool *missing, struct ff_error *error)
{
    struct ff_standing *standing = &checkpoint->about.standing;
    size_t layers = (size_t)wanted->shape[0], index;

    *missing = ff_safetensors_find(checkpoint->file, wanted->name, NULL) == NULL;
    if (*missing)
        return FF_OK;
    if (find_tensor(checkpoint, path, wanted, &index, error) != FF_OK ||
        ff_safetensors_read(checkpoint->file, index, 0, standing->epoch_histograms,
                            layers * sizeof(struct ff_histogram), error) != FF_OK)
        return error->status;
    for (size_t layer = 0; layer < layers; layer++) {
        if (!ff_histogram_sane(&standing->epoch_histograms[layer]))
            return ff_fail(error, FF_DAMAGED,
                           "%s is no whole checkpoint: the histogram of layer %zu makes no sense", path, layer);
    }
    return FF_OK;
}

static ff_status find_tensors(struct ff_checkpoint *checkpoint, const char *path, struct ff_error *error)
{
    struct ff_tensor_about wanted[TENSORS_MAX];
    struct ff_checkpoint_about *about = &checkpoint->about;
    size_t count, at = OPEN_EPOCH, sums;
    struct ff_plan plan;
    bool old;

    ff_plan_make_sizes(&plan, &about->config, about->shape, about->classes);
    count = list_tensors(&plan, wanted);
    if (read_histograms(checkpoint, path, &wanted[1], &old, error) != FF_OK)
        return error->status;
    count -= old;
    if (count != ff_safetensors_count(checkpoint->file))
        return ff_fail(error, FF_DAMAGED, "%s is no whole checkpoint: it has %zu tensors, its configuration %zu",
                       path, ff_safetensors_count(checkpoint->file), count);
    if (find_tensor(checkpoint, path, &wanted[0], &sums, error) != FF_OK)
        return error->status;
    for (uint32_t layer = 0; layer < plan.blocks; layer++) {
        for (uint32_t tensor = 0; tensor < ff_layer_tensors(&plan, layer); tensor++) {
            if (find_tensor(checkpoint, path, &wanted[at++], &checkpoint->index[layer][tensor], error) != FF_OK)
                return error->status;
        }
    }
    about->standing.layers = plan.layers;
    return ff_safetensors_read(checkpoint->file, sums, 0, about->standing.epoch_sums,
                               plan.layers * sizeof(struct ff_sums), error);
}

struct ff_checkpoint *ff_checkpoint_open(const char *path, struct ff_error *error)
{
    struct ff_checkpoint *checkpoint = calloc(1, sizeof *checkpoint);

    if (checkpoint == NULL) {
        ff_fail_memory(error, "a checkpoint");
        return NULL;
    }
    checkpoint->file = ff_safetensors_open(path, error);
    if (checkpoint->file == NULL || ff_safetensors_verify(checkpoint->file, error) != FF_OK ||
        ff_checkpoint_text_read(checkpoint->file, path, &checkpoint->about, error) != FF_OK ||
        find_tensors(checkpoint, path, error) != FF_OK) {
        ff_checkpoint_close(checkpoint);
        return NULL;
    }
    checkpoint->config = checkpoint->about.config;
    if (checkpoint->about.change_count > 0)
        checkpoint->config = checkpoint->about.changes[checkpoint->about.change_count - 1].config;
    return checkpoint;
}

const struct ff_checkpoint_about *ff_checkpoint_about(const struct ff_checkpoint *checkpoint)
{
    return &checkpoint->about;
}

const struct ff_config *ff_checkpoint_config(const struct ff_checkpoint *checkpoint)
{
    return &checkpoint->config;
}

ff_status ff_checkpoint_read(struct ff_checkpoint *checkpoint, uint32_t layer, uint32_t tensor, uint64_t offset,
                             uint64_t count, float *values, struct ff_error *error)
{
    return ff_safetensors_read(checkpoint->file, checkpoint->index[layer][tensor], offset * sizeof *values, values,
                               count * sizeof *values, error);
}

uint32_t ff_checkpoint_judging_tensor(const struct ff_checkpoint *checkpoint, uint32_t layer, uint32_t tensor)
{
    const struct ff_checkpoint_about *about = &checkpoint->about;
    uint32_t parameters, statistics;
    struct ff_plan plan;

    ff_plan_make_sizes(&plan, &about->config, about->shape, about->classes);
    parameters = ff_layer_parameter_tensors(&plan, layer);
    statistics = ff_layer_statistic_tensors(&plan, layer);
    return tensor < parameters ? ff_layer_judging_tensor(&plan, layer) + tensor
                               : ff_layer_tensors(&plan, layer) - statistics + tensor - parameters;
}

ff_status ff_checkpoint_fits(const struct ff_checkpoint *checkpoint, const struct ff_plan *plan,
                             const struct ff_dataset *dataset, struct ff_error *error)
{
    const struct ff_checkpoint_about *about = &checkpoint->about;
    const struct ff_standing *standing = &about->standing;
    struct ff_config config = about->config;
    const char *other;

    config.epochs = plan->config.epochs;
    if (!ff_config_first_difference(&config, &plan->config, &other))
        return ff_fail_memory(error, "a run");
    if (other != NULL)
        return ff_fail(error, FF_INVALID, "the checkpoint is of a run with another %s", other);
    if (!ff_same_shape(about->shape, dataset->shape) || about->classes != dataset->classes)
        return ff_fail(error, FF_INVALID,
                       "the checkpoint is of a run on images of another size or number of classes than %s has now",
                       dataset->name);
    if (standing->train_images != plan->train_images)
        return ff_fail(error, FF_INVALID,
                       "the checkpoint is of a run on %u training images, and %s has %u to train on now",
                       standing->train_images, dataset->name, plan->train_images);
    if (standing->step > plan->steps || standing->epochs > plan->config.epochs)
        return ff_fail(error, FF_INVALID, "the checkpoint has %u epochs done, more than the %u asked for",
                       standing->epochs, plan->config.epochs);
    if (standing->step < standing->epochs * plan->steps_per_epoch ||
        standing->step > (standing->epochs + 1) * plan->steps_per_epoch)
        return ff_fail(error, FF_DAMAGED, "the checkpoint makes no sense: %llu steps are not in the epoch after %u",
                       (unsigned long long)standing->step, standing->epochs);
    return FF_OK;
}

void ff_checkpoint_close(struct ff_checkpoint *checkpoint)
{
    if (checkpoint == NULL)
        return;
    ff_safetensors_close(checkpoint->file);
    free(checkpoint->about.changes);
    free(checkpoint);
}
