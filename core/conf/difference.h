/* The difference between two setups, as a line for people. */
#ifndef CORE_DIFFERENCE_H
#define CORE_DIFFERENCE_H
#include "base/buf.h"

#define DIFFERENCE_NAMES	5	/* names in each list; the rest is counted */

struct setup;

/* Appends one line without a line end: "sources: 1 added (b), 2 removed (c, d); routes: 1 changed
 * (all)", or "nothing is different". */
void	setup_difference(const struct setup *old, const struct setup *now, struct buf *);
#endif
