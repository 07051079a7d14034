/* The token's file, what is compared, how guessing is slowed, and sessions. */
#include "../cmocka_all.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../temporary_group.h"
#include "token.h"

static const char secret[] = "0123456789abcdef";

static const char *write_token(const void *bytes, size_t size, mode_t mode)
{
    const char *path = temporary_path(folder, "token");

    remove(path);
    temporary_write(path, bytes, size);
    assert_int_equal(chmod(path, mode), 0);
    return path;
}

static struct token *read_secret(void)
{
    struct ff_error error;
    struct token *token = token_read(write_token(secret, strlen(secret), 0600), &error);

    assert_non_null(token);
    return token;
}

struct file_case {
    const char *bytes;
    size_t size;
    mode_t mode;
    const char *words; /* NULL: it is taken */
};

#define BYTES(text) (text), sizeof(text) - 1

static void a_token_file_is_taken_or_refused_with_what_to_do(void **state)
{
    static const struct file_case cases[] = {
        {BYTES("0123456789abcdef"), 0600, NULL},
        {BYTES("0123456789abcdef\n"), 0600, NULL},
        {BYTES("0123456789abcdef\r\n"), 0400, NULL},
        {BYTES("0123456789abcdef\n"), 0640, "chmod 600"},
        {BYTES("0123456789abcdef\n"), 0604, "chmod 600"},
        {BYTES("0123456789abcdef\n"), 0622, "chmod 600"},
        {BYTES("0123456789abcde\n"), 0600, "must have 16 to 512 characters"},
        {BYTES(""), 0600, "must have 16 to 512 characters"},
        {BYTES("\n"), 0600, "/dev/urandom"},
        {BYTES("0123456789abcdef\n\n"), 0600, "one word"},
        {BYTES("0123456789 abcdef"), 0600, "one word"},
        {BYTES("0123456789abcdef \n"), 0600, "one word"},
        {BYTES("0123456789abcdef\0"), 0600, "NUL"},
        {BYTES("0123456789abcd\xc3\xa9\n"), 0600, "ASCII"},
    };
    struct ff_error error;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct token *token = token_read(write_token(cases[i].bytes, cases[i].size, cases[i].mode), &error);

        if (cases[i].words == NULL) {
            if (token == NULL)
                fail_msg("case %zu: %s", i, error.message);
            assert_int_equal(token_check(token, secret), TOKEN_RIGHT);
        } else if (token != NULL || strstr(error.message, cases[i].words) == NULL) {
            fail_msg("case %zu: %s", i, token != NULL ? "was taken" : error.message);
        }
        token_destroy(token);
    }
}

static void the_longest_token_has_512_characters(void **state)
{
    char text[TOKEN_LENGTH_MAX + 3];
    struct ff_error error;
    struct token *token;

    (void)state;
    memset(text, 'x', sizeof text);
    text[TOKEN_LENGTH_MAX] = '\n';
    token = token_read(write_token(text, TOKEN_LENGTH_MAX + 1, 0600), &error);
    assert_non_null(token);
    token_destroy(token);
    text[TOKEN_LENGTH_MAX] = 'x';
    assert_null(token_read(write_token(text, TOKEN_LENGTH_MAX + 1, 0600), &error));
    assert_null(token_read(write_token(text, sizeof text, 0600), &error));
}

static void a_folder_or_nothing_is_no_token_file(void **state)
{
    struct ff_error error;

    (void)state;
    assert_null(token_read(temporary_path(folder, "nothing"), &error));
    assert_non_null(strstr(error.message, "cannot be read: No such file"));
    assert_null(token_read(folder, &error));
    assert_non_null(strstr(error.message, "is a folder"));
}

int __real_fstat(int file, struct stat *about);
int __wrap_fstat(int file, struct stat *about);

static bool refuses_to_tell;

int __wrap_fstat(int file, struct stat *about)
{
    if (refuses_to_tell) {
        errno = EOVERFLOW;
        return -1;
    }
    return __real_fstat(file, about);
}

static void a_file_that_may_be_anybodys_is_no_token_file(void **state)
{
    struct ff_error error;

    (void)state;
    write_token(secret, strlen(secret), 0600);
    refuses_to_tell = true;
    struct token *token = token_read(temporary_path(folder, "token"), &error);
    refuses_to_tell = false;
    assert_null(token);
    assert_non_null(strstr(error.message, "cannot be looked at: Value too large"));
}

static void what_is_not_the_whole_token_is_wrong(void **state)
{
    static const char *const wrong[] = {
        "", "0123456789abcde", "0123456789abcdeg", "0123456789abcdef0", "0123456789ABCDEF", "0123456789abcdef\n"};
    struct token *token = read_secret();

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(token_check(token, wrong[i]), TOKEN_WRONG);
    assert_int_equal(token_check(token, secret), TOKEN_RIGHT);
    assert_int_equal(token_failures(token), sizeof wrong / sizeof wrong[0]);
    token_destroy(token);
}

/* Of a hundred at once ten are looked at, and as many more as there was time for. */
static void after_some_wrong_ones_not_even_the_right_one_is_looked_at(void **state)
{
    struct token *token = read_secret();
    size_t looked_at = 0;
    enum token_verdict verdict = TOKEN_WRONG;

    (void)state;
    for (int i = 0; i < 1000 && verdict != TOKEN_NOT_NOW; i++) {
        verdict = token_check(token, "wrong");
        looked_at += verdict == TOKEN_WRONG;
    }
    assert_int_equal(verdict, TOKEN_NOT_NOW);
    assert_in_range(looked_at, TOKEN_FAILURES_AT_ONCE, TOKEN_FAILURES_AT_ONCE + 60);
    assert_int_equal(token_failures(token), looked_at + 1);
    while ((verdict = token_check(token, secret)) == TOKEN_NOT_NOW)
        ; /* until there is room for one again */
    assert_int_equal(verdict, TOKEN_RIGHT);
    token_destroy(token);
}

static void a_session_lasts_until_it_is_ended(void **state)
{
    struct token *token = read_secret(), *other = read_secret();
    char one[TOKEN_COOKIE_MAX], two[TOKEN_COOKIE_MAX];

    (void)state;
    assert_false(token_has_session(token, ""));
    assert_true(token_open_session(token, one) && token_open_session(token, two));
    assert_int_equal(strlen(one), TOKEN_COOKIE_MAX - 1);
    assert_string_not_equal(one, two);
    assert_true(token_has_session(token, one) && token_has_session(token, two));
    assert_false(token_has_session(other, one));
    assert_false(token_has_session(token, secret));
    token_end_session(token, one);
    assert_false(token_has_session(token, one));
    assert_true(token_has_session(token, two));
    token_end_session(token, "nonsense");
    assert_true(token_has_session(token, two));
    token_destroy(token);
    token_destroy(other);
}

static void the_oldest_session_makes_room(void **state)
{
    struct token *token = read_secret();
    char first[TOKEN_COOKIE_MAX], second[TOKEN_COOKIE_MAX], cookie[TOKEN_COOKIE_MAX];

    (void)state;
    assert_true(token_open_session(token, first) && token_open_session(token, second));
    for (int i = 0; i < 255; i++)
        assert_true(token_open_session(token, cookie));
    assert_false(token_has_session(token, first));
    assert_true(token_has_session(token, second) && token_has_session(token, cookie));
    token_destroy(token);
}

static void sessions_are_not_slowed_by_wrong_tokens(void **state)
{
    struct token *token = read_secret();
    char cookie[TOKEN_COOKIE_MAX];

    (void)state;
    assert_true(token_open_session(token, cookie));
    while (token_check(token, "wrong") != TOKEN_NOT_NOW)
        ;
    assert_true(token_has_session(token, cookie));
    token_destroy(token);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_file_is_taken_or_refused_with_what_to_do),
        cmocka_unit_test(the_longest_token_has_512_characters),
        cmocka_unit_test(a_folder_or_nothing_is_no_token_file),
        cmocka_unit_test(a_file_that_may_be_anybodys_is_no_token_file),
        cmocka_unit_test(what_is_not_the_whole_token_is_wrong),
        cmocka_unit_test(after_some_wrong_ones_not_even_the_right_one_is_looked_at),
        cmocka_unit_test(a_session_lasts_until_it_is_ended),
        cmocka_unit_test(the_oldest_session_makes_room),
        cmocka_unit_test(sessions_are_not_slowed_by_wrong_tokens),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
