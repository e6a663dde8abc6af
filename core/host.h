/* What the worker offers the plugin it loaded: the table `struct cr`, and the jobs run with it. One
 * process holds one host. Used by worker.c alone; divided over host.c (the table, what all callbacks
 * may call), host_set.c (filling and reading records), host_parse.c and host_batch.c (the jobs). */
#ifndef CORE_HOST_H
#define CORE_HOST_H
#include "buf.h"
#include "chan.h"
#include "msg.h"
#include "record.h"
#include "result.h"

#include <courant/plugin.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#define STAND_IN	"{secret:"	/* what each stand-in begins with: {secret:NAME:NONCE} */
#define HOST_NONCE	64		/* bytes of a nonce, at most, and a NUL */
#define HOST_OPEN	64		/* records made and not yet emitted */
#define HOST_RECORDS	100000		/* records of one page */
#define HOST_BATCH	10000		/* records of one batch */
#define HOST_STATE	(64u << 10)	/* bytes of an instance's state */
#define HOST_KEPT	(32u << 20)	/* bytes of results after which a batch ends early */
#define HOST_SCRATCH	(16u << 20)	/* bytes of a text before it is made clean */
#define HOST_LINES	200		/* lines that a job may log */
#define HOST_ERROR	1000		/* bytes of a reason */
#define HOST_RULE	128		/* bytes of a filter's rule */
#define HOST_TRAIL	4096		/* bytes of what filters said of one record; later ones are left out */
#define HOST_ASKED	(4u << 20)	/* bytes of requests of one page */
#define HOST_AHEAD	INT64_C(86400000)	/* ms that a time may lie after its page */
#define HOST_FLUSH	65536		/* bytes of results gathered before they are written */

/* Which callback runs: decides what it may call. */
enum phase { PHASE_NONE = 0, PHASE_OPEN = 1, PHASE_CLOSE = 2, PHASE_PARSE = 4, PHASE_FILTER = 8,
	PHASE_DELIVER = 16, PHASE_PLAN = 32, PHASE_STREAM = 64, PHASE_REQUEST = 128 };

/* Those whose results go out in batches while they run. */
#define IN_BATCHES (PHASE_STREAM | PHASE_REQUEST)

/* Those that may call http(). */
#define MAY_HTTP	(PHASE_DELIVER | IN_BATCHES)
/* Those that may make records and emit them; that may keep state. */
#define MAY_EMIT	(PHASE_PARSE | IN_BATCHES)
#define MAY_KEEP	(PHASE_PARSE | PHASE_PLAN | IN_BATCHES | PHASE_FILTER | PHASE_DELIVER)

/* A plugin that was loaded. */
struct slot {
	struct cr_plugin	 plugin;	/* no more of it than its size says */
	char			 rule[HOST_RULE];	/* of a filter: "match#1", "any#2/match#1" */
	void			*opts;		/* what the callbacks get */
	int			 filled, opened;
	uint64_t		 hash;		/* of the options that opts was filled with */
	char			 nonce[HOST_NONCE];	/* and of the stand-ins among them */
	struct buf		 kept;		/* in a batch: its state as the calls so far left it */
	struct buf		 set;		/* what they set and is not yet in the results */
};

/* Results on their way into the memfd. */
struct out {
	struct buf	 b;
	int		 fd;			/* -1: none */
	uint64_t	 at, max;		/* bytes written; at most */
	int		 full, failed;		/* over max; a write failed: nothing more is taken */
};

/* Memory that lasts until the callback has returned. */
struct lent;

struct host {
	struct cr	 cr;			/* first: callbacks get a pointer to it */
	enum phase	 phase;
	struct slot	*slot;			/* whose callback runs */
	struct lent	*lent;
	int64_t		 now, since;		/* wall clock of the job; ticks when it was told */
	unsigned	 lines;			/* logged in this job */
	uint64_t	 replaced;		/* bytes that were no UTF-8 */
	int		 html;			/* flags of html_sanitise() */
	struct chan	*chan;			/* to core; NULL: there is none */
	uint32_t	 grants;		/* enum cr_wants */
	int		 stop;			/* MSG_STOP came during a callback */

	uint32_t	 failed;		/* 0, enum cr_why, FAILED_RETRY */
	int64_t		 retry;
	char		 error[HOST_ERROR];
	char		 partial[HOST_ERROR];	/* "": whole */
	char		 why[HOST_ERROR];	/* of verdict() */
	struct buf	 trail;			/* struct result_said of the filters asked so far */
	size_t		 trail_last;		/* where the last of them begins */

	struct buf	 clean, folded, balanced, made;	/* a text on its way through a setter */
	struct buf	 base;			/* URLs are resolved against it */
	struct buf	 converted;

	char		 nonce[HOST_NONCE];	/* in the job's stand-ins; "": it has none */
	const struct parse_job *page;		/* PHASE_PARSE, PHASE_PLAN */
	int64_t		 latest;		/* a time beyond it is clamped to page->when */
	struct cr_record *feed;			/* NULL: not asked for */
	struct cr_record *open[HOST_OPEN], *spare[HOST_OPEN];
	size_t		 nopen, nspare;
	uint32_t	 records, refused;
	struct buf	 asked;			/* RESULT_REQUESTs of this page */
	uint32_t	 requests;		/* in it */
	struct bytes	 known;			/* state as it is stored: KEY\0VALUE\0... */
	struct buf	 state;			/* what state_set() was told: KEY\0 flag VALUE\0 */
	struct buf	 ahead;			/* both together, as `known` will be */
	uint32_t	 done;			/* records of the batch */
	struct out	 out;
};
extern struct host host;

void	 host_init(const struct w_start *);
/* A callback begins and ends: what was lent in it is freed at its end. */
void	 host_enter(struct slot *, enum phase);
void	 host_leave(void);
/* A job begins: its clock, and no failure yet. */
void	 host_job(int64_t now);
/* Fills and opens a plugin unless it is already open with the same options. -1: host.error, .failed. */
int	 slot_ready(struct slot *, struct bytes options, uint64_t hash);
void	 slot_close(struct slot *);
/* Fills it, and has its check() look; it stays closed. -1: as above. */
int	 slot_check(struct slot *, struct bytes options);
/* One clean line, cut to HOST_ERROR bytes. */
void	 host_reason(char to[HOST_ERROR], const char *fmt, va_list)
	    __attribute__((format(printf, 2, 0)));
/* What a callback returned is -1 or it said fail(): makes sure that there is a reason. */
void	 host_blame(const char *callback);
/* One line to the log, at most HOST_LINES a job. */
void	 host_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* n bytes, freed when the callback has returned, or by unlend() of what host.lent was before. */
void	*host_lend(size_t n);
const char *host_lend_text(const char *, size_t len);
void	 host_unlend(struct lent *until);

/* Results: begin, add to host.out.b, end. end: -1 when it is refused, being over a maximum. */
void	 out_open(int fd, uint64_t max);
size_t	 out_begin(enum result_kind);
int	 out_end(size_t begun);
int	 out_flush(void);			/* -1: some did not fit or was not written */

/* host_set.c: the members of struct cr that work on records */
void	 host_set_table(struct cr *);
struct cr_record *host_record_take(void);	/* an empty one; NULL: HOST_OPEN are open */
int	 host_record_open(const struct cr_record *);
void	 host_record_drop(struct cr_record *);
/* Text as it may stand in a record: UTF-8 without controls; fold: one space between words. Borrowed
 * until the next call. data NULL: over HOST_SCRATCH. */
struct bytes host_clean(const char *, size_t, int fold);
/* An absolute URL that a reader may follow, in host.made; -1: none. */
int	 host_url(const char *text);

/* host_http.c */
void	 host_http_table(struct cr *);

/* host_state.c: begin: what is stored (borrowed), and nothing set; write: what was set, into the
 * results. */
void	 host_state_table(struct cr *);
void	 host_state_begin(struct bytes known);
void	 host_state_write(void);
/* The same for the calls of a batch: given: what is stored, for the slot of its rule. enter: a call
 * begins; counts: it went well, and what it set is known to the next. write: into the results. */
void	 host_keep_begin(struct slot *, size_t n);
void	 host_keep_given(struct slot *, size_t n, const struct result_state *);
void	 host_keep_enter(struct slot *);
void	 host_keep_counts(struct slot *);
void	 host_keep_write(struct slot *, size_t n);
void	 host_keep_free(struct slot *);

/* host_stream.c: a stream over the channel, and what it shares with visits. emitted: a batch that is
 * large enough goes out; frame: one that came while a callback waited for another. begin: results go
 * into out, then into spare, in turn (-1: it comes by MSG_W_STORED); url: what URLs are resolved
 * against. end: drops what was made and not emitted, and sends the last batch. settle: waits until all
 * that was sent is on disk. */
void	 host_stream_table(struct cr *);
void	 host_stream(struct slot *, const struct stream_job *, int out, int spare,
	    struct batch_done *);
void	 host_stream_begin(struct bytes state, const char *url, int out, int spare);
void	 host_stream_end(void);
void	 host_stream_settle(void);
void	 host_stream_emitted(void);
void	 host_stream_frame(struct frame *);

/* host_visit.c: a visitor's request. body: its memfd, if it is long; -1. done's strings stay until the
 * next one. */
void	 host_visit_table(struct cr *);
void	 host_visit(struct slot *, const struct visit_job *, const struct visit_ask *, int body,
	    int out, struct visit_done *);

/* host_parse.c, host_ask.c, host_batch.c: the members of their own, and the jobs */
void	 host_parse_table(struct cr *);
void	 host_parse(struct slot *, const struct parse_job *, int body, int out, struct parse_done *);
void	 host_plan(struct slot *, const struct parse_job *, int out, struct parse_done *);
void	 host_ask_table(struct cr *);
void	 host_ask_write(void);			/* what was asked for, into the results */
void	 host_batch_table(struct cr *);
/* progress: called after each record of a careful batch. */
struct host_batch {
	struct slot	*slots;			/* filters in order, their groups told by their rules;
						 * or one sink */
	size_t		 n;
	int		 batch, out;		/* descriptors */
	void		(*progress)(uint32_t done, void *);
	void		*arg;
};
void	 host_filter(const struct host_batch *, const struct batch_job *, struct batch_done *);
void	 host_deliver(const struct host_batch *, const struct batch_job *, struct batch_done *);
#endif
