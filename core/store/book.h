/* The database, and the totals that are held in memory beside it. */
#ifndef CORE_BOOK_H
#define CORE_BOOK_H
#include "db/db.h"
#include "record/heat.h"

#include <stddef.h>
#include <stdint.h>

struct cr_record;
struct digest;
struct matcher;

/* head and the totals include the open transaction. */
struct book {
	struct db	 db;
	struct digest	*digest;
	struct matcher	*matcher;	/* of story.c; NULL: not used yet */
	int64_t		 seed;		/* makes the delivery ids of this database unique */
	int64_t		 head;		/* the log's last n */
	int64_t		 records, revisions, stories;
	struct heat_rules heat;
	uint64_t	 moves;		/* changes of a story's heat since store started */
	/* Of top.c: a story's entering the first `top` is told by records of this source; 0: it is not.
	 * moved: stories that had an event since. */
	uint32_t	 top, top_source;
	int64_t		*moved;
	size_t		 nmoved, room;
	/* Of story_face.c: the heats of the first stories, the hottest first; ranked 0: to be read. */
	double		 rank[HEAT_RANKS];
	size_t		 nrank;
	int		 ranked;
	/* Of heat_anew.c: the story up to which heat began anew, and the last one. */
	int64_t		 anew, anew_last;
};

/* The record of the log's row n, owned by the caller; NULL: not stored (any more), or
 * unreadable. */
struct cr_record *book_record(struct book *, int64_t n);
/* The record of an item's last version, owned by the caller, and the bytes that were read for it (len
 * may be NULL). NULL: not stored (any more), or unreadable. */
struct cr_record *book_last(struct db *, int64_t item, size_t *len);
/* The items that a record id, delivery id, guid or link may name, the newest first, at most max. */
size_t	book_find(struct book *, const char *what, int64_t *item, size_t max);
/* Writes the id of an item's record, a NUL-terminated text of TEXT_BASE32_16 bytes; "": there is
 * none. */
void	book_rid(struct book *, int64_t item, char *id);
/* The item that the id of a record, or of a delivery, names; 0: none. */
int64_t	book_item(struct book *, const char *id);
#endif
