#include "memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The number behind `name` in a file of "name number" lines, or, with `name` NULL, the file's only number; infinite
 * where there is none. */
static double number_in(const char *path, const char *name)
{
    FILE *file = fopen(path, "r");
    double value = INFINITY;
    char line[256], *end;

    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        size_t length = name == NULL ? 0 : strlen(name);

        if (name != NULL && strncmp(line, name, length) != 0)
            continue;
        value = strtod(line + length, &end);
        if (end == line + length)
            value = INFINITY; /* "max" */
        break;
    }
    if (file != NULL)
        fclose(file);
    return value;
}

/* Of this process's control group and of those above it. */
static double left_in_groups(void)
{
    FILE *file = fopen("/proc/self/cgroup", "r");
    char line[512], group[600], path[700];
    double left = INFINITY;

    group[0] = '\0';
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "0::", 3) == 0)
            snprintf(group, sizeof group, "/sys/fs/cgroup%.*s", (int)strcspn(line + 3, "\n"), line + 3);
    }
    if (file != NULL)
        fclose(file);
    while (strlen(group) >= strlen("/sys/fs/cgroup")) {
        double most, used;

        snprintf(path, sizeof path, "%s/memory.max", group);
        most = number_in(path, NULL);
        snprintf(path, sizeof path, "%s/memory.current", group);
        used = number_in(path, NULL);
        if (isfinite(most) && isfinite(used))
            left = fmin(left, fmax(0, most - used));
        *strrchr(group, '/') = '\0';
    }
    return left;
}

double ff_memory_available(void)
{
    double there = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
    double available = 1024 * number_in("/proc/meminfo", "MemAvailable:");

    return fmin(fmin(there, available), left_in_groups());
}
