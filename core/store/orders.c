/* An operator's orders about records of sinks: replay, drop, skip; and the list of dead letters. A
 * question handles a page of records, so that store answers others in between: `courant` asks again
 * with the place that the answer names. */
#include "orders.h"
#include "book.h"
#include "edition.h"
#include "ledger.h"
#include "ledger_backlog.h"
#include "ledger_cursor.h"
#include "ledger_flight.h"
#include "ledger_outbox.h"
#include "ledger_refilter.h"
#include "ledger_verdict.h"
#include "ledger_wait.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/shown.h"
#include "base/text.h"
#include "db/db.h"

#include <jansson.h>

#include <stdlib.h>
#include <string.h>

#define REASONS_MAX	100		/* reasons of one sink that are told */
#define IDS_MAX		3		/* ids of one reason that are told */

/* ---- Questions ---- */

struct order {
	const char	*route, *sink;		/* borrowed from json; sink NULL: all of the route */
	int		 dead;			/* the dead letters; else: */
	const char	*id;			/* of a record or a delivery; else: */
	int64_t		 since;			/* those stored from then on, ms */
	int64_t		 gap;
	int		 again, dry;
	int64_t		 at, after;		/* the page begins with that sink, behind its row of the log */
	int64_t		 sink_no;		/* the sink at work; counted over all that are meant */
	int64_t		 stopped;		/* the last row of a full page; 0: it is not full */
	json_t		*json, *sinks;		/* the question; the answer's list */
};
struct tally_sink { int64_t taken, confirmed, lost, waiting, busy; };

static const char *
member(const json_t *o, const char *name)
{
	return json_string_value(json_object_get(o, name));
}

/* -1: out says what is wrong. */
static int
order_read(struct order *o, const char *arg, struct buf *out)
{
	json_t *j = json_loads(arg, 0, NULL);

	*o = (struct order){ .json = j, .route = member(j, "route"),
		.at = json_integer_value(json_object_get(j, "at")), .sink = member(j, "sink"), .id = member(j, "id"),
		.dead = json_is_true(json_object_get(j, "dead")),
		.since = json_integer_value(json_object_get(j, "since")),
		.gap = json_integer_value(json_object_get(j, "gap")),
		.again = json_is_true(json_object_get(j, "again")),
		.dry = json_is_true(json_object_get(j, "dry")),
		.after = json_integer_value(json_object_get(j, "after")) };
	if (j == NULL || (o->route == NULL && o->sink != NULL) || o->gap < 0 || o->gap > ACK_DUE_MAX) {
		buf_str(out, "the question is malformed\n");
		json_decref(j);
		return -1;
	}
	o->sinks = json_array();
	return 0;
}

/* Ends a question with its answer. */
static int
order_end(struct order *o, int rc, struct buf *out)
{
	json_t *all = json_object();

	json_object_set_new(all, "sinks", o->sinks);
	if (o->stopped > 0)
		json_set_number(all, "after", o->stopped);
	if (o->stopped > 0)
		json_set_number(all, "at", o->sink_no);
	if (rc == 0)
		json_put(out, all);
	else
		json_decref(all);
	json_decref(o->json);
	return rc;
}

static int
is_filters(const struct order *o)
{
	return o->sink != NULL && strcmp(o->sink, "filters") == 0;
}

static int
meant(const struct order *o, const struct ledger_route *r, const char *sink)
{
	return !r->gone && (o->route == NULL || strcmp(o->route, r->name) == 0) &&
	    (o->sink == NULL || strcmp(o->sink, sink) == 0);
}

/* Whether route and sink exist; 1: out says what is wrong, with the names that exist. */
static int
order_unknown(struct ledger *l, const struct order *o, struct buf *out)
{
	const struct ledger_route *r = NULL;

	for (size_t i = 0; i < l->nroute; i++) {
		if (!meant(o, &l->route[i], o->sink != NULL ? o->sink : ""))
			continue;
		r = &l->route[i];
		for (size_t k = 0; k < r->nsinks; k++)
			if (meant(o, r, r->sink[r->sinks[k]].name))
				return 0;
	}
	if (o->route == NULL || (r != NULL && is_filters(o)))
		return 0;
	if (r == NULL)
		shown_fmt(out, "there is no route %s", o->route);
	else
		shown_fmt(out, "route %s has no sink %s", o->route, o->sink);
	for (size_t i = 0; r == NULL && i < l->nroute; i++)
		if (!l->route[i].gone)
			shown_fmt(out, "; %s", l->route[i].name);
	for (size_t i = 0; r != NULL && i < r->nsinks; i++)
		shown_fmt(out, "; %s", r->sink[r->sinks[i]].name);
	buf_str(out, "\n");
	return 1;
}

/* ---- One record ---- */

/* What the order does with the record of the log's row n, which the route kept. */
typedef void (*order_one)(struct ledger *, const struct order *, struct ledger_route *, struct cursor *,
    int64_t n, struct tally_sink *);

/* Whether a refilter kept the record n when its sinks had passed it. */
static int
passed_by(struct ledger *l, struct ledger_route *r, int64_t n)
{
	const struct verdict *v = verdict_of(l, r, n);

	return v != NULL && v->apart;
}

/* Whether the sink has confirmed the kept record n, which is not in its outbox. */
static int
has(struct ledger *l, struct ledger_route *r, const struct cursor *g, int64_t n)
{
	return n <= g->delivered && cursor_passed_over(l, g, n, passed_by(l, r, n)) == NULL;
}

/* Whether what the row n is to the sink, a record or an edition, is still stored. */
static int
stored(struct ledger *l, struct ledger_route *r, const struct cursor *g, int64_t n)
{
	struct edition_row e;
	int there;

	if (g->takes != CR_BATCH_EDITION)
		return db_get(&l->book->db, SQL_RECORD_HAS, 0, DB_INT(n)) > 0;
	there = edition_of(l, r, n, &e) && e.state == EDITION_SEALED;
	edition_free(&e);
	return there;
}

static void
replay_one(struct ledger *l, const struct order *o, struct ledger_route *r, struct cursor *g,
    int64_t n, struct tally_sink *t)
{
	struct outbox_row row = outbox_get(l, g, n);
	int confirmed = row.state == 0 && has(l, r, g, n);
	int waits = row.state == PENDING_RETRY || row.state == PENDING_REPLAY ||
	    (row.state == 0 && n > g->delivered);

	free((char *)(uintptr_t)row.reason);
	if (waits)
		t->waiting++;
	else if (confirmed && !o->again)
		t->confirmed++;
	else if (!stored(l, r, g, n))
		t->lost++;
	else {
		t->taken++;
		row = (struct outbox_row){ .kind = confirmed ? OUTBOX_AGAIN : OUTBOX_RECORD,
			.state = PENDING_REPLAY, .gap = o->gap };
		if (!o->dry)
			outbox_move(l, g, n, &row);
		if (!o->dry && passed_by(l, r, n))
			refilter_sent(l, r, n);
	}
}

/* Gives up the record of a row: moves the cursor of an ordered sink behind the one that it tries
 * again. -1: it is under way. */
static int
give_up(struct ledger *l, struct cursor *g, int64_t n, struct outbox_row *row)
{
	if (row->state == PENDING_RETRY &&
	    (g->unordered ? flight_has(g, n) : cursor_skip(l, g, n) == -1))
		return -1;
	row->state = row->kind == OUTBOX_AGAIN ? 0 : PENDING_DROPPED;	/* the sink has it: no row */
	row->due = 0;
	outbox_move(l, g, n, row);
	return 0;
}

static void
drop_one(struct ledger *l, const struct order *o, struct ledger_route *r, struct cursor *g,
    int64_t n, struct tally_sink *t)
{
	struct outbox_row row = outbox_get(l, g, n);

	if (row.state == 0) {
		t->confirmed += has(l, r, g, n);
		t->waiting += n > g->delivered;
	} else if (row.state != PENDING_DROPPED && (o->dry || give_up(l, g, n, &row) == 0))
		t->taken++;
	else if (row.state != PENDING_DROPPED)
		t->busy++;
	free((char *)(uintptr_t)row.reason);
}

/* ---- Which records ---- */

/* Does it with what the row n is to the sink: a record; or the edition that has it, which stands in an outbox
 * under its first row, and of which all rows of a time tell once. */
static void
with_row(struct ledger *l, const struct order *o, struct ledger_route *r, struct cursor *g, order_one one,
    int64_t n, struct tally_sink *t)
{
	struct edition_row e;

	if (g->takes != CR_BATCH_EDITION)
		one(l, o, r, g, n, t);
	else if (edition_of(l, r, n, &e)) {
		if (o->id != NULL || n == e.first)
			one(l, o, r, g, e.first, t);
		edition_free(&e);
	}
}

/* The dead letters of the sink, behind the page before. */
static void
each_dead(struct ledger *l, struct order *o, struct ledger_route *r, struct cursor *g, order_one one,
    struct tally_sink *t)
{
	struct db *db = &l->book->db;
	int64_t *n = xcalloc(ORDERS_PAGE, sizeof(*n));
	size_t got = 0;

	db_bind(db, SQL_OUTBOX_DEAD, DB_INT(g->id), DB_INT(o->after), DB_INT(ORDERS_PAGE));
	while (got < ORDERS_PAGE && db_step(db, SQL_OUTBOX_DEAD))
		n[got++] = db_int(db, SQL_OUTBOX_DEAD, 0);
	db_done(db, SQL_OUTBOX_DEAD);
	for (size_t i = 0; i < got; i++)
		with_row(l, o, r, g, one, n[i], t);
	if (got == ORDERS_PAGE)
		o->stopped = n[got - 1];
	free(n);
}

/* The records that came since then and that the route kept, behind the page before. */
static void
each_since(struct ledger *l, struct order *o, struct ledger_route *r, struct cursor *g, order_one one,
    struct tally_sink *t)
{
	struct db *db = &l->book->db;
	int64_t *n = xcalloc(ORDERS_PAGE + 1, sizeof(*n)), from = o->after;
	size_t got = 0;

	if (from == 0)
		from = ledger_before(l, o->since);
	db_bind(db, SQL_VERDICT_NEXT, DB_INT(r->id), DB_INT(from));
	while (got <= ORDERS_PAGE && db_step(db, SQL_VERDICT_NEXT)) {
		if (verdicts_read(&r->seen, db_int(db, SQL_VERDICT_NEXT, 0),
		    db_int(db, SQL_VERDICT_NEXT, 1), db_blob(db, SQL_VERDICT_NEXT, 2)) == -1)
			continue;
		for (size_t i = 0; i < r->seen.n && got <= ORDERS_PAGE; i++)
			if (r->seen.row[i].n > from && r->seen.row[i].verdict == CR_KEEP)
				n[got++] = r->seen.row[i].n;
		db_bind(db, SQL_VERDICT_NEXT, DB_INT(r->id), DB_INT(r->seen.last));
	}
	db_done(db, SQL_VERDICT_NEXT);
	for (size_t i = 0; i < got && i < ORDERS_PAGE; i++)
		with_row(l, o, r, g, one, n[i], t);
	if (got > ORDERS_PAGE)
		o->stopped = n[ORDERS_PAGE - 1];
	free(n);
}

/* The rows of a record, late ones too: of the version that an id "ID-rN" names, else of all that the route
 * kept. */
static void
each_of_id(struct ledger *l, struct order *o, struct ledger_route *r, struct cursor *g, order_one one,
    struct tally_sink *t)
{
	const char *dash = strstr(o->id, "-r");
	const int64_t version = dash != NULL ? strtoll(dash + 2, NULL, 10) : -1;	/* -1: all */
	struct db *db = &l->book->db;
	int64_t item = book_item(l->book, o->id), n[64];
	const struct verdict *v;
	size_t got = 0;

	if (item == 0)
		return;
	if (version <= 0)
		n[got++] = item;
	else if ((n[0] = db_get(db, SQL_LOG_ITEM, 0, DB_INT(item), DB_INT(version))) > 0)
		got++;
	db_bind(db, SQL_LOG_REVISIONS, DB_INT(item));
	while (version == -1 && got < 64 && db_step(db, SQL_LOG_REVISIONS))
		n[got++] = db_int(db, SQL_LOG_REVISIONS, 0);
	db_done(db, SQL_LOG_REVISIONS);
	db_bind(db, SQL_LATE_ROWS, DB_INT(item));
	while (got < 64 && db_step(db, SQL_LATE_ROWS))
		if (version == -1 || version == db_int(db, SQL_LATE_ROWS, 1))
			n[got++] = db_int(db, SQL_LATE_ROWS, 0);
	db_done(db, SQL_LATE_ROWS);
	for (size_t i = 0; i < got; i++) {
		v = verdict_of(l, r, n[i]);
		if (v != NULL && v->verdict == CR_KEEP)
			with_row(l, o, r, g, one, n[i], t);
	}
}

/* ---- Orders ---- */

static void
tell_sink(struct order *o, const struct ledger_route *r, const char *sink, const struct tally_sink *t)
{
	json_t *j = json_object();

	json_set_text(j, "route", r->name);
	json_set_text(j, "sink", sink);
	json_set_number(j, "taken", t->taken);
	json_set_number(j, "confirmed", t->confirmed);
	json_set_number(j, "lost", t->lost);
	json_set_number(j, "waiting", t->waiting);
	json_set_number(j, "busy", t->busy);
	json_array_append_new(o->sinks, j);
}

static void
order_sink(struct ledger *l, struct order *o, struct ledger_route *r, struct cursor *g, order_one one)
{
	struct tally_sink t = { 0 };

	if (o->stopped > 0 || ++o->sink_no < o->at)
		return;				/* of another page */
	if (o->sink_no > o->at)
		o->after = 0;
	if (g->takes == CR_BATCH_LIST && one == replay_one) {
		json_t *j = json_object();

		json_set_text(j, "route", r->name);
		json_set_text(j, "sink", g->name);
		json_object_set_new(j, "lists", json_true());
		json_array_append_new(o->sinks, j);
		return;
	}
	if (o->dead)
		each_dead(l, o, r, g, one, &t);
	else if (o->id != NULL)
		each_of_id(l, o, r, g, one, &t);
	else
		each_since(l, o, r, g, one, &t);
	tell_sink(o, r, g->name, &t);
}

/* Dead letters of a route's filters: dropped, or judged again. */
static void
order_filters(struct ledger *l, struct order *o, struct ledger_route *r, order_one one)
{
	struct db *db = &l->book->db;
	struct tally_sink t = { .taken = (int64_t)r->dead };

	if (!o->dead || r->dead == 0 || o->at > 0)
		return;
	if (!o->dry) {
		l->wrote++;
		db_begin(db);
		if (one == drop_one)
			db_run(db, SQL_PENDING_DROP, DB_INT(r->id));
		else {
			db_run(db, SQL_PENDING_AGAIN, DB_INT(r->id), DB_INT(date_now()));
			r->pending += r->dead;
		}
		r->dead = 0;
		xreplace(&r->reason, NULL);
	}
	tell_sink(o, r, "filters", &t);
}

static int
order(struct ledger *l, const char *arg, struct buf *out, order_one one)
{
	struct ledger_route *r;
	struct cursor *g;
	struct order o;

	if (order_read(&o, arg, out) == -1)
		return 1;
	if (order_unknown(l, &o, out))
		return order_end(&o, 1, out);
	if (o.id != NULL && book_item(l->book, o.id) == 0) {
		shown_fmt(out, "no record has the id %s\n", o.id);
		return order_end(&o, 1, out);
	}
	for (size_t i = 0; i < l->nroute; i++) {
		r = &l->route[i];
		if (meant(&o, r, "filters"))
			order_filters(l, &o, r, one);
		for (size_t k = 0; k < r->nsinks; k++) {
			g = &r->sink[r->sinks[k]];
			if (meant(&o, r, g->name))
				order_sink(l, &o, r, g, one);
		}
	}
	return order_end(&o, 0, out);
}

int
orders_replay(struct ledger *l, const char *arg, struct buf *out)
{
	return order(l, arg, out, replay_one);
}

int
orders_drop(struct ledger *l, const char *arg, struct buf *out)
{
	return order(l, arg, out, drop_one);
}

/* The number of unconfirmed records up to a row, replays and dead letters not counted. */
static int64_t
ahead(struct ledger *l, struct ledger_route *r, const struct cursor *g, int64_t to)
{
	size_t looks = LEDGER_LOOKS;
	struct cursor there = *g;
	int64_t n = g->unordered ? db_get(&l->book->db, SQL_OUTBOX_UPTO, 0, DB_INT(g->id), DB_INT(to)) : 0;

	there.delivered = to > g->delivered ? to : g->delivered;
	return n + (int64_t)(cursor_waiting(l, r, g, &looks) - cursor_waiting(l, r, &there, &looks));
}

/* Gives up all of these. -1: one is under way. */
static int
skip(struct ledger *l, struct cursor *g, int64_t to)
{
	int64_t gone = 0;

	for (int i = 0; i < SINK_LANES; i++)
		if (g->flight[i] != 0 && g->flight[i] <= to)
			return -1;
	if (g->unordered)
		gone = db_get(&l->book->db, SQL_OUTBOX_UPTO, 0, DB_INT(g->id), DB_INT(to));
	if (to > g->delivered && cursor_skip(l, g, to) == -1)
		return -1;
	if (gone > 0) {
		l->wrote++;
		db_begin(&l->book->db);
		db_run(&l->book->db, SQL_OUTBOX_SKIP, DB_INT(g->id), DB_INT(to));
		g->retry -= (uint64_t)gone;
	}
	return 0;
}

int
orders_skip(struct ledger *l, const char *arg, struct buf *out)
{
	struct tally_sink t;
	struct ledger_route *r;
	struct cursor *g;
	struct order o;
	int64_t to;

	if (order_read(&o, arg, out) == -1)
		return 1;
	if (order_unknown(l, &o, out))
		return order_end(&o, 1, out);
	to = ledger_before(l, o.since);
	for (size_t i = 0; i < l->nroute; i++)
		for (size_t k = 0; k < l->route[i].nsinks; k++) {
			r = &l->route[i];
			g = &r->sink[r->sinks[k]];
			if (!meant(&o, r, g->name) || g->takes == CR_BATCH_LIST || g->begun == -1)
				continue;
			t = (struct tally_sink){ .taken = ahead(l, r, g, to) };
			if (!o.dry && t.taken > 0 && skip(l, g, to) == -1)
				t = (struct tally_sink){ .busy = t.taken };
			tell_sink(&o, r, g->name, &t);
		}
	return order_end(&o, 0, out);
}

/* ---- Dead letters ---- */

/* A few ids of the records with that reason. */
static json_t *
ids_json(struct ledger *l, int64_t sink, int64_t state, const char *reason)
{
	struct db *db = &l->book->db;
	char rid[TEXT_BASE32_16];
	json_t *list = json_array();
	struct bytes b;
	int64_t revision;

	db_bind(db, SQL_OUTBOX_IDS, DB_INT(sink), DB_INT(state), DB_TEXT(reason), DB_INT(IDS_MAX));
	while (db_step(db, SQL_OUTBOX_IDS)) {
		b = db_blob(db, SQL_OUTBOX_IDS, 0);
		revision = db_int(db, SQL_OUTBOX_IDS, 1);
		if (b.len != 16)
			continue;
		text_base32(rid, b.data, b.len);
		json_array_append_new(list, revision > 0 ?
		    json_sprintf("%s-r%lld", rid, (long long)revision) : json_string(rid));
	}
	return list;
}

/* The groups that the statement gives: state, reason, count, first, last. sink 0: of filters. */
static json_t *
groups_json(struct ledger *l, enum sql sql, int64_t owner, int64_t sink)
{
	struct db *db = &l->book->db;
	json_t *list = json_array(), *o;

	db_bind(db, sql, DB_INT(owner), DB_INT(REASONS_MAX));
	while (db_step(db, sql)) {
		o = json_object();
		json_set_text(o, "state", db_int(db, sql, 0) == PENDING_PARKED ? "parked" : "dead");
		json_set_text(o, "reason", db_text(db, sql, 1));
		json_set_number(o, "count", db_int(db, sql, 2));
		json_set_time(o, "first", db_int(db, sql, 3));
		json_set_time(o, "last", db_int(db, sql, 4));
		if (sink != 0)
			json_object_set_new(o, "ids", ids_json(l, sink, db_int(db, sql, 0),
			    db_text(db, sql, 1)));
		json_array_append_new(list, o);
	}
	return list;
}

static void
dead_of(struct ledger *l, struct order *o, const struct ledger_route *r, const struct cursor *g)
{
	uint64_t dead = g != NULL ? g->dead : r->dead;
	json_t *j;

	if (dead == 0 || !meant(o, r, g != NULL ? g->name : "filters"))
		return;
	j = json_object();
	json_set_text(j, "route", r->name);
	json_set_text(j, "sink", g != NULL ? g->name : "filters");
	json_set_number(j, "dead", (int64_t)dead);
	json_object_set_new(j, "groups", g != NULL ?
	    groups_json(l, SQL_OUTBOX_REASONS, g->id, g->id) :
	    groups_json(l, SQL_PENDING_REASONS, r->id, 0));
	json_array_append_new(o->sinks, j);
}

int
orders_dead(struct ledger *l, const char *arg, struct buf *out)
{
	struct order o;

	if (order_read(&o, arg, out) == -1)
		return 1;
	if (order_unknown(l, &o, out))
		return order_end(&o, 1, out);
	for (size_t i = 0; i < l->nroute; i++) {
		dead_of(l, &o, &l->route[i], NULL);
		for (size_t k = 0; k < l->route[i].nsinks; k++)
			dead_of(l, &o, &l->route[i], &l->route[i].sink[l->route[i].sinks[k]]);
	}
	return order_end(&o, 0, out);
}
