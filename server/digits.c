#include "digits.h"

bool digits_first(const char **text, uint64_t *number)
{
    const char *at = *text;
    uint64_t sum = 0;

    for (; *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');

        if (sum > (UINT64_MAX - digit) / 10)
            return false;
        sum = sum * 10 + digit;
    }
    if (at == *text)
        return false;
    *text = at;
    *number = sum;
    return true;
}

bool digits_whole(const char *text, uint64_t *number)
{
    uint64_t first;

    if (!digits_first(&text, &first) || *text != '\0')
        return false;
    *number = first;
    return true;
}

bool digits_run(const char **text, int64_t *run)
{
    const char *rest = *text;
    uint64_t number;

    if (*rest == '0' || !digits_first(&rest, &number) || number > INT64_MAX)
        return false;
    *text = rest;
    *run = (int64_t)number;
    return true;
}
