/* options_table.h - every option once: its name, its argument, who takes it, how it is read, its help. */
#ifndef OPTIONS_TABLE_H
#define OPTIONS_TABLE_H

#include "options.h"

enum { OPTION_SENTENCE_MAX = 512 };

/* Exit statuses: asked for in a wrong way, or what may not be. */
enum { OPTION_WRONG = 2, OPTION_REFUSED = 1 };

/* Reads a value (NULL: a flag that is given). Returns 0, or the exit status with `sentence` saying what is wrong,
 * so that "--port 99999 " can stand before it. */
typedef int option_parse(struct options *options, const char *value, char sentence[OPTION_SENTENCE_MAX]);

struct option_row {
    const char *name;
    const char *argument; /* NULL: a flag */
    unsigned commands;    /* bits of enum command */
    bool list;            /* may be given several times; in the environment divided by commas */
    option_parse *parse;
    const char *help;
};

enum { OPTION_ROWS = 18 };

extern const struct option_row option_rows[OPTION_ROWS];

/* Add a value to a list; as option_parse. */
int option_append(struct options_list *list, const char *value, char sentence[OPTION_SENTENCE_MAX]);

/* Fill in `sentence`, printf's way, and return `status`. */
int option_say(char sentence[OPTION_SENTENCE_MAX], int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
