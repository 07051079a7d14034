/* ranks_mpi.c - parcels between ranks, carried by MPI: what other threads call. They fill and empty queues; the
 * carrier (ranks_mpi_carrier.c) does the rest. */
#include "ranks_mpi.h"
#include "thread.h"

#include <stdlib.h>
#include <string.h>

/* --- queues --------------------------------------------------------------------------------------------------- */

void letters_put(struct letters *letters, struct ff_parcel *parcel)
{
    parcel->next = NULL;
    *letters->end = parcel;
    letters->end = &parcel->next;
}

struct ff_parcel *letters_pop(struct letters *letters)
{
    struct ff_parcel *parcel = letters->first;

    if (parcel != NULL && (letters->first = parcel->next) == NULL)
        letters->end = &letters->first;
    return parcel;
}

struct ff_parcel *letters_make_one(void)
{
    struct letter *letter = calloc(1, sizeof *letter);

    return letter != NULL ? &letter->parcel : NULL;
}

bool letters_make_room(struct ff_parcel *parcel, size_t room)
{
    uint8_t *bytes;

    if (room <= parcel->room)
        return true;
    bytes = malloc(room);
    if (bytes == NULL)
        return false;
    free(parcel->bytes);
    parcel->bytes = bytes;
    parcel->room = room;
    return true;
}

/* With the mutex: an empty parcel out of a queue that may have `most`. NULL: not now. */
struct ff_parcel *letters_take(struct letters *letters, uint32_t *made, uint32_t most)
{
    struct ff_parcel *parcel = letters_pop(letters);

    if (parcel == NULL && *made < most && (parcel = letters_make_one()) != NULL)
        ++*made;
    return parcel;
}

static void free_letters(struct letters *letters)
{
    struct ff_parcel *parcel;

    while ((parcel = letters_pop(letters)) != NULL) {
        free(parcel->bytes);
        free(parcel);
    }
}

/* --- what ranks.h asks for ------------------------------------------------------------------------------------ */

static struct ff_parcel *blank(struct ff_ranks *ranks, size_t room)
{
    struct mpi_ranks *mpi = (struct mpi_ranks *)ranks;
    struct ff_parcel *parcel;
    bool good;

    pthread_mutex_lock(&mpi->mutex);
    while ((parcel = letters_take(&mpi->blanks, &mpi->blanks_made, RANKS_SENDS)) == NULL)
        pthread_cond_wait(&mpi->changed, &mpi->mutex);
    parcel->from = ranks->mine;
    good = letters_make_room(parcel, room);
    if (!good)
        letters_put(&mpi->blanks, parcel);
    pthread_mutex_unlock(&mpi->mutex);
    return good ? parcel : NULL;
}

static void send(struct ff_ranks *ranks, struct ff_parcel *parcel, uint32_t to)
{
    struct mpi_ranks *mpi = (struct mpi_ranks *)ranks;

    ((struct letter *)parcel)->to = to;
    pthread_mutex_lock(&mpi->mutex);
    letters_put(&mpi->outbox, parcel);
    pthread_cond_signal(&mpi->wake);
    pthread_mutex_unlock(&mpi->mutex);
}

static struct ff_parcel *receive(struct ff_ranks *ranks)
{
    struct mpi_ranks *mpi = (struct mpi_ranks *)ranks;
    struct ff_parcel *parcel;

    pthread_mutex_lock(&mpi->mutex);
    while ((parcel = letters_pop(&mpi->inbox)) == NULL)
        pthread_cond_wait(&mpi->changed, &mpi->mutex);
    pthread_mutex_unlock(&mpi->mutex);
    return parcel;
}

/* One that tells of a loss is beyond the number of spare ones; it becomes one that was not sent, or received. */
static void release(struct ff_ranks *ranks, struct ff_parcel *parcel)
{
    struct mpi_ranks *mpi = (struct mpi_ranks *)ranks;

    pthread_mutex_lock(&mpi->mutex);
    if (parcel->lost)
        free(parcel);
    else
        letters_put(parcel->from == ranks->mine ? &mpi->blanks : &mpi->spare, parcel);
    pthread_cond_broadcast(&mpi->changed);
    pthread_cond_signal(&mpi->wake);
    pthread_mutex_unlock(&mpi->mutex);
}

/* --- life ----------------------------------------------------------------------------------------------------- */

/* What launchers tell their processes. Without one of them MPI would start a launcher of its own. */
static bool is_launched(void)
{
    static const char *const names[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMI_RANK", "PMIX_RANK"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (getenv(names[i]) != NULL)
            return true;
    }
    return false;
}

static void set_up(struct mpi_ranks *mpi)
{
    static const struct ff_ranks_methods methods = {blank, send, receive, release};
    struct letters *queues[] = {&mpi->blanks, &mpi->outbox, &mpi->inbox, &mpi->spare};
    pthread_condattr_t attributes;

    mpi->ranks.methods = &methods;
    for (size_t i = 0; i < sizeof queues / sizeof queues[0]; i++)
        queues[i]->end = &queues[i]->first;
    pthread_mutex_init(&mpi->mutex, NULL);
    pthread_cond_init(&mpi->changed, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&mpi->wake, &attributes);
    pthread_condattr_destroy(&attributes);
}

static void destroy(struct mpi_ranks *mpi)
{
    struct letters *queues[] = {&mpi->blanks, &mpi->outbox, &mpi->inbox, &mpi->spare};

    for (size_t i = 0; i < sizeof queues / sizeof queues[0]; i++)
        free_letters(queues[i]);
    pthread_cond_destroy(&mpi->wake);
    pthread_cond_destroy(&mpi->changed);
    pthread_mutex_destroy(&mpi->mutex);
    free(mpi->rank);
    free(mpi->word);
    free(mpi->heard);
    free(mpi);
}

static ff_status wait_until_open(struct mpi_ranks *mpi, struct ff_error *error)
{
    pthread_mutex_lock(&mpi->mutex);
    while (!mpi->open)
        pthread_cond_wait(&mpi->changed, &mpi->mutex);
    if (mpi->error.status != FF_OK)
        *error = mpi->error;
    pthread_mutex_unlock(&mpi->mutex);
    return mpi->error.status;
}

ff_status ranks_open(struct ff_ranks **ranks, struct ff_error *error)
{
    struct mpi_ranks *mpi;

    *ranks = NULL;
    if (!is_launched())
        return FF_OK;
    if ((mpi = calloc(1, sizeof *mpi)) == NULL)
        return ff_fail_memory(error, "the ranks");
    set_up(mpi);
    if (thread_start(&mpi->carrier, ranks_mpi_carry, mpi, "speaks with the other ranks", error) != FF_OK) {
        destroy(mpi);
        return error->status;
    }
    if (wait_until_open(mpi, error) != FF_OK) {
        pthread_join(mpi->carrier, NULL);
        destroy(mpi);
        return error->status;
    }
    if (mpi->ranks.count > 1)
        *ranks = &mpi->ranks;
    else
        ranks_close(&mpi->ranks);
    return FF_OK;
}

void ranks_watch(struct ff_ranks *ranks, void (*told)(void *self, const struct ranks_loss *loss), void *self)
{
    struct mpi_ranks *mpi = (struct mpi_ranks *)ranks;

    pthread_mutex_lock(&mpi->mutex);
    mpi->told = told;
    mpi->told_self = self;
    pthread_mutex_unlock(&mpi->mutex);
}

void ranks_close(struct ff_ranks *ranks)
{
    struct mpi_ranks *mpi = (struct mpi_ranks *)ranks;

    if (mpi == NULL)
        return;
    pthread_mutex_lock(&mpi->mutex);
    mpi->closing = true;
    pthread_cond_signal(&mpi->wake);
    pthread_mutex_unlock(&mpi->mutex);
    pthread_join(mpi->carrier, NULL);
    destroy(mpi);
}

const char *ranks_library(void)
{
    static char text[MPI_MAX_LIBRARY_VERSION_STRING];
    int length = 0;

    if (text[0] == '\0')
        MPI_Get_library_version(text, &length);
    text[strcspn(text, ",\n")] = '\0';
    return text;
}
