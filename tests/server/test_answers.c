/* Answers that are kept: given again while their version holds, never after. */
#include "../cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answers.h"
#include "http_private.h"

struct world {
    struct answers *answers;
    struct request *request;
};

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    struct ff_error error;

    world->answers = answers_create(&error);
    world->request = request_create(NULL, "/runs/1");
    world->request->method = "GET";
    *state = world;
    return world->answers == NULL || world->request == NULL;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    request_destroy(world->request);
    answers_destroy(world->answers);
    free(world);
    return 0;
}

static struct answers_key key_of(int64_t run, const char *target, uint64_t live, uint64_t stored)
{
    return (struct answers_key){run, target, {live, stored}};
}

static void keep(struct world *world, struct answers_key key, const char *text)
{
    struct response *response = &world->request->response;

    respond_text(response, 200, "text/plain", strdup(text), strlen(text));
    answers_keep(world->answers, &key, response);
    response_clear(response);
}

/* The answer to `key` is `text`; NULL: there is none. */
static void assert_given(struct world *world, struct answers_key key, const char *text)
{
    struct response *response = &world->request->response;

    assert_true(answers_give(world->answers, &key, response) == (text != NULL));
    assert_int_equal(response->answer, text != NULL ? ANSWER_SHARED : ANSWER_NONE);
    if (text == NULL)
        return;
    assert_int_equal(response->length, strlen(text));
    assert_memory_equal(response->shared->text, text, response->length);
    assert_string_equal(response->type, "text/plain");
    assert_int_equal(response->etag[0], '"');
    response_clear(response);
}

static void an_answer_is_given_again_while_its_version_holds(void **state)
{
    struct world *world = *state;

    assert_given(world, key_of(1, "/runs/1", 0, 7), NULL);
    keep(world, key_of(1, "/runs/1", 0, 7), "seven");
    assert_given(world, key_of(1, "/runs/1", 0, 7), "seven");
    assert_given(world, key_of(1, "/runs/1", 0, 7), "seven");
    assert_given(world, key_of(1, "/runs/1", 0, 8), NULL);
    assert_given(world, key_of(1, "/runs/1", 7, 0), NULL);
    keep(world, key_of(1, "/runs/1", 0, 8), "eight");
    assert_given(world, key_of(1, "/runs/1", 0, 8), "eight");
    assert_given(world, key_of(1, "/runs/1", 0, 7), NULL);
}

static void another_run_or_another_question_is_another_answer(void **state)
{
    struct world *world = *state;

    keep(world, key_of(1, "/runs/latest", 0, 7), "one");
    assert_given(world, key_of(2, "/runs/latest", 0, 7), NULL);
    assert_given(world, key_of(1, "/runs/1", 0, 7), NULL);
    keep(world, key_of(2, "/runs/latest", 0, 7), "two");
    assert_given(world, key_of(1, "/runs/latest", 0, 7), "one");
    assert_given(world, key_of(2, "/runs/latest", 0, 7), "two");
}

static void only_good_texts_are_kept(void **state)
{
    struct world *world = *state;
    struct response *response = &world->request->response;
    struct answers_key key = key_of(1, "/runs/1", 0, 7);
    char target[ANSWERS_TARGET_MAX + 1];

    respond_problem(response, 404, "there is no run 1");
    answers_keep(world->answers, &key, response);
    response_clear(response);
    assert_given(world, key, NULL);
    memset(target, 'x', sizeof target - 1);
    target[sizeof target - 1] = '\0';
    keep(world, key_of(1, target, 0, 7), "too long a target");
    assert_given(world, key_of(1, target, 0, 7), NULL);
}

static void those_asked_for_longest_ago_go_first(void **state)
{
    struct world *world = *state;
    char target[32];

    for (int i = 0; i < ANSWERS_MAX; i++) {
        snprintf(target, sizeof target, "/%d", i);
        keep(world, key_of(1, target, 0, 1), target);
    }
    assert_given(world, key_of(1, "/0", 0, 1), "/0");
    keep(world, key_of(1, "/new", 0, 1), "new");
    assert_given(world, key_of(1, "/0", 0, 1), "/0");
    assert_given(world, key_of(1, "/1", 0, 1), NULL);
    assert_given(world, key_of(1, "/2", 0, 1), "/2");
    assert_given(world, key_of(1, "/new", 0, 1), "new");
}

static void the_bytes_in_all_are_bounded(void **state)
{
    enum { LARGE = ANSWERS_BYTES / 8 };
    struct world *world = *state;
    char *text = malloc(LARGE + 2), target[32];
    size_t found = 0;

    memset(text, 'x', LARGE + 1);
    text[LARGE + 1] = '\0';
    keep(world, key_of(1, "/too/large", 0, 1), text);
    assert_given(world, key_of(1, "/too/large", 0, 1), NULL);
    text[LARGE] = '\0';
    for (int i = 0; i < 20; i++) {
        snprintf(target, sizeof target, "/%d", i);
        keep(world, key_of(1, target, 0, 1), text);
    }
    for (int i = 0; i < 20; i++) {
        snprintf(target, sizeof target, "/%d", i);
        struct answers_key key = key_of(1, target, 0, 1);
        found += answers_give(world->answers, &key, &world->request->response);
        response_clear(&world->request->response);
    }
    assert_int_equal(found, 8);
    assert_given(world, key_of(1, "/19", 0, 1), text);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(an_answer_is_given_again_while_its_version_holds),
        FIXTURE_TEST(another_run_or_another_question_is_another_answer),
        FIXTURE_TEST(only_good_texts_are_kept),
        FIXTURE_TEST(those_asked_for_longest_ago_go_first),
        FIXTURE_TEST(the_bytes_in_all_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
