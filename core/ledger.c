/* The ledger: which routes and legs there are, where they begin, and what they count. */
#include "ledger.h"
#include "date.h"
#include "log.h"
#include "mem.h"

#include <stdlib.h>
#include <string.h>

/* ---- From the database ---- */

static struct ledger_route *
route_add(struct ledger *l, int64_t id, const char *name)
{
	struct ledger_route *r;

	l->route = xreallocarray(l->route, l->nroute + 1, sizeof(*l->route));
	r = &l->route[l->nroute++];
	*r = (struct ledger_route){ .id = (uint32_t)id, .name = xstrdup(name) };
	return r;
}

static struct ledger_leg *
leg_add(struct ledger_route *r, int64_t id, const char *name)
{
	struct ledger_leg *g;

	r->leg = xreallocarray(r->leg, r->nleg + 1, sizeof(*r->leg));
	g = &r->leg[r->nleg++];
	*g = (struct ledger_leg){ .id = id, .name = xstrdup(name) };
	return g;
}

static void
legs_read(struct ledger *l, struct ledger_route *r)
{
	struct db *db = &l->book->db;
	struct ledger_leg *g;

	db_bind(db, SQL_LEGS, DB_INT(r->id));
	while (db_step(db, SQL_LEGS)) {
		g = leg_add(r, db_int(db, SQL_LEGS, 0), db_text(db, SQL_LEGS, 1));
		g->begun = db_int(db, SQL_LEGS, 2);
		g->past = db_int(db, SQL_LEGS, 3);
		g->backlog = db_int(db, SQL_LEGS, 4);
		g->backlog_n = db_int(db, SQL_LEGS, 5);
		g->delivered = db_int(db, SQL_LEGS, 6);
		g->done = db_int(db, SQL_LEGS, 7);
		g->failures = db_int(db, SQL_LEGS, 8);
		g->due = db_int(db, SQL_LEGS, 9);
		xreplace(&g->reason, db_text(db, SQL_LEGS, 10));
		g->paused = db_int(db, SQL_LEGS, 11) != 0;
		g->gone = db_text(db, SQL_LEGS, 12) != NULL;
		g->created = db_int(db, SQL_LEGS, 13);
	}
}

static void
pending_read(struct ledger *l)
{
	struct db *db = &l->book->db;
	struct ledger_route *r;
	int64_t leg, n, state;
	int waits;
	size_t i;

	while (db_step(db, SQL_PENDING_COUNTS)) {
		r = ledger_route(l, (uint32_t)db_int(db, SQL_PENDING_COUNTS, 0));
		leg = db_int(db, SQL_PENDING_COUNTS, 1);
		state = db_int(db, SQL_PENDING_COUNTS, 2);
		waits = state == PENDING_WAIT || state == PENDING_RETRY;
		n = db_int(db, SQL_PENDING_COUNTS, 3);
		if (r == NULL)
			continue;
		if (leg == PENDING_FILTER && !waits)	/* of its last n */
			xreplace(&r->reason, db_text(db, SQL_PENDING_COUNTS, 5));
		if (leg == PENDING_FILTER)
			*(waits ? &r->pending : &r->dead) += (uint64_t)n;
		for (i = 0; i < r->nleg; i++) {
			if (r->leg[i].id != leg)
				continue;
			*(waits ? &r->leg[i].pending : &r->leg[i].dead) += (uint64_t)n;
			if (state == PENDING_RETRY)
				r->leg[i].retried = db_int(db, SQL_PENDING_COUNTS, 4);
		}
	}
}

struct ledger *
ledger_new(struct book *book, struct roster *roster)
{
	struct ledger *l = xcalloc(1, sizeof(*l));
	struct db *db = &book->db;
	struct ledger_route *r;
	size_t i;

	l->book = book;
	l->roster = roster;
	l->durable = book->head;
	while (db_step(db, SQL_ROUTES)) {
		r = route_add(l, db_int(db, SQL_ROUTES, 0), db_text(db, SQL_ROUTES, 1));
		r->filtered = r->saved = db_int(db, SQL_ROUTES, 2);
		r->begun = db_int(db, SQL_ROUTES, 3);
		r->resume = db_int(db, SQL_ROUTES, 4);
		r->kept = db_int(db, SQL_ROUTES, 5);
		r->dropped = db_int(db, SQL_ROUTES, 6);
		r->gone = db_text(db, SQL_ROUTES, 7) != NULL;
		r->expired = db_int(db, SQL_ROUTES, 8);
	}
	for (i = 0; i < l->nroute; i++)
		legs_read(l, &l->route[i]);
	pending_read(l);
	return l;
}

static void
route_free(struct ledger_route *r)
{
	size_t i;

	for (i = 0; i < r->nleg; i++) {
		free(r->leg[i].name);
		free(r->leg[i].reason);
		free(r->leg[i].batch);
	}
	verdicts_free(&r->seen);
	free(r->leg);
	free(r->legs);
	free(r->routes);
	free(r->from);
	rows_free(&r->batch);
	free(r->reason);
	free(r->name);
	free(r->rules);
}

void
ledger_free(struct ledger *l)
{
	size_t i;

	if (l == NULL)
		return;
	for (i = 0; i < l->nroute; i++)
		route_free(&l->route[i]);
	free(l->route);
	free(l);
}

struct ledger_route *
ledger_route(struct ledger *l, uint32_t id)
{
	size_t i;

	for (i = 0; i < l->nroute; i++)
		if (l->route[i].id == id)
			return &l->route[i];
	return NULL;
}

struct ledger_leg *
ledger_leg(struct ledger_route *r, uint32_t where)
{
	return where < r->nlegs ? &r->leg[r->legs[where]] : NULL;
}

/* ---- From a configuration ---- */

static size_t
route_place(const struct ledger *l, const char *name)
{
	size_t i;

	for (i = 0; i < l->nroute && strcmp(l->route[i].name, name) != 0; i++)
		;
	return i;
}

/* The log's last n that came before a time. */
static int64_t
log_before(struct ledger *l, int64_t when)
{
	struct db *db = &l->book->db;
	int64_t low = 0, high = l->book->head, mid, n = 0, at = 0;

	while (low < high) {
		mid = low + (high - low) / 2 + 1;
		db_bind(db, SQL_LOG_AFTER, DB_INT(mid));
		if (db_step(db, SQL_LOG_AFTER)) {
			n = db_int(db, SQL_LOG_AFTER, 0);
			at = db_int(db, SQL_LOG_AFTER, 1);
		} else
			at = INT64_MAX;
		db_done(db, SQL_LOG_AFTER);
		if (at < when)
			low = n;
		else
			high = mid - 1;
	}
	return low;
}

/* Up to where a leg that is new takes nothing; -1: that is known once the past is judged. */
static int64_t
leg_begin(struct ledger *l, const struct store_leg *s)
{
	switch (s->backlog) {
	case BACKLOG_NONE:
		return l->book->head;
	case BACKLOG_COUNT:
		return -1;
	case BACKLOG_AGE:
		return log_before(l, date_now() - s->backlog_n);
	default:
		return 0;
	}
}

void
route_save(struct ledger *l, struct ledger_route *r)
{
	r->saved = r->filtered;
	db_run(&l->book->db, SQL_ROUTE_MOVE, DB_INT(r->id), DB_INT(r->filtered), DB_INT(r->begun),
	    DB_INT(r->resume), DB_INT(r->kept), DB_INT(r->dropped), DB_INT(r->expired));
}

void
ledger_save(struct ledger *l, int64_t behind)
{
	size_t i;

	for (i = 0; i < l->nroute; i++)
		if (l->route[i].filtered - l->route[i].saved >= behind) {
			db_begin(&l->book->db);
			route_save(l, &l->route[i]);
		}
}

static void	route_go_back(struct ledger *, struct ledger_route *);

static void
routes_go_back(struct ledger *l, const struct ledger_route *r)
{
	size_t i;

	for (i = 0; i < r->nroutes; i++)
		route_go_back(l, &l->route[r->routes[i]]);
}

/* A leg wants what lies before the route began: the route judges that first, and so do those that
 * it draws from. What it judged before stays as it is. */
static void
route_go_back(struct ledger *l, struct ledger_route *r)
{
	routes_go_back(l, r);
	if (r->begun == 0 || r->resume > 0)
		return;
	log_info("route %s: judges the past up to %lld as well", r->name, (long long)r->begun);
	r->resume = r->filtered;
	r->filtered = 0;
	rows_free(&r->batch);	/* what its filters are asked just now lies behind the past */
	route_save(l, r);
}

static void
leg_take(struct ledger *l, struct ledger_route *r, const struct store_leg *s, uint32_t *where)
{
	struct ledger_leg *g;
	int64_t begun, now;
	size_t i;

	for (i = 0; i < r->nleg && strcmp(r->leg[i].name, s->name) != 0; i++)
		;
	if (i == r->nleg) {
		begun = leg_begin(l, s);
		now = date_now();
		db_run(&l->book->db, SQL_LEG_ADD, DB_INT(r->id), DB_TEXT(s->name), DB_INT(begun),
		    DB_INT(l->book->head), DB_INT(s->backlog), DB_INT(s->backlog_n),
		    DB_INT(begun > 0 ? begun : 0), DB_INT(now));
		g = leg_add(r, db_last(&l->book->db), s->name);
		g->created = now;
		g->begun = begun;
		g->past = l->book->head;
		g->delivered = begun > 0 ? begun : 0;
		if (begun < r->begun && s->backlog != BACKLOG_NONE)
			route_go_back(l, r);
	}
	g = &r->leg[i];
	if (g->takes != s->takes)
		g->first = g->last = 0;	/* what is under way was handed out as something else */
	g->takes = s->takes;
	g->keep = s->keep;
	if (g->gone || g->backlog != s->backlog || g->backlog_n != s->backlog_n) {
		g->backlog = s->backlog;
		g->backlog_n = s->backlog_n;
		if (g->begun == -1 && s->backlog != BACKLOG_COUNT) {
			g->begun = s->backlog == BACKLOG_NONE ? g->past : leg_begin(l, s);
			g->delivered = g->begun;
		}
		leg_save(l, g);
	}
	g->gone = 0;
	*where = (uint32_t)i;
}

/* Where a new route begins: at the head when no leg of it takes of the past, else at the log's
 * beginning. A route without legs is for others to draw from, or to look at. */
static int64_t
route_begin(const struct ledger *l, const struct store_leg *s, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (s[i].backlog != BACKLOG_NONE)
			return 0;
	return n > 0 ? l->book->head : 0;
}

static struct ledger_route *
route_take(struct ledger *l, const struct store_route *s, const struct store_leg *legs, size_t n)
{
	size_t where = route_place(l, s->name);
	struct db *db = &l->book->db;
	const char *title = s->title != NULL ? s->title : s->name;
	struct ledger_route *r;
	int64_t filtered;

	if (where == l->nroute) {
		filtered = route_begin(l, legs, n);
		db_run(db, SQL_ROUTE_ADD, DB_TEXT(s->name), DB_TEXT(title), DB_INT(filtered),
		    DB_INT(date_now()));
		r = route_add(l, db_last(db), s->name);
		r->filtered = r->saved = r->begun = filtered;
	} else
		db_run(db, SQL_ROUTE_SET, DB_INT(l->route[where].id), DB_TEXT(title));
	return &l->route[where];
}

/* Whether a source is among those with a bit. */
static int
drawn_from(const struct ledger_route *r, uint32_t id)
{
	return id < r->nfrom && (r->from[id / 8] >> id % 8 & 1) != 0;
}

/* Whether a rule, and what it draws from, make the same rows of the log the route's: then what its
 * filters are asked just now still counts. */
static int
rule_same(const struct ledger_route *r, const struct store_route *s,
    const struct ledger_route *drawn)
{
	uint32_t max = r->nfrom > drawn->nfrom ? r->nfrom : drawn->nfrom, id;

	if (r->gone || r->rule.all != s->all || r->rule.updates != s->updates ||
	    (r->rule.filters > 0) != (s->filters > 0) || r->nroutes != drawn->nroutes)
		return 0;
	if (r->nroutes > 0 &&
	    memcmp(r->routes, drawn->routes, r->nroutes * sizeof(*r->routes)) != 0)
		return 0;
	for (id = 0; id < max; id++)
		if (drawn_from(r, id) != drawn_from(drawn, id))
			return 0;
	return 1;
}

/* Gives the route its rule and what it draws from, which drawn loses. */
static void
rule_take(struct ledger_route *r, const struct store_route *s, struct ledger_route *drawn)
{
	if (!rule_same(r, s, drawn))
		rows_free(&r->batch);
	r->rule = *s;
	r->rule.name = r->rule.title = NULL;
	r->rule.rules = (struct bytes){ NULL, 0 };
	free(r->rules);
	r->rules = xmalloc(s->rules.len + 1);
	memcpy(r->rules, s->rules.data != NULL ? s->rules.data : "", s->rules.len);
	r->rules_len = s->rules.len;
	r->gone = 0;
	free(r->from);
	free(r->routes);
	r->from = drawn->from;
	r->nfrom = drawn->nfrom;
	r->routes = drawn->routes;
	r->nroutes = drawn->nroutes;
	*drawn = (struct ledger_route){ 0 };
}

static int
route_sources(struct ledger_route *r, struct wire *w, const uint32_t *ids, size_t n,
    uint32_t max)
{
	uint32_t count = wire_u32(w), at;

	free(r->from);
	r->nfrom = max;
	r->from = xcalloc(max / 8 + 1, 1);
	while (!w->bad && count-- > 0) {
		at = wire_u32(w);
		if (at >= n)
			return -1;
		r->from[ids[at] / 8] |= (unsigned char)(1 << ids[at] % 8);
	}
	return w->bad ? -1 : 0;
}

/* places: of the routes taken before, in the ledger. */
static int
route_routes(struct ledger_route *r, struct wire *w, const uint32_t *places, size_t n)
{
	uint32_t count = wire_u32(w), at;

	r->nroutes = 0;
	if (w->bad || count > n)
		return -1;
	r->routes = xreallocarray(r->routes, count, sizeof(*r->routes));
	while (!w->bad && r->nroutes < count) {
		at = wire_u32(w);
		if (at >= n)
			return -1;
		r->routes[r->nroutes++] = places[at];
	}
	return w->bad ? -1 : 0;
}

static struct store_leg *
legs_wire(struct wire *w, uint32_t *n)
{
	struct store_leg *legs = NULL;
	uint32_t i;

	*n = wire_u32(w);
	for (i = 0; i < *n && !w->bad; i++) {
		legs = xreallocarray(legs, i + 1, sizeof(*legs));
		wire_get(w, store_leg, &legs[i]);
		if (legs[i].name == NULL)
			w->bad = 1;
	}
	return legs;
}

/* One route of the frame: what it draws from stands before its legs, which say where it begins. */
static int
take_one(struct ledger *l, struct wire *w, const uint32_t *ids, size_t n, uint32_t *places,
    uint32_t at)
{
	struct ledger_route drawn = { 0 }, *r;
	struct store_leg *legs = NULL;
	struct store_route s;
	uint32_t nlegs = 0, i;
	int rc = -1;

	wire_get(w, store_route, &s);
	if (s.name == NULL || route_sources(&drawn, w, ids, n, roster_max(l->roster)) == -1 ||
	    route_routes(&drawn, w, places, at) == -1)
		goto out;
	legs = legs_wire(w, &nlegs);
	if (w->bad)
		goto out;
	r = route_take(l, &s, legs, nlegs);
	rule_take(r, &s, &drawn);
	keep_drop_filters(l, r);
	wait_take(l, r);
	if (r->filtered == 0)		/* it looks at all the past */
		routes_go_back(l, r);
	r->legs = xreallocarray(r->legs, nlegs, sizeof(*r->legs));
	r->nlegs = nlegs;
	for (i = 0; i < nlegs; i++)
		leg_take(l, r, &legs[i], &r->legs[i]);
	places[at] = (uint32_t)(r - l->route);
	rc = 0;
out:
	free(drawn.from);
	free(drawn.routes);
	free(legs);
	return rc;
}

static int
listed(const struct ledger_route *r, size_t leg)
{
	size_t i;

	for (i = 0; i < r->nlegs; i++)
		if (r->legs[i] == leg)
			return 1;
	return 0;
}

static void
route_retire(struct ledger *l, struct ledger_route *r)
{
	if (r->gone)
		return;
	r->gone = 1;
	r->rules_len = 0;
	keep_drop_filters(l, r);
	db_run(&l->book->db, SQL_ROUTE_GONE, DB_INT(r->id), DB_INT(date_now()));
}

/* What the configuration no longer has keeps its rows and the time since when, but not what its
 * plugins kept. */
static void
retire(struct ledger *l, const uint32_t *places, size_t n)
{
	struct ledger_route *r;
	size_t i, k;

	for (i = 0; i < l->nroute; i++) {
		r = &l->route[i];
		for (k = 0; k < n && places[k] != i; k++)
			;
		if (k == n) {
			r->nlegs = 0;
			route_retire(l, r);
		}
		for (k = 0; k < r->nleg; k++) {
			if (listed(r, k) || r->leg[k].gone)
				continue;
			db_run(&l->book->db, SQL_LEG_GONE, DB_INT(r->leg[k].id),
			    DB_INT(date_now()));
			r->leg[k].gone = 1;
			keep_drop_leg(l, &r->leg[k]);
		}
	}
}

int
ledger_take(struct ledger *l, struct wire *w, const uint32_t *ids, size_t n, struct buf *out)
{
	uint32_t count = wire_u32(w), i, *places;
	int rc = -1;

	if (w->bad || count > (size_t)(w->end - w->at))
		return -1;
	places = xcalloc(count, sizeof(*places));
	for (i = 0; i < count; i++)
		if (take_one(l, w, ids, n, places, i) == -1)
			goto out;
	retire(l, places, count);
	l->taken = 1;
	wire_put_u32(out, count);
	for (i = 0; i < count; i++)
		wire_put_u32(out, l->route[places[i]].id);
	rc = wire_end(w);
out:
	free(places);
	return rc;
}

/* ---- Frames ---- */

void
ledger_pull(struct ledger *l, const struct pull *p, struct work *w, struct buf *items)
{
	struct ledger_route *r = ledger_route(l, p->route);
	uint32_t max = p->max > 0 && p->max < LEDGER_BATCH ? p->max : LEDGER_BATCH;
	struct ledger_leg *g;

	*w = (struct work){ .route = p->route, .leg = p->leg, .kind = WORK_NONE,
		.head = l->durable };
	if (r == NULL || r->gone)
		return;
	if (p->leg == PULL_FILTER) {
		if (p->resume)
			wait_end(l, r);
		if (r->rule.filters > 0 && judge_pull(l, r, max, w, items) && w->kind == WORK_NONE)
			w->head = r->filtered;
		return;
	}
	if ((g = ledger_leg(r, p->leg)) == NULL)
		return;
	if (p->resume)
		leg_resume(l, g);
	leg_pull(l, r, g, max, w, items);
}

void
ledger_ack(struct ledger *l, const struct ack *a, const void *kept, size_t len)
{
	struct ledger_route *r = ledger_route(l, a->route);
	struct ledger_leg *g = r != NULL ? ledger_leg(r, a->leg) : NULL;

	if (g == NULL)
		log_warn("an acknowledgement of route %u, leg %u, which are not known", a->route,
		    a->leg);
	else
		leg_ack(l, r, g, a, (struct bytes){ kept, len });
}

/* With very many routes that all fail, the last ones' reasons are left to the log. */
static const char *
fitting(const struct buf *b, const char *reason)
{
	return b->len < b->max / 4 ? reason : NULL;
}

static void
put_route(const struct ledger_route *r, struct buf *b)
{
	struct route_count c = { .route = r->id, .leg = PULL_FILTER, .filtered = r->filtered,
		.delivered = r->filtered, .kept = (uint64_t)r->kept,
		.dropped = (uint64_t)r->dropped, .pending = r->pending, .dead = r->dead,
		.expired = (uint64_t)r->expired, .reason = fitting(b, r->reason) };
	const struct ledger_leg *g;
	size_t i;

	wire_put(b, route_count, &c);
	for (i = 0; i < r->nlegs; i++) {
		g = &r->leg[r->legs[i]];
		c.leg = (uint32_t)i;
		c.delivered = g->delivered;
		c.pending = g->pending;
		c.dead = g->dead;
		c.reason = fitting(b, g->reason);
		wire_put(b, route_count, &c);
	}
}

/* Of each route one row for its filters (leg PULL_FILTER), then one a leg. */
void
ledger_counts(struct ledger *l, struct buf *b)
{
	struct book *book = l->book;
	struct counts c = { .records = (uint64_t)book->records,
		.revisions = (uint64_t)book->revisions, .stories = (uint64_t)book->stories,
		.bytes = (uint64_t)db_bytes(&book->db), .head = book->head,
		.oldest = db_first(&book->db, SQL_OLDEST, 0) };
	uint32_t n = 0;
	size_t i;

	wire_put(b, counts, &c);
	for (i = 0; i < l->nroute; i++)
		n += l->route[i].gone ? 0 : (uint32_t)l->route[i].nlegs + 1;
	wire_put_u32(b, n);
	for (i = 0; i < l->nroute; i++)
		if (!l->route[i].gone)
			put_route(&l->route[i], b);
}
