/* What a route kept, as serve reads it from the ledger's verdicts. */
#ifndef CORE_KEPT_H
#define CORE_KEPT_H
#include "wire.h"

#include <stddef.h>
#include <stdint.h>

#define KEPT_ROWS	2000		/* read for one page */
#define KEPT_BYTES	(8u << 20)	/* of changes, read for one page */

struct reader;

struct kept_row {
	int64_t		 n;		/* in the log */
	struct bytes	 changes;	/* by the route's filters; owned; none: NULL */
};
struct kept {
	struct kept_row	*row;
	size_t		 n;
	size_t		 bytes;
	int		 more;		/* it ended at a maximum */
};

/* The rows beyond `from`: below it, the newest first, when down; else above it, the oldest first.
 * -1: the database cannot be read. */
int	kept_read(struct kept *, struct reader *, int64_t route, int64_t from, int down);
void	kept_free(struct kept *);
#endif
