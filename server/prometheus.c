#include "prometheus.h"

#include <math.h>
#include <stdarg.h>

#include "text.h"

void prometheus_family(FILE *out, const char *name, const char *type, const char *help)
{
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void write_label(FILE *out, char before, const char *name, const char *value)
{
    fprintf(out, "%c%s=\"", before, name);
    for (; *value != '\0'; value++) {
        if (*value == '\n')
            fputs("\\n", out);
        else if (*value == '"' || *value == '\\')
            fprintf(out, "\\%c", *value);
        else
            fputc(*value, out);
    }
    fputc('"', out);
}

static void write_value(FILE *out, double value)
{
    char text[TEXT_FIGURE_MAX];

    if (!isfinite(value)) {
        fputs(isnan(value) ? " NaN\n" : value > 0 ? " +Inf\n" : " -Inf\n", out);
        return;
    }
    text_of_number(value, text);
    fprintf(out, " %s\n", text);
}

void prometheus_sample(FILE *out, const char *name, double value, ...)
{
    char before = '{';
    const char *label;
    va_list labels;

    fputs(name, out);
    va_start(labels, value);
    for (; (label = va_arg(labels, const char *)) != NULL; before = ',')
        write_label(out, before, label, va_arg(labels, const char *));
    va_end(labels);
    if (before == ',')
        fputc('}', out);
    write_value(out, value);
}

void prometheus_single(FILE *out, const char *name, const char *type, const char *help, double value)
{
    prometheus_family(out, name, type, help);
    prometheus_sample(out, name, value, NULL);
}
