/* Inside the roles fetch and send: jobs, the hosts that they wait at, and the functions that the
 * role's files share. */
#ifndef CORE_JOB_H
#define CORE_JOB_H
#include "policy.h"
#include "transfer.h"
#include "base/buf.h"
#include "ipc/msg.h"
#include "ipc/roles.h"

#include <sys/queue.h>

#include <stddef.h>
#include <stdint.h>

struct event_base;
struct peer;
struct transfers;
struct limits;

#define HOPS_MAX	10		/* redirects of one job */
#define HOST_BUCKETS	4096

struct event;
struct redact;

/* One struct fetch_job of a MSG_FETCH frame, and the redirects (hops) it has followed so far. */
struct job {
	TAILQ_ENTRY(job)	 entry;		/* in host.jobs or fetch.flying */
	struct job		*then;		/* begins after a 2xx to this one, else fails */
	struct host		*host;
	uint32_t		 id, requests;
	int			 lasting;	/* every redirect so far was permanent (301, 308) */
	int			 changed;	/* a 303 made it a GET */
	int			 conditional;	/* this hop's request had validators */
	int64_t			 left;		/* ms until the job times out */
	int64_t			 began;		/* date_ticks() when this hop began */
	char			*url[HOPS_MAX + 1];	/* where redirects led */
	unsigned		 hops;
	char			*moved;		/* URL after the permanent redirects; or NULL */
	const void		*body;		/* mapped memfd; NULL: want.body has the body */
	size_t			 body_size;
	struct fetch_job	 want;		/* points into frame */
	struct redact		*redact;	/* of the secrets in want; NULL: it has none */
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
	struct event		*timer;		/* runs until not_before */
	int64_t			 not_before;	/* date_ticks() */
	unsigned		 active;
	int			 ready;		/* the host is in fetch.ready */
	char			 name[];
};
struct fetch {
	struct event_base	*base;
	struct peer		*peer;
	struct transfers	*transfers;
	transfer_cb		*take;		/* gets each answer */
	struct limits		*limits;
	struct event		*again;		/* checks whether core has read the queued
						 * answers */
	struct event		*tell;		/* sends the answers that tell_later() queued */
	TAILQ_HEAD(, host)	 ready;		/* hosts that may get a request, in round robin */
	struct jobs		 flying;	/* jobs whose request is under way */
	struct host		*hosts[HOST_BUCKETS];
	uint32_t		 total, active, jobs;
	struct buf		 start;		/* bytes of the last MSG_FETCH_START */
	enum role_id		 role;
	int64_t			 looked;	/* date_ticks() of the last lookup_replaced() */
	int			 stopping;
	int			 status;
};

void	 jobs_init(struct fetch *);		/* timers and lists; needs the event base */
/* Reads one job of a frame from its bytes, which are well-formed, and copies them. fd: the frame's
 * file descriptor, which stays the caller's. Never NULL; job_begin() checks the job. */
struct job *job_new(struct fetch *, uint32_t id, const void *bytes, size_t len, int fd);
/* Queues a job at its host, or fails it if its request cannot be made. */
void	 job_begin(struct fetch *, struct job *);
const char *job_url(const struct job *);	/* URL of the current hop */
int	 job_is_post(const struct job *);	/* 0 after a 303 made the job a GET */
/* Whether the URL has the same origin as the URL that the job began with. */
int	 job_is_home(const struct job *, const char *url);
/* Core has given up the jobs id to id + n - 1. Frees those of the list and the jobs that would
 * follow them. begun: the jobs' requests are under way; they go on, and their answers are sent to
 * core. */
void	 jobs_forget(struct fetch *, struct jobs *, int begun, uint32_t id, uint32_t n);
void	 jobs_free(struct fetch *, struct jobs *);
/* Queues a job at its host: at the end, or in front when the job already made a request. */
void	 fetch_queue(struct fetch *, struct job *);
/* Sends core MSG_FETCHED with fd (-1: none), frees the job, and begins or fails the job after
 * it. */
void	 fetch_tell(struct fetch *, struct job *, struct fetch_done *, int fd);
void	 fetch_fail(struct fetch *, struct job *, enum fetch_why, const char *error);
void	 fetch_pump(struct fetch *);		/* starts requests as far as the limits allow */
/* Puts the host on the ready list or its timer. Frees a host without jobs and requests under way,
 * once its spacing has passed. */
void	 host_settle(struct host *);
void	 host_free(struct host *);
void	 hosts_renew(struct fetch *);		/* after f->limits changed */
#endif
