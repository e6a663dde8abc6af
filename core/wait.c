/* Waiting: records on which a filter's word is still to come, and how they are asked about again.
 *
 * What waits has a row in `pending`. It is due when its item or its story changed (item.c, story.c), and
 * else after as long as it has waited, an hour at least. Then, in one commit, its row goes and the log
 * gets a late row, which the route reads in its turn like any other: the record is judged, delivered,
 * or waits again. Over the route's patience the late row says so, and the record is dropped by it. */
#include "date.h"
#include "ledger.h"
#include "log.h"
#include "mem.h"

#include <stdlib.h>
#include <string.h>

#define WAIT_AGAIN	INT64_C(3600000)	/* ms until it is asked about again, if nothing changes */
#define WAIT_OTHERS	INT64_C(10000)	/* the same, while another route has to decide first */

/* ---- Into waiting ---- */

/* Whether something is other than what the filter was shown, by the item's last version. */
static int
changed(struct ledger *l, const struct row *row, int64_t last)
{
	return last != (row->late.version != 0 ? row->late.version : row->n) ||
	    judge_seen(l, row->n) != row->seen;
}

void
wait_add(struct ledger *l, struct ledger_route *r, const struct row *row, const char *why)
{
	int64_t now = date_now(), since = row->late.origin != 0 ? row->late.since : now;
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
	asks = revision > row->revision ? judge_asks(l, r, last, source) : 0;
	if (asks == 1)
		return;			/* the route is asked about the later version by itself */
	if (due > since + r->rule.patience)
		due = since + r->rule.patience;
	if (asks == -1)
		due = now + WAIT_OTHERS;
	else if (changed(l, row, last))
		due = 0;
	db_run(db, SQL_WAIT_ADD, DB_INT(r->id),
	    DB_INT(row->late.origin != 0 ? row->late.origin : row->n), DB_INT(due), DB_TEXT(why),
	    DB_INT(row->item), DB_INT(since));
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
		wait_end(l, r);		/* there is no word to wait for */
	else
		db_run(&l->book->db, SQL_WAIT_UNTIL, DB_INT(r->id), DB_INT(r->rule.patience));
}

/* ---- Out of it ---- */

/* A row of pending with what the log knows of it. */
struct waiting {
	uint32_t	 route;
	int64_t		 n, item, since, revision, source, flags, newest, version;
	char		*reason;
};

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

/* The late row of a record; reason NULL: it is to be asked about. */
static void
late_add(struct ledger *l, const struct waiting *w, int64_t now, const char *reason)
{
	int64_t n = ++l->book->head;

	db_run(&l->book->db, SQL_LOG_ADD, DB_INT(n), DB_INT(w->item), DB_INT(~w->revision),
	    DB_INT(w->source), DB_INT(w->flags), DB_INT(now));
	db_run(&l->book->db, SQL_LATE_ADD, DB_INT(n), DB_INT(w->route), DB_INT(w->n),
	    DB_INT(w->version), DB_INT(w->since), DB_TEXT(reason));
}

/* 1: its patience was over. */
static int
wake(struct ledger *l, struct ledger_route *r, const struct waiting *w, int64_t now)
{
	int over = r->rule.filters > 0 && now >= w->since + r->rule.patience;
	int asks = w->newest > w->revision ? judge_asks(l, r, w->version, w->source) : 0;

	if (asks == -1) {
		db_run(&l->book->db, SQL_WAIT_ADD, DB_INT(r->id), DB_INT(w->n),
		    DB_INT(now + WAIT_OTHERS), DB_TEXT(w->reason), DB_INT(w->item),
		    DB_INT(w->since));
		return 0;
	}
	db_run(&l->book->db, SQL_PENDING_DONE, DB_INT(r->id), DB_INT(PENDING_FILTER), DB_INT(w->n),
	    DB_INT(PENDING_WAIT));
	if (r->pending > 0)
		r->pending--;
	if (asks == 1)
		return 0;		/* its later version is asked about by itself */
	late_add(l, w, now, !over ? NULL : w->reason != NULL ? w->reason : "");
	return over;
}

size_t
ledger_wake(struct ledger *l)
{
	int64_t now = date_now();
	struct waiting *w;
	size_t n, i, over = 0;

	if (!l->taken || ledger_wakes(l) > now)
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

/* ---- Late rows ---- */

void
late_read(struct ledger *l, int64_t n, struct late *late)
{
	struct db *db = &l->book->db;

	db_bind(db, SQL_LATE_GET, DB_INT(n));
	if (!db_step(db, SQL_LATE_GET))
		fatal("the log's row %lld stands for nothing", (long long)n);
	*late = (struct late){ .route = (uint32_t)db_int(db, SQL_LATE_GET, 0),
		.origin = db_int(db, SQL_LATE_GET, 1), .version = db_int(db, SQL_LATE_GET, 2),
		.since = db_int(db, SQL_LATE_GET, 3) };
	xreplace(&late->reason, db_text(db, SQL_LATE_GET, 4));
	db_done(db, SQL_LATE_GET);
}

/* Whether `of` holds of the verdict on any late row of the item. revision -1: of all its versions. */
static int
late_any(struct ledger *l, struct ledger_route *r, int64_t item, int64_t revision,
    int (*of)(const struct verdict *))
{
	struct db *db = &l->book->db;
	int any = 0;

	db_bind(db, SQL_LATE_ROWS, DB_INT(item));
	while (!any && db_step(db, SQL_LATE_ROWS))
		any = (revision == -1 || db_int(db, SQL_LATE_ROWS, 1) == revision) &&
		    of(judge_verdict(l, r, db_int(db, SQL_LATE_ROWS, 0)));
	db_done(db, SQL_LATE_ROWS);
	return any;
}

static int
was_judged(const struct verdict *v)
{
	return v != NULL;
}

static int
was_kept(const struct verdict *v)
{
	return v != NULL && v->verdict == CR_KEEP;
}

int
late_new(struct ledger *l, struct ledger_route *r, const struct rows *rows, const struct row *row)
{
	int64_t first = row->revision == 0 ? row->item : db_get(&l->book->db, SQL_LOG_ITEM, 0,
	    DB_INT(row->item), DB_INT(row->revision));
	size_t i;

	for (i = 0; i < rows->n; i++)
		if (rows->row[i].item == row->item && rows->row[i].revision == row->revision)
			return 0;
	return judge_verdict(l, r, first) == NULL &&
	    !late_any(l, r, row->item, row->revision, was_judged);
}

static int
was_met(const struct verdict *v)
{
	return v != NULL && !judge_passed_over(v);
}

int
late_met(struct ledger *l, struct ledger_route *r, int64_t item)
{
	return late_any(l, r, item, -1, was_met);
}

int
late_took(struct ledger *l, struct ledger_route *r, int64_t item)
{
	return late_any(l, r, item, -1, was_kept);
}
