/* The polls under way: what poll_begin.c (starts them), poll_fetch.c (requests and answers),
 * poll_parse.c (pages in workers) and poll_commit.c (the exchange with store) share. */
#ifndef CORE_POLL_H
#define CORE_POLL_H
#include "schedule.h"
#include "daemon/supervise/core.h"
#include "ipc/msg.h"

#include <sys/queue.h>
#include <stdint.h>
#include <sys/types.h>
#include <stddef.h>

struct worker;
struct event;
struct lane;
struct run;

#define POLLS_MAX	4096		/* polls under way, most of them waiting for their host */
#define PARSE_QUEUE_MAX	256		/* documents that wait for a worker: few more polls begin */
#define QUEUE_BYTES	(128u << 20)	/* of documents that wait for a worker: likewise */
#define POLL_SLOTS		POLLS_MAX	/* a power of two: an id is generation and slot */
#define PAGE_TRIES	5		/* failures of an owed page, after which it is given up */

enum poll_state { POLL_IS_RECALL, POLL_IS_FETCH, POLL_IS_QUEUED, POLL_IS_PARSE, POLL_IS_COMMIT };

/* The lines of a plugin's polls that wait for a worker (lanes.h): of sources that went well, of others,
 * of sources whose jobs were slow lately, of polls that killed a worker. */
enum line { LINE_GOOD, LINE_OTHER, LINE_SLOW, LINE_AGAIN, LINES };

/* One poll of one source: one page after the other, until store owes no page. */
struct poll {
	STAILQ_ENTRY(poll)	 queued;
	TAILQ_ENTRY(poll)	 running;
	struct lane		*lane;		/* of its plugin */
	struct core		*core;
	uint32_t		 source;	/* place; UINT32_MAX: no longer configured */
	uint32_t		 id;
	uint64_t		 hash;		/* of the source when the poll began */
	enum poll_state		 state;
	int			 plan;		/* the plugin's plan() says what to fetch */
	enum line		 line;		/* that it waits in, or waited in last */
	int64_t			 waits, began;	/* ticks: since when it waits, or has a worker */
	int			 slow;		/* its job takes long */
	pid_t			 asked;		/* the fetch role that has the request */
	int			 tries;		/* fetch roles, then workers, that were given it */
	struct buf		 page;		/* struct owed_page, encoded; empty: source's url */
	struct buf		 kept;		/* KEY\0VALUE\0...: plugin's state at the start */
	struct buf		 answer;	/* struct fetch_done, encoded */
	int			 body, out;	/* memfds; -1 */
	uint64_t		 bytes;		/* of the body */
	struct worker		*worker;
	struct outcome		 outcome;
	int64_t			 moved;		/* wall clock, ms: for which the mark was made */
	char			*error;		/* of the outcome, or of a partial document */
	int			 partial;	/* a page was truncated or repaired */
	char			*gap;		/* why a page was given up; NULL: none was */
	char			*etag, *modified, *validated;	/* validators of its first page */
	uint64_t		 written;	/* bytes of results of the page */
	uint32_t		 records;	/* in the page that is being committed */
	uint32_t		 found, added, refused;		/* in all pages */
	int			 again;		/* an operator asked for a poll during this one */
};
STAILQ_HEAD(queue, poll);

/* The steps of a poll. */
enum poll_step { POLL_RECALL, POLL_FETCH, POLL_PARSE, POLL_COMMIT, POLL_STEPS };
struct poll_steps {
	void	(*begin[POLL_STEPS])(struct poll *);
	/* An owed page failed, or cannot be had (flags: enum commit_flag): store records the
	 * failure. */
	void	(*failure)(struct poll *, int kind, const char *error, int flags);
};

struct polls {
	struct poll	*slot[POLL_SLOTS];
	uint32_t	 generation, next;
	size_t		 n, nqueued;
	uint64_t	 bytes;			/* of the documents in all lines */
	int64_t		 ahead;			/* wall clock minus ticks, at the last check */
	const struct poll_steps	*steps;
	uint64_t	 done, fetched, same, failed;	/* since the start */
};

struct poll	*poll_new(struct core *, uint32_t source);
struct poll	*poll_find(struct core *, uint32_t id);	/* NULL: that poll has ended */
void		 poll_free(struct poll *);		/* puts its source back into the heap */
void		 poll_close(int *fd);
void		 poll_enqueue(struct poll *);		/* into the line before the workers */
void		 poll_dequeue(struct poll *, enum poll_state);
const struct source *poll_source(const struct poll *);
struct run	*poll_run(const struct poll *);
struct fetch_done poll_answer(const struct poll *);	/* its strings point into the poll */
struct owed_page	 poll_page(const struct poll *);	/* likewise; page 0: none is owed */
int		 poll_current(const struct poll *);	/* its source has not been reconfigured */
void		 poll_changed(struct poll *);		/* it has: drops the source's validators */
/* The source's mark if this poll ends now; its strings are borrowed from the poll and the run. */
struct mark	 poll_mark(struct poll *, int64_t now);
void		 poll_move(struct poll *, int64_t now);	/* stores that mark in the run */
/* Ends a poll that has nothing to store, by an outcome and its reason. A page that is owed stays
 * owed. */
void		 poll_end(struct poll *, int kind, const char *error);
void		 poll_next(struct poll *, enum poll_step);
void		 poll_go(struct poll *);			/* after the recall: begins */
/* The page failed with that outcome: the poll ends, or goes on without the page. */
#define PAGE_REFUSED	(-1)				/* outcome: it may not be requested */
void		 poll_failed(struct poll *, int kind, const char *error);
int		 poll_failure(const struct poll *, int kind);	/* owed page: enum commit_flag */
void		 poll_page_name(const struct poll *, struct buf *);	/* its URL, for people */
#endif
