/* What became of a record: where it came from, and of each route what it made of it and why. */
#ifndef CORE_EXPLAIN_H
#define CORE_EXPLAIN_H
#include "ledger.h"

#define EXPLAIN_ITEMS	10		/* records that one question may be about */
#define EXPLAIN_OTHERS	100		/* told of a story's other records */

/* Answers for `what`: the id of a record or of a delivery of it, its guid, or its link. 0: JSON in out;
 * 1: there is no such record, and out says so in words. Reads the database, writes nothing. */
int	explain(struct ledger *, const char *what, struct buf *out);
#endif
