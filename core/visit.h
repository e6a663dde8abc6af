/* Visits under way, between visit.c (which come, whose turn it is) and visit_job.c (one in its worker). */
#ifndef CORE_VISIT_H
#define CORE_VISIT_H
#include "dedicated.h"

#include <sys/queue.h>

enum visit_state {
	VISIT_WAITS,			/* for its turn */
	VISIT_ASKS,			/* store for the state of its source */
	VISIT_RUNS,
};

struct visit {
	TAILQ_ENTRY(visit)	 entry;
	struct core		*core;
	enum visit_state	 state;
	uint32_t		 id, theirs;	/* of MSG_STATE; of serve's MSG_VISIT */
	int			 told;		/* it has its answer, or nobody waits for it */
	char			*name;		/* of its source */
	struct buf		 frame;		/* struct visit_ask */
	int			 body;		/* memfd; -1 */
	uint64_t		 bytes;		/* in it */
	struct event		*deadline;
	int			 late;		/* it passed: the worker was killed */
	int			 tries;		/* workers that it was given to */
	struct seat		*seat;		/* NULL: it waits */
	struct outlet		 out;
	uint32_t		 batch;		/* on its way to store; 0: none */
};

/* A worker for one source's visits. Without a worker and a visit: free. */
struct seat {
	struct worker		*worker;	/* NULL: none, or it retired */
	struct visit		*visit;		/* that it answers; NULL: none */
	uint32_t		 id;		/* store's, of the source */
	uint64_t		 hash;		/* of it */
	int			 old;		/* a new setup came: it takes no other visit */
};

/* visit.c */
/* The place of the source of that name, among those that may answer; UINT32_MAX: there is none. */
uint32_t visit_place(const struct core *, const char *name, size_t len);
struct visit_answer;
/* Answers serve's visit of that id. say: by a line of text; retry: s, -1: it is no use. */
void	 visit_tell(struct core *, uint32_t theirs, const struct visit_answer *, int fd);
void	 visit_say(struct core *, uint32_t theirs, uint32_t status, int64_t retry,
	    const char *error);
/* Back among those that wait. What is on its way to store gets there all the same, as with free. */
void	 visit_leave(struct visit *);
void	 visit_free(struct visit *);
void	 visit_refuse(struct visit *, uint32_t status, int64_t retry, const char *error);	/* frees */
void	 visit_count(const struct visit *, int failed);
void	 visits_on(struct core *);		/* begins what can be begun */

/* visit_job.c */
/* The seat's worker gets the job. state: KEY\0VALUE\0..., as it is on disk. */
void	 visit_give(struct visit *, const struct source *, uint32_t grants, struct bytes state);
#endif
