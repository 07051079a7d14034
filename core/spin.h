/* spin.h - waiting for another thread for a moment without sleeping.
 *
 * Sleeping and being woken costs some tens of microseconds, on virtual machines more: about as much as a small
 * layer's step. So threads that train look for a while before they sleep. */
#ifndef FF_SPIN_H
#define FF_SPIN_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

enum { FF_SPIN_NANOSECONDS = 300000 };

struct ff_spin {
    uint32_t looks;
    uint64_t begun; /* nanoseconds */
};

/* Nanoseconds of the monotonic clock. */
static inline uint64_t ff_clock(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* Rest for some cycles; false once the time for looking is over. Begin with a struct of zeros. */
static inline bool ff_spin_again(struct ff_spin *spin)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
    if (spin->looks++ % 32 != 0)
        return true;
    if (spin->looks == 1)
        spin->begun = ff_clock();
    return ff_clock() - spin->begun < FF_SPIN_NANOSECONDS;
}

#endif
