/* The database: one SQLite file, its schema and version, its prepared statements, its transaction.
 * Only store opens it for writing. */
#ifndef CORE_SCHEMA_H
#define CORE_SCHEMA_H
#include "wire.h"

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SCHEMA_APPLICATION	0x43524e54	/* "CRNT", at byte 68 of the file */
#define SCHEMA_VERSION		4		/* user_version, at byte 60; see steps[] */
#define SCHEMA_BUSY_MS		2000		/* that we wait for another's lock */
#define SCHEMA_CACHE_KIB	8192		/* page cache of the writer */
#define SCHEMA_WAL_SLICE	1000		/* pages in the WAL that make a checkpoint worth it */
#define SCHEMA_WAL_MAX		(64 << 20)	/* bytes of WAL kept after a checkpoint */

/* Exit statuses of store, after BSD's sysexits where one fits. */
enum schema_exit {
	STORE_EXIT_NEWER	= 65,	/* the file was written by a newer version; untouched */
	STORE_EXIT_CORRUPT	= 66,	/* no database, not ours, or damaged */
	STORE_EXIT_READONLY	= 73,	/* it or its folder cannot be written */
	STORE_EXIT_FULL		= 74,	/* disk full, I/O error: the transaction did not happen */
	STORE_EXIT_LOCKED	= 75,	/* another process keeps it locked */
};

/* enum log_flag of the column log.flags; the rank in a first fetch stands above them. */
enum log_flag { LOG_FIRST = 1 /* came in its source's first fetch */ };
#define LOG_RANK_SHIFT	8		/* place in the first fetch, 0 the newest */
#define LOG_RANK_MAX	0xffffff

/* pending.state */
enum pending_state {
	PENDING_WAIT	= 1,		/* the filter said wait; leg is PENDING_FILTER */
	PENDING_DEAD	= 2,		/* the sink, or a filter, will never take it */
	PENDING_PARKED	= 3,		/* killed two workers */
	PENDING_RETRY	= 4,		/* the sink failed on it; it stands first in its leg */
};
#define PENDING_FILTER	0		/* pending.leg of what a filter waits or died for */

/* The statements; their text stands in schema.c in this order. */
enum sql {
	SQL_BEGIN, SQL_COMMIT, SQL_META_GET, SQL_META_SET, SQL_HEAD, SQL_OLDEST, SQL_PAGES,
	SQL_SOURCES, SQL_SOURCE_GET, SQL_SOURCE_ADD, SQL_SOURCE_SET, SQL_SOURCE_GONE, SQL_SOURCE_STATE,
	SQL_MARK_GET, SQL_MARK_SET, SQL_FEED_SET, SQL_FEED_GET, SQL_STATE_SET, SQL_STATE_UNSET,
	SQL_STATES, SQL_STATE_SIZE, SQL_STATE_LEN, SQL_STATE_SOURCES, SQL_STATE_FILTERS,
	SQL_STATE_RULES, SQL_STATE_DROP,
	SQL_WALKS, SQL_WALK_GET, SQL_WALK_SET, SQL_WALK_DEL, SQL_OWED_SOURCES, SQL_OWED_ADD,
	SQL_OWED_FIRST, SQL_OWED_COUNT, SQL_OWED_FAIL, SQL_OWED_DEL, SQL_OWED_DROP,
	SQL_HELD_SET, SQL_HELD, SQL_HELD_DROP,
	SQL_KEY_FIND, SQL_KEY_ADD, SQL_ITEMS_BY_KEY, SQL_ITEM_BY_RID, SQL_ITEM_WHOLE, SQL_ITEM_GET, SQL_ITEM_ADD, SQL_ITEM_REVISE, SQL_ITEM_TOUCH,
	SQL_ITEMS_OF, SQL_LOG_ADD, SQL_LOG_ITEM, SQL_LOG_REVISIONS, SQL_LOG_SCAN, SQL_LOG_GET,
	SQL_LOG_FLAGS, SQL_LOG_VERSIONS, SQL_LOG_OF, SQL_LOG_AFTER,
	SQL_RECORD_ADD, SQL_RECORD_SET, SQL_RECORD_GET, SQL_RECORD_DEL,
	SQL_STORY_ADD, SQL_STORY_COUNT, SQL_STORY_ITEM, SQL_STORY_MORE, SQL_STORY_KEY_FIND, SQL_STORY_KEY_ADD,
	SQL_MENTION_ADD, SQL_MENTIONS,
	SQL_ROUTES, SQL_ROUTE_ADD, SQL_ROUTE_SET, SQL_ROUTE_MOVE, SQL_ROUTE_GONE,
	SQL_LEGS, SQL_LEG_ADD, SQL_LEG_SET, SQL_LEG_GONE,
	SQL_VERDICT_ADD, SQL_VERDICT_AT, SQL_VERDICT_NEXT, SQL_VERDICT_PREV,
	SQL_PENDING_ADD, SQL_PENDING_DONE, SQL_PENDING_GET, SQL_PENDING_COUNTS,
	SQL_WAIT_ADD, SQL_WAIT_DUE, SQL_WAIT_NEXT, SQL_WAIT_ITEM, SQL_WAIT_STORY, SQL_WAIT_ROUTE,
	SQL_WAIT_UNTIL, SQL_LATE_ADD, SQL_LATE_GET, SQL_LATE_ROWS,
	SQL_MAX
};

struct db {
	sqlite3		*handle;
	sqlite3_stmt	*statement[SQL_MAX];
	char		*path;
	int		 open;		/* a transaction is */
	int		 wal;		/* pages in the WAL after the last commit */
	dev_t		 dev;		/* of the file */
	ino_t		 inode;
	uint64_t	 commits;	/* made so far: each one sync */
};

/* Opens or creates it. 0, or an enum schema_exit after a log line that says why; then nothing is
 * open and the file is as it was. A file that exists is never replaced by a new one. */
int	db_open(struct db *, const char *path);
/* Commits nothing: what is open is rolled back. */
void	db_close(struct db *);

/* An argument of a statement. Texts and blobs are borrowed until the statement is next used. */
struct db_arg {
	enum { DB_INT_, DB_TEXT_, DB_BLOB_ } type;
	int64_t		 i;
	const void	*p;
	size_t		 len;
};
#define DB_INT(v)	((struct db_arg){ DB_INT_, (v), NULL, 0 })
#define DB_TEXT(s)	((struct db_arg){ DB_TEXT_, 0, (s), 0 })	/* NULL: NULL */
#define DB_BLOB(v, n)	((struct db_arg){ DB_BLOB_, 0, (v), (n) })	/* NULL: NULL */

/* Binds all arguments and begins. What fails for a reason outside (disk, lock, damage) ends the
 * process with its enum schema_exit: what was not committed did not happen. */
#define db_bind(db, sql, ...)	db_bind_((db), (sql), (struct db_arg[]){ __VA_ARGS__ }, \
	sizeof((struct db_arg[]){ __VA_ARGS__ }) / sizeof(struct db_arg))
void	db_bind_(struct db *, enum sql, const struct db_arg *, size_t);
int	db_step(struct db *, enum sql);		/* 1: a row; 0: no more, and it is reset */
void	db_done(struct db *, enum sql);		/* before the last row was read: resets */
/* Binds and runs a statement without rows; db_get: its first column, or `none` without a row. */
#define db_run(db, sql, ...)	(db_bind(db, sql, __VA_ARGS__), (void)db_step((db), (sql)))
#define db_get(db, sql, none, ...)	(db_bind(db, sql, __VA_ARGS__), db_first((db), (sql), (none)))
int64_t	db_first(struct db *, enum sql, int64_t none);

/* Columns of the row, counted from 0; borrowed until the next step. */
int64_t		 db_int(struct db *, enum sql, int column);
const char	*db_text(struct db *, enum sql, int column);	/* NULL: NULL */
struct bytes	 db_blob(struct db *, enum sql, int column);

void	db_begin(struct db *);			/* unless one is open */
void	db_commit(struct db *);			/* on disk when it returns */
void	db_checkpoint(struct db *);		/* when the WAL is long; not in a transaction */
int	db_lost(const struct db *);		/* 1: its name is no longer the file's */
int64_t	db_bytes(struct db *);			/* of the file */
int64_t	db_last(struct db *);			/* last_insert_rowid() */
#endif
