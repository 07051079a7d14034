/* blas.h - whether the BLAS that was linked multiplies right on this processor, and which kernel it chose.
 *
 * OpenBLAS is the one thing that the library shares with the rest of a program: it is set to one thread for all. */
#ifndef FF_BLAS_H
#define FF_BLAS_H

#include "error.h"

/* Let BLAS work with one thread (the stages' teams are the threads), then multiply some small matrices, in every
 * transposition that training uses, and compare with a plain loop. FF_INVALID and a sentence when they differ. Call
 * once, before any other thread uses BLAS. */
ff_status ff_blas_check(struct ff_error *error);

/* The name of the kernel in use, "Haswell", "SkylakeX" …: bits of results depend on it. It lives for ever; any
 * thread. */
const char *ff_blas_kernel(void);

#endif
