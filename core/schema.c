/* The schema of the database, its version, and its prepared statements.
 *
 * What serve reads (it opens the file read-only; short statements, none kept open):
 *
 *   sources and how they fare
 *	SELECT id, name, url, plugin, unreliable, checked, ok, due, interval, failures, status,
 *	    state, found, error FROM source WHERE gone IS NULL ORDER BY name
 *   the newest records, each in its last version (page: AND l.n < ?)
 *	SELECT l.n, i.rid, i.revision, i.seen, s.name, r.blob FROM log l
 *	    JOIN item i ON i.id = l.item JOIN source s ON s.id = l.source
 *	    JOIN record r ON r.n = i.last
 *	    WHERE l.revision = 0 ORDER BY l.n DESC LIMIT ?
 *   one record (rid: the 16 bytes whose base32 is the record's id)
 *	SELECT i.id, i.revision, i.seen, s.name, r.blob FROM item i
 *	    JOIN source s ON s.id = i.source JOIN record r ON r.n = i.last WHERE i.rid = ?
 *   its kept versions
 *	SELECT l.n, l.revision, l.at, r.blob FROM log l JOIN record r ON r.n = l.n
 *	    WHERE l.n = ?1 OR (l.item = ?1 AND l.revision > 0) ORDER BY l.n
 *   its story's other items (?1: item.story)
 *	SELECT id FROM item WHERE id = ?1 UNION SELECT item FROM mention WHERE story = ?1
 *   a document as a whole (its title, link, language)
 *	SELECT record FROM feed WHERE source = ?
 *   routes and their legs
 *	SELECT id, name, title, filtered, kept, dropped FROM route WHERE gone IS NULL
 *	SELECT name, delivered, done, failures, due, reason FROM leg
 *	    WHERE route = ? AND gone IS NULL ORDER BY id
 *   totals (records, revisions, stories)
 *	SELECT name, value FROM meta
 *
 * Times are ms since 1970. A blob of `record` is record_write()'s; of `verdict` see ledger.c. */
#include "schema.h"
#include "log.h"
#include "mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Version 1. What came later stands in steps[] below, for new databases too: so that one that was
 * brought up to date is the same as one made today. */
static const char schema[] =
	/* Totals; seed: what makes delivery ids of this database its own. */
	"CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
	"INSERT INTO meta VALUES ('seed', random());"

	/* One a source, for ever. key: 128 random bits. url: first listed. unreliable: 0, or how
	 * item.c has to join its guids. firsts: entries of its first fetch so far; -1: that one is
	 * over. gone: since when it is in no configuration. The rest is struct mark. */
	"CREATE TABLE source (id INTEGER PRIMARY KEY, key BLOB NOT NULL,"
	" name TEXT NOT NULL UNIQUE, was TEXT, url TEXT NOT NULL, plugin TEXT NOT NULL,"
	" unreliable INTEGER NOT NULL DEFAULT 0, firsts INTEGER NOT NULL DEFAULT 0,"
	" created INTEGER NOT NULL, gone INTEGER,"
	" checked INTEGER NOT NULL DEFAULT 0, ok INTEGER NOT NULL DEFAULT 0,"
	" due INTEGER NOT NULL DEFAULT 0, interval INTEGER NOT NULL DEFAULT 0,"
	" not_before INTEGER NOT NULL DEFAULT 0, failures INTEGER NOT NULL DEFAULT 0,"
	" status INTEGER NOT NULL DEFAULT 0, state INTEGER NOT NULL DEFAULT 0,"
	" found INTEGER NOT NULL DEFAULT 0,"
	" etag TEXT, modified TEXT, validated TEXT, moved TEXT, error TEXT);"

	/* The document of a source as a record, as it last was. */
	"CREATE TABLE feed (source INTEGER PRIMARY KEY, record BLOB NOT NULL);"
	/* What plugins keep. instance: "source:ID", "leg:ID", "filter:ROUTE/RULE" (state.c). */
	"CREATE TABLE state (instance TEXT, key TEXT, value TEXT NOT NULL,"
	" PRIMARY KEY (instance, key)) WITHOUT ROWID;"

	/* An item. id: n of its first version in the log; last: n of its last one. rid: of 16 bytes,
	 * base32 of it is the record's id. raw: hash of all its bytes; text: of what makes a
	 * revision. seen: first seen. story: id of its story. */
	"CREATE TABLE item (id INTEGER PRIMARY KEY, rid BLOB NOT NULL, source INTEGER NOT NULL,"
	" revision INTEGER NOT NULL, last INTEGER NOT NULL, raw INTEGER NOT NULL,"
	" text INTEGER NOT NULL, seen INTEGER NOT NULL, story INTEGER NOT NULL);"
	"CREATE INDEX item_rid ON item (rid);"
	/* Hashes of all names under which an item is found again (item.c). */
	"CREATE TABLE item_key (source INTEGER, key INTEGER, item INTEGER,"
	" PRIMARY KEY (source, key, item)) WITHOUT ROWID;"

	/* The log: it only grows. flags: enum log_flag. at: when it came. revision: see also late. */
	"CREATE TABLE log (n INTEGER PRIMARY KEY, item INTEGER NOT NULL,"
	" revision INTEGER NOT NULL, source INTEGER NOT NULL, flags INTEGER NOT NULL,"
	" at INTEGER NOT NULL);"
	"CREATE INDEX log_revision ON log (item, revision) WHERE revision > 0;"
	/* Its bytes; of an item's revisions the last ten. */
	"CREATE TABLE record (n INTEGER PRIMARY KEY, blob BLOB NOT NULL);"

	/* A story. id: its first item. items: how many. */
	"CREATE TABLE story (id INTEGER PRIMARY KEY, items INTEGER NOT NULL);"
	/* Hashes of what its items share (story.c). */
	"CREATE TABLE story_key (key INTEGER PRIMARY KEY, story INTEGER NOT NULL);"
	/* Its second and later items. */
	"CREATE TABLE mention (story INTEGER, item INTEGER, source INTEGER NOT NULL,"
	" PRIMARY KEY (story, item)) WITHOUT ROWID;"

	/* A route. filtered: it has judged the log up to here, from behind begun. resume: while it
	 * judges what lies before begun, where it goes on afterwards; else 0. */
	"CREATE TABLE route (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
	" title TEXT NOT NULL, filtered INTEGER NOT NULL, begun INTEGER NOT NULL,"
	" resume INTEGER NOT NULL DEFAULT 0, created INTEGER NOT NULL, gone INTEGER,"
	" kept INTEGER NOT NULL DEFAULT 0, dropped INTEGER NOT NULL DEFAULT 0);"
	/* A sink of a route. begun: it takes nothing up to here. past: the log's head when it came;
	 * backlog, backlog_n: what of it to take, while begun is not yet known (begun -1).
	 * delivered: all up to here is done. done: records delivered. */
	"CREATE TABLE leg (id INTEGER PRIMARY KEY, route INTEGER NOT NULL, name TEXT NOT NULL,"
	" begun INTEGER NOT NULL, past INTEGER NOT NULL, backlog INTEGER NOT NULL,"
	" backlog_n INTEGER NOT NULL, delivered INTEGER NOT NULL, done INTEGER NOT NULL DEFAULT 0,"
	" failures INTEGER NOT NULL DEFAULT 0, due INTEGER NOT NULL DEFAULT 0, reason TEXT,"
	" created INTEGER NOT NULL, gone INTEGER, UNIQUE (route, name));"
	/* The verdicts on the rows first to last of the log that are the route's (ledger.c). */
	"CREATE TABLE verdict (route INTEGER NOT NULL, last INTEGER NOT NULL,"
	" first INTEGER NOT NULL, kept INTEGER NOT NULL, blob BLOB NOT NULL,"
	" PRIMARY KEY (route, last));"
	/* Exceptions only. leg: leg.id, or 0: the filters. state: enum pending_state. */
	"CREATE TABLE pending (route INTEGER, leg INTEGER, n INTEGER, recipient TEXT,"
	" state INTEGER NOT NULL, attempts INTEGER NOT NULL, due INTEGER NOT NULL, reason TEXT,"
	" PRIMARY KEY (route, leg, n, recipient)) WITHOUT ROWID;";

/* steps[i] leads from version i + 1 to the next, each in a transaction of its own. A step that was
 * released is never changed: add another, and count SCHEMA_VERSION up. */
static const char *const steps[] = {
	/* 2: polls of several pages. walk: one that is not over, or whose last was broken off
	 * (broken: the next goes on past what is known). hash: of the source's configuration.
	 * pages, added: read, and records new, so far. gap: why a page of it was given up.
	 * etag to validated: of its first page. */
	"CREATE TABLE walk (source INTEGER PRIMARY KEY, hash INTEGER NOT NULL,"
	" broken INTEGER NOT NULL, pages INTEGER NOT NULL, added INTEGER NOT NULL, gap TEXT,"
	" etag TEXT, modified TEXT, validated TEXT);"
	/* Pages still to be fetched, in the order of id. A secret stands in url and headers as the
	 * bytes 1, NAME, 1. nth: so many times next(). failures: in a row. */
	"CREATE TABLE owed (id INTEGER PRIMARY KEY, source INTEGER NOT NULL, url TEXT NOT NULL,"
	" method TEXT, headers TEXT, body BLOB, tag TEXT, nth INTEGER NOT NULL,"
	" failures INTEGER NOT NULL DEFAULT 0);"
	"CREATE INDEX owed_source ON owed (source, id);"
	/* State that pages of an unfinished walk have set; value NULL: unset. */
	"CREATE TABLE held (source INTEGER, key TEXT, value TEXT,"
	" PRIMARY KEY (source, key)) WITHOUT ROWID;",
	/* 3: paused: the sink said that nobody is there; until an operator resumes it. */
	"ALTER TABLE leg ADD COLUMN paused INTEGER NOT NULL DEFAULT 0;",
	/* 4: pending, of PENDING_WAIT alone: item; since: when a filter first said so. due: when it
	 * is asked again, 0: its item or its story changed. */
	"ALTER TABLE pending ADD COLUMN item INTEGER;"
	"ALTER TABLE pending ADD COLUMN since INTEGER;"
	"UPDATE pending SET item = (SELECT item FROM log WHERE log.n = pending.n),"
	" since = due - 3600000 WHERE state = 1;"
	"CREATE INDEX pending_item ON pending (item) WHERE state = 1;"
	"CREATE INDEX pending_due ON pending (due) WHERE state = 1;"
	/* Rows of the log by which a route is asked once more about what waited; log.revision of
	 * such a row is ~REVISION. origin: the row that it was first asked about. version: the row
	 * whose bytes it is asked about now. reason: it waited longer than the route's patience. */
	"CREATE TABLE late (n INTEGER PRIMARY KEY, route INTEGER NOT NULL,"
	" origin INTEGER NOT NULL, version INTEGER NOT NULL, since INTEGER NOT NULL, reason TEXT);"
	"CREATE INDEX log_late ON log (item) WHERE revision < 0;"
	/* expired: records so dropped; they count in dropped as well. */
	"ALTER TABLE route ADD COLUMN expired INTEGER NOT NULL DEFAULT 0;",
};
_Static_assert(sizeof(steps) / sizeof(steps[0]) == SCHEMA_VERSION - 1, "a step a version");

/* What waits in a route that there is. */
#define WAITS	" FROM pending p INDEXED BY pending_due CROSS JOIN route r ON r.id = p.route" \
	" CROSS JOIN log l ON l.n = p.n CROSS JOIN item i ON i.id = p.item" \
	" WHERE p.state = 1 AND r.gone IS NULL"

static const char *const statements[SQL_MAX] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_META_GET] = "SELECT value FROM meta WHERE name = ?",
	[SQL_META_SET] = "INSERT INTO meta VALUES (?1, ?2)"
	    " ON CONFLICT (name) DO UPDATE SET value = ?2",
	[SQL_HEAD] = "SELECT max(n) FROM log",
	[SQL_OLDEST] = "SELECT min(n) FROM log",
	[SQL_PAGES] = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size",

	[SQL_SOURCES] = "SELECT id, key, name, url, plugin, unreliable, firsts, gone FROM source",
	[SQL_SOURCE_GET] = "SELECT name, url, plugin, gone FROM source WHERE id = ?",
	[SQL_SOURCE_ADD] = "INSERT INTO source (key, name, was, url, plugin, created)"
	    " VALUES (?, ?, ?, ?, ?, ?)",
	[SQL_SOURCE_SET] = "UPDATE source SET name = ?2, was = ?3, plugin = ?4, gone = NULL"
	    " WHERE id = ?1",
	[SQL_SOURCE_GONE] = "UPDATE source SET gone = ?2 WHERE id = ?1",
	[SQL_SOURCE_STATE] = "UPDATE source SET unreliable = ?2, firsts = ?3 WHERE id = ?1",
	[SQL_MARK_GET] = "SELECT checked, ok, due, interval, not_before, failures, status, state,"
	    " found, etag, modified, validated, moved, error FROM source WHERE id = ?",
	[SQL_MARK_SET] = "UPDATE source SET checked = ?2, ok = ?3, due = ?4, interval = ?5,"
	    " not_before = ?6, failures = ?7, status = ?8, state = ?9, found = ?10, etag = ?11,"
	    " modified = ?12, validated = ?13, moved = ?14, error = ?15 WHERE id = ?1",
	[SQL_FEED_SET] = "INSERT INTO feed VALUES (?1, ?2)"
	    " ON CONFLICT (source) DO UPDATE SET record = ?2 WHERE record <> ?2",
	[SQL_FEED_GET] = "SELECT record FROM feed WHERE source = ?",
	[SQL_STATE_SET] = "INSERT INTO state VALUES (?1, ?2, ?3)"
	    " ON CONFLICT (instance, key) DO UPDATE SET value = ?3",
	[SQL_STATE_UNSET] = "DELETE FROM state WHERE instance = ? AND key = ?",
	[SQL_STATES] = "SELECT key, value FROM state WHERE instance = ?",
	[SQL_STATE_SIZE] = "SELECT sum(length(CAST(key AS BLOB)) + length(CAST(value AS BLOB)))"
	    " FROM state WHERE instance = ?",
	[SQL_STATE_LEN] = "SELECT length(CAST(key AS BLOB)) + length(CAST(value AS BLOB))"
	    " FROM state WHERE instance = ? AND key = ?",
	[SQL_STATE_SOURCES] = "SELECT DISTINCT CAST(substr(instance, 8) AS INTEGER) FROM state"
	    " WHERE instance >= 'source:' AND instance < 'source;'",

	[SQL_STATE_FILTERS] = "SELECT instance, key, value FROM state"
	    " WHERE instance > ? AND instance < ?",
	[SQL_STATE_RULES] = "SELECT DISTINCT instance FROM state"
	    " WHERE instance > ? AND instance < ?",
	[SQL_STATE_DROP] = "DELETE FROM state WHERE instance = ?",

	[SQL_WALKS] = "SELECT source, broken FROM walk",
	[SQL_WALK_GET] = "SELECT hash, broken, pages, added, gap, etag, modified, validated"
	    " FROM walk WHERE source = ?",
	[SQL_WALK_SET] = "INSERT OR REPLACE INTO walk VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[SQL_WALK_DEL] = "DELETE FROM walk WHERE source = ?",
	[SQL_OWED_SOURCES] = "SELECT DISTINCT source FROM owed",
	[SQL_OWED_ADD] = "INSERT INTO owed (source, url, method, headers, body, tag, nth)"
	    " VALUES (?, ?, ?, ?, ?, ?, ?)",
	[SQL_OWED_FIRST] = "SELECT id, url, method, headers, body, tag, nth, failures FROM owed"
	    " WHERE source = ? ORDER BY id LIMIT 1",
	[SQL_OWED_COUNT] = "SELECT count(*) FROM owed WHERE source = ?",
	[SQL_OWED_FAIL] = "UPDATE owed SET failures = failures + 1 WHERE source = ? AND id = ?",
	[SQL_OWED_DEL] = "DELETE FROM owed WHERE source = ? AND id = ?",
	[SQL_OWED_DROP] = "DELETE FROM owed WHERE source = ?",
	[SQL_HELD_SET] = "INSERT OR REPLACE INTO held VALUES (?, ?, ?)",
	[SQL_HELD] = "SELECT key, value FROM held WHERE source = ?",
	[SQL_HELD_DROP] = "DELETE FROM held WHERE source = ?",

	[SQL_KEY_FIND] = "SELECT item FROM item_key WHERE source = ? AND key = ?",
	[SQL_KEY_ADD] = "INSERT OR IGNORE INTO item_key VALUES (?, ?, ?)",
	/* CROSS: by each source's part of the key; there is no index over all of them. */
	[SQL_ITEMS_BY_KEY] = "SELECT DISTINCT k.item FROM source s CROSS JOIN item_key k"
	    " ON k.source = s.id WHERE k.key IN (?1, ?2, ?3) ORDER BY k.item DESC LIMIT ?4",
	[SQL_ITEM_BY_RID] = "SELECT id FROM item WHERE rid = ?",
	[SQL_ITEM_WHOLE] = "SELECT rid, source, revision, last, seen, story FROM item WHERE id = ?",
	[SQL_ITEM_GET] = "SELECT revision, last, raw, text FROM item WHERE id = ?",
	[SQL_ITEM_ADD] = "INSERT INTO item VALUES (?1, ?2, ?3, 0, ?1, ?4, ?5, ?6, ?7)",
	[SQL_ITEM_REVISE] = "UPDATE item SET revision = ?2, last = ?3, raw = ?4, text = ?5"
	    " WHERE id = ?1",
	[SQL_ITEM_TOUCH] = "UPDATE item SET raw = ?2 WHERE id = ?1",
	[SQL_ITEMS_OF] = "SELECT DISTINCT i.id, r.blob FROM item_key k"
	    " JOIN item i ON i.id = k.item JOIN record r ON r.n = i.last WHERE k.source = ?",
	[SQL_LOG_ADD] = "INSERT INTO log VALUES (?, ?, ?, ?, ?, ?)",
	[SQL_LOG_ITEM] = "SELECT n FROM log WHERE item = ? AND revision = ? AND revision > 0",
	[SQL_LOG_REVISIONS] = "SELECT n FROM log WHERE item = ? AND revision > 0",
	[SQL_LOG_SCAN] = "SELECT n, item, revision, source, flags FROM log"
	    " WHERE n > ? AND n <= ? ORDER BY n",
	[SQL_LOG_GET] = "SELECT l.revision, l.source, i.rid, i.seen, i.last, i.raw, s.items"
	    " FROM log l JOIN item i ON i.id = l.item JOIN story s ON s.id = i.story"
	    " WHERE l.n = ?",
	[SQL_LOG_FLAGS] = "SELECT l.flags, l.revision, i.id, i.seen FROM log l"
	    " JOIN item i ON i.id = l.item WHERE l.n = ?",
	[SQL_LOG_VERSIONS] = "SELECT n, revision, at, flags FROM log WHERE n = ?1 UNION ALL"
	    " SELECT * FROM (SELECT n, revision, at, flags FROM log"
	    " WHERE item = ?1 AND revision > 0 ORDER BY revision DESC LIMIT ?2)",
	[SQL_LOG_OF] = "SELECT item FROM log WHERE n = ?",
	[SQL_LOG_AFTER] = "SELECT n, at FROM log WHERE n >= ? ORDER BY n LIMIT 1",
	[SQL_RECORD_ADD] = "INSERT INTO record VALUES (?, ?)",
	[SQL_RECORD_SET] = "UPDATE record SET blob = ?2 WHERE n = ?1",
	[SQL_RECORD_GET] = "SELECT blob FROM record WHERE n = ?",
	[SQL_RECORD_DEL] = "DELETE FROM record WHERE n = ?",

	[SQL_STORY_ADD] = "INSERT INTO story VALUES (?, 1)",
	[SQL_STORY_COUNT] = "SELECT items FROM story WHERE id = ?",
	[SQL_STORY_ITEM] = "SELECT i.story, s.items FROM item i JOIN story s ON s.id = i.story"
	    " WHERE i.id = ?",
	[SQL_STORY_MORE] = "UPDATE story SET items = items + 1 WHERE id = ?",
	[SQL_STORY_KEY_FIND] = "SELECT k.story, i.source FROM story_key k"
	    " JOIN item i ON i.id = k.story WHERE k.key = ?",
	[SQL_STORY_KEY_ADD] = "INSERT OR IGNORE INTO story_key VALUES (?, ?)",
	[SQL_MENTION_ADD] = "INSERT INTO mention VALUES (?, ?, ?)",
	[SQL_MENTIONS] = "SELECT item, source FROM mention WHERE story = ?",

	[SQL_ROUTES] = "SELECT id, name, filtered, begun, resume, kept, dropped, gone,"
	    " expired FROM route",
	[SQL_ROUTE_ADD] = "INSERT INTO route (name, title, filtered, begun, created)"
	    " VALUES (?1, ?2, ?3, ?3, ?4)",
	[SQL_ROUTE_SET] = "UPDATE route SET title = ?2, gone = NULL WHERE id = ?1",
	[SQL_ROUTE_MOVE] = "UPDATE route SET filtered = ?2, begun = ?3, resume = ?4, kept = ?5,"
	    " dropped = ?6, expired = ?7 WHERE id = ?1",
	[SQL_ROUTE_GONE] = "UPDATE route SET gone = ?2 WHERE id = ?1",
	[SQL_LEGS] = "SELECT id, name, begun, past, backlog, backlog_n, delivered, done, failures,"
	    " due, reason, paused, gone, created FROM leg WHERE route = ?",
	[SQL_LEG_ADD] = "INSERT INTO leg (route, name, begun, past, backlog, backlog_n, delivered,"
	    " created) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
	[SQL_LEG_SET] = "UPDATE leg SET begun = ?2, backlog = ?3, backlog_n = ?4, delivered = ?5,"
	    " done = ?6, failures = ?7, due = ?8, reason = ?9, paused = ?10, gone = NULL"
	    " WHERE id = ?1",
	[SQL_LEG_GONE] = "UPDATE leg SET gone = ?2 WHERE id = ?1",
	[SQL_VERDICT_ADD] = "INSERT INTO verdict VALUES (?, ?, ?, ?, ?)",
	[SQL_VERDICT_AT] = "SELECT first, last, blob FROM verdict WHERE route = ?1 AND last >= ?2"
	    " ORDER BY last LIMIT 1",
	[SQL_VERDICT_NEXT] = "SELECT first, last, blob FROM verdict"
	    " WHERE route = ? AND last > ? AND kept > 0 ORDER BY last LIMIT 1",
	[SQL_VERDICT_PREV] = "SELECT first, last, blob FROM verdict"
	    " WHERE route = ? AND last <= ? AND kept > 0 ORDER BY last DESC",
	[SQL_PENDING_ADD] = "INSERT INTO pending (route, leg, n, recipient, state, attempts,"
	    " due, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
	    " ON CONFLICT (route, leg, n, recipient)"
	    " DO UPDATE SET state = ?5, attempts = ?6, due = ?7, reason = ?8",
	[SQL_PENDING_DONE] = "DELETE FROM pending WHERE route = ? AND leg = ? AND n = ?"
	    " AND recipient = '' AND state = ?",
	[SQL_PENDING_GET] = "SELECT state, attempts, due, reason FROM pending"
	    " WHERE route = ? AND leg = ? AND n = ? ORDER BY recipient LIMIT 1",
	[SQL_PENDING_COUNTS] = "SELECT route, leg, state, count(*), max(n), reason FROM pending"
	    " GROUP BY route, leg, state",
	[SQL_WAIT_ADD] = "INSERT OR REPLACE INTO pending (route, leg, n, recipient, state, attempts,"
	    " due, reason, item, since) VALUES (?1, 0, ?2, '', 1, 1, ?3, ?4, ?5, ?6)",
	[SQL_WAIT_DUE] = "SELECT p.route, p.n, p.item, p.since, p.reason, l.revision, l.source,"
	    " l.flags, i.revision, i.last" WAITS " AND p.due <= ? ORDER BY p.due, p.n LIMIT ?",
	[SQL_WAIT_NEXT] = "SELECT p.due" WAITS " ORDER BY p.due LIMIT 1",
	[SQL_WAIT_ITEM] = "UPDATE pending SET due = 0 WHERE state = 1 AND item = ?",
	[SQL_WAIT_STORY] = "UPDATE pending SET due = 0 WHERE state = 1 AND item IN"
	    " (SELECT ?1 UNION ALL SELECT item FROM mention WHERE story = ?1)",
	[SQL_WAIT_ROUTE] = "UPDATE pending SET due = 0 WHERE route = ? AND leg = 0 AND state = 1",
	[SQL_WAIT_UNTIL] = "UPDATE pending SET due = min(due, since + ?2)"
	    " WHERE route = ?1 AND leg = 0 AND state = 1",
	[SQL_LATE_ADD] = "INSERT INTO late VALUES (?, ?, ?, ?, ?, ?)",
	[SQL_LATE_GET] = "SELECT route, origin, version, since, reason FROM late WHERE n = ?",
	[SQL_LATE_ROWS] = "SELECT n, ~revision FROM log WHERE item = ? AND revision < 0",
};

/* What SQLite said, as what to do about it. */
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

/* Logs why, and gives the exit status. A statement that is wrong is our own mistake. */
static int
failed(const struct db *db, int code)
{
	size_t i;

	for (i = 0; i < sizeof(failures) / sizeof(failures[0]); i++)
		if (failures[i].code == (code & 0xff)) {
			log_warn("%s: %s (%s)", db->path, failures[i].text,
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

/* Judges the file by its first bytes, before SQLite may change anything in it. The version stands
 * there since each change of it is checkpointed. *fresh: there is none, or an empty one. */
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
		log_warn("%s: cannot be read: %s", db->path, strerror(errno));
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
		log_warn("%s: this is not a database; move it away to begin a new one", db->path);
		return STORE_EXIT_CORRUPT;
	}
	if (header_u32(head + 68) == SCHEMA_APPLICATION &&
	    header_u32(head + 60) > SCHEMA_VERSION) {
		log_warn("%s: written by a newer version of Courant (schema %u, this one knows %d):"
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

/* The number that a pragma gives; *status is set when it does not. */
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

/* Runs the steps from this version on. Each is whole or has not happened. */
static int
upgrade(struct db *db, int64_t version)
{
	int status = 0;
	char *sql;

	for (; version < SCHEMA_VERSION && status == 0; version++) {
		sql = xasprintf("BEGIN IMMEDIATE; %s PRAGMA user_version = %d; COMMIT;",
		    steps[version - 1], (int)version + 1);
		status = exec(db, sql);
		free(sql);
	}
	/* So that the header tells the version without the WAL. */
	return status != 0 ? status : exec(db, "PRAGMA wal_checkpoint(TRUNCATE)");
}

static int
create(struct db *db)
{
	char *sql = xasprintf("BEGIN IMMEDIATE; PRAGMA application_id = %d;"
	    " PRAGMA user_version = 1; %s COMMIT;", SCHEMA_APPLICATION, schema);
	int status = exec(db, sql);

	free(sql);
	return status != 0 ? status : upgrade(db, 1);
}

/* Whose it is: ours, nobody's yet, or another's. */
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
		log_warn("%s: a database, but not Courant's", db->path);
		return STORE_EXIT_CORRUPT;
	}
	if (version > SCHEMA_VERSION) {
		log_warn("%s: written by a newer version of Courant", db->path);
		return STORE_EXIT_NEWER;
	}
	if (version < 1) {
		log_warn("%s: tells no version of its schema", db->path);
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

/* No mapping of the file: measured, it saves no CPU time here and counts as memory, 43 MB of a
 * database of 60. */
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
		code = sqlite3_prepare_v3(db->handle, statements[i], -1, SQLITE_PREPARE_PERSISTENT,
		    &db->statement[i], NULL);
		if (code != SQLITE_OK)
			return failed(db, code);
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
	if (status == 0) {
		code = sqlite3_open_v2(path, &db->handle, flags | (fresh ? SQLITE_OPEN_CREATE : 0),
		    NULL);
		if (code != SQLITE_OK)
			status = failed(db, code);
		else
			sqlite3_busy_timeout(db->handle, SCHEMA_BUSY_MS);
	}
	if (status == 0 && sqlite3_db_readonly(db->handle, "main") == 1) {
		log_warn("%s: cannot be written", path);
		status = STORE_EXIT_READONLY;
	}
	if (status == 0)		/* before the settings, which write: it may be another's */
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
db_begin(struct db *db)
{
	if (db->open)
		return;
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

	if (db->open || db->wal < SCHEMA_WAL_SLICE)
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
