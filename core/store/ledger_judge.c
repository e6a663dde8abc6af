/* Judging: selects the rows of the log that belong to a route, asks the route's filters about them
 * and stores the verdicts. The story check comes after the filters, since only a record that the
 * route keeps makes its story taken. */
#include "ledger_judge.h"
#include "book.h"
#include "ledger.h"
#include "ledger_batch.h"
#include "ledger_late.h"
#include "ledger_refilter.h"
#include "ledger_state.h"
#include "ledger_verdict.h"
#include "ledger_wait.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/date.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "db/db.h"
#include "record/record.h"
#include "record/result.h"
#include "record/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FORGED_LOG	INT64_C(60000)	/* ms between two lines that tell of forged changes */
#define TRAIL_MORE	256		/* bytes that settle_one() adds to a verdict, at most */

static const char rule_story[] = RULE_STORY, rule_parked[] = "parked",
    rule_patience[] = RULE_PATIENCE;

/* ---- Rows ---- */

/* Whether the route has to judge a late row of its own: its last verdict on the record was wait, or
 * that the story was taken, before an operator split it, which a refilter may have changed. -1: the
 * route has to judge the row of that verdict first. */
static int
late_waits(struct ledger *l, struct ledger_route *r, const struct row *row)
{
	int64_t prior = row->n, origin = row->late.origin;
	const struct verdict *v = NULL;

	while (v == NULL && prior != origin) {
		prior = late_prior(l, r, row->item, origin, prior);
		if (r->again != AGAIN_NOT && r->again != AGAIN_TRY && route_ahead(r, prior))
			return -1;
		v = verdict_settled(l, r, prior);
	}
	if (v == NULL)
		return r->again == AGAIN_TRY && route_ahead(r, origin);
	return v->verdict == CR_WAIT || (row->late.split && verdict_story_taken(v));
}

/* Whether a late row belongs to the route: the record waited in this route, or a route that this
 * one draws from kept the late row and it is new here. Then row->late.reason is owned. -1: see
 * late_waits(). */
static int
late_belongs(struct ledger *l, struct ledger_route *r, const struct rows *rows, struct row *row,
    int64_t source)
{
	int belongs;

	late_read(l, row->n, &row->late);
	if (row->late.route == r->id) {
		belongs = late_waits(l, r, row);
		if (belongs == 1)
			belongs = verdict_belongs(l, r, row->late.origin, source, &row->changes);
	} else
		belongs = late_new(l, r, rows, row) &&
		    verdict_handed_on(l, r, row->n, &row->changes);
	if (belongs != 1) {
		free(row->late.reason);
		row->late.reason = NULL;
	} else if (row->late.route != r->id)
		row->late.origin = 0;	/* to this route it is a row like any other */
	return belongs;
}

/* Whether the route has judged, or is judging in `rows`, any version of the item. If not, the first
 * version that the route meets may be a later one: a route that it draws from kept no earlier
 * one. */
static int
item_met(struct ledger *l, struct ledger_route *r, const struct rows *rows, int64_t item)
{
	struct db *db = &l->book->db;
	int is = verdict_met(l, r, item) || late_met(l, r, item);
	size_t i;

	for (i = 0; i < rows->n && !is; i++)
		is = rows->row[i].item == item && !rows->row[i].undrawn;
	db_bind(db, SQL_LOG_REVISIONS, DB_INT(item));
	while (!is && db_step(db, SQL_LOG_REVISIONS))
		is = verdict_met(l, r, db_int(db, SQL_LOG_REVISIONS, 0));
	db_done(db, SQL_LOG_REVISIONS);
	return is;
}

/* A row that is not the route's; but a refilter keeps in mind what was delivered. */
static int
row_undrawn(struct ledger *l, struct ledger_route *r, struct row *row)
{
	row->undrawn = r->again != AGAIN_NOT && (row->late.version != 0 ?
	    refilter_got_by(l, r, row->n) : refilter_got(l, r, row));
	row->changes = (struct bytes){ NULL, 0 };
	return row->undrawn;
}

int
judge_row(struct ledger *l, struct ledger_route *r, const struct rows *rows, struct row *row)
{
	struct db *db = &l->book->db;
	int64_t source = db_int(db, SQL_LOG_SCAN, 3);
	int belongs;

	*row = (struct row){ .n = db_int(db, SQL_LOG_SCAN, 0), .item = db_int(db, SQL_LOG_SCAN, 1),
		.revision = db_int(db, SQL_LOG_SCAN, 2) };
	if (row->revision >= 0) {
		if (!verdict_belongs(l, r, row->n, source, &row->changes))
			return row_undrawn(l, r, row);
	} else {
		row->revision = ~row->revision;
		belongs = late_belongs(l, r, rows, row, source);
		if (belongs == 0 && row->late.route != r->id)
			return row_undrawn(l, r, row);
		if (belongs != 1)
			return belongs;
	}
	if (row->revision > 0 && !r->rule.updates && !row->undrawn)
		row->first = row->late.origin != 0 ? !judge_took(l, r, row->item) :
		    !verdict_draws_itself(l, r, source) && !item_met(l, r, rows, row->item);
	return 1;
}

/* The last row that the route can judge: committed, and judged by all routes that it draws from;
 * while the route judges the past, at most route_past(); in a refilter, none that a sink is
 * delivering. *more: one of these routes can judge more rows at once. */
static int64_t
horizon(struct ledger *l, struct ledger_route *r, int *more)
{
	int64_t n = l->durable;
	struct ledger_route *up;
	size_t i;

	*more = 0;
	for (i = 0; i < r->nroutes; i++) {
		up = &l->route[r->routes[i]];
		if (up->rule.filters == 0)
			*more |= judge_all(l, up);
		if (up->filtered < n)
			n = up->filtered;
	}
	for (i = 0; r->again != AGAIN_NOT && i < r->nsink; i++)
		if (r->sink[i].takes != CR_BATCH_LIST && !r->sink[i].replaying && r->sink[i].first > 0 &&
		    r->sink[i].first <= n)
			n = r->sink[i].first - 1;
	return r->resume > 0 && n > route_past(r) ? route_past(r) : n;
}

/* Reads the route's next rows, at most max, from at most LEDGER_SCAN rows of the log. */
static void
scan(struct ledger *l, struct ledger_route *r, int64_t to, size_t max, struct rows *rows)
{
	struct db *db = &l->book->db;
	size_t looked = 0, changes = 0;
	struct row row;
	int belongs;

	rows_free(rows);
	rows->first = r->filtered + 1;
	rows->last = to;
	if (to <= r->filtered)
		return;
	db_bind(db, SQL_LOG_SCAN, DB_INT(r->filtered), DB_INT(to));
	while (db_step(db, SQL_LOG_SCAN)) {
		belongs = judge_row(l, r, rows, &row);
		if (belongs == -1) {
			rows->last = row.n - 1;
			break;
		}
		if (belongs) {
			rows_add(rows, &row);
			changes += row.changes.len;
		}
		if (rows->n == max || changes > LEDGER_CHANGES || ++looked == LEDGER_SCAN) {
			rows->last = row.n;
			break;
		}
	}
	db_done(db, SQL_LOG_SCAN);
}

/* ---- Settling verdicts ---- */

/* Stories that a batch has taken so far, before its verdicts are written, and the lengthened
 * trails. */
struct taken {
	struct { int64_t story, item; } *of;
	size_t n;
	struct buf *trail;
	size_t ntrails;
};

int
judge_took(struct ledger *l, struct ledger_route *r, int64_t item)
{
	struct db *db = &l->book->db;
	int took = verdict_kept(l, r, item) || late_took(l, r, item);

	if (took || !r->rule.updates)
		return took;
	db_bind(db, SQL_LOG_REVISIONS, DB_INT(item));
	while (!took && db_step(db, SQL_LOG_REVISIONS))
		took = verdict_kept(l, r, db_int(db, SQL_LOG_REVISIONS, 0));
	db_done(db, SQL_LOG_REVISIONS);
	return took;
}

int64_t
judge_story(struct ledger *l, int64_t item)
{
	struct db *db = &l->book->db;
	int64_t story = 0;

	db_bind(db, SQL_STORY_ITEM, DB_INT(item));
	if (db_step(db, SQL_STORY_ITEM) && db_int(db, SQL_STORY_ITEM, 1) > 1)
		story = db_int(db, SQL_STORY_ITEM, 0);
	db_done(db, SQL_STORY_ITEM);
	return story;
}

int
judge_took_story(struct ledger *l, struct ledger_route *r, int64_t story, int64_t item)
{
	struct db *db = &l->book->db;
	int took = story != item && judge_took(l, r, story);
	int64_t other;

	db_bind(db, SQL_MENTIONS, DB_INT(story));
	while (!took && db_step(db, SQL_MENTIONS)) {
		other = db_int(db, SQL_MENTIONS, 0);
		took = other != item && judge_took(l, r, other);
	}
	db_done(db, SQL_MENTIONS);
	return took;
}

/* Whether the route has taken the item's story by another item; if not, the story is taken by this
 * one. A story of one item costs one query. */
static int
took_story(struct ledger *l, struct ledger_route *r, struct taken *taken, int64_t item)
{
	int64_t story = judge_story(l, item);
	int took;
	size_t i;

	if (story == 0)
		return 0;
	for (i = 0; i < taken->n; i++)
		if (taken->of[i].story == story && taken->of[i].item != item)
			return 1;
	took = judge_took_story(l, r, story, item);
	if (!took) {
		taken->of = xreallocarray(taken->of, taken->n + 1, sizeof(*taken->of));
		taken->of[taken->n].story = story;
		taken->of[taken->n++].item = item;
	}
	return took;
}

/* Makes a dead letter of a record that no filter could judge. */
static void
give_up(struct ledger *l, struct ledger_route *r, int64_t n, enum pending_state state,
    const char *reason)
{
	db_run(&l->book->db, SQL_PENDING_ADD, DB_INT(r->id), DB_INT(n), DB_INT(state),
	    DB_TEXT(reason));
	r->dead++;
	xreplace(&r->reason, reason);
}

/* Drops a record that the filters kept, by `rule`; the last filter's rule and reason are appended
 * to the trail. */
static void
overrule(struct taken *taken, struct verdict *v, const char *rule)
{
	const struct result_said said = { (uint32_t)v->verdict, v->rule, v->why };
	struct buf *b;

	if (v->rule != NULL) {
		taken->trail = xreallocarray(taken->trail, taken->ntrails + 1, sizeof(*b));
		b = &taken->trail[taken->ntrails++];
		buf_init(b, VERDICT_MAX);
		buf_add(b, v->trail.data, v->trail.len);
		wire_put(b, result_said, &said);
		v->trail = (struct bytes){ b->data, b->len };
	}
	v->verdict = CR_DROP;
	v->rule = rule;
	v->why = NULL;
}

static void
taken_free(struct taken *taken)
{
	while (taken->ntrails > 0)
		buf_free(&taken->trail[--taken->ntrails]);
	free(taken->trail);
	free(taken->of);
}

/* Applies a verdict's effects outside of the blob: the story check, waiting, dead letters,
 * counts. */
static void
settle_one(struct ledger *l, struct ledger_route *r, struct taken *taken, const struct row *row,
    struct verdict *v)
{
	int parked = v->rule == rule_parked;

	if (v->verdict == CR_KEEP && !r->rule.once_record && took_story(l, r, taken, row->item)) {
		overrule(taken, v, rule_story);
		v->changes.len = 0;	/* the owner still frees the memory */
	}
	if (v->verdict == CR_WAIT && !(r->again != AGAIN_NOT && refilter_waits(l, r, row)))
		wait_add(l, r, row, v);
	else if (v->verdict == VERDICT_FAILED)
		give_up(l, r, row->n, parked ? PENDING_PARKED : PENDING_DEAD, v->why);
	r->expired += v->rule == rule_patience;
	v->sent = v->verdict == CR_KEEP && row->late.version != 0 && refilter_got(l, r, row);
}

/* Moves the route's position to `last`. A route that was judging the past and has judged all of it
 * goes on from r->resume. */
static void
route_move(struct ledger *l, struct ledger_route *r, int64_t last)
{
	r->filtered = last;
	if (r->resume == 0 || last < route_past(r))
		return;
	r->filtered = r->resume;
	r->resume = 0;
	if (r->again != AGAIN_NOT)
		refilter_end(l, r);
	else
		r->begun = 0;
}

/* Writes the verdicts on row[n] and moves the route's position to `last`. Without rows the position
 * alone moves; it is written if a transaction is open or the route judges the past, so that a
 * restart does not scan these rows again. -1: the blob is over a maximum, nothing is changed. */
static int
settle(struct ledger *l, struct ledger_route *r, const struct row *row, struct verdict *v,
    size_t n, int64_t last)
{
	struct taken taken = { NULL, 0, NULL, 0 };
	int64_t first = r->filtered + 1, keeps = 0;
	struct before *before = NULL;
	struct buf blob;
	size_t i;
	int rc;

	if (n == 0) {
		int back = r->resume > 0;

		if (back)
			db_begin(&l->book->db);
		if (r->again != AGAIN_NOT)
			refilter_replace(l, r, refilter_take(l, r, first, last), NULL, NULL, 0);
		route_move(l, r, last);
		if (l->book->db.open)
			route_save(l, r);
		return 0;
	}
	buf_init(&blob, VERDICT_MAX - n * TRAIL_MORE);
	rc = verdicts_write(&blob, first, v, n);
	if (rc == 0) {
		db_begin(&l->book->db);
		l->wrote++;
		if (r->again != AGAIN_NOT)
			before = refilter_take(l, r, first, last);
		for (i = 0; i < n; i++) {
			settle_one(l, r, &taken, &row[i], &v[i]);
			keeps += v[i].verdict == CR_KEEP;
			r->dropped += v[i].verdict == CR_DROP;
		}
		if (before != NULL)
			refilter_replace(l, r, before, row, v, n);
		buf_clear(&blob);
		blob.max = VERDICT_MAX;
		rc = verdicts_write(&blob, first, v, n);
		db_run(&l->book->db, SQL_VERDICT_ADD, DB_INT(r->id), DB_INT(last), DB_INT(first),
		    DB_INT(keeps), DB_BLOB(blob.data, blob.len));
		r->kept += keeps;
		route_move(l, r, last);
		route_save(l, r);
	}
	taken_free(&taken);
	buf_free(&blob);
	return rc;
}

/* Sets *v to the default verdict. 1: it is final and no filter is asked: the record is over the
 * route's patience, or a revision in a route without `updates`. */
static int
preset(const struct ledger_route *r, const struct row *row, struct verdict *v)
{
	if (row->late.reason != NULL) {
		*v = (struct verdict){ .n = row->n, .verdict = CR_DROP, .rule = rule_patience,
			.why = row->late.reason };
		return 1;
	}
	if (row->undrawn) {
		*v = (struct verdict){ .n = row->n, .verdict = CR_DROP, .rule = RULE_FROM };
		return 1;
	}
	*v = (struct verdict){ .n = row->n, .verdict = CR_KEEP, .changes = row->changes };
	if (row->revision == 0 || r->rule.updates || row->first)
		return 0;
	*v = (struct verdict){ .n = row->n, .verdict = CR_DROP, .rule = RULE_REVISION };
	return 1;
}

int
judge_all(struct ledger *l, struct ledger_route *r)
{
	int more, back = r->resume > 0;
	int64_t to = horizon(l, r, &more);
	struct rows rows = { 0 };
	struct verdict *v;
	size_t i;

	if (r->filtered >= to)
		return more;
	if (r->rule.edition) {		/* sealing writes its verdicts */
		(void)settle(l, r, NULL, NULL, 0, to);
		return more || back;
	}
	scan(l, r, to, LEDGER_JUDGE, &rows);
	v = xcalloc(rows.n, sizeof(*v));
	for (i = 0; i < rows.n; i++)
		(void)preset(r, &rows.row[i], &v[i]);
	if (settle(l, r, rows.row, v, rows.n, rows.last) == -1)
		fatal("route %s: the changes of %zu records are over %u bytes", r->name, rows.n,
		    VERDICT_MAX);
	free(v);
	rows_free(&rows);
	return more || back || r->filtered < to;
}

/* ---- Batches for the filters ---- */

/* Puts the records that the filters judge into items, and cuts r->batch to the rows that fit.
 * Returns the number of records. */
static uint32_t
ask(struct ledger *l, struct ledger_route *r, struct buf *items)
{
	struct rows *rows = &r->batch;
	struct verdict v;
	uint32_t count = 0;
	size_t i;

	for (i = 0; i < rows->n; i++) {
		if (preset(r, &rows->row[i], &v))
			continue;
		if (items->len > LEDGER_BYTES)
			break;
		if (batch_item(l, r, rows->row[i].n, rows->row[i].changes, items,
		    &rows->row[i].seen) == -1)
			fatal("the record of log row %lld is missing", (long long)rows->row[i].n);
		count++;
	}
	if (i < rows->n) {
		rows->last = rows->row[i - 1].n;
		for (; rows->n > i; rows->n--)
			row_free(&rows->row[rows->n - 1]);
	}
	return count;
}

static void
settle_presets(struct ledger *l, struct ledger_route *r)
{
	struct rows *rows = &r->batch;
	struct verdict *v = xcalloc(rows->n, sizeof(*v));
	size_t i;

	for (i = 0; i < rows->n; i++)
		(void)preset(r, &rows->row[i], &v[i]);
	if (settle(l, r, rows->row, v, rows->n, rows->last) == -1)
		fatal("route %s: verdicts on revisions are over a maximum", r->name);
	free(v);
	rows_free(rows);
}

int
judge_pull(struct ledger *l, struct ledger_route *r, uint32_t max, struct work *w,
    struct buf *items)
{
	int more, back = r->resume > 0;
	int64_t to = horizon(l, r, &more), begun = r->filtered;

	rows_free(&r->batch);
	ledger_state_give_filters(l, r, items);
	while (r->filtered < to && r->filtered - begun < LEDGER_SCAN) {
		scan(l, r, to, max, &r->batch);
		w->count = ask(l, r, items);
		if (w->count == 0) {
			settle_presets(l, r);
			continue;
		}
		w->kind = WORK_FILTER;
		w->first = r->batch.first;
		w->last = r->batch.last;
		batch_id(l, r, NULL, w->first, w->last);
		w->id = l->id;
		return 1;
	}
	if (r->filtered > begun || (back && r->resume == 0))
		w->last = r->filtered;	/* its sinks, and routes that draw from it, go on */
	return more || (back && r->resume == 0) || r->filtered < to;
}

/* ---- The filters' answers ---- */

static int
utf8(const char *s)
{
	return s == NULL || text_valid(s, strlen(s)) == strlen(s);
}

/* Merges the filters' changes over those of the route from which the row was drawn. Owned. */
static struct bytes
changes_merge(struct bytes before, struct bytes after)
{
	struct cr_record *r, *over;
	struct bytes merged;
	struct buf b;

	if (before.data == NULL || after.data == NULL)
		return bytes_copy(after.data != NULL ? after : before);
	r = record_read(before.data, before.len);
	over = record_read(after.data, after.len);
	buf_init(&b, RECORD_MAX);
	if (r != NULL && over != NULL)
		record_overlay(r, over);
	if (r != NULL)
		record_write(r, &b);
	merged = bytes_copy(b.over || r == NULL ? after : (struct bytes){ b.data, b.len });
	buf_free(&b);
	record_free(r);
	record_free(over);
	return merged;
}

/* What the filters' worker wrote and its host could not have written. */
struct forged {
	size_t		 n;			/* records refused */
	const char	*rule;			/* of the first */
	const char	*why;			/* of the first */
	struct arena	 texts;			/* their reasons */
};

/* Whether a rule is one of the route's filters, or a group of them. */
static int
rule_of(const struct ledger_route *r, const char *rule)
{
	const char *s = r->rules, *end = s + r->rules_len;
	size_t n = rule != NULL ? strlen(rule) : 0;

	if (n == 0)
		return 1;		/* none decided */
	for (; s < end; s += strlen(s) + 1)
		if (strncmp(s, rule, n) == 0 && (s[n] == '\0' || s[n] == '/'))
			return 1;
	return 0;
}

/* Whether a trail is well-formed. *wrong: why one of its reasons is refused, or NULL. */
static int
trail_fits(const struct ledger_route *r, struct bytes trail, const char **wrong)
{
	struct result_said said;
	struct wire w;

	*wrong = NULL;
	wire_init(&w, trail.data != NULL ? trail.data : "", trail.len);
	while (!w.bad && w.at < w.end) {
		wire_get(&w, result_said, &said);
		if (w.bad || said.rule == NULL || !rule_of(r, said.rule) ||
		    said.verdict > CR_WAIT)
			return 0;
		if (*wrong == NULL)
			*wrong = verify_line(said.why, RESULT_REASON_MAX);
	}
	return !w.bad;
}

/* Whether a verdict is refused; why: the reason. wrong: that of its trail, or NULL. */
static int
verdict_wrong(const struct result_verdict *rv, const char *wrong, char why[VERIFY_WHY])
{
	if (wrong == NULL)
		wrong = verify_line(rv->why, RESULT_REASON_MAX);
	if (wrong != NULL) {
		snprintf(why, VERIFY_WHY, "reason: %s", wrong);
		return 1;
	}
	if ((wrong = verify_line(rv->number, RECORD_NAME_MAX + sizeof("story."))) != NULL) {
		snprintf(why, VERIFY_WHY, "number: %s", wrong);
		return 1;
	}
	return rv->changes.data != NULL &&
	    verify_record(rv->changes, VERIFY_CHANGES, date_now(), why) == -1;
}

/* Makes a failure of a verdict that is refused. */
static void
verdict_refuse(struct forged *f, struct verdict *v, const char *why)
{
	char text[VERIFY_WHY + 64];

	snprintf(text, sizeof(text), "refused, since its filter forged what it changed: %s", why);
	v->verdict = VERDICT_FAILED;
	v->trail = (struct bytes){ NULL, 0 };
	v->why = arena_text(&f->texts, text, strlen(text));
	if (f->n++ > 0)
		return;
	f->rule = v->rule;
	f->why = arena_text(&f->texts, why, strlen(why));
}

/* Counts and logs what was refused, once a FORGED_LOG for each route. */
static void
forged_tell(struct ledger_route *r, const struct forged *f)
{
	int64_t now = date_ticks();

	if (f->n == 0)
		return;
	r->forged += f->n;
	r->forged_untold += f->n;
	if (r->forged_logged != 0 && now - r->forged_logged < FORGED_LOG)
		return;
	log_warn("route %s: filter %s forged what its host writes: %llu record%s refused, the last "
	    "for %s", r->name, f->rule != NULL ? f->rule : "?",
	    (unsigned long long)r->forged_untold, r->forged_untold == 1 ? "" : "s", f->why);
	r->forged_logged = now;
	r->forged_untold = 0;
}

/* Reads on to the next verdict, past the filters' state. 1; 0: no more; -1: malformed. */
static int
verdict_next(const struct ledger_route *r, struct wire *all, struct wire *body)
{
	struct result_state st;
	enum result_kind kind;
	int rc;

	while ((rc = result_next(all, &kind, body)) == 1 && kind == RESULT_STATE)
		if (result_state_read(body, &st) == -1 || st.rule == NULL ||
		    !ledger_state_rule(r, st.rule))
			return -1;
	return rc == 1 && kind != RESULT_VERDICT ? -1 : rc;
}

static int
verdict_read(const struct ledger_route *r, struct wire body, const struct row *row,
    struct forged *f, struct verdict *v)
{
	char why[VERIFY_WHY];
	struct result_verdict rv;
	const char *wrong;

	wire_get(&body, result_verdict, &rv);
	if (wire_end(&body) == -1 || (rv.verdict > CR_WAIT && rv.verdict != UINT32_MAX) ||
	    !rule_of(r, rv.rule) || !trail_fits(r, rv.trail, &wrong))
		return -1;
	*v = (struct verdict){ .n = row->n, .rule = rv.rule, .why = rv.why, .trail = rv.trail,
		.number = rv.verdict == CR_WAIT ? rv.number : NULL, .least = rv.least,
		.verdict = rv.verdict == UINT32_MAX ? VERDICT_FAILED : (int)rv.verdict };
	if (verdict_wrong(&rv, wrong, why))
		verdict_refuse(f, v, why);
	if (v->verdict == CR_KEEP || v->verdict == CR_WAIT)
		v->changes = changes_merge(row->changes, rv.changes);
	return 0;
}

/* Fills v with the verdicts on the first rows of the batch: on all rows, on as many as there was
 * room for in the results, or on those up to the guilty row (j->guilty), behind which the results
 * may be cut off. Returns the number of rows; -1: malformed. *asked: the number of verdicts
 * read. */
static ssize_t
verdicts_take(struct ledger_route *r, const struct judged *j, struct wire *all,
    struct forged *f, struct verdict *v, uint32_t *asked)
{
	const struct rows *rows = &r->batch;
	struct wire body;
	size_t i;
	int rc;

	*asked = 0;

	for (i = 0; i < rows->n; i++) {
		if (preset(r, &rows->row[i], &v[i]))
			continue;
		if (*asked == j->guilty) {
			v[i] = (struct verdict){ .n = rows->row[i].n, .verdict = VERDICT_FAILED,
				.rule = rule_parked, .why = utf8(j->reason) ? j->reason : NULL };
			return (ssize_t)i + 1;
		}
		v[i] = (struct verdict){ 0 };
		rc = verdict_next(r, all, &body);
		if (rc == 0 && *asked > 0 && j->guilty == UINT32_MAX)
			return (ssize_t)i;
		if (rc != 1 || verdict_read(r, body, &rows->row[i], f, &v[i]) == -1)
			return -1;
		++*asked;
	}
	return j->guilty == UINT32_MAX && verdict_next(r, all, &body) == 0 ? (ssize_t)i : -1;
}

/* Frees v and the changes that verdict_read() made; the changes of a preset verdict are the
 * row's. */
static void
verdicts_drop(const struct rows *rows, struct verdict *v)
{
	size_t i;

	for (i = 0; i < rows->n; i++)
		if (v[i].changes.data != rows->row[i].changes.data)
			free((char *)(uintptr_t)v[i].changes.data);
	free(v);
}

uint32_t
ledger_judged(struct ledger *l, const struct judged *j, const void *verdicts, size_t len)
{
	struct ledger_route *r = ledger_route(l, j->route);
	struct forged forged = { .n = 0 };
	struct verdict *v;
	struct wire all;
	uint32_t asked;
	ssize_t n;
	int rc = -1;

	if (r == NULL || r->batch.n == 0 || r->batch.first != j->first ||
	    r->batch.last != j->last) {
		log_info("verdicts of route %u on rows that it is not asked about: dropped",
		    j->route);
		return SETTLED_OTHER;
	}
	v = xcalloc(r->batch.n, sizeof(*v));
	wire_init(&all, verdicts != NULL ? verdicts : "", len);
	n = verdicts_take(r, j, &all, &forged, v, &asked);
	if (n > 0)
		rc = settle(l, r, r->batch.row, v, (size_t)n, (size_t)n == r->batch.n ?
		    r->batch.last : r->batch.row[n - 1].n);
	if (rc == 0)
		ledger_state_take(l, r, NULL, (struct bytes){ verdicts, len }, asked);
	else
		log_warn("route %s: its verdicts are malformed", r->name);
	forged_tell(r, &forged);
	arena_free(&forged.texts);
	verdicts_drop(&r->batch, v);
	rows_free(&r->batch);
	return rc == -1 ? SETTLED_MALFORMED : 0;
}
