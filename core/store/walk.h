/* A walk: one poll of a source that spans several pages. Stores which pages are still owed
 * (requested and not yet fetched), the state that the pages have set, and whether the last walk was
 * broken off. */
#ifndef CORE_WALK_H
#define CORE_WALK_H
#include "roster.h"

#define WALK_PAGES	10000		/* of one walk: fetched and owed pages together */

enum walk { WALK_GOES_ON, WALK_WHOLE, WALK_FAILED };

/* Writes a page's requests and state in the open transaction. The state takes effect once the walk
 * is complete. doc NULL: the page has no results. added: new items of the page. */
enum walk	walk_page(struct roster *, const struct commit *, const struct mark *,
		    const struct document *, uint32_t added);
/* Some entries of a page that requests others may be on disk before the page is: the walk counts as
 * broken, as after a page that failed, until walk_trust(). 1; 0: it was broken before, and stays so. */
int		walk_doubt(struct roster *, const struct commit *);
void		walk_trust(struct roster *, const struct commit *);
/* Writes state that was set outside of walks; it takes effect at once. A value that would bring the
 * instance over STATE_MAX is logged and not set. */
void		walk_states(struct roster *, uint32_t source, const struct document *);
/* Appends the next owed page to b as a struct owed_page. 0, or -1: no page is owed. */
int		walk_next(struct roster *, uint32_t source, struct buf *b);
/* Writes the answer to MSG_RECALL into b. Pages owed under another configuration of the source are
 * dropped. */
void		walk_recall(struct roster *, const struct recall *, struct buf *b);
#endif
