/* Waiting records: those with the verdict `wait`, which the filters judge again at their due
 * time. */
#ifndef CORE_LEDGER_WAIT_H
#define CORE_LEDGER_WAIT_H
#include <stddef.h>
#include <stdint.h>

struct ledger;
struct ledger_route;
struct row;
struct verdict;

/* A row of the table pending, joined with the record's rows in the tables log and item. */
struct waiting {
	uint32_t	 route;
	int64_t		 n, item, since, revision, source, flags, newest, version;
	char		*reason;
};

/* Appends a late row to the log for each waiting record that is due or over the route's patience,
 * at most WAKE_MAX, in the open transaction or in a new one. Returns the number of records
 * handled. */
size_t	ledger_wake(struct ledger *);
/* The earliest due time, wall clock, ms; INT64_MAX: nothing waits. */
int64_t	ledger_wakes(struct ledger *);
/* Stores that a filter gave the verdict wait on a row. */
void	wait_add(struct ledger *, struct ledger_route *, const struct row *, const struct verdict *);
/* Makes all waiting records of the route due. */
void	wait_end(struct ledger *, struct ledger_route *);
/* After a change of the route's setup: applies the new patience to its waiting records; without
 * filters all of them are due. */
void	wait_take(struct ledger *, struct ledger_route *);
/* The clock was set back, or may have been: makes those waiting records due whose due time lies
 * further ahead than wait_add() would set it by the present clock. */
void	wait_clock(struct ledger *);
#endif
