#include "thread.h"

#include <string.h>

ff_status thread_start(pthread_t *thread, void *(*run)(void *), void *self, const char *does,
                       struct ff_error *error)
{
    int code = pthread_create(thread, NULL, run, self);

    if (code == 0)
        return FF_OK;
    return ff_fail(error, FF_NO_MEMORY, "the thread that %s cannot start: %s; end some programs", does,
                   strerror(code));
}
