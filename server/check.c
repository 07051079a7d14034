#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check_internal.h"
#include "store.h"
#include "text.h"

enum { TROUBLE = 1 };

enum { OLDEST_SCHEMA = 1 }; /* of those that are known here */

void check_found(struct check *check, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    check->findings++;
}

/* --- asking the database -------------------------------------------------------------------------------------- */

sqlite3_stmt *check_select(struct check *check, const char *sql, int64_t run)
{
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(check->database, sql, -1, &statement, NULL) == SQLITE_OK &&
        (run == 0 || sqlite3_bind_int64(statement, 1, run) == SQLITE_OK))
        return statement;
    check_found(check, "the database cannot be read: %s", sqlite3_errmsg(check->database));
    sqlite3_finalize(statement);
    return NULL;
}

bool check_row(struct check *check, sqlite3_stmt *statement)
{
    int code = statement == NULL ? SQLITE_DONE : sqlite3_step(statement);

    if (code == SQLITE_ROW)
        return true;
    if (code != SQLITE_DONE)
        check_found(check, "the database cannot be read: %s", sqlite3_errmsg(check->database));
    sqlite3_finalize(statement);
    return false;
}

int64_t check_number(struct check *check, const char *sql, int64_t run, int64_t otherwise)
{
    sqlite3_stmt *statement = check_select(check, sql, run);
    int64_t number = otherwise;

    if (!check_row(check, statement))
        return number;
    if (sqlite3_column_type(statement, 0) != SQLITE_NULL)
        number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return number;
}

/* --- the folder ----------------------------------------------------------------------------------------------- */

/* Keep daemons away meanwhile. *lock is -1 where none has been here. */
static ff_status hold_folder(const char *folder, int *lock, struct ff_error *error)
{
    char path[CHECK_PATH_MAX];

    snprintf(path, sizeof path, "%s/goodness.lock", folder);
    *lock = open(path, O_RDONLY | O_CLOEXEC);
    if (*lock < 0 && errno == ENOENT)
        return FF_OK;
    if (*lock < 0)
        return ff_fail(error, FF_IO, "%s cannot be read: %s; check who owns it", path, strerror(errno));
    if (flock(*lock, LOCK_SH | LOCK_NB) == 0)
        return FF_OK;
    if (errno != EWOULDBLOCK)
        return ff_fail(error, FF_IO, "%s cannot be locked: %s", path, strerror(errno));
    return ff_fail(error, FF_BUSY,
                   "the state folder %s is in use by a daemon (process %ld): end it, and check then", folder,
                   store_holder(*lock));
}

/* "file:PATH", with what has a meaning there escaped. */
static void uri_of(const char *path, bool untouched, char *uri, size_t size)
{
    size_t used = (size_t)snprintf(uri, size, "file:");

    for (; *path != '\0' && used + 20 < size; path++) {
        if (strchr("%?#", *path) != NULL)
            used += (size_t)snprintf(uri + used, size - used, "%%%02X", (unsigned)(unsigned char)*path);
        else
            uri[used++] = *path;
    }
    snprintf(uri + used, size - used, "%s", untouched ? "?immutable=1" : "");
}

/* Only to read. Without a log left by a kill the file alone is all, and SQLite need not lay files of its own beside
 * it. */
static ff_status open_database(struct check *check, struct ff_error *error)
{
    char path[CHECK_PATH_MAX], log[CHECK_PATH_MAX + 8], uri[3 * CHECK_PATH_MAX];
    struct stat file, information;

    snprintf(path, sizeof path, "%s/goodness.db", check->folder);
    snprintf(log, sizeof log, "%s-wal", path);
    if (stat(path, &file) != 0)
        return ff_fail(error, FF_NOT_FOUND, "no runs are kept in %s: %s: %s; name another folder (--state)",
                       check->folder, path, strerror(errno));
    uri_of(path, stat(log, &information) != 0 || information.st_size == 0, uri, sizeof uri);
    if (sqlite3_open_v2(uri, &check->database, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL) != SQLITE_OK)
        return ff_fail(error, FF_IO, "%s cannot be opened: %s; check who owns it", path,
                       check->database == NULL ? "out of memory" : sqlite3_errmsg(check->database));
    return FF_OK;
}

/* --- the whole ------------------------------------------------------------------------------------------------ */

/* Whether the database is one whose contents can be looked at. */
static bool check_schema(struct check *check)
{
    uint64_t before = check->findings;
    int64_t application = check_number(check, "PRAGMA application_id", 0, 0);

    check->version = check_number(check, "PRAGMA user_version", 0, 0);
    if (check->findings > before)
        return false;
    if (application != STORE_APPLICATION_ID)
        check_found(check, "%s/goodness.db is not a database of goodness", check->folder);
    else if (check->version < OLDEST_SCHEMA || check->version > STORE_SCHEMA_VERSION)
        check_found(check, "the database has schema %" PRId64 ", and this program knows %d to %d", check->version,
                    OLDEST_SCHEMA, STORE_SCHEMA_VERSION);
    return check->findings == before;
}

static void check_database(struct check *check)
{
    sqlite3_stmt *row = check_select(check, "PRAGMA quick_check", 0);

    while (check_row(check, row)) {
        const char *text = (const char *)sqlite3_column_text(row, 0);

        if (text == NULL || strcmp(text, "ok") != 0)
            check_found(check, "the database is damaged: %s", text == NULL ? "out of memory" : text);
    }
    row = check_select(check, "SELECT \"table\", count(*) FROM pragma_foreign_key_check GROUP BY 1", 0);
    while (check_row(check, row))
        check_found(check, "rows of \"%s\" that belong to no run: %" PRId64,
                    (const char *)sqlite3_column_text(row, 0), (int64_t)sqlite3_column_int64(row, 1));
}

static void print_summary(const struct check *check)
{
    printf("%" PRIu64 " run%s, %" PRIu64 " point%s, %" PRIu64 " checkpoint%s: ", check->runs,
           text_plural(check->runs), check->points, text_plural(check->points), check->checkpoints,
           text_plural(check->checkpoints));
    if (check->findings == 0)
        printf("all consistent\n");
    else
        printf("%" PRIu64 " finding%s\n", check->findings, text_plural(check->findings));
}

static ff_status check_all(struct check *check, struct ff_error *error)
{
    if (open_database(check, error) != FF_OK)
        return error->status;
    if (check_schema(check)) {
        check_database(check);
        check_runs(check);
        check_checkpoint_folder(check);
    }
    print_summary(check);
    if (fflush(stdout) != 0 || ferror(stdout))
        return ff_fail(error, FF_IO, "standard output could not be written");
    return FF_OK;
}

int check_command(const struct options *options)
{
    struct check check = {.folder = options->state};
    struct ff_error error;
    int lock = -1;
    ff_status status = hold_folder(check.folder, &lock, &error);

    if (status == FF_OK)
        status = check_all(&check, &error);
    if (status != FF_OK)
        fprintf(stderr, "goodness check: %s\n", error.message);
    sqlite3_close(check.database);
    if (lock >= 0)
        close(lock);
    return status == FF_OK && check.findings == 0 ? 0 : TROUBLE;
}
