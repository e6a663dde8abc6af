/* The sources while the daemon runs: their marks, from store and over a reload, and their due
 * times. */
#ifndef CORE_SOURCES_H
#define CORE_SOURCES_H

#include "quota.h"
#include "ipc/msg.h"

#include <stdint.h>

struct poll;
struct stream;
struct core;
struct wire;
struct setup;
struct source;

/* A source while the daemon runs: runs[i] belongs to setup->sources[i], at place i. */
struct run {
	uint32_t	 id;		/* store's */
	uint32_t	 place;		/* in the heap of due times; UINT32_MAX: not in it */
	struct mark	 mark;		/* its strings are owned */
	struct poll	*poll;		/* NULL: none is under way */
	struct stream	*stream;	/* NULL: none is running or starting */
	uint32_t	*at;		/* the poll's or stream's own place; NULL: neither */
	uint32_t	 deaths;	/* of the stream, in a row, each soon after it began */
	uint32_t	 refused;	/* records that emit() refused in the last document */
	uint64_t	 forged;	/* records refused since the start: see forged.h */
	uint64_t	 forged_untold;	/* those of them that no line in the log told yet */
	int64_t		 forged_logged;	/* ticks of the last such line; 0: none yet */
	int64_t		 tried;		/* ticks when a request was last answered; 0: never */
	uint32_t	 changed;	/* by a reload: it is polled again, without validators */
	uint32_t	 kept;		/* enum kept: what store has for this source */
	uint32_t	 slow;		/* its jobs were slow: quick ones in a row until it is not */
	uint32_t	 partial;	/* last document truncated or repaired: see mark.error */
	struct quota	 quota;
	uint64_t	 visits, visits_failed;	/* ended, since the start; failed ones */
};

void	 sources_ready(struct core *, struct wire *);	/* store's marks; sets due times */

/* After a reload: the runs of the new setup take over those of the sources of the same name. */
void	 sources_setup(struct core *, const struct setup *old);
/* Puts the source into the heap of due times, unless it waits for its plugin. */
void	 run_due(struct core *, uint32_t place);
void	 run_touch(struct core *, uint32_t place);	/* sends store the mark, without a commit */
uint32_t run_chance(void);			/* a random number */
void	 mark_take(struct mark *, const struct mark *from);	/* copies its strings */
void	 mark_unproven(struct mark *);		/* drops its validators: full answer next */
const char *poll_moved(const struct run *, const struct source *);	/* where a 301 led; NULL */

#endif
