/* The work of routes: hands out batches, takes acknowledgements, and counts undelivered records. */
#ifndef CORE_LEDGER_WORK_H
#define CORE_LEDGER_WORK_H
#include <stddef.h>

struct ack;
struct buf;
struct ledger;
struct pull;
struct work;

/* The next batch for a route's filters or for a sink: fills *w (its id is borrowed until the next
 * call) and, unless w->kind is WORK_NONE, items. May write verdicts and cursors, and then begins a
 * transaction. */
void	ledger_pull(struct ledger *, const struct pull *, struct work *w, struct buf *items);
/* kept: the sink's results with the state that it set; NULL: none. */
void	ledger_ack(struct ledger *, const struct ack *, const void *kept, size_t len);
/* The payload of MSG_COUNTS. */
void	ledger_counts(struct ledger *, struct buf *);
#endif
