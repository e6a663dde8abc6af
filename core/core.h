/* The core process: one struct, and what its rooms offer each other. Nothing here blocks. */
#ifndef CORE_CORE_H
#define CORE_CORE_H
#include "peer.h"
#include "setup.h"

#include <stdint.h>
#include <sys/types.h>

struct checks;
struct event;
struct event_base;

#define JOBS_MAX	4096		/* polls under way, most of them waiting for their host */
#define PARSE_QUEUE_MAX	256		/* fetched and waiting for a worker: no more polls begin */
#define FETCH_TRIES	2		/* times that a fetch is asked for when its role dies */
#define WORKER_TRIES	2		/* workers that may die of one job */
#define WORKER_IDLE	10000		/* ms after which an idle worker retires */
#define WORKER_USES	1000		/* jobs after which it does */
#define STATIONS_BUSY	32		/* route workers at once */
#define BATCH_MAX	500		/* records of a batch */
#define BATCH_PUSH	32		/* of one for a sink that sends them away */
#define LIST_SPACING	1000		/* ms between two writings of one list */
#define ROLE_DELAY_MIN	100		/* ms before a role that died at once starts again */
#define ROLE_DELAY_MAX	60000
#define ROLE_STEADY	10000		/* ms alive after which a death is not "at once" */
#define ADMIN_PEERS	16		/* connections to the admin socket */
#define OBITUARIES	16		/* of workers, kept for status */
#define REASON_MAX	1000		/* bytes of a reason that a worker gives */
#define QUEUE_BYTES	(128u << 20)	/* of documents that wait for a worker: no more polls begin */

enum role_id { ROLE_STORE, ROLE_FETCH, ROLE_SEND, ROLE_SERVE, ROLES };

struct role {
	enum role_id	 id;
	pid_t		 pid;		/* 0: not running */
	struct peer	*peer;
	int		 ready;		/* it answered MSG_READY since it was started */
	int		 was_ready;	/* ever */
	int64_t		 started;	/* date_ticks() */
	int64_t		 delay;		/* ms before it starts again */
	unsigned	 restarts;
	char		*obituary;	/* of the last one that died; or NULL */
	struct event	*timer;
	struct core	*core;
};

/* A source while the daemon runs: place i stands beside setup->sources[i]. */
struct run {
	uint32_t	 id;		/* store's */
	uint32_t	 place;		/* in the heap of due times; UINT32_MAX: not in it */
	struct mark	 mark;		/* its strings are owned */
	struct job	*job;		/* NULL: idle */
	struct stream	*stream;	/* of one that streams: it runs, or begins; NULL */
	uint32_t	 deaths;	/* of the stream, in a row and soon after it began */
	uint32_t	 refused;	/* records that emit() refused in the last document */
	int64_t		 tried;		/* ticks when it was last answered; 0: not yet */
	uint32_t	 changed;	/* by a reload: it is polled anew */
	uint32_t	 kept;		/* enum kept: what store has for it */
	uint32_t	 partial;	/* the last document was cut or mended: mark.error says how */
	uint64_t	 visits, visits_failed;	/* answered, since the start; of them by no plugin */
};

struct obituary {
	int64_t		 when;		/* wall clock, ms */
	pid_t		 pid;
	char		*plugin, *job, *text;
};

struct core {
	struct event_base *base;
	struct setup	*setup;
	struct catalog	*catalog;
	struct checks	*checks;	/* check.h */
	char		*state, *database, *out;	/* folders and files of this daemon */
	int		 debug;
	int		 listener;	/* of serve; -1: none */
	char		 listen[64];	/* where it really listens */
	int		 lock;
	int		 stopping;
	int		 status;	/* exit status, when stopping */
	int64_t		 started;
	struct role	 role[ROLES];

	struct run	*runs;		/* beside setup->sources */
	uint32_t	*heap;		/* of places in runs, by mark.due */
	uint32_t	 nheap;
	uint32_t	 conf;		/* id of the last MSG_STORE_CONF */
	int		 known;		/* store told what it knows: polls may begin */
	int64_t		 head;		/* the log's last n */
	uint64_t	 polls, fetched, same, failed;	/* since the start */

	struct jobs	*jobs;		/* poll.c */
	struct pool	*pool;		/* pool.c */
	struct intake	*intake;	/* intake.c */
	struct streams	*streams;	/* stream.c */
	struct visits	*visits;	/* visit.c */
	struct errands	*errands;	/* errand.c */
	struct station	**stations;	/* deliver.c: one a leg, one more for a route's filters */
	size_t		 nstations, busy_stations, turn;
	struct setup	*next;		/* read and found good; taken in the loop's next turn */
	struct event	*idle;		/* taking it, and stopping once no station is busy */

	struct change	*change;	/* change.c */
	struct reload	*reload;	/* reload.c */
	struct admin	*admin;
	struct tally	*tally;		/* status.c: what store counted last */
	struct obituary	 dead[OBITUARIES];	/* a ring */
	unsigned	 ndead;
};

/* supervise.c: the roles */
void	 roles_start(struct core *);
void	 roles_stop(struct core *);
/* Dropped with a debug line while the role is away. A role that takes no frame is killed, so that
 * what waits for an answer is asked again. */
void	 roles_send(struct core *, enum role_id, uint16_t type, uint32_t id, const struct buf *,
	    int fd);
int	 roles_full(const struct core *, enum role_id);	/* half of its queue: ask for no more */
void	 roles_configure(struct core *);	/* tells store, fetch and send of a new setup */
const char *role_name(enum role_id);

/* poll.c, page.c, document.c, commit.c (job.h): a source's way from due to committed */
void	 poll_init(struct core *);
void	 poll_due(struct core *);		/* begins what is due; sets the timer */
void	 poll_fetched(struct core *, struct frame *);
void	 poll_committed(struct core *, struct frame *);
void	 poll_recalled(struct core *, struct frame *);
void	 poll_parse(struct core *);		/* there may be a worker for what waits */
void	 poll_store_gone(struct core *);	/* commits under way are lost: fetched again */
void	 poll_fetch_back(struct core *);	/* asks again for what was being fetched */
int	 poll_now(struct core *, const char *source, struct buf *why);	/* an operator asks */
void	 job_place(struct job *, uint32_t place);	/* of its source; UINT32_MAX: it is gone */

/* intake.c: what comes in outside of polls, kept until it is on disk */
#define INTAKE_ID	0x80000000u	/* set in the ids of these commits, and in no poll's */
typedef void intake_cb(struct core *, const struct committed *, void *arg);
void	 intake_init(struct core *);
/* Has store commit results (a sealed memfd, taken; -1: the mark alone), now or once store is back, and
 * again when store dies of it. done is called then. Never 0. */
uint32_t intake_put(struct core *, const struct commit *, const struct mark *, int fd, intake_cb *done,
	    void *arg);
void	 intake_forget(struct core *, uint32_t id);	/* it is stored all the same; 0 is fine */
void	 intake_committed(struct core *, uint32_t id, const struct committed *);
void	 intake_store_gone(struct core *);
void	 intake_known(struct core *);		/* store is back */
int	 intake_busy(const struct core *);	/* something is on its way */

/* stream.c: sources that bring records by their own means */
#define STREAMS_MAX	256		/* at once */
int	 source_streams(const struct source *);
void	 stream_init(struct core *);
void	 stream_begin(struct core *, uint32_t place);	/* it is due */
void	 stream_stated(struct core *, struct frame *);
void	 stream_place(struct stream *, uint32_t place);	/* of its source; UINT32_MAX: it is gone */
void	 stream_setup(struct core *);		/* a new setup: those that changed stop */
void	 stream_store_gone(struct core *);
void	 stream_stop(struct core *);		/* all of them, for good */
int	 stream_busy(const struct core *);
pid_t	 stream_pid(const struct stream *);	/* 0: none yet */

/* visit.c: HTTP requests that plugins answer */
#define VISIT_ID	0x80000000u	/* set in the ids of its MSG_STATE, and in no stream's */
void	 visit_init(struct core *);
int	 visit_came(struct core *, struct frame *);	/* MSG_VISIT, by serve. -1: it is malformed */
void	 visit_stated(struct core *, struct frame *);
void	 visit_setup(struct core *);		/* a new setup: other sources answer */
void	 visit_known(struct core *);		/* store is back, or has read the new setup */
void	 visit_store_gone(struct core *);
void	 visit_serve_gone(struct core *);	/* nobody waits for the answers */
void	 visit_stop(struct core *);		/* none begins any more */
int	 visit_busy(const struct core *);

/* runs.c: the sources between polls */
void	 poll_known(struct core *, struct wire *);	/* what store told: marks; polls begin */
/* After a reload: the runs of the new setup take over from the old by name. */
void	 poll_setup(struct core *, const struct setup *old);
void	 run_due(struct core *, uint32_t place);	/* into the heap, unless it waits for its plugin */
void	 run_touch(struct core *, uint32_t place);	/* tells store of a mark without a record */
uint32_t run_chance(void);
void	 mark_take(struct mark *, const struct mark *from);	/* copies its strings */
void	 mark_unproven(struct mark *);		/* drops its validators: the next answer is whole */

/* deliver.c: a route's way from the log to its sinks */
void	 deliver_setup(struct core *);		/* stations of the new setup; those that stay go on */
void	 deliver_known(struct core *, struct wire *);	/* store's ids of the routes; begins */
void	 deliver_head(struct core *, int64_t head);	/* the log has grown */
void	 deliver_work(struct core *, struct frame *);
void	 deliver_settled(struct core *, struct frame *);
void	 deliver_store_gone(struct core *);
/* How the station of a leg (or PULL_FILTER) stands, in a word; pid of its worker or 0. */
uint32_t deliver_route_id(const struct core *, size_t route);	/* store's; 0: not known */
const char *deliver_state(const struct core *, size_t route, uint32_t leg, pid_t *);
/* An operator resumes ROUTE or ROUTE/SINK. 0; -1: there is no such. said: what was done, or is wrong. */
int	 deliver_resume(struct core *, const char *name, struct buf *said);
const char *deliver_reason(const struct core *, size_t route, uint32_t leg);	/* or NULL */

/* change.c: plugins that change while the daemon runs */
void	 change_init(struct core *);
void	 change_stop(struct core *);
void	 change_setup(struct core *);		/* a setup was taken: its folders are watched */
void	 change_again(struct core *);		/* a setup is to be made with plugins as they are */
void	 change_look(struct core *, int anew);	/* into all folders; anew: also at what failed */
/* A job of the plugin's has ended; not well: for a reason that is the plugin's, where its instance did
 * well before. 1: another version takes its place, with which the job is to be tried again. */
int	 plugin_job(struct core *, const struct plugin *, int well, const char *why);

/* reload.c: setups made while the daemon runs; their plugins are asked, which takes its time */
void	 reload_init(struct core *);
void	 reload_stop(struct core *);
void	 core_reload(struct core *);		/* the file; admin_reloaded() follows, also at once */
void	 reload_plugins(struct core *);		/* what was read of it, with plugins as they are now */
const struct setup *reload_setup(const struct core *);	/* that is being asked about; or NULL */

/* pool.c: the workers */
struct worker;				/* opaque */
enum worker_kind { WORKER_PARSE, WORKER_ROUTE, WORKER_STREAM, WORKER_VISIT };
struct worker_use {
	/* A frame that answers the job. Borrowed. */
	void	(*frame)(struct worker *, struct frame *, void *arg);
	/* It died, or was killed, with the job: why is for people. */
	void	(*death)(struct worker *, const char *why, void *arg);
};
struct w_start;
void	 pool_init(struct core *);
/* Starts one. start: struct w_start and what follows it in MSG_W_START, encoded. NULL: cannot. */
struct worker *worker_start(struct core *, enum worker_kind, const char *plugin,
	    const struct buf *start);
/* Gives it a job: the frame goes out now, the deadline and the CPU limit begin. what: for people. */
void	 worker_job(struct worker *, const struct worker_use *, void *arg, const char *what,
	    uint16_t type, const struct buf *, int fd0, int fd1);
void	 worker_free_job(struct worker *);	/* the job is done: it is idle, or retires */
void	 worker_stop(struct worker *);		/* no more of it; a job's callbacks do not come */
void	 worker_kill(struct worker *, const char *why);	/* its death callback follows */
/* Adds what a worker told, for people: one line of UTF-8, at most REASON_MAX bytes of it. */
void	 worker_text(struct buf *, const char *);
/* An idle parse worker for the plugin (by copy), or a new one, or NULL when all are busy. */
struct worker *pool_parse(struct core *, const struct plugin *, int fresh);
void	 pool_status(struct core *, void (*each)(pid_t, const char *plugin, const char *job,
	    int64_t age, void *), void *);
void	 pool_stop(struct core *);
/* Keeps *ref pointing at the worker, and NULL once it stops or dies. ref NULL: no owner. */
void	 worker_owner(struct worker *, struct worker **ref);
pid_t	 worker_pid(const struct worker *);
/* A frame to one with a job, such as MSG_STOP to a stream, whose callbacks still come. */
void	 worker_send(struct worker *, uint16_t type, const struct buf *, int fd);
/* A stream showed that it lives: its CPU is counted from here on. */
void	 worker_alive(struct worker *);
/* What it may have sent for it: taken, and freed with the worker. NULL: nothing. */
struct pass;
void	 worker_allow(struct worker *, struct pass *);
const struct pass *worker_pass(const struct worker *);
/* It waits for an answer: its deadline stands still until worker_answer(). Returns for how many. */
unsigned worker_hold(struct worker *);
void	 worker_answer(struct worker *, uint16_t type, uint32_t id, const struct buf *, int fd);

/* errand.c: what plugins ask of the send role by http() */
void	 errand_init(struct core *);
void	 errand_ask(struct core *, struct worker *, struct frame *);	/* MSG_W_HTTP */
void	 errand_answered(struct core *, struct frame *);	/* MSG_FETCHED, by send */
void	 errand_worker_gone(struct core *, const struct worker *);	/* nobody waits any more */
void	 errand_send_gone(struct core *);	/* what it had is lost: GETs wait for it to be back */
void	 errand_send_back(struct core *);	/* gives it what waits */
void	 errand_stop(struct core *);

/* local.c: file: URLs */
/* The file as a sealed memfd (a NUL behind it) and its validators, as fetch would answer; fd -1 on
 * 304 and errors. Only below setup->files. Strings of the answer are allocated in *own. */
int	 local_fetch(const struct setup *, const struct fetch_job *, struct fetch_done *,
	    struct buf *own);

/* admin.c, status.c */
void	 admin_start(struct core *);
void	 admin_stop(struct core *);
void	 admin_status(struct core *);		/* answers who waits for the status */
void	 admin_explained(struct core *, struct frame *);	/* MSG_EXPLAINED came */
void	 admin_store_gone(struct core *);	/* nobody waits for it any more */
/* Answers who waits for a reload: 0 and what was read, or 1 and the mistakes. */
void	 admin_reloaded(struct core *, int status, const struct buf *said);
void	 admin_forget(struct core *, const struct peer *);	/* it is about to be freed */
/* A request from courant (trusted) or from serve (which may only ask for "status"). */
void	 admin_ask(struct core *, struct peer *, struct frame *, int trusted);
void	 status_json(struct core *, struct buf *, int trusted);
void	 plugins_json(const struct core *, struct buf *);	/* plugins.c */
void	 status_counts(struct core *, struct frame *);	/* MSG_COUNTS came */
void	 core_exit(struct core *, int status);	/* once deliveries under way are settled */
/* When the daemon is to stop and no station is busy, it does in the loop's next turn. */
void	 core_idle(struct core *);
#endif
