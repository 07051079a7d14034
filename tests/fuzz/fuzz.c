#include "fuzz.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

char *fuzz_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    FUZZ_CHECK(text != NULL);
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

const char *fuzz_file(unsigned slot, const uint8_t *data, size_t size)
{
    static struct {
        int file;
        char path[64];
    } files[FUZZ_FILES];

    FUZZ_CHECK(slot < FUZZ_FILES);
    if (files[slot].path[0] == '\0') {
        files[slot].file = memfd_create("fuzz", MFD_CLOEXEC);
        FUZZ_CHECK(files[slot].file >= 0);
        snprintf(files[slot].path, sizeof files[slot].path, "/proc/self/fd/%d", files[slot].file);
    }
    FUZZ_CHECK(ftruncate(files[slot].file, (off_t)size) == 0);
    FUZZ_CHECK(pwrite(files[slot].file, data, size, 0) == (ssize_t)size);
    return files[slot].path;
}
