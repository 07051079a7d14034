/* fuzz.h - what the fuzzers share.
 *
 * A fuzzer is a file that defines LLVMFuzzerTestOneInput: it gives the bytes to the code under test, and aborts
 * where a promise is broken. libFuzzer calls it with bytes that it makes up (tests/fuzz/run); replay.c calls it
 * with what is in corpora/ and with that cut and damaged, as a part of the normal suite. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A promise. */
#define FUZZ_CHECK(promise)                                                                                        \
    do {                                                                                                           \
        if (!(promise)) {                                                                                          \
            fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #promise);                                  \
            abort();                                                                                               \
        }                                                                                                          \
    } while (0)

/* The bytes as text with a NUL at the end, the caller's to free. */
char *fuzz_text(const uint8_t *data, size_t size);

/* A file of these bytes; its path holds until the next call with the same `slot`. */
enum { FUZZ_FILES = 2 };
const char *fuzz_file(unsigned slot, const uint8_t *data, size_t size);

#endif
