/* The database as the roles serve and index read it: opened read-only, one short statement at a time. A
 * statement is ended as soon as its rows are read, since an open one prevents a full checkpoint of
 * the write-ahead log. */
#ifndef CORE_READER_H
#define CORE_READER_H
#include "ipc/wire.h"

#include <stddef.h>
#include <stdint.h>

#define READER_SCAN	50000		/* rows of the log that one page of the API searches */
#define READER_MS	250		/* run time of one statement, at most */

struct reader;				/* opaque */

/* Records of hidden stories are left out, but by LOOK_RECORD. */
enum reader_sql {
	LOOK_HEAD,	/* max(n) of the log */
	LOOK_NEWEST,	/* struct reader_row; ?1 before n, ?2 not before n, ?3 source or NULL,
			 * ?4 not before ms, ?5 limit: the newest first */
	LOOK_AFTER,	/* struct reader_row; ?1 after n, ?2 up to n, the rest as above: the oldest
			 * first */
	LOOK_RECORD,	/* struct reader_row; behind it the act that hid its story; ?1 rid */
	LOOK_STORY,	/* id, rid, heat (its logarithm, or NULL), score, born, items, hidden, of the
			 * story of the record ?1, a rid */
	LOOK_STORY_RECORDS,	/* struct reader_row of each record of the story ?1, the first one
			 * first; ?2 limit */
	LOOK_STORY_TERMS,	/* item, source's id, name, hi, w, heat, n, first, last, rid, source's
			 * name, of the story ?1 (heat_term.h) */
	LOOK_STORY_MERGED,	/* rids of the stories that became part of ?1; ?2 limit */
	LOOK_STORY_RANK,	/* how many shown stories are hotter than ?1, up to ?2 */
	/* A list of stories (lists.h): id, rid, heat, score, born, items; ?1 born from ?1 on, before ?2, ?3 key, ?4
	 * born, ?5 id of the row before, ?6 limit. */
	LOOK_LIST_HEAT, LOOK_LIST_BIRTH, LOOK_LIST_SPAN_HEAT, LOOK_LIST_SPAN_SCORE,
	LOOK_STORY_NUMBERS,	/* name, value of each counter of the story ?1 */
	LOOK_META,	/* the value of ?1 */
	LOOK_SOURCE,	/* id of the source named ?1 */
	LOOK_ROUTE,	/* id of the route named ?1 */
	LOOK_SUBSCRIBE,	/* title of the route named ?1, if readers can subscribe to it */
	LOOK_SOURCES,	/* name, plugin, state, checked, ok, due, failures, status, found, error,
			 * unreliable; ?1 after name, ?2 limit */
	LOOK_AT,	/* struct reader_row in the version of the log's row ?1, or, if that version
			 * is no longer stored, in the last one; ?3, ?4 as above */
	LOOK_LATER,	/* n of later rows of the same item as row ?1: the newest first */
	LOOK_EDITION_ROUTES,	/* name, title of the routes with editions; ?1 limit */
	LOOK_EDITION_ROUTE,	/* id, title of the route with editions that is named ?1 */
	LOOK_EDITIONS,	/* name, n, left out, sealed, of the sealed ones of the route ?1, the newest first; ?2 limit,
			 * ?3 so many are passed over */
	LOOK_EDITION,	/* state, when the sealed one behind it was sealed, or 0; ?1 route, ?2 name */
	LOOK_VERDICTS_BEFORE,	/* first, last, blob; ?1 route, ?2 before n: the newest first */
	LOOK_VERDICTS_AFTER,	/* the same; ?2 after n: the oldest first */
	LOOK_INDEXED,	/* struct reader_row, behind it the item, of the versions that are the last of
			 * their item; ?1 after n, ?2 limit: the oldest first. Hidden ones, too */
	LOOK_MATCH,	/* item, story, heat, seen, of the row ?1, if it is its item's last version */
	LOOK_ITEM,	/* struct reader_row, behind it heat and items of its story; ?1 the item */
	LOOK_ITEM_OF,	/* item, story, of the record ?1, a rid */
	LOOK_KEY,	/* item, story, of those that have the key ?1 (story_key.h); ?2 limit */
	LOOK_AGE,	/* when the first row of the log from ?1 on was stored, ms */
	LOOK_TOTAL,	/* max(n) of the log, records, the database's seed */
	LOOK_MAX
};

/* Does not open the file yet. */
struct reader	*reader_new(const char *path);
void		 reader_free(struct reader *);		/* NULL is fine */
const char	*reader_why(const struct reader *);	/* why the last function failed */

/* An argument: NULL text is NULL. */
struct db_arg {
	enum { DB_INT_, DB_TEXT_, DB_BLOB_, DB_REAL_ } type;
	int64_t		 i;
	const void	*p;
	size_t		 len;
	double		 r;
};
#define DB_INT(v)	((struct db_arg){ .type = DB_INT_, .i = (v) })
#define DB_TEXT(s)	((struct db_arg){ .type = DB_TEXT_, .p = (s) })
#define DB_BLOB(v, n)	((struct db_arg){ .type = DB_BLOB_, .p = (v), .len = (n) })
#define DB_REAL(v)	((struct db_arg){ .type = DB_REAL_, .r = (v) })
#define LOOK_NULL	DB_TEXT(NULL)

/* Begins a statement. Opens the database if it is not open, or if the path names another file than
 * the open one. 0, or -1: see reader_why(). One statement at a time. reader_ask0: without
 * arguments. */
#define reader_ask(r, look, ...)	reader_ask_((r), (look), \
	(struct db_arg[]){ __VA_ARGS__ }, \
	sizeof((struct db_arg[]){ __VA_ARGS__ }) / sizeof(struct db_arg))
#define reader_ask0(r, look)	reader_ask_((r), (look), NULL, 0)
int		 reader_ask_(struct reader *, enum reader_sql, const struct db_arg *, size_t n);
int		 reader_step(struct reader *);	/* 1: a row; 0: the end; -1: an error */
void		 reader_done(struct reader *);	/* needed after each reader_ask() that returns 0 */

/* Columns of the row, from 0; borrowed until the next step. */
int64_t		 reader_int(struct reader *, int column);
double		 reader_real(struct reader *, int column);	/* -INFINITY: NULL */
const char	*reader_text(struct reader *, int column);	/* NULL: NULL */
struct bytes	 reader_blob(struct reader *, int column);

/* A row of LOOK_NEWEST, LOOK_AFTER, LOOK_AT, LOOK_RECORD, LOOK_STORY_RECORDS. Borrowed. */
struct reader_row {
	int64_t		 n, seen;
	uint32_t	 revision;
	struct bytes	 rid, blob;
	struct bytes	 changes;	/* a record whose fields replace the blob's; NULL: none */
	const char	*source;
};
void		 reader_row(struct reader *, struct reader_row *);
/* Appends the row as JSON (record_json()). -1: the blob is no record; nothing is added. */
struct buf;
int		 reader_row_json(const struct reader_row *, struct buf *);
struct cr_record *reader_row_record(const struct reader_row *);	/* NULL: no record */
#endif
