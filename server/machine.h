/* machine.h - what this program runs on. Any thread may ask. */
#ifndef MACHINE_H
#define MACHINE_H

#include <stddef.h>

/* The processor's name as the kernel tells it, cut where it is too long; "unknown" where it does not. */
void machine_processor(char *text, size_t size);

/* How many of them are online; at least 1. */
unsigned machine_processors(void);

#endif
