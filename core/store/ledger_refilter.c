/* A refilter: a route judges the past again, and its new verdicts replace those of before.
 *
 * The route goes back as for a new sink's backlog (ledger_judge.c), from r->filtered up to r->resume,
 * and keeps its beginning. Each batch of verdicts deletes those of before on the same rows in the
 * commit that writes the new ones and moves the position, so that a refilter goes on after a crash
 * where it was. Rows ahead keep their verdicts for lists, explanations and other routes, but do not
 * count for the rows that the route judges.
 *
 * The cursors of sinks that push stay where they are. A record that is kept now and that a cursor has
 * passed is marked (verdict.apart), and so is one that is not kept now and was delivered: what was
 * delivered once is never delivered again by a later refilter. */
#include "ledger_refilter.h"
#include "book.h"
#include "ledger.h"
#include "ledger_backlog.h"
#include "ledger_late.h"
#include "ledger_outbox.h"
#include "ledger_state.h"
#include "ledger_verdict.h"
#include "ledger_window.h"
#include "story.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/shown.h"
#include "db/db.h"

#include <jansson.h>

#include <stdlib.h>
#include <string.h>

#define WHAT_MAX	64		/* bytes of the second line of an order */

/* The verdicts of before on a range of rows. */
struct before {
	int64_t		 first, last;
	struct { int64_t n; int verdict, final; } *row;	/* final: what became of the record */
	size_t		 n;
};

/* ---- What sinks have got ---- */

/* Whether a sink that pushes has passed the row n, takes such rows, and was not told to skip it. */
static int
cursor_passed(struct ledger *l, const struct cursor *g, int64_t n)
{
	return g->takes != CR_BATCH_LIST && g->begun >= 0 && n <= g->delivered &&
	    cursor_passed_over(l, g, n, 0) == NULL;
}

/* The state of the sink's row of the record in its outbox; 0: none. */
static enum pending_state
outbox_state(struct ledger *l, const struct cursor *g, int64_t n)
{
	struct outbox_row row = { 0 };

	if (g->dead + g->retry + g->replay > 0) {
		row = outbox_get(l, g, n);
		free((char *)(uintptr_t)row.reason);
	}
	return row.kind == OUTBOX_AGAIN ? 0 : row.state;
}

/* Whether the sink is delivering the record out of its outbox. */
static int
under_way(const struct cursor *g, int64_t n)
{
	for (size_t i = 0; g->replaying && i < g->nbatch; i++)
		if (g->batch[i] == n)
			return 1;
	for (size_t i = 0; i < SINK_LANES; i++)
		if (g->flight[i] == n)
			return 1;
	return 0;
}

/* Whether any sink has passed the row n, and no row of it waits in its outbox. */
static int
passed(struct ledger *l, const struct ledger_route *r, int64_t n)
{
	for (size_t i = 0; i < r->nsinks; i++) {
		const struct cursor *g = &r->sink[r->sinks[i]];

		if (cursor_passed(l, g, n) && (outbox_state(l, g, n) == 0 || under_way(g, n)))
			return 1;
	}
	return 0;
}

/* Whether the verdict on the row n says that sinks got the record. */
static int
got_by(struct ledger *l, const struct ledger_route *r, int64_t n, const struct verdict *v)
{
	if (v == NULL)
		return 0;
	return v->verdict == CR_KEEP ? v->sent || (!v->apart && passed(l, r, n)) : v->apart;
}

/* Whether sinks got the item by a late row of that revision; -1: of any. */
static int
got_late(struct ledger *l, struct ledger_route *r, int64_t item, int64_t revision)
{
	struct db *db = &l->book->db;
	int got = 0;

	db_bind(db, SQL_LATE_ROWS, DB_INT(item));
	while (!got && db_step(db, SQL_LATE_ROWS)) {
		int64_t n = db_int(db, SQL_LATE_ROWS, 0);

		if (revision == -1 || db_int(db, SQL_LATE_ROWS, 1) == revision)
			got = got_by(l, r, n, verdict_of(l, r, n));
	}
	db_done(db, SQL_LATE_ROWS);
	return got;
}

int
refilter_got_by(struct ledger *l, struct ledger_route *r, int64_t n)
{
	return got_by(l, r, n, verdict_of(l, r, n));
}

int
refilter_got(struct ledger *l, struct ledger_route *r, const struct row *row)
{
	int64_t n = row->revision == 0 ? row->item : db_get(&l->book->db, SQL_LOG_ITEM, 0,
	    DB_INT(row->item), DB_INT(row->revision));

	return got_by(l, r, n, verdict_of(l, r, n)) || got_late(l, r, row->item, row->revision);
}

/* Whether sinks got any version of the item. */
static int
got_item(struct ledger *l, struct ledger_route *r, int64_t item)
{
	struct db *db = &l->book->db;
	int got = got_by(l, r, item, verdict_of(l, r, item)) || got_late(l, r, item, -1);

	db_bind(db, SQL_LOG_REVISIONS, DB_INT(item));
	while (!got && db_step(db, SQL_LOG_REVISIONS)) {
		int64_t n = db_int(db, SQL_LOG_REVISIONS, 0);

		got = got_by(l, r, n, verdict_of(l, r, n));
	}
	db_done(db, SQL_LOG_REVISIONS);
	return got;
}

/* Whether sinks got another item of the item's story. */
static int
got_story(struct ledger *l, struct ledger_route *r, int64_t item)
{
	size_t n, i;
	int64_t *of = story_items(l->book, story_of(l->book, item), &n);
	int got = 0;

	for (i = 0; i < n && !got; i++)
		got = of[i] != item && got_item(l, r, of[i]);
	free(of);
	return got;
}

/* ---- Replacing verdicts ---- */

/* Whether the filters' row for n in the table pending is in that state. */
static int
pending_is(struct ledger *l, const struct ledger_route *r, int64_t n, enum pending_state state)
{
	return db_get(&l->book->db, SQL_PENDING_GET, 0, DB_INT(r->id), DB_INT(n)) == state;
}

static void
pending_drop(struct ledger *l, const struct ledger_route *r, int64_t n, enum pending_state state,
    uint64_t *count)
{
	if (!pending_is(l, r, n, state))
		return;
	db_run(&l->book->db, SQL_PENDING_DONE, DB_INT(r->id), DB_INT(n), DB_INT(state));
	if (*count > 0)
		--*count;
}

/* Reads what a row of the log stands for; late.origin is 0 unless the row is a late row of the route. */
static struct row
row_of(struct ledger *l, const struct ledger_route *r, int64_t n)
{
	struct row row = { .n = n, .item = db_get(&l->book->db, SQL_LOG_OF, 0, DB_INT(n)),
		.revision = db_get(&l->book->db, SQL_LOG_REVISION, 0, DB_INT(n)) };

	if (row.revision >= 0)
		return row;
	row.revision = ~row.revision;
	late_read(l, n, &row.late);
	free(row.late.reason);
	row.late.reason = NULL;
	if (row.late.route != r->id)
		row.late.origin = 0;
	return row;
}

/* The verdict on the row was wait, and is it no more. */
static void
wait_drop(struct ledger *l, struct ledger_route *r, int64_t n)
{
	const struct row row = row_of(l, r, n);

	pending_drop(l, r, row.late.origin != 0 ? row.late.origin : n, PENDING_WAIT, &r->pending);
}

int
refilter_waits(struct ledger *l, struct ledger_route *r, const struct row *row)
{
	int64_t origin = row->late.origin != 0 ? row->late.origin : row->n;

	return pending_is(l, r, origin, PENDING_WAIT) ||
	    late_last(l, r, row->item, origin) > row->n;
}

static void
count_back(struct ledger *l, struct ledger_route *r, const struct verdict *v)
{
	r->kept -= v->verdict == CR_KEEP;
	r->dropped -= v->verdict == CR_DROP;
	r->expired -= v->rule != NULL && strcmp(v->rule, RULE_PATIENCE) == 0;
	if (v->verdict == VERDICT_FAILED) {
		pending_drop(l, r, v->n, PENDING_DEAD, &r->dead);
		pending_drop(l, r, v->n, PENDING_PARKED, &r->dead);
	}
}

/* Reads the first verdict blob that ends at the row n or behind it. 0; -1: none, or malformed; *end:
 * its last row, 0: none. */
static int
blob_at(struct ledger *l, const struct ledger_route *r, int64_t n, struct verdicts *v, int64_t *end)
{
	struct db *db = &l->book->db;
	int rc = -1;

	*end = 0;
	db_bind(db, SQL_VERDICT_AT, DB_INT(r->id), DB_INT(n));
	if (db_step(db, SQL_VERDICT_AT)) {
		*end = db_int(db, SQL_VERDICT_AT, 1);
		rc = verdicts_read(v, db_int(db, SQL_VERDICT_AT, 0), *end,
		    db_blob(db, SQL_VERDICT_AT, 2));
	}
	db_done(db, SQL_VERDICT_AT);
	return rc;
}

int64_t
refilter_final(struct ledger *l, struct ledger_route *r, const struct row *row)
{
	int64_t origin = row->late.origin != 0 ? row->late.origin : row->n;
	int64_t n = late_last(l, r, row->item, origin);

	if (n == 0)
		return row->n;
	while (n != origin && verdict_of(l, r, n) == NULL)
		n = late_prior(l, r, row->item, origin, n);
	return n;
}

/* What became of the record of a verdict: another verdict, if it waited. */
static int
final_of(struct ledger *l, struct ledger_route *r, const struct verdict *v)
{
	struct row row;

	if (v->verdict != CR_WAIT)
		return v->verdict;	/* it did not wait, or no more */
	row = row_of(l, r, v->n);
	v = verdict_of(l, r, refilter_final(l, r, &row));
	return v != NULL ? v->verdict : CR_WAIT;
}

struct before *
refilter_take(struct ledger *l, struct ledger_route *r, int64_t first, int64_t last)
{
	struct before *b = xcalloc(1, sizeof(*b));
	struct verdicts old = { 0 };
	int64_t at, end;

	*b = (struct before){ .first = first, .last = last };
	for (at = first; at <= last; at = end + 1) {
		if (blob_at(l, r, at, &old, &end) == -1 && end == 0)
			break;
		for (size_t i = 0; i < old.n; i++) {
			const struct verdict *v = &old.row[i];

			if (v->n < first || v->n > last)
				continue;
			b->row = xreallocarray(b->row, b->n + 1, sizeof(*b->row));
			b->row[b->n].n = v->n;
			b->row[b->n].verdict = v->verdict;
			b->row[b->n++].final = final_of(l, r, v);
			count_back(l, r, v);
		}
	}
	verdicts_free(&old);
	return b;
}

/* Writes the part of an old blob that lies in front of the rows replaced, or behind them. */
static void
part_write(struct ledger *l, const struct ledger_route *r, const struct verdicts *old, int64_t first,
    int64_t last)
{
	const struct verdict *row = NULL;
	int64_t keeps = 0;
	struct buf blob;
	size_t n = 0;

	for (size_t i = 0; i < old->n; i++) {
		if (old->row[i].n < first || old->row[i].n > last)
			continue;
		row = row == NULL ? &old->row[i] : row;
		keeps += old->row[i].verdict == CR_KEEP;
		n++;
	}
	if (n == 0)
		return;
	buf_init(&blob, VERDICT_MAX);
	if (verdicts_write(&blob, first, row, n) == -1)
		fatal("route %s: a part of its verdicts is larger than the whole", r->name);
	db_run(&l->book->db, SQL_VERDICT_ADD, DB_INT(r->id), DB_INT(last), DB_INT(first),
	    DB_INT(keeps), DB_BLOB(blob.data, blob.len));
	buf_free(&blob);
}

/* Deletes the verdicts on the rows first to last. */
static void
cut(struct ledger *l, struct ledger_route *r, int64_t first, int64_t last)
{
	struct verdicts old = { 0 };
	int64_t begun, end;

	for (;;) {
		(void)blob_at(l, r, first, &old, &end);
		begun = old.first;
		if (end == 0 || begun > last)
			break;
		db_run(&l->book->db, SQL_VERDICT_DEL, DB_INT(r->id), DB_INT(end));
		if (begun < first)
			part_write(l, r, &old, begun, first - 1);
		if (end > last)
			part_write(l, r, &old, last + 1, end);
		if (end >= last)
			break;
	}
	verdicts_free(&old);
	verdicts_free(&r->seen);
}

int
refilter_missed(struct ledger *l, struct ledger_route *r, const struct row *row, int once_record)
{
	return !refilter_got(l, r, row) && passed(l, r, row->n) &&
	    (once_record || !got_story(l, r, row->item));
}

/* Puts the record into the outbox of each sink that has passed it. */
static void
replay(struct ledger *l, const struct ledger_route *r, int64_t n)
{
	const struct outbox_row row = { .kind = OUTBOX_RECORD, .state = PENDING_REPLAY,
		.gap = r->gap };

	for (size_t i = 0; i < r->nsinks; i++) {
		struct cursor *g = &r->sink[r->sinks[i]];

		if (cursor_passed(l, g, n) && outbox_state(l, g, n) == 0)
			outbox_move(l, g, n, &row);
	}
}

/* Takes a record that is not kept now out of the outboxes, but not dead letters. */
static void
outbox_drop(struct ledger *l, const struct ledger_route *r, int64_t n)
{
	enum pending_state state;

	for (size_t i = 0; i < r->nsinks; i++) {
		struct cursor *g = &r->sink[r->sinks[i]];

		state = outbox_state(l, g, n);
		if ((state != PENDING_RETRY && state != PENDING_REPLAY) || under_way(g, n))
			continue;
		outbox_move(l, g, n, &(struct outbox_row){ 0 });
		if (g->retried != n)
			continue;
		g->retried = 0;		/* what is first now did not fail */
		g->failures = 0;
		cursor_due_set(g, 0);
		cursor_save(l, g);
	}
}

/* Sets whether what sinks got of the row differs from what the verdict says, and lets them have what
 * they are to get. */
static void
set_apart(struct ledger *l, struct ledger_route *r, const struct row *row, struct verdict *v)
{
	if (v->verdict != CR_KEEP) {
		v->apart = refilter_got(l, r, row);
		outbox_drop(l, r, row->n);
		return;
	}
	v->apart = refilter_missed(l, r, row, (int)r->rule.once_record);
	if (v->apart && r->again == AGAIN_DELIVER) {
		replay(l, r, row->n);
		v->apart = 0;
		r->sent++;
	}
}

/* Counts a record whose verdict was `old`, or -1, and is `now`. */
static void
count_change(struct ledger_route *r, int old, int now)
{
	r->came += old != CR_KEEP && now == CR_KEEP;
	r->went += old == CR_KEEP && now != CR_KEEP;
	r->stayed += old == CR_KEEP && now == CR_KEEP;
}

/* Takes the record of the row out of those that were kept and are to be counted by a late row. */
static int
chain_take(struct ledger_route *r, int64_t origin)
{
	for (size_t i = 0; i < r->nchain; i++)
		if (r->chain[i] == origin) {
			r->chain[i] = r->chain[--r->nchain];
			return 1;
		}
	return 0;
}

/* Counts a record whose verdict was `old`, or -1. If it waits now and a late row follows, that row
 * counts it. */
static void
count_row(struct ledger *l, struct ledger_route *r, int old, const struct row *row, int now)
{
	int64_t origin = row->late.origin != 0 ? row->late.origin : row->n;

	if (chain_take(r, origin))
		old = CR_KEEP;
	if (now != CR_WAIT || late_last(l, r, row->item, origin) <= row->n)
		count_change(r, old, now);
	else if (old == CR_KEEP) {
		r->chain = xreallocarray(r->chain, r->nchain + 1, sizeof(*r->chain));
		r->chain[r->nchain++] = origin;
	}
}

/* A verdict of before that has no successor. A late row is counted where its record waited. */
static void
count_gone(struct ledger *l, struct ledger_route *r, int64_t n, int old)
{
	if (old == CR_KEEP && row_of(l, r, n).late.origin == 0)
		count_change(r, CR_KEEP, CR_DROP);
}

/* Counts what came, went and stayed. */
static void
count(struct ledger *l, struct ledger_route *r, const struct before *b, const struct row *row,
    const struct verdict *v, size_t n)
{
	size_t i = 0, k;

	for (k = 0; k < n; k++) {
		for (; i < b->n && b->row[i].n < v[k].n; i++)
			count_gone(l, r, b->row[i].n, b->row[i].final);
		if (i < b->n && b->row[i].n == v[k].n)
			count_row(l, r, b->row[i++].final, &row[k], v[k].verdict);
		else
			count_row(l, r, -1, &row[k], v[k].verdict);
	}
	for (; i < b->n; i++)
		count_gone(l, r, b->row[i].n, b->row[i].final);
}

/* Ends the waiting of what waits no more. */
static void
waits_end(struct ledger *l, struct ledger_route *r, const struct before *b, const struct verdict *v,
    size_t n)
{
	size_t k = 0;

	for (size_t i = 0; i < b->n; i++) {
		for (; k < n && v[k].n < b->row[i].n; k++)
			;
		if (b->row[i].verdict == CR_WAIT &&
		    (k == n || v[k].n != b->row[i].n || v[k].verdict != CR_WAIT))
			wait_drop(l, r, b->row[i].n);
	}
}

void
refilter_sent(struct ledger *l, struct ledger_route *r, int64_t n)
{
	struct verdicts v = { 0 };
	struct buf blob;
	int64_t end, keeps = 0;

	buf_init(&blob, VERDICT_MAX);
	if (blob_at(l, r, n, &v, &end) == 0) {
		for (size_t i = 0; i < v.n; i++) {
			keeps += v.row[i].verdict == CR_KEEP;
			if (v.row[i].n == n)
				v.row[i].apart = 0;
		}
		if (verdicts_write(&blob, v.first, v.row, v.n) == -1)
			fatal("route %s: its verdicts cannot be written again", r->name);
		db_begin(&l->book->db);
		db_run(&l->book->db, SQL_VERDICT_DEL, DB_INT(r->id), DB_INT(end));
		db_run(&l->book->db, SQL_VERDICT_ADD, DB_INT(r->id), DB_INT(end), DB_INT(v.first),
		    DB_INT(keeps), DB_BLOB(blob.data, blob.len));
	}
	buf_free(&blob);
	verdicts_free(&v);
	verdicts_free(&r->seen);
}

void
refilter_replace(struct ledger *l, struct ledger_route *r, struct before *b, const struct row *row,
    struct verdict *v, size_t n)
{
	l->wrote++;
	for (size_t i = 0; i < n; i++)
		set_apart(l, r, &row[i], &v[i]);
	count(l, r, b, row, v, n);
	waits_end(l, r, b, v, n);
	cut(l, r, b->first, b->last);
	free(b->row);
	free(b);
}

void
refilter_end(struct ledger *l, struct ledger_route *r)
{
	r->again = AGAIN_NOT;
	r->nchain = 0;
	log_info("route %s: its past is refiltered: %lld came, %lld went, %lld stayed", r->name,
	    (long long)r->came, (long long)r->went, (long long)r->stayed);
	windows_again(l, r);
}

/* ---- The order ---- */

/* The row in front of the newest `left` rows that the route has judged. */
static int64_t
newest(struct ledger *l, const struct ledger_route *r, int64_t left)
{
	struct db *db = &l->book->db;
	int64_t end = route_judged(r), from = end;
	struct verdicts v = { 0 };

	while (left > 0 && end > 0) {
		db_bind(db, SQL_VERDICT_LAST, DB_INT(r->id), DB_INT(end));
		end = 0;
		if (db_step(db, SQL_VERDICT_LAST)) {
			from = db_int(db, SQL_VERDICT_LAST, 0) - 1;
			end = from;
			if (verdicts_read(&v, from + 1, db_int(db, SQL_VERDICT_LAST, 1),
			    db_blob(db, SQL_VERDICT_LAST, 2)) == 0 && (int64_t)v.n >= left)
				from = v.row[v.n - (size_t)left].n - 1;
			left -= (int64_t)v.n;
		}
		db_done(db, SQL_VERDICT_LAST);
	}
	verdicts_free(&v);
	return left > 0 ? 0 : from;
}

int64_t
refilter_from(struct ledger *l, const struct ledger_route *r, const char *what)
{
	int64_t n, from = 0;
	char *end;

	if (strcmp(what, "all") != 0) {
		if (strncmp(what, "last ", 5) != 0 && strncmp(what, "age ", 4) != 0)
			return -1;
		n = strtoll(strchr(what, ' ') + 1, &end, 10);
		if (*end != '\0' || n < 0)
			return -1;
		if (what[0] == 'a')
			from = ledger_before(l, date_now() - n);
		else if (r != NULL)
			from = newest(l, r, n);
	}
	return r != NULL && from < r->begun ? r->begun : from;
}

/* The route of that name; NULL: out says that there is none. */
static struct ledger_route *
route_meant(struct ledger *l, const char *name, struct buf *out)
{
	struct ledger_route *r = ledger_route_named(l, name);

	if (r == NULL)
		shown_fmt(out, "there is no route %s\n", name);
	if (r != NULL && r->rule.edition && r->nroutes == 1)
		r = &l->route[r->routes[0]];	/* what its filters judge; what is sealed stays */
	return r;
}

static void
put_answer(const struct ledger_route *r, struct buf *out)
{
	json_put(out, json_pack("{s:s, s:b, s:I, s:I, s:I, s:I, s:I, s:I}", "route", r->name, "done",
	    r->again == AGAIN_NOT, "place", (json_int_t)r->filtered, "up_to",
	    (json_int_t)route_judged(r), "came", (json_int_t)r->came, "went", (json_int_t)r->went,
	    "stayed", (json_int_t)r->stayed, "replayed", (json_int_t)r->sent));
}

/* Goes back to the row `from`; the filters begin with no state. */
static void
go_back(struct ledger *l, struct ledger_route *r, int64_t from)
{
	rows_free(&r->batch);
	r->filtered = from;
	r->came = r->went = r->stayed = r->sent = 0;
	r->nchain = 0;
	db_begin(&l->book->db);
	ledger_state_clear_filters(l, r);
	route_save(l, r);
	l->wrote++;
}

void
refilter_again(struct ledger *l, struct ledger_route *r)
{
	r->begun = 0;
	go_back(l, r, 0);
}

int
refilter(struct ledger *l, const char *arg, struct buf *out)
{
	const char *what = strchr(arg, '\n'), *how = what != NULL ? strchr(what + 1, '\n') : NULL;
	char *name = xstrndup(arg, strcspn(arg, "\n")), words[WHAT_MAX] = "";
	struct ledger_route *r = route_meant(l, name, out);
	int64_t from = -1;
	int rc = 1;

	if (how != NULL && (size_t)(how - what) < sizeof(words))
		memcpy(words, what + 1, (size_t)(how - what) - 1);
	if (r != NULL && how == NULL)
		shown_fmt(out, "the question has three lines\n");
	else if (r != NULL && r->resume > 0)
		shown_fmt(out, "route %s is judging the past already, up to place %lld; ask again "
		    "later\n", name, (long long)route_past(r));
	else if (r != NULL && (from = refilter_from(l, r, words)) == -1)
		shown_fmt(out, "%s: neither all, nor a number, nor an age\n", words);
	if (how != NULL && from >= 0) {
		rc = 0;
		r->came = r->went = r->stayed = r->sent = 0;
		if (from < r->filtered) {
			r->again = how[1] != '\0' ? AGAIN_DELIVER : AGAIN_LISTS;
			r->gap = strtoll(how + 1, NULL, 10);
			r->resume = r->filtered;
			go_back(l, r, from);
			log_info("route %s: judges the log's rows %lld to %lld again", r->name,
			    (long long)from + 1, (long long)r->resume);
		}
		put_answer(r, out);
	}
	free(name);
	return rc;
}

int
refiltered(struct ledger *l, const char *arg, struct buf *out)
{
	const struct ledger_route *r = route_meant(l, arg, out);

	if (r == NULL)
		return 1;
	put_answer(r, out);
	return 0;
}
