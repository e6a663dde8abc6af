/* The exact keys by which records of several sources are joined to one story. */
#ifndef CORE_STORY_KEY_H
#define CORE_STORY_KEY_H
#include "base/digest.h"
#include "record.h"
#include "work.h"

/* id: the keys of ids.id. link: of the link (work_key()); was: of the link as databases before version
 * 9 know it. title: of the title, in these databases alone, if it is specific enough; a title with a
 * number as a word (an issue, a day, a part) makes a key together with the text. 0: the record has no
 * such key, as a link has none that names only a site. They are kept in the database: a link or an id
 * of a known form must not change its key. */
struct story_keys {
	struct work_ids	ids;
	int64_t		id[WORK_IDS];
	int64_t		link, was, title;
};

/* Of an id of a work, as work_ids() gives it. */
int64_t	story_id_key(struct digest *, const char *id);
void	story_keys(struct digest *, const struct cr_record *, struct story_keys *);
#endif
