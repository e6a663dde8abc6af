/* The host's batch jobs: passes records to the filters of a route, or to its sink. */
#ifndef CORE_HOST_BATCH_H
#define CORE_HOST_BATCH_H
#include <stddef.h>
#include <stdint.h>

struct batch_done;
struct batch_job;
struct cr;
struct slot;

/* progress: called after each record of a careful batch, and by host_done(), with the number done. */
struct host_batch {
	struct slot	*slots;			/* filters in order, grouped by their rules; or one
						 * sink */
	size_t		 n;
	int		 batch, out;		/* memfds */
	void		(*progress)(uint32_t done, void *);
	void		*arg;
};

void	host_batch_table(struct cr *);		/* verdict() */
/* done's error is borrowed until the next job. */
void	host_filter(const struct host_batch *, const struct batch_job *, struct batch_done *);
void	host_deliver(const struct host_batch *, const struct batch_job *, struct batch_done *);
#endif
