/* The database as the roles serve and index read it. */
#include "reader.h"
#include "schema.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/text.h"
#include "record/record.h"
#include "record/record_json.h"

#include <sqlite3.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define REOPEN_MS	200		/* between two tries to open the file */
#define SAME_FILE_MS	1000		/* between two checks that the path names the open file */
#define BUSY_MS		100		/* to wait for a lock, which only a recovery holds */
#define STEPS		2000		/* of SQLite's virtual machine between two time checks */
#define WHY_MAX		256
#define VFS		"courant-reader"

struct reader {
	char		*path;
	sqlite3		*handle;
	sqlite3_stmt	*statement[LOOK_MAX];
	sqlite3_stmt	*asked;
	dev_t		 dev;
	ino_t		 inode;
	int64_t		 tried, looked;	/* date_ticks() of the last open, of the last check */
	int64_t		 until;		/* date_ticks() at which the statement is stopped */
	char		 why[WHY_MAX];
};

#define ROW	"SELECT l.n, i.rid, i.revision, i.seen, s.name, r.blob"
/* CROSS makes the log the outer loop: in the order of n, and few rows. */
#define JOINS	" FROM log l CROSS JOIN item i ON i.id = l.item CROSS JOIN source s" \
		" ON s.id = l.source CROSS JOIN record r ON r.n = i.last" \
		" CROSS JOIN story t ON t.id = i.story AND t.hidden IS NULL"
/* The items of the story ?1, as i. */
#define ITEMS	" FROM (SELECT ?1 AS item UNION ALL SELECT item FROM mention WHERE story = ?1) m" \
		" CROSS JOIN item i ON i.id = m.item"
/* LEDGER_SCAN: a blob covers no more rows of the log, so blobs of newer rows are skipped. */
#define SCANNED	"20000"
#define WHICH	" AND l.revision = 0 AND (?3 IS NULL OR l.source = ?3) AND l.at >= ?4"

/* Rows of a list of stories, the key of which is K. LOOK_LIST_HEAT needs the index's own column as its key. */
#define STORIES	"SELECT t.id, i.rid, t.heat, t.score, t.born, t.items FROM story t CROSS JOIN item i ON i.id = t.id" \
		" WHERE t.hidden IS NULL AND t.born >= ?1 AND t.born < ?2"
#define BEHIND(k) " AND (" k ", t.born, t.id) < (?3, ?4, ?5) ORDER BY " k " DESC, t.born DESC, t.id DESC LIMIT ?6"
#define OR_NONE(k) "coalesce(" k ", -1e300)"

static const char *const statements[LOOK_MAX] = {
	[LOOK_HEAD] = "SELECT max(n) FROM log",
	[LOOK_NEWEST] = ROW JOINS " WHERE l.n < ?1 AND l.n >= ?2" WHICH
	    " ORDER BY l.n DESC LIMIT ?5",
	[LOOK_AFTER] = ROW JOINS " WHERE l.n > ?1 AND l.n <= ?2" WHICH " ORDER BY l.n LIMIT ?5",
	[LOOK_RECORD] = "SELECT i.id, i.rid, i.revision, i.seen, s.name, r.blob, t.hidden"
	    " FROM item i JOIN source s ON s.id = i.source JOIN record r ON r.n = i.last"
	    " JOIN story t ON t.id = i.story WHERE i.rid = ?1",
	[LOOK_STORY] = "SELECT t.id, f.rid, t.heat, t.score, t.born, t.items, t.hidden FROM item i"
	    " JOIN story t ON t.id = i.story JOIN item f ON f.id = t.id WHERE i.rid = ?1",
	[LOOK_STORY_RECORDS] = "SELECT i.id, i.rid, i.revision, i.seen, s.name, r.blob" ITEMS
	    " CROSS JOIN source s ON s.id = i.source CROSS JOIN record r ON r.n = i.last"
	    " ORDER BY i.id LIMIT ?2",
	[LOOK_STORY_TERMS] = "SELECT t.item, i.source, t.name, t.hi, t.w, t.heat, t.n, t.first, t.last,"
	    " i.rid, s.name" ITEMS " CROSS JOIN term t ON t.item = i.id LEFT JOIN source s"
	    " ON s.id = i.source",
	[LOOK_STORY_MERGED] = "SELECT i.rid FROM alias a JOIN item i ON i.id = a.id WHERE a.story = ?1"
	    " ORDER BY a.id LIMIT ?2",
	[LOOK_STORY_RANK] = "SELECT count(*) FROM (SELECT 1 FROM story WHERE heat > ?1"
	    " AND hidden IS NULL LIMIT ?2)",
	[LOOK_LIST_HEAT] = STORIES " AND t.heat IS NOT NULL AND t.heat <= ?3" BEHIND("t.heat"),
	[LOOK_LIST_BIRTH] = STORIES " AND t.born <= ?4 AND (t.born, t.id) < (?4, ?5) AND ?3 IS NOT NULL"
	    " ORDER BY t.born DESC, t.id DESC LIMIT ?6",
	[LOOK_LIST_SPAN_HEAT] = STORIES BEHIND(OR_NONE("t.heat")),
	[LOOK_LIST_SPAN_SCORE] = STORIES BEHIND(OR_NONE("t.score")),
	[LOOK_STORY_NUMBERS] = "SELECT t.name, max(t.hi)" ITEMS " CROSS JOIN term t ON t.item = i.id"
	    " WHERE t.name <> '' GROUP BY t.name",
	[LOOK_META] = "SELECT value FROM meta WHERE name = ?1",
	[LOOK_SOURCE] = "SELECT id FROM source WHERE name = ?1",
	[LOOK_ROUTE] = "SELECT id FROM route WHERE name = ?1 AND gone IS NULL",
	[LOOK_SUBSCRIBE] = "SELECT title FROM route WHERE name = ?1 AND gone IS NULL"
	    " AND subscribe = 1",
	[LOOK_SOURCES] = "SELECT name, plugin, state, checked, ok, due, failures, status, found,"
	    " error, unreliable FROM source WHERE gone IS NULL AND name > ?1"
	    " ORDER BY name LIMIT ?2",
	/* log.revision is negative in a late row: the table late has the version. */
	[LOOK_AT] = "SELECT l.n, i.rid, max(l.revision, ~l.revision), i.seen, s.name,"
	    " coalesce(v.blob, r.blob)" JOINS " LEFT JOIN late w ON w.n = l.n"
	    " LEFT JOIN record v ON v.n = coalesce(w.version, l.n)"
	    " WHERE l.n = ?1 AND (?3 IS NULL OR l.source = ?3) AND l.at >= ?4",
	[LOOK_LATER] = "SELECT m.n FROM log l CROSS JOIN log m ON m.item = l.item"
	    " WHERE l.n = ?1 AND m.revision > 0 AND m.n > ?1"
	    " UNION ALL SELECT m.n FROM log l CROSS JOIN log m ON m.item = l.item"
	    " WHERE l.n = ?1 AND m.revision < 0 AND m.n > ?1 ORDER BY 1 DESC",
	[LOOK_EDITION_ROUTES] = "SELECT r.name, r.title FROM edition_rule e JOIN route r ON r.id = e.route"
	    " WHERE r.gone IS NULL ORDER BY r.name LIMIT ?1",
	[LOOK_EDITION_ROUTE] = "SELECT r.id, r.title FROM route r JOIN edition_rule e ON e.route = r.id"
	    " WHERE r.name = ?1 AND r.gone IS NULL",
	[LOOK_EDITIONS] = "SELECT name, n, length(others) / 8, sealed FROM edition"
	    " WHERE route = ?1 AND state = 1 ORDER BY id DESC LIMIT ?2 OFFSET ?3",
	[LOOK_EDITION] = "SELECT e.state, coalesce((SELECT n.sealed FROM edition n WHERE n.route = e.route"
	    " AND n.state = 1 AND n.id > e.id ORDER BY n.id LIMIT 1), 0) FROM edition e"
	    " WHERE e.route = ?1 AND e.name = ?2",
	[LOOK_VERDICTS_BEFORE] = "SELECT first, last, blob FROM verdict"
	    " WHERE route = ?1 AND last < ?2 + " SCANNED " AND first < ?2 AND kept > 0"
	    " ORDER BY last DESC",
	[LOOK_INDEXED] = "SELECT l.n, i.rid, i.revision, i.seen, s.name, r.blob, i.id FROM log l"
	    " CROSS JOIN item i ON i.id = l.item AND i.last = l.n CROSS JOIN source s ON s.id = l.source"
	    " CROSS JOIN record r ON r.n = l.n WHERE l.n > ?1 ORDER BY l.n LIMIT ?2",
	[LOOK_MATCH] = "SELECT i.id, i.story, t.heat, i.seen FROM log l CROSS JOIN item i ON i.id = l.item"
	    " AND i.last = l.n CROSS JOIN story t ON t.id = i.story AND t.hidden IS NULL WHERE l.n = ?1",
	[LOOK_ITEM] = "SELECT i.last, i.rid, i.revision, i.seen, s.name, r.blob, t.heat, t.items FROM item i"
	    " CROSS JOIN source s ON s.id = i.source CROSS JOIN record r ON r.n = i.last"
	    " CROSS JOIN story t ON t.id = i.story AND t.hidden IS NULL WHERE i.id = ?1",
	[LOOK_ITEM_OF] = "SELECT i.id, i.story FROM item i WHERE i.rid = ?1",
	[LOOK_KEY] = "SELECT i.id, i.story FROM near k CROSS JOIN item i ON i.id = k.item"
	    " WHERE k.key = ?1 ORDER BY i.id LIMIT ?2",
	[LOOK_TOTAL] = "SELECT (SELECT max(n) FROM log), (SELECT value FROM meta WHERE name = 'records'),"
	    " (SELECT value FROM meta WHERE name = 'seed')",
	[LOOK_AGE] = "SELECT at FROM log WHERE n >= ?1 ORDER BY n LIMIT 1",
	[LOOK_VERDICTS_AFTER] = ("SELECT first, last, blob FROM verdict"
	    " WHERE route = ?1 AND last > ?2 AND kept > 0 ORDER BY last"),
};

struct reader *
reader_new(const char *path)
{
	struct reader *r = xcalloc(1, sizeof(*r));

	r->path = xstrdup(path);
	r->tried = -REOPEN_MS;
	return r;
}

/* SQLite opens a write-ahead log for writing first, for a reader too: the reader's files are opened
 * for reading alone. */
static int
open_to_read(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *got)
{
	sqlite3_vfs *base = sqlite3_vfs_find(NULL);

	(void)vfs;
	flags &= ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
	return base->xOpen(base, name, file, flags | SQLITE_OPEN_READONLY, got);
}

/* Registers the reader's kind of files once, by its name. */
static void
files_register(void)
{
	static sqlite3_vfs own;

	if (own.zName != NULL || sqlite3_initialize() != SQLITE_OK)
		return;
	own = *sqlite3_vfs_find(NULL);
	own.zName = VFS;
	own.xOpen = open_to_read;
	sqlite3_vfs_register(&own, 0);
}

/* The path as a URI, which can say that the WAL's index is for reading too. Freed by the caller. */
static char *
uri_of(const char *path)
{
	struct buf b;

	buf_init(&b, SIZE_MAX / 4);
	buf_str(&b, "file:");
	for (; *path != '\0'; path++)
		if (strchr("%?#", *path) != NULL)
			buf_fmt(&b, "%%%02X", (unsigned char)*path);
		else
			buf_char(&b, *path);
	buf_str(&b, "?readonly_shm=1");
	return b.data;
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

/* Sets r->why. Closes the database, to be opened again, unless the error is temporary. */
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

/* Stops a statement that runs longer than READER_MS, since it blocks the event loop. */
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
	char *uri;
	int code;

	if (date_ticks() - r->tried < REOPEN_MS)
		return -1;	/* r->why is that of the last try */
	r->tried = date_ticks();
	if (stat(r->path, &st) == 0) {
		r->dev = st.st_dev;
		r->inode = st.st_ino;
	}
	files_register();
	uri = uri_of(r->path);
	code = sqlite3_open_v2(uri, &r->handle,
	    SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI, VFS);
	free(uri);
	if (code != SQLITE_OK) {
		failed(r, code);
		shut(r);
		return -1;
	}
	sqlite3_busy_timeout(r->handle, BUSY_MS);
	sqlite3_progress_handler(r->handle, STEPS, on_progress, r);
	r->until = date_ticks() + READER_MS;
	code = sqlite3_exec(r->handle, "PRAGMA query_only = 1; PRAGMA temp_store = MEMORY;"
	    " PRAGMA trusted_schema = OFF", NULL, NULL, NULL);
	if (code != SQLITE_OK)
		return failed(r, code);
	r->looked = date_ticks();
	return version(r);
}

/* Closes the database if the path names another file: a restored or a new one. */
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
bind(sqlite3_stmt *st, const struct db_arg *arg, size_t n)
{
	int code = SQLITE_OK;

	sqlite3_clear_bindings(st);
	for (int i = 1; i <= (int)n && code == SQLITE_OK; i++, arg++)
		if (arg->type == DB_INT_)
			code = sqlite3_bind_int64(st, i, arg->i);
		else if (arg->type == DB_TEXT_)
			code = sqlite3_bind_text(st, i, arg->p, -1, SQLITE_TRANSIENT);
		else if (arg->type == DB_REAL_)
			code = sqlite3_bind_double(st, i, arg->r);
		else
			code = sqlite3_bind_blob64(st, i, arg->p, arg->len, SQLITE_TRANSIENT);
	return code;
}

int
reader_ask_(struct reader *r, enum reader_sql look, const struct db_arg *args, size_t n)
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

double
reader_real(struct reader *r, int column)
{
	return sqlite3_column_type(r->asked, column) == SQLITE_NULL ? -INFINITY :
	    sqlite3_column_double(r->asked, column);
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
	if (row->changes.len > 0 &&
	    (over = record_read(row->changes.data, row->changes.len)) != NULL) {
		record_overlay(rec, over);
		record_free(over);
	}
	text_base32(id, row->rid.data, row->rid.len);
	record_set(rec, CR_ID, id, strlen(id));
	if (row->source != NULL)
		record_set(rec, CR_SOURCE, row->source, strlen(row->source));
	return rec;
}

int
reader_row_json(const struct reader_row *row, struct buf *b)
{
	const struct record_json how = { .revision = row->revision, .seen = row->seen };
	struct cr_record *rec = reader_row_record(row);

	if (rec == NULL)
		return -1;
	record_json_dated(rec, &how, b);
	record_free(rec);
	return 0;
}
