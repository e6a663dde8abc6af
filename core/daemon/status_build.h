/* Who asked for the daemon's status, and the answer that they share, written in slices between the
 * loop's other work. */
#ifndef CORE_STATUS_BUILD_H
#define CORE_STATUS_BUILD_H
#include <stdint.h>

struct core;
struct frame;
struct peer;

void	 status_build_init(struct core *);
void	 status_build_free(struct core *);
/* Answers the peer with MSG_TOLD. trusted: what the operator sees, so after the question; who asks
 * meanwhile shares the next answer. Otherwise what visitors see, written at most once a second, and
 * seldom enough that it takes a twentieth of core's time. -1: too many wait already. */
int	 status_build_ask(struct core *, struct peer *, uint32_t id, int trusted);
void	 status_build_counted(struct core *, const struct frame *);	/* MSG_COUNTS was taken */
void	 status_build_uncounted(struct core *);	/* store is gone, or waits: it counts nothing */
void	 status_build_setup(struct core *);	/* begins what is being written anew: after a new setup */
void	 status_build_forget(struct core *, const struct peer *);	/* it is about to be freed */
#endif
