/* Which old records a sink takes (the option `backlog`), and the record of a row of the log. */
#ifndef CORE_LEDGER_BACKLOG_H
#define CORE_LEDGER_BACKLOG_H
#include <stdint.h>

struct cr_record;
struct ledger;
struct cursor;

/* Whether a row came in its source's first fetch and the sink's `backlog` leaves it out. */
int	cursor_skips(struct ledger *, const struct cursor *, int64_t n);
/* Why the sink does not take the kept record n, or did not; NULL: it takes it. apart: of the route's
 * verdict on it. */
const char *cursor_passed_over(struct ledger *, const struct cursor *, int64_t n, int apart);
/* The record of the log's row n, whose log.revision is `revision` (negative: a late row). Owned by
 * the caller. NULL: no longer stored. */
struct cr_record *row_record(struct ledger *, int64_t n, int64_t revision);
#endif
