/* Runs the check() of plugins on their configured options: in short-lived workers, one a plugin,
 * several at once, without blocking. Answers are cached from one configuration to the next. */
#ifndef CORE_CHECK_H
#define CORE_CHECK_H
#include "setup.h"

#define CHECK_WORKERS	4		/* at once */
#define CHECK_AHEAD	32		/* questions sent to a worker and not answered yet */
#define CHECK_DEATHS	2		/* of one plugin's workers; it is then asked no more */

struct event_base;
struct checks;				/* opaque */

struct checks	*checks_new(void);
void		 checks_free(struct checks *);	/* NULL is fine */
/* Asks the questions of setup->checks to which no answer is cached, and fills in the answers. 1:
 * the loop calls `done` once all are answered, and the setup has to live until then (or
 * checks_stop()); 0: all were answered from the cache. */
int		 checks_start(struct checks *, struct event_base *, struct setup *,
		    void (*done)(void *arg), void *arg);
/* Ends the workers; `done` is not called, and the setup is not used any more. */
void		 checks_stop(struct checks *);
/* Like checks_start(), but blocks on an event loop of its own until all are answered. */
void		 checks_now(struct checks *, struct setup *);
void		 checks_forget(struct checks *);	/* empties the cache */
#endif
