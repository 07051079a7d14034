/* What the system may refuse, it refuses once: a thread, a file, a write, its way to the disk. The program then
 * starts or says why not, and a run ends well, with a warning, or with a reason; afterwards all is as if nothing
 * had been, and nothing is leaked (the address sanitizer's suite sees to that). */
#include "../cmocka_all.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "program_fixture.h"

/* --- what fails ----------------------------------------------------------------------------------------------- */

/* The linker puts these between the program and the C library (CMakeLists.txt). */
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *self);
int __real_open(const char *path, int flags, ...);
ssize_t __real_write(int file, const void *bytes, size_t count);
ssize_t __real_pwrite(int file, const void *bytes, size_t count, off_t offset);
int __real_fsync(int file);
int __real_rename(const char *from, const char *to);
int __real_link(const char *from, const char *to);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *self);
int __wrap_open(const char *path, int flags, ...);
ssize_t __wrap_write(int file, const void *bytes, size_t count);
ssize_t __wrap_pwrite(int file, const void *bytes, size_t count, off_t offset);
int __wrap_fsync(int file);
int __wrap_rename(const char *from, const char *to);
int __wrap_link(const char *from, const char *to);

static atomic_long fails_at;       /* the call that fails, from 1; 0: none */
static atomic_long calls;          /* so far, of all threads */
static const char *_Atomic failed; /* what it was that failed */

static bool fails(const char *what, int number)
{
    long at = atomic_load(&fails_at);

    if (at == 0 || atomic_fetch_add(&calls, 1) + 1 != at)
        return false;
    atomic_store(&failed, what);
    errno = number;
    return true;
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *self)
{
    return fails("pthread_create", EAGAIN) ? EAGAIN : __real_pthread_create(thread, attributes, start, self);
}

int __wrap_open(const char *path, int flags, ...)
{
    va_list arguments;
    mode_t mode = 0;

    va_start(arguments, flags);
    if (flags & O_CREAT)
        mode = (mode_t)va_arg(arguments, int);
    va_end(arguments);
    return fails("open", EMFILE) ? -1 : __real_open(path, flags, mode);
}

ssize_t __wrap_write(int file, const void *bytes, size_t count)
{
    return fails("write", EIO) ? -1 : __real_write(file, bytes, count);
}

ssize_t __wrap_pwrite(int file, const void *bytes, size_t count, off_t offset)
{
    return fails("pwrite", ENOSPC) ? -1 : __real_pwrite(file, bytes, count, offset);
}

int __wrap_fsync(int file)
{
    return fails("fsync", EIO) ? -1 : __real_fsync(file);
}

int __wrap_rename(const char *from, const char *to)
{
    return fails("rename", EIO) ? -1 : __real_rename(from, to);
}

int __wrap_link(const char *from, const char *to)
{
    return fails("link", EPERM) ? -1 : __real_link(from, to);
}

static void arm(long at)
{
    atomic_store(&calls, 0);
    atomic_store(&failed, NULL);
    atomic_store(&fails_at, at);
}

/* What failed; NULL when there were not so many calls. */
static const char *disarm(void)
{
    atomic_store(&fails_at, 0);
    return atomic_load(&failed);
}

/* --- tests ---------------------------------------------------------------------------------------------------- */

static int set_up(void **state)
{
    (void)state;
    program_prepare();
    program.placement = (struct ff_placement){.stages = 2, .threads = 2};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    program_remove();
    return 0;
}

static void a_start_works_or_says_why_not_and_the_next_one_works(void **state)
{
    struct ff_error error;
    const char *what;
    long at = 0;

    (void)state;
    do {
        error.message[0] = '\0';
        arm(++at);
        bool good = program_open(&error) == FF_OK;
        if (good)
            program_close();
        what = disarm();
        printf("start, call %ld, %s: %s\n", at, what != NULL ? what : "none", good ? "good" : error.message);
        assert_true(good || error.message[0] != '\0');
        if (program_open(&error) != FF_OK)
            fail_msg("after call %ld, a %s, failed: %s", at, what, error.message);
        program_close();
    } while (what != NULL);
    assert_true(at > 5);
}

/* Whole in the store: it has ended well, or says what is wrong. */
static void check_end(const struct run *run, long at, const char *what)
{
    bool told = run->state == RUN_FAILED ? run->reason[0] != '\0' : run->state == RUN_FINISHED;

    printf("run %lld, call %ld, %s: %s %s%s\n", (long long)run->id, at, what != NULL ? what : "none",
           run_state_name(run->state), run->reason, run->warning_count > 0 ? run->warnings[0] : "");
    if (!told)
        fail_msg("with call %ld, a %s, failing the run is %s: %s", at, what, run_state_name(run->state),
                 run->reason);
    if (run->state == RUN_FINISHED && run->checkpoint.written == 0 && run->warning_count == 0)
        fail_msg("with call %ld, a %s, failing no checkpoint is there, and nothing says so", at, what);
}

static void a_run_ends_well_or_says_what_was_wrong(void **state)
{
    struct ff_error error;
    const char *what;
    long at = 0;

    (void)state;
    assert_int_equal(program_open(&error), FF_OK);
    do {
        arm(++at);
        int64_t id = program_submit(2, &error);
        if (id == 0) {
            what = disarm();
            assert_true(error.message[0] != '\0');
            continue;
        }
        program_await(id, RUN_FINISHED, true);
        store_flush(program.store);
        what = disarm();
        check_end(program_await(id, RUN_FINISHED, true), at, what);
    } while (what != NULL);
    assert_true(at > 10);
    /* And the next one is as if nothing had been. */
    const struct run *last = program_await(program_submit(2, &error), RUN_FINISHED, true);
    int64_t id = last->id;
    store_flush(program.store);
    last = program_await(id, RUN_FINISHED, true);
    assert_int_equal(last->state, RUN_FINISHED);
    assert_true(last->checkpoint.written > 0);
    assert_int_equal(last->warning_count, 0);
    program_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_start_works_or_says_why_not_and_the_next_one_works),
        cmocka_unit_test(a_run_ends_well_or_says_what_was_wrong),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
