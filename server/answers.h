/* answers.h - answers given lately, for who asks the same again: neither the database is read nor text made.
 *
 * An answer is kept with the version of what it was made from (session_version, asked before looking), and given
 * again only as long as that is still the version: whatever changes a run, a step, a state, a label, a row that is
 * committed, gives it another one before whoever made the change is answered. So nobody has to say what is out of
 * date, and nothing that is can be given. At most ANSWERS_MAX answers of ANSWERS_BYTES in all; those that were
 * asked for longest ago go first. Any thread may call. */
#ifndef ANSWERS_H
#define ANSWERS_H

#include <stdbool.h>
#include <stdint.h>

#include "http.h"
#include "session.h"

enum { ANSWERS_MAX = 64, ANSWERS_BYTES = 8 << 20, ANSWERS_TARGET_MAX = 200 };

struct answers;

struct answers *answers_create(struct ff_error *error);
void answers_destroy(struct answers *answers); /* NULL is fine */

/* What is asked: a run (0: of all) and how (the request's target, path and query), at a version. Equal targets may
 * mean other runs ("latest"), so the run counts too. */
struct answers_key {
    int64_t run;
    const char *target;
    struct session_version version;
};

/* Answer as before, with the ETag; false, and nothing is answered, when there is no such answer. */
bool answers_give(struct answers *answers, const struct answers_key *key, struct response *response);

/* Give the answer that stands in `response` an ETag, and keep a copy; only a 200 with a text is kept. */
void answers_keep(struct answers *answers, const struct answers_key *key, struct response *response);

#endif
