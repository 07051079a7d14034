#include "error.h"

#include <stdarg.h>
#include <stdio.h>

ff_status ff_fail(struct ff_error *error, ff_status status, const char *format, ...)
{
    va_list arguments;

    error->status = status;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    return status;
}

ff_status ff_fail_memory(struct ff_error *error, const char *what)
{
    return ff_fail(error, FF_NO_MEMORY, "not enough memory for %s; close other programs or make the run smaller",
                   what);
}
