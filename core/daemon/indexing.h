/* The role index as core sees it: where its file is, and how far it is. */
#ifndef CORE_INDEXING_H
#define CORE_INDEXING_H
#include <jansson.h>

struct core;
struct frame;
struct role;

void	 indexing_setup(struct role *);		/* the role has started: makes its folder, too */
void	 indexing_head(struct core *);		/* the log may have grown */
void	 indexing_at(struct core *, struct frame *);	/* MSG_INDEXED */
void	 indexing_gone(struct core *);
/* For the status: {"n", "of", "records", "building", "waiting", "why"}; "why" alone: it
 * has not told yet. */
json_t	*indexing_json(const struct core *);
#endif
