#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../cmocka_all.h"
#include "../temporary_group.h"
#include "pieces.h"

/* --- on a disk in memory -------------------------------------------------------------------------------------- */

static void assert_is(struct power *disk, const char *path, int which)
{
    size_t size;
    const uint8_t *bytes = power_read(disk, path, &size);
    uint8_t *expected = make_bytes(which);

    assert_non_null(bytes);
    assert_int_equal(size, sizes[which]);
    assert_memory_equal(bytes, expected, size);
    free(expected);
}

static void assert_absent(struct power *disk, const char *path)
{
    size_t size;

    assert_null(power_read(disk, path, &size));
}

static void interrupted_calls_and_short_writes_go_on(void **state)
{
    struct power *disk = power_create();
    struct ff_error error;

    (void)state;
    power_faults(disk)->interrupt = true;
    power_faults(disk)->most = 97;
    assert_int_equal(durable_writer(power_files(disk), 1, &error), FF_OK);
    assert_is(disk, POWER_PATH, 1);
    assert_int_equal(power_open_files(disk), 0);
    power_crash(disk, 1);
    assert_is(disk, POWER_PATH, 1);
    power_destroy(disk);
}

static void a_disk_that_takes_nothing_is_an_error_and_no_endless_loop(void **state)
{
    struct power *disk = power_create();
    struct ff_error error;

    (void)state;
    power_faults(disk)->most = 0;
    assert_int_equal(durable_writer(power_files(disk), 1, &error), FF_IO);
    assert_string_equal(error.message,
                        POWER_TEMPORARY ": cannot be written: the disk reported an error; look into the "
                                        "system's log and save to another disk");
    assert_absent(disk, POWER_TEMPORARY);
    power_destroy(disk);
}

/* A caller that does not look at what a write returns must not put a file with a hole in place. */
static void a_file_with_a_failed_write_is_not_committed(void **state)
{
    struct power *disk = power_create();
    struct ff_durable *file;
    struct ff_error error;

    (void)state;
    assert_int_equal(durable_writer(power_files(disk), 0, &error), FF_OK);
    file = ff_durable_create(power_files(disk), POWER_PATH, &error);
    assert_non_null(file);
    power_faults(disk)->fail = power_calls(disk);
    power_faults(disk)->code = ENOSPC;
    assert_int_equal(ff_durable_write(file, 0, "abc", 3, &error), FF_IO);
    assert_int_equal(ff_durable_write(file, 3, "def", 3, &error), FF_IO);
    error.message[0] = '\0';
    assert_int_equal(ff_durable_commit(file, &error), FF_IO);
    assert_non_null(strstr(error.message, "a.tmp: cannot be written: the disk is full; free some space"));
    assert_is(disk, POWER_PATH, 0);
    assert_absent(disk, POWER_TEMPORARY);
    power_destroy(disk);
}

static void what_the_system_refuses_is_said_with_what_to_do(void **state)
{
    static const struct {
        int code;
        const char *words;
    } cases[] = {
        {ENOSPC, "the disk is full; free some space"},
        {EDQUOT, "the disk quota of this user is used up; "},
        {EFBIG, "the file is larger than this disk or this user's limit allows; "},
        {EROFS, "the disk can only be read; "},
        {EACCES, "permission denied; allow this user to write in the folder"},
        {EPERM, "permission denied; allow this user to write in the folder"},
        {ENOENT, "its folder does not exist; create it"},
        {ENOTDIR, "its folder is not a folder; "},
        {EISDIR, "there is a folder of that name; "},
        {ENAMETOOLONG, "the name is too long; "},
        {EMFILE, "too many files are open; "},
        {ENFILE, "too many files are open on this machine; "},
        {EIO, "the disk reported an error; "},
        {ENODEV, "No such device; check the disk"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct power *disk = power_create();
        struct ff_error error;

        power_faults(disk)->fail = 0;
        power_faults(disk)->code = cases[i].code;
        assert_int_equal(durable_writer(power_files(disk), 0, &error), FF_IO);
        assert_non_null(strstr(error.message, POWER_TEMPORARY ": cannot be created: "));
        if (strstr(error.message, cases[i].words) == NULL)
            fail_msg("case %zu: the sentence is \"%s\"", i, error.message);
        power_destroy(disk);
    }
}

/* Where the folder's sync is the call that fails with `code`. */
static ff_status fail_folder_sync(struct power *disk, int code, struct ff_error *error)
{
    struct power *rehearsal = power_create();
    size_t calls;

    assert_int_equal(durable_writer(power_files(rehearsal), 1, error), FF_OK);
    calls = power_calls(rehearsal);
    power_destroy(rehearsal);
    power_faults(disk)->fail = power_calls(disk) + calls - 2; /* the last one closes the folder */
    power_faults(disk)->code = code;
    return durable_writer(power_files(disk), 1, error);
}

static void a_folder_that_cannot_be_synced_is_said_and_the_file_is_there(void **state)
{
    struct power *disk = power_create();
    struct ff_error error;

    (void)state;
    assert_int_equal(fail_folder_sync(disk, EIO, &error), FF_IO);
    assert_string_equal(power_failed(disk), "fsync folder");
    assert_non_null(strstr(error.message, "/disk/a is written, but a power cut could bring its former state back: "
                                          "/disk: cannot be brought to the disk: "));
    assert_is(disk, POWER_PATH, 1);
    power_destroy(disk);
}

static void a_file_system_without_folder_syncs_is_taken_as_it_is(void **state)
{
    struct power *disk = power_create();
    struct ff_error error;

    (void)state;
    assert_int_equal(fail_folder_sync(disk, EINVAL, &error), FF_OK);
    assert_string_equal(power_failed(disk), "fsync folder");
    assert_is(disk, POWER_PATH, 1);
    power_destroy(disk);
}

static void what_a_crash_left_over_is_replaced_or_swept(void **state)
{
    struct power *disk = power_create();
    struct ff_durable *file;
    struct ff_error error;

    (void)state;
    file = ff_durable_create(power_files(disk), POWER_PATH, &error);
    assert_int_equal(write_pieces(file, 1, &error), FF_OK);
    assert_is(disk, POWER_TEMPORARY, 1);
    power_faults(disk)->cut = power_calls(disk);
    ff_durable_discard(file); /* without power: the temporary file stays */
    power_faults(disk)->cut = SIZE_MAX;
    assert_is(disk, POWER_TEMPORARY, 1);

    assert_int_equal(durable_writer(power_files(disk), 0, &error),
                     FF_OK); /* the shorter one: nothing of 1 remains */
    assert_is(disk, POWER_PATH, 0);
    assert_absent(disk, POWER_TEMPORARY);

    power_files(disk)->open(power_files(disk)->self, POWER_TEMPORARY, O_WRONLY | O_CREAT, 0666);
    ff_durable_sweep(power_files(disk), POWER_PATH);
    assert_absent(disk, POWER_TEMPORARY);
    ff_durable_sweep(power_files(disk), POWER_PATH);
    assert_is(disk, POWER_PATH, 0);
    power_destroy(disk);
}

/* --- the system's own files ----------------------------------------------------------------------------------- */

static void assert_file_is(const char *path, int which)
{
    uint8_t *expected = make_bytes(which), found[8192];
    FILE *file = fopen(path, "rb");

    assert_non_null(file);
    assert_int_equal(fread(found, 1, sizeof found, file), sizes[which]);
    assert_memory_equal(found, expected, sizes[which]);
    fclose(file);
    free(expected);
}

static void a_file_appears_when_it_is_committed(void **state)
{
    const char *path = temporary_path(folder, "whole"), *temporary = temporary_path(folder, "whole.tmp");
    struct ff_durable *file;
    struct ff_error error;

    (void)state;
    assert_int_equal(write_to(&ff_files_system, path, 0, &error), FF_OK);
    file = ff_durable_create(&ff_files_system, path, &error);
    assert_non_null(file);
    assert_int_equal(write_pieces(file, 1, &error), FF_OK);
    assert_file_is(path, 0);
    assert_int_equal(access(temporary, F_OK), 0);
    assert_int_equal(ff_durable_commit(file, &error), FF_OK);
    assert_file_is(path, 1);
    assert_int_not_equal(access(temporary, F_OK), 0);
}

static void a_discarded_file_leaves_nothing(void **state)
{
    const char *path = temporary_path(folder, "given-up");
    struct ff_error error;
    struct ff_durable *file = ff_durable_create(&ff_files_system, path, &error);

    (void)state;
    assert_int_equal(write_pieces(file, 1, &error), FF_OK);
    ff_durable_discard(file);
    ff_durable_discard(NULL);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_not_equal(access(temporary_path(folder, "given-up.tmp"), F_OK), 0);
}

static void a_left_over_link_is_replaced_and_not_followed(void **state)
{
    const char *path = temporary_path(folder, "linked"), *victim = temporary_path(folder, "victim");
    struct ff_error error;

    (void)state;
    assert_int_equal(write_to(&ff_files_system, victim, 0, &error), FF_OK);
    assert_int_equal(symlink(victim, temporary_path(folder, "linked.tmp")), 0);
    assert_int_equal(write_to(&ff_files_system, path, 1, &error), FF_OK);
    assert_file_is(victim, 0);
    assert_file_is(path, 1);
}

static void a_name_without_a_folder_is_in_the_current_one(void **state)
{
    struct ff_error error;
    char before[4096];

    (void)state;
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(write_to(&ff_files_system, "here", 1, &error), FF_OK);
    assert_int_equal(chdir(before), 0);
    assert_file_is(temporary_path(folder, "here"), 1);
}

static void a_path_that_cannot_be_is_refused(void **state)
{
    const char *taken = temporary_path(folder, "taken");
    struct ff_error error;

    (void)state;
    assert_int_equal(write_to(&ff_files_system, temporary_path(folder, "absent/a"), 0, &error), FF_IO);
    assert_non_null(strstr(error.message, "absent/a.tmp: cannot be created: its folder does not exist"));
    assert_int_equal(mkdir(taken, 0777), 0);
    assert_int_equal(write_to(&ff_files_system, taken, 0, &error), FF_IO);
    assert_non_null(strstr(error.message, "taken: cannot be replaced: there is a folder of that name"));
    assert_int_not_equal(access(temporary_path(folder, "taken.tmp"), F_OK), 0);
}

/* The system itself takes a part of the write and then no more: what a full disk does. */
static void a_limit_of_the_system_leaves_the_former_file(void **state)
{
    const char *path = temporary_path(folder, "limited");
    struct rlimit before, small;
    struct ff_error error;
    ff_status status;

    (void)state;
    assert_int_equal(write_to(&ff_files_system, path, 0, &error), FF_OK);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 1000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    status = write_to(&ff_files_system, path, 1, &error);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(status, FF_IO);
    assert_non_null(strstr(error.message, "limited.tmp: cannot be written: the file is larger than"));
    assert_file_is(path, 0);
    assert_int_not_equal(access(temporary_path(folder, "limited.tmp"), F_OK), 0);
}

static void a_place_beyond_any_file_is_refused(void **state)
{
    struct ff_error error;
    struct ff_durable *file = ff_durable_create(&ff_files_system, temporary_path(folder, "far"), &error);

    (void)state;
    assert_int_equal(ff_durable_write(file, UINT64_MAX, "a", 1, &error), FF_IO);
    assert_int_equal(ff_durable_commit(file, &error), FF_IO);
    file = ff_durable_create(&ff_files_system, temporary_path(folder, "far"), &error);
    assert_int_equal(ff_durable_write(file, INT64_MAX, "a", 1, &error), FF_IO);
    assert_non_null(strstr(error.message, "far.tmp: cannot be written: the file is larger than"));
    ff_durable_discard(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interrupted_calls_and_short_writes_go_on),
        cmocka_unit_test(a_disk_that_takes_nothing_is_an_error_and_no_endless_loop),
        cmocka_unit_test(a_file_with_a_failed_write_is_not_committed),
        cmocka_unit_test(what_the_system_refuses_is_said_with_what_to_do),
        cmocka_unit_test(a_folder_that_cannot_be_synced_is_said_and_the_file_is_there),
        cmocka_unit_test(a_file_system_without_folder_syncs_is_taken_as_it_is),
        cmocka_unit_test(what_a_crash_left_over_is_replaced_or_swept),
        cmocka_unit_test(a_file_appears_when_it_is_committed),
        cmocka_unit_test(a_discarded_file_leaves_nothing),
        cmocka_unit_test(a_left_over_link_is_replaced_and_not_followed),
        cmocka_unit_test(a_name_without_a_folder_is_in_the_current_one),
        cmocka_unit_test(a_path_that_cannot_be_is_refused),
        cmocka_unit_test(a_limit_of_the_system_leaves_the_former_file),
        cmocka_unit_test(a_place_beyond_any_file_is_refused),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
