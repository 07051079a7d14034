/* Memory that runs out: every allocation on the way to a run, a checkpoint and a network at rest fails once; each
 * time there is a sentence and nothing is lost or leaked (the address sanitizer's suite sees to the latter). */
#include "cmocka_all.h"

#include <cblas.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint.h"
#include "memory.h"
#include "network.h"
#include "random_config.h"
#include "synthetic.h"
#include "temporary.h"
#include "trainer.h"

/* The linker puts these between the library and malloc (CMakeLists.txt); cJSON gets them as hooks. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
char *__real_strdup(const char *text);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
char *__wrap_strdup(const char *text);

static long fails_at; /* the allocation that fails, from 1; 0: none */
static long allocations;

static bool fails(void)
{
    if (fails_at == 0 || ++allocations != fails_at)
        return false;
    errno = ENOMEM;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? NULL : __real_aligned_alloc(alignment, size);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}

static char folder[256], path[300];
static struct ff_dataset *dataset;
static struct ff_config config;

/* What is tried: FF_OK, or why not. */
typedef ff_status attempting(struct ff_error *error);

/* Let every allocation of an attempt fail in turn until one goes through; returns how many there were. */
static long try_all(attempting *attempt)
{
    for (long n = 1;; n++) {
        struct ff_error error = {0};
        ff_status status;

        allocations = 0;
        fails_at = n;
        status = attempt(&error);
        fails_at = 0;
        if (allocations < n) {
            assert_int_equal(status, FF_OK);
            return n - 1;
        }
        if (status != FF_NO_MEMORY || error.status != status || strstr(error.message, "memory") == NULL)
            fail_msg("allocation %ld failed, and the answer was %d, \"%s\"", n, status, error.message);
    }
}

/* --- a checkpoint, written by what a run tells --- */

struct writing {
    struct ff_safetensors_writer *writer;
    struct ff_durable *file;
    ff_status status;
    struct ff_error error;
};

static void write_piece(void *self, const struct ff_snapshot_piece *piece)
{
    struct writing *writing = self;

    if (piece->standing != NULL) {
        struct ff_checkpoint_about about = {
            .config = config, .shape = dataset->shape, .classes = dataset->classes, .standing = *piece->standing};

        writing->writer = ff_checkpoint_write(&ff_files_system, path, &about, &writing->error);
        writing->status = writing->writer == NULL ? writing->error.status : FF_OK;
    } else if (writing->status == FF_OK) {
        writing->status = ff_safetensors_append(writing->writer, piece->values,
                                                piece->count * sizeof *piece->values, &writing->error);
        if (piece->last && writing->status == FF_OK)
            writing->status = ff_safetensors_finish(writing->writer, &writing->file, &writing->error);
        else if (writing->status != FF_OK)
            ff_safetensors_discard(writing->writer);
    }
}

static ff_status train_and_write(struct ff_error *error)
{
    struct writing writing = {0};
    struct ff_observer observer = {.self = &writing, .snapshot = write_piece};
    struct ff_trainer *trainer =
        ff_trainer_create(&config, dataset, (struct ff_placement){2, 1}, &observer, NULL, error);

    if (trainer == NULL)
        return error->status;
    if (ff_trainer_run(trainer, error) != FF_FINISHED)
        writing.status = error->status;
    ff_trainer_destroy(trainer);
    if (writing.status == FF_OK)
        return ff_durable_commit(writing.file, error);
    if (writing.error.status != FF_OK)
        *error = writing.error;
    return writing.status;
}

static void making_and_writing_a_run_says_when_memory_is_out(void **state)
{
    (void)state;
    assert_true(try_all(train_and_write) > 60);
}

static ff_status open_checkpoint(struct ff_error *error)
{
    struct ff_checkpoint *checkpoint = ff_checkpoint_open(path, error);

    if (checkpoint == NULL)
        return error->status;
    ff_checkpoint_close(checkpoint);
    return FF_OK;
}

static ff_status go_on(struct ff_error *error)
{
    struct ff_beginning beginning = {.checkpoint = ff_checkpoint_open(path, error)};
    struct ff_observer observer = {0};
    struct ff_trainer *trainer;
    ff_status status = FF_OK;

    if (beginning.checkpoint == NULL)
        return error->status;
    trainer = ff_trainer_create(&config, dataset, (struct ff_placement){1, 2}, &observer, &beginning, error);
    if (trainer == NULL)
        status = error->status;
    else if (ff_trainer_run(trainer, error) != FF_FINISHED)
        status = error->status;
    ff_trainer_destroy(trainer);
    ff_checkpoint_close(beginning.checkpoint);
    return status;
}

static ff_status rest(struct ff_error *error)
{
    struct ff_checkpoint *checkpoint = ff_checkpoint_open(path, error);
    struct ff_network *network;

    if (checkpoint == NULL)
        return error->status;
    network = ff_network_create(checkpoint, 2, error);
    ff_checkpoint_close(checkpoint);
    if (network == NULL)
        return error->status;
    ff_network_destroy(network);
    return FF_OK;
}

static void opening_and_going_on_say_when_memory_is_out(void **state)
{
    struct ff_error error;

    (void)state;
    assert_int_equal(train_and_write(&error), FF_OK);
    assert_true(try_all(open_checkpoint) > 30);
    assert_true(try_all(go_on) > 60);
    assert_true(try_all(rest) > 40);
}

static void what_is_free_is_known(void **state)
{
    double bytes = ff_memory_available();

    (void)state;
    assert_true(bytes > 1e6 && bytes < 1e15);
}

/* A convolution and a dense layer, both with all that they can have. */
static void use_convolutions(void)
{
    config.rule = FF_CLASS_GROUPS;
    config.layers[0] = (struct ff_layer_config){
        .kind = FF_CONV, .channels = 6, .kernel = 3, .stride = 1, .padding = 1, .pool = true};
    config.layers[1] = (struct ff_layer_config){.kind = FF_DENSE, .units = 6};
    config.batch_normalization = true;
    config.batch_size = 5;
    config.forward_after_update = false;
    config.peer_normalization = 0;
    config.average = 0.9;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(making_and_writing_a_run_says_when_memory_is_out),
        cmocka_unit_test(opening_and_going_on_say_when_memory_is_out),
        cmocka_unit_test(what_is_free_is_known),
    };
    cJSON_Hooks hooks = {.malloc_fn = malloc, .free_fn = free};
    int failed;

    openblas_set_num_threads(1); /* as the program does */
    cJSON_InitHooks(&hooks);
    temporary_folder(folder);
    snprintf(path, sizeof path, "%s/checkpoint.safetensors", folder);
    dataset = synthetic_dataset(20, 6, 4, 3);
    random_config(&config, 3);
    config.layer_count = 2;
    config.layers[0].units = config.layers[1].units = 5;
    config.optimizer = FF_ADAM;
    config.epochs = 1;
    failed = cmocka_run_group_tests_name("dense layers", tests, NULL, NULL);
    use_convolutions();
    failed += cmocka_run_group_tests_name("convolutions", tests, NULL, NULL);
    ff_dataset_destroy(dataset);
    temporary_remove(folder);
    return failed;
}
