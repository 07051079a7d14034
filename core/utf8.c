#include "utf8.h"

static bool is_continuation(unsigned char byte)
{
    return (byte & 0xC0) == 0x80;
}

size_t ff_utf8_sequence(const char *text, size_t length)
{
    const unsigned char *byte = (const unsigned char *)text;
    size_t size;

    if (length == 0)
        return 0;
    if (byte[0] < 0x80)
        return 1;
    size = byte[0] >= 0xC2 && byte[0] <= 0xDF   ? 2
           : (byte[0] & 0xF0) == 0xE0           ? 3
           : byte[0] >= 0xF0 && byte[0] <= 0xF4 ? 4
                                                : 0;
    if (size == 0 || size > length)
        return 0;
    for (size_t i = 1; i < size; i++)
        if (!is_continuation(byte[i]))
            return 0;
    /* The second byte excludes overlong forms, surrogates and what lies above U+10FFFF. */
    if ((byte[0] == 0xE0 && byte[1] < 0xA0) || (byte[0] == 0xED && byte[1] > 0x9F) ||
        (byte[0] == 0xF0 && byte[1] < 0x90) || (byte[0] == 0xF4 && byte[1] > 0x8F))
        return 0;
    return size;
}

bool ff_utf8_valid(const char *text, size_t length)
{
    for (size_t at = 0; at < length;) {
        size_t size = ff_utf8_sequence(text + at, length - at);

        if (size == 0)
            return false;
        at += size;
    }
    return true;
}

size_t ff_utf8_encode(uint32_t code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xC0 | (code >> 6));
        out[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xE0 | (code >> 12));
        out[1] = (char)(0x80 | ((code >> 6) & 0x3F));
        out[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | (code >> 18));
    out[1] = (char)(0x80 | ((code >> 12) & 0x3F));
    out[2] = (char)(0x80 | ((code >> 6) & 0x3F));
    out[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}
