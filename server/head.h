/* head.h - whether the head of a request came, byte for byte, as RFC 9112 has it.
 *
 * libmicrohttpd before 1.0 takes lines that end in a bare LF, folded fields, further spaces in the request line,
 * and hides what follows a NUL. Two programs that read such a head differently see two different requests. But what
 * it has parsed still stands where it came, only with NULs for what ended each part: so each part has to begin as
 * many bytes after the last one as the rules say, and all of them together have to be as long as the head was.
 *
 * Give it the parts in their order. Pure functions, but for what they note in `head`. */
#ifndef HEAD_H
#define HEAD_H

#include <stddef.h>

struct head {
    const char *start, *next; /* of the head; where the next part must begin */
    const char *wrong;        /* the first thing that is: the end of a sentence; NULL: nothing yet */
};

/* The request line. `target` stands in the library's buffer and was `target_length` bytes long when it came. */
void head_begin(struct head *head, const char *method, const char *target, size_t target_length,
                const char *version);
void head_add_field(struct head *head, const char *name, size_t name_length, const char *value,
                    size_t value_length);
/* The empty line; the head was `size` bytes. */
void head_end(struct head *head, size_t size);

/* What of a request's target can be told from its characters: NULL, or what is wrong with it. */
const char *head_check_target(const char *method, const char *target);

#endif
