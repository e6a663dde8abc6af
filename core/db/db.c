/* The SQLite file, opened for writing: prepared statements, transactions, checkpoints. */
#include "db.h"
#include "schema.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Exit status and message for SQLite's error codes. */
static const struct failure {
	int		 code;
	int		 status;		/* enum schema_exit */
	const char	*text;
} failures[] = {
	{ SQLITE_CORRUPT, STORE_EXIT_CORRUPT, "the database is damaged" },
	{ SQLITE_NOTADB, STORE_EXIT_CORRUPT, "this is not a database" },
	{ SQLITE_BUSY, STORE_EXIT_LOCKED, "another process keeps the database locked" },
	{ SQLITE_LOCKED, STORE_EXIT_LOCKED, "another process keeps the database locked" },
	{ SQLITE_READONLY, STORE_EXIT_READONLY, "the database cannot be written" },
	{ SQLITE_PERM, STORE_EXIT_READONLY, "the database cannot be written" },
	{ SQLITE_CANTOPEN, STORE_EXIT_READONLY, "the database cannot be opened" },
	{ SQLITE_FULL, STORE_EXIT_FULL, "no room on the disk: nothing of this commit was stored" },
	{ SQLITE_IOERR, STORE_EXIT_FULL, "the disk fails: nothing of this commit was stored" },
	{ SQLITE_NOMEM, MEM_EXIT, "out of memory" },
};

/* Logs the error and returns the exit status. Other codes, as of a wrong statement, are a fault of
 * this program: fatal. */
static int
failed(const struct db *db, int code)
{
	size_t i;

	for (i = 0; i < sizeof(failures) / sizeof(failures[0]); i++)
		if (failures[i].code == (code & 0xff)) {
			log_error("%s: %s (%s)", db->path, failures[i].text,
			    db->handle != NULL ? sqlite3_errmsg(db->handle) :
			    sqlite3_errstr(code));
			return failures[i].status;
		}
	fatal("%s: %s", db->path, db->handle != NULL ? sqlite3_errmsg(db->handle) :
	    sqlite3_errstr(code));
}

static uint32_t
header_u32(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* Checks the file's header before SQLite may change the file. The header has the present version,
 * since upgrade() checkpoints each change of it. *fresh: 1: no such file, or an empty one. 0, or an
 * enum schema_exit. */
static int
header_check(const struct db *db, int *fresh)
{
	unsigned char head[100];
	int fd = open(db->path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	*fresh = 0;
	if (fd < 0 && errno == ENOENT) {
		*fresh = 1;
		return 0;
	}
	got = fd >= 0 ? read(fd, head, sizeof(head)) : -1;
	if (got < 0)
		log_error("%s: cannot be read: %s", db->path, strerror(errno));
	if (fd >= 0)
		close(fd);
	if (got < 0)
		return STORE_EXIT_READONLY;
	if (got == 0) {
		log_warn("%s: is empty: beginning a new database in it", db->path);
		*fresh = 1;
		return 0;
	}
	if (got < (ssize_t)sizeof(head) || memcmp(head, "SQLite format 3", 16) != 0) {
		log_error("%s: this is not a database; move it away to begin a new one", db->path);
		return STORE_EXIT_CORRUPT;
	}
	if (header_u32(head + 68) == SCHEMA_APPLICATION &&
	    header_u32(head + 60) > SCHEMA_VERSION) {
		log_error("%s: written by a newer version of Courant (schema %u, this one knows %d):"
		    " left untouched", db->path, header_u32(head + 60), SCHEMA_VERSION);
		return STORE_EXIT_NEWER;
	}
	return 0;
}

static int
exec(struct db *db, const char *sql)
{
	int code = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);

	return code == SQLITE_OK ? 0 : failed(db, code);
}

/* The number that a statement returns. *status is set on an error, else unchanged. */
static int64_t
pragma(struct db *db, const char *sql, int *status)
{
	sqlite3_stmt *st = NULL;
	int64_t value = 0;
	int code = sqlite3_prepare_v2(db->handle, sql, -1, &st, NULL);

	if (code == SQLITE_OK && (code = sqlite3_step(st)) == SQLITE_ROW)
		value = sqlite3_column_int64(st, 0);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		*status = failed(db, code);
	sqlite3_finalize(st);
	return value;
}

/* Runs the upgrade steps from this version on, each in a transaction of its own. */
static int
upgrade(struct db *db, int64_t version)
{
	int status = 0;
	char *sql;

	for (; version < SCHEMA_VERSION && status == 0; version++) {
		sql = xasprintf("BEGIN IMMEDIATE; %s PRAGMA user_version = %d; COMMIT;",
		    schema_steps[version - 1], (int)version + 1);
		status = exec(db, sql);
		free(sql);
	}
	/* So that the file's header has the version without the WAL. */
	return status != 0 ? status : exec(db, "PRAGMA wal_checkpoint(TRUNCATE)");
}

static int
create(struct db *db)
{
	char *sql = xasprintf("BEGIN IMMEDIATE; PRAGMA application_id = %d;"
	    " PRAGMA user_version = 1; %s COMMIT;", SCHEMA_APPLICATION, schema_tables);
	int status = exec(db, sql);

	free(sql);
	return status != 0 ? status : upgrade(db, 1);
}

/* Creates the tables in an empty database, upgrades an older one, and refuses one of another
 * program or of a newer version. 0, or an enum schema_exit. */
static int
check(struct db *db)
{
	int status = 0;
	int64_t application = pragma(db, "PRAGMA application_id", &status);
	int64_t version = status == 0 ? pragma(db, "PRAGMA user_version", &status) : 0;
	int64_t tables = status == 0 ? pragma(db, "SELECT count(*) FROM sqlite_schema", &status) : 0;

	if (status != 0)
		return status;
	if (application == 0 && version == 0 && tables == 0)
		return create(db);
	if (application != SCHEMA_APPLICATION) {
		log_error("%s: a database, but not Courant's", db->path);
		return STORE_EXIT_CORRUPT;
	}
	if (version > SCHEMA_VERSION) {
		log_error("%s: written by a newer version of Courant", db->path);
		return STORE_EXIT_NEWER;
	}
	if (version < 1) {
		log_error("%s: tells no version of its schema", db->path);
		return STORE_EXIT_CORRUPT;
	}
	if (version == SCHEMA_VERSION)
		return 0;
	log_info("%s: brought from schema %d to %d", db->path, (int)version, SCHEMA_VERSION);
	return upgrade(db, version);
}

static int
wal_hook(void *arg, sqlite3 *handle, const char *name, int pages)
{
	(void)handle;
	(void)name;
	((struct db *)arg)->wal = pages;
	return SQLITE_OK;
}

/* mmap_size 0: a mapping of the file saved no CPU time when measured, and counts as memory: 43 MB
 * for a database of 60 MB. */
static int
settings(struct db *db)
{
	char *sql = xasprintf("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
	    " PRAGMA cache_size = -%d; PRAGMA mmap_size = 0; PRAGMA journal_size_limit = %d;"
	    " PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF",
	    SCHEMA_CACHE_KIB, SCHEMA_WAL_MAX);
	int status;

	sqlite3_wal_hook(db->handle, wal_hook, db);
	status = exec(db, sql);
	free(sql);
	return status;
}

static int
prepare(struct db *db)
{
	int i, code;

	for (i = 0; i < SQL_MAX; i++) {
		code = sqlite3_prepare_v3(db->handle, schema_statements[i], -1, SQLITE_PREPARE_PERSISTENT,
		    &db->statement[i], NULL);
		if (code != SQLITE_OK)
			return failed(db, code);
	}
	return 0;
}

/* Makes the file if it is not there, for this user alone; SQLite's other files get its mode. Takes
 * the rights of others on what is there. 0, or an enum schema_exit. */
static int
private_make(const struct db *db, int fresh)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	struct stat st;
	char *path;
	int fd;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		path = xasprintf("%s%s", db->path, ends[i]);
		fd = open(path, (fresh && i == 0 ? O_RDWR | O_CREAT : O_RDONLY) | O_NOFOLLOW |
		    O_NONBLOCK | O_CLOEXEC, 0600);
		if (fd == -1 && fresh && i == 0) {
			log_error("%s: cannot be made: %s", path, strerror(errno));
			free(path);
			return STORE_EXIT_READONLY;
		}
		if (fd != -1 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
		    st.st_uid == geteuid() && (st.st_mode & 077) != 0) {
			if (fchmod(fd, st.st_mode & 0700) == 0)
				log_info("%s: others could read it (mode %04o): no longer", path,
				    (unsigned)(st.st_mode & 07777));
			else
				log_warn("%s: %s", path, strerror(errno));
		}
		if (fd != -1)
			close(fd);
		free(path);
	}
	return 0;
}

int
db_open(struct db *db, const char *path)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, fresh, status, code;
	struct stat st;

	*db = (struct db){ .path = xstrdup(path) };
	status = header_check(db, &fresh);
	if (status == 0)
		status = private_make(db, fresh);
	if (status == 0) {
		code = sqlite3_open_v2(path, &db->handle, flags | (fresh ? SQLITE_OPEN_CREATE : 0),
		    NULL);
		if (code != SQLITE_OK)
			status = failed(db, code);
		else
			sqlite3_busy_timeout(db->handle, SCHEMA_BUSY_MS);
	}
	if (status == 0 && sqlite3_db_readonly(db->handle, "main") == 1) {
		log_error("%s: cannot be written", path);
		status = STORE_EXIT_READONLY;
	}
	if (status == 0)		/* before the settings, which write to the file */
		status = check(db);
	if (status == 0)
		status = settings(db);
	if (status == 0)
		status = prepare(db);
	if (status == 0 && stat(path, &st) == 0) {
		db->dev = st.st_dev;
		db->inode = st.st_ino;
	}
	if (status != 0)
		db_close(db);
	return status;
}

void
db_close(struct db *db)
{
	int i;

	for (i = 0; i < SQL_MAX; i++)
		sqlite3_finalize(db->statement[i]);
	if (db->handle != NULL)
		sqlite3_close(db->handle);
	free(db->path);
	*db = (struct db){ 0 };
}

void
db_bind_(struct db *db, enum sql sql, const struct db_arg *arg, size_t n)
{
	sqlite3_stmt *st = db->statement[sql];
	int i, code = SQLITE_OK;

	sqlite3_reset(st);
	for (i = 1; i <= (int)n && code == SQLITE_OK; i++, arg++)
		if (arg->type == DB_INT_)
			code = sqlite3_bind_int64(st, i, arg->i);
		else if (arg->type == DB_TEXT_)
			code = sqlite3_bind_text(st, i, arg->p, -1, SQLITE_STATIC);
		else if (arg->type == DB_REAL_)
			code = isinf(arg->real) ? sqlite3_bind_null(st, i) :
			    sqlite3_bind_double(st, i, arg->real);
		else
			code = sqlite3_bind_blob64(st, i, arg->p, arg->len, SQLITE_STATIC);
	if (code != SQLITE_OK)
		exit(failed(db, code));
}

int
db_step(struct db *db, enum sql sql)
{
	int code = sqlite3_step(db->statement[sql]);

	if (code == SQLITE_ROW)
		return 1;
	if (code != SQLITE_DONE)
		exit(failed(db, code));
	sqlite3_reset(db->statement[sql]);
	return 0;
}

void
db_done(struct db *db, enum sql sql)
{
	sqlite3_reset(db->statement[sql]);
}

int64_t
db_first(struct db *db, enum sql sql, int64_t none)
{
	int64_t value = none;

	if (db_step(db, sql) && sqlite3_column_type(db->statement[sql], 0) != SQLITE_NULL)
		value = sqlite3_column_int64(db->statement[sql], 0);
	db_done(db, sql);
	return value;
}

int64_t
db_int(struct db *db, enum sql sql, int column)
{
	return sqlite3_column_int64(db->statement[sql], column);
}

double
db_real(struct db *db, enum sql sql, int column)
{
	sqlite3_stmt *st = db->statement[sql];

	return sqlite3_column_type(st, column) == SQLITE_NULL ? -INFINITY :
	    sqlite3_column_double(st, column);
}

const char *
db_text(struct db *db, enum sql sql, int column)
{
	return (const char *)sqlite3_column_text(db->statement[sql], column);
}

struct bytes
db_blob(struct db *db, enum sql sql, int column)
{
	struct bytes b;

	b.data = sqlite3_column_blob(db->statement[sql], column);
	b.len = (size_t)sqlite3_column_bytes(db->statement[sql], column);
	return b;
}

void
db_read(struct db *db)
{
	if (db->open || db->reading)
		return;
	(void)db_step(db, SQL_READ);
	db->reading = 1;
}

void
db_read_end(struct db *db)
{
	if (!db->reading)
		return;
	(void)db_step(db, SQL_COMMIT);
	db->reading = 0;
}

void
db_begin(struct db *db)
{
	if (db->open)
		return;
	db_read_end(db);
	(void)db_step(db, SQL_BEGIN);
	db->open = 1;
}

void
db_commit(struct db *db)
{
	if (!db->open)
		return;
	(void)db_step(db, SQL_COMMIT);
	db->open = 0;
	db->commits++;
}

void
db_checkpoint(struct db *db)
{
	int code, mode = SQLITE_CHECKPOINT_PASSIVE;

	if (db->open || db->reading || db->wal < SCHEMA_WAL_SLICE)
		return;
	code = sqlite3_wal_checkpoint_v2(db->handle, NULL, mode, NULL, NULL);
	if (code != SQLITE_OK && code != SQLITE_BUSY)
		exit(failed(db, code));
	db->wal = 0;
}

int
db_lost(const struct db *db)
{
	struct stat st;

	return stat(db->path, &st) == -1 || st.st_dev != db->dev || st.st_ino != db->inode;
}

int64_t
db_bytes(struct db *db)
{
	return db_first(db, SQL_PAGES, 0);
}

int64_t
db_last(struct db *db)
{
	return sqlite3_last_insert_rowid(db->handle);
}
