/* A refilter: a route judges the past again, and its new verdicts replace those of before. */
#ifndef CORE_LEDGER_REFILTER_H
#define CORE_LEDGER_REFILTER_H
#include <stddef.h>
#include <stdint.h>

struct before;				/* opaque */
struct buf;
struct ledger;
struct ledger_route;
struct row;
struct verdict;

/* Begins the refilter of a route. arg: three lines, the route's name; "all", "last N" (records) or
 * "age MS"; ms from one record to the next, for sinks that push and get what is kept now, or "": they
 * get nothing. Appends JSON. 0, or 1: out has a line that says why not. */
int	refilter(struct ledger *, const char *arg, struct buf *out);
/* Appends how far the refilter of the route `arg` is, as JSON. As above. */
int	refiltered(struct ledger *, const char *arg, struct buf *out);
/* The row after which the past begins that `what` names: the second line of refilter()'s argument.
 * r NULL: a route that has judged nothing. -1: malformed. */
int64_t	refilter_from(struct ledger *, const struct ledger_route *r, const char *what);
/* Takes back the refilter's progress, since the route judges all of the log. */
void	refilter_again(struct ledger *, struct ledger_route *);

/* Whether sinks that push got the version of the item that the row stands for, by any row of it. */
int	refilter_got(struct ledger *, struct ledger_route *, const struct row *);
/* The same, by this row. */
int	refilter_got_by(struct ledger *, struct ledger_route *, int64_t n);
/* Whether sinks that push have passed the row without getting it, nor its story unless once_record:
 * if the route keeps it now, they get it only if told to. */
int	refilter_missed(struct ledger *, struct ledger_route *, const struct row *, int once_record);
/* The row whose verdict is what became of the row's record: a late row, if it waited. */
int64_t	refilter_final(struct ledger *, struct ledger_route *, const struct row *);
/* Whether the row's record waits by an earlier verdict, which stays. */
int	refilter_waits(struct ledger *, struct ledger_route *, const struct row *);
/* Takes the counts and dead letters of the verdicts on the rows first to last back. */
struct before *refilter_take(struct ledger *, struct ledger_route *, int64_t first, int64_t last);
/* Deletes these verdicts, to be replaced by v[n] on row[n], whose `apart` is set. Frees before. */
void	refilter_replace(struct ledger *, struct ledger_route *, struct before *,
	    const struct row *row, struct verdict *v, size_t n);
/* Notes that sinks get the record of the row n, which they had passed when a refilter kept it. */
void	refilter_sent(struct ledger *, struct ledger_route *, int64_t n);
/* The route has judged the past: its lists are written anew. */
void	refilter_end(struct ledger *, struct ledger_route *);
#endif
