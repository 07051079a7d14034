#include "crew.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crew_internal.h"

bool ff_crew_tell(struct ff_ranks *ranks, uint32_t to, const void *bytes, size_t size)
{
    struct ff_parcel *parcel = ranks->methods->blank(ranks, size);

    if (parcel == NULL)
        return false;
    memcpy(parcel->bytes, bytes, size);
    parcel->size = size;
    ranks->methods->send(ranks, parcel, to);
    return true;
}

ff_status ff_crew_lose(struct ff_crew *crew, uint32_t rank, struct ff_error *error)
{
    crew->member[rank].lost = true;
    return ff_fail(error, FF_LOST, "rank %u (on %s) does not answer any more: it has ended, or its machine is gone",
                   rank, crew->member[rank].host[0] != '\0' ? crew->member[rank].host : "an unknown machine");
}

/* --- meeting -------------------------------------------------------------------------------------------------- */

void ff_hello_make(struct ff_hello *hello, const struct ff_trait *traits, size_t count)
{
    size_t used = 0;

    *hello = (struct ff_hello){.head = {.kind = FF_PARCEL_HELLO}};
    gethostname(hello->host, sizeof hello->host - 1);
    sched_getaffinity(0, sizeof hello->processors, &hello->processors);
    for (size_t i = 0; i < count && used < sizeof hello->traits; i++)
        used += (size_t)snprintf(hello->traits + used, sizeof hello->traits - used, "%s\t%s\n", traits[i].name,
                                 traits[i].value);
}

/* The value of a trait in the hello's text, cut out of it; NULL: it is not there. */
static const char *trait_of(char *text, const char *name)
{
    size_t length = strlen(name);

    while (text != NULL && *text != '\0') {
        if (strncmp(text, name, length) == 0 && text[length] == '\t') {
            text[length + 1 + strcspn(text + length + 1, "\n")] = '\0';
            return text + length + 1;
        }
        text = strchr(text, '\n');
        text = text != NULL ? text + 1 : NULL;
    }
    return NULL;
}

static ff_status compare(const struct ff_hello *hello, uint32_t rank, const struct ff_trait *traits, size_t count,
                         struct ff_error *error)
{
    for (size_t i = 0; i < count; i++) {
        char text[FF_TRAITS_TEXT];
        const char *value;

        memcpy(text, hello->traits, sizeof text);
        text[sizeof text - 1] = '\0';
        value = trait_of(text, traits[i].name);
        if (value == NULL || strcmp(value, traits[i].value) != 0)
            return ff_fail(
                error, FF_INVALID, "rank %u (on %.60s) has another %s than rank 0: %.100s, not %.100s; %s", rank,
                hello->host, traits[i].name, value != NULL ? value : "none", traits[i].value, traits[i].advice);
    }
    return FF_OK;
}

static ff_status take_hello(struct ff_crew *crew, const struct ff_parcel *parcel, const struct ff_trait *traits,
                            size_t count, struct ff_error *error)
{
    struct ff_member *member = &crew->member[parcel->from];
    struct ff_hello hello;

    if (parcel->lost)
        return ff_crew_lose(crew, parcel->from, error);
    if (parcel->size != sizeof hello || ff_parcel_head(parcel).kind != FF_PARCEL_HELLO)
        return ff_fail(error, FF_INVALID,
                       "rank %u is another build of the program; copy the same one to all machines", parcel->from);
    memcpy(&hello, parcel->bytes, sizeof hello);
    hello.host[sizeof hello.host - 1] = '\0';
    memcpy(member->host, hello.host, sizeof member->host);
    member->processors = hello.processors;
    return compare(&hello, parcel->from, traits, count, error);
}

/* All of them are heard, so that what one says never waits for another run. */
static ff_status hear_all(struct ff_crew *crew, const struct ff_trait *traits, size_t count, struct ff_error *error)
{
    struct ff_ranks *ranks = crew->ranks;
    ff_status status = FF_OK;

    for (uint32_t i = 1; i < ranks->count; i++) {
        struct ff_parcel *parcel = ranks->methods->receive(ranks);
        struct ff_error other;

        if (take_hello(crew, parcel, traits, count, status == FF_OK ? error : &other) != FF_OK && status == FF_OK)
            status = error->status;
        ranks->methods->release(ranks, parcel);
    }
    return status;
}

struct ff_crew *ff_crew_meet(struct ff_ranks *ranks, const struct ff_trait *traits, size_t count,
                             struct ff_error *error)
{
    struct ff_crew *crew = calloc(1, sizeof *crew + ranks->count * sizeof crew->member[0]);
    struct ff_hello mine;

    if (crew == NULL) {
        ff_fail_memory(error, "the crew");
        return NULL;
    }
    crew->ranks = ranks;
    ff_hello_make(&mine, traits, count);
    memcpy(crew->member[0].host, mine.host, sizeof mine.host);
    crew->member[0].processors = mine.processors;
    if (hear_all(crew, traits, count, error) == FF_OK)
        return crew;
    ff_crew_destroy(crew);
    return NULL;
}

/* --- looking -------------------------------------------------------------------------------------------------- */

uint32_t ff_crew_ranks(const struct ff_crew *crew)
{
    uint32_t count = 0;

    for (uint32_t rank = 0; rank < crew->ranks->count; rank++)
        count += !crew->member[rank].lost;
    return count;
}

/* A rank's processors, each shared by all ranks of its machine that may use it. */
static double processors_of(const struct ff_crew *crew, uint32_t rank)
{
    const struct ff_member *member = &crew->member[rank];
    double sum = 0;

    for (size_t processor = 0; processor < CPU_SETSIZE; processor++) {
        uint32_t sharers = 0;

        if (!CPU_ISSET(processor, &member->processors))
            continue;
        for (uint32_t other = 0; other < crew->ranks->count; other++)
            sharers += !crew->member[other].lost && strcmp(crew->member[other].host, member->host) == 0 &&
                       CPU_ISSET(processor, &crew->member[other].processors);
        sum += 1.0 / sharers;
    }
    return sum;
}

uint32_t ff_crew_threads(const struct ff_crew *crew)
{
    double least = CPU_SETSIZE;

    for (uint32_t rank = 0; rank < crew->ranks->count; rank++) {
        double processors = crew->member[rank].lost ? least : processors_of(crew, rank);

        least = processors < least ? processors : least;
    }
    return least < 1 ? 1 : (uint32_t)(least + 1e-6);
}

void ff_crew_destroy(struct ff_crew *crew)
{
    const struct ff_parcel_head end = {.kind = FF_PARCEL_END};

    if (crew == NULL)
        return;
    for (uint32_t rank = 1; rank < crew->ranks->count; rank++)
        ff_crew_tell(crew->ranks, rank, &end, sizeof end);
    free(crew);
}
