/* Whether plugins take the options that are configured: their check(), asked of short-lived workers,
 * one a plugin, several at once and without blocking. What was answered is remembered. */
#ifndef CORE_CHECK_H
#define CORE_CHECK_H
#include "setup.h"

#define CHECK_WORKERS	4		/* at once */
#define CHECK_AHEAD	32		/* questions that a worker has and has not answered */
#define CHECK_DEATHS	2		/* workers that may die of one plugin's check() */

struct event_base;
struct checks;				/* opaque */

struct checks	*checks_new(void);
void		 checks_free(struct checks *);	/* NULL is fine */
/* Asks what setup->checks holds and is not remembered; fills in the answers. 1: `done` comes from the
 * loop, and the setup has to last until then; 0: there is nothing to ask. */
int		 checks_start(struct checks *, struct event_base *, struct setup *,
		    void (*done)(void *arg), void *arg);
void		 checks_stop(struct checks *);	/* `done` does not come; the setup is let go */
/* The same on a loop of its own. Blocks: for programs without a loop, or before it. */
void		 checks_now(struct checks *, struct setup *);
void		 checks_forget(struct checks *);	/* all is asked again */
#endif
