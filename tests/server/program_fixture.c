#include "../cmocka_all.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "program_fixture.h"
#include "temporary.h"

struct program program = {.mutex = PTHREAD_MUTEX_INITIALIZER, .woken = PTHREAD_COND_INITIALIZER};

static size_t wake(void *self)
{
    (void)self;
    pthread_mutex_lock(&program.mutex);
    program.wakes++;
    pthread_cond_broadcast(&program.woken);
    pthread_mutex_unlock(&program.mutex);
    return program.http != NULL ? http_wake(program.http) : 0;
}

enum { SIDE = 8, TRAIN = 40, TEST = 20 };

static void write_idx(const char *stem, unsigned count)
{
    uint8_t images[16 + TRAIN * SIDE * SIDE] = {0, 0, 8, 3, 0, 0, 0, (uint8_t)count, 0, 0, 0, SIDE, 0, 0, 0, SIDE};
    uint8_t labels[8 + TRAIN] = {0, 0, 8, 1, 0, 0, 0, (uint8_t)count};
    char name[64];

    for (unsigned i = 0; i < count; i++) {
        labels[8 + i] = (uint8_t)(i % 4);
        for (unsigned pixel = 0; pixel < SIDE * SIDE; pixel++)
            images[16 + i * SIDE * SIDE + pixel] =
                (uint8_t)((pixel / 16 == i % 4 ? 200 : 0) + (i * 31 + pixel * 17) % 40);
    }
    snprintf(name, sizeof name, "%s-images-idx3-ubyte", stem);
    temporary_write(temporary_path(program.folder, name), images, 16 + count * SIDE * SIDE);
    snprintf(name, sizeof name, "%s-labels-idx1-ubyte", stem);
    temporary_write(temporary_path(program.folder, name), labels, 8 + count);
}

void program_prepare(void)
{
    program.placement = (struct ff_placement){.stages = 1, .threads = 1};
    temporary_folder(program.folder);
    write_idx("train", TRAIN);
    write_idx("t10k", TEST);
}

static ff_status open_parts(struct ff_error *error)
{
    char option[300];
    struct http_options options = {.address = "127.0.0.1", .api = &program.api};

    snprintf(option, sizeof option, "bars=%s", program.folder);
    program.store = store_open(temporary_path(program.folder, "state"), error);
    if (program.store == NULL)
        return error->status;
    program.hub = hub_create(store_first_event(program.store), 1 << 20, error);
    if (program.hub == NULL || (program.catalog = catalog_create(error)) == NULL ||
        catalog_add(program.catalog, option, error) != FF_OK)
        return error->status;
    program.session = session_create(program.store, program.hub, program.catalog, program.placement, NULL, error);
    if (program.session == NULL)
        return error->status;
    program.api = (struct api){
        .session = program.session, .store = program.store, .hub = program.hub, .catalog = program.catalog};
    options.routes = api_routes(&options.route_count);
    program.http = http_start(&options, error);
    if (program.http == NULL)
        return error->status;
    hub_set_wake(program.hub, wake, NULL);
    return FF_OK;
}

ff_status program_open(struct ff_error *error)
{
    ff_status status = open_parts(error);

    if (status != FF_OK)
        program_close();
    return status;
}

void program_close(void)
{
    program.api.closing = true;
    if (program.hub != NULL)
        hub_set_wake(program.hub, NULL, NULL);
    if (program.http != NULL)
        http_stop(program.http);
    if (program.session != NULL)
        session_destroy(program.session);
    catalog_destroy(program.catalog);
    hub_destroy(program.hub);
    store_close(program.store);
    program.store = NULL;
    program.hub = NULL;
    program.catalog = NULL;
    program.session = NULL;
    program.http = NULL;
}

void program_remove(void)
{
    temporary_remove(program.folder);
}

int64_t program_submit(uint32_t epochs, struct ff_error *error)
{
    static struct run run;

    run = (struct run){0};
    ff_config_defaults(&run.config);
    snprintf(run.config.dataset, sizeof run.config.dataset, "bars");
    run.config.layer_count = 2;
    run.config.layers[0] = run.config.layers[1] = (struct ff_layer_config){.kind = FF_DENSE, .units = 6};
    run.config.batch_size = 10;
    run.config.epochs = epochs;
    run.config.evaluate_every = epochs;
    return session_submit(program.session, &run, error) == FF_OK ? run.id : 0;
}

/* The hub's wakes tell that something has changed. */
const struct run *program_await(int64_t id, enum run_state state, bool or_final)
{
    static struct run run;
    struct ff_error error;

    for (;;) {
        pthread_mutex_lock(&program.mutex);
        uint64_t wakes = program.wakes;
        pthread_mutex_unlock(&program.mutex);
        if (session_get(program.session, id, &run, &error) == FF_OK &&
            (run.state == state || (or_final && run_state_is_final(run.state))))
            return &run;
        pthread_mutex_lock(&program.mutex);
        while (program.wakes == wakes)
            pthread_cond_wait(&program.woken, &program.mutex);
        pthread_mutex_unlock(&program.mutex);
    }
}
