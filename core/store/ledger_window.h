/* The window of a list sink: which of the route's kept records the list shows. */
#ifndef CORE_LEDGER_WINDOW_H
#define CORE_LEDGER_WINDOW_H
#include <stdint.h>

struct ledger;
struct cursor;
struct ledger_route;
struct verdict;

/* Of a kept record: its version, when it was first seen (ms), and its story. */
struct window_row { int64_t revision, seen, story; };
/* Where the record stands in an order (enum list_order; number: of ORDER_NUMBER): the larger goes first. */
int64_t	window_place(struct ledger *, uint32_t order, const char *number, const struct verdict *,
	    const struct window_row *);

/* Adds records that were kept since the last call to the list's window, in the open transaction or
 * in a new one; the number for one call is limited. 1: there are more. */
int	window_fill(struct ledger *, struct ledger_route *, struct cursor *);
/* Has all lists of the route filled anew and written again. */
void	windows_again(struct ledger *, struct ledger_route *);
/* Whether the list is ordered by its records' stories. */
int	window_is_ranked(const struct cursor *);
/* Drops the window in the open transaction; the next window_fill() rebuilds it. */
void	window_drop(struct ledger *, struct cursor *);
#endif
