/* Late rows: rows at the log's end by which records that waited are judged again, since a row that
 * a route has passed is not judged twice. */
#ifndef CORE_LEDGER_LATE_H
#define CORE_LEDGER_LATE_H
#include <stdint.h>

struct late;
struct ledger;
struct ledger_route;
struct row;
struct rows;
struct waiting;

/* Appends a late row for a record that waited: the filters are asked again, or, with a reason, the
 * record is dropped for it. */
void	late_add(struct ledger *, const struct waiting *, int64_t now, const char *reason);
/* Appends a late row for an item that the route dropped since its story was taken, so that it is
 * judged again. 1; 0: the route's last verdict on the item is another. */
int	late_story(struct ledger *, struct ledger_route *, int64_t item, int64_t now);
/* Reads the late row n; the caller frees late->reason. */
void	late_read(struct ledger *, int64_t n, struct late *);
/* Whether another route's late row is new to this route: the route has not judged this version of
 * the item, and the version is not among `rows`, which are being judged. */
int	late_new(struct ledger *, struct ledger_route *, const struct rows *, const struct row *);
/* The row by which the route judged the record before its late row n: a late row, or `origin`. */
int64_t	late_prior(struct ledger *, const struct ledger_route *, int64_t item, int64_t origin, int64_t n);
/* The last late row of the route for the record of the row `origin`; 0: none. */
int64_t	late_last(struct ledger *, const struct ledger_route *, int64_t item, int64_t origin);
/* Whether the route kept the item by one of its late rows. */
int	late_took(struct ledger *, struct ledger_route *, int64_t item);
/* Whether the route was asked about any version of the item by a late row. */
int	late_met(struct ledger *, struct ledger_route *, int64_t item);
#endif
