/* A route's stored verdicts on rows of the log, and which rows a route draws from its sources and
 * from other routes. */
#include "ledger_verdict.h"
#include "book.h"
#include "ledger.h"
#include "base/buf.h"
#include "base/log.h"
#include "db/db.h"

#include <string.h>

const struct verdict *
verdict_of(struct ledger *l, struct ledger_route *r, int64_t n)
{
	struct db *db = &l->book->db;
	int64_t first, last;

	if (n > route_judged(r))
		return NULL;
	if (n >= r->seen.first && n <= r->seen.last)
		return verdicts_find(&r->seen, n);
	db_bind(db, SQL_VERDICT_AT, DB_INT(r->id), DB_INT(n));
	if (db_step(db, SQL_VERDICT_AT)) {
		first = db_int(db, SQL_VERDICT_AT, 0);
		last = db_int(db, SQL_VERDICT_AT, 1);
		if (first <= n && verdicts_read(&r->seen, first, last,
		    db_blob(db, SQL_VERDICT_AT, 2)) == -1)
			log_warn("route %s: verdicts %lld to %lld cannot be read", r->name,
			    (long long)first, (long long)last);
	}
	db_done(db, SQL_VERDICT_AT);
	return n >= r->seen.first && n <= r->seen.last ? verdicts_find(&r->seen, n) : NULL;
}

int
verdict_handed_on(struct ledger *l, const struct ledger_route *r, int64_t n, struct bytes *changes)
{
	const struct verdict *v;
	size_t i;

	for (i = 0; i < r->nroutes; i++) {
		v = verdict_of(l, &l->route[r->routes[i]], n);
		if (v == NULL || v->verdict != CR_KEEP)
			continue;
		*changes = v->changes;
		return 1;
	}
	return 0;
}

int
verdict_draws_itself(const struct ledger *l, const struct ledger_route *r, int64_t source)
{
	return (r->rule.all && !roster_own(l->roster, source)) ||
	    (source < r->nfrom && (r->from[source / 8] >> (source % 8) & 1) != 0);
}

int
verdict_belongs(struct ledger *l, const struct ledger_route *r, int64_t n, int64_t source,
    struct bytes *changes)
{
	*changes = (struct bytes){ NULL, 0 };
	return verdict_draws_itself(l, r, source) || verdict_handed_on(l, r, n, changes);
}

int
verdict_passed_over(const struct verdict *v)
{
	return v->rule != NULL && strcmp(v->rule, RULE_REVISION) == 0;
}

const struct verdict *
verdict_settled(struct ledger *l, struct ledger_route *r, int64_t n)
{
	return route_ahead(r, n) ? NULL : verdict_of(l, r, n);
}

int
verdict_undrawn(const struct verdict *v)
{
	return v == NULL || (v->rule != NULL && strcmp(v->rule, RULE_FROM) == 0);
}

int
verdict_story_taken(const struct verdict *v)
{
	return v->verdict == CR_DROP && v->rule != NULL && strcmp(v->rule, RULE_STORY) == 0;
}

int
verdict_met(struct ledger *l, struct ledger_route *r, int64_t n)
{
	const struct verdict *v = verdict_settled(l, r, n);

	return !verdict_undrawn(v) && !verdict_passed_over(v);
}

/* Whether the route has still to judge the log's row n. */
static int
lies_ahead(const struct ledger_route *r, int64_t n)
{
	return n > route_judged(r) || route_ahead(r, n);
}

int
verdict_asks(struct ledger *l, struct ledger_route *r, int64_t n, int64_t source)
{
	size_t i;
	int draws;

	if (!r->rule.updates)
		return 0;
	draws = verdict_draws(l, r, n, source);
	for (i = 0; i < r->nroutes && !draws; i++)
		if (lies_ahead(&l->route[r->routes[i]], n))
			return -1;
	return draws && (lies_ahead(r, n) || verdict_met(l, r, n));
}

int
verdict_draws(struct ledger *l, struct ledger_route *r, int64_t n, int64_t source)
{
	struct bytes changes;

	return verdict_belongs(l, r, n, source, &changes);
}

int
verdict_kept(struct ledger *l, struct ledger_route *r, int64_t n)
{
	const struct verdict *v = verdict_settled(l, r, n);

	return v != NULL && v->verdict == CR_KEEP;
}

int64_t
verdict_seen_now(struct ledger *l)
{
	const uint64_t spread = UINT64_C(0x9e3779b97f4a7c15);
	uint64_t seen = 0;
	int i;

	for (i = 4; i <= 7; i++)	/* the last version, its hash, the story's items, its rev */
		seen = (seen ^ (uint64_t)db_int(&l->book->db, SQL_LOG_GET, i)) * spread;
	return (int64_t)seen;
}

int64_t
verdict_seen(struct ledger *l, int64_t n)
{
	struct db *db = &l->book->db;
	int64_t seen = 0;

	db_bind(db, SQL_LOG_GET, DB_INT(n));
	if (db_step(db, SQL_LOG_GET))
		seen = verdict_seen_now(l);
	db_done(db, SQL_LOG_GET);
	return seen;
}
