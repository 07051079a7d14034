/* prometheus.h - Prometheus' text format, version 0.0.4: families of samples, line by line. */
#ifndef PROMETHEUS_H
#define PROMETHEUS_H

#include <stdio.h>

#define PROMETHEUS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* The lines in front of a family's samples. `type`: "counter", "gauge", "histogram". */
void prometheus_family(FILE *out, const char *name, const char *type, const char *help);

/* A sample; after its value follow its labels, name and value in turns, and NULL. */
void prometheus_sample(FILE *out, const char *name, double value, ...);

/* A family that is one sample without labels. */
void prometheus_single(FILE *out, const char *name, const char *type, const char *help, double value);

#endif
