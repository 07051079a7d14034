#include "problems.h"

#include <stdio.h>
#include <string.h>

void ff_problem_add_list(struct ff_problems *problems, const char *pointer, const char *format, va_list arguments)
{
    struct ff_problem *problem;

    if (problems->count >= FF_PROBLEMS_MAX)
        return;
    problem = &problems->problem[problems->count++];
    snprintf(problem->pointer, sizeof problem->pointer, "%s", pointer);
    vsnprintf(problem->detail, sizeof problem->detail, format, arguments);
}

void ff_problem_add(struct ff_problems *problems, const char *pointer, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    ff_problem_add_list(problems, pointer, format, arguments);
    va_end(arguments);
}

/* Levenshtein distance, both names cut at 63 bytes. */
static size_t name_distance(const char *a, const char *b)
{
    size_t row[64], m = strnlen(a, 63), n = strnlen(b, 63);

    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; i <= m; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t above = row[j], best = diagonal + (a[i - 1] != b[j - 1]);

            if (above + 1 < best)
                best = above + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            diagonal = above;
            row[j] = best;
        }
    }
    return row[n];
}

const char *ff_nearest_name(const char *wrong, const char *const *names)
{
    const char *nearest = NULL;
    size_t best = strnlen(wrong, 63) / 3 + 2; /* farther is no likeness */

    for (; *names != NULL; names++) {
        size_t distance = name_distance(wrong, *names);

        if (distance < best) {
            best = distance;
            nearest = *names;
        }
    }
    return nearest;
}

const char *ff_did_you_mean(const char *wrong, const char *const *names, char text[FF_HINT_TEXT])
{
    const char *nearest = ff_nearest_name(wrong, names);

    text[0] = '\0';
    if (nearest != NULL)
        snprintf(text, FF_HINT_TEXT, "; did you mean \"%s\"?", nearest);
    return text;
}

const char *ff_json_kind(const cJSON *value)
{
    if (cJSON_IsString(value))
        return "a string";
    if (cJSON_IsNumber(value))
        return "a number";
    if (cJSON_IsBool(value))
        return "true or false";
    if (cJSON_IsArray(value))
        return "an array";
    return cJSON_IsObject(value) ? "an object" : "null";
}
