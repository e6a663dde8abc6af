/* The end of old editions: those beyond `archive` of their route. */
#include "edition_prune.h"
#include "book.h"
#include "edition.h"
#include "ledger.h"
#include "base/log.h"
#include "db/db.h"

/* Whether a sink of the route has still to get rows of the edition. */
static int
is_wanted(struct ledger *l, const struct ledger_route *r, const struct edition_row *e)
{
	for (size_t i = 0; i < r->nsinks; i++) {
		const struct cursor *g = &r->sink[r->sinks[i]];

		if (g->delivered < edition_last(e) || db_get(&l->book->db, SQL_OUTBOX_UNSENT, 0, DB_INT(g->id),
		    DB_INT(e->first), DB_INT(edition_last(e))) > 0)
			return 1;
	}
	return 0;
}

static void
prune_one(struct ledger *l, const struct ledger_route *r, const struct edition_row *e)
{
	struct db *db = &l->book->db;

	db_begin(db);
	db_run(db, SQL_EDITION_RECORDS_DROP, DB_INT(e->first), DB_INT(edition_last(e)));
	db_run(db, SQL_EDITION_VIEWS_DROP, DB_INT(e->first), DB_INT(edition_last(e)));
	db_run(db, SQL_EDITION_PRUNE, DB_INT(e->id), DB_TEXT("the archive has no more room for it"));
	log_info("route %s: edition %s is deleted: the archive has %u", r->name, e->name, r->rule.archive);
}

void
edition_prune(struct ledger *l, const char *route)
{
	struct ledger_route *r = ledger_route_named(l, route);
	struct edition_row old[EDITION_PRUNES];
	struct db *db = &l->book->db;
	size_t n = 0, i;
	int wanted = 0;

	if (r == NULL || r->rule.archive == 0)
		return;
	db_bind(db, SQL_EDITIONS_OLD, DB_INT(r->id), DB_INT(r->rule.archive), DB_INT(EDITION_PRUNES));
	while (n < EDITION_PRUNES && edition_step(db, SQL_EDITIONS_OLD, &old[n]))
		n++;
	db_done(db, SQL_EDITIONS_OLD);
	for (i = 0; i < n; i++) {
		wanted = wanted || is_wanted(l, r, &old[i]);
		if (!wanted)
			prune_one(l, r, &old[i]);
		edition_free(&old[i]);
	}
}
