/* Visits under way: what visit_queue.c (the queue) and visit_run.c (a visit in its worker)
 * share. */
#ifndef CORE_VISIT_H
#define CORE_VISIT_H
#include "daemon/supervise/dedicated.h"

#include <sys/queue.h>

#define VISIT_WORKERS	16		/* sources that answer at once */

struct visit_answer;
#include <stdint.h>
#include <stddef.h>

struct event;
struct worker;

enum visit_state {
	VISIT_WAITS,			/* in the queue, or for store to come back */
	VISIT_ASKS,			/* store for the state of its source's plugin */
	VISIT_RUNS,
};

struct visit {
	TAILQ_ENTRY(visit)	 entry;
	struct core		*core;
	enum visit_state	 state;
	uint32_t		 id, theirs;	/* of MSG_STATE; of serve's MSG_VISIT */
	int			 told;		/* it was answered, or its visitor is gone */
	char			*name;		/* of its source */
	struct buf		 frame;		/* struct visit_ask */
	int			 body;		/* memfd; -1 */
	uint64_t		 bytes;		/* of the body */
	struct event		*deadline;
	int			 late;		/* the deadline passed: the worker was killed */
	int			 tries;		/* workers that were given the visit */
	struct seat		*seat;		/* NULL: the visit waits */
	struct outlet		 out;
	uint64_t		 written;	/* bytes of its last batch */
	uint32_t		 batch;		/* id of the commit on its way to store; 0: none */
	uint32_t		 records;	/* that its worker told of, in that commit */
};

/* A worker for one source's visits. A seat without a worker and a visit is free. */
struct seat {
	struct worker		*worker;	/* NULL: none, or it has retired */
	struct visit		*visit;		/* that the worker answers; NULL: none */
	uint32_t		 id;		/* store's, of the source */
	uint64_t		 hash;		/* of the source */
	int			 old;		/* of an earlier setup: takes no other visit */
};

struct visits {
	TAILQ_HEAD(, visit)	 all;		/* in order of arrival */
	size_t			 n;
	uint64_t		 bytes;		/* of the bodies */
	uint32_t		 last;		/* id that was given */
	struct event		*wake;		/* begins the visits that can begin */
	int			 stopped;
	struct seat		 seat[VISIT_WORKERS];
	uint32_t		*place;		/* of the sources that may answer, sorted by name */
	size_t			 nplaces;
};

/* The place of the source of that name, if it may answer visits; UINT32_MAX: there is none. */
uint32_t visit_place(const struct core *, const char *name, size_t len);
/* Answers serve's visit of that id; visit_say() by a line of text. retry: Retry-After, s; -1:
 * none. */
void	 visit_tell(struct core *, uint32_t theirs, const struct visit_answer *, int fd);
void	 visit_say(struct core *, uint32_t theirs, uint32_t status, int64_t retry,
	    const char *error);
/* Puts the visit back among those that wait. A batch on its way to store is still stored, as it is
 * after visit_free(). */
void	 visit_leave(struct visit *);
void	 visit_free(struct visit *);
/* Answers by a line of text, and frees. */
void	 visit_refuse(struct visit *, uint32_t status, int64_t retry, const char *error);
void	 visit_count(const struct visit *, int failed);
void	 visit_wake(struct core *);		/* begins visits in the loop's next turn */

#endif
