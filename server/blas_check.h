/* blas_check.h - whether the BLAS that was linked multiplies right on this processor, and which kernel it chose. */
#ifndef BLAS_CHECK_H
#define BLAS_CHECK_H

#include "error.h"

/* Let BLAS work with one thread (the stages' teams are the threads), then multiply some small matrices, in every
 * transposition that training uses, and compare with a plain loop. FF_INVALID and a sentence when they differ. Call
 * once, before any other thread uses BLAS. */
ff_status blas_check(struct ff_error *error);

/* The name of the kernel in use, "Haswell", "SkylakeX" …: bits of results depend on it. */
const char *blas_kernel(void);

#endif
