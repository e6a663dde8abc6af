/* What happened to a record: its source and versions, and the verdict of each route with the
 * reason. */
#ifndef CORE_EXPLAIN_H
#define CORE_EXPLAIN_H
#include "ledger.h"

#define EXPLAIN_ITEMS	10		/* records in one answer */
#define EXPLAIN_OTHERS	100		/* other records of the same story in one answer */

/* Explains the records that `what` names by record id, delivery id, guid or link. 0: JSON in out;
 * 1: no such record, and out has a line of text that says so. Writes nothing to the database. */
int	explain(struct ledger *, const char *what, struct buf *out);
#endif
