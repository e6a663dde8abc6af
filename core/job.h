/* The polls under way, between the rooms that take one from due to committed: job.c (the table, the
 * lines before the workers, how a poll ends), poll.c (which begins when), page.c (what it asks for,
 * what comes), document.c (its page in a worker) and commit.c (what store makes of it). */
#ifndef CORE_JOB_H
#define CORE_JOB_H
#include "core.h"
#include "msg.h"
#include "schedule.h"

#include <sys/queue.h>

#define SLOTS		JOBS_MAX	/* a power of two: an id is generation and slot */
#define PAGE_TRIES	5		/* failures of a page owed, after which it is given up */

enum job_state { JOB_RECALL, JOB_FETCH, JOB_QUEUED, JOB_PARSE, JOB_COMMIT };

/* What waits for a worker, by what is known of it: those that went well do not wait for a plugin
 * that hangs, and what killed a worker has half of them at most. */
enum line { LINE_GOOD, LINE_OTHER, LINE_AGAIN, LINES };

/* One poll of one source: one page after the other, until none is owed. */
struct job {
	STAILQ_ENTRY(job)	 queued;
	struct core		*core;
	uint32_t		 source;	/* place; UINT32_MAX: it is no longer configured */
	uint32_t		 id;
	uint64_t		 hash;		/* of the source when the poll began */
	enum job_state		 state;
	int			 plan;		/* its plugin is asked what to fetch */
	enum line		 line;		/* where it waited, or waits */
	pid_t			 asked;		/* fetch role that has it */
	int			 tries;		/* fetch roles, then workers, that it was given to */
	struct buf		 page;		/* struct owed_page, encoded; none: the source's own url */
	struct buf		 kept;		/* KEY\0VALUE\0...: the state when the poll began */
	struct buf		 answer;	/* struct fetch_done, encoded */
	int			 body, out;	/* memfds; -1 */
	uint64_t		 bytes;		/* of the body */
	struct worker		*worker;
	struct outcome		 outcome;
	int64_t			 moved;		/* when its commit moved the mark */
	char			*error;		/* of the outcome, or of a partial document */
	int			 partial;	/* a page of it was cut or mended */
	char			*gap;		/* why a page of it was given up; or NULL */
	char			*etag, *modified, *validated;	/* of its first page, for the mark */
	uint32_t		 records;	/* in the page that is committed */
	uint32_t		 found, added, refused;		/* in all of its pages */
	int			 again;		/* the operator asked while it was under way */
};
STAILQ_HEAD(queue, job);

struct jobs {
	struct job	*slot[SLOTS];
	uint32_t	 generation, next;
	size_t		 n, nqueued;
	uint64_t	 bytes;			/* of the documents in the queue */
	struct queue	 line[LINES];		/* fetched, waiting for a worker */
	unsigned	 turn, suspects;	/* picks; those of LINE_AGAIN with a worker */
	struct event	*wake;
	int		 beginning;		/* within poll_due() */
	int64_t		 ahead;			/* wall clock over ticks when it was last looked at */
};

/* job.c */
struct job	*job_new(struct core *, uint32_t source);
struct job	*job_find(struct core *, uint32_t id);	/* NULL: its source is gone */
void		 job_free(struct job *);		/* its source goes back among the due */
void		 job_close(int *fd);
void		 job_queue(struct job *);		/* into the line before the workers */
void		 job_unqueue(struct job *, enum job_state);
const struct source *job_source(const struct job *);
struct run	*job_run(const struct job *);
struct fetch_done job_answer(const struct job *);	/* its strings point into the job */
struct owed_page	 job_page(const struct job *);		/* page 0: none is owed; likewise */
int		 job_current(const struct job *);	/* its source is still what it was */
void		 job_changed(struct job *);		/* it is not: polled anew */
/* The mark as it stands when this poll ends now, its strings borrowed from the job and the run. */
struct mark	 job_mark(struct job *, int64_t now);
void		 job_move(struct job *, int64_t now);	/* that becomes the mark */
/* Ends a poll that has nothing to store, by an outcome and its reason. A page that is owed stays so. */
void		 job_end(struct job *, int kind, const char *error);

/* poll.c */
void		 poll_go(struct job *);			/* begins with what it is known to begin with */

/* page.c */
#define PAGE_REFUSED	(-1)				/* an outcome: it may not be asked for */
void		 page_ask(struct job *);		/* has its page fetched */
void		 page_failed(struct job *, int kind, const char *error);
int		 page_failure(const struct job *, int kind);	/* enum commit_flag, of one owed */
void		 page_name(const struct job *, struct buf *);	/* which one, for people */

/* document.c */
void		 document_queue(struct job *);		/* what came, or the plan, to a worker */

/* commit.c */
void		 commit_page(struct job *);		/* what a worker made of it, to store */
/* A page that is owed failed, or cannot be had (enum commit_flag): store notes it. */
void		 commit_failure(struct job *, int kind, const char *error, int flags);
void		 commit_recall(struct job *);		/* asks store what it kept for the source */
#endif
