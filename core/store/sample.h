/* One marked record by which an operator tests a sink. */
#ifndef CORE_SAMPLE_H
#define CORE_SAMPLE_H

struct buf;
struct cursor;
struct ledger;
struct ledger_route;
struct work;

/* Puts into *w and items a batch of one record, of the kind WORK_SAMPLE: the newest that the route
 * kept, with a mark before its title and an id of its own; an invented one if there is none. Nothing
 * of it is stored. to: the address of its reader, if it is mail; or NULL. */
void	sample_pull(struct ledger *, struct ledger_route *, const struct cursor *, const char *to, struct work *,
	    struct buf *items);
#endif
