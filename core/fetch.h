/* The inside of the roles fetch and send: jobs, hosts, and what the parts of it ask of each other. */
#ifndef CORE_FETCH_H
#define CORE_FETCH_H
#include "buf.h"
#include "msg.h"
#include "policy.h"
#include "transfer.h"

#include <sys/queue.h>

#include <stddef.h>
#include <stdint.h>

#define HOPS_MAX	10		/* redirects of one job */
#define HOST_BUCKETS	4096

struct event;
struct veil;

/* A frame of core's, kept while it waits; what its hops have led to so far. */
struct job {
	TAILQ_ENTRY(job)	 entry;		/* at its host, or among those under way */
	struct job		*then;		/* made once this one was answered by 2xx, or never */
	struct host		*host;
	uint32_t		 id, requests;
	int			 lasting;	/* every redirect so far was for good */
	int			 changed;	/* a 303 made it a GET */
	int			 conditional;	/* this hop was */
	int64_t			 left;		/* ms of its time */
	int64_t			 began;		/* date_ticks() of this hop */
	char			*url[HOPS_MAX + 1];	/* where redirects led */
	unsigned		 hops;
	char			*moved;
	const void		*body;		/* mapped; NULL: it came with the frame */
	size_t			 body_size;
	struct fetch_job	 want;		/* points into frame */
	struct veil		*veil;		/* over the secrets of want; NULL: there are none */
	size_t			 len;
	char			 frame[];
};
TAILQ_HEAD(jobs, job);
struct host {
	struct host		*next;		/* in its bucket */
	TAILQ_ENTRY(host)	 turn;
	struct jobs		 jobs;
	struct fetch		*all;
	struct limit		 limit;
	struct event		*timer;		/* until it may be asked again */
	int64_t			 not_before;	/* date_ticks() */
	unsigned		 active;
	int			 ready;		/* it is among those whose turn will come */
	char			 name[];
};
struct fetch {
	struct event_base	*base;
	struct peer		*peer;
	struct transfers	*transfers;
	struct limits		*limits;
	struct event		*again;		/* looks whether core has read its answers */
	struct event		*tell;		/* tells core those that waited for others of their turn */
	TAILQ_HEAD(, host)	 ready;		/* hosts that may be asked, in turn */
	struct jobs		 flying;	/* under way */
	struct host		*hosts[HOST_BUCKETS];
	uint32_t		 total, active, jobs;
	struct buf		 start;		/* what this was configured by */
	int			 stopping;
	int			 status;
};

/* ---- fetch.c ---- */
const char *job_url(const struct job *);	/* of its hop */
void	 fetch_queue(struct fetch *, struct job *);
/* Tells core, forgets the job, and goes on with its turn. */
void	 fetch_tell(struct fetch *, struct job *, struct fetch_done *, int fd);
void	 fetch_fail(struct fetch *, struct job *, enum fetch_why, const char *error);
void	 host_settle(struct host *);
void	 fetch_pump(struct fetch *);		/* begins what may begin */

/* ---- answer.c: what becomes of a job by an answer, a redirect followed or core told ---- */
int	 job_is_post(const struct job *);	/* a 303 makes it a GET */
int	 job_is_home(const struct job *, const char *url);	/* at the origin where it began */
void	 answer_take(struct answer *, void *job);	/* a transfer_cb */
#endif
