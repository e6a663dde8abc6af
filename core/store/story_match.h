/* Which stories a record belongs to: the look-up by its keys, and the guards. */
#ifndef CORE_STORY_MATCH_H
#define CORE_STORY_MATCH_H
#include "record/same.h"

#include <stddef.h>
#include <stdint.h>

struct cr_record;
struct db;
struct digest;

#define MATCH_STORIES	32		/* that one record joins, at most */
#define MATCH_ITEMS	64		/* the newest of a key that are looked at */
#define MATCH_COMPARED	200		/* records that one record is compared with, at most */
#define MATCH_GUARDED	64		/* records of a story whose ids are read, at most */

struct matcher;				/* opaque; keys of one record, and room to compare it */

/* A story that the record belongs to: item is the record of it that led there, why the reason in
 * words for people. */
struct match { int64_t story, item; char why[SAME_WHY]; };

struct matcher	*matcher_new(void);
void		 matcher_free(struct matcher *);	/* NULL is fine */
/* Takes the keys of a record, which is borrowed until matcher_find() has returned. */
void		 matcher_read(struct matcher *, struct digest *, const struct cr_record *);
/* The stories that the record of the item belongs to, the best reason first, but for its own;
 * story 0: the item is not stored yet. Only reads the database. */
size_t		 matcher_find(struct matcher *, struct db *, int64_t item, int64_t source,
		    int64_t story, struct match[MATCH_STORIES]);
/* Writes the record's keys as those of the item. */
void		 matcher_save(const struct matcher *, struct db *, int64_t item);
#endif
