/* The host: the worker's side of the plugin contract; one per process. This header has what the
 * host's files share: state, log, reasons of failures, clean text, memory of a callback, results.
 * The functions that plugins call and the jobs are in host_*.c; host_table.c fills in `struct
 * cr`. */
#ifndef CORE_HOST_H
#define CORE_HOST_H
#include "base/buf.h"
#include "record/result.h"

#include <courant/plugin.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct chan;
struct frame;
struct parse_job;

#define STAND_IN	"{secret:"	/* a stand-in for a secret is {secret:NAME:NONCE} */
#define HOST_NONCE	64		/* bytes of a nonce, with its NUL */
#define HOST_OPEN	64		/* records not yet emitted, at most */
#define HOST_RECORDS	100000		/* records of one page */
#define HOST_BATCH	10000		/* records of one batch */
#define HOST_STATE	(64u << 10)	/* bytes of an instance's state */
#define HOST_KEPT	(32u << 20)	/* bytes of results after which a batch ends early */
#define HOST_SCRATCH	(16u << 20)	/* bytes of a text before it is made clean */
#define HOST_LINES	200		/* lines that a job may log */
#define HOST_NUMBER	264		/* bytes of a number's name behind "story.", with a NUL */
#define HOST_ERROR	1000		/* bytes of a reason */
#define HOST_RULE	128		/* bytes of a filter's rule */
#define HOST_TRAIL	4096		/* bytes of a record's trail; what does not fit is left
					 * out */
#define HOST_ASKED	(4u << 20)	/* bytes of requests of one page */
#define HOST_FLUSH	65536		/* bytes of results gathered before they are written */

/* Which callback runs; decides which functions of the host it may call. */
enum phase { PHASE_NONE = 0, PHASE_OPEN = 1, PHASE_CLOSE = 2, PHASE_PARSE = 4, PHASE_FILTER = 8,
	PHASE_DELIVER = 16, PHASE_PLAN = 32, PHASE_STREAM = 64, PHASE_REQUEST = 128 };

/* Callbacks whose results go to core in batches while they run. */
#define IN_BATCHES (PHASE_STREAM | PHASE_REQUEST)

/* Callbacks that may call http(). */
#define MAY_HTTP	(PHASE_DELIVER | IN_BATCHES)
/* Callbacks that may call record() and emit(); state_get() and state_set(). */
#define MAY_EMIT	(PHASE_PARSE | IN_BATCHES)
#define MAY_KEEP	(PHASE_PARSE | PHASE_PLAN | IN_BATCHES | PHASE_FILTER | PHASE_DELIVER)

/* A loaded plugin. */
struct slot {
	struct cr_plugin	 plugin;	/* the descriptor, as far as its size reaches */
	char			 rule[HOST_RULE];	/* a filter's place: "match#1",
							 * "any#2/match#1" */
	void			*opts;		/* options, passed to the callbacks */
	int			 filled, opened;	/* opts is filled; open() has succeeded */
	uint64_t		 hash;		/* of the options in opts */
	char			 nonce[HOST_NONCE];	/* of the stand-ins in opts */
	struct buf		 kept;		/* in a batch: state after the calls so far */
	struct buf		 set;		/* state set by them, not yet in the results */
};

/* The writer of results into a memfd: items are collected in b. */
struct out {
	struct buf	 b;
	int		 fd;			/* -1: none */
	uint64_t	 at, max;		/* bytes written; at most */
	int		 full, failed;		/* over max; a write failed: no more is added */
};

/* Memory that is freed when the callback has returned. */
struct lent;

struct host {
	struct cr	 cr;			/* first: callbacks get a pointer to it */
	enum phase	 phase;
	struct slot	*slot;			/* the plugin whose callback runs */
	struct lent	*lent;
	int64_t		 now, since;		/* the job's wall clock, ms; date_ticks() at that
						 * time */
	unsigned	 lines;			/* logged in this job */
	uint64_t	 replaced;		/* invalid bytes and controls that were replaced */
	int		 html;			/* flags of html_sanitise() */
	struct chan	*chan;			/* to core; NULL: none */
	uint32_t	 grants;		/* enum cr_wants */
	int		 stop;			/* MSG_STOP arrived during a callback */
	/* Set while a job of IN_BATCHES runs; else NULL. */
	void		(*emitted)(void);	/* called after each record emitted */
	void		(*other)(struct frame *);	/* gets other frames while http() waits */

	uint32_t	 failed;		/* 0, enum cr_why, FAILED_RETRY */
	int64_t		 retry;
	char		 error[HOST_ERROR];
	char		 partial[HOST_ERROR];	/* reason of partial(); "": not called */
	char		 why[HOST_ERROR];	/* reason of verdict() */
	/* What the record's filters wait for: set by wait_for(); ""; ambiguous: nothing to be
	 * watched. */
	char		 number[HOST_NUMBER];
	double		 least;
	int		 ambiguous;
	char		 asked_number[HOST_NUMBER];	/* by the filter that runs */
	double		 asked_least;
	const struct cr_record *judged;		/* the record that it judges */
	/* The same as it is stored, and its source and time: borrowed from the batch. */
	struct bytes	 stored;
	const char	*stored_source;
	int64_t		 stored_seen;
	int		 searched;		/* its words have been read (host_search.c) */
	struct buf	 trail;			/* struct result_said of the filters called so
						 * far */
	size_t		 trail_last;		/* offset of the last of them */

	struct buf	 clean, folded, balanced, made;	/* steps of a text in a setter */
	struct buf	 base;			/* of relative URLs */
	struct buf	 converted;

	char		 nonce[HOST_NONCE];	/* of the job's stand-ins; "": it has none */
	const struct parse_job *page;		/* PHASE_PARSE, PHASE_PLAN */
	int64_t		 latest;		/* a record's time after this becomes page->when */
	struct cr_record *feed;			/* of feed(); NULL: not called */
	struct cr_record *open[HOST_OPEN], *spare[HOST_OPEN];
	unsigned char	 by_title[HOST_OPEN];	/* open[i] was made with CR_BY_TITLE */
	size_t		 nopen, nspare;
	uint32_t	 records, refused;	/* emitted; refused by emit() */
	struct buf	 asked;			/* RESULT_REQUESTs of this page */
	uint32_t	 requests;		/* their number */
	struct bytes	 known;			/* stored state: KEY\0VALUE\0... */
	struct buf	 state;			/* set by state_set(): KEY\0 flag VALUE\0 */
	struct buf	 ahead;			/* `known` after the changes in `state` */
	uint32_t	 done;			/* records of the batch that are done */
	struct out	 out;
};
extern struct host host;

/* The functions for all callbacks: log(), fail(), retry(), now(), parse_time(), convert(). */
void	 host_common_table(struct cr *);
/* Call before and after a callback; host_leave() frees the memory that was lent to it. */
void	 host_enter(struct slot *, enum phase);
void	 host_leave(void);
/* Begins a job: sets its clock (ms since 1970) and clears failures and counts. */
void	 host_job(int64_t now);
/* fail(), which the host uses too: the job failed; why is an enum cr_why. Returns -1. */
int	 host_fail(struct cr *, int why, const char *fmt, ...) CR_PRINTF(3, 4);
/* Formats a reason as one clean line, cut to HOST_ERROR bytes. */
void	 host_reason(char to[HOST_ERROR], const char *fmt, va_list)
	    __attribute__((format(printf, 2, 0)));
/* After a callback failed: fills in the failure and its reason if fail() did not. */
void	 host_blame(const char *callback);
/* Logs one line, of at most HOST_LINES per job. */
void	 host_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Cleans a text for use in a record: UTF-8 without control characters; fold: one space between
 * words. Borrowed until the next call. data NULL: over HOST_SCRATCH. */
struct bytes host_clean(const char *, size_t, int fold);
/* A NUL-terminated copy, freed when the callback has returned, or earlier by host_unlend() with the
 * value that host.lent had before. */
const char *host_lend_text(const char *, size_t len);
void	 host_unlend(struct lent *until);

/* One item of the results: begin, add to host.out.b, end. out_end(): -1 when the item is over a
 * maximum or nothing can be written; the item is then dropped. */
void	 out_open(int fd, uint64_t max);
size_t	 out_begin(enum result_kind);
int	 out_end(size_t begun);
int	 out_flush(void);			/* -1: an item was dropped or not written */
#endif
