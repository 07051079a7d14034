/* The strict reader of JSON: what it takes, cJSON takes too and understands the same; what it refuses has a place.
 */
#include "fuzz.h"

#include <stdbool.h>
#include <string.h>

#include "json.h"
#include "utf8.h"

static bool is_same(const cJSON *left, const cJSON *right)
{
    const cJSON *a = left->child, *b = right->child;

    if ((left->type & 0xFF) != (right->type & 0xFF))
        return false;
    if (cJSON_IsNumber(left) && left->valuedouble != right->valuedouble)
        return false;
    if (cJSON_IsString(left) && strcmp(left->valuestring, right->valuestring) != 0)
        return false;
    for (; a != NULL && b != NULL; a = a->next, b = b->next)
        if (!is_same(a, b) || (cJSON_IsObject(left) && strcmp(a->string, b->string) != 0))
            return false;
    return a == NULL && b == NULL;
}

/* cJSON reads no more than 63 characters of a number. */
static bool has_long_number(const uint8_t *data, size_t size)
{
    size_t run = 0, longest = 0;

    for (size_t i = 0; i < size; i++) {
        run = data[i] != 0 && strchr("+-.0123456789eE", data[i]) != NULL ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    return longest > 60;
}

static void check_taken(const cJSON *json, const uint8_t *data, size_t size)
{
    cJSON *theirs = cJSON_ParseWithLength((const char *)data, size), *again;
    char *text = cJSON_PrintUnformatted(json);
    struct ff_error error;

    FUZZ_CHECK(ff_utf8_valid((const char *)data, size));
    FUZZ_CHECK(has_long_number(data, size) || (theirs != NULL && is_same(json, theirs)));
    again = json_parse_strict(text, strlen(text), &error);
    /* It prints the largest doubles so that they are read as infinite. */
    FUZZ_CHECK(again != NULL || strstr(error.message, "too large") != NULL ||
               strstr(error.message, "rounded") != NULL);
    cJSON_Delete(again);
    cJSON_free(text);
    cJSON_Delete(theirs);
}

static void check_refused(const struct ff_error *error)
{
    size_t line, column;

    FUZZ_CHECK(error->status == FF_INVALID);
    FUZZ_CHECK(sscanf(error->message, "line %zu, column %zu: ", &line, &column) == 2);
    FUZZ_CHECK(line > 0 && column > 0);
    FUZZ_CHECK(ff_utf8_valid(error->message, strlen(error->message)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ff_error error = {.status = FF_OK};
    cJSON *json = json_parse_strict((const char *)data, size, &error);

    if (json != NULL)
        check_taken(json, data, size);
    else
        check_refused(&error);
    cJSON_Delete(json);
    return 0;
}
