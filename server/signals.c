#include "signals.h"

#include <errno.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

enum { SIGNAL_STATUS = 128 }; /* what shells add to a signal's number */

/* A handler can reach nothing but globals. */
static atomic_int signals_received;
static sem_t wake_up;

static void handle(int signal)
{
    int error = errno;

    if (atomic_fetch_add(&signals_received, 1) > 0)
        _exit(SIGNAL_STATUS + signal);
    sem_post(&wake_up);
    errno = error;
}

void signals_take(void)
{
    struct sigaction action = {.sa_handler = handle, .sa_flags = SA_RESTART};

    sem_init(&wake_up, 0, 0);
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

void signals_leave(void)
{
    struct sigaction action = {.sa_handler = SIG_IGN};

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

void signals_ignore_pipe(void)
{
    struct sigaction action = {.sa_handler = SIG_IGN};

    sigaction(SIGPIPE, &action, NULL);
}

static void handle_deadline(int signal)
{
    static const char sentence[] = "goodness: could not end in time; what was not yet written is lost\n";
    ssize_t written = write(STDERR_FILENO, sentence, sizeof sentence - 1);

    (void)written;
    _exit(SIGNAL_STATUS + signal);
}

void signals_end_within(unsigned seconds)
{
    struct sigaction action = {.sa_handler = handle_deadline};

    sigaction(SIGALRM, &action, NULL);
    unsigned left = alarm(seconds);
    if (left > 0 && left < seconds)
        alarm(left);
}

bool signals_came(void)
{
    return atomic_load(&signals_received) > 0;
}

void signals_wait(int milliseconds)
{
    struct timespec deadline;

    if (milliseconds < 0) {
        while (sem_wait(&wake_up) != 0 && errno == EINTR)
            ;
        return;
    }
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += milliseconds / 1000;
    deadline.tv_nsec += milliseconds % 1000 * 1000000L;
    if (deadline.tv_nsec >= 1000000000) {
        deadline.tv_sec++;
        deadline.tv_nsec -= 1000000000;
    }
    while (sem_timedwait(&wake_up, &deadline) != 0 && errno == EINTR)
        ;
}

void signals_wake(void)
{
    sem_post(&wake_up);
}
