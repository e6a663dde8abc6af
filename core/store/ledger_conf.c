/* Applies a configuration to the ledger: adds, changes and retires routes, sinks and their
 * cursors. */
#include "ledger_conf.h"
#include "book.h"
#include "edition.h"
#include "ledger.h"
#include "ledger_flight.h"
#include "ledger_refilter.h"
#include "ledger_state.h"
#include "ledger_wait.h"
#include "ledger_window.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "db/db.h"

#include <stdlib.h>
#include <string.h>

static void	route_go_back(struct ledger *, struct ledger_route *);

static size_t
route_place(const struct ledger *l, const char *name)
{
	size_t i;

	for (i = 0; i < l->nroute && strcmp(l->route[i].name, name) != 0; i++)
		;
	return i;
}

/* The row after which a new sink takes records; -1: unknown until the past is judged. */
static int64_t
cursor_begin(struct ledger *l, const struct store_sink *s)
{
	switch (s->backlog) {
	case BACKLOG_NONE:
		return l->book->head;
	case BACKLOG_COUNT:
		return -1;
	case BACKLOG_AGE:
		return ledger_before(l, date_now() - s->backlog_n);
	default:
		return 0;
	}
}

static void
routes_go_back(struct ledger *l, const struct ledger_route *r)
{
	size_t i;

	for (i = 0; i < r->nroutes; i++)
		route_go_back(l, &l->route[r->routes[i]]);
}

/* A sink takes records from before the route's beginning: the route, and the routes that it draws
 * from, judge those first. Verdicts that exist are not changed. */
static void
route_go_back(struct ledger *l, struct ledger_route *r)
{
	routes_go_back(l, r);
	if (r->begun > 0 && r->again != AGAIN_NOT)
		refilter_again(l, r);
	if (r->begun == 0 || r->resume > 0)
		return;
	log_info("route %s: judges the past up to %lld as well", r->name, (long long)r->begun);
	r->resume = r->filtered;
	r->filtered = 0;
	rows_free(&r->batch);	/* the batch that the filters are judging is not next any more */
	route_save(l, r);
}

static void
cursor_take(struct ledger *l, struct ledger_route *r, const struct store_sink *s, uint32_t *where)
{
	struct cursor *g;
	int64_t begun, now;
	size_t i;

	for (i = 0; i < r->nsink && strcmp(r->sink[i].name, s->name) != 0; i++)
		;
	if (i == r->nsink) {
		begun = cursor_begin(l, s);
		now = date_now();
		db_run(&l->book->db, SQL_LEG_ADD, DB_INT(r->id), DB_TEXT(s->name), DB_INT(begun),
		    DB_INT(l->book->head), DB_INT(s->backlog), DB_INT(s->backlog_n),
		    DB_INT(begun > 0 ? begun : 0), DB_INT(now));
		g = cursor_add(r, db_last(&l->book->db), s->name);
		g->created = now;
		g->begun = begun;
		g->past = l->book->head;
		g->delivered = begun > 0 ? begun : 0;
		if (begun < r->begun && s->backlog != BACKLOG_NONE)
			route_go_back(l, r);
	}
	g = &r->sink[i];
	if (g->takes != s->takes)
		g->first = g->last = 0;	/* the batch under way was of the other kind */
	g->takes = s->takes;
	g->archive = (int)s->archive;
	g->keep = s->keep;
	g->order = s->order;
	xreplace(&g->number, s->number);
	g->every = s->every;
	g->ranked = 0;
	flight_take(l, g, s->unordered != 0);
	g->mail = s->mail != 0;
	free(g->readers);
	g->readers = (char *)(uintptr_t)bytes_copy(s->readers).data;
	g->readers_len = s->readers.len;
	g->expiry = s->expiry;
	g->subscribe = s->subscribe != 0;
	if (g->gone || g->backlog != s->backlog || g->backlog_n != s->backlog_n) {
		g->backlog = s->backlog;
		g->backlog_n = s->backlog_n;
		window_drop(l, g);
		if (g->begun == -1 && s->backlog != BACKLOG_COUNT) {
			g->begun = s->backlog == BACKLOG_NONE ? g->past : cursor_begin(l, s);
			g->delivered = g->begun;
		}
		cursor_save(l, g);
	}
	g->gone = 0;
	*where = (uint32_t)i;
}

/* Where a new route begins: at the log's head if it has sinks and all have `backlog: none`, else at
 * the log's beginning. Other routes, or the API, read from a route without sinks. */
static int64_t
route_begin(const struct ledger *l, const struct store_sink *s, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (s[i].backlog != BACKLOG_NONE)
			return 0;
	return n > 0 ? l->book->head : 0;
}

static struct ledger_route *
route_take(struct ledger *l, const struct store_route *s, const struct store_sink *sinks, size_t n)
{
	size_t where = route_place(l, s->name);
	struct db *db = &l->book->db;
	const char *title = s->title != NULL ? s->title : s->name;
	struct ledger_route *r;
	int64_t filtered;

	if (where == l->nroute) {
		filtered = route_begin(l, sinks, n);
		db_run(db, SQL_ROUTE_ADD, DB_TEXT(s->name), DB_TEXT(title), DB_INT(filtered),
		    DB_INT(date_now()));
		r = route_add(l, db_last(db), s->name);
		r->filtered = r->saved = r->begun = filtered;
	} else
		db_run(db, SQL_ROUTE_SET, DB_INT(l->route[where].id), DB_TEXT(title));
	return &l->route[where];
}

/* Whether the route's `from` has the source. */
static int
drawn_from(const struct ledger_route *r, uint32_t id)
{
	return id < r->nfrom && (r->from[id / 8] >> id % 8 & 1) != 0;
}

/* Whether the route draws the same rows under the new rule: then the batch that its filters are
 * judging stays valid. */
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

/* Sets the route's rule, and moves the sources and routes that it draws from out of `drawn`. */
static void
rule_take(struct ledger_route *r, const struct store_route *s, struct ledger_route *drawn)
{
	if (!rule_same(r, s, drawn))
		rows_free(&r->batch);
	r->rule = *s;
	r->rule.name = r->rule.title = r->rule.number = r->rule.rule = NULL;
	xreplace(&r->number, s->number);
	r->rule.rules = r->rule.prefer = (struct bytes){ NULL, 0 };
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

/* places: in l->route, of the routes in front of this one in the frame. */
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

static struct store_sink *
sinks_wire(struct wire *w, uint32_t *n)
{
	struct store_sink *sinks = NULL;
	uint32_t i;

	*n = wire_u32(w);
	for (i = 0; i < *n && !w->bad; i++) {
		sinks = xreallocarray(sinks, i + 1, sizeof(*sinks));
		wire_get(w, store_sink, &sinks[i]);
		if (sinks[i].name == NULL)
			w->bad = 1;
	}
	return sinks;
}

/* Sets the sources whose fields a story's face takes first. -1: one is none of the frame's. */
static int
route_prefer(struct ledger_route *r, struct bytes prefer, const uint32_t *ids, size_t n)
{
	uint32_t at;

	r->nprefer = 0;
	r->prefer = xreallocarray(r->prefer, prefer.len / sizeof(at) + 1, sizeof(*r->prefer));
	for (size_t i = 0; i < prefer.len / sizeof(at); i++) {
		memcpy(&at, prefer.data + i * sizeof(at), sizeof(at));
		if (at >= n)
			return -1;
		r->prefer[r->nprefer++] = ids[at];
	}
	return 0;
}

/* Reads one route of the frame and applies it. In the frame, the sources and routes that it draws
 * from precede its sinks, which decide where a new route begins. */
static int
take_one(struct ledger *l, struct wire *w, const uint32_t *ids, size_t n, uint32_t *places,
    uint32_t at)
{
	struct ledger_route drawn = { 0 }, *r;
	struct store_sink *sinks = NULL;
	struct store_route s;
	uint32_t nsinks = 0, i;
	int rc = -1;

	wire_get(w, store_route, &s);
	if (s.name == NULL || route_sources(&drawn, w, ids, n, roster_max(l->roster)) == -1 ||
	    route_routes(&drawn, w, places, at) == -1)
		goto out;
	sinks = sinks_wire(w, &nsinks);
	if (w->bad)
		goto out;
	r = route_take(l, &s, sinks, nsinks);
	rule_take(r, &s, &drawn);
	if (route_prefer(r, s.prefer, ids, n) == -1)
		goto out;
	edition_rule(l, r, s.edition ? s.rule : NULL);
	db_run(&l->book->db, SQL_ROUTE_SUBSCRIBE, DB_INT(r->id), DB_INT(s.subscribe));
	ledger_state_drop_filters(l, r);
	wait_take(l, r);
	if (r->filtered == 0)		/* it judges all of the past */
		routes_go_back(l, r);
	r->sinks = xreallocarray(r->sinks, nsinks, sizeof(*r->sinks));
	r->nsinks = nsinks;
	for (i = 0; i < nsinks; i++)
		cursor_take(l, r, &sinks[i], &r->sinks[i]);
	places[at] = (uint32_t)(r - l->route);
	rc = 0;
out:
	free(drawn.from);
	free(drawn.routes);
	free(sinks);
	return rc;
}

static int
listed(const struct ledger_route *r, size_t sink)
{
	size_t i;

	for (i = 0; i < r->nsinks; i++)
		if (r->sinks[i] == sink)
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
	ledger_state_drop_filters(l, r);
	edition_rule(l, r, NULL);
	db_run(&l->book->db, SQL_ROUTE_GONE, DB_INT(r->id), DB_INT(date_now()));
}

/* Marks routes and sinks that the configuration no longer has as gone, with the time, and deletes
 * the state of their plugins. Their rows stay. */
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
			r->nsinks = 0;
			route_retire(l, r);
		}
		for (k = 0; k < r->nsink; k++) {
			if (listed(r, k) || r->sink[k].gone)
				continue;
			db_run(&l->book->db, SQL_LEG_GONE, DB_INT(r->sink[k].id),
			    DB_INT(date_now()));
			r->sink[k].gone = 1;
			ledger_state_drop_sink(l, &r->sink[k]);
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
	wait_clock(l);
	wire_put_u32(out, count);
	for (i = 0; i < count; i++)
		wire_put_u32(out, l->route[places[i]].id);
	rc = wire_end(w);
out:
	free(places);
	return rc;
}
