/* The SQLite file, opened for writing: prepared statements, transactions, checkpoints. Only the
 * role store opens it for writing; a fatal error ends the process. */
#ifndef CORE_DB_H
#define CORE_DB_H
#include "schema.h"
#include "base/buf.h"

#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SCHEMA_BUSY_MS		2000		/* to wait for another process's lock */
#define SCHEMA_CACHE_KIB	8192		/* page cache of the writer */
#define SCHEMA_WAL_SLICE	1000		/* pages in the WAL from which on to checkpoint */
#define SCHEMA_WAL_MAX		(64 << 20)	/* bytes of the WAL file after a reset, at most */

/* Exit statuses of store, after BSD's sysexits where one fits. */
enum schema_exit {
	STORE_EXIT_NEWER	= 65,	/* the file was written by a newer version; untouched */
	STORE_EXIT_CORRUPT	= 66,	/* no database, not Courant's, or damaged */
	STORE_EXIT_READONLY	= 73,	/* the file or its folder cannot be written */
	STORE_EXIT_FULL		= 74,	/* disk full, I/O error: the transaction is not stored */
	STORE_EXIT_LOCKED	= 75,	/* another process holds a lock */
};

struct db {
	sqlite3		*handle;
	sqlite3_stmt	*statement[SQL_MAX];
	char		*path;
	int		 open;		/* a transaction is open */
	int		 reading;	/* a transaction that only reads is open */
	int		 wal;		/* pages in the WAL after the last commit */
	dev_t		 dev;		/* of the file */
	ino_t		 inode;
	uint64_t	 commits;	/* so far; each is one sync to disk */
};

/* An argument of a statement. Texts and blobs are borrowed until the next use of the statement. */
struct db_arg {
	enum { DB_INT_, DB_TEXT_, DB_BLOB_, DB_REAL_ } type;
	int64_t		 i;
	const void	*p;
	size_t		 len;
	double		 real;
};
#define DB_INT(v)	((struct db_arg){ DB_INT_, (v), NULL, 0, 0 })
#define DB_TEXT(s)	((struct db_arg){ DB_TEXT_, 0, (s), 0, 0 })	/* NULL: NULL */
#define DB_BLOB(v, n)	((struct db_arg){ DB_BLOB_, 0, (v), (n), 0 })	/* NULL: NULL */
#define DB_REAL(v)	((struct db_arg){ DB_REAL_, 0, NULL, 0, (v) })	/* -INFINITY: NULL */

/* Opens the file, or creates it. 0, or an enum schema_exit; then the reason is logged, nothing is
 * open and the file is unchanged. An existing file is never replaced by a new one. */
int	db_open(struct db *, const char *path);
/* Rolls an open transaction back. */
void	db_close(struct db *);
/* Binds all arguments and begins the statement. An error of the disk, a lock or damage ends the
 * process with its enum schema_exit: the open transaction is not stored. */
#define db_bind(db, sql, ...)	db_bind_((db), (sql), (struct db_arg[]){ __VA_ARGS__ }, \
	sizeof((struct db_arg[]){ __VA_ARGS__ }) / sizeof(struct db_arg))
/* db_run: binds and runs a statement without rows. db_get: the first column, or `none` if there is
 * no row. */
#define db_run(db, sql, ...)	(db_bind(db, sql, __VA_ARGS__), (void)db_step((db), (sql)))
#define db_get(db, sql, none, ...)	(db_bind(db, sql, __VA_ARGS__), db_first((db), (sql), (none)))
void	db_bind_(struct db *, enum sql, const struct db_arg *, size_t);
int	db_step(struct db *, enum sql);		/* 1: a row; 0: no more, the statement is reset */
void	db_done(struct db *, enum sql);		/* resets a statement that may have more rows */
int64_t	db_first(struct db *, enum sql, int64_t none);
/* Columns of the row, counted from 0; borrowed until the next step. */
int64_t		 db_int(struct db *, enum sql, int column);
double		 db_real(struct db *, enum sql, int column);	/* NULL: -INFINITY */
const char	*db_text(struct db *, enum sql, int column);	/* NULL: NULL */
struct bytes	 db_blob(struct db *, enum sql, int column);
/* Between the two, statements that read share one transaction, which spares each its two locks.
 * db_begin() ends it. */
void	db_read(struct db *);
void	db_read_end(struct db *);
void	db_begin(struct db *);			/* unless a transaction is open */
void	db_commit(struct db *);			/* the transaction is on disk when it returns */
void	db_checkpoint(struct db *);		/* from SCHEMA_WAL_SLICE on; not in a transaction */
int	db_lost(const struct db *);		/* 1: the path no longer names the open file */
int64_t	db_bytes(struct db *);			/* of the file */
int64_t	db_last(struct db *);			/* last_insert_rowid() */
#endif
