/* The work of routes: hands out batches, takes acknowledgements, and counts undelivered records. */
#include "ledger_work.h"
#include "book.h"
#include "ledger.h"
#include "ledger_cursor.h"
#include "ledger_flight.h"
#include "ledger_judge.h"
#include "ledger_wait.h"
#include "sample.h"
#include "subscribers.h"
#include "base/buf.h"
#include "base/log.h"
#include "db/db.h"

#include <string.h>

#define COUNT_TURNS	20		/* judge_all() calls before counting, beyond one a route */

void
ledger_pull(struct ledger *l, const struct pull *p, struct work *w, struct buf *items)
{
	struct ledger_route *r = ledger_route(l, p->route);
	uint32_t max = p->max > 0 && p->max < LEDGER_BATCH ? p->max : LEDGER_BATCH;
	struct cursor *g;

	*w = (struct work){ .route = p->route, .sink = p->sink, .lane = p->lane, .kind = WORK_NONE,
		.head = l->durable };
	if (r == NULL || r->gone)
		return;
	if (p->sink == PULL_FILTER) {
		if (p->resume)
			wait_end(l, r);
		if (r->rule.filters > 0 && judge_pull(l, r, max, w, items) && w->kind == WORK_NONE)
			w->head = r->filtered;
		return;
	}
	if ((g = ledger_cursor(r, p->sink)) == NULL)
		return;
	if (p->sample) {
		sample_pull(l, r, g, p->to, w, items);
		return;
	}
	if (p->resume)
		cursor_resume(l, g);
	if (cursor_pull(l, r, g, p, w, items)) {
		flight_pull(l, r, g, p, w, items);
		if (w->kind == WORK_NONE && r->rule.filters == 0 && r->filtered < l->durable)
			w->head = r->filtered;
	} else if (w->kind == WORK_NONE)
		(void)flight_letter(l, r, g, w);
}

void
ledger_ack(struct ledger *l, const struct ack *a, const void *kept, size_t len)
{
	struct ledger_route *r = ledger_route(l, a->route);
	struct cursor *g = r != NULL ? ledger_cursor(r, a->sink) : NULL;

	if (g == NULL)
		log_warn("an acknowledgement for route %u, sink %u, which do not exist", a->route,
		    a->sink);
	else if (!g->unordered || (g->replaying && a->lane == 0))
		cursor_ack(l, r, g, a, (struct bytes){ kept, len });
	else
		flight_ack(l, r, g, a, (struct bytes){ kept, len });
}

/* The reason, unless a quarter of the frame is used up: with very many failing routes, the reasons
 * of the last ones are only in the daemon's log. */
static const char *
fitting(const struct buf *b, const char *reason)
{
	return b->len < b->max / 4 ? reason : NULL;
}

static void
put_sink(struct ledger *l, struct ledger_route *r, const struct cursor *g, struct route_count *c,
    size_t *looks)
{
	c->place = g->delivered;
	c->delivered = (uint64_t)g->done;
	c->unconfirmed = cursor_waiting(l, r, g, looks);
	c->unconfirmed += g->unordered ? g->retry : 0;
	c->oldest = c->unconfirmed > 0 ? cursor_oldest(l, r, g) : 0;
	c->unconfirmed += g->replay - g->again;
	c->retry = g->retry;
	c->replay = g->replay;
	c->dead = g->dead;
	c->due = g->failures > 0 && !g->paused ? cursor_due(g) : 0;
	c->paused = g->paused != PAUSED_NOT;
}

static void
put_route(struct ledger *l, struct ledger_route *r, size_t *looks, struct buf *b)
{
	struct route_count filters = { .route = r->id, .sink = PULL_FILTER,
		.place = r->filtered, .kept = (uint64_t)r->kept, .dropped = (uint64_t)r->dropped,
		.waiting = r->pending, .dead = r->dead, .expired = (uint64_t)r->expired,
		.forged = r->forged, .subscribe = r->rule.subscribe,
		.reason = fitting(b, r->reason) };
	struct route_count c;

	if (r->rule.subscribe)
		subscribers_count(l->book, r->id, &filters);
	wire_put(b, route_count, &filters);
	for (uint32_t i = 0; i < r->nsinks; i++) {
		c = (struct route_count){ .route = r->id, .sink = i, .kept = (uint64_t)r->kept };
		put_sink(l, r, &r->sink[r->sinks[i]], &c, looks);
		c.reason = fitting(b, r->sink[r->sinks[i]].reason);
		wire_put(b, route_count, &c);
	}
}

/* For each route one row for its filters (sink PULL_FILTER), then one for each sink. */
void
ledger_counts(struct ledger *l, struct buf *b)
{
	struct book *book = l->book;
	struct counts c = { .records = (uint64_t)book->records,
		.revisions = (uint64_t)book->revisions, .stories = (uint64_t)book->stories,
		.bytes = (uint64_t)db_bytes(&book->db), .head = book->head,
		.oldest = db_first(&book->db, SQL_OLDEST, 0) };
	size_t looks = LEDGER_LOOKS, i, turns = l->nroute + COUNT_TURNS;
	uint32_t n = 0;
	int more;

	wire_put(b, counts, &c);
	/* Routes without filters judge on a sink's pull; a sink in backoff has not pulled. */
	for (i = 0; i < l->nroute; i++)
		for (more = !l->route[i].gone && l->route[i].rule.filters == 0; more && turns > 0;
		    turns--)
			more = judge_all(l, &l->route[i]);
	for (i = 0; i < l->nroute; i++)
		n += l->route[i].gone ? 0 : (uint32_t)l->route[i].nsinks + 1;
	wire_put_u32(b, n);
	for (i = 0; i < l->nroute; i++)
		if (!l->route[i].gone)
			put_route(l, &l->route[i], &looks, b);
}
