/* Stories: which items of different sources speak of the same. */
#ifndef CORE_STORY_H
#define CORE_STORY_H
#include "digest.h"
#include "record.h"
#include "schema.h"

#define STORY_KEYS	2		/* of one record, at most */

/* What a record can share with others: the canonical key of its link, unless that is only a site;
 * its title, when it is long enough to be nobody else's; with a number standing alone in the title
 * (an issue, a day, a part), the title with the text. Returns how many; they are never 0. */
size_t	story_keys(struct digest *, const struct cr_record *, int64_t key[STORY_KEYS]);

/* The story of a new item, made when there is none: that is the one function that says so. Two items
 * of one source are never one story: their source holds them apart. Writes story, its keys and
 * mentions, and what of it waits is due; *items: how many it now has. */
int64_t	story_of(struct db *, struct digest *, const struct cr_record *, int64_t item,
	    int64_t source, int64_t *items);
#endif
