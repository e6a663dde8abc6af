/* The outbox of a sink: dead letters, the record tried again, and replays. */
#include "ledger_outbox.h"
#include "book.h"
#include "edition.h"
#include "ledger.h"
#include "ledger_batch.h"
#include "readers.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/log.h"
#include "base/mem.h"
#include "db/db.h"

#include <stdlib.h>
#include <string.h>

#define UNSENT_MS	60000		/* until mail is replayed again of which nothing was sent */
#define TURN_MS		250		/* of replays at their rate that one batch holds */
#define REPLAYS_MAX	500		/* replays of one batch, at most */

static void
count(struct cursor *g, const struct outbox_row *row, uint64_t by)
{
	switch (row->state) {
	case PENDING_RETRY:
		g->retry += by;
		break;
	case PENDING_REPLAY:
		g->replay += by;
		g->again += row->kind == OUTBOX_AGAIN ? by : 0;
		break;
	case PENDING_DEAD:
	case PENDING_PARKED:
		g->dead += by;
		break;
	case PENDING_WAIT:
	case PENDING_DROPPED:
		break;
	}
}

struct outbox_row
outbox_get(struct ledger *l, const struct cursor *g, int64_t n)
{
	struct db *db = &l->book->db;
	struct outbox_row row = { 0 };
	const char *reason;

	db_bind(db, SQL_OUTBOX_GET, DB_INT(g->id), DB_INT(n));
	if (db_step(db, SQL_OUTBOX_GET)) {
		row.state = (enum pending_state)db_int(db, SQL_OUTBOX_GET, 0);
		row.attempts = db_int(db, SQL_OUTBOX_GET, 1);
		row.due = db_int(db, SQL_OUTBOX_GET, 2);
		reason = db_text(db, SQL_OUTBOX_GET, 3);
		row.reason = reason != NULL ? xstrdup(reason) : NULL;
		row.kind = (enum outbox_kind)db_int(db, SQL_OUTBOX_GET, 4);
	}
	db_done(db, SQL_OUTBOX_GET);
	return row;
}

void
outbox_move(struct ledger *l, struct cursor *g, int64_t n, const struct outbox_row *row)
{
	struct db *db = &l->book->db;
	struct outbox_row before = outbox_get(l, g, n);

	l->wrote++;
	db_begin(db);
	count(g, &before, UINT64_MAX);		/* one less */
	free((char *)(uintptr_t)before.reason);
	if (row->state == 0)
		db_run(db, SQL_OUTBOX_DEL, DB_INT(g->id), DB_INT(n));
	else
		db_run(db, SQL_OUTBOX_SET, DB_INT(g->id), DB_INT(n), DB_INT(row->kind),
		    DB_INT(row->state), DB_INT(row->attempts), DB_INT(date_now()),
		    DB_INT(row->due), DB_INT(row->gap), DB_TEXT(row->reason));
	count(g, row, 1);
}

/* ---- Replays ---- */

/* The first replays in the order of the log: those of one batch. A replay that failed is first, and
 * those behind it wait for it. Returns their number. */
static size_t
replays(struct ledger *l, struct cursor *g, uint32_t max, int64_t n[REPLAYS_MAX], struct work *w)
{
	struct db *db = &l->book->db;
	const int64_t now = date_now();
	size_t got = 0, most = g->mail ? 1 : max < REPLAYS_MAX ? max : REPLAYS_MAX, pace;
	int64_t due, gap;

	db_bind(db, SQL_OUTBOX_REPLAYS, DB_INT(g->id), DB_INT(g->mail ? REPLAYS_MAX : (int64_t)most));
	while (got < most && db_step(db, SQL_OUTBOX_REPLAYS)) {
		due = date_due(db_int(db, SQL_OUTBOX_REPLAYS, 2), now, ACK_DUE_MAX);
		gap = db_int(db, SQL_OUTBOX_REPLAYS, 3);
		if (due > now) {
			if (got == 0 && (w->replay == 0 || due < w->replay))
				w->replay = due;
			if (g->mail)	/* each is by itself */
				continue;
			break;
		}
		if (got == 0) {
			w->attempt = (uint32_t)db_int(db, SQL_OUTBOX_REPLAYS, 1);
			pace = gap == 0 ? most : gap < TURN_MS ? (size_t)(TURN_MS / gap) : 1;
			most = pace < most ? pace : most;
		}
		n[got++] = db_int(db, SQL_OUTBOX_REPLAYS, 0);
		g->replay_next = date_ticks() + (int64_t)got * gap;
	}
	db_done(db, SQL_OUTBOX_REPLAYS);
	return got;
}

int
outbox_give(struct ledger *l, struct ledger_route *r, const struct cursor *g, int64_t n, int64_t *last, uint32_t *count,
    struct buf *items)
{
	struct edition_row e;
	int rc;

	*last = n;
	*count = 1;
	if (g->takes != CR_BATCH_EDITION)
		return batch_given(l, r, n, items);
	if (!edition_of(l, r, n, &e))
		return -1;
	*last = edition_last(&e);
	*count = edition_give(l, r, &e, g->archive, items);
	rc = e.state == EDITION_SEALED && (*count > 0 || e.n == 0) ? 0 : -1;
	edition_free(&e);
	return rc;
}

/* Puts the readers of a mail into the batch to whom it is sent again now. -1: nobody; the row tells when, or what
 * became of it. */
static int
replay_readers(struct ledger *l, struct ledger_route *r, struct cursor *g, int64_t n, struct work *w)
{
	struct outbox_row row;
	char *reason = NULL;
	int64_t due;

	if (!g->mail)
		return 0;
	g->outcomes[0] = 0;
	if (readers_give(l, r, g, n, 1, &due) > 0) {
		w->readers = (struct bytes){ l->readers.data, l->readers.len };
		return 0;
	}
	row = outbox_get(l, g, n);
	free((char *)(uintptr_t)row.reason);
	row.reason = NULL;
	row.due = w->replay = due;
	if (due == 0)
		reason = readers_row(l, g, n, &row);
	outbox_move(l, g, n, &row);
	free(reason);
	return -1;
}

int
outbox_pull(struct ledger *l, struct ledger_route *r, struct cursor *g, uint32_t max, struct work *w,
    struct buf *items)
{
	const struct outbox_row lost = { .kind = OUTBOX_RECORD, .state = PENDING_DEAD,
		.reason = "it is no longer stored" };
	const int editions = g->takes == CR_BATCH_EDITION;
	int64_t n[REPLAYS_MAX], wait = g->replay_next - date_ticks(), last = 0;
	size_t got, i;
	uint32_t one;

	if (g->replay == 0)
		return 0;
	if (wait > 0) {
		w->replay = date_now() + wait;
		return 0;
	}
	got = replays(l, g, editions || g->mail ? 1 : max, n, w);
	if (got > 0 && replay_readers(l, r, g, n[0], w) == -1)
		return 0;
	for (i = 0; i < got && items->len <= LEDGER_BYTES; i++)
		if (outbox_give(l, r, g, n[i], &last, &one, items) == -1)
			outbox_move(l, g, n[i], &lost);
		else {
			batch_add(g, n[i]);
			w->count += one;
		}
	if (g->nbatch == 0)
		return 0;
	g->replaying = 1;
	g->first = g->batch[0];
	g->last = g->batch[g->nbatch - 1];
	w->kind = editions ? WORK_EDITION : WORK_REPLAY;
	w->first = g->first;
	w->last = g->last;
	/* An edition's id is its own; that of records is not that of the cursor's batch of the same range. */
	batch_id(l, r, g, editions ? g->first : -g->first, editions ? last : g->last);
	w->id = l->id;
	w->replay = date_now() + (g->replay_next - date_ticks());
	return 1;
}

void
outbox_ack(struct ledger *l, struct ledger_route *r, struct cursor *g, const struct ack *a)
{
	struct outbox_row row;
	char *reason = NULL;
	uint32_t i;

	for (i = g->so_far; i < a->done; i++) {
		row = outbox_get(l, g, g->batch[i]);
		g->done += row.state == PENDING_REPLAY && row.kind == OUTBOX_RECORD;
		free((char *)(uintptr_t)row.reason);
		if (g->mail) {
			row.attempts = 0;
			reason = readers_row(l, g, g->batch[i], &row);
			if (row.state == PENDING_REPLAY && row.due <= date_now() && g->outcomes[0] == 0)
				row.due = date_now() + UNSENT_MS;
			g->done -= row.state != 0 && row.kind == OUTBOX_RECORD;
		} else
			row = (struct outbox_row){ 0 };
		outbox_move(l, g, g->batch[i], &row);
		free(reason);
		reason = NULL;
	}
	if (a->done > 0) {
		if (g->failures == 0 && !g->paused)
			xreplace(&g->reason, NULL);	/* it takes records again */
		cursor_save(l, g);
	}
	if (a->then == ACK_ALL || a->then == ACK_PART || a->then == ACK_SO_FAR || a->done == g->nbatch)
		return;
	row = outbox_get(l, g, g->batch[a->done]);
	free((char *)(uintptr_t)row.reason);
	row.reason = a->reason != NULL ? a->reason : "";
	row.attempts++;
	if (a->then == ACK_RETRY)
		row.due = a->due;
	else {
		row.state = a->then == ACK_PARK ? PENDING_PARKED : PENDING_DEAD;
		row.due = 0;
	}
	if (row.kind == OUTBOX_AGAIN && row.state != PENDING_REPLAY) {
		log_warn("route %s, %s: what it had confirmed before was refused when it was replayed: %s",
		    r->name, g->name, row.reason);
		row.state = 0;		/* no dead letter: the sink has it */
	}
	outbox_move(l, g, g->batch[a->done], &row);
}
