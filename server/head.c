#include "head.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include <microhttpd.h>

/* From 1.0 on the library checks these things itself, and arranges its buffer in another way. */
static bool parts_stand_as_they_came(void)
{
    return strncmp(MHD_get_version(), "0.", 2) == 0;
}

static void complain(struct head *head, const char *wrong)
{
    if (head->wrong == NULL)
        head->wrong = wrong;
}

/* A part is not where it should be. */
static void complain_place(struct head *head, const char *wrong)
{
    if (parts_stand_as_they_came())
        complain(head, wrong);
}

/* RFC 9110, 5.6.2. */
static bool is_token(const char *text, size_t length)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";

    for (size_t i = 0; i < length; i++) {
        char c = text[i], letter = (char)(c | 0x20);

        if (!(c >= '0' && c <= '9') && !(letter >= 'a' && letter <= 'z') && (c == '\0' || !strchr(marks, c)))
            return false;
    }
    return length > 0;
}

/* RFC 9110, 5.5: visible characters, spaces, tabs, and bytes beyond ASCII. */
static bool is_field_value(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (((unsigned char)text[i] < 0x20 && text[i] != '\t') || text[i] == 0x7F)
            return false;
    return true;
}

void head_begin(struct head *head, const char *method, const char *target, size_t target_length,
                const char *version)
{
    *head = (struct head){.start = method};
    if (!is_token(method, strlen(method)))
        complain(head, "the method must be a token");
    if (target != method + strlen(method) + 1 || version != target + target_length + 1)
        complain_place(head,
                       "the request line must be method, target and version with a single space between them");
    head->next = version + strlen(version) + 2;
}

/* Whether there is nothing but spaces and tabs in [from, to), which is within the head when it is not empty. */
static bool is_space(const char *from, const char *to)
{
    while (from < to && (*from == ' ' || *from == '\t'))
        from++;
    return from == to;
}

void head_add_field(struct head *head, const char *name, size_t name_length, const char *value, size_t value_length)
{
    if (!is_token(name, name_length))
        complain(head, "a field's name must be a token, with its colon right behind it");
    if (!is_field_value(value, value_length))
        complain(head, "a field's value must be without control characters");
    if (name != head->next || !is_space(name + name_length + 1, value))
        complain_place(head, "each line must end in CRLF, and none may be folded or have a NUL in it");
    head->next = value + value_length + 2;
}

void head_end(struct head *head, size_t size)
{
    if (head->next + 2 != head->start + size)
        complain_place(head, "each line must end in CRLF, and none may be folded or have a NUL in it");
}

static const char *check_authority(const char *authority)
{
    size_t length = strcspn(authority, "/?");

    if (length == 0)
        return "the target has no host";
    if (memchr(authority, '@', length) != NULL)
        return "the target must not hold a user's name or password";
    return NULL;
}

const char *head_check_target(const char *method, const char *target)
{
    for (const char *c = target; *c != '\0'; c++)
        if ((unsigned char)*c <= 0x20 || *c == 0x7F || *c == '#')
            return "the target must be without spaces, control characters and #";
    if (target[0] == '/')
        return NULL;
    if (strcmp(target, "*") == 0)
        return strcmp(method, "OPTIONS") == 0 ? NULL : "the target * is for OPTIONS alone";
    if (strncasecmp(target, "http://", 7) == 0)
        return check_authority(target + 7);
    return "the target must be a path that begins with /, or a whole URL with http";
}
