/* Durable files while the power goes, and the disk that this is tried on. */
#include <fcntl.h>
#include <stdlib.h>

#include "../cmocka_all.h"
#include "pieces.h"

/* --- writers that are wrong, to show that the disk finds them out --------------------------------------------- */

/* The table's calls without ff_durable's care: written in place, or renamed before anything is written. */
static ff_status careless(const struct ff_files *files, int which, bool in_place, bool renames_first)
{
    uint8_t *bytes = make_bytes(which);
    const char *path = in_place ? POWER_PATH : POWER_TEMPORARY;
    int file = files->open(files->self, path, O_WRONLY | O_CREAT, 0666), at;

    if (file >= 0) {
        if (renames_first)
            files->rename(files->self, POWER_TEMPORARY, POWER_PATH);
        files->pwrite(files->self, file, bytes, sizes[which], 0);
        files->fsync(files->self, file);
        files->close(files->self, file);
        if (!in_place && !renames_first)
            files->rename(files->self, POWER_TEMPORARY, POWER_PATH);
    }
    at = files->open(files->self, POWER_FOLDER, O_RDONLY | O_DIRECTORY, 0);
    if (at >= 0) {
        files->fsync(files->self, at);
        files->close(files->self, at);
    }
    free(bytes);
    return FF_OK;
}

static ff_status in_place_writer(const struct ff_files *files, int which, struct ff_error *error)
{
    (void)error;
    return careless(files, which, true, false);
}

static ff_status renames_first_writer(const struct ff_files *files, int which, struct ff_error *error)
{
    (void)error;
    return careless(files, which, false, true);
}

static void the_disk_finds_a_writer_out_that_does_not_sync_the_file(void **state)
{
    const struct power_survey survey = {durable_writer, durable_writer, .no_file_syncs = true};
    struct power_outcomes during, after;

    (void)state;
    power_survey(&survey, &during, &after);
    assert_true(during.broken > 0);
    assert_true(after.broken > 0);
}

/* The file may be the former one then, though the writer was told that all is well; never a broken one. */
static void the_disk_finds_a_writer_out_that_does_not_sync_the_folder(void **state)
{
    const struct power_survey survey = {durable_writer, durable_writer, .no_folder_syncs = true};
    struct power_outcomes during, after;

    (void)state;
    power_survey(&survey, &during, &after);
    assert_true(after.former > 0);
    assert_true(after.newer > 0);
    assert_int_equal(during.broken + after.broken + during.absent + after.absent, 0);
}

static void the_disk_finds_a_writer_out_that_renames_first(void **state)
{
    const struct power_survey survey = {durable_writer, renames_first_writer, .no_file_syncs = false};
    struct power_outcomes during, after;

    (void)state;
    power_survey(&survey, &during, &after);
    assert_true(during.broken > 0);
    assert_int_equal(after.broken, 0);
}

static void the_disk_finds_a_writer_out_that_writes_in_place(void **state)
{
    const struct power_survey survey = {durable_writer, in_place_writer, .no_file_syncs = false};
    struct power_outcomes during, after;

    (void)state;
    power_survey(&survey, &during, &after);
    assert_true(during.broken > 0);
}

/* --- durable files on that disk ------------------------------------------------------------------------------- */

static void a_power_cut_leaves_the_former_file_or_the_new_one_whole(void **state)
{
    (void)state;
    power_check_cuts(durable_writer);
}

static void a_power_cut_leaves_no_file_or_the_first_one_whole(void **state)
{
    const struct power_survey survey = {NULL, durable_writer, .no_file_syncs = false};
    struct power_outcomes during, after;

    (void)state;
    power_survey(&survey, &during, &after);
    assert_int_equal(during.broken + during.former, 0);
    assert_true(during.absent > 0);
    assert_true(during.newer > 0);
    assert_int_equal(after.broken + after.absent + after.former, 0);
}

static void each_call_that_fails_leaves_the_former_file(void **state)
{
    (void)state;
    power_check_failures(durable_writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_disk_finds_a_writer_out_that_does_not_sync_the_file),
        cmocka_unit_test(the_disk_finds_a_writer_out_that_does_not_sync_the_folder),
        cmocka_unit_test(the_disk_finds_a_writer_out_that_renames_first),
        cmocka_unit_test(the_disk_finds_a_writer_out_that_writes_in_place),
        cmocka_unit_test(a_power_cut_leaves_the_former_file_or_the_new_one_whole),
        cmocka_unit_test(a_power_cut_leaves_no_file_or_the_first_one_whole),
        cmocka_unit_test(each_call_that_fails_leaves_the_former_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
