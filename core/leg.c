/* Legs: what a sink is handed next, and what its acknowledgement moves.
 *
 * A batch is taken from one verdict blob, and its range of the log depends on nothing but the blob,
 * the cursor on disk and the batch's maximum: pulled again after a crash it is the same batch, under
 * the same id. */
#include "date.h"
#include "ledger.h"
#include "log.h"
#include "mem.h"

#include <stdlib.h>
#include <string.h>

void
leg_save(struct ledger *l, const struct ledger_leg *g)
{
	l->wrote++;
	db_begin(&l->book->db);
	db_run(&l->book->db, SQL_LEG_SET, DB_INT(g->id), DB_INT(g->begun), DB_INT(g->backlog),
	    DB_INT(g->backlog_n), DB_INT(g->delivered), DB_INT(g->done), DB_INT(g->failures),
	    DB_INT(g->due), DB_TEXT(g->reason), DB_INT(g->paused));
}

/* ---- Where it begins ---- */

/* With `backlog: N`, once all the past is judged: behind all but the newest N that were kept. 0, or
 * -1: not yet known. */
static int
leg_begin(struct ledger *l, struct ledger_route *r, struct ledger_leg *g)
{
	struct db *db = &l->book->db;
	int64_t left = g->backlog_n;
	size_t i;

	if (g->begun >= 0)
		return 0;
	if (r->resume > 0 || r->filtered < g->past)
		return -1;
	g->begun = left > 0 ? 0 : g->past;
	db_bind(db, SQL_VERDICT_PREV, DB_INT(r->id), DB_INT(r->filtered));
	while (left > 0 && db_step(db, SQL_VERDICT_PREV)) {
		if (verdicts_read(&r->seen, db_int(db, SQL_VERDICT_PREV, 0),
		    db_int(db, SQL_VERDICT_PREV, 1), db_blob(db, SQL_VERDICT_PREV, 2)) == -1)
			continue;
		for (i = r->seen.n; i-- > 0 && left > 0;)
			if (r->seen.row[i].n <= g->past && r->seen.row[i].verdict == CR_KEEP &&
			    --left == 0)
				g->begun = r->seen.row[i].n - 1;
	}
	db_done(db, SQL_VERDICT_PREV);
	if (g->delivered < g->begun)
		g->delivered = g->begun;
	leg_save(l, g);
	return 0;
}

static int64_t
published(struct ledger *l, int64_t n)
{
	struct db *db = &l->book->db;
	struct cr_record *r = NULL;
	int64_t when = CR_NO_TIME;
	struct bytes blob;

	db_bind(db, SQL_RECORD_GET, DB_INT(n));
	if (db_step(db, SQL_RECORD_GET)) {
		blob = db_blob(db, SQL_RECORD_GET, 0);
		r = record_read(blob.data, blob.len);
	}
	db_done(db, SQL_RECORD_GET);
	if (r != NULL)
		when = record_get_time(r, CR_PUBLISHED);
	record_free(r);
	return when;
}

/* The row whose bytes a late one stands for. */
static int64_t
late_version(struct ledger *l, int64_t n)
{
	struct late late;

	late_read(l, n, &late);
	free(late.reason);
	return late.version;
}

int
leg_skips(struct ledger *l, const struct ledger_leg *g, int64_t n)
{
	int64_t flags = 0, revision = 0, item = 0, seen = 0, when;
	struct db *db = &l->book->db;

	if (g->backlog == BACKLOG_ALL)
		return 0;
	db_bind(db, SQL_LOG_FLAGS, DB_INT(n));
	if (db_step(db, SQL_LOG_FLAGS)) {
		flags = db_int(db, SQL_LOG_FLAGS, 0);
		revision = db_int(db, SQL_LOG_FLAGS, 1);
		item = db_int(db, SQL_LOG_FLAGS, 2);
		seen = db_int(db, SQL_LOG_FLAGS, 3);
	}
	db_done(db, SQL_LOG_FLAGS);
	if ((flags & LOG_FIRST) == 0)
		return 0;
	if (g->backlog == BACKLOG_COUNT)	/* where the leg begins, its past is counted already */
		return n > g->past && flags >> LOG_RANK_SHIFT >= g->backlog_n;
	if (g->backlog == BACKLOG_NONE)
		return 1;
	/* Its age is that on the day when it could first be had: later it is as old for each try. */
	when = published(l, revision < 0 ? late_version(l, n) : n);
	return when != CR_NO_TIME && when < (item > g->past ? seen : g->created) - g->backlog_n;
}

/* ---- What it is handed ---- */

static void
batch_add(struct ledger_leg *g, int64_t n)
{
	g->batch = xreallocarray(g->batch, g->nbatch + 1, sizeof(*g->batch));
	g->batch[g->nbatch++] = n;
}

static void
batch_clear(struct ledger_leg *g)
{
	free(g->batch);
	g->batch = NULL;
	g->nbatch = 0;
	g->first = g->last = 0;
}

/* Whether the route still judges what of the past the leg is to get before all else. */
static int
leg_waits(const struct ledger_route *r, const struct ledger_leg *g)
{
	return r->resume > 0 && g->delivered < r->begun;
}

/* Reads the next blob in which something was kept, unless it was read last. 0, or -1: none. */
static int
blob_next(struct ledger *l, struct ledger_route *r, const struct ledger_leg *g)
{
	struct db *db = &l->book->db;
	int rc = -1;

	if (g->takes != CR_BATCH_LIST && g->delivered + 1 >= r->seen.first &&
	    g->delivered < r->seen.last)
		return 0;
	db_bind(db, SQL_VERDICT_NEXT, DB_INT(r->id), DB_INT(g->delivered));
	if (db_step(db, SQL_VERDICT_NEXT) &&
	    !(leg_waits(r, g) && db_int(db, SQL_VERDICT_NEXT, 1) > r->begun)) {
		rc = verdicts_read(&r->seen, db_int(db, SQL_VERDICT_NEXT, 0),
		    db_int(db, SQL_VERDICT_NEXT, 1), db_blob(db, SQL_VERDICT_NEXT, 2));
		if (rc == -1)
			log_warn("route %s: verdicts behind %lld cannot be read", r->name,
			    (long long)g->delivered);
	}
	db_done(db, SQL_VERDICT_NEXT);
	return rc;
}

/* Fills the batch from the blob that was read last; g->last is up to where it settles. */
static void
batch_fill(struct ledger *l, struct ledger_route *r, struct ledger_leg *g, uint32_t max,
    struct buf *items)
{
	const struct verdict *v;
	size_t i;

	batch_clear(g);
	g->first = g->delivered + 1 > r->seen.first ? g->delivered + 1 : r->seen.first;
	g->last = r->seen.last;
	for (i = 0; i < r->seen.n; i++) {
		v = &r->seen.row[i];
		if (v->n <= g->delivered || v->verdict != CR_KEEP || leg_skips(l, g, v->n))
			continue;
		if (g->nbatch > 0 && (g->nbatch == max || items->len > LEDGER_BYTES)) {
			g->last = g->batch[g->nbatch - 1];
			return;
		}
		if (judge_item(l, v->n, v->changes, items, NULL) == -1)
			log_warn("route %s: log row %lld has no record", r->name, (long long)v->n);
		else
			batch_add(g, v->n);
	}
}

static void
work_fill(struct ledger *l, const struct ledger_route *r, const struct ledger_leg *g,
    struct work *w, enum work_kind kind, int64_t first, int64_t last)
{
	w->kind = kind;
	w->count = (uint32_t)g->nbatch;
	w->first = g->first;
	w->last = g->last;
	w->attempt = (uint32_t)g->failures;
	judge_id(l, r, g, first, last);
	w->id = l->id;
}

static void
pull_records(struct ledger *l, struct ledger_route *r, struct ledger_leg *g, uint32_t max,
    struct work *w, struct buf *items)
{
	while (blob_next(l, r, g) == 0) {
		batch_fill(l, r, g, max, items);
		if (g->nbatch > 0) {
			work_fill(l, r, g, w, WORK_RECORDS, g->first, g->last);
			return;
		}
		g->delivered = g->last;	/* all of it skipped */
	}
	if (g->delivered < r->filtered)
		g->delivered = r->filtered;
}

/* Whether a later version of the item is in the list already; shown: the items of those in it. */
static int
list_has_item(const int64_t *shown, size_t n, int64_t item)
{
	while (n-- > 0)
		if (shown[n] == item)
			return 1;
	return 0;
}

/* The rows of a blob, newest first, into the list; shown has room for all of the list. */
static void
list_add(struct ledger *l, struct ledger_route *r, struct ledger_leg *g, int64_t *shown,
    struct buf *items)
{
	const struct verdict *v;
	int64_t item;
	size_t i;

	for (i = r->seen.n; i-- > 0 && g->nbatch < g->keep && items->len <= LEDGER_BYTES;) {
		v = &r->seen.row[i];
		if (v->verdict != CR_KEEP || v->n <= g->begun || leg_skips(l, g, v->n))
			continue;
		item = r->rule.updates ? db_get(&l->book->db, SQL_LOG_OF, v->n, DB_INT(v->n)) : v->n;
		if (r->rule.updates && list_has_item(shown, g->nbatch, item))
			continue;
		if (judge_item(l, v->n, v->changes, items, NULL) == 0) {
			shown[g->nbatch] = item;
			batch_add(g, v->n);
		}
	}
}

/* The list as it now stands, when something was kept since it was last delivered. */
static void
pull_list(struct ledger *l, struct ledger_route *r, struct ledger_leg *g, struct work *w,
    struct buf *items)
{
	struct db *db = &l->book->db;
	int64_t *shown;

	if (leg_waits(r, g))
		return;
	if (blob_next(l, r, g) == -1) {
		if (g->delivered < r->filtered)
			g->delivered = r->filtered;
		return;
	}
	batch_clear(g);
	g->first = g->delivered + 1;
	g->last = route_judged(r);
	shown = xcalloc(g->keep, sizeof(*shown));
	db_bind(db, SQL_VERDICT_PREV, DB_INT(r->id), DB_INT(g->last));
	while (g->nbatch < g->keep && items->len <= LEDGER_BYTES &&
	    db_step(db, SQL_VERDICT_PREV)) {
		if (db_int(db, SQL_VERDICT_PREV, 1) <= g->begun)
			break;
		if (verdicts_read(&r->seen, db_int(db, SQL_VERDICT_PREV, 0),
		    db_int(db, SQL_VERDICT_PREV, 1), db_blob(db, SQL_VERDICT_PREV, 2)) == 0)
			list_add(l, r, g, shown, items);
	}
	db_done(db, SQL_VERDICT_PREV);
	free(shown);
	if (g->nbatch > 0)
		work_fill(l, r, g, w, WORK_LIST, g->batch[g->nbatch - 1], g->batch[0]);
	else
		g->delivered = g->last;
}

void
leg_pull(struct ledger *l, struct ledger_route *r, struct ledger_leg *g, uint32_t max,
    struct work *w, struct buf *items)
{
	int more = r->rule.filters == 0 && judge_all(l, r);

	batch_clear(g);
	w->paused = (uint32_t)g->paused;
	if (g->paused)
		return;
	if (g->due > date_now()) {
		w->due = g->due;
		return;
	}
	keep_give_leg(l, g, items);
	if (leg_begin(l, r, g) == 0) {
		if (g->takes == CR_BATCH_LIST)
			pull_list(l, r, g, w, items);
		else
			pull_records(l, r, g, max, w, items);
	}
	if (w->kind == WORK_NONE && more)
		w->head = r->filtered;
}

/* ---- What it says ---- */

/* A dead letter: the record behind those that are done. */
static void
bury(struct ledger *l, const struct ledger_route *r, struct ledger_leg *g, int64_t n,
    const struct ack *a)
{
	db_run(&l->book->db, SQL_PENDING_ADD, DB_INT(r->id), DB_INT(g->id), DB_INT(n), DB_TEXT(""),
	    DB_INT(a->then == ACK_PARK ? PENDING_PARKED : PENDING_DEAD),
	    DB_INT(g->failures + 1), DB_INT(0), DB_TEXT(a->reason));
	g->dead++;
}

/* The record that is tried again has a row, which goes when another stands first. n 0: none does. */
static void
retried(struct ledger *l, const struct ledger_route *r, struct ledger_leg *g, int64_t n)
{
	struct db *db = &l->book->db;

	if (g->retried != 0 && g->retried != n) {
		db_run(db, SQL_PENDING_DONE, DB_INT(r->id), DB_INT(g->id), DB_INT(g->retried),
		    DB_INT(PENDING_RETRY));
		g->pending--;
	}
	if (n != 0)
		db_run(db, SQL_PENDING_ADD, DB_INT(r->id), DB_INT(g->id), DB_INT(n),
		    DB_TEXT(""), DB_INT(PENDING_RETRY), DB_INT(g->failures), DB_INT(g->due),
		    DB_TEXT(g->reason));
	g->pending += n != 0 && g->retried != n;
	g->retried = n;
}

void
leg_resume(struct ledger *l, struct ledger_leg *g)
{
	if (!g->paused && g->due == 0 && g->failures == 0)
		return;
	g->paused = 0;
	g->due = 0;
	g->failures = 0;
	leg_save(l, g);
}

void
leg_ack(struct ledger *l, struct ledger_route *r, struct ledger_leg *g, const struct ack *a,
    struct bytes kept)
{
	uint32_t done = a->done, past;
	int list = g->takes == CR_BATCH_LIST, dead = a->then == ACK_DEAD || a->then == ACK_PARK;
	int again = a->then == ACK_RETRY || a->then == ACK_GONE;

	if (g->last == 0 || a->first != g->first || a->last != g->last || done > g->nbatch ||
	    (a->then == ACK_ALL && done != g->nbatch) || (dead && !list && done == g->nbatch)) {
		log_warn("route %s, %s: an acknowledgement of %lld to %lld, of which %u, that is"
		    " not under way", r->name, g->name, (long long)a->first, (long long)a->last,
		    done);
		return;
	}
	db_begin(&l->book->db);
	if (dead)
		bury(l, r, g, list ? g->last : g->batch[done], a);
	past = done + (dead && !list);
	if (past == g->nbatch || (list && !again))
		g->delivered = g->last;
	else if (past > 0 && !list)
		g->delivered = g->batch[past - 1];
	g->done += done;
	/* Of the record that is now the first. */
	g->failures = !again ? 0 : done > 0 ? 1 : g->failures + 1;
	g->paused = a->then == ACK_GONE;
	g->due = a->then == ACK_RETRY ? a->due : 0;
	xreplace(&g->reason, a->then == ACK_ALL ? NULL : a->reason != NULL ? a->reason : "");
	retried(l, r, g, again && !list && done < g->nbatch ? g->batch[done] : 0);
	leg_save(l, g);
	if (done > 0)
		keep_take(l, r, g, kept, done);
	batch_clear(g);
}
