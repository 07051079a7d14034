/* token.h - the secret that lets others than this machine's person in, and who has shown it.
 *
 * A request shows the token itself, or the cookie of a session that was opened with it. Both are compared without
 * the time telling anything. Wrong tokens, whoever gives them, are taken from one bucket: when it is empty, none is
 * looked at until it has filled again, so that guessing is slow however many guess. Sessions are not asked to wait.
 * They live in memory: they end with the daemon, after 30 days, or when too many came after them.
 *
 * Any thread may call. */
#ifndef TOKEN_H
#define TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"

enum {
    TOKEN_LENGTH_MIN = 16,
    TOKEN_LENGTH_MAX = 512,
    TOKEN_COOKIE_MAX = 65,       /* 64 hexadecimal digits, NUL */
    TOKEN_FAILURES_AT_ONCE = 10, /* that the bucket holds */
    TOKEN_SECONDS_A_FAILURE = 1  /* until there is room for another one */
};

struct token;

enum token_verdict { TOKEN_RIGHT, TOKEN_WRONG, TOKEN_NOT_NOW };

/* The token in a file, which nobody else may read; a line break at its end is no part of it. NULL and `error`,
 * which says what to do. */
struct token *token_read(const char *path, struct ff_error *error);
void token_destroy(struct token *token); /* NULL is fine */

enum token_verdict token_check(struct token *token, const char *given);
uint64_t token_failures(struct token *token); /* wrong ones, and those not looked at */

/* A session for who has shown the token; false: the system gives no random numbers. */
bool token_open_session(struct token *token, char cookie[TOKEN_COOKIE_MAX]);
bool token_has_session(struct token *token, const char *cookie);
void token_end_session(struct token *token, const char *cookie);

#endif
