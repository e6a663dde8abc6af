/* Editions: what a route's candidates were, at a moment, sealed.
 *
 * A route with editions draws from one other, its candidates, and judges nothing itself. Sealing appends a
 * late row to the log for each record of the edition, in its order, with the record and its story's numbers as
 * they are, and the route's verdicts on these rows: its sinks get them as those of any route do. All in one
 * commit; nothing changes it afterwards. */
#ifndef CORE_EDITION_H
#define CORE_EDITION_H
#include "ledger.h"
#include "base/buf.h"
#include "db/schema.h"
#include "ipc/msg.h"

#include <stdint.h>

struct db;

#define EDITION_MAX	LEDGER_BATCH	/* records of one edition */
#define EDITION_LOOKS	100000		/* candidates that are looked at for one, the newest */

/* A candidate: the row of the log by which the route of candidates kept it. */
struct candidate {
	int64_t	 n, item, revision, story;
	int64_t	 place;			/* the larger goes first */
	uint32_t section;		/* of the lineup */
};
struct section {
	int64_t	 key;			/* what its records have in common */
	uint32_t first, n;		/* of the candidates */
	int64_t	 left_out;
};
/* The candidates in their order, each story once; the first `top` of them are to be in the edition, section by
 * section. */
struct lineup {
	struct candidate *of;
	size_t		 n, room, top;
	struct section	*section;
	uint32_t	 nsections;
	int64_t		 upto;		/* place in the log that was looked at last */
};
void	lineup_read(struct ledger *, struct ledger_route *, struct lineup *);
void	lineup_free(struct lineup *);

/* A route's calendar, as the configuration that was read last has it; NULL: the route has none, or is gone. */
void	edition_rule(struct ledger *, struct ledger_route *, const char *rule);
/* Seals an edition, or skips it if there is no candidate; not if there is one of its name, or if it was due before
 * the route had its calendar. */
void	edition_seal(struct ledger *, const struct seal_ask *);

/* An edition as it is stored; its records are the rows of the log from `first` on, n of them; one without
 * records has a row as well, of no item, and a skipped one none: first is 0. Strings are owned: edition_free(). */
struct edition_row {
	int64_t	 id, sealed, due, since, first, n, left_out;
	enum edition_state state;
	char	*name, *zone, *sections, *why;
};
static inline int64_t
edition_last(const struct edition_row *e)	/* row of the log */
{
	return e->first + (e->n > 0 ? e->n : 1) - 1;
}
/* Of that name; of the row of the log. 1; 0: there is none. */
int	edition_named(struct ledger *, const struct ledger_route *, const char *name, struct edition_row *);
int	edition_of(struct ledger *, const struct ledger_route *, int64_t n, struct edition_row *);
/* Whether the row is the first of an edition. */
int	edition_begins(struct ledger *, const struct ledger_route *, int64_t n);
void	edition_free(struct edition_row *);
/* The next row of a statement of editions. 1; 0: there is none. */
int	edition_step(struct db *, enum sql, struct edition_row *);
/* The items of the candidates that were left out, in their order. Freed by the caller. */
int64_t	*edition_others(struct ledger *, const struct edition_row *);
/* Appends a RESULT_EDITION and the edition's records; those that do not fit into LEDGER_BYTES, or are no longer
 * stored, count as left out. archive: behind them those that were left out. Returns how many. */
uint32_t edition_give(struct ledger *, struct ledger_route *, const struct edition_row *, int archive,
	    struct buf *items);
/* The same of what would be sealed now. */
uint32_t lineup_give(struct ledger *, struct ledger_route *, const struct lineup *, const struct seal_ask *,
	    struct buf *items);
#endif
