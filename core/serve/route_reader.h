/* The records that a route kept, which serve reads from the route's verdicts in the database. */
#ifndef CORE_ROUTE_READER_H
#define CORE_ROUTE_READER_H
#include "ipc/wire.h"

#include <stddef.h>
#include <stdint.h>

#define KEPT_ROWS	2000		/* rows read for one page */
#define KEPT_LATER	64		/* later versions of one record that are checked */
#define KEPT_BYTES	(8u << 20)	/* bytes of changes read for one page */

struct reader;

struct route_row {
	int64_t		 n;		/* in the log */
	struct bytes	 changes;	/* by the route's filters; owned; NULL: none */
};
struct route_reader {
	struct route_row	*row;
	size_t		 n;
	size_t		 bytes;
	int		 more;		/* reading ended at KEPT_ROWS or KEPT_BYTES */
};

struct verdicts;
/* Whether the route kept a later version of the record in the log's row n. seen: the verdicts read
 * last, a cache for the next call. -1: the database cannot be read. */
int	route_reader_later(struct reader *, int64_t route, int64_t n, struct verdicts *seen);
/* Reads kept rows: with `down` those below `from`, the newest first; else those above it, the
 * oldest first. -1: the database cannot be read. */
int	route_reader_read(struct route_reader *, struct reader *, int64_t route, int64_t from, int down);
void	route_reader_free(struct route_reader *);
#endif
