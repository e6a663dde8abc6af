/* What `courant try` reads: the rows of a route's past, with what became of them. */
#ifndef CORE_PAST_H
#define CORE_PAST_H

struct buf;
struct ledger;

/* Which rows the past is. arg: lines: the route's name; what, as refilter() takes it; "sources", or "".
 * JSON: {"known", "after", "until", "sources": {NAME: id}}. known: the daemon has the route. The past
 * is the rows behind `after` up to `until`. 0, or 1: out has a line that says why not. */
int	past(struct ledger *, const char *arg, struct buf *out);
/* A page of it, as items of record/result.h: RESULT_PAST, and RESULT_ITEM behind it, for each row that
 * the route as it is tried draws, or that it has a verdict on; at last a RESULT_PAST with item 0. arg:
 * lines: the route's name; the row behind which the page begins; `after` and `until`; "record" or
 * "story" for `once`; "updates" or ""; the ids of its sources, as bits from 0 on, low one first, in
 * hex, or "*"; the names of the routes that it draws from, one a line. As above. */
int	past_page(struct ledger *, const char *arg, struct buf *out);
#endif
