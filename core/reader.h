/* The database as serve reads it: opened read-only, short statements, one at a time, each ended at
 * once, since an open one keeps the write-ahead log from being emptied. */
#ifndef CORE_READER_H
#define CORE_READER_H
#include "wire.h"

#include <stddef.h>
#include <stdint.h>

#define READER_SCAN	50000		/* rows of the log that one question looks through */
#define READER_MS	250		/* that one statement may take */

struct reader;				/* opaque */

enum look {
	LOOK_HEAD,	/* max(n) of the log */
	LOOK_NEWEST,	/* struct reader_row; ?1 before n, ?2 not before n, ?3 source or NULL,
			 * ?4 not before ms, ?5 limit: the newest first */
	LOOK_AFTER,	/* struct reader_row; ?1 after n, ?2 up to n, the rest as above: the oldest
			 * first */
	LOOK_RECORD,	/* struct reader_row; ?1 rid */
	LOOK_SOURCE,	/* id of the source named ?1 */
	LOOK_ROUTE,	/* id of the route named ?1 */
	LOOK_SOURCES,	/* name, plugin, state, checked, ok, due, failures, status, found, error,
			 * unreliable; ?1 after name, ?2 limit */
	LOOK_AT,	/* struct reader_row; ?1 n, ?3, ?4 as above */
	LOOK_VERDICTS_BEFORE,	/* first, last, blob; ?1 route, ?2 before n: the newest first */
	LOOK_VERDICTS_AFTER,	/* the same; ?2 after n: the oldest first */
	LOOK_MAX
};

/* Does not open it yet. */
struct reader	*reader_new(const char *path);
void		 reader_free(struct reader *);		/* NULL is fine */
const char	*reader_why(const struct reader *);	/* why the last function failed */

/* An argument: NULL text is NULL. */
struct look_arg {
	enum { LOOK_INT_, LOOK_TEXT_, LOOK_BLOB_ } type;
	int64_t		 i;
	const void	*p;
	size_t		 len;
};
#define LOOK_INT(v)	((struct look_arg){ LOOK_INT_, (v), NULL, 0 })
#define LOOK_TEXT(s)	((struct look_arg){ LOOK_TEXT_, 0, (s), 0 })
#define LOOK_BLOB(v, n)	((struct look_arg){ LOOK_BLOB_, 0, (v), (n) })
#define LOOK_NULL	LOOK_TEXT(NULL)

/* Begins a statement, opening the database when it is not open, or another file has its name now.
 * 0, or -1. Only one at a time. reader_ask0: without arguments. */
#define reader_ask(r, look, ...)	reader_ask_((r), (look), \
	(struct look_arg[]){ __VA_ARGS__ }, \
	sizeof((struct look_arg[]){ __VA_ARGS__ }) / sizeof(struct look_arg))
#define reader_ask0(r, look)	reader_ask_((r), (look), NULL, 0)
int		 reader_ask_(struct reader *, enum look, const struct look_arg *, size_t n);
int		 reader_step(struct reader *);	/* 1: a row; 0: the end; -1: it failed */
void		 reader_done(struct reader *);	/* always, after the last row that is wanted */

/* Columns of the row, from 0; borrowed until the next step. */
int64_t		 reader_int(struct reader *, int column);
const char	*reader_text(struct reader *, int column);	/* NULL: NULL */
struct bytes	 reader_blob(struct reader *, int column);

/* A row of LOOK_NEWEST, LOOK_AFTER, LOOK_AT, LOOK_RECORD. Borrowed. */
struct reader_row {
	int64_t		 n, seen;
	uint32_t	 revision;
	struct bytes	 rid, blob;
	struct bytes	 changes;	/* a record that is laid over it; none: NULL */
	const char	*source;
};
void		 reader_row(struct reader *, struct reader_row *);
/* As JSON (record_json()), added to b. -1: the bytes are no record; nothing is added. */
struct buf;
int		 reader_row_json(const struct reader_row *, struct buf *);
struct cr_record *reader_row_record(const struct reader_row *);	/* NULL: no record */
#endif
