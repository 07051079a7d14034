/* utf8.h - UTF-8 by the letter of RFC 3629. Pure functions. */
#ifndef FF_UTF8_H
#define FF_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Length in bytes (1 to 4) of the character at `text`; 0 when the bytes are not UTF-8: overlong, a surrogate, above
 * U+10FFFF, or cut off. */
size_t ff_utf8_sequence(const char *text, size_t length);

bool ff_utf8_valid(const char *text, size_t length);

/* Write a code point (not a surrogate, at most U+10FFFF); returns how many bytes, 1 to 4. */
size_t ff_utf8_encode(uint32_t code, char out[4]);

#endif
