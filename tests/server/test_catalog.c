/* Data sets: where they are found, read, shared, and what is said of those that are not. */
#include "../cmocka_all.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "../numpy.h"
#include "../temporary.h"
#include "catalog.h"

/* HOME and XDG_DATA_HOME of every test are two empty folders of its own. */
static char home[256], data_home[256];

static int set_up(void **state)
{
    struct ff_error error;

    temporary_folder(home);
    temporary_folder(data_home);
    setenv("HOME", home, 1);
    setenv("XDG_DATA_HOME", data_home, 1);
    *state = catalog_create(&error);
    return *state == NULL;
}

static int tear_down(void **state)
{
    catalog_destroy(*state);
    temporary_remove(home);
    temporary_remove(data_home);
    return 0;
}

/* Make FILE, and the folders above it, below a folder: one training image of one pixel, `pixel`, and one for test.
 */
static const char *make_set(const char *folder, const char *file, uint8_t pixel)
{
    const struct numpy_array arrays[] = {
        {.name = "x_train", .type = "'|u1'", .shape = "(1, 1, 1)", .elements = &pixel, .size = 1},
        {.name = "y_train", .type = "'|u1'", .shape = "(1,)", .elements = "\1", .size = 1},
        {.name = "x_test", .type = "'|u1'", .shape = "(1, 1, 1)", .elements = &pixel, .size = 1},
        {.name = "y_test", .type = "'|u1'", .shape = "(1,)", .elements = "\1", .size = 1},
    };
    static char path[768];

    snprintf(path, sizeof path, "%.255s/%.500s", folder, file);
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    numpy_write(path, arrays, 4);
    return path;
}

static void add(struct catalog *catalog, const char *name, const char *path)
{
    char option[1024];
    struct ff_error error;

    snprintf(option, sizeof option, "%s=%s", name, path);
    assert_int_equal(catalog_add(catalog, option, &error), FF_OK);
}

static uint8_t first_pixel(struct catalog *catalog, const char *name)
{
    struct ff_error error;
    const struct ff_dataset *dataset = catalog_acquire(catalog, name, &error);
    uint8_t pixel;

    if (dataset == NULL)
        fail_msg("%s", error.message);
    assert_string_equal(dataset->name, name);
    pixel = dataset->train.pixels[0];
    catalog_release(catalog, dataset);
    return pixel;
}

static struct catalog_entry entry_of(struct catalog *catalog, const char *name)
{
    struct catalog_entry *entries, found = {.name = ""};
    struct ff_error error;
    size_t count;

    assert_int_equal(catalog_list(catalog, &entries, &count, &error), FF_OK);
    for (size_t i = 0; i < count; i++)
        if (strcmp(entries[i].name, name) == 0)
            found = entries[i];
    free(entries);
    assert_string_equal(found.name, name);
    return found;
}

static void known_sets_come_first_and_say_what_brings_them(void **state)
{
    struct catalog_entry *entries;
    struct ff_error error;
    size_t count;

    add(*state, "mine", make_set(home, "mine.npz", 3));
    assert_int_equal(catalog_list(*state, &entries, &count, &error), FF_OK);
    assert_int_equal(count, 3);
    assert_string_equal(entries[0].name, "mnist");
    assert_string_equal(entries[0].title, "MNIST handwritten digits");
    assert_non_null(strstr(entries[0].how_to_get, "./server/start"));
    assert_string_equal(entries[1].name, "fashion-mnist");
    assert_non_null(strstr(entries[1].how_to_get, "apt-get install dataset-fashion-mnist"));
    assert_string_equal(entries[2].name, "mine");
    assert_true(entries[2].present);
    assert_string_equal(entries[2].title, "");
    assert_null(entries[2].how_to_get);
    free(entries);
}

static void the_first_place_that_has_a_set_wins(void **state)
{
    make_set(home, ".keras/datasets/mnist.npz", 30);
    make_set(home, ".keras/datasets/fashion-mnist/fashion-mnist.npz", 31);
    assert_int_equal(first_pixel(*state, "fashion-mnist"), 31);
    assert_int_equal(first_pixel(*state, "mnist"), 30);
    assert_int_equal(first_pixel(*state, "fashion-mnist"), 31); /* lets go of mnist, to look for it anew */

    make_set(data_home, "goodness/mnist/mnist.npz", 20);
    assert_int_equal(first_pixel(*state, "mnist"), 20);
    assert_int_equal(first_pixel(*state, "fashion-mnist"), 31);

    add(*state, "mnist", make_set(home, "named.npz", 10));
    assert_int_equal(first_pixel(*state, "mnist"), 10);
    assert_non_null(strstr(entry_of(*state, "mnist").path, "/named.npz"));
    assert_string_equal(entry_of(*state, "mnist").title, "MNIST handwritten digits");
}

static void without_xdg_data_home_it_is_below_local_share(void **state)
{
    make_set(home, ".local/share/goodness/mnist/mnist.npz", 40);
    assert_false(entry_of(*state, "mnist").present);
    setenv("XDG_DATA_HOME", "relative", 1);
    assert_int_equal(first_pixel(*state, "mnist"), 40);
    unsetenv("XDG_DATA_HOME");
    assert_int_equal(first_pixel(*state, "mnist"), 40);
    assert_true(entry_of(*state, "mnist").present);
}

static void an_absent_set_says_the_command_that_brings_it(void **state)
{
    struct ff_error error;

    if (access("/usr/share/datasets/mnist", F_OK) == 0)
        skip();
    assert_null(catalog_acquire(*state, "mnist", &error));
    assert_int_equal(error.status, FF_NOT_FOUND);
    assert_non_null(strstr(error.message, "mnist is not on this machine; bring it with ./server/start"));
    assert_false(entry_of(*state, "mnist").present);
    assert_string_equal(entry_of(*state, "mnist").path, "");
}

static void an_unknown_name_suggests_the_nearest(void **state)
{
    struct ff_error error;

    assert_null(catalog_acquire(*state, "mnits", &error));
    assert_int_equal(error.status, FF_NOT_FOUND);
    assert_non_null(strstr(error.message, "no data set \"mnits\"; did you mean \"mnist\"?"));
    assert_null(catalog_acquire(*state, "zzzzzzzzzzzzzzz", &error));
    assert_non_null(strstr(error.message, "--data NAME=FOLDER"));
}

static void wrong_data_options_are_refused(void **state)
{
    static const struct {
        const char *option, *words;
    } cases[] = {
        {"", "must be NAME=FOLDER or NAME=FILE.npz"},
        {"mine", "must be NAME=FOLDER or NAME=FILE.npz"},
        {"mine=", "must be NAME=FOLDER or NAME=FILE.npz"},
        {"=/tmp", "the name must begin with a letter or digit"},
        {"a/b=/tmp", "the name must begin with a letter or digit"},
        {"..=/tmp", "the name must begin with a letter or digit"},
        {"a b=/tmp", "the name must begin with a letter or digit"},
        {"a123456789b123456789c123456789d123456789e123456789f123456789g123=/", "at most 63 of them"},
        {"mine=/nonexistent/folder", "there are no four IDX files"},
    };
    char longest[2000] = "mine=";
    struct ff_error error;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(catalog_add(*state, cases[i].option, &error), FF_INVALID);
        if (strstr(error.message, cases[i].words) == NULL)
            fail_msg("--data %s: the sentence is \"%s\"", cases[i].option, error.message);
    }
    memset(longest + 5, 'p', sizeof longest - 6);
    assert_int_equal(catalog_add(*state, longest, &error), FF_INVALID);
    assert_non_null(strstr(error.message, "the path has more than 1023 bytes"));

    add(*state, "mine", make_set(home, "mine.npz", 1));
    snprintf(longest, sizeof longest, "mine=%s/mine.npz", home);
    assert_int_equal(catalog_add(*state, longest, &error), FF_INVALID);
    assert_non_null(strstr(error.message, "mine is already named as "));
}

static void a_damaged_set_says_which_file_and_can_be_read_once_mended(void **state)
{
    char path[768];
    struct ff_error error;

    snprintf(path, sizeof path, "%s", make_set(home, "mine.npz", 1));
    add(*state, "mine", path);
    temporary_write(path, "damaged", 7);
    assert_null(catalog_acquire(*state, "mine", &error));
    assert_int_equal(error.status, FF_DAMAGED);
    assert_non_null(strstr(error.message, "mine.npz"));
    make_set(home, "mine.npz", 2);
    assert_int_equal(first_pixel(*state, "mine"), 2);
    assert_int_equal(remove(path), 0);
    assert_false(entry_of(*state, "mine").present);
}

/* Somebody who asked and waits to be told. */
struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t told;
    unsigned count;
};

#define WAITER                                                                                                     \
    {                                                                                                              \
        .lock = PTHREAD_MUTEX_INITIALIZER, .told = PTHREAD_COND_INITIALIZER                                        \
    }

static void tell(void *self)
{
    struct waiter *waiter = self;

    pthread_mutex_lock(&waiter->lock);
    waiter->count++;
    pthread_cond_broadcast(&waiter->told);
    pthread_mutex_unlock(&waiter->lock);
}

static void wait_until_told(struct waiter *waiter, unsigned count)
{
    pthread_mutex_lock(&waiter->lock);
    while (waiter->count < count)
        pthread_cond_wait(&waiter->told, &waiter->lock);
    assert_int_equal(waiter->count, count);
    pthread_mutex_unlock(&waiter->lock);
}

static void who_asks_does_not_wait_and_is_told(void **state)
{
    struct waiter waiter = WAITER;
    const struct ff_dataset *dataset;
    struct ff_error error;

    add(*state, "mine", make_set(home, "mine.npz", 1));
    assert_null(catalog_ask(*state, "mine", tell, &waiter, &error));
    assert_int_equal(error.status, FF_BUSY);
    assert_non_null(strstr(error.message, "mine"));
    wait_until_told(&waiter, 1);
    dataset = catalog_ask(*state, "mine", tell, &waiter, &error);
    assert_non_null(dataset);
    assert_int_equal(dataset->train.pixels[0], 1);
    assert_int_equal(first_pixel(*state, "mine"), 1);
    catalog_release(*state, dataset);
    assert_int_equal(waiter.count, 1);
}

static void who_asks_for_what_is_not_there_hears_so_at_once(void **state)
{
    struct waiter waiter = WAITER;
    struct ff_error error;

    assert_null(catalog_ask(*state, "mnist", tell, &waiter, &error));
    assert_int_equal(error.status, FF_NOT_FOUND);
    assert_non_null(strstr(error.message, "server/start"));
    assert_null(catalog_ask(*state, "mnits", tell, &waiter, &error));
    assert_int_equal(error.status, FF_NOT_FOUND);
    assert_int_equal(waiter.count, 0);
}

static void who_asks_for_a_damaged_set_hears_what_is_wrong_until_it_is_mended(void **state)
{
    struct waiter waiter = WAITER;
    const struct ff_dataset *dataset;
    struct ff_error error;
    char path[768];

    snprintf(path, sizeof path, "%s", make_set(home, "mine.npz", 1));
    add(*state, "mine", path);
    temporary_write(path, "damaged", 7);
    assert_null(catalog_ask(*state, "mine", tell, &waiter, &error));
    assert_int_equal(error.status, FF_BUSY);
    wait_until_told(&waiter, 1);
    for (int i = 0; i < 2; i++) {
        assert_null(catalog_ask(*state, "mine", tell, &waiter, &error));
        assert_int_equal(error.status, FF_DAMAGED);
        assert_non_null(strstr(error.message, "mine.npz"));
    }
    make_set(home, "mine.npz", 2);
    assert_null(catalog_ask(*state, "mine", tell, &waiter, &error));
    assert_int_equal(error.status, FF_BUSY);
    wait_until_told(&waiter, 2);
    dataset = catalog_ask(*state, "mine", tell, &waiter, &error);
    assert_non_null(dataset);
    catalog_release(*state, dataset);
}

static void checking_finds_what_is_damaged_and_reads_nothing_twice(void **state)
{
    struct waiter waiter = WAITER;
    struct ff_error error;
    char path[768];

    add(*state, "good", make_set(home, "good.npz", 1));
    snprintf(path, sizeof path, "%s", make_set(home, "bad.npz", 1));
    add(*state, "bad", path);
    temporary_write(path, "damaged", 7);
    assert_true(entry_of(*state, "good").unread);
    assert_int_equal(catalog_check(*state, tell, &waiter, &error), FF_BUSY);
    wait_until_told(&waiter, 1);
    assert_int_equal(catalog_check(*state, tell, &waiter, &error), FF_OK);
    assert_false(entry_of(*state, "good").unread);
    assert_string_equal(entry_of(*state, "good").problem, "");
    assert_true(entry_of(*state, "bad").present);
    assert_non_null(strstr(entry_of(*state, "bad").problem, "bad.npz"));
    make_set(home, "bad.npz", 2);
    assert_true(entry_of(*state, "bad").unread);
    assert_string_equal(entry_of(*state, "bad").problem, "");
    assert_int_equal(first_pixel(*state, "bad"), 2);
    assert_int_equal(catalog_check(*state, tell, &waiter, &error), FF_OK);
    assert_int_equal(waiter.count, 1);
}

static void who_still_waits_at_the_end_is_told(void **state)
{
    struct waiter waiter = WAITER;
    struct ff_error error;
    struct catalog *catalog = catalog_create(&error);
    unsigned asked = 0;

    (void)state;
    add(catalog, "mine", make_set(home, "mine.npz", 1));
    for (int i = 0; i < 20; i++) {
        const struct ff_dataset *dataset = catalog_ask(catalog, "mine", tell, &waiter, &error);
        asked += dataset == NULL;
        catalog_release(catalog, dataset);
    }
    catalog_destroy(catalog);
    assert_true(asked > 0);
    assert_int_equal(waiter.count, asked);
}

static void users_of_a_set_share_it_and_the_last_one_stays(void **state)
{
    struct ff_error error;
    const struct ff_dataset *first, *second, *other;
    char path[768];

    snprintf(path, sizeof path, "%s", make_set(home, "a.npz", 1));
    add(*state, "a", path);
    add(*state, "b", make_set(home, "b.npz", 2));
    first = catalog_acquire(*state, "a", &error);
    second = catalog_acquire(*state, "a", &error);
    assert_non_null(first);
    assert_ptr_equal(first, second);
    catalog_release(*state, second);
    other = catalog_acquire(*state, "b", &error);
    assert_non_null(other);
    assert_int_equal(first->train.pixels[0], 1); /* still in use: not given up for b */
    catalog_release(*state, other);
    catalog_release(*state, first);

    assert_int_equal(first_pixel(*state, "a"), 1);
    make_set(home, "a.npz", 9);
    assert_int_equal(first_pixel(*state, "a"), 1); /* the last one stays in memory */
    assert_int_equal(first_pixel(*state, "b"), 2);
    assert_int_equal(first_pixel(*state, "a"), 9); /* and is given up for another */
    catalog_release(*state, NULL);
}

enum { THREADS = 4, ROUNDS = 200 };

struct user {
    pthread_t thread;
    struct catalog *catalog;
    unsigned number, wrong;
};

static void *use_sets(void *self)
{
    static const char *const names[] = {"a", "b"};
    struct user *user = self;
    struct waiter waiter = WAITER;
    unsigned told = 0;

    for (unsigned i = 0; i < ROUNDS; i++) {
        unsigned which = (i / 3 + user->number) % 2;
        struct ff_error error;
        const struct ff_dataset *dataset =
            i % 2 == 0 ? catalog_ask(user->catalog, names[which], tell, &waiter, &error) : NULL;

        if (dataset == NULL && i % 2 == 0)
            wait_until_told(&waiter, ++told);
        if (i % 16 == 0 && catalog_check(user->catalog, tell, &waiter, &error) == FF_BUSY)
            wait_until_told(&waiter, ++told);
        if (dataset == NULL)
            dataset = catalog_acquire(user->catalog, names[which], &error);
        user->wrong += dataset == NULL || dataset->train.pixels[0] != which + 1;
        catalog_release(user->catalog, dataset);
    }
    return NULL;
}

static void many_threads_may_use_the_catalog(void **state)
{
    struct user users[THREADS];

    add(*state, "a", make_set(home, "a.npz", 1));
    add(*state, "b", make_set(home, "b.npz", 2));
    for (unsigned i = 0; i < THREADS; i++) {
        users[i] = (struct user){.catalog = *state, .number = i};
        assert_int_equal(pthread_create(&users[i].thread, NULL, use_sets, &users[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(users[i].thread, NULL), 0);
        assert_int_equal(users[i].wrong, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(known_sets_come_first_and_say_what_brings_them),
        FIXTURE_TEST(the_first_place_that_has_a_set_wins),
        FIXTURE_TEST(without_xdg_data_home_it_is_below_local_share),
        FIXTURE_TEST(an_absent_set_says_the_command_that_brings_it),
        FIXTURE_TEST(an_unknown_name_suggests_the_nearest),
        FIXTURE_TEST(wrong_data_options_are_refused),
        FIXTURE_TEST(a_damaged_set_says_which_file_and_can_be_read_once_mended),
        FIXTURE_TEST(who_asks_does_not_wait_and_is_told),
        FIXTURE_TEST(who_asks_for_what_is_not_there_hears_so_at_once),
        FIXTURE_TEST(who_asks_for_a_damaged_set_hears_what_is_wrong_until_it_is_mended),
        FIXTURE_TEST(checking_finds_what_is_damaged_and_reads_nothing_twice),
        FIXTURE_TEST(who_still_waits_at_the_end_is_told),
        FIXTURE_TEST(users_of_a_set_share_it_and_the_last_one_stays),
        FIXTURE_TEST(many_threads_may_use_the_catalog),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
