/* golden.h - reading a golden case, and holding arrays against it: data/golden/README.md says how. */
#ifndef TESTS_GOLDEN_H
#define TESTS_GOLDEN_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

/* The case `name`, or the end of the test: GOLDEN_FOLDER comes from the build. */
static inline cJSON *golden_load(const char *name)
{
    char path[512], *text;
    FILE *file;
    long size;
    cJSON *golden;

    snprintf(path, sizeof path, "%s/%s.json", GOLDEN_FOLDER, name);
    file = fopen(path, "rb");
    if (file == NULL)
        fail_msg("%s is not there", path);
    fseek(file, 0, SEEK_END);
    size = ftell(file);
    rewind(file);
    text = calloc(1, (size_t)size + 1);
    assert_int_equal(fread(text, 1, (size_t)size, file), (size_t)size);
    fclose(file);
    golden = cJSON_Parse(text);
    free(text);
    assert_non_null(golden);
    return golden;
}

static inline const cJSON *golden_at(const cJSON *object, const char *name)
{
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);

    if (value == NULL)
        fail_msg("the case has no %s", name);
    return value;
}

static inline double golden_number(const cJSON *object, const char *name)
{
    return golden_at(object, name)->valuedouble;
}

/* All numbers of nested lists, in order, into `values`; returns how many. */
static inline size_t golden_flatten(const cJSON *list, double *values, size_t most)
{
    const cJSON *item;
    size_t count = 0;

    if (cJSON_IsNumber(list)) {
        if (most < 1)
            fail_msg("more numbers than there is room for");
        values[0] = list->valuedouble;
        return 1;
    }
    cJSON_ArrayForEach(item, list) count += golden_flatten(item, values + count, most - count);
    return count;
}

/* Hold `count` figures against a list of the case, the tolerance being a share of the list's largest value. */
static inline void golden_compare(const char *what, const float *got, size_t count, const cJSON *list,
                                  double tolerance)
{
    static double wanted[1 << 16];
    size_t there = golden_flatten(list, wanted, 1 << 16);
    double largest = 0;

    if (there != count)
        fail_msg("%s: %zu figures, the case has %zu", what, count, there);
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(wanted[i]));
    for (size_t i = 0; i < count; i++) {
        if (!(fabs(got[i] - wanted[i]) <= tolerance * largest))
            fail_msg("%s[%zu]: got %.9g, wanted %.9g, which is %.2g of the largest, %g", what, i, (double)got[i],
                     wanted[i], fabs(got[i] - wanted[i]) / largest, largest);
    }
}

#endif
