/* A source's walk: a poll of several pages. Which of them are still owed, what state they have set, and
 * whether the last walk was broken off. */
#ifndef CORE_WALK_H
#define CORE_WALK_H
#include "roster.h"

#define WALK_PAGES	10000		/* of one walk, read and owed */

enum walk { WALK_GOES_ON, WALK_WHOLE, WALK_FAILED };

/* Takes what a page's commit says into the open transaction: what it owes, and the state that it set,
 * which counts once the walk is whole. doc NULL: it brought nothing. */
enum walk	walk_page(struct roster *, const struct commit *, const struct mark *,
		    const struct document *, uint32_t added);
/* The state that was set outside of walks, which counts at once. A value that would bring an instance
 * over STATE_MAX is told and left as it was. */
void		walk_states(struct roster *, uint32_t source, const struct document *);
/* The next page owed, into b as struct owed_page. 0, or -1: none is. */
int		walk_next(struct roster *, uint32_t source, struct buf *b);
/* Answers MSG_RECALL into b. What is owed under another configuration is dropped. */
void		walk_recall(struct roster *, const struct recall *, struct buf *b);
#endif
