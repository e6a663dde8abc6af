/* The schema of the database, its version, and its prepared statements.
 *
 * How to read the file (opened read-only, with short statements, none left open):
 *
 *   sources and their state
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
 *   the stored versions of a record
 *	SELECT l.n, l.revision, l.at, r.blob FROM log l JOIN record r ON r.n = l.n
 *	    WHERE l.n = ?1 OR (l.item = ?1 AND l.revision > 0) ORDER BY l.n
 *   all items of a story (?1: item.story)
 *	SELECT id FROM item WHERE id = ?1 UNION SELECT item FROM mention WHERE story = ?1
 *   stories that an operator hid, and all such acts
 *	SELECT s.id, a.at, a.who, a.why FROM story s JOIN act a ON a.id = s.hidden
 *	SELECT at, who, what, object, why FROM act ORDER BY id
 *   the metadata of a source's document (title, link, language)
 *	SELECT record FROM feed WHERE source = ?
 *   routes and their sinks
 *	SELECT id, name, title, filtered, kept, dropped FROM route WHERE gone IS NULL
 *	SELECT name, delivered, done, failures, due, reason FROM leg
 *	    WHERE route = ? AND gone IS NULL ORDER BY id
 *   what a sink has not confirmed, outside its cursor (state: enum pending_state)
 *	SELECT n, state, attempts, due, reason FROM outbox WHERE leg = ? ORDER BY n
 *   totals (records, revisions, stories)
 *	SELECT name, value FROM meta
 *
 * Times are ms since 1970. Blobs: of record see record_write(), of verdict see record/verdict.c. */
#include "schema.h"

/* Version 1. Later changes are in schema_steps[] and run for new databases too, so that an upgraded
 * database is the same as a new one. */
const char schema_tables[] =
	/* Totals; seed: makes the delivery ids of this database unique. */
	"CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
	"INSERT INTO meta VALUES ('seed', random());"

	/* Sources; never deleted. key: 128 bits, see roster.c. url: first listed. unreliable: enum
	 * naming. firsts: entries of the first fetch so far; -1: it is complete. gone: time since
	 * when the source is not in the configuration. The rest is struct mark. */
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

	/* The metadata of a source's document when it was last read, as a record. */
	"CREATE TABLE feed (source INTEGER PRIMARY KEY, record BLOB NOT NULL);"
	/* The state of plugins. instance: "source:ID", "leg:ID", "filter:ROUTE/RULE" (state.c). */
	"CREATE TABLE state (instance TEXT, key TEXT, value TEXT NOT NULL,"
	" PRIMARY KEY (instance, key)) WITHOUT ROWID;"

	/* Items. id: n of the first version in the log; last: n of the last version. rid: 16 bytes
	 * whose base32 is the record's id. raw: hash of the record's bytes; text: item_text().
	 * seen: time when first seen. story: id of its story. */
	"CREATE TABLE item (id INTEGER PRIMARY KEY, rid BLOB NOT NULL, source INTEGER NOT NULL,"
	" revision INTEGER NOT NULL, last INTEGER NOT NULL, raw INTEGER NOT NULL,"
	" text INTEGER NOT NULL, seen INTEGER NOT NULL, story INTEGER NOT NULL);"
	"CREATE INDEX item_rid ON item (rid);"
	/* Hashes of all names of an item (item.c). */
	"CREATE TABLE item_key (source INTEGER, key INTEGER, item INTEGER,"
	" PRIMARY KEY (source, key, item)) WITHOUT ROWID;"

	/* The log; rows are only appended. flags: enum log_flag. at: time when it was stored.
	 * revision: negative in late rows, see the table late. */
	"CREATE TABLE log (n INTEGER PRIMARY KEY, item INTEGER NOT NULL,"
	" revision INTEGER NOT NULL, source INTEGER NOT NULL, flags INTEGER NOT NULL,"
	" at INTEGER NOT NULL);"
	"CREATE INDEX log_revision ON log (item, revision) WHERE revision > 0;"
	/* The record of a row of the log; of an item's versions the last ITEM_REVISIONS. */
	"CREATE TABLE record (n INTEGER PRIMARY KEY, blob BLOB NOT NULL);"

	/* Stories. id: the first item. items: their number. */
	"CREATE TABLE story (id INTEGER PRIMARY KEY, items INTEGER NOT NULL);"
	/* The keys by which items joined a story before version 9; only read since. */
	"CREATE TABLE story_key (key INTEGER PRIMARY KEY, story INTEGER NOT NULL);"
	/* The second and later items of a story. */
	"CREATE TABLE mention (story INTEGER, item INTEGER, source INTEGER NOT NULL,"
	" PRIMARY KEY (story, item)) WITHOUT ROWID;"

	/* Routes. filtered: the route has judged the rows of the log after begun up to here.
	 * resume: while the route judges the past up to begun, the value of filtered afterwards;
	 * else 0. */
	"CREATE TABLE route (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
	" title TEXT NOT NULL, filtered INTEGER NOT NULL, begun INTEGER NOT NULL,"
	" resume INTEGER NOT NULL DEFAULT 0, created INTEGER NOT NULL, gone INTEGER,"
	" kept INTEGER NOT NULL DEFAULT 0, dropped INTEGER NOT NULL DEFAULT 0);"
	/* Sinks of routes. begun: the sink takes no rows up to here; -1: to be computed from
	 * backlog once the route has judged past. past: the log's head when the sink was added.
	 * backlog, backlog_n: the option `backlog`. delivered: the cursor, all rows up to here are
	 * done. done: records delivered. */
	"CREATE TABLE leg (id INTEGER PRIMARY KEY, route INTEGER NOT NULL, name TEXT NOT NULL,"
	" begun INTEGER NOT NULL, past INTEGER NOT NULL, backlog INTEGER NOT NULL,"
	" backlog_n INTEGER NOT NULL, delivered INTEGER NOT NULL, done INTEGER NOT NULL DEFAULT 0,"
	" failures INTEGER NOT NULL DEFAULT 0, due INTEGER NOT NULL DEFAULT 0, reason TEXT,"
	" created INTEGER NOT NULL, gone INTEGER, UNIQUE (route, name));"
	/* The verdicts on the route's rows among the log's rows first to last
	 * (record/verdict.c). */
	"CREATE TABLE verdict (route INTEGER NOT NULL, last INTEGER NOT NULL,"
	" first INTEGER NOT NULL, kept INTEGER NOT NULL, blob BLOB NOT NULL,"
	" PRIMARY KEY (route, last));"
	/* Records that filters let wait, and their dead letters. leg: 0 since version 6. state: enum
	 * pending_state. */
	"CREATE TABLE pending (route INTEGER, leg INTEGER, n INTEGER, recipient TEXT,"
	" state INTEGER NOT NULL, attempts INTEGER NOT NULL, due INTEGER NOT NULL, reason TEXT,"
	" PRIMARY KEY (route, leg, n, recipient)) WITHOUT ROWID;";

/* schema_steps[i] upgrades version i + 1 to i + 2, in a transaction of its own. Never change a
 * released step: add one, and increment SCHEMA_VERSION. */
const char *const schema_steps[] = {
	/* 2: polls of several pages. walk: walks that are not over, and sources whose last walk was
	 * broken off (broken: the next goes on past pages without new records). hash: of the
	 * source's configuration. pages, added: pages read and new records so far. gap: why a page
	 * of the walk was given up. etag to validated: of the first page. */
	"CREATE TABLE walk (source INTEGER PRIMARY KEY, hash INTEGER NOT NULL,"
	" broken INTEGER NOT NULL, pages INTEGER NOT NULL, added INTEGER NOT NULL, gap TEXT,"
	" etag TEXT, modified TEXT, validated TEXT);"
	/* Pages still to be fetched, in the order of id. A secret in url and headers is stored as
	 * the bytes 1, NAME, 1. nth: number of next() calls up to the page. failures: in a row. */
	"CREATE TABLE owed (id INTEGER PRIMARY KEY, source INTEGER NOT NULL, url TEXT NOT NULL,"
	" method TEXT, headers TEXT, body BLOB, tag TEXT, nth INTEGER NOT NULL,"
	" failures INTEGER NOT NULL DEFAULT 0);"
	"CREATE INDEX owed_source ON owed (source, id);"
	/* State that pages of an unfinished walk have set; value NULL: unset. */
	"CREATE TABLE held (source INTEGER, key TEXT, value TEXT,"
	" PRIMARY KEY (source, key)) WITHOUT ROWID;",
	/* 3: paused: the sink reported that its receiver is gone; until an operator resumes it. */
	"ALTER TABLE leg ADD COLUMN paused INTEGER NOT NULL DEFAULT 0;",
	/* 4: pending, for PENDING_WAIT only: item; since: time of the first verdict wait; due: time
	 * at which the filters are asked again, 0: the item or its story changed. */
	"ALTER TABLE pending ADD COLUMN item INTEGER;"
	"ALTER TABLE pending ADD COLUMN since INTEGER;"
	"UPDATE pending SET item = (SELECT item FROM log WHERE log.n = pending.n),"
	" since = due - 3600000 WHERE state = 1;"
	"CREATE INDEX pending_item ON pending (item) WHERE state = 1;"
	"CREATE INDEX pending_due ON pending (due) WHERE state = 1;"
	/* Late rows: rows of the log by which a route judges a record again that waited;
	 * log.revision of such a row is ~REVISION. origin: the row that the route judged first.
	 * version: the row whose record is judged. reason: set if the record is over the route's
	 * patience. */
	"CREATE TABLE late (n INTEGER PRIMARY KEY, route INTEGER NOT NULL,"
	" origin INTEGER NOT NULL, version INTEGER NOT NULL, since INTEGER NOT NULL, reason TEXT);"
	"CREATE INDEX log_late ON log (item) WHERE revision < 0;"
	/* expired: records dropped for the route's patience; dropped includes them. */
	"ALTER TABLE route ADD COLUMN expired INTEGER NOT NULL DEFAULT 0;",
	/* 5: the window of a list (ledger_window.c), one row an item. n, date: of the version
	 * shown. */
	"CREATE TABLE shown (leg INTEGER, date INTEGER, n INTEGER, item INTEGER NOT NULL,"
	" PRIMARY KEY (leg, date, n)) WITHOUT ROWID;"
	"CREATE UNIQUE INDEX shown_item ON shown (leg, item);"
	/* listed: the window covers the kept records up to here; -1: it has to be rebuilt. room:
	 * the number of records that the window was made for. */
	"ALTER TABLE leg ADD COLUMN listed INTEGER NOT NULL DEFAULT -1;"
	"ALTER TABLE leg ADD COLUMN room INTEGER NOT NULL DEFAULT 0;",
	/* 6: outbox: what a sink has not confirmed, outside its cursor: the record tried again, dead
	 * letters, and replays; pending is left to filters. n: of the log. kind: enum outbox_kind.
	 * first: time when the row was made. due: not before, ms. gap: of a replay, ms to the next.
	 * edition, reader: 0 so far; code: of the last answer, or NULL. */
	"CREATE TABLE outbox (id INTEGER PRIMARY KEY, leg INTEGER NOT NULL,"
	" edition INTEGER NOT NULL DEFAULT 0, n INTEGER NOT NULL,"
	" reader INTEGER NOT NULL DEFAULT 0, kind INTEGER NOT NULL, state INTEGER NOT NULL,"
	" attempts INTEGER NOT NULL, first INTEGER NOT NULL, due INTEGER NOT NULL,"
	" gap INTEGER NOT NULL DEFAULT 0, code INTEGER, reason TEXT,"
	" UNIQUE (leg, edition, n, reader));"
	"CREATE INDEX outbox_queue ON outbox (leg, state, n);"
	"CREATE INDEX outbox_due ON outbox (leg, state, due, n);"
	"INSERT INTO outbox (leg, n, kind, state, attempts, first, due, reason)"
	" SELECT p.leg, p.n, 1, p.state, p.attempts, coalesce(l.at, p.due), p.due, p.reason"
	" FROM pending p LEFT JOIN log l ON l.n = p.n WHERE p.leg <> 0;"
	"DELETE FROM pending WHERE leg <> 0;"
	/* failing: ms since its last success for which a sink has failed. */
	"ALTER TABLE leg ADD COLUMN failing INTEGER NOT NULL DEFAULT 0;"
	/* Ranges of the log that an operator had a sink skip, which it never delivered. */
	"CREATE TABLE skipped (leg INTEGER, last INTEGER, first INTEGER NOT NULL, at INTEGER NOT NULL,"
	" PRIMARY KEY (leg, last)) WITHOUT ROWID;",
	/* 7: fresh: when the last new record was stored, 0: unknown. rhythm: the longest gap between
	 * two such times, of the last ones; gaps: how many were seen (roster_fresh()). */
	"ALTER TABLE source ADD COLUMN fresh INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE source ADD COLUMN rhythm INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE source ADD COLUMN gaps INTEGER NOT NULL DEFAULT 0;",
	/* 8: again: while the route replaces its verdicts up to resume, enum again; else 0. gap: ms
	 * from one record to the next of those that its sinks then get out of turn. */
	("ALTER TABLE route ADD COLUMN again INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE route ADD COLUMN gap INTEGER NOT NULL DEFAULT 0;"),
	/* 9: late.since is negative in a row made by a split: the record did not wait.
	 * near: the keys of items, exact ones and those of alike texts (story_match.c). */
	"CREATE TABLE near (key INTEGER, item INTEGER, PRIMARY KEY (key, item)) WITHOUT ROWID;"
	/* Stories that became part of another; id stays a name of that story. */
	"CREATE TABLE alias (id INTEGER PRIMARY KEY, story INTEGER NOT NULL);"
	"CREATE INDEX alias_story ON alias (story);"
	/* Why an item joined the story of another, in words for people. */
	"CREATE TABLE joined (item INTEGER, other INTEGER, why TEXT NOT NULL,"
	" PRIMARY KEY (item, other)) WITHOUT ROWID;"
	/* What an operator said of two items, a < b: that they are one story, or two (same 0). */
	"CREATE TABLE ruling (a INTEGER, b INTEGER, same INTEGER NOT NULL, at INTEGER NOT NULL,"
	" who TEXT NOT NULL, why TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID;"
	"CREATE INDEX ruling_b ON ruling (b);"
	/* Operators' acts: split, join, hide, unhide. object: ids of records. */
	"CREATE TABLE act (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, who TEXT NOT NULL,"
	" what TEXT NOT NULL, object TEXT NOT NULL, why TEXT);"
	/* hidden: the act that hid the story; NULL: the story is shown. */
	"ALTER TABLE story ADD COLUMN hidden INTEGER;",
	/* 10: how hot stories are (story_heat.c). born: time of the first event, 0: not known yet. heat:
	 * the logarithm of its sum, NULL: nothing; score: the weights' plain sum; rev: how often these
	 * or its numbers changed. */
	"ALTER TABLE story ADD COLUMN born INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE story ADD COLUMN heat REAL;"
	"ALTER TABLE story ADD COLUMN score REAL NOT NULL DEFAULT 0;"
	"ALTER TABLE story ADD COLUMN rev INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX story_heat ON story (heat) WHERE heat IS NOT NULL AND hidden IS NULL;"
	"CREATE INDEX story_born ON story (born) WHERE born > 0;"
	/* What an item adds to its story: name '': by being a mention, else the counter's name. hi: its
	 * highest value so far; w: the plain sum of n events' weights; heat: the logarithm of their sum
	 * or NULL; first, last: times of the events. */
	"CREATE TABLE term (item INTEGER, name TEXT, hi INTEGER NOT NULL, w REAL NOT NULL, heat REAL,"
	" n INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,"
	" PRIMARY KEY (item, name)) WITHOUT ROWID;"
	/* New items of a source by day since 1970, of the last days. */
	"CREATE TABLE day (source INTEGER, day INTEGER, n INTEGER NOT NULL,"
	" PRIMARY KEY (source, day)) WITHOUT ROWID;"
	"INSERT INTO day SELECT i.source, i.seen / 86400000, count(*) FROM item i"
	" JOIN log l ON l.n = i.id WHERE i.seen > (strftime('%s', 'now') - 22 * 86400) * 1000"
	" AND l.flags & 1 = 0 GROUP BY 1, 2;",
	/* 11: pending, for PENDING_WAIT only: number: that has to be at least `least` (the rank: at
	 * most), "story.NAME": of the story; NULL: none; asked: time of the last verdict. */
	"ALTER TABLE pending ADD COLUMN number TEXT;"
	"ALTER TABLE pending ADD COLUMN least REAL;"
	"ALTER TABLE pending ADD COLUMN asked INTEGER NOT NULL DEFAULT 0;"
	"DROP INDEX pending_item;"
	"CREATE INDEX pending_item ON pending (item, number) WHERE state = 1;",
	/* 12: editions. due, since: when this one and the one before were due; sealed: time. upto: the
	 * place in the log up to which the candidates were looked at. first, n: its rows in the log, one
	 * after the other. others: i64 of the item of each candidate for which it had no room, in their
	 * order. sections: JSON. state: enum edition_state; why: of a skipped one. */
	("CREATE TABLE edition (id INTEGER PRIMARY KEY, route INTEGER NOT NULL, name TEXT NOT NULL,"
	" zone TEXT NOT NULL, since INTEGER NOT NULL, due INTEGER NOT NULL, sealed INTEGER NOT NULL,"
	" upto INTEGER NOT NULL, first INTEGER NOT NULL, n INTEGER NOT NULL, others BLOB NOT NULL,"
	" sections TEXT NOT NULL, state INTEGER NOT NULL, why TEXT, UNIQUE (route, name));"
	"CREATE INDEX edition_first ON edition (route, first) WHERE n > 0;"
	/* Which edition has an item; 0: an operator took it out. */
	"CREATE TABLE edition_item (route INTEGER, item INTEGER, edition INTEGER NOT NULL,"
	" PRIMARY KEY (route, item)) WITHOUT ROWID;"
	/* What a row of an edition is handed out with of its story: a struct result_item without record. */
	"CREATE TABLE edition_view (n INTEGER PRIMARY KEY, view BLOB NOT NULL);"
	/* since: when the calendar of the route was set or changed; begun: the place in the log then. */
	"CREATE TABLE edition_rule (route INTEGER PRIMARY KEY, rule TEXT NOT NULL,"
	" since INTEGER NOT NULL, begun INTEGER NOT NULL);"),
	/* 13: edition.first: of an edition without a record a row of no item; of a skipped one 0. state
	 * EDITION_PRUNED: its rows, views and others are gone. */
	("DROP INDEX edition_first;"
	"CREATE INDEX edition_first ON edition (route, first) WHERE first > 0;"),
	/* 14: the readers of sinks that write mail. mailing: a record or an edition, by its first row of the
	 * log, that has readers; begun: ms. delivery: a reader of it; state: enum reader_state; reader: the address as
	 * mailbox_key() makes it; at: when its state was set last, ms. */
	("CREATE TABLE mailing (leg INTEGER NOT NULL, n INTEGER NOT NULL, begun INTEGER NOT NULL,"
	" accepted INTEGER NOT NULL DEFAULT 0, dead INTEGER NOT NULL DEFAULT 0,"
	" PRIMARY KEY (leg, n)) WITHOUT ROWID;"
	"CREATE TABLE delivery (leg INTEGER NOT NULL, n INTEGER NOT NULL, reader TEXT NOT NULL,"
	" address TEXT NOT NULL, state INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,"
	" due INTEGER NOT NULL DEFAULT 0, code INTEGER NOT NULL DEFAULT 0, reply TEXT,"
	" at INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (leg, n, reader)) WITHOUT ROWID;"
	"CREATE INDEX delivery_has ON delivery (leg, at) WHERE state = 4;"),
	/* 15: subscribers of routes. key: the address by mailbox_key(); address: as typed. leave: 16
	 * bytes, which never change; it comes twice when a route was imported under another name.
	 * confirm: 16 bytes, once, good until confirm_until; or NULL. asked, confirmed, gone: when
	 * it asked, confirmed, and left or bounced; *_from: the network, "operator", "import". soft:
	 * refusals in a row, since softened, that may pass. */
	("CREATE TABLE subscriber (id INTEGER PRIMARY KEY, route INTEGER NOT NULL, key TEXT NOT NULL,"
	" address TEXT NOT NULL, state INTEGER NOT NULL, leave BLOB NOT NULL, confirm BLOB UNIQUE,"
	" confirm_until INTEGER NOT NULL, asked INTEGER NOT NULL, asked_from TEXT NOT NULL,"
	" confirmed INTEGER NOT NULL, confirmed_from TEXT NOT NULL, gone INTEGER NOT NULL,"
	" soft INTEGER NOT NULL, softened INTEGER NOT NULL, UNIQUE (route, key));"
	"CREATE INDEX subscriber_leave ON subscriber (leave);"
	"CREATE INDEX subscriber_key ON subscriber (key);"
	"CREATE INDEX subscriber_state ON subscriber (route, state);"
	"CREATE INDEX subscriber_pending ON subscriber (asked) WHERE state = 1;"
	/* Addresses that were forgotten, which an import must not bring back. hash: keyed, of the
	 * address (subscribers.c). state: as it was then. */
	"CREATE TABLE suppressed (route INTEGER, hash BLOB, state INTEGER NOT NULL,"
	" at INTEGER NOT NULL, PRIMARY KEY (route, hash)) WITHOUT ROWID;"
	"INSERT OR IGNORE INTO meta VALUES ('suppress', random());"
	/* Letters of the host's own, to be sent and sent; kept for a month, since the limits count
	 * them. subscriber: 0: its row is gone. hash: of the address. network: of the visitor who
	 * asked; '': an operator did. attempts: that failed; due: the next one, ms. */
	"CREATE TABLE letter (id INTEGER PRIMARY KEY AUTOINCREMENT, subscriber INTEGER NOT NULL, hash BLOB NOT NULL,"
	" kind INTEGER NOT NULL, state INTEGER NOT NULL, made INTEGER NOT NULL,"
	" network TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, due INTEGER NOT NULL DEFAULT 0,"
	" reply TEXT, route INTEGER NOT NULL);"
	"CREATE INDEX letter_due ON letter (route, network = '', due) WHERE state = 1;"
	"CREATE INDEX letter_made ON letter (made);"
	"CREATE INDEX letter_asked ON letter (made) WHERE network <> '';"
	"CREATE INDEX letter_hash ON letter (hash, made);"
	"CREATE INDEX letter_network ON letter (network, made);"
	"CREATE INDEX letter_subscriber ON letter (subscriber) WHERE subscriber > 0;"
	/* subscribe: readers can subscribe to the route. */
	"ALTER TABLE route ADD COLUMN subscribe INTEGER NOT NULL DEFAULT 0;"
	/* mailing: subscribers up to the id `fan` get it, of whom those up to `fanned` have rows. delivery:
	 * effect: enum subscriber_effect, or'ed. */
	"ALTER TABLE mailing ADD COLUMN fan INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE mailing ADD COLUMN fanned INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE delivery ADD COLUMN effect INTEGER NOT NULL DEFAULT 0;"
	"CREATE INDEX delivery_open ON delivery (leg, n, due) WHERE state IN (1, 2);"
	"CREATE INDEX delivery_dead ON delivery (leg, n, at) WHERE state = 3;"),
};
_Static_assert(sizeof(schema_steps) / sizeof(schema_steps[0]) == SCHEMA_VERSION - 1, "a step a version");

/* Waiting records of routes in the configuration. */
#define WAITS	" FROM pending p INDEXED BY pending_due CROSS JOIN route r ON r.id = p.route" \
	" CROSS JOIN log l ON l.n = p.n CROSS JOIN item i ON i.id = p.item" \
	" WHERE p.state = 1 AND r.gone IS NULL"

/* Columns of a subscriber, as subscriber_step() reads them. */
#define SUBSCRIBER	"SELECT id, route, key, address, state, leave, confirm, confirm_until, asked, asked_from," \
		" confirmed, confirmed_from, gone, soft, softened FROM subscriber"

/* Columns of an edition, as edition_step() reads them. */
#define EDITION	"SELECT id, state, sealed, due, since, first, n, length(others) / 8, sections, zone, why," \
		" name FROM edition"

const char *const schema_statements[SQL_MAX] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_READ] = "BEGIN DEFERRED",
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
	[SQL_SOURCE_NAME] = "UPDATE source SET name = ?2 WHERE id = ?1",
	[SQL_SOURCE_GONE] = "UPDATE source SET gone = ?2 WHERE id = ?1",
	[SQL_SOURCE_STATE] = "UPDATE source SET unreliable = ?2, firsts = ?3 WHERE id = ?1",
	/* ?3: a shorter gap is within one burst. A longer one than before counts at once, a shorter one
	 * brings the rhythm an eighth of the way. */
	[SQL_SOURCE_FRESH] = "UPDATE source SET"
	    " rhythm = CASE WHEN fresh > 0 AND ?2 - fresh >= ?3"
	    " THEN max(?2 - fresh, rhythm - (rhythm - (?2 - fresh)) / 8) ELSE rhythm END,"
	    " gaps = gaps + (fresh > 0 AND ?2 - fresh >= ?3), fresh = ?2 WHERE id = ?1",
	/* ?1: now; ?2: gaps, at least; ?3: times the rhythm; ?4: ms, at least; ?5: rows. */
	[SQL_SILENT] = "SELECT id, fresh, rhythm, fresh + max(?3 * rhythm, ?4) AS after FROM source"
	    " WHERE gone IS NULL AND gaps >= ?2 AND fresh > 0 AND after <= ?1"
	    " ORDER BY after, id LIMIT ?5",
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

	[SQL_KEY_FIND] = "SELECT item FROM item_key WHERE source = ? AND key = ?"
	    " ORDER BY item DESC LIMIT ?",
	[SQL_KEY_ADD] = "INSERT OR IGNORE INTO item_key VALUES (?, ?, ?)",
	/* CROSS: one index search for each source, since the key's index begins with the source. */
	[SQL_ITEMS_BY_KEY] = "SELECT DISTINCT k.item FROM source s CROSS JOIN item_key k"
	    " ON k.source = s.id WHERE k.key IN (?1, ?2, ?3) ORDER BY k.item DESC LIMIT ?4",
	[SQL_ITEM_BY_RID] = "SELECT id FROM item WHERE rid = ?",
	[SQL_ITEM_WHOLE] = "SELECT rid, source, revision, last, seen, story FROM item WHERE id = ?",
	[SQL_ITEM_GET] = "SELECT revision, last, raw, text, story FROM item WHERE id = ?",
	[SQL_ITEM_LAST] = "SELECT r.blob FROM item i JOIN record r ON r.n = i.last WHERE i.id = ?",
	[SQL_ITEM_ADD] = "INSERT INTO item VALUES (?1, ?2, ?3, 0, ?1, ?4, ?5, ?6, ?7)",
	[SQL_ITEM_REVISE] = "UPDATE item SET revision = ?2, last = ?3, raw = ?4, text = ?5"
	    " WHERE id = ?1",
	[SQL_ITEM_TOUCH] = "UPDATE item SET raw = ?2 WHERE id = ?1",
	[SQL_KEYS_OF] = "SELECT k.key, k.item, r.blob FROM item_key k CROSS JOIN item i ON i.id = k.item"
	    " CROSS JOIN record r ON r.n = i.last WHERE k.source = ?1"
	    " AND (k.key, k.item) > (?2, ?3) ORDER BY k.key, k.item LIMIT ?4",
	[SQL_LOG_ADD] = "INSERT INTO log VALUES (?, ?, ?, ?, ?, ?)",
	[SQL_LOG_ITEM] = "SELECT n FROM log WHERE item = ? AND revision = ? AND revision > 0",
	[SQL_LOG_REVISIONS] = "SELECT n FROM log WHERE item = ? AND revision > 0",
	[SQL_LOG_SCAN] = "SELECT n, item, revision, source, flags FROM log"
	    " WHERE n > ? AND n <= ? ORDER BY n",
	[SQL_LOG_GET] = "SELECT l.revision, l.source, i.rid, i.seen, i.last, i.raw, s.items,"
	    " s.rev, s.heat, s.score, s.hidden, i.story, i.id"
	    " FROM log l JOIN item i ON i.id = l.item JOIN story s ON s.id = i.story"
	    " WHERE l.n = ?",
	[SQL_LOG_FLAGS] = "SELECT l.flags, l.revision, i.id, i.seen, i.story, s.items, s.hidden FROM log l"
	    " JOIN item i ON i.id = l.item JOIN story s ON s.id = i.story WHERE l.n = ?",
	[SQL_LOG_VERSIONS] = "SELECT n, revision, at, flags FROM log WHERE n = ?1 UNION ALL"
	    " SELECT * FROM (SELECT n, revision, at, flags FROM log"
	    " WHERE item = ?1 AND revision > 0 ORDER BY revision DESC LIMIT ?2)",
	[SQL_LOG_AT] = "SELECT at FROM log WHERE n = ?",
	[SQL_LOG_SOURCE] = "SELECT source FROM log WHERE n = ?",
	[SQL_LOG_OF] = "SELECT item FROM log WHERE n = ?",
	[SQL_LOG_REVISION] = "SELECT revision FROM log WHERE n = ?",
	[SQL_LOG_AFTER] = "SELECT n, at FROM log WHERE n >= ? ORDER BY n LIMIT 1",
	[SQL_RECORD_ADD] = "INSERT INTO record VALUES (?, ?)",
	[SQL_RECORD_SET] = "UPDATE record SET blob = ?2 WHERE n = ?1",
	[SQL_RECORD_GET] = "SELECT blob FROM record WHERE n = ?",
	[SQL_RECORD_DEL] = "DELETE FROM record WHERE n = ?",

	[SQL_STORY_ADD] = "INSERT INTO story (id, items, hidden) VALUES (?, ?, ?)",
	[SQL_STORY_ITEM] = "SELECT i.story, s.items FROM item i JOIN story s ON s.id = i.story"
	    " WHERE i.id = ?",
	/* ?3: a story that becomes part of this one; hidden, it hides this one as well. */
	[SQL_STORY_MORE] = "UPDATE story SET items = items + ?2,"
	    " hidden = coalesce(hidden, (SELECT hidden FROM story WHERE id = ?3)) WHERE id = ?1",
	[SQL_STORY_LESS] = "UPDATE story SET items = items - ?2 WHERE id = ?1",
	[SQL_STORY_DEL] = "DELETE FROM story WHERE id = ?",
	[SQL_STORY_OF] = "UPDATE item SET story = ?2 WHERE id = ?1",
	[SQL_STORY_MEMBERS] = "SELECT id, source FROM item WHERE id = ?1 UNION ALL"
	    " SELECT item, source FROM mention WHERE story = ?1 ORDER BY 1",
	[SQL_STORY_HIDE] = "UPDATE story SET hidden = ?2 WHERE id = ?1",
	[SQL_STORY_HIDDEN] = "SELECT hidden FROM story WHERE id = ? AND hidden IS NOT NULL",
	[SQL_STORY_KEY_FIND] = "SELECT i.id, i.story, i.source FROM story_key k"
	    " JOIN item i ON i.id = k.story WHERE k.key = ?",
	[SQL_NEAR_ADD] = "INSERT OR IGNORE INTO near VALUES (?, ?)",
	[SQL_NEAR_FIND] = "SELECT i.id, i.story, i.source FROM near k CROSS JOIN item i"
	    " ON i.id = k.item WHERE k.key = ? ORDER BY k.item DESC LIMIT ?",
	[SQL_NEAR_HAS] = "SELECT 1 FROM near WHERE key = ? AND item = ?",
	[SQL_MENTION_ADD] = "INSERT INTO mention VALUES (?, ?, ?)",
	[SQL_MENTION_DEL] = "DELETE FROM mention WHERE story = ? AND item = ?",
	[SQL_MENTIONS] = "SELECT item, source FROM mention WHERE story = ?",
	[SQL_MENTIONS_DROP] = "DELETE FROM mention WHERE story = ?",
	[SQL_ALIAS_SET] = "INSERT OR REPLACE INTO alias VALUES (?, ?)",
	[SQL_ALIAS_MOVE] = "UPDATE alias SET story = ?2 WHERE story = ?1",
	/* After a split: an id names the story in which the item of that id is. */
	[SQL_ALIAS_AGAIN] = "UPDATE alias SET story = (SELECT i.story FROM item i"
	    " WHERE i.id = alias.id) WHERE story = ?",
	[SQL_ALIAS_DEL] = "DELETE FROM alias WHERE id IN (?, ?)",
	[SQL_ALIASES] = "SELECT i.rid FROM alias a JOIN item i ON i.id = a.id WHERE a.story = ?"
	    " ORDER BY a.id LIMIT ?",
	[SQL_JOINED_ADD] = "INSERT OR REPLACE INTO joined VALUES (?, ?, ?)",
	[SQL_JOINED] = "SELECT other, why FROM joined WHERE item = ?",
	[SQL_RULING_SET] = "INSERT INTO ruling VALUES (min(?1, ?2), max(?1, ?2), ?3, ?4, ?5, ?6)"
	    " ON CONFLICT (a, b) DO UPDATE SET same = ?3, at = ?4, who = ?5, why = ?6",
	/* What parts an item from those of a story. */
	[SQL_RULING_DEL] = "DELETE FROM ruling WHERE same = 0 AND"
	    " ((a = ?1 AND b IN (SELECT ?2 UNION ALL SELECT item FROM mention WHERE story = ?2)) OR"
	    " (b = ?1 AND a IN (SELECT ?2 UNION ALL SELECT item FROM mention WHERE story = ?2)))",
	[SQL_RULINGS] = "SELECT b, same, at, who, why FROM ruling WHERE a = ?1 UNION ALL"
	    " SELECT a, same, at, who, why FROM ruling WHERE b = ?1 ORDER BY 1",
	/* Whether an operator parted the item from any item of the story. */
	[SQL_RULED_APART] = "SELECT 1 FROM ruling r JOIN item i ON i.id = r.b"
	    " WHERE r.a = ?1 AND r.same = 0 AND i.story = ?2"
	    " UNION ALL SELECT 1 FROM ruling r JOIN item i ON i.id = r.a"
	    " WHERE r.b = ?1 AND r.same = 0 AND i.story = ?2",
	[SQL_ACT_ADD] = "INSERT INTO act (at, who, what, object, why) VALUES (?, ?, ?, ?, ?)",
	[SQL_ACT_GET] = "SELECT at, who, what, object, why FROM act WHERE id = ?",
	[SQL_HEAT_GET] = "SELECT heat, score, born, items, rev FROM story WHERE id = ?",
	[SQL_HEAT_SET] = "UPDATE story SET heat = ?2, score = ?3, rev = rev + 1 WHERE id = ?1",
	[SQL_STORY_REV] = "UPDATE story SET rev = rev + 1 WHERE id = ? AND items > 1",
	[SQL_HEAT_BORN] = "UPDATE story SET born = ?2 WHERE id = ?1",
	[SQL_HEAT_RANK] = "SELECT count(*) FROM (SELECT 1 FROM story WHERE heat > ?"
	    " AND hidden IS NULL LIMIT ?)",
	[SQL_HEAT_FIRST] = "SELECT heat FROM story WHERE heat IS NOT NULL AND hidden IS NULL"
	    " ORDER BY heat DESC LIMIT ?",
	[SQL_HEAT_NUMBERS] = "SELECT t.name, max(t.hi)"
	    " FROM (SELECT ?1 AS item UNION ALL SELECT item FROM mention WHERE story = ?1) m"
	    " CROSS JOIN term t ON t.item = m.item WHERE t.name > '' GROUP BY t.name LIMIT ?2",
	/* The other items of a story, those that came first. */
	[SQL_FACE_ITEMS] = "SELECT i.id, i.source, i.last"
	    " FROM (SELECT ?1 AS item UNION ALL SELECT item FROM mention WHERE story = ?1) m"
	    " CROSS JOIN item i ON i.id = m.item WHERE m.item <> ?2 ORDER BY 1 LIMIT ?3",
	/* As SQL_RECORD_GET, which is open while these are read. */
	[SQL_FACE_RECORD] = "SELECT blob FROM record WHERE n = ?",
	[SQL_HEAT_TERMS] = "SELECT t.item, i.source, t.name, t.hi, t.w, t.heat, t.n, t.first, t.last"
	    " FROM (SELECT ?1 AS item UNION ALL SELECT item FROM mention WHERE story = ?1) m"
	    " CROSS JOIN item i ON i.id = m.item CROSS JOIN term t ON t.item = m.item",
	/* All items of a story, as story_heat.c begins with them anew. */
	[SQL_HEAT_ITEMS] = "SELECT i.id, i.source, i.seen, l.flags, i.last FROM"
	    " (SELECT ?1 AS item UNION ALL SELECT item FROM mention WHERE story = ?1) m"
	    " CROSS JOIN item i ON i.id = m.item CROSS JOIN log l ON l.n = i.id",
	[SQL_HEAT_STORIES] = "SELECT id FROM story WHERE id > ? AND id <= ? ORDER BY id LIMIT ?",
	[SQL_TERM_GET] = "SELECT hi, w, heat, n, first, last FROM term WHERE item = ? AND name = ?",
	[SQL_TERM_SET] = "INSERT OR REPLACE INTO term VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
	[SQL_TERM_COUNT] = "SELECT count(*) FROM term WHERE item = ?",
	[SQL_TERM_RESET] = "UPDATE term SET w = 0, heat = NULL, n = 0 WHERE item = ? AND name <> ''",
	[SQL_DAY_ADD] = "INSERT INTO day VALUES (?1, ?2, 1)"
	    " ON CONFLICT (source, day) DO UPDATE SET n = n + 1",
	[SQL_DAY_FIRST] = "SELECT min(day) FROM day WHERE source = ?",
	[SQL_DAY_DROP] = "DELETE FROM day WHERE source = ? AND day < ?",
	/* ?3: days; the source's first day, ms. */
	[SQL_DAY_RATE] = "SELECT (SELECT coalesce(sum(n), 0) FROM day"
	    " WHERE source = ?1 AND day > ?2 - ?3 AND day <= ?2), min("
	    " coalesce((SELECT min(day) FROM day WHERE source = ?1), ?2) * 86400000,"
	    " coalesce((SELECT created FROM source WHERE id = ?1), ?2 * 86400000))",

	[SQL_ROUTES] = "SELECT id, name, filtered, begun, resume, kept, dropped, gone,"
	    " expired, again, gap FROM route",
	[SQL_ROUTE_ADD] = "INSERT INTO route (name, title, filtered, begun, created)"
	    " VALUES (?1, ?2, ?3, ?3, ?4)",
	[SQL_ROUTE_SET] = "UPDATE route SET title = ?2, gone = NULL WHERE id = ?1",
	[SQL_ROUTE_MOVE] = "UPDATE route SET filtered = ?2, begun = ?3, resume = ?4, kept = ?5,"
	    " dropped = ?6, expired = ?7, again = ?8, gap = ?9 WHERE id = ?1",
	[SQL_ROUTE_GONE] = "UPDATE route SET gone = ?2 WHERE id = ?1",
	[SQL_LEGS] = "SELECT id, name, begun, past, backlog, backlog_n, delivered, done, failures,"
	    " due, reason, paused, gone, created, listed, room, failing FROM leg WHERE route = ?",
	[SQL_LEG_ADD] = "INSERT INTO leg (route, name, begun, past, backlog, backlog_n, delivered,"
	    " created) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
	[SQL_LEG_SET] = "UPDATE leg SET begun = ?2, backlog = ?3, backlog_n = ?4, delivered = ?5,"
	    " done = ?6, failures = ?7, due = ?8, reason = ?9, paused = ?10, gone = NULL,"
	    " listed = ?11, room = ?12, failing = ?13"
	    " WHERE id = ?1",
	[SQL_LEG_GONE] = "UPDATE leg SET gone = ?2 WHERE id = ?1",
	/* story: 0 unless it has other items. */
	[SQL_SHOWN] = "SELECT l.n, CASE WHEN s.items > 1 THEN s.id ELSE 0 END, s.hidden FROM shown l"
	    " CROSS JOIN item i ON i.id = l.item CROSS JOIN story s ON s.id = i.story"
	    " WHERE l.leg = ? ORDER BY l.date DESC, l.n DESC LIMIT ?",
	[SQL_SHOWN_AT] = "SELECT count(*) FROM shown s JOIN log l ON l.n = ?2"
	    " WHERE s.leg = ?1 AND s.item = l.item",
	[SQL_HEAT_NUMBER] = "SELECT max(hi) FROM term WHERE name = ?2 AND item IN"
	    " (SELECT ?1 UNION ALL SELECT item FROM mention WHERE story = ?1)",
	/* Whether the list has another item of the story. */
	[SQL_SHOWN_STORY] = "SELECT 1 FROM shown WHERE leg = ?1 AND item <> ?3 AND item IN"
	    " (SELECT ?2 UNION ALL SELECT item FROM mention WHERE story = ?2)",
	[SQL_SKIPPED] = "SELECT first FROM skipped WHERE leg = ? AND last >= ? ORDER BY last LIMIT 1",
	[SQL_SKIPPED_ADD] = "INSERT OR REPLACE INTO skipped (leg, last, first, at) VALUES (?, ?, ?, ?)",
	[SQL_SHOWN_ADD] = "INSERT OR REPLACE INTO shown VALUES (?, ?, ?, ?)",
	[SQL_SHOWN_TRIM] = "DELETE FROM shown WHERE leg = ?1 AND (date, n) IN"
	    " (SELECT date, n FROM shown WHERE leg = ?1 ORDER BY date DESC, n DESC"
	    " LIMIT -1 OFFSET ?2)",
	[SQL_SHOWN_DROP] = "DELETE FROM shown WHERE leg = ?",
	[SQL_VERDICT_ADD] = "INSERT INTO verdict VALUES (?, ?, ?, ?, ?)",
	[SQL_VERDICT_DEL] = "DELETE FROM verdict WHERE route = ? AND last = ?",
	[SQL_VERDICT_AT] = "SELECT first, last, blob FROM verdict WHERE route = ?1 AND last >= ?2"
	    " ORDER BY last LIMIT 1",
	[SQL_VERDICT_LAST] = "SELECT first, last, blob FROM verdict"
	    " WHERE route = ? AND last <= ? ORDER BY last DESC LIMIT 1",
	[SQL_VERDICT_NEXT] = "SELECT first, last, blob FROM verdict"
	    " WHERE route = ? AND last > ? AND kept > 0 ORDER BY last LIMIT 1",
	[SQL_VERDICT_PREV] = "SELECT first, last, blob, kept FROM verdict"
	    " WHERE route = ? AND last <= ? AND kept > 0 ORDER BY last DESC",
	[SQL_PENDING_ADD] = "INSERT INTO pending (route, leg, n, recipient, state, attempts,"
	    " due, reason) VALUES (?1, 0, ?2, '', ?3, 1, 0, ?4)"
	    " ON CONFLICT (route, leg, n, recipient)"
	    " DO UPDATE SET state = ?3, attempts = 1, due = 0, reason = ?4",
	[SQL_PENDING_DONE] = "DELETE FROM pending WHERE route = ? AND leg = 0 AND n = ?"
	    " AND recipient = '' AND state = ?",
	[SQL_PENDING_GET] = "SELECT state, attempts, due, reason FROM pending"
	    " WHERE route = ? AND leg = 0 AND n = ? AND recipient = ''",
	[SQL_PENDING_COUNTS] = "SELECT route, state, count(*), max(n), reason FROM pending"
	    " GROUP BY route, state",
	[SQL_OUTBOX_SET] = "INSERT INTO outbox (leg, n, kind, state, attempts, first, due, gap, reason)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"
	    " ON CONFLICT (leg, edition, n, reader)"
	    " DO UPDATE SET kind = ?3, state = ?4, attempts = ?5, due = ?7, gap = ?8, reason = ?9",
	[SQL_OUTBOX_DEL] = "DELETE FROM outbox WHERE leg = ? AND edition = 0 AND n = ? AND reader = 0",
	[SQL_OUTBOX_GET] = "SELECT state, attempts, due, reason, kind FROM outbox"
	    " WHERE leg = ? AND edition = 0 AND n = ? AND reader = 0",
	[SQL_OUTBOX_COUNTS] = "SELECT leg, state, kind, count(*), max(n) FROM outbox"
	    " GROUP BY leg, state, kind",
	[SQL_OUTBOX_DEAD] = "SELECT n FROM outbox WHERE leg = ? AND state IN (2, 3) AND n > ?"
	    " ORDER BY n LIMIT ?",
	[SQL_OUTBOX_REASONS] = "SELECT state, reason, count(*), min(first), max(first) FROM outbox"
	    " WHERE leg = ? AND state IN (2, 3) GROUP BY state, reason ORDER BY count(*) DESC LIMIT ?",
	[SQL_OUTBOX_IDS] = "SELECT i.rid, l.revision FROM outbox o JOIN log l ON l.n = o.n"
	    " JOIN item i ON i.id = l.item WHERE o.leg = ? AND o.state = ? AND o.reason IS ?"
	    " ORDER BY o.n LIMIT ?",
	[SQL_PENDING_REASONS] = "SELECT state, reason, count(*), 0, 0 FROM pending WHERE route = ?"
	    " AND state IN (2, 3) GROUP BY state, reason ORDER BY count(*) DESC LIMIT ?",
	[SQL_PENDING_DROP] = "DELETE FROM pending WHERE route = ? AND state IN (2, 3)",
	[SQL_PENDING_AGAIN] = "UPDATE pending SET state = 1, due = 0, since = ?2,"
	    " item = (SELECT item FROM log WHERE log.n = pending.n)"
	    " WHERE route = ?1 AND state IN (2, 3)",
	[SQL_RECORD_HAS] = "SELECT count(*) FROM log l JOIN item i ON i.id = l.item"
	    " JOIN record r ON r.n IN (l.n, i.last) WHERE l.n = ?",
	[SQL_OUTBOX_DUE] = "SELECT n, attempts FROM outbox WHERE leg = ? AND state = 4 AND due <= ?"
	    " ORDER BY due, n LIMIT ?",
	[SQL_OUTBOX_LATER] = "SELECT due FROM outbox WHERE leg = ? AND state = 4 AND due > ?"
	    " ORDER BY due LIMIT 1",
	[SQL_OUTBOX_OLDEST] = "SELECT n FROM outbox WHERE leg = ? AND state = 4 ORDER BY n LIMIT 1",
	[SQL_OUTBOX_ORDERED] = "UPDATE outbox SET state = 5, due = 0 WHERE leg = ? AND state = 4"
	    " AND n <= ?",
	[SQL_OUTBOX_NOW] = "UPDATE outbox SET due = 0 WHERE leg = ? AND state = 4 AND due > 0",
	[SQL_OUTBOX_UPTO] = "SELECT count(*) FROM outbox WHERE leg = ? AND state = 4 AND n <= ?",
	[SQL_OUTBOX_SKIP] = "UPDATE outbox SET state = 6 WHERE leg = ? AND state = 4 AND n <= ?",
	[SQL_OUTBOX_REPLAYS] = "SELECT n, attempts, due, gap FROM outbox"
	    " WHERE leg = ? AND state = 5 ORDER BY n LIMIT ?",
	[SQL_WAIT_ADD] = "INSERT OR REPLACE INTO pending (route, leg, n, recipient, state, attempts,"
	    " due, reason, item, since, number, least, asked)"
	    " VALUES (?1, 0, ?2, '', 1, 1, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
	[SQL_WAIT_DUE] = "SELECT p.route, p.n, p.item, p.since, p.reason, l.revision, l.source,"
	    " l.flags, i.revision, i.last" WAITS " AND p.due <= ? ORDER BY p.due, p.n LIMIT ?",
	[SQL_WAIT_NEXT] = "SELECT p.due" WAITS " ORDER BY p.due LIMIT 1",
	[SQL_WAIT_ITEM] = "UPDATE pending SET due = 0 WHERE state = 1 AND item = ?",
	/* A change of the item that is no revision. */
	[SQL_WAIT_HOUR] = "UPDATE pending SET due = min(due, max(?2, asked + 3600000))"
	    " WHERE state = 1 AND item = ?1 AND number IS NULL",
	/* A counter of the item. */
	[SQL_WAIT_OWN] = "UPDATE pending SET due = 0 WHERE state = 1 AND item = ?1"
	    " AND number IN (?2, 'story.' || ?2) AND least <= ?3",
	/* A counter of a story, in which it is the item's. */
	[SQL_WAIT_COUNT] = "UPDATE pending SET due = 0 WHERE state = 1 AND item IN"
	    " (SELECT ?1 UNION ALL SELECT item FROM mention WHERE story = ?1)"
	    " AND number = 'story.' || ?2 AND least <= ?3",
	[SQL_WAIT_HEAT] = "UPDATE pending SET due = 0 WHERE state = 1 AND item IN"
	    " (SELECT ?1 UNION ALL SELECT item FROM mention WHERE story = ?1)"
	    " AND number IN (?2, 'story.' || ?2) AND least * ?4 <= ?3 * ?4",
	[SQL_WAIT_HEATS] = "SELECT count(*) FROM pending WHERE state = 1 AND item IN"
	    " (SELECT ?1 UNION ALL SELECT item FROM mention WHERE story = ?1)"
	    " AND number IN ('heat', 'score', 'rank', 'story.heat', 'story.score', 'story.rank')",
	[SQL_WAIT_STORY] = "UPDATE pending SET due = 0 WHERE state = 1 AND item IN"
	    " (SELECT ?1 UNION ALL SELECT item FROM mention WHERE story = ?1)",
	[SQL_WAIT_ROUTE] = "UPDATE pending SET due = 0 WHERE route = ? AND leg = 0 AND state = 1",
	[SQL_WAIT_UNTIL] = "UPDATE pending SET due = min(due, since + ?2)"
	    " WHERE route = ?1 AND leg = 0 AND state = 1",
	[SQL_WAIT_CLOCK] = "UPDATE pending SET since = min(since, ?1), due = 0 WHERE state = 1"
	    " AND due > ?1 + ?2 AND (since > ?1 OR due - ?1 > ?1 - since)",
	[SQL_LATE_ADD] = "INSERT INTO late VALUES (?, ?, ?, ?, ?, ?)",
	[SQL_LATE_GET] = "SELECT route, origin, version, since, reason FROM late WHERE n = ?",
	[SQL_LATE_ROWS] = "SELECT n, ~revision FROM log WHERE item = ? AND revision < 0",
	/* The late row of the route by which a record was judged before the row ?4, or last. CROSS:
	 * by the index of the item's late rows. */
	[SQL_LATE_BEFORE] = "SELECT max(l.n) FROM log l CROSS JOIN late t ON t.n = l.n"
	    " WHERE l.item = ?3 AND l.revision < 0 AND l.n < ?4 AND t.route = ?1 AND t.origin = ?2",
	[SQL_LATE_LAST] = "SELECT max(l.n) FROM log l CROSS JOIN late t ON t.n = l.n"
	    " WHERE l.item = ?3 AND l.revision < 0 AND t.route = ?1 AND t.origin = ?2",
	[SQL_EDITION_GET] = EDITION " WHERE route = ? AND name = ?",
	[SQL_EDITION_LAST] = "SELECT max(upto) FROM edition WHERE route = ?",
	[SQL_EDITION_ADD] = "INSERT INTO edition (route, name, zone, since, due, sealed, upto, first, n,"
	    " others, sections, state, why) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[SQL_EDITIONS] = EDITION " WHERE route = ? ORDER BY id DESC LIMIT ?",
	/* The edition whose rows begin at or before a row of the log. */
	[SQL_EDITION_AT] = EDITION " WHERE route = ?1 AND first > 0 AND first <= ?2"
	    " ORDER BY first DESC LIMIT 1",
	/* Sealed ones beyond the last ?2, the first one first. */
	[SQL_EDITIONS_OLD] = EDITION " WHERE route = ?1 AND state = 1 AND id < (SELECT id FROM edition"
	    " WHERE route = ?1 AND state = 1 ORDER BY id DESC LIMIT 1 OFFSET ?2 - 1) ORDER BY id LIMIT ?3",
	[SQL_EDITION_OLDEST] = "SELECT name FROM edition WHERE route = ? AND state = 1 ORDER BY id LIMIT 1",
	[SQL_EDITION_PRUNE] = "UPDATE edition SET state = 3, others = x'', sections = '[]', why = ?2 WHERE id = ?1",
	[SQL_EDITION_RECORDS_DROP] = "DELETE FROM record WHERE n BETWEEN ? AND ?",
	[SQL_EDITION_VIEWS_DROP] = "DELETE FROM edition_view WHERE n BETWEEN ? AND ?",
	/* What the sink is still to get of a range of the log. */
	[SQL_OUTBOX_UNSENT] = "SELECT count(*) FROM outbox WHERE leg = ? AND state IN (4, 5)"
	    " AND n BETWEEN ? AND ?",
	[SQL_EDITION_OTHERS] = "SELECT others FROM edition WHERE id = ?",
	[SQL_EDITION_HAS] = "SELECT edition FROM edition_item WHERE route = ?1 AND item IN"
	    " (SELECT ?2 UNION ALL SELECT item FROM mention WHERE story = ?2) LIMIT 1",
	[SQL_EDITION_VIEW] = "SELECT view FROM edition_view WHERE n = ?",
	[SQL_EDITION_VIEW_ADD] = "INSERT INTO edition_view VALUES (?, ?)",
	[SQL_EDITION_ITEM] = "INSERT OR REPLACE INTO edition_item VALUES (?, ?, ?)",
	[SQL_EDITION_RULE] = "SELECT rule, since, begun FROM edition_rule WHERE route = ?",
	[SQL_EDITION_RULE_SET] = "INSERT OR REPLACE INTO edition_rule VALUES (?, ?, ?, ?)",
	[SQL_EDITION_RULE_DROP] = ("DELETE FROM edition_rule WHERE route = ?"),
	[SQL_MAILING_ADD] = "INSERT OR REPLACE INTO mailing (leg, n, begun, fan) VALUES (?, ?, ?, ?)",
	[SQL_MAILING_FAN] = "SELECT fan, fanned FROM mailing WHERE leg = ? AND n = ?",
	[SQL_MAILING_FANNED] = "UPDATE mailing SET fanned = ?3 WHERE leg = ?1 AND n = ?2",
	[SQL_MAILING_LEFT] = "SELECT fan > fanned FROM mailing WHERE leg = ? AND n = ?",
	[SQL_MAILING_GET] = "SELECT begun FROM mailing WHERE leg = ? AND n = ?",
	[SQL_MAILING_AGAIN] = "UPDATE mailing SET begun = ?3, dead = 0 WHERE leg = ?1 AND n = ?2",
	[SQL_MAILING_STAND] = "SELECT accepted, dead FROM mailing WHERE leg = ? AND n = ?",
	[SQL_MAILING_COUNT] = "UPDATE mailing SET accepted = accepted + ?3, dead = dead + ?4"
	    " WHERE leg = ?1 AND n = ?2",
	[SQL_MAILING_DEL] = "DELETE FROM mailing WHERE leg = ? AND n = ?",
	[SQL_DELIVERY_ADD] = "INSERT OR REPLACE INTO delivery (leg, n, reader, address, state)"
	    " VALUES (?, ?, ?, ?, ?)",
	[SQL_DELIVERY_OPEN] = "SELECT count(*) FROM delivery INDEXED BY delivery_open WHERE leg = ? AND n = ?"
	    " AND state IN (1, 2)",
	[SQL_DELIVERY_AGAIN] = "UPDATE delivery INDEXED BY delivery_dead SET state = 1, attempts = 0, due = 0, effect = 0,"
	    " reply = NULL"
	    " WHERE leg = ? AND n = ? AND state = 3",
	/* ?4: a due time behind it is of a wrong clock. */
	[SQL_DELIVERY_DUE] = "SELECT reader, address FROM delivery WHERE leg = ?1 AND n = ?2 AND state IN (1, 2)"
	    " AND (due <= ?3 OR due > ?4) ORDER BY due, reader LIMIT ?5",
	/* Who is a fixed reader as well has a row already. */
	[SQL_DELIVERY_FAN] = "INSERT OR IGNORE INTO delivery (leg, n, reader, address, state)"
	    " SELECT ?1, ?2, key, address, 1 FROM subscriber WHERE route = ?3 AND id > ?4 AND id <= ?5 AND state = 2",
	[SQL_SUBSCRIBER_LAST] = "SELECT max(id) FROM subscriber WHERE route = ?",
	/* The id of the ?4th active one behind ?2, at most ?3; NULL: there are fewer. */
	[SQL_SUBSCRIBER_NTH] = "SELECT id FROM subscriber WHERE route = ?1 AND id > ?2 AND id <= ?3 AND state = 2"
	    " ORDER BY id LIMIT 1 OFFSET ?4",
	[SQL_DELIVERY_NEXT] = "SELECT max(min(due), 1) FROM delivery WHERE leg = ? AND n = ? AND state IN (1, 2)",
	[SQL_DELIVERY_GET] = "SELECT attempts FROM delivery WHERE leg = ? AND n = ? AND reader = ?",
	[SQL_DELIVERY_SET] = "UPDATE delivery SET state = ?4, attempts = ?5, due = ?6, code = ?7, reply = ?8, at = ?9"
	    " WHERE leg = ?1 AND n = ?2 AND reader = ?3",
	[SQL_DELIVERY_BURY] = "UPDATE delivery INDEXED BY delivery_open SET state = 3, reply = ?3, at = ?4"
	    " WHERE leg = ?1 AND n = ?2 AND state IN (1, 2)",
	/* Those that were not taken and are open still; those that are dead letters. */
	[SQL_DELIVERY_FAILED] = "SELECT count(*) OVER (), reply FROM delivery INDEXED BY delivery_open"
	    " WHERE leg = ?1 AND n = ?2 AND state IN (1, 2) AND reply IS NOT NULL ORDER BY at DESC LIMIT 1",
	[SQL_DELIVERY_DEAD] = "SELECT count(*) OVER (), reply FROM delivery INDEXED BY delivery_dead"
	    " WHERE leg = ?1 AND n = ?2 AND state = 3 ORDER BY at DESC LIMIT 1",
	[SQL_DELIVERY_EFFECT] = "UPDATE delivery SET effect = ?4 WHERE leg = ?1 AND n = ?2 AND reader = ?3",
	[SQL_DELIVERY_EFFECTS_END] = "UPDATE delivery INDEXED BY delivery_dead SET effect = 0"
	    " WHERE leg = ? AND n = ? AND state = 3",
	[SQL_DELIVERY_DROP] = "DELETE FROM delivery WHERE leg = ? AND n = ? AND reader = ?",
	[SQL_DELIVERY_CLEAR] = "DELETE FROM delivery WHERE leg = ? AND n = ?",
	[SQL_DELIVERY_DEL] = "DELETE FROM delivery WHERE leg = ? AND n = ? AND state <> 4",
	[SQL_DELIVERY_FORGET] = "DELETE FROM delivery WHERE leg = ? AND state = 4 AND at < ?",
	[SQL_MAILING_ANEW] = "UPDATE mailing SET accepted = 0, dead = 0 WHERE leg = ?",
	[SQL_OUTBOX_REPLAY_NOW] = "UPDATE outbox SET due = 0 WHERE leg = ? AND state = 5 AND due > 0",
	[SQL_DELIVERY_NOW] = "UPDATE delivery INDEXED BY delivery_open SET due = 0 WHERE leg = ?"
	    " AND state IN (1, 2) AND due > 0",
	/* A reader is forgotten: in each mailing of the route of which something is known, one after the other by
	 * the primary key. */
	[SQL_DELIVERY_UNKNOWN] = "WITH RECURSIVE known(leg, n) AS (SELECT id, (SELECT min(n) FROM delivery"
	    " WHERE leg = id) FROM leg WHERE route = ?1 UNION ALL SELECT leg, (SELECT min(d.n) FROM delivery d"
	    " WHERE d.leg = known.leg AND d.n > known.n) FROM known WHERE n IS NOT NULL)"
	    " DELETE FROM delivery WHERE reader = ?2 AND (leg, n) IN (SELECT leg, n FROM known WHERE n IS NOT NULL)",
	[SQL_DELIVERY_OF] = "SELECT address, state, attempts, due, reply, at FROM delivery"
	    " WHERE leg = ? AND n = ? ORDER BY reader LIMIT ?",
	[SQL_ROUTE_SUBSCRIBE] = "UPDATE route SET subscribe = ?2 WHERE id = ?1 AND subscribe <> ?2",
	[SQL_SUBSCRIBER_KEY] = SUBSCRIBER " WHERE route = ? AND key = ?",
	[SQL_SUBSCRIBER_CONFIRM] = SUBSCRIBER " WHERE confirm = ?",
	[SQL_SUBSCRIBER_LEAVE] = SUBSCRIBER " WHERE leave = ?1 AND id > ?2 ORDER BY id LIMIT 1",
	[SQL_SUBSCRIBER_ALL] = SUBSCRIBER " WHERE key = ?1 AND id > ?2 ORDER BY id LIMIT 1",
	[SQL_SUBSCRIBER_AFTER] = SUBSCRIBER " WHERE +route = ? AND id > ? ORDER BY id LIMIT ?",
	[SQL_SUBSCRIBER_ADD] = "INSERT INTO subscriber (route, key, address, state, leave, confirm,"
	    " confirm_until, asked, asked_from, confirmed, confirmed_from, gone, soft, softened)"
	    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[SQL_SUBSCRIBER_SET] = "UPDATE subscriber SET address = ?2, state = ?3, leave = ?4, confirm = ?5,"
	    " confirm_until = ?6, asked = ?7, asked_from = ?8, confirmed = ?9, confirmed_from = ?10,"
	    " gone = ?11, soft = ?12, softened = ?13 WHERE id = ?1",
	[SQL_SUBSCRIBER_TAKES] = "UPDATE subscriber SET soft = 0, softened = 0"
	    " WHERE route = ? AND key = ? AND soft > 0 AND state = 2",
	[SQL_SUBSCRIBER_LINK] = "UPDATE subscriber SET confirm_until = ?2 WHERE confirm IS NOT NULL"
	    " AND id = (SELECT subscriber FROM letter WHERE id = ?1 AND kind = 1)",
	/* What the dead letters of a mailing did to them is undone: effect 2, 1 or 3. */
	[SQL_SUBSCRIBER_RISE] = "UPDATE subscriber SET state = 2, gone = 0 WHERE route = ?1 AND state = 4 AND key IN"
	    " (SELECT reader FROM delivery INDEXED BY delivery_dead WHERE leg = ?2 AND n = ?3"
	    " AND state = 3 AND effect >= 2)",
	[SQL_SUBSCRIBER_SOFTER] = "UPDATE subscriber SET soft = soft - 1 WHERE route = ?1 AND soft > 0 AND key IN"
	    " (SELECT reader FROM delivery INDEXED BY delivery_dead WHERE leg = ?2 AND n = ?3"
	    " AND state = 3 AND effect IN (1, 3))",
	[SQL_SUBSCRIBER_DEL] = "DELETE FROM subscriber WHERE id = ?",
	[SQL_SUBSCRIBER_COUNTS] = "SELECT state, count(*) FROM subscriber WHERE route = ? GROUP BY state",
	/* ?2, ?3: its link is good until a time between them. */
	[SQL_SUBSCRIBER_OLD] = "SELECT id FROM subscriber WHERE state = 1 AND asked < ?"
	    " AND confirm_until NOT BETWEEN ? AND ? LIMIT 1",
	[SQL_SUPPRESSED_GET] = "SELECT state FROM suppressed WHERE route = ? AND hash = ?",
	[SQL_SUPPRESSED_SET] = "INSERT OR REPLACE INTO suppressed (route, hash, state, at)"
	    " VALUES (?, ?, ?, ?)",
	[SQL_SUPPRESSED_DEL] = "DELETE FROM suppressed WHERE route = ? AND hash = ?",
	[SQL_LETTER_ADD] = "INSERT INTO letter (subscriber, hash, route, kind, state, made, network)"
	    " VALUES (?, ?, ?, ?, 1, ?, ?)",
	[SQL_LETTER_ADDRESS] = "SELECT count(*) FROM letter WHERE hash = ? AND made > ? AND made < ?",
	[SQL_LETTER_NETWORK] = "SELECT count(*) FROM letter WHERE network = ? AND made > ? AND made < ?",
	[SQL_LETTER_ALL] = "SELECT count(*) FROM letter INDEXED BY letter_asked WHERE network <> '' AND made > ? AND made < ?",
	[SQL_LETTER_DROP] = "UPDATE letter SET state = 3 WHERE subscriber = ? AND subscriber > 0 AND state = 1",
	[SQL_LETTER_ORPHAN] = "UPDATE letter SET subscriber = 0 WHERE subscriber = ? AND subscriber > 0",
	[SQL_LETTERS_OF] = "SELECT kind, state, made, network, reply FROM letter WHERE subscriber = ?"
	    " AND subscriber > 0 ORDER BY id",
	/* Those of visitors, who wait, before those of an import. ?2: now; ?3: a due time behind it is of a wrong
	 * clock. */
	[SQL_LETTER_NEXT] = "SELECT letter.id, kind, made, letter.attempts, address, key, leave, confirm"
	    " FROM letter INDEXED BY letter_due CROSS JOIN subscriber ON subscriber.id = letter.subscriber"
	    " WHERE letter.state = 1 AND letter.route = ?1 AND (due <= ?2 OR due > ?3)"
	    " ORDER BY network = '', due, letter.id",
	[SQL_LETTER_LATER] = "SELECT min(due) FROM (SELECT min(due) AS due FROM letter WHERE state = 1"
	    " AND route = ?1 AND (network = '') = 0 AND due > ?2 UNION ALL SELECT min(due) FROM letter"
	    " WHERE state = 1 AND route = ?1 AND (network = '') = 1 AND due > ?2)",
	[SQL_LETTER_GET] = "SELECT attempts, made, state, due, network = '' FROM letter WHERE id = ?",
	[SQL_LETTER_SET] = "UPDATE letter SET state = ?2, attempts = ?3, due = ?4, reply = ?5 WHERE id = ?1",
	[SQL_LETTERS_NOW] = "UPDATE letter SET due = 0 WHERE state = 1 AND due > 0",
	[SQL_LETTERS_LAST] = "SELECT min(made) FROM letter WHERE made > ?",
	[SQL_LETTERS_OLD] = ("DELETE FROM letter WHERE made < ?"),
};
