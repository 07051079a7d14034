#include "token.h"

#include <errno.h>
#include <fcntl.h>
#include <gcrypt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "timing.h"

enum { DIGEST_BYTES = 32, SESSIONS_MAX = 256 };

static const double session_seconds = 30.0 * 24 * 3600;

struct token_session {
    unsigned char digest[DIGEST_BYTES]; /* of its cookie */
    double until;                       /* timing_seconds; 0: none */
};

struct token {
    unsigned char digest[DIGEST_BYTES]; /* constant */

    pthread_mutex_t mutex; /* guards all below */
    double level, at;      /* failures that the bucket had room for, and when */
    uint64_t failures;
    struct token_session sessions[SESSIONS_MAX];
    size_t next; /* whose place the next one takes */
};

/* --- comparing ------------------------------------------------------------------------------------------------ */

static void digest_of(const char *text, unsigned char digest[DIGEST_BYTES])
{
    gcry_md_hash_buffer(GCRY_MD_SHA256, digest, text, strlen(text));
}

/* As long for any difference, wherever it is. */
static bool same_digest(const unsigned char *one, const unsigned char *other)
{
    volatile unsigned char difference = 0;

    for (size_t i = 0; i < DIGEST_BYTES; i++)
        difference = (unsigned char)(difference | (one[i] ^ other[i]));
    return difference == 0;
}

/* With the mutex. */
static void fill_bucket(struct token *token)
{
    double now = timing_seconds();

    token->level += (now - token->at) / TOKEN_SECONDS_A_FAILURE;
    token->at = now;
    if (token->level > TOKEN_FAILURES_AT_ONCE)
        token->level = TOKEN_FAILURES_AT_ONCE;
}

enum token_verdict token_check(struct token *token, const char *given)
{
    unsigned char digest[DIGEST_BYTES];
    enum token_verdict verdict = TOKEN_NOT_NOW;

    digest_of(given, digest);
    pthread_mutex_lock(&token->mutex);
    fill_bucket(token);
    if (token->level >= 1)
        verdict = same_digest(digest, token->digest) ? TOKEN_RIGHT : TOKEN_WRONG;
    token->failures += verdict != TOKEN_RIGHT;
    token->level -= verdict == TOKEN_WRONG;
    pthread_mutex_unlock(&token->mutex);
    return verdict;
}

uint64_t token_failures(struct token *token)
{
    uint64_t failures;

    pthread_mutex_lock(&token->mutex);
    failures = token->failures;
    pthread_mutex_unlock(&token->mutex);
    return failures;
}

/* --- sessions ------------------------------------------------------------------------------------------------- */

bool token_open_session(struct token *token, char cookie[TOKEN_COOKIE_MAX])
{
    unsigned char bytes[(TOKEN_COOKIE_MAX - 1) / 2], digest[DIGEST_BYTES];

    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return false;
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(cookie + 2 * i, 3, "%02x", bytes[i]);
    digest_of(cookie, digest);
    pthread_mutex_lock(&token->mutex);
    memcpy(token->sessions[token->next].digest, digest, sizeof digest);
    token->sessions[token->next].until = timing_seconds() + session_seconds;
    token->next = (token->next + 1) % SESSIONS_MAX;
    pthread_mutex_unlock(&token->mutex);
    return true;
}

/* With the mutex. NULL: there is none. All are looked at. */
static struct token_session *find_session(struct token *token, const unsigned char digest[DIGEST_BYTES])
{
    struct token_session *found = NULL;
    double now = timing_seconds();

    for (size_t i = 0; i < SESSIONS_MAX; i++)
        if (same_digest(digest, token->sessions[i].digest) && token->sessions[i].until > now)
            found = &token->sessions[i];
    return found;
}

bool token_has_session(struct token *token, const char *cookie)
{
    unsigned char digest[DIGEST_BYTES];
    bool has;

    digest_of(cookie, digest);
    pthread_mutex_lock(&token->mutex);
    has = find_session(token, digest) != NULL;
    pthread_mutex_unlock(&token->mutex);
    return has;
}

void token_end_session(struct token *token, const char *cookie)
{
    unsigned char digest[DIGEST_BYTES];
    struct token_session *session;

    digest_of(cookie, digest);
    pthread_mutex_lock(&token->mutex);
    session = find_session(token, digest);
    if (session != NULL)
        session->until = 0;
    pthread_mutex_unlock(&token->mutex);
}

/* --- the file ------------------------------------------------------------------------------------------------- */

static ff_status check_file(const char *path, const struct stat *about, struct ff_error *error)
{
    if (S_ISDIR(about->st_mode))
        return ff_fail(error, FF_INVALID, "the token file %s is a folder; name a file with --token-file", path);
    if ((about->st_mode & 077) != 0)
        return ff_fail(error, FF_INVALID,
                       "the token file %s can be read or changed by others (mode %04o); keep it to yourself with: "
                       "chmod 600 %s",
                       path, (unsigned)about->st_mode & 07777, path);
    if (about->st_uid != geteuid() && about->st_uid != 0)
        return ff_fail(error, FF_INVALID,
                       "the token file %s belongs to another user, who could change it; make one "
                       "of your own",
                       path);
    return FF_OK;
}

/* The text of the file without its line break. */
static ff_status check_text(const char *path, char *text, struct ff_error *error)
{
    size_t length = strlen(text);

    if (length > 0 && text[length - 1] == '\n')
        text[--length] = '\0';
    if (length > 0 && text[length - 1] == '\r')
        text[--length] = '\0';
    if (length < TOKEN_LENGTH_MIN || length > TOKEN_LENGTH_MAX)
        return ff_fail(error, FF_INVALID,
                       "the token in %s must have %d to %d characters; make one with: "
                       "(umask 077; head -c 32 /dev/urandom | base64 > %s)",
                       path, TOKEN_LENGTH_MIN, TOKEN_LENGTH_MAX, path);
    for (const char *c = text; *c != '\0'; c++)
        if (*c <= ' ' || *c >= 0x7F)
            return ff_fail(error, FF_INVALID,
                           "the token in %s must be one word of visible ASCII characters, without spaces", path);
    return FF_OK;
}

/* `text` gets at most `size` - 1 bytes. */
static ff_status read_file(const char *path, char *text, size_t size, struct ff_error *error)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ff_status status = FF_OK;
    size_t used = 0;
    ssize_t got = 1;
    struct stat about;

    if (file < 0)
        return ff_fail(error, FF_IO, "the token file %s cannot be read: %s", path, strerror(errno));
    if (fstat(file, &about) != 0)
        status = ff_fail(error, FF_IO, "the token file %s cannot be looked at: %s", path, strerror(errno));
    else
        status = check_file(path, &about, error);
    while (status == FF_OK && used < size - 1 && got > 0) {
        got = read(file, text + used, size - 1 - used);
        used += got > 0 ? (size_t)got : 0;
    }
    if (status == FF_OK && got < 0)
        status = ff_fail(error, FF_IO, "the token file %s cannot be read: %s", path, strerror(errno));
    text[used] = '\0';
    if (status == FF_OK && strlen(text) != used)
        status = ff_fail(error, FF_INVALID, "the token file %s has a NUL in it; it must hold one word", path);
    close(file);
    return status;
}

struct token *token_read(const char *path, struct ff_error *error)
{
    char text[TOKEN_LENGTH_MAX + 3] = ""; /* a line break, and one byte more than it may have */
    struct token *token = NULL;

    gcry_check_version(NULL); /* makes the library ready */
    if (read_file(path, text, sizeof text, error) == FF_OK && check_text(path, text, error) == FF_OK) {
        token = calloc(1, sizeof *token);
        if (token == NULL)
            ff_fail_memory(error, "the token");
    }
    if (token != NULL) {
        digest_of(text, token->digest);
        pthread_mutex_init(&token->mutex, NULL);
        token->level = TOKEN_FAILURES_AT_ONCE;
        token->at = timing_seconds();
    }
    explicit_bzero(text, sizeof text);
    return token;
}

void token_destroy(struct token *token)
{
    if (token == NULL)
        return;
    pthread_mutex_destroy(&token->mutex);
    explicit_bzero(token, sizeof *token);
    free(token);
}
