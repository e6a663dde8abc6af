/* The state that a route's filters and sinks store. */
#ifndef CORE_LEDGER_STATE_H
#define CORE_LEDGER_STATE_H
#include "base/buf.h"

#include <stdint.h>

struct buf;
struct ledger;
struct cursor;
struct ledger_route;

/* give: appends the state as RESULT_STATE, in front of a batch's items. take: writes, in the open
 * transaction, the state that the results set up to the batch's record number `done` (cursor NULL:
 * the filters' state). */
void	ledger_state_give_sink(struct ledger *, const struct cursor *, struct buf *items);
void	ledger_state_give_filters(struct ledger *, const struct ledger_route *, struct buf *items);
void	ledger_state_take(struct ledger *, const struct ledger_route *, const struct cursor *,
	    struct bytes results, uint32_t done);
/* Whether the route has a filter of this name. */
int	ledger_state_rule(const struct ledger_route *, const char *rule);
void	ledger_state_drop_sink(struct ledger *, const struct cursor *);
/* Deletes the state of filters that the route no longer has. */
void	ledger_state_drop_filters(struct ledger *, const struct ledger_route *);
/* Deletes the state of all filters of the route. */
void	ledger_state_clear_filters(struct ledger *, const struct ledger_route *);
#endif
