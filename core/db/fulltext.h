/* index.db, the full text of the records, as the role index writes and reads it. The file may be deleted
 * at any time: all of it is in the database. */
#ifndef CORE_FULLTEXT_H
#define CORE_FULLTEXT_H
#include "reader.h"

#include <stddef.h>
#include <stdint.h>

#define FULLTEXT_MS		250	/* CPU time of one statement that answers a question */
#define FULLTEXT_VERSION	1	/* of its tables: user_version */
#define FULLTEXT_WHY		256

struct fulltext;			/* opaque */

/* f: fts5(title, text, tags), the words of a record (record/searched.h) with a space between; its rowid
 * is the row of the log that has this version. at: one row. */
enum fulltext_sql {
	FULLTEXT_BEGIN, FULLTEXT_COMMIT, FULLTEXT_ROLLBACK,
	FULLTEXT_AT,		/* n, seed, built, docs, dead, counted, words */
	FULLTEXT_AT_SET,	/* ?1 n, ?2 docs, ?3 dead, ?4 counted */
	FULLTEXT_ADD,		/* ?1 n, ?2 title, ?3 text, ?4 tags */
	FULLTEXT_SIG,		/* bytes; ?1 item */
	FULLTEXT_SIG_SET,	/* ?1 item, ?2 bytes */
	/* rowid and score of those that match ?1, the newest first; ?2 weights of its phrases, one
	 * double each; ?3 from, ?4 to n; ?5 limit */
	FULLTEXT_SCORED,
	FULLTEXT_NEWEST,	/* rowid; ?1, ?2 from, ?3 to n, ?4 limit */
	FULLTEXT_HAS,		/* a row if something matches ?1 */
	FULLTEXT_VOCABULARY,	/* word, df; ?1 behind it, ?2 limit: from f */
	FULLTEXT_TERM,		/* id, df; ?1 word */
	FULLTEXT_TERM_ADD,	/* ?1 word, ?2 df */
	FULLTEXT_TERM_SET,	/* ?1 id, ?2 df */
	FULLTEXT_SPELL_ADD,	/* ?1 id, ?2 word */
	FULLTEXT_TERMS,		/* word, df: all */
	FULLTEXT_TERMS_NEAR,	/* word, df; ?1 a MATCH of trigrams, ?2 limit */
	FULLTEXT_COMPLETE,	/* word, df; ?1 from, ?2 below; ?3 limit: the most frequent first */
	FULLTEXT_MAX
};

enum fulltext_state {
	FULLTEXT_FINE,
	FULLTEXT_MISSING,	/* there is no such file */
	FULLTEXT_OTHER,		/* it is of another version, or of another database */
	FULLTEXT_DAMAGED,
	FULLTEXT_FULL,		/* no room on the disk, or the disk fails */
	FULLTEXT_LATE,		/* a statement took too long */
	FULLTEXT_FAILED		/* else: the file cannot be opened */
};

/* Opens the file; create: a new one, in place of what is there. seed: of the database. NULL: *state and
 * why[FULLTEXT_WHY] say why. */
struct fulltext	*fulltext_open(const char *path, int create, int64_t seed, enum fulltext_state *,
		    char *why);
void		 fulltext_close(struct fulltext *);	/* with all of it in the file itself; NULL is fine */
/* Removes a file with its log. */
void		 fulltext_remove(const char *path);
/* The state after the last function that returned -1, and why. */
enum fulltext_state fulltext_state(const struct fulltext *);
const char	*fulltext_why(const struct fulltext *);
int		 fulltext_lost(const struct fulltext *);	/* the path no longer names the open file */
int64_t		 fulltext_bytes(struct fulltext *);
int64_t		 fulltext_last(const struct fulltext *);	/* last_insert_rowid() */

/* Until fulltext_slow(), each statement takes FULLTEXT_MS at most. */
void		 fulltext_hurry(struct fulltext *);
void		 fulltext_slow(struct fulltext *);
/* Begin, step, end a statement; several may be open. ask and run (which has no rows): 0, or -1. step: 1 a
 * row, 0 the end, -1. Columns from 0; borrowed until the next step. */
#define fulltext_ask(f, sql, ...)	fulltext_ask_((f), (sql), (struct db_arg[]){ __VA_ARGS__ }, \
	sizeof((struct db_arg[]){ __VA_ARGS__ }) / sizeof(struct db_arg))
#define fulltext_ask0(f, sql)		fulltext_ask_((f), (sql), NULL, 0)
#define fulltext_run(f, sql, ...)	(fulltext_ask(f, sql, __VA_ARGS__) == 0 ? \
	fulltext_end((f), (sql)) : -1)
#define fulltext_run0(f, sql)		(fulltext_ask0(f, sql) == 0 ? fulltext_end((f), (sql)) : -1)
int		 fulltext_ask_(struct fulltext *, enum fulltext_sql, const struct db_arg *, size_t);
int		 fulltext_step(struct fulltext *, enum fulltext_sql);
void		 fulltext_done(struct fulltext *, enum fulltext_sql);
int		 fulltext_end(struct fulltext *, enum fulltext_sql);	/* steps once, and is done: 0, -1 */
int64_t		 fulltext_int(struct fulltext *, enum fulltext_sql, int column);
double		 fulltext_real(struct fulltext *, enum fulltext_sql, int column);
struct bytes	 fulltext_blob(struct fulltext *, enum fulltext_sql, int column);
#endif
