#include "answers.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct answer {
    int64_t run;
    struct session_version version;
    char target[ANSWERS_TARGET_MAX];
    struct shared_text *text; /* NULL: the place is free */
    uint64_t used;            /* the count of looks when it was last asked for */
};

struct answers {
    pthread_mutex_t mutex; /* guards all below; held for a look */
    struct answer answer[ANSWERS_MAX];
    size_t bytes;
    uint64_t looks;
};

struct answers *answers_create(struct ff_error *error)
{
    struct answers *answers = calloc(1, sizeof *answers);

    if (answers == NULL)
        ff_fail_memory(error, "the answers that are kept");
    else
        pthread_mutex_init(&answers->mutex, NULL);
    return answers;
}

/* All with the mutex. */

static void forget(struct answers *answers, struct answer *answer)
{
    answers->bytes -= answer->text->length;
    shared_text_release(answer->text);
    *answer = (struct answer){.run = 0};
}

static struct answer *find(struct answers *answers, const struct answers_key *key)
{
    for (size_t i = 0; i < ANSWERS_MAX; i++) {
        struct answer *answer = &answers->answer[i];
        if (answer->text != NULL && answer->run == key->run && strcmp(answer->target, key->target) == 0)
            return answer;
    }
    return NULL;
}

/* A free place, or else the one that was asked for longest ago; with `none_free`, that one even so. */
static struct answer *find_oldest(struct answers *answers, bool none_free)
{
    struct answer *oldest = &answers->answer[0];

    for (size_t i = 0; i < ANSWERS_MAX; i++) {
        struct answer *answer = &answers->answer[i];
        if (answer->text == NULL && !none_free)
            return answer;
        if (answer->text != NULL && (oldest->text == NULL || answer->used < oldest->used))
            oldest = answer;
    }
    return oldest;
}

/* An empty place, and room for so many bytes. */
static struct answer *make_room(struct answers *answers, const struct answers_key *key, size_t length)
{
    struct answer *answer = find(answers, key);

    if (answer != NULL)
        forget(answers, answer);
    while (answers->bytes + length > ANSWERS_BYTES)
        forget(answers, find_oldest(answers, true));
    answer = find_oldest(answers, false);
    if (answer->text != NULL)
        forget(answers, answer);
    return answer;
}

static bool is_same(const struct session_version *left, const struct session_version *right)
{
    return left->live == right->live && left->stored == right->stored;
}

/* --- asking and keeping --------------------------------------------------------------------------------------- */

bool answers_give(struct answers *answers, const struct answers_key *key, struct response *response)
{
    struct shared_text *text = NULL;

    pthread_mutex_lock(&answers->mutex);
    struct answer *answer = find(answers, key);
    if (answer != NULL && is_same(&answer->version, &key->version)) {
        answer->used = ++answers->looks;
        text = answer->text;
        shared_text_hold(text);
    }
    pthread_mutex_unlock(&answers->mutex);
    if (text != NULL)
        respond_shared(response, text);
    return text != NULL;
}

void answers_keep(struct answers *answers, const struct answers_key *key, struct response *response)
{
    struct shared_text *text;

    response_use_etag(response);
    if (strlen(key->target) >= ANSWERS_TARGET_MAX || (text = response_share(response)) == NULL)
        return;
    if (text->length > ANSWERS_BYTES / 8) {
        shared_text_release(text);
        return;
    }
    pthread_mutex_lock(&answers->mutex);
    struct answer *answer = make_room(answers, key, text->length);
    *answer = (struct answer){.run = key->run, .version = key->version, .text = text, .used = ++answers->looks};
    memcpy(answer->target, key->target, strlen(key->target) + 1);
    answers->bytes += text->length;
    pthread_mutex_unlock(&answers->mutex);
}

void answers_destroy(struct answers *answers)
{
    if (answers == NULL)
        return;
    for (size_t i = 0; i < ANSWERS_MAX; i++)
        shared_text_release(answers->answer[i].text);
    pthread_mutex_destroy(&answers->mutex);
    free(answers);
}
