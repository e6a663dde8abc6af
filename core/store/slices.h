/* The results that core sends for storing: pages of polls, batches of streams and visits. They are stored
 * in slices, so that nothing else waits for a large one. */
#ifndef CORE_SLICE_H
#define CORE_SLICE_H
#include "ipc/msg.h"

#include <stddef.h>

struct book;
struct frame;
struct slices;				/* opaque */
struct roster;

#define SLICE_MS	10		/* of one page, before others get a turn */
#define SLICE_TURN_MS	20		/* of pages that have just arrived, before a large one's slice */
#define SLICE_SHORT	2		/* slices, after which a page counts as large */
#define SLICE_OPEN	8		/* large pages in memory at once */
#define SLICE_LARGE	(1u << 20)	/* bytes of results that may wait for their turn to be read */

/* A page is stored, in the open transaction. stored: records written. more: the walk goes on, with the
 * page that walk_next() gives. */
typedef void	slices_done(void *arg, uint32_t id, const struct committed *, size_t stored);

struct slices	*slices_new(struct book *, struct roster *, slices_done *, void *arg);
void		 slices_free(struct slices *);	/* what is not whole is fetched again; NULL is fine */
/* MSG_COMMIT: takes the results, and stores some of them. -1: the message is malformed. */
int		 slices_take(struct slices *, struct frame *, int64_t durable);
/* Stores more of what was taken. Returns the number of pages that are left. */
size_t		 slices_run(struct slices *);
size_t		 slices_left(const struct slices *);
#endif
