/* The database as serve reads it. */
#include "reader.h"
#include "date.h"
#include "log.h"
#include "mem.h"
#include "record.h"
#include "schema.h"
#include "text.h"

#include <sqlite3.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define REOPEN_MS	200		/* between two tries to open it */
#define SAME_FILE_MS	1000		/* between two looks whether the name still is our file's */
#define BUSY_MS		100		/* that we wait for a lock: a recovery, at most */
#define STEPS		2000		/* of SQLite's machine between two looks at the clock */
#define WHY_MAX		256

struct reader {
	char		*path;
	sqlite3		*handle;
	sqlite3_stmt	*statement[LOOK_MAX];
	sqlite3_stmt	*asked;
	dev_t		 dev;
	ino_t		 inode;
	int64_t		 tried, looked;	/* date_ticks() */
	int64_t		 until;		/* of the statement */
	char		 why[WHY_MAX];
};

#define ROW	"SELECT l.n, i.rid, i.revision, i.seen, s.name, r.blob"
/* CROSS: the log is the outer loop, its rows in the order of n, and few of them. */
#define JOINS	" FROM log l CROSS JOIN item i ON i.id = l.item CROSS JOIN source s" \
		" ON s.id = l.source CROSS JOIN record r ON r.n = i.last"
/* LEDGER_SCAN: no blob speaks of more rows, so those of newer ones are passed by. */
#define SCANNED	"20000"
#define WHICH	" AND l.revision = 0 AND (?3 IS NULL OR l.source = ?3) AND l.at >= ?4"

static const char *const statements[LOOK_MAX] = {
	[LOOK_HEAD] = "SELECT max(n) FROM log",
	[LOOK_NEWEST] = ROW JOINS " WHERE l.n < ?1 AND l.n >= ?2" WHICH
	    " ORDER BY l.n DESC LIMIT ?5",
	[LOOK_AFTER] = ROW JOINS " WHERE l.n > ?1 AND l.n <= ?2" WHICH " ORDER BY l.n LIMIT ?5",
	[LOOK_RECORD] = "SELECT i.id, i.rid, i.revision, i.seen, s.name, r.blob FROM item i"
	    " JOIN source s ON s.id = i.source JOIN record r ON r.n = i.last WHERE i.rid = ?1",
	[LOOK_SOURCE] = "SELECT id FROM source WHERE name = ?1",
	[LOOK_ROUTE] = "SELECT id FROM route WHERE name = ?1 AND gone IS NULL",
	[LOOK_SOURCES] = "SELECT name, plugin, state, checked, ok, due, failures, status, found,"
	    " error, unreliable FROM source WHERE gone IS NULL AND name > ?1"
	    " ORDER BY name LIMIT ?2",
	[LOOK_AT] = ROW JOINS " WHERE l.n = ?1" WHICH,
	[LOOK_VERDICTS_BEFORE] = "SELECT first, last, blob FROM verdict"
	    " WHERE route = ?1 AND last < ?2 + " SCANNED " AND first < ?2 AND kept > 0"
	    " ORDER BY last DESC",
	[LOOK_VERDICTS_AFTER] = "SELECT first, last, blob FROM verdict"
	    " WHERE route = ?1 AND last > ?2 AND kept > 0 ORDER BY last",
};

struct reader *
reader_new(const char *path)
{
	struct reader *r = xcalloc(1, sizeof(*r));

	r->path = xstrdup(path);
	r->tried = -REOPEN_MS;
	return r;
}

static void
shut(struct reader *r)
{
	for (int i = 0; i < LOOK_MAX; i++) {
		sqlite3_finalize(r->statement[i]);
		r->statement[i] = NULL;
	}
	sqlite3_close(r->handle);
	r->handle = NULL;
	r->asked = NULL;
}

void
reader_free(struct reader *r)
{
	if (r == NULL)
		return;
	shut(r);
	free(r->path);
	free(r);
}

const char *
reader_why(const struct reader *r)
{
	return r->why;
}

/* Notes why. What will not pass by itself closes the database: it is opened anew. */
static int
failed(struct reader *r, int code)
{
	const char *text = r->handle != NULL ? sqlite3_errmsg(r->handle) : sqlite3_errstr(code);
	int passing = (code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_INTERRUPT;

	if ((code & 0xff) == SQLITE_INTERRUPT)
		text = "it took too long";
	snprintf(r->why, sizeof(r->why), "the database cannot be read: %s", text);
	if (!passing) {
		log_warn("%s: %s", r->path, r->why);
		shut(r);
	}
	return -1;
}

/* Stops a statement that keeps the loop waiting. */
static int
on_progress(void *arg)
{
	const struct reader *r = arg;

	return date_ticks() > r->until;
}

static int
version(struct reader *r)
{
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(r->handle, "PRAGMA user_version", -1, &st, NULL), v = 0;

	if (code == SQLITE_OK && (code = sqlite3_step(st)) == SQLITE_ROW)
		v = sqlite3_column_int(st, 0);
	sqlite3_finalize(st);
	if (code != SQLITE_ROW)
		return failed(r, code);
	if (v == SCHEMA_VERSION)
		return 0;
	snprintf(r->why, sizeof(r->why), "the database has schema %d, not %d", v, SCHEMA_VERSION);
	shut(r);
	return -1;
}

static int
reader_open(struct reader *r)
{
	struct stat st;
	int code;

	if (date_ticks() - r->tried < REOPEN_MS)
		return -1;	/* for the same reason as just now */
	r->tried = date_ticks();
	if (stat(r->path, &st) == 0) {
		r->dev = st.st_dev;
		r->inode = st.st_ino;
	}
	code = sqlite3_open_v2(r->path, &r->handle, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX,
	    NULL);
	if (code != SQLITE_OK) {
		failed(r, code);
		shut(r);
		return -1;
	}
	sqlite3_busy_timeout(r->handle, BUSY_MS);
	sqlite3_progress_handler(r->handle, STEPS, on_progress, r);
	r->until = date_ticks() + READER_MS;
	code = sqlite3_exec(r->handle, "PRAGMA query_only = 1; PRAGMA trusted_schema = OFF", NULL,
	    NULL, NULL);
	if (code != SQLITE_OK)
		return failed(r, code);
	r->looked = date_ticks();
	return version(r);
}

/* Closes it when another file has its name: one that was restored, or begun anew. */
static void
same_file(struct reader *r)
{
	struct stat st;

	if (r->handle == NULL || date_ticks() - r->looked < SAME_FILE_MS)
		return;
	r->looked = date_ticks();
	if (stat(r->path, &st) == 0 && st.st_dev == r->dev && st.st_ino == r->inode)
		return;
	log_info("%s: another file, opened anew", r->path);
	shut(r);
}

static int
bind(sqlite3_stmt *st, const struct look_arg *arg, size_t n)
{
	int code = SQLITE_OK;

	sqlite3_clear_bindings(st);
	for (int i = 1; i <= (int)n && code == SQLITE_OK; i++, arg++)
		if (arg->type == LOOK_INT_)
			code = sqlite3_bind_int64(st, i, arg->i);
		else if (arg->type == LOOK_TEXT_)
			code = sqlite3_bind_text(st, i, arg->p, -1, SQLITE_TRANSIENT);
		else
			code = sqlite3_bind_blob64(st, i, arg->p, arg->len, SQLITE_TRANSIENT);
	return code;
}

int
reader_ask_(struct reader *r, enum look look, const struct look_arg *args, size_t n)
{
	sqlite3_stmt **st = &r->statement[look];
	int code = SQLITE_OK;

	if (r->asked != NULL)
		fatal("a statement is open already");
	same_file(r);
	if (r->handle == NULL && reader_open(r) == -1)
		return -1;
	r->until = date_ticks() + READER_MS;
	if (*st == NULL)
		code = sqlite3_prepare_v3(r->handle, statements[look], -1,
		    SQLITE_PREPARE_PERSISTENT, st, NULL);
	if (code == SQLITE_OK)
		code = bind(*st, args, n);
	if (code != SQLITE_OK)
		return failed(r, code);
	r->asked = *st;
	return 0;
}

int
reader_step(struct reader *r)
{
	int code;

	if (r->asked == NULL)
		return -1;
	if ((code = sqlite3_step(r->asked)) == SQLITE_ROW)
		return 1;
	if (code == SQLITE_DONE)
		return 0;
	sqlite3_reset(r->asked);
	r->asked = NULL;
	return failed(r, code);
}

void
reader_done(struct reader *r)
{
	if (r->asked != NULL)
		sqlite3_reset(r->asked);
	r->asked = NULL;
}

int64_t
reader_int(struct reader *r, int column)
{
	return sqlite3_column_int64(r->asked, column);
}

const char *
reader_text(struct reader *r, int column)
{
	return (const char *)sqlite3_column_text(r->asked, column);
}

struct bytes
reader_blob(struct reader *r, int column)
{
	struct bytes b;

	b.data = sqlite3_column_blob(r->asked, column);
	b.len = (size_t)sqlite3_column_bytes(r->asked, column);
	return b;
}

void
reader_row(struct reader *r, struct reader_row *row)
{
	row->n = reader_int(r, 0);
	row->rid = reader_blob(r, 1);
	row->revision = (uint32_t)reader_int(r, 2);
	row->seen = reader_int(r, 3);
	row->source = reader_text(r, 4);
	row->blob = reader_blob(r, 5);
	row->changes = (struct bytes){ NULL, 0 };
}

struct cr_record *
reader_row_record(const struct reader_row *row)
{
	struct cr_record *rec, *over;
	char id[TEXT_BASE32_16];

	if (row->rid.len != 16 || (rec = record_read(row->blob.data, row->blob.len)) == NULL)
		return NULL;
	text_base32(id, row->rid.data, row->rid.len);
	record_set(rec, CR_ID, id, strlen(id));
	if (row->source != NULL)
		record_set(rec, CR_SOURCE, row->source, strlen(row->source));
	if (row->changes.len > 0 &&
	    (over = record_read(row->changes.data, row->changes.len)) != NULL) {
		record_overlay(rec, over);
		record_free(over);
	}
	return rec;
}

int
reader_row_json(const struct reader_row *row, struct buf *b)
{
	const struct record_json how = { .revision = row->revision, .seen = row->seen };
	struct cr_record *rec = reader_row_record(row);

	if (rec == NULL)
		return -1;
	record_json(rec, &how, b);
	record_free(rec);
	return 0;
}
