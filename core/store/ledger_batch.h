/* What a batch consists of: the records of rows of the log, and the batch's id. */
#ifndef CORE_LEDGER_BATCH_H
#define CORE_LEDGER_BATCH_H
#include "base/buf.h"

#include <stdint.h>

struct cursor;
struct ledger;
struct ledger_route;

/* Appends the record of the log's row n as a RESULT_ITEM, with what its story tells now; if the row is of an
 * edition, with what it told when that was sealed. *seen (or NULL): see verdict_seen(). 0, or -1: no such row or
 * record. */
int	batch_item(struct ledger *, const struct ledger_route *, int64_t n, struct bytes changes,
	    struct buf *, int64_t *seen);
/* The same of a row that the route judged, with what its filters changed. */
int	batch_given(struct ledger *, struct ledger_route *, int64_t n, struct buf *);
/* Appends a struct result_item without its record: what the record's story tells now, as the route hands it
 * out. Nothing if there is no such row. */
void	batch_view(struct ledger *, const struct ledger_route *, int64_t n, struct buf *);
/* Puts into l->id the id of a batch, which is the same for the same range of the log. sink NULL: a
 * batch for the filters. */
void	batch_id(struct ledger *, const struct ledger_route *, const struct cursor *sink,
	    int64_t first, int64_t last);
#endif
