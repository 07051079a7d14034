/* text.h - text that grows, for what is too long to be built as a tree of JSON values first; and what is written.
 *
 * It is a memory stream, so fprintf and fputs write to it; the functions here write figures. One thread at a time.
 */
#ifndef TEXT_H
#define TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct text {
    FILE *stream; /* NULL: memory is short; all functions then do nothing */
    char *bytes;
    size_t length;
};

void text_open(struct text *text);

/* The text, the caller's to free, and its length; NULL when memory was short at any time. */
char *text_close(struct text *text, size_t *length);

/* The shortest text of a finite float32 that reads back to the same bits, by whoever reads floats and by whoever
 * reads doubles and makes floats of them. */
enum { TEXT_FIGURE_MAX = 32 };
void text_of_figure(float value, char digits[TEXT_FIGURE_MAX]);

/* The same of a finite double. */
void text_of_number(double value, char digits[TEXT_FIGURE_MAX]);

/* Figures, written so; `missing` where one is not finite ("null" in JSON). */
void text_figure(struct text *text, float value, const char *missing);
void text_number(struct text *text, double value, const char *missing);

void text_print(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* UTF-8 that was cut where there was no more room: what that left of a character goes. */
void text_mend_cut(char *text);

const char *text_plural(uint64_t count); /* "s", of one thing "" */

#endif
