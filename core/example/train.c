/* train.c - train a network on the images at PATH, tell how far the goodness has parted, and keep it in a file.
 *
 *     train PATH FILE        (a folder of four IDX files, or an .npz file; example.safetensors, say) */
#include <stdio.h>

#include <goodness/goodness.h>

struct keeping {
    const char *path;
    struct ff_checkpoint_about about;
    struct ff_safetensors_writer *writer;
    struct ff_error error;
};

static void tell(void *self, const struct ff_epoch *epoch)
{
    (void)self;
    for (uint32_t i = 0; i < epoch->layers; i++)
        printf("epoch %u layer %u: goodness %.3f positive, %.3f negative\n", epoch->epoch, i,
               (double)epoch->layer[i].positive, (double)epoch->layer[i].negative);
    printf("epoch %u: error %.4f\n", epoch->epoch, epoch->test_error);
}

/* The run at its end, piece by piece, into the file: whole, or not at all. */
static void keep(void *self, const struct ff_snapshot_piece *piece)
{
    struct keeping *keeping = self;
    struct ff_durable *file;

    if (piece->standing != NULL) {
        keeping->about.standing = *piece->standing;
        keeping->writer = ff_checkpoint_write(&ff_files_system, keeping->path, &keeping->about, &keeping->error);
    } else if (keeping->writer != NULL) {
        ff_safetensors_append(keeping->writer, piece->values, piece->count * sizeof *piece->values,
                              &keeping->error);
    }
    if (piece->last && keeping->writer != NULL &&
        ff_safetensors_finish(keeping->writer, &file, &keeping->error) == FF_OK)
        ff_durable_commit(file, &keeping->error);
}

int main(int count, char **arguments)
{
    static struct keeping keeping; /* too large for a stack that may be small */
    struct ff_error *error = &keeping.error;
    struct ff_observer observer = {.self = &keeping, .epoch = tell, .snapshot = keep};
    struct ff_config *config = &keeping.about.config;
    cJSON *settings = cJSON_Parse("{\"layers\": [200, 100], \"epochs\": 2, \"batch_size\": 50}");
    static struct ff_problems problems;
    struct ff_dataset *dataset;
    struct ff_trainer *trainer;
    enum ff_outcome outcome = FF_FAILED;

    if (count != 3) {
        fprintf(stderr, "usage: train PATH FILE\n");
        return 2;
    }
    keeping.path = arguments[2];
    if (ff_blas_check(error) != FF_OK || (dataset = ff_dataset_load("images", arguments[1], error)) == NULL) {
        fprintf(stderr, "train: %s\n", error->message);
        return 1;
    }
    keeping.about.shape = dataset->shape;
    keeping.about.classes = dataset->classes;
    if (!ff_preset_config(ff_preset_find("pairs-plain"), config) ||
        !ff_config_apply(config, settings, "", &problems) || !ff_config_check(config, dataset, "", &problems)) {
        for (size_t i = 0; i < problems.count; i++)
            fprintf(stderr, "train: %s %s\n", problems.problem[i].pointer, problems.problem[i].detail);
    } else {
        trainer = ff_trainer_create(config, dataset, (struct ff_placement){0}, &observer, NULL, error);
        if (trainer != NULL)
            outcome = ff_trainer_run(trainer, error);
        ff_trainer_destroy(trainer);
        if (error->status != FF_OK)
            fprintf(stderr, "train: %s\n", error->message);
    }
    cJSON_Delete(settings);
    ff_dataset_destroy(dataset);
    return outcome == FF_FINISHED && error->status == FF_OK ? 0 : 1;
}
