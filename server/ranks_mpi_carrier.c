/* ranks_mpi_carrier.c - the one thread of each process that makes all calls of MPI, so that MPI_THREAD_FUNNELED is
 * enough and other threads compute while parcels are on their way. Sends are synchronous: a parcel is sent when the
 * other side has begun to take it, so nothing queues up unseen. The carrier looks often while parcels come and go,
 * and seldom when none do or none can; an idle rank costs next to nothing.
 *
 * MPI itself does not say that a rank has died. So rank 0 and every other rank tell each other twice a second that
 * they are there, and who is silent for `silence` is lost. Only time in which the carrier itself was at work
 * counts: a machine that stood still is no reason. Rank 0's word says, too, who else is lost. */
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ranks_mpi.h"
#include "spin.h"

enum { TAG_PARCEL = 1, TAG_WORD = 2 };

static const uint64_t word_every = 500000000u, listen_every = 50000000u; /* nanoseconds, as all here */
static const uint64_t silence = 8000000000u, first_silence = 60000000000u;
static const uint64_t counted = 100000000u; /* of silence, at most, between two looks */
static const uint64_t rest_least = 20000u, rest_busy = 200000u, rest_most = 2000000u;

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
    void (*told)(void *self, const struct ranks_loss *loss);
    struct ff_parcel *notice = letters_make_one();
    struct ranks_loss loss = {rank, 1e-9 * (double)(mpi->looked - mpi->rank[rank].last),
                              1e-9 * (double)mpi->rank[rank].silent};
    void *self;

    if (mpi->rank[rank].lost || notice == NULL)
        return; /* without memory it is seen at the next look */
    mpi->rank[rank].lost = true;
    mpi->word[rank] = 1;
    notice->lost = true;
    notice->from = rank;
    pthread_mutex_lock(&mpi->mutex);
    abandon_letters(mpi, rank);
    letters_put(&mpi->inbox, notice);
    told = mpi->told;
    self = mpi->told_self;
    pthread_cond_broadcast(&mpi->changed);
    pthread_mutex_unlock(&mpi->mutex);
    if (told != NULL)
        told(self, &loss);
}

static void hear_of(struct mpi_ranks *mpi, uint32_t rank)
{
    mpi->rank[rank].heard = true;
    mpi->rank[rank].silent = 0;
    mpi->rank[rank].last = mpi->looked;
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

/* They are few. */
static void listen(struct mpi_ranks *mpi)
{
    if (mpi->looked - mpi->listened < listen_every)
        return;
    mpi->listened = mpi->looked;
    hear_words(mpi);
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
    while ((parcel = letters_pop(&mpi->outbox)) != NULL && mpi->rank[((struct letter *)parcel)->to].lost) {
        letters_put(&mpi->blanks, parcel);
        pthread_cond_broadcast(&mpi->changed);
    }
    pthread_mutex_unlock(&mpi->mutex);
    return (struct letter *)parcel;
}

static void begin_sends(struct mpi_ranks *mpi)
{
    struct letter *letter;

    while (mpi->sends < RANKS_SENDS && (letter = next_to_send(mpi)) != NULL) {
        const struct ff_parcel *parcel = &letter->parcel;

        mpi->sending[mpi->sends++] = letter;
        mpi->worked = mpi->looked;
        if (MPI_Issend(parcel->bytes, (int)parcel->size, MPI_BYTE, (int)letter->to, TAG_PARCEL, MPI_COMM_WORLD,
                       &letter->request) != MPI_SUCCESS)
            lose(mpi, letter->to);
    }
}

/* One call for all of them: each looks after all that MPI has to do. -1: none has ended. */
static int find_sent(struct mpi_ranks *mpi, bool *failed)
{
    MPI_Request requests[RANKS_SENDS];
    int which = MPI_UNDEFINED, done = 0;

    for (uint32_t i = 0; i < mpi->sends; i++)
        requests[i] = mpi->sending[i]->request;
    *failed = MPI_Testany((int)mpi->sends, requests, &which, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS;
    if (which == MPI_UNDEFINED)
        return *failed ? 0 : -1;
    mpi->sending[which]->request = requests[which];
    return *failed || done ? which : -1;
}

static void end_sends(struct mpi_ranks *mpi)
{
    bool failed = false;
    int which;

    while (mpi->sends > 0 && (which = find_sent(mpi, &failed)) >= 0) {
        struct letter *letter = mpi->sending[which];

        if (failed) {
            lose(mpi, letter->to); /* the list is another one */
            continue;
        }
        mpi->sending[which] = mpi->sending[--mpi->sends];
        mpi->worked = mpi->looked;
        pthread_mutex_lock(&mpi->mutex);
        letters_put(&mpi->blanks, &letter->parcel);
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

    if (mpi->receives == RANKS_RECEIVES)
        return false;
    pthread_mutex_lock(&mpi->mutex);
    parcel = letters_take(&mpi->spare, &mpi->spares_made, RANKS_RECEIVES);
    pthread_mutex_unlock(&mpi->mutex);
    if (parcel == NULL)
        return false;
    letter = (struct letter *)parcel;
    if (MPI_Improbe(MPI_ANY_SOURCE, TAG_PARCEL, MPI_COMM_WORLD, &there, &message, &status) == MPI_SUCCESS && there)
        MPI_Get_count(&status, MPI_BYTE, &size);
    if (!there || !letters_make_room(parcel, (size_t)size)) {
        pthread_mutex_lock(&mpi->mutex);
        letters_put(&mpi->spare, parcel);
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
        letters_put(mpi->closing ? &mpi->spare : &mpi->inbox, &letter->parcel);
        pthread_cond_broadcast(&mpi->changed);
        pthread_mutex_unlock(&mpi->mutex);
    }
}

/* --- the carrier ---------------------------------------------------------------------------------------------- */

static bool is_under_way(const struct mpi_ranks *mpi)
{
    return mpi->sends > 0 || mpi->receives > 0;
}

/* With the mutex: for how long MPI need not be asked. The longer nothing has come or gone, the longer; and where a
 * parcel that came could not be taken in, until one is released. */
static uint64_t rest_time(struct mpi_ranks *mpi)
{
    uint64_t passed = mpi->looked - mpi->worked, most = rest_most;

    if (is_under_way(mpi))
        most = passed / 50 > rest_busy ? passed / 50 : rest_busy;
    else if (mpi->spare.first == NULL && mpi->spares_made == RANKS_RECEIVES)
        return listen_every;
    return passed / 8 < most ? passed / 8 : most;
}

/* A parcel to send, or released, ends it. */
static void rest(struct mpi_ranks *mpi)
{
    struct timespec until;
    uint64_t time;

    pthread_mutex_lock(&mpi->mutex);
    time = rest_time(mpi);
    if (time >= rest_least && mpi->outbox.first == NULL && !mpi->closing) {
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += (long)time;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&mpi->wake, &mpi->mutex, &until);
    }
    pthread_mutex_unlock(&mpi->mutex);
    if (time < rest_least)
        sched_yield();
}

static bool is_over(struct mpi_ranks *mpi)
{
    bool over;

    pthread_mutex_lock(&mpi->mutex);
    over = mpi->closing && mpi->outbox.first == NULL && mpi->sends == 0;
    for (struct ff_parcel *parcel; mpi->closing && (parcel = letters_pop(&mpi->inbox)) != NULL;) {
        if (parcel->lost)
            free(parcel);
        else
            letters_put(&mpi->spare, parcel);
    }
    pthread_mutex_unlock(&mpi->mutex);
    return over;
}

static void carry(struct mpi_ranks *mpi)
{
    mpi->looked = mpi->worked = ff_clock();
    for (uint32_t rank = 0; rank < mpi->ranks.count; rank++)
        mpi->rank[rank].last = mpi->looked;
    while (!is_over(mpi)) {
        count_silence(mpi, ff_clock());
        send_words(mpi, mpi->looked);
        listen(mpi);
        begin_sends(mpi);
        end_sends(mpi);
        while (begin_receive(mpi))
            ;
        end_receives(mpi);
        rest(mpi);
    }
}

/* With everybody there. MPI waits for all, so that with somebody lost it would wait for ever. Words that nobody has
 * heard are no loss, but some MPI libraries warn of them, on standard output. */
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
    MPI_Barrier(MPI_COMM_WORLD); /* nobody sends any more */
    hear_words(mpi);
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

void *ranks_mpi_carry(void *self)
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
