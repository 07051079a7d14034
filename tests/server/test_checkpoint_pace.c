/* When a run that trains is to be saved. */
#include <stdlib.h>

#include "checkpoint_pace.h"
#include "cmocka_all.h"
#include "timing.h"

static struct checkpoint_pace told(const char *seconds)
{
    if (seconds != NULL)
        setenv("GOODNESS_CHECKPOINT_SECONDS", seconds, 1);
    else
        unsetenv("GOODNESS_CHECKPOINT_SECONDS");
    return checkpoint_pace_start();
}

static void the_next_checkpoint_waits_ten_seconds_and_fifty_times_what_the_last_took(void **state)
{
    struct checkpoint_pace pace = told(NULL);

    (void)state;
    assert_true(checkpoint_pace_wait(&pace) == 10);
    pace.took = 0.1;
    assert_true(checkpoint_pace_wait(&pace) == 10);
    pace.took = 2;
    assert_true(checkpoint_pace_wait(&pace) == 100);
    checkpoint_pace_restart(&pace);
    assert_true(checkpoint_pace_wait(&pace) == 10);
}

static void one_is_due_when_it_has_waited(void **state)
{
    struct checkpoint_pace pace = told(NULL);

    (void)state;
    pace.ended = timing_seconds() - 11;
    assert_true(checkpoint_pace_due(&pace));
    pace.took = 3600;
    assert_false(checkpoint_pace_due(&pace));
}

static void what_one_takes_is_from_its_beginning_to_its_end(void **state)
{
    struct checkpoint_pace pace = told(NULL);

    (void)state;
    checkpoint_pace_begin(&pace);
    double began = pace.began;
    pace.began -= 5;
    checkpoint_pace_end(&pace);
    assert_true(pace.took >= 5 && pace.ended >= began && checkpoint_pace_wait(&pace) >= 250);
}

static void a_test_may_say_how_often(void **state)
{
    static const char *const nonsense[] = {"", "soon", "-1", "3 days", "nan"};

    (void)state;
    struct checkpoint_pace pace = told("0");
    assert_true(checkpoint_pace_due(&pace));
    pace = told("2.5");
    pace.took = 100;
    assert_true(checkpoint_pace_wait(&pace) == 2.5);
    checkpoint_pace_restart(&pace);
    assert_true(checkpoint_pace_wait(&pace) == 2.5);
    pace = told("inf");
    pace.ended = -1e9;
    assert_false(checkpoint_pace_due(&pace));
    for (size_t i = 0; i < sizeof nonsense / sizeof nonsense[0]; i++) {
        pace = told(nonsense[i]);
        assert_true(checkpoint_pace_wait(&pace) == 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_next_checkpoint_waits_ten_seconds_and_fifty_times_what_the_last_took),
        cmocka_unit_test(one_is_due_when_it_has_waited),
        cmocka_unit_test(what_one_takes_is_from_its_beginning_to_its_end),
        cmocka_unit_test(a_test_may_say_how_often),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
