#include "log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "timing.h"
#include "utf8.h"

enum { MESSAGE_MAX = 2048, LINE_MAX_LENGTH = 6 * MESSAGE_MAX + 128 /* six bytes for one, in JSON */ };

static const char *const level_names[LOG_LEVELS] = {"debug", "info", "warning", "error"};

/* Constant once threads run. */
static enum log_format current_format = LOG_FORMAT_TEXT;
static enum log_level current_level = LOG_LEVEL_INFO;

static pthread_mutex_t write_lock = PTHREAD_MUTEX_INITIALIZER; /* keeps lines whole */

void log_set_up(enum log_format format, enum log_level level)
{
    current_format = format;
    current_level = level;
}

const char *log_level_name(enum log_level level)
{
    return (unsigned)level < LOG_LEVELS ? level_names[level] : "unknown";
}

/* One character of a message, which never breaks the line and is always UTF-8; returns bytes written, at most 6. */
static size_t put_character(char *line, const char *text, size_t length, bool json)
{
    unsigned char first = (unsigned char)text[0];

    if (length > 1 || (first >= 0x20 && first != '"' && first != '\\' && first != 0x7f)) {
        memcpy(line, text, length);
        return length;
    }
    if (json && (first == '"' || first == '\\')) {
        line[0] = '\\';
        line[1] = text[0];
        return 2;
    }
    if (first == '"' || first == '\\') {
        line[0] = text[0];
        return 1;
    }
    if (!json || first == 0x7f) {
        line[0] = ' ';
        return 1;
    }
    snprintf(line, 7, "\\u%04x", first);
    return 6;
}

static size_t put_message(char *line, size_t size, const char *message, bool json)
{
    static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */
    size_t used = 0, left = strlen(message);

    while (left > 0 && used + 8 < size) {
        size_t length = ff_utf8_sequence(message, left);

        if (length == 0) {
            used += put_character(line + used, replacement, 3, json);
            length = 1;
        } else {
            used += put_character(line + used, message, length, json);
        }
        message += length;
        left -= length;
    }
    return used;
}

size_t log_line(enum log_format format, enum log_level level, int64_t milliseconds, const char *message, char *line,
                size_t size)
{
    bool json = format == LOG_FORMAT_JSON;
    char time[TIMING_TEXT_MAX];
    size_t used;

    timing_text(milliseconds, time);
    used = (size_t)snprintf(line, size, json ? "{\"time\":\"%s\",\"level\":\"%s\",\"message\":\"" : "%s %s ", time,
                            log_level_name(level));
    if (used + 16 > size)
        return 0;
    used += put_message(line + used, size - used - 4, message, json);
    used += (size_t)snprintf(line + used, size - used, json ? "\"}\n" : "\n");
    return used;
}

static void write_all(const char *bytes, size_t count)
{
    while (count > 0) {
        ssize_t written = write(STDERR_FILENO, bytes, count);

        if (written <= 0)
            return; /* nowhere to complain */
        bytes += written;
        count -= (size_t)written;
    }
}

static void write_message(enum log_level level, const char *format, va_list arguments)
{
    char message[MESSAGE_MAX], line[LINE_MAX_LENGTH];
    size_t length;

    if (level < current_level)
        return;
    vsnprintf(message, sizeof message, format, arguments);
    length = log_line(current_format, level, timing_date(), message, line, sizeof line);
    pthread_mutex_lock(&write_lock);
    write_all(line, length);
    pthread_mutex_unlock(&write_lock);
}

void log_debug(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    write_message(LOG_LEVEL_DEBUG, format, arguments);
    va_end(arguments);
}

void log_info(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    write_message(LOG_LEVEL_INFO, format, arguments);
    va_end(arguments);
}

void log_warning(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    write_message(LOG_LEVEL_WARNING, format, arguments);
    va_end(arguments);
}
