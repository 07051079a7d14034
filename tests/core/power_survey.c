#include "power_survey.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../cmocka_all.h"

enum { CHOICES = 200 };

struct image {
    uint8_t *bytes;
    size_t size;
    size_t calls; /* that writing it takes */
};

/* What `writer` writes when nothing goes wrong. */
static struct image make_image(power_writer *writer, int which)
{
    struct power *disk = power_create();
    struct image image;
    struct ff_error error;
    const uint8_t *bytes;

    assert_int_equal(writer(power_files(disk), which, &error), FF_OK);
    assert_int_equal(power_open_files(disk), 0);
    bytes = power_read(disk, POWER_PATH, &image.size);
    assert_non_null(bytes);
    image.calls = power_calls(disk);
    image.bytes = malloc(image.size + 1);
    assert_non_null(image.bytes);
    memcpy(image.bytes, bytes, image.size);
    power_destroy(disk);
    return image;
}

static bool is_image(struct power *disk, const struct image *image)
{
    size_t size;
    const uint8_t *bytes = power_read(disk, POWER_PATH, &size);

    return bytes != NULL && size == image->size && memcmp(bytes, image->bytes, size) == 0;
}

static bool is_there(struct power *disk, const char *path)
{
    size_t size;

    return power_read(disk, path, &size) != NULL;
}

static struct power *disk_with_former(power_writer *former)
{
    struct power *disk = power_create();
    struct ff_error error;

    if (former != NULL)
        assert_int_equal(former(power_files(disk), 0, &error), FF_OK);
    return disk;
}

static void count_outcome(struct power *disk, const struct image images[2], struct power_outcomes *outcomes)
{
    if (!is_there(disk, POWER_PATH))
        outcomes->absent++;
    else if (is_image(disk, &images[0]))
        outcomes->former++;
    else if (is_image(disk, &images[1]))
        outcomes->newer++;
    else
        outcomes->broken++;
}

void power_survey(const struct power_survey *survey, struct power_outcomes *during, struct power_outcomes *after)
{
    power_writer *former = survey->former != NULL ? survey->former : survey->newer;
    struct image images[2] = {make_image(former, 0), make_image(survey->newer, 1)};

    *during = *after = (struct power_outcomes){0};
    for (size_t call = 0; call <= images[1].calls; call++)
        for (uint64_t choice = 0; choice < CHOICES; choice++) {
            struct power *disk = disk_with_former(survey->former);
            struct power_faults *faults = power_faults(disk);
            struct ff_error error;

            faults->no_file_syncs = survey->no_file_syncs;
            faults->no_folder_syncs = survey->no_folder_syncs;
            faults->cut = power_calls(disk) + call;
            survey->newer(power_files(disk), 1, &error);
            power_crash(disk, call << 32 | choice);
            count_outcome(disk, images, call < images[1].calls ? during : after);
            power_destroy(disk);
        }
    free(images[0].bytes);
    free(images[1].bytes);
}

static void check_failure(power_writer *writer, const struct image images[2], size_t call, int code)
{
    struct power *disk = disk_with_former(writer);
    struct ff_error error = {0};
    const char *failed = power_failed(disk);
    ff_status status;
    bool renamed;

    power_faults(disk)->fail = power_calls(disk) + call;
    power_faults(disk)->code = code;
    status = writer(power_files(disk), 1, &error);
    assert_string_not_equal(failed, "");
    renamed = status == FF_OK || strcmp(failed, "fsync folder") == 0;
    if (status == FF_OK)
        assert_string_equal(failed, "close folder"); /* nothing depends on it */
    else
        assert_true(status == FF_IO && error.status == FF_IO && strstr(error.message, POWER_FOLDER) != NULL);
    if (!is_image(disk, &images[renamed]))
        fail_msg("after %s failed, the file is not the %s one", failed, renamed ? "new" : "former");
    assert_false(is_there(disk, POWER_TEMPORARY));
    assert_int_equal(power_open_files(disk), 0);
    power_destroy(disk);
}

void power_check_failures(power_writer *writer)
{
    static const int codes[] = {ENOSPC, EIO, EROFS};
    struct image images[2] = {make_image(writer, 0), make_image(writer, 1)};

    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        for (size_t call = 0; call < images[1].calls; call++)
            check_failure(writer, images, call, codes[i]);
    free(images[0].bytes);
    free(images[1].bytes);
}

void power_check_cuts(power_writer *writer)
{
    const struct power_survey survey = {writer, writer, .no_file_syncs = false};
    struct power_outcomes during, after;

    power_survey(&survey, &during, &after);
    assert_int_equal(during.broken + during.absent, 0);
    assert_true(during.former > 0);
    assert_true(during.newer > 0);
    assert_true(after.newer > 0);
    assert_int_equal(after.broken + after.absent + after.former, 0);
}
