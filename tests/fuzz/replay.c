/* replay.c - a fuzzer without libFuzzer: what its corpus holds, whole, cut and damaged. The same every time. */
#include "../cmocka_all.h"

#include <dirent.h>
#include <string.h>

#include "fuzz.h"

enum { INPUTS_MAX = 512, INPUT_MAX = 1 << 20, CUTS_MAX = 600, DAMAGES = 200 };

static struct {
    uint8_t *data;
    size_t size;
    char name[256];
} inputs[INPUTS_MAX];
static size_t input_count;

/* Exactly as long, so that reading over is noticed. */
static void give(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);

    assert_non_null(copy);
    if (size > 0)
        memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void read_input(const char *name)
{
    char path[1024];
    FILE *file;

    assert_true(input_count < INPUTS_MAX);
    snprintf(path, sizeof path, "%s/%s", FUZZ_CORPUS, name);
    file = fopen(path, "rb");
    assert_non_null(file);
    inputs[input_count].data = malloc(INPUT_MAX);
    assert_non_null(inputs[input_count].data);
    inputs[input_count].size = fread(inputs[input_count].data, 1, INPUT_MAX, file);
    snprintf(inputs[input_count].name, sizeof inputs[input_count].name, "%s", name);
    fclose(file);
    input_count++;
}

static int read_corpus(void **state)
{
    DIR *folder = opendir(FUZZ_CORPUS);

    (void)state;
    if (folder == NULL)
        return -1;
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder))
        if (entry->d_name[0] != '.')
            read_input(entry->d_name);
    closedir(folder);
    return 0;
}

static int free_corpus(void **state)
{
    (void)state;
    for (size_t i = 0; i < input_count; i++)
        free(inputs[i].data);
    return 0;
}

static void the_corpus_breaks_no_promise(void **state)
{
    (void)state;
    assert_true(input_count > 0);
    for (size_t i = 0; i < input_count; i++)
        give(inputs[i].data, inputs[i].size);
}

static void what_is_cut_breaks_no_promise(void **state)
{
    (void)state;
    for (size_t i = 0; i < input_count; i++)
        for (size_t cut = 1; cut <= inputs[i].size && cut <= CUTS_MAX; cut++)
            give(inputs[i].data, inputs[i].size - cut);
}

/* SplitMix64. */
static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;

    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

/* Some bytes become others: any, an edge, one more or less. */
static void damage(uint8_t *data, size_t size, uint64_t *random)
{
    static const uint8_t edges[] = {0, 1, 0x7F, 0x80, 0xFF, '"', '{', '/', '%', ':'};

    for (uint64_t left = 1 + next(random) % 3; left > 0; left--) {
        uint64_t choice = next(random);
        uint8_t *byte = &data[choice % size];

        switch (choice >> 32 & 3) {
        case 0:
            *byte = (uint8_t)(choice >> 40);
            break;
        case 1:
            *byte = edges[(choice >> 40) % sizeof edges];
            break;
        default:
            *byte = (uint8_t)(*byte + (choice >> 32 & 1 ? 1 : -1));
        }
    }
}

static void what_is_damaged_breaks_no_promise(void **state)
{
    uint64_t random = 1;

    (void)state;
    for (size_t i = 0; i < input_count; i++) {
        for (size_t times = 0; times < DAMAGES && inputs[i].size > 0; times++) {
            uint8_t *copy = malloc(inputs[i].size);

            assert_non_null(copy);
            memcpy(copy, inputs[i].data, inputs[i].size);
            damage(copy, inputs[i].size, &random);
            LLVMFuzzerTestOneInput(copy, inputs[i].size);
            free(copy);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_corpus_breaks_no_promise),
        cmocka_unit_test(what_is_cut_breaks_no_promise),
        cmocka_unit_test(what_is_damaged_breaks_no_promise),
    };

    return cmocka_run_group_tests(tests, read_corpus, free_corpus);
}
