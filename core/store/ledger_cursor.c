/* Cursors of sinks: which records a sink gets next, and how an acknowledgement moves its cursor.
 *
 * A batch is taken from one verdict blob. The batch's range of the log depends only on the blob,
 * the cursor on disk and the batch's maximum: a batch pulled again after a crash is the same batch
 * with the same id. */
#include "ledger_cursor.h"
#include "book.h"
#include "edition.h"
#include "ledger.h"
#include "ledger_batch.h"
#include "ledger_backlog.h"
#include "ledger_judge.h"
#include "ledger_outbox.h"
#include "ledger_state.h"
#include "ledger_verdict.h"
#include "ledger_window.h"
#include "readers.h"
#include "masthead.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/mem.h"
#include "db/db.h"

#include <stdlib.h>
#include <string.h>

#define OLDEST_BLOBS	20		/* verdict blobs in which the oldest record is looked for */

/* ---- Where a cursor begins ---- */

/* With `backlog: N`: once the route has judged all of the past, sets the cursor's begin in front of
 * the newest N kept records. 0, or -1: the past is not judged yet. */
static int
cursor_begin(struct ledger *l, struct ledger_route *r, struct cursor *g)
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
	cursor_save(l, g);
	return 0;
}

/* ---- Batches ---- */

static void
batch_clear(struct cursor *g)
{
	free(g->batch);
	g->batch = NULL;
	g->nbatch = 0;
	g->first = g->last = 0;
	g->so_far = 0;
	g->replaying = 0;
}

/* Whether the route is still judging old records that the sink has to get first. */
static int
cursor_waits(const struct ledger_route *r, const struct cursor *g)
{
	return r->resume > 0 && g->delivered < route_past(r);
}

/* Whether the sink may take from a verdict blob that ends at `last`. */
static int
cursor_fits(const struct ledger_route *r, const struct cursor *g, int64_t last)
{
	return !cursor_waits(r, g) || last <= r->filtered;
}

/* Reads the next verdict blob with kept records into r->seen, unless r->seen is that blob. 0, or
 * -1: none. */
static int
blob_next(struct ledger *l, struct ledger_route *r, const struct cursor *g)
{
	struct db *db = &l->book->db;
	int rc = -1;

	if (g->takes != CR_BATCH_LIST && g->delivered + 1 >= r->seen.first &&
	    g->delivered < r->seen.last && cursor_fits(r, g, r->seen.last))
		return 0;
	db_bind(db, SQL_VERDICT_NEXT, DB_INT(r->id), DB_INT(g->delivered));
	if (db_step(db, SQL_VERDICT_NEXT) &&
	    cursor_fits(r, g, db_int(db, SQL_VERDICT_NEXT, 1))) {
		rc = verdicts_read(&r->seen, db_int(db, SQL_VERDICT_NEXT, 0),
		    db_int(db, SQL_VERDICT_NEXT, 1), db_blob(db, SQL_VERDICT_NEXT, 2));
		if (rc == -1)
			log_warn("route %s: verdicts behind %lld cannot be read", r->name,
			    (long long)g->delivered);
	}
	db_done(db, SQL_VERDICT_NEXT);
	return rc;
}

/* Fills the batch from the blob r->seen. g->last: the row up to which the batch settles the log. */
static void
batch_fill(struct ledger *l, struct ledger_route *r, struct cursor *g, uint32_t max,
    struct buf *items)
{
	const struct verdict *v;
	size_t i;

	batch_clear(g);
	g->first = g->delivered + 1 > r->seen.first ? g->delivered + 1 : r->seen.first;
	g->last = r->seen.last;
	for (i = 0; i < r->seen.n; i++) {
		v = &r->seen.row[i];
		if (v->n <= g->delivered || v->verdict != CR_KEEP || v->sent ||
		    cursor_skips(l, g, v->n))
			continue;
		if (g->nbatch > 0 && (g->nbatch == max || items->len > LEDGER_BYTES)) {
			g->last = g->batch[g->nbatch - 1];
			return;
		}
		if (batch_item(l, r, v->n, v->changes, items, NULL) == 0)
			batch_add(g, v->n);
		else if (!r->rule.edition)	/* else it stands for an empty edition */
			log_warn("route %s: log row %lld has no record", r->name, (long long)v->n);
	}
}

size_t
cursor_advance(struct ledger *l, struct ledger_route *r, struct cursor *g, int64_t *n, size_t most)
{
	const struct verdict *v;
	size_t got = 0;

	while (got < most && blob_next(l, r, g) == 0) {
		for (size_t i = 0; i < r->seen.n && got < most; i++) {
			v = &r->seen.row[i];
			if (v->n <= g->delivered || v->verdict != CR_KEEP)
				continue;
			if (!v->sent && !cursor_skips(l, g, v->n) &&
			    (g->takes != CR_BATCH_EDITION || edition_begins(l, r, v->n)))
				n[got++] = v->n;
			g->delivered = v->n;
		}
		if (got < most)
			g->delivered = r->seen.last;
	}
	if (got < most && g->delivered < r->filtered && !cursor_waits(r, g))
		g->delivered = r->filtered;
	return got;
}

static void
work_fill(struct ledger *l, const struct ledger_route *r, const struct cursor *g,
    struct work *w, enum work_kind kind, int64_t first, int64_t last)
{
	w->kind = kind;
	w->count = (uint32_t)g->nbatch;
	w->first = g->first;
	w->last = g->last;
	w->attempt = (uint32_t)g->failures;
	batch_id(l, r, g, first, last);
	w->id = l->id;
}

/* Fills the batch with the edition to which the rows of the blob r->seen belong; for the cursor it is one
 * record, the first of them. Empty: there is no such edition, or nothing of it is stored. */
static void
pull_edition(struct ledger *l, struct ledger_route *r, struct cursor *g, struct work *w, struct buf *items)
{
	struct edition_row e;
	uint32_t count = 0;

	batch_clear(g);
	g->first = g->delivered + 1 > r->seen.first ? g->delivered + 1 : r->seen.first;
	g->last = r->seen.last;
	if (!edition_of(l, r, r->seen.last, &e))
		return;			/* it was kept before the route had editions */
	g->last = edition_last(&e);
	count = edition_give(l, r, &e, g->archive, items);
	if (e.state == EDITION_SEALED && (count > 0 || e.n == 0)) {
		batch_add(g, e.first);
		work_fill(l, r, g, w, WORK_EDITION, e.first, g->last);
		w->count = count;
	}
	edition_free(&e);
}

static void
pull_records(struct ledger *l, struct ledger_route *r, struct cursor *g, uint32_t max,
    struct work *w, struct buf *items)
{
	while (blob_next(l, r, g) == 0) {
		if (g->takes == CR_BATCH_EDITION) {
			pull_edition(l, r, g, w, items);
			if (g->nbatch > 0)
				return;
			g->delivered = g->last;
			continue;
		}
		batch_fill(l, r, g, max, items);
		if (g->nbatch > 0) {
			work_fill(l, r, g, w, WORK_RECORDS, g->first, g->last);
			return;
		}
		g->delivered = g->last;	/* `backlog` left out all of the blob */
	}
	if (g->delivered < r->filtered)
		g->delivered = r->filtered;
}

/* The rows of the list's window, the latest date first; those left out are of stories that are hidden,
 * or, in a route that takes a story once, of one that the list has: two stories may have become one. */
static size_t
list_rows(struct ledger *l, const struct ledger_route *r, const struct cursor *g, int64_t *rows)
{
	int64_t *told = xcalloc(g->keep, sizeof(*told)), story;
	struct db *db = &l->book->db;
	size_t n = 0, ntold = 0, i;

	db_bind(db, SQL_SHOWN, DB_INT(g->id), DB_INT(g->keep));
	while (db_step(db, SQL_SHOWN)) {
		story = r->rule.once_record ? 0 : db_int(db, SQL_SHOWN, 1);
		for (i = 0; story != 0 && i < ntold && told[i] != story; i++)
			;
		if ((story != 0 && i < ntold) || db_int(db, SQL_SHOWN, 2) != 0 || n == g->keep)
			continue;
		if (story != 0)
			told[ntold++] = story;
		rows[n++] = db_int(db, SQL_SHOWN, 0);
	}
	free(told);
	return n;
}

/* Puts the rows of the list's window into the batch. Records that are no longer stored or do not fit
 * into LEDGER_BYTES are left out. */
static void
list_fill(struct ledger *l, struct ledger_route *r, struct cursor *g, struct buf *items)
{
	int64_t *rows = xcalloc(g->keep, sizeof(*rows));
	size_t n = list_rows(l, r, g, rows), i;
	const struct verdict *v;

	for (i = 0; i < n && items->len <= LEDGER_BYTES; i++) {
		v = verdict_of(l, r, rows[i]);
		if (v != NULL && batch_item(l, r, rows[i], v->changes, items, NULL) == 0)
			batch_add(g, rows[i]);
	}
	free(rows);
}

/* Whether a list that is ordered by stories is to be ranked now; begins it. 0: nothing has changed since
 * it was, or it is too early: w->due says when. */
static int
rank_due(struct ledger *l, struct ledger_route *r, struct cursor *g, int anew, struct work *w)
{
	int64_t now = date_ticks();

	if (g->ranking)
		return 1;
	if (!anew && g->ranked != 0 && now < g->ranked + g->every) {
		w->due = date_now() + (g->ranked + g->every - now);
		return 0;
	}
	if (!anew && g->ranked != 0 && g->moves == l->book->moves && blob_next(l, r, g) == -1) {
		g->delivered = g->delivered < r->filtered ? r->filtered : g->delivered;
		w->due = date_now() + g->every;
		return 0;
	}
	db_begin(&l->book->db);
	window_drop(l, g);
	g->ranking = 1;
	g->ranked = now;
	g->moves = l->book->moves;
	return 1;
}

/* Whether the batch under way is the list that was handed out before; remembers it. */
static int
is_as_before(struct ledger *l, struct cursor *g)
{
	struct digest *d = l->book->digest;
	int64_t before = g->list;

	digest_begin(d);
	for (size_t i = 0; i < g->nbatch; i++)
		digest_int(d, g->batch[i]);
	g->list = digest_end64(d);
	return g->list == before;
}

/* Hands out the present list if the route has kept a record since the last delivery. anew, as after a
 * refilter: also without such a record, and an empty list once the route has judged the whole log. */
static void
pull_list(struct ledger *l, struct ledger_route *r, struct cursor *g, int anew, struct work *w,
    struct buf *items)
{
	int64_t low, high;
	size_t i;

	if (cursor_waits(r, g) || r->again != AGAIN_NOT)
		return;
	anew |= g->anew;
	if (window_is_ranked(g)) {
		anew |= g->failures > 0;	/* the list that failed is as before, and is due now */
		if (!rank_due(l, r, g, anew, w))
			return;
	} else if (blob_next(l, r, g) == -1) {
		if (g->delivered < r->filtered)
			g->delivered = r->filtered;
		if (!anew)
			return;
	}
	if (window_fill(l, r, g)) {
		w->head = g->listed;	/* the window is not complete */
		return;
	}
	g->ranking = 0;
	batch_clear(g);
	g->first = g->delivered + 1;
	g->last = route_judged(r);
	list_fill(l, r, g, items);
	if (window_is_ranked(g) && is_as_before(l, g) && !anew) {
		g->delivered = g->last;
		batch_clear(g);
		buf_clear(items);
		cursor_save(l, g);
		w->due = date_now() + g->every;
		return;
	}
	if (g->nbatch == 0 && anew && g->last >= l->durable) {
		work_fill(l, r, g, w, WORK_LIST, 0, 0);
		return;
	}
	if (g->nbatch == 0) {
		g->delivered = g->last;
		return;
	}
	mastheads_give(l, g, items);
	low = high = g->batch[0];
	for (i = 1; i < g->nbatch; i++) {
		low = g->batch[i] < low ? g->batch[i] : low;
		high = g->batch[i] > high ? g->batch[i] : high;
	}
	work_fill(l, r, g, w, WORK_LIST, low, high);
}

int
cursor_pull(struct ledger *l, struct ledger_route *r, struct cursor *g, const struct pull *p,
    struct work *w, struct buf *items)
{
	uint32_t max = p->max > 0 && p->max < LEDGER_BATCH ? p->max : LEDGER_BATCH;
	int more = r->rule.filters == 0 && judge_all(l, r);

	w->paused = g->paused != PAUSED_NOT;
	ledger_state_give_sink(l, g, items);
	if (p->lane == 0) {
		batch_clear(g);
		if (outbox_pull(l, r, g, max, w, items))
			return 0;
	}
	if (g->paused || (p->replay && !g->unordered))
		return 0;
	if (cursor_due(g) > date_now()) {
		w->due = cursor_due(g);
		return 0;
	}
	if (cursor_begin(l, r, g) == 0) {
		if (g->unordered)
			return 1;
		if (g->takes == CR_BATCH_LIST)
			pull_list(l, r, g, p->anew != 0, w, items);
		else
			pull_records(l, r, g, max, w, items);
	}
	if (w->kind == WORK_NONE && more)
		w->head = r->filtered;
	return 0;
}

/* The number of records in the blob r->seen that the sink has still to deliver; *looks as in
 * cursor_waiting(). */
static uint64_t
blob_waiting(struct ledger *l, struct ledger_route *r, const struct cursor *g, size_t *looks)
{
	const struct verdict *v;
	uint64_t n = 0;

	for (size_t i = 0; i < r->seen.n; i++) {
		v = &r->seen.row[i];
		if (v->n <= g->delivered || v->verdict != CR_KEEP || v->sent)
			continue;
		if (g->backlog != BACKLOG_ALL && *looks > 0) {
			(*looks)--;
			n += !cursor_skips(l, g, v->n);
		} else
			n++;
	}
	return n;
}

uint64_t
cursor_waiting(struct ledger *l, struct ledger_route *r, const struct cursor *g, size_t *looks)
{
	struct db *db = &l->book->db;
	uint64_t n = 0;

	if (g->begun < 0)
		return 0;
	db_bind(db, SQL_VERDICT_PREV, DB_INT(r->id), DB_INT(route_judged(r)));
	while (db_step(db, SQL_VERDICT_PREV) && db_int(db, SQL_VERDICT_PREV, 1) > g->delivered) {
		if (db_int(db, SQL_VERDICT_PREV, 0) > g->delivered &&
		    (g->backlog == BACKLOG_ALL || *looks == 0))
			n += (uint64_t)db_int(db, SQL_VERDICT_PREV, 3);
		else if (verdicts_read(&r->seen, db_int(db, SQL_VERDICT_PREV, 0),
		    db_int(db, SQL_VERDICT_PREV, 1), db_blob(db, SQL_VERDICT_PREV, 2)) == 0)
			n += blob_waiting(l, r, g, looks);
	}
	db_done(db, SQL_VERDICT_PREV);
	return g->takes == CR_BATCH_LIST && n > g->keep ? g->keep : n;
}

int64_t
cursor_oldest(struct ledger *l, struct ledger_route *r, const struct cursor *g)
{
	struct db *db = &l->book->db;
	size_t blobs = OLDEST_BLOBS;
	int64_t found = 0;

	if (g->unordered && g->retry > 0)	/* its window is before the cursor */
		found = db_get(db, SQL_OUTBOX_OLDEST, 0, DB_INT(g->id));
	db_bind(db, SQL_VERDICT_NEXT, DB_INT(r->id), DB_INT(g->delivered));
	for (; found == 0 && blobs > 0 && db_step(db, SQL_VERDICT_NEXT); blobs--) {
		if (verdicts_read(&r->seen, db_int(db, SQL_VERDICT_NEXT, 0),
		    db_int(db, SQL_VERDICT_NEXT, 1), db_blob(db, SQL_VERDICT_NEXT, 2)) == -1)
			continue;
		for (size_t i = 0; i < r->seen.n && found == 0; i++)
			if (r->seen.row[i].n > g->delivered &&
			    r->seen.row[i].verdict == CR_KEEP && !r->seen.row[i].sent &&
			    !cursor_skips(l, g, r->seen.row[i].n))
				found = r->seen.row[i].n;
	}
	db_done(db, SQL_VERDICT_NEXT);
	return found > 0 ? db_get(db, SQL_LOG_AT, 0, DB_INT(found)) : 0;
}

/* ---- Acknowledgements ---- */

/* Makes record n a dead letter. */
static void
bury(struct ledger *l, struct cursor *g, int64_t n, const struct ack *a)
{
	outbox_move(l, g, n, &(struct outbox_row){ .kind = OUTBOX_RECORD,
	    .state = a->then == ACK_PARK ? PENDING_PARKED : PENDING_DEAD,
	    .attempts = g->failures + 1, .reason = a->reason });
	if (g->retried == n)
		g->retried = 0;
}

/* Keeps the PENDING_RETRY row of the sink: writes it for record n and deletes it for an earlier
 * one. n 0: no record is to be tried again. */
static void
retried(struct ledger *l, struct cursor *g, int64_t n)
{
	if (g->retried != 0 && g->retried != n)
		outbox_move(l, g, g->retried, &(struct outbox_row){ 0 });
	if (n != 0)
		outbox_move(l, g, n, &(struct outbox_row){ .kind = OUTBOX_RECORD,
		    .state = PENDING_RETRY, .attempts = g->failures, .due = g->due,
		    .reason = g->reason });
	g->retried = n;
}

/* The records of a delivered list that no earlier list had, so that each record is counted once. */
static int64_t
list_new(const struct cursor *g, uint32_t done)
{
	int64_t n = 0;

	for (size_t i = 0; i < g->nbatch && done == g->nbatch; i++)
		n += g->batch[i] > g->delivered;
	return n;
}

void
cursor_pause_full(struct cursor *g, const struct ack *a)
{
	cursor_pause(g, PAUSED_FULL, xasprintf("it has %llu dead letters: `courant drop` or "
	    "`courant replay` make room; the last: %s", (unsigned long long)g->dead,
	    a->reason != NULL ? a->reason : ""));
}

void
cursor_failing(struct cursor *g, const struct ack *a)
{
	int64_t now = date_ticks();

	if (a->done > 0 || a->then == ACK_ALL)
		g->failing = g->failed = 0;
	if (a->then == ACK_ALL || a->then == ACK_PART || a->then == ACK_SO_FAR ||
	    g->takes == CR_BATCH_LIST)
		return;
	g->failing += g->failed != 0 ? now - g->failed : 0;
	g->failed = now;
	if (g->failing >= OUTBOX_FAILING && !g->paused)
		cursor_pause(g, PAUSED_FAILING, xasprintf("it has failed for 5 days: %s",
		    a->reason != NULL ? a->reason : ""));
}

void
cursor_resume(struct ledger *l, struct cursor *g)
{
	if (g->unordered && g->retry > 0) {
		db_begin(&l->book->db);
		db_run(&l->book->db, SQL_OUTBOX_NOW, DB_INT(g->id));
	}
	if (g->mail)
		readers_resume(l, g);
	if (!g->paused && g->due == 0 && g->failures == 0)
		return;
	g->paused = PAUSED_NOT;
	g->due = 0;
	g->failures = 0;
	g->failing = g->failed = 0;
	cursor_save(l, g);
}

int
cursor_skip(struct ledger *l, struct cursor *g, int64_t n)
{
	if (g->first != 0 && !g->replaying)
		return -1;
	db_begin(&l->book->db);
	if (g->retried != 0 && g->retried <= n)
		retried(l, g, 0);
	db_run(&l->book->db, SQL_SKIPPED_ADD, DB_INT(g->id), DB_INT(n), DB_INT(g->delivered + 1),
	    DB_INT(date_now()));
	g->delivered = n;
	g->failures = 0;
	cursor_due_set(g, 0);
	cursor_save(l, g);
	return 0;
}

/* Whether an acknowledgement is of the batch under way, and possible. */
static int
expected(const struct ledger_route *r, const struct cursor *g, const struct ack *a)
{
	int list = g->takes == CR_BATCH_LIST, dead = a->then == ACK_DEAD || a->then == ACK_PARK;

	if (g->first != 0 && a->first == g->first && a->last == g->last && a->done <= g->nbatch &&
	    a->done >= g->so_far &&
	    (a->then != ACK_ALL || a->done == g->nbatch) &&
	    (!dead || list || a->done < g->nbatch) &&
	    ((a->then != ACK_PART && a->then != ACK_SO_FAR) ||
	    (!list && a->done > 0 && a->done < g->nbatch)))
		return 1;
	log_warn("route %s, %s: an acknowledgement of %lld to %lld, of which %u, that is"
	    " not under way", r->name, g->name, (long long)a->first, (long long)a->last, a->done);
	return 0;
}

/* Settles a batch of the cursor: moves it behind what is done, and behind a dead letter. */
static void
settle(struct ledger *l, struct cursor *g, const struct ack *a)
{
	uint32_t done = a->done, past;
	int list = g->takes == CR_BATCH_LIST, dead = a->then == ACK_DEAD || a->then == ACK_PARK;
	int again = a->then == ACK_RETRY || a->then == ACK_GONE;
	int full = dead && g->dead >= OUTBOX_DEAD;

	if (dead && !full)
		bury(l, g, list ? g->last : g->batch[done], a);
	past = done + (dead && !full && !list);
	g->done += list ? list_new(g, done) : done - g->so_far;
	if (list && !again && !full && g->listed != -1)
		g->anew = 0;			/* else the window was dropped meanwhile */
	if (past == g->nbatch || (list && !again && !full))
		g->delivered = g->last;
	else if (past > 0 && !list)
		g->delivered = g->batch[past - 1];
	/* Failures in a row of the record that is first in the next batch. */
	g->failures = !again ? 0 : done > 0 ? 1 : g->failures + 1;
	cursor_due_set(g, a->then == ACK_RETRY ? a->due : 0);
	xreplace(&g->reason, a->then == ACK_ALL || a->then == ACK_PART ? NULL :
	    a->reason != NULL ? a->reason : "");
	g->paused = a->then == ACK_GONE ? PAUSED_GONE : PAUSED_NOT;
	cursor_failing(g, a);
	if (full)
		cursor_pause_full(g, a);
	retried(l, g, again && !list && done < g->nbatch ? g->batch[done] : 0);
	cursor_save(l, g);
}

/* Moves the cursor behind what is confirmed of a batch that goes on. */
static void
settle_so_far(struct ledger *l, struct cursor *g, const struct ack *a)
{
	g->done += a->done - g->so_far;
	g->delivered = g->batch[a->done - 1];
	g->failures = 0;
	cursor_due_set(g, 0);
	xreplace(&g->reason, NULL);
	cursor_failing(g, a);
	retried(l, g, 0);
	cursor_save(l, g);
}

void
cursor_ack(struct ledger *l, struct ledger_route *r, struct cursor *g, const struct ack *a,
    struct bytes kept)
{
	if (!expected(r, g, a))
		return;
	db_begin(&l->book->db);
	if (g->replaying)
		outbox_ack(l, r, g, a);
	else if (a->then == ACK_SO_FAR)
		settle_so_far(l, g, a);
	else
		settle(l, g, a);
	if (a->then == ACK_SO_FAR) {
		g->so_far = a->done;
		return;
	}
	if (a->done > 0)
		ledger_state_take(l, r, g, kept, a->done);
	batch_clear(g);
}
