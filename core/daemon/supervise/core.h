/* The core process: what its parts share. Nothing here blocks. */
#ifndef CORE_CORE_H
#define CORE_CORE_H
#include "conf/setup.h"
#include "ipc/peer.h"

#include <stdint.h>

struct event;
struct event_base;

struct core {
	struct event_base *base;
	struct setup	*setup;
	struct setup	*next;		/* read and valid; taken in the loop's next turn */
	struct catalog	*catalog;
	struct checks	*checks;
	char		*state, *database, *out;	/* folders and files of this daemon */
	int		 debug;
	int		 listener;	/* of serve; -1: none */
	char		 listen[64];	/* the address that serve listens on */
	int		 lock;
	int64_t		 started;	/* date_ticks() */
	int		 known;		/* store has read the setup: work may begin */
	int64_t		 head;		/* n of the log's last entry */
	uint64_t	 forged;	/* records of all sources refused since the start: forged.h */
	int		 stopping;
	int		 status;	/* exit status, when stopping */
	struct event	*idle;		/* takes the next setup, or ends the loop: core_idle() */

	/* The state of each part. */
	struct roles	*roles;
	struct dispatch	*dispatch;
	struct workers	*workers;
	struct memory	*memory;
	struct disk	*disk;
	struct outbound	*outbound;
	struct mailers	*mailers;
	struct run	*runs;		/* sources.h: parallel to setup->sources */
	struct due	*due;
	struct quotas	*quotas;
	struct polls	*polls;
	struct lanes	*lanes;
	struct intake	*intake;
	struct streams	*streams;
	struct visits	*visits;
	struct deliver	*deliver;
	struct mails	*mails;
	struct change	*change;
	struct reload	*reload;
	struct editions	*editions;
	struct trouble	*trouble;
	struct abandoned *abandoned;
	struct admin	*admin;
	struct status_build *status_build;
	struct indexing	*indexing;	/* how far the index is: indexing.h */
	struct tally	*tally;		/* status.c: what store counted last */
};

/* To be called when work has ended. If the daemon is to stop and nothing is under way any more, it
 * stops in the loop's next turn. */
void	core_idle(struct core *);
/* Stops the daemon with that exit status, once deliveries under way are settled or DRAIN_MS have
 * passed. A second call stops it at once. */
void	core_exit(struct core *, int status);
#endif
