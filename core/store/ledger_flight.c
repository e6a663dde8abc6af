/* Sinks that take records in any order: their window of the outbox. */
#include "ledger_flight.h"
#include "book.h"
#include "ledger.h"
#include "ledger_batch.h"
#include "ledger_cursor.h"
#include "ledger_outbox.h"
#include "ledger_state.h"
#include "letters.h"
#include "readers.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "db/db.h"

#include <stdlib.h>

#define FILL		200		/* records that enter the window at once */
#define DOWN		(2 * SINK_LANES)	/* failures in a row after which the receiver may be down */
#define DOWN_MIN	INT64_C(1000)	/* ms until the next record is tried then; doubles */
#define IDLE_MIN	INT64_C(1000)	/* ms until mail is handed out again of which nothing was sent; doubles */
#define DOWN_MAX	INT64_C(3600000)

void
flight_take(struct ledger *l, struct cursor *g, int unordered)
{
	if (!unordered && g->retry > (g->retried > g->delivered)) {
		/* The sink was unordered: its window is delivered beside the cursor, in order. */
		db_begin(&l->book->db);
		db_run(&l->book->db, SQL_OUTBOX_ORDERED, DB_INT(g->id), DB_INT(g->delivered));
		g->replay += g->retry - (g->retried > g->delivered);
		g->retry = g->retried > g->delivered;
		if (g->retry == 0)
			g->retried = 0;
	}
	if (unordered)
		g->retried = 0;
	g->unordered = unordered;
	for (int i = 0; i < SINK_LANES; i++)
		g->flight[i] = 0;
}

/* The first record of the window that is due and not under way; 0: none. *attempts: so far. */
static int64_t
flight_next(struct ledger *l, const struct cursor *g, int64_t *attempts)
{
	struct db *db = &l->book->db;
	int64_t n = 0;

	db_bind(db, SQL_OUTBOX_DUE, DB_INT(g->id), DB_INT(date_now()), DB_INT(SINK_LANES + 1));
	while (n == 0 && db_step(db, SQL_OUTBOX_DUE))
		if (!flight_has(g, db_int(db, SQL_OUTBOX_DUE, 0))) {
			n = db_int(db, SQL_OUTBOX_DUE, 0);
			*attempts = db_int(db, SQL_OUTBOX_DUE, 1);
		}
	db_done(db, SQL_OUTBOX_DUE);
	return n;
}

/* Moves the next records from the cursor into the window. 0: there are none, or the window is
 * full. */
static int
fill(struct ledger *l, struct ledger_route *r, struct cursor *g)
{
	const struct outbox_row row = { .kind = OUTBOX_RECORD, .state = PENDING_RETRY };
	int64_t n[FILL];
	size_t room, got;

	if (g->retry >= FLIGHT_WINDOW)
		return 0;
	room = FLIGHT_WINDOW - (size_t)g->retry;
	got = cursor_advance(l, r, g, n, room < FILL ? room : FILL);
	for (size_t i = 0; i < got; i++)
		outbox_move(l, g, n[i], &row);
	if (got > 0)
		cursor_save(l, g);
	return got > 0;
}

/* Puts the readers of a mail into the batch who are to get it now. -1: nobody; the row tells when, or has gone. */
static int
give_readers(struct ledger *l, struct ledger_route *r, struct cursor *g, int64_t n)
{
	struct outbox_row row;
	int64_t due;

	if (!g->mail || readers_give(l, r, g, n, 0, &due) > 0)
		return 0;
	row = outbox_get(l, g, n);
	row.due = due;
	if (due == 0) {
		readers_row(l, g, n, &row);
		g->done += row.state == 0;
		cursor_save(l, g);
	}
	outbox_move(l, g, n, &row);
	free((char *)(uintptr_t)row.reason);
	return -1;
}

/* Puts the record or edition into the batch. -1: it is no longer stored, or waits. */
static int
give(struct ledger *l, struct ledger_route *r, struct cursor *g, int64_t n, struct work *w,
    struct buf *items)
{
	int64_t last;

	if (give_readers(l, r, g, n) == -1)
		return -1;
	w->readers = (struct bytes){ l->readers.data, g->mail ? l->readers.len : 0 };
	if (outbox_give(l, r, g, n, &last, &w->count, items) == -1) {
		log_warn("route %s: log row %lld has no record", r->name, (long long)n);
		outbox_move(l, g, n, &(struct outbox_row){ 0 });
		return -1;
	}
	w->kind = g->takes == CR_BATCH_EDITION ? WORK_EDITION : WORK_RECORDS;
	w->first = w->last = n;
	batch_id(l, r, g, n, last);
	w->id = l->id;
	g->flight[w->lane] = n;
	g->outcomes[w->lane] = 0;
	return 0;
}

/* There is work at `due`, ms; 0: none. */
static void
replay_by(struct work *w, int64_t due)
{
	if (due > 0 && (w->replay == 0 || due < w->replay))
		w->replay = due;
}

int
flight_letter(struct ledger *l, struct ledger_route *r, struct cursor *g, struct work *w)
{
	if (!g->subscribe || g->paused || w->lane >= SINK_LANES)
		return 0;
	g->flight[w->lane] = 0;
	if (letters_give(l, r, g, w))
		return 1;
	replay_by(w, letters_later(l, r));
	return 0;
}

void
flight_pull(struct ledger *l, struct ledger_route *r, struct cursor *g, const struct pull *p,
    struct work *w, struct buf *items)
{
	int64_t n, attempts = 0;

	if (p->lane >= SINK_LANES || flight_letter(l, r, g, w))
		return;
	g->flight[p->lane] = 0;
	do {
		n = flight_next(l, g, &attempts);
		if (n == 0 && !p->replay && fill(l, r, g))
			n = flight_next(l, g, &attempts);
		if (n == 0)
			break;
		w->attempt = (uint32_t)attempts;
	} while (give(l, r, g, n, w, items) == -1);
	replay_by(w, db_get(&l->book->db, SQL_OUTBOX_LATER, 0, DB_INT(g->id), DB_INT(date_now())));
}

/* The record failed; the others go on, unless it has been so with all of them lately. */
static void
again(struct cursor *g, const struct ack *a, struct outbox_row *row)
{
	int64_t ms = DOWN_MIN;

	row->due = a->due;
	g->failures++;
	for (int64_t i = DOWN; i < g->failures && ms < DOWN_MAX; i++)
		ms *= 2;
	if (g->failures >= DOWN)
		cursor_due_set(g, date_now() + (ms < DOWN_MAX ? ms : DOWN_MAX));
}

/* The sink is done with its readers' messages, or with those that it made. Returns the row's reason, owned. */
static char *
mailed(struct ledger *l, struct cursor *g, int64_t n, unsigned outcomes, struct outbox_row *row)
{
	char *reason = readers_row(l, g, n, row);
	int64_t ms = IDLE_MIN;

	g->done += row->state == 0;
	if (row->state != PENDING_RETRY || row->due > date_now() || outcomes > 0 || g->paused) {
		row->attempts = 0;
		return reason;
	}
	for (int64_t i = 1; i < row->attempts && ms < DOWN_MAX; i++)
		ms *= 2;
	row->due = date_now() + ms;
	free(reason);
	if (readers_expired(l, g, n)) {
		readers_bury(l, g, n, "expired: its sink wrote no message");
		return readers_row(l, g, n, row);
	}
	row->reason = reason = xstrdup("it sent its readers nothing");
	return reason;
}

void
flight_ack(struct ledger *l, struct ledger_route *r, struct cursor *g, const struct ack *a,
    struct bytes kept)
{
	struct outbox_row row;
	char *said = NULL;
	int64_t n = a->lane < SINK_LANES ? g->flight[a->lane] : 0;

	if (n == 0 || a->first != n || a->last != n || a->done > 1 ||
	    (a->done == 0) == (a->then == ACK_ALL)) {
		log_warn("route %s, %s: an acknowledgement of %lld that is not under way", r->name,
		    g->name, (long long)a->first);
		return;
	}
	g->flight[a->lane] = 0;
	if (n < 0) {
		letters_ack(l, a, g->outcomes[a->lane]);
		return;
	}
	row = outbox_get(l, g, n);
	free((char *)(uintptr_t)row.reason);
	row.reason = a->reason != NULL ? a->reason : "";
	row.attempts++;
	cursor_failing(g, a);
	if (a->then != ACK_ALL || !g->mail)
		xreplace(&g->reason, a->then == ACK_ALL ? NULL : row.reason);
	if (g->mail && (a->then == ACK_DEAD || a->then == ACK_PARK))
		readers_bury(l, g, n, row.reason);
	if (g->mail && a->then == ACK_ALL) {
		said = mailed(l, g, n, g->outcomes[a->lane], &row);
		if (!g->paused)
			xreplace(&g->reason, row.reason);
	} else if (a->then == ACK_ALL) {
		g->done++;
		g->failures = 0;
		cursor_due_set(g, 0);
		row.state = 0;
	} else if (a->then == ACK_RETRY)
		again(g, a, &row);
	else if (a->then == ACK_GONE)
		cursor_pause(g, PAUSED_GONE, xstrdup(row.reason));
	else if (g->dead >= OUTBOX_DEAD)
		cursor_pause_full(g, a);
	else
		row.state = a->then == ACK_PARK ? PENDING_PARKED : PENDING_DEAD;
	outbox_move(l, g, n, &row);
	free(said);
	cursor_save(l, g);
	if (a->done > 0)
		ledger_state_take(l, r, g, kept, a->done);
}
