/* The end of old editions: those beyond `archive` of their route. */
#ifndef CORE_EDITION_PRUNE_H
#define CORE_EDITION_PRUNE_H
struct ledger;

#define EDITION_PRUNES	50		/* editions at once, so that store is not held up; the others follow */

/* Deletes what the route's old editions have; of each its name and its place in the log stay. One that a sink has
 * still to get keeps all, and so do those behind it. */
void	edition_prune(struct ledger *, const char *route);
#endif
