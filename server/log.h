/* log.h - the program's messages: one line each, on standard error.
 *
 *     2026-03-01T12:00:00.123Z info run 3 started
 *     {"time":"2026-03-01T12:00:00.123Z","level":"info","message":"run 3 started"}
 *
 * The process has one log. Set it up before threads start; after that any thread may write. */
#ifndef LOG_H
#define LOG_H

#include <stdint.h>
#include <stdio.h>

enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };
enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARNING, LOG_LEVEL_ERROR, LOG_LEVELS };

/* Messages below `level` are left out. Before the first call: text, info. */
void log_set_up(enum log_format format, enum log_level level);

/* "debug", "info", "warning", "error". */
const char *log_level_name(enum log_level level);

/* Write a message, printf's way; longer than about 2,000 bytes it is cut. Line breaks in it become spaces. */
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The line of a message, with its line break, as log_* would write it at this time; returns its length. For tests.
 */
size_t log_line(enum log_format format, enum log_level level, int64_t milliseconds, const char *message, char *line,
                size_t size);

#endif
