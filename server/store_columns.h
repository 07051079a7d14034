/* store_columns.h - parameters bound and columns read one after the other, for the files that know the tables. */
#ifndef STORE_COLUMNS_H
#define STORE_COLUMNS_H

#include <math.h>

#include "store_internal.h"

/* Binding, one parameter after the other. A failure (memory) shows when the statement is stepped: a parameter that
 * is not bound is NULL, which the columns refuse. */
struct binder {
    sqlite3_stmt *statement;
    int next;
};

static inline void bind_text(struct binder *binder, const char *text)
{
    sqlite3_bind_text(binder->statement, binder->next++, text, -1, SQLITE_TRANSIENT);
}

static inline void bind_whole(struct binder *binder, uint64_t value)
{
    sqlite3_bind_int64(binder->statement, binder->next++, (int64_t)value);
}

/* Not a number becomes NULL; SQLite does that by itself. */
static inline void bind_real(struct binder *binder, double value)
{
    sqlite3_bind_double(binder->statement, binder->next++, value);
}

static inline void bind_figures(struct binder *binder, const struct ff_layer_figures *figures)
{
    bind_real(binder, (double)figures->positive);
    bind_real(binder, (double)figures->negative);
    bind_real(binder, (double)figures->positive_low);
    bind_real(binder, (double)figures->positive_high);
    bind_real(binder, (double)figures->negative_low);
    bind_real(binder, (double)figures->negative_high);
    bind_real(binder, (double)figures->loss);
    bind_real(binder, (double)figures->accuracy);
}

/* Reading, one column after the other. */
struct columns {
    sqlite3_stmt *statement;
    int next;
};

static inline const char *next_text(struct columns *columns)
{
    const char *text = (const char *)sqlite3_column_text(columns->statement, columns->next++);
    return text != NULL ? text : "";
}

static inline uint64_t next_whole(struct columns *columns)
{
    return (uint64_t)sqlite3_column_int64(columns->statement, columns->next++);
}

static inline uint32_t next_count(struct columns *columns)
{
    return (uint32_t)next_whole(columns);
}

static inline double next_real(struct columns *columns)
{
    int column = columns->next++;
    bool null = sqlite3_column_type(columns->statement, column) == SQLITE_NULL;
    return null ? (double)NAN : sqlite3_column_double(columns->statement, column);
}

static inline void next_figures(struct columns *columns, struct ff_layer_figures *figures)
{
    figures->positive = (float)next_real(columns);
    figures->negative = (float)next_real(columns);
    figures->positive_low = (float)next_real(columns);
    figures->positive_high = (float)next_real(columns);
    figures->negative_low = (float)next_real(columns);
    figures->negative_high = (float)next_real(columns);
    figures->loss = (float)next_real(columns);
    figures->accuracy = (float)next_real(columns);
}

#endif
