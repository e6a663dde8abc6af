/* The ledger: how far each route has judged the log, which records the route kept and why, and how
 * far each sink of the route has delivered them (rows of the table leg). */
#ifndef CORE_LEDGER_H
#define CORE_LEDGER_H
#include "roster.h"
#include "base/buf.h"
#include "base/text.h"
#include "record/verdict.h"

#include <stdint.h>
#include <stddef.h>

struct store_route;
struct roster;
struct pull;
struct work;
struct judged;
struct ack;
struct cr_record;
struct book;

#define LEDGER_SCAN	20000		/* rows of the log that one scan reads, at most */
#define LEDGER_BEHIND	1000		/* rows by which a route's position on disk may lag */
#define LEDGER_BATCH	10000		/* records of a batch, at most */
#define LEDGER_MASTHEADS	(8u << 20)	/* bytes of a list's mastheads, without the last */
#define LEDGER_BYTES	(32u << 20)	/* bytes of a batch, without its last record */
#define LEDGER_JUDGE	1000		/* records of a verdict blob of a route without filters */
#define LEDGER_CHANGES	(16u << 20)	/* bytes of changes that one scan takes over from other
					 * routes, without the last record's: with the changes of
					 * the route's own filters they fit into a verdict blob */
#define LEDGER_LOOKS	2000		/* rows looked up to count undelivered records */
#define WAKE_MAX	1000		/* waiting records that one ledger_wake() handles */

/* Whether a route replaces its verdicts on the past, and what its push sinks get of it. AGAIN_TRY: of a
 * copy of a route, whose new verdicts only `courant try` knows (past.c). */
enum again { AGAIN_NOT, AGAIN_LISTS, AGAIN_DELIVER, AGAIN_TRY };

/* A late row: a row of the log by which a route judges a record again that waited. Columns as in
 * the table late. */
struct late {
	uint32_t	 route;
	int64_t		 origin, version, since;	/* origin 0: no late row of this route;
							 * version 0: no late row */
	char		*reason;	/* owned; NULL: the filters are to be asked */
	int		 split;		/* the record was dropped for its story, which an operator
					 * split; in the table since is negative then */
};

/* A row of the log that belongs to a route. */
struct row {
	int64_t		 n, item, revision;
	struct bytes	 changes;	/* by the route it was drawn from; owned; NULL: none */
	struct late	 late;
	int		 first;		/* the first version of its item that reaches the route */
	int		 undrawn;	/* in a refilter: not the route's any more, but delivered */
	int64_t		 seen;		/* verdict_seen() when the filters were asked */
};
struct rows {
	struct row	*row;
	size_t		 n, cap;
	int64_t		 first, last;	/* range of the log that was scanned; last 0: none */
};

/* Why a sink is paused until an operator resumes it: leg.paused. */
enum paused {
	PAUSED_NOT, PAUSED_GONE,	/* its receiver said that it is gone */
	PAUSED_FULL,			/* it has OUTBOX_DEAD dead letters */
	PAUSED_FAILING,			/* it has failed for OUTBOX_FAILING */
};

/* A sink's cursor: a row of the table leg, the sink's setup, and the batch under way. */
struct cursor {
	int64_t		 id;
	char		*name;
	int		 gone;
	uint32_t	 takes, keep, order;	/* of a list: enum list_order */
	int		 archive;		/* of an edition it gets those that were left out, too */
	int64_t		 backlog, backlog_n;
	int64_t		 begun, past;		/* begun -1: unknown until `past` is judged */
	int64_t		 created;
	int64_t		 delivered, done, failures, due;
	int64_t		 listed;		/* of a list: the window covers the kept records up
						 * to this n; -1: the window has to be rebuilt */
	int		 anew;			/* of a list: written also if no record was kept since;
						 * on disk as listed -1 */
	int64_t		 room;			/* records that the window has room for, and from
						 * bit 32 on its enum list_order */
	/* Of a list by its records' stories, which is ranked anew as they change. */
	char		*number;		/* of ORDER_NUMBER; NULL */
	int64_t		 every;			/* ms between two rankings */
	int64_t		 ranked;		/* date_ticks() of the last one; 0: none so far */
	int		 ranking;		/* one is under way */
	uint64_t	 moves;			/* of the book, as the last one began */
	int64_t		 list;			/* digest of the list as it was handed out; 0 */
	int64_t		 until;			/* `due` as date_ticks() */
	enum paused	 paused;
	int64_t		 failing;		/* ms that it has failed since its last success */
	int64_t		 failed;		/* date_ticks() of its last failure; 0: none here */
	int64_t		 retried;		/* n of the record in PENDING_RETRY; 0: none */
	char		*reason;
	/* Rows of the outbox, by their states; again: those of replay that it confirmed before. */
	uint64_t	 retry, dead, replay, again;
	int64_t		 replay_next;		/* date_ticks(): no replay before */
	int64_t		*batch;			/* n of each record of the batch under way */
	size_t		 nbatch;
	int64_t		 first, last;		/* range of the batch; first 0: none under way */
	uint32_t	 so_far;		/* records of it that are confirmed */
	int		 replaying;		/* the batch under way is of replays */
	/* Of a sink that writes mail: its fixed readers, KEY\0ADDRESS\0..., owned; ms for which a message is
	 * tried. */
	int		 mail;
	char		*readers;
	size_t		 readers_len;
	int64_t		 expiry;
	int		 subscribe;		/* the route's subscribers are readers of it, too */
	/* A sink that takes records in any order: those under way, one a lane; 0: none; negative: a letter. */
	int		 unordered;
	int64_t		 flight[SINK_LANES];
	unsigned	 outcomes[SINK_LANES];	/* of mail: readers of whom something became since then */
};

struct ledger_route {
	uint32_t	 id;
	char		*name;
	int		 gone;
	struct store_route rule;		/* without its strings */
	char		*rules;			/* names of its filters: RULE\0... */
	size_t		 rules_len;
	unsigned char	*from;			/* bits by source id: those it draws from */
	uint32_t	 nfrom;			/* bits in from */
	uint32_t	*routes;		/* it draws from: places in ledger.route */
	size_t		 nroutes;
	uint32_t	*prefer;		/* sources whose fields a face takes first */
	size_t		 nprefer;
	uint32_t	*sinks;			/* as in the configuration: places in sink */
	size_t		 nsinks;
	struct cursor *sink;			/* all in the database, also gone ones */
	size_t		 nsink;
	int64_t		 filtered, kept, dropped, expired;
	int64_t		 saved;			/* filtered, on disk or in the open transaction */
	int64_t		 begun, resume;		/* as in the table route */
	enum again	 again;			/* as in the table route */
	int64_t		 gap;			/* with AGAIN_DELIVER: ms from one replay to the next */
	int64_t		 came, went, stayed;	/* records of the refilter under way, or of the last
						 * one, since store started */
	int64_t		 sent;			/* of these, into outboxes */
	int64_t		*chain;			/* rows where kept records of the refilter wait now */
	size_t		 nchain;
	uint64_t	 pending, dead;
	char		*reason;		/* of its filters' last dead letter; or NULL */
	struct rows	 batch;			/* the rows that its filters are judging */
	uint64_t	 forged;		/* records refused since the start, as what their
						 * filters changed is forged */
	uint64_t	 forged_untold;		/* those of them that no line in the log told yet */
	int64_t		 forged_logged;		/* ticks of the last such line; 0: none yet */
	struct verdicts	 seen;			/* the verdict blob read last */
	/* Of a route with editions: the number of its order, owned; when its calendar was set, ms; the place
	 * in the log at which the route began. */
	char		*number;
	int64_t		 ruled, past;
};

struct ledger {
	struct book	*book;
	struct roster	*roster;
	struct ledger_route *route;		/* all in the database, also gone ones */
	size_t		 nroute;
	int64_t		 durable;		/* the log's last n that is committed */
	int		 taken;			/* ledger_take() has read a configuration */
	int64_t		 ahead;			/* wall clock - ticks at the last wait_clock() */
	uint64_t	 wrote;			/* counts writes of verdicts and cursors */
	char		 id[TEXT_BASE32_16];	/* of the batch handed out last */
	char		 token[TEXT_BASE32_16];	/* of it, if it is a letter: struct work */
	struct buf	 readers;		/* of it, if it is mail: struct work */
};

struct ledger	*ledger_new(struct book *, struct roster *);	/* reads the database */
void		 ledger_free(struct ledger *);			/* NULL is fine */

/* Writes the position of each route that has passed at least `behind` rows, none of them the
 * route's, since the position was written last: a configuration that is changed while the daemon is
 * down applies from the written position on. */
void	ledger_save(struct ledger *, int64_t behind);

/* While the route judges the past (r->resume > 0): the last row of that past. */
static inline int64_t
route_past(const struct ledger_route *r)
{
	return r->again != AGAIN_NOT ? r->resume : r->begun;
}

/* Whether the row n lies in the past that the route has still to judge. In a refilter such a row has
 * the verdict of before. */
static inline int
route_ahead(const struct ledger_route *r, int64_t n)
{
	return r->resume > 0 && n > r->filtered && n <= route_past(r);
}

/* Whether a lane of the sink has the record or letter n. */
static inline int
flight_has(const struct cursor *g, int64_t n)
{
	for (int i = 0; i < SINK_LANES; i++)
		if (g->flight[i] == n)
			return 1;
	return 0;
}

/* The row up to which the route has judged the log, apart from the past up to route_past() that
 * the route may still have to judge. */
static inline int64_t
route_judged(const struct ledger_route *r)
{
	return r->resume > 0 ? r->resume : r->filtered;
}

/* Writes a route's position and counts in the open transaction. */
void		 route_save(struct ledger *, struct ledger_route *);
struct ledger_route *ledger_route(struct ledger *, uint32_t id);	/* NULL: no such route */
struct ledger_route *ledger_route_named(struct ledger *, const char *);	/* NULL: none, or gone */
/* The last row of the log that was stored before that time (ms); 0: none. */
int64_t		 ledger_before(struct ledger *, int64_t when);
struct cursor *ledger_cursor(struct ledger_route *, uint32_t place);	/* NULL: no such sink */

/* Adds a route or a cursor; the name is copied. Invalidates pointers to other routes, or to other
 * cursors of the route. */
struct ledger_route *route_add(struct ledger *, int64_t id, const char *name);
struct cursor *cursor_add(struct ledger_route *, int64_t id, const char *name);

void		 row_free(struct row *);		/* frees what the row owns */
void		 rows_free(struct rows *);		/* and leaves it ready for use */
/* Takes ownership of row->late.reason; copies row->changes. */
void		 rows_add(struct rows *, const struct row *);
struct bytes	 bytes_copy(struct bytes);		/* owned; NULL data: unchanged */

void	batch_add(struct cursor *, int64_t n);	/* record n to the batch under way */
void	cursor_save(struct ledger *, const struct cursor *);
/* Pauses the sink until an operator resumes it; takes over the reason. The caller saves it. */
void	cursor_pause(struct cursor *, enum paused, char *reason);

/* Sets the due time of the sink's next try: wall clock, ms, at most ACK_DUE_MAX ahead. 0: none. */
void	cursor_due_set(struct cursor *, int64_t due);

/* The due time of the sink's next try, corrected if the clock was set since. A past time: due at
 * once. 0: none. */
int64_t	cursor_due(const struct cursor *);
#endif
