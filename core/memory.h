/* memory.h - how much memory there is for a run. */
#ifndef FF_MEMORY_H
#define FF_MEMORY_H

/* Bytes that this process can still have without anything being pushed out or killed: what the system says is
 * available, and what its control group leaves (version 2, where there is one). */
double ff_memory_available(void);

#endif
