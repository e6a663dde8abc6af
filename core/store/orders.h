/* What an operator asks about dead letters, and orders about records of sinks. */
#ifndef CORE_ORDERS_H
#define CORE_ORDERS_H

struct buf;
struct ledger;

#define ORDERS_PAGE	2000		/* records that one question handles */

/* Dead letters by route, sink and reason. arg: JSON, {"route", "sink"}, both optional. 0: JSON in
 * out, {"sinks": [{"route", "sink", "dead", "groups": [{"reason", "state", "count", "first",
 * "last", "ids"}]}]}; 1: an error for people. */
int	orders_dead(struct ledger *, const char *arg, struct buf *out);
/* Replays, drops, skips. arg: JSON, {"route", "sink", and one of "dead": true, "id", "since" (ms);
 * "gap" (ms between two replays), "again", "dry", "after" and "at" (of the answer before)}. 0: JSON
 * in out, {"sinks": [{"route", "sink", "taken", "confirmed", "lost", "waiting", "busy", "lists"}],
 * "after", "at"}; 1: an error for people.
 *	taken		records that the order is about
 *	confirmed	those left out since the sink has them
 *	lost		those no longer stored
 *	waiting		those that are delivered without the order
 *	busy		those that are being delivered at this moment, left as they are
 *	lists		true: the sink writes lists, and replays nothing
 *	after, at	where the next question goes on; missing when all are done */
int	orders_replay(struct ledger *, const char *arg, struct buf *out);
int	orders_drop(struct ledger *, const char *arg, struct buf *out);
/* Moves the cursors of sinks to the first record that came at or after "since". */
int	orders_skip(struct ledger *, const char *arg, struct buf *out);
#endif
