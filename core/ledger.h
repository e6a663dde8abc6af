/* The ledger: how far each route has judged the log, what it kept and why, and how far each of its
 * sinks (legs) has delivered that. */
#ifndef CORE_LEDGER_H
#define CORE_LEDGER_H
#include "roster.h"
#include "text.h"
#include "verdict.h"

#define LEDGER_SCAN	20000		/* rows of the log looked at in one turn */
#define LEDGER_BEHIND	1000		/* rows of the log that a cursor on disk may lag behind */
#define LEDGER_BATCH	10000		/* records of a batch, whatever is asked for */
#define LEDGER_BYTES	(32u << 20)	/* bytes of a batch, but for its first record */
#define LEDGER_JUDGE	1000		/* records of one blob of a route without filters */
#define LEDGER_CHANGES	(16u << 20)	/* bytes of changes drawn with them, but for the last record's: with
					 * those of the route's own filters they fit into a blob */
#define WAKE_MAX	1000		/* records that waited, in one turn */

/* A row of the log by which a route is asked once more about what waited; as in the table late. */
struct late {
	uint32_t	 route;
	int64_t		 origin, version, since;	/* origin 0: it is another route's, or no such row;
							 * version 0: no such row */
	char		*reason;	/* owned; NULL: to be asked about */
};

/* A row of the log that is a route's. */
struct row {
	int64_t		 n, item, revision;
	struct bytes	 changes;	/* by the route it comes from; owned; none: NULL */
	struct late	 late;
	int		 first;		/* of its item's versions the first that comes to the route */
	int64_t		 seen;		/* judge_seen() when its filters were asked */
};
struct rows {
	struct row	*row;
	size_t		 n, cap;
	int64_t		 first, last;	/* range of the log they come from; last 0: none */
};

struct ledger_leg {
	int64_t		 id;
	char		*name;
	int		 gone;
	uint32_t	 takes, keep;
	int64_t		 backlog, backlog_n;
	int64_t		 begun, past;		/* begun -1: to be found once `past` is judged */
	int64_t		 created;
	int64_t		 delivered, done, failures, due;
	int		 paused;		/* until an operator resumes it */
	int64_t		 retried;		/* the record that has a PENDING_RETRY; 0: none */
	char		*reason;
	uint64_t	 pending, dead;
	int64_t		*batch;			/* n of each record under way */
	size_t		 nbatch;
	int64_t		 first, last;		/* of it; last 0: none */
};

struct ledger_route {
	uint32_t	 id;
	char		*name;
	int		 gone;
	struct store_route rule;		/* its strings are not kept */
	char		*rules;			/* of its filters: RULE\0... */
	size_t		 rules_len;
	unsigned char	*from;			/* bits by source id */
	uint32_t	 nfrom;			/* bits in it */
	uint32_t	*routes;		/* places of routes that it draws from */
	size_t		 nroutes;
	uint32_t	*legs;			/* by place in the configuration: places in leg */
	size_t		 nlegs;
	struct ledger_leg *leg;			/* all that are known, also gone ones */
	size_t		 nleg;
	int64_t		 filtered, kept, dropped, expired;
	int64_t		 saved;			/* filtered, as it is on disk or in the open transaction */
	int64_t		 begun, resume;		/* as in the table route */
	uint64_t	 pending, dead;
	char		*reason;		/* why its filters gave the last record up; NULL */
	struct rows	 batch;			/* what its filters are asked about */
	struct verdicts	 seen;			/* the blob read last */
};

struct ledger {
	struct book	*book;
	struct roster	*roster;
	struct ledger_route *route;		/* all that are known, also gone ones */
	size_t		 nroute;
	int64_t		 durable;		/* the log's last n that is committed */
	int		 taken;			/* a configuration was */
	uint64_t	 wrote;			/* verdicts and cursors written */
	char		 id[TEXT_BASE32_16];	/* of the last work */
};

struct ledger	*ledger_new(struct book *, struct roster *);	/* reads the database */
void		 ledger_free(struct ledger *);			/* NULL is fine */

/* Takes a configuration's routes in the open transaction: w stands behind the sources of
 * MSG_STORE_CONF, ids are those of its sources. 0, or -1: malformed. out: u32 m, m * u32 id. */
int	ledger_take(struct ledger *, struct wire *w, const uint32_t *ids, size_t n, struct buf *out);

/* Work for a station: fills *w (id borrowed until the next call) and, unless it is WORK_NONE, items
 * with the batch. May write verdicts and cursors: begins a transaction when it does. */
void	ledger_pull(struct ledger *, const struct pull *, struct work *w, struct buf *items);
/* The filters' verdicts on a batch (data NULL: none). 0, or enum settled_bad. */
uint32_t ledger_judged(struct ledger *, const struct judged *, const void *verdicts, size_t len);
/* kept: what the sink set (data NULL: nothing). */
void	ledger_ack(struct ledger *, const struct ack *, const void *kept, size_t len);
/* Writes the cursors of routes that have passed so many rows, none of them theirs, since they were
 * written last: a configuration that is changed while the daemon is down goes on from there. */
void	ledger_save(struct ledger *, int64_t behind);
/* What waits and is due, or has waited too long, comes into the log again, in the open transaction or
 * one that it begins: at most WAKE_MAX records. How many. */
size_t	ledger_wake(struct ledger *);
/* Time at which there is some; INT64_MAX: nothing waits. */
int64_t	ledger_wakes(struct ledger *);
/* The payload of MSG_COUNTS. */
void	ledger_counts(struct ledger *, struct buf *);

/* ---- Between ledger.c, judge.c, wait.c, leg.c, keep.c and explain.c ---- */
/* Up to where the route has judged, but for what it has still to make up for before r->begun. */
static inline int64_t
route_judged(const struct ledger_route *r)
{
	return r->resume > 0 ? r->resume : r->filtered;
}

/* Writes the cursors of a route in the open transaction. */
void		 route_save(struct ledger *, struct ledger_route *);
struct ledger_route *ledger_route(struct ledger *, uint32_t id);	/* NULL: no such */
struct ledger_leg *ledger_leg(struct ledger_route *, uint32_t place);	/* NULL: no such */

/* Whether a verdict is no more than that the route takes no revisions. */
int		 judge_passed_over(const struct verdict *);
/* What the route has said about n; NULL: nothing, or n is not its. Borrowed until the next call. */
const struct verdict *judge_verdict(struct ledger *, struct ledger_route *, int64_t n);
/* A filter said wait. */
void	wait_add(struct ledger *, struct ledger_route *, const struct row *, const char *why);
/* All that waits in the route is due. */
void	wait_end(struct ledger *, struct ledger_route *);
/* After a change of its rule: what waits goes by the new one. */
void	wait_take(struct ledger *, struct ledger_route *);
/* What the log's row n, whose revision is negative, stands for; its reason is the caller's. */
void	late_read(struct ledger *, int64_t n, struct late *);
/* Whether the route has anything to say of a late row of another one: not if it judged this version of
 * the item before, be it in rows that are judged just now. */
int	late_new(struct ledger *, struct ledger_route *, const struct rows *, const struct row *);
/* Whether the route took the item by one of its late rows. */
int	late_took(struct ledger *, struct ledger_route *, int64_t item);
/* Whether it was asked about any version of it by one. */
int	late_met(struct ledger *, struct ledger_route *, int64_t item);
/* Hash of what a filter sees now of the log's row n: of the record and of its story. */
int64_t	judge_seen(struct ledger *, int64_t n);
/* Whether the log's n, of that source, is among what the route draws from. */
int	judge_draws(struct ledger *, struct ledger_route *, int64_t n, int64_t source);
/* Whether the route is asked, now or later or was, about a later version of an item by that version's
 * own row n. 1; 0: it is not; -1: that lies with a route that it draws from and that is not as far. */
int	judge_asks(struct ledger *, struct ledger_route *, int64_t n, int64_t source);
/* Whether the route took any version of an item. */
int	judge_took(struct ledger *, struct ledger_route *, int64_t item);
void	rows_free(struct rows *);		/* and ready for use again */
/* Judges without filters what is committed, up to a scan's worth. 1: there is more to look at. */
int	judge_all(struct ledger *, struct ledger_route *);
/* The next rows for the filters. 1: there is more to look at. */
int	judge_pull(struct ledger *, struct ledger_route *, uint32_t max, struct work *, struct buf *);
/* Adds a record of the log as a RESULT_ITEM; *seen (or NULL) as judge_seen(). 0; -1: it is not there. */
int	judge_item(struct ledger *, int64_t n, struct bytes changes, struct buf *, int64_t *seen);
/* The id of a delivery: the same for the same rows of the log. leg NULL: for the filters. */
void	judge_id(struct ledger *, const struct ledger_route *, const struct ledger_leg *leg,
	    int64_t first, int64_t last);
void	leg_pull(struct ledger *, struct ledger_route *, struct ledger_leg *, uint32_t max,
	    struct work *, struct buf *);
/* Whether a row is of what a source already held when it was first read, and `backlog` says that
 * the leg does not want that. */
int	leg_skips(struct ledger *, const struct ledger_leg *, int64_t n);
/* An operator resumes it: what it waited for is due now. */
void	leg_resume(struct ledger *, struct ledger_leg *);
void	leg_ack(struct ledger *, struct ledger_route *, struct ledger_leg *, const struct ack *,
	    struct bytes kept);
void	leg_save(struct ledger *, const struct ledger_leg *);

/* What plugins keep. give: as RESULT_STATE before the items of a batch; take: what of the results counts
 * with the first `done` records of it, into the open transaction (leg NULL: of the filters). */
void	keep_give_leg(struct ledger *, const struct ledger_leg *, struct buf *items);
void	keep_give_filters(struct ledger *, const struct ledger_route *, struct buf *items);
void	keep_take(struct ledger *, const struct ledger_route *, const struct ledger_leg *,
	    struct bytes results, uint32_t done);
int	keep_rule(const struct ledger_route *, const char *rule);	/* whether it is one of the route's */
void	keep_drop_leg(struct ledger *, const struct ledger_leg *);
void	keep_drop_filters(struct ledger *, const struct ledger_route *);	/* of no rule of its */
#endif
