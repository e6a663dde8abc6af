/* The window of a list sink: which of the route's kept records the list shows. Unless `order` says
 * otherwise, the records with the latest dates are shown, not those stored last: the old entries of a new
 * source do not displace recent records. The window's rows are in the table shown, so that each call of
 * window_fill() reads only the records kept since the last one. A list that is ordered by its records' stories is filled
 * anew as these change. */
#include "ledger_window.h"
#include "book.h"
#include "ledger.h"
#include "ledger_backlog.h"
#include "story_heat.h"
#include "base/digest.h"
#include "db/db.h"
#include "record/record.h"

#include <math.h>

#define PLACE		4294967296.0	/* parts of one in a heat or score, as a row's date has it */
#define WINDOW_TURN	2000		/* kept records that one window_fill() adds, at most */
#define WINDOW_PAST	20000		/* kept records from which a window is rebuilt, or 4 times
					 * as many as the window has room for if that is more */

void
window_drop(struct ledger *l, struct cursor *g)
{
	g->listed = -1;
	db_run(&l->book->db, SQL_SHOWN_DROP, DB_INT(g->id));
}

void
windows_again(struct ledger *l, struct ledger_route *r)
{
	for (size_t i = 0; i < r->nsinks; i++) {
		struct cursor *g = &r->sink[r->sinks[i]];

		if (g->takes != CR_BATCH_LIST)
			continue;
		window_drop(l, g);
		g->anew = 1;
		cursor_save(l, g);
	}
}

/* Reads the statement's next verdict blob into r->seen, past malformed ones. 0, or -1: none. */
static int
blob_read(struct ledger *l, struct ledger_route *r, enum sql sql)
{
	struct db *db = &l->book->db;
	int rc;

	while (db_step(db, sql)) {
		rc = verdicts_read(&r->seen, db_int(db, sql, 0), db_int(db, sql, 1),
		    db_blob(db, sql, 2));
		if (rc == 0)
			return 0;
	}
	return -1;
}

/* The row after which the records of a rebuilt window begin. */
static int64_t
window_begin(struct ledger *l, struct ledger_route *r, const struct cursor *g)
{
	size_t left = g->keep > WINDOW_PAST / 4 ? 4 * (size_t)g->keep : WINDOW_PAST;
	int64_t begun = g->begun;

	db_bind(&l->book->db, SQL_VERDICT_PREV, DB_INT(r->id), DB_INT(route_judged(r)));
	while (blob_read(l, r, SQL_VERDICT_PREV) == 0 && r->seen.last > g->begun) {
		if (r->seen.n >= left) {
			begun = r->seen.first - 1;
			break;
		}
		left -= r->seen.n;
	}
	db_done(&l->book->db, SQL_VERDICT_PREV);
	return begun > g->begun ? begun : g->begun;
}

/* The date by which a record is sorted in the window: that of the record with the route's changes,
 * but not later than the time when it was first seen. */
static int64_t
row_date(struct ledger *l, const struct verdict *v, int64_t revision, int64_t seen)
{
	struct cr_record *r = row_record(l, v->n, revision), *over;
	int64_t date;

	if (r == NULL)
		return seen;
	if (v->changes.len > 0 && (over = record_read(v->changes.data, v->changes.len)) != NULL) {
		record_overlay(r, over);
		record_free(over);
	}
	date = record_date(r, seen);
	record_free(r);
	return date < seen ? date : seen;
}

/* The story's place in a list that is ordered by stories: a larger number comes first. */
static int64_t
story_place(struct ledger *l, uint32_t order, const char *number, int64_t story)
{
	struct story_heat s;
	double at;

	if (order == ORDER_NUMBER && strcmp(number, "sources") != 0)
		return heat_number(&l->book->db, story, number);
	heat_get(&l->book->db, story, &s);
	if (order == ORDER_NUMBER)
		return s.items;
	at = order == ORDER_HEAT ? s.heat : s.score;
	return isfinite(at) ? (int64_t)(at * PLACE) : INT64_MIN;
}

int64_t
window_place(struct ledger *l, uint32_t order, const char *number, const struct verdict *v,
    const struct window_row *row)
{
	if (order >= ORDER_HEAT)
		return story_place(l, order, number, row->story);
	return order == ORDER_SEEN ? row->seen : row_date(l, v, row->revision, row->seen);
}

/* By what the window is filled: enum list_order, and for ORDER_NUMBER which number. */
static int64_t
window_order(struct ledger *l, const struct cursor *g)
{
	if (g->order != ORDER_NUMBER)
		return g->order;
	digest_begin(l->book->digest);
	digest_str(l->book->digest, g->number);
	return ORDER_NUMBER + ((digest_end64(l->book->digest) & (INT32_MAX >> 3)) << 3);
}

int
window_is_ranked(const struct cursor *g)
{
	return g->order >= ORDER_HEAT;
}

/* Adds a kept record, unless its story is hidden, or one of its other records is in the list of a
 * route that takes a story once, as after a join. */
static void
window_add(struct ledger *l, const struct ledger_route *r, struct cursor *g, const struct verdict *v)
{
	struct db *db = &l->book->db;
	int64_t revision = 0, item = v->n, seen = 0, of = v->n, story = 0, date;
	int hidden = 0;

	db_bind(db, SQL_LOG_FLAGS, DB_INT(v->n));
	if (db_step(db, SQL_LOG_FLAGS)) {
		revision = db_int(db, SQL_LOG_FLAGS, 1);
		item = db_int(db, SQL_LOG_FLAGS, 2);
		seen = db_int(db, SQL_LOG_FLAGS, 3);
		of = db_int(db, SQL_LOG_FLAGS, 4);
		if (!r->rule.once_record && db_int(db, SQL_LOG_FLAGS, 5) > 1)
			story = of;
		hidden = db_int(db, SQL_LOG_FLAGS, 6) != 0;
	}
	db_done(db, SQL_LOG_FLAGS);
	if (hidden || (story != 0 && db_get(db, SQL_SHOWN_STORY, 0, DB_INT(g->id), DB_INT(story),
	    DB_INT(item)) != 0))
		return;
	date = window_place(l, g->order, g->number, v, &(struct window_row){ revision, seen, of });
	db_run(db, SQL_SHOWN_ADD, DB_INT(g->id), DB_INT(date), DB_INT(v->n), DB_INT(item));
}

/* Adds to the window the kept records of r->seen behind g->listed, at most `most`. Returns the
 * number of records read. */
static size_t
window_blob(struct ledger *l, struct ledger_route *r, struct cursor *g, size_t most)
{
	const struct verdict *v;
	size_t n = 0, i;

	for (i = 0; i < r->seen.n; i++) {
		v = &r->seen.row[i];
		if (v->n <= g->listed || v->verdict != CR_KEEP)
			continue;
		if (n++ == most) {
			g->listed = v->n - 1;
			return most;
		}
		if (v->n > g->begun && !cursor_skips(l, g, v->n))
			window_add(l, r, g, v);
	}
	g->listed = r->seen.last;
	return n;
}

int
window_fill(struct ledger *l, struct ledger_route *r, struct cursor *g)
{
	struct db *db = &l->book->db;
	int64_t order = window_order(l, g);
	size_t left = WINDOW_TURN;
	int more = 1;

	db_begin(db);
	if (g->listed == -1 || (g->room & UINT32_MAX) < g->keep || g->room >> 32 != order) {
		window_drop(l, g);
		g->listed = window_begin(l, r, g);
	}
	g->room = order << 32 | g->keep;
	while (left > 0 && more) {
		db_bind(db, SQL_VERDICT_NEXT, DB_INT(r->id), DB_INT(g->listed));
		more = blob_read(l, r, SQL_VERDICT_NEXT) == 0;
		db_done(db, SQL_VERDICT_NEXT);
		if (more)
			left -= window_blob(l, r, g, left);
	}
	db_run(db, SQL_SHOWN_TRIM, DB_INT(g->id), DB_INT(g->keep));
	cursor_save(l, g);
	return more;
}
