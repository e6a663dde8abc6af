/* How many frames a worker may send: a bucket that a frame takes one from, and that fills by what is
 * asked of the worker, and with time. A worker that sends more costs the other side more than
 * itself. */
#ifndef CORE_BUDGET_H
#define CORE_BUDGET_H
#include <stdint.h>

#define BUDGET_BURST	32		/* frames that nobody asked for, at once */
#define BUDGET_RATE	4		/* more of them a second; a stream says once that it lives */
#define BUDGET_MAX	4096		/* frames that may be owed */

struct budget {
	int64_t	 left;			/* thousandths of a frame */
	int64_t	 at;			/* ticks when it was filled last */
};
void	 budget_init(struct budget *);
void	 budget_add(struct budget *, uint32_t frames);	/* so many are asked for */
int	 budget_take(struct budget *);			/* a frame came. 0; -1: one too many */
#endif
