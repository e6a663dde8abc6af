/* Sinks that take records in any order (`ordered: no`): a bounded window of records is in the outbox,
 * and up to SINK_LANES of them are under way, each by itself. */
#ifndef CORE_LEDGER_FLIGHT_H
#define CORE_LEDGER_FLIGHT_H
#include "base/buf.h"

#include <stdint.h>

struct ack;
struct buf;
struct cursor;
struct ledger;
struct ledger_route;
struct pull;
struct work;

#define FLIGHT_WINDOW	1000		/* records in the outbox that are no dead letters, at most */

/* The configuration says whether the sink is unordered. */
void	flight_take(struct ledger *, struct cursor *, int unordered);
/* Gives the lane a letter to a subscriber, who waits for it: before records, and wherever the cursor is. 0: there is
 * none; 1. */
int	flight_letter(struct ledger *, struct ledger_route *, struct cursor *, struct work *w);
/* Gives the lane a record into *w and items, or says when to ask again. */
void	flight_pull(struct ledger *, struct ledger_route *, struct cursor *, const struct pull *,
	    struct work *, struct buf *items);
/* Settles the lane's record. kept: the plugin's new state. */
void	flight_ack(struct ledger *, struct ledger_route *, struct cursor *, const struct ack *,
	    struct bytes kept);
#endif
