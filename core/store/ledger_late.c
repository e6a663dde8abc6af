/* Late rows: rows at the log's end by which records that waited are judged again, since a row that
 * a route has passed is not judged twice. */
#include "ledger_late.h"
#include "book.h"
#include "ledger.h"
#include "ledger_verdict.h"
#include "ledger_wait.h"
#include "base/log.h"
#include "base/mem.h"
#include "db/db.h"

#include <string.h>

void
late_add(struct ledger *l, const struct waiting *w, int64_t now, const char *reason)
{
	int64_t n = ++l->book->head;

	db_run(&l->book->db, SQL_LOG_ADD, DB_INT(n), DB_INT(w->item), DB_INT(~w->revision),
	    DB_INT(w->source), DB_INT(w->flags), DB_INT(now));
	db_run(&l->book->db, SQL_LATE_ADD, DB_INT(n), DB_INT(w->route), DB_INT(w->n),
	    DB_INT(w->version), DB_INT(w->since), DB_TEXT(reason));
}

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
	late->split = late->since < 0;
	if (late->split)
		late->since = -late->since;
	xreplace(&late->reason, db_text(db, SQL_LATE_GET, 4));
	db_done(db, SQL_LATE_GET);
}

/* Whether `of` is true for the route's verdict on any late row of the item's version `revision`;
 * -1: of any version. */
static int
late_any(struct ledger *l, struct ledger_route *r, int64_t item, int64_t revision,
    int (*of)(const struct verdict *))
{
	struct db *db = &l->book->db;
	int any = 0;

	db_bind(db, SQL_LATE_ROWS, DB_INT(item));
	while (!any && db_step(db, SQL_LATE_ROWS))
		any = (revision == -1 || db_int(db, SQL_LATE_ROWS, 1) == revision) &&
		    of(verdict_settled(l, r, db_int(db, SQL_LATE_ROWS, 0)));
	db_done(db, SQL_LATE_ROWS);
	return any;
}

static int
was_judged(const struct verdict *v)
{
	return !verdict_undrawn(v);
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
		if (rows->row[i].item == row->item && rows->row[i].revision == row->revision &&
		    !rows->row[i].undrawn)
			return 0;
	return verdict_undrawn(verdict_settled(l, r, first)) &&
	    !late_any(l, r, row->item, row->revision, was_judged);
}

int64_t
late_prior(struct ledger *l, const struct ledger_route *r, int64_t item, int64_t origin, int64_t n)
{
	int64_t prior = db_get(&l->book->db, SQL_LATE_BEFORE, 0, DB_INT(r->id), DB_INT(origin),
	    DB_INT(item), DB_INT(n));

	return prior > 0 ? prior : origin;
}

int64_t
late_last(struct ledger *l, const struct ledger_route *r, int64_t item, int64_t origin)
{
	return db_get(&l->book->db, SQL_LATE_LAST, 0, DB_INT(r->id), DB_INT(origin), DB_INT(item));
}

/* The last row of the item that the route judged, no late row; 0: none. */
static int64_t
last_judged(struct ledger *l, struct ledger_route *r, int64_t item)
{
	struct db *db = &l->book->db;
	const struct verdict *v = verdict_settled(l, r, item);
	int64_t last = !verdict_undrawn(v) ? item : 0, n;

	db_bind(db, SQL_LOG_REVISIONS, DB_INT(item));
	while (db_step(db, SQL_LOG_REVISIONS)) {
		n = db_int(db, SQL_LOG_REVISIONS, 0);
		v = n > last ? verdict_settled(l, r, n) : NULL;
		if (!verdict_undrawn(v) && !verdict_passed_over(v))
			last = n;
	}
	return last;
}

int
late_story(struct ledger *l, struct ledger_route *r, int64_t item, int64_t now)
{
	struct waiting w = { .route = r->id, .n = last_judged(l, r, item), .item = item };
	struct db *db = &l->book->db;
	const struct verdict *v;
	int64_t late;

	if (w.n == 0)
		return 0;
	late = late_last(l, r, item, w.n);
	v = verdict_settled(l, r, late != 0 ? late : w.n);
	if (v == NULL || !verdict_story_taken(v))
		return 0;		/* or not judged yet */
	db_bind(db, SQL_LOG_FLAGS, DB_INT(w.n));
	if (db_step(db, SQL_LOG_FLAGS)) {
		w.flags = db_int(db, SQL_LOG_FLAGS, 0);
		w.revision = db_int(db, SQL_LOG_FLAGS, 1);
	}
	db_done(db, SQL_LOG_FLAGS);
	db_bind(db, SQL_ITEM_WHOLE, DB_INT(item));
	if (db_step(db, SQL_ITEM_WHOLE)) {
		w.source = db_int(db, SQL_ITEM_WHOLE, 1);
		w.version = db_int(db, SQL_ITEM_WHOLE, 3);
	}
	db_done(db, SQL_ITEM_WHOLE);
	w.since = -now;
	late_add(l, &w, now, NULL);
	r->dropped -= r->dropped > 0;	/* the late row is counted */
	route_save(l, r);
	return 1;
}

static int
was_met(const struct verdict *v)
{
	return !verdict_undrawn(v) && !verdict_passed_over(v);
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
