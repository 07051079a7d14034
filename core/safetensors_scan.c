#include "safetensors_scan.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "safetensors_header.h"
#include "utf8.h"

bool ff_scan_fault(struct ff_scan *scan, const char *format, ...)
{
    char what[256];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    ff_safetensors_damaged(scan->error, scan->path, "its header is damaged: %s at byte %zu of the JSON", what,
                           scan->at);
    return false;
}

static int peek(const struct ff_scan *scan)
{
    return scan->at < scan->length ? (unsigned char)scan->text[scan->at] : -1;
}

static void skip_space(struct ff_scan *scan)
{
    for (int next = peek(scan); next == ' ' || next == '\t' || next == '\n' || next == '\r'; next = peek(scan))
        scan->at++;
}

bool ff_scan_take(struct ff_scan *scan, char c)
{
    skip_space(scan);
    if (peek(scan) != c)
        return false;
    scan->at++;
    return true;
}

bool ff_scan_expect(struct ff_scan *scan, char c)
{
    return ff_scan_take(scan, c) || ff_scan_fault(scan, "%c is missing", c);
}

bool ff_scan_next(struct ff_scan *scan, char closing, bool *more)
{
    *more = ff_scan_take(scan, ',');
    return *more || ff_scan_take(scan, closing) || ff_scan_fault(scan, "a comma or %c is missing", closing);
}

bool ff_scan_end(struct ff_scan *scan)
{
    skip_space(scan);
    return scan->at == scan->length || ff_scan_fault(scan, "something follows the JSON");
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

bool ff_scan_number(struct ff_scan *scan, uint64_t *number)
{
    size_t start;

    skip_space(scan);
    start = scan->at;
    for (*number = 0; is_digit(peek(scan)); scan->at++) {
        uint64_t digit = (uint64_t)(peek(scan) - '0');

        if (__builtin_mul_overflow(*number, 10, number) || __builtin_add_overflow(*number, digit, number))
            return ff_scan_fault(scan, "a number is above 2^64 - 1");
    }
    if (scan->at == start)
        return ff_scan_fault(scan, "a whole number from 0 is missing");
    if (scan->text[start] == '0' && scan->at > start + 1)
        return ff_scan_fault(scan, "a number begins with 0");
    return true;
}

/* --- texts ---------------------------------------------------------------------------------------------------- */

/* The four hexadecimal digits after \u. */
static bool scan_unit(struct ff_scan *scan, uint32_t *unit)
{
    *unit = 0;
    for (int i = 0; i < 4; i++, scan->at++) {
        int c = peek(scan);

        if (is_digit(c))
            *unit = *unit * 16 + (uint32_t)(c - '0');
        else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
            *unit = *unit * 16 + (uint32_t)((c | 0x20) - 'a' + 10);
        else
            return ff_scan_fault(scan, "\\u is not followed by four hexadecimal digits");
    }
    return true;
}

/* A code point after \u: one unit, or two that are a pair of surrogates. */
static bool scan_code(struct ff_scan *scan, uint32_t *code)
{
    uint32_t low;

    if (!scan_unit(scan, code))
        return false;
    if (*code == 0)
        return ff_scan_fault(scan, "a text holds \\u0000");
    if (*code < 0xD800 || *code > 0xDFFF)
        return true;
    if (*code > 0xDBFF || scan->length - scan->at < 2 || memcmp(scan->text + scan->at, "\\u", 2) != 0)
        return ff_scan_fault(scan, "half of a surrogate pair stands alone");
    scan->at += 2;
    if (!scan_unit(scan, &low))
        return false;
    if (low < 0xDC00 || low > 0xDFFF)
        return ff_scan_fault(scan, "half of a surrogate pair stands alone");
    *code = 0x10000 + ((*code - 0xD800) << 10) + (low - 0xDC00);
    return true;
}

/* What follows a backslash. An escape is never shorter than what it stands for, so there is room. */
static bool scan_escape(struct ff_scan *scan, char **out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    int c = peek(scan);
    const char *found = c > 0 ? strchr(from, c) : NULL;
    uint32_t code;

    if (c != 'u' && found == NULL)
        return ff_scan_fault(scan, "a backslash is not followed by one of \"\\/bfnrtu");
    scan->at++;
    if (found != NULL) {
        *(*out)++ = to[found - from];
        return true;
    }
    if (!scan_code(scan, &code))
        return false;
    *out += ff_utf8_encode(code, *out);
    return true;
}

bool ff_scan_text(struct ff_scan *scan, char **text)
{
    char *out;

    if (!ff_scan_expect(scan, '"'))
        return false;
    for (*text = out = scan->text + scan->at; peek(scan) != '"';) {
        const char *here = scan->text + scan->at;
        size_t size = ff_utf8_sequence(here, scan->length - scan->at);

        if (scan->at == scan->length)
            return ff_scan_fault(scan, "a text does not end");
        if (size == 0)
            return ff_scan_fault(scan, "a text is not UTF-8");
        if ((unsigned char)*here < 0x20)
            return ff_scan_fault(scan, "a text holds a control character");
        scan->at += size;
        if (*here != '\\') {
            memmove(out, here, size);
            out += size;
        } else if (!scan_escape(scan, &out)) {
            return false;
        }
    }
    scan->at++;
    *out = '\0'; /* the closing quote's place at the latest */
    return true;
}
