/* machine.h - what a machine must have, said where it is compiled. */
#ifndef FF_MACHINE_H
#define FF_MACHINE_H

#if __SIZEOF_POINTER__ < 8
#error "Goodness needs a machine of 64 bits: sizes of data sets, weights and files are not limited to 32"
#endif

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "Goodness needs a little-endian machine: weights are hashed, kept and given as they are in memory"
#endif

#endif
