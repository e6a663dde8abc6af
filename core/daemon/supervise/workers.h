/* The workers: started, given one job at a time, watched, and buried. */
#ifndef CORE_WORKERS_H
#define CORE_WORKERS_H

#include <stdint.h>
#include <sys/types.h>

struct frame;
struct core;
struct buf;
struct plugin;

#define WORKER_TRIES	2		/* workers that may die of one job */
#define WORKER_IDLE	10000		/* ms after which an idle worker retires */
#define WORKER_USES	1000		/* jobs after which a worker retires */
#define OBITUARIES	16		/* the last deaths of workers, for status */
#define REASON_MAX	1000		/* bytes of a reason that a worker gives */

struct obituary {
	int64_t		 when;		/* wall clock, ms */
	pid_t		 pid;
	char		*plugin, *job, *text;
};

struct worker;				/* opaque */

enum worker_kind { WORKER_PARSE, WORKER_ROUTE, WORKER_STREAM, WORKER_VISIT };

struct worker_use {
	/* A frame that answers the job. Borrowed. */
	void	(*frame)(struct worker *, struct frame *, void *arg);
	/* The worker died, or was killed, during the job. why: for people. */
	void	(*death)(struct worker *, const char *why, void *arg);
};

struct w_start;

/* Called for what a worker does besides its job. */
struct workers_tell {
	void	(*room)(struct core *);		/* an idle parse worker died: another may start */
	void	(*http)(struct core *, struct worker *, struct frame *);	/* MSG_W_HTTP */
	void	(*mail)(struct core *, struct worker *, struct frame *);	/* MSG_W_MAIL */
	void	(*left)(struct core *, const struct worker *);	/* it died, or is ending */
	void	(*began)(struct core *);	/* a worker started */
	int	(*full)(struct core *);		/* no parse worker may start now */
};

void	 workers_init(struct core *);
struct workers_tell *workers_tell(struct core *);	/* fill in before the first worker starts */
/* Calls each for the last OBITUARIES workers that died, the oldest first. */
void	 workers_dead(const struct core *, void (*each)(const struct obituary *, void *), void *arg);

/* Starts a worker. libraries: as for child_worker(). start: struct w_start and what follows it in
 * MSG_W_START, encoded. NULL: no process could be started. */
struct worker *worker_start(struct core *, enum worker_kind, const char *plugin,
	    const char *libraries, const struct buf *start);

/* Gives the worker a job: the frame is sent at once, the deadline and the CPU limit begin. what:
 * the job, for people. */
void	 worker_job(struct worker *, const struct worker_use *, void *arg, const char *what,
	    uint16_t type, const struct buf *, int fd0, int fd1);
void	 worker_free_job(struct worker *);	/* the job is done: it is idle, or retires */
void	 worker_stop(struct worker *);		/* asks it to end; its job has no callbacks */
void	 worker_kill(struct worker *, const char *why);	/* its death callback follows */
/* The job takes long: the worker gets the lowest priority, and ends with the job. */
void	 worker_slow(struct worker *);

/* Appends text that a worker sent, for people: one line of UTF-8, from REASON_MAX bytes at most. */
void	 worker_text(struct buf *, const char *);

/* An idle parse worker that has loaded the plugin's copy, or a new one; NULL: none can be started.
 * fresh: a new one only. */
struct worker *workers_parse(struct core *, const struct plugin *, int fresh);
/* Calls each for every worker whose channel is open. */
void	 workers_each(struct core *, void (*each)(struct worker *, void *), void *arg);
void	 workers_status(struct core *, void (*each)(pid_t, const char *plugin, const char *job,
	    int64_t age, void *), void *);
void	 workers_end(struct core *);

/* Keeps *ref pointing at the worker, and NULL once it stops or dies. ref NULL: no owner. */
void	 worker_owner(struct worker *, struct worker **ref);
pid_t	 worker_pid(const struct worker *);
const char *worker_plugin(const struct worker *);	/* plugin's name, or ROUTE/SINK */
int	 worker_ends(const struct worker *);	/* it was killed, and ends soon */

/* Sends a frame to a worker with a job, such as MSG_STOP to a stream; the job's callbacks are still
 * called. */
void	 worker_send(struct worker *, uint16_t type, const struct buf *, int fd);

/* The worker may send so many frames more than the one that answers its job, and those that answer
 * what is sent to it. A worker that sends more is killed: it floods core. */
void	 worker_expect(struct worker *, uint32_t frames);

/* A stream emitted or waited: its CPU time and its lines of output are counted anew. */
void	 worker_alive(struct worker *);

/* The worker waits for something outside: the deadline of its job begins in ms, and its CPU time is
 * counted anew. */
void	 worker_waits(struct worker *, int64_t ms);
int	 worker_waiting(const struct worker *);	/* that has not passed, and no answer is awaited */

/* The requests that may be made for the worker: taken, and freed with the worker. NULL: none. */
struct egress;

void	 worker_allow(struct worker *, struct egress *);
const struct egress *worker_egress(const struct worker *);

/* The worker waits for an answer: its deadline stands still until worker_answer(). Returns the
 * number of answers that it waits for. */
unsigned worker_hold(struct worker *);
void	 worker_answer(struct worker *, uint16_t type, uint32_t id, const struct buf *, int fd);

#endif
