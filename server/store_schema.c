#include "store_internal.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "timing.h"

enum { CHECK_BYTES_MAX = 64 << 20 };

/* What brings the database from version i to version i + 1. Never change one that was released: add the next. */
static const char *const migrations[] = {
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
    "INSERT INTO meta VALUES('starts', 0);"
    "CREATE TABLE runs("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, notes TEXT NOT NULL, tags TEXT NOT NULL,"
    "  preset TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL,"
    "  created INTEGER NOT NULL, started INTEGER NOT NULL, ended INTEGER NOT NULL, config TEXT NOT NULL,"
    "  asked_stages INTEGER NOT NULL, asked_threads INTEGER NOT NULL,"
    "  stages INTEGER NOT NULL, threads INTEGER NOT NULL, parameters INTEGER NOT NULL,"
    "  epoch INTEGER NOT NULL, epochs INTEGER NOT NULL, step INTEGER NOT NULL, steps INTEGER NOT NULL,"
    "  elapsed REAL NOT NULL, remaining REAL, samples_per_second REAL, evaluating REAL NOT NULL,"
    "  warnings TEXT NOT NULL);"
    "CREATE TABLE points("
    "  run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, step INTEGER NOT NULL, layer INTEGER NOT NULL,"
    "  event INTEGER NOT NULL, epoch REAL NOT NULL, elapsed REAL NOT NULL, positive REAL, negative REAL,"
    "  positive_low REAL, positive_high REAL, negative_low REAL, negative_high REAL, loss REAL, accuracy REAL,"
    "  PRIMARY KEY(run, step, layer)) WITHOUT ROWID;"
    "CREATE TABLE epochs("
    "  run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, epoch INTEGER NOT NULL, event INTEGER NOT NULL,"
    "  step INTEGER NOT NULL, elapsed REAL NOT NULL, evaluating REAL NOT NULL, train_error REAL,"
    "  test_error REAL, digest TEXT NOT NULL, PRIMARY KEY(run, epoch)) WITHOUT ROWID;"
    "CREATE TABLE epoch_layers("
    "  run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, epoch INTEGER NOT NULL, layer INTEGER NOT NULL,"
    "  positive REAL, negative REAL, positive_low REAL, positive_high REAL, negative_low REAL,"
    "  negative_high REAL, loss REAL, accuracy REAL, PRIMARY KEY(run, epoch, layer)) WITHOUT ROWID;",

    /* Runs that are gone on with: checkpoints, live settings that were turned, those that a run which waits for its
     * turn is to begin with, and how far runs went back (`event` is the last one told before). */
    "CREATE TABLE checkpoints("
    "  run INTEGER PRIMARY KEY REFERENCES runs ON DELETE CASCADE, step INTEGER NOT NULL,"
    "  epochs INTEGER NOT NULL, bytes INTEGER NOT NULL, written INTEGER NOT NULL);"
    "CREATE TABLE changes("
    "  run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, step INTEGER NOT NULL, event INTEGER NOT NULL,"
    "  config TEXT NOT NULL, PRIMARY KEY(run, step, event)) WITHOUT ROWID;"
    "CREATE TABLE resumptions(run INTEGER PRIMARY KEY REFERENCES runs ON DELETE CASCADE, config TEXT NOT NULL);"
    "CREATE TABLE rewinds("
    "  run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, event INTEGER NOT NULL, step INTEGER NOT NULL,"
    "  PRIMARY KEY(run, event)) WITHOUT ROWID;",

    /* Histograms of goodness by epoch (`positive`, `negative`: JSON arrays of counts from bin `first` on), and what
     * evaluations found: the matrix that is not zero, and the most confident mistakes. */
    "CREATE TABLE histograms("
    "  run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, epoch INTEGER NOT NULL, layer INTEGER NOT NULL,"
    "  step INTEGER NOT NULL, images INTEGER NOT NULL, whole INTEGER NOT NULL, threshold REAL,"
    "  doublings INTEGER NOT NULL, first INTEGER NOT NULL, positive TEXT NOT NULL, negative TEXT NOT NULL,"
    "  PRIMARY KEY(run, epoch, layer)) WITHOUT ROWID;"
    "CREATE TABLE evaluations("
    "  run INTEGER NOT NULL REFERENCES runs ON DELETE CASCADE, epoch INTEGER NOT NULL, step INTEGER NOT NULL,"
    "  split TEXT NOT NULL, classes INTEGER NOT NULL, images INTEGER NOT NULL, wrong INTEGER NOT NULL,"
    "  cells TEXT NOT NULL, mistakes TEXT NOT NULL, PRIMARY KEY(run, epoch)) WITHOUT ROWID;",

    /* Runs that were deleted, and whose rows are on their way out: whoever reads asks for those that are kept. */
    ("CREATE TABLE removals(run INTEGER PRIMARY KEY REFERENCES runs ON DELETE CASCADE);"
     "CREATE VIEW kept_runs AS SELECT * FROM runs WHERE id NOT IN (SELECT run FROM removals);"),

    /* On how many ranks a run was, and what they sent to each other. The view has what its table had. */
    ("ALTER TABLE runs ADD COLUMN ranks INTEGER NOT NULL DEFAULT 0;"
     "ALTER TABLE runs ADD COLUMN bytes_per_sample REAL;"
     "DROP VIEW kept_runs;"
     "CREATE VIEW kept_runs AS SELECT * FROM runs WHERE id NOT IN (SELECT run FROM removals);"),
};

_Static_assert(sizeof migrations / sizeof migrations[0] == STORE_SCHEMA_VERSION, "a migration for every version");

static const char *const statements[STORE_STATEMENTS] = {
    [STORE_BEGIN] = "BEGIN IMMEDIATE",
    [STORE_COMMIT] = "COMMIT",
    [STORE_ROLLBACK] = "ROLLBACK",
    [STORE_TRY] = "UPDATE meta SET value = value WHERE name = 'starts'",
    [STORE_INSERT_RUN] =
        "INSERT INTO runs(name, notes, tags, preset, state, reason, created, started, ended, config, asked_stages,"
        " asked_threads, stages, threads, parameters, epoch, epochs, step, steps, elapsed, remaining,"
        " samples_per_second, evaluating, ranks, bytes_per_sample, warnings)"
        " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [STORE_UPDATE_RUN] =
        "UPDATE runs SET (name, notes, tags, preset, state, reason, created, started, ended, config, asked_stages,"
        " asked_threads, stages, threads, parameters, epoch, epochs, step, steps, elapsed, remaining,"
        " samples_per_second, evaluating, ranks, bytes_per_sample, warnings)"
        " = (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " WHERE id = ? AND id NOT IN (SELECT run FROM removals)",
    [STORE_PUT_POINT] = "INSERT OR REPLACE INTO points(run, event, step, epoch, elapsed, layer, positive, negative,"
                        " positive_low, positive_high, negative_low, negative_high, loss, accuracy)"
                        " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [STORE_PUT_EPOCH] = "INSERT OR REPLACE INTO epochs(run, event, epoch, step, elapsed, evaluating, train_error,"
                        " test_error, digest) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [STORE_PUT_EPOCH_LAYER] = "INSERT OR REPLACE INTO epoch_layers(run, epoch, layer, positive, negative,"
                              " positive_low, positive_high, negative_low, negative_high, loss, accuracy)"
                              " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [STORE_PUT_HISTOGRAM] =
        "INSERT OR REPLACE INTO histograms(run, epoch, layer, step, images, whole, threshold, doublings, first,"
        " positive, negative) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [STORE_PUT_EVALUATION] = "INSERT OR REPLACE INTO evaluations(run, epoch, step, split, classes, images, wrong,"
                             " cells, mistakes) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [STORE_DROP_EVALUATIONS] =
        "WITH newest(epoch) AS (SELECT max(epoch) FROM evaluations WHERE run = ?1)"
        " DELETE FROM evaluations WHERE run = ?1 AND epoch < (SELECT epoch FROM newest) AND epoch <"
        " coalesce((SELECT max(e.epoch) FROM evaluations e JOIN checkpoints c ON c.run = e.run"
        "   AND e.epoch <= c.epochs WHERE e.run = ?1), (SELECT epoch FROM newest))",
    [STORE_PUT_CHECKPOINT] = "INSERT OR REPLACE INTO checkpoints(run, step, epochs, bytes, written)"
                             " SELECT id, ?2, ?3, ?4, ?5 FROM kept_runs WHERE id = ?1",
};

/* Where the former daemon got to is what it wrote last; the row of the run itself is older. */
static const char interrupt_runs[] =
    "UPDATE runs SET"
    "  reason = CASE state WHEN 'paused' THEN 'the program ended while this run was paused'"
    "    ELSE 'the program ended while this run was training' END,"
    "  ended = max(?1, created, started), remaining = NULL,"
    "  step = max(step, coalesce((SELECT max(p.step) FROM points p WHERE p.run = runs.id), 0)),"
    "  epoch = max(epoch, coalesce((SELECT CAST(p.epoch AS INTEGER) + (p.epoch > CAST(p.epoch AS INTEGER))"
    "    FROM points p WHERE p.run = runs.id ORDER BY p.step DESC LIMIT 1), 0)),"
    "  elapsed = max(elapsed, coalesce((SELECT p.elapsed FROM points p WHERE p.run = runs.id"
    "    ORDER BY p.step DESC LIMIT 1), 0)),"
    "  evaluating = max(evaluating, coalesce((SELECT e.evaluating FROM epochs e WHERE e.run = runs.id"
    "    ORDER BY e.epoch DESC LIMIT 1), 0)),"
    "  state = 'interrupted'"
    " WHERE state IN ('running', 'paused')";

ff_status store_fail(struct ff_error *error, sqlite3 *connection, const char *path)
{
    const char *why = connection != NULL ? sqlite3_errmsg(connection) : "out of memory";

    /* A row of a run that was deleted meanwhile. */
    if (connection != NULL && sqlite3_extended_errcode(connection) == SQLITE_CONSTRAINT_FOREIGNKEY)
        return ff_fail(error, FF_NOT_FOUND, "there is no such run any more");
    switch (connection != NULL ? sqlite3_errcode(connection) & 0xFF : SQLITE_NOMEM) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ff_fail(error, FF_DAMAGED,
                       "the database %s is damaged (%s): move it aside, or put a copy of it back, and start again",
                       path, why);
    case SQLITE_FULL:
        return ff_fail(error, FF_IO, "the disk is full: %s cannot be written; free some space", path);
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
        return ff_fail(error, FF_IO, "%s cannot be written (%s): check who owns it and its folder", path, why);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ff_fail(error, FF_BUSY, "another program keeps %s locked: close it", path);
    case SQLITE_NOMEM:
        return ff_fail_memory(error, "the database");
    default:
        return ff_fail(error, FF_IO, "the database %s cannot be used: %s; check the disk", path, why);
    }
}

static ff_status execute(struct store_database *database, const char *sql, struct ff_error *error)
{
    if (sqlite3_exec(database->connection, sql, NULL, NULL, NULL) == SQLITE_OK)
        return FF_OK;
    return store_fail(error, database->connection, database->path);
}

/* The first column of the first row; 0 when there is none. */
static ff_status ask_number(struct store_database *database, const char *sql, int64_t *value,
                            struct ff_error *error)
{
    sqlite3_stmt *statement = NULL;
    ff_status status = store_prepare(database->connection, database->path, sql, NULL, 0, &statement, error);

    *value = 0;
    if (store_next_row(statement, database->path, &status, error))
        *value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return status;
}

/* When the file, or its log, was last written: the last sign of life of whoever wrote it. 0 when it is not there.
 */
static int64_t last_written(const char *path)
{
    char log[STORE_PATH_MAX + 8];
    const char *const files[] = {path, log};
    struct stat information;
    int64_t newest = 0;

    snprintf(log, sizeof log, "%s-wal", path);
    for (size_t i = 0; i < 2; i++) {
        if (stat(files[i], &information) != 0)
            continue;
        int64_t written = timing_of(information.st_mtim);
        newest = written > newest ? written : newest;
    }
    return newest;
}

/* Whether this is our database, of a version we know, and whole. A big one is not read through: that would keep
 * the start waiting; what is damaged in it is found when it is read. */
static ff_status check_database(struct store_database *database, int64_t *version, struct ff_error *error)
{
    struct stat information;
    int64_t tables, application, sound;
    ff_status status;

    if ((status = ask_number(database, "SELECT count(*) FROM sqlite_schema", &tables, error)) != FF_OK ||
        (status = ask_number(database, "PRAGMA application_id", &application, error)) != FF_OK ||
        (status = ask_number(database, "PRAGMA user_version", version, error)) != FF_OK)
        return status;
    if (tables > 0 && application != STORE_APPLICATION_ID)
        return ff_fail(error, FF_DAMAGED, "%s is not a database of goodness: move it aside", database->path);
    if (*version > STORE_SCHEMA_VERSION)
        return ff_fail(error, FF_CONFLICT,
                       "%s was written by a newer goodness (schema %d, this one knows %d): use that one, or "
                       "another folder (--state)",
                       database->path, (int)*version, STORE_SCHEMA_VERSION);
    if (stat(database->path, &information) != 0 || information.st_size > CHECK_BYTES_MAX)
        return FF_OK;
    status =
        ask_number(database, "SELECT count(*) FROM pragma_quick_check(1) WHERE quick_check = 'ok'", &sound, error);
    if (status == FF_OK && sound != 1)
        return ff_fail(error, FF_DAMAGED,
                       "the database %s is damaged: move it aside, or put a copy of it back, and start again",
                       database->path);
    return status;
}

static ff_status migrate(struct store_database *database, int64_t version, struct ff_error *error)
{
    ff_status status = FF_OK;

    for (; status == FF_OK && version < STORE_SCHEMA_VERSION; version++) {
        char pragmas[96];
        snprintf(pragmas, sizeof pragmas, "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
                 STORE_APPLICATION_ID, (int)version + 1);
        if ((status = execute(database, "BEGIN IMMEDIATE", error)) == FF_OK &&
            (status = execute(database, migrations[version], error)) == FF_OK)
            status = execute(database, pragmas, error);
    }
    return status;
}

static ff_status interrupt_former_runs(struct store_database *database, int64_t ended, struct ff_error *error)
{
    return store_change_rows(database, interrupt_runs, ended, error);
}

static ff_status begin_service(struct store_database *database, int64_t ended, uint64_t *starts,
                               struct ff_error *error)
{
    int64_t count = 0;
    ff_status status;

    if ((status = execute(database, "BEGIN IMMEDIATE", error)) != FF_OK ||
        (status = interrupt_former_runs(database, ended, error)) != FF_OK ||
        (status = execute(database, "UPDATE meta SET value = value + 1 WHERE name = 'starts'", error)) != FF_OK ||
        (status = ask_number(database, "SELECT value FROM meta WHERE name = 'starts'", &count, error)) != FF_OK)
        return status;
    *starts = (uint64_t)count;
    return execute(database, "COMMIT", error);
}

ff_status store_database_open(struct store_database *database, const char *path, uint64_t *starts,
                              struct ff_error *error)
{
    int64_t version = 0, ended = last_written(path);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    ff_status status;

    *database = (struct store_database){.path = path};
    if (sqlite3_open_v2(path, &database->connection, flags, NULL) != SQLITE_OK) {
        status = store_fail(error, database->connection, path);
    } else {
        sqlite3_busy_timeout(database->connection, 5000);
        if ((status = check_database(database, &version, error)) == FF_OK &&
            (status = execute(database,
                              "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                              "PRAGMA foreign_keys = ON",
                              error)) == FF_OK &&
            (status = migrate(database, version, error)) == FF_OK)
            status = begin_service(database, ended, starts, error);
    }
    if (status != FF_OK)
        store_database_close(database);
    return status;
}

void store_database_close(struct store_database *database)
{
    for (size_t i = 0; i < STORE_STATEMENTS; i++)
        sqlite3_finalize(database->statement[i]);
    sqlite3_close(database->connection);
    database->connection = NULL;
}

sqlite3_stmt *store_statement(struct store_database *database, enum store_statement which, struct ff_error *error)
{
    sqlite3_stmt **statement = &database->statement[which];

    if (*statement == NULL && sqlite3_prepare_v3(database->connection, statements[which], -1,
                                                 SQLITE_PREPARE_PERSISTENT, statement, NULL) != SQLITE_OK) {
        store_fail(error, database->connection, database->path);
        return NULL;
    }
    sqlite3_reset(*statement);
    return *statement;
}

ff_status store_run_statement(struct store_database *database, sqlite3_stmt *statement, struct ff_error *error)
{
    ff_status status = FF_OK;

    if (sqlite3_step(statement) != SQLITE_DONE)
        status = store_fail(error, database->connection, database->path);
    sqlite3_reset(statement);
    return status;
}

ff_status store_run_kept(struct store_database *database, enum store_statement which, struct ff_error *error)
{
    sqlite3_stmt *statement = store_statement(database, which, error);
    /* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.UndefReturn): what was prepared is not NULL */
    return statement == NULL ? error->status : store_run_statement(database, statement, error);
}

ff_status store_prepare(sqlite3 *connection, const char *path, const char *sql, const int64_t *numbers, int count,
                        sqlite3_stmt **statement, struct ff_error *error)
{
    int code = sqlite3_prepare_v2(connection, sql, -1, statement, NULL);

    for (int i = 0; code == SQLITE_OK && i < count; i++)
        code = sqlite3_bind_int64(*statement, i + 1, numbers[i]);
    return code == SQLITE_OK ? FF_OK : store_fail(error, connection, path);
}

ff_status store_change_rows(struct store_database *database, const char *sql, int64_t number,
                            struct ff_error *error)
{
    sqlite3_stmt *statement = NULL;
    ff_status status = store_prepare(database->connection, database->path, sql, &number, 1, &statement, error);

    if (status == FF_OK)
        status = store_run_statement(database, statement, error);
    sqlite3_finalize(statement);
    return status;
}

bool store_next_row(sqlite3_stmt *statement, const char *path, ff_status *status, struct ff_error *error)
{
    int code = *status == FF_OK ? sqlite3_step(statement) : SQLITE_DONE;

    if (code != SQLITE_ROW && code != SQLITE_DONE)
        *status = store_fail(error, sqlite3_db_handle(statement), path);
    return code == SQLITE_ROW;
}

int64_t store_parameter(uint64_t value)
{
    return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

ff_status store_transact(struct store_database *database, store_task *task, void *self, struct ff_error *error)
{
    struct ff_error ignored;
    ff_status status = store_run_kept(database, STORE_BEGIN, error);

    if (status == FF_OK)
        status = task(database, self, error);
    if (status == FF_OK)
        status = store_run_kept(database, STORE_COMMIT, error);
    if (status != FF_OK && !sqlite3_get_autocommit(database->connection))
        store_run_kept(database, STORE_ROLLBACK, &ignored);
    return status;
}
