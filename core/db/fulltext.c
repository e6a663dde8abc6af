/* index.db, the full text of the records. */
#include "fulltext.h"
#include "fulltext_score.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "record/words.h"

#include <sqlite3.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define APPLICATION	0x43524958	/* "CRIX", at byte 68 of the file */
#define STEPS		100		/* of SQLite's virtual machine between two time checks */
#define CACHE_KIB	512		/* page cache: the kernel has the file as well */
#define WAL_MAX		(16 << 20)	/* bytes of the WAL file after a reset, at most */

struct fulltext {
	char			*path;
	sqlite3			*handle;
	sqlite3_stmt		*statement[FULLTEXT_MAX];
	dev_t			 dev;
	ino_t			 inode;
	int			 hurries;	/* statements have a limit of time, */
	int64_t			 until;		/* of cpu_ms() */
	enum fulltext_state	 state;
	char			 why[FULLTEXT_WHY];
};

static const char tables[] =
	"CREATE TABLE at (one INTEGER PRIMARY KEY CHECK (one = 1), n INTEGER NOT NULL,"
	" words INTEGER NOT NULL, seed INTEGER NOT NULL, built INTEGER NOT NULL,"
	" docs INTEGER NOT NULL, dead INTEGER NOT NULL, counted INTEGER NOT NULL);"
	/* tokenize: the words are made already, and have nothing that ascii parts at. columnsize: nothing
	 * asks for the lengths of rows. */
	"CREATE VIRTUAL TABLE f USING fts5(title, text, tags, content='', columnsize=0,"
	" tokenize='ascii');"
	/* bytes of words that wait in memory to be merged into the file */
	"INSERT INTO f (f, rank) VALUES ('hashsize', 262144);"
	"CREATE VIRTUAL TABLE v USING fts5vocab(f, row);"
	"CREATE TABLE sig (item INTEGER PRIMARY KEY, bytes BLOB NOT NULL);"
	/* df: rows that had the word when they were counted last. */
	"CREATE TABLE term (id INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE, df INTEGER NOT NULL);"
	"CREATE VIRTUAL TABLE spell USING fts5(word, content='', columnsize=0, detail=none,"
	" tokenize='trigram');";

static const char *const statements[FULLTEXT_MAX] = {
	[FULLTEXT_BEGIN] = "BEGIN IMMEDIATE",
	[FULLTEXT_COMMIT] = "COMMIT",
	[FULLTEXT_ROLLBACK] = "ROLLBACK",
	[FULLTEXT_AT] = "SELECT n, seed, built, docs, dead, counted, words FROM at WHERE one = 1",
	[FULLTEXT_AT_SET] = "UPDATE at SET n = ?1, docs = ?2, dead = ?3, counted = ?4 WHERE one = 1",
	[FULLTEXT_ADD] = "INSERT INTO f (rowid, title, text, tags) VALUES (?1, ?2, ?3, ?4)",
	[FULLTEXT_SIG] = "SELECT bytes FROM sig WHERE item = ?1",
	[FULLTEXT_SIG_SET] = "INSERT OR REPLACE INTO sig VALUES (?1, ?2)",
	[FULLTEXT_SCORED] = "SELECT rowid, score(f, ?2) FROM f WHERE f MATCH ?1 AND rowid >= ?3"
	    " AND rowid <= ?4 ORDER BY rowid DESC LIMIT ?5",
	[FULLTEXT_NEWEST] = "SELECT rowid FROM f WHERE f MATCH ?1 AND rowid >= ?2 AND rowid <= ?3"
	    " ORDER BY rowid DESC LIMIT ?4",
	[FULLTEXT_HAS] = "SELECT 1 FROM f WHERE f MATCH ?1 LIMIT 1",
	[FULLTEXT_VOCABULARY] = "SELECT term, doc FROM v WHERE term > ?1 LIMIT ?2",
	[FULLTEXT_TERM] = "SELECT id, df FROM term WHERE word = ?1",
	[FULLTEXT_TERM_ADD] = "INSERT INTO term (word, df) VALUES (?1, ?2)",
	[FULLTEXT_TERM_SET] = "UPDATE term SET df = ?2 WHERE id = ?1",
	[FULLTEXT_SPELL_ADD] = "INSERT INTO spell (rowid, word) VALUES (?1, ?2)",
	[FULLTEXT_TERMS] = "SELECT word, df FROM term",
	[FULLTEXT_TERMS_NEAR] = "SELECT t.word, t.df FROM spell CROSS JOIN term t"
	    " ON t.id = spell.rowid WHERE spell MATCH ?1 LIMIT ?2",
	[FULLTEXT_COMPLETE] = "SELECT word, df FROM term WHERE word >= ?1 AND word < ?2"
	    " ORDER BY df DESC, word LIMIT ?3",
};

/* ---- Errors ---- */

static enum fulltext_state
state_of(int code)
{
	switch (code & 0xff) {
	case SQLITE_CORRUPT: case SQLITE_NOTADB: case SQLITE_CONSTRAINT: case SQLITE_MISMATCH:
		return FULLTEXT_DAMAGED;
	case SQLITE_FULL: case SQLITE_IOERR:
		return FULLTEXT_FULL;
	case SQLITE_INTERRUPT:
		return FULLTEXT_LATE;
	case SQLITE_NOMEM:
		fatal("out of memory");
	default:
		return FULLTEXT_FAILED;
	}
}

static int
failed(struct fulltext *f, int code)
{
	f->state = state_of(code);
	snprintf(f->why, sizeof(f->why), "%s", f->state == FULLTEXT_LATE ? "it took too long" :
	    f->handle != NULL ? sqlite3_errmsg(f->handle) : sqlite3_errstr(code));
	return -1;
}

enum fulltext_state
fulltext_state(const struct fulltext *f)
{
	return f->state;
}

const char *
fulltext_why(const struct fulltext *f)
{
	return f->why;
}

/* ---- Opening ---- */

/* The time that this process has used, ms. What others use of the machine does not end a search. */
static int64_t
cpu_ms(void)
{
	struct timespec used = { 0, 0 };

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (int64_t)used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

static int
on_progress(void *arg)
{
	const struct fulltext *f = arg;

	return f->hurries && cpu_ms() > f->until;
}

static int
exec(struct fulltext *f, const char *sql)
{
	int code = sqlite3_exec(f->handle, sql, NULL, NULL, NULL);

	return code == SQLITE_OK ? 0 : failed(f, code);
}

static int
pragma(struct fulltext *f, const char *sql, int64_t *value)
{
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(f->handle, sql, -1, &st, NULL);

	if (code == SQLITE_OK && (code = sqlite3_step(st)) == SQLITE_ROW)
		*value = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return code == SQLITE_ROW ? 0 : failed(f, code);
}

static int
create(struct fulltext *f, int64_t seed)
{
	char *sql = xasprintf("BEGIN IMMEDIATE; PRAGMA application_id = %d; PRAGMA user_version = %d; %s"
	    " INSERT INTO at VALUES (1, 0, %d, %lld, %lld, 0, 0, 0); COMMIT;", APPLICATION,
	    FULLTEXT_VERSION, tables, WORDS_VERSION, (long long)seed, (long long)date_now());
	int rc = exec(f, sql);

	free(sql);
	return rc;
}

static int
prepare(struct fulltext *f)
{
	int code;

	for (int i = 0; i < FULLTEXT_MAX; i++) {
		code = sqlite3_prepare_v3(f->handle, statements[i], -1, SQLITE_PREPARE_PERSISTENT,
		    &f->statement[i], NULL);
		if (code == SQLITE_OK)
			continue;
		(void)failed(f, code);
		if (f->state == FULLTEXT_FAILED)
			f->state = FULLTEXT_DAMAGED;	/* a table is missing */
		return -1;
	}
	return 0;
}

static int
other(struct fulltext *f, const char *why)
{
	f->state = FULLTEXT_OTHER;
	snprintf(f->why, sizeof(f->why), "%s", why);
	return -1;
}

/* Whether the file is this version's, and of this database. */
static int
check(struct fulltext *f, int64_t seed)
{
	int64_t application = 0, version = 0;
	int same;

	if (pragma(f, "PRAGMA application_id", &application) == -1 ||
	    pragma(f, "PRAGMA user_version", &version) == -1)
		return -1;
	if (application != APPLICATION || version != FULLTEXT_VERSION)
		return other(f, "it is of another version");
	if (prepare(f) == -1 || fulltext_ask0(f, FULLTEXT_AT) == -1)
		return -1;
	if (fulltext_step(f, FULLTEXT_AT) != 1)
		return f->state != FULLTEXT_FINE ? -1 : other(f, "it says not how far it goes");
	same = fulltext_int(f, FULLTEXT_AT, 1) == seed && fulltext_int(f, FULLTEXT_AT, 6) == WORDS_VERSION;
	fulltext_done(f, FULLTEXT_AT);
	return same ? 0 : other(f, "it is of another version, or of another database");
}

static int
settings(struct fulltext *f)
{
	char *sql = xasprintf("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
	    " PRAGMA cache_size = -%d; PRAGMA mmap_size = 0; PRAGMA journal_size_limit = %d;"
	    " PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = ON", CACHE_KIB, WAL_MAX);
	int rc = exec(f, sql);

	free(sql);
	return rc;
}

void
fulltext_remove(const char *path)
{
	static const char *const ends[] = { "", "-wal", "-shm", "-journal" };
	char *name;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		name = xasprintf("%s%s", path, ends[i]);
		if (unlink(name) == -1 && errno != ENOENT)
			log_warn("%s: %s", name, strerror(errno));
		free(name);
	}
}

/* Makes an empty file for this user alone. */
static int
file_make(struct fulltext *f)
{
	int fd;

	fulltext_remove(f->path);
	fd = open(f->path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd != -1) {
		close(fd);
		return 0;
	}
	f->state = errno == ENOSPC || errno == EDQUOT ? FULLTEXT_FULL : FULLTEXT_FAILED;
	snprintf(f->why, sizeof(f->why), "%s", strerror(errno));
	return -1;
}

static int
file_open(struct fulltext *f, int fresh, int64_t seed)
{
	struct stat st;
	int code;

	if (stat(f->path, &st) == -1) {
		f->state = errno == ENOENT ? FULLTEXT_MISSING : FULLTEXT_FAILED;
		snprintf(f->why, sizeof(f->why), "%s", errno == ENOENT ? "there was none" : strerror(errno));
		return -1;
	}
	f->dev = st.st_dev;
	f->inode = st.st_ino;
	code = sqlite3_open_v2(f->path, &f->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (code == SQLITE_OK)
		code = fulltext_score_register(f->handle);
	if (code != SQLITE_OK)
		return failed(f, code);
	sqlite3_progress_handler(f->handle, STEPS, on_progress, f);
	if (settings(f) == -1 || (fresh && create(f, seed) == -1))
		return -1;
	return check(f, seed);
}

struct fulltext *
fulltext_open(const char *path, int fresh, int64_t seed, enum fulltext_state *state, char *why)
{
	struct fulltext *f = xcalloc(1, sizeof(*f));

	f->path = xstrdup(path);
	if ((fresh && file_make(f) == -1) || file_open(f, fresh, seed) == -1) {
		*state = f->state;
		memcpy(why, f->why, FULLTEXT_WHY);
		fulltext_close(f);
		return NULL;
	}
	*state = FULLTEXT_FINE;
	return f;
}

void
fulltext_close(struct fulltext *f)
{
	if (f == NULL)
		return;
	for (int i = 0; i < FULLTEXT_MAX; i++)
		sqlite3_finalize(f->statement[i]);
	sqlite3_close(f->handle);
	free(f->path);
	free(f);
}

int
fulltext_lost(const struct fulltext *f)
{
	struct stat st;

	return stat(f->path, &st) == -1 || st.st_dev != f->dev || st.st_ino != f->inode;
}

int64_t
fulltext_last(const struct fulltext *f)
{
	return sqlite3_last_insert_rowid(f->handle);
}

int64_t
fulltext_bytes(struct fulltext *f)
{
	int64_t pages = 0, size = 0;

	if (pragma(f, "PRAGMA page_count", &pages) == -1 || pragma(f, "PRAGMA page_size", &size) == -1)
		return 0;
	return pages * size;
}

/* ---- Statements ---- */

void
fulltext_hurry(struct fulltext *f)
{
	f->hurries = 1;
}

void
fulltext_slow(struct fulltext *f)
{
	f->hurries = 0;
}

int
fulltext_ask_(struct fulltext *f, enum fulltext_sql sql, const struct db_arg *arg, size_t n)
{
	sqlite3_stmt *st = f->statement[sql];
	int code = SQLITE_OK;

	f->state = FULLTEXT_FINE;
	f->until = cpu_ms() + FULLTEXT_MS;
	sqlite3_reset(st);
	for (int i = 1; i <= (int)n && code == SQLITE_OK; i++, arg++)
		if (arg->type == DB_INT_)
			code = sqlite3_bind_int64(st, i, arg->i);
		else if (arg->type == DB_TEXT_)
			code = sqlite3_bind_text(st, i, arg->p, -1, SQLITE_STATIC);
		else if (arg->type == DB_REAL_)
			code = sqlite3_bind_double(st, i, arg->r);
		else
			code = sqlite3_bind_blob64(st, i, arg->p, arg->len, SQLITE_STATIC);
	return code == SQLITE_OK ? 0 : failed(f, code);
}

int
fulltext_step(struct fulltext *f, enum fulltext_sql sql)
{
	int code = sqlite3_step(f->statement[sql]), rc = 0;

	if (code == SQLITE_ROW)
		return 1;
	if (code != SQLITE_DONE)
		rc = failed(f, code);
	sqlite3_reset(f->statement[sql]);
	return rc;
}

void
fulltext_done(struct fulltext *f, enum fulltext_sql sql)
{
	sqlite3_reset(f->statement[sql]);
}

int
fulltext_end(struct fulltext *f, enum fulltext_sql sql)
{
	int rc = fulltext_step(f, sql);

	if (rc == 1)
		fulltext_done(f, sql);
	return rc == -1 ? -1 : 0;
}

int64_t
fulltext_int(struct fulltext *f, enum fulltext_sql sql, int column)
{
	return sqlite3_column_int64(f->statement[sql], column);
}

double
fulltext_real(struct fulltext *f, enum fulltext_sql sql, int column)
{
	return sqlite3_column_double(f->statement[sql], column);
}

struct bytes
fulltext_blob(struct fulltext *f, enum fulltext_sql sql, int column)
{
	struct bytes b;

	b.data = sqlite3_column_blob(f->statement[sql], column);
	b.len = (size_t)sqlite3_column_bytes(f->statement[sql], column);
	return b;
}
