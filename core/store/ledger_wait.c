/* Waiting records: those with the verdict `wait`, which the filters judge again at their due time.
 *
 * A waiting record has a row in `pending`. The record is due when its item or story changes
 * (item.c, story.c). A filter may have named a number: then it is due when that number is large
 * enough (story_wake.c). Else it is due when a counter changes, once an hour at most, and after as
 * long again as it has waited, at least an hour. Then, in one
 * commit, its row in `pending` is deleted and a late row is appended to the log, which the route
 * judges in its turn like any other row. If the record is over the route's patience, the late row
 * has a reason, and the route drops the record. */
#include "ledger_wait.h"
#include "book.h"
#include "ledger.h"
#include "ledger_late.h"
#include "ledger_verdict.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "db/db.h"

#include <stdlib.h>
#include <string.h>

#define WAIT_AGAIN	INT64_C(3600000)	/* ms until due, at least, if nothing changes */
#define WAIT_OTHERS	INT64_C(10000)	/* ms until due while another route has to judge first */

/* ---- Records that begin to wait ---- */

/* Whether the item or its story has changed since the filter was asked. last: the item's last
 * version. */
static int
changed(struct ledger *l, const struct row *row, int64_t last)
{
	return last != (row->late.version != 0 ? row->late.version : row->n) ||
	    verdict_seen(l, row->n) != row->seen;
}

void
wait_add(struct ledger *l, struct ledger_route *r, const struct row *row, const struct verdict *v)
{
	int64_t now = date_now();
	int64_t since = row->late.origin != 0 && row->late.since < now ? row->late.since : now;
	int64_t next = now - since > WAIT_AGAIN ? now - since : WAIT_AGAIN, due = now + next;
	struct db *db = &l->book->db;
	int64_t revision, last, source;
	int asks;

	db_bind(db, SQL_ITEM_WHOLE, DB_INT(row->item));
	if (!db_step(db, SQL_ITEM_WHOLE))
		fatal("item %lld waits and is missing", (long long)row->item);
	source = db_int(db, SQL_ITEM_WHOLE, 1);
	revision = db_int(db, SQL_ITEM_WHOLE, 2);
	last = db_int(db, SQL_ITEM_WHOLE, 3);
	db_done(db, SQL_ITEM_WHOLE);
	asks = revision > row->revision ? verdict_asks(l, r, last, source) : 0;
	if (asks == 1)
		return;			/* the route judges the later version by its own row */
	if (v->number != NULL || due > since + r->rule.patience)
		due = since + r->rule.patience;
	if (asks == -1)
		due = now + WAIT_OTHERS;
	else if (changed(l, row, last))
		due = 0;
	db_run(db, SQL_WAIT_ADD, DB_INT(r->id),
	    DB_INT(row->late.origin != 0 ? row->late.origin : row->n), DB_INT(due), DB_TEXT(v->why),
	    DB_INT(row->item), DB_INT(since), DB_TEXT(v->number), DB_REAL(v->least), DB_INT(now));
	r->pending++;
}

void
wait_end(struct ledger *l, struct ledger_route *r)
{
	if (r->pending == 0)
		return;
	db_begin(&l->book->db);
	l->wrote++;
	db_run(&l->book->db, SQL_WAIT_ROUTE, DB_INT(r->id));
}

void
wait_take(struct ledger *l, struct ledger_route *r)
{
	if (r->pending == 0)
		return;
	if (r->rule.filters == 0)
		wait_end(l, r);		/* without filters there is no verdict to wait for */
	else
		db_run(&l->book->db, SQL_WAIT_UNTIL, DB_INT(r->id), DB_INT(r->rule.patience));
}

void
wait_clock(struct ledger *l)
{
	int64_t now = date_now();

	l->ahead = now - date_ticks();
	db_begin(&l->book->db);
	db_run(&l->book->db, SQL_WAIT_CLOCK, DB_INT(now), DB_INT(WAIT_AGAIN));
}

/* ---- Records that are due ---- */

static size_t
waiting_read(struct ledger *l, int64_t now, struct waiting w[WAKE_MAX])
{
	struct db *db = &l->book->db;
	size_t n = 0;

	db_bind(db, SQL_WAIT_DUE, DB_INT(now), DB_INT(WAKE_MAX));
	while (n < WAKE_MAX && db_step(db, SQL_WAIT_DUE)) {
		w[n] = (struct waiting){ .route = (uint32_t)db_int(db, SQL_WAIT_DUE, 0),
			.n = db_int(db, SQL_WAIT_DUE, 1), .item = db_int(db, SQL_WAIT_DUE, 2),
			.since = db_int(db, SQL_WAIT_DUE, 3),
			.revision = db_int(db, SQL_WAIT_DUE, 5),
			.source = db_int(db, SQL_WAIT_DUE, 6),
			.flags = db_int(db, SQL_WAIT_DUE, 7),
			.newest = db_int(db, SQL_WAIT_DUE, 8),
			.version = db_int(db, SQL_WAIT_DUE, 9) };
		if (w[n].revision < 0)
			w[n].revision = ~w[n].revision;
		xreplace(&w[n++].reason, db_text(db, SQL_WAIT_DUE, 4));
	}
	db_done(db, SQL_WAIT_DUE);
	return n;
}

/* Handles one due record. 1: it was over the route's patience and will be dropped. */
static int
wake(struct ledger *l, struct ledger_route *r, const struct waiting *w, int64_t now)
{
	int over = r->rule.filters > 0 && now >= w->since + r->rule.patience;
	int asks = w->newest > w->revision ? verdict_asks(l, r, w->version, w->source) : 0;

	if (asks == -1) {
		db_run(&l->book->db, SQL_WAIT_ADD, DB_INT(r->id), DB_INT(w->n),
		    DB_INT(now + WAIT_OTHERS), DB_TEXT(w->reason), DB_INT(w->item),
		    DB_INT(w->since), DB_TEXT(NULL), DB_REAL(0), DB_INT(now));
		return 0;
	}
	db_run(&l->book->db, SQL_PENDING_DONE, DB_INT(r->id), DB_INT(w->n), DB_INT(PENDING_WAIT));
	if (r->pending > 0)
		r->pending--;
	if (asks == 1)
		return 0;		/* the route judges the later version by its own row */
	late_add(l, w, now, !over ? NULL : w->reason != NULL ? w->reason : "");
	return over;
}

size_t
ledger_wake(struct ledger *l)
{
	int64_t now = date_now();
	struct waiting *w;
	size_t n, i, over = 0;

	if (!l->taken)
		return 0;
	if (now - date_ticks() < l->ahead - CLOCK_BACK)
		wait_clock(l);
	if (ledger_wakes(l) > now)
		return 0;
	w = xcalloc(WAKE_MAX, sizeof(*w));
	n = waiting_read(l, now, w);
	db_begin(&l->book->db);
	l->wrote++;
	for (i = 0; i < n; i++) {
		over += (size_t)wake(l, ledger_route(l, w[i].route), &w[i], now);
		free(w[i].reason);
	}
	free(w);
	log_debug("%zu records that waited are asked about again", n - over);
	if (over > 0)
		log_info("dropped, since a filter's word came not within the patience: %zu", over);
	return n;
}

int64_t
ledger_wakes(struct ledger *l)
{
	db_bind_(&l->book->db, SQL_WAIT_NEXT, NULL, 0);
	return db_first(&l->book->db, SQL_WAIT_NEXT, INT64_MAX);
}
