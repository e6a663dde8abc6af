/* The daemon's state as JSON. */
#ifndef CORE_STATUS_H
#define CORE_STATUS_H
#include <stddef.h>
#include <stdint.h>

struct core;
struct buf;
struct frame;
struct route_count;

/* How far the status is written; zeros: not begun. */
struct status_place {
	int	 begun;
	size_t	 list, i;
};
/* Appends the next piece, one source at most: the status is whole when 0 is returned. trusted: for
 * the operator, with URLs and paths. The setup has to be the same for all pieces. */
int	 status_write(struct core *, struct buf *, int trusted, struct status_place *);
void	 status_counts(struct core *, struct frame *);	/* MSG_COUNTS from store */
/* What store counted last of a sink (or PULL_FILTER) of the route with that id; NULL: nothing yet. */
const struct route_count *status_counted(const struct core *, uint32_t route, uint32_t sink);

#endif
