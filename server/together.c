#include "together.h"

#include <gnu/libc-version.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blas.h"
#include "kernels.h"
#include "ranks_open.h"
#include "sha256.h"
#include "signals.h"

enum { CLOSE_SECONDS = 20, LINE_MAX_BYTES = 16384 };

static void sum_file(const char *path, char text[FF_SHA256_TEXT])
{
    struct ff_error ignored;
    struct ff_sha256 *sum = ff_sha256_create(&ignored);
    FILE *file = fopen(path, "rb");
    char buffer[16384];
    size_t count;

    while (sum != NULL && file != NULL && (count = fread(buffer, 1, sizeof buffer, file)) > 0)
        ff_sha256_add(sum, buffer, count);
    text[0] = '\0';
    if (sum != NULL)
        ff_sha256_take(sum, text);
    if (file != NULL)
        fclose(file);
    ff_sha256_destroy(sum);
}

/* The arguments behind the program's name; of many their sum alone. */
static void take_command_line(char *text, size_t size)
{
    FILE *file = fopen("/proc/self/cmdline", "rb");
    char *line = calloc(1, LINE_MAX_BYTES);
    size_t length = file != NULL && line != NULL ? fread(line, 1, LINE_MAX_BYTES - 1, file) : 0, begin = 0;
    char sum[FF_SHA256_TEXT];

    text[0] = '\0';
    while (begin < length && line[begin] != '\0')
        begin++;
    for (size_t i = begin; i + 1 < length; i++)
        line[i] = line[i] == '\0' || line[i] == '\n' || line[i] == '\t' ? ' ' : line[i];
    if (length > begin + 1 && snprintf(text, size, "%s", line + begin + 1) >= (int)size) {
        sum_file("/proc/self/cmdline", sum);
        snprintf(text, size, "%.60s... (SHA-256 %s)", line + begin + 1, sum);
    }
    free(line);
    if (file != NULL)
        fclose(file);
}

static size_t take_traits(struct ff_trait traits[FF_TRAITS_MAX])
{
    static const char install[] = "install the same system on all machines";
    size_t count = 0;
    char sum[FF_SHA256_TEXT];

    memset(traits, 0, FF_TRAITS_MAX * sizeof *traits);
    sum_file("/proc/self/exe", sum);
    traits[count] = (struct ff_trait){.name = "program", .advice = "copy the same program to all machines"};
    snprintf(traits[count++].value, sizeof traits[0].value, "SHA-256 %s", sum);
    traits[count] = (struct ff_trait){.name = "C library", .advice = install};
    snprintf(traits[count++].value, sizeof traits[0].value, "%s", gnu_get_libc_version());
    traits[count] = (struct ff_trait){
        .name = "BLAS kernel",
        .advice =
            "bits depend on it: let all have one that every machine can run (mpirun -x OPENBLAS_CORETYPE=Haswell)"};
    snprintf(traits[count++].value, sizeof traits[0].value, "%s", ff_blas_kernel());
    traits[count] = (struct ff_trait){.name = "vector unit",
                                      .advice = "bits depend on it: use machines with the same kind of processor"};
    snprintf(traits[count++].value, sizeof traits[0].value, "%s", ff_kernels()->name);
    traits[count] =
        (struct ff_trait){.name = "command line",
                          .advice = "start all ranks with one: rank 0 reads the configuration, and gives "
                                    "it to the others"};
    take_command_line(traits[count++].value, sizeof traits[0].value);
    return count;
}

ff_status together_open(struct together *together, struct ff_error *error)
{
    struct ff_trait traits[FF_TRAITS_MAX];
    size_t count;

    *together = (struct together){0};
    if (ranks_open(&together->ranks, error) != FF_OK)
        return error->status;
    if (together->ranks == NULL)
        return FF_OK;
    count = take_traits(traits);
    if (together->ranks->mine == 0) {
        together->crew = ff_crew_meet(together->ranks, traits, count, error);
        return together->crew != NULL ? FF_OK : error->status;
    }
    signals_leave();
    together->served = true;
    return ff_crew_serve(together->ranks, traits, count, error);
}

void together_close(struct together *together)
{
    ff_crew_destroy(together->crew);
    if (together->ranks != NULL)
        signals_end_within(CLOSE_SECONDS); /* MPI would wait for ever for a rank that dies just now */
    ranks_close(together->ranks);
    *together = (struct together){0};
}
