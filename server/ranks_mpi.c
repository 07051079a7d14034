/* ranks_mpi.c - parcels between ranks, carried by MPI.
 *
 * One thread of each process, the carrier, makes all calls of MPI, so that MPI_THREAD_FUNNELED is enough and other
 * threads compute while parcels are on their way. Sends are synchronous: a parcel is sent when the other side has
 * begun to take it, so nothing queues up unseen. The carrier looks often while parcels come and go, and seldom when
 * none do; an idle rank costs next to nothing.
 *
 * MPI itself does not say that a rank has died. So rank 0 and every other rank tell each other twice a second that
 * they are there, and who is silent for SILENCE is lost. Only time in which the carrier itself was at work counts:
 * a machine that stood still is no reason. Rank 0's word says, too, who else is lost. */
#include <mpi.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ranks_open.h"
#include "spin.h"

enum { TAG_PARCEL = 1, TAG_WORD = 2, SENDS = 3, RECEIVES = 3 };

static const uint64_t word_every = 500000000u; /* nanoseconds, as all here */
static const uint64_t silence = 8000000000u, first_silence = 60000000000u;
static const uint64_t counted = 100000000u; /* of silence, at most, between two looks */
static const uint64_t rest_least = 20000u, rest_busy = 200000u, rest_most = 2000000u;

/* A parcel and its way. */
struct letter {
    struct ff_parcel parcel; /* first: what others see of it */
    uint32_t to;
    MPI_Request request;
};

struct queue {
    struct ff_parcel *first, **end;
};

struct rank {
    bool heard, lost;
    uint64_t silent;  /* since it was heard of */
    MPI_Request word; /* ours to it, under way; MPI_REQUEST_NULL: none is */
};

struct mpi_ranks {
    struct ff_ranks ranks; /* first: what its methods get */
    pthread_t carrier;

    pthread_mutex_t mutex; /* guards what follows, until the carrier's own */
    pthread_cond_t changed, wake;
    bool open, closing;
    struct ff_error error;
    struct queue blanks, outbox, inbox, spare; /* to send; to be sent; received; to receive into */
    uint32_t blanks_made, spares_made;
    void (*told)(void *self, uint32_t rank);
    void *told_self;

    /* Of the carrier alone. */
    struct letter *sending[SENDS], *receiving[RECEIVES]; /* the latter in the order in which they began */
    uint32_t sends, receives;
    struct rank *rank;     /* [count] */
    uint8_t *word, *heard; /* [count] who is lost, as rank 0 says */
    uint64_t looked, worked, worded;
};

/* --- queues --------------------------------------------------------------------------------------------------- */

static void put(struct queue *queue, struct ff_parcel *parcel)
{
    parcel->next = NULL;
    *queue->end = parcel;
    queue->end = &parcel->next;
}

static struct ff_parcel *pop(struct queue *queue)
{
    struct ff_parcel *parcel = queue->first;

    if (parcel != NULL && (queue->first = parcel->next) == NULL)
        queue->end = &queue->first;
    return parcel;
}

static struct ff_parcel *make_parcel(void)
{
    struct letter *letter = calloc(1, sizeof *letter);

    return letter != NULL ? &letter->parcel : NULL;
}

static bool make_room(struct ff_parcel *parcel, size_t room)
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

static void free_queue(struct queue *queue)
{
    struct ff_parcel *parcel;

    while ((parcel = pop(queue)) != NULL) {
        free(parcel->bytes);
        free(parcel);
    }
}

/* --- what ranks.h asks for ------------------------------------------------------------------------------------ */

/* With the mutex: an empty parcel out of a queue that may have `most`. NULL: not now. */
static struct ff_parcel *take(struct queue *queue, uint32_t *made, uint32_t most)
{
    struct ff_parcel *parcel = pop(queue);

    if (parcel == NULL && *made < most && (parcel = make_parcel()) != NULL)
        ++*made;
    return parcel;
}

static struct ff_parcel *blank(struct ff_ranks *ranks, size_t room)
{
    struct mpi_ranks *mpi = (struct mpi_ranks *)ranks;
    struct ff_parcel *parcel;
    bool good;

    pthread_mutex_lock(&mpi->mutex);
    while ((parcel = take(&mpi->blanks, &mpi->blanks_made, SENDS)) == NULL)
        pthread_cond_wait(&mpi->changed, &mpi->mutex);
    parcel->from = ranks->mine;
    good = make_room(parcel, room);
    if (!good)
        put(&mpi->blanks, parcel);
    pthread_mutex_unlock(&mpi->mutex);
    return good ? parcel : NULL;
}

static void send(struct ff_ranks *ranks, struct ff_parcel *parcel, uint32_t to)
{
    struct mpi_ranks *mpi = (struct mpi_ranks *)ranks;

    ((struct letter *)parcel)->to = to;
    pthread_mutex_lock(&mpi->mutex);
    put(&mpi->outbox, parcel);
    pthread_cond_signal(&mpi->wake);
    pthread_mutex_unlock(&mpi->mutex);
}

static struct ff_parcel *receive(struct ff_ranks *ranks)
{
    struct mpi_ranks *mpi = (struct mpi_ranks *)ranks;
    struct ff_parcel *parcel;

    pthread_mutex_lock(&mpi->mutex);
    while ((parcel = pop(&mpi->inbox)) == NULL)
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
        put(parcel->from == ranks->mine ? &mpi->blanks : &mpi->spare, parcel);
    pthread_cond_broadcast(&mpi->changed);
    pthread_cond_signal(&mpi->wake);
    pthread_mutex_unlock(&mpi->mutex);
}

/* --- who is lost ---------------------------------------------------------------------------------------------- */

static bool watches(const struct mpi_ranks *mpi, uint32_t rank)
{
    return rank != mpi->ranks.mine && (mpi->ranks.mine == 0 || rank == 0);
}

/* With the mutex. MPI may touch the bytes of what was on its way for as long as the process lives: they are left to
 * it, and others made in their place. */
static void abandon_letters(struct mpi_ranks *mpi, uint32_t rank)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < mpi->sends; i++) {
        if (mpi->sending[i]->to == rank)
            mpi->blanks_made--;
        else
            mpi->sending[kept++] = mpi->sending[i];
    }
    mpi->sends = kept;
    kept = 0;
    for (uint32_t i = 0; i < mpi->receives; i++) {
        if (mpi->receiving[i]->parcel.from == rank)
            mpi->spares_made--;
        else
            mpi->receiving[kept++] = mpi->receiving[i];
    }
    mpi->receives = kept;
}

static void lose(struct mpi_ranks *mpi, uint32_t rank)
{
    void (*told)(void *self, uint32_t rank);
    struct ff_parcel *notice = make_parcel();
    void *self;

    if (mpi->rank[rank].lost || notice == NULL)
        return; /* without memory it is seen at the next look */
    mpi->rank[rank].lost = true;
    mpi->word[rank] = 1;
    notice->lost = true;
    notice->from = rank;
    pthread_mutex_lock(&mpi->mutex);
    abandon_letters(mpi, rank);
    put(&mpi->inbox, notice);
    told = mpi->told;
    self = mpi->told_self;
    pthread_cond_broadcast(&mpi->changed);
    pthread_mutex_unlock(&mpi->mutex);
    if (told != NULL)
        told(self, rank);
}

static void hear_of(struct mpi_ranks *mpi, uint32_t rank)
{
    mpi->rank[rank].heard = true;
    mpi->rank[rank].silent = 0;
}

/* Words that have come. Rank 0's says who else is lost. */
static void hear_words(struct mpi_ranks *mpi)
{
    MPI_Status status;
    int there = 0;

    while (MPI_Iprobe(MPI_ANY_SOURCE, TAG_WORD, MPI_COMM_WORLD, &there, &status) == MPI_SUCCESS && there) {
        MPI_Recv(mpi->heard, (int)mpi->ranks.count, MPI_BYTE, status.MPI_SOURCE, TAG_WORD, MPI_COMM_WORLD,
                 MPI_STATUS_IGNORE);
        hear_of(mpi, (uint32_t)status.MPI_SOURCE);
        for (uint32_t rank = 0; status.MPI_SOURCE == 0 && rank < mpi->ranks.count; rank++) {
            if (mpi->heard[rank] && rank != mpi->ranks.mine)
                lose(mpi, rank);
        }
    }
}

static void send_words(struct mpi_ranks *mpi, uint64_t now)
{
    if (now - mpi->worded < word_every)
        return;
    mpi->worded = now;
    for (uint32_t rank = 0; rank < mpi->ranks.count; rank++) {
        struct rank *to = &mpi->rank[rank];
        int done = 1;

        if (!watches(mpi, rank) || to->lost)
            continue;
        if (to->word != MPI_REQUEST_NULL)
            MPI_Test(&to->word, &done, MPI_STATUS_IGNORE);
        if (done)
            MPI_Isend(mpi->word, (int)mpi->ranks.count, MPI_BYTE, (int)rank, TAG_WORD, MPI_COMM_WORLD, &to->word);
    }
}

static void count_silence(struct mpi_ranks *mpi, uint64_t now)
{
    uint64_t passed = now - mpi->looked < counted ? now - mpi->looked : counted;

    mpi->looked = now;
    for (uint32_t i = 0; i < mpi->ranks.count; i++) {
        struct rank *rank = &mpi->rank[i];

        if (!watches(mpi, i) || rank->lost)
            continue;
        rank->silent += passed;
        if (rank->silent > (rank->heard ? silence : first_silence))
            lose(mpi, i);
    }
}

/* --- parcels on their way ------------------------------------------------------------------------------------- */

/* The next of the outbox; what is for a lost rank vanishes. */
static struct letter *next_to_send(struct mpi_ranks *mpi)
{
    struct ff_parcel *parcel;

    pthread_mutex_lock(&mpi->mutex);
    while ((parcel = pop(&mpi->outbox)) != NULL && mpi->rank[((struct letter *)parcel)->to].lost) {
        put(&mpi->blanks, parcel);
        pthread_cond_broadcast(&mpi->changed);
    }
    pthread_mutex_unlock(&mpi->mutex);
    return (struct letter *)parcel;
}

static void begin_sends(struct mpi_ranks *mpi)
{
    struct letter *letter;

    while (mpi->sends < SENDS && (letter = next_to_send(mpi)) != NULL) {
        const struct ff_parcel *parcel = &letter->parcel;

        mpi->sending[mpi->sends++] = letter;
        mpi->worked = mpi->looked;
        if (MPI_Issend(parcel->bytes, (int)parcel->size, MPI_BYTE, (int)letter->to, TAG_PARCEL, MPI_COMM_WORLD,
                       &letter->request) != MPI_SUCCESS)
            lose(mpi, letter->to);
    }
}

static void end_sends(struct mpi_ranks *mpi)
{
    for (uint32_t i = 0; i < mpi->sends;) {
        struct letter *letter = mpi->sending[i];
        int done = 0;

        if (MPI_Test(&letter->request, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS) {
            lose(mpi, letter->to);
            i = 0; /* the list is another one */
            continue;
        }
        if (!done) {
            i++;
            continue;
        }
        mpi->sending[i] = mpi->sending[--mpi->sends];
        mpi->worked = mpi->looked;
        pthread_mutex_lock(&mpi->mutex);
        put(&mpi->blanks, &letter->parcel);
        pthread_cond_broadcast(&mpi->changed);
        pthread_mutex_unlock(&mpi->mutex);
    }
}

/* A parcel that stands before the door comes in when there is one to take it into. */
static bool begin_receive(struct mpi_ranks *mpi)
{
    struct ff_parcel *parcel;
    struct letter *letter;
    MPI_Message message;
    MPI_Status status;
    int there = 0, size = 0;

    if (mpi->receives == RECEIVES)
        return false;
    pthread_mutex_lock(&mpi->mutex);
    parcel = take(&mpi->spare, &mpi->spares_made, RECEIVES);
    pthread_mutex_unlock(&mpi->mutex);
    if (parcel == NULL)
        return false;
    letter = (struct letter *)parcel;
    if (MPI_Improbe(MPI_ANY_SOURCE, TAG_PARCEL, MPI_COMM_WORLD, &there, &message, &status) == MPI_SUCCESS && there)
        MPI_Get_count(&status, MPI_BYTE, &size);
    if (!there || !make_room(parcel, (size_t)size)) {
        pthread_mutex_lock(&mpi->mutex);
        put(&mpi->spare, parcel);
        pthread_mutex_unlock(&mpi->mutex);
        if (there)
            lose(mpi,
                 (uint32_t)status.MPI_SOURCE); /* what cannot be taken in breaks the line as if it had not come */
        return false;
    }
    parcel->from = (uint32_t)status.MPI_SOURCE;
    parcel->size = (size_t)size;
    mpi->worked = mpi->looked;
    mpi->receiving[mpi->receives++] = letter;
    if (MPI_Imrecv(parcel->bytes, size, MPI_BYTE, &message, &letter->request) != MPI_SUCCESS)
        lose(mpi, parcel->from);
    return true;
}

/* In the order in which they began, whichever is here first. Who closes wants none any more. */
static void end_receives(struct mpi_ranks *mpi)
{
    while (mpi->receives > 0) {
        struct letter *letter = mpi->receiving[0];
        int done = 0;

        if (MPI_Test(&letter->request, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS) {
            lose(mpi, letter->parcel.from);
            continue;
        }
        if (!done)
            return;
        memmove(mpi->receiving, mpi->receiving + 1, --mpi->receives * sizeof(struct letter *));
        hear_of(mpi, letter->parcel.from);
        mpi->worked = mpi->looked;
        pthread_mutex_lock(&mpi->mutex);
        put(mpi->closing ? &mpi->spare : &mpi->inbox, &letter->parcel);
        pthread_cond_broadcast(&mpi->changed);
        pthread_mutex_unlock(&mpi->mutex);
    }
}

/* --- the carrier ---------------------------------------------------------------------------------------------- */

/* The longer nothing has come or gone, the longer; a parcel to send ends it. */
static void rest(struct mpi_ranks *mpi)
{
    uint64_t time = (mpi->looked - mpi->worked) / 8;
    uint64_t most = mpi->sends > 0 || mpi->receives > 0 ? rest_busy : rest_most;
    struct timespec until;

    time = time < most ? time : most;
    if (time < rest_least) {
        sched_yield();
        return;
    }
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)time;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&mpi->mutex);
    if (mpi->outbox.first == NULL && !mpi->closing)
        pthread_cond_timedwait(&mpi->wake, &mpi->mutex, &until);
    pthread_mutex_unlock(&mpi->mutex);
}

static bool is_over(struct mpi_ranks *mpi)
{
    bool over;

    pthread_mutex_lock(&mpi->mutex);
    over = mpi->closing && mpi->outbox.first == NULL && mpi->sends == 0;
    for (struct ff_parcel *parcel; mpi->closing && (parcel = pop(&mpi->inbox)) != NULL;) {
        if (parcel->lost)
            free(parcel);
        else
            put(&mpi->spare, parcel);
    }
    pthread_mutex_unlock(&mpi->mutex);
    return over;
}

static void carry(struct mpi_ranks *mpi)
{
    mpi->looked = mpi->worked = ff_clock();
    while (!is_over(mpi)) {
        count_silence(mpi, ff_clock());
        send_words(mpi, mpi->looked);
        hear_words(mpi);
        begin_sends(mpi);
        end_sends(mpi);
        while (begin_receive(mpi))
            ;
        end_receives(mpi);
        rest(mpi);
    }
}

/* With everybody there, all words are over; MPI waits for all, so that with somebody lost it would wait for ever.
 */
static void finalize(struct mpi_ranks *mpi)
{
    for (uint32_t rank = 0; rank < mpi->ranks.count; rank++) {
        if (mpi->rank[rank].lost)
            return;
    }
    for (uint32_t rank = 0; rank < mpi->ranks.count; rank++) {
        if (mpi->rank[rank].word != MPI_REQUEST_NULL)
            MPI_Request_free(&mpi->rank[rank].word);
    }
    MPI_Finalize();
}

static ff_status start(struct mpi_ranks *mpi, struct ff_error *error)
{
    int granted = 0, count = 0, mine = 0;

    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &granted) != MPI_SUCCESS)
        return ff_fail(error, FF_IO, "MPI could not be started; start the program with mpirun");
    if (granted < MPI_THREAD_FUNNELED)
        return ff_fail(
            error, FF_IO,
            "this MPI library grants MPI_THREAD_SINGLE only, and MPI_THREAD_FUNNELED is needed: one thread "
            "sends while others compute");
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_size(MPI_COMM_WORLD, &count);
    MPI_Comm_rank(MPI_COMM_WORLD, &mine);
    mpi->ranks.count = (uint32_t)count;
    mpi->ranks.mine = (uint32_t)mine;
    mpi->rank = calloc((size_t)count, sizeof *mpi->rank);
    mpi->word = calloc((size_t)count, 1);
    mpi->heard = calloc((size_t)count, 1);
    if (mpi->rank == NULL || mpi->word == NULL || mpi->heard == NULL)
        return ff_fail_memory(error, "the ranks");
    for (int rank = 0; rank < count; rank++)
        mpi->rank[rank].word = MPI_REQUEST_NULL;
    return FF_OK;
}

static void *run_carrier(void *self)
{
    struct mpi_ranks *mpi = self;
    struct ff_error error = {0};
    ff_status status = start(mpi, &error);

    pthread_mutex_lock(&mpi->mutex);
    mpi->open = true;
    mpi->error = error;
    pthread_cond_broadcast(&mpi->changed);
    pthread_mutex_unlock(&mpi->mutex);
    if (status == FF_OK) {
        carry(mpi);
        finalize(mpi);
    }
    return NULL;
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
    struct queue *queues[] = {&mpi->blanks, &mpi->outbox, &mpi->inbox, &mpi->spare};
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
    struct queue *queues[] = {&mpi->blanks, &mpi->outbox, &mpi->inbox, &mpi->spare};

    for (size_t i = 0; i < sizeof queues / sizeof queues[0]; i++)
        free_queue(queues[i]);
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
    if (pthread_create(&mpi->carrier, NULL, run_carrier, mpi) != 0) {
        destroy(mpi);
        return ff_fail(error, FF_IO, "no thread could be started; close other programs");
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

void ranks_watch(struct ff_ranks *ranks, void (*told)(void *self, uint32_t rank), void *self)
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
